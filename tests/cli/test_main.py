"""The front of the command line: version, help, debug, exit codes, and what it costs to start."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from masklet import __version__
from masklet.cli.console import guarded
from masklet.cli.main import COMMANDS, build_app
from masklet.errors import CancelledError, MediaError, PromptError


def test_version(masklet_command):
    outcome = masklet_command("--version")
    assert (outcome.code, outcome.out.strip()) == (0, f"masklet {__version__}")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_names_every_command(masklet_command, flag):
    outcome = masklet_command(flag)
    assert outcome.code == 0
    assert all(name in outcome.out for name in COMMANDS)


@pytest.mark.parametrize("name", [name for name in COMMANDS])
def test_every_command_has_help(masklet_command, name):
    outcome = masklet_command(name, "--help")
    assert outcome.code == 0
    assert "--json" in outcome.out


def test_the_commands_are_those_of_the_table():
    assert set(typer.main.get_command(build_app()).commands) == {name for name in COMMANDS}


@pytest.mark.parametrize("arguments", [["nothing"], ["track", "clip.mp4"], ["models", "--loud"], ["info"]])
def test_wrong_usage_exits_with_2_and_says_why_on_standard_error(masklet_command, arguments):
    outcome = masklet_command(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "Usage" in outcome.err


def test_an_error_is_one_sentence_on_standard_error(masklet_command):
    outcome = masklet_command("info", "nowhere.mp4")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "masklet: There is no file or folder 'nowhere.mp4'; check the path.\n"


@pytest.mark.parametrize(
    "arguments", [["--debug", "info", "nowhere.mp4"], ["info", "nowhere.mp4", "--debug"]]
)
def test_debug_lets_the_error_through(arguments):
    from masklet.cli.main import main

    with pytest.raises(MediaError, match=r"nowhere\.mp4"):
        main(arguments)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (PromptError("A prompt is wrong."), 1, "masklet: A prompt is wrong.\n"),
        (CancelledError("Stopped."), 130, "Stopped.\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
    ],
)
def test_exit_codes(capsys, error, code, words):
    def fail():
        raise error

    with pytest.raises(typer.Exit) as ended:
        guarded(fail, is_debug=False)()
    assert ended.value.exit_code == code
    assert capsys.readouterr().err == words


def test_an_error_that_is_no_masklet_error_is_not_hidden():
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        guarded(fail, is_debug=False)()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["models"], ["track", "--help"], ["track", "x.mp4", "--out", "y"]]
)
def test_torch_is_not_imported_before_it_is_needed(arguments):
    program = (
        "import sys\n"
        "from masklet.cli.main import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit:\n"
        "    print('torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_the_guides_explain_every_option():
    pages = sorted((Path(__file__).parents[2] / "docs" / "guides").glob("*.md"))
    guide = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    command = typer.main.get_command(build_app())
    for name in COMMANDS:
        assert f"masklet {name}" in guide
        options = {
            option for one in command.commands[name].params for option in one.opts if option.startswith("--")
        }
        assert {option for option in options if option not in guide} == set(), name
