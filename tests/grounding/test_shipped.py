"""The detector that the package carries."""

from pathlib import Path

import numpy as np

import masklet.grounding
from masklet.grounding.embedded import EmbeddedGrounder, describe_mismatch, embedded_head_path
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
