"""What the page's own tests compare with: one small scene and, for every case, the mean colours of its squares.

usage: effect_fixtures.py FILE
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np
from effect_scenes import cases, scenes

from masklet.effects import compose

SIDE = 8


def describe():
    """The scene, the settings and the means, as JSON; equal for equal effects."""
    scene = scenes()[0]
    height, width = scene.frame.shape[:2]
    drawn = {
        name: squares(compose(scene.frame, scene.masks, settings, scene.index))
        for name, settings in cases().items()
    }
    return (
        json.dumps(
            {
                "width": width,
                "height": height,
                "index": scene.index,
                "side": SIDE,
                "frame": encoded(scene.frame),
                "masks": {str(key): encoded(np.packbits(mask)) for key, mask in scene.masks.items()},
                "cases": {
                    name: {"settings": settings.to_json(), "means": encoded(drawn[name])}
                    for name, settings in cases().items()
                },
            },
            indent=1,
        )
        + "\n"
    )


def squares(image):
    """Mean colours of squares, rounded down, uint8."""
    height, width = image.shape[:2]
    blocks = image.reshape(height // SIDE, SIDE, width // SIDE, SIDE, 3).astype(np.int64)
    return (blocks.sum(axis=(1, 3)) // SIDE**2).astype(np.uint8)


def encoded(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(describe(), encoding="utf-8")
