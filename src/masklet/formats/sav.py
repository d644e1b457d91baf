"""SA-V: one JSON per video, ``<video>_manual.json`` or ``_auto.json``, with masks on every fourth frame.

Every such frame has a mask for every object, an empty one where it is not seen. Objects that nobody changed keep what
their listing says of them, automatic ones in the listing of automatic ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import cast

from masklet.annotations import Track, write_atomically
from masklet.errors import FormatError
from masklet.formats.builder import EntryBuilder
from masklet.formats.label_set import WHOLE_TRACK, Entry, LabelSet, seen
from masklet.formats.media import Media
from masklet.formats.paths import unique_names
from masklet.formats.source import Source, as_list, as_object, as_whole, to_bytes
from masklet.geometry import Size
from masklet.masks import rle

NAME = "sav"
_MANUAL, _AUTO = "manual", "auto"
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
    heads: dict[str, dict[str, object]] = {}
    for name in sorted(names, key=lambda one: (one.replace("_auto", "_manual"), "_auto" in one)):
        _add(
            builders,
            as_object(source.json(name), name),
            _AUTO if name.endswith("_auto.json") else _MANUAL,
            heads,
        )
    if not source.is_folder and not names:
        _add(builders, as_object(source.json(), source.name), _MANUAL, heads)
    return LabelSet(entries=tuple(one.finish({}, record=heads[video]) for video, one in builders.items()))


def _add(
    builders: dict[str, EntryBuilder],
    content: Mapping[str, object],
    kind: str,
    heads: dict[str, dict[str, object]],
) -> None:
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
    heads.setdefault(video, {})[kind] = {
        key: one for key, one in content.items() if not key.startswith("masklet")
    }
    columns = {
        key: one for key, one in content.items() if isinstance(one, list) and key.startswith("masklet_")
    }
    for place, number in enumerate(ids):
        about = {key: one[place] for key, one in columns.items() if len(one) == len(ids)}
        builder.keep(number, {"kind": kind, "about": about})
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
        abouts = {number: _about(entry, track) for number, track in entry.project.tracks.items()}
        heads = _heads(entry)
        for kind in (_MANUAL, _AUTO):
            numbers = [number for number, (its_kind, _) in abouts.items() if its_kind == kind]
            if numbers or kind == _MANUAL:
                listing = _listing(entry, [entry.project.tracks[number] for number in numbers])
                for place, number in enumerate(numbers):
                    _put_about(listing, place, abouts[number][1])
                write_atomically(out / f"{name}_{kind}.json", to_bytes({**listing, **heads.get(kind, {})}))


def _heads(entry: Entry) -> Mapping[str, Mapping[str, object]]:
    """What the listings of a video said of it, by their kind."""
    if entry.record is None or entry.record[0] != NAME:
        return {}
    return cast("Mapping[str, Mapping[str, object]]", entry.record[1])


def _about(entry: Entry, track: Track) -> tuple[str, Mapping[str, object]]:
    """In which listing an object stands, and what was said of it there, while nobody changed it."""
    kept = entry.kept(NAME, track, WHOLE_TRACK)
    if kept is None:
        return _MANUAL, {}
    found = cast("Mapping[str, object]", kept)
    return str(found["kind"]), cast("Mapping[str, object]", found["about"])


def _put_about(listing: dict[str, object], place: int, about: Mapping[str, object]) -> None:
    for name, value in about.items():
        column = listing.setdefault(name, [None] * len(cast("list[object]", listing["masklet_id"])))
        cast("list[object]", column)[place] = value


def _listing(entry: Entry, tracks: Sequence[Track]) -> dict[str, object]:
    facts = entry.project.video
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
