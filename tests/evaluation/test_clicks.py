import numpy as np
import pytest

from masklet.errors import PromptError
from masklet.evaluation.clicks import ClickProtocol, ObjectClicks, evaluate_clicks, evaluate_still
from masklet.evaluation.datasets import Still
from masklet.geometry import Size
from masklet.masks import rle

SIZE = Size(20, 24)


def rectangle(top, left, bottom, right):
    mask = np.zeros(SIZE.hw, bool)
    mask[top:bottom, left:right] = True
    return mask


def still_of(*masks, source="one", name="photo"):
    return Still(
        name=name,
        source=source,
        kind="instances",
        size=SIZE,
        masks=tuple(rle.encode(mask) for mask in masks),
        labels=(),
        read_image=lambda: np.zeros((*SIZE.hw, 3), np.uint8),
    )


class DiscModel:
    """Paints a disc around every click and a box as it is; its state is the number of the call."""

    def __init__(self, radius):
        self.radius = radius
        self.num_embedded = 0
        self.calls = []

    def embed(self, image):
        self.num_embedded += 1
        return image.shape[:2]

    def predict(self, embedding, prompts, previous):
        self.calls.append((len(prompts), [len(one.clicks) for one in prompts], previous))
        return np.stack([self.painted(embedding, one) for one in prompts]), len(self.calls)

    def painted(self, shape, prompts):
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        mask = np.zeros(shape, bool)
        for click in prompts.clicks:
            mask[(rows - click.y) ** 2 + (columns - click.x) ** 2 <= self.radius**2] = click.positive
        if prompts.box is not None:
            box = prompts.box
            mask |= (columns >= box.x0) & (columns < box.x1) & (rows >= box.y0) & (rows < box.y1)
        return mask


SMALL, LARGE = rectangle(2, 2, 5, 5), rectangle(8, 6, 18, 20)


def test_image_is_embedded_once_and_objects_advance_together():
    model = DiscModel(2)
    evaluate_still(model, still_of(SMALL, LARGE), protocol=ClickProtocol(clicks=(1, 3), max_clicks=3))
    assert model.num_embedded == 1
    # Three rounds of clicks with the state handed on, then the boxes.
    assert [(count, previous) for count, _, previous in model.calls] == [(2, None), (2, 1), (2, 2), (2, None)]
    assert model.calls[2][1] == [3, 3]


def test_clicks_raise_the_iou_and_boxes_are_exact_here():
    small, large = evaluate_still(DiscModel(3), still_of(SMALL, LARGE), protocol=ClickProtocol(max_clicks=12))
    assert large.iou_after(1) < large.iou_after(3) < large.iou_after(12)
    assert small.index == 0
    assert (small.box_iou, large.box_iou) == (1.0, 1.0)


def test_clicking_stops_when_every_target_is_reached():
    protocol = ClickProtocol(clicks=(1,), max_clicks=20, targets=(0.3, 0.5))
    (found,) = evaluate_still(DiscModel(3), still_of(LARGE), protocol=protocol)
    assert 1 < len(found.ious) < 20
    assert max(found.ious[:-1]) < 0.5 <= found.ious[-1]


def test_object_without_error_gets_no_more_clicks():
    model = DiscModel(0)
    found = evaluate_still(model, still_of(rectangle(4, 4, 5, 5)), protocol=ClickProtocol(clicks=(1, 3)))
    assert found[0].ious == (1.0, 1.0, 1.0)
    assert [count for _, (count,), _ in model.calls[:3]] == [1, 1, 1]


def test_empty_masks_are_left_out_and_an_empty_photo_is_not_embedded():
    model = DiscModel(2)
    assert evaluate_still(model, still_of(np.zeros(SIZE.hw, bool))) == ()
    assert model.num_embedded == 0
    found = evaluate_still(model, still_of(np.zeros(SIZE.hw, bool), SMALL))
    assert [one.index for one in found] == [1]


def test_many_objects_are_done_in_batches_with_equal_results():
    masks = [rectangle(i, i, i + 3, i + 4) for i in range(7)]
    together = evaluate_still(DiscModel(2), still_of(*masks), protocol=ClickProtocol(max_clicks=5))
    model = DiscModel(2)
    apart = evaluate_still(model, still_of(*masks), protocol=ClickProtocol(max_clicks=5, max_objects=3))
    assert [one.ious for one in apart] == [one.ious for one in together]
    assert {count for count, _, _ in model.calls} == {3, 1}


def test_number_of_clicks_counts_to_the_first_that_reaches_the_target():
    one = ObjectClicks(source="a", image="b", index=0, ious=(0.5, 0.86, 0.7), box_iou=None)
    assert one.clicks_to(0.85, 20) == 2
    assert one.clicks_to(0.9, 20) == 20
    assert one.iou_after(9) == 0.7


def test_mean_over_sources_weighs_sources_not_objects():
    stills = [still_of(SMALL, SMALL, SMALL, source="a"), still_of(LARGE, source="b")]
    report = evaluate_clicks(DiscModel(2), stills, protocol=ClickProtocol(clicks=(1,), max_clicks=1))
    parts = report.by_source()
    mean = report.mean_over_sources()
    assert list(parts) == ["a", "b"]
    assert mean.num_objects == 4
    assert mean.miou_after[1] == pytest.approx((parts["a"].miou_after[1] + parts["b"].miou_after[1]) / 2)
    assert mean.clicks_to[0.9] == 1
    assert mean.box_miou == 1.0


def test_boxes_can_be_left_out():
    protocol = ClickProtocol(clicks=(1,), max_clicks=1, is_box_scored=False)
    report = evaluate_clicks(DiscModel(2), [still_of(SMALL)], protocol=protocol)
    assert report.mean_over_sources().box_miou is None


def test_each_photo_is_told_when_it_is_done():
    told = []
    evaluate_clicks(DiscModel(2), [still_of(SMALL)], on_still=told.append)
    assert [scores[0].image for scores in told] == ["photo"]


def test_answer_of_another_shape_is_refused():
    class Wrong(DiscModel):
        def predict(self, _embedding, _prompts, _previous):
            return np.zeros((1, 3, 3), bool), None

    with pytest.raises(PromptError, match="bool masks of shape"):
        evaluate_still(Wrong(2), still_of(SMALL))


def test_report_without_objects_says_so():
    with pytest.raises(PromptError, match="No object"):
        evaluate_clicks(DiscModel(2), []).mean_over_sources()


@pytest.mark.parametrize(
    "values", [{"clicks": ()}, {"clicks": (0,)}, {"max_clicks": 2}, {"targets": (1.5,)}, {"max_objects": 0}]
)
def test_protocol_without_meaning_is_refused(values):
    with pytest.raises(PromptError):
        ClickProtocol(**values)
