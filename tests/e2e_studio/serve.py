"""A studio for the journeys: the real server and page, around a tiny model that answers in milliseconds.

usage: serve.py HOME
"""

import json
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import uvicorn

from masklet.errors import PromptError
from masklet.geometry import Box
from masklet.grounding.base import FoundBox
from masklet.studio.app import create_app
from masklet.studio.security import make_token
from masklet.studio.serve import listening
from masklet.studio.settings import StudioSettings
from masklet.studio.studio import Studio

TESTS = Path(__file__).parents[1]


class Colors:
    """A detector that knows two words, each a colour of the test pictures."""

    name = "colors"
    known: ClassVar = {"amber": (230, 170, 40), "mint": (70, 180, 120)}

    def find(
        self, image: np.ndarray, phrases: Sequence[str], *, threshold: float | None = None
    ) -> list[FoundBox]:
        """The box around everything that has the colour."""
        least = 0.5 if threshold is None else threshold
        found: list[FoundBox] = []
        for phrase in phrases:
            if phrase not in self.known:
                raise PromptError(f"The detector does not know {phrase!r}; it knows {', '.join(self.known)}.")
            rows, columns = np.nonzero(np.abs(image.astype(int) - self.known[phrase]).max(axis=2) < 40)
            if len(rows) and least < 0.9:
                edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
                found.append(FoundBox(box=Box(*map(float, edges)), score=0.9, label=phrase))
        return found


def main(home: Path) -> None:
    model = runpy.run_path(str(TESTS / "studio" / "conftest.py"))["tiny_model"]()
    settings = StudioSettings(home=home, port=0, model="debug-compact")
    with listening(settings, is_fixed=True) as listener:
        port = listener.getsockname()[1]
        settings = StudioSettings(home=home, port=port, model="debug-compact")
        token = make_token()
        app = create_app(Studio(settings, model=model, grounder=Colors()), token=token)
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{port}/?token={token}"}) + "\n")
        sys.stdout.flush()
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
