import errno
import json
import os
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from masklet.annotations import (
    Edit,
    FrameMask,
    Label,
    Project,
    Track,
    VideoFacts,
    dumps,
    from_json,
    load,
    loads,
    prompts_from_json,
    prompts_to_json,
    save,
    write_atomically,
)
from masklet.annotations.fields import rounded
from masklet.errors import FormatError
from masklet.geometry import Box, Size
from masklet.masks import rle
from masklet.prompts import Click, PromptSet

SIZE = Size(6, 7)
NUM_FRAMES = 9

text = st.text(max_size=12)
arrays = hnp.arrays(np.bool_, SIZE.hw)
masks = arrays.map(rle.encode)
frames = st.integers(0, NUM_FRAMES - 1)
probabilities = st.none() | st.floats(0, 1).map(rounded)
clicks = st.builds(Click, st.floats(0, 7, exclude_max=True), st.floats(0, 6, exclude_max=True), st.booleans())
boxes = st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(1, 9), st.integers(1, 9)).map(
    lambda parts: Box(parts[0], parts[1], parts[0] + parts[2] / 2, parts[1] + parts[3] / 4)
)
prompt_sets = (
    st.tuples(st.lists(clicks, max_size=3), st.none() | boxes, st.none() | arrays)
    .filter(lambda parts: bool(parts[0]) or parts[1] is not None or parts[2] is not None)
    .map(lambda parts: PromptSet(*parts))
)
edits = st.builds(
    Edit,
    action=st.text(min_size=1, max_size=8),
    object_id=st.none() | st.integers(0, 5),
    frame=st.none() | frames,
    before=st.none() | prompt_sets,
    after=st.none() | prompt_sets,
    text=text,
    time_s=st.none() | st.integers(0, 2**40),
)


@st.composite
def frame_masks(draw, frame):
    found = draw(st.none() | masks)
    is_empty = found is None or rle.area(found) == 0
    return FrameMask(
        frame=frame,
        rle=found,
        is_occluded=is_empty and draw(st.booleans()),
        score=draw(probabilities),
        presence=draw(probabilities),
        stability=draw(probabilities),
        is_prompted=draw(st.booleans()),
    )


@st.composite
def projects(draw):
    labels = [
        Label(
            id=i, name=draw(st.text(min_size=1, max_size=8)), color=f"#{draw(st.integers(0, 0xFFFFFF)):06x}"
        )
        for i in draw(st.sets(st.integers(0, 99), max_size=3))
    ]
    label_ids = st.none() | st.sampled_from([label.id for label in labels]) if labels else st.none()
    tracks = {}
    for object_id in draw(st.sets(st.integers(0, 99), max_size=3)):
        found = {i: draw(frame_masks(i)) for i in draw(st.sets(frames, max_size=3))}
        tracks[object_id] = Track(
            object_id=object_id, name=draw(text), label_id=draw(label_ids), frames=found
        )
    prompts = {i: draw(st.dictionaries(frames, prompt_sets, max_size=2)) for i in tracks}
    video = VideoFacts(
        name=draw(text),
        size=SIZE,
        num_frames=draw(st.sampled_from([None, NUM_FRAMES])),
        frame_rate=draw(
            st.none() | st.fractions(min_value=Fraction(1, 1000), max_value=1000, max_denominator=1001)
        ),
        sha256=draw(st.none() | st.just("0123456789abcdef" * 4)),
    )
    return Project(
        video=video,
        tracks=tracks,
        labels={label.id: label for label in labels},
        prompts=prompts,
        edits=tuple(draw(st.lists(edits, max_size=3))),
    )


def simple_project():
    mask = np.zeros(SIZE.hw, bool)
    mask[1:3, 2:5] = True
    track = Track(object_id=3, name="dog", label_id=0).with_frames(
        [
            FrameMask(frame=0, rle=rle.encode(mask), score=0.875, is_prompted=True),
            FrameMask(frame=1, rle=None),
        ]
    )
    return (
        Project(video=VideoFacts(name="a.mp4", size=SIZE, num_frames=NUM_FRAMES))
        .with_label(Label(id=0, name="animal", color="#ff8800"))
        .with_track(track)
        .with_prompts(3, 0, PromptSet([Click(2, 1)]))
        .with_edit(Edit(action="set_prompts", object_id=3, frame=0, after=PromptSet([Click(2, 1)])))
    )


def document():
    return json.loads(dumps(simple_project()))


@settings(max_examples=40)
@given(projects())
def test_every_project_round_trips(project):
    content = dumps(project)
    found = loads(content)
    assert found == project
    assert dumps(found) == content


@given(prompt_sets)
def test_prompts_round_trip(prompts):
    assert prompts_from_json(json.loads(json.dumps(prompts_to_json(prompts)))) == prompts


def test_bytes_do_not_depend_on_the_order_of_making():
    one = simple_project()
    first = one.with_track(Track(object_id=9)).with_track(Track(object_id=1))
    second = one.with_track(Track(object_id=1)).with_track(Track(object_id=9))
    assert dumps(first) == dumps(second)


def test_floats_keep_six_digits():
    project = simple_project().with_track(
        Track(object_id=1).with_frames([FrameMask(frame=0, rle=None, presence=0.123456789, score=-0.0)])
    )
    frame = next(t for t in json.loads(dumps(project))["tracks"] if t["object_id"] == 1)["frames"][0]
    assert frame == {"frame": 0, "presence": 0.123457, "score": 0.0}


def test_values_cannot_be_changed():
    project = simple_project()
    with pytest.raises(TypeError):
        project.tracks[4] = Track(object_id=4)
    with pytest.raises(TypeError):
        project.tracks[3].frames[0] = FrameMask(frame=0, rle=None)


def test_changing_gives_a_copy_and_leaves_the_old_one():
    project = simple_project()
    changed = project.with_track(project.tracks[3].with_name("cat").without_frames(0, 1))
    assert project.tracks[3].name == "dog"
    assert list(project.tracks[3].frames) == [0, 1]
    assert changed.tracks[3].name == "cat"
    assert list(changed.tracks[3].frames) == [1]


def test_removing_a_track_removes_its_prompts():
    found = simple_project().without_track(3)
    assert not found.tracks
    assert not found.prompts


def test_removing_a_label_leaves_objects_without_class():
    found = simple_project().without_label(0)
    assert not found.labels
    assert found.tracks[3].label_id is None


def test_removing_the_last_prompt_leaves_none():
    assert not simple_project().with_prompts(3, 0, None).prompts


def test_box_without_end_is_refused_before_it_is_written():
    project = simple_project().with_prompts(3, 0, PromptSet(box=(0, 0, float("inf"), 5)))
    with pytest.raises(FormatError, match="not finite"):
        dumps(project)


def test_huge_box_round_trips():
    project = simple_project().with_prompts(3, 0, PromptSet(box=(-1e300, 0, 1e300, 5)))
    assert loads(dumps(project)) == project


def test_last_edit_can_be_taken_back():
    assert simple_project().without_last_edit().edits == ()


def test_mask_of_an_unseen_object_is_empty():
    found = simple_project().tracks[3].frames
    assert found[0].mask(SIZE).sum() == 6
    assert not found[0].is_absent
    assert found[1].mask(SIZE).shape == SIZE.hw
    assert found[1].is_absent


WHOLE = rle.encode(np.ones(SIZE.hw, bool))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Label(id=-1, name="a", color="#000000"), "label id"),
        (lambda: Label(id=0, name="", color="#000000"), "name"),
        (lambda: Label(id=0, name="a", color="red"), "color"),
        (lambda: Label(id=0, name="a" * 1001, color="#000000"), "1001 characters"),
        (lambda: VideoFacts(name="a", size=SIZE, num_frames=0), "at least one frame"),
        (lambda: VideoFacts(name="a", size=SIZE, frame_rate=Fraction(0)), "above 0"),
        (lambda: VideoFacts(name="a", size=SIZE, frame_rate=Fraction(0.0001)), "short fraction"),
        (lambda: VideoFacts(name="a", size=SIZE, sha256="A" * 64), "sha256"),
        (lambda: FrameMask(frame=-1, rle=None), "frame index"),
        (lambda: FrameMask(frame=0, rle=None, score=1.5), "score"),
        (lambda: FrameMask(frame=0, rle=None, presence=float("nan")), "presence"),
        (lambda: FrameMask(frame=0, rle=WHOLE, is_occluded=True), "occluded"),
        (lambda: Track(object_id=0, frames={1: FrameMask(frame=0, rle=None)}), "frame 0"),
        (lambda: Edit(action=""), "action"),
        (lambda: Edit(action="a", time_s=-1), "time"),
        (lambda: simple_project().with_track(Track(object_id=1, label_id=5)), "label 5"),
        (lambda: simple_project().with_prompts(8, 0, PromptSet([Click(0, 0)])), "no track"),
        (lambda: simple_project().with_prompts(3, 9, PromptSet([Click(0, 0)])), "frame 9"),
        (lambda: simple_project().with_prompts(3, 0, PromptSet([Click(7, 0)])), "outside"),
        (
            lambda: simple_project().with_track(
                Track(object_id=1).with_frames([FrameMask(frame=0, rle=rle.empty(Size(7, 6)))])
            ),
            r"\(7, 6\)",
        ),
        (
            lambda: simple_project().with_track(
                Track(object_id=1).with_frames([FrameMask(frame=9, rle=None)])
            ),
            "frame 9",
        ),
        (lambda: Project(video=simple_project().video, tracks={1: Track(object_id=2)}), "under 1"),
        (lambda: Project(video=simple_project().video, labels={1: simple_project().labels[0]}), "under 1"),
    ],
)
def test_values_that_contradict_are_refused(make, reason):
    with pytest.raises(FormatError, match=reason):
        make()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d.update(format="coco"), "no masklet document"),
        (lambda d: d.pop("format"), "no masklet document"),
        (lambda d: d.update(version=2), "update masklet"),
        (lambda d: d.update(version="1"), "version"),
        (lambda d: d.update(colour="red"), "unknown field 'colour'"),
        (lambda d: d.pop("tracks"), "lacks the field 'tracks'"),
        (lambda d: d.update(tracks={}), "a list"),
        (lambda d: d.update(tracks=[7]), "JSON object"),
        (lambda d: d["tracks"].append(d["tracks"][0]), "twice"),
        (lambda d: d["tracks"][0].update(object_id=-1), "object_id"),
        (lambda d: d["tracks"][0].update(object_id=True), "object_id"),
        (lambda d: d["tracks"][0].update(name=None), "a string"),
        (lambda d: d["tracks"][0]["frames"][0].update(score="high"), "finite number"),
        (lambda d: d["tracks"][0]["frames"][0].update(score=10**400), "finite number"),
        (lambda d: d["tracks"][0]["frames"][0].update(is_prompted=1), "true or false"),
        (lambda d: d["tracks"][0]["frames"][0]["rle"].update(counts="zz"), "damaged"),
        (lambda d: d["tracks"][0]["frames"][0]["rle"].update(size=[7, 6]), "video is"),
        (lambda d: d["labels"].append(d["labels"][0]), "twice"),
        (lambda d: d["prompts"].append(d["prompts"][0]), "twice"),
        (lambda d: d["prompts"][0].update(prompts={}), "empty"),
        (lambda d: d["prompts"][0].update(prompts={"clicks": [[1, 2]]}), "click"),
        (lambda d: d["prompts"][0].update(prompts={"clicks": [[1, 2, 1]]}), "click"),
        (lambda d: d["prompts"][0].update(prompts={"box": [1, 2, 3]}), "4 numbers"),
        (lambda d: d["prompts"][0].update(prompts={"box": [3, 2, 1, 4]}), "x1 > x0"),
        (lambda d: d["video"].update(frame_rate=[30, 0]), "frame rate"),
        (lambda d: d["video"].update(size=[0, 7]), "size"),
        (lambda d: d["edits"][0].update(after={"mask": {}}), "size"),
    ],
)
def test_damaged_documents_are_refused(change, reason):
    value = document()
    change(value)
    with pytest.raises(FormatError, match=reason):
        from_json(value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\xff",
        b"[" * 100_000,
        b'{"format": NaN}',
        b"[]",
        b"null",
        b"1" * 5000,
        b'"\\ud800',
    ],
)
def test_bytes_that_are_no_document_are_refused(content):
    with pytest.raises(FormatError):
        loads(content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


@given(st.data(), json_values)
def test_any_value_anywhere_is_a_project_or_a_format_error(data, value):
    found = document()
    node = found
    while isinstance(node, dict | list) and node:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[key], dict | list) or data.draw(st.booleans()):
            node[key] = value
            break
        node = node[key]
    try:
        project = from_json(found)
    except FormatError:
        return
    assert loads(dumps(project)).video.size == SIZE


def test_file_round_trips_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "tracks.json"
    project = simple_project()
    save(project.without_track(3), path)
    save(project, path)
    assert load(path) == project
    assert [found.name for found in tmp_path.iterdir()] == ["tracks.json"]


def test_missing_file_is_a_format_error(tmp_path):
    with pytest.raises(FormatError, match="cannot be read"):
        load(tmp_path / "none.json")
    with pytest.raises(FormatError, match="cannot be written"):
        save(simple_project(), tmp_path / "none" / "tracks.json")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_failed_write_leaves_the_old_file_whole(tmp_path, monkeypatch, call):
    path = tmp_path / "tracks.json"
    write_atomically(path, b"old")

    def fail(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(FormatError, match="No space left"):
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["tracks.json"]


def test_rewriting_keeps_permissions(tmp_path):
    path = tmp_path / "tracks.json"
    write_atomically(path, b"old")
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o600)
    write_atomically(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o600
