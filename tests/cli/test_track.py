"""Following objects from the command line, end to end, with a small model of random weights."""

import hashlib
import json
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from masklet.annotations import load as load_document
from masklet.cli.progress import ProgressDisplay
from masklet.video.image import read_indexed_png, write_indexed_png
from masklet.video.reader import open_video
from masklet.video.writer import Mp4Writer

MODEL = ("--model", "debug-compact", "--device", "cpu")
ONE = ("--prompt", "1@0: +14,16 -50,36")
TWO = (*ONE, "--prompt", "2@3: box 12,8,34,30")


def digests(folder):
    """Every file of a folder, by name, as its checksum."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def masks_of(out):
    return {int(path.stem): read_indexed_png(path) for path in sorted((out / "masks").iterdir())}


def test_masks_document_and_overlay(masklet_command, clip, tmp_path):
    out = tmp_path / "out"
    outcome = masklet_command("track", clip, *TWO, "--out", out, "--overlay", tmp_path / "o.mp4", *MODEL)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("Tracked 2 objects through 8 frames in ")
    assert "8 frames to track, 2 objects" in outcome.err
    labels, project = masks_of(out), load_document(out / "tracks.json")
    assert list(labels) == list(range(8))
    assert all(one.shape == (40, 56) and set(np.unique(one)) <= {0, 1, 2} for one in labels.values())
    assert not any((labels[index] == 2).any() for index in range(3))
    assert {object_id: list(track.frames) for object_id, track in project.tracks.items()} == {
        1: list(range(8)),
        2: list(range(3, 8)),
    }
    with open_video(tmp_path / "o.mp4") as video:
        assert video.num_frames == 8


def test_json_is_one_line_and_counts_what_is_in_the_files(masklet_command, clip, tmp_path):
    outcome = masklet_command("track", clip, *TWO, "--out", tmp_path / "out", "--json", *MODEL)
    (line,) = outcome.out.splitlines()
    values, project = json.loads(line), load_document(tmp_path / "out" / "tracks.json")
    assert (values["frames"], values["objects"], values["model"], values["device"]) == (
        8,
        2,
        "debug-compact",
        "cpu",
    )
    assert values["fps"] == pytest.approx(8 / values["seconds"], rel=0.1)
    assert (values["masks"], values["overlay"]) == (str(tmp_path / "out" / "masks"), None)
    for object_id, track in project.tracks.items():
        visible = [one for one in track.frames.values() if not one.is_absent]
        row = values["per_object"][str(object_id)]
        assert row["visible_frames"] == len(visible)
        if visible:
            assert row["mean_score"] == pytest.approx(np.mean([one.score for one in visible]), abs=1e-4)


def test_a_video_file_and_a_folder_of_its_frames_give_the_same_masks(masklet_command, tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    with Mp4Writer(tmp_path / "v.mp4", fps=10) as writer:
        for index in range(5):
            writer.write(np.full((40, 56, 3), 30 + 40 * index, dtype=np.uint8))
    with open_video(tmp_path / "v.mp4") as video:
        for frame in video:
            Image.fromarray(frame.image).save(frames / f"{frame.index}.png")
    for name, source in (("a", tmp_path / "v.mp4"), ("b", frames)):
        assert masklet_command("track", source, *ONE, "--out", tmp_path / name, *MODEL).code == 0
    assert digests(tmp_path / "a" / "masks") == digests(tmp_path / "b" / "masks")


def test_a_video_at_an_address_is_tracked_under_its_own_name(masklet_command, tmp_path):
    fsspec = pytest.importorskip("fsspec")
    with Mp4Writer(tmp_path / "v.mp4", fps=10) as writer:
        for index in range(4):
            writer.write(np.full((40, 56, 3), 30 + 40 * index, dtype=np.uint8))
    address = f"memory://{tmp_path.name}/deep/v.mp4"
    with fsspec.open(address, "wb") as file:
        file.write((tmp_path / "v.mp4").read_bytes())
    for source, name in ((address, "a"), (tmp_path / "v.mp4", "b")):
        assert masklet_command("track", source, *ONE, "--out", tmp_path / name, *MODEL).code == 0
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    again = masklet_command("track", address, *ONE, "--out", tmp_path / "a", "--resume", *MODEL)
    assert again.code == 0, again.err
    absent = masklet_command("track", f"{address}.mp4", *ONE, "--out", tmp_path / "c", *MODEL)
    assert absent.code == 1
    assert "cannot be read" in absent.err


def test_two_runs_write_the_same_bytes(masklet_command, clip, tmp_path):
    for name in ("a", "b"):
        out = tmp_path / name
        arguments = ("--out", out, "--overlay", out / "o.mp4", "--backward", *MODEL)
        assert masklet_command("track", clip, *TWO, *arguments).code == 0
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_a_model_that_is_not_compiled_says_so_and_gives_the_same(masklet_command, clip, tmp_path, caplog):
    outcome = masklet_command("track", clip, *ONE, "--out", tmp_path / "compiled", "--compile", *MODEL)
    assert outcome.code == 0, outcome.err
    assert "Frames are not compiled" in caplog.text
    masklet_command("track", clip, *ONE, "--out", tmp_path / "plain", *MODEL)
    compiled, plain = masks_of(tmp_path / "compiled"), masks_of(tmp_path / "plain")
    assert all(np.array_equal(compiled[index], plain[index]) for index in plain)


def test_a_mask_prompt_comes_back_as_the_mask_of_its_frame(masklet_command, clip, tmp_path):
    labels = np.zeros((40, 56), dtype=np.uint8)
    labels[10:26, 8:24] = 3
    write_indexed_png(tmp_path / "first.png", labels)
    out = tmp_path / "out"
    outcome = masklet_command("track", clip, "--mask", f"3@0={tmp_path / 'first.png'}", "--out", out, *MODEL)
    assert outcome.code == 0, outcome.err
    found = masks_of(out)[0] == 3
    both = (labels == 3) & found
    assert both.sum() / ((labels == 3) | found).sum() > 0.9


def test_prompts_from_a_file_equal_those_of_the_command_line(masklet_command, clip, tmp_path):
    content = {
        "prompts": [
            {"object": 1, "frame": 0, "clicks": [[14, 16, 1], [50, 36, 0]], "box": None, "mask": None},
            {"object": 2, "frame": 3, "box": [12, 8, 34, 30]},
        ]
    }
    (tmp_path / "p.json").write_text(json.dumps(content))
    masklet_command("track", clip, *TWO, "--out", tmp_path / "a", *MODEL)
    masklet_command("track", clip, "--prompts", tmp_path / "p.json", "--out", tmp_path / "b", *MODEL)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_a_range_and_backward(masklet_command, clip, tmp_path):
    arguments = ("--prompt", "1@4: +22,16", "--start", "2", "--stop", "7", *MODEL)
    masklet_command("track", clip, *arguments, "--out", tmp_path / "a")
    masklet_command("track", clip, *arguments, "--backward", "--out", tmp_path / "b")
    assert list(masks_of(tmp_path / "a")) == list(masks_of(tmp_path / "b")) == [2, 3, 4, 5, 6]
    forward = load_document(tmp_path / "a" / "tracks.json").tracks[1].frames
    both = load_document(tmp_path / "b" / "tracks.json").tracks[1].frames
    assert (list(forward), list(both)) == ([4, 5, 6], [2, 3, 4, 5, 6])
    assert [forward[index] for index in (4, 5, 6)] == [both[index] for index in (4, 5, 6)]


@pytest.mark.parametrize("policy", ["recent", "quality", "motion"])
def test_ctrl_c_keeps_what_is_done_and_resume_ends_as_if_nothing_had_happened(
    masklet_command, clip, tmp_path, monkeypatch, policy
):
    given = ("track", clip, *TWO, "--policy", policy, *MODEL)
    assert masklet_command(*given, "--out", tmp_path / "whole").code == 0
    advance = ProgressDisplay.advance

    def interrupted(display, what, num_done, num_total):
        advance(display, what, num_done, num_total)
        if num_done == 5:
            signal.raise_signal(signal.SIGINT)

    arguments = (*given, "--out", tmp_path / "broken")
    with monkeypatch.context() as patch:
        patch.setattr(ProgressDisplay, "advance", interrupted)
        outcome = masklet_command(*arguments)
    assert (outcome.code, outcome.out) == (130, "")
    assert "Stopped after 5 of 8 frames" in outcome.err
    assert "--resume" in outcome.err
    assert list(masks_of(tmp_path / "broken")) == list(range(5))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    facts = json.loads(masklet_command("info", tmp_path / "broken", "--json").out)
    assert facts["kind"] == "unfinished run of masklet track"
    assert (facts["frames_written"], facts["frames_that_are_safe"], facts["range"]) == (5, 5, "0 to 8")
    resumed = masklet_command(*arguments, "--resume")
    assert resumed.code == 0, resumed.err
    assert "5 done before" in resumed.err
    assert digests(tmp_path / "broken") == digests(tmp_path / "whole")


def test_a_second_ctrl_c_stops_at_once(masklet_command, clip, tmp_path, monkeypatch):
    def interrupted_twice(_display, _what, _num_done, _num_total):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(ProgressDisplay, "advance", interrupted_twice)
    outcome = masklet_command("track", clip, *ONE, "--out", tmp_path / "out", *MODEL)
    assert outcome.code == 130
    assert outcome.err.endswith("Interrupted.\n")


def test_a_killed_process_is_resumed_with_the_same_result(masklet_command, clip, tmp_path):
    arguments = ["track", str(clip), *TWO, *MODEL]
    assert masklet_command(*arguments, "--backward", "--out", tmp_path / "whole").code == 0
    program = (
        "import os, signal, sys\n"
        "from masklet.cli import track\n"
        "from masklet.cli.main import main\n"
        "from masklet.pipeline import TrackJob\n"
        "track.TrackJob = lambda **fields: TrackJob(**fields, checkpoint_every=2)\n"
        "def die(display, what, num_done, num_total):\n"
        "    if num_done == 10:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "track.ProgressDisplay.advance = die\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", program, *arguments, "--backward", "--out", str(tmp_path / "killed")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr
    resumed = masklet_command(*arguments, "--backward", "--resume", "--out", tmp_path / "killed")
    assert resumed.code == 0, resumed.err
    assert "8 done before" in resumed.err
    assert digests(tmp_path / "killed") == digests(tmp_path / "whole")


def test_resume_with_other_prompts_is_refused(masklet_command, clip, tmp_path):
    masklet_command("track", clip, *ONE, "--out", tmp_path / "out", *MODEL)
    outcome = masklet_command("track", clip, *TWO, "--resume", "--out", tmp_path / "out", *MODEL)
    assert outcome.code == 1
    assert "another prompts, so it cannot be resumed" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Nothing says what to follow"),
        (["--prompt", "+14,16"], "does not say which object and frame"),
        (["--prompt", "1@0: +56,16"], "Object 1 on frame 0: The click (56, 16) lies outside"),
        (["--prompt", "1@8: +14,16"], "has the frames 0 to 7"),
        (["--prompt", "300@0: +14,16"], "must be 1 to 255"),
        (["--mask", "1@0=nowhere.png"], "nowhere.png"),
        (["--prompts", "nowhere.json"], "nowhere.json"),
        ([*ONE, "--model", "sam9-huge"], "There is no model or file 'sam9-huge'"),
        ([*ONE, *MODEL, "--device", "abacus"], "The device 'abacus' is unknown"),
        ([*ONE, *MODEL, "--policy", "forgetful"], "forgetful"),
        ([*ONE, "--start", "5", "--stop", "5"], "are not a range"),
        ([*ONE, "--stop", "9"], "has 8 frames"),
        ([*ONE, "--overlay", "o.avi"], "must be an MP4 file"),
    ],
)
def test_bad_requests_are_one_sentence(masklet_command, clip, tmp_path, arguments, words):
    outcome = masklet_command("track", clip, "--out", tmp_path / "out", *arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "out" / "tracks.json").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [("nowhere.mp4", None), ("text.mp4", b"just words, no video\n" * 20), ("empty.mkv", b"")],
)
def test_files_that_are_no_video(masklet_command, tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    outcome = masklet_command("track", tmp_path / name, *ONE, "--out", tmp_path / "out", *MODEL)
    assert outcome.code == 1
    assert name in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(masklet_command, clip, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    outcome = masklet_command("track", clip, *ONE, "--out", tmp_path / "file" / "out", *MODEL)
    assert outcome.code == 1
    assert "cannot be written" in outcome.err
