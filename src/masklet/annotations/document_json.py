"""The document as JSON values, version 1. Absent parts are left out; scores keep 6 significant digits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TypeVar

from masklet.annotations.document import Edit, FrameMask, Label, Project, Track, VideoFacts
from masklet.annotations.fields import MAX_NUMBER, Fields, rounded
from masklet.annotations.prompts_json import prompts_from_json, prompts_to_json
from masklet.errors import FormatError
from masklet.masks import rle
from masklet.prompts import PromptSet

FORMAT = "masklet"
VERSION = 1

Item = TypeVar("Item")


def to_json(project: Project) -> dict[str, object]:
    """The document as plain JSON values."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "video": _video_to_json(project.video),
        "labels": [{"id": one.id, "name": one.name, "color": one.color} for one in project.labels.values()],
        "tracks": [_track_to_json(track) for track in project.tracks.values()],
        "prompts": [
            {"object_id": object_id, "frame": frame, "prompts": prompts_to_json(prompts)}
            for object_id, frames in project.prompts.items()
            for frame, prompts in frames.items()
        ],
        "edits": [_edit_to_json(edit) for edit in project.edits],
    }


def from_json(value: object) -> Project:
    """Read the document.

    Args:
        value: Parsed JSON, as to_json gives it.

    Raises:
        FormatError: When it is another document, a newer version, or any part is damaged.
    """
    fields = Fields(value, "The document")
    if not fields.has("format") or fields.raw("format") != FORMAT:
        raise FormatError('This is no masklet document: the field "format" must be "masklet".')
    version = fields.whole("version", least=1)
    if version > VERSION:
        raise FormatError(
            f"The document has version {version}, this masklet reads up to {VERSION}; update masklet."
        )
    fields.check_names({"format", "version", "video", "labels", "tracks", "prompts", "edits"})
    return Project(
        video=_video_from_json(fields.raw("video")),
        tracks=_by_key(
            [_track_from_json(one) for one in fields.items("tracks")], lambda track: track.object_id
        ),
        labels=_by_key([_label_from_json(one) for one in fields.items("labels")], lambda label: label.id),
        prompts=_prompts_from_json(fields.items("prompts")),
        edits=tuple(_edit_from_json(one) for one in fields.items("edits")),
    )


def _video_to_json(video: VideoFacts) -> dict[str, object]:
    document: dict[str, object] = {"name": video.name, "size": list(video.size.hw)}
    if video.num_frames is not None:
        document["num_frames"] = video.num_frames
    if video.frame_rate is not None:
        document["frame_rate"] = [video.frame_rate.numerator, video.frame_rate.denominator]
    if video.sha256 is not None:
        document["sha256"] = video.sha256
    return document


def _video_from_json(value: object) -> VideoFacts:
    fields = Fields(value, "The video")
    fields.check_names({"name", "size", "num_frames", "frame_rate", "sha256"})
    rate: Fraction | None = None
    if fields.has("frame_rate"):
        parts = rle.whole_numbers(fields.raw("frame_rate"), most=MAX_NUMBER)
        if parts is None or len(parts) != 2 or 0 in parts:
            raise FormatError(
                "The frame rate must be [numerator, denominator], two whole numbers of at least 1."
            )
        rate = Fraction(parts[0], parts[1])
    return VideoFacts(
        name=fields.text("name"),
        size=rle.size_from_json(fields.raw("size")),
        num_frames=fields.optional("num_frames", fields.whole),
        frame_rate=rate,
        sha256=fields.optional("sha256", fields.text),
    )


def _label_from_json(value: object) -> Label:
    fields = Fields(value, "A label")
    fields.check_names({"id", "name", "color"})
    return Label(id=fields.whole("id"), name=fields.text("name"), color=fields.text("color"))


def _track_to_json(track: Track) -> dict[str, object]:
    document: dict[str, object] = {"object_id": track.object_id, "name": track.name}
    if track.label_id is not None:
        document["label_id"] = track.label_id
    document["frames"] = [_frame_to_json(found) for found in track.frames.values()]
    return document


def _track_from_json(value: object) -> Track:
    fields = Fields(value, "A track")
    fields.check_names({"object_id", "name", "label_id", "frames"})
    object_id = fields.whole("object_id")
    frames = [_frame_from_json(one, f"A frame of object {object_id}") for one in fields.items("frames")]
    return Track(
        object_id=object_id,
        name=fields.text("name"),
        label_id=fields.optional("label_id", fields.whole),
        frames=_by_key(frames, lambda found: found.frame),
    )


def _frame_to_json(found: FrameMask) -> dict[str, object]:
    document: dict[str, object] = {"frame": found.frame}
    if found.rle is not None:
        document["rle"] = rle.to_json(found.rle)
    for name, score in (("score", found.score), ("presence", found.presence), ("stability", found.stability)):
        if score is not None:
            document[name] = rounded(score)
    for name, is_set in (("is_occluded", found.is_occluded), ("is_prompted", found.is_prompted)):
        if is_set:
            document[name] = True
    return document


def _frame_from_json(value: object, where: str) -> FrameMask:
    fields = Fields(value, where)
    fields.check_names({"frame", "rle", "score", "presence", "stability", "is_occluded", "is_prompted"})
    return FrameMask(
        frame=fields.whole("frame"),
        rle=rle.from_json(fields.raw("rle")) if fields.has("rle") else None,
        is_occluded=fields.optional("is_occluded", fields.flag) or False,
        score=fields.optional("score", fields.number),
        presence=fields.optional("presence", fields.number),
        stability=fields.optional("stability", fields.number),
        is_prompted=fields.optional("is_prompted", fields.flag) or False,
    )


def _prompts_from_json(values: Iterable[object]) -> dict[int, dict[int, PromptSet]]:
    prompts: dict[int, dict[int, PromptSet]] = {}
    for value in values:
        fields = Fields(value, "A prompt")
        fields.check_names({"object_id", "frame", "prompts"})
        object_id, frame = fields.whole("object_id"), fields.whole("frame")
        where = f"Prompts of object {object_id} on frame {frame}"
        if frame in prompts.setdefault(object_id, {}):
            raise FormatError(f"{where} come twice; keep one of them.")
        prompts[object_id][frame] = prompts_from_json(fields.raw("prompts"), where)
    return prompts


def _edit_to_json(edit: Edit) -> dict[str, object]:
    document: dict[str, object] = {"action": edit.action}
    if edit.text:
        document["text"] = edit.text
    for name, number in (("object_id", edit.object_id), ("frame", edit.frame), ("time_s", edit.time_s)):
        if number is not None:
            document[name] = number
    for name, prompts in (("before", edit.before), ("after", edit.after)):
        if prompts is not None:
            document[name] = prompts_to_json(prompts)
    return document


def _edit_from_json(value: object) -> Edit:
    fields = Fields(value, "An edit")
    fields.check_names({"action", "text", "object_id", "frame", "time_s", "before", "after"})
    return Edit(
        action=fields.text("action"),
        object_id=fields.optional("object_id", fields.whole),
        frame=fields.optional("frame", fields.whole),
        before=fields.optional("before", lambda name: prompts_from_json(fields.raw(name), "An edit")),
        after=fields.optional("after", lambda name: prompts_from_json(fields.raw(name), "An edit")),
        text=fields.optional("text", fields.text) or "",
        time_s=fields.optional("time_s", fields.whole),
    )


def _by_key(items: Iterable[Item], key: Callable[[Item], int]) -> dict[int, Item]:
    """Items by a whole number that must be unique."""
    found: dict[int, Item] = {}
    for item in items:
        if key(item) in found:
            raise FormatError(f"The id or frame {key(item)} comes twice in one list; keep one of them.")
        found[key(item)] = item
    return found
