"""Public names that are imported when they are first used, so that importing a package stays quick (PEP 562)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping


def names_on_first_use(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The functions ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: Its name.
        homes: The module of each public name.
    """

    def get(name: str) -> object:
        """Import a public name on first use and keep it."""
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(home), name)
        setattr(sys.modules[package], name, value)
        return value

    def known() -> list[str]:
        """Public names, whether they are imported yet or not."""
        return sorted(sys.modules[package].__all__)

    return get, known
