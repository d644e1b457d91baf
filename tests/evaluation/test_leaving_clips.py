"""Clips in which an object leaves and returns: what is in them, and that they are always the same."""

from itertools import islice

import numpy as np
import pytest

from masklet.errors import FormatError, PromptError
from masklet.evaluation.cutouts import Cutout, cut_out, cutout_sources, lay_over, photo_window, slab, twin_of
from masklet.evaluation.datasets import Still
from masklet.evaluation.leaving_clips import LeavingConfig, leaving_clips
from masklet.geometry import Size
from masklet.masks import rle

HEIGHT, WIDTH = 300, 320


def disk(x, y, radius, size=(HEIGHT, WIDTH)):
    rows, columns = np.mgrid[: size[0], : size[1]]
    return (rows - y) ** 2 + (columns - x) ** 2 < radius**2


def still(name, colour, masks=(), kind="instances", source="made", size=(HEIGHT, WIDTH)):
    """A photo of one colour with noise."""
    noise = np.random.default_rng(len(name)).integers(-20, 21, (*size, 3))
    pixels = np.clip(np.asarray(colour) + noise, 0, 255).astype(np.uint8)
    return Still(
        name=name,
        source=source,
        kind=kind,
        size=Size(*size),
        masks=tuple(rle.encode(mask) for mask in masks),
        labels=(),
        read_image=lambda: pixels,
    )


STILLS = [
    still("red", (220, 30, 30), [disk(150, 140, 60)]),
    still("grey", (120, 120, 120)),
    still("brown", (90, 60, 40)),
    still("blue", (40, 60, 160)),
]
CONFIG = LeavingConfig(num_clips=4, num_frames=24, side=128, seed=3)


@pytest.fixture(scope="module")
def clips():
    return list(leaving_clips(STILLS, CONFIG))


def areas(one):
    return np.array([rle.area(mask) for mask in one.clip.truth[1]]) / CONFIG.side**2


def test_every_kind_of_clip_comes_in_turn(clips):
    assert [one.kind for one in clips] == ["exit", "occluder", "exit, twin", "occluder, twin"]
    assert {one.clip.num_frames for one in clips} == {24}
    assert {one.clip.size for one in clips} == {Size(128, 128)}


@pytest.mark.parametrize("number", range(4))
def test_object_is_seen_then_gone_then_seen_again(clips, number):
    found = areas(clips[number])
    gone = np.flatnonzero(found == 0)
    assert found[0] >= 0.01
    assert gone.size >= 4
    assert np.array_equal(gone, np.arange(gone[0], gone[-1] + 1))
    assert (found[gone[-1] + 1 :] > 0.005).sum() >= 4


def redness(frame):
    return frame[..., 0].astype(int) - frame[..., 1:].max(-1).astype(int)


@pytest.mark.parametrize("number", [0, 1])
def test_masks_lie_on_what_is_seen_of_the_object(clips, number):
    clip = clips[number].clip
    for index, frame in enumerate(clip.frames()):
        seen, mask = redness(frame) > 100, clip.mask(1, index)
        assert (seen & ~mask).sum() <= 0.02 * mask.sum()
        assert (mask & ~seen).sum() <= 0.15 * mask.sum() + 4


@pytest.mark.parametrize("number", [2, 3])
def test_twin_stays_in_view_while_the_object_is_gone(clips, number):
    clip = clips[number].clip
    for index, frame in enumerate(clip.frames()):
        twin = (redness(frame) > 90) & ~clip.mask(1, index)
        assert twin.mean() > 0.01


def test_clips_without_a_twin_show_nothing_alike_while_the_object_is_gone(clips):
    for one in clips[:2]:
        gone = np.flatnonzero(areas(one) == 0)
        assert max((redness(one.clip.frame(int(index))) > 100).sum() for index in gone) == 0


def test_clips_are_the_same_every_time_and_a_shorter_series_is_a_beginning(clips):
    again = list(islice(leaving_clips(STILLS, LeavingConfig(num_clips=9, side=128, seed=3)), 2))
    for first, second in zip(clips, again, strict=False):
        assert first.clip.truth == second.clip.truth
        assert np.array_equal(first.clip.frame(5), second.clip.frame(5))


def test_another_seed_gives_other_clips(clips):
    (other,) = leaving_clips(STILLS, LeavingConfig(num_clips=1, side=128, seed=4))
    assert other.clip.truth != clips[0].clip.truth


def test_photos_that_cannot_be_used_are_refused():
    with pytest.raises(FormatError, match="backgrounds"):
        next(leaving_clips(STILLS[:2], CONFIG))
    with pytest.raises(FormatError, match="0 sources"):
        next(leaving_clips(STILLS[1:], CONFIG))


def test_photos_whose_objects_are_all_too_thin_are_refused():
    bar = np.zeros((HEIGHT, WIDTH), bool)
    bar[130:170, 5:315] = True
    with pytest.raises(FormatError, match="large enough"):
        next(leaving_clips([still("bar", (220, 30, 30), [bar]), *STILLS[1:]], CONFIG))


@pytest.mark.parametrize("bad", [{"num_clips": 0}, {"num_frames": 19}, {"side": 95}])
def test_clips_too_short_or_small_are_refused(bad):
    with pytest.raises(PromptError, match="at least 20 frames"):
        LeavingConfig(**bad)


def test_only_whole_solid_objects_are_cut_out():
    two_parts = disk(60, 60, 40) | disk(220, 200, 40)
    bar = np.zeros((HEIGHT, WIDTH), bool)
    bar[100:120, 20:300] = True
    empty = np.zeros((HEIGHT, WIDTH), bool)
    photo = still("a", (0, 0, 0), [disk(150, 140, 60), disk(50, 50, 15), two_parts, bar, empty])
    parts = still("b", (0, 0, 0), [disk(150, 140, 60)], kind="parts")
    assert [(one.still.name, one.index) for one in cutout_sources([photo, parts])] == [("a", 0)]


def test_cutout_has_the_size_asked_for_and_a_soft_edge_inside_the_mask():
    (source,) = cutout_sources(STILLS[:1])
    found = cut_out(source, longest=60)
    assert found.size_hw == (60, 60)
    assert found.alpha.max() == pytest.approx(1)
    assert found.alpha[0, 0] == 0
    area = disk(150, 140, 60).sum() * (60 / 119) ** 2  # the disk is 119 pixels wide
    assert 0.9 * area < found.alpha.sum() < area
    assert np.all(found.colours <= 255 * found.alpha[..., None] + 1e-3)


def test_laid_over_cutout_covers_what_it_says():
    square = Cutout(colours=np.full((10, 10, 3), 200, np.float32), alpha=np.ones((10, 10), np.float32))
    frame = np.full((40, 40, 3), 50, np.uint8)
    shifted = np.array([[1.0, 0, 5], [0, 1, 20], [0, 0, 1]])
    drawn, covered = lay_over(frame, square, shifted)
    expected = np.zeros((40, 40), bool)
    expected[20:30, 5:15] = True
    assert np.array_equal(covered, expected)
    assert np.all(drawn[expected] == 200)
    assert np.all(drawn[~expected] == 50)
    assert np.all(frame == 50)


def test_cutout_outside_of_the_frame_changes_nothing():
    frame = np.full((40, 40, 3), 50, np.uint8)
    away = np.array([[1.0, 0, 60], [0, 1, 0], [0, 0, 1]])
    drawn, covered = lay_over(frame, slab(np.full((20, 20, 3), 9, np.uint8)), away)
    assert np.array_equal(drawn, frame)
    assert not covered.any()


def test_slab_is_opaque_but_for_its_corners():
    found = slab(np.full((60, 90, 3), 100, np.uint8))
    assert found.alpha[30, 45] == found.alpha[2, 45] == found.alpha[30, 2] == 1
    assert found.alpha[0, 0] == 0


def test_twin_is_mirrored_and_never_brighter_than_white():
    (source,) = cutout_sources(STILLS[:1])
    one = cut_out(source, longest=40)
    other = twin_of(one, brightness=1.3)
    assert np.array_equal(other.alpha[:, ::-1], one.alpha)
    assert np.all(other.colours <= 255 * other.alpha[..., None] + 1e-3)
    assert other.colours.sum() > 1.05 * one.colours.sum()


def test_photo_window_covers_the_size_from_corner_to_corner():
    pixels = np.zeros((100, 200, 3), np.uint8)
    pixels[:, 100:] = 255
    photo = Still(
        name="half",
        source="made",
        kind="instances",
        size=Size(100, 200),
        masks=(),
        labels=(),
        read_image=lambda: pixels,
    )
    assert photo_window(photo, (50, 50), (0.0, 0.0)).max() == 0
    assert photo_window(photo, (50, 50), (1.0, 1.0)).min() == 255
    assert photo_window(photo, (300, 60), (0.5, 0.5)).shape == (300, 60, 3)
