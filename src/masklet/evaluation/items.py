"""The parts of a long run, such as its clips: done in one process or several, and written down as they are done."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Generic, TypeAlias, TypeVar, cast

from masklet.errors import CancelledError, ConfigError, MaskletError
from masklet.evaluation.journal import Journal

Content = TypeVar("Content")
Step: TypeAlias = Callable[[], None]

Work: TypeAlias = Callable[[Content, Step], Mapping[str, object]]
"""Does an item: takes its content and what to call after each step of it, gives JSON values."""

Prepare: TypeAlias = Callable[[], Work[Content]]
"""Makes ready, such as by loading a model. Called once in each process: a function of a module or a partial of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Generic[Content]):
    """A part of a run.

    Args:
        name: Its name, which no other item has.
        content: What the work takes; is sent to other processes when there are several.
        num_steps: How many steps it has, at least 1.
    """

    name: str
    content: Content
    num_steps: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What came of the items.

    Args:
        values: By name, in the order of the items; those that could not be done are left out.
        problems: One sentence per item that could not be done, naming it.
    """

    values: Mapping[str, Mapping[str, Any]]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a process says of its item."""

    values: Mapping[str, object] | None = None
    problem: str = ""
    is_step: bool = False
    is_broken: bool = False


_STEP = _Answer(is_step=True)


def do_items(
    items: Sequence[Item[Content]],
    prepare: Prepare[Content],
    *,
    num_workers: int = 1,
    journal: Journal | None = None,
    on_step: Callable[[int, int], None] | None = None,
    on_item: Callable[[str, Mapping[str, Any]], None] | None = None,
) -> Finished:
    """Do every item that the journal does not hold yet; one that fails does not touch the others.

    Args:
        items: What is to be done.
        prepare: Gives the work; not called when nothing is left.
        num_workers: Processes side by side, at least 1; with 1 it is done in this one. The result is the same as long as the
            work itself does not depend on the number of its threads.
        journal: Keeps what is done, or None; the caller discards it when the result is safe.
        on_step: Called after each step with the number done and that of all steps that were left.
        on_item: Called with each item as soon as it is done, not with those of the journal.

    Raises:
        ConfigError: When a process ends before its time.
        MaskletError: When ``prepare`` fails.
    """
    kept = journal or Journal(None, "")
    done = kept.read()
    left = list({item.name: item for item in reversed(items) if item.name not in done}.values())[::-1]
    problems = [f"{name}: the name comes twice; one is left out." for name in _repeated(items)]
    num_done, num_total = 0, sum(item.num_steps for item in left)

    def step() -> None:
        nonlocal num_done
        num_done += 1
        if on_step is not None:
            on_step(num_done, num_total)

    for item, answer in _answers(left, prepare, num_workers, step):
        if answer.values is None:
            problems.append(f"{item.name}: {answer.problem}")
            continue
        kept.add(item.name, answer.values)
        done[item.name] = dict(answer.values)
        if on_item is not None:
            on_item(item.name, done[item.name])
    ordered = {item.name: done[item.name] for item in items if item.name in done}
    return Finished(values=ordered, problems=tuple(problems))


def _repeated(items: Sequence[Item[Content]]) -> list[str]:
    counts: dict[str, int] = {}
    for item in items:
        counts[item.name] = counts.get(item.name, 0) + 1
    return [name for name, number in counts.items() if number > 1]


def _answers(
    items: Sequence[Item[Content]], prepare: Prepare[Content], num_workers: int, step: Step
) -> Iterator[tuple[Item[Content], _Answer]]:
    """Items as they are done."""
    if num_workers > 1 and len(items) > 1:
        yield from _from_processes(items, prepare, min(num_workers, len(items)), step)
    elif items:
        work = prepare()
        for item in items:
            yield item, _done(work, item, step)


def _done(work: Work[Content], item: Item[Content], step: Step) -> _Answer:
    """Do one item; steps it did not tell are told at its end."""
    num_told = 0

    def tell() -> None:
        nonlocal num_told
        if num_told < item.num_steps:
            num_told += 1
            step()

    try:
        answer = _Answer(values=work(item.content, tell))
    except CancelledError:
        raise
    except (MaskletError, OSError) as error:
        answer = _Answer(problem=str(error))
    while num_told < item.num_steps:
        tell()
    return answer


def _from_processes(
    items: Sequence[Item[Content]], prepare: Prepare[Content], num_workers: int, step: Step
) -> Iterator[tuple[Item[Content], _Answer]]:
    """Items as processes get them done; whichever is free takes the next."""
    waiting = deque(items)
    with ExitStack() as stack:
        workers = [stack.enter_context(_Worker(prepare)) for _ in range(num_workers)]
        busy: dict[Connection, tuple[_Worker[Content], Item[Content]]] = {}
        for worker in workers:
            busy[worker.connection] = worker, worker.take(waiting.popleft())
        while busy:
            for ready in cast("list[Connection]", wait(list(busy))):
                worker, item = busy[ready]
                answer = worker.answer(item)
                if answer.is_step:
                    step()
                    continue
                del busy[ready]
                if waiting:
                    busy[ready] = worker, worker.take(waiting.popleft())
                yield item, answer


class _Worker(Generic[Content]):
    """A process that does one item after the other."""

    def __init__(self, prepare: Prepare[Content]) -> None:
        # spawned, not forked: a library that holds a lock in another thread would never give it back
        context = get_context("spawn")
        self.connection, self._its = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._its, prepare), daemon=True)

    def __enter__(self) -> _Worker[Content]:
        self._process.start()
        self._its.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()
        self._process.join(timeout=5 if kind is None else 0)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()

    def take(self, item: Item[Content]) -> Item[Content]:
        """Send an item; a process that is gone is noticed when its answer is wanted."""
        try:
            self.connection.send(item)
        except OSError:
            return item
        return item

    def answer(self, item: Item[Content]) -> _Answer:
        """What it says next of its item."""
        try:
            answer: _Answer = self.connection.recv()
        except (EOFError, OSError) as error:
            raise ConfigError(
                f"The process that worked on {item.name} ended; try fewer with --workers, it may have run out of memory."
            ) from error
        if answer.is_broken:
            raise ConfigError(answer.problem)
        return answer


def _serve(connection: Connection, prepare: Prepare[Content]) -> None:
    """Prepare, then do what is sent until nothing more comes. Ctrl-C is the parent's to meet."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work = prepare()
        while True:
            item: Item[Content] = connection.recv()
            connection.send(_done(work, item, lambda: connection.send(_STEP)))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except MaskletError as error:
        connection.send(_Answer(problem=str(error), is_broken=True))
