"""The bundled sample clip says the truth: its masks lie on its pictures, and the story is as its read-me tells it."""

import itertools
import json
import math
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from masklet import VideoSession, load_model
from masklet.cli.prompt_files import read_prompts_file
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.metrics import iou
from masklet.prompts import PromptSet

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "cup_shuffle"
CUPS, BALL = (1, 2, 3), 4
MAX_FOLDER_BYTES = 2_000_000
MAX_CLIP_BYTES = 1_700_000


@pytest.fixture(scope="module")
def document():
    return json.loads((SAMPLE / "masks.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def masks(document):
    """Object numbers of every frame, uint8 (n, h, w)."""
    size = Size(*document["size"])
    numbers = np.zeros((document["frames"], *size.hw), np.uint8)
    for key, track in document["objects"].items():
        for index, counts in enumerate(track):
            if counts:
                on = rle.decode(rle.RLE(size, counts.encode("ascii")))
                assert on.any(), "a frame without the object is an empty string"
                assert not numbers[index][on].any(), "a pixel belongs to one object at most"
                numbers[index][on] = int(key)
    return numbers


@pytest.fixture(scope="module")
def pictures():
    with av.open(str(SAMPLE / "clip.mp4")) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


@pytest.fixture
def choreography(monkeypatch):
    monkeypatch.syspath_prepend(str(SAMPLE))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    import choreography

    return choreography


def area(masks, number):
    return (masks == number).sum((1, 2))


def test_folder_is_small():
    sizes = {
        p.name: p.stat().st_size for p in SAMPLE.rglob("*") if p.is_file() and "__pycache__" not in p.parts
    }
    assert sum(sizes.values()) <= MAX_FOLDER_BYTES
    assert sizes["clip.mp4"] <= MAX_CLIP_BYTES


def test_clip_and_masks_have_the_same_frames(document, pictures):
    assert list(pictures.shape[1:3]) == document["size"]
    assert len(pictures) == document["frames"]
    assert sorted(document["objects"]) == ["1", "2", "3", "4"]
    assert {len(track) for track in document["objects"].values()} == {document["frames"]}


def test_clip_says_its_rate_and_colours(document):
    with av.open(str(SAMPLE / "clip.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.average_rate == document["fps"]
        assert stream.codec_context.pix_fmt == "yuv420p"


def test_ball_is_orange_inside_its_mask_only(masks, pictures, choreography):
    values = pictures.astype(np.int16)
    orange = (values[..., 0] - values[..., 2] > 110) & (values[..., 0] - values[..., 1] > 60)
    for index in np.flatnonzero(area(masks, BALL) > 1200):  # fewer: in the dark under the rim
        found, truth = orange[index], masks[index] == BALL
        assert (found & truth).sum() > 0.4 * truth.sum()
        rows, columns = np.nonzero(truth)
        near = np.zeros_like(truth)
        near[max(rows.min() - 12, 0) : rows.max() + 13, max(columns.min() - 12, 0) : columns.max() + 13] = (
            True
        )
        if index < choreography.LOWER.stop:  # later a red book is behind it
            assert (found & near & ~truth).sum() < 0.06 * truth.sum()


def test_cups_are_blue_inside_their_masks(masks, pictures):
    for index in range(0, len(masks), 8):
        values = pictures[index].astype(np.int16)
        blue = values[..., 2] - values[..., 0] > 20
        cups = (masks[index] > 0) & (masks[index] != BALL)
        assert (blue & cups).sum() > 0.8 * cups.sum()
        assert (blue & ~cups).sum() < 0.15 * cups.sum()


def test_mask_edges_lie_on_picture_edges(masks, pictures):
    """The picture changes more across the true outline than across outlines moved by a few pixels."""
    scores = {shift: 0.0 for shift in (-4, 0, 4)}
    for index in range(0, len(masks), 6):
        grey = pictures[index].astype(np.float64).mean(2)
        step = np.abs(np.diff(grey, axis=1))
        outline = np.diff((masks[index] > 0).astype(np.int8), axis=1) != 0
        for shift in scores:
            scores[shift] += step[np.roll(outline, shift, axis=1)].mean()
    assert scores[0] > 2 * max(scores[-4], scores[4])


def test_ball_is_hidden_while_the_cups_are_shuffled(masks, choreography):
    visible = area(masks, BALL) > 0
    hidden = np.flatnonzero(~visible)
    assert visible[0]
    assert visible[-1]
    assert np.array_equal(hidden, np.arange(hidden[0], hidden[-1] + 1)), "it is hidden once, without a gap"
    assert choreography.LOWER.start < hidden[0] <= choreography.LOWER.stop
    assert choreography.REVEAL.start <= hidden[-1] < choreography.REVEAL.stop


def test_cups_stand_from_left_to_right_at_first_and_pass_each_other(masks, choreography):
    def order(index):
        return sorted(CUPS, key=lambda cup: np.nonzero(masks[index] == cup)[1].mean())

    assert order(0) == list(CUPS)
    assert order(-1) == list(choreography.slots_after(len(choreography.SWAPS)))
    for cup in CUPS:
        assert area(masks, cup).min() < 0.2 * np.median(area(masks, cup)), (
            "each is nearly hidden at some moment"
        )


def test_ball_comes_out_where_its_cup_is(masks, choreography):
    cup_x = np.nonzero(masks[-1] == choreography.HIDING_CUP)[1].mean()
    ball_x = np.nonzero(masks[-1] == BALL)[1].mean()
    assert abs(cup_x - ball_x) < 12


def test_masks_do_not_jump(masks):
    """Object numbers stay with their objects: centres of well-seen objects move smoothly."""
    for number in (*CUPS, BALL):
        seen = area(masks, number) > 0.9 * np.median(area(masks, number)[area(masks, number) > 0])
        centres = np.array(
            [
                [c.mean() for c in np.nonzero(m == number)] if s else [np.nan] * 2
                for m, s in zip(masks, seen, strict=True)
            ]
        )
        steps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
        assert np.nanmax(steps) < 80


def test_prompts_point_out_their_objects(masks, document):
    prompts = read_prompts_file(SAMPLE / "prompts.json")
    assert [prompt.object_id for prompt in prompts] == [*CUPS, BALL]
    for prompt in prompts:
        prompt.prompts.check_inside(Size(*document["size"]))
        mask, box = masks[prompt.frame] == prompt.object_id, prompt.prompts.box
        if box is None:
            (click,) = prompt.prompts.clicks
            assert mask[int(click.y), int(click.x)]
        else:
            rows, columns = np.nonzero(mask)
            assert box.xyxy == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


@pytest.mark.slow
def test_cups_keep_their_ids_while_they_pass_each_other(masks):
    first, last = 70, 109  # twice all three in one line, the one behind nearly out of sight
    assert min(area(masks[first:last], cup).min() for cup in CUPS) < 0.05 * area(masks, CUPS[0]).max()
    with VideoSession(load_model("compact"), SAMPLE / "clip.mp4", policy="rivals") as session:
        for cup in CUPS:
            session.prompt(object_id=cup, frame=first, prompts=PromptSet(mask=masks[first] == cup))
        *_, shown = session.track(start=first, stop=last)
    for cup in CUPS:
        overlaps = {other: iou(shown.masks[cup], masks[shown.index] == other) for other in CUPS}
        assert max(overlaps, key=lambda other: overlaps[other]) == cup, overlaps
        assert overlaps[cup] > 0.4


def test_nothing_passes_through_anything(choreography):
    frames = np.arange(0, choreography.NUM_STORY_FRAMES - 1, 0.25)
    gaps = [choreography.smallest_gap(float(frame)) for frame in frames]
    assert min(gaps) > 0.02


def test_gap_sees_a_collision(choreography, monkeypatch):
    crossing = choreography.Swap(start=36, stop=51, front_slot=1, back_slot=0, depth=0.1)
    monkeypatch.setattr(choreography, "SWAPS", (crossing,))
    assert min(choreography.smallest_gap(frame) for frame in range(36, 52)) < 0


def test_story_does_not_jump(choreography):
    frames = range(choreography.NUM_STORY_FRAMES)
    for poses in [[choreography.ball_pose(f) for f in frames]] + [
        [choreography.cup_pose(cup, f) for f in frames] for cup in CUPS
    ]:
        assert max(math.dist(a.position, b.position) for a, b in itertools.pairwise(poses)) < 0.6
