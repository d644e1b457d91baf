"""Labelling as a job for engines: a plain value that is sent to workers, and the worker that it starts there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from masklet import __version__
from masklet.annotations import dumps
from masklet.pipeline.findings import AutoFinder, Finder
from masklet.pipeline.label import LabelOptions, label_file
from masklet.pipeline.ontology import Ontology
from masklet.scale import storage
from masklet.scale.jobs import Item, Outcome, Worker

if TYPE_CHECKING:
    from masklet.grounding.base import Grounder
    from masklet.weights.load import LoadedModel

EMBEDDED = "embedded"
"""The detector inside the package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelJob:
    """What is done to every file.

    Attributes:
        documents: Folder of the documents, local or an address.
        model: Name of the model, or a weights file.
        device: Where it runs.
        ontology: Words and classes, or None to label everything without classes.
        grounder: Name of the detector, or a function of a module that makes one in the worker.
        threshold: Least score of its boxes; None for its own.
        preset: How finely pictures are searched without words.
        options: How objects are found, matched and given up.
        num_threads: Threads of torch in every worker; None leaves it alone.
    """

    documents: str
    model: str = "compact"
    device: str = "auto"
    ontology: Ontology | None = None
    grounder: str | Callable[[], Grounder] = EMBEDDED
    threshold: float | None = None
    preset: str = "fast"
    options: LabelOptions = field(default_factory=LabelOptions)
    num_threads: int | None = None

    def describe(self) -> Mapping[str, str]:
        """What decides about the labels, in words, by topic."""
        path = Path(self.model)
        weights = storage.digest_of(path)[0] if path.is_file() else self.model
        said = {
            "model": weights,
            "options": hashlib.sha256(repr(self.options).encode()).hexdigest(),
            "version of masklet": __version__,
        }
        if self.ontology is None:
            return {**said, "search": f"everything, preset {self.preset}"}
        name = self.grounder if isinstance(self.grounder, str) else self.grounder.__name__
        limit = "" if self.threshold is None else f", threshold {self.threshold:g}"
        return {**said, "search": f"text, {name}{limit}", "ontology": self.ontology.describe()}

    def start(self) -> Worker:
        """Load the model once, in the process that will use it.

        Raises:
            MaskletError: When the model or the detector cannot be loaded.
        """
        from masklet.weights.load import load_model

        if self.num_threads is not None:
            import torch

            torch.set_num_threads(self.num_threads)
        loaded = load_model(self.model, device=self.device)
        return LabelWorker(self, loaded, make_finder(self, loaded))


def make_finder(job: LabelJob, loaded: LoadedModel) -> Finder:
    """The finder that a job asks for.

    Raises:
        MaskletError: When the detector cannot be loaded.
    """
    if job.ontology is None:
        return AutoFinder(loaded, preset=job.preset)
    from masklet.pipeline.text_finder import TextFinder
    from masklet.predictors.image import ImagePredictor

    grounder = (
        load_named_grounder(job.grounder, job.device) if isinstance(job.grounder, str) else job.grounder()
    )
    return TextFinder(ImagePredictor(loaded), grounder, job.ontology, threshold=job.threshold)


def load_named_grounder(name: str, device: str) -> Grounder:
    """A detector by name.

    Raises:
        MaskletError: When there is none of this name, or it cannot be loaded.
    """
    from masklet.grounding.registry import load_grounder

    return load_grounder(name, device=device)


class LabelWorker:
    """Labels one file after the other with one model."""

    def __init__(self, job: LabelJob, loaded: LoadedModel, finder: Finder) -> None:
        """Keep what was loaded."""
        self._job = job
        self._loaded = loaded
        self._finder = finder

    def __call__(self, item: Item) -> Outcome:
        """Label a file and write its document.

        Raises:
            MaskletError: When the file cannot be read or the document cannot be written.
        """
        ontology = self._job.ontology
        with storage.local_copy(item.uri) as path:
            input_sha256, num_bytes = storage.digest_of(path)
            found = label_file(
                path,
                self._finder,
                lambda: self._loaded,
                name=item.name,
                names=() if ontology is None else ontology.names,
                options=self._job.options,
            )
        content = dumps(found.project)
        output = storage.join(self._job.documents, f"{item.key}.json")
        storage.write(output, content)
        return Outcome(
            output=output,
            output_sha256=hashlib.sha256(content).hexdigest(),
            input_sha256=input_sha256,
            input_bytes=num_bytes,
            numbers={
                "frames": found.project.video.num_frames or 0,
                "key_frames": found.num_key_frames,
                "objects": len(found.project.tracks),
                "confidences": json.dumps({str(i): round(one, 6) for i, one in found.confidences.items()}),
            },
        )
