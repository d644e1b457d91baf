"""The end-to-end path with a tracker small enough to compute by hand, but with a memory, so that resuming matters."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masklet.annotations import load as load_document
from masklet.errors import CancelledError, MaskletError, MediaError, PromptError, SessionError
from masklet.pipeline import (
    FrameTracked,
    ObjectPrompt,
    OverlayDrawn,
    StateSaved,
    TrackingFinished,
    TrackingStarted,
    TrackJob,
    merge_prompts,
    track_video,
)
from masklet.pipeline.tracker import ModelTracker
from masklet.prompts import Click, PromptSet
from masklet.video.folder import open_folder
from masklet.video.image import read_indexed_png
from masklet.video.reader import open_video

NUM_FRAMES, HEIGHT, WIDTH = 12, 24, 32


@dataclass(frozen=True, kw_only=True)
class FakeFrame:
    index: int
    masks: dict
    scores: dict
    presence: dict
    stability: dict
    logits: dict


class FakeSession:
    """Follows each object as a square that steps by what the frame shows; its memory is the square's place."""

    def __init__(self, source, places=None):
        self.source = source
        self.places = places or {}
        self.is_closed = False

    def prompt(self, *, object_id, frame, prompts):
        click = prompts.clicks[0]
        self.places.setdefault(object_id, {})[frame] = (int(click.x), int(click.y))

    def track(self, start=0, stop=None, *, backward=False):
        frames = range(start, self.source.num_frames if stop is None else stop)
        for index in reversed(frames) if backward else frames:
            yield self.step(index, -1 if backward else 1)

    def step(self, index, direction):
        image = self.source.read(index).image
        stride = 1 + int(image[0, 0, 0]) % 2
        masks, logits = {}, {}
        for object_id, places in self.places.items():
            before = places.get(index - direction)
            if index not in places and before is not None:
                places[index] = ((before[0] + stride) % WIDTH, before[1])
            if index in places:
                x, y = places[index]
                masks[object_id] = np.zeros((HEIGHT, WIDTH), dtype=bool)
                masks[object_id][y : y + 6, x : x + 6] = True
                logits[object_id] = np.where(masks[object_id], float(object_id), -1.0)[::2, ::2]
        numbers = {
            object_id: 0.5 + places[object_id][index][0] / 100 for object_id, places in self.items_at(index)
        }
        return FakeFrame(
            index=index, masks=masks, scores=numbers, presence=numbers, stability=numbers, logits=logits
        )

    def items_at(self, index):
        return [(object_id, self.places) for object_id, places in self.places.items() if index in places]

    def save(self, path):
        Path(path).write_text(
            json.dumps([[i, f, *xy] for i, places in self.places.items() for f, xy in places.items()])
        )

    def close(self):
        self.is_closed = True


class FakeTracker:
    """Opens such sessions and keeps them, so that a test can look."""

    def __init__(self, **identity):
        self._identity = {"model": "fake", "device": "cpu", "policy": "recent", **identity}
        self.sessions = []
        self.num_objects = 0

    def identity(self):
        return self._identity

    def open(self, source, *, num_objects):
        self.num_objects = num_objects
        self.sessions.append(FakeSession(source))
        return self.sessions[-1]

    def reopen(self, path, source, *, num_objects):
        self.num_objects = num_objects
        places = {}
        for object_id, frame, x, y in json.loads(Path(path).read_text()):
            places.setdefault(object_id, {})[frame] = (x, y)
        self.sessions.append(FakeSession(source, places))
        return self.sessions[-1]


@pytest.fixture
def clip(tmp_path):
    """A folder of images whose first pixel says how objects move."""
    folder = tmp_path / "clip"
    folder.mkdir()
    for index in range(NUM_FRAMES):
        pixels = np.full((HEIGHT, WIDTH, 3), index * 7, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def click_on(object_id, frame, x, y):
    return ObjectPrompt(object_id=object_id, frame=frame, prompts=PromptSet([Click(x, y)]))


ONE = (click_on(1, 0, 4, 4),)
TWO = merge_prompts([click_on(1, 0, 4, 4), click_on(2, 5, 10, 6)])


def run(job, tracker=None, **options):
    return list(track_video(job, tracker or FakeTracker(), **options))


def yes_from_the_call(number):
    """A question that is answered with yes from the given call on."""
    calls = iter(range(1, 1000))
    return lambda: next(calls) >= number


def digests(folder):
    """Every file of a folder, by name, as its checksum."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def labels_of(out):
    return {int(path.stem): read_indexed_png(path) for path in sorted((out / "masks").iterdir())}


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
        "import importlib.util, os, signal, sys\n"
        "from pathlib import Path\n"
        "spec = importlib.util.spec_from_file_location('the_test', sys.argv[1])\n"
        "the_test = importlib.util.module_from_spec(spec); spec.loader.exec_module(the_test)\n"
        "job = the_test.TrackJob(source=Path(sys.argv[2]), prompts=the_test.TWO, out=Path(sys.argv[3]), checkpoint_every=4)\n"
        "for event in the_test.track_video(job, the_test.FakeTracker()):\n"
        "    if isinstance(event, the_test.FrameTracked) and event.index == 9:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    arguments = [sys.executable, "-c", program, __file__, str(clip), str(tmp_path / "killed")]
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
