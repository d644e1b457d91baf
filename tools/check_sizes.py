"""Check that files and function bodies stay short: refuse what is never allowed, list what is over the aim."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE_AIM, FILE_LIMIT = 400, 500
BODY_AIM, BODY_LIMIT = 40, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The length of one file or function body, in lines, with what is aimed at and what is refused."""

    where: str
    num_lines: int
    aim: int
    limit: int


def body_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the end, both included."""
    statements = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    if not statements:
        return 0
    return (function.end_lineno or statements[0].lineno) - statements[0].lineno + 1


def measure(path: Path) -> Iterator[Measured]:
    """Yield the length of a Python file and of every function body in it."""
    text = path.read_text(encoding="utf-8")
    yield Measured(where=str(path), num_lines=len(text.splitlines()), aim=FILE_AIM, limit=FILE_LIMIT)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            where = f"{path}:{node.lineno} {node.name}()"
            yield Measured(where=where, num_lines=body_length(node), aim=BODY_AIM, limit=BODY_LIMIT)


def main(folders: list[str]) -> int:
    """Print what is too long in the given folders; the exit status says whether anything is refused."""
    lengths = [
        found for folder in folders for path in sorted(Path(folder).rglob("*.py")) for found in measure(path)
    ]
    refused = [found for found in lengths if found.num_lines > found.limit]
    for found in lengths:
        if found.aim < found.num_lines <= found.limit:
            print(f"over the aim of {found.aim} lines: {found.where} has {found.num_lines}")
    for found in refused:
        print(
            f"{found.where} has {found.num_lines} lines, the most is {found.limit}; split it by noun or verb.",
            file=sys.stderr,
        )
    print(f"Sizes: {len(lengths)} files and function bodies measured, {len(refused)} too long.")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
