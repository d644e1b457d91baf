"""Which engine runs the workers, by name."""

from __future__ import annotations

from typing import Literal

from masklet.errors import ConfigError
from masklet.scale.jobs import Engine
from masklet.scale.local import ProcessEngine, SerialEngine

EngineName = Literal["local", "ray"]


def choose_engine(name: str, *, num_workers: int = 1, address: str | None = None) -> Engine:
    """An engine by name.

    Args:
        name: "local" or "ray".
        num_workers: Workers, each with its own model; one local worker is this process.
        address: Of a Ray cluster ("auto", "ray://host:10001"); None starts Ray on this machine.

    Raises:
        ConfigError: When there is no such engine, or the number is below 1.
        MissingExtraError: When Ray is asked for and not installed.
    """
    if num_workers < 1:
        raise ConfigError(f"At least one worker is needed, got {num_workers}.")
    if name == "local":
        return SerialEngine() if num_workers == 1 else ProcessEngine(num_workers)
    if name == "ray":
        from masklet.scale.ray_backend import RayEngine

        return RayEngine(num_workers, address=address)
    raise ConfigError(f"There is no engine {name!r}; the engines are local and ray.")
