"""The mix of stills, synthetic clips and real clips that a training run sees, one sample per index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from masklet.errors import ConfigError, TrainingError
from masklet.training.augment import AugmentConfig, StillSampler
from masklet.training.colour import change_colours, draw_colour_change
from masklet.training.data import ClipRecord, Shards, StillRecord, TrainClip
from masklet.training.sprites import build_pool
from masklet.training.synthetic import ClipRenderer, SyntheticConfig
from masklet.training.views import choose_objects, draw_view_matrix, warp_image, warp_masks

COMPOSITE_SOURCE = "synthetic"
_VIRTUAL_LENGTH = 10_000_000
_MAX_DRAWS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """What the training data looks like.

    Attributes:
        side: Side of the square frames in pixels, at least 16.
        num_frames: Frames per sample; 1 gives stills.
        max_objects: Most objects per sample, at least 1.
        seed: Seed, at least 0; sample i depends on the seed and i alone.
        source_weights: Weight per source of stills; sources left out are not drawn. None tempers by size.
        temper: Exponent on the number of records when weights are tempered, in [0, 1].
        largest_ratio: Tempered weights are capped at this multiple of the median weight, at least 1.
        still_composite_share: With one frame per sample, share of sprites over a background, in [0, 1].
        clip_share: With several frames, share of real clips where there are some, in [0, 1].
        composite_share: With several frames, share of sprites over a moving background, in [0, 1]; what
            remains are moving stills.
        max_skip: Most frames from one frame of a real clip to the next, at least 1.
        augment: Changes of stills.
        synthetic: Events of synthetic clips.
    """

    side: int = 256
    num_frames: int = 1
    max_objects: int = 4
    seed: int = 0
    source_weights: Mapping[str, float] | None = None
    temper: float = 0.4
    largest_ratio: float = 2.0
    still_composite_share: float = 0.08
    clip_share: float = 0.35
    composite_share: float = 0.3
    max_skip: int = 5
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    synthetic: SyntheticConfig = field(default_factory=SyntheticConfig)

    def __post_init__(self) -> None:
        """Refuse sizes, counts and shares that cannot be drawn."""
        for name, least in (
            ("side", 16),
            ("num_frames", 1),
            ("max_objects", 1),
            ("seed", 0),
            ("max_skip", 1),
        ):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is {getattr(self, name)} but must be at least {least}; raise it.")
        shares = (self.still_composite_share, self.clip_share, self.composite_share)
        if min(shares) < 0 or max(shares) > 1 or self.clip_share + self.composite_share > 1:
            raise ConfigError(
                f"Shares of stills, clips and composites are {shares} but each must lie in [0, 1] and the "
                "last two must sum to at most 1; change them."
            )


class TrainingData:
    """Samples by index; every index gives the same sample for the same seed, in any process and order."""

    def __init__(self, config: DataConfig, shards: Shards) -> None:
        """Prepare to draw from opened shards.

        Raises:
            TrainingError: When there is nothing to draw from, or a weighted source is not there.
        """
        self._config = config
        self._shards = shards
        self._sources, self._weights = still_probabilities(config, shards.stills)
        self._clip_sources, self._clip_weights = _tempered(config, shards.clips)
        has_clips = bool(self._clip_sources) and config.num_frames > 1
        if not self._sources and not shards.cutouts and not has_clips:
            raise TrainingError(
                "The shards hold nothing to draw samples from; give stills, cut-outs or clips."
            )
        pool = build_pool(shards)
        self._stills = StillSampler(
            config=config.augment,
            side=config.side,
            max_objects=config.max_objects,
            pool=pool,
            neighbour=self._draw_still,
        )
        self._renderer = ClipRenderer(
            config=config.synthetic,
            view=config.augment.view,
            side=config.side,
            num_frames=config.num_frames,
            max_objects=2 * config.max_objects,
            pool=pool,
        )

    def __len__(self) -> int:
        """A virtual length, longer than any run."""
        return _VIRTUAL_LENGTH

    def __getitem__(self, index: int) -> TrainClip:
        """Draw the sample of an index.

        Raises:
            IndexError: When the index is outside the virtual length.
            TrainingError: When no draw shows an object large enough.
        """
        if not 0 <= index < _VIRTUAL_LENGTH:
            raise IndexError(
                f"Sample {index} is outside 0 to {_VIRTUAL_LENGTH - 1}; resume at a smaller index."
            )
        rng = np.random.default_rng([self._config.seed, index])
        for _ in range(_MAX_DRAWS):
            sample = (
                self._draw_still_sample(rng) if self._config.num_frames == 1 else self._draw_clip_sample(rng)
            )
            if sample is not None:
                return sample
        raise TrainingError(
            f"Sample {index} showed no object of 16 pixels in {_MAX_DRAWS} draws; give larger objects."
        )

    def _draw_still_sample(self, rng: np.random.Generator) -> TrainClip | None:
        if not self._sources or rng.random() < self._config.still_composite_share:
            return self._finished(rng, *self._renderer.composite(rng), COMPOSITE_SOURCE)
        return self._stills.sample(rng, self._draw_still(rng))

    def _draw_clip_sample(self, rng: np.random.Generator) -> TrainClip | None:
        config, choice = self._config, rng.random()
        if self._clip_sources and choice < config.clip_share:
            return self._real_clip(rng)
        if not self._sources or choice > 1 - config.composite_share:
            is_lifted = rng.random() < config.synthetic.lifted
            rendered = self._renderer.lifted_object(rng) if is_lifted else self._renderer.composite(rng)
            return self._finished(rng, *rendered, COMPOSITE_SOURCE)
        record = self._draw_still(rng)
        return self._finished(rng, *self._renderer.moving_still(rng, record), record.source)

    def _draw_still(self, rng: np.random.Generator) -> StillRecord:
        records = self._shards.stills[self._sources[rng.choice(len(self._sources), p=self._weights)]]
        return records[rng.integers(len(records))]

    def _finished(
        self, rng: np.random.Generator, frames: np.ndarray, masks: np.ndarray, source: str
    ) -> TrainClip | None:
        """Choose objects seen on the first frame and change colours; None when no object is seen there."""
        config = self._config
        chosen = choose_objects(rng, masks[0], config.max_objects, exponent=config.augment.view.area_exponent)
        if len(chosen) == 0:
            return None
        change = draw_colour_change(rng, config.augment.colour, num_frames=len(frames))
        return TrainClip(frames=change_colours(frames, change), masks=masks[:, chosen], source=source)

    def _real_clip(self, rng: np.random.Generator) -> TrainClip | None:
        """Frames of a real clip in either direction through one fixed window, perhaps with sprites on top."""
        config = self._config
        source = self._clip_sources[rng.choice(len(self._clip_sources), p=self._clip_weights)]
        clip = self._shards.clips[source][rng.integers(len(self._shards.clips[source]))]
        frames_at = draw_frames(rng, clip, num_frames=config.num_frames, max_skip=config.max_skip)
        shown = np.flatnonzero(clip.is_present[frames_at[0]])
        if len(shown) == 0:
            return None
        shown = rng.permutation(shown)[: 2 * config.max_objects]
        planes = [[clip.mask(at, int(index)) for index in shown] for at in frames_at]
        size_wh = (config.side, config.side)
        crop_xyxy = _clip_window(rng, planes[0][0])
        view = draw_view_matrix(rng, crop_xyxy, size_wh, config=config.augment.view, is_turnable=False)
        frames = np.stack([warp_image(frame, view, size_wh) for frame in clip.frames.read(frames_at)])
        masks = np.stack([warp_masks(row, view, size_wh) for row in planes])
        still_camera = np.repeat(np.eye(3)[None], config.num_frames, 0)
        return self._finished(rng, *self._renderer.with_sprites(rng, frames, masks, still_camera), source)


def _clip_window(rng: np.random.Generator, mask: np.ndarray) -> tuple[float, float, float, float]:
    """The whole frame, or a window of at least half its size around an object; (x0, y0, x1, y1) in pixels."""
    height, width = mask.shape
    if rng.random() < 0.5:
        return 0.0, 0.0, float(width), float(height)
    x, y, box_width, box_height = cv2.boundingRect(mask)
    crop = np.sqrt(rng.uniform(0.25, 1.0)) * np.array([width, height]) * np.exp(rng.uniform(-0.15, 0.15, 2))
    crop = np.minimum(crop, (width, height))
    centre = np.array([x + box_width / 2, y + box_height / 2]) + rng.uniform(-0.3, 0.3, 2) * crop
    x0, y0 = np.clip(centre - crop / 2, 0, np.array([width, height]) - crop)
    return float(x0), float(y0), float(x0 + crop[0]), float(y0 + crop[1])


def draw_frames(rng: np.random.Generator, clip: ClipRecord, *, num_frames: int, max_skip: int) -> list[int]:
    """Frames of a clip at one skip, forwards or backwards; a clip that is too short rests at its end."""
    room = max((clip.num_frames - 1) // max(num_frames - 1, 1), 1)
    skip = int(rng.integers(1, min(max_skip, room) + 1))
    start = int(rng.integers(0, max(clip.num_frames - (num_frames - 1) * skip, 1)))
    order = [min(start + step * skip, clip.num_frames - 1) for step in range(num_frames)]
    if rng.random() < 0.5:
        order.reverse()
    return order


def still_probabilities(
    config: DataConfig, stills: Mapping[str, Sequence[StillRecord]]
) -> tuple[list[str], np.ndarray]:
    """Sources of stills and the probability of each.

    Raises:
        TrainingError: When a weighted source is not there or no weight is above 0.
    """
    if config.source_weights is None:
        return _tempered(config, stills)
    missing = sorted(set(config.source_weights) - set(stills))
    if missing:
        raise TrainingError(
            f"Source weights name {', '.join(missing)} but the shards hold {', '.join(sorted(stills))}; "
            "remove the names or add the shards."
        )
    names = sorted(name for name, weight in config.source_weights.items() if weight > 0)
    if not names:
        raise TrainingError("Source weights hold no weight above 0; give at least one source a weight.")
    weights = np.array([config.source_weights[name] for name in names], float)
    return names, weights / weights.sum()


def _tempered(config: DataConfig, records: Mapping[str, Sequence[object]]) -> tuple[list[str], np.ndarray]:
    """Sources and probabilities that grow slowly with the number of records, up to a cap."""
    names = sorted(records)
    weights = np.array([len(records[name]) for name in names], float) ** config.temper
    if names:
        weights = np.minimum(weights, config.largest_ratio * np.median(weights))
    return names, weights / weights.sum() if names else weights
