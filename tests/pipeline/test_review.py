"""What a person looks at first, and what a data set holds."""

import numpy as np
import pytest

from masklet.annotations import FrameMask, Project, Track, VideoFacts
from masklet.geometry import Size
from masklet.masks import rle
from masklet.pipeline.ontology import labels_named
from masklet.pipeline.review import by_uncertainty, review_of, review_to_json
from masklet.pipeline.statistics import LabourAssumptions, of_projects

SIZE = Size(100, 200)


def seen(frame, side, score=0.9, presence=1.0, stability=0.9):
    mask = np.zeros(SIZE.hw, dtype=bool)
    mask[:side, :side] = True
    return FrameMask(
        frame=frame,
        rle=rle.encode(mask) if side else None,
        score=score,
        presence=presence,
        stability=stability,
    )


def project(*tracks, num_frames=10):
    return Project(
        video=VideoFacts(name="clip.mp4", size=SIZE, num_frames=num_frames),
        labels=labels_named(["dog", "cat"]),
        tracks={
            number: Track(object_id=number, label_id=label, frames={one.frame: one for one in frames})
            for number, (label, frames) in enumerate(tracks, start=1)
        },
    )


def test_the_least_certain_object_and_frame_come_first():
    steady = (1, [seen(0, 40), seen(1, 40)])
    doubtful = (2, [seen(0, 40), seen(1, 40, score=0.2, stability=0.3), seen(2, 0)])
    entries = review_of(project(steady, doubtful), {}, "documents/a.json")
    assert [(one.object_id, one.frame, one.label) for one in entries] == [(2, 1, "cat"), (1, 0, "dog")]
    assert entries[0].uncertainty == pytest.approx(1 - 0.25)
    assert entries[1].uncertainty == pytest.approx(1 - 0.9)
    assert entries[0].reasons == ("the mask may be poor", "the outline is unsure")
    assert entries[1].reasons == ()


def test_jumps_of_size_and_weak_classes_raise_doubt():
    jumping = (1, [seen(0, 40), seen(1, 20), seen(2, 20), seen(5, 60)])
    (entry,) = review_of(project(jumping), {1: 0.2}, "a.json")
    assert entry.frame == 1
    assert entry.reasons == ("its size jumps", "the class is unsure")
    assert entry.uncertainty == pytest.approx(1 - 0.9 * 0.5 * 0.6)


def test_objects_never_seen_are_not_listed_and_order_is_total():
    assert review_of(project((1, [seen(0, 0)])), {}, "a.json") == []
    first = review_of(project((1, [seen(0, 40)])), {}, "b.json")
    second = review_of(project((1, [seen(0, 40)])), {}, "a.json")
    listed = review_to_json(by_uncertainty([*first, *second]))["entries"]
    assert [one["document"] for one in listed] == ["a.json", "b.json"]


def test_statistics_count_classes_sizes_and_time():
    image = project((1, [seen(0, 20)]), (2, [seen(0, 98)]), num_frames=1)
    video = project((1, [seen(0, 50), seen(1, 50), seen(2, 0)]), num_frames=3)
    empty = project(num_frames=1)
    assumed = LabourAssumptions(outline_s=100, frame_s=10, look_s=1, redone=0.5)
    found = of_projects([(image, True), (video, False), (empty, True)]).to_json(assumed)
    assert (found["images"], found["videos"], found["frames"]) == (2, 1, 5)
    assert found["files_without_objects"] == 1
    assert found["objects_by_class"] == {"cat": 1, "dog": 2}
    assert found["masks_by_class"] == {"cat": 1, "dog": 3}
    assert found["masks_by_size"] == {"small": 1, "medium": 2, "large": 1}
    assert found["by_hand_hours"] == pytest.approx(220 / 3600, abs=1e-3)
    assert found["with_review_hours"] == pytest.approx((3 + 110) / 3600, abs=1e-3)
    assert found["median_area_share"] == pytest.approx(2500 / 20000)


def test_statistics_of_nothing():
    found = of_projects([]).to_json()
    assert found["objects"] == 0
    assert found["median_area_share"] is None
