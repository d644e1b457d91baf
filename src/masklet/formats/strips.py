"""Functions that take something away from a label set: what the losses of formats are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from masklet.annotations import FrameMask, Label, Project, Track
from masklet.formats.label_set import Entry, LabelSet, common_labels, frame_name, visible
from masklet.formats.palette import palette_color
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.prompts import PromptSet


def each(change: Callable[[Entry], Entry | None]) -> Callable[[LabelSet], LabelSet]:
    """Change every entry; None drops it."""

    def strip(labels: LabelSet) -> LabelSet:
        changed = [found for one in labels.entries if (found := change(one)) is not None]
        return replace(labels, entries=tuple(changed))

    return strip


def each_project(change: Callable[[Project], Project]) -> Callable[[LabelSet], LabelSet]:
    """Change the document of every entry."""
    return each(lambda entry: _with_project(entry, change(entry.project)))


def each_track(change: Callable[[Track], Track]) -> Callable[[LabelSet], LabelSet]:
    """Change every track."""
    return each_project(
        lambda project: replace(project, tracks={i: change(track) for i, track in project.tracks.items()})
    )


def each_frame(change: Callable[[FrameMask], FrameMask | None]) -> Callable[[LabelSet], LabelSet]:
    """Change what is known of every frame; None makes it unknown."""

    def changed(track: Track) -> Track:
        found = [change(one) for one in track.frames.values()]
        return replace(track, frames={one.frame: one for one in found if one is not None})

    return each_track(changed)


def _with_project(entry: Entry, project: Project) -> Entry:
    if entry.frame_names and len(entry.frame_names) != project.video.num_frames:
        return replace(entry, project=project, frame_names=())
    return replace(entry, project=project)


def is_bare_box(project: Project, object_id: int, frame: int, prompts: PromptSet) -> bool:
    """Whether prompts are one box and nothing else on a frame where the object has no mask."""
    track = project.tracks[object_id]
    return (
        prompts.box is not None and not prompts.clicks and prompts.mask is None and frame not in track.frames
    )


def without_prompts(project: Project, *, bare: bool) -> Project:
    """The project without the prompts that are bare boxes, or without all others."""
    kept: dict[int, dict[int, PromptSet]] = {
        object_id: {
            frame: one for frame, one in frames.items() if is_bare_box(project, object_id, frame, one) != bare
        }
        for object_id, frames in project.prompts.items()
    }
    return replace(project, prompts=kept)


def without_absent_scores(found: FrameMask) -> FrameMask:
    """A frame on which the object is not seen, without scores."""
    if not found.is_absent:
        return found
    return FrameMask(frame=found.frame, rle=found.rle, is_occluded=found.is_occluded)


def without_unseen(project: Project) -> Project:
    """The project without objects that are nowhere seen and have no box."""
    kept = {i: track for i, track in project.tracks.items() if any(True for _ in visible(track))}
    kept |= {i: track for i, track in project.tracks.items() if project.prompts.get(i)}
    return replace(project, tracks=kept)


def without_labels(project: Project) -> Project:
    """The project without classes."""
    tracks = {i: track.with_label(None) for i, track in project.tracks.items()}
    return replace(project, tracks=tracks, labels={})


def palette_colors(project: Project) -> Project:
    """The project with the palette's colours for its classes."""
    return replace(
        project, labels={i: replace(one, color=palette_color(i)) for i, one in project.labels.items()}
    )


def unknown_becomes_absent(entry: Entry) -> Entry:
    """On frames where anything is known, what is not known of an object becomes: not seen."""
    tracks = entry.project.tracks
    known = sorted({index for track in tracks.values() for index in track.frames})
    filled = {
        i: track.with_frames(FrameMask(frame=f, rle=None) for f in known if f not in track.frames)
        for i, track in tracks.items()
    }
    return replace(entry, project=replace(entry.project, tracks=filled))


def filled_gaps(entry: Entry, indices: range) -> Entry:
    """The entry with: not seen, on those of these frames on which nothing is known of an object."""
    tracks = {
        i: track.with_frames(FrameMask(frame=f, rle=None) for f in indices if f not in track.frames)
        for i, track in entry.project.tracks.items()
    }
    return replace(entry, project=replace(entry.project, tracks=tracks))


def every_fourth(entry: Entry) -> Entry:
    """The entry with every fourth frame, and no gaps there."""
    indices = range(0, entry.num_frames, 4)
    kept = {
        i: replace(track, frames={f: one for f, one in track.frames.items() if f in indices})
        for i, track in entry.project.tracks.items()
    }
    return filled_gaps(replace(entry, project=replace(entry.project, tracks=kept)), indices)


SHAPES_OF_TRACKS = "cvat-tracks"
"""Format of records after which a gap was left in a file in which shapes stay: there it says so itself."""


def gap_starts(entry: Entry) -> Entry:
    """After the last mask before a gap, one frame says that the object is not seen."""

    def is_recorded(object_id: int, frame: int) -> bool:
        found = entry.records.get((object_id, frame))
        return found is not None and found.format == SHAPES_OF_TRACKS

    def changed(track: Track) -> Track:
        boxes = entry.project.prompts.get(track.object_id, {})
        after = [index + 1 for index in (*(one.frame for one in visible(track)), *boxes)]
        return track.with_frames(
            FrameMask(frame=index, rle=None)
            for index in after
            if index < entry.num_frames
            and index not in track.frames
            and index not in boxes
            and not is_recorded(track.object_id, index - 1)
        )

    tracks = {i: changed(track) for i, track in entry.project.tracks.items()}
    return replace(entry, project=replace(entry.project, tracks=tracks))


def flattened(masks: Mapping[int, RLE]) -> dict[int, RLE]:
    """Masks of one frame without overlaps: a pixel belongs to the object of lowest id that claims it."""
    taken: RLE | None = None
    flat: dict[int, RLE] = {}
    for object_id, mask in sorted(masks.items()):
        free = mask if taken is None else minus(mask, taken)
        flat[object_id] = free
        taken = mask if taken is None else rle.union([taken, mask])
    return flat


def minus(mask: RLE, taken: RLE) -> RLE:
    """The pixels of a mask that another does not have."""
    return rle.intersection([mask, _inverted(taken)])


def _inverted(mask: RLE) -> RLE:
    lengths = rle.runs(mask).tolist()
    return rle.from_runs(mask.size, lengths[1:] if lengths[0] == 0 else [0, *lengths])


def masks_by_frame(entry: Entry) -> dict[int, dict[int, RLE]]:
    """Masks that are seen, by frame, then object id, in order."""
    found: dict[int, dict[int, RLE]] = {}
    for object_id, track in entry.project.tracks.items():
        for one in visible(track):
            if one.rle is not None:
                found.setdefault(one.frame, {})[object_id] = one.rle
    return dict(sorted(found.items()))


def without_overlaps(entry: Entry) -> Entry:
    """The entry with every pixel of a frame belonging to one object: that of lowest id."""
    flat = {frame: flattened(masks) for frame, masks in masks_by_frame(entry).items()}

    def changed(track: Track) -> Track:
        return track.with_frames(
            replace(
                one,
                rle=None
                if rle.area(flat[one.frame][track.object_id]) == 0
                else flat[one.frame][track.object_id],
            )
            for one in visible(track)
        )

    tracks = {i: changed(track) for i, track in entry.project.tracks.items()}
    return replace(entry, project=replace(entry.project, tracks=tracks))


def bare_facts(project: Project) -> Project:
    """The project without frame rate and hash of its video."""
    return replace(project, video=replace(project.video, frame_rate=None, sha256=None))


def known_length(entry: Entry) -> Entry:
    """The video ends with the last frame that anything is known about."""
    if entry.is_image:
        return entry
    shortened = replace(entry.project, video=replace(entry.project.video, num_frames=None))
    length = replace(entry, project=shortened, frame_names=()).num_frames
    return _with_project(entry, replace(shortened, video=replace(shortened.video, num_frames=length)))


def numbered(entry: Entry) -> Entry:
    """The entry with its objects numbered from 1 in the order of their ids."""
    ids = {old: new for new, old in enumerate(entry.project.tracks, start=1)}
    project = replace(
        entry.project,
        tracks={ids[i]: replace(track, object_id=ids[i]) for i, track in entry.project.tracks.items()},
        prompts={ids[i]: frames for i, frames in entry.project.prompts.items()},
    )
    records = {
        (ids[i], frame): replace(one, track=replace(one.track, object_id=ids[i]))
        for (i, frame), one in entry.records.items()
        if i in ids
    }
    return replace(entry, project=project, records=records)


def split_frames(entry: Entry) -> list[Entry]:
    """Every frame as an image of its own; objects keep their ids."""
    if entry.is_image:
        return [entry]
    return [_one_image(entry, index) for index in range(entry.num_frames)]


def image_name(entry: Entry, index: int) -> str:
    """Name of the image that a frame becomes."""
    name = frame_name(entry, index)
    return name if entry.frame_names else f"{entry.name}/{name}"


def _one_image(entry: Entry, index: int) -> Entry:
    project = entry.project
    prompts = {
        object_id: {0: frames[index]} for object_id, frames in project.prompts.items() if index in frames
    }
    tracks = {
        i: replace(track, frames={0: replace(track.frames[index], frame=0)} if index in track.frames else {})
        for i, track in project.tracks.items()
        if index in track.frames or i in prompts
    }
    name = image_name(entry, index)
    facts = replace(project.video, name=name.rpartition("/")[2], num_frames=1, frame_rate=None, sha256=None)
    return Entry(
        project=replace(project, video=facts, tracks=tracks, prompts=prompts, edits=()),
        frame_names=(name,),
        origin=(project.video, index),
    )


def frames_as_images(labels: LabelSet) -> LabelSet:
    """Every frame of every video as an image."""
    images = tuple(image for one in labels.entries for image in split_frames(one))
    return replace(labels, entries=images)


def _renumbered_labels(labels: LabelSet, order: Sequence[Label]) -> LabelSet:
    """Classes numbered from 1 in an order."""
    ids = {one.id: number for number, one in enumerate(order, start=1)}

    def changed(project: Project) -> Project:
        tracks = {
            i: track if track.label_id is None else track.with_label(ids[track.label_id])
            for i, track in project.tracks.items()
        }
        renamed = {ids[i]: replace(one, id=ids[i]) for i, one in project.labels.items()}
        return replace(project, tracks=tracks, labels=renamed)

    return each_project(changed)(labels)


def labels_by_order(labels: LabelSet) -> LabelSet:
    """Classes numbered from 1 in the order of their ids."""
    return _renumbered_labels(labels, list(common_labels(labels.entries)[0].values()))


def labels_by_name(labels: LabelSet) -> LabelSet:
    """Classes numbered from 1 in the order of their names."""
    known = common_labels(labels.entries)[0].values()
    return _renumbered_labels(labels, sorted(known, key=lambda one: one.name))


def with_common_labels(labels: LabelSet) -> LabelSet:
    """The label set with the classes of all entries in each of them."""
    known, ids = common_labels(labels.entries)

    def changed(project: Project) -> Project:
        if dict(project.labels) == known:
            return project
        tracks = {
            i: track if track.label_id is None else track.with_label(ids[project.labels[track.label_id].name])
            for i, track in project.tracks.items()
        }
        return replace(project, labels=known, tracks=tracks)

    entries = tuple(replace(one, project=changed(one.project)) for one in labels.entries)
    return replace(labels, entries=entries)


UNLABELLED = "object"
"""Class of objects without one, in formats that demand a class."""


def as_objects(labels: LabelSet) -> LabelSet:
    """Objects without a class get the class "object", which every entry then has."""
    projects = [one.project for one in labels.entries]
    if all(track.label_id is not None for one in projects for track in one.tracks.values()):
        return labels
    known = common_labels(labels.entries)[0]
    number = max(known, default=0) + 1
    found = next((one for one in known.values() if one.name == UNLABELLED), None)
    label = found or Label(id=number, name=UNLABELLED, color=palette_color(number))

    def changed(project: Project) -> Project:
        tracks = {
            i: track.with_label(label.id) if track.label_id is None else track
            for i, track in project.tracks.items()
        }
        return replace(project, tracks=tracks, labels={**known, label.id: label})

    return each_project(changed)(labels)


def without_unused(labels: LabelSet) -> LabelSet:
    """The label set without classes that no object has."""
    used = {track.label_id for one in labels.entries for track in one.project.tracks.values()}
    kept = {i: one for i, one in common_labels(labels.entries)[0].items() if i in used}
    return each_project(lambda project: replace(project, labels=kept))(labels)
