"""The table of effects, the font and the pictures as one JSON document, which the studio's page draws from."""

from __future__ import annotations

import json

from masklet.effects.base import Effect, Parameter
from masklet.effects.glyphs import font
from masklet.effects.shapes import shapes
from masklet.effects.table import BACKGROUNDS, OBJECTS
from masklet.video.overlay import object_color

_NUM_COLORS = 21


def catalogue() -> dict[str, object]:
    """Everything that the page needs to know of effects, as plain JSON values."""
    return {
        "backgrounds": [_effect_to_json(one) for one in BACKGROUNDS.values()],
        "objects": [_effect_to_json(one) for one in OBJECTS.values()],
        "object_colors": [list(object_color(number)) for number in range(1, _NUM_COLORS + 1)],
        "glyphs": {
            character: {
                "width": glyph.width,
                "strokes": [[number for point in stroke for number in point] for stroke in glyph.strokes],
            }
            for character, glyph in font().items()
        },
        "shapes": {
            name: [
                {
                    "color": list(patch.color),
                    "polygon": [number for point in patch.polygon for number in point],
                }
                for patch in shape
            ]
            for name, shape in shapes().items()
        },
    }


def dumps() -> str:
    """The document as text, equal for equal tables."""
    text = json.dumps(catalogue(), ensure_ascii=True, separators=(",", ":"))
    return f"{text}\n"


def _effect_to_json(effect: Effect) -> dict[str, object]:
    return {
        "id": effect.id,
        "label": effect.label,
        "variants": [
            {"id": one.id, "label": one.label, "values": dict(one.values)} for one in effect.variants
        ],
        "parameters": [_parameter_to_json(one) for one in effect.parameters],
    }


def _parameter_to_json(parameter: Parameter) -> dict[str, object]:
    return {
        "id": parameter.id,
        "label": parameter.label,
        "kind": parameter.kind,
        "default": parameter.default,
        "least": parameter.least,
        "most": parameter.most,
        "options": list(parameter.options),
    }
