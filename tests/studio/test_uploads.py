"""Files that arrive in parts, whole or not, harmless or not."""

import asyncio
import hashlib

import pytest

from masklet.studio.paths import contain
from masklet.studio.refusals import RefusedError


def begin(client, content, name="clip.mp4", **more):
    body = {"name": name, "num_bytes": len(content), **more}
    return client.post("/api/uploads", json=body)


def put(client, upload_id, offset, part):
    return client.put(f"/api/uploads/{upload_id}", params={"offset": offset}, content=part)


def add(page, upload_id, **more):
    return page.client.post(f"/api/projects/{page.project_id}/media", json={"upload_id": upload_id, **more})


def test_an_upload_goes_on_after_a_cut(page, video):
    upload_id = begin(page.client, video, sha256=hashlib.sha256(video).hexdigest()).json()["id"]
    put(page.client, upload_id, 0, video[:5000])
    assert page.client.get(f"/api/uploads/{upload_id}").json()["num_received"] == 5000
    wrong = put(page.client, upload_id, 4000, video[4000:])
    assert (wrong.status_code, wrong.json()["code"]) == (409, "wrong_offset")
    early = add(page, upload_id)
    assert (early.status_code, early.json()["code"]) == (409, "incomplete")
    put(page.client, upload_id, 5000, video[5000:])
    media = add(page, upload_id).json()
    assert (media["num_frames"], media["width"], media["height"]) == (10, 56, 40)
    assert media["sha256"] == hashlib.sha256(video).hexdigest()
    assert page.client.get(f"/api/uploads/{upload_id}").status_code == 404


def test_a_part_that_is_cut_off_keeps_what_arrived(client):
    uploads = client.app.state.studio.uploads
    upload_id = begin(client, b"0123456789").json()["id"]

    async def cut():
        yield b"0123"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(uploads.append(upload_id, 0, cut()))
    assert client.get(f"/api/uploads/{upload_id}").json()["num_received"] == 4
    assert put(client, upload_id, 4, b"456789").json()["num_received"] == 10


def test_a_file_that_changed_on_the_way_is_refused(page, video, upload_file):
    upload_id = upload_file(page.client, video, sha256="0" * 64)
    answer = add(page, upload_id)
    assert (answer.status_code, answer.json()["code"]) == (422, "checksum")


def test_caps_hold_before_and_while_reading(page, settings):
    limits = settings.limits
    too_long = page.client.post("/api/uploads", json={"name": "a", "num_bytes": limits.upload_bytes + 1})
    assert (too_long.status_code, too_long.json()["code"]) == (413, "too_large")
    upload_id = begin(page.client, b"0123").json()["id"]
    answer = put(page.client, upload_id, 0, b"01234")
    assert answer.status_code == 413
    assert page.client.get(f"/api/uploads/{upload_id}").json()["num_received"] == 0
    large = begin(page.client, bytes(3 * limits.chunk_bytes)).json()["id"]
    assert put(page.client, large, 0, bytes(limits.chunk_bytes + 1)).status_code == 413


def test_a_full_disk_is_said_before_the_upload(page, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": -1}))
    answer = begin(page.client, b"0123")
    assert (answer.status_code, answer.json()["code"]) == (507, "disk")


def hostile(video, make_image):
    head = b"\x89PNG\r\n\x1a\n" + make_image()[8:16] + (30_000).to_bytes(4, "big") * 2 + make_image()[24:60]
    return {
        "list.mp4": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "session.mp4": b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 5004 RTP/AVP 96\r\n",
        "playlist.mp4": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "cut.mp4": video[: len(video) // 2],
        "noise.mp4": bytes(range(256)) * 40,
        "bomb.png": head,
        "page.html": b"<script>alert(1)</script>",
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "cut.png": make_image()[:-40],
    }


@pytest.mark.slow  # one process for each file
def test_hostile_files_are_refused_in_one_sentence_and_leave_nothing(
    page, video, make_image, upload_file, settings
):
    for name, content in hostile(video, make_image).items():
        answer = add(page, upload_file(page.client, content, name=name))
        assert answer.status_code in (413, 422), (name, answer.text)
        assert name in answer.json()["message"]
        assert str(settings.home) not in answer.text
    assert list(settings.media_folder.iterdir()) == []
    assert page.client.get("/api/health").status_code == 200


def test_a_cut_video_opens_when_asked_and_says_so(page, make_video, upload_file):
    content = make_video(40, container="matroska")
    upload_id = upload_file(page.client, content[: len(content) * 3 // 4], name="cut.mkv")
    refused = add(page, upload_id)
    assert (refused.status_code, refused.json()["code"]) == (422, "media")
    media = add(page, upload_id, allow_damaged=True).json()
    assert 5 < media["num_frames"] < 40
    assert str(media["num_frames"]) in media["damage"]
    assert page.client.get(f"/api/media/{media['id']}/frames/{media['num_frames'] - 1}").status_code == 200


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\x00b", "CON", "\u202egpj.exe", "<script>", "x" * 255, "\U0001f9c0.png"]
)
def test_names_are_shown_and_never_used_on_disk(page, make_image, upload_file, settings, name):
    media = add(page, upload_file(page.client, make_image(), name=name)).json()
    assert media["name"] == name
    assert [path.name for path in settings.media_folder.iterdir()] == [f"{media['id']}.png"]
    assert page.state()["media"][0]["name"] == name


def test_the_content_says_what_a_file_is(page, make_image, upload_file):
    media = add(page, upload_file(page.client, make_image("JPEG"), name="movie.mp4")).json()
    assert (media["kind"], media["num_frames"], media["codec"]) == ("image", 1, "jpg")


def test_a_worker_that_eats_memory_or_dies_is_a_refusal(page, make_image, upload_file, monkeypatch):
    monkeypatch.setattr("masklet.studio.probing._PROGRAM", "x = bytearray(10**7); import os; os._exit(9)")
    answer = add(page, upload_file(page.client, make_image(), name="a.png"))
    assert (answer.status_code, answer.json()["code"]) == (422, "media")
    assert "code 9" in answer.json()["message"]


def test_the_process_that_opens_a_file_waits_for_it(page, make_image, upload_file, client):
    prober = client.app.state.studio.library._prober
    first = upload_file(page.client, make_image(), name="a.png")
    waiting = prober._spare
    assert waiting.poll() is None
    upload_file(page.client, make_image(), name="never opened.png")
    assert prober._spare is waiting
    assert add(page, first).status_code == 201
    assert (waiting.returncode, prober._spare) == (0, None)
    upload_file(page.client, make_image(), name="never opened either.png")
    left = prober._spare
    left.kill()  # as the system may, while nobody looks
    left.wait()
    assert add(page, upload_file(page.client, make_image("JPEG"))).status_code == 201
    upload_file(page.client, make_image(), name="nor this.png")
    left = prober._spare
    prober.close()
    assert left.returncode is not None


@pytest.mark.parametrize("name", ["..", "a/b", "a\\b", "", "A", ".a", "a..", "a\n", "a.b.c.d", "/etc/passwd"])
def test_only_names_the_server_makes_are_joined(tmp_path, name):
    with pytest.raises(RefusedError):
        contain(tmp_path, name)


def test_the_sample_is_one_call_away(page):
    media = page.client.post(f"/api/projects/{page.project_id}/sample").json()
    assert (media["name"], media["kind"]) == ("cup_shuffle.mp4", "video")
    assert media["num_frames"] > 50


def test_files_that_a_crash_left_are_removed_at_the_next_start(open_studio, settings):
    settings.prepare()
    (settings.media_folder / "0123456789abcdef.png").write_bytes(b"x")
    with open_studio():
        assert list(settings.media_folder.iterdir()) == []
