"""What a format cannot hold: each loss by name, as the function that takes it away.

A label set written in a format and read again is the label set without what the format loses; the tests
hold every format to that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from masklet.annotations import FrameMask
from masklet.formats.label_set import LabelSet
from masklet.formats.strips import (
    as_objects,
    bare_facts,
    each,
    each_frame,
    each_project,
    each_track,
    every_fourth,
    filled_gaps,
    frames_as_images,
    gap_starts,
    known_length,
    labels_by_name,
    labels_by_order,
    numbered,
    palette_colors,
    unknown_becomes_absent,
    without_absent_scores,
    without_labels,
    without_overlaps,
    without_prompts,
    without_unseen,
    without_unused,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Something that a format cannot hold.

    Args:
        name: Short name.
        what: What is lost, in words.
        strip: The label set without it.
    """

    name: str
    what: str
    strip: Callable[[LabelSet], LabelSet]


LOSSES: dict[str, Loss] = {
    one.name: one
    for one in (
        Loss(
            name="edits",
            what="the history of edits",
            strip=each_project(lambda project: replace(project, edits=())),
        ),
        Loss(
            name="prompts",
            what="clicks, boxes and masks that people gave as prompts",
            strip=each_project(lambda project: without_prompts(project, bare=False)),
        ),
        Loss(
            name="boxes",
            what="boxes of objects that have no mask yet",
            strip=each_project(lambda project: without_prompts(project, bare=True)),
        ),
        Loss(
            name="scores",
            what="scores, presence, stability and which frames were prompted",
            strip=each_frame(
                lambda found: FrameMask(frame=found.frame, rle=found.rle, is_occluded=found.is_occluded)
            ),
        ),
        Loss(
            name="absent-scores",
            what="scores of frames on which an object is not seen",
            strip=each_frame(without_absent_scores),
        ),
        Loss(
            name="occlusion",
            what="whether an object that is not seen is hidden or gone",
            strip=each_frame(lambda found: replace(found, is_occluded=False)),
        ),
        Loss(
            name="absence",
            what="frames on which an object is known not to be seen (they become unknown)",
            strip=each_frame(lambda found: None if found.is_absent else found),
        ),
        Loss(
            name="unknown",
            what="frames on which nothing is known of an object (it becomes: not seen)",
            strip=each(unknown_becomes_absent),
        ),
        Loss(
            name="gaps",
            what="frames on which nothing is known of an object, in the whole video (it becomes: not seen)",
            strip=each(lambda entry: filled_gaps(entry, range(entry.num_frames))),
        ),
        Loss(
            name="gap-starts",
            what="the first unknown frame after a mask (it becomes: not seen)",
            strip=each(gap_starts),
        ),
        Loss(
            name="every-fourth",
            what="all frames but every fourth; there, unknown becomes: not seen",
            strip=each(every_fourth),
        ),
        Loss(
            name="frameless",
            what="objects of which no frame is known",
            strip=each_project(
                lambda project: replace(project, tracks={i: t for i, t in project.tracks.items() if t.frames})
            ),
        ),
        Loss(
            name="overlaps",
            what="masks that overlap (the object of lowest id keeps the pixels)",
            strip=each(without_overlaps),
        ),
        Loss(
            name="names",
            what="names of objects",
            strip=each_track(lambda track: track.with_name("")),
        ),
        Loss(name="labels", what="classes", strip=each_project(without_labels)),
        Loss(
            name="unlabelled",
            what='objects without a class (they get the class "object")',
            strip=as_objects,
        ),
        Loss(name="colors", what="colours of classes", strip=each_project(palette_colors)),
        Loss(name="unused", what="classes that no object has", strip=without_unused),
        Loss(
            name="label-order",
            what="numbers of classes (they are counted in the order of their names)",
            strip=labels_by_name,
        ),
        Loss(name="label-ids", what="numbers of classes (names stay)", strip=labels_by_order),
        Loss(name="facts", what="frame rate and hash of the video", strip=each_project(bare_facts)),
        Loss(
            name="length",
            what="frames after the last one that anything is known about",
            strip=each(known_length),
        ),
        Loss(name="unseen", what="objects that are nowhere seen", strip=each_project(without_unseen)),
        Loss(
            name="empty",
            what="videos and images without any object",
            strip=each(lambda entry: entry if entry.project.tracks else None),
        ),
        Loss(
            name="frame-names",
            what="file names of single frames",
            strip=each(lambda entry: replace(entry, frame_names=())),
        ),
        Loss(
            name="tracks",
            what="which masks of a video are one object (every frame becomes an image)",
            strip=frames_as_images,
        ),
        Loss(name="ids", what="numbers of objects (they are counted from 1)", strip=each(numbered)),
    )
}
