"""Media are decoded elsewhere: what a decoder does there costs one frame, never the studio."""

import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from masklet.errors import DamagedMediaError, MediaError, MediaLimitError
from masklet.studio.decoding import DecodeProcess
from masklet.studio.settings import Limits
from masklet.video.frames import open_source

# The real worker, but frame 3 does what a test says.
HARM = """
from masklet.studio import decode_worker
real = decode_worker.Desk.answer
def answer(desk, request):
    if request["do"] == "read" and request["index"] == 3:
        {harm}
    return real(desk, request)
decode_worker.Desk.answer = answer
decode_worker.main()
"""
HARMS = {
    "crash": ("import os; os.kill(os.getpid(), 11)", DamagedMediaError, "makes its decoder stop here"),
    "hang": ("import time; time.sleep(600)", MediaLimitError, "takes too long to decode"),
    "memory": ("bytearray(2**40)", MediaLimitError, "needs more memory than it may take"),
    "network": ("import socket; socket.socket()", MediaError, "cannot be decoded (PermissionError)"),
    "write": (
        "import os; os.write(os.open('written', os.O_CREAT | os.O_WRONLY), b'x')",
        MediaError,
        "cannot be decoded",
    ),
}


@pytest.fixture
def clip(tmp_path, video):
    path = tmp_path / "0123456789abcdef.video"
    path.write_bytes(video)
    return path


def test_frames_and_times_are_those_of_the_file(clip):
    process = DecodeProcess(Limits())
    with open_source(clip) as here, process.open(clip, "clip.mp4", allow_damaged=False) as apart:
        assert (apart.name, apart.size, apart.num_frames, apart.fps) == (
            "clip.mp4",
            here.size,
            here.num_frames,
            here.fps,
        )
        for index in (0, 7, 2, 9):
            mine, theirs = apart.read(index), here.read(index)
            assert mine.pts_s == theirs.pts_s
            assert np.array_equal(mine.image, theirs.image)
        assert [frame.index for frame in apart] == list(range(10))
        with pytest.raises(MediaError, match="no frame 10"):
            apart.read(10)
    assert process.num_starts == 1
    process.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot refuse all of this")
@pytest.mark.parametrize("name", HARMS)
def test_whatever_a_decoder_does_costs_one_frame(clip, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    harm, kind, words = HARMS[name]
    process = DecodeProcess(replace(Limits(), decode_seconds=5.0), program=HARM.format(harm=harm))
    first = process.open(clip, "clip.mp4", allow_damaged=False)
    second = process.open(clip, "other.mp4", allow_damaged=False)
    before = first.read(2).image
    with pytest.raises(kind) as raised:
        first.read(3)
    assert words in str(raised.value)
    assert clip.name not in str(raised.value)
    assert np.array_equal(first.read(2).image, before)
    assert np.array_equal(second.read(2).image, before)
    process.close()


def test_a_file_that_is_no_medium_is_refused_by_the_name_it_was_sent_with(tmp_path):
    path = tmp_path / "0123456789abcdef.video"
    path.write_bytes(b"nothing")
    process = DecodeProcess(Limits())
    with pytest.raises(MediaError, match=r"holiday\.mp4"):
        process.open(path, "holiday.mp4", allow_damaged=False)
    process.close()


def test_a_closed_process_starts_again_when_it_is_asked(clip):
    process = DecodeProcess(Limits())
    source = process.open(clip, "clip.mp4", allow_damaged=False)
    process.close()
    assert source.read(1).index == 1
    assert process.num_starts == 2
    source.close()
    process.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such filter")
def test_no_library_reaches_the_network_from_a_confined_process():
    program = (
        "import socket\n"
        "from masklet.studio.confinement import confine\n"
        "socket.socket().close()\n"
        "confine(2**32, None)\n"
        "try:\n    socket.socket()\nexcept PermissionError:\n    print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"


def test_a_crash_is_one_message_and_the_studio_goes_on(open_studio, page_class, video, add_to):
    harm = HARM.format(harm=HARMS["crash"][0])
    with open_studio(make_opener=partial(DecodeProcess, program=harm)) as client:
        page = page_class(client, client.post("/api/projects", json={"name": "a"}).json()["id"])
        media_id = add_to(page, video)
        assert client.get(f"/api/media/{media_id}/frames/2").status_code == 200
        answer = client.get(f"/api/media/{media_id}/frames/3")
        assert answer.status_code == 422
        assert "'clip.mp4' makes its decoder stop here" in answer.json()["message"]
        assert client.get(f"/api/media/{media_id}/frames/4").status_code == 200
        page.prompt(media_id)
        job = page.track(media_id)
        assert job["status"] == "failed"
        assert "'clip.mp4' makes its decoder stop here" in job["message"]
        assert [one["frame"] for one in page.masks(media_id)] == [0, 1, 2]
        assert page.track(media_id, start=0, stop=3)["status"] == "done"
        assert client.get("/api/health").json()["status"] == "ok"
