"""``masklet.label``: images and videos in, a labelled data set out, resumable, on one machine or many.

OUT/documents/KEY.json    one document per input: masks, tracks, classes; the studio opens them
OUT/manifest.jsonl        what became of each input, with hashes
OUT/labels...             all documents together in the format that was asked for
OUT/review.json           objects, least certain first
OUT/statistics.json       counts, sizes, time saved under stated assumptions, throughput
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from masklet.errors import FormatError, MediaError
from masklet.formats import FORMATS
from masklet.pipeline.label import LABEL_SUFFIXES
from masklet.pipeline.ontology import Ontology, as_ontology, read_ontology
from masklet.scale import storage
from masklet.scale.data_set import DataSet, gather, write_labels_of, write_report
from masklet.scale.engines import EngineName, choose_engine
from masklet.scale.jobs import Item, ItemDone, JobEvent, make_items, run_job, shard_of
from masklet.scale.label_job import LabelJob
from masklet.scale.manifest import FAILED, Manifest, Record

MANIFEST = "manifest.jsonl"
_FILE_ENDINGS = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRequest:
    """What is to be labelled, how and where.

    Attributes:
        sources: Files, folders, patterns and addresses.
        out: Folder for everything, local or an address.
        format: Name of a format of ``masklet.formats``.
        job: Model, words, detector and thresholds; its folder of documents is set by the run.
        engine: "local" or "ray".
        num_workers: Workers, each with its own model.
        address: Of a Ray cluster, or None.
        resume: Go on with the run that the folder holds.
        shard: Which part of the inputs, (2, 8) for the second of eight, or None for all.
    """

    sources: tuple[str, ...]
    out: str
    format: str = "coco"
    job: LabelJob = field(default_factory=lambda: LabelJob(documents=""))
    engine: EngineName = "local"
    num_workers: int = 1
    address: str | None = None
    resume: bool = False
    shard: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSummary:
    """What a finished run came to.

    Attributes:
        num_inputs: Inputs in all.
        num_done: Those that have labels.
        num_done_now: Those that this call labelled.
        failures: Those that were given up, with the reason.
        num_objects: Objects in the data set.
        num_frames_now: Frames that this call went through.
        seconds: Time this call spent on them.
        labels: File or folder in the format that was asked for.
        manifest: The manifest.
        review: The review list.
        statistics: The statistics.
        lost: In words, what the format cannot hold.
    """

    num_inputs: int
    num_done: int
    num_done_now: int
    failures: tuple[Record, ...]
    num_objects: int
    num_frames_now: int
    seconds: float
    labels: str
    manifest: str
    review: str
    statistics: str
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabellingStarted:
    """Inputs are listed and the manifest is open; ``num_before`` of them were done by an earlier run."""

    num_inputs: int
    num_before: int
    engine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabellingFinished:
    """Everything is written."""

    summary: LabelSummary


LabelEvent: TypeAlias = LabellingStarted | JobEvent | LabellingFinished


def _never() -> bool:
    return False


def label(
    sources: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    ontology: Ontology | dict[str, str] | Sequence[str] | str | Path | None = None,
    format: str = "coco",
    model: str = "compact",
    processes: int = 1,
    resume: bool = False,
    on_event: Callable[[LabelEvent], None] | None = None,
) -> LabelSummary:
    """Label images and videos by themselves; the short way into ``run_labelling``.

    Args:
        sources: A file, a folder, a pattern or an address, or several of them.
        out: Folder for the data set.
        ontology: Words and classes: {"dog": "animal"}, "dog . cat", a list, or the path of a YAML file; None labels
            everything that looks like an object, without classes.
        format: Name of a format, such as "coco" or "yolo".
        model: Name of a model, or a weights file.
        processes: Processes, each with its own model; above 1, the calling script needs the usual
            ``if __name__ == "__main__":``.
        resume: Go on with the run that the folder holds.
        on_event: Called with every progress event.

    Raises:
        MaskletError: When sources, words, model or folder cannot be used. A file that cannot be read ends nothing; it
            is told in ``failures``.
    """
    listed = [sources] if isinstance(sources, str | Path) else list(sources)
    request = LabelRequest(
        sources=tuple(map(str, listed)),
        out=str(out),
        format=format,
        job=LabelJob(documents="", model=model, ontology=_words(ontology)),
        num_workers=processes,
        resume=resume,
    )
    for event in run_labelling(request):
        if on_event is not None:
            on_event(event)
        if isinstance(event, LabellingFinished):
            return event.summary
    raise RuntimeError("A run ends with LabellingFinished or an error.")


def _words(ontology: Ontology | dict[str, str] | Sequence[str] | str | Path | None) -> Ontology | None:
    if ontology is None:
        return None
    if isinstance(ontology, Path) or (isinstance(ontology, str) and ontology.endswith(_FILE_ENDINGS)):
        return read_ontology(Path(ontology))
    return as_ontology(ontology)


def run_labelling(
    request: LabelRequest, *, is_cancelled: Callable[[], bool] = _never
) -> Iterator[LabelEvent]:
    """Label every input and write the data set.

    Args:
        request: What to do.
        is_cancelled: Asked after every input.

    Yields:
        What happens, ending with LabellingFinished.

    Raises:
        CancelledError: When the run was cancelled; it can be resumed.
        MaskletError: When sources, words, model or folder cannot be used.
    """
    target = _format(request.format)
    items = _items(request)
    engine = choose_engine(request.engine, num_workers=request.num_workers, address=request.address)
    job = _placed(request)
    manifest = _manifest(request, job)
    num_before = sum(manifest.is_done(one.key) for one in items)
    yield LabellingStarted(num_inputs=len(items), num_before=num_before, engine=engine.describe())
    started = time.perf_counter()
    now: list[Record] = []
    for event in run_job(job, items, engine, manifest, is_cancelled=is_cancelled):
        if isinstance(event, ItemDone):
            now.append(event.record)
        yield event
    seconds = time.perf_counter() - started
    data = gather(items, manifest)
    yield LabellingFinished(summary=_finish(request, data, now, seconds, target))


def _finish(
    request: LabelRequest, data: DataSet, now: list[Record], seconds: float, target: str
) -> LabelSummary:
    """Write labels, review list and statistics."""
    failures = tuple(one for one in data.records if one.status == FAILED)
    labels = storage.join(request.out, _named(target, request))
    media = storage.shared_folder(request.sources)
    lost = write_labels_of(data, labels, request.format, media) if data.entries else ()
    review = storage.join(request.out, _named("review.json", request))
    statistics = storage.join(request.out, _named("statistics.json", request))
    write_report(data, review, statistics, now, seconds)
    return LabelSummary(
        num_inputs=len(data.items),
        num_done=len(data.entries),
        num_done_now=len(now),
        failures=failures,
        num_objects=sum(len(one.project.tracks) for one in data.entries),
        num_frames_now=sum(int(one.numbers.get("frames", 0)) for one in now),
        seconds=seconds,
        labels=labels,
        manifest=storage.join(request.out, _named(MANIFEST, request)),
        review=review,
        statistics=statistics,
        lost=tuple(lost),
    )


def _format(name: str) -> str:
    """Name of the file or folder of labels."""
    if name not in FORMATS:
        raise FormatError(f"There is no format {name!r}; the formats are {', '.join(FORMATS)}.")
    found = FORMATS[name]
    return f"labels{found.suffix}" if found.shape == "file" else "labels"


def _items(request: LabelRequest) -> list[Item]:
    listed = [pair for source in request.sources for pair in storage.expand(source, LABEL_SUFFIXES)]
    if not listed:
        raise MediaError("Nothing is to be labelled; give at least one image, video or folder.")
    items = make_items(listed)
    return items if request.shard is None else shard_of(items, *request.shard)


def _placed(request: LabelRequest) -> LabelJob:
    return replace(request.job, documents=storage.join(request.out, "documents"))


def _manifest(request: LabelRequest, job: LabelJob) -> Manifest:
    uri = storage.join(request.out, _named(MANIFEST, request))
    manifest = Manifest(uri, job.describe())
    if request.resume:
        manifest.resume(parts=_parts(request))
        return manifest
    if not storage.is_remote(request.out):
        folder = Path(request.out)
        is_ours = any(folder.glob("manifest*.jsonl"))
        if folder.is_dir() and any(folder.iterdir()) and not is_ours:
            raise MediaError(f"{folder} holds other files; give an empty or new folder.")
        if request.shard is None:
            storage.remove_folder(folder / "documents")
            for old in folder.glob("manifest-*-of-*.jsonl"):
                old.unlink()
    manifest.begin()
    return manifest


def _parts(request: LabelRequest) -> list[str]:
    """Manifests of shards that a run over everything takes over."""
    if request.shard is not None or storage.is_remote(request.out):
        return []
    return sorted(map(str, Path(request.out).glob("manifest-*-of-*.jsonl")))


def _named(name: str, request: LabelRequest) -> str:
    """The name of a file of the run, with the number of its shard."""
    if request.shard is None:
        return name
    stem, dot, suffix = name.partition(".")
    return f"{stem}-{request.shard[0]}-of-{request.shard[1]}{dot}{suffix}"
