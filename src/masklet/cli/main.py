"""The ``masklet`` command. A new command is one line in COMMANDS; it imports torch inside its function."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from masklet import __version__
from masklet.cli.console import guarded

COMMANDS = {
    "track": "track",
    "image": "image",
    "auto": "auto",
    "effects": "effects",
    "convert": "convert",
    "formats": "convert",
    "label": "label",
    "models": "models",
    "info": "info",
    "train": "train",
    "evaluate": "evaluate",
    "compare": "compare",
    "stats": "stats",
    "studio": "studio",
}
"""The module of ``masklet.cli`` that holds each command, a function of the command's name; loaded when it is wanted."""

_DEBUG = "--debug"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 when done, 1 after an error, 2 for wrong usage, 130 when interrupted.

    Args:
        arguments: What stands after ``masklet``; those of the process when None.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    # --debug may stand anywhere, so that it can be added to the end of a command that failed.
    is_debug = _DEBUG in given
    logging.basicConfig(
        level=logging.INFO if is_debug else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    wanted = [argument for argument in given if argument != _DEBUG]
    build_app(wanted[0] if wanted else None, is_debug=is_debug)(wanted)


def build_app(only: str | None = None, *, is_debug: bool = False) -> typer.Typer:
    """The command line with every command, or with the one that is going to run: the others need not be loaded.

    Args:
        only: Name of the command; None, or what is no command, for all.
        is_debug: Whether errors show where they come from.
    """
    app = typer.Typer(
        name="masklet",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_front)
    for name in [only] if only in COMMANDS else COMMANDS:
        command = getattr(import_module(f"masklet.cli.{COMMANDS[name]}"), name)
        app.command(name)(guarded(command, is_debug=is_debug))
    return app


def _show_version(value: bool) -> None:  # noqa: FBT001 - typer calls it with the flag
    if value:
        typer.echo(f"masklet {__version__}")
        raise typer.Exit


def _front(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
    debug: Annotated[
        bool, typer.Option(_DEBUG, help="Show where an error comes from; may stand after any command.")
    ] = False,
) -> None:
    """Click an object, get it cut out and followed through the whole video."""
