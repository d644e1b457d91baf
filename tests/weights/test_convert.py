"""What the parity tests of the tables leave open: our own networks have no published names."""

import pytest

from masklet.errors import MismatchedWeightsError
from masklet.weights.convert import recognise_layout, to_foreign


@pytest.mark.parametrize("layout", ["official", "transformers"])
def test_the_compact_network_has_no_published_names(compact_model, layout):
    with pytest.raises(MismatchedWeightsError, match="no published counterpart"):
        to_foreign(compact_model.state_dict(), layout)


def test_layouts_are_recognised(tiny_model, compact_model):
    for layout in ("official", "transformers"):
        assert recognise_layout(to_foreign(tiny_model.state_dict(), layout)) == layout
    assert recognise_layout(compact_model.state_dict()) is None
    assert recognise_layout([]) is None


def test_converted_tensors_are_copies(tiny_model):
    state = {name: tensor.clone() for name, tensor in tiny_model.state_dict().items()}
    there = to_foreign(state, "official")
    before = float(state["memory_time"][0, 0])
    there["maskmem_tpos_enc"].add_(1)
    assert float(state["memory_time"][0, 0]) == before
