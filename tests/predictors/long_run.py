"""Follows one object over thousands of frames and says by how much this process grew.

    python long_run.py track|stream WEIGHTS

Beside the test that asks, because it is a process of its own: what a thousand tests left behind would be filled and freed meanwhile.
"""

import json
import sys
from itertools import islice
from pathlib import Path

import numpy as np

from masklet.geometry import Size
from masklet.predictors.features import CacheBudget
from masklet.predictors.video import SessionOptions, VideoSession
from masklet.prompts import Click, PromptSet
from masklet.video.source import ClosingSource, Frame, check_index
from masklet.weights.load import load_model

NUM_FRAMES, SETTLED, SIDE = 5_000, 1_000, 64  # a stream keeps 16 prompted frames, here one in 50
BUDGET = 256 * 2**10
STATM = Path("/proc/self/statm")


class Generated(ClosingSource):
    """Frames made when they are read, so that nothing but the session can hold them."""

    name, size, num_frames, fps = "generated", Size(SIDE, SIDE), NUM_FRAMES, None

    def __iter__(self):
        return (self.read(index) for index in range(NUM_FRAMES))

    def read(self, index):
        check_index(index, NUM_FRAMES, self.name)
        image = np.full((SIDE, SIDE, 3), index % 50, np.uint8)
        left = index % 40
        image[10:30, left : left + 20] = (230, 180, 40)
        return Frame(index=index, pts_s=None, image=image)


def resident_bytes():
    return int(STATM.read_text().split()[1]) * 4096


def growth(frames):
    """Bytes by which memory grew after the settled frame: twice the smaller growth of both halves.

    What is kept of frames grows in both; an allocator that takes some megabytes at once does so in one.
    """
    middle, at = (SETTLED + NUM_FRAMES) // 2, {}
    for frame in frames:
        assert frame.masks[1].shape == (SIDE, SIDE)
        if frame.index in (SETTLED, middle):
            at[frame.index] = resident_bytes()
    return 2 * min(at[middle] - at[SETTLED], resident_bytes() - at[middle])


def growth_while_tracking(weights):
    """By how much memory grew, and the most and the last number of bytes that the session says it holds."""
    options = SessionOptions(features=CacheBudget(memory_bytes=BUDGET), archive_bytes=BUDGET)
    held = []
    with VideoSession(load_model(weights, device="cpu"), Generated(), options=options) as session:
        session.prompt(1, 0, PromptSet([Click(12, 18)]))

        def frames():
            for frame in session.track():
                held.append(session.num_bytes)
                yield frame

        return growth(frames()), max(held), session.num_bytes


def growth_of_a_stream(weights):
    """By how much memory grew, and the bytes that the session says it holds."""
    live, source = VideoSession(load_model(weights, device="cpu")), Generated()

    def frames():
        for frame in islice(source, NUM_FRAMES):
            # a prompt now and then: the first one stays, of the others the latest
            prompts = {1: PromptSet([Click(12, 18)])} if frame.index % 50 == 0 else None
            yield live.step(frame.image, prompts)

    return growth(frames()), live.num_bytes


if __name__ == "__main__":
    run = {"track": growth_while_tracking, "stream": growth_of_a_stream}[sys.argv[1]]
    sys.stdout.write(json.dumps(run(sys.argv[2])))
