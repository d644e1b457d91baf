"""The ``masklet`` command. A new command is one import and one line in COMMANDS; it imports torch inside its function."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from masklet import __version__
from masklet.cli.auto import auto
from masklet.cli.compare import compare
from masklet.cli.console import guarded
from masklet.cli.convert import convert, formats
from masklet.cli.effects import effects
from masklet.cli.evaluate import evaluate
from masklet.cli.image import image
from masklet.cli.info import info
from masklet.cli.label import label
from masklet.cli.models import models
from masklet.cli.stats import stats
from masklet.cli.studio import studio
from masklet.cli.track import track
from masklet.cli.train import train

COMMANDS: tuple[tuple[str, Callable[..., None]], ...] = (
    ("track", track),
    ("image", image),
    ("auto", auto),
    ("effects", effects),
    ("convert", convert),
    ("formats", formats),
    ("label", label),
    ("models", models),
    ("info", info),
    ("train", train),
    ("evaluate", evaluate),
    ("compare", compare),
    ("stats", stats),
    ("studio", studio),
)

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
    chosen = build_app(is_debug=True) if is_debug else app
    chosen([argument for argument in given if argument != _DEBUG])


def build_app(*, is_debug: bool = False) -> typer.Typer:
    """The command line with every command.

    Args:
        is_debug: Whether errors show where they come from.
    """
    app = typer.Typer(
        name="masklet",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_front)
    for name, command in COMMANDS:
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


app = build_app()
"""The command line as typer knows it, for whatever lists or tests commands."""
