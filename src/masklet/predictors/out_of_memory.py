"""When a device runs out of memory: less at once, then without what is kept there, then on the CPU; and it is said.

Recovery happens outside the ``except`` block: inside it, the error's traceback keeps the tensors of the failed attempt.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import torch

from masklet.models.model import ImageFeatures
from masklet.models.precision import PrecisionPolicy
from masklet.weights.load import LoadedModel, build_empty

_log = logging.getLogger(__name__)
_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device ran out of memory: CUDA has an error of its own, MPS says it in words."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "out of memory" in str(error)
    )


def attempted(action: Callable[[], _Found]) -> _Found | None:
    """What the action gives; None when the device ran out of memory, which is then given back as far as possible."""
    try:
        return action()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


def in_parts(action: Callable[[Sequence[_Item]], list[_Found]], items: Sequence[_Item]) -> list[_Found]:
    """All items together; where the device runs out of memory, in halves, and in halves of these.

    Raises:
        torch.OutOfMemoryError: When even one item alone is too much.
    """
    if len(items) < 2:
        return action(items)
    found = attempted(lambda: action(items))
    if found is not None:
        return found
    middle = len(items) // 2
    _log.warning(
        "The device ran out of memory with %d at once; going on with %d and %d.",
        len(items),
        middle,
        len(items) - middle,
    )
    return in_parts(action, items[:middle]) + in_parts(action, items[middle:])


def on_cpu(loaded: LoadedModel) -> LoadedModel:
    """The same weights on the CPU, in float32; the model itself stays where it is, for others who use it."""
    place = torch.device("cpu")
    network = build_empty(loaded.config)
    network.load_state_dict(loaded.model.state_dict())
    return replace(
        loaded, model=network.eval(), device=place, precision=PrecisionPolicy.choose(place), runtime="torch"
    )


def moved(features: ImageFeatures, device: torch.device) -> ImageFeatures:
    """Features on a device, in float32 on the CPU."""
    if features.features.device == device:
        return features
    kind = torch.float32 if device.type == "cpu" else features.features.dtype
    maps = (features.features, features.skip4, features.skip8)
    return ImageFeatures(*(one.to(device=device, dtype=kind) for one in maps))
