"""Recall of automatic masks: by hand on squares, and equal to COCO's own evaluation on random masks."""

import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from masklet.errors import FormatError, PromptError
from masklet.evaluation.comparison import compare, read_measures
from masklet.evaluation.datasets import Still
from masklet.evaluation.failures import draw_proposals, worst_images
from masklet.evaluation.page.proposals import proposals_page
from masklet.evaluation.proposal_report import (
    image_from_json,
    image_to_json,
    proposals_csv,
    proposals_document,
    proposals_table,
)
from masklet.evaluation.proposals import (
    ProposalProtocol,
    ProposalReport,
    evaluate_proposals,
    evaluate_still,
    found_regions,
)
from masklet.geometry import Size
from masklet.masks import rle

SIZE = Size(120, 160)


def rectangle(left, top, width, height):
    mask = np.zeros(SIZE.hw, bool)
    mask[top : top + height, left : left + width] = True
    return rle.encode(mask)


def still_of(regions, name="one", source="made"):
    return Still(
        name=name,
        source=source,
        kind="regions",
        size=SIZE,
        masks=tuple(regions),
        labels=(),
        read_image=lambda: np.full((*SIZE.hw, 3), 90, np.uint8),
    )


SMALL, MEDIUM, LARGE = rectangle(0, 0, 20, 20), rectangle(30, 0, 60, 60), rectangle(0, 60, 160, 60)


def test_perfect_proposals_find_everything():
    found = evaluate_still(lambda _: [LARGE, MEDIUM, SMALL], still_of([SMALL, MEDIUM, LARGE]))
    assert [found.recall(k) for k in (10, 100, 1000)] == [1, 1, 1]
    assert [found.recall(1000, size) for size in ("small", "medium", "large")] == [1, 1, 1]
    assert (found.covering, found.covered) == (1, 1)


def test_only_the_first_proposals_count():
    protocol = ProposalProtocol(most=(1, 2, 3))
    found = evaluate_still(lambda _: [LARGE, LARGE, SMALL], still_of([SMALL, LARGE]), protocol=protocol)
    assert [found.recall(k) for k in (1, 2, 3)] == [0.5, 0.5, 1]
    assert found.recall(1, "small") == 0
    assert found.recall(3, "medium") is None


def test_a_proposal_finds_one_region_only_at_the_thresholds_it_reaches():
    # 48 of 60 rows: IoU 0.8, found at 0.5 to 0.8
    assert rle.iou([rectangle(0, 60, 160, 48)], [LARGE])[0, 0] == pytest.approx(0.8)
    found = evaluate_still(lambda _: [rectangle(0, 60, 160, 48)], still_of([LARGE, LARGE]))
    assert found.num_found["all"][10] == (1,) * 7 + (0,) * 3
    assert found.recall(10) == pytest.approx(7 / 20)
    assert found.best_ious == pytest.approx((0.8, 0.8))


def test_each_proposal_takes_the_best_region_that_is_left():
    ious = np.array([[0.9, 0.8], [0.85, 0.0]])
    assert found_regions(ious)[0] == 1
    assert found_regions(ious[::-1])[0] == 2


def test_covering_weighs_regions_by_area_and_coverage_counts_pixels():
    found = evaluate_still(lambda _: [LARGE], still_of([SMALL, LARGE]))
    assert found.covering == pytest.approx(9600 / 10000)
    assert found.covered == pytest.approx(9600 / 10000)
    nothing = evaluate_still(lambda _: [], still_of([SMALL, LARGE]))
    assert (nothing.covering, nothing.covered, nothing.recall(10)) == (0, 0, 0)


def random_masks(rng, number):
    return [
        rectangle(*rng.integers(0, 60, 2).tolist(), *rng.integers(8, 130, 2).tolist()) for _ in range(number)
    ]


def test_average_recall_equals_coco():
    rng = np.random.default_rng(3)
    truth = [random_masks(rng, 6) for _ in range(5)]
    proposals = {}
    for index, regions in enumerate(truth):
        shifted = [np.roll(rle.decode(mask), rng.integers(-6, 7, 2), (0, 1)) for mask in regions]
        proposals[index] = [*map(rle.encode, shifted), *random_masks(rng, 14)]
        rng.shuffle(proposals[index])
    order = iter(range(len(truth)))
    stills = [still_of(regions, name=str(index)) for index, regions in enumerate(truth)]
    report = evaluate_proposals(lambda _: proposals[next(order)], stills, [])
    with contextlib.redirect_stdout(io.StringIO()):
        evaluator = COCOeval(*coco_of(truth, proposals), "segm")
        evaluator.params.useCats, evaluator.params.maxDets = 0, [10, 100, 1000]
        evaluator.evaluate()
        evaluator.accumulate()
    recall = evaluator.eval["recall"]  # (threshold, category, area, number)
    found = report.overall()
    assert list(found.recall.values()) == pytest.approx(recall[:, 0, 0].mean(axis=0).tolist(), abs=1e-9)
    for area, size in enumerate(("small", "medium", "large"), start=1):
        assert found.recall_by_size[size] == pytest.approx(recall[:, 0, area, 2].mean(), abs=1e-9)
    assert [value for _, value in report.recall_curve(10)] == pytest.approx(recall[:, 0, 0, 0].tolist())


def coco_of(truth, proposals):
    images = [{"id": i + 1, "height": SIZE.height, "width": SIZE.width} for i in range(len(truth))]
    annotations = [
        {
            "image_id": i + 1,
            "category_id": 1,
            "segmentation": as_coco(mask),
            "area": rle.area(mask),
            "iscrowd": 0,
        }
        for i, regions in enumerate(truth)
        for mask in regions
    ]
    for number, one in enumerate(annotations, start=1):
        one["id"] = number
    expected = COCO()
    expected.dataset = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "thing"}],
    }
    expected.createIndex()
    results = [
        {"image_id": i + 1, "category_id": 1, "segmentation": as_coco(mask), "score": 1 - rank / 100}
        for i, masks in proposals.items()
        for rank, mask in enumerate(masks)
    ]
    return expected, expected.loadRes(results)


def as_coco(mask):
    return {"size": list(SIZE.hw), "counts": mask.counts}


def test_images_that_cannot_be_read_are_named_and_spoil_nothing():
    def damaged():
        raise FormatError("The image b cannot be decoded.")

    stills = [still_of([SMALL], name="a"), still_of([SMALL], name="b"), still_of([rle.empty(SIZE)], name="c")]
    object.__setattr__(stills[1], "read_image", damaged)
    problems, told = [], []
    report = evaluate_proposals(lambda _: [SMALL], stills, problems, on_still=told.append)
    assert problems == ["made/b: The image b cannot be decoded."]
    assert [one.image for one in report.images] == ["a"]
    assert [None if one is None else one.image for one in told] == ["a", None, None]


def test_masks_of_another_size_and_odd_numbers_are_refused():
    with pytest.raises(PromptError, match="image size"):
        evaluate_still(lambda _: [rle.empty(Size(2, 2))], still_of([SMALL]))
    with pytest.raises(PromptError, match="ascending"):
        ProposalProtocol(most=(100, 10))
    with pytest.raises(PromptError, match="No image"):
        ProposalReport(protocol=ProposalProtocol(), images=()).overall()


@pytest.fixture
def report():
    stills = [still_of([SMALL, LARGE], name=f"{i}", source=f"domain <{i % 3}>") for i in range(6)]
    return stills, evaluate_proposals(lambda _: [LARGE], stills, [])


def test_results_are_written_in_every_form(report):
    _stills, found = report
    document = proposals_document(found)
    assert document["overall"]["average_recall"] == {"10": 0.5, "100": 0.5, "1000": 0.5}
    assert document["overall"]["average_recall_by_size"] == {"small": 0.0, "large": 1.0}
    assert document["recall_by_iou"]["10"]["0.95"] == 0.5
    assert (
        proposals_table(found, title="Made").splitlines()[-1].startswith("| **all** | 6 | 12 | 1.0 | 0.500 |")
    )
    assert proposals_csv(found).splitlines()[1:3] == ["domain <0>,0,0,400,0.0", "domain <0>,0,1,9600,1.0"]
    again = [image_from_json(json.loads(json.dumps(image_to_json(one)))) for one in found.images]
    assert again == list(found.images)
    (measure, *_) = compare(*[read_measures(document)] * 2, num_samples=100).measures
    assert (measure.name, measure.first, measure.difference.mean) == ("AR@10", 0.5, 0)


def test_page_shows_the_worst_images_of_every_domain(report):
    stills, found = report
    worst = worst_images(found, most=4)
    assert {one.source for one in worst} == {"domain <0>", "domain <1>", "domain <2>"}
    drawn = draw_proposals(lambda _: [LARGE], stills, worst)
    page = proposals_page(found, drawn, title="Made", facts={"command": "x"}, problems=["b is <odd>"])
    assert page.count("data:image/jpeg") == 2 * 4
    assert 'aria-label="Scores of every domain"' in page
    assert "domain &lt;0&gt;" in page
    assert "b is &lt;odd&gt;" in page
