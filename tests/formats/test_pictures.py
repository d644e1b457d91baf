"""What is written with pictures: video with transparency, cut-outs, GIF, and figures beside them."""

import csv
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from masklet.annotations import FrameMask, Label, Project, Track, VideoFacts
from masklet.errors import FormatError
from masklet.formats import Entry, LabelSet, write_labels
from masklet.geometry import Size
from masklet.masks import rle
from masklet.video.writer import Mp4Writer

HEIGHT, WIDTH, NUM_FRAMES = 33, 48, 4


def mask_of(index):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[8:24, 4 + 4 * index : 20 + 4 * index] = True
    mask[12:16, 10 + 4 * index : 12 + 4 * index] = False
    return mask


def picture_of(index):
    picture = np.full((HEIGHT, WIDTH, 3), (20, 60, 100), np.uint8)
    picture[mask_of(index)] = (200, 160, 40)
    return picture


@pytest.fixture
def folder(tmp_path):
    """A folder of images, odd in height."""
    path = tmp_path / "clip"
    path.mkdir()
    for index in range(NUM_FRAMES):
        Image.fromarray(picture_of(index)).save(path / f"{index}.png")
    return path


@pytest.fixture
def labels():
    """One object that is not seen on the last frame."""
    frames = {i: FrameMask(frame=i, rle=rle.encode(mask_of(i)), score=0.5) for i in range(NUM_FRAMES - 1)}
    frames[3] = FrameMask(frame=3, rle=None, is_occluded=True)
    track = Track(object_id=7, name="=cup", label_id=2, frames=frames)
    facts = VideoFacts(name="clip", size=Size(HEIGHT, WIDTH), num_frames=NUM_FRAMES, frame_rate=Fraction(10))
    cup = Label(id=2, name="Tasse ☕", color="#1e90ff")
    return LabelSet(entries=(Entry(project=Project(video=facts, tracks={7: track}, labels={2: cup})),))


def decoded(path, decoder=None):
    """RGBA frames of a video."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if decoder is None:
            return [frame.to_ndarray(format="rgba") for frame in container.decode(stream)]
        context = av.CodecContext.create(decoder, "r")
        packets = [packet for packet in container.demux(stream) if packet.size]
        frames = [frame for packet in packets for frame in context.decode(packet)]
        return [frame.to_ndarray(format="rgba") for frame in [*frames, *context.decode(None)]]


@pytest.mark.parametrize(
    ("name", "suffix", "decoder", "tolerance"),
    [
        ("alpha-ffv1", ".mkv", None, 0),
        ("alpha-prores", ".mov", None, 16),
        ("alpha-vp9", ".webm", "libvpx-vp9", 40),
    ],
)
def test_alpha_is_the_mask_on_every_frame(labels, folder, tmp_path, name, suffix, decoder, tolerance):
    out = tmp_path / f"out{suffix}"
    write_labels(labels, out, name, media=folder)
    frames = decoded(out, decoder)
    assert len(frames) == NUM_FRAMES
    for index, frame in enumerate(frames):
        wanted = mask_of(index) if index < 3 else np.zeros((HEIGHT, WIDTH), bool)
        alpha = frame[:HEIGHT, :WIDTH, 3].astype(int)
        assert np.abs(alpha - wanted * 255).max() <= tolerance
        difference = np.abs(frame[:HEIGHT, :WIDTH, :3].astype(int) - picture_of(index))
        assert difference.mean() <= tolerance / 2


def test_cutouts_hold_the_pixels_of_the_object_alone(labels, folder, tmp_path):
    write_labels(labels, tmp_path / "cut", "cutouts", media=folder)
    files = sorted(
        path.relative_to(tmp_path / "cut").as_posix() for path in (tmp_path / "cut").rglob("*.png")
    )
    assert files == [f"clip/007/{index:05d}.png" for index in range(3)]
    picture = np.array(Image.open(tmp_path / "cut" / files[1]))
    assert picture.shape == (16, 16, 4)
    assert (picture[..., 3] == mask_of(1)[8:24, 8:24] * 255).all()
    assert (picture[picture[..., 3] > 0][:, :3] == (200, 160, 40)).all()


def test_gif_has_a_frame_for_each_labelled_one(labels, folder, tmp_path):
    write_labels(labels, tmp_path / "out.gif", "gif", media=folder)
    with Image.open(tmp_path / "out.gif") as image:
        assert (image.n_frames, image.size) == (NUM_FRAMES, (WIDTH, HEIGHT))


def test_csv_has_boxes_areas_and_centroids(labels, tmp_path):
    write_labels(labels, tmp_path / "out.csv", "csv")
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text("utf-8").splitlines()))
    assert len(rows) == NUM_FRAMES
    first, last = rows[1], rows[3]
    assert [first[name] for name in ("x0", "y0", "x1", "y1", "area", "time_s")] == [
        "8",
        "8",
        "24",
        "24",
        "248",
        "0.100000",
    ]
    assert (first["label"], first["name"], first["score"]) == ("Tasse ☕", "'=cup", "0.5")
    ys, xs = np.nonzero(mask_of(1))
    assert float(first["centroid_x"]) == pytest.approx(xs.mean() + 0.5, abs=1e-3)
    assert float(first["centroid_y"]) == pytest.approx(ys.mean() + 0.5, abs=1e-3)
    assert (last["area"], last["x0"], last["is_occluded"]) == ("0", "", "1")


@pytest.mark.parametrize("name", ["cutouts", "gif", "alpha-ffv1"])
def test_pictures_need_the_media(labels, tmp_path, name):
    with pytest.raises(FormatError, match="give the video or the folder of images"):
        write_labels(labels, tmp_path / "out", name)
    assert not list(tmp_path.iterdir()), "nothing stays behind"


def test_media_of_another_size_are_refused(labels, tmp_path):
    (tmp_path / "other").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "other" / "0.png")
    with pytest.raises(FormatError, match="but the masks are"):
        write_labels(labels, tmp_path / "out.mkv", "alpha-ffv1", media=tmp_path / "other")


@pytest.mark.parametrize(
    ("name", "folder_name"), [("yolo", "images"), ("voc", "JPEGImages"), ("labelme", ".")]
)
@pytest.mark.parametrize("is_folder", [True, False])
def test_frames_of_a_video_become_pictures_each_of_its_own(labels, tmp_path, name, folder_name, is_folder):
    """Neither the first frame for all, nor none when the video lies in a folder."""
    video = tmp_path / "media" / "clip.mp4"
    video.parent.mkdir()
    even = [np.pad(picture_of(index), ((0, 1), (0, 0), (0, 0)), "edge") for index in range(NUM_FRAMES)]
    with Mp4Writer(video, fps=10) as writer:
        for picture in even:
            writer.write(picture)
    (entry,) = labels.entries
    size = Size(HEIGHT + 1, WIDTH)
    masks = [np.pad(mask_of(i), ((0, 1), (0, 0))) for i in range(NUM_FRAMES)]
    frames = {i: FrameMask(frame=i, rle=rle.encode(mask)) for i, mask in enumerate(masks)}
    track = Track(object_id=7, label_id=2, frames=frames)
    facts = VideoFacts(name="clip.mp4", size=size, num_frames=NUM_FRAMES)
    project = Project(video=facts, tracks={7: track}, labels=entry.project.labels)
    made = LabelSet(entries=(Entry(project=project),))
    write_labels(made, tmp_path / "out", name, media=video.parent if is_folder else video)
    found = sorted((tmp_path / "out" / folder_name).rglob("*.jpg"))
    assert len(found) == NUM_FRAMES
    for path, picture in zip(found, even, strict=True):
        difference = np.abs(np.asarray(Image.open(path)).astype(int) - picture)
        assert difference.mean() < 12
