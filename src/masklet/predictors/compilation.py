"""How the frames of a video are computed where they are compiled: the option, and torch.compile as it is used here.

Every function is compiled for fixed shapes and as one graph: whatever would make the host wait for the device in the middle
is an error when it is compiled, not a slow frame. Compiled code stays in the user's cache from run to run.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

import torch
from torch import nn

from masklet.errors import ConfigError
from masklet.models.model import SegmentationModel
from masklet.weights.download import assets_folder

_MOST_SHAPES = 256
"""Shapes one function may be compiled for; torch's own limit is 8, and buckets of objects and prompts are more."""
_CACHE_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"
_log = logging.getLogger(__name__)
_State = tuple[tuple[int, int], ...]
_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """How frames are computed where they are compiled.

    Attributes:
        backend: What ``torch.compile`` hands its graphs to; "none" compiles nothing and keeps the rest: frames encoded in
            batches beside tracking, masks packed on the device, nothing that waits within a frame.
        uses_graphs: Whether, on a CUDA device, a frame is recorded once per shape and played back with one launch.
        frames_at_once: Frames that are encoded as one batch, 1 to 8.
        folder: Where compiled code is kept; None for a folder in the user's cache, or what TORCHINDUCTOR_CACHE_DIR says.
    """

    backend: Literal["inductor", "aot_eager", "eager", "none"] = "inductor"
    uses_graphs: bool = True
    frames_at_once: int = 4
    folder: Path | None = None

    def __post_init__(self) -> None:
        """Refuse batches that gain nothing."""
        if not 1 <= self.frames_at_once <= 8:
            raise ConfigError(
                f"frames_at_once must be from 1 to 8, got {self.frames_at_once}; larger batches only wait longer."
            )

    def compiled(self, function: Callable[_Given, _Found]) -> Callable[_Given, _Found]:
        """The function, compiled for every shape it is called with when it is first called so."""
        if self.backend == "none":
            return function
        if self.backend == "inductor":
            self._keep_code()
        made = torch.compile(function, backend=self.backend, fullgraph=True, dynamic=False)

        def call(*args: _Given.args, **kwargs: _Given.kwargs) -> _Found:
            with _many_shapes():
                return made(*args, **kwargs)

        return call

    def _keep_code(self) -> None:
        """Let compiled code stay where the next run finds it; torch's own place is lost with the machine's temporary files."""
        if self.folder is None and _CACHE_VARIABLE in os.environ:
            return
        try:
            os.environ[_CACHE_VARIABLE] = str(self.folder or assets_folder("compiled"))
        except OSError as error:
            _log.info("There is no place to keep compiled code: %s", error)


@contextmanager
def _many_shapes() -> Iterator[None]:
    # only who compiles pays for the import
    import torch._dynamo.config as settings

    with settings.patch(recompile_limit=_MOST_SHAPES, accumulated_recompile_limit=8 * _MOST_SHAPES):
        yield


_copies: weakref.WeakKeyDictionary[SegmentationModel, dict[torch.dtype, tuple[_State, SegmentationModel]]] = (
    weakref.WeakKeyDictionary()
)


def with_weights_in(model: SegmentationModel, dtype: torch.dtype) -> SegmentationModel:
    """The model with the weights of its products in the type that autocast would bring them to at every use.

    The values are the same; a frame no longer reads every weight in float32 to round it. One copy is made for all sessions,
    and a new one when the weights have changed. In float32 it is the model itself.
    """
    if dtype == torch.float32:
        return model
    known, state = _copies.setdefault(model, {}), _state(model)
    if dtype not in known or known[dtype][0] != state:
        copied = deepcopy(model)
        for layer in copied.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                layer.to(dtype)
        known[dtype] = state, copied
    return known[dtype][1]


def _state(model: SegmentationModel) -> _State:
    """Where each weight is, and how often it was changed in place; changes of inference tensors are not counted."""
    return tuple(
        (one.data_ptr(), 0 if one.is_inference() else one._version) for one in model.state_dict().values()
    )
