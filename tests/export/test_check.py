"""A runtime that computes something else is found out."""

import pytest
import torch

from masklet.errors import ConfigError
from masklet.export.check import check_encoder


def changed(model, change):
    """The encoder of torch with its maps changed."""

    @torch.no_grad()
    def encode(pixels):
        image = model.encode_image(pixels)
        return tuple(change(one) for one in (image.features, image.skip4, image.skip8))

    return encode


@pytest.mark.parametrize("change", [lambda one: one, lambda one: one + 1e-4])
def test_rounding_passes(compact, change):
    check_encoder(compact.model, changed(compact.model, change), "Some Engine 1.0")


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.flip(-1),
        lambda one: 1.02 * one,
        lambda one: one * float("nan"),
        lambda one: one[:, :1],
    ],
)
def test_other_numbers_are_refused(compact, change):
    with pytest.raises(
        ConfigError, match=r"Some Engine 1\.0 computes the encoder's features otherwise than torch"
    ):
        check_encoder(compact.model, changed(compact.model, change), "Some Engine 1.0")
