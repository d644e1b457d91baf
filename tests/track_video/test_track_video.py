"""The end-to-end path: what is written, in which order, and what is refused before anything is."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_tracker import HEIGHT, NUM_FRAMES, ONE, TWO, WIDTH, FakeTracker, click_on, digests, labels_of, run

from masklet.annotations import load as load_document
from masklet.errors import MediaError, PromptError, SessionError
from masklet.pipeline import (
    FrameTracked,
    ObjectPrompt,
    OverlayDrawn,
    StateSaved,
    TrackingFinished,
    TrackingStarted,
    TrackJob,
    merge_prompts,
)
from masklet.pipeline.tracker import ModelTracker
from masklet.prompts import PromptSet
from masklet.video.folder import open_folder
from masklet.video.reader import open_video


def test_every_frame_gets_a_mask_and_the_document_says_the_same(clip, tmp_path):
    out = tmp_path / "out"
    run(TrackJob(source=clip, prompts=TWO, out=out))
    labels, project = labels_of(out), load_document(out / "tracks.json")
    assert list(labels) == list(range(NUM_FRAMES))
    assert {path.name for path in (out / "masks").iterdir()} >= {"00000.png", "00011.png"}
    assert sorted(project.tracks) == [1, 2]
    assert list(project.tracks[2].frames) == list(range(5, NUM_FRAMES))
    for index in range(NUM_FRAMES):
        mask = project.tracks[1].frames[index].mask(project.video.size)
        assert ((labels[index] == 1) == mask).sum() >= mask.size - 36
        assert ((labels[index] == 1) <= mask).all()
    assert project.prompts[2][5] == TWO[1].prompts
    assert project.tracks[2].frames[5].is_prompted
    assert not project.tracks[2].frames[6].is_prompted
    assert project.video.num_frames == NUM_FRAMES


def test_an_object_prompted_later_starts_there(clip, tmp_path):
    run(TrackJob(source=clip, prompts=TWO, out=tmp_path / "out"))
    labels = labels_of(tmp_path / "out")
    assert not any((labels[index] == 2).any() for index in range(5))
    assert all((labels[index] == 2).any() for index in range(5, NUM_FRAMES))


def test_frames_before_the_first_prompt_are_written_empty_and_not_tracked(clip, tmp_path):
    tracker = FakeTracker()
    run(TrackJob(source=clip, prompts=(click_on(3, 7, 4, 4),), out=tmp_path / "out"), tracker)
    labels = labels_of(tmp_path / "out")
    assert [index for index, one in labels.items() if one.any()] == list(range(7, NUM_FRAMES))
    assert min(tracker.sessions[0].places[3]) == 7


def test_backward_follows_objects_back_and_leaves_the_others_alone(clip, tmp_path):
    run(TrackJob(source=clip, prompts=TWO, out=tmp_path / "forward"))
    run(TrackJob(source=clip, prompts=TWO, out=tmp_path / "both", backward=True))
    forward, both = labels_of(tmp_path / "forward"), labels_of(tmp_path / "both")
    assert all((both[index] == 2).any() for index in range(NUM_FRAMES))
    for index in range(NUM_FRAMES):
        assert np.array_equal(both[index] == 1, forward[index] == 1)
    project = load_document(tmp_path / "both" / "tracks.json")
    assert list(project.tracks[2].frames) == list(range(NUM_FRAMES))


def test_the_range_is_half_open(clip, tmp_path):
    run(TrackJob(source=clip, prompts=ONE, out=tmp_path / "out", start=2, stop=6))
    assert list(labels_of(tmp_path / "out")) == [2, 3, 4, 5]


def test_prompts_after_the_range_are_counted_and_left_out(clip, tmp_path):
    events = run(TrackJob(source=clip, prompts=TWO, out=tmp_path / "out", stop=5))
    assert events[0].num_unused_prompts == 1
    assert list(load_document(tmp_path / "out" / "tracks.json").tracks) == [1]


def test_overlapping_objects_share_no_pixel_and_the_higher_logit_wins(clip, tmp_path):
    both = merge_prompts([click_on(1, 0, 4, 4), click_on(2, 0, 6, 4)])
    run(TrackJob(source=clip, prompts=both, out=tmp_path / "out", stop=1))
    row = labels_of(tmp_path / "out")[0][6]
    assert row[3:13].tolist() == [0, 1, 1, 2, 2, 2, 2, 2, 2, 0]


def test_two_runs_write_the_same_bytes(clip, tmp_path):
    for name in ("first", "second"):
        job = TrackJob(
            source=clip, prompts=TWO, out=tmp_path / name, overlay=tmp_path / name / "o.mp4", backward=True
        )
        run(job)
    first = digests(tmp_path / "first")
    assert first == digests(tmp_path / "second")
    assert {"tracks.json", "o.mp4"} <= set(first)


def test_events_tell_the_story_in_order(clip, tmp_path):
    tracker = FakeTracker()
    events = run(
        TrackJob(
            source=clip, prompts=TWO, out=tmp_path / "o", overlay=tmp_path / "o.mp4", checkpoint_every=5
        ),
        tracker,
    )
    kinds = [type(event) for event in events]
    assert kinds[0] is TrackingStarted
    assert kinds[-1] is TrackingFinished
    assert [event.index for event in events if isinstance(event, FrameTracked)] == list(range(NUM_FRAMES))
    assert [event.num_done for event in events if isinstance(event, StateSaved)] == [5, 10, 12]
    assert [event.num_done for event in events if isinstance(event, OverlayDrawn)] == list(range(1, 13))
    assert tracker.sessions[0].is_closed
    assert tracker.num_objects == 2


def test_the_summary_counts_and_averages_each_object(clip, tmp_path):
    summary = run(TrackJob(source=clip, prompts=TWO, out=tmp_path / "out"))[-1].summary
    frames = load_document(tmp_path / "out" / "tracks.json").tracks[2].frames.values()
    assert (summary.num_frames, summary.num_steps_now, summary.model) == (NUM_FRAMES, NUM_FRAMES, "fake")
    assert [one.num_visible for one in summary.objects] == [NUM_FRAMES, NUM_FRAMES - 5]
    assert summary.objects[1].mean_score == pytest.approx(np.mean([one.score for one in frames]))
    assert summary.fps > 0


def test_a_new_run_replaces_the_old_one_and_nothing_else(clip, tmp_path):
    out = tmp_path / "out"
    run(TrackJob(source=clip, prompts=ONE, out=out))
    (out / "masks" / "notes.txt").write_text("mine")
    run(TrackJob(source=clip, prompts=ONE, out=out, stop=3))
    assert {path.name for path in (out / "masks").iterdir()} == {
        "00000.png",
        "00001.png",
        "00002.png",
        "notes.txt",
    }


@pytest.mark.parametrize("name", ["masks/00000.png", "tracks.json"])
def test_results_of_someone_else_are_not_replaced(clip, tmp_path, name):
    mine = tmp_path / "out" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(MediaError, match="give an empty or new folder"):
        run(TrackJob(source=clip, prompts=ONE, out=tmp_path / "out"))
    assert mine.read_text() == "mine"


def test_the_folder_may_hold_other_things(clip, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "readme.txt").write_text("mine")
    run(TrackJob(source=clip, prompts=ONE, out=tmp_path / "out"))
    assert (tmp_path / "out" / "readme.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"source": Path("nowhere.mp4")}, MediaError, "nowhere.mp4"),
        (
            {"prompts": (click_on(1, 0, 99, 4),)},
            PromptError,
            r"Object 1 on frame 0: The click \(99, 4\) lies outside",
        ),
        ({"prompts": (click_on(1, 12, 4, 4),)}, PromptError, "frame 12, but clip has the frames 0 to 11"),
        ({"prompts": (click_on(1, 5, 4, 4),), "stop": 3}, PromptError, "before the range's end"),
        ({"start": 5, "stop": 5}, SessionError, "Frames 5 to 5"),
        ({"stop": 13}, SessionError, "has 12 frames"),
        ({"overlay": Path("overlay.avi")}, MediaError, r"must be an MP4 file"),
    ],
)
def test_bad_requests_are_refused_before_anything_is_written(clip, tmp_path, changes, kind, words):
    job = replace(TrackJob(source=clip, prompts=ONE, out=tmp_path / "out"), **changes)
    with pytest.raises(kind, match=words):
        run(job)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(clip, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(MediaError, match="cannot be written"):
        run(TrackJob(source=clip, prompts=ONE, out=tmp_path / "file" / "out"))
    with pytest.raises(MediaError, match="cannot be made"):
        run(TrackJob(source=clip, prompts=ONE, out=tmp_path / "out", overlay=tmp_path / "file" / "o.mp4"))


def test_a_tracker_that_skips_a_frame_is_caught(clip, tmp_path):
    class Skipping(FakeTracker):
        def open(self, source, *, num_objects):
            session = super().open(source, num_objects=num_objects)
            frames = session.track

            def track(**asked):
                return (one for one in frames(**asked) if one.index != 3)

            session.track = track
            return session

    with pytest.raises(SessionError, match="should give frame 3 now but gave frame 4"):
        run(TrackJob(source=clip, prompts=ONE, out=tmp_path / "out"), Skipping())


def test_the_overlay_has_every_frame_and_starts_at_zero(clip, tmp_path):
    run(TrackJob(source=clip, prompts=ONE, out=tmp_path / "out", start=3, overlay=tmp_path / "new" / "o.mp4"))
    with open_video(tmp_path / "new" / "o.mp4") as video:
        assert video.num_frames == NUM_FRAMES - 3
        assert video.size.hw == (HEIGHT, WIDTH)
        assert video.read(0).pts_s == 0


def test_two_boxes_or_masks_for_one_object_and_frame_are_refused():
    box = ObjectPrompt(object_id=1, frame=0, prompts=PromptSet(box=(1, 1, 4, 4)))
    with pytest.raises(PromptError, match="two box prompts on frame 0"):
        merge_prompts([box, box])


def test_prompts_for_one_object_and_frame_are_joined_in_order():
    joined = merge_prompts([click_on(2, 1, 3, 3), click_on(1, 4, 1, 1), click_on(2, 1, 5, 5)])
    assert [(one.object_id, one.frame) for one in joined] == [(2, 1), (1, 4)]
    assert [click.x for click in joined[0].prompts.clicks] == [3, 5]


@pytest.mark.parametrize("object_id", [0, 256, -1])
def test_ids_that_no_palette_holds_are_refused(object_id):
    with pytest.raises(PromptError, match="1 to 255"):
        click_on(object_id, 0, 1, 1)


def test_many_objects_get_room_for_the_memories_that_resuming_needs(clip):
    tracker = ModelTracker("debug-compact", device="cpu")
    config = tracker.model.config
    with open_folder(clip) as source:
        few = tracker.open(source, num_objects=1).options.archive_bytes
        many = tracker.open(source, num_objects=10_000).options.archive_bytes
    smallest_entry = config.memory_channels * config.grid**2
    assert many >= 10_000 * config.max_pointers * smallest_entry
    assert few < many


def test_compiled_frames_are_asked_for_and_told_apart(clip):
    plain, compiled = (ModelTracker("debug", device="cpu", is_compiled=one) for one in (False, True))
    assert plain.identity()["runtime"] == "torch"
    assert compiled.identity()["runtime"] == "torch, compiled"
    with open_folder(clip) as source:
        assert plain.open(source, num_objects=1).options.compilation is None
    with open_folder(clip) as source:
        assert compiled.open(source, num_objects=1).options.compilation is not None


def test_importing_the_pipeline_does_not_import_torch():
    program = "import sys, masklet.pipeline, masklet.pipeline.tracker; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "False"
    assert os.sep not in done.stdout
