"""COCO instances: images, annotations and categories in one JSON file. This file reads.

Images that name a video (``video_id``, as in TAO and CocoVID files) become frames of that video, and
annotations with one ``track_id`` (or ``instance_id``) one object. Annotations without a segmentation are
boxes. Run lengths, compressed or not, and polygons are understood; polygons are filled as COCO fills them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from masklet.annotations import FrameMask, Label
from masklet.errors import FormatError
from masklet.formats.builder import EntryBuilder, box_from_xywh
from masklet.formats.label_set import Entry, LabelSet
from masklet.formats.media import Media
from masklet.formats.outlines import coco_filled
from masklet.formats.palette import palette_color
from masklet.formats.source import Source, as_list, as_numbers, as_object, as_text, as_whole, objects_of
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE

NAME = "coco"
UNLABELLED_GROUP = "unlabelled"
CROWD = "crowd"


def is_coco(source: Source) -> bool:
    """Whether a JSON file lists images and annotations."""
    return {"images", "annotations"} <= source.json_object().keys()


def read_coco(source: Source, _media: Media | None, *, problems: list[str] | None = None) -> LabelSet:
    """Read a COCO file.

    Args:
        source: The file.
        problems: Gets one sentence per image or annotation that is damaged, which is left out then; with None the first one is
            an error.

    Raises:
        FormatError: When a part is missing or damaged.
    """
    content = as_object(source.json(), f"{source.name!r}")
    categories = objects_of(content.get("categories", []), "categories")
    labels = read_categories(categories)
    reader = _Reader(labels)
    reader.add_videos(objects_of(content.get("videos") or [], "videos"))
    for image in objects_of(content["images"], "images"):
        with _named(f"image {image.get('id')!r}", problems):
            reader.add_image(image)
    for track in objects_of(content.get("tracks") or [], "tracks"):
        reader.add_track(track)
    for annotation in objects_of(content["annotations"], "annotations"):
        with _named(f"annotation {annotation.get('id')!r}", problems):
            reader.add_annotation(annotation)
    head = {key: value for key, value in content.items() if key not in _LISTS}
    named = {one["id"]: one for one in categories if isinstance(one.get("id"), int)}
    return LabelSet(entries=reader.finish(), record=(NAME, {"head": head, "categories": named}))


@contextmanager
def _named(what: str, problems: list[str] | None) -> Generator[None]:
    """Errors inside become problems, when these are wanted."""
    try:
        yield
    except FormatError as error:
        if problems is None:
            raise
        problems.append(f"{what}: {error}")


_LISTS = ("images", "annotations", "categories", "videos", "tracks")


def read_categories(categories: list[dict[str, object]] | object) -> dict[int, Label]:
    """Classes from the list of categories; the one for objects without a class is left out.

    Raises:
        FormatError: When an id or name is missing or comes twice.
    """
    labels: dict[int, Label] = {}
    for one in cast("list[dict[str, object]]", categories):
        number = as_whole(one.get("id"), "A category's id")
        if one.get("supercategory") == UNLABELLED_GROUP:
            continue
        if number in labels:
            raise FormatError(f"The category {number} comes twice; keep one of them.")
        name = as_text(one.get("name"), f"The name of category {number}")
        labels[number] = Label(id=number, name=name or str(number), color=_color(one.get("color"), number))
    return labels


def _color(value: object, number: int) -> str:
    """A colour given as three numbers or as text, or that of the palette."""
    if isinstance(value, list):
        parts = cast("list[object]", value)
        if len(parts) == 3 and all(type(one) is int and 0 <= one <= 255 for one in parts):
            return "#" + "".join(f"{cast('int', one):02x}" for one in parts)
    return palette_color(number)


def read_segmentation(value: object, size: Size, where: str) -> RLE | None:
    """A mask from COCO's run lengths or polygons, or None when there is none.

    Raises:
        FormatError: When it is damaged or has another size.
    """
    if not value:
        return None
    if isinstance(value, list):
        parts = cast("list[object]", value)
        rings = parts if isinstance(parts[0], list) else [parts]
        return coco_filled([as_numbers(ring, f"A polygon of {where}") for ring in rings], size)
    mask = rle.from_json(value)
    if mask.size != size:
        raise FormatError(f"The mask of {where} is {mask.size.hw} but its image is {size.hw} (h, w).")
    return mask


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an image stands: its entry and frame."""

    builder: EntryBuilder
    frame: int


class _Reader:
    """Gathers images, tracks and annotations."""

    def __init__(self, labels: Mapping[int, Label]) -> None:
        self._labels = labels
        self._videos: dict[object, EntryBuilder] = {}
        self._video_records: dict[object, Mapping[str, object]] = {}
        self._frame_images: dict[object, dict[int, dict[str, object]]] = {}
        self._places: dict[object, _Place] = {}
        self._order: list[tuple[EntryBuilder, object]] = []

    def add_videos(self, videos: list[dict[str, object]] | object) -> None:
        """Remember what is said of videos."""
        for one in cast("list[dict[str, object]]", videos):
            self._video_records[_key(one.get("id"), "A video's id")] = one

    def add_image(self, image: dict[str, object]) -> None:
        """Make an entry of an image, or a frame of the video that it names."""
        key = _key(image.get("id"), "An image's id")
        if key in self._places:
            raise FormatError(f"The image {key!r} comes twice; keep one of them.")
        size = _size(image, f"Image {key!r}")
        file_name = as_text(image.get("file_name", f"{key}.jpg"), f"The file name of image {key!r}")
        if image.get("video_id") is None:
            builder = EntryBuilder(
                format=NAME,
                name=file_name.replace("\\", "/").rpartition("/")[2] or "image",
                size=size,
                num_frames=1,
                frame_names=(file_name,),
            )
            self._order.append((builder, image))
            self._places[key] = _Place(builder, 0)
            return
        video = _key(image["video_id"], "A video's id")
        builder = self._video(video, size)
        if builder.size != size:
            raise FormatError(f"The frames of video {video!r} have different sizes; split the video there.")
        frames = self._frame_images[video]
        index = image.get("frame_index", image.get("frame_id", len(frames)))
        frame = as_whole(index, f"The frame index of image {key!r}")
        if frame in frames:
            raise FormatError(f"Frame {frame} of video {video!r} comes twice; keep one of them.")
        frames[frame] = image
        self._places[key] = _Place(builder, frame)

    def _video(self, key: object, size: Size) -> EntryBuilder:
        if key not in self._videos:
            said = self._video_records.get(key, {})
            length, rate = said.get("length"), said.get("frame_rate")
            parts = rle.whole_numbers(rate, most=2**53) if rate is not None else None
            sha256 = said.get("sha256")
            self._videos[key] = EntryBuilder(
                format=NAME,
                name=str(said.get("name", key)),
                size=size,
                num_frames=None if length is None else as_whole(length, "A video's length", least=1),
                frame_rate=Fraction(*parts) if parts and len(parts) == 2 and 0 not in parts else None,
                sha256=sha256 if isinstance(sha256, str) else None,
            )
            self._frame_images[key] = {}
            self._order.append((self._videos[key], key))
        return self._videos[key]

    def add_track(self, track: dict[str, object]) -> None:
        """Take what the list of tracks says: names, classes, and frames on which an object is not seen."""
        number = as_whole(track.get("id"), "A track's id")
        video, image = track.get("video_id"), track.get("image_id")
        if video is not None:
            builder = self._videos.get(_key(video, "A track's video"))
        else:
            place = None if image is None else self._places.get(_key(image, "A track's image"))
            builder = None if place is None else place.builder
        if builder is None:
            return
        builder.track(number, name=str(track.get("name", "")), label_id=self._label(track))
        for field, is_occluded in (("absent_frames", False), ("occluded_frames", True)):
            for index in as_list(track.get(field, []), field):
                frame = as_whole(index, field)
                builder.add(number, FrameMask(frame=frame, rle=None, is_occluded=is_occluded))

    def add_annotation(self, annotation: dict[str, object]) -> None:
        """Add a mask or box."""
        where = f"annotation {annotation.get('id')!r}"
        place = self._places.get(_key(annotation.get("image_id"), f"The image of {where}"))
        if place is None:
            raise FormatError(f"The {where} speaks of an image that is not listed; add the image.")
        builder = place.builder
        number = self._object_id(annotation, builder)
        name = CROWD if annotation.get("iscrowd") else ""
        builder.track(number, name=name, label_id=self._label(annotation))
        mask = read_segmentation(annotation.get("segmentation"), builder.size, where)
        if mask is None or rle.area(mask) == 0:
            box = annotation.get("bbox") or []
            found = box_from_xywh(as_numbers(box, f"The box of {where}"))
            builder.add_box(number, place.frame, found, record=annotation)
            return
        one = FrameMask(
            frame=place.frame,
            rle=mask,
            score=unit(annotation.get("score")),
            presence=unit(annotation.get("presence")),
            stability=unit(annotation.get("stability")),
            is_prompted=annotation.get("is_prompted") is True,
        )
        builder.add(number, one, record=annotation)

    def _object_id(self, annotation: Mapping[str, object], builder: EntryBuilder) -> int:
        for field in ("track_id", "instance_id"):
            if annotation.get(field) is not None:
                return as_whole(annotation[field], f"An annotation's {field}")
        number = annotation.get("id")
        if type(number) is int and 0 <= number <= 2**53 and not builder.has(number):
            return number
        return builder.free_id()

    def _label(self, record: Mapping[str, object]) -> int | None:
        number = record.get("category_id")
        if number is None:
            return None
        found = as_whole(number, "A category_id")
        return found if found in self._labels else None

    def finish(self) -> tuple[Entry, ...]:
        """The entries in order."""
        entries: list[Entry] = []
        for builder, key in self._order:
            record: object = key
            if not isinstance(key, dict):
                images = self._frame_images[key]
                said = self._video_records.get(key, {})
                is_whole = sorted(images) == list(range(len(images))) and "file_name" not in said
                builder.num_frames = builder.num_frames or (len(images) if is_whole else None)
                if is_whole and builder.num_frames == len(images):
                    builder.frame_names = [str(images[i].get("file_name", "")) for i in range(len(images))]
                record = {"video": said, "images": images}
            entries.append(builder.finish(self._labels, record=record))
        return tuple(entries)


def unit(value: object) -> float | None:
    """A score in [0, 1], or None when there is none; scores just outside are moved to the edge."""
    if type(value) not in (int, float):
        return None
    number = float(cast("float", value))
    return min(max(number, 0.0), 1.0) if number == number else None


def _key(value: object, where: str) -> object:
    if type(value) not in (int, str):
        raise FormatError(f"{where} must be a whole number or a string, got {value!r:.60}.")
    return value


def _size(record: Mapping[str, object], where: str) -> Size:
    height = as_whole(record.get("height"), f"{where}: the height", least=1, most=1 << 20)
    return Size(height, as_whole(record.get("width"), f"{where}: the width", least=1, most=1 << 20))
