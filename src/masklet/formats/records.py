"""The records of a label set as JSON: what stood in the file it was read from, to be kept beside its documents.

A label set in masklet's own format has no records; kept beside it, they let another process, or a later day, write what
nobody changed exactly as it stood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast
from xml.etree import ElementTree

from masklet.errors import FormatError
from masklet.formats.label_set import WHOLE_TRACK, Entry, Kept, Key, LabelSet, label_of, of_one_frame
from masklet.formats.source import as_list, as_object, as_text, as_whole, parse_xml

_MARK = "~"
_PAIRS, _XML = "~pairs", "~xml"


def records_to_json(labels: LabelSet) -> dict[str, object]:
    """The records of a label set as plain JSON values."""
    return {
        "record": _headed_to_json(labels.record),
        "entries": [
            {
                "record": _headed_to_json(entry.record),
                "records": [
                    [object_id, frame, kept.format, _to_json(kept.record)]
                    for (object_id, frame), kept in entry.records.items()
                ],
            }
            for entry in labels.entries
        ],
    }


def with_records(labels: LabelSet, value: object) -> LabelSet:
    """The label set with the records that ``records_to_json`` gave of it.

    Args:
        labels: Equal to the label set that the records are of.
        value: The records.

    Raises:
        FormatError: When they are damaged, or of another label set.
    """
    fields = as_object(value, "The records")
    listed = as_list(fields.get("entries"), "The entries of the records")
    if len(listed) != len(labels.entries):
        raise FormatError(f"The records are of {len(listed)} entries, the labels have {len(labels.entries)}.")
    entries = [_with_records(*both) for both in zip(labels.entries, listed, strict=True)]
    return replace(labels, entries=tuple(entries), record=_headed(fields.get("record")))


def _with_records(entry: Entry, value: object) -> Entry:
    fields = as_object(value, "The records of an entry")
    records: dict[Key, Kept] = {}
    for one in as_list(fields.get("records"), "The list of records"):
        parts = as_list(one, "A record")
        if len(parts) != 4:
            raise FormatError("A record must be an object, a frame, a format and what stood there.")
        object_id = as_whole(parts[0], "The object of a record")
        frame = as_whole(parts[1], "The frame of a record", least=WHOLE_TRACK)
        track = entry.project.tracks.get(object_id)
        if track is None:
            raise FormatError(f"A record is of object {object_id}, which the labels lack.")
        records[object_id, frame] = Kept(
            format=as_text(parts[2], "The format of a record"),
            track=track if frame == WHOLE_TRACK else of_one_frame(track, frame),
            label=label_of(entry, track),
            record=_from_json(parts[3]),
        )
    return replace(entry, records=records, record=_headed(fields.get("record")))


def _headed_to_json(record: tuple[str, object] | None) -> list[object] | None:
    return None if record is None else [record[0], _to_json(record[1])]


def _headed(value: object) -> tuple[str, object] | None:
    if value is None:
        return None
    parts = as_list(value, "A record")
    if len(parts) != 2:
        raise FormatError("The record of an entry must be a format and what stood there.")
    return as_text(parts[0], "The format of a record"), _from_json(parts[1])


def _to_json(value: object) -> object:
    """A record as JSON: elements of XML as text, and objects whose keys are no plain texts as pairs."""
    if isinstance(value, ElementTree.Element):
        return {_XML: ElementTree.tostring(value, encoding="unicode")}
    if isinstance(value, list | tuple):
        return [_to_json(one) for one in cast("list[object]", value)]
    if not isinstance(value, Mapping):
        return value
    pairs = [(key, _to_json(one)) for key, one in cast("Mapping[object, object]", value).items()]
    if all(isinstance(key, str) and not key.startswith(_MARK) for key, _ in pairs):
        return dict(cast("list[tuple[str, object]]", pairs))
    return {_PAIRS: [[key, one] for key, one in pairs]}


def _from_json(value: object) -> object:
    if isinstance(value, list):
        return [_from_json(one) for one in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, object]", value)
    if list(fields) == [_XML]:
        return parse_xml(as_text(fields[_XML], "A record of XML").encode(), "a record")
    if list(fields) == [_PAIRS]:
        listed = as_list(fields[_PAIRS], "The pairs of a record")
        pairs = [as_list(one, "A pair of a record") for one in listed]
        if any(len(one) != 2 or not isinstance(one[0], str | int) for one in pairs):
            raise FormatError("A pair of a record must be a key and a value.")
        return {one[0]: _from_json(one[1]) for one in pairs}
    return {key: _from_json(one) for key, one in fields.items()}
