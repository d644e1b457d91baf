"""The eight ways to turn a picture."""

import numpy as np
import pytest

from masklet.geometry import Size
from masklet.video.orientation import Orientation

ALL = [
    Orientation(swaps_axes=swap, flips_x=x, flips_y=y)
    for swap in (False, True)
    for x in (False, True)
    for y in (False, True)
]


@pytest.mark.parametrize("orientation", ALL)
def test_rotation_and_mirroring_describe_what_is_applied(orientation, make_picture):
    image = make_picture(2, (6, 9))
    described = image[:, ::-1] if orientation.is_mirrored else image
    described = np.rot90(described, -orientation.rotation // 90)
    assert np.array_equal(orientation.apply(image), described)
    assert orientation.size_of(Size(6, 9)).hw == described.shape[:2]


def test_the_eight_orientations_differ(make_picture):
    image = make_picture(2, (6, 6))
    assert len({orientation.apply(image).tobytes() for orientation in ALL}) == 8
