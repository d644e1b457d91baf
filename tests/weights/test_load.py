"""Every form of weights loads; every wrong form is refused with its reason."""

import json

import pytest
import torch
from safetensors.torch import save_file

from masklet.errors import (
    ConfigError,
    DamagedWeightsError,
    MismatchedWeightsError,
    UnknownModelError,
    WeightsError,
)
from masklet.models.config import preset
from masklet.models.model import build
from masklet.weights.card import file_sha256, write_card
from masklet.weights.convert import to_foreign
from masklet.weights.load import build_empty, load_model, read_embedded
from masklet.weights.save import save_weights


def assert_same_weights(model, expected):
    state = model.state_dict()
    assert list(state) == list(expected)
    assert all(torch.equal(state[name], expected[name]) for name in expected)


def test_official_checkpoint(official_file, tiny_model):
    loaded = load_model(official_file, device="cpu", image_size=64)
    assert loaded.name == "sam2.1-tiny"
    assert loaded.config.image_size == 64
    assert loaded.weights_sha256 == file_sha256(official_file)
    assert loaded.precision.dtype == torch.float32
    assert not loaded.model.training
    assert_same_weights(loaded.model, tiny_model.state_dict())


def test_flat_checkpoint_and_string_path(official_state, tmp_path, tiny_model):
    path = tmp_path / "flat.bin"
    torch.save(official_state, path)
    assert_same_weights(load_model(str(path), device="cpu", image_size=64).model, tiny_model.state_dict())


def test_published_size_is_kept_unless_another_is_asked_for(official_file):
    assert load_model(official_file, device="cpu").config == preset("sam2.1-tiny")


def test_older_version_is_recognised(official_state, tmp_path):
    newer = ("no_obj_embed_spatial", "obj_ptr_tpos_proj.weight", "obj_ptr_tpos_proj.bias")
    torch.save({"model": {k: v for k, v in official_state.items() if k not in newer}}, tmp_path / "old.pt")
    assert load_model(tmp_path / "old.pt", device="cpu", image_size=64).name == "sam2-tiny"


@pytest.mark.parametrize("size", [[64, 64], None])
def test_folder_of_transformers(tiny_model, tmp_path, size):
    save_file(to_foreign(tiny_model.state_dict(), "transformers"), tmp_path / "model.safetensors")
    if size is not None:
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "sam2_video", "image_size": size}))
    loaded = load_model(tmp_path, device="cpu")
    assert loaded.config.image_size == (1024 if size is None else 64)
    assert loaded.weights_sha256 == file_sha256(tmp_path / "model.safetensors")
    assert_same_weights(loaded.model, tiny_model.state_dict())


def test_file_of_transformers_without_the_second_copy(tiny_model, tmp_path):
    state = to_foreign(tiny_model.state_dict(), "transformers")
    del state["shared_image_embedding.positional_embedding"]
    save_file(state, tmp_path / "w.safetensors")
    assert_same_weights(load_model(tmp_path / "w.safetensors", device="cpu").model, tiny_model.state_dict())


def test_two_different_copies_are_refused(tiny_model, tmp_path):
    state = to_foreign(tiny_model.state_dict(), "transformers")
    state["shared_image_embedding.positional_embedding"] += 1
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(MismatchedWeightsError, match="shared_image_embedding"):
        load_model(tmp_path / "w.safetensors", device="cpu")


@pytest.mark.parametrize("name", ["debug", "debug-compact"])
def test_debug_presets_are_the_same_random_weights_each_time(name):
    first, again = load_model(name, device="cpu"), load_model(name, device="cpu", image_size=96)
    assert first.weights_sha256 is None
    assert again.config.image_size == 96
    assert_same_weights(again.model, first.model.state_dict())


def test_half_precision_weights_become_float32(official_state, tmp_path):
    torch.save(
        {"model": {name: tensor.half() for name, tensor in official_state.items()}}, tmp_path / "half.pt"
    )
    loaded = load_model(tmp_path / "half.pt", device="cpu", image_size=64)
    assert {tensor.dtype for tensor in loaded.model.state_dict().values()} == {torch.float32}


def test_nothing_stays_unset_after_an_empty_build():
    """An empty build differs from a full one only in numbers that a state dict holds."""
    empty, full = build_empty(preset("debug")), build(preset("debug"), seed=0)
    empty.load_state_dict(full.state_dict())
    for (name, mine), (_, other) in zip(empty.named_buffers(), full.named_buffers(), strict=True):
        assert torch.equal(mine, other), name
    pixels = torch.ones(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(empty.encode_image(pixels).features, full.encode_image(pixels).features)


def test_embedded_weights_are_held_to_their_card(compact_model, tmp_path):
    path = tmp_path / "compact.safetensors"
    with pytest.raises(DamagedWeightsError, match="missing"):
        read_embedded(path)
    save_weights(path, compact_model)
    with pytest.raises(DamagedWeightsError, match="card"):
        read_embedded(path)
    card = write_card(path, recipe={"name": "none", "steps": 0}, metrics={"iou": 0.5})
    weights, sha256 = read_embedded(path)
    assert sha256 == card.sha256 == file_sha256(path)
    assert weights.config == compact_model.config
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedWeightsError, match="their card says"):
        read_embedded(path)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"sha256": 1}'])
def test_a_broken_card_is_refused(compact_model, tmp_path, content):
    path = tmp_path / "compact.safetensors"
    save_weights(path, compact_model)
    path.with_suffix(".json").write_text(content)
    with pytest.raises(DamagedWeightsError, match="card"):
        read_embedded(path)


def test_unknown_names_list_the_known_ones(tmp_path):
    with pytest.raises(UnknownModelError, match=r"compact, sam2\.1-tiny"):
        load_model("sam3", device="cpu")
    with pytest.raises(UnknownModelError, match=r"model\.safetensors"):
        load_model(tmp_path, device="cpu")


def test_wrong_device_and_size_are_refused(official_file):
    with pytest.raises(ConfigError, match="tpu"):
        load_model("debug", device="tpu")
    with pytest.raises(ConfigError, match="multiple of 32"):
        load_model(official_file, device="cpu", image_size=100)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
def test_truncated_checkpoint(official_file, tmp_path, share):
    data = official_file.read_bytes()
    path = tmp_path / "cut.pt"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DamagedWeightsError, match="damaged"):
        load_model(path, device="cpu")


def test_flipped_byte_names_its_record(tmp_path):
    path = tmp_path / "flip.pt"
    torch.save({"model": {"weight": torch.ones(4096)}}, path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(DamagedWeightsError, match=r"checksum of the record 'flip/data/0'"):
        load_model(path, device="cpu")


class _Hostile:
    def __reduce__(self):
        return exec, ("raise SystemExit",)


def test_checkpoint_with_code_is_refused(tmp_path):
    torch.save({"model": {"weight": _Hostile()}}, tmp_path / "hostile.pt")
    with pytest.raises(DamagedWeightsError, match="more than tensors"):
        load_model(tmp_path / "hostile.pt", device="cpu")


@pytest.mark.parametrize(
    "content", [{}, {"model": {}}, {"model": 5}, {"model": {"a": 5}}, [1], torch.ones(2)]
)
def test_checkpoint_without_a_state_dict_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(MismatchedWeightsError, match="no state dict"):
        load_model(tmp_path / "x.pt", device="cpu")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"", "0 bytes"),
        (b"\xff" * 64, "64 bytes"),
        (b"\x08\x00\x00\x00\x00\x00\x00\x00not json", "header"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00[]", "header"),
        (b'\x11\x00\x00\x00\x00\x00\x00\x00{"a": {"b": "c"}}', "header"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00{}tail", "do not belong"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00{}", "holds 0 tensors"),
    ],
)
def test_other_files_are_refused(tmp_path, data, message):
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=message):
        load_model(path, device="cpu")


def test_truncated_safetensors_says_how_many_bytes_are_there(compact_model, tmp_path):
    path = tmp_path / "own.safetensors"
    save_weights(path, compact_model)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DamagedWeightsError, match=f"truncated, {size - 100:,} bytes instead of {size:,}"):
        load_model(path, device="cpu")


def test_missing_unexpected_and_reshaped_tensors_are_named_and_counted(official_state, tmp_path):
    state = dict(official_state)
    for name in list(state)[:7]:
        state[f"my.{name}"] = state.pop(name)
    state["obj_ptr_proj.layers.0.bias"] = torch.zeros(255)
    torch.save({"model": state}, tmp_path / "x.pt")
    with pytest.raises(MismatchedWeightsError) as caught:
        load_model(tmp_path / "x.pt", device="cpu")
    message = str(caught.value)
    assert "7 missing (" in message
    assert "and 3 more), 7 unexpected (my." in message
    assert "1 of another shape (obj_ptr_proj.layers.0.bias (255,) instead of (256,))" in message
    assert "'sam2.1-tiny'" in message


def test_unpublished_size_is_refused(official_state, tmp_path):
    state = {name: tensor for name, tensor in official_state.items() if "trunk.blocks.11" not in name}
    torch.save({"model": state}, tmp_path / "x.pt")
    with pytest.raises(MismatchedWeightsError, match="96 channels and 11 blocks"):
        load_model(tmp_path / "x.pt", device="cpu")


def test_numbers_that_are_not_finite_are_refused(official_state, tmp_path):
    state = {**official_state, "obj_ptr_proj.layers.0.bias": torch.full((256,), torch.nan)}
    torch.save({"model": state}, tmp_path / "x.pt")
    with pytest.raises(DamagedWeightsError, match=r"not finite, the first is pointer_head\.layers\.0\.bias"):
        load_model(tmp_path / "x.pt", device="cpu")


def test_own_file_with_another_configuration_is_refused(compact_model, tmp_path):
    other = build(preset("debug"), seed=0)
    other.config = compact_model.config
    save_weights(tmp_path / "x", other)
    with pytest.raises(MismatchedWeightsError, match="missing"):
        load_model(tmp_path / "x", device="cpu")


@pytest.mark.parametrize("text", ["{", '{"image_size": [512, 1024]}', '{"image_size": "big"}'])
def test_wrong_folder_configuration_is_refused(tiny_model, tmp_path, text):
    save_file(to_foreign(tiny_model.state_dict(), "transformers"), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(WeightsError, match=r"config\.json"):
        load_model(tmp_path, device="cpu")
