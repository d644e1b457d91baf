"""Frames that are followed without waiting for the device give what frames done one after the other give."""

import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import masklet
from masklet.errors import ConfigError
from masklet.geometry import Size
from masklet.models.precision import PrecisionPolicy
from masklet.predictors import memory_places, recorded, streamed, streamed_sweep
from masklet.predictors.compilation import Compilation, with_weights_in
from masklet.predictors.options import SessionOptions
from masklet.predictors.preprocess import PostProcess
from masklet.predictors.recorded import Record
from masklet.predictors.streamed import StreamedFrames
from masklet.tracking.policy import RECENT
from masklet.tracking.step import Tracker

STREAMED = SessionOptions(compilation=Compilation(backend="none", frames_at_once=3))


_made = []


@pytest.fixture
def exact(make_lively):
    """The small SAM 2 structure, whose memory is not rounded, so that results of other sums stay near each other.

    Presence hangs near its threshold: objects come and go.
    """
    if not _made:
        loaded = make_lively("debug")
        model, config = deepcopy(loaded.model), replace(loaded.config, memory_precision="float32")
        model.config = config
        with torch.no_grad():
            model.decoder.presence_head.layers[-1].bias -= 4.3
        _made.append(replace(loaded, model=model, config=config))
    return _made[0]


def click(x, y, *, positive=True):
    return masklet.PromptSet(clicks=[masklet.Click(x, y, positive=positive)])


def start(session, num_objects):
    for index in range(num_objects):
        session.prompt(index + 1, 0, click(5 + 5 * index, 12 + 2 * index))


def assert_same(found, wanted):
    assert [one.index for one in found] == [one.index for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one.object_ids == other.object_ids
        assert one.prompted == other.prompted
        for object_id in one.object_ids:
            np.testing.assert_allclose(one.logits[object_id], other.logits[object_id], rtol=1e-2, atol=1e-2)
            assert (one.masks[object_id] != other.masks[object_id]).mean() < 2e-3
            assert one.area[object_id] == one.masks[object_id].sum()
            for name, most in (("scores", 1e-2), ("presence", 1e-2), ("stability", 4e-2)):
                value, expected = getattr(one, name)[object_id], getattr(other, name)[object_id]
                assert value == pytest.approx(expected, abs=most)


def followed(loaded, clip, num_objects, options=None):
    with masklet.VideoSession(loaded, clip, options=options) as session:
        start(session, num_objects)
        return list(session.track())


@pytest.mark.parametrize("num_objects", [1, 3, 10])
def test_many_objects_that_come_and_go_are_followed_as_one_after_the_other(exact, clip, num_objects):
    wanted = followed(exact, clip, num_objects)
    assert_same(followed(exact, clip, num_objects, STREAMED), wanted)
    presence = [one.presence[object_id] for one in wanted for object_id in one.object_ids]
    assert min(presence) < 0.5 < max(presence)


def test_more_objects_than_a_batch_holds_are_followed_in_parts(exact, clip, monkeypatch):
    monkeypatch.setattr(streamed, "BUCKETS", (1, 2))
    assert_same(followed(exact, clip[:8], 5, STREAMED), followed(exact, clip[:8], 5))


def edited(loaded, clip, options=None):
    """Everything a person may do while tracking runs."""
    found = []
    with masklet.VideoSession(loaded, clip, options=options) as session:
        start(session, 2)
        for result in session.track():
            found.append(result)
            if result.index == 4:
                session.prompt(1, 4, click(20, 18))  # a correction of the frame just seen
            if result.index == 6:
                session.prompt(5, 6, click(40, 33))  # an object of its own, later than the others
            if result.index == 8:
                session.prompt(2, 10, click(30, 30))  # on a frame to come
            if result.index == 9:
                session.remove(1)
            if result.index == 11:
                session.rename(2, 7)
            if result.index == 13:
                session.prompt(5, 13, click(44, 35, positive=False))
                session.undo()
        found += session.track(3, 9)
        session.prompt(7, 15, click(10, 12))
        found += session.track(backward=True)
        found += session.track_both_ways()
        found += session.track(2, 5, is_new_only=True)
        session.clear(7, 15)
        found += session.track(is_new_only=True)
        found.append(session.result_at(12))
    return found


def test_edits_while_tracking_runs_count_from_the_next_frame_on(exact, clip):
    wanted = edited(exact, clip)
    assert len(wanted) > 60
    assert_same(edited(exact, clip, STREAMED), wanted)


def test_what_was_given_to_the_device_before_an_edit_is_dropped(exact, clip, monkeypatch):
    begun = []
    original = streamed_sweep.StreamedSweep._begin

    def noted(sweep, frames, position):
        begun.append(position)
        return original(sweep, frames, position)

    monkeypatch.setattr(streamed_sweep.StreamedSweep, "_begin", noted)
    with masklet.VideoSession(exact, clip[:6], options=STREAMED) as session:
        start(session, 1)
        for result in session.track():
            if result.index == 2:
                session.prompt(1, 2, click(20, 18))
    assert begun == [0, 1, 2, 3, 3, 4, 5]


def test_a_saved_session_goes_on_as_it_would_have(exact, clip, tmp_path):
    found = []
    for options in (None, STREAMED):
        path = tmp_path / "session.masklet"
        with masklet.VideoSession(exact, clip, options=options) as session:
            start(session, 2)
            for result in session.track():
                if result.index == 7:
                    session.cancel()
            session.save(path)
        with masklet.VideoSession.load(path, exact, clip, options=options) as session:
            found.append(list(session.track()))
    assert_same(found[1], found[0])


def test_a_correction_after_a_pass_reads_the_memories_it_left(exact, clip):
    found = []
    for options in (None, STREAMED):
        with masklet.VideoSession(exact, clip, options=options) as session:
            start(session, 2)
            list(session.track())
            session.prompt(2, 12, click(30, 30))
            found.append(list(session.track()))
    assert_same(found[1], found[0])


def test_compiled_functions_are_whole_and_give_the_same():
    """In a process of its own, where calls are not checked: the checks cannot be compiled."""
    script = Path(__file__).with_name("compile_and_compare.py")
    done = subprocess.run([sys.executable, script, "eager"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["2 objects on 4 frames are the same"]


class StandInRecorder:
    """Plays back as a CUDA graph does: on the tensors it was recorded with, into the tensors it gave."""

    num_played = 0

    def record(self, work):
        found = work()
        for one in found:
            one.fill_(1)  # what is not played back must not be read

        def play():
            StandInRecorder.num_played += 1
            for own, new in zip(found, work(), strict=True):
                own.copy_(new)

        return Record(play, found)


def test_what_a_recording_overwrites_is_copied_in_time(exact, clip, monkeypatch):
    monkeypatch.setattr(streamed, "recorder_for", lambda *_, **__: StandInRecorder())
    StandInRecorder.num_played = 0
    found = followed(exact, clip, 3, STREAMED)
    assert StandInRecorder.num_played > len(clip)
    assert_same(found, followed(exact, clip, 3))


@pytest.mark.parametrize("where", ["_attend", "_encode", "_draw"])
def test_a_failure_is_said_once_and_the_plain_path_goes_on(exact, clip, monkeypatch, caplog, where):
    wanted = followed(exact, clip, 2)
    made = StreamedFrames.__init__
    calls = []

    def breaking(streams, *args, **kwargs):
        made(streams, *args, **kwargs)
        working = getattr(streams.step, where)

        def work(*given, **options):
            calls.append(where)
            if len(calls) > 3:
                raise RuntimeError("CUDA error: a kernel was not found\nand much more")
            return working(*given, **options)

        setattr(streams.step, where, work)

    monkeypatch.setattr(StreamedFrames, "__init__", breaking)
    assert_same(followed(exact, clip, 2, STREAMED), wanted)
    warnings = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "CUDA error: a kernel was not found" in warnings[0]
    assert "much more" not in warnings[0]


def test_a_frame_that_cannot_be_read_is_told_when_it_comes(exact, clip, monkeypatch):
    source = masklet.video.frames.open_source(clip)
    reading = source.read

    def read(index):
        if index == 9:
            raise masklet.errors.MediaError("frame 9 is damaged")
        return reading(index)

    monkeypatch.setattr(source, "read", read)
    seen = []
    with masklet.VideoSession(exact, source, options=STREAMED) as session:
        start(session, 1)
        with pytest.raises(masklet.errors.MediaError, match="frame 9"):
            seen.extend(one.index for one in session.track())
    assert seen == list(range(9))


@pytest.mark.parametrize(
    ("policy", "post", "words"),
    [
        ("quality", PostProcess(), "looks at every mask"),
        ("rivals", PostProcess(), "looks at every mask"),
        ("recent", PostProcess(is_exclusive=True), "exclude each other"),
    ],
)
def test_what_needs_the_host_within_a_frame_is_done_the_plain_way(exact, clip, caplog, policy, post, words):
    options = replace(STREAMED, post_process=post)
    with masklet.VideoSession(exact, clip[:4], policy=policy, options=options) as session:
        start(session, 2)
        found = list(session.track())
        list(session.track())
    assert len(found) == 4
    (warning,) = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert words in warning


def test_models_of_our_own_are_done_the_plain_way(compact, clip, caplog):
    wanted = followed(compact, clip[:4], 1)
    for one, other in zip(followed(compact, clip[:4], 1, STREAMED), wanted, strict=True):
        assert np.array_equal(one.masks[1], other.masks[1])
    assert "is no SAM 2 model" in caplog.text


class NoHostValues(TorchDispatchMode):
    """Notes copies between host and device; tensors without values refuse to be read."""

    def __init__(self):
        super().__init__()
        self.to_device, self.to_host = [], []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name in ("_to_copy", "to", "copy_"):
            source = args[1] if name == "copy_" else args[0]
            if source.device.type == "cpu" and found.device.type == "meta" and source.dim():
                self.to_device.append(tuple(source.shape))
        return found


@pytest.mark.parametrize("name", ["debug", "sam2.1-tiny"])
def test_nothing_of_a_frame_is_read_by_the_host(name, monkeypatch):
    """On the device without values, whatever asks for one is an error."""
    from masklet.models.config import preset
    from masklet.models.model import ImageFeatures
    from masklet.tracking.bank import MaskScore, MemoryBank, MemoryEntry
    from masklet.weights.load import LoadedModel, build_empty

    config, meta = preset(name).resized(64), torch.device("meta")
    precision = PrecisionPolicy(device=meta, dtype=torch.float32)
    model = build_empty(config).to(meta)
    loaded = LoadedModel(
        model=model, config=config, device=meta, precision=precision, name=name, weights_sha256=None
    )
    fetched = []
    monkeypatch.setattr(streamed, "downloaded", lambda one: fetched.append(one) or torch.zeros(one.shape))
    monkeypatch.setattr(StreamedFrames, "_drawn", lambda *_: None)
    grid, side = config.grid, config.mask_side
    score = MaskScore(iou=0.9, presence=5.0, stability=0.9)

    def entry(frame):
        return MemoryEntry(
            frame=frame,
            written=torch.zeros(config.value_dim, grid, grid, device=meta),
            pointer=torch.zeros(config.hidden_dim, device=meta),
            logits=torch.zeros(side, side, device=meta),
            score=score,
            box=None,
        )

    banks = [MemoryBank(conditioning={0: entry(0)}, recent=(entry(1), entry(2))) for _ in range(3)]
    tracker = Tracker(model=model, policy=RECENT, pointer_span=config.max_pointers)
    streams = StreamedFrames(loaded, Compilation(backend="none"), pointer_span=16, post=PostProcess())
    with torch.inference_mode():
        maps = streams.step.encode(torch.zeros(1, 3, 64, 64, device=meta))
        for frame in (3, 4, 5):
            moment = tracker.moment(frame, is_backward=False)
            with NoHostValues() as seen:
                launched = streams.launch(ImageFeatures(*maps), Size(40, 50), banks, moment)
            banks = [bank.with_tracked(new) for bank, new in zip(banks, launched.entries, strict=True)]
    streams.close()
    assert len(fetched) == 3 * 3  # logits, facts and masks of each frame, without waiting
    places = next(iter(streams._places.values()), None)
    assert places is None  # closed
    # what is read and where to write, and nothing else, goes to the device
    assert sorted(seen.to_device) == [(2, 4), (4, 2 * 7 + 2 * 16)]


def test_memories_stay_where_they_are_from_frame_to_frame(exact, clip, monkeypatch):
    copied = []
    original = memory_places.MemoryPlaces._arrange_row

    class Counting(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            copied.append(func.overloadpacket.__name__ == "copy_")
            return func(*args, **(kwargs or {}))

    def counted(places, *args):
        with Counting():
            return original(places, *args)

    monkeypatch.setattr(memory_places.MemoryPlaces, "_arrange_row", counted)
    followed(exact, clip, 2, STREAMED)
    assert sum(copied) == 2 * 2  # the prompted frame of each object: its features and its pointer


def test_weights_are_rounded_once_to_what_autocast_makes_of_them(exact):
    pixels = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    policy = PrecisionPolicy(device=torch.device("cpu"), dtype=torch.bfloat16)
    rounded = with_weights_in(exact.model, torch.bfloat16)
    with torch.inference_mode(), policy.autocast():
        wanted, found = exact.model.encode_image(pixels), rounded.encode_image(pixels)
    assert torch.equal(found.features, wanted.features)
    assert torch.equal(found.skip4, wanted.skip4)
    assert with_weights_in(exact.model, torch.bfloat16) is rounded
    assert with_weights_in(exact.model, torch.float32) is exact.model
    with torch.no_grad():
        exact.model.decoder.iou_head.layers[0].bias += 0
    assert with_weights_in(exact.model, torch.bfloat16) is not rounded


def test_half_precision_gives_what_half_precision_gives_one_after_the_other(make_lively, clip):
    """Objects that are surely there: near the threshold of presence rounding takes whole masks away."""
    half = replace(
        make_lively("debug"), precision=PrecisionPolicy(device=torch.device("cpu"), dtype=torch.bfloat16)
    )
    wanted, found = followed(half, clip[:3], 2), followed(half, clip[:3], 2, STREAMED)
    for one, other in zip(found, wanted, strict=True):
        for object_id in one.object_ids:
            assert min(one.presence[object_id], other.presence[object_id]) > 0.5
            assert (one.masks[object_id] != other.masks[object_id]).mean() < 0.01


def test_odd_batches_are_refused():
    with pytest.raises(ConfigError, match="frames_at_once"):
        Compilation(frames_at_once=9)


def test_recording_is_left_out_where_there_is_nothing_to_record_with():
    assert recorded.recorder_for(torch.device("cpu"), is_wanted=True) is None
