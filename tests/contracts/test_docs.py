"""The documents name what the code offers: public names, the error tree, commands, and files that exist."""

import inspect
import re
import shlex
from pathlib import Path

import pytest
import typer

import masklet
from masklet import errors

TOP = Path(__file__).parents[2]
REFERENCE = (TOP / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
PAGES = sorted([*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")])

ERRORS = {
    name: value
    for name, value in inspect.getmembers(errors, inspect.isclass)
    if value.__module__ == errors.__name__
}


def rows_of(section):
    """Cells of the table under a heading of the reference page, without its head."""
    text = REFERENCE.split(f"\n## {section}\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def fenced_lines(page):
    """Lines of a page that stand inside fenced blocks."""
    blocks = re.findall(
        r"^```\w*\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    return [line for block in blocks for line in block.splitlines()]


def commands_of_the_command_line():
    from masklet.cli.main import build_app

    command = typer.main.get_command(build_app())
    return set(command.commands)


def test_every_public_name_is_documented_and_no_other():
    documented = {cells[0].strip("`").removeprefix("masklet.") for cells in rows_of("Public names")}
    assert documented == set(masklet.__all__)


def test_every_error_is_documented_under_its_base():
    documented = {cells[0].split("`")[1]: cells[1].strip("`") for cells in rows_of("Errors")}
    assert documented == {
        name: next(base.__name__ for base in error.__bases__ if base is not ValueError)
        for name, error in ERRORS.items()
    }


def test_errors_that_are_value_errors_are_marked():
    marked = {cells[0].split("`")[1] for cells in rows_of("Errors") if cells[0].endswith("*")}
    assert marked == {name for name, error in ERRORS.items() if issubclass(error, ValueError)}


def test_every_command_is_documented_and_no_other():
    documented = {cells[0].strip("`").removeprefix("masklet ") for cells in rows_of("Commands")}
    assert documented == commands_of_the_command_line()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_links_between_documents_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    lost = [target for target in targets if not (page.parent / target).exists()]
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_make_targets_in_documents_exist(page):
    makefile = (TOP / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, flags=re.MULTILINE))
    blocks = re.findall(
        r"^```\w*\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("make ")]
    asked = {word for line in lines for word in shlex.split(line, comments=True)[1:] if "=" not in word}
    assert asked <= targets


def test_the_readme_gives_the_test_command_that_ci_runs():
    assert any(line.startswith("make test") for line in fenced_lines(TOP / "README.md"))
