"""How finely an image is searched for objects, and how good a mask must be: presets as plain functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from masklet.errors import ConfigError
from masklet.tracking.mask_scores import STABILITY_OFFSET, STABILITY_SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoPreset:
    """Settings of an automatic search.

    Models differ in how sure they are of good masks. Where fewer than ``min_share`` of the masks of the first batch of
    clicks, a coarse grid over the whole image, reach the predicted IoU asked for, the threshold sinks until so many do;
    then the threshold of stability sinks until half of those do. Neither sinks beneath its floor.

    Attributes:
        name: Name for options and messages.
        points_per_side: Clicks per side of the whole image; crops have half as many per layer.
        points_per_batch: Clicks in one pass of the decoder.
        crop_layers: Layers of crops; layer n has 2^n by 2^n crops. 0 searches the whole image only.
        crop_overlap: By what share of its side a crop reaches into its neighbours, in [0, 1).
        min_predicted_iou: Least predicted IoU, in [0, 1].
        min_stability: Least stability, in [0, 1].
        predicted_iou_floor: How far the threshold of predicted IoU may sink.
        stability_floor: How far the threshold of stability may sink.
        min_share: Share of the first masks that must reach the predicted IoU, in [0, 1]; 0 keeps both thresholds fixed.
        stability_offset: By how much, in logits, the mask's own threshold moves to see whether it is stable, at most.
        stability_share: The same as a share of the mean logit inside the mask, for models whose logits are small.
        max_overlap: Masks whose IoU with a better one is larger are left out, in [0, 1].
        min_area: Least area of a mask in image pixels.
        max_area_share: Largest share of the image that a mask may cover; more is the image itself.
        hole_area: Holes of at most so many pixels of the decoder's mask are filled.
        speck_area: Parts of at most so many such pixels are removed.
    """

    name: str
    points_per_side: int
    points_per_batch: int = 64
    crop_layers: int = 0
    crop_overlap: float = 0.34
    min_predicted_iou: float = 0.8
    min_stability: float = 0.92
    predicted_iou_floor: float = 0.3
    stability_floor: float = 0.6
    min_share: float = 0.1
    stability_offset: float = STABILITY_OFFSET
    stability_share: float = STABILITY_SHARE
    max_overlap: float = 0.7
    min_area: int = 64
    max_area_share: float = 0.95
    hole_area: float = 8.0
    speck_area: float = 4.0

    def __post_init__(self) -> None:
        """Refuse settings that cannot be searched with."""
        for name in ("points_per_side", "points_per_batch"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}.")
        if not 0 <= self.crop_layers <= 3:
            raise ConfigError(f"crop_layers must be 0 to 3, got {self.crop_layers}.")
        if not 0 <= self.crop_overlap < 1:
            raise ConfigError(f"crop_overlap must be at least 0 and below 1, got {self.crop_overlap}.")
        for name in ("min_predicted_iou", "min_stability", "min_share", "max_overlap", "max_area_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must lie in [0, 1], got {getattr(self, name)}.")


def fast() -> AutoPreset:
    """256 clicks: large and middle-sized things."""
    return AutoPreset(name="fast", points_per_side=16, min_predicted_iou=0.82, min_area=100)


def balanced() -> AutoPreset:
    """576 clicks."""
    return AutoPreset(name="balanced", points_per_side=24)


def fine() -> AutoPreset:
    """1,024 clicks on the whole and 256 on each of four crops: small things too."""
    return AutoPreset(
        name="fine",
        points_per_side=32,
        crop_layers=1,
        min_predicted_iou=0.76,
        min_stability=0.9,
        min_share=0.15,
        min_area=25,
        speck_area=2.0,
    )


AUTO_PRESETS: Mapping[str, Callable[[], AutoPreset]] = {"fast": fast, "balanced": balanced, "fine": fine}


def choose_auto_preset(preset: str | AutoPreset) -> AutoPreset:
    """A preset by name, or the preset itself.

    Raises:
        ConfigError: When there is no preset of this name.
    """
    if isinstance(preset, AutoPreset):
        return preset
    if preset not in AUTO_PRESETS:
        raise ConfigError(
            f"There is no preset {preset!r} for AutoMasks; the presets are {', '.join(AUTO_PRESETS)}."
        )
    return AUTO_PRESETS[preset]()
