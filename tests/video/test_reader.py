"""Frames of files: random access equals sequential decoding, bit by bit."""

import threading
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from masklet.errors import DamagedMediaError, MediaError, MediaLimitError, UnsupportedMediaError
from masklet.video import open_video
from masklet.video.reader import VideoReader


def images_of(path, **options):
    with open_video(path, **options) as reader:
        return [frame.image for frame in reader]


def test_backward_and_mixed_reads_equal_sequential_ones(clips, clip_name):
    expected = images_of(clips[clip_name])
    order = [*reversed(range(len(expected))), *np.random.default_rng(0).permutation(len(expected)).tolist()]
    with open_video(clips[clip_name], cache_bytes=0) as reader:
        assert len(expected) == reader.num_frames == 24
        for index in order:
            assert np.array_equal(reader.read(index).image, expected[index]), index


def test_every_frame_differs_from_its_neighbour(clips, clip_name):
    images = images_of(clips[clip_name])
    assert all(not np.array_equal(before, after) for before, after in pairwise(images))


def test_lossless_frames_come_in_the_order_they_were_written(make_clip, make_picture):
    path = make_clip("a.mkv", codec="ffv1", pixel_format="bgr0", size_hw=(21, 35))
    with open_video(path) as reader:
        for frame in reader:
            assert np.array_equal(frame.image, make_picture(frame.index, (21, 35)))


def test_frames_carry_the_file_s_own_times(clips):
    with open_video(clips["late_start.mkv"]) as reader:
        assert [reader.read(i).pts_s for i in (0, 1, 23)] == pytest.approx([5.0, 5.04, 5.92])
    with open_video(clips["variable_rate.mp4"]) as reader:
        assert [frame.pts_s for frame in reader][:4] == pytest.approx([0.0, 0.053, 0.106, 0.12])


def test_times_are_told_without_reading_as_reading_tells_them(clips, clip_name):
    with open_video(clips[clip_name]) as reader:
        told = [reader.pts_s(index) for index in range(24)]
        assert told == [frame.pts_s for frame in reader]
        with pytest.raises(MediaError, match="0 to 23"):
            reader.pts_s(24)


def test_two_iterators_do_not_disturb_each_other(clips):
    expected = images_of(clips["b_frames.mov"])
    with open_video(clips["b_frames.mov"]) as reader:
        for index, (first, second) in enumerate(zip(reader, reader, strict=True)):
            assert np.array_equal(first.image, second.image)
            assert np.array_equal(first.image, expected[index])


def test_threads_get_the_frames_they_asked_for(clips):
    expected = images_of(clips["closed.mp4"])
    wrong = []
    with open_video(clips["closed.mp4"], cache_bytes=0) as reader:

        def work(seed):
            for index in np.random.default_rng(seed).permutation(24).tolist():
                if not np.array_equal(reader.read(index).image, expected[index]):
                    wrong.append(index)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_reading_in_order_decodes_every_frame_once(clips, monkeypatch):
    decoded = []
    advance = VideoReader._advance
    monkeypatch.setattr(VideoReader, "_advance", lambda self: decoded.append(1) or advance(self))
    with open_video(clips["closed.mp4"]) as reader:
        for index in range(24):
            reader.read(index)
            reader.read(max(0, index - 1))
    assert len(decoded) == 24


def test_a_closed_reader_opens_again(clips):
    reader = open_video(clips["closed.mp4"])
    before = reader.read(5).image
    reader.close()
    reader.close()
    assert np.array_equal(reader.read(5).image, before)
    reader.close()


@pytest.mark.parametrize("index", [-1, 24, 10**9])
def test_an_index_outside_is_refused(clips, index):
    with open_video(clips["closed.mp4"]) as reader, pytest.raises(MediaError, match="0 to 23"):
        reader.read(index)


def test_rotation_is_applied_to_size_and_pixels(clips):
    with open_video(clips["turned.mp4"]) as turned, open_video(clips["closed.mp4"]) as plain:
        assert turned.size.hw == (64, 48)
        assert turned.facts.rotation == 270
        assert np.array_equal(turned.read(3).image, np.rot90(plain.read(3).image))


def test_alpha_is_laid_over_white(tmp_path):
    path = tmp_path / "alpha.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("qtrle", rate=25)
        stream.width, stream.height, stream.pix_fmt = 8, 8, "argb"
        rgba = np.zeros((8, 8, 4), np.uint8)
        rgba[:4] = (200, 0, 0, 255)
        rgba[4:] = (0, 0, 0, 51)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(rgba, format="rgba").reformat(format="argb")))
        container.mux(stream.encode(None))
    image = images_of(path)[0]
    assert image[0, 0].tolist() == [200, 0, 0]
    assert image[7, 7].tolist() == [204, 204, 204]


def test_a_size_that_changes_is_refused(tmp_path, make_picture):
    path = tmp_path / "changing.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuvj420p"
        for index in range(12):
            height, width = size = (48, 64) if index < 8 else (96, 128)
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.height, encoder.width, encoder.pix_fmt = height, width, "yuvj420p"
            encoder.time_base = Fraction(1, 25)
            frame = av.VideoFrame.from_ndarray(make_picture(index, size), format="rgb24")
            for packet in [*encoder.encode(frame), *encoder.encode(None)]:
                packet.stream, packet.time_base = stream, Fraction(1, 25)
                packet.pts = packet.dts = index
                container.mux(packet)
    with (
        open_video(path) as reader,
        pytest.raises(UnsupportedMediaError, match="at frame 8 from 64 x 48 to 128 x 96"),
    ):
        list(reader)


def test_more_pixels_than_allowed_are_refused(clips):
    with pytest.raises(MediaLimitError, match="64 x 48"):
        open_video(clips["closed.mp4"], max_pixels=64 * 48 - 1)
    with open_video(clips["closed.mp4"], max_pixels=64 * 48) as reader:
        assert reader.read(0).image.shape == (48, 64, 3)


@pytest.mark.parametrize("name", ["日本 ü.mp4", "f%d.mp4", "concat:a|b.mp4", "-i.mp4", "a b'c.mp4"])
def test_a_file_name_is_only_a_name(clips, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(clips["closed.mp4"].read_bytes())
    with open_video(path) as reader:
        assert reader.name == name
        assert reader.num_frames == 24


def test_a_file_that_changes_after_probing_raises_a_media_error(make_clip):
    path = make_clip("a.mp4", container=(("movflags", "faststart"),))
    with open_video(path) as reader:
        data = bytearray(path.read_bytes())
        data[-1500:-200] = bytes(1300)
        path.write_bytes(data)
        reader.close()
        with pytest.raises(DamagedMediaError):
            list(reader)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, 23), min_size=1, max_size=12), cache_bytes=st.integers(0, 40_000))
def test_any_order_gives_the_frames_of_the_file(clips, order, cache_bytes):
    expected = images_of(clips["open_groups.mp4"])
    with open_video(clips["open_groups.mp4"], cache_bytes=cache_bytes) as reader:
        assert all(np.array_equal(reader.read(index).image, expected[index]) for index in order)


@pytest.mark.parametrize("name", ["closed.mp4", "closed.mkv", "vp9.webm", "packed.avi", "palette.gif"])
def test_what_is_left_of_a_cut_file_reads_alike_in_any_order(clips, tmp_path, name):
    data = clips[name].read_bytes()
    if name == "closed.mp4":
        data = clips["index_first.mp4"].read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: len(data) * 7 // 10])
    try:
        images = images_of(path, allow_damaged=True)
    except DamagedMediaError:
        assert name == "packed.avi"  # its index comes last, and FFmpeg does not rebuild it
        return
    with open_video(path, allow_damaged=True, cache_bytes=0) as reader:
        assert 0 < len(images) <= 24
        for index in reversed(range(len(images))):
            assert np.array_equal(reader.read(index).image, images[index])
