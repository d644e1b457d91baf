"""Still images: every kind becomes upright RGB, bad ones one typed error."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from masklet.errors import DamagedMediaError, MediaError, MediaLimitError, UnsupportedMediaError
from masklet.video import read_image, read_indexed_png, write_indexed_png
from masklet.video.image import mask_palette, read_image_size


def encoded(image, **options):
    stream = io.BytesIO()
    image.save(stream, **{"format": "PNG", **options})
    return stream.getvalue()


@pytest.fixture
def rgb(make_picture):
    return make_picture(5, (10, 14))


def test_path_bytes_and_pillow_image_read_alike(rgb, tmp_path):
    path = tmp_path / "ü.png"
    path.write_bytes(encoded(Image.fromarray(rgb)))
    for source in (path, str(path), path.read_bytes(), Image.fromarray(rgb)):
        assert np.array_equal(read_image(source), rgb)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_undone(rgb, tmp_path, orientation):
    # Stored pictures for orientations 1 to 8 of one upright picture (Exif 2.32, 4.6.4 A).
    stored = [
        rgb,
        rgb[:, ::-1],
        rgb[::-1, ::-1],
        rgb[::-1],
        rgb.transpose(1, 0, 2),
        np.rot90(rgb),
        rgb.transpose(1, 0, 2)[::-1, ::-1],
        np.rot90(rgb, -1),
    ][orientation - 1]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    assert np.array_equal(read_image(path), rgb)
    assert read_image_size(path).hw == rgb.shape[:2]


def test_alpha_is_laid_over_white():
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0] = (10, 20, 30, 255)
    rgba[1] = (0, 0, 0, 51)
    image = read_image(encoded(Image.fromarray(rgba)))
    assert image[0, 0].tolist() == [10, 20, 30]
    assert image[1, 1].tolist() == [204, 204, 204]


def test_a_transparent_palette_colour_becomes_white():
    image = Image.new("P", (2, 1))
    image.putpalette([9, 9, 9, 50, 60, 70])
    image.putpixel((1, 0), 1)
    assert read_image(encoded(image, transparency=0)).tolist() == [[[255, 255, 255], [50, 60, 70]]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0, 257, 65535], [0, 1, 255]), ([128, 129, 32896], [0, 1, 128])],
)
def test_sixteen_bits_are_divided_by_257(values, expected):
    data = encoded(Image.fromarray(np.array([values], np.uint16)))
    assert read_image(data)[0, :, 0].tolist() == expected


def test_floating_point_is_stretched_over_its_range():
    data = encoded(Image.fromarray(np.array([[-1.0, 0.0, 1.0, np.nan]], np.float32)), format="TIFF")
    assert read_image(data)[0, :, 0].tolist() == [0, 128, 255, 128]
    flat = encoded(Image.fromarray(np.full((1, 2), 3.0, np.float32)), format="TIFF")
    assert read_image(flat).max() == 0


@pytest.mark.parametrize(
    ("mode", "file_format"),
    [(mode, kind) for mode in ("1", "L", "P", "RGB") for kind in ("PNG", "TIFF", "WEBP", "BMP", "GIF")]
    + [("RGBA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "GIF"), ("RGBA", "TIFF"), ("LA", "PNG"), ("LA", "TIFF")]
    + [("1", "JPEG"), ("L", "JPEG"), ("RGB", "JPEG"), ("CMYK", "JPEG"), ("YCbCr", "JPEG")]
    + [("CMYK", "TIFF"), ("YCbCr", "TIFF"), ("I;16", "PNG"), ("I;16", "TIFF")],
)
def test_every_mode_and_format_gives_rgb_near_the_original(mode, file_format):
    image = Image.fromarray(np.full((9, 7, 3), 180, np.uint8))
    image = Image.fromarray(np.full((9, 7), 180 * 257, np.uint16)) if mode == "I;16" else image.convert(mode)
    data = encoded(image, format=file_format)
    read = read_image(data)
    assert (read.dtype, read.shape) == (np.uint8, (9, 7, 3))
    if mode != "1":
        assert abs(float(read.mean()) - 180) < 4


def test_the_first_picture_of_an_animation_is_read(rgb):
    frames = [Image.fromarray(rgb), Image.fromarray(255 - rgb)]
    data = encoded(frames[0], format="TIFF", save_all=True, append_images=frames[1:])
    assert np.array_equal(read_image(data), rgb)


@pytest.mark.parametrize("side", [9_000, 13_300, 30_000])
def test_bombs_are_refused_with_the_limit(make_png_bomb, tmp_path, side):
    data = make_png_bomb(side)
    with pytest.raises(MediaLimitError, match="pixels"):
        read_image(data)
    path = tmp_path / "bomb.png"
    path.write_bytes(data)
    for read in (read_image, read_image_size, read_indexed_png):
        with pytest.raises(MediaLimitError, match=r"bomb\.png"):
            read(path)


def test_the_limit_is_the_caller_s(rgb):
    data = encoded(Image.fromarray(rgb))
    assert read_image(data, max_pixels=140).shape == (10, 14, 3)
    with pytest.raises(MediaLimitError, match="limit of 139"):
        read_image(data, max_pixels=139)
    with pytest.raises(MediaLimitError, match="limit of 139"):
        read_image(Image.fromarray(rgb), max_pixels=139)


@pytest.mark.parametrize("data", [b"plain text", b"<svg/>", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\x00" * 200])
def test_other_files_are_refused(data):
    with pytest.raises(UnsupportedMediaError, match="PNG, JPEG"):
        read_image(data)


def test_nothing_is_refused(tmp_path):
    with pytest.raises(DamagedMediaError, match="empty"):
        read_image(b"")
    with pytest.raises(MediaError, match="absent"):
        read_image(tmp_path / "absent.png")


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_a_cut_image_is_never_read_in_part(rgb, file_format):
    data = encoded(Image.fromarray(np.tile(rgb, (6, 6, 1))), format=file_format)
    for length in range(0, len(data) * 9 // 10, max(1, len(data) // 23)):
        with pytest.raises(MediaError):
            read_image(data[:length])


@settings(max_examples=150)
@given(
    position=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
    kind=st.sampled_from(["PNG", "GIF", "TIFF", "WEBP"]),
)
def test_flipped_bits_give_an_image_or_a_media_error(position, bit, kind):
    data = bytearray(encoded(Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3)), format=kind))
    data[int(position * len(data))] ^= 1 << bit
    try:
        image = read_image(bytes(data))
    except MediaError:
        return
    assert image.dtype == np.uint8
    assert image.shape[2] == 3


@settings(max_examples=30)
@given(labels=arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_ids_survive_the_round_trip(tmp_path_factory, labels):
    path = tmp_path_factory.mktemp("labels") / "a.png"
    write_indexed_png(path, labels)
    assert np.array_equal(read_indexed_png(path), labels)


def test_the_palette_is_that_of_davis_and_voc():
    palette = mask_palette()
    assert palette[:8].tolist() == [
        [0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0],
        [0, 0, 128], [128, 0, 128], [0, 128, 128], [128, 128, 128],
    ]  # fmt: skip
    assert palette[[8, 20, 255]].tolist() == [[64, 0, 0], [0, 64, 128], [224, 224, 192]]
    assert len(np.unique(palette, axis=0)) == 256


def test_equal_labels_give_equal_bytes_and_colours_come_from_the_palette(tmp_path):
    labels = np.array([[0, 1], [2, 255]])
    write_indexed_png(tmp_path / "a.png", labels)
    write_indexed_png(tmp_path / "b.png", labels.astype(np.int16))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert read_image(tmp_path / "a.png")[0, 1].tolist() == [128, 0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize("labels", [np.array([[256]]), np.array([[-1]])])
def test_ids_that_do_not_fit_are_refused(tmp_path, labels):
    with pytest.raises(MediaLimitError, match="0 to 255"):
        write_indexed_png(tmp_path / "a.png", labels)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "labels", [np.zeros((2, 2)), np.zeros((2, 2, 3), np.uint8), np.zeros((0, 2), np.uint8)]
)
def test_labels_of_another_kind_are_refused(tmp_path, labels):
    with pytest.raises(MediaError, match="integers"):
        write_indexed_png(tmp_path / "a.png", labels)


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    write_indexed_png(path, np.array([[3]]))

    def fail(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(MediaError, match="No space left"):
        write_indexed_png(path, np.array([[4]]))
    assert read_indexed_png(path).tolist() == [[3]]
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_colour_pictures_are_no_id_maps(rgb, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encoded(Image.fromarray(rgb)))
    with pytest.raises(UnsupportedMediaError, match="mode RGB"):
        read_indexed_png(path)
