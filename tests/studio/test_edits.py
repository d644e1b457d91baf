"""Edits over HTTP: objects, prompts, classes, undo, and pages that do not know of each other."""

import numpy as np
import pytest

from masklet.masks import rle
from masklet.predictors.restore import known_object

OBJECTS = "/api/media/{}/objects"


def objects_of(page, number=0):
    return page.state()["media"][number]["objects"]


def test_an_object_is_added_changed_and_removed(page, media_id):
    path = OBJECTS.format(media_id)
    assert page.edit("POST", path, name="cup").json()["object_id"] == 1
    page.edit("PATCH", f"{path}/1", name="mug", color="#102030", is_visible=False)
    (one,) = objects_of(page)
    assert (one["name"], one["color"], one["is_visible"], one["is_locked"]) == (
        "mug",
        "#102030",
        False,
        False,
    )
    page.edit("POST", f"{path}/1/remove")
    assert objects_of(page) == []
    page.edit("POST", f"/api/projects/{page.project_id}/undo")
    assert objects_of(page)[0]["name"] == "mug"


def test_a_locked_object_keeps_its_prompts(page, media_id):
    page.prompt(media_id)
    page.edit("PATCH", f"{OBJECTS.format(media_id)}/1", is_locked=True)
    answer = page.prompt(media_id, clicks=((20, 20, True),), is_ok=False)
    assert (answer.status_code, answer.json()["code"]) == (409, "locked")
    answer = page.edit("POST", f"{OBJECTS.format(media_id)}/1/remove", is_ok=False)
    assert answer.json()["code"] == "locked"


def test_classes_are_set_given_and_taken_away(page, media_id):
    path = f"/api/projects/{page.project_id}/ontology"
    classes = [{"id": 0, "name": "cup", "color": "#112233", "shortcut": "c"}, {"id": 1, "name": "ball", "color": "#445566"}]  # fmt: skip
    page.edit("PUT", path, classes=classes)
    page.edit("POST", OBJECTS.format(media_id), class_id=1)
    assert page.client.get(path).json()["classes"][0] == {**classes[0], "words": ""}
    page.edit("PUT", path, classes=classes[:1])
    assert objects_of(page)[0]["class_id"] is None
    page.edit("POST", f"/api/projects/{page.project_id}/undo")
    assert objects_of(page)[0]["class_id"] == 1
    answer = page.edit("POST", OBJECTS.format(media_id), class_id=7, is_ok=False)
    assert answer.json()["code"] == "no_class"


def test_two_classes_with_one_shortcut_are_refused(page):
    classes = [{"id": number, "name": "a", "color": "#112233", "shortcut": "c"} for number in (0, 1)]
    answer = page.edit("PUT", f"/api/projects/{page.project_id}/ontology", classes=classes, is_ok=False)
    assert (answer.status_code, answer.json()["code"]) == (422, "classes")


def test_a_second_page_with_an_old_revision_gets_the_present_state_and_loses_nothing(
    page, media_id, page_class
):
    other = page_class(page.client, page.project_id)
    page.prompt(media_id)
    answer = other.edit("POST", OBJECTS.format(media_id), is_ok=False)
    assert answer.status_code == 409
    assert answer.json()["code"] == "stale"
    assert answer.json()["state"] == page.state()
    other.revision = answer.json()["state"]["revision"]
    assert other.edit("POST", OBJECTS.format(media_id)).json()["object_id"] == 2
    assert len(objects_of(page)) == 2


def test_the_same_edit_sent_twice_is_done_once(page, media_id):
    path = f"/api/media/{media_id}/objects/1/frames/0/prompts"
    body = {"revision": 0, "edit_id": "sent-twice", "clicks": [[16, 18, True]]}
    first, second = (page.client.put(path, json=body) for _ in range(2))
    assert first.json() == second.json()
    assert page.state()["revision"] == 1


def test_undo_gives_back_prompt_and_tracked_masks_exactly(page, media_id):
    page.prompt(media_id)
    page.track(media_id)
    before = page.masks(media_id)
    page.prompt(media_id, clicks=((16, 18, True), (40, 30, False)))
    assert [one["frame"] for one in page.masks(media_id)] == [0]
    page.edit("POST", f"/api/projects/{page.project_id}/undo")
    assert page.masks(media_id) == before
    assert objects_of(page)[0]["prompts"] == [
        {"frame": 0, "clicks": [[16.0, 18.0, True]], "box": None, "mask": None}
    ]
    job = page.track(media_id, direction="both")
    assert (job["status"], job["num_done"], job["num_total"]) == ("done", 20, 20)
    assert page.masks(media_id) == before  # nothing was stale, so nothing was computed again


def test_undo_of_the_first_prompt_removes_the_object_and_redo_brings_it_back(page, media_id):
    mask = page.prompt(media_id).json()["mask"]
    page.edit("POST", f"/api/projects/{page.project_id}/undo")
    assert (objects_of(page), page.masks(media_id)) == ([], [])
    page.edit("POST", f"/api/projects/{page.project_id}/redo")
    assert page.masks(media_id) == [mask]
    assert page.prompt(media_id, object_id=2).json()["object_id"] == 2


def test_clear_takes_back_one_frame(page, media_id):
    page.prompt(media_id)
    page.prompt(media_id, frame=5)
    page.track(media_id)
    page.edit("POST", f"{OBJECTS.format(media_id)}/1/frames/5/clear")
    assert [one["frame"] for one in page.masks(media_id)] == [0]  # the others looked ahead to frame 5
    answer = page.edit("POST", f"{OBJECTS.format(media_id)}/1/frames/5/clear", is_ok=False)
    assert answer.status_code == 404


def test_session_and_database_drop_the_same_masks(page, media_id, client):
    studio = client.app.state.studio
    media = studio.store.projects.media(media_id)

    def frames_of_both():
        session = studio.engine.call(lambda: studio.pool.get(media))
        stored = [one["frame"] for one in page.masks(media_id)]
        assert sorted(known_object(session, 1).results) == stored
        return stored

    page.prompt(media_id, frame=2)
    page.track(media_id, start=2)
    page.prompt(media_id, frame=6)
    assert frames_of_both() == [2, 6]  # the others looked ahead to frame 6 or came past it
    page.track(media_id, start=2)
    page.prompt(media_id, frame=8)
    assert frames_of_both() == [2, 3, 4, 5, 6, 8]
    page.track(media_id, direction="both")
    page.prompt(media_id, frame=1)
    assert frames_of_both() == [1, 2, 6, 8]
    page.edit("POST", f"/api/projects/{page.project_id}/undo")
    assert frames_of_both() == list(range(10))
    page.edit("POST", f"{OBJECTS.format(media_id)}/1/frames/6/clear")
    assert frames_of_both() == [2, 8]


def test_a_correction_leaves_what_is_far_before_it(page, media_id, monkeypatch):
    monkeypatch.setattr("masklet.models.config.LOOK_AHEAD", 2)
    page.prompt(media_id)
    page.track(media_id)
    before = page.masks(media_id)
    mask = {"size": [40, 56], "counts": before[3]["counts"]}
    answer = page.prompt(media_id, frame=6, clicks=(), mask=mask).json()
    assert answer["dropped"] == {"after": 3, "before": 9}
    assert page.masks(media_id) == [
        *before[:4],
        next(one for one in page.masks(media_id) if one["frame"] == 6),
    ]
    page.track(media_id)
    after = page.masks(media_id)
    assert after[:4] == before[:4]
    assert after[5] != before[5]
    page.prompt(media_id, object_id=2)
    page.prompt(media_id, object_id=2, frame=6, clicks=(), mask=mask)
    page.track(media_id, keeps_apart=False)
    afresh = [{**one, "object_id": 1} for one in page.masks(media_id) if one["object_id"] == 2]
    assert afresh == after  # what was left is what would be found
    for _ in range(3):
        page.edit("POST", f"/api/projects/{page.project_id}/undo")
    assert page.masks(media_id) == before


def test_a_mask_is_a_prompt_and_its_own_answer(page, media_id):
    mask = page.prompt(media_id).json()["mask"]
    given = {"size": [40, 56], "counts": mask["counts"]}
    answer = page.prompt(media_id, object_id=2, frame=3, clicks=(), mask=given).json()
    assert answer["mask"]["counts"] == mask["counts"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"clicks": []}, "prompt"),
        ({"clicks": [[99, 5, True]]}, "prompt"),
        ({"clicks": [[1, 5, True]] * 1025}, "invalid"),
        ({"clicks": [["a", 5, True]]}, "invalid"),
        ({"clicks": [], "box": [5, 5, 5, 9]}, "prompt"),
        ({"clicks": [], "mask": {"size": [2, 2], "counts": "4"}}, "prompt"),
        ({"clicks": [], "mask": {"size": [40, 56], "counts": "\u00e9~"}}, "prompt"),
        ({"clicks": [], "unknown": 1}, "invalid"),
    ],
)
def test_prompts_that_do_not_fit_are_refused(page, media_id, body, code):
    path = f"/api/media/{media_id}/objects/1/frames/0/prompts"
    answer = page.edit("PUT", path, is_ok=False, **body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert page.state()["revision"] == 0


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "99999999999999999999"])
def test_numbers_beyond_all_bounds_are_refused(page, media_id, number):
    body = f'{{"revision": 0, "edit_id": "odd-numbers", "clicks": [[{number}, 5, true]]}}'
    path = f"/api/media/{media_id}/objects/1/frames/0/prompts"
    answer = page.client.put(path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def taken(frame_masks, **more):
    objects = [{"mask": {"size": [40, 56], "counts": counts}, **look} for counts, look in frame_masks]
    return {"objects": objects, **more}


def test_objects_that_are_taken_together_go_and_come_together(page, media_id):
    page.prompt(media_id)
    first, second = (
        rle.encode(np.pad(np.ones((10, size), bool), ((4, 26), (3, 53 - size)))).counts.decode()
        for size in (12, 20)
    )
    path = f"/api/media/{media_id}/frames/2/objects"
    cup = {"id": 4, "name": "cup", "color": "#112233", "shortcut": ""}
    body = taken([(first, {"name": "cup 1", "class_id": 4}), (second, {})], classes=[cup])
    answer = page.edit("POST", path, **body).json()
    assert [(one["object_id"], one["frame"], one["counts"]) for one in answer["masks"]] == [
        (2, 2, first),
        (3, 2, second),
    ]
    whole = page.state()
    assert [(one["name"], one["class_id"]) for one in objects_of(page)[1:]] == [
        ("cup 1", 4),
        ("Object 3", None),
    ]
    assert whole["num_undo"] == 2
    page.edit("POST", f"/api/projects/{page.project_id}/undo")
    state = page.state()
    assert (len(objects_of(page)), state["classes"], state["num_undo"], state["num_redo"]) == (1, [], 1, 1)
    page.edit("POST", f"/api/projects/{page.project_id}/redo")
    assert page.state()["media"] == whole["media"]
    assert [one["counts"] for one in page.masks(media_id) if one["frame"] == 2] == [first, second]
    page.track(media_id)
    assert {one["object_id"] for one in page.masks(media_id) if one["frame"] == 9} == {1, 2, 3}


def test_objects_that_are_taken_together_are_refused_together(page, media_id, client):
    mask = rle.encode(np.pad(np.ones((10, 10), bool), ((4, 26), (3, 43)))).counts.decode()
    path = f"/api/media/{media_id}/frames/0/objects"
    answer = page.edit("POST", path, is_ok=False, **taken([(mask, {}), (mask, {"class_id": 7})]))
    assert (answer.status_code, answer.json()["code"]) == (422, "no_class")
    assert (objects_of(page), page.masks(media_id), page.state()["revision"]) == ([], [], 0)
    studio = client.app.state.studio
    media = studio.store.projects.media(media_id)
    assert studio.engine.call(lambda: studio.pool.get(media).object_ids) == []
    body = {"revision": 0, "edit_id": "taken-twice", **taken([(mask, {}), (mask, {})])}
    assert len({client.post(path, json=body).text for _ in range(2)}) == 1
    assert [one["id"] for one in objects_of(page)] == [1, 2]
