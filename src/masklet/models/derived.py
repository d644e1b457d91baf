"""What is computed from weights alone, kept until the weights change."""

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
