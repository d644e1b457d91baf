"""Presence against visibility, with trackers whose answers are known."""

import itertools

import numpy as np
import pytest

from masklet.errors import PromptError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.leaving_clips import LeavingClip
from masklet.evaluation.occlusion import (
    OcclusionProtocol,
    OcclusionReport,
    Sighting,
    evaluate_leaving_clip,
    evaluate_occlusion,
    frames_by_visibility,
    ranking_auc,
)
from masklet.geometry import Size
from masklet.masks import rle

SIDE = 40
EMPTY = np.zeros((SIDE, SIDE), bool)
# One pixel of 1,600 is 0.0625 %: with a least visible part of 1 %, 16 pixels are visible and 15 are a sliver.
PROTOCOL = OcclusionProtocol(min_visible=0.01)


def pixels(count):
    mask = EMPTY.copy()
    mask.reshape(-1)[:count] = True
    return mask


def leaving(areas, name="clip", way="exit", *, has_twin=False):
    clip = Clip(
        name=name,
        size=Size(SIDE, SIDE),
        num_frames=len(areas),
        truth={1: tuple(rle.encode(pixels(area)) for area in areas)},
        read_frame=lambda _: np.zeros((SIDE, SIDE, 3), np.uint8),
    )
    return LeavingClip(clip=clip, way=way, has_twin=has_twin)


AREAS = (200, 200, 100, 10, 0, 0, 5, 100, 200, 200, 200)
CLIP = leaving(AREAS)


def perfect(clip, _starts):
    for index in range(clip.num_frames):
        mask = clip.mask(1, index)
        yield {1: Sighting(mask=mask, presence=float(mask.sum()))}


def test_perfect_tracker_scores_one_everywhere():
    report = evaluate_occlusion(perfect, [CLIP, CLIP], protocol=PROTOCOL)
    overall = report.overall()
    assert (overall.presence_auc, overall.region, overall.found) == (1.0, 1.0, 1.0)
    # Frame 0 is prompted; frames 3 and 6 show slivers.
    assert (overall.num_clips, overall.num_visible, overall.num_hidden) == (2, 12, 4)


def test_visible_hidden_and_ambiguous_frames():
    assert frames_by_visibility(CLIP.clip, 0.01) == ((1, 2, 7, 8, 9, 10), (4, 5))
    assert frames_by_visibility(leaving((99, 16, 15, 1, 0)).clip, 0.01) == ((1,), (4,))


def test_tracker_that_never_doubts_is_no_better_than_chance():
    def sure(clip, _starts):
        return ({1: Sighting(mask=pixels(200), presence=1.0)} for _ in range(clip.num_frames))

    score = evaluate_leaving_clip(sure, CLIP, protocol=PROTOCOL)
    assert ranking_auc(score.visible, score.hidden) == 0.5
    assert score.region == pytest.approx((4 * 1.0 + 2 * 0.5) / 6)


@pytest.mark.parametrize(("found_at", "is_found"), [(9, True), (10, False)])
def test_object_must_be_found_on_the_third_visible_frame_after_its_return(found_at, is_found):
    # It returns on frame 7: the third visible frame is 9.
    def late(clip, _starts):
        for index in range(clip.num_frames):
            given = clip.mask(1, index) if index < 4 or index >= found_at else EMPTY
            yield {1: Sighting(mask=given, presence=0.0)}

    assert evaluate_leaving_clip(late, CLIP, protocol=PROTOCOL).is_found is is_found


def test_object_is_started_by_its_true_mask():
    told = []

    def curious(clip, starts):
        told.append(starts)
        return perfect(clip, starts)

    evaluate_leaving_clip(curious, CLIP, protocol=PROTOCOL)
    ((start,),) = [list(starts.values()) for starts in told]
    assert start.frame == 0
    assert np.array_equal(start.prompts.mask.mask, pixels(200))


def test_kinds_are_told_apart_and_presence_is_ranked_over_all_clips():
    def offset_by_way(clip, _starts):
        base = 10.0 if clip.name == "b" else 0.0
        for index in range(clip.num_frames):
            mask = clip.mask(1, index)
            yield {1: Sighting(mask=mask, presence=base + float(mask.any()))}

    clips = [leaving(AREAS, "a"), leaving(AREAS, "b", way="occluder", has_twin=True)]
    report = evaluate_occlusion(offset_by_way, clips, protocol=PROTOCOL)
    assert list(report.by_kind()) == ["exit", "occluder, twin"]
    assert [one.presence_auc for one in report.by_kind().values()] == [1.0, 1.0]
    # Hidden frames of b lie above visible frames of a: a quarter of the pairs is wrong.
    assert report.overall().presence_auc == 0.75


def test_every_frame_and_clip_is_told():
    frames, told = [], []
    evaluate_occlusion(
        perfect, [CLIP], protocol=PROTOCOL, on_frame=lambda: frames.append(1), on_clip=told.append
    )
    assert len(frames) == len(AREAS)
    assert [score.clip for score in told] == ["clip"]


@pytest.mark.parametrize("areas", [(200,) * 8, (200, 0, 0, 200, 200), (0, 200, 0, 200, 200, 200)])
def test_object_that_does_not_leave_and_return_is_refused(areas):
    with pytest.raises(PromptError, match="must be"):
        evaluate_leaving_clip(perfect, leaving(areas), protocol=PROTOCOL)


def test_tracker_must_tell_of_every_frame_and_of_the_object():
    with pytest.raises(PromptError, match="10 frames"):
        evaluate_leaving_clip(lambda *a: itertools.islice(perfect(*a), 10), CLIP, protocol=PROTOCOL)
    with pytest.raises(PromptError, match="says nothing"):
        evaluate_leaving_clip(lambda *_: iter([{}]), CLIP, protocol=PROTOCOL)


def test_report_without_clips_says_so():
    with pytest.raises(PromptError, match="No clip"):
        OcclusionReport(protocol=PROTOCOL, clips=()).overall()


@pytest.mark.parametrize(
    ("positives", "negatives", "expected"),
    [
        ([2, 3], [0, 1], 1.0),
        ([0, 1], [2, 3], 0.0),
        ([1, 3], [2, 0], 0.75),
        ([1, 1], [1, 1, 1], 0.5),
        ([0.5, 1], [0.5], 0.75),
        ([5], [5, 4, 6, 5], 0.5),
    ],
)
def test_auc_of_known_values(positives, negatives, expected):
    assert ranking_auc(positives, negatives) == pytest.approx(expected, abs=1e-12)


def test_auc_counts_every_pair():
    rng = np.random.default_rng(0)
    positives, negatives = rng.integers(0, 12, 37) + 2, rng.integers(0, 12, 23)
    pairs = [float(p > n) + 0.5 * float(p == n) for p in positives for n in negatives]
    assert ranking_auc(positives.tolist(), negatives.tolist()) == pytest.approx(np.mean(pairs), abs=1e-12)


@pytest.mark.parametrize(("positives", "negatives"), [([], [1.0]), ([1.0], [])])
def test_auc_needs_both_sides(positives, negatives):
    with pytest.raises(PromptError, match="both sides"):
        ranking_auc(positives, negatives)


@pytest.mark.parametrize("bad", [{"min_visible": 0.0}, {"found_iou": 1.0}, {"found_after": 0}])
def test_protocol_that_means_nothing_is_refused(bad):
    with pytest.raises(PromptError):
        OcclusionProtocol(**bad)
