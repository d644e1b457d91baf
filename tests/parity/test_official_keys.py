"""Names and shapes of all eight published checkpoints, against a table made from the published files' own listing."""

import json
import math
from functools import cache
from pathlib import Path

import pytest
import torch
from reference import random_state, reference_config
from transformers import Sam2VideoModel

from masklet.models.config import SAM2_SIZES, preset
from masklet.models.model import build
from masklet.weights.convert import foreign_shapes, from_foreign, shapes_of, to_foreign

TABLES = json.loads((Path(__file__).parent / "official_keys.json").read_text())
BUFFER = "sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
PUBLISHED = {
    "sam2.1-tiny": (471, 38_962_498),
    "sam2.1-small": (519, 46_060_354),
    "sam2.1-base-plus": (615, 80_850_178),
    "sam2.1-large": (903, 224_446_642),
    "sam2-tiny": (468, 38_945_986),
    "sam2-small": (516, 46_043_842),
    "sam2-base-plus": (612, 80_833_666),
    "sam2-large": (900, 224_430_130),
}


def official_table(name):
    version, _, size = name.partition("-")
    table = {**TABLES["outside_encoder"], **TABLES[f"encoder_{size}"]}
    if version == "sam2.1":
        table |= TABLES["only_in_2.1"]
    return {key: tuple(shape) for key, shape in table.items()}


@cache
def our_shapes(name):
    with torch.device("meta"):
        return shapes_of(build(preset(name)).state_dict())


@pytest.mark.parametrize("name", PUBLISHED)
def test_our_network_has_exactly_the_published_tensors(name):
    assert foreign_shapes(our_shapes(name), "official") == official_table(name)


@pytest.mark.parametrize(("name", "published"), PUBLISHED.items())
def test_counts_are_the_published_ones(name, published):
    table = official_table(name)
    numbers = sum(math.prod(shape) for key, shape in table.items() if key != BUFFER)
    assert (len(table), numbers) == published
    assert len(PUBLISHED) == 2 * len(SAM2_SIZES)


@pytest.mark.parametrize("name", PUBLISHED)
def test_transformers_has_exactly_the_tensors_we_expect_of_it(name):
    with torch.device("meta"):
        theirs = Sam2VideoModel(reference_config(preset(name)))
    assert foreign_shapes(our_shapes(name), "transformers") == shapes_of(theirs.state_dict())


@pytest.mark.parametrize("layout", ["official", "transformers"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_round_trip_keeps_every_name_and_shape(name, layout):
    with torch.device("meta"):
        state = build(preset(name)).state_dict()
    there = to_foreign(state, "official")
    back = from_foreign(there, "official", shapes_of(state), source="there", target="here")
    assert shapes_of(there) == official_table(name)
    assert shapes_of(back) == shapes_of(state)
    assert list(back) == list(state)
    assert shapes_of(to_foreign(state, layout)) == foreign_shapes(shapes_of(state), layout)


@pytest.mark.parametrize("layout", ["official", "transformers"])
@pytest.mark.parametrize("name", ["sam2.1-tiny", "sam2-tiny", "sam2.1-base-plus"])
def test_round_trip_keeps_every_number(name, layout):
    state = random_state(preset(name), seed=1)
    back = from_foreign(to_foreign(state, layout), layout, shapes_of(state), source="there", target="here")
    assert list(back) == list(state)
    assert all(torch.equal(back[key], state[key]) for key in state)


def test_no_two_of_our_tensors_share_a_foreign_name():
    for layout in ("official", "transformers"):
        marked = {
            name: torch.full(shape, float(k))
            for k, (name, shape) in enumerate(our_shapes("sam2.1-tiny").items())
        }
        there = to_foreign(marked, layout)
        values = {float(tensor.flatten()[0]) for tensor in there.values()}
        assert values == {float(k) for k in range(len(marked))}
