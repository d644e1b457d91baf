import numpy as np
import pytest

from masklet.errors import PromptError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.vos import evaluate_clip, evaluate_vos, start_prompts, statistics
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.metrics import boundary_f, iou
from masklet.prompts import Click

SIZE = Size(30, 40)


def square(left, side=10):
    mask = np.zeros(SIZE.hw, bool)
    mask[10 : 10 + side, left : left + side] = True
    return mask


EMPTY = np.zeros(SIZE.hw, bool)


def clip_of(truth, name="clip"):
    """A clip from {object id: [mask or None, ...]}."""
    encoded = {i: tuple(None if m is None else rle.encode(m) for m in masks) for i, masks in truth.items()}
    num_frames = len(next(iter(truth.values())))
    return Clip(
        name=name,
        size=SIZE,
        num_frames=num_frames,
        truth=encoded,
        read_frame=lambda _: np.zeros((*SIZE.hw, 3), np.uint8),
    )


MOVING = clip_of({1: [square(2 * i) for i in range(8)]})


def perfect(clip, starts):
    for index in range(clip.num_frames):
        yield {i: clip.mask(i, index) for i in starts}


def repeated(clip, starts):
    for _ in range(clip.num_frames):
        yield {i: start.prompts.mask.mask for i, start in starts.items()}


def test_perfect_tracking_scores_one():
    report = evaluate_vos(perfect, [MOVING, MOVING])
    assert report.j_and_f == 1.0
    assert (report.region.recall, report.region.decay) == (1.0, 0.0)
    assert len(report.objects) == 2


def test_scores_are_means_over_frames_without_the_first_and_last():
    (score,) = evaluate_clip(repeated, MOVING)
    masks = [square(2 * i) for i in range(8)]
    assert score.num_frames == 6
    assert score.region.mean == pytest.approx(np.mean([iou(masks[0], m) for m in masks[1:-1]]))
    assert score.contour.mean == pytest.approx(np.mean([boundary_f(masks[0], m) for m in masks[1:-1]]))


def test_ends_can_be_counted():
    (score,) = evaluate_clip(repeated, MOVING, is_end_left_out=False)
    assert score.num_frames == 8


def test_frames_before_the_object_and_without_truth_do_not_count():
    clip = clip_of({5: [EMPTY, None, square(0), square(0), None, square(0), EMPTY, square(0)]})
    (score,) = evaluate_clip(perfect, clip)
    assert score.object_id == 5
    assert score.num_frames == 3
    assert start_prompts(clip, "mask")[5].frame == 2


def test_absent_object_is_right_only_when_nothing_is_predicted():
    clip = clip_of({1: [square(0), EMPTY, EMPTY, square(0)]})
    assert evaluate_clip(perfect, clip)[0].j_and_f == 1.0
    assert evaluate_clip(repeated, clip)[0].j_and_f == 0.0


def test_object_that_is_left_out_counts_as_empty():
    def silent(clip, _):
        return ({} for _ in range(clip.num_frames))

    assert evaluate_clip(silent, MOVING)[0].j_and_f == 0.0


def test_object_never_seen_is_not_scored():
    clip = clip_of({1: [square(0)] * 4, 2: [EMPTY] * 4})
    assert [score.object_id for score in evaluate_clip(perfect, clip)] == [1]


@pytest.mark.parametrize(
    ("kind", "name", "value"), [("click", "clicks", (Click(4, 14),)), ("box", "xyxy", (0, 10, 10, 20))]
)
def test_start_prompt_is_of_the_kind_asked_for(kind, name, value):
    prompts = start_prompts(MOVING, kind)[1].prompts
    assert getattr(prompts if kind == "click" else prompts.box, name) == value
    assert prompts.mask is None


@pytest.mark.parametrize("num_frames", [7, 9])
def test_tracker_must_give_every_frame(num_frames):
    def wrong(_clip, _starts):
        return ({1: EMPTY} for _ in range(num_frames))

    with pytest.raises(PromptError, match=f"{num_frames} frames"):
        evaluate_clip(wrong, MOVING)


def test_mask_of_another_size_is_refused():
    def wrong(clip, _starts):
        return ({1: np.zeros((3, 3), bool)} for _ in range(clip.num_frames))

    with pytest.raises(PromptError, match="one shape"):
        evaluate_clip(wrong, MOVING)


def test_report_without_objects_says_so():
    with pytest.raises(PromptError, match="No object"):
        _ = evaluate_vos(perfect, []).j_and_f


def test_each_clip_is_told_when_it_is_done():
    told = []
    evaluate_vos(perfect, [MOVING], on_clip=told.append)
    assert [scores[0].clip for scores in told] == ["clip"]


def test_statistics_of_a_falling_measure():
    found = statistics([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    assert found.mean == pytest.approx(0.6)
    assert found.recall == pytest.approx(5 / 9)
    # Quarters are frames 1-3 and 7-9 of nine.
    assert found.decay == pytest.approx(0.9 - 0.3)


def test_statistics_of_one_frame():
    found = statistics([0.7])
    assert (found.mean, found.recall, found.decay) == (0.7, 1.0, 0.0)
