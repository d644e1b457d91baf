"""Label sets as they came in: kept with an import, and put back on the way out wherever nobody changed anything."""

from __future__ import annotations

import json
import zlib

from masklet.formats import Entry, LabelSet
from masklet.formats.imported import as_imported, label_set_from_json, label_set_to_json
from masklet.studio.store import MediaRow, Store
from masklet.studio.store.label_sources import ids_from_text


def packed(labels: LabelSet) -> bytes:
    """A label set with its records, small."""
    return zlib.compress(json.dumps(label_set_to_json(labels)).encode("ascii"))


def unpacked(content: bytes) -> LabelSet:
    """What ``packed`` made."""
    return label_set_from_json(json.loads(as_json(content)))


def as_json(content: bytes) -> bytes:
    """What ``packed`` made, as JSON."""
    return zlib.decompress(content)


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
