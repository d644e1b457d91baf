"""The detector that the package carries."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

import masklet.grounding
from masklet.errors import ConfigError
from masklet.grounding.embedded import (
    ClassMaps,
    EmbeddedGrounder,
    describe_mismatch,
    embedded_head_path,
    windows_of,
)
from masklet.grounding.head_file import read_head
from masklet.grounding.registry import load_grounder
from masklet.weights.load import embedded_card

CARD = Path(masklet.grounding.__file__).parent / "embedded" / "grounder.md"


def test_it_is_small_and_its_card_says_how_it_is_made_and_measured():
    assert embedded_head_path().stat().st_size <= 3_000_000
    words = CARD.read_text(encoding="utf-8")
    assert "tools/train_grounder.py" in words
    assert "benchmarks/grounder.py" in words


def test_the_header_names_the_encoder_and_another_one_is_told_not_refused():
    trained_on = read_head(embedded_head_path()).encoder_sha256
    assert len(trained_on) == 64
    said = describe_mismatch(trained_on, embedded_card().sha256)
    assert (said is None) == (trained_on == embedded_card().sha256)


def test_it_looks_at_an_image_and_finds_no_dog_in_grey():
    grounder = load_grounder()
    assert isinstance(grounder, EmbeddedGrounder)
    assert grounder.find(np.full((90, 120, 3), 127, np.uint8), ["dogs", "cat"]) == []


class SeesRed(EmbeddedGrounder):
    """Takes what is red for a dog, 96 x 96 cells to whatever it looks at."""

    def look(self, image):
        cells = cv2.resize(image[..., 0], (96, 96), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        probabilities = np.zeros((21, 96, 96), np.float32)
        probabilities[1 + self.vocabulary.classes.index("dog")] = cells
        return ClassMaps(probabilities=probabilities, reach=np.zeros((4, 96, 96), np.float32))


def test_small_objects_are_found_in_enlarged_windows_and_large_ones_once():
    image = np.zeros((480, 960, 3), np.uint8)
    image[40:440, 300:700, 0] = 255  # no window holds all of it
    image[101:108, 31:41, 0] = 255  # too few cells of the whole image
    found = SeesRed().find(image, ["dogs"])
    edges = sorted(tuple(round(edge / 10) for edge in one.box.xyxy) for one in found)
    assert edges == [(3, 10, 4, 11), (30, 4, 70, 44)]
    assert {one.label for one in found} == {"dogs"}
    (large,) = SeesRed(num_windows=1).find(image, ["dogs"])
    assert tuple(round(edge / 10) for edge in large.box.xyxy) == (30, 4, 70, 44)


def test_windows_cover_the_image_and_overlap():
    for number in (2, 3):
        windows = windows_of(number)
        assert windows[0].tolist() == [0, 0, 1, 1]
        assert len(windows) == 1 + number**2
        columns = sorted({(float(one[0]), float(one[2])) for one in windows[1:]})
        assert columns[0][0] == 0
        assert columns[-1][1] == pytest.approx(1)
        assert all(after[0] < before[1] for before, after in pairwise(columns))
    with pytest.raises(ConfigError, match="at least 1 window"):
        windows_of(0)
