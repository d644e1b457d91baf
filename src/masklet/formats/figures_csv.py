"""CSV: one row per object and frame on which it is seen, with box, area and centroid in pixels."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from masklet.annotations import FrameMask, Track, write_atomically
from masklet.formats.label_set import Entry, LabelSet, frame_name, label_of
from masklet.formats.media import Media
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE

COLUMNS = (
    *("video", "frame", "file", "time_s", "object", "name", "label", "x0", "y0", "x1", "y1"),
    *("area", "centroid_x", "centroid_y", "score", "presence", "is_occluded"),
)
_RISKY = ("=", "+", "-", "@", "\t", "\r")


def write_csv(labels: LabelSet, out: Path, _media: Media | None) -> None:
    """Write the figures; a frame on which an object is known not to be seen has area 0 and no box.

    Texts that a spreadsheet could take for a formula begin with an apostrophe.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in labels.entries:
        for track in entry.project.tracks.values():
            writer.writerows(_row(entry, track, found) for found in track.frames.values())
    write_atomically(out, stream.getvalue().encode())


def _row(entry: Entry, track: Track, found: FrameMask) -> Iterator[object]:
    facts, label = entry.project.video, label_of(entry, track)
    time_s = "" if facts.frame_rate is None else f"{float(found.frame / facts.frame_rate):.6f}"
    yield from (
        _plain(entry.name),
        found.frame,
        _plain(frame_name(entry, found.frame) if entry.frame_names else ""),
    )
    yield from (time_s, track.object_id, _plain(track.name), _plain("" if label is None else label.name))
    yield from _measures(found.rle, facts.size)
    yield from ("" if value is None else f"{value:.6g}" for value in (found.score, found.presence))
    yield int(found.is_occluded)


def _measures(mask: RLE | None, size: Size) -> tuple[object, ...]:
    """Box, area and centroid; pixel (column 0, row 0) has its centre at (0.5, 0.5)."""
    box = None if mask is None else rle.bounding_box(mask)
    if mask is None or box is None:
        return "", "", "", "", 0, "", ""
    rows, columns = np.divmod(np.flatnonzero(rle.decode(mask)), size.width)
    corners = (int(value) for value in box.xyxy)
    return *corners, rows.size, f"{columns.mean() + 0.5:.3f}", f"{rows.mean() + 0.5:.3f}"


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(_RISKY) else text
