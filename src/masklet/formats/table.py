"""All formats by name, in the order in which they are recognised. A new format is one file and one line here."""

from __future__ import annotations

from masklet.formats.alpha_video import FFV1, PRORES, VP9, alpha_exporter
from masklet.formats.base import Format
from masklet.formats.coco import is_coco, read_coco
from masklet.formats.coco_video import is_coco_video, read_coco_video, write_coco_video
from masklet.formats.coco_writer import write_coco, write_coco_polygons
from masklet.formats.cutouts import write_cutouts
from masklet.formats.cvat import is_cvat, read_cvat, write_cvat_images
from masklet.formats.cvat_video import write_cvat_video
from masklet.formats.davis import is_davis, read_davis, write_davis
from masklet.formats.figures_csv import write_csv
from masklet.formats.gif import write_gif
from masklet.formats.label_studio import is_label_studio, read_label_studio, write_label_studio
from masklet.formats.labelme import is_labelme, read_labelme, write_labelme
from masklet.formats.mots import is_mots, read_mots, write_mots
from masklet.formats.native import is_native, read_native, write_native
from masklet.formats.object_png import is_object_png, read_object_png, write_object_png
from masklet.formats.sav import is_sav, read_sav, write_sav
from masklet.formats.voc import is_voc, read_voc, write_voc
from masklet.formats.yolo import is_yolo, read_yolo, write_yolo

_SPOKEN = ("edits", "prompts", "absent-scores")
_PER_IMAGE = ("edits", "prompts", "scores", "occlusion", "absence")

FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        Format(
            name="masklet",
            title="masklet's own document, and the folders of masklet track and label",
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
            detector=is_coco,
            importer=read_coco,
            exporter=write_coco_polygons,
            losses=_SPOKEN,
            note="Holes are joined to the outline by bridges.",
        ),
        Format(
            name="coco-video",
            title="COCO-video, as YouTube-VIS and OVIS have it",
            shape="file",
            suffix=".json",
            detector=is_coco_video,
            importer=read_coco_video,
            exporter=write_coco_video,
            losses=("edits", "prompts", "boxes", "scores", "occlusion", "gaps", "facts"),
            note="Objects that nobody changed stand as they were.",
        ),
        Format(
            name="sav",
            title="SA-V listings of videos, manual and auto",
            shape="folder",
            detector=is_sav,
            importer=read_sav,
            exporter=write_sav,
            losses=(
                *("edits", "prompts", "boxes", "scores", "occlusion", "names", "labels", "facts"),
                *("every-fourth", "frame-names"),
            ),
            note="Written as manual; the duration is by the frame rate, or 24 per second.",
        ),
        Format(
            name="labelme",
            title="LabelMe, one JSON per image",
            shape="folder",
            detector=is_labelme,
            importer=read_labelme,
            exporter=write_labelme,
            losses=(*_PER_IMAGE, "facts", "tracks", "unseen", "unused", "label-order", "colors"),
            note="Masks with holes are shapes of type mask; with media, the images are written too.",
        ),
        Format(
            name="label-studio",
            title="Label Studio JSON, brush regions",
            shape="file",
            suffix=".json",
            detector=is_label_studio,
            importer=read_label_studio,
            exporter=write_label_studio,
            losses=(*_PER_IMAGE, "facts", "tracks", "unseen", "unused", "label-order", "colors"),
            note="Regions that nobody changed stand as they were.",
        ),
        Format(
            name="cvat-images",
            title="CVAT XML 1.1 for images",
            shape="file",
            suffix=".xml",
            detector=is_cvat,
            importer=read_cvat,
            exporter=write_cvat_images,
            losses=(*_PER_IMAGE, "names", "facts", "tracks", "unseen", "label-ids"),
            note="Objects are groups; shapes that nobody changed stand as they were.",
        ),
        Format(
            name="cvat-video",
            title="CVAT XML 1.1 for one video, with tracks",
            shape="file",
            suffix=".xml",
            detector=is_cvat,
            importer=read_cvat,
            exporter=write_cvat_video,
            losses=("edits", "prompts", "scores", "names", "facts", "gap-starts", "label-ids", "frame-names"),
            note="Masks are shapes of tracks.",
            is_single=True,
        ),
        Format(
            name="voc",
            title="Pascal VOC, XML and indexed PNG per image",
            shape="folder",
            detector=is_voc,
            importer=read_voc,
            exporter=write_voc,
            losses=(
                *("edits", "prompts", "scores", "occlusion", "names", "facts", "tracks"),
                *("overlaps", "absence", "unseen", "label-ids", "colors", "ids"),
            ),
            note="At most 254 objects per image; with media, the images are written too.",
        ),
        Format(
            name="mots",
            title="MOTS text files",
            shape="folder",
            detector=is_mots,
            importer=read_mots,
            exporter=write_mots,
            losses=(
                *(
                    "edits",
                    "prompts",
                    "boxes",
                    "scores",
                    "occlusion",
                    "unlabelled",
                    "names",
                    "colors",
                    "facts",
                ),
                *("overlaps", "absence", "unseen", "length", "empty", "frame-names"),
            ),
            note="Names of classes stand in classes.txt.",
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
            name="png",
            title="One PNG per object and frame",
            shape="folder",
            detector=is_object_png,
            importer=read_object_png,
            exporter=write_object_png,
            losses=(
                *("edits", "prompts", "boxes", "scores", "occlusion", "names", "labels", "facts"),
                *("frameless", "length", "empty", "frame-names"),
            ),
            note="Masks may overlap.",
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
        Format(
            name="csv",
            title="CSV of boxes, areas and centroids per frame",
            shape="file",
            suffix=".csv",
            exporter=write_csv,
            note="One row per object and frame.",
        ),
        Format(
            name="cutouts",
            title="PNG cut-outs with transparency",
            shape="folder",
            exporter=write_cutouts,
            needs_media=True,
            note="Cropped to the object's box.",
        ),
        Format(
            name="gif",
            title="GIF of the video with its masks",
            shape="file",
            suffix=".gif",
            exporter=write_gif,
            needs_media=True,
            is_single=True,
            note="At most 640 pixels wide or high.",
        ),
        *(
            Format(
                name=f"alpha-{name}",
                title=f"Video with transparency, {title}",
                shape="file",
                suffix=suffix,
                exporter=alpha_exporter(codec),
                needs_media=True,
                is_single=True,
                note=note,
            )
            for name, title, suffix, codec, note in (
                ("prores", "ProRes 4444", ".mov", PRORES, "For video editors."),
                ("vp9", "VP9 in WebM", ".webm", VP9, "For browsers."),
                ("ffv1", "FFV1 in Matroska", ".mkv", FFV1, "Without any loss."),
            )
        ),
    )
}
