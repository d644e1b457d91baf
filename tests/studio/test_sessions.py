"""Sessions sleep on disk and come back with the same masks, whatever happened meanwhile."""

import pytest


def pool_of(page):
    return page.client.app.state.studio.pool


@pytest.fixture
def narrow(open_studio, page_class):
    """A studio that keeps one session in memory."""
    with open_studio(num_sessions=1) as client:
        yield page_class(client, client.post("/api/projects", json={"name": "a"}).json()["id"])


def test_the_least_recently_used_session_goes_to_disk_and_comes_back(narrow, video, add_to, settings):
    first, second = add_to(narrow, video), add_to(narrow, video)
    narrow.prompt(first)
    narrow.track(first, stop=5)
    before = narrow.masks(first)
    narrow.prompt(second)
    assert [path.stem for path in settings.sessions_folder.iterdir()] == [first]
    assert pool_of(narrow).num_open == 1
    narrow.track(first)
    narrow.prompt(second, object_id=2)
    narrow.track(second, keeps_apart=False)
    assert narrow.masks(first)[:5] == before
    unbroken, spilled = narrow.masks(second), narrow.masks(first)
    assert [one["counts"] for one in spilled] == [one["counts"] for one in unbroken if one["object_id"] == 1]


def test_a_studio_that_is_started_again_goes_on_where_it_was(open_studio, page_class, video, add_to):
    with open_studio() as client:
        page = page_class(client, client.post("/api/projects", json={"name": "a"}).json()["id"])
        media_id = add_to(page, video)
        page.prompt(media_id)
        page.track(media_id, stop=5)
        before, revision = page.masks(media_id), page.revision
    with open_studio() as client:
        page.client = client
        assert page.state()["revision"] == revision
        assert page.masks(media_id) == before
        assert page.track(media_id)["status"] == "done"
        assert page.masks(media_id)[:5] == before
        page.edit("POST", f"/api/projects/{page.project_id}/undo")
        assert page.masks(media_id) == []


@pytest.mark.parametrize("harm", ["cut", "gone", "old"])
def test_without_a_whole_saved_session_the_database_is_enough(narrow, video, add_to, settings, harm):
    first, second = add_to(narrow, video), add_to(narrow, video)
    narrow.prompt(first)
    narrow.track(first, stop=5)
    narrow.prompt(second)
    (saved,) = settings.sessions_folder.iterdir()
    if harm == "cut":
        saved.write_bytes(saved.read_bytes()[:100])
    elif harm == "gone":
        saved.unlink()
    else:  # the database moved on while the session slept
        narrow.edit("POST", f"/api/media/{first}/objects/1/remove")
        narrow.edit("POST", f"/api/projects/{narrow.project_id}/undo")
    before = narrow.masks(first)
    assert len(before) == 5
    assert narrow.track(first)["status"] == "done"
    kept = [one for one in narrow.masks(first) if one["frame"] < 5]
    assert kept == [one for one in before if one in kept]
    assert len(narrow.masks(first)) == 10


def test_encoded_frames_lie_in_the_data_folder_and_what_a_crash_left_goes(open_studio, settings):
    left = settings.cache_folder / "masklet-features-left" / "0.safetensors"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x")
    with open_studio() as client:
        assert list(settings.cache_folder.iterdir()) == []
        features = client.app.state.studio.pool._options().features
        assert features.folder == settings.cache_folder
        assert 0 < features.disk_bytes <= settings.feature_disk_bytes
