"""Masks of one medium as files: indexed PNG, COCO JSON, and the video with the masks drawn over it."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.pipeline.job import MAX_OBJECT_ID, Labels
from masklet.pipeline.labels import label_image
from masklet.pipeline.results import draw_overlay_video
from masklet.studio.refusals import RefusedError
from masklet.studio.store import MediaRow, ResultRow, Store
from masklet.video.image import write_indexed_png
from masklet.video.source import FrameSource


def write_png(store: Store, media: MediaRow, path: Path) -> Iterator[None]:
    """A zip with one indexed PNG per frame, named by frame index; the palette index is the object's id.

    Yields:
        Once per frame.

    Raises:
        RefusedError: When an object's id does not fit a palette.
    """
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, zipfile.ZipFile(path, "w") as archive:
        image = Path(folder) / "mask.png"
        for frame, labels in _labels(store, media):
            write_indexed_png(image, labels)
            archive.write(image, f"masks/{frame:05d}.png")
            yield


def write_overlay(store: Store, media: MediaRow, source: FrameSource, path: Path) -> Iterator[None]:
    """An MP4 of the video with the masks drawn over it.

    Yields:
        Once per frame.

    Raises:
        RefusedError: When an object's id does not fit a palette.
        MediaError: When a frame cannot be read.
    """
    for _ in draw_overlay_video(path, source, _labels(store, media)):
        yield


def write_coco(store: Store, media: MediaRow, path: Path) -> Iterator[None]:
    """COCO instances: one image per frame, one annotation per mask, ``track_id`` the object's id.

    Yields:
        Once per frame.
    """
    objects = {one.id: one for one in store.projects.objects(media.id)}
    classes = store.projects.classes(media.project_id)
    unnamed = max((one.id for one in classes), default=-1) + 1
    categories = [{"id": one.id, "name": one.name} for one in classes]
    if any(one.class_id is None for one in objects.values()):
        categories.append({"id": unnamed, "name": "object"})
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for frame, rows in store.results.by_frame(media.id, media.num_frames):
        images.append(
            {"id": frame, "file_name": f"{frame:05d}.jpg", "width": media.width, "height": media.height}
        )
        for row in rows:
            if row.area == 0 or row.object_id not in objects:
                continue
            class_id = objects[row.object_id].class_id
            annotations.append(
                _annotation(media, row, len(annotations) + 1, unnamed if class_id is None else class_id)
            )
        yield
    document = {
        "info": {"description": media.name},
        "images": images,
        "categories": categories,
        "annotations": annotations,
    }
    path.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")


def _annotation(media: MediaRow, row: ResultRow, number: int, category_id: int) -> dict[str, object]:
    mask = RLE(Size(media.height, media.width), row.counts.encode("ascii"))
    box = rle.bounding_box(mask)
    return {
        "id": number,
        "image_id": row.frame,
        "category_id": category_id,
        "track_id": row.object_id,
        "segmentation": rle.to_json(mask),
        "area": row.area,
        "bbox": [] if box is None else [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0],
        "iscrowd": 0,
        "score": round(row.score, 6),
    }


def _labels(store: Store, media: MediaRow) -> Iterator[tuple[int, Labels]]:
    """Object ids per pixel; where masks overlap, the lowest id has the pixel."""
    too_high = [one.id for one in store.projects.objects(media.id) if one.id > MAX_OBJECT_ID]
    if too_high:
        raise RefusedError(
            409,
            "ids",
            f"Object {too_high[0]} does not fit an indexed PNG, which holds ids up to {MAX_OBJECT_ID}; export COCO.",
        )
    size = Size(media.height, media.width)
    for frame, rows in store.results.by_frame(media.id, media.num_frames):
        masks = {one.object_id: rle.decode(RLE(size, one.counts.encode("ascii"))) for one in rows}
        logits = {key: mask.astype(np.float32) for key, mask in masks.items()}
        yield frame, label_image(masks, logits, size)
