"""Each graph computes what torch computes, for other numbers of objects, images and points than its example has."""

import pytest
import torch

from masklet.export.check import relative_error
from masklet.export.to_onnx import to_onnx
from masklet.export.wrappers import make_graph


def stretched(graph, *, lengths):
    """The example with free axes of other lengths: its rows over again."""
    sizes = {}
    for (_, axes), tensor in zip(graph.inputs.items(), graph.example, strict=True):
        sizes |= {name: tensor.shape[index] for index, name in axes.items()}
    sizes |= lengths
    made = []
    for (_, axes), tensor in zip(graph.inputs.items(), graph.example, strict=True):
        one = tensor
        for index, name in axes.items():
            one = one.index_select(index, torch.arange(sizes[name]) % one.shape[index])
        made.append(one)
    return made


@pytest.mark.parametrize("name", ["encode", "decode", "remember"])
def test_graphs_agree_with_torch_for_any_number_of_things(loaded, engine, name):
    graph = make_graph(loaded.model, name)
    compiled = engine.compile(to_onnx(graph))
    for lengths in (
        {"objects": 1, "points": 2, "images": 1},
        {"objects": 5, "points": 7, "images": 1},
        {"objects": 3, "points": 3, "images": 3},
    ):
        inputs = stretched(graph, lengths=lengths)
        found = compiled(dict(zip(graph.inputs, inputs, strict=True)))
        with torch.inference_mode():
            wanted = graph.module(*inputs)
        wanted = (wanted,) if isinstance(wanted, torch.Tensor) else wanted
        assert [one.shape for one in found] == [one.shape for one in wanted]
        errors = [relative_error(a, b) for a, b in zip(found, wanted, strict=True)]
        assert max(errors) < 1e-4, (lengths, errors)


def test_answers_are_the_callers_own(compact, engine):
    graph = make_graph(compact.model, "encode")
    compiled = engine.compile(to_onnx(graph))
    first = compiled({"pixels": graph.example[0]})
    before = [one.clone() for one in first]
    compiled({"pixels": -graph.example[0]})
    assert all(torch.equal(a, b) for a, b in zip(first, before, strict=True))
