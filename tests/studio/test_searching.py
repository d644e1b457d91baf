"""Objects found by words and by likeness: masks with classes, which become objects when they are taken."""

import numpy as np
import pytest

from masklet.errors import PromptError
from masklet.geometry import Box
from masklet.grounding.base import FoundBox
from masklet.studio.searching import ontology_of, words_of
from masklet.studio.store import ClassRow


class Squares:
    """A detector of one word: the bright square of the test pictures."""

    name = "squares"

    def find(self, image, phrases, *, threshold=None):  # noqa: ARG002 - the protocol has it
        unknown = [one for one in phrases if one not in ("square", "tile", "nothing")]
        if unknown:
            raise PromptError(f"The detector does not know {unknown[0]!r}; it knows square.")
        rows, columns = np.nonzero(image[..., 0] > 150)
        box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        return [FoundBox(box=box, score=0.9, label=one) for one in phrases if one != "nothing"]


@pytest.fixture
def search(page, media_id):
    page.client.app.state.studio._grounder = Squares()

    def ask(text, frame=0, how="words", **body):
        path = f"/api/media/{media_id}/frames/{frame}/{how}"
        return page.client.post(path, json=body if how == "similar" else {"text": text, **body})

    return ask


def test_words_find_masks_with_their_class_and_change_nothing(page, search):
    answer = search("square . nothing").json()
    assert [one["label"] for one in answer["suggestions"]] == ["square"]
    assert (answer["missing"], answer["num_known"]) == (["nothing"], 0)
    assert answer["suggestions"][0]["area"] > 0
    assert page.state()["revision"] == 0


def test_an_unknown_word_and_no_word_are_refused_in_the_detectors_words(search):
    answer = search("unicorn")
    assert (answer.status_code, answer.json()["code"]) == (422, "prompt")
    assert "does not know 'unicorn'" in answer.json()["message"]
    assert "Say what to look for" in search(" ").json()["message"]


def test_a_find_is_taken_as_an_object_with_name_and_class_in_one_edit(page, media_id, search):
    classes = [{"id": 4, "name": "thing", "color": "#112233", "words": "square . tile"}]
    page.edit("PUT", f"/api/projects/{page.project_id}/ontology", classes=classes)
    found = search("").json()["suggestions"][0]  # no words: all classes
    assert found["label"] == "thing"
    mask = {"size": [40, 56], "counts": found["counts"]}
    page.prompt(media_id, clicks=(), mask=mask, name="thing 1", class_id=4)
    made = page.state()["media"][0]["objects"][0]
    assert (made["name"], made["class_id"]) == ("thing 1", 4)
    assert page.masks(media_id)[0]["counts"] == found["counts"]
    again = search("thing").json()  # what is there is not proposed again, by neither word
    assert (again["suggestions"], again["num_known"]) == ([], 2)


def test_a_class_that_is_not_there_is_refused_with_the_prompt(page, media_id):
    answer = page.edit(
        "PUT", f"/api/media/{media_id}/objects/1/frames/0/prompts", is_ok=False, clicks=[[16, 18, True]], class_id=9
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (422, "no_class")
    assert page.state()["media"][0]["objects"] == []


def test_what_looks_like_an_object_is_found_with_its_class(page, media_id, search):
    none = search("", how="similar", object_id=1)
    assert (none.status_code, none.json()["code"]) == (409, "no_mask")
    page.prompt(media_id)
    answer = search("", how="similar", frame=5, object_id=1)
    assert answer.status_code == 200, answer.text
    assert answer.json()["missing"] == []
    assert all(one["label"] == "" for one in answer.json()["suggestions"])


def class_row(name, words="", **more):
    return ClassRow(project_id="p", id=1, name=name, color="#000000", words=words, **more)


@pytest.mark.parametrize(
    ("text", "classes", "wanted"),
    [
        ("dog . Cat", [], {"dog": "dog", "Cat": "Cat"}),
        ("vehicle", [("vehicle", "car . bus")], {"car": "vehicle", "bus": "vehicle"}),
        ("Car", [("vehicle", "car . bus")], {"Car": "vehicle"}),
        ("PERSON . car", [("person", "")], {"person": "person", "car": "car"}),
        ("", [("person", ""), ("pet", "dog, cat")], {"person": "person", "dog": "pet", "cat": "pet"}),
    ],
)
def test_words_are_brought_to_classes(text, classes, wanted):
    rows = [class_row(name, words) for name, words in classes]
    assert dict(ontology_of(text, rows).classes) == wanted
    assert words_of(class_row("a", " b . c ")) == ("b", "c")
