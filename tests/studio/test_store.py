"""The database: versions, edits that happen once, and a way back that survives a restart."""

import sqlite3

import pytest

from masklet.errors import StudioError
from masklet.studio.refusals import RefusedError
from masklet.studio.store import EditRequest, MediaRow, ResultRow, Store
from masklet.studio.store.schema import VERSION

MEDIA = "0123456789abcdef"


def add_media(store, project_id):
    row = MediaRow(
        id=MEDIA, project_id=project_id, name="a", file=f"{MEDIA}.png", sha256="0" * 64, num_bytes=1, kind="video",
        width=4, height=4, num_frames=9, fps=None, duration_s=None, is_variable_frame_rate=False, codec=None,
        container=None, rotation=0, damage=None, created_s=0.0,
    )  # fmt: skip
    store.projects.add_media(row)


def result(frame, *, is_prompted=False, is_backward=False, counts="`0"):
    return ResultRow(
        media_id=MEDIA, object_id=1, frame=frame, counts=counts, area=0, score=0.5, presence=0.5, stability=0.5,
        is_prompted=is_prompted, is_backward=is_backward, is_kept=True,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def project_id(store):
    project_id = store.projects.create("a").id
    add_media(store, project_id)
    return project_id


def request(project_id, revision, edit_id="edit-0001", action="test"):
    return EditRequest(project_id=project_id, revision=revision, edit_id=edit_id, action=action)


def put_object(recorder, name="it"):
    recorder.put(
        "objects",
        {"media_id": MEDIA, "id": 1, "name": name, "color": "#ffffff", "class_id": None, "is_visible": 1, "is_locked": 0},
    )  # fmt: skip
    return {"object_id": 1}


def put_prompt(recorder):
    put_object(recorder)
    recorder.drop_dependents(MEDIA, 1, 4, 2)
    recorder.put(
        "prompts", {"media_id": MEDIA, "object_id": 1, "frame": 4, "prompts": '{"clicks":[[1,1,true]]}'}
    )
    return {}


def test_a_new_database_has_the_present_version_and_syncs_every_edit(store, tmp_path):
    connection = sqlite3.connect(tmp_path / "studio.sqlite3")
    assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSION
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    connection.close()
    with store._database.change() as safe:
        assert safe.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_newer_database_is_refused_and_left_alone(tmp_path):
    connection = sqlite3.connect(tmp_path / "studio.sqlite3")
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StudioError, match="update masklet"):
        Store(tmp_path)


def test_a_damaged_database_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "studio.sqlite3").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StudioError, match="cannot be opened"):
        Store(tmp_path)


def test_an_edit_moves_the_revision_and_the_same_id_is_done_once(store, project_id):
    first = store.edits.edit(request(project_id, 0), put_object)
    again = store.edits.edit(request(project_id, 0), put_object)
    assert (first.revision, first.is_repeat) == (1, False)
    assert (again.revision, again.is_repeat, again.reply) == (1, True, {"object_id": 1})
    assert store.edits.num_steps(project_id) == (1, 0)


def test_a_stale_edit_is_refused_with_the_present_state(store, project_id):
    store.edits.edit(request(project_id, 0), put_object)
    with pytest.raises(RefusedError) as refused:
        store.edits.edit(request(project_id, 0, "edit-0002"), put_object)
    assert refused.value.status == 409
    assert refused.value.state["revision"] == 1
    assert refused.value.state["media"][0]["objects"][0]["name"] == "it"


def test_an_edit_that_fails_changes_nothing(store, project_id):
    def fail(recorder):
        put_object(recorder)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.edits.edit(request(project_id, 0), fail)
    assert store.projects.objects(MEDIA) == []
    assert store.projects.get(project_id).revision == 0


def test_undo_and_redo_go_both_ways_after_a_restart(store, project_id, tmp_path):
    store.edits.edit(request(project_id, 0), put_object)
    store.edits.edit(request(project_id, 1, "edit-0002"), lambda one: put_object(one, "other"))
    store.close()
    again = Store(tmp_path)
    again.edits.step(request(project_id, 2, "undo-0001"), "undo")
    assert [one.name for one in again.projects.objects(MEDIA)] == ["it"]
    again.edits.step(request(project_id, 3, "undo-0002"), "undo")
    assert again.projects.objects(MEDIA) == []
    again.edits.step(request(project_id, 4, "redo-0001"), "redo")
    again.edits.step(request(project_id, 5, "redo-0002"), "redo")
    assert [one.name for one in again.projects.objects(MEDIA)] == ["other"]
    with pytest.raises(RefusedError, match="nothing to redo"):
        again.edits.step(request(project_id, 6, "redo-0003"), "redo")
    again.close()


def test_a_new_edit_ends_what_could_be_redone(store, project_id):
    store.edits.edit(request(project_id, 0), put_object)
    store.edits.step(request(project_id, 1, "undo-0001"), "undo")
    store.edits.edit(request(project_id, 2, "edit-0002"), put_object)
    assert store.edits.num_steps(project_id) == (1, 0)


def test_a_prompt_drops_what_rests_on_it_and_undo_brings_it_back(store, project_id):
    store.edits.edit(request(project_id, 0), put_object)
    rows = [
        result(1),
        result(2, is_backward=True),
        result(6),
        result(7, is_backward=True),
        result(8, is_prompted=True),
    ]
    store.results.put(rows)
    store.edits.edit(request(project_id, 1, "edit-0002"), put_prompt)
    assert [one.frame for one in store.results.of_object(MEDIA, 1)] == [1, 7, 8]
    store.results.put([result(5)])  # tracked since: rests on the prompt that is taken back now
    edited = store.edits.step(request(project_id, 2, "undo-0001"), "undo", look_ahead=2)
    assert store.results.of_object(MEDIA, 1) == rows
    assert edited.touched == ((MEDIA, 1),)


@pytest.mark.usefixtures("project_id")
def test_masks_of_an_object_that_is_gone_are_not_stored(store):
    store.results.put([result(1)])
    assert store.results.of_object(MEDIA, 1) == []


def test_removing_a_project_removes_all_rows(store, project_id):
    store.edits.edit(request(project_id, 0), put_prompt)
    store.results.put([result(1)])
    store.projects.remove(project_id)
    left = [
        store._database.rows(f"SELECT * FROM {table}")
        for table in ("media", "objects", "prompts", "results", "edits", "acknowledged")
    ]
    assert left == [[]] * 6
