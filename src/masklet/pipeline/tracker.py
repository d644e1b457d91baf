"""The tracker that the pipeline uses outside of tests: a masklet model in a VideoSession."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.pipeline.job import TrackingSession
from masklet.video.source import FrameSource

if TYPE_CHECKING:
    from masklet.predictors.video import SessionOptions
    from masklet.weights.load import LoadedModel

_SPARE_MEMORIES = 2  # times as many as are read at once, because a policy may skip some frames


class ModelTracker:
    """Opens video sessions of one model, which is loaded when it is first needed."""

    def __init__(
        self,
        model: str = "compact",
        *,
        device: str = "auto",
        policy: str = "recent",
        load: Callable[..., LoadedModel] | None = None,
        is_compiled: bool = False,
    ) -> None:
        """Remember what to load; torch is not imported yet.

        Args:
            model: Name of a preset, a weights file or a folder in transformers' layout.
            device: "auto", "cpu", "cuda", "cuda:N" or "mps".
            policy: Name of a memory policy.
            load: Loads a model by name, for a ``device``; None for ``load_model``.
            is_compiled: Whether frames of a SAM 2 model are compiled and followed without waiting for the device.
        """
        self._name = model
        self._device = device
        self._policy = policy
        self._load = load
        self._is_compiled = is_compiled

    @cached_property
    def model(self) -> LoadedModel:
        """The model.

        Raises:
            WeightsError: When it cannot be found or read.
            ConfigError: When the device is not there.
        """
        from masklet.weights.load import load_model

        return (self._load or load_model)(self._name, device=self._device)

    def identity(self) -> Mapping[str, str]:
        """Model, weights, device, runtime, precision and policy, in words.

        Raises:
            ConfigError: When there is no such policy.
        """
        from masklet.tracking.policy import choose_policy

        policy = choose_policy(self._policy)
        return {
            "model": self.model.name,
            "weights": self.model.weights_sha256 or "random",
            "device": str(self.model.device),
            "runtime": f"{self.model.runtime}, compiled" if self._is_compiled else self.model.runtime,
            "precision": str(self.model.precision.dtype).removeprefix("torch."),
            "policy": policy.name,
        }

    def open(self, source: FrameSource, *, num_objects: int) -> TrackingSession:
        """A new session that will follow so many objects."""
        from masklet.predictors.video import VideoSession

        return VideoSession(self.model, source, policy=self._policy, options=self._options(num_objects))

    def reopen(self, path: Path, source: FrameSource, *, num_objects: int) -> TrackingSession:
        """The session that was saved to a file.

        Raises:
            MaskletError: When the file is damaged or belongs to another model.
        """
        from masklet.predictors.video import VideoSession

        return VideoSession.load(
            path, self.model, source, policy=self._policy, options=self._options(num_objects)
        )

    def _options(self, num_objects: int) -> SessionOptions:
        """Room for every memory that tracking still reads: a run is resumed from those that were saved."""
        from masklet.predictors.compilation import Compilation
        from masklet.predictors.video import ARCHIVE_BYTES, SessionOptions

        config = self.model.config
        entry_bytes = 4 * config.memory_channels * config.grid**2 + 2 * config.mask_side**2
        needed = num_objects * config.max_pointers * _SPARE_MEMORIES * entry_bytes
        return SessionOptions(
            archive_bytes=max(ARCHIVE_BYTES, needed),
            compilation=Compilation() if self._is_compiled else None,
        )
