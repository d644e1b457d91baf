"""Follow one object on a stream that is pushed frame by frame.

Run it as: python examples/live.py VIDEO X Y
"""

import sys

import masklet
from masklet.video import open_source

path, x, y = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
live = masklet.VideoSession(masklet.load_model("compact"))
prompts = {1: masklet.PromptSet(clicks=[masklet.Click(x, y)])}
for picture in open_source(path):  # a camera would do as well
    frame = live.step(picture.image, prompts if picture.index == 0 else None)
    print(f"frame {frame.index}: visible {frame.presence[1]:.0%}")
