"""The state of SAM 2's video predictor: a session, and the callers' object ids."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field

import torch

from masklet.errors import SessionError
from masklet.geometry import Size
from masklet.predictors.video import VideoSession


@dataclass(slots=True, kw_only=True, eq=False)
class InferenceState(Mapping[str, object]):
    """What ``init_state`` returns.

    Existing code reads some entries by name, as from a mapping: "num_frames", "video_height", "video_width", "device",
    "storage_device", "obj_ids", "obj_id_to_idx" and "obj_idx_to_id". They cannot be written.

    Attributes:
        session: The session.
        size: Size of the video.
        num_frames: Its frames.
        storage_device: Where masks are given out.
        inner_ids: Our object id of each of the callers' ids, in the order they came.
    """

    session: VideoSession
    size: Size
    num_frames: int
    storage_device: torch.device
    inner_ids: dict[Hashable, int] = field(default_factory=dict)
    _last_id: int = 0

    @property
    def obj_ids(self) -> list[Hashable]:
        """The callers' object ids, in the order they came."""
        return list(self.inner_ids)

    def inner_id(self, obj_id: Hashable, *, is_new_allowed: bool) -> int:
        """Our id of an object.

        Raises:
            SessionError: When there is no such object and none may be made.
        """
        if obj_id not in self.inner_ids:
            if not is_new_allowed:
                known = ", ".join(str(one) for one in self.inner_ids) or "none"
                raise SessionError(f"There is no object {obj_id!r} in this state; the objects are: {known}.")
            self._last_id += 1
            self.inner_ids[obj_id] = self._last_id
        return self.inner_ids[obj_id]

    def _entries(self) -> dict[str, object]:
        return {
            "num_frames": self.num_frames,
            "video_height": self.size.height,
            "video_width": self.size.width,
            "device": self.session.model.device,
            "storage_device": self.storage_device,
            "obj_ids": self.obj_ids,
            "obj_id_to_idx": {obj_id: index for index, obj_id in enumerate(self.inner_ids)},
            "obj_idx_to_id": dict(enumerate(self.inner_ids)),
        }

    def __getitem__(self, name: str) -> object:
        """An entry by its name."""
        return self._entries()[name]

    def __iter__(self) -> Iterator[str]:
        """Names of the entries."""
        return iter(self._entries())

    def __len__(self) -> int:
        """Number of entries."""
        return len(self._entries())
