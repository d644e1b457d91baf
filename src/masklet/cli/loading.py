"""Loads the model that a command was asked to use, in the runtime it was asked to use."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masklet.weights.load import LoadedModel


def load_chosen(
    model: str, *, device: str = "auto", runtime: str = "torch", image_size: int | None = None
) -> LoadedModel:
    """A model as --model, --device and --runtime say; runtimes other than torch take the CPU for "auto".

    Raises:
        WeightsError: When it cannot be found or read.
        ConfigError: When the device is not there or the runtime does not run on it.
        MissingExtraError: When the runtime is not installed.
    """
    with _collecting_seldom():
        from masklet.weights.load import load_model

        if runtime == "torch":
            return load_model(model, device=device, image_size=image_size)
        from masklet.export.runtime import accelerate

        place = "cpu" if device == "auto" else device
        return accelerate(load_model(model, device=place, image_size=image_size), runtime)


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Let Python look for unreachable objects a hundredth as often, and leave what is there by the end out of it.

    Torch makes hundreds of thousands of objects that stay; looking through them again and again takes a sixth of its import.
    """
    usual = gc.get_threshold()
    gc.set_threshold(100 * usual[0], *usual[1:])
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*usual)
