"""Truth beside prediction on a few frames of a clip, and the frame on which an object fares worst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np

from masklet.errors import MaskletError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.page.document import tile
from masklet.evaluation.page.pictures import around, difference_over, image_tag, objects_over
from masklet.masks import rle
from masklet.masks.arrays import BoolArray, ByteArray
from masklet.masks.rle import RLE

_NUM_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A clip with the masks that were given and how they score.

    Args:
        clip: The clip with truth.
        masks: For each object the mask by frame; a frame left out is empty.
        region: For each object that was scored J by frame.
        j_and_f: Mean over the objects.
    """

    clip: Clip
    masks: Mapping[int, Mapping[int, RLE]]
    region: Mapping[int, Mapping[int, float]]
    j_and_f: float


def strip_of(answered: Answered) -> str:
    """Above the truth, below the prediction, on a few even frames of those that count."""
    clip = answered.clip
    frames = sorted({at for one in answered.region.values() for at in one})
    chosen = [frames[round(part * (len(frames) - 1))] for part in np.linspace(0, 1, _NUM_SHOWN)]
    figures: list[str] = []
    for index in dict.fromkeys(chosen):
        frame = _frame(clip, index)
        true = {i: _mask(clip, clip.truth[i][index]) for i in clip.object_ids}
        answer = {i: _mask(clip, found.get(index)) for i, found in answered.masks.items()}
        values = [one[index] for one in answered.region.values() if index in one]
        images = image_tag(
            objects_over(frame, true), alt=f"Truth on frame {index} of {clip.name}", width=260
        ) + image_tag(
            objects_over(frame, answer), alt=f"Prediction on frame {index} of {clip.name}", width=260
        )
        caption = f"frame {index} · J {np.mean(values):.2f}" if values else f"frame {index}"
        figures.append(f"<figure>{images}<figcaption>{caption}</figcaption></figure>")
    noun = "object" if len(answered.region) == 1 else "objects"
    return (
        f'<article class="strip"><header><h3>{escape(clip.name)}</h3>'
        f"<span>{len(answered.region)} {noun} · J&amp;F {100 * answered.j_and_f:.1f}</span></header>"
        f'<div class="frames">{"".join(figures)}</div></article>'
    )


def failure_of(answered: Answered, object_id: int) -> tuple[float, str]:
    """J of the worst frame of an object that was scored, and its tile."""
    clip, region = answered.clip, answered.region[object_id]
    index = min(region, key=lambda at: (region[at], at))
    true = _mask(clip, clip.truth[object_id][index])
    answer = _mask(clip, answered.masks[object_id].get(index))
    picture = around(difference_over(_frame(clip, index), answer, true), true | answer)
    words = f"object {object_id}, frame {index}, J {region[index]:.2f}"
    alt = f"Difference on frame {index} of {clip.name}"
    return region[index], tile(image_tag(picture, alt=alt), clip.name, words)


def _frame(clip: Clip, index: int) -> ByteArray:
    """The frame, or plain grey where the data set came without images."""
    try:
        return clip.frame(index)
    except MaskletError:
        return np.full((*clip.size.hw, 3), 96, dtype=np.uint8)


def _mask(clip: Clip, found: RLE | None) -> BoolArray:
    return rle.decode(rle.empty(clip.size) if found is None else found)
