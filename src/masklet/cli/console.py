"""What every command shares: where words go, how errors end a command, and how Ctrl-C is met.

Results go to standard output, everything else to standard error, so that ``--json`` can be piped.
"""

from __future__ import annotations

import functools
import json
import signal
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import typer

from masklet.errors import CancelledError, MaskletError

if TYPE_CHECKING:
    from rich.table import Table

_WIDTH_WITHOUT_TERMINAL = 200
EXIT_ERROR, EXIT_INTERRUPTED = 1, 130

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Interruption:
    """Whether Ctrl-C was pressed; may be asked for as a function."""

    def __init__(self) -> None:
        """Not pressed yet."""
        self._is_asked = False

    def ask(self) -> None:
        """Ask to stop."""
        self._is_asked = True

    def __call__(self) -> bool:
        """Whether it was asked to stop."""
        return self._is_asked


def say(text: str) -> None:
    """Write a line for people to standard error."""
    typer.echo(text, err=True)


def print_result(line: str, values: Mapping[str, object], *, as_json: bool) -> None:
    """Write the result of a command to standard output: a line for people, or one line of JSON."""
    typer.echo(json.dumps(values, allow_nan=False) if as_json else line)


def print_table(table: Table) -> None:
    """Write a table to standard output, with room for every word when no terminal limits it."""
    # slow to import, and most commands print a line
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL).print(table)


def guarded(command: Callable[Parameters, Result], *, is_debug: bool) -> Callable[Parameters, Result]:
    """The command with masklet's errors turned into one sentence and an exit code.

    Args:
        command: A function that typer will call.
        is_debug: Let the errors through, so that Python shows where they come from.
    """

    @functools.wraps(command)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return command(*args, **kwargs)
        except CancelledError as error:
            say(str(error))
            raise typer.Exit(EXIT_INTERRUPTED) from error
        except KeyboardInterrupt as error:
            say("Interrupted.")
            raise typer.Exit(EXIT_INTERRUPTED) from error
        except MaskletError as error:
            if is_debug:
                raise
            say(f"masklet: {error}")
            raise typer.Exit(EXIT_ERROR) from error

    return run


@contextmanager
def interruptible(interruption: Interruption) -> Generator[None]:
    """While the block runs, the first Ctrl-C asks to stop after the frame at work and the second stops at once."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if interruption():
            raise KeyboardInterrupt
        interruption.ask()
        say("Stopping after this frame; press Ctrl-C again to stop at once.")

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
