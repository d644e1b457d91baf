"""A runtime that computes something else is found out."""

import pytest
import torch

from masklet.errors import ConfigError
from masklet.export.check import check_graph
from masklet.export.wrappers import make_graph


@pytest.fixture
def graph(compact):
    return make_graph(compact.model, "encode")


def answers(graph, change):
    return torch.no_grad()(lambda inputs: tuple(change(one) for one in graph.module(inputs["pixels"])))


@pytest.mark.parametrize("change", [lambda one: one, lambda one: one.bfloat16().float()])
def test_rounding_passes(graph, change):
    check_graph(graph, answers(graph, change), "Some Engine 1.0")


@pytest.mark.parametrize(
    "change",
    [lambda one: one.flip(-1), lambda one: 1.2 * one, lambda one: one * float("nan"), lambda one: one[:, :1]],
)
def test_other_numbers_are_refused(graph, change):
    with pytest.raises(
        ConfigError, match=r"Some Engine 1\.0 computes 'features' of the graph 'encode' otherwise"
    ):
        check_graph(graph, answers(graph, change), "Some Engine 1.0")
