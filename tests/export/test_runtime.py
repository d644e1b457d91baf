"""Another runtime answers as torch does: images, tracks, any number of objects; and says what it cannot do."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import masklet.export.runtime as runtime_module
from masklet.errors import ConfigError, MissingExtraError
from masklet.export.runtime import accelerate
from masklet.geometry import Box
from masklet.masks.metrics import iou
from masklet.models.precision import PrecisionPolicy
from masklet.predictors.auto import AutoMasks
from masklet.predictors.auto_presets import AutoPreset
from masklet.predictors.image import ImagePredictor
from masklet.predictors.video import VideoSession
from masklet.prompts import Click, MaskPrompt, PromptSet
from masklet.video import open_source
from masklet.weights.load import load_model

CLIP = Path(__file__).parents[2] / "samples" / "cup_shuffle" / "clip.mp4"
SQUARE = np.zeros((48, 64), bool)
SQUARE[10:26, 4:20] = True
PROMPTS = {
    "one click": PromptSet(clicks=[Click(12, 18)]),
    "clicks on and off": PromptSet(clicks=[Click(12, 18), Click(50, 36, positive=False), Click(6, 12)]),
    "box": PromptSet(box=Box(4, 10, 20, 26)),
    "box and click": PromptSet(box=Box(4, 10, 20, 26), clicks=[Click(12, 18)]),
    "mask": PromptSet(mask=MaskPrompt(SQUARE)),
}


def track(model, clip, prompts):
    """Masks of every frame by object, each object prompted on a frame of its own."""
    with VideoSession(model, clip) as session:
        for object_id, (frame, one) in prompts.items():
            session.prompt(object_id, frame, one)
        return [frame.masks for frame in session.track()]


def ious_of_tracks(loaded, fast, clip, prompts):
    wanted, found = (track(model, clip, prompts) for model in (loaded, fast))
    assert [set(frame) for frame in found] == [set(frame) for frame in wanted]
    assert all(mask.any() for mask in wanted[-1].values())
    return [iou(a[key], b[key]) for a, b in zip(found, wanted, strict=True) for key in b]


@pytest.mark.parametrize("name", PROMPTS)
def test_image_prompts_give_the_masks_of_torch(loaded, fast, make_frames, name):
    photo = make_frames(1)[0]
    answers = []
    for model in (loaded, fast):
        predictor = ImagePredictor(model)
        answers.append(predictor.predict(predictor.embed(photo), PROMPTS[name]))
    theirs, mine = answers
    assert 0.05 < theirs.masks.mean() < 0.95
    assert [iou(a, b) for a, b in zip(mine.masks, theirs.masks, strict=True)] == pytest.approx(
        [1] * 3, abs=0.01
    )
    assert mine.scores == pytest.approx(theirs.scores, abs=1e-3)
    assert mine.presence == pytest.approx(theirs.presence, abs=1e-3)


def test_several_objects_and_images_at_once_and_a_refined_answer(loaded, fast, make_frames):
    photos = list(make_frames(3)[::2])
    sets = [[PROMPTS["one click"], PROMPTS["mask"], PROMPTS["clicks on and off"]], [PROMPTS["box"]]]
    answers = []
    for model in (loaded, fast):
        predictor = ImagePredictor(model)
        embeddings = predictor.embed_batch(photos)
        first = predictor.predict_batch(embeddings, sets)
        starts = [
            [None, one[0].low_res_logits[0], None][: len(one)] if len(one) > 1 else None for one in first
        ]
        answers.append(predictor.predict_batch(embeddings, sets, start_logits=starts))
    for theirs, mine in zip(*answers, strict=True):
        for wanted, found in zip(theirs, mine, strict=True):
            assert found.logits == pytest.approx(wanted.logits, abs=2e-2)


def test_a_track_of_objects_of_which_one_comes_later_gives_the_masks_of_torch(loaded, fast, make_frames):
    prompts = {
        1: (0, PROMPTS["one click"]),
        2: (0, PROMPTS["mask"]),
        3: (4, PromptSet(box=Box(32, 30, 48, 40))),
    }
    found = ious_of_tracks(loaded, fast, make_frames(12), prompts)
    assert len(found) == 12 + 12 + 8
    assert min(found) >= 0.99


def test_an_automatic_search_finds_what_torch_finds(compact, make_fast, make_frames):
    takes_all = AutoPreset(
        name="all",
        points_per_side=4,
        points_per_batch=11,
        min_predicted_iou=0.0,
        min_stability=0.0,
        min_share=0.0,
        max_overlap=1.0,
        max_area_share=1.0,
    )
    lists = [
        sorted(
            AutoMasks(model, preset=takes_all).generate(make_frames(1)[0]),
            key=lambda one: (one.point, one.predicted_iou),
        )
        for model in (compact, make_fast(compact))
    ]
    wanted, found = lists
    assert len(wanted) > 11
    assert [one.point for one in found] == [one.point for one in wanted]
    assert min(iou(a.mask, b.mask) for a, b in zip(found, wanted, strict=True)) >= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_the_embedded_model_follows_cups_as_in_torch(runtime, tmp_path):
    loaded = load_model("compact", device="cpu")
    with open_source(CLIP) as source:
        clip = np.stack([source.read(index).image for index in range(6)])
    prompts = {1: (0, PromptSet(clicks=[Click(167, 204)])), 2: (2, PromptSet(clicks=[Click(322, 203)]))}
    fast = accelerate(loaded, runtime, cache=tmp_path)
    found = ious_of_tracks(loaded, fast, clip, prompts)
    assert len(found) == 6 + 4
    assert min(found) >= 0.99
    assert len(list(tmp_path.glob("*.encoder"))) == 1


def test_torch_is_the_model_itself(compact):
    assert accelerate(compact, "torch") is compact


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_the_model_says_in_which_runtime_it_is(compact, runtime):
    fast = accelerate(compact, runtime)
    assert (fast.runtime, compact.runtime) == (runtime, "torch")
    assert fast.model.config is compact.config
    assert fast.model.state_dict().keys() == compact.model.state_dict().keys()
    with pytest.raises(ConfigError, match=f"already runs in '{runtime}'"):
        accelerate(fast, "onnx")


def test_an_unknown_runtime_is_refused_with_those_there_are(compact):
    with pytest.raises(ConfigError, match="no runtime 'tensorrt'; the runtimes are torch, onnx, openvino"):
        accelerate(compact, "tensorrt")


@pytest.mark.parametrize(
    ("runtime", "package"), [("onnx", "onnxruntime"), ("onnx", "onnx"), ("openvino", "openvino")]
)
def test_a_missing_package_is_named_with_the_extra_that_installs_it(compact, monkeypatch, runtime, package):
    monkeypatch.setattr(runtime_module, "find_spec", lambda name: None if name == package else object())
    with pytest.raises(MissingExtraError, match=rf"needs {package},.*pip install 'masklet\[{runtime}\]'"):
        accelerate(compact, runtime)


def test_a_model_that_is_not_float32_on_the_cpu_is_refused(compact):
    half = PrecisionPolicy(device=torch.device("cpu"), dtype=torch.bfloat16)
    with pytest.raises(ConfigError, match=r"float32 model on the CPU, got torch\.bfloat16 on cpu"):
        accelerate(replace(compact, precision=half), "onnx")


def test_openvino_is_imported_without_the_module_that_phones_home(compact):
    accelerate(compact, "openvino")
    assert "openvino" in sys.modules
    assert "openvino_telemetry" not in sys.modules
