"""Follow an object on a stream and write MOTS text files at the end; only the newest frame is ever held.

Run it as: python examples/live_to_mots.py VIDEO X Y OUT
"""

import sys
from pathlib import Path

import masklet
from masklet.annotations import FrameMask, Label, Project, Track, VideoFacts
from masklet.formats import Entry, LabelSet, write_labels
from masklet.geometry import Size
from masklet.masks import rle
from masklet.video import open_source

path, x, y, out = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])
live = masklet.VideoSession("compact")
prompts = {1: masklet.PromptSet(clicks=[masklet.Click(x, y)])}
seen: list[FrameMask] = []
size = Size(1, 1)
for picture in open_source(path):  # masklet.video.open_camera(0) would do as well
    frame = live.step(picture.image, prompts if picture.index == 0 else None)
    mask = frame.masks[1]
    size = Size(*mask.shape)
    seen.append(FrameMask(frame=frame.index, rle=rle.encode(mask) if mask.any() else None))

project = Project(
    video=VideoFacts(name="live", size=size, num_frames=len(seen)),
    labels={1: Label(id=1, name="car", color="#1e90ff")},
    tracks={1: Track(object_id=1, label_id=1, frames={one.frame: one for one in seen})},
)
write_labels(LabelSet(entries=(Entry(project=project),)), out, "mots")
print(f"{len(seen)} frames in {out}")
