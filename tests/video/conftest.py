"""Small media files, made by script: every test of video makes its own, none is kept in the repository."""

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True)
class Clip:
    """How a test clip is made; ``pts`` are in ticks of ``time_base``, 40 ms apart when None."""

    codec: str = "libx264"
    num_frames: int = 24
    size_hw: tuple[int, int] = (48, 64)
    pixel_format: str = "yuv420p"
    group: int = 8
    num_b_frames: int | None = None
    time_base: Fraction = MILLISECOND
    pts: tuple[int, ...] | None = None
    rotation: int | None = None
    encoder: tuple[tuple[str, str], ...] = ()
    container: tuple[tuple[str, str], ...] = ()


def picture(index, size_hw=(48, 64)):
    """Frame ``index`` of the test clip: moving bars and a block of noise, so that every frame differs."""
    height, width = size_hw
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = (np.arange(width) * 3 + index * 7) % 256
    image[(index * 2) % height :, :, 1] = 160
    image[:, index % width :, 2] = 90
    noise = np.random.default_rng(index).integers(0, 255, (height // 3, width // 3, 3))
    image[: height // 3, : width // 3] = noise
    return image


def write_clip(path: Path, clip: Clip) -> Path:
    """Encode the test clip; the container follows the suffix."""
    with av.open(str(path), "w", options=dict(clip.container)) as container:
        options = dict(clip.encoder)
        if clip.codec == "libx264":
            options["mbtree"] = "0"  # with it, equal frames do not always give equal bytes
        stream = container.add_stream(clip.codec, rate=25, options=options)
        stream.height, stream.width = clip.size_hw
        stream.pix_fmt = clip.pixel_format
        stream.codec_context.time_base = clip.time_base
        stream.codec_context.thread_count = 1
        stream.gop_size = clip.group
        if clip.num_b_frames is not None:
            stream.max_b_frames = clip.num_b_frames
        if clip.rotation is not None:
            stream.set_display_rotation(clip.rotation)
        step = Fraction(1, 25) / clip.time_base
        for index in range(clip.num_frames):
            frame = av.VideoFrame.from_ndarray(picture(index, clip.size_hw), format="rgb24")
            frame.pts = clip.pts[index] if clip.pts else round(index * step)
            frame.time_base = clip.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_tone(path: Path) -> Path:
    """A file with sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        for index in range(8):
            samples = np.sin(np.arange(1024) * 0.1)[None].astype(np.float32)
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, index * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def png_bomb(side: int) -> bytes:
    """The header of a PNG that claims to be ``side`` pixels wide and high, with almost no data."""
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(64)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


@pytest.fixture
def make_clip(tmp_path):
    """``make_clip("a.mp4", codec=...)`` writes a clip and gives its path."""

    def make(name="clip.mp4", **changes):
        return write_clip(tmp_path / name, Clip(**changes))

    return make


@pytest.fixture
def make_tone(tmp_path):
    return lambda name="tone.mp4": write_tone(tmp_path / name)


@pytest.fixture
def make_picture():
    return picture


@pytest.fixture
def make_png_bomb():
    return png_bomb


FRAME_S = Fraction(1, 25)
TICKS = tuple(range(24))
X264 = "x264-params"
X265 = "x265-params"

# Name of the file, and how it is made: every container and the ways of coding that make seeking hard.
CLIPS = {
    "closed.mp4": Clip(),
    "index_first.mp4": Clip(container=(("movflags", "faststart"),)),
    "fragments.mp4": Clip(container=(("movflags", "frag_keyframe+empty_moov"),)),
    "b_frames.mov": Clip(num_b_frames=3, encoder=((X264, "bframes=3:b-adapt=0:b-pyramid=2"),)),
    "open_groups.mp4": Clip(encoder=((X264, "open-gop=1:keyint=8:min-keyint=8:bframes=3:scenecut=0"),)),
    "gradual_refresh.mp4": Clip(encoder=((X264, "intra-refresh=1:keyint=8:bframes=0"),)),
    "variable_rate.mp4": Clip(pts=tuple(40 * i + 13 * (i % 3) + (500 if i > 9 else 0) for i in range(24))),
    "late_start.mkv": Clip(pts=tuple(5000 + 40 * i for i in range(24))),
    "closed.mkv": Clip(),
    "vp9.webm": Clip(codec="libvpx-vp9"),
    "vp8.webm": Clip(codec="libvpx", encoder=(("auto-alt-ref", "1"), ("lag-in-frames", "16"))),
    "odd_sides.mkv": Clip(codec="ffv1", size_hw=(17, 33), pixel_format="yuv444p"),
    "hevc_open.mkv": Clip(
        codec="libx265",
        size_hw=(64, 64),
        encoder=((X265, "log-level=none:open-gop=1:keyint=8:min-keyint=8:bframes=3:pools=1"),),
    ),
    "no_b_frames.avi": Clip(num_b_frames=0, time_base=FRAME_S, pts=TICKS),
    "b_frames.avi": Clip(time_base=FRAME_S, pts=TICKS),
    "packed.avi": Clip(codec="mpeg4", num_b_frames=2, time_base=FRAME_S, pts=TICKS),
    "pictures.mov": Clip(codec="mjpeg", pixel_format="yuvj420p"),
    "mpeg4.mp4": Clip(codec="mpeg4", num_b_frames=2),
    "stream.ts": Clip(),
    "b_frames.ts": Clip(num_b_frames=3),
    "hevc.ts": Clip(
        codec="libx265",
        size_hw=(240, 320),
        encoder=((X265, "log-level=none:keyint=8:bframes=2:pools=1"),),
    ),
    "second_kind.mpg": Clip(
        codec="mpeg2video", num_b_frames=2, size_hw=(96, 128), time_base=FRAME_S, pts=TICKS
    ),
    "first_kind.mpg": Clip(codec="mpeg1video", num_b_frames=0, time_base=FRAME_S, pts=TICKS),
    "live.webm": Clip(codec="libvpx-vp9", container=(("live", "1"),)),
    "dash.mp4": Clip(container=(("movflags", "dash+frag_keyframe+empty_moov+default_base_moof"),)),
    "palette.gif": Clip(codec="gif", pixel_format="rgb8", time_base=Fraction(1, 100)),
    "turned.mp4": Clip(rotation=90),
}


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Every clip of CLIPS, made once: name to path."""
    folder = tmp_path_factory.mktemp("clips")
    return {name: write_clip(folder / name, clip) for name, clip in CLIPS.items()}


def pytest_generate_tests(metafunc):
    """Tests that take ``clip_name`` run for every clip."""
    if "clip_name" in metafunc.fixturenames:
        metafunc.parametrize("clip_name", sorted(CLIPS))
