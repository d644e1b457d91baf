"""Everything that looks like an object in an image: a grid of clicks, and the best of the masks they give.

Source: the automatic mask generation of SAM (Kirillov et al. 2023), with our own order of clicks and thresholds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from masklet.geometry import Box, Size
from masklet.masks.morphology import clean
from masklet.models.model import ImageFeatures
from masklet.predictors.auto_decode import find_masks
from masklet.predictors.auto_grid import Crop, crops_of, grid_points
from masklet.predictors.auto_overlap import Proposal, draw_on_canvas, keep_best, overlaps, touches_inner_edge
from masklet.predictors.auto_presets import AutoPreset, choose_auto_preset
from masklet.predictors.image import ImagePredictor, as_picture
from masklet.predictors.preprocess import to_image_logits
from masklet.tracking.mask_scores import stability_of, usual_offset
from masklet.tracking.step import LOGIT_LIMIT
from masklet.weights.load import LoadedModel

_LEAST_LOGIT = 2**-10
"""Height of filled holes and depth of removed specks where the model was undecided; not lost in half precision."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskCandidate:
    """One object of an automatic search.

    Attributes:
        mask: bool (h, w) at image size.
        box: The smallest box around the mask, in image pixels.
        predicted_iou: How good the model thinks it is, in [0, 1].
        stability: IoU of the mask with itself under a shifted threshold, in [0, 1].
        area: Pixels of the mask.
        point: The click (x, y) that found it, in image pixels.
        crop: The part of the image that was searched, in image pixels.
    """

    mask: np.ndarray
    box: Box
    predicted_iou: float
    stability: float
    area: int
    point: tuple[float, float]
    crop: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thresholds:
    """What a mask must reach, fitted to how sure this model is of this image."""

    predicted_iou: float
    stability: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Decoded:
    """Masks of some clicks: logits (m, h4, w4), predicted IoU, stability and the number of the click (m)."""

    logits: Tensor
    iou: Tensor
    stability: Tensor
    click: Tensor


class AutoMasks:
    """Finds masks of everything in an image. Holds a model and no other state; safe to share between threads."""

    def __init__(
        self, model: LoadedModel | str = "compact", *, preset: str | AutoPreset = "balanced"
    ) -> None:
        """Use a loaded model, or load one by name.

        Args:
            model: A loaded model or what ``load_model`` takes.
            preset: "fast", "balanced", "fine" or an AutoPreset.

        Raises:
            ConfigError: When there is no such preset.
        """
        self.preset = choose_auto_preset(preset)
        self._predictor = ImagePredictor(model)

    @property
    def model(self) -> LoadedModel:
        """The model."""
        return self._predictor.model

    def __call__(self, image: Any) -> Iterator[MaskCandidate]:  # noqa: ANN401 - every picture type is a border
        """Candidates as they come: each batch of clicks gives those that differ from all that came before.

        The clicks go from coarse to fine, so that a search that is stopped early has seen the whole image. A mask that
        was given stays, also when a later one of the same thing is better; ``generate`` compares all with all.

        Args:
            image: RGB uint8 (h, w, 3), a PIL image or a path.

        Raises:
            MediaError: When the image cannot be read.
        """
        size, batches = self._search(image)
        given: list[np.ndarray] = []
        for proposals in batches:
            best = keep_best(proposals, self.preset.max_overlap)
            if best and given:
                shared = overlaps(np.stack([one.packed for one in best]), np.stack(given)).max(axis=1)
                best = [
                    one for one, most in zip(best, shared, strict=True) if most <= self.preset.max_overlap
                ]
            for proposal in best:
                candidate = self._finish(proposal, size)
                if candidate is not None:
                    given.append(proposal.packed)
                    yield candidate

    def generate(self, image: Any) -> list[MaskCandidate]:  # noqa: ANN401 - every picture type is a border
        """All candidates, best first by predicted IoU times stability, each compared with every other.

        Args:
            image: RGB uint8 (h, w, 3), a PIL image or a path.

        Raises:
            MediaError: When the image cannot be read.
        """
        size, batches = self._search(image)
        # each batch is thinned out first, so that a large search needs little memory
        found = [one for proposals in batches for one in keep_best(proposals, self.preset.max_overlap)]
        finished = (self._finish(one, size) for one in keep_best(found, self.preset.max_overlap))
        return [one for one in finished if one is not None]

    def _search(self, image: Any) -> tuple[Size, Iterator[list[Proposal]]]:  # noqa: ANN401 - as above
        pixels = as_picture(image)
        size = Size(*pixels.shape[:2])
        return size, self._batches(pixels, crops_of(size, self.preset))

    def _batches(self, pixels: np.ndarray, crops: list[Crop]) -> Iterator[list[Proposal]]:
        """Proposals of each batch of clicks."""
        thresholds: _Thresholds | None = None
        for crop in crops:
            features = self._predictor.embed(np.ascontiguousarray(crop.cut(pixels))).features
            points = grid_points(crop.points_per_side)
            for start in range(0, len(points), self.preset.points_per_batch):
                clicks = points[start : start + self.preset.points_per_batch]
                least_iou = 0.0 if thresholds is None else thresholds.predicted_iou
                masks = self._decode(features, clicks, least_iou)
                if thresholds is None:
                    real = self._has_size(masks, crop)
                    thresholds = self._fit_thresholds(masks.iou[real], masks.stability[real])
                yield self._proposals(masks, clicks, crop, thresholds)

    @torch.inference_mode()
    def _decode(self, features: ImageFeatures, clicks: np.ndarray, least_iou: float) -> _Decoded:
        """The masks of each click that are likely enough."""
        loaded = self.model
        # the centre of a model pixel is its own number: half a pixel is added in the prompt encoder
        places = clicks * loaded.config.image_size - 0.5
        found = find_masks(loaded, features, places, least_iou=least_iou)
        offset = usual_offset(found.logits, self.preset.stability_offset, self.preset.stability_share)
        stability = stability_of(found.logits, offset)
        return _Decoded(logits=found.logits, iou=found.iou, stability=stability, click=found.click)

    def _fit_thresholds(self, iou: Tensor, stability: Tensor) -> _Thresholds:
        """The preset's thresholds, or lower ones where too few of the first masks reach them."""
        preset = self.preset
        wanted = _Thresholds(predicted_iou=preset.min_predicted_iou, stability=preset.min_stability)
        if preset.min_share == 0 or len(iou) == 0:
            return wanted
        likely = max(float(iou.quantile(1 - preset.min_share)), preset.predicted_iou_floor)
        likely = min(likely, wanted.predicted_iou)
        among = stability[iou >= likely]
        usual = max(float(among.median()), preset.stability_floor) if len(among) else wanted.stability
        return _Thresholds(predicted_iou=likely, stability=min(usual, wanted.stability))

    def _proposals(
        self, masks: _Decoded, clicks: np.ndarray, crop: Crop, thresholds: _Thresholds
    ) -> list[Proposal]:
        """The masks that pass, judged at the decoder's size: only those few are ever drawn at image size."""
        is_on = masks.logits > 0
        passes = (masks.iou >= thresholds.predicted_iou) & (masks.stability >= thresholds.stability)
        passes &= self._has_size(masks, crop) & ~touches_inner_edge(is_on, crop)
        rows = passes.nonzero()[:, 0]
        tidy = self._tidied(is_on[rows])
        packed = draw_on_canvas(tidy, crop)
        height = masks.logits[rows].abs().clamp(_LEAST_LOGIT, LOGIT_LIMIT).cpu()
        small = torch.where(tidy, height, -height).half()
        places = (clicks * (crop.size.width, crop.size.height) + (crop.left, crop.top))[masks.click.cpu()]
        return [
            Proposal(
                logits=small[place],
                packed=packed[place],
                predicted_iou=float(masks.iou[row]),
                stability=float(masks.stability[row]),
                point_xy=(float(places[row, 0]), float(places[row, 1])),
                crop=crop,
            )
            for place, row in enumerate(rows.tolist())
        ]

    def _tidied(self, is_on: Tensor) -> Tensor:
        """Masks (n, h4, w4) without small holes and specks, so that two which differ in those only count as one."""
        areas = round(self.preset.hole_area), round(self.preset.speck_area)
        masks = [torch.from_numpy(clean(mask, *areas)) for mask in is_on.cpu().numpy()]
        return torch.stack(masks) if masks else is_on.cpu()

    def _has_size(self, masks: _Decoded, crop: Crop) -> Tensor:
        """Which masks are neither empty nor nearly the whole image."""
        share = (
            (masks.logits > 0).flatten(1).float().mean(dim=1) * crop.size.num_pixels / crop.image.num_pixels
        )
        return (share > 0) & (share <= self.preset.max_area_share)

    def _finish(self, proposal: Proposal, size: Size) -> MaskCandidate | None:
        """The mask at image size; None when it is too small or too large."""
        crop = proposal.crop
        mask = np.zeros(size.hw, dtype=bool)
        part = mask[crop.top : crop.top + crop.size.height, crop.left : crop.left + crop.size.width]
        is_smooth = self.model.config.enlarges_smoothly
        part[:] = (to_image_logits(proposal.logits[None], crop.size, is_smooth=is_smooth)[0] > 0).numpy()
        area = int(mask.sum())
        if area < max(self.preset.min_area, 1) or area > self.preset.max_area_share * size.num_pixels:
            return None
        columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
        return MaskCandidate(
            mask=mask,
            box=Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)),
            predicted_iou=proposal.predicted_iou,
            stability=proposal.stability,
            area=area,
            point=proposal.point_xy,
            crop=crop.box,
        )
