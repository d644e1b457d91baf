"""Arrays, streams, folders and files all give the same kind of frames."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from masklet.errors import DamagedMediaError, MediaError, MediaLimitError, UnsupportedMediaError
from masklet.video import ArraySource, FolderSource, IterableSource, VideoReader, open_folder, open_source
from masklet.video.folder import natural_key


@pytest.fixture
def images(make_picture):
    return np.stack([make_picture(index, (12, 20)) for index in range(6)])


def save_folder(folder, images, pattern="img{}.png"):
    folder.mkdir(exist_ok=True)
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / pattern.format(index))
    return folder


def test_all_sources_give_the_same_frames(images, tmp_path):
    sources = [
        open_source(images, fps=10),
        open_source(list(images), fps=10),
        open_source(save_folder(tmp_path / "folder", images), fps=10),
    ]
    for source in sources:
        with source:
            assert source.size.hw == (12, 20)
            assert source.fps == 10
            frames = list(source)
        assert [frame.index for frame in frames] == list(range(6))
        assert [frame.pts_s for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
        assert all(np.array_equal(frame.image, image) for frame, image in zip(frames, images, strict=True))


def test_open_source_picks_by_what_it_gets(images, clips, tmp_path):
    still = tmp_path / "still.PNG"
    Image.fromarray(images[0]).save(still)
    with open_source(str(clips["closed.mp4"])) as video, open_source(clips["palette.gif"]) as animation:
        assert isinstance(video, VideoReader)
        assert isinstance(animation, VideoReader)
        assert open_source(video) is video
    with open_source(still) as source:
        assert (source.num_frames, source.name) == (1, "still.PNG")
        assert np.array_equal(source.read(0).image, images[0])
    assert open_source(images[0]).num_frames == 1
    assert open_source(iter(images)).num_frames is None


@pytest.mark.parametrize("given_", [7, None, 3.5])
def test_what_is_no_source_is_refused(given_):
    with pytest.raises(MediaError, match="is no source of frames"):
        open_source(given_)


def test_open_source_asks_a_foreign_source_for_nothing():
    class Camera:
        name, num_frames, fps = "mine", None, None
        asked = 0

        @property
        def size(self):
            Camera.asked += 1
            raise MediaError("the camera was started")

        def __iter__(self):
            return iter(())

        def read(self, index):
            raise MediaError(str(index))

        def pts_s(self, index):
            raise MediaError(str(index))

        def close(self):
            return None

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    camera = Camera()
    assert open_source(camera) is camera
    assert Camera.asked == 0


def test_a_source_that_lacks_a_member_is_told_which():
    class Half:
        name, size, num_frames, fps = "half", None, 1, None

        def __iter__(self):
            return iter(())

        def read(self, index):
            raise MediaError(str(index))

    with pytest.raises(MediaError, match="Half lacks pts_s, close"):
        open_source(Half())


def test_every_source_tells_times_without_reading(images, tmp_path):
    folder = open_folder(save_folder(tmp_path / "f", images), fps=10)
    for source in (ArraySource(images, fps=10), folder, IterableSource(images, fps=10)):
        assert [source.pts_s(index) for index in range(6)] == [frame.pts_s for frame in source]
    assert ArraySource(images).pts_s(3) is None
    with pytest.raises(MediaError, match="0 to 5"):
        folder.pts_s(6)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 4, 4, 3), np.float32),
        np.zeros((2, 4, 4, 4), np.uint8),
        np.zeros((4, 4), np.uint8),
        np.zeros((0, 4, 4, 3), np.uint8),
    ],
)
def test_arrays_of_another_kind_are_refused(array):
    with pytest.raises(MediaError, match="uint8"):
        open_source(array)


@pytest.mark.parametrize("fps", [0, -1, float("nan")])
def test_a_rate_that_is_not_above_zero_is_refused(images, tmp_path, fps):
    with pytest.raises(MediaError, match="above 0"):
        ArraySource(images, fps=fps)
    with pytest.raises(MediaError, match="above 0"):
        open_folder(save_folder(tmp_path / "f", images), fps=fps)


def test_changing_a_frame_changes_no_source(images):
    source = ArraySource(images.copy())
    source.read(0).image[:] = 0
    assert np.array_equal(source.read(0).image, images[0])


def test_a_stream_can_be_read_once_and_shortly_back(images):
    source = IterableSource(iter(images), num_kept_frames=2)
    assert source.size.hw == (12, 20)
    assert [next(iter(source)).index for _ in range(3)] == [0, 1, 2]
    assert np.array_equal(source.read(1).image, images[1])
    assert source.read(3).index == 3
    with pytest.raises(MediaError, match="ask for 2 to 4"):
        source.read(0)
    with pytest.raises(MediaError, match="in order"):
        source.read(5)
    assert [frame.index for frame in source] == [4, 5]
    with pytest.raises(MediaError, match="stream"):
        source.read(6)


def test_a_stream_takes_nothing_before_it_is_asked():
    taken = []

    def feed():
        taken.append(1)
        yield np.zeros((2, 2, 3), np.uint8)

    source = open_source(feed())
    assert taken == []
    assert len(list(source)) == 1


def test_a_stream_that_changes_size_or_is_empty_is_refused():
    with pytest.raises(MediaError, match="one size"):
        list(open_source([np.zeros((2, 2, 3), np.uint8), np.zeros((3, 2, 3), np.uint8)]))
    with pytest.raises(MediaError, match="before its first frame"):
        _ = open_source(iter(())).size


def test_a_folder_is_sorted_as_people_count(images, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for index, name in enumerate(["img2.png", "img10.png", "img1.png", "Img3.png", "img02b.png"]):
        Image.fromarray(images[index]).save(folder / name)
    (folder / "notes.txt").write_text("not an image")
    (folder / ".img0.png").write_bytes(b"hidden")
    (folder / "sub.png").mkdir()
    source = open_folder(folder)
    assert [path.name for path in source.paths] == [
        "img1.png",
        "img2.png",
        "img02b.png",
        "Img3.png",
        "img10.png",
    ]
    assert np.array_equal(source.read(4).image, images[1])


@given(st.lists(st.text(max_size=12), unique=True, max_size=8), st.randoms(use_true_random=False))
def test_the_natural_order_does_not_depend_on_the_listing(names, chance):
    shuffled = names.copy()
    chance.shuffle(shuffled)
    assert sorted(names, key=natural_key) == sorted(shuffled, key=natural_key)


@given(st.integers(0, 10**30), st.integers(0, 10**30))
def test_numbers_in_names_sort_by_value(first, second):
    names = sorted([f"a{first}.png", f"a{second}.png"], key=natural_key)
    assert names[0] == f"a{min(first, second)}.png"


def test_the_first_image_of_another_size_is_named(images, tmp_path):
    folder = save_folder(tmp_path / "folder", images)
    Image.fromarray(images[0][:5]).save(folder / "img4.png")
    with pytest.raises(UnsupportedMediaError, match=r"'img4\.png' is 20 x 5 but 'img0\.png' is 20 x 12"):
        open_folder(folder)


def test_turned_photos_count_by_their_upright_size(images, tmp_path):
    folder = save_folder(tmp_path / "folder", images[:2])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(images[2]).copy()).save(folder / "img2.png", exif=exif)
    source = open_folder(folder)
    assert np.array_equal(source.read(2).image, images[2])


def test_a_bad_image_in_a_folder_is_named(images, tmp_path, make_png_bomb):
    folder = save_folder(tmp_path / "folder", images)
    whole = (folder / "img3.png").read_bytes()
    (folder / "img3.png").write_bytes(whole[: len(whole) // 2])
    with open_source(folder) as source, pytest.raises(DamagedMediaError, match=r"img3\.png"):
        list(source)
    (folder / "img3.png").write_bytes(b"")
    with pytest.raises(DamagedMediaError, match=r"img3\.png"):
        open_source(folder)
    (folder / "img3.png").write_bytes(make_png_bomb(30_000))
    with pytest.raises(MediaLimitError, match=r"img3\.png"):
        open_source(folder)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(MediaError, match="holds no image"):
        open_source(tmp_path)


def test_an_image_that_changes_size_after_opening_is_refused(images, tmp_path):
    source = open_folder(save_folder(tmp_path / "folder", images))
    assert isinstance(source, FolderSource)
    Image.fromarray(images[0][:5]).save(tmp_path / "folder" / "img1.png")
    with pytest.raises(UnsupportedMediaError, match=r"img1\.png"):
        source.read(1)


@pytest.mark.parametrize("index", [-1, 6])
def test_an_index_outside_is_refused_everywhere(images, tmp_path, index):
    for source in (ArraySource(images), open_folder(save_folder(tmp_path / "folder", images))):
        with pytest.raises(MediaError, match="0 to 5"):
            source.read(index)
