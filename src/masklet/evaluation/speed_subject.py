"""Our own tracking in the form whose speed is measured: a session on frames that lie in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from masklet.errors import FormatError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.layouts import find_clips
from masklet.geometry import Size
from masklet.masks.arrays import ByteArray
from masklet.predictors.video import VideoSession
from masklet.prompts import Click, PromptSet
from masklet.video.frames import open_source
from masklet.video.source import ClosingSource, Frame
from masklet.weights.load import LoadedModel

_MOST_KEPT = 48


class EndlessClip(ClosingSource):
    """Frames in memory, shown forward and backward over and over until there are enough."""

    name, fps = "frames in memory", None

    def __init__(self, images: Sequence[ByteArray], num_frames: int) -> None:
        self._images, self._num_frames = images, num_frames

    @property
    def size(self) -> Size:
        """Size of every frame."""
        return Size(*self._images[0].shape[:2])

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return self._num_frames

    def read(self, index: int) -> Frame:
        """One frame."""
        turn = index % max(2 * len(self._images) - 2, 1)
        place = min(turn, 2 * len(self._images) - 2 - turn) if len(self._images) > 1 else 0
        return Frame(index=index, pts_s=None, image=self._images[place])

    def __iter__(self) -> Iterator[Frame]:
        """Frames in order."""
        return (self.read(index) for index in range(self._num_frames))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpeedSubject:
    """Follows objects from a click each; called with a length and a number of objects.

    Args:
        model: The network.
        policy: The memory policy.
        images: Frames, RGB uint8 (h, w, 3), at least one.
    """

    model: LoadedModel
    policy: str
    images: Sequence[ByteArray]

    def __call__(self, length: int, num_objects: int) -> Iterator[None]:
        """Click on the first frame, then track; where the clicks lie does not matter to the time."""
        source = EndlessClip(self.images, length)
        with VideoSession(self.model, source, policy=self.policy) as session:
            for object_id, (x, y) in enumerate(places(num_objects, source.size), start=1):
                session.prompt(object_id, 0, PromptSet(clicks=[Click(x, y)]))
            for _ in session.track():
                yield None


def places(number: int, size: Size) -> list[tuple[float, float]]:
    """So many points (x, y) spread over a grid on a frame."""
    side = math.ceil(math.sqrt(number))
    return [
        (size.width * (index % side + 0.5) / side, size.height * (index // side + 0.5) / side)
        for index in range(number)
    ]


def first_frames(data: Path, most: int = _MOST_KEPT) -> list[ByteArray]:
    """The first frames of a video file or folder of images, or of the first clip of a data set.

    Args:
        data: A video file, a folder of images, a packed tar or a data set's folder.
        most: Most frames.

    Raises:
        FormatError: When there is nothing there.
        MediaError: When it is a file that is no video.
    """
    if not data.exists():
        raise FormatError(f"There is no data at {data}; give a video, a packed tar or a folder.")
    if (
        data.suffix.lower() == ".tar"
        or (data / "Annotations").is_dir()
        or (data / "Annotations_6fps").is_dir()
    ):
        _, clips = find_clips(data)
        if not clips:
            raise FormatError(f"{data.name} holds no clip; give a video, a packed tar or a folder.")
        clip: Clip = clips[0].read().clip
        return [clip.frame(index) for index in range(min(clip.num_frames, most))]
    with open_source(data) as source:
        images: list[ByteArray] = []
        for frame in source:
            images.append(frame.image)
            if len(images) == most:
                break
    return images
