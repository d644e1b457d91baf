"""All formats by name, in the order in which they are recognised. A new format is one file and one line here."""

from __future__ import annotations

from masklet.formats.base import Format
from masklet.formats.coco import is_coco, read_coco
from masklet.formats.coco_writer import write_coco, write_coco_polygons
from masklet.formats.davis import is_davis, read_davis, write_davis
from masklet.formats.native import is_native, read_native, write_native
from masklet.formats.yolo import is_yolo, read_yolo, write_yolo

_SPOKEN = ("edits", "prompts", "absent-scores")
_PER_IMAGE = ("edits", "prompts", "scores", "occlusion", "absence")

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format(
            name="masklet",
            title="masklet's own document, and the folder of masklet track",
            shape="file",
            suffix=".json",
            detector=is_native,
            importer=read_native,
            exporter=write_native,
            keeps_open=True,
            note="Holds everything.",
        ),
        Format(
            name="coco",
            title="COCO instances, masks as run lengths",
            shape="file",
            suffix=".json",
            detector=is_coco,
            importer=read_coco,
            exporter=write_coco,
            losses=_SPOKEN,
            note="Objects of videos carry track_id; labels that nobody changed keep their polygons.",
        ),
        Format(
            name="coco-polygon",
            title="COCO instances, masks as polygons",
            shape="file",
            suffix=".json",
            importer=read_coco,
            exporter=write_coco_polygons,
            losses=_SPOKEN,
            note="Holes are joined to the outline by bridges.",
        ),
        Format(
            name="yolo",
            title="YOLO segmentation, text files and data.yaml",
            shape="folder",
            detector=is_yolo,
            importer=read_yolo,
            exporter=write_yolo,
            losses=(
                *_PER_IMAGE,
                *("unlabelled", "names", "facts", "tracks", "unseen", "label-ids", "colors", "ids"),
            ),
            note="Parts and holes are joined by bridges; with media, the images are written too.",
        ),
        Format(
            name="davis",
            title="DAVIS, one indexed PNG per frame",
            shape="folder",
            detector=is_davis,
            importer=read_davis,
            exporter=write_davis,
            losses=(
                *("edits", "prompts", "boxes", "scores", "occlusion", "names", "labels", "facts"),
                *("overlaps", "unseen", "unknown", "length", "empty", "frame-names"),
            ),
            note="Holds object numbers 1 to 254.",
        ),
    )
}
