"""A session on disk: one safetensors file with memories and packed results, and everything else as JSON in its header.

The header of such a file is bounded, and an hour of video has a hundred thousand results of each object: they are written as
they are kept, page by page, and neither writing nor reading makes values of them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from masklet.annotations.prompts_json import prompts_from_json, prompts_to_json
from masklet.errors import SessionError
from masklet.geometry import Box
from masklet.masks import rle
from masklet.predictors.object_store import ObjectStore
from masklet.tracking.bank import MaskScore, MemoryEntry
from masklet.tracking.results import Results, StoredMask
from masklet.tracking.state import Approach, ObjectState
from masklet.weights.load import LoadedModel

_VERSION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSession:
    """What a session file holds."""

    policy: str
    objects: dict[int, ObjectState]
    archive: dict[int, MemoryEntry]

    def fill(self, store: ObjectStore) -> None:
        """Put the saved state into an empty store."""
        for object_id, state in self.objects.items():
            state.results = store.new_results(state.results)
            store.objects[object_id] = state
        newest = max((_newest_version(state) for state in self.objects.values()), default=0)
        for version, entry in self.archive.items():
            store.restore_archive(version, entry)
        while store.next_version() < newest:
            continue


def write_session(path: Path, store: ObjectStore, model: LoadedModel, policy: str) -> None:
    """Write a session; the old file stays until the new one is whole."""
    tensors: dict[str, Tensor] = {}
    objects: dict[str, Any] = {}
    archived: dict[str, Any] = {}
    for object_id, state in store.objects.items():
        objects[str(object_id)] = _object_facts(object_id, state, tensors)
        for version in _tracked_versions(state):
            entry = store.archived(version)
            if entry is not None:
                archived[str(version)] = _entry_facts(f"archive.{version}", entry, tensors)
    facts = {
        "version": _VERSION,
        "model": model.name,
        "weights": model.weights_sha256,
        "image_size": model.config.image_size,
        "policy": policy,
        "objects": objects,
        "archive": archived,
    }
    tensors = tensors or {"empty": torch.zeros(1)}
    partial = path.with_name(path.name + ".part")
    try:
        save_file(tensors, partial, metadata={"session": json.dumps(facts)})
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        raise SessionError(
            f"The session could not be written to {path.name}: {error}; free space or choose a folder."
        ) from error


def read_session(path: Path, model: LoadedModel) -> SavedSession:
    """Read a session made with the same model.

    Raises:
        SessionError: When the file is missing or damaged, or the model is another one.
    """
    try:
        with safe_open(path, framework="pt", device=str(model.device)) as file:
            facts = json.loads((file.metadata() or {})["session"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        if facts["version"] != _VERSION:
            raise SessionError(
                f"{path.name} was written by another version of masklet; track the video again."
            )
        _check_model(facts, model, path.name)
        objects = {int(key): _read_object(value, tensors) for key, value in facts["objects"].items()}
        archive = {int(key): _read_entry(value, tensors) for key, value in facts["archive"].items()}
        policy = str(facts["policy"])
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise SessionError(
            f"{path.name} is not a whole session file ({error}); track the video again."
        ) from error
    return SavedSession(policy=policy, objects=objects, archive=archive)


def _check_model(facts: dict[str, Any], model: LoadedModel, name: str) -> None:
    made_with = (facts["model"], facts["weights"], facts["image_size"])
    if made_with != (model.name, model.weights_sha256, model.config.image_size):
        raise SessionError(
            f"{name} was made with {facts['model']} at {facts['image_size']} px and other weights than {model.name} at "
            f"{model.config.image_size} px; load that model."
        )


def _object_facts(object_id: int, state: ObjectState, tensors: dict[str, Tensor]) -> dict[str, Any]:
    return {
        "prompts": {str(frame): prompts_to_json(prompts) for frame, prompts in state.prompts.items()},
        "conditioning": {
            str(frame): _entry_facts(f"object.{object_id}.{frame}", entry, tensors)
            for frame, entry in state.conditioning.items()
        },
        "results": _results_facts(f"object.{object_id}.results", state.results, tensors),
        "approach": _approach_facts(state.approach),
        "edits": state.edits,
    }


def _tracked_versions(state: ObjectState) -> Iterator[int]:
    """Computations of results in force, and of those on the way to the frame prompted last, but for prompted frames."""
    for frame in state.results:
        mark = state.results.mark(frame)
        if mark is not None and not mark.is_prompted:
            yield mark.version
    if state.approach is not None:
        yield from (one.version for one in state.approach.results.values() if not one.is_prompted)


def _newest_version(state: ObjectState) -> int:
    on_the_way = () if state.approach is None else state.approach.results.values()
    return max(state.results.newest_version, *(one.version for one in on_the_way), 0)


def _results_facts(key: str, results: Results, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Packed pages, one after the other in one tensor, and how long each is."""
    pages = list(results.pages())
    if pages:
        packed = np.frombuffer(b"".join(page for _, page in pages), np.uint8)
        tensors[key] = torch.from_numpy(packed.copy())
    return {"key": key, "pages": [[number, len(page)] for number, page in pages]}


def _read_results(facts: dict[str, Any], tensors: dict[str, Tensor]) -> Results:
    found, start = Results(), 0
    key = facts["key"]
    packed = tensors[key].cpu().numpy().tobytes() if key in tensors else b""
    for number, num_bytes in facts["pages"]:
        found.put_page(int(number), packed[start : start + num_bytes])
        start += num_bytes
    if start != len(packed):
        raise ValueError("its results are not whole")
    return found


def _approach_facts(approach: Approach | None) -> dict[str, Any] | None:
    if approach is None:
        return None
    results = {str(frame): _result_facts(result) for frame, result in approach.results.items()}
    return {"frame": approach.frame, "is_backward": approach.is_backward, "results": results}


def _read_approach(facts: dict[str, Any] | None) -> Approach | None:
    if facts is None:
        return None
    results = {int(frame): _read_result(value) for frame, value in facts["results"].items()}
    return Approach(frame=facts["frame"], is_backward=facts["is_backward"], results=results)


def _result_facts(result: StoredMask) -> dict[str, Any]:
    facts = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    return {**facts, "rle": rle.to_json(result.rle), "score": dataclasses.asdict(result.score)}


def _entry_facts(key: str, entry: MemoryEntry, tensors: dict[str, Tensor]) -> dict[str, Any]:
    for name in ("features", "pointer", "logits"):
        tensors[f"{key}.{name}"] = getattr(entry, name).detach().cpu().contiguous()
    return {
        "key": key,
        "frame": entry.frame,
        "score": dataclasses.asdict(entry.score),
        "box": None if entry.box is None else entry.box.xyxy,
        "is_kept": entry.is_kept,
    }


def _read_object(facts: dict[str, Any], tensors: dict[str, Tensor]) -> ObjectState:
    return ObjectState(
        prompts={int(frame): prompts_from_json(value) for frame, value in facts["prompts"].items()},
        conditioning={
            int(frame): _read_entry(value, tensors) for frame, value in facts["conditioning"].items()
        },
        results=_read_results(facts["results"], tensors),
        approach=_read_approach(facts["approach"]),
        edits=facts["edits"],
    )


def _read_result(facts: dict[str, Any]) -> StoredMask:
    return StoredMask(**{**facts, "rle": rle.from_json(facts["rle"]), "score": MaskScore(**facts["score"])})


def _read_entry(facts: dict[str, Any], tensors: dict[str, Tensor]) -> MemoryEntry:
    return MemoryEntry(
        frame=facts["frame"],
        written=tensors[f"{facts['key']}.features"],
        pointer=tensors[f"{facts['key']}.pointer"],
        logits=tensors[f"{facts['key']}.logits"],
        score=MaskScore(**facts["score"]),
        box=None if facts["box"] is None else Box(*facts["box"]),
        is_kept=facts["is_kept"],
    )
