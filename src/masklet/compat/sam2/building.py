"""What a configuration file, a checkpoint and overrides stand for: a model, and how its masks are tidied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from masklet.compat.sam2.model import Sam2Model, load
from masklet.errors import ConfigError

_USUAL_HOLE_AREA = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A model for videos.

    Attributes:
        model: The model.
        fill_hole_area: Holes of at most so many cells are filled.
        non_overlap_masks: Whether every pixel belongs to at most one object.
    """

    model: Sam2Model
    fill_hole_area: int
    non_overlap_masks: bool


@dataclass(slots=True, kw_only=True)
class _Overrides:
    """What ``hydra_overrides_extra`` may say."""

    image_size: int | None = None
    fill_hole_area: int | None = None
    non_overlap_masks: bool = False


def build_for_video(
    config_file: str,
    ckpt_path: str | None = None,
    device: str | torch.device | None = None,
    mode: str = "eval",
    hydra_overrides_extra: Sequence[str] = (),
    *,
    apply_postprocessing: bool = True,
    **_unused: object,
) -> Built:
    """See ``build_sam2_video_predictor``."""
    if mode != "eval":
        raise ConfigError(f"The mode must be 'eval', got {mode!r}; train with `masklet train`.")
    overrides = _read_overrides(hydra_overrides_extra)
    loaded = load(
        config_file,
        ckpt_path,
        device,
        image_size=overrides.image_size,
        answers_when_unstable=apply_postprocessing,
    )
    hole_area = overrides.fill_hole_area
    if hole_area is None:
        hole_area = _USUAL_HOLE_AREA if apply_postprocessing else 0
    return Built(
        model=Sam2Model(loaded), fill_hole_area=hole_area, non_overlap_masks=overrides.non_overlap_masks
    )


def _read_overrides(given: Sequence[str]) -> _Overrides:
    found = _Overrides()
    for one in given:
        name, _, value = one.lstrip("+").partition("=")
        field = name.removeprefix("model.")
        if field in ("image_size", "fill_hole_area") and value.isdigit():
            setattr(found, field, int(value))
        elif field == "non_overlap_masks" and value.lower() in ("true", "false"):
            found.non_overlap_masks = value.lower() == "true"
        else:
            raise ConfigError(
                f"The override {one!r} is not known here; those known are ++model.image_size=N, "
                "++model.fill_hole_area=N and ++model.non_overlap_masks=true|false."
            )
    return found
