"""Written videos: times kept, bytes repeatable, whole or named as partial."""

import logging

import numpy as np
import pytest

from masklet.errors import MediaError, SessionError
from masklet.video import Frame, Mp4Writer, OverlayWriter, open_video, writer


def write(path, images, times=None, **options):
    with Mp4Writer(path, **options) as video:
        for index, image in enumerate(images):
            video.write(image, pts_s=times[index] if times else None)
    return path


@pytest.fixture
def images(make_picture):
    return [make_picture(index) for index in range(12)]


@pytest.mark.parametrize("fps", [10, 23.976, 25, 29.97, 60])
def test_a_constant_rate_comes_back(images, tmp_path, fps):
    with open_video(write(tmp_path / "a.mp4", images, fps=fps)) as reader:
        assert reader.num_frames == 12
        assert reader.fps == pytest.approx(fps, rel=1e-4)
        assert not reader.facts.is_variable_frame_rate


def test_variable_times_come_back(images, tmp_path):
    times = [0.0, 0.04, 0.05, 0.3, 0.31, 0.4, 1.0, 1.2, 1.21, 1.5, 1.6, 2.0]
    with open_video(write(tmp_path / "a.mp4", images, times)) as reader:
        assert list(reader.facts.pts_s) == pytest.approx(times, abs=1 / 90_000)
        assert reader.facts.is_variable_frame_rate


def test_a_late_first_frame_stays_late(images, tmp_path):
    times = [2.0 + index / 25 for index in range(12)]
    with open_video(write(tmp_path / "a.mp4", images, times)) as reader:
        assert list(reader.facts.pts_s) == pytest.approx(times, abs=1 / 90_000)


def test_pictures_come_back_nearly_as_written(tmp_path):
    smooth = np.stack(np.meshgrid(np.linspace(0, 255, 64), np.linspace(0, 255, 48)), axis=-1)
    image = np.dstack([smooth, smooth.mean(axis=-1)]).astype(np.uint8)
    with open_video(write(tmp_path / "a.mp4", [image] * 3, quality=4)) as reader:
        assert np.abs(reader.read(1).image.astype(int) - image).mean() < 3


@pytest.mark.parametrize("size_hw", [(47, 63), (48, 63), (47, 64), (1, 1)])
def test_odd_sides_are_padded_to_even(make_picture, tmp_path, size_hw):
    images = [
        make_picture(index, size_hw) if size_hw != (1, 1) else np.zeros((1, 1, 3), np.uint8)
        for index in range(3)
    ]
    with open_video(write(tmp_path / "a.mp4", images)) as reader:
        assert reader.size.hw == tuple(side + side % 2 for side in size_hw)


def test_equal_frames_give_equal_bytes(images, tmp_path):
    data = [write(tmp_path / f"{run}.mp4", images).read_bytes() for run in range(6)]
    assert all(other == data[0] for other in data)


def test_the_file_has_its_name_only_when_whole(images, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the old file")
    video = Mp4Writer(path)
    video.write(images[0])
    assert path.read_bytes() == b"the old file"
    assert video.partial_path.exists()
    video.close()
    video.close()
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    with open_video(path) as reader:
        assert reader.num_frames == 1


def test_after_an_error_what_was_written_plays(images, tmp_path, caplog):
    path = tmp_path / "a.mp4"

    def feed():
        yield from images[:5]
        raise KeyError("stop")

    with caplog.at_level(logging.WARNING), pytest.raises(KeyError):
        write(path, feed())
    assert "5 frames" in caplog.text
    assert not path.exists()
    with open_video(Mp4Writer(path).partial_path) as reader:
        assert reader.num_frames == 5


def test_times_must_rise(images, tmp_path):
    with Mp4Writer(tmp_path / "a.mp4") as video:
        video.write(images[0], pts_s=1.0)
        for wrong in (1.0, 0.5, -1.0, float("nan"), float("inf")):
            with pytest.raises(MediaError):
                video.write(images[1], pts_s=wrong)
        video.write(images[1], pts_s=1.5)
    with open_video(tmp_path / "a.mp4") as reader:
        assert reader.num_frames == 2


def test_frames_of_another_size_or_type_are_refused(images, tmp_path):
    with Mp4Writer(tmp_path / "a.mp4") as video:
        video.write(images[0])
        with pytest.raises(MediaError, match="one size"):
            video.write(images[0][:20])
        with pytest.raises(MediaError, match="uint8"):
            video.write(images[0].astype(np.float32))


@pytest.mark.parametrize(
    "options", [{"fps": 0}, {"fps": -5}, {"fps": float("nan")}, {"quality": 52}, {"quality": -1}]
)
def test_settings_out_of_range_are_refused(tmp_path, options):
    with pytest.raises(MediaError):
        Mp4Writer(tmp_path / "a.mp4", **options)


def test_a_writer_without_frames_or_after_closing_is_refused(images, tmp_path):
    with pytest.raises(MediaError, match="no frame"):
        Mp4Writer(tmp_path / "a.mp4").close()
    video = Mp4Writer(tmp_path / "b.mp4")
    video.write(images[0])
    video.close()
    with pytest.raises(SessionError):
        video.write(images[0])


def test_a_missing_folder_is_a_media_error(images, tmp_path):
    video = Mp4Writer(tmp_path / "absent" / "a.mp4")
    with pytest.raises(MediaError, match=r"a\.mp4"):
        video.write(images[0])


def test_without_h264_mpeg4_is_written_and_said(images, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(writer, "_ENCODERS", ("no_such_encoder", "mpeg4"))
    with caplog.at_level(logging.WARNING):
        path = write(tmp_path / "a.mp4", images)
    assert "MPEG-4" in caplog.text
    with open_video(path) as reader:
        assert (reader.facts.codec, reader.num_frames) == ("mpeg4", 12)
    monkeypatch.setattr(writer, "_ENCODERS", ("no_such_encoder",))
    with pytest.raises(MediaError, match="encoders"):
        writer.find_encoder()


def test_overlays_keep_the_times_of_the_frames(tmp_path):
    mask = np.zeros((48, 64), bool)
    mask[10:40, 10:50] = True
    times = [0.0, 0.1, 0.5]
    with OverlayWriter(tmp_path / "a.mp4") as video:
        for index, time in enumerate(times):
            video.write(Frame(index=index, pts_s=time, image=np.full((48, 64, 3), 100, np.uint8)), {1: mask})
        assert video.num_frames == 3
    with open_video(tmp_path / "a.mp4") as reader:
        assert list(reader.facts.pts_s) == pytest.approx(times)
        image = reader.read(0).image.astype(int)
        assert abs(image[25, 30] - image[2, 2]).max() > 20
