"""Constant memory over thousands of frames, pushed or read lazily."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from masklet.geometry import Size
from masklet.predictors.features import CacheBudget
from masklet.predictors.video import SessionOptions, VideoSession
from masklet.prompts import Click, PromptSet
from masklet.video.source import ClosingSource, Frame, check_index

NUM_FRAMES, SETTLED, SIDE = 5_000, 200, 64
BUDGET = 256 * 2**10
# Results are kept, as run lengths: about a kilobyte per frame. Frames kept by mistake would take 60 MB, encoded ones 40.
MOST_GROWTH = 16 * 2**20
STATM = Path("/proc/self/statm")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not STATM.exists(), reason="the memory of a process is read from /proc"),
]


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


@pytest.fixture
def debug_model(make_lively):
    return make_lively("debug")


def test_memory_does_not_grow_while_a_long_video_is_tracked(debug_model):
    options = SessionOptions(features=CacheBudget(memory_bytes=BUDGET), archive_bytes=BUDGET)
    with VideoSession(debug_model, Generated(), options=options) as session:
        session.prompt(1, 0, PromptSet([Click(12, 18)]))

        def frames():
            for frame in session.track():
                assert session.num_bytes <= 2 * BUDGET
                yield frame

        assert growth(frames()) < MOST_GROWTH
        assert session.num_bytes > BUDGET


def test_memory_does_not_grow_on_a_long_stream(debug_model):
    live, source = VideoSession(debug_model), Generated()

    def frames():
        for frame in islice(source, NUM_FRAMES):
            # a prompt now and then: the first one stays, of the others the latest
            prompts = {1: PromptSet([Click(12, 18)])} if frame.index % 50 == 0 else None
            yield live.step(frame.image, prompts)

    assert growth(frames()) < MOST_GROWTH // 4
    assert live.num_bytes == 0
