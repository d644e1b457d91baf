"""The embedded detector with random weights: its file, its words, the sizes at which it looks."""

import numpy as np
import pytest
import torch

from masklet.errors import ConfigError, DamagedWeightsError, MismatchedWeightsError, PromptError
from masklet.grounding.embedded import EmbeddedGrounder
from masklet.grounding.network import resized_for
from masklet.grounding.network_file import is_network, read_network, save_network
from masklet.grounding.vocabulary import VOC_CLASSES


def test_a_detector_survives_its_file(network_file, tmp_path):
    path = tmp_path / "detector.safetensors"
    save_network(path, network_file.network, metadata={"recipe": "test", "format": "another"})
    again = read_network(path)
    assert is_network(path)
    assert again.metadata == {"recipe": "test"}
    assert again.network.head.config == network_file.network.head.config
    assert again.network.encoder_config == network_file.network.encoder_config
    for name, before in network_file.network.state_dict().items():
        after = again.network.state_dict()[name]
        step = before.abs().max() / (127 if name.startswith("encoder.") else 1000)
        assert torch.allclose(before, after, atol=float(step) + 1e-6), name


def test_weights_that_were_whole_numbers_before_stay_what_they_are(network_file, tmp_path):
    once, twice = tmp_path / "once.safetensors", tmp_path / "twice.safetensors"
    save_network(once, network_file.network)
    first = read_network(once).network
    save_network(twice, first)
    second = read_network(twice).network.state_dict()
    for name, before in first.state_dict().items():
        assert torch.allclose(before, second[name], rtol=1e-5, atol=1e-7), name


def test_other_files_are_refused(tmp_path, network_file):
    from safetensors.torch import save_file

    path = tmp_path / "other.safetensors"
    save_file({"x": torch.zeros(2)}, path)
    assert not is_network(path)
    with pytest.raises(MismatchedWeightsError, match="not an embedded detector"):
        read_network(path)
    save_network(path, network_file.network)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    with pytest.raises(DamagedWeightsError, match="truncated"):
        read_network(path)


def test_a_header_that_says_another_shape_is_refused(tmp_path, network_file):
    from safetensors.torch import load_file, save_file

    path = tmp_path / "detector.safetensors"
    save_network(path, network_file.network)
    tensors = load_file(path)
    header = {"format": "masklet-detector", "encoder": "{}", "head": '{"classes": ["dog"]}'}
    save_file(tensors, path, metadata=header)
    with pytest.raises(MismatchedWeightsError, match="train the detector again"):
        read_network(path)
    save_file(tensors, path, metadata=header | {"encoder": '{"colour": 1}'})
    with pytest.raises(DamagedWeightsError, match="header"):
        read_network(path)


@pytest.mark.parametrize(
    ("hw", "long_side", "expected"),
    [
        ((40, 60), 96, (64, 96)),
        ((480, 320), 416, (416, 272)),
        ((1, 900), 416, (16, 416)),
        ((32, 32), 32, (32, 32)),
    ],
)
def test_pictures_keep_their_shape(hw, long_side, expected):
    image = np.full((*hw, 3), 77, np.uint8)
    pixels = resized_for(image, long_side, torch.device("cpu"))
    assert pixels.shape == (1, 3, *expected)
    assert torch.allclose(pixels, torch.tensor(77.0))


def test_a_side_below_a_cell_and_an_unknown_name_are_refused(network_file, photo):
    with pytest.raises(ConfigError, match="at least 16 pixels"):
        resized_for(photo, 8, torch.device("cpu"))
    with pytest.raises(ConfigError, match="embedded-fast"):
        EmbeddedGrounder(network_file, name="embedded-best")


def test_found_boxes_carry_the_words_that_were_asked(network_file, photo):
    grounder = EmbeddedGrounder(network_file)
    maps = grounder.look(photo, 64)
    assert maps.probabilities.shape == (21, 12, 16)
    assert np.allclose(maps.probabilities.sum(axis=0), 1, atol=1e-4)
    assert (maps.reach > 0).all()
    network_file.network.head.classify.bias.data[1 + VOC_CLASSES.index("dog")] = 30
    found = grounder.find(photo, ["Puppies"])
    assert found
    assert {one.label for one in found} == {"Puppies"}
    assert all(one.score > 0.9 for one in found)
    assert grounder.find(photo, ["cat"]) == []
    with pytest.raises(PromptError, match="does not know 'ball'"):
        grounder.find(photo, ["dog", "ball"])
