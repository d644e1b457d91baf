"""What a format cannot hold: each loss by name, as the function that takes it away.

A label set written in a format and read again is the label set without what the format loses; the tests
hold every format to that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from masklet.annotations import FrameMask, Label, Project, Track
from masklet.formats.label_set import Entry, LabelSet, common_labels, frame_name, visible
from masklet.formats.palette import palette_color
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.prompts import PromptSet


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


def _each(change: Callable[[Entry], Entry | None]) -> Callable[[LabelSet], LabelSet]:
    """Change every entry; None drops it."""

    def strip(labels: LabelSet) -> LabelSet:
        changed = [found for one in labels.entries if (found := change(one)) is not None]
        return replace(labels, entries=tuple(changed))

    return strip


def _each_project(change: Callable[[Project], Project]) -> Callable[[LabelSet], LabelSet]:
    return _each(lambda entry: _with_project(entry, change(entry.project)))


def _each_track(change: Callable[[Track], Track]) -> Callable[[LabelSet], LabelSet]:
    return _each_project(
        lambda project: replace(project, tracks={i: change(track) for i, track in project.tracks.items()})
    )


def _each_frame(change: Callable[[FrameMask], FrameMask | None]) -> Callable[[LabelSet], LabelSet]:
    def changed(track: Track) -> Track:
        found = [change(one) for one in track.frames.values()]
        return replace(track, frames={one.frame: one for one in found if one is not None})

    return _each_track(changed)


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


def _prompts(project: Project, *, bare: bool) -> Project:
    """The project without the prompts that are bare boxes, or without all others."""
    kept: dict[int, dict[int, PromptSet]] = {
        object_id: {
            frame: one for frame, one in frames.items() if is_bare_box(project, object_id, frame, one) != bare
        }
        for object_id, frames in project.prompts.items()
    }
    return replace(project, prompts=kept)


def _without_absent_scores(found: FrameMask) -> FrameMask:
    if not found.is_absent:
        return found
    return FrameMask(frame=found.frame, rle=found.rle, is_occluded=found.is_occluded)


def _without_unseen(project: Project) -> Project:
    kept = {i: track for i, track in project.tracks.items() if any(True for _ in visible(track))}
    kept |= {i: track for i, track in project.tracks.items() if project.prompts.get(i)}
    return replace(project, tracks=kept)


def _without_labels(project: Project) -> Project:
    tracks = {i: track.with_label(None) for i, track in project.tracks.items()}
    return replace(project, tracks=tracks, labels={})


def _palette_colors(project: Project) -> Project:
    return replace(
        project, labels={i: replace(one, color=palette_color(i)) for i, one in project.labels.items()}
    )


def _unknown_becomes_absent(entry: Entry) -> Entry:
    """On frames where anything is known, what is not known of an object becomes: not seen."""
    tracks = entry.project.tracks
    known = sorted({index for track in tracks.values() for index in track.frames})
    filled = {
        i: track.with_frames(FrameMask(frame=f, rle=None) for f in known if f not in track.frames)
        for i, track in tracks.items()
    }
    return replace(entry, project=replace(entry.project, tracks=filled))


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


def _flat(entry: Entry) -> Entry:
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


def _bare_facts(project: Project) -> Project:
    return replace(project, video=replace(project.video, frame_rate=None, sha256=None))


def _known_length(entry: Entry) -> Entry:
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
        project=replace(project, video=facts, tracks=tracks, prompts=prompts, edits=()), frame_names=(name,)
    )


def _split(labels: LabelSet) -> LabelSet:
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

    return _each_project(changed)(labels)


def _labels_by_order(labels: LabelSet) -> LabelSet:
    return _renumbered_labels(labels, list(common_labels(labels.entries)[0].values()))


def _labels_by_name(labels: LabelSet) -> LabelSet:
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


def _as_objects(labels: LabelSet) -> LabelSet:
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

    return _each_project(changed)(labels)


def _without_unused(labels: LabelSet) -> LabelSet:
    used = {track.label_id for one in labels.entries for track in one.project.tracks.values()}
    kept = {i: one for i, one in common_labels(labels.entries)[0].items() if i in used}
    return _each_project(lambda project: replace(project, labels=kept))(labels)


LOSSES: dict[str, Loss] = {
    one.name: one
    for one in (
        Loss(
            name="edits",
            what="the history of edits",
            strip=_each_project(lambda project: replace(project, edits=())),
        ),
        Loss(
            name="prompts",
            what="clicks, boxes and masks that people gave as prompts",
            strip=_each_project(lambda project: _prompts(project, bare=False)),
        ),
        Loss(
            name="boxes",
            what="boxes of objects that have no mask yet",
            strip=_each_project(lambda project: _prompts(project, bare=True)),
        ),
        Loss(
            name="scores",
            what="scores, presence, stability and which frames were prompted",
            strip=_each_frame(
                lambda found: FrameMask(frame=found.frame, rle=found.rle, is_occluded=found.is_occluded)
            ),
        ),
        Loss(
            name="absent-scores",
            what="scores of frames on which an object is not seen",
            strip=_each_frame(_without_absent_scores),
        ),
        Loss(
            name="occlusion",
            what="whether an object that is not seen is hidden or gone",
            strip=_each_frame(lambda found: replace(found, is_occluded=False)),
        ),
        Loss(
            name="absence",
            what="frames on which an object is known not to be seen (they become unknown)",
            strip=_each_frame(lambda found: None if found.is_absent else found),
        ),
        Loss(
            name="unknown",
            what="frames on which nothing is known of an object (it becomes: not seen)",
            strip=_each(_unknown_becomes_absent),
        ),
        Loss(
            name="overlaps",
            what="masks that overlap (the object of lowest id keeps the pixels)",
            strip=_each(_flat),
        ),
        Loss(
            name="names",
            what="names of objects",
            strip=_each_track(lambda track: track.with_name("")),
        ),
        Loss(name="labels", what="classes", strip=_each_project(_without_labels)),
        Loss(
            name="unlabelled",
            what='objects without a class (they get the class "object")',
            strip=_as_objects,
        ),
        Loss(name="colors", what="colours of classes", strip=_each_project(_palette_colors)),
        Loss(name="unused", what="classes that no object has", strip=_without_unused),
        Loss(
            name="label-order",
            what="numbers of classes (they are counted in the order of their names)",
            strip=_labels_by_name,
        ),
        Loss(name="label-ids", what="numbers of classes (names stay)", strip=_labels_by_order),
        Loss(name="facts", what="frame rate and hash of the video", strip=_each_project(_bare_facts)),
        Loss(
            name="length",
            what="frames after the last one that anything is known about",
            strip=_each(_known_length),
        ),
        Loss(name="unseen", what="objects that are nowhere seen", strip=_each_project(_without_unseen)),
        Loss(
            name="empty",
            what="videos without any object",
            strip=_each(lambda entry: entry if entry.project.tracks else None),
        ),
        Loss(
            name="frame-names",
            what="file names of single frames",
            strip=_each(lambda entry: replace(entry, frame_names=())),
        ),
        Loss(
            name="tracks",
            what="which masks of a video are one object (every frame becomes an image)",
            strip=_split,
        ),
        Loss(name="ids", what="numbers of objects (they are counted from 1)", strip=_each(numbered)),
    )
}
