"""Named training runs, as functions that return the whole configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from masklet.errors import ConfigError
from masklet.training.actors import ActorConfig
from masklet.training.augment import AugmentConfig
from masklet.training.config import LossWeights, OptimConfig, PromptSimulation, TrainingConfig
from masklet.training.synthetic import SyntheticConfig
from masklet.training.views import ViewConfig

BALANCED = LossWeights(focal=0.0, normalised_focal=2.0, dice=1.5, others=0.1, single_share=0.3, carried=0.5)
"""What our short runs use instead of SAM 2's weights."""


LOOKALIKES = SyntheticConfig(actor=ActorConfig(lookalike=0.7))
"""Most sprites have a twin: what tells a click on one cup from a click on three."""


HIDING = SyntheticConfig(
    actor=ActorConfig(
        lookalike=0.6, leave=0.4, occluder=0.6, occluder_extent=(1.3, 2.4), occluder_speed=(0.2, 0.9)
    ),
    extra_sprites=0.5,
)
"""Objects that are often not there: presence is learned from their absence."""


def debug() -> TrainingConfig:
    """A few steps of a tiny model on tiny frames: wiring only."""
    return TrainingConfig(
        name="debug",
        model="debug-compact",
        steps=4,
        side=64,
        still_batch=2,
        clip_batch=1,
        num_frames=3,
        still_objects=2,
        optim=OptimConfig(warmup_steps=1, frozen_blocks=0),
    )


def compact_base() -> TrainingConfig:
    """First stage of the embedded model: stills and short clips at a low resolution, from a public backbone."""
    return TrainingConfig(
        name="compact-base", steps=3000, side=256, still_batch=8, clip_batch=2, losses=BALANCED
    )


def compact_fine() -> TrainingConfig:
    """Second stage: the model's own resolution, longer clips, a lower rate."""
    return TrainingConfig(
        name="compact-fine",
        steps=1000,
        side=384,
        still_batch=6,
        clip_batch=2,
        clip_share=0.4,
        num_frames=5,
        seed=1000,
        stills={"still_composite_share": 0.25, "synthetic": LOOKALIKES},
        clips={"composite_share": 0.4, "clip_share": 0.3, "synthetic": LOOKALIKES},
        losses=BALANCED,
        optim=OptimConfig(learning_rate=4e-4, warmup_steps=30, decay_share=0.8),
    )


def compact_stills() -> TrainingConfig:
    """Third stage: the second goes on at its full rate, mostly stills, with more correction clicks."""
    return TrainingConfig(
        name="compact-stills",
        steps=300,
        side=384,
        still_batch=6,
        clip_batch=2,
        clip_share=0.25,
        num_frames=6,
        seed=2000,
        stills={"still_composite_share": 0.2, "synthetic": LOOKALIKES},
        clips={"composite_share": 0.4, "clip_share": 0.3, "synthetic": LOOKALIKES},
        prompts=PromptSimulation(still_corrections=4),
        losses=BALANCED,
        optim=OptimConfig(learning_rate=4e-4, warmup_steps=60, decay_share=0.0),
    )


def compact_track() -> TrainingConfig:
    """Fourth stage: as many clips as stills, seven frames each; more correction clicks."""
    return TrainingConfig(
        name="compact-track",
        steps=1100,
        side=384,
        still_batch=6,
        clip_batch=2,
        clip_share=0.5,
        num_frames=7,
        seed=3000,
        stills={"still_composite_share": 0.2, "synthetic": LOOKALIKES},
        clips={"composite_share": 0.4, "clip_share": 0.3, "synthetic": LOOKALIKES},
        prompts=PromptSimulation(still_corrections=4),
        losses=BALANCED,
        optim=OptimConfig(learning_rate=4e-4, warmup_steps=60, decay_share=0.0),
    )


def compact_return() -> TrainingConfig:
    """Last stage: clips of eight frames in which objects often hide or leave, and come back; the rate decays."""
    return TrainingConfig(
        name="compact-return",
        steps=900,
        side=384,
        still_batch=6,
        clip_batch=2,
        clip_share=0.5,
        num_frames=8,
        seed=4000,
        stills={"still_composite_share": 0.2, "synthetic": LOOKALIKES},
        clips={"composite_share": 0.45, "clip_share": 0.3, "synthetic": HIDING},
        prompts=PromptSimulation(still_corrections=4),
        losses=BALANCED,
        optim=OptimConfig(learning_rate=4e-4, warmup_steps=20, decay_share=1.0),
    )


CLOSER = AugmentConfig(view=ViewConfig(whole=0.4, focus=0.35, min_crop=0.25))
"""More windows around single objects, small ones enlarged up to four times, as a second look at inference is."""


def compact_close() -> TrainingConfig:
    """Sixth stage: small objects seen closely, frames that look ahead to a prompt; the full rate again."""
    return TrainingConfig(
        name="compact-close",
        steps=565,
        side=384,
        still_batch=6,
        clip_batch=2,
        clip_share=0.4,
        num_frames=8,
        seed=5000,
        stills={"still_composite_share": 0.15, "synthetic": LOOKALIKES, "augment": CLOSER},
        clips={"composite_share": 0.4, "clip_share": 0.35, "synthetic": HIDING},
        prompts=PromptSimulation(
            still_corrections=4,
            box_share=0.3,
            later_correction_share=0.4,
            later_corrections=3,
            tried_share=0.4,
            ahead_share=0.5,
        ),
        losses=replace(BALANCED, single_share=1.0),
        optim=OptimConfig(learning_rate=4e-4, warmup_steps=60, decay_share=0.0),
    )


def compact_settle() -> TrainingConfig:
    """Last stage: as the sixth, with corrections of objects that were mistaken for others, while the rate decays."""
    close = compact_close()
    return replace(
        close,
        name="compact-settle",
        steps=360,
        seed=6000,
        prompts=replace(close.prompts, tried_share=0.6, mistaken_share=0.5),
        optim=OptimConfig(learning_rate=4e-4, warmup_steps=10, decay_share=1.0, ema_decay=0.985),
    )


CROSSING = replace(
    HIDING, actor=replace(HIDING.actor, lookalike=0.75, crossing=0.6, same=0.5), extra_sprites=0.5
)
"""Look-alikes that pass each other closely, as often the very same picture: which is which lies in motion alone."""


def compact_cross() -> TrainingConfig:
    """Eighth stage: look-alikes cross, objects hide more often, corrections of mistaken objects from the start."""
    close = compact_close()
    return replace(
        close,
        name="compact-cross",
        steps=430,
        clip_share=0.5,
        seed=7000,
        clips={"composite_share": 0.5, "clip_share": 0.3, "synthetic": CROSSING},
        prompts=replace(close.prompts, tried_share=0.5, mistaken_share=0.4),
        optim=OptimConfig(learning_rate=4e-4, warmup_steps=20, decay_share=0.6, ema_decay=0.985),
    )


HELD = replace(
    CROSSING, actor=replace(CROSSING.actor, lookalike=0.6, crossing=0.5, held=0.6), extra_sprites=0.6
)
"""As before, and things that lie on others and move with them: what a hand holds is not the hand."""


def compact_whole() -> TrainingConfig:
    """A ninth stage, not shipped: memory read in full, the target model in place, things held by others."""
    close = compact_close()
    stills = {
        "still_composite_share": 0.12,
        "synthetic": LOOKALIKES,
        "augment": replace(CLOSER, paste=0.35, held=0.6),
    }
    return replace(
        close,
        name="compact-whole",
        steps=1400,
        clip_share=0.45,
        still_batch=8,
        seed=8000,
        stills=stills,
        clips={"composite_share": 0.4, "clip_share": 0.35, "synthetic": HELD},
        prompts=replace(close.prompts, tried_share=0.4, mistaken_share=0.4),
        optim=OptimConfig(learning_rate=4e-4, warmup_steps=40, decay_share=1.0, ema_decay=0.99),
    )


def compact_steady() -> TrainingConfig:
    """A tenth stage after part of the ninth: what decides keeps its weights, features and memory learn to serve it."""
    whole = compact_whole()
    return replace(
        whole,
        name="compact-steady",
        steps=600,
        seed=10_000,
        clip_share=0.5,
        prompts=replace(whole.prompts, tried_share=0.3),
        optim=OptimConfig(
            learning_rate=3e-4,
            warmup_steps=20,
            decay_share=1.0,
            ema_decay=0.985,
            frozen_parts=("decoder", "prompt_encoder"),
        ),
    )


PLAIN = replace(HIDING, actor=replace(HIDING.actor, lookalike=0.35, held=0.3))
"""Objects that hide and leave, few of them with a twin, which a single old frame cannot tell apart."""


def compact_clear() -> TrainingConfig:
    """Tenth stage, from the slimmed model: mostly stills, five clicks each; clips keep what was learned of time."""
    close = compact_close()
    return replace(
        close,
        name="compact-clear",
        steps=1450,
        clip_share=0.3,
        still_batch=8,
        seed=11_000,
        stills={
            "still_composite_share": 0.08,
            "synthetic": LOOKALIKES,
            "augment": replace(CLOSER, paste=0.2, held=0.4),
        },
        clips={"composite_share": 0.35, "clip_share": 0.4, "synthetic": PLAIN},
        prompts=replace(close.prompts, tried_share=0.4, mistaken_share=0.3),
        optim=OptimConfig(
            learning_rate=5e-4, encoder_scale=0.5, warmup_steps=40, decay_share=0.8, ema_decay=0.99
        ),
    )


RECIPES: Mapping[str, Callable[[], TrainingConfig]] = {
    "debug": debug,
    "compact-base": compact_base,
    "compact-fine": compact_fine,
    "compact-stills": compact_stills,
    "compact-track": compact_track,
    "compact-return": compact_return,
    "compact-close": compact_close,
    "compact-settle": compact_settle,
    "compact-cross": compact_cross,
    "compact-whole": compact_whole,
    "compact-steady": compact_steady,
    "compact-clear": compact_clear,
}


def recipe(name: str) -> TrainingConfig:
    """The configuration of a recipe.

    Raises:
        ConfigError: When there is no recipe of this name.
    """
    if name not in RECIPES:
        raise ConfigError(f"There is no recipe {name!r}; the recipes are {', '.join(RECIPES)}.")
    return RECIPES[name]()
