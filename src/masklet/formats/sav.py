"""SA-V: one JSON per video, ``<video>_manual.json`` or ``_auto.json``, with masks on every fourth frame.

Every such frame has a mask for every object, an empty one where it is not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from masklet.annotations import Track, write_atomically
from masklet.errors import FormatError
from masklet.formats.builder import EntryBuilder
from masklet.formats.label_set import Entry, LabelSet, seen
from masklet.formats.media import Media
from masklet.formats.paths import unique_names
from masklet.formats.source import Source, as_list, as_object, as_whole, to_bytes
from masklet.geometry import Size
from masklet.masks import rle

NAME = "sav"
STRIDE = 4
_FRAME_RATE = 24  # of all videos of SA-V


def is_sav(source: Source) -> bool:
    """Whether a file, or one of a folder, is the listing of an SA-V video."""
    if source.is_folder:
        return any(name.endswith(("_manual.json", "_auto.json")) for name in source.files())
    return {"masklet", "video_id"} <= source.json_object().keys()


def read_sav(source: Source, _media: Media | None) -> LabelSet:
    """Read SA-V listings; manual and automatic ones of a video become one.

    Raises:
        FormatError: When a listing is damaged.
    """
    names = [name for name in source.with_suffix(".json") if name.endswith(("_manual.json", "_auto.json"))]
    builders: dict[str, EntryBuilder] = {}
    for name in sorted(names, key=lambda one: (one.replace("_auto", "_manual"), "_auto" in one)):
        _add(builders, as_object(source.json(name), name))
    if not source.is_folder and not names:
        _add(builders, as_object(source.json(), source.name))
    return LabelSet(entries=tuple(one.finish({}) for one in builders.values()))


def _add(builders: dict[str, EntryBuilder], content: Mapping[str, object]) -> None:
    video = str(content.get("video_id"))
    height, width = (
        as_whole(content.get(f"video_{side}"), f"The {side} of {video}", least=1, most=1 << 20)
        for side in ("height", "width")
    )
    rows = as_list(content.get("masklet"), f"The masks of {video}")
    least = (len(rows) - 1) * STRIDE + 1 if rows else 1
    length = as_whole(content.get("video_frame_count", least), f"The frames of {video}", least=least)
    builder = builders.setdefault(
        video, EntryBuilder(format=NAME, name=video, size=Size(height, width), num_frames=length)
    )
    width_of_row = len(as_list(rows[0], "A frame's masks")) if rows else 0
    listed = as_list(content.get("masklet_id", list(range(width_of_row))), f"The ids of {video}")
    wanted = [as_whole(one, "A masklet's id") for one in listed]
    ids: list[int] = []
    for number in wanted:
        ids.append(builder.free_id() if builder.has(number) else number)
        builder.track(ids[-1])
    for row, values in enumerate(rows):
        masks = as_list(values, f"The masks of {video}")
        if len(masks) != len(ids):
            raise FormatError(
                f"Frame {row * STRIDE} of {video} has {len(masks)} masks for {len(ids)} objects."
            )
        for number, value in zip(ids, masks, strict=True):
            builder.add(number, seen(row * STRIDE, rle.from_json(value)))


def write_sav(labels: LabelSet, out: Path, _media: Media | None) -> None:
    """Write a listing for each video."""
    for name, entry in zip(unique_names(one.name for one in labels.entries), labels.entries, strict=True):
        write_atomically(out / f"{name}_manual.json", to_bytes(_listing(entry)))


def _listing(entry: Entry) -> dict[str, object]:
    facts, tracks = entry.project.video, list(entry.project.tracks.values())
    rate = float(facts.frame_rate or _FRAME_RATE)
    rows = [
        [_mask(track, index, facts.size) for track in tracks] for index in range(0, entry.num_frames, STRIDE)
    ]
    areas = [[rle.area(one.rle) for one in track.frames.values() if one.rle is not None] for track in tracks]
    means = [sum(found) / len(found) if found else 0.0 for found in areas]
    return {
        "video_id": entry.name,
        "video_duration": entry.num_frames / rate,
        "video_frame_count": float(entry.num_frames),
        "video_height": float(facts.size.height),
        "video_width": float(facts.size.width),
        "video_resolution": float(facts.size.num_pixels),
        "video_environment": "",
        "video_split": "",
        "masklet": rows,
        "masklet_id": [track.object_id for track in tracks],
        "masklet_size_rel": [mean / facts.size.num_pixels for mean in means],
        "masklet_size_abs": means,
        "masklet_size_bucket": [_bucket(mean) for mean in means],
        "masklet_visibility_changes": [_changes(track) for track in tracks],
        "masklet_first_appeared_frame": [_first(track) for track in tracks],
        "masklet_frame_count": [len(found) for found in areas],
        "masklet_edited_frame_count": [sum(f.is_prompted for f in t.frames.values()) for t in tracks],
        "masklet_type": ["manual"] * len(tracks),
        "masklet_stability_score": [None] * len(tracks),
        "masklet_num": len(tracks),
    }


def _mask(track: Track, index: int, size: Size) -> dict[str, object]:
    found = track.frames.get(index)
    return rle.to_json(rle.empty(size) if found is None or found.rle is None else found.rle)


def _bucket(mean_area: float) -> str:
    if mean_area < 32**2:
        return "small"
    return "medium" if mean_area < 96**2 else "large"


def _changes(track: Track) -> int:
    return sum(first.is_absent != second.is_absent for first, second in pairwise(track.frames.values()))


def _first(track: Track) -> float:
    return float(next((one.frame for one in track.frames.values() if not one.is_absent), 0))
