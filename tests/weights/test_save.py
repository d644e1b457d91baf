"""Our own files: whole or not at all, half the size, and the same model again."""

import pytest
import torch
from safetensors import safe_open

from masklet.errors import ConfigError, DamagedWeightsError
from masklet.models.config import preset
from masklet.models.model import build
from masklet.weights.load import load_model
from masklet.weights.save import save_weights


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_loads_as_the_same_model(compact_model, tmp_path, dtype):
    path = tmp_path / "deep" / "own.safetensors"
    save_weights(path, compact_model, dtype=dtype, metadata={"recipe": "none"})
    loaded = load_model(path, device="cpu")
    assert loaded.config == compact_model.config
    assert loaded.name == "debug-compact"
    for name, tensor in loaded.model.state_dict().items():
        original = compact_model.state_dict()[name]
        assert tensor.dtype == torch.float32
        expected = original if original.numel() <= 4096 else original.to(dtype).float()
        assert torch.equal(tensor, expected)


def test_header_keeps_the_given_text(compact_model, tmp_path):
    save_weights(tmp_path / "own.safetensors", compact_model, metadata={"recipe": "none"})
    with safe_open(tmp_path / "own.safetensors", framework="pt") as opened:
        assert opened.metadata()["recipe"] == "none"
        assert opened.metadata()["format"] == "masklet"


def test_the_same_model_and_text_are_the_same_bytes(compact_model, tmp_path):
    text = {name: f'"{name}"\n\u00e9\u2028' for name in ("mean", "recipe", "source", "terms", "scores")}
    written = set()
    for place in range(8):
        path = tmp_path / f"{place}.safetensors"
        save_weights(path, compact_model, metadata=dict(reversed(text.items())) if place % 2 else text)
        written.add(path.read_bytes())
    assert len(written) == 1
    with safe_open(path, framework="pt") as opened:
        assert {name: opened.metadata()[name] for name in text} == text


def test_the_file_may_be_read_by_whom_new_files_may(compact_model, tmp_path):
    (tmp_path / "other").touch()
    save_weights(tmp_path / "own.safetensors", compact_model)
    assert (tmp_path / "own.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_large_tensors_are_stored_in_half(tmp_path):
    model = build(preset("debug"), seed=0)
    model.memory_encoder.blocks[0].expand = torch.nn.Linear(100, 100)
    save_weights(tmp_path / "half", model)
    with safe_open(tmp_path / "half", framework="pt") as opened:
        assert opened.get_tensor("memory_encoder.blocks.0.expand.weight").dtype == torch.float16
        assert opened.get_tensor("memory_encoder.blocks.0.expand.bias").dtype == torch.float32


@pytest.mark.parametrize(("value", "dtype"), [(1e9, torch.float16), (float("nan"), torch.float32)])
def test_a_number_that_does_not_fit_leaves_the_old_file(compact_model, tmp_path, value, dtype):
    path = tmp_path / "own.safetensors"
    save_weights(path, compact_model)
    before = path.read_bytes()
    broken = build(preset("debug"), seed=0)
    broken.memory_encoder.blocks[0].expand = torch.nn.Linear(100, 100)
    with torch.no_grad():
        broken.memory_encoder.blocks[0].expand.weight[3, 4] = value
    with pytest.raises(DamagedWeightsError, match=r"memory_encoder\.blocks\.0\.expand\.weight"):
        save_weights(path, broken, dtype=dtype)
    assert path.read_bytes() == before


def test_an_interrupted_write_leaves_no_trace(compact_model, tmp_path, monkeypatch):
    path = tmp_path / "own.safetensors"
    save_weights(path, compact_model)
    before = path.read_bytes()

    def write_half_and_fail(_tensors, part, **_header):
        part.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("masklet.weights.tensor_file.save_file", write_half_and_fail)
    with pytest.raises(OSError, match="No space"):
        save_weights(path, compact_model)
    assert [p.name for p in tmp_path.iterdir()] == ["own.safetensors"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("key", ["format", "config"])
def test_reserved_keys_are_refused(compact_model, tmp_path, key):
    with pytest.raises(ConfigError, match=key):
        save_weights(tmp_path / "x", compact_model, metadata={key: "x"})


def test_other_types_are_refused(compact_model, tmp_path):
    with pytest.raises(ConfigError, match="int8"):
        save_weights(tmp_path / "x", compact_model, dtype=torch.int8)
