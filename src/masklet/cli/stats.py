"""``masklet stats``: what labels hold, and the work that was recorded in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from masklet.cli.console import print_result, print_table, say
from masklet.cli.options import JsonOption
from masklet.formats import Entry, read_labels
from masklet.pipeline.recorded_effort import RecordedEffort, recorded_effort
from masklet.pipeline.statistics import of_projects


def stats(
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS", help="A document, a folder or an archive of labels.")
    ],
    *,
    media: Annotated[
        Path | None,
        typer.Option("--media", metavar="DIR", help="The images or videos, where a format needs them."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Count objects, masks, clicks and seconds in labels of any format."""
    name, found = read_labels(labels, media=media)
    counted = of_projects((one.project, one.is_image) for one in found.entries).to_json()
    efforts = [(one, recorded_effort(one.project)) for one in found.entries]
    if json:
        print_result("", {"format": name, **counted, "work": _as_values(efforts)}, as_json=True)
        return
    said = [
        f"{number} {one if number == 1 else many}"
        for number, one, many in (
            (counted["images"], "image", "images"),
            (counted["videos"], "video", "videos"),
            (counted["objects"], "object", "objects"),
            (counted["masks"], "mask", "masks"),
        )
    ]
    typer.echo(f"{labels.name} ({name}): {', '.join(said)}")
    by_class = Table("Class", "Objects", "Masks", box=None, pad_edge=False)
    objects, masks = counted["objects_by_class"], counted["masks_by_class"]
    if isinstance(objects, dict) and isinstance(masks, dict):
        for label in objects:
            by_class.add_row(label or "(none)", str(objects[label]), str(masks[label]))
    print_table(by_class)
    _show_work(efforts)


def _show_work(efforts: list[tuple[Entry, list[RecordedEffort]]]) -> None:
    rows = [(entry, one) for entry, found in efforts for one in found if one.num_prompted]
    if not rows:
        say("Nothing in it says how the masks were made: only masklet's own documents keep clicks.")
        return
    table = Table(
        "Video",
        "Object",
        "Clicks",
        "Boxes",
        "Frames said",
        "Frames seen",
        "Seconds",
        box=None,
        pad_edge=False,
    )
    for entry, one in rows:
        counts = (one.object_id, one.num_clicks, one.num_boxes, one.num_prompted, one.num_visible)
        table.add_row(entry.name, *map(str, counts), "unknown" if one.seconds is None else str(one.seconds))
    print_table(table)


def _as_values(efforts: list[tuple[Entry, list[RecordedEffort]]]) -> list[dict[str, object]]:
    return [
        {
            "video": entry.name,
            "object": one.object_id,
            "clicks": one.num_clicks,
            "boxes": one.num_boxes,
            "masks": one.num_masks,
            "frames_prompted": one.num_prompted,
            "frames_visible": one.num_visible,
            "clicks_per_frame": None if one.clicks_per_frame is None else round(one.clicks_per_frame, 4),
            "seconds": one.seconds,
        }
        for entry, found in efforts
        for one in found
    ]
