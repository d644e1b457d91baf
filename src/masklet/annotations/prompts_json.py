"""Prompts as JSON values."""

from __future__ import annotations

import math
from typing import cast

from masklet.annotations.fields import Fields, is_finite_number
from masklet.errors import FormatError, PromptError
from masklet.masks import rle
from masklet.prompts import Click, PromptSet


def prompts_to_json(prompts: PromptSet) -> dict[str, object]:
    """Write a prompt set; parts that are not there are left out.

    Returns:
        ``{"clicks": [[x, y, positive], ...], "box": [x0, y0, x1, y1], "mask": {"size": ..., "counts":
        ...}}``. Coordinates are written in full: rounded, a click at the edge could end up outside of the
        image.

    Raises:
        FormatError: When an edge of the box is not finite.
    """
    document: dict[str, object] = {}
    if prompts.clicks:
        document["clicks"] = [[float(click.x), float(click.y), click.positive] for click in prompts.clicks]
    if prompts.box is not None:
        if not all(math.isfinite(edge) for edge in prompts.box.xyxy):
            raise FormatError(
                f"The box {prompts.box.xyxy} has an edge that is not finite; clip it to the image."
            )
        document["box"] = [float(edge) for edge in prompts.box.xyxy]
    if prompts.mask is not None:
        document["mask"] = rle.to_json(rle.encode(prompts.mask.mask))
    return document


def prompts_from_json(value: object, where: str = "A prompt set") -> PromptSet:
    """Read what prompts_to_json wrote.

    Args:
        value: The parsed JSON.
        where: Name of the place, for messages.

    Raises:
        FormatError: When the value is no valid prompt set.
    """
    fields = Fields(value, where)
    fields.check_names({"clicks", "box", "mask"})
    clicks = [_click(item, where) for item in fields.items("clicks")] if fields.has("clicks") else []
    box = fields.numbers("box", 4) if fields.has("box") else None
    mask = rle.decode(rle.from_json(fields.raw("mask"))) if fields.has("mask") else None
    try:
        return PromptSet(clicks, None if box is None else (box[0], box[1], box[2], box[3]), mask)
    except PromptError as error:
        raise FormatError(f"{where}: {error}") from error


def _click(value: object, where: str) -> Click:
    parts = cast("list[object]", value) if isinstance(value, list) else []
    if len(parts) != 3 or not all(is_finite_number(part) for part in parts[:2]) or type(parts[2]) is not bool:
        raise FormatError(f"{where}: a click must be [x, y, positive], two numbers and true or false.")
    return Click(float(cast("float", parts[0])), float(cast("float", parts[1])), parts[2])
