"""A run that is given up, killed, cancelled or fails anywhere, and is taken up again."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_tracker import (
    HEIGHT,
    NUM_FRAMES,
    ONE,
    TWO,
    WIDTH,
    FakeTracker,
    click_on,
    digests,
    run,
    yes_from_the_call,
)
from PIL import Image

from masklet.annotations import load as load_document
from masklet.errors import CancelledError, MaskletError, SessionError
from masklet.pipeline import FrameTracked, TrackJob, track_video


@pytest.mark.parametrize("num_events", [1, 4, 8, 17, 21])
def test_a_run_given_up_anywhere_and_resumed_equals_one_that_ran_through(clip, tmp_path, num_events):
    whole = TrackJob(source=clip, prompts=TWO, out=tmp_path / "whole", backward=True, checkpoint_every=3)
    run(whole)
    broken = replace(whole, out=tmp_path / "broken", resume=True)
    events = track_video(broken, FakeTracker())
    for _ in range(num_events):
        next(events)
    events.close()
    resumed = run(broken)
    assert digests(tmp_path / "broken") == digests(tmp_path / "whole")
    saved = max(0, (num_events - 1) * 3 // 4 // 3 * 3)
    assert 0 <= resumed[0].num_done <= num_events
    assert resumed[0].num_done >= saved


def test_a_run_killed_by_the_system_and_resumed_equals_one_that_ran_through(clip, tmp_path):
    job = TrackJob(source=clip, prompts=TWO, out=tmp_path / "whole", checkpoint_every=4)
    run(job)
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from fake_tracker import TWO, FakeTracker\n"
        "from masklet.pipeline import FrameTracked, TrackJob, track_video\n"
        "job = TrackJob(source=Path(sys.argv[2]), prompts=TWO, out=Path(sys.argv[3]), checkpoint_every=4)\n"
        "for event in track_video(job, FakeTracker()):\n"
        "    if isinstance(event, FrameTracked) and event.index == 9:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    here = str(Path(__file__).parent)
    arguments = [sys.executable, "-c", program, here, str(clip), str(tmp_path / "killed")]
    done = subprocess.run(arguments, capture_output=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    resumed = run(replace(job, out=tmp_path / "killed", resume=True))
    assert resumed[0].num_done == 8
    assert digests(tmp_path / "killed") == digests(tmp_path / "whole")


def test_cancelling_saves_what_is_done_and_says_how_to_go_on(clip, tmp_path):
    job = TrackJob(source=clip, prompts=ONE, out=tmp_path / "out", checkpoint_every=100)
    with pytest.raises(CancelledError, match=r"after 4 of 12 frames.*--resume"):
        run(job, is_cancelled=yes_from_the_call(4))
    assert list(load_document(tmp_path / "out" / "tracks.json").tracks[1].frames) == [0, 1, 2, 3]
    resumed = run(replace(job, resume=True))
    assert resumed[0].num_done == 4
    assert resumed[-1].summary.num_steps_now == 8


def test_cancelling_while_drawing_keeps_the_masks(clip, tmp_path):
    job = TrackJob(source=clip, prompts=ONE, out=tmp_path / "out", overlay=tmp_path / "o.mp4")
    with pytest.raises(CancelledError, match="masks are whole"):
        run(job, is_cancelled=yes_from_the_call(NUM_FRAMES + 2))
    assert not (tmp_path / "o.mp4").exists()
    events = run(replace(job, resume=True))
    assert not any(isinstance(event, FrameTracked) for event in events)
    assert (tmp_path / "o.mp4").stat().st_size > 0


def test_resuming_a_finished_run_changes_nothing(clip, tmp_path):
    job = TrackJob(source=clip, prompts=TWO, out=tmp_path / "out")
    first = run(job)[-1].summary
    before = digests(tmp_path / "out")
    again = run(replace(job, resume=True))[-1].summary
    assert digests(tmp_path / "out") == before
    assert again.objects == first.objects
    assert (again.num_steps_now, again.fps) == (0, None)


@pytest.mark.parametrize(
    ("changes", "identity", "topic"),
    [
        ({"prompts": (click_on(1, 0, 5, 4),)}, {}, "prompts"),
        ({"stop": 8}, {}, "range"),
        ({"backward": True, "prompts": TWO}, {}, "direction and prompts"),
        ({}, {"model": "other"}, "model"),
        ({}, {"policy": "motion", "device": "cuda"}, "device and policy"),
    ],
)
def test_resuming_another_run_is_refused_and_says_what_differs(clip, tmp_path, changes, identity, topic):
    job = TrackJob(source=clip, prompts=ONE, out=tmp_path / "out")
    run(job)
    before = digests(tmp_path / "out")
    with pytest.raises(SessionError, match=f"another {topic}, so it cannot be resumed"):
        run(replace(job, resume=True, **changes), FakeTracker(**identity))
    assert digests(tmp_path / "out") == before


def test_resuming_after_the_video_changed_is_refused(clip, tmp_path):
    job = TrackJob(source=clip, prompts=ONE, out=tmp_path / "out")
    run(job)
    Image.fromarray(np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)).save(clip / "12.png")
    with pytest.raises(SessionError, match="another video and range"):
        run(replace(job, resume=True))


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"asked": {}}', b'{"asked": {}, "version": 9}', b'{"nothing": 1}', b"\xff"]
)
def test_a_damaged_manifest_is_refused_in_one_sentence(clip, tmp_path, damage):
    job = TrackJob(source=clip, prompts=ONE, out=tmp_path / "out")
    run(job)
    (tmp_path / "out" / ".run" / "manifest.json").write_bytes(damage)
    with pytest.raises(SessionError, match=r"start anew|cannot be resumed"):
        run(replace(job, resume=True))


def test_a_lost_session_or_a_short_journal_is_refused(clip, tmp_path):
    job = TrackJob(source=clip, prompts=ONE, out=tmp_path / "out", checkpoint_every=4)
    events = track_video(job, FakeTracker())
    for _ in range(8):
        next(events)
    events.close()
    (saved,) = (tmp_path / "out" / ".run").glob("session-*")
    content = saved.read_bytes()
    saved.unlink()
    with pytest.raises(SessionError, match="lacks the saved state"):
        run(replace(job, resume=True))
    saved.write_bytes(content)
    journal = tmp_path / "out" / ".run" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-5])
    with pytest.raises(SessionError, match="shorter than its manifest"):
        run(replace(job, resume=True))


@pytest.mark.parametrize("number", [0, 1, 5, 14, 16, 17])
def test_a_failing_write_at_any_point_leaves_a_run_that_can_be_resumed(clip, tmp_path, monkeypatch, number):
    whole = TrackJob(source=clip, prompts=TWO, out=tmp_path / "whole", checkpoint_every=4)
    run(whole)
    job = replace(whole, out=tmp_path / "broken", resume=True)
    replace_file, calls = Path.replace, iter(range(1000))

    def fail_once(path, target):
        if next(calls) == number:
            raise OSError(28, "No space left on device")
        return replace_file(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail_once)
        with pytest.raises(MaskletError, match="No space left"):
            run(job)
    run(job)
    assert digests(job.out) == digests(whole.out)
