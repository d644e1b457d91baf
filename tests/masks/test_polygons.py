import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.draw import polygon as draw_polygon
from skimage.measure import label

from masklet.errors import FormatError
from masklet.geometry import Size
from masklet.masks import polygons
from masklet.masks.polygons import Polygon

masks = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=14))


def drawn(*rows):
    return np.array([[character == "#" for character in row] for row in rows])


@given(masks)
def test_every_mask_round_trips_exactly(mask):
    assert np.array_equal(polygons.to_mask(polygons.from_mask(mask), Size(*mask.shape)), mask)


@given(masks)
def test_one_polygon_per_component_with_simple_outlines(mask):
    found = polygons.from_mask(mask)
    assert len(found) == label(mask, connectivity=1).max()
    for one in found:
        for ring in one.rings:
            assert len(set(ring)) == len(ring)
            following = ring[1:] + ring[:1]
            assert all((x0 == x1) != (y0 == y1) for (x0, y0), (x1, y1) in zip(ring, following, strict=True))


@given(masks)
def test_holes_lie_inside_of_their_exterior(mask):
    size = Size(*mask.shape)
    for one in polygons.from_mask(mask):
        outer = polygons.to_mask([Polygon(exterior=one.exterior)], size)
        for hole in one.holes:
            assert not (polygons.to_mask([Polygon(exterior=hole)], size) & ~outer).any()


def test_ring_has_one_hole_and_runs_clockwise():
    (found,) = polygons.from_mask(drawn("###", "#.#", "###"))
    assert set(found.exterior) == {(0, 0), (3, 0), (3, 3), (0, 3)}
    (hole,) = found.holes
    assert set(hole) == {(1, 1), (2, 1), (2, 2), (1, 2)}
    start = found.exterior.index((0, 0))
    assert (found.exterior + found.exterior)[start + 1] == (3, 0)
    start = hole.index((1, 1))
    assert (hole + hole)[start + 1] == (1, 2)


def test_island_in_a_hole_is_a_polygon_of_its_own():
    mask = drawn("#####", "#...#", "#.#.#", "#...#", "#####")
    assert [len(one.holes) for one in polygons.from_mask(mask)] == [1, 0]


def test_empty_mask_has_no_polygons():
    assert polygons.from_mask(np.zeros((3, 4), bool)) == ()
    assert not polygons.to_mask([], Size(3, 4)).any()


@given(st.lists(st.tuples(st.integers(-40, 160), st.integers(-40, 160)), min_size=3, max_size=8))
def test_slanted_polygons_are_filled_by_pixel_centres(corners):
    # The other rasteriser puts pixel (0, 0) around the point (0, 0), so half a pixel is taken off.
    ring = tuple((x / 8 + 0.03, y / 8 + 0.017) for x, y in corners)
    found = polygons.to_mask([Polygon(exterior=ring)], Size(12, 15))
    rows, columns = draw_polygon([y - 0.5 for _, y in ring], [x - 0.5 for x, _ in ring], shape=(12, 15))
    expected = np.zeros((12, 15), bool)
    expected[rows, columns] = True
    # The other counts a centre that lies on an edge as inside: compare where no edge is near.
    assert not ((found != expected) & ~near_an_edge(ring, 12, 15)).any()


def near_an_edge(ring, height, width):
    rows, columns = np.mgrid[:height, :width] + 0.5
    near = np.zeros((height, width), bool)
    for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1], strict=True):
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2
        along = (
            np.clip(((columns - x0) * (x1 - x0) + (rows - y0) * (y1 - y0)) / length, 0, 1) if length else 0
        )
        near |= np.hypot(columns - x0 - along * (x1 - x0), rows - y0 - along * (y1 - y0)) < 1e-6
    return near


def test_what_lies_outside_is_cut_off():
    ring = ((-5.0, -5.0), (1e9, -5.0), (1e9, 2.0), (-5.0, 2.0))
    assert (
        polygons.to_mask([Polygon(exterior=ring)], Size(4, 3)).tolist()
        == [[True] * 3] * 2 + [[False] * 3] * 2
    )


def test_overlapping_polygons_are_united():
    square = ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0))
    assert polygons.to_mask([Polygon(exterior=square)] * 2, Size(2, 2)).all()


def test_simplified_outline_has_fewer_corners_and_nearly_the_same_area():
    rows, columns = np.mgrid[:100, :100]
    mask = (rows - 50) ** 2 + (columns - 50) ** 2 < 40**2
    (exact,) = polygons.from_mask(mask)
    found = polygons.simplified(exact, 1.0)
    assert len(found.exterior) < len(exact.exterior) / 3
    assert (polygons.to_mask([found], Size(100, 100)) ^ mask).sum() < 0.05 * mask.sum()


def test_simplifying_never_loses_a_polygon():
    (exact,) = polygons.from_mask(np.ones((1, 1), bool))
    assert polygons.simplified(exact, 50.0) == exact


def test_flat_lists_round_trip():
    values = [0.0, 0.0, 4.0, 0.0, 4.0, 2.5]
    assert polygons.flat_from_ring(polygons.ring_from_flat(values)) == values
    with pytest.raises(FormatError, match="odd"):
        polygons.ring_from_flat(values[:-1])


@pytest.mark.parametrize(
    "ring", [(), ((0.0, 0.0), (1.0, 1.0)), ((0.0, 0.0), (1.0, 1.0), (float("nan"), 2.0))]
)
def test_outlines_without_area_or_number_are_refused(ring):
    with pytest.raises(FormatError, match="three finite corners"):
        Polygon(exterior=ring)
