import numpy as np
import pytest

from masklet.annotations.storage import load
from masklet.errors import FormatError, PromptError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.layouts import ReadClip
from masklet.evaluation.recording import claim_folder, places_left, record_clip
from masklet.geometry import Size
from masklet.masks import rle

SIZE = Size(12, 16)


def square(left):
    mask = np.zeros(SIZE.hw, bool)
    mask[3:8, left : left + 5] = True
    return mask


class MadePlace:
    """A clip that needs no files."""

    def __init__(self, name):
        self.name = name

    def read(self):
        masks = tuple(rle.encode(square(2 + i)) for i in range(4))
        read_frame = lambda _: np.zeros((*SIZE.hw, 3), np.uint8)  # noqa: E731
        return ReadClip(
            clip=Clip(name=self.name, size=SIZE, num_frames=4, truth={7: masks}, read_frame=read_frame)
        )


class Repeating:
    """Repeats the prompted mask, remembers which clips it was asked for, and fails on one."""

    def __init__(self, bad=None):
        self.asked, self.bad = [], bad

    def __call__(self, clip, starts):
        self.asked.append(clip.name)
        if clip.name == self.bad:
            raise PromptError("no.")
        for _ in range(clip.num_frames):
            yield {i: start.prompts.mask.mask for i, start in starts.items()}


PLACES = [MadePlace("a"), MadePlace("b")]


def record(tracker, folder, places=PLACES):
    for place in places_left(places, folder):
        record_clip(tracker, place, folder, prompt="mask")


def test_masks_are_kept_as_documents_and_not_made_again(tmp_path):
    tracker = Repeating()
    record(tracker, tmp_path)
    kept = load(tmp_path / "b.json").tracks[7].frames
    assert np.array_equal(kept[3].mask(SIZE), square(2))
    (tmp_path / "a.json").unlink()
    record(tracker, tmp_path)
    assert tracker.asked == ["a", "b", "a"]


def test_folder_of_another_run_is_refused(tmp_path):
    claim_folder(tmp_path / "masks", {"prompt": "mask"})
    claim_folder(tmp_path / "masks", {"prompt": "mask"})
    with pytest.raises(FormatError, match="another model"):
        claim_folder(tmp_path / "masks", {"prompt": "box"})


def test_clip_that_fails_leaves_no_document(tmp_path):
    with pytest.raises(PromptError):
        record(Repeating(bad="a"), tmp_path)
    assert not (tmp_path / "a.json").exists()
