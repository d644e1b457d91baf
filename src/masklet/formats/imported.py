"""A label set as it came in, kept beside the work on it, and put back wherever nobody changed anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from masklet.annotations import FrameMask, Track, from_json, to_json
from masklet.errors import FormatError
from masklet.formats.label_set import Entry, Kept, Key, LabelSet
from masklet.formats.records import records_to_json, with_records
from masklet.formats.source import as_list, as_object, as_text
from masklet.prompts import PromptSet


def label_set_to_json(labels: LabelSet) -> dict[str, object]:
    """A label set with its records as plain JSON values."""
    return {
        "entries": [
            {"document": to_json(one.project), "frames": list(one.frame_names)} for one in labels.entries
        ],
        "records": records_to_json(labels),
    }


def label_set_from_json(value: object) -> LabelSet:
    """What ``label_set_to_json`` made.

    Raises:
        FormatError: When it is damaged.
    """
    fields = as_object(value, "A label set that came in")
    entries: list[Entry] = []
    for one in as_list(fields.get("entries"), "The entries of a label set"):
        entry = as_object(one, "An entry of a label set")
        names = as_list(entry.get("frames"), "The names of frames")
        entries.append(
            Entry(
                project=from_json(entry.get("document")),
                frame_names=tuple(as_text(name, "The name of a frame") for name in names),
            )
        )
    try:
        return with_records(LabelSet(entries=tuple(entries)), fields.get("records"))
    except RecursionError as error:
        raise FormatError("A label set that came in is nested too deep; export it again.") from error


def shown_name(name: str, object_id: int) -> str:
    """What an object is called here; labels need not name theirs."""
    return name[:255] or f"Object {object_id}"


def as_imported(entry: Entry, original: Entry, ids: Mapping[int, int]) -> Entry:
    """An entry in which every frame, name and prompt that is as it came in stands as it came in, with its record.

    Args:
        entry: How it is now.
        original: How it came in.
        ids: Ids of the objects that came in, with those they have now.
    """
    tracks, prompts = dict(entry.project.tracks), dict(entry.project.prompts)
    records: dict[Key, Kept] = dict(entry.records)
    for old_id, new_id in ids.items():
        now, before = tracks.get(new_id), original.project.tracks.get(old_id)
        if now is None or before is None:
            continue
        same = [one for frame, one in before.frames.items() if _is_same(now.frames.get(frame), one)]
        tracks[new_id] = _named(now, before).with_frames(same)
        said = original.project.prompts.get(old_id, {})
        seeds = {one.frame for one in same} - set(said)
        prompts[new_id] = {
            frame: one
            for frame, one in prompts.get(new_id, {}).items()
            if frame not in seeds or not _is_seed(one)
        }
        if old_id == new_id:  # a record speaks of its id
            records |= {key: kept for key, kept in original.records.items() if key[0] == old_id}
    is_named_alike = not entry.is_image and len(original.frame_names) == entry.num_frames
    return replace(
        entry,
        project=replace(entry.project, tracks=tracks, prompts=prompts),
        frame_names=original.frame_names if is_named_alike else entry.frame_names,
        records=records,
        record=original.record or entry.record,
    )


def _is_same(now: FrameMask | None, before: FrameMask) -> bool:
    if now is None:
        return False
    if now.is_absent or before.is_absent:
        return now.is_absent and before.is_absent
    return now.rle == before.rle


def _named(now: Track, before: Track) -> Track:
    is_same = now.name == shown_name(before.name, now.object_id)
    return now.with_name(before.name) if is_same else now


def _is_seed(said: PromptSet) -> bool:
    """Whether a prompt says no more than the mask that came in, which tracking starts from."""
    return said.mask is not None and not said.clicks and said.box is None
