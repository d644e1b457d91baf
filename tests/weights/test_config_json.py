"""Configurations in file headers: what is written is read, and what is wrong is refused by name."""

import json
from dataclasses import replace

import pytest

from masklet.errors import MismatchedWeightsError
from masklet.models.config import PRESETS, preset
from masklet.weights.config_json import decode_config, encode_config


@pytest.mark.parametrize("name", PRESETS)
def test_round_trip(name):
    config = preset(name)
    assert decode_config(encode_config(config), source="a file") == config


def test_changed_fields_survive():
    config = replace(preset("compact").resized(384), pixel_mean=(0.1, 0.2, 1.0), memory_precision="float16")
    assert decode_config(encode_config(config), source="a file") == config


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("version",), 2, "version 2"),
        (("image_size",), "512", "image_size must be of type int"),
        (("image_size",), 33, "multiple of 32"),
        (("image_size",), True, "image_size must be of type int"),
        (("hidden_dim",), 10**9, "hidden_dim must be at most"),
        (("has_pointer_time",), 1, "has_pointer_time must be of type bool"),
        (("memory_precision",), "int8", "memory_precision must be one of float32"),
        (("pixel_mean",), [0.5, 0.5], "pixel_mean must have 3 numbers"),
        (("pixel_mean",), 0.5, "pixel_mean must be a list"),
        (("encoder", "kind"), "resnet", "encoder is of no known kind"),
        (("encoder", "kind"), "decoder", "encoder is of no known kind"),
        (("encoder",), 5, "encoder is of no known kind"),
        (("encoder", "block_channels"), ["a"], "block_channels must be of type int"),
        (("decoder", "width"), 5, "DecoderConfig has no field 'width'"),
    ],
)
def test_wrong_fields_are_named(path, value, message):
    content = json.loads(encode_config(preset("compact")))
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(MismatchedWeightsError, match=message):
        decode_config(json.dumps(content), source="a file")


def test_missing_field_is_named():
    content = json.loads(encode_config(preset("compact")))
    del content["image_size"]
    with pytest.raises(MismatchedWeightsError, match="image_size"):
        decode_config(json.dumps(content), source="a file")


def test_whole_numbers_stand_for_fractions():
    content = json.loads(encode_config(preset("compact")))
    content["pixel_mean"] = [0, 1, 2]
    assert decode_config(json.dumps(content), source="a file").pixel_mean == (0.0, 1.0, 2.0)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "5"])
def test_other_text_is_refused(text):
    with pytest.raises(MismatchedWeightsError, match="a file"):
        decode_config(text, source="a file")
