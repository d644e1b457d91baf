"""Which frames of an object count. The published protocols differ in nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from masklet.evaluation.datasets import Clip
from masklet.evaluation.layouts import LayoutName
from masklet.masks import rle
from masklet.masks.rle import RLE

Beginning: TypeAlias = Literal["clip", "seen", "prompt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """How frames are chosen.

    Args:
        beginning: From where on frames count: "clip", the first annotated frame of the clip (DAVIS); "seen",
            the first counted frame on which the object is in the truth or in the prediction (SA-V, and the
            scorer that the SAM 2 paper uses on MOSE, LVOS and YouTube-VOS); "prompt", the first frame that shows
            the object, which is where it is prompted (masklet's own runs).
        is_end_left_out: Whether the first and the last of these annotated frames do not count.
    """

    beginning: Beginning
    is_end_left_out: bool

    @property
    def words(self) -> str:
        """The rule in words, for reports."""
        begins = {
            "clip": "every annotated frame of the clip",
            "seen": "annotated frames from the first on which truth or prediction shows the object",
            "prompt": "annotated frames from the one that is prompted",
        }[self.beginning]
        return f"{begins}, {'without the first and the last' if self.is_end_left_out else 'all of them'}"

    def candidates(self, clip: Clip, object_id: int) -> tuple[int, ...]:
        """Frames that can count, whatever is predicted."""
        annotated = annotated_frames(clip.truth[object_id])
        if self.beginning == "prompt":
            first = clip.first_frame(object_id)
            annotated = () if first is None else tuple(at for at in annotated if at >= first)
        return annotated[1:-1] if self.is_end_left_out else annotated

    def counted(self, clip: Clip, object_id: int, predicted: Sequence[RLE | None]) -> tuple[int, ...]:
        """Frames that count.

        Args:
            clip: The clip.
            object_id: One of its objects.
            predicted: One entry per frame, None for an empty mask.

        Returns:
            Frame indices in order; none when the truth never shows the object on frames that can count, as
            the public scorers do.
        """
        candidates = self.candidates(clip, object_id)
        truth = clip.truth[object_id]
        if self.beginning == "clip":
            return candidates
        if not any(_is_shown(truth[at]) for at in candidates):
            return ()
        if self.beginning == "prompt":
            return candidates
        first = next(at for at in candidates if _is_shown(truth[at]) or _is_shown(predicted[at]))
        return tuple(at for at in candidates if at >= first)


DAVIS = Counting(beginning="clip", is_end_left_out=True)
SAV = Counting(beginning="seen", is_end_left_out=True)
ALL_FRAMES = Counting(beginning="seen", is_end_left_out=False)
PROMPTED = Counting(beginning="prompt", is_end_left_out=True)

USUAL: dict[LayoutName, Counting] = {
    "davis": DAVIS,
    "packed": DAVIS,
    "sav": SAV,
    "mose": SAV,
    "lvos": ALL_FRAMES,
    "youtube-vos": ALL_FRAMES,
}
"""What each data set is scored by unless told otherwise."""


def annotated_frames(truth: Sequence[RLE | None]) -> tuple[int, ...]:
    """Indices of the frames that somebody annotated."""
    return tuple(index for index, found in enumerate(truth) if found is not None)


def _is_shown(mask: RLE | None) -> bool:
    return mask is not None and rle.area(mask) > 0
