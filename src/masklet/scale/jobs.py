"""Work on many inputs: items, tries, shards, and the loop that gives each input exactly one output.

    for event in run_job(job, items, engine, manifest):
        ...                                     ItemDone, ItemRetried, ItemFailed

An engine hands items to workers; the loop alone decides what is tried again and writes the manifest. Outputs have names
that depend on their input only and are written whole, so a second try, or a run after a crash, replaces and never adds.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol, TypeAlias

from masklet.errors import CancelledError, ConfigError
from masklet.scale.manifest import DONE, FAILED, Manifest, Record

MAX_TRIES = 3

Numbers: TypeAlias = Mapping[str, int | float | str]
"""What a worker tells of an item beside its output: plain values for the manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One input.

    Attributes:
        uri: Local path or address.
        name: Short name, with "/" between folders; unique in a run.
        key: Name of its output, made of letters, digits, "-" and "_".
    """

    uri: str
    name: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a worker made of an item, already written.

    Attributes:
        output: Where it is.
        output_sha256: Hash of its bytes.
        input_sha256: Hash of the input's bytes.
        input_bytes: Their number.
        numbers: Further values for the manifest.
    """

    output: str
    output_sha256: str
    input_sha256: str
    input_bytes: int
    numbers: Numbers


class Worker(Protocol):
    """Does one item after the other; holds a model."""

    def __call__(self, item: Item) -> Outcome:
        """Write the output of an item, whole, in place of an older one."""
        ...


class Job(Protocol):
    """What is done to every item: a plain value that can be sent to another process."""

    def describe(self) -> Mapping[str, str]:
        """What decides about the outputs, in words, by topic."""
        ...

    def start(self) -> Worker:
        """A worker, in the process in which it will work; this loads the model."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at an item.

    Attributes:
        item: The item.
        worker: Name of the worker.
        seconds: How long it took.
        outcome: What came of it, or None.
        error: Why nothing came of it, in one sentence.
    """

    item: Item
    worker: str
    seconds: float
    outcome: Outcome | None = None
    error: str = ""


class Engine(Protocol):
    """Runs workers somewhere."""

    def describe(self) -> str:
        """What it is, in a few words."""
        ...

    def run(self, job: Job, queue: deque[Item]) -> Iterator[Attempt]:
        """Work until the queue is empty and nothing is under way.

        Whoever takes the attempts may put items back before asking for the next. An attempt that killed its worker is
        an attempt like any other. When the iterator is closed, workers stop.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDone:
    """An item is done; ``num_done`` of ``num_items`` are, with those of earlier runs."""

    record: Record
    num_done: int
    num_items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRetried:
    """An item failed and waits for another try."""

    item: Item
    num_tries: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFailed:
    """An item failed too often and is given up."""

    record: Record
    num_done: int
    num_items: int


JobEvent: TypeAlias = ItemDone | ItemRetried | ItemFailed


def make_items(listed: Iterable[tuple[str, str]]) -> list[Item]:
    """Items with unique names and keys; an address given twice is one item.

    Args:
        listed: Address and short name of each input.
    """
    items: dict[str, Item] = {}
    names: set[str] = set()
    for uri, name in listed:
        if uri in items:
            continue
        digest = hashlib.sha256(uri.encode("utf-8", "surrogateescape")).hexdigest()
        unique = name
        if unique in names:
            path = PurePosixPath(name)
            unique = str(path.with_name(f"{path.stem}-{digest[:8]}{path.suffix}"))
        names.add(unique)
        stem = re.sub(r"[^A-Za-z0-9_-]+", "_", PurePosixPath(name).stem)[:60]
        items[uri] = Item(uri=uri, name=unique, key=f"{stem}-{digest[:12]}")
    return list(items.values())


def shard_of(items: Sequence[Item], index: int, count: int) -> list[Item]:
    """The part of the items that one of several machines does; every item is in exactly one part.

    Args:
        items: All items, the same on every machine.
        index: Number of the part, from 1.
        count: Number of parts.

    Raises:
        ConfigError: When there is no such part.
    """
    if not 1 <= index <= count:
        raise ConfigError(f"A shard is 1/{count} to {count}/{count}, got {index}/{count}.")
    return [one for one in items if int(one.key[-12:], 16) % count == index - 1]


def _never() -> bool:
    return False


def run_job(
    job: Job,
    items: Sequence[Item],
    engine: Engine,
    manifest: Manifest,
    *,
    max_tries: int = MAX_TRIES,
    is_cancelled: Callable[[], bool] = _never,
) -> Iterator[JobEvent]:
    """Do every item that the manifest does not hold as done.

    Args:
        job: What to do.
        items: On what.
        engine: Where.
        manifest: Open, of this job; items that failed in an earlier run are tried again.
        max_tries: Tries of an item before it is given up, at least 1.
        is_cancelled: Asked after every attempt.

    Yields:
        What becomes of each item.

    Raises:
        CancelledError: When the run was cancelled; what is done is in the manifest.
        MaskletError: When workers cannot be started or the manifest cannot be written.
    """
    queue = deque(one for one in items if not manifest.is_done(one.key))
    num_done = len(items) - len(queue)
    tries: dict[str, int] = {}
    attempts = engine.run(job, queue)
    try:
        for attempt in attempts:
            item = attempt.item
            tries[item.key] = tries.get(item.key, 0) + 1
            if attempt.outcome is None and tries[item.key] < max_tries:
                queue.append(item)
                yield ItemRetried(item=item, num_tries=tries[item.key], error=attempt.error)
            else:
                record = _record(attempt, tries[item.key])
                manifest.append(record)
                num_done += attempt.outcome is not None
                kind = ItemFailed if attempt.outcome is None else ItemDone
                yield kind(record=record, num_done=num_done, num_items=len(items))
            if is_cancelled():
                raise CancelledError(
                    f"Stopped after {num_done} of {len(items)} inputs; run the same again with --resume to go on."
                )
    finally:
        close = getattr(attempts, "close", None)
        if close is not None:
            close()
        manifest.flush()


def _record(attempt: Attempt, num_tries: int) -> Record:
    item, outcome = attempt.item, attempt.outcome
    return Record(
        key=item.key,
        name=item.name,
        uri=item.uri,
        status=FAILED if outcome is None else DONE,
        num_tries=num_tries,
        seconds=round(attempt.seconds, 3),
        worker=attempt.worker,
        error=attempt.error,
        output="" if outcome is None else outcome.output,
        output_sha256="" if outcome is None else outcome.output_sha256,
        input_sha256="" if outcome is None else outcome.input_sha256,
        input_bytes=0 if outcome is None else outcome.input_bytes,
        numbers={} if outcome is None else dict(outcome.numbers),
    )
