"""What is computed from weights alone, or from one tensor that never changes, and kept as long as that is true."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

_Value = TypeVar("_Value")
_State = tuple[tuple[int, int], ...]

_kept: weakref.WeakKeyDictionary[nn.Module, dict[str, tuple[_State, object]]] = weakref.WeakKeyDictionary()


def derived(module: nn.Module, name: str, sources: Sequence[Tensor], compute: Callable[[], _Value]) -> _Value:
    """A value that was computed before from the same weights, or is computed now.

    Args:
        module: Whose value it is; it goes with the module.
        name: Which of the module's values.
        sources: The weights it depends on: it is computed anew when one was moved or changed in place. While gradients are
            recorded nothing is kept.
        compute: Computes it.
    """
    if torch.is_grad_enabled() or torch.compiler.is_compiling() or any(one.is_inference() for one in sources):
        return compute()
    state = tuple((one.data_ptr(), one._version) for one in sources)
    kept = _kept.setdefault(module, {})
    found = kept.get(name)
    if found is not None and found[0] == state:
        return found[1]  # pyright: ignore[reportReturnType] - what this name was computed as
    value = compute()
    kept[name] = (state, value)
    return value


_found: dict[int, tuple[weakref.ref[Tensor], Tensor]] = {}


def found_in(source: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
    """What was found in a tensor before, or is found now; it goes with the tensor.

    Args:
        source: A tensor that is never changed in place.
        compute: Finds it; of one tensor always the same is asked. Where gradients are recorded nothing is kept.
    """
    if torch.is_grad_enabled():
        return compute(source)
    key = id(source)
    known = _found.get(key)
    if known is not None and known[0]() is source:
        return known[1]
    value = compute(source)
    _found[key] = (weakref.ref(source, lambda ref: _forget(key, ref)), value)
    return value


def _forget(key: int, ref: weakref.ref[Tensor]) -> None:
    """Another tensor may have the place of the one that went by now."""
    known = _found.get(key)
    if known is not None and known[0] is ref:
        del _found[key]
