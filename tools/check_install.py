"""Check, from inside an environment, that the installed masklet is complete and really the one installed there."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import sys
from pathlib import Path

import masklet


def missing_files() -> list[str]:
    """What the package should carry and does not."""
    package = importlib.resources.files("masklet")
    embedded = package.joinpath("weights", "embedded")
    names = [entry.name for entry in embedded.iterdir()] if embedded.is_dir() else []
    missing = [] if package.joinpath("py.typed").is_file() else ["py.typed"]
    if not package.joinpath("studio", "static", "index.html").is_file():
        missing.append("the studio's page")
    for ending, what in (
        (".safetensors", "the embedded weights"),
        (".md", "the embedded weights' model card"),
    ):
        if not any(name.endswith(ending) for name in names):
            missing.append(what)
    return missing


def main(environment: Path) -> int:
    """Print what is wrong with the installation; the exit status says whether anything is."""
    home = Path(masklet.__file__).resolve()
    problems = [f"it lacks {name}" for name in missing_files()]
    if environment.resolve() not in home.parents:
        problems.append(f"it was imported from {home}, not from {environment}")
    if importlib.metadata.version("masklet") != masklet.__version__:
        problems.append(f"its metadata and masklet.__version__ ({masklet.__version__}) differ")
    for problem in problems:
        print(f"The installed masklet is not right: {problem}.", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
