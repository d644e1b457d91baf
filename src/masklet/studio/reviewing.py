"""The review queue: every object of a project with its least certain frame, and what a person said of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from masklet.annotations import FrameMask, Project, Track
from masklet.pipeline.review import review_of
from masklet.studio.exports.document import to_document
from masklet.studio.store import MediaRow, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """An object to look at.

    Attributes:
        media_id: The medium.
        object_id: The object.
        media_name: The medium's name.
        name: The object's.
        label: Its class, or "".
        frame: The frame to look at first.
        uncertainty: In [0, 1], 0 for nothing to fear.
        reasons: In words.
        is_accepted: Whether a person found it good.
    """

    media_id: str
    object_id: int
    media_name: str
    name: str
    label: str
    frame: int
    uncertainty: float
    reasons: tuple[str, ...]
    is_accepted: bool


def review_project(store: Store, project_id: str) -> list[ReviewItem]:
    """Objects that have a mask, least certain first; what a person prompted is certain."""
    found = [item for media in store.projects.media_of(project_id) for item in _review_media(store, media)]
    return sorted(found, key=lambda one: (-one.uncertainty, one.media_name, one.object_id))


def _review_media(store: Store, media: MediaRow) -> list[ReviewItem]:
    document = _trusting(to_document(store, media)[0])
    known = store.projects.reviews(media.id)
    confidences = {object_id: confidence for object_id, (confidence, _) in known.items()}
    return [
        ReviewItem(
            media_id=media.id,
            object_id=one.object_id,
            media_name=media.name,
            name=document.tracks[one.object_id].name,
            label=one.label,
            frame=one.frame,
            uncertainty=one.uncertainty,
            reasons=one.reasons,
            is_accepted=known.get(one.object_id, (1.0, False))[1],
        )
        for one in review_of(document, confidences, media.id)
    ]


def _trusting(document: Project) -> Project:
    """The document in which frames that a person prompted have no doubtful scores."""

    def trusted(found: FrameMask) -> FrameMask:
        return FrameMask(frame=found.frame, rle=found.rle, is_prompted=True) if found.is_prompted else found

    def of_track(track: Track) -> Track:
        return replace(track, frames={frame: trusted(one) for frame, one in track.frames.items()})

    return replace(document, tracks={key: of_track(track) for key, track in document.tracks.items()})
