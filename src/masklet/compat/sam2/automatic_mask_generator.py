"""SAM 2's automatic mask generator over our network, with the thresholds exactly as they are given."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from masklet.compat.sam2.building import build_for_video
from masklet.compat.sam2.found_masks import (
    FoundMask,
    OutputMode,
    check_mode,
    crops_with_overlap,
    is_cut_off,
    keep_unlike,
    record_of,
    without_small_regions,
)
from masklet.compat.sam2.model import Sam2Model
from masklet.errors import ConfigError
from masklet.geometry import Box, Size
from masklet.masks import rle
from masklet.models.model import ImageFeatures
from masklet.predictors.auto_decode import decode_clicks, find_masks
from masklet.predictors.auto_grid import Crop
from masklet.predictors.image import ImagePredictor, as_picture
from masklet.predictors.preprocess import to_image_logits
from masklet.tracking.mask_scores import stability_of
from masklet.weights.load import LoadedModel

if TYPE_CHECKING:
    from typing import Self  # Python 3.11; only type checkers read it

_log = logging.getLogger(__name__)
_NUM_AT_ONCE = 16
"""Masks brought to image size together."""


class SAM2AutomaticMaskGenerator:
    """Finds masks of everything in an image by a grid of clicks."""

    def __init__(  # noqa: PLR0913 - the signature is given
        self,
        model: Sam2Model | LoadedModel,
        points_per_side: int | None = 32,
        points_per_batch: int = 64,
        pred_iou_thresh: float = 0.8,
        stability_score_thresh: float = 0.95,
        stability_score_offset: float = 1.0,
        mask_threshold: float = 0.0,
        box_nms_thresh: float = 0.7,
        crop_n_layers: int = 0,
        crop_nms_thresh: float = 0.7,
        crop_overlap_ratio: float = 512 / 1500,
        crop_n_points_downscale_factor: int = 1,
        point_grids: Sequence[np.ndarray] | None = None,
        min_mask_region_area: int = 0,
        output_mode: str = "binary_mask",
        use_m2m: bool = False,  # noqa: FBT001, FBT002 - the signature is given
        multimask_output: bool = True,  # noqa: FBT001, FBT002 - as above
        **_unused: object,
    ) -> None:
        """Prepare a search.

        Args:
            model: What ``build_sam2`` returned, or a loaded model.
            points_per_side: Clicks per side of the image; None when ``point_grids`` is given.
            points_per_batch: Most clicks in one pass of the decoder. Fewer are taken where that is faster; the masks
                are the same.
            pred_iou_thresh: Least predicted IoU, in [0, 1].
            stability_score_thresh: Least stability, in [0, 1].
            stability_score_offset: By how much, in logits, the threshold moves to see whether a mask is stable.
            mask_threshold: Logit above which a pixel belongs to the mask.
            box_nms_thresh: Masks whose box has a larger IoU with that of a better one are left out.
            crop_n_layers: Layers of crops; layer n has 2^n by 2^n.
            crop_nms_thresh: As ``box_nms_thresh``, between crops; masks of smaller crops stay.
            crop_overlap_ratio: Share of the image's side by which crops of the first layer overlap.
            crop_n_points_downscale_factor: Layer n has the clicks per side divided by this to the power n.
            point_grids: Clicks of each layer, (n, 2) in shares of the sides, instead of ``points_per_side``.
            min_mask_region_area: Holes and parts of fewer pixels are removed; 0 leaves them.
            output_mode: "binary_mask", "uncompressed_rle" or "coco_rle".
            use_m2m: Whether each mask is refined once by giving it back to the model.
            multimask_output: Whether each click gives three masks rather than one.

        Raises:
            ConfigError: When a setting is not possible.
        """
        if (points_per_side is None) == (point_grids is None):
            raise ConfigError("Give either points_per_side or point_grids, not both and not neither.")
        if points_per_batch < 1 or crop_n_layers < 0 or crop_n_points_downscale_factor < 1:
            raise ConfigError(
                "points_per_batch and crop_n_points_downscale_factor start at 1, crop_n_layers at 0."
            )
        self.model = model if isinstance(model, Sam2Model) else Sam2Model(model)
        self._predictor = ImagePredictor(self.model.loaded, second_look=False)
        self.points_per_batch = points_per_batch
        self.pred_iou_thresh, self.stability_score_thresh = pred_iou_thresh, stability_score_thresh
        self.stability_score_offset, self.mask_threshold = stability_score_offset, mask_threshold
        self.box_nms_thresh, self.crop_nms_thresh = box_nms_thresh, crop_nms_thresh
        self.crop_n_layers, self.crop_overlap_ratio = crop_n_layers, crop_overlap_ratio
        self.min_mask_region_area = min_mask_region_area
        self.output_mode: OutputMode = check_mode(output_mode)
        self.use_m2m, self.multimask_output = use_m2m, multimask_output
        sides = [
            int((points_per_side or 1) / crop_n_points_downscale_factor**layer)
            for layer in range(crop_n_layers + 1)
        ]
        self.point_grids = [_grid(side) for side in sides] if point_grids is None else list(point_grids)
        if len(self.point_grids) <= crop_n_layers or min(len(grid) for grid in self.point_grids) == 0:
            raise ConfigError("Every layer of crops needs at least one click; give more points.")

    @classmethod
    def from_pretrained(cls, model_id: str, **kwargs: Any) -> Self:  # noqa: ANN401 - handed to the builder
        """A generator with the model of the hub's name, such as "facebook/sam2.1-hiera-tiny"."""
        return cls(build_for_video(model_id, **kwargs).model, **kwargs)

    @torch.inference_mode()
    def generate(self, image: Any) -> list[dict[str, object]]:  # noqa: ANN401 - arrays and PIL images are given
        """All masks of an image, best predicted IoU first.

        Args:
            image: RGB uint8 (h, w, 3) or a PIL image.

        Returns:
            One record per mask: ``segmentation`` (bool (h, w), or run lengths as ``output_mode`` says), ``area`` in
            pixels, ``bbox`` [x, y, width, height], ``predicted_iou``, ``point_coords`` [[x, y]], ``stability_score``
            and ``crop_box`` [x, y, width, height].

        Raises:
            MediaError: When it is no image.
        """
        picture = as_picture(image)
        found: list[FoundMask] = []
        crops = crops_with_overlap(Size(*picture.shape[:2]), self.crop_n_layers, self.crop_overlap_ratio)
        for layer, crop in crops:
            found += self._search(picture, crop, self.point_grids[layer])
        if len(crops) > 1:
            ranks = [1 / one.crop.box.area for one in found]
            found = keep_unlike(found, ranks, self.crop_nms_thresh)
        if self.min_mask_region_area > 0:
            most = max(self.box_nms_thresh, self.crop_nms_thresh)
            found = without_small_regions(found, self.min_mask_region_area, most)
        if not found:
            _log.warning(
                "No mask reached pred_iou_thresh=%g and stability_score_thresh=%g; lower them for %s, or use "
                "masklet.AutoMasks, whose thresholds adapt to the model.",
                self.pred_iou_thresh,
                self.stability_score_thresh,
                self.model.loaded.name,
            )
        return [record_of(one, self.output_mode) for one in found]

    def _search(self, picture: np.ndarray, crop: Crop, grid: np.ndarray) -> list[FoundMask]:
        features = self._predictor.embed(np.ascontiguousarray(crop.cut(picture))).features
        found: list[FoundMask] = []
        for start in range(0, len(grid), self.points_per_batch):
            found += self._found(features, crop, grid[start : start + self.points_per_batch])
        return keep_unlike(found, [one.predicted_iou for one in found], self.box_nms_thresh)

    def _found(self, features: ImageFeatures, crop: Crop, clicks: np.ndarray) -> Iterator[FoundMask]:
        """Masks of a batch of clicks that pass the thresholds."""
        logits, iou, owners = self._decode(features, clicks)
        if self.use_m2m:
            logits, iou = self._choose(features, clicks[owners], logits)
        # judged at the decoder's size: only what passes is ever drawn at image size
        shifted = logits - self.mask_threshold
        stability = stability_of(shifted, self.stability_score_offset)
        passes = (iou >= self.pred_iou_thresh) & (stability >= self.stability_score_thresh)
        rows = passes.nonzero()[:, 0]
        places = clicks * (crop.size.width, crop.size.height) + (crop.left, crop.top)
        for row, (mask, box) in zip(rows.tolist(), self._drawn(shifted[rows], crop), strict=True):
            if box is not None and not is_cut_off(box, crop):
                x, y = places[int(owners[row])]
                yield FoundMask(
                    mask=mask,
                    box=box,
                    predicted_iou=float(iou[row]),
                    stability=float(stability[row]),
                    point_xy=(float(x), float(y)),
                    crop=crop,
                )

    def _decode(self, features: ImageFeatures, clicks: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (n, h4, w4), predicted IoU (n,) and click (n,) of the masks that may pass."""
        if not self.multimask_output:
            return *self._choose(features, clicks, None), torch.arange(len(clicks))
        # a mask that is refined may become better, any other needs not be drawn when it is not likely enough
        least_iou = 0.0 if self.use_m2m else max(0.0, self.pred_iou_thresh)
        places = clicks * self.model.loaded.config.image_size
        found = find_masks(self.model.loaded, features, places, least_iou=least_iou)
        return found.logits, found.iou, found.click.cpu()

    def _choose(
        self, features: ImageFeatures, clicks: np.ndarray, start: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Logits (n, h4, w4) and predicted IoU (n,) of one mask of each click, refined from a start if there is one."""
        loaded = self.model.loaded
        decoded = decode_clicks(loaded, features, clicks * loaded.config.image_size, start)
        best = decoded.iou[:, 1:].argmax(dim=1) + 1 if start is not None and self.multimask_output else 0
        rows = torch.arange(len(clicks), device=decoded.iou.device)
        return decoded.logits[rows, best].float(), decoded.iou[rows, best].float()

    def _drawn(self, shifted: Tensor, crop: Crop) -> Iterator[tuple[rle.RLE, Box | None]]:
        """Each mask at image size, with its box; None for an empty one."""
        is_smooth = self.model.loaded.config.enlarges_smoothly
        for part in shifted.split(_NUM_AT_ONCE):
            full = to_image_logits(part, crop.size, is_smooth=is_smooth)
            for one in (full > 0).cpu().numpy():
                mask = one
                if not crop.is_whole:
                    mask = np.zeros(crop.image.hw, dtype=bool)
                    crop.cut(mask)[:] = one
                encoded = rle.encode(mask)
                yield encoded, rle.bounding_box(encoded)


def _grid(points_per_side: int) -> np.ndarray:
    """Evenly spaced points (n * n, 2), row by row, in shares of the sides."""
    if points_per_side < 1:
        return np.zeros((0, 2))
    line = (np.arange(points_per_side) + 0.5) / points_per_side
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
