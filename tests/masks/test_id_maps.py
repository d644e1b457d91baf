import numpy as np
import pytest

from masklet.errors import FormatError
from masklet.masks import rle
from masklet.masks.id_maps import encode_ids


@pytest.mark.parametrize("seed", range(20))
def test_every_id_is_its_mask(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 30, 2))
    id_map = (rng.integers(0, 4, shape) * (rng.random(shape) > 0.3)).astype(np.uint8)
    expected = {i: rle.encode(id_map == i) for i in np.unique(id_map).tolist() if i > 0}
    assert encode_ids(id_map) == expected


def test_map_that_is_no_bytes_is_refused():
    with pytest.raises(FormatError, match="uint8"):
        encode_ids(np.zeros((3, 4), np.int64))
