"""The guide names every format with what it cannot hold, and every word of that column."""

from pathlib import Path

from masklet.formats import FORMATS, LOSSES

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "formats.md").read_text(encoding="utf-8")


def rows_below(head):
    """Cells of the table with this head."""
    lines = GUIDE.split(f"\n{head}\n", maxsplit=1)[1].splitlines()[1:]
    rows = lines[: next(i for i, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_guide_lists_every_format_with_what_it_loses():
    rows = {cells[0].strip("`"): cells[2:] for cells in rows_below("| name | what | reads | does not hold |")}
    assert rows == {
        name: [
            "yes" if one.is_readable else "no",
            ", ".join(one.losses) or ("-" if one.is_readable else "written only"),
        ]
        for name, one in FORMATS.items()
    }


def test_the_guide_explains_every_loss():
    assert {tuple(cells) for cells in rows_below("| word | lost |")} == {
        (one.name, one.what) for one in LOSSES.values()
    }
