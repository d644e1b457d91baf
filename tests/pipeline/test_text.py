"""From words to labelled prompts, with a detector that knows where things are."""

import numpy as np
import pytest
from PIL import Image

from masklet.errors import PromptError
from masklet.geometry import Box
from masklet.grounding.base import FoundBox
from masklet.pipeline import find_in_image, find_in_video

HEIGHT, WIDTH = 30, 40


class KnowingGrounder:
    """Finds the brightness of a frame by a list of (phrase, from which brightness, box, score)."""

    name = "knowing"

    def __init__(self, *things):
        self.things = things
        self.asked = []

    def find(self, image, phrases, *, threshold=None):
        level = int(image.mean())
        self.asked.append((level, tuple(phrases)))
        return [
            FoundBox(box=Box(*box), score=score, label=phrase)
            for phrase, first, box, score in self.things
            if phrase in phrases and level >= first and score >= (threshold or 0)
        ]


@pytest.fixture
def clip(tmp_path):
    """60 grey frames, each as bright as its index."""
    folder = tmp_path / "clip"
    folder.mkdir()
    for index in range(60):
        Image.fromarray(np.full((HEIGHT, WIDTH, 3), index, np.uint8)).save(folder / f"{index}.png")
    return folder


def test_each_box_becomes_an_object_with_its_words():
    grounder = KnowingGrounder(("dog", 0, (1, 2, 9, 9), 0.9), ("red ball", 0, (20, 3, 26, 9), 0.6))
    found = find_in_image(np.zeros((HEIGHT, WIDTH, 3), np.uint8), "dog . red ball", grounder, first_id=4)
    assert found.labels == {4: "dog", 5: "red ball"}
    assert found.scores == {4: 0.9, 5: 0.6}
    assert [one.prompts.box for one in found.prompts] == [Box(1, 2, 9, 9), Box(20, 3, 26, 9)]
    assert found.missing == ()


def test_what_the_first_frame_does_not_show_is_looked_for_later(clip):
    grounder = KnowingGrounder(("dog", 0, (1, 2, 9, 9), 0.9), ("cat", 40, (20, 3, 26, 9), 0.8))
    found = find_in_video(clip, "dog . cat . cow", grounder)
    assert [(one.object_id, one.frame) for one in found.prompts] == [(1, 0), (2, 50)]
    assert found.labels == {1: "dog", 2: "cat"}
    assert found.missing == ("cow",)
    assert grounder.asked == [(0, ("dog", "cat", "cow")), (25, ("cat", "cow")), (50, ("cat", "cow"))]


def test_only_the_range_is_looked_at(clip):
    grounder = KnowingGrounder(("cat", 0, (20, 3, 26, 9), 0.8))
    found = find_in_video(clip, "cat", grounder, start=7, stop=20)
    assert [one.frame for one in found.prompts] == [7]


def test_nothing_found_is_one_sentence(clip):
    with pytest.raises(PromptError, match=r"Nothing in clip was taken for 'cat', 'cow'; lower --threshold"):
        find_in_video(clip, "cat . cow", KnowingGrounder())


def test_more_objects_than_ids_are_refused():
    grounder = KnowingGrounder(*[("dog", 0, (x, 2, x + 1, 9), 0.5) for x in range(20)])
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    with pytest.raises(PromptError, match="finds 20 objects in the image and there is room for 6"):
        find_in_image(image, "dog", grounder, first_id=250)
