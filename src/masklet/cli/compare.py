"""``masklet compare``: two results of ``masklet evaluate``, object by object."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated, cast

import typer

from masklet.cli.console import print_result, say
from masklet.cli.options import JsonOption
from masklet.errors import FormatError


def compare(
    first: Annotated[Path, typer.Argument(metavar="A.json", help="What is compared with.")],
    second: Annotated[Path, typer.Argument(metavar="B.json", help="What is compared.")],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.json", help="The whole comparison.")
    ] = None,
    samples: Annotated[int, typer.Option("--samples", min=100, help="Bootstrap samples.")] = 10_000,
    level: Annotated[
        float, typer.Option("--level", min=0.5, max=0.999, help="Part of the samples inside an interval.")
    ] = 0.95,
    json: JsonOption = False,
) -> None:
    """Compare two results: paired differences with bootstrap intervals."""
    from masklet.evaluation.comparison import (
        compare as compare_measures,
    )
    from masklet.evaluation.comparison import (
        comparison_document,
        comparison_table,
        read_measures,
    )
    from masklet.evaluation.report import write_json

    measured = [read_measures(_read(path)) for path in (first, second)]
    found = compare_measures(*measured, num_samples=samples, level=level)
    say(comparison_table(found, first=first.stem, second=second.stem))
    document = comparison_document(found)
    if out is not None:
        write_json(out, {"first": first.name, "second": second.name, **document})
    main = found.measures[0]
    line = (
        f"{main.name}: {second.stem} minus {first.stem} is {main.difference.mean:+.4f} "
        f"({100 * level:g} % between {main.difference.low:+.4f} and {main.difference.high:+.4f}), "
        f"better on {main.num_better} and worse on {main.num_worse} of {found.num_objects} objects"
    )
    print_result(line, document, as_json=json)


def _read(path: Path) -> dict[str, object]:
    try:
        value: object = json_format.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"The result {path} cannot be read; check its name.") from error
    except ValueError as error:
        raise FormatError(f"{path.name} is not JSON; give two results of masklet evaluate.") from error
    if not isinstance(value, dict):
        raise FormatError(f"{path.name} must hold a JSON object, as masklet evaluate --out writes it.")
    return cast("dict[str, object]", value)
