"""Says in one sentence how the tensors of a file differ from those of a model."""

from __future__ import annotations

from collections.abc import Mapping

from masklet.errors import MismatchedWeightsError

Shapes = Mapping[str, tuple[int, ...]]
_NAMED = 4


def _some(names: list[str]) -> str:
    listed = ", ".join(names[:_NAMED])
    return listed if len(names) <= _NAMED else f"{listed} and {len(names) - _NAMED} more"


def check_match(found: Shapes, expected: Shapes, *, source: str, target: str) -> None:
    """Refuse tensors whose names or shapes differ from what is expected.

    Args:
        found: Shapes of the tensors of a file, by name.
        expected: Shapes of the tensors of the model, by the same names.
        source: What holds the found tensors, for the message.
        target: What expects them, for the message.

    Raises:
        MismatchedWeightsError: Names the first few differences and says how many there are.
    """
    missing = [name for name in expected if name not in found]
    unexpected = [name for name in found if name not in expected]
    reshaped = [
        f"{name} {found[name]} instead of {expected[name]}"
        for name in expected
        if name in found and found[name] != expected[name]
    ]
    parts = [
        f"{len(names)} {kind} ({_some(names)})"
        for names, kind in ((missing, "missing"), (unexpected, "unexpected"), (reshaped, "of another shape"))
        if names
    ]
    if parts:
        raise MismatchedWeightsError(
            f"The weights in {source} do not fit {target}: {', '.join(parts)}; use the file made for this model."
        )
