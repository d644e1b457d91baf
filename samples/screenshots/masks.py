"""Exact masks of the marked elements of a page: the browser paints the page again, each element white and all else black.

So rounded corners, clipping, scrolling and what lies above what are those of the page itself. A pixel belongs to an
element when at least half of it is covered.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from PIL import Image
from playwright.sync_api import Page

_GAP = 2.0
"""CSS pixels that must lie between two elements which are painted together."""

# What hides what lies behind it is noted first; a scrim or a tinted glass does not.
_PREPARE = """() => {
    for (const element of document.querySelectorAll("body *")) {
        const colour = getComputedStyle(element).backgroundColor;
        const pen = document.createElement("canvas").getContext("2d");
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        if (pen.getImageData(0, 0, 1, 1).data[3] > 127 || element instanceof HTMLImageElement) element.dataset.solid = "";
    }
    const style = document.createElement("style");
    style.textContent = `
        *, *::before, *::after, *::placeholder { transition: none !important; animation: none !important;
            box-shadow: none !important; text-shadow: none !important; outline: none !important; opacity: 1 !important;
            filter: none !important; color: transparent !important; -webkit-text-fill-color: transparent !important;
            caret-color: transparent !important; background: none !important; border-color: transparent !important;
            appearance: none !important; }
        html { background: #000 !important; }
        img { object-position: 0 -100000px !important; }
        svg { visibility: hidden !important; }
        [data-solid] { background: #000 !important; border-color: #000 !important; }
        [data-found] [data-solid] { background: none !important; border-color: transparent !important; }
        [data-found]:not(svg) { background: #fff !important; border-color: #fff !important; }
        svg[data-found], svg[data-found] * { visibility: visible !important; color: #fff !important; }`;
    document.head.append(style);
    return [...document.querySelectorAll("[data-kind]")].map(element => {
        const box = element.getBoundingClientRect();
        return {kind: element.dataset.kind, box: [box.left, box.top, box.right, box.bottom]};
    });
}"""
_CHOOSE = """chosen => [...document.querySelectorAll("[data-kind]")].forEach((element, index) => {
    if (chosen.includes(index)) element.dataset.found = ""; else delete element.dataset.found;
})"""


class _Found(TypedDict):
    kind: str
    box: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A marked element as it is seen.

    Attributes:
        kind: What it is.
        mask: bool (h, w) in device pixels.
        visible: Part of its box that the mask fills; a rounded corner or a drawn sign fills less.
    """

    kind: str
    mask: np.ndarray
    visible: float


def element_masks(page: Page) -> list[Element]:
    """The marked elements of which anything is seen, in the order of the document.

    Args:
        page: A page that is laid out and whose pictures are loaded. It is painted over: take its picture first.
    """
    listed: list[_Found] = page.evaluate(_PREPARE)
    masks: dict[int, np.ndarray] = {}
    scale: float = page.evaluate("() => devicePixelRatio")
    for batch in batches([one["box"] for one in listed]):
        page.evaluate(_CHOOSE, batch)
        picture = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("L")
        is_white = np.asarray(picture) >= 128
        for index in batch:
            rows, columns = _window(listed[index]["box"], scale)
            mask = np.zeros(is_white.shape, dtype=np.bool_)
            mask[rows, columns] = is_white[rows, columns]
            masks[index] = mask
    return [
        Element(kind=one["kind"], mask=masks[index], visible=_share(masks[index], one["box"], scale))
        for index, one in enumerate(listed)
        if masks[index].any()
    ]


def batches(boxes: Sequence[Sequence[float]]) -> list[list[int]]:
    """Indices of boxes (left, top, right, bottom) that can be painted together: none touches another of its batch."""
    made: list[list[int]] = []
    for index, box in enumerate(boxes):
        for batch in made:
            if not any(_touch(box, boxes[other]) for other in batch):
                batch.append(index)
                break
        else:
            made.append([index])
    return made


def _touch(first: Sequence[float], second: Sequence[float]) -> bool:
    is_beside = first[2] + _GAP < second[0] or second[2] + _GAP < first[0]
    return not (is_beside or first[3] + _GAP < second[1] or second[3] + _GAP < first[1])


def _window(box: Sequence[float], scale: float) -> tuple[slice, slice]:
    """Pixels that a box touches."""
    left, top = (max(0, int(np.floor(edge * scale))) for edge in box[:2])
    right, bottom = (max(0, int(np.ceil(edge * scale))) for edge in box[2:])
    return slice(top, bottom), slice(left, right)


def _share(mask: np.ndarray, box: Sequence[float], scale: float) -> float:
    area = (box[2] - box[0]) * (box[3] - box[1]) * scale * scale
    return float(mask.sum()) / area if area > 0 else 0.0
