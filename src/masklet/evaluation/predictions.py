"""Masks that any method wrote, matched with a clip by frame names; whatever is odd is reported and left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from masklet.annotations.document import Project
from masklet.annotations.storage import load
from masklet.errors import FormatError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.layouts import read_id_maps, read_object_folders
from masklet.masks.rle import RLE

_INNER = ("", "Annotations", "480p", "Annotations/480p", "Annotations_6fps")
_DOCUMENTS = ("{clip}.json", "{clip}/tracks.json")
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What a method says of one clip.

    Args:
        masks: For each object id of the truth one entry per frame: its mask, or None where there is none,
            which counts as empty.
        problems: One sentence per thing that is missing or odd, naming it.
    """

    masks: Mapping[int, Sequence[RLE | None]]
    problems: tuple[str, ...] = ()


def read_predictions(root: Path, clip: Clip, scored: Mapping[int, Sequence[int]]) -> Predictions | None:
    """Find and read the masks of a clip.

    They may be ``<clip>/<frame>.png`` with object ids, ``<clip>/<object>/<frame>.png``, or a masklet document
    ``<clip>.json`` or ``<clip>/tracks.json``; the folders may lie in the usual folders Annotations and 480p.

    Args:
        root: The folder of all predictions.
        clip: The clip, with the names of its frames.
        scored: For each object id the frames that count, so that only these are missed.

    Returns:
        The masks, or None when nothing is there for this clip.

    Raises:
        FormatError: When a document is damaged.
    """
    problems: list[str] = []
    document = _first([root / name.format(clip=clip.name) for name in _DOCUMENTS])
    if document is not None:
        layers = _document_layers(load(document))
        names = tuple(str(index) for index in range(clip.num_frames))
    else:
        folder = _first([root / inner / clip.name for inner in _INNER])
        if folder is None:
            return None
        layers = _folder_layers(folder, clip, problems)
        names = clip.frame_names or tuple(f"{index:05d}" for index in range(clip.num_frames))
    masks = {i: _of_clip(layers.get(i, {}), names, clip, i, problems) for i in clip.object_ids}
    if document is None:
        _tell_missing(layers, names, scored, clip.name, problems)
    strangers = sorted(set(layers) - set(clip.object_ids))
    if strangers:
        problems.append(f"{clip.name}: the truth has no object {_listed(strangers)}; these are left out.")
    return Predictions(masks=masks, problems=tuple(problems))


def _first(paths: Sequence[Path]) -> Path | None:
    return next((path for path in paths if path.exists()), None)


def _document_layers(project: Project) -> dict[int, dict[str, RLE]]:
    return {
        object_id: {str(index): one.rle for index, one in track.frames.items() if one.rle is not None}
        for object_id, track in project.tracks.items()
    }


def _folder_layers(folder: Path, clip: Clip, problems: list[str]) -> dict[int, dict[str, RLE]]:
    if any(path.is_dir() for path in folder.iterdir()):
        return dict(read_object_folders(folder, clip.name, problems))
    layers = read_id_maps(folder, clip.name, problems)
    if len(clip.object_ids) == 1 and len(layers) == 1:
        # the only object, whatever value it was painted with
        return {clip.object_ids[0]: next(iter(layers.values()))}
    return layers


def _of_clip(
    layer: Mapping[str, RLE], names: Sequence[str], clip: Clip, object_id: int, problems: list[str]
) -> tuple[RLE | None, ...]:
    """Masks of an object in the order of the frames; those of another size are left out."""
    odd = sorted(name for name, mask in layer.items() if mask.size != clip.size)
    if odd:
        problems.append(
            f"{clip.name}, object {object_id}: {len(odd)} masks are not {clip.size.hw} (h, w) and count as empty: "
            f"{_listed(odd)}."
        )
    refused = frozenset(odd)
    return tuple(None if name in refused else layer.get(name) for name in names)


def _tell_missing(
    layers: Mapping[int, Mapping[str, RLE]],
    names: Sequence[str],
    scored: Mapping[int, Sequence[int]],
    where: str,
    problems: list[str],
) -> None:
    """Name frames that count and for which no file was given, and objects that are in no file."""
    given = {name for layer in layers.values() for name in layer}
    wanted = sorted({index for frames in scored.values() for index in frames})
    missing = [names[index] for index in wanted if names[index] not in given]
    if missing and given:
        problems.append(
            f"{where}: {len(missing)} frames have no prediction and count as empty: {_listed(missing)}."
        )
    absent = [object_id for object_id in scored if object_id not in layers]
    if absent:
        problems.append(f"{where}: object {_listed(absent)} is predicted nowhere and counts as empty.")


def _listed(items: Sequence[object]) -> str:
    """The first few, and how many more there are."""
    more = len(items) - _MOST_NAMED
    words = ", ".join(str(item) for item in items[:_MOST_NAMED])
    return f"{words} and {more} more" if more > 0 else words


def require_folder(root: Path) -> None:
    """Refuse a folder of predictions that is not there.

    Raises:
        FormatError: When it is no folder.
    """
    if not root.is_dir():
        raise FormatError(f"There is no folder of predictions at {root}; check its name.")
