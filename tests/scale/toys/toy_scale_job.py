"""A job small enough for tests, in a module that other processes can import."""

import hashlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from masklet.errors import MediaError, WeightsError
from masklet.scale import storage
from masklet.scale.jobs import Outcome


@dataclass(frozen=True)
class ShoutJob:
    """Writes the text of every input in capitals.

    ``die`` kills the worker, ``poison`` is refused, ``die-once`` kills it the first time.
    """

    out: str
    pause_s: float = 0.0
    refuses_to_start: bool = False
    dies_at_start: bool = False

    def describe(self):
        return {"what": "shout"}

    def start(self):
        if self.refuses_to_start:
            raise WeightsError("There is no such model; give another.")
        if self.dies_at_start:
            os.kill(os.getpid(), signal.SIGKILL)
        return ShoutWorker(self)


class ShoutWorker:
    def __init__(self, job):
        self.job = job

    def __call__(self, item):
        time.sleep(self.job.pause_s)
        with storage.local_copy(item.uri) as path:
            text = path.read_text()
            digest, count = storage.digest_of(path)
        self.obey(text, item)
        content = text.upper().encode()
        output = storage.join(self.job.out, f"{item.key}.txt")
        storage.write(output, content)
        return Outcome(
            output=output,
            output_sha256=hashlib.sha256(content).hexdigest(),
            input_sha256=digest,
            input_bytes=count,
            numbers={"letters": len(text), "pid": os.getpid()},
        )

    def obey(self, text, item):
        if text == "poison":
            raise MediaError("This input is poison; leave it out.")
        if text == "bug":
            raise ZeroDivisionError("a bug")
        mark = Path(self.job.out, f"{item.key}.died") if "://" not in self.job.out else None
        if text == "die" or (text == "die-once" and mark is not None and not mark.exists()):
            if mark is not None:
                mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


class BrightGrounder:
    """Finds one box around what is brighter than the rest, for any phrase that it is asked for first."""

    name = "bright"

    def find(self, image, phrases, *, threshold=None):
        from masklet.geometry import Box
        from masklet.grounding.base import FoundBox

        rows, columns = (image[..., 0] > 200).nonzero()
        if len(rows) == 0:
            return []
        box = Box(float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
        return [FoundBox(box=box, score=max(0.8, threshold or 0), label=phrases[0])]
