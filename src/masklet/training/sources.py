"""Whatever training data a folder holds: packed shards, COCO, DAVIS or SA-V."""

from __future__ import annotations

from pathlib import Path

from masklet.errors import TrainingError
from masklet.training.data import Shards, open_shards
from masklet.training.folders import open_coco, open_davis, open_sav


def open_data(folder: Path) -> Shards:
    """Open a folder by what lies in it.

    Args:
        folder: Packed ``*.tar`` shards; or ``annotations.json`` beside ``images/`` (COCO); or ``JPEGImages`` beside
            ``Annotations`` (DAVIS); or ``<id>.mp4`` beside ``<id>_manual.json`` (SA-V).

    Raises:
        TrainingError: When the folder is missing or holds none of them.
    """
    if not folder.is_dir():
        raise TrainingError(
            f"There is no data folder at {folder}; give a folder of shards, COCO, DAVIS or SA-V."
        )
    if any(folder.glob("*.tar")):
        return open_shards(folder)
    if (folder / "annotations.json").is_file():
        return open_coco(folder / "annotations.json", folder / "images")
    if (folder / "Annotations").is_dir():
        return open_davis(folder)
    if any(folder.rglob("*_manual.json")) or any(folder.rglob("*_auto.json")):
        return open_sav(folder)
    raise TrainingError(
        f"{folder} holds no training data; expected *.tar shards, annotations.json beside images/ (COCO), JPEGImages "
        "beside Annotations (DAVIS), or mp4 files beside *_manual.json (SA-V)."
    )
