"""``masklet models``: which models there are by name."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path

import typer
from rich.table import Table

from masklet.cli.console import print_result, print_table
from masklet.cli.options import JsonOption
from masklet.weights.registry import SOURCES, WeightsSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One line of the table.

    Attributes:
        name: What ``--model`` takes.
        megabytes: Size of the weights, 10^6 bytes; of the download when they are not here.
        licence: Of the weights.
        is_on_disk: Whether it works without a network.
        place: Where the weights are or come from.
    """

    name: str
    megabytes: float | None
    licence: str
    is_on_disk: bool
    place: str


def models(*, json: JsonOption = False) -> None:
    """List the models that can be used by name."""
    rows = [_row(source) for source in SOURCES.values() if source.kind != "random"]
    if json:
        print_result("", {"models": [asdict(row) for row in rows]}, as_json=True)
        return
    table = Table("Name", "Size", "On disk", "From", "Licence", box=None, pad_edge=False)
    for row in rows:
        size = "" if row.megabytes is None else f"{row.megabytes:.0f} MB"
        table.add_row(row.name, size, "yes" if row.is_on_disk else "no", row.place, row.licence)
    print_table(table)
    typer.echo(
        "A model that is not on disk is fetched once, at its first use. A path of a weights file works too."
    )


def _row(source: WeightsSource) -> ModelRow:
    # importing the hub takes longer than everything else here, so it waits until it is needed
    from masklet.weights.download import find_cached

    found = _embedded(source) if source.kind == "embedded" else find_cached(source)
    num_bytes = None if found is None else found.stat().st_size
    expected = float(source.num_megabytes) or None
    return ModelRow(
        name=source.name,
        megabytes=expected if num_bytes is None else round(num_bytes / 1e6, 1),
        licence=source.licence,
        is_on_disk=found is not None,
        place="this package" if source.kind == "embedded" else f"hub: {source.repo}",
    )


def _embedded(source: WeightsSource) -> Path | None:
    with resources.as_file(resources.files("masklet.weights") / "embedded") as folder:
        path = folder / source.file
    return path if path.is_file() else None
