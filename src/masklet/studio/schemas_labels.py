"""What goes over the wire of label formats, imports and the review of what was labelled."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from masklet.studio.schemas import (
    MAX_LIST,
    Edit,
    EditReply,
    FormatName,
    FrameIndex,
    Identifier,
    Name,
    ObjectId,
    Text,
    Unit,
    Whole,
    Wire,
)


class FormatState(Wire):
    """A format of labels; folders are packed into a zip."""

    name: FormatName
    title: Text
    note: Text
    suffix: Text
    is_readable: bool
    is_single: bool


class FormatList(Wire):
    """All formats."""

    formats: Annotated[list[FormatState], Field(max_length=1000)]


class NewLabels(Edit):
    """A finished upload that holds labels of the project's media.

    ``media_id`` is the medium that is meant when the labels are of one image or video alone; otherwise names decide.
    ``replace`` removes the objects that are there.
    """

    upload_id: Identifier
    media_id: Identifier | None = None
    format: FormatName | None = None
    mode: Literal["add", "replace"] = "add"


class LabelsReply(EditReply):
    """What came in."""

    format: FormatName
    num_media: Whole
    num_objects: Whole
    num_masks: Whole
    notes: Annotated[list[Text], Field(max_length=1000)]


class ReviewState(Wire):
    """An object that somebody may have to look at, with its least certain frame."""

    media_id: Identifier
    object_id: ObjectId
    media_name: Name
    name: Name
    label: Text
    frame: FrameIndex
    uncertainty: Unit
    reasons: Annotated[list[Text], Field(max_length=16)]
    is_accepted: bool


class Reviews(Wire):
    """Objects of a project, least certain first."""

    revision: Whole
    entries: Annotated[list[ReviewState], Field(max_length=MAX_LIST)]


class ReviewChange(Edit):
    """Whether a person found an object good."""

    is_accepted: bool
