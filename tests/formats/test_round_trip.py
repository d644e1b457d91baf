"""Every format gives back what was written but for what it says it loses, over documents of every kind."""

import string
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from masklet.annotations import Edit, FrameMask, Label, Project, Track, VideoFacts
from masklet.errors import FormatError
from masklet.formats import FORMATS, Entry, LabelSet, read_labels, stripped, write_labels
from masklet.geometry import Size
from masklet.masks import rle
from masklet.prompts import Click, PromptSet

READABLE = [name for name, one in FORMATS.items() if one.is_readable]

LETTERS = string.ascii_letters + string.digits + "äßñéøЖ中文字🐶"
WORDS = st.text(LETTERS + "-", min_size=1, max_size=8)
NAMES = st.text(LETTERS + " _'\"&<>,;:/\\%#[]{}\t\u202e", max_size=10)


@st.composite
def masks(draw, size):
    """Noise gives holes, specks and diagonal bridges; whole, empty and blocky masks are drawn too."""
    bits = draw(st.integers(0, 2**size.num_pixels - 1))
    noise = np.array([bits >> i & 1 for i in range(size.num_pixels)], bool).reshape(size.hw)
    kind = draw(st.sampled_from(["noise", "empty", "full", "ring"]))
    if kind == "ring":
        noise = np.ones(size.hw, bool)
        noise[1:-1, 1:-1] = False
    return rle.encode(noise if kind in ("noise", "ring") else np.full(size.hw, kind == "full"))


def rounded_scores():
    return st.none() | st.integers(0, 1000).map(lambda value: value / 1000)


@st.composite
def frame_masks(draw, index, size):
    if draw(st.booleans()):
        mask = draw(masks(size))
        return FrameMask(
            frame=index,
            rle=mask,
            score=draw(rounded_scores()),
            presence=draw(rounded_scores()),
            stability=draw(rounded_scores()),
            is_prompted=draw(st.booleans()),
        )
    return FrameMask(frame=index, rle=None, is_occluded=draw(st.booleans()))


@st.composite
def prompt_sets(draw, size):
    x, y = draw(st.integers(0, size.width - 1)), draw(st.integers(0, size.height - 1))
    box = (x, y, draw(st.integers(x + 1, size.width)), draw(st.integers(y + 1, size.height)))
    clicks = [Click(x, y)] if draw(st.booleans()) else []
    return PromptSet(clicks, box if not clicks or draw(st.booleans()) else None)


@st.composite
def entries(draw, name, labels):
    size = Size(draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    is_image = draw(st.booleans())
    num_frames = 1 if is_image else draw(st.integers(1, 5))
    ids = draw(st.lists(st.integers(1, 254), unique=True, max_size=4))
    frames = st.lists(st.integers(0, num_frames - 1), unique=True, max_size=num_frames)
    tracks = {
        i: Track(
            object_id=i,
            name=draw(NAMES),
            label_id=draw(st.sampled_from([None, *labels])),
            frames={index: draw(frame_masks(index, size)) for index in draw(frames)},
        )
        for i in ids
    }
    said = {i: {index: draw(prompt_sets(size)) for index in draw(frames)} for i in ids if draw(st.booleans())}
    facts = VideoFacts(
        name=f"{name}.jpg" if is_image else name,
        size=size,
        num_frames=num_frames,
        frame_rate=None if is_image else draw(st.sampled_from([None, Fraction(25), Fraction(30000, 1001)])),
        sha256=None if is_image else draw(st.sampled_from([None, "0af3" * 16])),
    )
    project = Project(
        video=facts,
        tracks=tracks,
        labels=labels,
        prompts=said,
        edits=draw(st.lists(st.builds(Edit, action=WORDS), max_size=2)),
    )
    has_names = is_image or draw(st.booleans())
    names = (f"{name}.jpg",) if is_image else tuple(f"{name}/{i:03d}.jpg" for i in range(num_frames))
    return Entry(project=project, frame_names=names if has_names else ())


@st.composite
def label_sets(draw):
    numbers = draw(st.lists(st.integers(1, 90), unique=True, max_size=3))
    words = draw(st.lists(WORDS, unique=True, min_size=len(numbers), max_size=len(numbers)))
    colors = draw(st.lists(st.sampled_from(["#1e90ff", "#800000", "#008000"]), min_size=3, max_size=3))
    labels = {
        i: Label(id=i, name=word, color=color) for i, word, color in zip(numbers, words, colors, strict=False)
    }
    names = draw(st.lists(WORDS, unique_by=str.casefold, min_size=1, max_size=3))
    return LabelSet(entries=tuple(draw(entries(name, labels)) for name in sorted(names)))


def by_name(labels):
    """Folders come back in the order of their names."""
    return sorted(labels.entries, key=lambda one: (one.frame_names[:1], one.name))


@pytest.mark.parametrize("name", READABLE)
@given(labels=label_sets())
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_what_is_written_is_read_again(name, labels, tmp_path_factory):
    target = FORMATS[name]
    if target.is_single:
        labels = LabelSet(entries=labels.entries[:1])
    wanted, _ = stripped(labels, target)
    path = tmp_path_factory.mktemp("out") / f"labels{target.suffix}"
    write_labels(labels, path, name)
    if not wanted.entries:
        with pytest.raises(FormatError):
            read_labels(path, format_name=name)
        return
    _, found = read_labels(path, format_name=name)
    assert by_name(found) == by_name(wanted)
    assert stripped(found, target)[1] == (), "what was read once loses nothing the second time"
