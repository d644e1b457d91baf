"""Workers on a Ray cluster: one actor loads one model once and does one input after the other.

Actors that die are replaced and their input is tried again. Inputs and outputs must be reachable from every machine of
the cluster: a shared folder, or an object store.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from masklet.errors import ConfigError, MaskletError, MissingExtraError, SessionError
from masklet.scale.jobs import Attempt, Item, Job, Worker
from masklet.scale.local import attempt_item

_MAX_DEATHS_BEFORE_START = 3
_STORE_BYTES = 100 * 2**20
"""Of a Ray that is started here: items and answers are small, files never go through Ray."""
_WAIT_S = 1.0


@dataclass(slots=True, kw_only=True)
class _Member:
    """One actor, and what it is doing; no item while it loads its model."""

    name: str
    actor: Any
    is_ready: bool = False
    item: Item | None = None
    since: float = 0.0


class _Actor:
    """What lives in a process of the cluster."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._worker: Worker | None = None

    def start(self, job: Job) -> str:
        """Load the model; a sentence when that cannot be done."""
        try:
            self._worker = job.start()
        except MaskletError as error:
            return str(error)
        return ""

    def work(self, item: Item) -> Attempt:
        """Try one item."""
        if self._worker is None:
            raise RuntimeError("An actor must be started before it works.")
        return attempt_item(self._worker, item, self._name)


class RayEngine:
    """Runs workers as Ray actors."""

    def __init__(
        self, num_workers: int, *, address: str | None = None, num_cpus: float = 1.0, num_gpus: float = 0.0
    ) -> None:
        """Prepare; Ray is reached or started when the run begins.

        Args:
            num_workers: Actors, at least 1.
            address: "auto", "host:6379" or "ray://host:10001"; None starts Ray on this machine, without its dashboard.
            num_cpus: Cores that Ray reserves for an actor.
            num_gpus: GPUs, or parts of one, that it reserves.

        Raises:
            ConfigError: When the number is below 1.
            MissingExtraError: When Ray is not installed.
        """
        if num_workers < 1:
            raise ConfigError(f"At least one worker is needed, got {num_workers}.")
        # nothing of a run is told to anybody
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError(
                "The engine ray is not installed; run: pip install 'masklet[ray]'."
            ) from error
        self._ray: Any = ray  # what of it is used has no types
        self._num_workers = num_workers
        self._address = address
        self._reserved = {"num_cpus": num_cpus, "num_gpus": num_gpus}
        self._num_hired = 0
        self._num_lost = 0

    def describe(self) -> str:
        """What it is."""
        return f"{self._num_workers} Ray actors, {self._address or 'on this machine'}"

    def run(self, job: Job, queue: deque[Item]) -> Iterator[Attempt]:
        """See Engine.

        Raises:
            SessionError: When the cluster cannot be reached or loses its last machine, or actors die before they are
                ready, again and again.
        """
        if not queue:
            return
        is_ours = self._connect()
        crew: dict[Any, _Member] = {}
        idle: list[_Member] = []
        self._num_lost = 0
        try:
            while queue or any(one.item is not None for one in crew.values()):
                self._employ(job, queue, crew, idle)
                ready, _ = self._ray.wait(list(crew), num_returns=1, timeout=_WAIT_S)
                if not ready:
                    self._check_machines()
                for reference in ready:
                    yield from self._hear(reference, crew.pop(reference), idle)
        finally:
            for member in (*crew.values(), *idle):
                self._ray.kill(member.actor)
            if is_ours:
                self._ray.shutdown()

    def _connect(self) -> bool:
        """Reach the cluster; whether this run started it or joined it and is to leave it."""
        if self._ray.is_initialized():
            return False
        quiet = {"log_to_driver": False, "logging_level": "error"}
        here = {
            "num_cpus": max(self._num_workers, os.cpu_count() or 1),
            "include_dashboard": False,
            "object_store_memory": _STORE_BYTES,
            "_node_ip_address": "127.0.0.1",
        }
        try:
            self._ray.init(address=self._address, **quiet, **({} if self._address else here))
        except Exception as error:  # Ray raises a bare one when it starts too slowly
            short = " ".join(str(error).split())[:300]
            raise SessionError(
                f"Ray at {self._address or 'this machine'} cannot be reached ({short}); check --address."
            ) from error
        return True

    def _check_machines(self) -> None:
        """Actors of machines that are gone are never heard of again; others may come as long as one lives."""
        if not any(one["Alive"] for one in self._ray.nodes()):
            raise SessionError(
                "No machine of the Ray cluster is alive any more; start it again, then go on with --resume."
            )

    def _employ(self, job: Job, queue: deque[Item], crew: dict[Any, _Member], idle: list[_Member]) -> None:
        """Give waiting items to idle actors, and hire actors for the rest."""
        while queue and idle:
            member = idle.pop()
            member.item, member.since = queue.popleft(), time.perf_counter()
            crew[member.actor.work.remote(member.item)] = member
        num_starting = sum(not one.is_ready for one in crew.values())
        while len(crew) + len(idle) < self._num_workers and num_starting < len(queue):
            member = self._hire()
            crew[member.actor.start.remote(job)] = member
            num_starting += 1

    def _hire(self) -> _Member:
        self._num_hired += 1
        name = f"actor-{self._num_hired}"
        made = self._ray.remote(_Actor).options(**self._reserved, max_restarts=0).remote(name)
        return _Member(name=name, actor=made)

    def _hear(self, reference: Any, member: _Member, idle: list[_Member]) -> Iterator[Attempt]:  # noqa: ANN401 - Ray has no types for references
        """Take an answer, or the news that an actor died."""
        try:
            said = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            yield from self._bury(member, error)
            return
        if isinstance(said, str):
            if said:
                self._ray.kill(member.actor)
                raise SessionError(f"The workers cannot start: {said}")
            member.is_ready = True
            self._num_lost = 0
        else:
            yield said
            member.item = None
        idle.append(member)

    def _bury(self, member: _Member, error: Exception) -> Iterator[Attempt]:
        self._ray.kill(member.actor)
        reason = " ".join(str(error).split())[:200]
        if member.item is not None:
            yield Attempt(
                item=member.item,
                worker=member.name,
                seconds=time.perf_counter() - member.since,
                error=f"The actor ended while it worked on it ({type(error).__name__}).",
            )
            return
        self._num_lost += 1
        if self._num_lost >= _MAX_DEATHS_BEFORE_START:
            raise SessionError(
                f"The actors end before they are ready ({reason}); check the cluster's memory."
            )
