"""The embedded detector with random weights: its file, its words, what it says of another encoder."""

import numpy as np
import pytest
import torch

from masklet.errors import ConfigError, DamagedWeightsError, MismatchedWeightsError, PromptError
from masklet.grounding.embedded import EmbeddedGrounder, describe_mismatch
from masklet.grounding.head import encode_for_head, head_config_for
from masklet.grounding.head_file import read_head, save_head
from masklet.grounding.vocabulary import VOC_CLASSES
from masklet.predictors.preprocess import to_pixels
from masklet.weights.load import load_model


def test_maps_come_from_the_pixels_that_embed_encodes(encoder, photo):
    maps = encode_for_head(encoder, photo)
    with torch.inference_mode():
        pixels = to_pixels(photo, encoder.config, encoder.device)
        _, fine, coarse, context = encoder.model.encoder(pixels)
    for ours, theirs in zip((maps.context, maps.coarse, maps.fine), (context, coarse, fine), strict=True):
        assert torch.equal(ours, theirs)


def test_a_head_survives_its_file(head_file, encoder, photo, tmp_path):
    path = tmp_path / "head.safetensors"
    save_head(path, head_file.head, encoder_sha256="a" * 64, metadata={"recipe": "test"})
    again = read_head(path)
    assert again.encoder_sha256 == "a" * 64
    assert again.metadata == {"recipe": "test"}
    assert again.head.config == head_file.head.config
    maps = encode_for_head(encoder, photo)
    with torch.inference_mode():
        before, after = head_file.head(maps).logits, again.head(maps).logits
    assert torch.allclose(before, after, atol=0.05)
    assert before.shape == (1, 1 + len(VOC_CLASSES), 8, 8)


def test_other_files_are_refused(tmp_path, head_file):
    from safetensors.torch import save_file

    path = tmp_path / "other.safetensors"
    save_file({"x": torch.zeros(2)}, path)
    with pytest.raises(MismatchedWeightsError, match="not the head"):
        read_head(path)
    save_head(path, head_file.head, encoder_sha256="a" * 64)
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    with pytest.raises(DamagedWeightsError, match="truncated"):
        read_head(path)


def test_another_encoder_is_refused(photo):
    other = load_model("debug", device="cpu")
    with pytest.raises(ConfigError, match="load 'compact'"):
        encode_for_head(other, photo)
    with pytest.raises(ConfigError, match="load 'compact'"):
        head_config_for(other.config)


def test_a_head_of_another_encoder_says_so_in_one_sentence(encoder, head_file):
    grounder = EmbeddedGrounder(encoder, head=head_file)
    said = grounder.mismatch
    assert "trained on the encoder of the weights 000000000000..." in said
    assert "tools/train_grounder.py" in said
    assert describe_mismatch("a" * 64, "a" * 64) is None


def test_found_boxes_carry_the_words_that_were_asked(encoder, head_file, photo):
    grounder = EmbeddedGrounder(encoder, head=head_file)
    maps = grounder.look(photo)
    assert maps.probabilities.shape == (21, 16, 16)
    assert np.allclose(maps.probabilities.sum(axis=0), 1, atol=1e-4)
    assert (maps.reach > 0).all()
    head_file.head.classify.bias.data[1 + VOC_CLASSES.index("dog")] = 30
    found = grounder.find(photo, ["Puppies"])
    assert found
    assert {one.label for one in found} == {"Puppies"}
    assert all(one.score > 0.9 for one in found)
    assert grounder.find(photo, ["cat"]) == []
    with pytest.raises(PromptError, match="does not know 'ball'"):
        grounder.find(photo, ["dog", "ball"])
