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
from typing import ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from masklet.errors import CancelledError, MaskletError

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


class _SpeedColumn(ProgressColumn):
    """Steps per second."""

    def render(self, task: Task) -> Text:
        """The speed of late, or nothing before there is one."""
        return Text("" if task.speed is None else f"{task.speed:.1f}/s")


class ProgressDisplay:
    """A bar with the time left on a terminal; now and then a plain line anywhere else."""

    def __init__(self) -> None:
        """Nothing is shown before the first step."""
        console = Console(stderr=True)
        self._is_live = console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _SpeedColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not self._is_live,
        )
        self._tasks: dict[str, TaskID] = {}
        self._last_tenth: dict[str, int] = {}

    def __enter__(self) -> ProgressDisplay:
        """Take the terminal."""
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back."""
        self._progress.stop()

    def advance(self, what: str, num_done: int, num_total: int) -> None:
        """Show how far something is.

        Args:
            what: What is being done, such as "Tracking".
            num_done: Steps done, at least those of the call before.
            num_total: Steps in all, at least 1.
        """
        if self._is_live:
            if what not in self._tasks:
                self._tasks[what] = self._progress.add_task(what, total=num_total, completed=num_done - 1)
            self._progress.update(self._tasks[what], completed=num_done)
        elif (tenth := 10 * num_done // num_total) > self._last_tenth.get(what, 0):
            self._last_tenth[what] = tenth
            say(f"{what}: {num_done} of {num_total}")
