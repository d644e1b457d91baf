"""A tracker small enough to compute by hand, but with a memory, so that resuming matters."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from masklet.pipeline import ObjectPrompt, merge_prompts, track_video
from masklet.prompts import Click, PromptSet
from masklet.video.image import read_indexed_png

NUM_FRAMES, HEIGHT, WIDTH = 12, 24, 32


@dataclass(frozen=True, kw_only=True)
class FakeFrame:
    index: int
    masks: dict
    scores: dict
    presence: dict
    stability: dict
    logits: dict


class FakeSession:
    """Follows each object as a square that steps by what the frame shows; its memory is the square's place."""

    def __init__(self, source, places=None):
        self.source = source
        self.places = places or {}
        self.is_closed = False

    def prompt(self, *, object_id, frame, prompts):
        click = prompts.clicks[0]
        self.places.setdefault(object_id, {})[frame] = (int(click.x), int(click.y))

    def track(self, start=0, stop=None, *, backward=False):
        frames = range(start, self.source.num_frames if stop is None else stop)
        for index in reversed(frames) if backward else frames:
            yield self.step(index, -1 if backward else 1)

    def step(self, index, direction):
        image = self.source.read(index).image
        stride = 1 + int(image[0, 0, 0]) % 2
        masks, logits = {}, {}
        for object_id, places in self.places.items():
            before = places.get(index - direction)
            if index not in places and before is not None:
                places[index] = ((before[0] + stride) % WIDTH, before[1])
            if index in places:
                x, y = places[index]
                masks[object_id] = np.zeros((HEIGHT, WIDTH), dtype=bool)
                masks[object_id][y : y + 6, x : x + 6] = True
                logits[object_id] = np.where(masks[object_id], float(object_id), -1.0)[::2, ::2]
        numbers = {
            object_id: 0.5 + places[object_id][index][0] / 100 for object_id, places in self.items_at(index)
        }
        return FakeFrame(
            index=index, masks=masks, scores=numbers, presence=numbers, stability=numbers, logits=logits
        )

    def items_at(self, index):
        return [(object_id, self.places) for object_id, places in self.places.items() if index in places]

    def save(self, path):
        Path(path).write_text(
            json.dumps([[i, f, *xy] for i, places in self.places.items() for f, xy in places.items()])
        )

    def close(self):
        self.is_closed = True


class FakeTracker:
    """Opens such sessions and keeps them, so that a test can look."""

    def __init__(self, **identity):
        self._identity = {"model": "fake", "device": "cpu", "policy": "recent", **identity}
        self.sessions = []
        self.num_objects = 0

    def identity(self):
        return self._identity

    def open(self, source, *, num_objects):
        self.num_objects = num_objects
        self.sessions.append(FakeSession(source))
        return self.sessions[-1]

    def reopen(self, path, source, *, num_objects):
        self.num_objects = num_objects
        places = {}
        for object_id, frame, x, y in json.loads(Path(path).read_text()):
            places.setdefault(object_id, {})[frame] = (x, y)
        self.sessions.append(FakeSession(source, places))
        return self.sessions[-1]


def click_on(object_id, frame, x, y):
    return ObjectPrompt(object_id=object_id, frame=frame, prompts=PromptSet([Click(x, y)]))


ONE = (click_on(1, 0, 4, 4),)
TWO = merge_prompts([click_on(1, 0, 4, 4), click_on(2, 5, 10, 6)])


def run(job, tracker=None, **options):
    return list(track_video(job, tracker or FakeTracker(), **options))


def yes_from_the_call(number):
    """A question that is answered with yes from the given call on."""
    calls = iter(range(1, 1000))
    return lambda: next(calls) >= number


def digests(folder):
    """Every file of a folder, by name, as its checksum."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def labels_of(out):
    return {int(path.stem): read_indexed_png(path) for path in sorted((out / "masks").iterdir())}
