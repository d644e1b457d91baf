"""Follow one object through a video.

Run it as: python examples/video.py VIDEO X Y
"""

import sys

import masklet

path, x, y = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
with masklet.VideoSession(masklet.load_model("compact"), path) as session:
    session.prompt(object_id=1, frame=0, prompts=masklet.PromptSet(clicks=[masklet.Click(x, y)]))
    for frame in session.track():
        print(f"frame {frame.index}: {frame.area[1]} pixels, visible {frame.presence[1]:.0%}")
