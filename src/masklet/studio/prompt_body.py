"""Prompts of a request as prompts of masklet."""

from __future__ import annotations

from typing import Any

from masklet.annotations import prompts_from_json
from masklet.errors import FormatError, PromptError
from masklet.geometry import Size
from masklet.prompts import PromptSet
from masklet.studio.schemas import PromptBody


def prompts_of(body: PromptBody, size: Size | None) -> PromptSet:
    """The prompts of a request, checked against the frame.

    Args:
        body: What was sent.
        size: Size of the frame; None when it is not known yet.

    Raises:
        PromptError: When they are empty or do not fit.
    """
    if size is not None and body.mask is not None and body.mask.size != list(size.hw):
        raise PromptError(f"The mask must be {size.hw} (h, w) like the frame, got {body.mask.size}.")
    said: dict[str, Any] = {}
    if body.clicks:
        said["clicks"] = [list(one) for one in body.clicks]
    if body.box is not None:
        said["box"] = list(body.box)
    if body.mask is not None:
        said["mask"] = body.mask.model_dump()
    try:
        prompts = prompts_from_json(said, "The prompt")
    except FormatError as error:
        raise PromptError(str(error)) from error
    if size is not None:
        prompts.check_inside(size)
    return prompts
