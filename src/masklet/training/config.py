"""What a training run is: one frozen value, written into every checkpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from masklet.errors import ConfigError
from masklet.training.sampling import DataConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSimulation:
    """How prompts are drawn from true masks, probabilities in [0, 1].

    Source: SAM 2 (Ravi et al. 2024), appendix on training, with ours where a small run needs it.

    Attributes:
        box_share: Share of steps whose first prompt is a box.
        mask_share: Share of clip steps whose first prompt is the true mask.
        still_corrections: Most correction clicks on a still after the first prompt.
        clip_corrections: Most correction clicks on the first frame of a clip.
        later_correction_share: Share of clip steps in which one later frame is corrected too.
        later_corrections: Most correction clicks on a later frame.
        tried_share: Share of the other tracked frames on which corrections are tried too and then forgotten: decoding
            costs little beside the frame.
        mistaken_share: Share of the tries that start from the memory and the mask of another object of the same clip, as
            if tracking had gone over to it.
        ahead_share: Share of the clip steps with a later correction in which that frame is prompted at once, before
            anything is tracked, so that the frames before it look ahead to it.
        centre_share: Share of clicks at the deepest point, as in evaluation, rather than anywhere.
        truth_share: Share of correction clicks drawn from the true mask rather than from the error.
    """

    box_share: float = 0.25
    mask_share: float = 0.5
    still_corrections: int = 3
    clip_corrections: int = 1
    later_correction_share: float = 0.3
    later_corrections: int = 1
    tried_share: float = 0.0
    mistaken_share: float = 0.0
    ahead_share: float = 0.0
    centre_share: float = 0.5
    truth_share: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWeights:
    """Weights of the terms of the loss.

    The defaults are SAM 2's. The normalised focal term (Sofiiuk et al. 2021) keeps its strength however small the
    object is; short runs from random decoders need it, or the single mask collapses to nothing. ``others`` trains
    all three ambiguous masks a little, not only the best, or two of them die (Rupprecht et al. 2017);
    ``single_share`` trains the single mask on ambiguous prompts too; ``carried`` trains where the last mask is carried.
    """

    focal: float = 20.0
    normalised_focal: float = 0.0
    dice: float = 1.0
    iou: float = 1.0
    presence: float = 1.0
    others: float = 0.0
    single_share: float = 0.0
    carried: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimConfig:
    """AdamW with warm-up, a plateau and a linear decay, so that a run may be prolonged before its decay.

    Attributes:
        learning_rate: Plateau rate of everything but the image encoder.
        encoder_scale: The encoder's rate as a share of it.
        weight_decay: Decay of matrices and kernels; none on biases, norms and free embeddings.
        warmup_steps: Steps of linear warm-up.
        decay_share: Share of the steps, at the end, over which the rate falls to ``final_scale``.
        final_scale: Rate at the last step as a share of the plateau.
        max_norm: Gradient norm to which gradients are clipped.
        ema_decay: Decay of the running mean of the weights that is validated and shipped.
        frozen_blocks: The stem and so many first encoder blocks keep their weights.
        frozen_parts: Parts of the model, such as "decoder", that keep their weights.
    """

    learning_rate: float = 6e-4
    encoder_scale: float = 0.25
    weight_decay: float = 0.02
    warmup_steps: int = 200
    decay_share: float = 0.3
    final_scale: float = 0.02
    max_norm: float = 1.0
    ema_decay: float = 0.998
    frozen_blocks: int = 3
    frozen_parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """One run.

    Attributes:
        name: Recipe name.
        model: Preset to build.
        steps: Optimiser steps in all.
        side: Input side in pixels.
        clip_share: Share of steps on clips rather than stills.
        still_batch: Stills per step.
        clip_batch: Clips per step.
        num_frames: Frames per clip.
        still_objects: Most objects per still.
        clip_objects: Most objects per clip.
        seed: Seeds weights, data and prompts.
        checkpoint_minutes: Minutes between checkpoints.
        stills: Overrides of the stills' data settings.
        clips: Overrides of the clips' data settings.
        prompts: How prompts are simulated.
        losses: Weights of the loss.
        optim: The optimiser.
    """

    name: str
    model: str = "compact"
    steps: int
    side: int
    clip_share: float = 0.34
    still_batch: int = 12
    clip_batch: int = 3
    num_frames: int = 4
    still_objects: int = 4
    clip_objects: int = 2
    seed: int = 0
    checkpoint_minutes: float = 3.0
    stills: Mapping[str, Any] = field(default_factory=dict)
    clips: Mapping[str, Any] = field(default_factory=dict)
    prompts: PromptSimulation = field(default_factory=PromptSimulation)
    losses: LossWeights = field(default_factory=LossWeights)
    optim: OptimConfig = field(default_factory=OptimConfig)

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be trained."""
        if self.side % 32 or self.side < 32:
            raise ConfigError(f"The training side must be a positive multiple of 32, got {self.side}.")
        if self.steps < 1:
            raise ConfigError(f"A run needs at least one step, got {self.steps}.")

    def still_data(self) -> DataConfig:
        """Data settings of still steps."""
        return DataConfig(
            side=self.side, num_frames=1, max_objects=self.still_objects, seed=self.seed, **self.stills
        )

    def clip_data(self) -> DataConfig:
        """Data settings of clip steps; another seed, so that stills and clips do not move together."""
        return DataConfig(
            side=self.side,
            num_frames=self.num_frames,
            max_objects=self.clip_objects,
            seed=self.seed + 1,
            **self.clips,
        )

    def facts(self) -> dict[str, Any]:
        """The run as JSON-ready values."""
        return dataclasses.asdict(self)
