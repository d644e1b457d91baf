"""Words and classes, however they are written."""

import pytest

from masklet.errors import FormatError, PromptError
from masklet.pipeline.ontology import Ontology, as_ontology, labels_named, read_ontology

SAME = {"puppy": "dog", "hound": "dog", "cat": "cat"}


@pytest.mark.parametrize(
    "text",
    [
        "puppy: dog\nhound: dog\ncat: cat\n",
        "puppy . hound: dog\ncat:\n",
        '{"puppy": "dog", "hound": "dog", "cat": "cat"}',
        "classes:\n  dog: [puppy, hound]\n  cat:\n",
        "classes:\n  dog: puppy . hound\n  cat: cat\n",
    ],
)
def test_every_way_of_writing_says_the_same(text, tmp_path):
    path = tmp_path / "classes.yaml"
    path.write_text(text)
    found = read_ontology(path)
    assert dict(found.classes) == SAME
    assert found.names == ("dog", "cat")
    assert [(one.id, one.name) for one in found.labels().values()] == [(1, "dog"), (2, "cat")]


def test_lists_and_texts_name_classes_by_their_words():
    assert dict(as_ontology("dog . ball").classes) == {"dog": "dog", "ball": "ball"}
    assert dict(as_ontology(["dog", "red ball"]).classes) == {"dog": "dog", "red ball": "red ball"}
    assert as_ontology(Ontology({"a": "b"})).describe() == '[["a", "b"]]'


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({}, "at least one line"),
        ({"dog": ["x"]}, "are texts"),
        (7, "maps words"),
        ({"dog": " "}, "no class"),
        ({"yes": True}, "quotation"),
    ],
)
def test_what_is_no_ontology_is_refused(value, reason):
    with pytest.raises(PromptError, match=reason):
        as_ontology(value)


def test_files_that_are_no_yaml_are_refused(tmp_path):
    path = tmp_path / "classes.yaml"
    path.write_text("dog: [puppy")
    with pytest.raises(FormatError, match="no YAML"):
        read_ontology(path)
    with pytest.raises(FormatError, match="cannot be read"):
        read_ontology(tmp_path / "absent.yaml")
    path.write_bytes(b"a" * (1 << 20) + b"aa")
    with pytest.raises(FormatError, match="too large"):
        read_ontology(path)
    path.write_text("dog: !!python/object/apply:os.system ['true']")
    with pytest.raises(FormatError, match="no YAML"):
        read_ontology(path)


def test_labels_have_colours_of_their_own():
    assert len({one.color for one in labels_named(["a", "b", "c"]).values()}) == 3


def test_classes_may_be_a_list_and_what_cannot_be_a_class_is_told():
    assert as_ontology({"classes": ["dog", "cat . kitten"]}) == as_ontology(["dog", "cat . kitten"])
    with pytest.raises(PromptError, match="write one line for each class, dog: dog"):
        as_ontology({"classes": [{"name": "dog"}]})
    with pytest.raises(PromptError, match="put quotation marks"):
        as_ontology({True: "dog"})
