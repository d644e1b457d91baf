"""A second look at small objects: the window around the first answer is encoded alone, enlarged.

A small model sees the whole image at a few hundred pixels a side, so that a small object is a few cells of its mask. A
second pass over the window around it costs one more encoding, and both answers together are better than either.
Source: ours; cropping around a click is old in interactive segmentation (Sofiiuk et al. 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F

from masklet.geometry import Box, Size
from masklet.predictors.embedding import Embedding
from masklet.predictors.preprocess import PostProcess, tidy_masks
from masklet.predictors.results import Masks
from masklet.prompts import Click, PromptSet
from masklet.tracking.clicked_parts import keep_parts_in_image

_MARGIN = 2.0
_MIN_SIDE = 48
_MOST_SHARE = 0.55
_FIRST_SHARE = 0.5
_OUTSIDE_LOGIT = -2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Whole pixels of an image: columns [left, left + width), rows [top, top + height)."""

    left: int
    top: int
    width: int
    height: int

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """The part of an array (h, w, ...) that is seen."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]

    def holds(self, click: Click) -> bool:
        """Whether a click lies in it."""
        return 0 <= click.x - self.left < self.width and 0 <= click.y - self.top < self.height

    def inside(self, prompts: PromptSet) -> PromptSet:
        """The clicks and the box of a prompt set in pixels of the window; what lies outside is left out."""
        clicks = tuple(
            Click(click.x - self.left, click.y - self.top, click.positive)
            for click in prompts.clicks
            if self.holds(click)
        )
        box = prompts.box
        if box is None:
            return PromptSet(clicks=clicks)
        moved = Box(box.x0 - self.left, box.y0 - self.top, box.x1 - self.left, box.y1 - self.top)
        return PromptSet(clicks=clicks, box=moved.clipped(Size(self.height, self.width)))


def window_around(mask: np.ndarray, prompts: PromptSet) -> Window | None:
    """Where to look again.

    Args:
        mask: The first answer, bool (h, w).
        prompts: What was said; a box is looked at as it is, clicks with the mask they gave.

    Returns:
        The window, or None when it would show most of the image again, or nothing was found.
    """
    box = prompts.box or _box_of(mask, prompts)
    if box is None or prompts.mask is not None:
        return None
    height, width = mask.shape
    side = max(_MARGIN * max(box.x1 - box.x0, box.y1 - box.y0), _MIN_SIDE)
    across, down = min(round(side), width), min(round(side), height)
    if across * down > _MOST_SHARE * width * height:
        return None
    centre_x, centre_y = box.centre_xy
    left = min(max(round(centre_x - across / 2), 0), width - across)
    top = min(max(round(centre_y - down / 2), 0), height - down)
    return Window(left=left, top=top, width=across, height=down)


def _box_of(mask: np.ndarray, prompts: PromptSet) -> Box | None:
    """Box around a mask and the positive clicks; of an empty mask around all clicks, if there are both kinds.

    A click on a tiny object and one beside it lie in one cell of the first answer, which then finds nothing; how far they are
    apart tells where to look.
    """
    if not mask.any() and len({click.positive for click in prompts.clicks}) < 2:
        return None
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    is_empty = len(columns) == 0
    xs = [] if is_empty else [float(columns[0]), columns[-1] + 1.0]
    ys = [] if is_empty else [float(rows[0]), rows[-1] + 1.0]
    for click in prompts.clicks:
        if click.positive or is_empty:
            xs += [click.x, click.x + 1]
            ys += [click.y, click.y + 1]
    return Box(min(xs), min(ys), max(xs), max(ys))


def start_in(window: Window, logits: np.ndarray, side: int) -> np.ndarray:
    """The first answer in the window, as a mask to start from.

    Args:
        window: Where.
        logits: The first answer (h, w).
        side: Side of the decoder's masks.
    """
    seen = torch.from_numpy(np.ascontiguousarray(window.cut(logits)))[None, None]
    return F.interpolate(seen, size=(side, side), mode="bilinear", antialias=True)[0, 0].numpy()


def joined(first: np.ndarray, second: np.ndarray, window: Window, *, has_box: bool) -> np.ndarray:
    """Both answers as one: their mean in the window, nothing outside.

    Args:
        first: Logits of the whole image (h, w).
        second: Logits of the window.
        window: Where.
        has_box: Whether a box was given; then the second answer counts alone.
    """
    out = np.minimum(first, _OUTSIDE_LOGIT)
    # an object of which the first answer finds nothing is smaller than its cells: only the second can tell
    is_lost = not (window.cut(first) > 0).any()
    share = 0.0 if has_box or is_lost else _FIRST_SHARE
    window.cut(out)[:] = share * window.cut(first) + (1 - share) * second
    return out


def shrunk(logits: np.ndarray, side: int) -> np.ndarray:
    """Logits (h, w) at the decoder's size, for the next click."""
    return F.interpolate(torch.from_numpy(logits)[None, None], (side, side), mode="bilinear", antialias=True)[
        0, 0
    ].numpy()


class Segmenter(Protocol):
    """Segments single windows; see ImagePredictor."""

    @property
    def mask_side(self) -> int:
        """Side of the decoder's masks."""
        ...

    def embed_batch(self, images: Sequence[np.ndarray]) -> list[Embedding]:
        """Encode windows."""
        ...

    def predict_batch(
        self,
        embeddings: Sequence[Embedding],
        prompts: Sequence[Sequence[PromptSet]],
        *,
        multimask: bool | None,
        start_logits: Sequence[Sequence[np.ndarray | None] | None],
    ) -> list[list[Masks]]:
        """Segment one object per window."""
        ...


class SecondLook:
    """Looks again at small objects of an image."""

    def __init__(
        self, segmenter: Segmenter, post_process: PostProcess, *, keeps_clicked_parts: bool = False
    ) -> None:
        """Use what segments the windows, which must not look again itself; see ModelConfig on parts."""
        self._segmenter, self._post_process = segmenter, post_process
        self._keeps_clicked_parts = keeps_clicked_parts

    def answers(
        self,
        picture: np.ndarray,
        prompts: Sequence[PromptSet],
        first: Sequence[Masks],
        *,
        multimask: bool | None = None,
    ) -> dict[int, Masks]:
        """Both answers as one for each object that is looked at again, by its index.

        Args:
            picture: RGB uint8 (h, w, 3).
            prompts: What was said of each object.
            first: The first answers; of several candidates the best is looked at, the others stay.
            multimask: As in ``ImagePredictor.predict_objects``; only the best candidate of a window counts.
        """
        around = {
            index: window
            for index, (one, masks) in enumerate(zip(prompts, first, strict=True))
            if (window := window_around(masks.masks[0], one)) is not None
        }
        if not around:
            return {}
        side = self._segmenter.mask_side
        starts = [
            None if prompts[index].box is not None else start_in(window, first[index].logits[0], side)
            for index, window in around.items()
        ]
        found = self._segmenter.predict_batch(
            self._segmenter.embed_batch([np.ascontiguousarray(one.cut(picture)) for one in around.values()]),
            [[window.inside(prompts[index])] for index, window in around.items()],
            multimask=multimask,
            start_logits=[[start] for start in starts],
        )
        return {
            index: self._joined(first[index], second, window, prompts[index])
            for (index, window), (second,) in zip(around.items(), found, strict=True)
        }

    def _joined(self, first: Masks, second: Masks, window: Window, prompts: PromptSet) -> Masks:
        side, has_box = self._segmenter.mask_side, prompts.box is not None
        logits = joined(first.logits[0], second.logits[0], window, has_box=has_box)
        if self._keeps_clicked_parts:
            logits = keep_parts_in_image(torch.from_numpy(logits), prompts).numpy()
        cell = window.width * window.height / side**2
        mask = tidy_masks(torch.from_numpy(logits)[None], cell, self._post_process)
        score = second.scores[:1] if has_box else (first.scores[:1] + second.scores[:1]) / 2
        return Masks(
            masks=np.concatenate((mask, first.masks[1:])),
            scores=np.concatenate((score, first.scores[1:])),
            logits=np.concatenate((logits[None], first.logits[1:])),
            presence=first.presence,
            low_res_logits=np.concatenate((shrunk(logits, side)[None], first.low_res_logits[1:])),
        )
