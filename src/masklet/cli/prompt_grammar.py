"""The short form of prompts on the command line, and the error that says what is wrong with one.

prompt  = [target ":"] part {part}
target  = OBJECT "@" FRAME                    for a video, where it must be given
| OBJECT                              for an image, where it may be left out
part    = ("+" | "-") X "," Y                 a click on the object, or off it
| "box" X0 "," Y0 "," X1 "," Y1       left, top, right and bottom edge
"""

from __future__ import annotations

import re

from masklet.errors import PromptError
from masklet.geometry import Box
from masklet.pipeline.job import ObjectPrompt
from masklet.prompts import Click, PromptSet

VIDEO_EXAMPLE = "1@0: +320,240 -100,50"
IMAGE_EXAMPLE = "+320,240 -100,50"

_NUMBER = r"(-?\d{1,9}(?:\.\d{1,9})?)"
_CLICK = re.compile(rf"([+-]){_NUMBER},{_NUMBER}")
_BOX = re.compile(",".join([_NUMBER] * 4))
_VIDEO_TARGET = re.compile(r"(\d{1,9})@(\d{1,9})")
_IMAGE_TARGET = re.compile(r"(\d{1,9})(?:@0)?")
_COMMA = re.compile(r"\s*,\s*")


def parse_video_prompt(text: str) -> ObjectPrompt:
    """Read ``"1@0: +320,240 -100,50"`` or ``"2@15: box 10,20,200,240"``; clicks and a box may be combined.

    Args:
        text: One prompt.

    Raises:
        PromptError: Says what came and how it is written.
    """
    target, colon, rest = text.partition(":")
    if not colon:
        raise PromptError(
            f"The prompt {text!r} does not say which object and frame it means; {_advice(VIDEO_EXAMPLE)}."
        )
    object_id, frame = parse_target(target)
    return ObjectPrompt(object_id=object_id, frame=frame, prompts=_parse_parts(rest, text, VIDEO_EXAMPLE))


def parse_image_prompt(text: str) -> ObjectPrompt:
    """Read ``"+320,240"``, or ``"2: box 10,20,200,240"`` for another object than the first.

    Args:
        text: One prompt.

    Returns:
        A prompt on frame 0.

    Raises:
        PromptError: Says what came and how it is written.
    """
    target, colon, rest = text.partition(":")
    if not colon:
        return ObjectPrompt(object_id=1, frame=0, prompts=_parse_parts(text, text, IMAGE_EXAMPLE))
    found = _IMAGE_TARGET.fullmatch(target.strip())
    if found is None:
        raise PromptError(
            f"The prompt {text!r} names the object {target.strip()!r}, but an object in an image is a whole number; "
            f'write for example "2: {IMAGE_EXAMPLE}".'
        )
    return ObjectPrompt(object_id=int(found[1]), frame=0, prompts=_parse_parts(rest, text, IMAGE_EXAMPLE))


def parse_target(text: str) -> tuple[int, int]:
    """Read ``"1@0"``.

    Args:
        text: Object and frame.

    Returns:
        Object id and frame index.

    Raises:
        PromptError: When it is not two whole numbers around an "@".
    """
    found = _VIDEO_TARGET.fullmatch(text.strip())
    if found is None:
        raise PromptError(
            f"{text.strip()!r} is not an object and a frame; write OBJECT@FRAME with whole numbers, "
            "for example 1@0 for object 1 on the first frame."
        )
    return int(found[1]), int(found[2])


def format_prompt(prompt: ObjectPrompt) -> str:
    """The short form of clicks and a box, which parses to an equal prompt.

    Args:
        prompt: A prompt without a mask.

    Raises:
        PromptError: When it has a mask, for which there is no short form.
    """
    if prompt.prompts.mask is not None:
        raise PromptError("A mask has no short form; give it as a file.")
    parts = [f"{'+' if c.positive else '-'}{_number(c.x)},{_number(c.y)}" for c in prompt.prompts.clicks]
    if prompt.prompts.box is not None:
        parts.append("box " + ",".join(_number(edge) for edge in prompt.prompts.box.xyxy))
    return f"{prompt.object_id}@{prompt.frame}: {' '.join(parts)}"


def _parse_parts(rest: str, text: str, example: str) -> PromptSet:
    words = iter(_COMMA.sub(",", rest).split())
    clicks: list[Click] = []
    box: Box | None = None
    for word in words:
        if word.lower() != "box":
            clicks.append(_parse_click(word, text, example))
        elif box is None:
            box = _parse_box(next(words, ""), text)
        else:
            raise PromptError(
                f"The prompt {text!r} has two boxes; an object takes one box on a frame, leave one out."
            )
    if not clicks and box is None:
        raise PromptError(f"The prompt {text!r} has no click and no box; {_advice(example)}.")
    return PromptSet(clicks, box)


def _parse_click(word: str, text: str, example: str) -> Click:
    found = _CLICK.fullmatch(word)
    if found is None:
        raise PromptError(
            f"{word!r} in the prompt {text!r} is neither a click (+X,Y on the object, -X,Y off it) nor a box "
            f"(box X0,Y0,X1,Y1); {_advice(example)}."
        )
    sign, x, y = found.groups()
    return Click(float(x), float(y), positive=sign == "+")


def _parse_box(word: str, text: str) -> Box:
    found = _BOX.fullmatch(word)
    if found is None:
        raise PromptError(
            f"The box {word!r} in the prompt {text!r} is not four numbers with commas between; "
            'write left, top, right and bottom edge, for example "box 10,20,200,240".'
        )
    x0, y0, x1, y1 = (float(edge) for edge in found.groups())
    return Box(x0, y0, x1, y1)


def _advice(example: str) -> str:
    return f'write for example "{example}"'


def _number(value: float) -> str:
    """As few digits as the grammar takes and the value needs."""
    return f"{value:.9f}".rstrip("0").rstrip(".")
