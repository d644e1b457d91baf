"""Label sets as they came in: kept with an import, and put back on the way out wherever nobody changed anything."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from masklet.annotations import FrameMask, Track, from_json, to_json
from masklet.formats import Entry, Kept, LabelSet, records_to_json, with_records
from masklet.formats.label_set import Key
from masklet.prompts import PromptSet
from masklet.studio.store import MediaRow, Store
from masklet.studio.store.label_sources import ids_from_text


def packed(labels: LabelSet) -> bytes:
    """A label set with its records, small."""
    content = {
        "entries": [
            {"document": to_json(one.project), "frames": list(one.frame_names)} for one in labels.entries
        ],
        "records": records_to_json(labels),
    }
    return zlib.compress(json.dumps(content).encode("ascii"))


def unpacked(content: bytes) -> LabelSet:
    """What ``packed`` made."""
    value = cast("dict[str, list[dict[str, object]]]", json.loads(zlib.decompress(content)))
    entries = [
        Entry(project=from_json(one["document"]), frame_names=tuple(cast("Sequence[str]", one["frames"])))
        for one in value["entries"]
    ]
    return with_records(LabelSet(entries=tuple(entries)), value["records"])


def shown_name(name: str, object_id: int) -> str:
    """What an object is called here; labels need not name theirs."""
    return name[:255] or f"Object {object_id}"


class Originals:
    """Puts back what came in, for one export.

    Args:
        store: Where it is kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[str, LabelSet] = {}
        self.record: tuple[str, object] | None = None
        """What stood above the last label set of which something is put back."""

    def restored(self, media: MediaRow, entry: Entry) -> Entry:
        """The entry of a medium in which all that nobody changed is as it came in, with its records."""
        for source in self._store.label_sources.of_media(media.id):
            if source.records_id not in self._read:
                content = self._store.label_sources.content(source.records_id)
                self._read[source.records_id] = unpacked(content) if content else LabelSet(entries=())
            labels = self._read[source.records_id]
            if source.place < len(labels.entries):
                entry = as_imported(entry, labels.entries[source.place], ids_from_text(source.ids))
                self.record = labels.record or self.record
        return entry


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
