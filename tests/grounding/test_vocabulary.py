"""Which class a phrase means, and what is said when it means none."""

import pytest

from masklet.errors import PromptError
from masklet.grounding.vocabulary import SYNONYMS, VOC_CLASSES, Vocabulary


@pytest.mark.parametrize(
    ("phrase", "name"),
    [
        ("dog", "dog"),
        ("the Dogs", "dog"),
        ("puppies", "dog"),
        ("People", "person"),
        ("women", "person"),
        ("all buses", "bus"),
        ("sheep", "sheep"),
        ("couches", "sofa"),
        ("TV", "tv monitor"),
        ("an airplane", "aeroplane"),
        ("potted-plants", "potted plant"),
        ("a bus", "bus"),
        ("oxen", "cow"),
    ],
)
def test_names_plurals_and_synonyms(phrase, name):
    assert Vocabulary().class_of(phrase) == name


@pytest.mark.parametrize("phrase", ["ball", "hot dog", "brown dog", "dogma", "s", "the"])
def test_an_unknown_phrase_says_what_is_known_and_what_to_do(phrase):
    with pytest.raises(PromptError) as refused:
        Vocabulary().class_of(phrase)
    words = str(refused.value)
    assert repr(phrase) in words
    assert all(name in words for name in VOC_CLASSES)
    assert "masklet[text]" in words


def test_no_word_means_two_classes():
    words = [*VOC_CLASSES, *(word for name in VOC_CLASSES for word in SYNONYMS[name])]
    assert len(words) == len(set(words))


def test_a_resembling_word_is_asked_for_last():
    asked = []

    def resembling(phrase, known):
        asked.append(phrase)
        return "dog" if phrase == "wolfhound" and "dog" in known else None

    vocabulary = Vocabulary(resembling=resembling)
    assert vocabulary.class_of("dogs") == "dog"
    assert vocabulary.class_of("wolfhound") == "dog"
    assert asked == ["wolfhound"]
    with pytest.raises(PromptError):
        vocabulary.class_of("gravity")
