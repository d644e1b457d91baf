"""Masks of everything in an image: masklet beside transformers' mask generation, same weights, grid and thresholds.

    OMP_NUM_THREADS=1 python benchmarks/auto_masks.py [--points 32] [--rounds 2] [--side 1024] [--likely 0.5]

SAM 2.1 tiny with random weights on the first frame of the sample clip, on the CPU in float32, interleaved in one process:

- ``transformers``: the steps of its mask-generation pipeline - embedding, 64 clicks a pass, masks at image size, its filter,
  its run lengths, suppression by boxes. The image is given to it already resized. Its own suppression needs torchvision; a
  plain one stands in, on the same boxes.
- ``plain``: ``masklet.compat.sam2.SAM2AutomaticMaskGenerator`` with the decoder as published and 64 clicks a pass.
- ``ours``: the same generator as it is.

Random weights have no thresholds that mean anything: the predicted IoU asked for is the one that a share ``--likely`` of the
masks of a coarse grid reach, the stability asked for what half of those have; with ``--likely 1`` no mask is left out by its
predicted IoU, so that all are drawn. Ratios are medians over rounds, own CPU time first. Results: results/auto_masks.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
import transformers
from sam2_peer import (
    RESULTS,
    interleaved,
    our_loaded,
    random_weights,
    ratio,
    reference_config,
)
from speed import frames
from transformers import Sam2Config, Sam2Model
from transformers.initialization import no_init_weights
from transformers.models.sam import image_processing_pil_sam as peer_processing

from masklet.compat.sam2.automatic_mask_generator import SAM2AutomaticMaskGenerator
from masklet.evaluation.report import run_facts, write_json
from masklet.models import sam2_clicks
from masklet.models.config import ModelConfig
from masklet.predictors import auto_decode
from masklet.predictors.auto_grid import grid_points
from masklet.predictors.image import ImagePredictor
from masklet.predictors.preprocess import to_pixels
from masklet.tracking.mask_scores import stability_of
from masklet.weights.convert import to_foreign
from masklet.weights.load import LoadedModel

POINTS_PER_PASS = 64


@contextmanager
def the_published_way() -> Iterator[None]:
    """The decoder as published, all clicks of a pass in one batch."""
    is_possible, most = sam2_clicks.is_possible, auto_decode.clicks_per_pass
    sam2_clicks.is_possible = lambda *_: False
    auto_decode.clicks_per_pass = lambda *_: None
    try:
        yield
    finally:
        sam2_clicks.is_possible, auto_decode.clicks_per_pass = is_possible, most


def peer_model(config: ModelConfig, state: dict[str, torch.Tensor]) -> Any:  # noqa: ANN401 - transformers' own class
    """The image model of transformers with the same numbers."""
    video = reference_config(config)
    with no_init_weights():
        model = Sam2Model(
            Sam2Config(
                vision_config=video.vision_config,
                prompt_encoder_config=video.prompt_encoder_config.to_dict(),
                mask_decoder_config=video.mask_decoder_config.to_dict(),
            )
        )
    missing = model.load_state_dict(to_foreign(state, "transformers"), strict=False).missing_keys
    if missing:
        raise SystemExit(f"transformers' model lacks {missing[:3]}")
    return model.eval()


def unlike(boxes: torch.Tensor, scores: torch.Tensor, most: float) -> list[int]:
    """Best first, without boxes that overlap a better one by more than ``most``."""
    kept: list[int] = []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for index in scores.argsort(descending=True).tolist():
        others = boxes[kept]
        low = torch.maximum(others[:, :2], boxes[index, :2])
        high = torch.minimum(others[:, 2:], boxes[index, 2:])
        shared = (high - low).clamp(min=0).prod(dim=1)
        if (shared <= most * (areas[kept] + areas[index] - shared)).all():
            kept.append(index)
    return kept


@dataclass(frozen=True)
class Thresholds:
    """Least predicted IoU and stability, and the IoU of boxes above which two masks are the same."""

    predicted_iou: float
    stability: float
    same_box: float = 0.7


class Peer:
    """The steps of transformers' mask-generation pipeline."""

    def __init__(self, model: Any, pixels: torch.Tensor, image: np.ndarray) -> None:  # noqa: ANN401 - as above
        """Take a model, the resized image and the image."""
        self.model, self.pixels, self.size_hw = model, pixels, image.shape[:2]
        self.processor = peer_processing.SamImageProcessorPil()

    @torch.inference_mode()
    def generate(self, points_per_side: int, thresholds: Thresholds) -> list[np.ndarray]:
        """Masks at image size."""
        side, (height, width) = self.pixels.shape[-1], self.size_hw
        embedded = self.model.get_image_embeddings(self.pixels)
        line = (torch.arange(points_per_side) + 0.5) / points_per_side * side
        rows, columns = torch.meshgrid(line, line, indexing="ij")
        grid = torch.stack((columns, rows), dim=-1).reshape(1, -1, 1, 2)
        found: list[dict[str, Any]] = []
        scores, boxes = [], []
        for start in range(0, grid.shape[1], POINTS_PER_PASS):
            points = grid[:, start : start + POINTS_PER_PASS]
            labels = torch.ones(points.shape[:3], dtype=torch.int)
            answer = self.model(image_embeddings=embedded, input_points=points, input_labels=labels)
            full = torch.nn.functional.interpolate(
                answer.pred_masks[0], (height, width), mode="bilinear", align_corners=False
            )
            masks, iou, box = self.processor.filter_masks(
                full,
                answer.iou_scores[0],
                (height, width),
                [0, 0, width, height],
                thresholds.predicted_iou,
                thresholds.stability,
            )
            found += masks
            scores.append(iou)
            boxes.append(box)
        kept = unlike(torch.cat(boxes).float(), torch.cat(scores), thresholds.same_box)
        return [np.asarray(peer_processing._rle_to_mask(found[index])).astype(bool) for index in kept]


def fitted_thresholds(loaded: LoadedModel, image: np.ndarray, likely: float) -> Thresholds:
    """What to ask for; see above."""
    features = ImagePredictor(loaded, second_look=False).embed(image).features
    with torch.inference_mode():
        found = auto_decode.find_masks(loaded, features, grid_points(4) * loaded.config.image_size)
    least_iou = 0.0 if likely >= 1 else float(found.iou.quantile(1 - likely))
    stable = stability_of(found.logits[found.iou >= least_iou], 1.0)
    return Thresholds(predicted_iou=least_iou, stability=float(stable.median()))


def our_masks(
    loaded: LoadedModel, image: np.ndarray, points_per_side: int, thresholds: Thresholds
) -> list[np.ndarray]:
    """Masks of our generator at image size."""
    generator = SAM2AutomaticMaskGenerator(
        loaded,
        points_per_side=points_per_side,
        points_per_batch=POINTS_PER_PASS,
        pred_iou_thresh=thresholds.predicted_iou,
        stability_score_thresh=thresholds.stability,
        box_nms_thresh=thresholds.same_box,
    )
    return [np.asarray(one["segmentation"]) for one in generator.generate(image)]


def plain_masks(
    loaded: LoadedModel, image: np.ndarray, points_per_side: int, thresholds: Thresholds
) -> list[np.ndarray]:
    """The same by the published formula."""
    with the_published_way():
        return our_masks(loaded, image, points_per_side, thresholds)


def agreement(ours: list[np.ndarray], others: list[np.ndarray]) -> dict[str, float]:
    """How many masks each has, and how well the other's are found among ours."""
    best = [
        max((np.logical_and(a, b).sum() / max(np.logical_or(a, b).sum(), 1) for b in ours), default=0.0)
        for a in others
    ]
    return {
        "masks": len(ours),
        "masks_of_other": len(others),
        "share_found_at_0.98": round(float(np.mean(np.array(best) >= 0.98)), 4) if best else 1.0,
        "mean_best_iou": round(float(np.mean(best)), 4) if best else 1.0,
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=32, help="clicks per side")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--likely", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    config, state = random_weights(arguments.side, arguments.seed)
    loaded, image = our_loaded(config, state), frames(1)[0]
    thresholds = fitted_thresholds(loaded, image, arguments.likely)
    pixels = to_pixels(image, config, torch.device("cpu"))
    peer = Peer(peer_model(config, state), pixels, image)
    took = interleaved(
        {
            "transformers": lambda: peer.generate(arguments.points, thresholds),
            "plain": lambda: plain_masks(loaded, image, arguments.points, thresholds),
            "ours": lambda: our_masks(loaded, image, arguments.points, thresholds),
        },
        arguments.rounds,
    )
    # random masks all have the image's box: to compare them, none is left out for its box
    few, every = min(arguments.points, 6), replace(thresholds, same_box=1.0)
    ours = our_masks(loaded, image, few, every)
    document: dict[str, object] = {
        "times_faster_than_transformers_cpu": round(1 / ratio(took, "ours", "transformers", "cpu_s"), 2),
        "times_faster_than_transformers_wall": round(1 / ratio(took, "ours", "transformers", "wall_s"), 2),
        "times_faster_than_plain_cpu": round(1 / ratio(took, "ours", "plain", "cpu_s"), 2),
        "against_plain": agreement(ours, plain_masks(loaded, image, few, every)),
        "against_transformers": agreement(ours, peer.generate(few, every)),
        "thresholds": asdict(thresholds),
        "seconds": took,
        "facts": run_facts(
            command=f"python benchmarks/auto_masks.py --points {arguments.points} --likely {arguments.likely}",
            model=f"sam2.1-tiny, random weights, {arguments.side} px",
            image="x".join(str(side) for side in image.shape[:2]),
            clicks=str(arguments.points**2),
            threads=str(torch.get_num_threads()),
            transformers=transformers.__version__,
        ),
    }
    suffix = "_all" if arguments.likely >= 1 else ""
    write_json(RESULTS / f"auto_masks{suffix}.json", document)
    print({name: value for name, value in document.items() if name != "facts"})


if __name__ == "__main__":
    main()
