"""Frames per second, latency and peak memory against length and number of objects, beside a baseline in the same run.

Each side has a process of its own, so that the memory of one is not the other's. They take turns, one cell after the other,
so that a machine which is slower for a while is slower for both; ratios are taken within a turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np

from masklet.errors import ConfigError, MaskletError
from masklet.evaluation.journal import Journal
from masklet.evaluation.peak_memory import PeakMemory

Follow: TypeAlias = Callable[[int, int], Iterator[None]]
"""Follows so many objects through so many frames; gives a value after each frame, the first after the prompts too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What is measured, ready to run.

    Args:
        follow: See Follow.
        device: Where it runs, such as "cpu".
    """

    follow: Follow
    device: str


Prepare: TypeAlias = Callable[[], Ready]
"""Loads what is measured; called in its own process, so it must be a function of a module or a partial of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedProtocol:
    """What is run.

    Args:
        lengths: Numbers of frames, each at least 2.
        objects: Numbers of objects, each at least 1.
        num_turns: How often each cell is run, at least 1.
    """

    lengths: tuple[int, ...] = (24, 96)
    objects: tuple[int, ...] = (1, 3)
    num_turns: int = 3

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if not self.lengths or min(self.lengths) < 2 or not self.objects or min(self.objects) < 1:
            raise ConfigError(
                f"Lengths must be at least 2 frames and objects at least 1, got {self.lengths} and {self.objects}."
            )
        if self.num_turns < 1:
            raise ConfigError(f"Each cell must be run at least once, got {self.num_turns}.")

    @property
    def cells(self) -> list[tuple[int, int]]:
        """(frames, objects), small ones first."""
        return [(length, number) for length in sorted(self.lengths) for number in sorted(self.objects)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One run of one cell.

    Args:
        first_s: Seconds from opening to the first frame with its masks.
        frames_s: Seconds of each further frame.
        main_bytes: Peak main memory of its process.
        card_bytes: Peak memory on the graphics card, or None without one.
    """

    first_s: float
    frames_s: tuple[float, ...]
    main_bytes: int
    card_bytes: int | None = None

    @property
    def peak_bytes(self) -> int:
        """Peak where the model runs."""
        return self.main_bytes if self.card_bytes is None else self.card_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A number of objects through a number of frames.

    Args:
        length: Frames.
        num_objects: Objects.
        turns: What was measured, one per turn.
        baseline: The same of the baseline in the same turns; empty without one.
    """

    length: int
    num_objects: int
    turns: tuple[Turn, ...]
    baseline: tuple[Turn, ...] = ()

    @property
    def times_as_fast(self) -> tuple[float, float, float] | None:
        """Baseline's seconds over ours: median, lowest and highest over the turns; None without a baseline."""
        if not self.baseline:
            return None
        ratios = [
            sum(other.frames_s) / sum(one.frames_s)
            for one, other in zip(self.turns, self.baseline, strict=True)
        ]
        return float(np.median(ratios)), min(ratios), max(ratios)

    @property
    def memory_ratio(self) -> float | None:
        """Our peak memory over the baseline's; None without a baseline."""
        if not self.baseline:
            return None
        return peak_bytes(self.turns) / max(peak_bytes(self.baseline), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedReport:
    """All cells.

    Args:
        protocol: What was run.
        name: What was measured.
        baseline: What it was measured against, or None.
        cells: In the order of the protocol.
    """

    protocol: SpeedProtocol
    name: str
    baseline: str | None
    cells: tuple[Cell, ...]

    def over_first(self, cell: Cell) -> tuple[float, float]:
        """Seconds per frame and peak memory of a cell over those of the smallest cell."""
        first = self.cells[0]
        seconds = mean_frame_s(cell.turns) / mean_frame_s(first.turns)
        return seconds, peak_bytes(cell.turns) / max(peak_bytes(first.turns), 1)


def frames_per_second(turns: Sequence[Turn]) -> float:
    """Frames after the first, over the seconds they took."""
    return 1 / mean_frame_s(turns)


def mean_frame_s(turns: Sequence[Turn]) -> float:
    """Mean seconds of a frame after the first."""
    return float(np.mean([seconds for turn in turns for seconds in turn.frames_s]))


def latency_s(turns: Sequence[Turn], percent: float) -> float:
    """The seconds within which so many per cent of the frames after the first come."""
    return float(np.percentile([seconds for turn in turns for seconds in turn.frames_s], percent))


def first_s(turns: Sequence[Turn]) -> float:
    """Median seconds to the first frame."""
    return float(np.median([turn.first_s for turn in turns]))


def peak_bytes(turns: Sequence[Turn]) -> int:
    """Highest peak over the turns."""
    return max(turn.peak_bytes for turn in turns)


def evaluate_speed(
    sides: Mapping[str, Prepare],
    *,
    protocol: SpeedProtocol,
    on_run: Callable[[], None] | None = None,
    journal: Journal | None = None,
) -> SpeedReport:
    """Measure every cell in turn on each side.

    Args:
        sides: What is measured by its name, then perhaps the baseline by its.
        protocol: What is run.
        on_run: Called after each run of a cell, also of those from the journal.
        journal: Keeps each cell of each turn, both sides together, so that a run that was stopped goes on from there; or
            None.

    Raises:
        ConfigError: When there is no side or more than two, or one cannot be prepared or run.
    """
    names = list(sides)
    if not 1 <= len(names) <= 2:
        raise ConfigError(f"Speed is measured of one thing, or of two against each other, got {len(names)}.")
    kept = journal or Journal(None, "")
    done = kept.read()
    found: dict[tuple[str, int, int], list[Turn]] = {}
    with ExitStack() as stack:
        workers = {name: stack.enter_context(_Worker(name, prepare)) for name, prepare in sides.items()}
        for turn in range(protocol.num_turns):
            for length, num_objects in protocol.cells:
                key = f"turn {turn}, {length} frames, {num_objects} objects"
                runs = {name: _turn_from_json(done[key][name]) for name in names} if key in done else {}
                # who goes first changes from turn to turn
                for name in names if turn % 2 == 0 else reversed(names):
                    if name not in runs:
                        runs[name] = workers[name].run(length, num_objects)
                    found.setdefault((name, length, num_objects), []).append(runs[name])
                    if on_run is not None:
                        on_run()
                if key not in done:
                    kept.add(key, {name: asdict(run) for name, run in runs.items()})
    cells = tuple(
        Cell(
            length=length,
            num_objects=number,
            turns=tuple(found[(names[0], length, number)]),
            baseline=tuple(found[(names[1], length, number)]) if len(names) > 1 else (),
        )
        for length, number in protocol.cells
    )
    return SpeedReport(
        protocol=protocol, name=names[0], baseline=names[1] if len(names) > 1 else None, cells=cells
    )


def _turn_from_json(value: Mapping[str, Any]) -> Turn:
    return Turn(**{**value, "frames_s": tuple(value["frames_s"])})


def timed(follow: Follow, length: int, num_objects: int, memory: PeakMemory) -> Turn:
    """Run one cell once."""
    memory.start()
    stamps = [time.perf_counter()]
    for _ in follow(length, num_objects):
        stamps.append(time.perf_counter())
    steps = np.diff(stamps)
    if len(steps) != length:
        raise ConfigError(f"{len(steps)} frames came and not {length}; give a source that is long enough.")
    return Turn(
        first_s=float(steps[0]),
        frames_s=tuple(float(step) for step in steps[1:]),
        main_bytes=memory.main_bytes(),
        card_bytes=memory.card_bytes(),
    )


class _Worker:
    """A process that runs cells of one side when it is told to."""

    def __init__(self, name: str, prepare: Prepare) -> None:
        self._name, self._prepare = name, prepare
        context = get_context("spawn")
        self._mine, self._its = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._its, prepare), daemon=True)

    def __enter__(self) -> _Worker:
        self._process.start()
        self._its.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._mine.close()
        self._process.join(timeout=5 if kind is None else 0.2)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()

    def run(self, length: int, num_objects: int) -> Turn:
        """One run of a cell."""
        try:
            self._mine.send((length, num_objects))
            answer = self._mine.recv()
        except (EOFError, OSError) as error:
            raise ConfigError(
                f"The process of {self._name} ended while it ran {num_objects} objects through {length} frames; "
                "try fewer, it may have run out of memory."
            ) from error
        if isinstance(answer, str):
            raise ConfigError(answer)
        return answer


def _serve(connection: Connection, prepare: Prepare) -> None:
    """Prepare, warm up, then answer each (length, objects) with a Turn, or with a sentence on what is wrong."""
    try:
        ready = prepare()
        memory = PeakMemory(ready.device)
        is_warm = False
        while True:
            length, num_objects = connection.recv()
            if not is_warm:
                timed(ready.follow, 2, num_objects, memory)
                is_warm = True
            connection.send(timed(ready.follow, length, num_objects, memory))
    except EOFError:
        return
    except MaskletError as error:
        connection.send(str(error))
