"""The compact encoder takes over a MobileNetV2, and refuses files that do not fit."""

import pytest
import torch
from safetensors.torch import save_file

from masklet.errors import ConfigError, DamagedWeightsError, MismatchedWeightsError
from masklet.models.config import preset
from masklet.models.model import build
from masklet.weights.mobilenet import load_mobilenet

HEAD = {
    "context.local": "head.aspp",
    "context.pooled": "head.image_pooling",
    "context.projection": "head.projection",
}


def backbone(model, *, with_head):
    """A file's content that fits the model's encoder, filled with other numbers."""
    tensors = {}
    for name, tensor in model.encoder.state_dict().items():
        module, _, leaf = name.rpartition(".")
        if module in HEAD and not with_head:
            continue
        tensors[f"{HEAD.get(module, module)}.{leaf}"] = torch.rand_like(tensor)
    if with_head:
        tensors["head.logits.weight"] = torch.rand(21, 256, 1, 1)
    return tensors


@pytest.mark.parametrize("with_head", [True, False])
def test_every_tensor_of_the_encoder_is_taken_over(tmp_path, with_head):
    model = build(preset("debug-compact"), seed=0)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    tensors = backbone(model, with_head=with_head)
    save_file(tensors, tmp_path / "m.safetensors")
    untouched = load_mobilenet(model, tmp_path / "m.safetensors")
    assert len(untouched) == (0 if with_head else 6)
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    encoder = {f"encoder.{name}" for name in model.encoder.state_dict()}
    assert changed == encoder - {f"encoder.{name}" for name in untouched}
    assert torch.equal(model.encoder.stem.conv.weight, tensors["stem.conv.weight"])
    if with_head:
        assert torch.equal(model.encoder.context.local.weight, tensors["head.aspp.weight"])
        assert torch.equal(model.encoder.context.pooled.weight, tensors["head.image_pooling.weight"])


def test_published_names_fit_the_standard_width():
    """The compact preset has the seventeen blocks of MobileNetV2 1.0 and its widths."""
    encoder = build(preset("compact"), seed=0).encoder
    shapes = {name: tuple(tensor.shape) for name, tensor in encoder.state_dict().items()}
    assert shapes["stem.conv.weight"] == (32, 3, 3, 3)
    assert "blocks.0.expand.conv.weight" not in shapes
    assert shapes["blocks.0.project.conv.weight"] == (16, 32, 1, 1)
    assert shapes["blocks.16.depthwise.conv.weight"] == (960, 1, 3, 3)
    assert shapes["blocks.16.project.conv.weight"] == (320, 960, 1, 1)
    assert sum(name.startswith(("stem", "blocks")) for name in shapes) == 102


def test_wrong_files_are_refused_and_change_nothing(tmp_path):
    model = build(preset("debug-compact"), seed=0)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    tensors = backbone(model, with_head=True)
    del tensors["stem.conv.bias"]
    tensors["blocks.9.project.conv.bias"] = torch.zeros(3)
    save_file(tensors, tmp_path / "m.safetensors")
    with pytest.raises(
        MismatchedWeightsError, match=r"1 missing \(stem\.conv\.bias\), 1 unexpected \(blocks\.9"
    ):
        load_mobilenet(model, tmp_path / "m.safetensors")
    (tmp_path / "m.safetensors").write_bytes(b"nothing")
    with pytest.raises(DamagedWeightsError, match="7 bytes"):
        load_mobilenet(model, tmp_path / "m.safetensors")
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_another_encoder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="'debug'"):
        load_mobilenet(build(preset("debug"), seed=0), tmp_path / "m.safetensors")
