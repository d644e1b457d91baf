"""The page itself: headline numbers, sections and the facts of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

_FACT_NAMES = {
    "command": "Command",
    "commit": "Commit",
    "model": "Model",
    "weights": "Weights (SHA-256)",
    "runtime": "Runtime",
    "data": "Data",
    "predictions": "Predictions",
    "machine": "Machine",
    "system": "System",
    "packages": "Packages",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page.

    Args:
        title: Its heading.
        note: One or two sentences on how to read it, or empty.
        body: HTML, already escaped.
    """

    title: str
    note: str
    body: str


def problems_section(problems: Iterable[str], *, note: str = "") -> Section:
    """What is missing or odd in a data set, by name.

    Args:
        problems: A sentence each, not escaped.
        note: What that means for the rest.
    """
    items = "".join(f"<li>{escape(problem)}</li>" for problem in problems)
    return Section(title="Missing or odd files", note=note, body=f'<ul class="problems">{items}</ul>')


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A report.

    Args:
        kicker: What kind of report, in a few words.
        title: What was scored.
        lead: What was done, in a sentence.
        numbers: What it comes to: value and meaning, the most important first.
        sections: Parts in order.
        facts: What run_facts tells.
    """

    kicker: str
    title: str
    lead: str
    numbers: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    facts: Mapping[str, object]


def render(page: Page) -> str:
    """The page as one HTML file that needs nothing else."""
    style = (files("masklet.evaluation.page") / "report.css").read_text(encoding="utf-8")
    numbers = "".join(
        f'<div class="number{" main" if index == 0 else ""}"><b>{escape(value)}</b><span>{escape(meaning)}</span></div>'
        for index, (value, meaning) in enumerate(page.numbers)
    )
    sections = "".join(_section(section) for section in [*page.sections, _facts(page.facts)])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{escape(page.title)}</title><style>{style}</style></head><body><main>"
        f'<p class="kicker">{escape(page.kicker)}</p><h1>{escape(page.title)}</h1><p class="lead">{escape(page.lead)}</p>'
        f'<div class="numbers">{numbers}</div>{sections}<footer>Made by masklet.</footer></main></body></html>\n'
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, mean: Sequence[str] | None = None) -> str:
    """A table that scrolls sideways when it is too wide.

    Args:
        header: Column names.
        rows: Cells, already escaped HTML.
        mean: A last row that stands out, or None.
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    last = "" if mean is None else f'<tr class="mean">{"".join(map(_cell, mean))}</tr>'
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}{last}</tbody></table></div>'
    )


def card(title: str, body: str, *, note: str = "") -> str:
    """A framed part with a small heading; body is HTML."""
    words = f'<p class="note">{escape(note)}</p>' if note else ""
    return f'<div class="card"><h3>{escape(title)}</h3>{words}{body}</div>'


def tile(image: str, name: str, words: str) -> str:
    """A picture (an image tag) with what it is below."""
    return f'<figure class="tile">{image}<figcaption><b>{escape(name)}</b><br>{escape(words)}</figcaption></figure>'


def bar(value: float) -> str:
    """A number with a bar before it, value in [0, 1]."""
    part = 100 * max(0.0, min(value, 1.0))
    return f'<span class="bar"><i style="width:{part:.0f}%"></i></span>{value:.3f}'


def difference_key() -> str:
    """What the colours of a failure mean."""
    names = {"found": "--hit", "missed": "--missed", "wrongly taken": "--false"}
    items = "".join(
        f'<span><i style="background:var({colour})"></i>{name}</span>' for name, colour in names.items()
    )
    return f'<div class="key" style="margin:0 0 16px">{items}</div>'


def _cell(content: str) -> str:
    return (
        f"<td{' class=' + chr(34) + 'spark' + chr(34) if content.startswith('<svg') else ''}>{content}</td>"
    )


def _section(section: Section) -> str:
    note = f'<p class="note">{escape(section.note)}</p>' if section.note else ""
    return f"<section><h2>{escape(section.title)}</h2>{note}{section.body}</section>"


def _facts(facts: Mapping[str, object]) -> Section:
    rows: list[str] = []
    for name, title in _FACT_NAMES.items():
        if name not in facts:
            continue
        value = facts[name]
        words = (
            ", ".join(f"{key} {one}" for key, one in value.items())
            if isinstance(value, Mapping)
            else str(value)
        )
        content = (
            f"<code>{escape(words)}</code>" if name in ("command", "weights", "commit") else escape(words)
        )
        rows.append(f"<dt>{title}</dt><dd>{content}</dd>")
    body = f'<div class="card"><dl>{"".join(rows)}</dl></div>'
    return Section(title="How this was run", note="", body=body)
