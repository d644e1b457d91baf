"""Prompts that come from files: a JSON list of prompts, and images of masks."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from masklet.cli.prompt_grammar import parse_target
from masklet.errors import MediaLimitError, PromptError, UnsupportedMediaError
from masklet.geometry import Box
from masklet.pipeline.job import ObjectPrompt
from masklet.prompts import Click, MaskPrompt, PromptSet
from masklet.video.boundary import checked_file, media_errors
from masklet.video.pixels import MAX_PIXELS

_KEYS = {"object", "frame", "clicks", "box", "mask"}
_MASK_FORMATS = ("PNG", "BMP", "TIFF", "GIF", "WEBP")
_MAX_BYTES = 64 * 1024 * 1024
_LAYOUT = (
    '{"prompts": [{"object": 1, "frame": 0, "clicks": [[x, y, 1], [x, y, 0]], "box": [x0, y0, x1, y1] or null, '
    '"mask": "file.png" or null}]}'
)


def parse_mask_option(text: str) -> ObjectPrompt:
    """Read ``"1@0=first.png"``.

    Args:
        text: Object, frame and path of a mask image.

    Raises:
        PromptError: When the option is malformed or the mask is empty.
        MediaError: When the file is not a readable image.
    """
    target, sign, path = text.partition("=")
    if not sign or not path.strip():
        raise PromptError(
            f"The mask {text!r} is not OBJECT@FRAME=FILE; write for example 1@0=first.png for object 1 on the first frame."
        )
    object_id, frame = parse_target(target)
    mask = read_mask(Path(path.strip()), object_id)
    return ObjectPrompt(object_id=object_id, frame=frame, prompts=PromptSet(mask=mask))


def read_mask(path: Path, object_id: int) -> MaskPrompt:
    """The mask of one object from an image.

    Args:
        path: An image. When it is indexed and holds ``object_id``, those pixels are the mask; else all that are not
            zero (in an image with transparency: not zero and not fully transparent).
        object_id: The object, 1 to 255.

    Raises:
        PromptError: When no pixel is on.
        MediaError: When the file is not a readable image.
    """
    mask = _mask_pixels(path, object_id)
    if not mask.any():
        raise PromptError(f"The mask image {path} has no pixel that is not zero; paint the object in it.")
    return MaskPrompt(mask)


def read_prompts_file(path: Path) -> list[ObjectPrompt]:
    """Read a prompts file; paths of masks are relative to its folder.

    Args:
        path: The JSON file.

    Raises:
        PromptError: Says which entry is malformed and how it should look.
        MediaError: When a mask is not a readable image.
    """
    document = _read_json(path)
    entries = document.get("prompts") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise PromptError(f"{path} holds no list of prompts; it should look like {_LAYOUT}.")
    return [
        _read_entry(entry, f"Prompt {number} of {path}", path.parent)
        for number, entry in enumerate(cast("list[object]", entries), start=1)
    ]


def _mask_pixels(path: Path, object_id: int) -> npt.NDArray[np.bool_]:
    file = checked_file(path)
    with media_errors(repr(file.name)):
        try:
            image = Image.open(file, formats=_MASK_FORMATS)
        except UnidentifiedImageError as error:
            raise UnsupportedMediaError(
                f"The mask image {path} is none of {', '.join(_MASK_FORMATS)}; save it as PNG (JPEG smears its edges)."
            ) from error
        with image:
            if image.width * image.height > MAX_PIXELS:
                raise MediaLimitError(
                    f"The mask image {path} has more than {MAX_PIXELS} pixels; make it smaller."
                )
            pixels: npt.NDArray[np.generic] = np.array(image)
            is_indexed, has_alpha = image.mode == "P", image.mode in ("LA", "RGBA")
    is_on = np.asarray(pixels != 0)
    is_object = np.asarray(pixels == object_id)
    if is_indexed and is_object.any():
        return is_object
    if has_alpha:
        return is_on[..., :-1].any(axis=-1) & is_on[..., -1]
    return np.asarray(np.atleast_3d(is_on).any(axis=-1))


def _read_json(path: Path) -> object:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise PromptError(
                f"{path} is larger than {_MAX_BYTES // 2**20} MiB, too large for a prompts file."
            )
        return json.loads(path.read_bytes())
    except OSError as error:
        raise PromptError(
            f"The prompts file {path} cannot be read ({error.strerror or error}); check the path."
        ) from error
    except (ValueError, RecursionError) as error:
        raise PromptError(
            f"The prompts file {path} is not JSON ({error}); it should look like {_LAYOUT}."
        ) from error


def _read_entry(entry: object, where: str, folder: Path) -> ObjectPrompt:
    if not isinstance(entry, dict):
        raise PromptError(f"{where} is not an object; it should look as in {_LAYOUT}.")
    values = cast("dict[str, object]", entry)
    unknown = sorted(set(values) - _KEYS)
    if unknown:
        raise PromptError(
            f"{where} has the unknown key {unknown[0]!r}; the keys are {', '.join(sorted(_KEYS))}."
        )
    object_id, frame = (
        _whole(values.get("object"), "object", where),
        _whole(values.get("frame", 0), "frame", where),
    )
    clicks = _read_clicks(values.get("clicks"), where)
    box = None if values.get("box") is None else Box(*_numbers(values["box"], 4, "box", where))
    mask = _read_mask_value(values.get("mask"), object_id, where, folder)
    if not clicks and box is None and mask is None:
        raise PromptError(f"{where} has no click, no box and no mask; give at least one.")
    return ObjectPrompt(object_id=object_id, frame=frame, prompts=PromptSet(clicks, box, mask))


def _read_clicks(value: object, where: str) -> list[Click]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise PromptError(f"{where} has clicks that are not a list of [x, y, 1] or [x, y, 0].")
    clicks: list[Click] = []
    for item in cast("list[object]", value):
        x, y, label = _numbers(item, 3, "click", where)
        if label not in (0, 1):
            raise PromptError(
                f"{where} has a click with the label {label:g}; 1 means on the object, 0 off it."
            )
        clicks.append(Click(x, y, positive=label == 1))
    return clicks


def _read_mask_value(value: object, object_id: int, where: str, folder: Path) -> MaskPrompt | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value or "\0" in value:
        raise PromptError(f"{where} has a mask that is not the name of an image file.")
    return read_mask(folder / value, object_id)


def _whole(value: object, key: str, where: str) -> int:
    if type(value) is not int:
        raise PromptError(f"{where} needs a whole number as {key!r}, got {str(value)[:60]}.")
    return value


def _numbers(value: object, count: int, what: str, where: str) -> list[float]:
    items = cast("Sequence[object]", value) if isinstance(value, list) else ()
    numbers = [
        float(item) for item in items if type(item) is float or (type(item) is int and abs(item) < 1e9)
    ]
    if len(items) != count or len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise PromptError(f"{where} has a {what} that is not {count} numbers: {str(value)[:60]}.")
    return numbers
