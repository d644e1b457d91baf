"""Every example runs on the sample clip as a reader would run it."""

import os
import subprocess
import sys
from pathlib import Path

import av
import pytest

ROOT = Path(__file__).parents[2]
CLIP = ROOT / "samples" / "cup_shuffle" / "clip.mp4"


@pytest.fixture(scope="module")
def short_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first six frames of the sample."""
    path = tmp_path_factory.mktemp("clip") / "short.mp4"
    with av.open(str(CLIP)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for index, frame in enumerate(source.decode(video=0)):
            if index == 6:
                break
            target.mux(stream.encode(frame.reformat(format="yuv420p")))
        target.mux(stream.encode(None))
    return path


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_image_example_writes_a_mask(tmp_path: Path, short_clip: Path) -> None:
    from PIL import Image

    with av.open(str(short_clip)) as source:
        picture = next(source.decode(video=0)).to_image()
    picture.save(tmp_path / "frame.png")
    out = run(
        str(ROOT / "examples" / "image.py"),
        str(tmp_path / "frame.png"),
        "170",
        "200",
        str(tmp_path / "m.png"),
    )
    assert "predicted IoU" in out
    with Image.open(tmp_path / "m.png") as mask:
        assert mask.size == (640, 360)


@pytest.mark.parametrize("name", ["video", "live"])
def test_tracking_examples_visit_every_frame(name: str, short_clip: Path) -> None:
    out = run(str(ROOT / "examples" / f"{name}.py"), str(short_clip), "170", "200")
    assert [line.split(":")[0] for line in out.splitlines()] == [f"frame {index}" for index in range(6)]


def test_code_written_for_sam2_runs_with_its_import_lines_changed(short_clip: Path) -> None:
    out = run(str(ROOT / "examples" / "from_sam2.py"), str(short_clip), "170", "200").splitlines()
    assert [line.split(":")[0] for line in out] == ["image", *(f"frame {index}" for index in range(6))]
    assert all(100 < int(line.split()[-2]) < 640 * 360 / 4 for line in out)
