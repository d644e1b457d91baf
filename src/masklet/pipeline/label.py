"""Labels one image or video by itself: a search on key frames, tracking between, one document.

An image is a video of one frame, and is searched once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.annotations import Project, Track, VideoFacts
from masklet.pipeline.everything import (
    EverythingFinished,
    EverythingOptions,
    KeyFrameSearched,
    track_everything,
)
from masklet.pipeline.findings import Finder, choose_findings
from masklet.pipeline.live_tracks import LiveTrack, seen_on
from masklet.pipeline.ontology import labels_named
from masklet.pipeline.results import video_facts
from masklet.video.folder import IMAGE_SUFFIXES
from masklet.video.frames import open_source
from masklet.video.source import FrameSource

if TYPE_CHECKING:
    from masklet.weights.load import LoadedModel

VIDEO_SUFFIXES = frozenset((".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".gif"))
LABEL_SUFFIXES = frozenset(IMAGE_SUFFIXES) | VIDEO_SUFFIXES
"""Endings of the files that labelling takes out of a folder."""

NO_CLASS = "object"
"""Class of what was found without words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOptions:
    """How a file is labelled.

    Attributes:
        everything: How objects are found, matched and given up.
        min_confidence: Least quality of a track, in [0, 1]: mean predicted IoU over its frames times the mean
            confidence of its class; less is left out.
        policy: Memory policy of tracking.
        allow_damaged: Label what is left of a cut or broken video.
    """

    everything: EverythingOptions = field(default_factory=EverythingOptions)
    min_confidence: float = 0.0
    policy: str = "recent"
    allow_damaged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledFile:
    """What was found in a file.

    Attributes:
        project: The document.
        num_key_frames: Frames that were searched.
        confidences: How sure the class of each object is, in [0, 1], by object id.
    """

    project: Project
    num_key_frames: int
    confidences: Mapping[int, float]


def is_image(name: str) -> bool:
    """Whether a file name is that of a still image; an animated GIF is a video."""
    return Path(name).suffix.lower() in IMAGE_SUFFIXES and Path(name).suffix.lower() not in VIDEO_SUFFIXES


def label_file(
    path: Path,
    finder: Finder,
    model: Callable[[], LoadedModel],
    *,
    name: str | None = None,
    names: tuple[str, ...] = (),
    options: LabelOptions | None = None,
) -> LabelledFile:
    """Label one file.

    Args:
        path: An image or a video.
        finder: Says what is on a frame.
        model: Gives the model that follows objects; asked only for videos.
        name: What the document calls the file; the file's own name when None.
        names: Classes that are numbered first, whether they are found or not.
        options: How.

    Raises:
        MediaError: When the file cannot be read.
    """
    chosen = options or LabelOptions()
    with open_source(path, allow_damaged=chosen.allow_damaged) as source:
        facts = replace(video_facts(source, path), name=name or path.name)
        if is_image(path.name):
            tracks = _find_in_image(source, finder, chosen)
            num_key_frames = 1
        else:
            tracks, num_key_frames = _follow(source, finder, model, chosen)
    good = {i: one for i, one in tracks.items() if quality_of(one) >= chosen.min_confidence}
    return LabelledFile(
        project=document_of(facts, good, names),
        num_key_frames=num_key_frames,
        confidences={i: one.confidence for i, one in good.items()},
    )


def _find_in_image(source: FrameSource, finder: Finder, options: LabelOptions) -> dict[int, LiveTrack]:
    found = choose_findings(finder.find(source.read(0).image), options.everything.limits)
    tracks = {number: LiveTrack(object_id=number) for number in range(1, len(found) + 1)}
    for track, one in zip(tracks.values(), found, strict=True):
        track.vote(one)
        track.show(seen_on(0, one.mask, score=one.score, presence=1.0, stability=one.stability))
    return tracks


def _follow(
    source: FrameSource, finder: Finder, model: Callable[[], LoadedModel], options: LabelOptions
) -> tuple[dict[int, LiveTrack], int]:
    """The objects of a video, and how many frames were searched."""
    from masklet.predictors.video import VideoSession

    num_key_frames, tracks = 0, dict[int, LiveTrack]()
    with VideoSession(model(), source, policy=options.policy) as session:
        for event in track_everything(source, session, finder, options=options.everything):
            num_key_frames += isinstance(event, KeyFrameSearched)
            if isinstance(event, EverythingFinished):
                tracks = dict(event.tracks)
    return tracks, num_key_frames


def quality_of(track: LiveTrack) -> float:
    """Mean predicted IoU over the frames with a mask times the confidence of the class, in [0, 1]."""
    scores = [one.score for one in track.frames.values() if one.score is not None and not one.is_absent]
    return track.confidence * sum(scores) / len(scores) if scores else 0.0


def document_of(facts: VideoFacts, tracks: Mapping[int, LiveTrack], names: tuple[str, ...]) -> Project:
    """The document of a file.

    Args:
        facts: What is known of it.
        tracks: What was found, by id.
        names: Classes that are numbered first; further ones follow by name. Objects without one are "object".
    """
    label_names = {i: one.label or NO_CLASS for i, one in tracks.items()}
    further = sorted({*label_names.values()} - {*names})
    labels = labels_named((*names, *further))
    ids = {one.name: one.id for one in labels.values()}
    return Project(
        video=facts,
        labels=labels,
        tracks={
            i: Track(object_id=i, label_id=ids[label_names[i]], frames=dict(one.frames))
            for i, one in tracks.items()
        },
    )
