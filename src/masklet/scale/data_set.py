"""What a run has made, brought together: labels in one format, the review list, the statistics."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from masklet.annotations import loads
from masklet.errors import SessionError
from masklet.formats import Entry, LabelSet, write_labels
from masklet.pipeline.label import is_image
from masklet.pipeline.review import ReviewEntry, by_uncertainty, review_of, review_to_json
from masklet.pipeline.statistics import of_projects
from masklet.scale import storage
from masklet.scale.jobs import Item
from masklet.scale.manifest import DONE, Manifest, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """The documents of a run.

    Attributes:
        items: Every input.
        records: What became of those that were tried.
        entries: The documents that there are, in the order of the inputs.
        review: Objects, least certain first.
    """

    items: tuple[Item, ...]
    records: tuple[Record, ...]
    entries: tuple[Entry, ...]
    review: tuple[ReviewEntry, ...]


def gather(items: Sequence[Item], manifest: Manifest) -> DataSet:
    """Read every document of a run.

    Raises:
        SessionError: When one that the manifest holds as done is gone.
        MaskletError: When one cannot be read.
    """
    records = {one.key: one for one in manifest}
    entries: list[Entry] = []
    review: list[ReviewEntry] = []
    for item in items:
        record = records.get(item.key)
        if record is None or record.status != DONE:
            continue
        content = storage.read(record.output)
        if content is None:
            raise SessionError(f"{record.output} is gone; run the same again with --resume to make it anew.")
        project = loads(content)
        entries.append(Entry(project=project, frame_names=(item.name,) if is_image(item.name) else ()))
        said: Mapping[str, float] = json.loads(str(record.numbers.get("confidences", "{}")))
        review.extend(
            review_of(project, {int(i): one for i, one in said.items()}, f"documents/{item.key}.json")
        )
    wanted = {item.key for item in items}
    return DataSet(
        items=tuple(items),
        records=tuple(one for one in records.values() if one.key in wanted),
        entries=tuple(entries),
        review=tuple(by_uncertainty(review)),
    )


def write_labels_of(data: DataSet, uri: str, format_name: str, media: Path | None) -> tuple[str, ...]:
    """Write all labels in one format, in place of what an earlier run wrote there.

    Returns:
        In words, what the format cannot hold.

    Raises:
        MaskletError: When they cannot be written.
    """
    labels = LabelSet(entries=data.entries)
    with tempfile.TemporaryDirectory(prefix="masklet-") as folder:
        name = uri.rstrip("/").rpartition("/")[2] if storage.is_remote(uri) else Path(uri).name
        fresh = Path(folder) / name if storage.is_remote(uri) else Path(uri)
        if fresh.is_dir():
            storage.remove_folder(fresh)
        lost = write_labels(labels, fresh, format_name, media=media)
        if storage.is_remote(uri):
            storage.upload(fresh, uri)
    return lost


def write_report(data: DataSet, review: str, statistics: str, now: Sequence[Record], seconds: float) -> None:
    """Write the review list and the statistics.

    Args:
        data: The data set.
        review: Where the review list goes.
        statistics: Where the statistics go.
        now: What this run did.
        seconds: How long it took.

    Raises:
        MaskletError: When they cannot be written.
    """
    counted = of_projects((one.project, one.is_image) for one in data.entries)
    values = {**counted.to_json(), "throughput": throughput(now, seconds)}
    storage.write(review, _json(review_to_json(data.review)))
    storage.write(statistics, _json(values))


def throughput(now: Sequence[Record], seconds: float) -> dict[str, object]:
    """How fast a run was, in all and by worker, as a JSON value."""
    workers: dict[str, int] = {}
    for one in now:
        workers[one.worker] = workers.get(one.worker, 0) + 1
    frames = sum(int(one.numbers.get("frames", 0)) for one in now)
    num_bytes = sum(one.input_bytes for one in now)
    per_s = 1 / seconds if seconds > 0 and now else 0.0
    return {
        "inputs": len(now),
        "frames": frames,
        "megabytes": round(num_bytes / 1e6, 3),
        "seconds": round(seconds, 3),
        "inputs_per_s": round(len(now) * per_s, 3),
        "frames_per_s": round(frames * per_s, 3),
        "megabytes_per_s": round(num_bytes / 1e6 * per_s, 3),
        "inputs_by_worker": dict(sorted(workers.items())),
    }


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, allow_nan=False).encode("ascii") + b"\n"
