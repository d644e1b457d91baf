"""The documents name what the code offers: public names, the error tree, commands, and files that exist."""

import inspect
import json
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


def commands_in(page):
    """Every whole command line of ``masklet`` in fenced blocks and in code within the text."""
    text = page.read_text(encoding="utf-8")
    placeholder = re.search(r"`(MODEL)` stands for `([^`]+)`", text)
    inline = re.findall(
        r"`(masklet [^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    )
    for line in [*fenced_lines(page), *inline]:
        if not line.startswith("masklet "):
            continue
        if placeholder is not None:
            line = line.replace(*placeholder.groups())
        words = ["vos" if word == "TASK" else word for word in shlex.split(line, comments=True)]
        ends = [at for at, word in enumerate(words) if word in ("|", ">", "&&", "\\")]
        # a command's name alone is a mention of it
        if len(words) > 2 and "..." not in words and "…" not in words:
            yield words[1 : ends[0] if ends else None]


def test_commands_of_the_evaluation_guide_exist_with_these_options():
    from masklet.cli.main import build_app

    commands = typer.main.get_command(build_app()).commands
    lines = list(commands_in(TOP / "docs" / "guides" / "evaluation.md"))
    assert len(lines) > 30
    for name, *words in lines:
        command = commands[name]
        # an unknown option, a value that is not allowed or a word too many ends this with an error
        context = command.make_context(name, list(words))
        if name == "evaluate":
            from masklet.cli.evaluate import TASKS

            assert {context.params["task"], str(context.params["what"])} & set(TASKS), words


def quality_figures():
    """Figures of the README's tables of quality, as the stored results give them: words and the file they are from."""

    def result(name):
        path = TOP / "benchmarks" / "results" / f"compact_{name}.json"
        return json.loads(path.read_text(encoding="utf-8"))

    yield f"**{100 * result('davis_mask')['j_and_f']:.1f}**", result("davis_mask")
    yield f"**{100 * result('davis_click')['j_and_f']:.1f}**", result("davis_click")
    interactive = result("interactive")
    yield f"**{100 * interactive['rounds'][-1]['j_and_f']:.1f}**", interactive
    photos = result("photos")
    mean = photos["mean_over_sources"]
    yield "**" + " / ".join(f"{mean['miou_after'][k]:.3f}" for k in ("1", "3", "5")) + "**", photos
    yield f"**{mean['box_miou']:.3f}**", photos
    yield f"**{result('occlusion')['overall']['presence_auc']:.3f}**", result("occlusion")
    effort = result("effort")
    for way, mark in (("frame_by_frame", ""), ("track_and_correct", "**")):
        one = effort[way]
        cells = (f"{one['clicks']:.1f}", f"{one['seconds']:.1f}", f"{one['quality']:.3f}")
        yield "| " + " | ".join(f"{mark}{cell}{mark}" for cell in cells) + " |", effort
    yield f"{effort['at_equal_quality']['times_faster']:.1f} times faster**", effort


def test_figures_of_the_readme_are_those_of_the_stored_results():
    text = (TOP / "README.md").read_text(encoding="utf-8")
    for words, result in quality_figures():
        assert words in text, result["facts"]["command"]
        task = re.search(r"--task (\w+)", result["facts"]["command"]).group(1)
        assert f"--task {task}" in text
