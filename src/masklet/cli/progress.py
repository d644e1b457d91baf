"""How far a long job is, on standard error."""

from __future__ import annotations

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
from rich.text import Text

from masklet.cli.console import say


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
