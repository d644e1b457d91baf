"""The exported encoder computes what torch computes, in each engine."""

import pytest
import torch

from masklet.export.check import relative_error
from masklet.export.to_onnx import example_pixels, to_onnx


@pytest.mark.parametrize("seed", [1, 2])
def test_any_image_is_encoded_as_by_torch(loaded, engine, seed):
    compiled = engine.compile(to_onnx(loaded.model))
    pixels = (
        torch.rand(example_pixels(loaded.model).shape, generator=torch.Generator().manual_seed(seed)) * 4 - 2
    )
    with torch.inference_mode():
        image = loaded.model.encode_image(pixels)
    wanted = (image.features, image.skip4, image.skip8)
    assert [relative_error(a, b) < 1e-4 for a, b in zip(compiled(pixels), wanted, strict=True)] == [True] * 3


def test_answers_are_the_callers_own(compact, engine):
    compiled = engine.compile(to_onnx(compact.model))
    pixels = example_pixels(compact.model)
    first = compiled(pixels)
    before = [one.clone() for one in first]
    assert not torch.equal(compiled(-pixels)[0], before[0])
    assert all(torch.equal(a, b) for a, b in zip(first, before, strict=True))


def test_pixels_of_any_memory_layout_are_taken(compact, engine):
    compiled = engine.compile(to_onnx(compact.model))
    pixels = example_pixels(compact.model)
    strided = pixels.contiguous(memory_format=torch.channels_last)
    assert all(torch.equal(a, b) for a, b in zip(compiled(pixels), compiled(strided), strict=True))
