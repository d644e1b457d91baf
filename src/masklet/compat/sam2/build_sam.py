"""Building models by SAM 2's names."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from masklet.compat.sam2.building import build_for_video
from masklet.compat.sam2.model import Sam2Model
from masklet.compat.sam2.sam2_video_predictor import SAM2VideoPredictor


def build_sam2(
    config_file: str,
    ckpt_path: str | None = None,
    device: str | torch.device | None = None,
    mode: str = "eval",
    hydra_overrides_extra: Sequence[str] = (),
    apply_postprocessing: bool = True,  # noqa: FBT001, FBT002 - the signature is given
    **_unused: object,
) -> Sam2Model:
    """Build a model for images.

    Args:
        config_file: "configs/sam2.1/sam2.1_hiera_t.yaml" and its siblings, or one of our presets, such as "compact".
        ckpt_path: A checkpoint; None for the weights that belong to the configuration.
        device: A device; None for the best that is there.
        mode: "eval"; training has its own command.
        hydra_overrides_extra: "++model.image_size=N" and what ``build_sam2_video_predictor`` names.
        apply_postprocessing: Whether an unstable single mask gives way to the best of three.

    Raises:
        ConfigError: When a name, mode or override is not known.
        WeightsError: When the checkpoint cannot be used.
    """
    return build_for_video(
        config_file,
        ckpt_path,
        device,
        mode,
        hydra_overrides_extra,
        apply_postprocessing=apply_postprocessing,
    ).model


def build_sam2_video_predictor(
    config_file: str,
    ckpt_path: str | None = None,
    device: str | torch.device | None = None,
    mode: str = "eval",
    hydra_overrides_extra: Sequence[str] = (),
    apply_postprocessing: bool = True,  # noqa: FBT001, FBT002 - the signature is given
    vos_optimized: bool = False,  # noqa: FBT001, FBT002 - the signature is given
    **_unused: object,
) -> SAM2VideoPredictor:
    """Build a predictor for videos.

    Args:
        config_file: As for ``build_sam2``.
        ckpt_path: As for ``build_sam2``.
        device: As for ``build_sam2``.
        mode: "eval".
        hydra_overrides_extra: "++model.image_size=N", "++model.fill_hole_area=N", "++model.non_overlap_masks=true".
        apply_postprocessing: Whether holes of up to 8 cells are filled and an unstable single mask gives way.
        vos_optimized: Whether frames of a SAM 2 model are compiled; the results are the same.

    Raises:
        ConfigError: When a name, mode or override is not known.
        WeightsError: When the checkpoint cannot be used.
    """
    built = build_for_video(
        config_file,
        ckpt_path,
        device,
        mode,
        hydra_overrides_extra,
        apply_postprocessing=apply_postprocessing,
    )
    return SAM2VideoPredictor(
        built.model, built.fill_hole_area, built.non_overlap_masks, is_compiled=vos_optimized
    )


def build_sam2_hf(model_id: str, **kwargs: object) -> Sam2Model:
    """As ``build_sam2``, by the hub's name, such as "facebook/sam2.1-hiera-tiny"."""
    return build_sam2(model_id, **kwargs)  # type: ignore[arg-type]


def build_sam2_video_predictor_hf(model_id: str, **kwargs: object) -> SAM2VideoPredictor:
    """As ``build_sam2_video_predictor``, by the hub's name, such as "facebook/sam2.1-hiera-tiny"."""
    return build_sam2_video_predictor(model_id, **kwargs)  # type: ignore[arg-type]
