"""``masklet convert`` and ``masklet formats``: labels from one format to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from masklet.cli.console import print_result, print_table, say
from masklet.cli.options import JsonOption
from masklet.formats import FORMATS, LOSSES
from masklet.formats.convert import convert as convert_labels

_MOST_NOTES = 5


def convert(  # noqa: PLR0913 - one parameter per option
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SRC", help="A file, folder, zip or tar of labels, or the folder of masklet track."
        ),
    ],
    *,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="One of those of masklet formats.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DST", help="File or new folder to write; .zip packs a folder.")
    ],
    source_format: Annotated[
        str | None,
        typer.Option("--from", metavar="FORMAT", help="Format of SRC; recognised when it is not given."),
    ] = None,
    media: Annotated[
        Path | None,
        typer.Option(
            "--media", metavar="PATH", help="The video or images, for formats that hold pictures or no sizes."
        ),
    ] = None,
    original: Annotated[
        Path | None,
        typer.Option(
            "--original",
            metavar="PATH",
            help="Labels that SRC was once imported from: what nobody changed is written exactly as there.",
        ),
    ] = None,
    loss: Annotated[
        Literal["warn", "refuse"],
        typer.Option("--loss", help="What to do when the format cannot hold something of these labels."),
    ] = "warn",
    renumber: Annotated[
        bool, typer.Option("--renumber", help="Count the objects of each video from 1.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Convert labels from one format to another."""
    done = convert_labels(
        source,
        out,
        to=to,
        source_format=source_format,
        media=media,
        original=original,
        on_loss=loss,
        renumber=renumber,
    )
    if done.lost:
        say(f"Not in {out.name}, since {FORMATS[to].title} cannot hold it: {'; '.join(done.lost)}.")
    for note in done.labels.notes[:_MOST_NOTES]:
        say(f"Note: {note}.")
    if len(done.labels.notes) > _MOST_NOTES:
        say(f"Note: and {len(done.labels.notes) - _MOST_NOTES} more of this kind; --json lists them all.")
    num_objects = sum(len(one.project.tracks) for one in done.labels.entries)
    values = {
        "from": done.source_format,
        "to": to,
        "out": str(out),
        "entries": len(done.labels.entries),
        "objects": num_objects,
        "lost": list(done.lost),
        "notes": list(done.labels.notes),
    }
    words = f"Converted {len(done.labels.entries)} videos or images with {num_objects} objects"
    print_result(f"{words} from {done.source_format} to {to}: {out}", values, as_json=json)


def formats(*, json: JsonOption = False) -> None:
    """List the formats of labels, and what each cannot hold."""
    rows = [
        {
            "name": one.name,
            "title": one.title,
            "reads": one.is_readable,
            "needs_media": one.needs_media,
            "note": one.note,
            "loses": [LOSSES[name].what for name in one.losses],
        }
        for one in FORMATS.values()
    ]
    if json:
        print_result("", {"formats": rows}, as_json=True)
        return
    table = Table("Name", "What", "Reads", "Does not hold", box=None, pad_edge=False)
    for one in FORMATS.values():
        table.add_row(one.name, one.title, "yes" if one.is_readable else "no", ", ".join(one.losses) or "-")
    print_table(table)
    typer.echo("Words of the last column: docs/guides/formats.md, or --json.")
