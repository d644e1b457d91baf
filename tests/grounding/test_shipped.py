"""The detector that the package carries."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import masklet.grounding
from masklet.grounding.embedded import ClassMaps, EmbeddedGrounder, embedded_network_path
from masklet.grounding.registry import load_grounder

CARD = Path(masklet.grounding.__file__).parent / "embedded" / "grounder.md"


def test_it_is_small_and_its_card_says_how_it_is_made_and_measured():
    assert embedded_network_path().stat().st_size <= 3_000_000
    words = CARD.read_text(encoding="utf-8")
    assert "tools/train_grounder.py" in words
    assert "benchmarks/grounder.py" in words


def test_it_looks_at_an_image_and_finds_no_dog_in_grey():
    grounder = load_grounder()
    assert isinstance(grounder, EmbeddedGrounder)
    assert grounder.find(np.full((90, 120, 3), 127, np.uint8), ["dogs", "cat"]) == []


class SeesRed(EmbeddedGrounder):
    """Takes what is red for a dog, four pixels of the resized picture to a cell."""

    def look(self, image, side=416):
        height, width = (round(edge * side / max(image.shape[:2]) / 4) for edge in image.shape[:2])
        cells = (
            cv2.resize(image[..., 0], (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        )
        probabilities = np.zeros((21, height, width), np.float32)
        probabilities[1 + self.vocabulary.classes.index("dog")] = cells
        return ClassMaps(probabilities=probabilities, reach=np.zeros((4, height, width), np.float32))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("embedded-fast", [(300, 40)]),
        ("embedded", [(100, 100), (300, 40)]),
    ],
)
def test_small_objects_are_found_enlarged_and_large_ones_once(name, expected):
    image = np.zeros((480, 960, 3), np.uint8)
    image[40:440, 300:700, 0] = 255
    image[100:114, 100:114, 0] = 255
    found = SeesRed(name=name).find(image, ["dogs"])
    corners = sorted((one.box.x0, one.box.y0) for one in found)
    assert len(corners) == len(expected)
    for corner, wanted in zip(corners, expected, strict=True):
        assert np.allclose(corner, wanted, atol=10)
    assert {one.label for one in found} == {"dogs"}
