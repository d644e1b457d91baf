"""The --runtime option: the same masks from another runtime, and refusals in one sentence."""

import gc
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import masklet.export.runtime as runtime_module
from masklet.cli.loading import load_chosen
from masklet.errors import UnknownModelError
from masklet.video.image import read_indexed_png

MODEL = ("--model", "debug-compact")
CLICK = ("--prompt", "1@0: +14,16 -50,36")


def masks_of(out):
    return np.stack([read_indexed_png(path) for path in sorted((out / "masks").iterdir())])


def test_a_track_in_another_runtime_has_the_masks_of_torch(masklet_command, clip, tmp_path):
    for runtime in ("torch", "onnx"):
        arguments = ("track", clip, *CLICK, "--out", tmp_path / runtime, "--runtime", runtime, *MODEL)
        outcome = masklet_command(*arguments)
        assert outcome.code == 0, outcome.err
    theirs, mine = masks_of(tmp_path / "torch"), masks_of(tmp_path / "onnx")
    assert theirs.shape == (8, 40, 56)
    assert (theirs == mine).mean() > 0.999


def test_an_image_in_another_runtime_has_the_masks_of_torch(masklet_command, photo, tmp_path):
    for runtime in ("torch", "openvino"):
        out = tmp_path / f"{runtime}.png"
        outcome = masklet_command(
            "image", photo, "--prompt", "+14,16", "--out", out, "--runtime", runtime, *MODEL
        )
        assert outcome.code == 0, outcome.err
    theirs, mine = (read_indexed_png(tmp_path / f"{runtime}.png") for runtime in ("torch", "openvino"))
    assert (theirs == mine).mean() > 0.999


def test_a_run_is_not_resumed_in_another_runtime(masklet_command, clip, tmp_path):
    job = ("track", clip, *CLICK, "--out", tmp_path / "out", *MODEL, "--device", "cpu")
    assert masklet_command(*job).code == 0
    outcome = masklet_command(*job, "--resume", "--runtime", "onnx")
    assert outcome.code == 1
    assert "another runtime, so it cannot be resumed" in outcome.err


def test_a_runtime_that_does_not_exist_is_wrong_usage(masklet_command, photo, tmp_path):
    outcome = masklet_command(
        "image", photo, "--prompt", "+1,1", "--out", tmp_path / "m.png", "--runtime", "tensorrt"
    )
    assert outcome.code == 2
    assert "tensorrt" in outcome.err


@pytest.mark.parametrize("command", ["track", "image", "auto"])
def test_a_runtime_that_is_not_installed_is_one_sentence(
    masklet_command, photo, clip, tmp_path, monkeypatch, command
):
    monkeypatch.setattr(runtime_module, "find_spec", lambda _: None)
    source, out, prompt = {
        "track": (clip, tmp_path / "out", CLICK),
        "image": (photo, tmp_path / "m.png", ("--prompt", "+14,16")),
        "auto": (photo, tmp_path / "m.json", ()),
    }[command]
    outcome = masklet_command(command, source, *prompt, "--out", out, "--runtime", "openvino", *MODEL)
    assert outcome.code == 1
    assert "needs onnx and openvino" in outcome.err
    assert "pip install 'masklet[openvino]'" in outcome.err
    assert not out.exists()


def test_unreachable_objects_are_looked_for_as_before_once_a_model_is_loaded():
    usual = gc.get_threshold()
    load_chosen("debug-compact", device="cpu")
    assert gc.get_threshold() == usual
    with pytest.raises(UnknownModelError):
        load_chosen("no-such-model", device="cpu")
    assert gc.get_threshold() == usual
    assert gc.isenabled()
    gc.unfreeze()


def test_cutting_out_of_an_image_loads_no_documents():
    program = "import sys, masklet.cli.image; print([name for name in sys.modules if 'masklet.annotations' in name])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_cutting_out_of_an_image_loads_no_video_decoders_and_no_progress_bars(tmp_path):
    """A cold command is mostly imports; what one image does not need is left out even when it is cut."""
    program = (
        "import sys; from masklet.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as ended: print(ended.code, [name for name in ('av', 'rich') if name in sys.modules])"
    )
    Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(tmp_path / "photo.png")
    command = ["image", "photo.png", "--prompt", "+20,20", "--out", "mask.png", "--model", "debug-compact"]
    done = subprocess.run(
        [sys.executable, "-c", program, *command], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.splitlines()[-1] == "0 []"
    assert (tmp_path / "mask.png").exists()
