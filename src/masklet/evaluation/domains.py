"""Many small data sets, each a domain: a folder of folders that each hold a COCO file and its images.

Source of the idea: Ciaglia et al., "Roboflow 100: A Rich, Multi-Domain Object Detection Benchmark", 2022.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from masklet.errors import FormatError, MaskletError
from masklet.evaluation.clicks import (
    DEFAULT_PROTOCOL,
    ClickProtocol,
    ClickReport,
    Embedding,
    ImageModel,
    ObjectClicks,
    State,
    evaluate_still,
)
from masklet.evaluation.datasets import Still
from masklet.evaluation.images import decode_rgb
from masklet.formats.coco import is_coco, read_coco
from masklet.formats.label_set import Entry
from masklet.formats.source import Source
from masklet.masks.arrays import ByteArray
from masklet.masks.rle import RLE

_SPLITS = ("test", "valid", "val", "")


def read_domains(root: Path, problems: list[str]) -> Iterator[Still]:
    """Images of every domain with their masks.

    Of each folder in ``root`` the COCO file in ``test``, else in ``valid`` or ``val``, else in the folder itself is
    read. Images lie beside it, or in a folder ``images``.

    Args:
        root: The folder of domains.
        problems: Gets one sentence per domain or image that is missing or odd.

    Yields:
        Images whose source is the name of their domain.

    Raises:
        FormatError: When there is no folder, or none of its folders holds a COCO file.
    """
    if not root.is_dir():
        raise FormatError(f"There is no folder of domains at {root}; check its name.")
    num_found = 0
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        annotations = _coco_file(folder)
        if annotations is None:
            problems.append(f"{folder.name}: no COCO file was found; the domain is left out.")
            continue
        num_found += 1
        odd: list[str] = []
        try:
            entries = read_coco(Source(annotations), None, problems=odd).entries
        except MaskletError as error:
            problems.append(f"{folder.name}/{annotations.name}: {error}")
            continue
        problems.extend(f"{folder.name}/{annotations.name}, {problem}" for problem in odd)
        yield from _stills(folder.name, annotations.parent, entries, problems)
    if num_found == 0:
        raise FormatError(f"No folder in {root.name} holds a COCO file; each domain needs one.")


def evaluate_domains(
    model: ImageModel[Embedding, State],
    stills: Iterable[Still],
    problems: list[str],
    *,
    protocol: ClickProtocol = DEFAULT_PROTOCOL,
    on_still: Callable[[], None] | None = None,
) -> ClickReport:
    """Click on every object of every image; an image that cannot be read does not spoil the rest.

    Args:
        model: What is evaluated.
        stills: Images with truth.
        problems: Gets one sentence per image that could not be used.
        protocol: How clicks are simulated.
        on_still: Called after each image.
    """
    objects: list[ObjectClicks] = []
    for still in stills:
        try:
            objects.extend(evaluate_still(model, still, protocol=protocol))
        except FormatError as error:
            problems.append(f"{still.source}/{still.name}: {error}")
        if on_still is not None:
            on_still()
    return ClickReport(protocol=protocol, objects=tuple(objects))


@dataclass(frozen=True, slots=True)
class _ImageFile:
    """An image in a folder."""

    path: Path

    def __call__(self) -> ByteArray:
        return decode_rgb(self.path.read_bytes(), self.path.name)


def _coco_file(folder: Path) -> Path | None:
    for split in _SPLITS:
        for path in sorted((folder / split).glob("*.json")):
            try:
                if is_coco(Source(path)):
                    return path
            except MaskletError:
                continue
    return None


def _stills(domain: str, folder: Path, entries: Iterable[Entry], problems: list[str]) -> Iterator[Still]:
    for entry in entries:
        name = entry.frame_names[0] if entry.frame_names else entry.name
        path = next((one for one in (folder / name, folder / "images" / name) if one.is_file()), None)
        if path is None or not path.resolve().is_relative_to(folder.resolve()):
            problems.append(f"{domain}/{name}: the image is missing.")
            continue
        masks: list[RLE] = []
        labels: list[str] = []
        for track in entry.project.tracks.values():
            found = track.frames.get(0)
            if found is not None and found.rle is not None:
                masks.append(found.rle)
                label = None if track.label_id is None else entry.project.labels.get(track.label_id)
                labels.append("" if label is None else label.name)
        yield Still(
            name=name,
            source=domain,
            kind="instances",
            size=entry.project.video.size,
            masks=tuple(masks),
            labels=tuple(labels),
            read_image=_ImageFile(path),
        )
