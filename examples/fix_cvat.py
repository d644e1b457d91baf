"""Correct one object of a CVAT export with a click, and write it back; whatever is untouched stays as it was.

Run it as: python examples/fix_cvat.py annotations.xml IMAGES OUT.xml IMAGE_NUMBER OBJECT_NUMBER X Y
Both numbers count from 0, in the order of the file.
"""

import sys
from dataclasses import replace
from pathlib import Path

import masklet
from masklet.formats import LabelSet, Media, read_labels, write_labels
from masklet.masks import rle

source, images, out = map(Path, sys.argv[1:4])
image_number, object_number = map(int, sys.argv[4:6])
click = masklet.Click(float(sys.argv[6]), float(sys.argv[7]))

name, labels = read_labels(source, media=images)
entry = labels.entries[image_number]
track = list(entry.project.tracks.values())[object_number]
(before,) = track.frames.values()

with Media(images).open(entry) as frames:
    picture = frames.read(0).image
predictor = masklet.ImagePredictor("compact")
prompts = masklet.PromptSet(clicks=[click], box=None if before.rle is None else rle.bounding_box(before.rle))
answer = predictor.predict(predictor.embed(picture), prompts)
after = replace(before, rle=rle.encode(answer.masks[0]))

fixed = replace(entry, project=entry.project.with_track(track.with_frames([after])))
entries = [fixed if one is entry else one for one in labels.entries]
write_labels(LabelSet(entries=tuple(entries), record=labels.record), out, name, media=images)
print(f"object {object_number} of {entry.name}: predicted IoU {answer.scores[0]:.2f}, written to {out}")
