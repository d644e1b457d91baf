"""What goes over the wire, typed; every number and every list has a maximum."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from masklet.formats import FORMATS

MAX_WHOLE = 2**53
MAX_FRAME = 2**31 - 1
MAX_SIDE = 2**16
MAX_LIST = 1_000_000

Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$", max_length=16)]
EditId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{8,64}$", max_length=64)]
Name = Annotated[str, StringConstraints(max_length=255, strip_whitespace=True)]
GivenName = Annotated[str, StringConstraints(min_length=1, max_length=255, strip_whitespace=True)]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$", max_length=7)]
Shortcut = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]?$", max_length=1)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z_]{0,32}$", max_length=32)]
Text = Annotated[str, StringConstraints(max_length=2000)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", max_length=64)]
Whole = Annotated[int, Field(ge=0, le=MAX_WHOLE)]
WholeNumber = Annotated[int, Field(ge=0, le=MAX_WHOLE, strict=True)]
FrameIndex = Annotated[int, Field(ge=0, le=MAX_FRAME)]
ObjectId = Annotated[int, Field(ge=1, le=MAX_FRAME)]
ClassId = Annotated[int, Field(ge=0, le=MAX_FRAME)]
Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]
Coordinate = Annotated[float, Field(ge=-(2**20), le=2**20, allow_inf_nan=False)]
Unit = Annotated[float, Field(ge=-1, le=2, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
Counts = Annotated[str, StringConstraints(max_length=16 * 2**20)]


def _known_format(name: str) -> str:
    if name not in FORMATS:
        raise ValueError(f"There is no format {name!r}; known are {', '.join(FORMATS)}.")
    return name


FormatName = Annotated[str, AfterValidator(_known_format), Field(json_schema_extra={"enum": [*FORMATS]})]


class Wire(BaseModel):
    """Base of everything on the wire: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class ErrorBody(Wire):
    """Every error; ``state`` is there when an edit was stale."""

    code: Text
    message: Text
    state: ProjectState | None = None


class Health(Wire):
    """Whether the engine beats, not only whether HTTP answers."""

    status: Literal["ok", "starting", "stuck"]
    version: Text
    model: Text
    device: Text
    heartbeat_s: Seconds
    num_waiting: Whole


class ClassState(Wire):
    """A class of the ontology; ``words`` are searched for in its place, with full stops between."""

    id: ClassId
    name: GivenName
    color: Color
    shortcut: Shortcut = ""
    words: Text = ""


class MaskPromptBody(Wire):
    """A mask as COCO run lengths."""

    size: Annotated[list[Side], Field(min_length=2, max_length=2)]
    counts: Counts


class PromptBody(Wire):
    """What is said of an object on a frame: clicks [x, y, positive], a box [x0, y0, x1, y1], a mask."""

    clicks: Annotated[list[tuple[Coordinate, Coordinate, bool]], Field(max_length=1024)] = []
    box: tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None = None
    mask: MaskPromptBody | None = None


class FramePrompts(PromptBody):
    """Prompts with their frame."""

    frame: FrameIndex


class ObjectState(Wire):
    """An object of a medium."""

    id: ObjectId
    name: Name
    color: Color
    class_id: ClassId | None
    is_visible: bool
    is_locked: bool
    prompts: Annotated[list[FramePrompts], Field(max_length=MAX_LIST)]


class MediaState(Wire):
    """An image (a video of one frame) or a video, with its objects."""

    id: Identifier
    name: Name
    sha256: Digest
    num_bytes: Whole
    kind: Literal["image", "video"]
    width: Side
    height: Side
    num_frames: FrameIndex
    fps: Annotated[float, Field(gt=0, le=1e6)] | None
    duration_s: Seconds | None
    is_variable_frame_rate: bool
    codec: Text | None
    container: Text | None
    rotation: Annotated[int, Field(ge=0, le=270)]
    damage: Text | None
    created_s: Seconds
    objects: Annotated[list[ObjectState], Field(max_length=MAX_LIST)]


class ProjectSummary(Wire):
    """A project in the list."""

    id: Identifier
    name: Name
    revision: Whole
    created_s: Seconds
    changed_s: Seconds


class ListedProject(ProjectSummary):
    """A project in the list, with a medium to show for it."""

    num_media: Whole
    cover_id: Identifier | None


class ProjectState(ProjectSummary):
    """A project without its masks."""

    num_undo: Whole
    num_redo: Whole
    classes: Annotated[list[ClassState], Field(max_length=MAX_LIST)]
    media: Annotated[list[MediaState], Field(max_length=MAX_LIST)]


class ProjectList(Wire):
    """All projects, the last changed first."""

    projects: Annotated[list[ListedProject], Field(max_length=MAX_LIST)]


class NewProject(Wire):
    """A project to make, or another name for one."""

    name: GivenName


class Edit(Wire):
    """What every edit carries: the revision it was made on, and an id so that it is done once."""

    revision: Whole
    edit_id: EditId


class NewObject(Edit):
    """An object to add; what is left out is chosen."""

    name: Name = ""
    color: Color | None = None
    class_id: ClassId | None = None


class ObjectChange(Edit):
    """What to change of an object; what is left out stays."""

    name: Name | None = None
    color: Color | None = None
    class_id: ClassId | None = None
    is_visible: bool | None = None
    is_locked: bool | None = None


class NewPrompts(Edit, PromptBody):
    """Prompts that replace what was said of this object on this frame; name and class are for a new object."""

    name: Name = ""
    class_id: ClassId | None = None


class MaskedObject(Wire):
    """An object to make of a mask; what is left out is chosen."""

    mask: MaskPromptBody
    name: Name = ""
    class_id: ClassId | None = None


class NewObjects(Edit):
    """Objects to make in one edit; ``classes`` take the place of the present ones before."""

    objects: Annotated[list[MaskedObject], Field(min_length=1, max_length=1000)]
    classes: Annotated[list[ClassState], Field(max_length=10_000)] | None = None


class Ontology(Wire):
    """Classes as a file."""

    format: Literal["masklet-ontology"] = "masklet-ontology"
    version: Literal[1] = 1
    classes: Annotated[list[ClassState], Field(max_length=10_000)]


class OntologyChange(Edit):
    """Classes that take the place of the present ones; objects of classes that are gone have none then."""

    classes: Annotated[list[ClassState], Field(max_length=10_000)]


class MaskState(Wire):
    """An object on a frame: COCO run lengths at the frame's size, and how sure the model was."""

    object_id: ObjectId
    frame: FrameIndex
    counts: Counts
    area: Whole
    score: Unit
    presence: Unit
    stability: Unit
    is_prompted: bool
    is_backward: bool


class DroppedMasks(Wire):
    """Tracked masks of the object that are gone: those after one frame, and those tracked backward before another."""

    after: Annotated[int, Field(ge=-1, le=MAX_WHOLE)]
    before: Whole


class EditReply(Wire):
    """An edit that is on the disk: the new revision, what it made, and which tracked masks may have changed by it."""

    revision: Whole
    object_id: ObjectId | None = None
    action: Text | None = None
    mask: MaskState | None = None
    masks: Annotated[list[MaskState], Field(max_length=1000)] | None = None
    dropped: DroppedMasks | None = None


class MaskRange(Wire):
    """Masks on the frames of [start, stop); the size holds for all of them."""

    revision: Whole
    size: Annotated[list[Side], Field(min_length=2, max_length=2)]
    masks: Annotated[list[MaskState], Field(max_length=MAX_LIST)]


class Lane(Wire):
    """An object through the video, one entry per frame that is known."""

    object_id: ObjectId
    frames: Annotated[list[FrameIndex], Field(max_length=MAX_FRAME)]
    score: Annotated[list[Unit], Field(max_length=MAX_FRAME)]
    presence: Annotated[list[Unit], Field(max_length=MAX_FRAME)]
    area: Annotated[list[Whole], Field(max_length=MAX_FRAME)]
    is_prompted: Annotated[list[bool], Field(max_length=MAX_FRAME)]
    is_backward: Annotated[list[bool], Field(max_length=MAX_FRAME)]


class Lanes(Wire):
    """All objects of a medium."""

    lanes: Annotated[list[Lane], Field(max_length=MAX_LIST)]


class FrameTimes(Wire):
    """When frames are shown, in seconds from the first one; None for an image."""

    start: FrameIndex
    times_s: Annotated[list[Annotated[float, Field(ge=0, le=1e12)]], Field(max_length=MAX_LIST)]


class CandidateSearch(Wire):
    """How finely to look for objects."""

    preset: Literal["fast", "balanced", "fine"] = "balanced"


class SuggestionState(Wire):
    """A mask that nobody has accepted yet: COCO run lengths at the frame's size, and how sure the model is."""

    counts: Counts
    area: Whole
    score: Unit
    stability: Unit
    label: Text = ""


class Suggestions(Wire):
    """What was found on a frame, best first; the size holds for all of them."""

    size: Annotated[list[Side], Field(min_length=2, max_length=2)]
    suggestions: Annotated[list[SuggestionState], Field(max_length=MAX_LIST)]
    missing: Annotated[list[Text], Field(max_length=1000)] = []
    num_known: Whole = 0


class WordSearch(Wire):
    """What to look for, with full stops between, as in "person . dog"; nothing means all classes of the project."""

    text: Text = ""
    threshold: Annotated[float, Field(ge=0, le=1)] | None = None


class LikenessSearch(Wire):
    """The object that others should look like."""

    object_id: ObjectId


class NewUpload(Wire):
    """A file that is going to be sent in parts."""

    name: GivenName
    num_bytes: Annotated[int, Field(ge=1, le=2**50)]
    sha256: Digest | None = None


class UploadState(Wire):
    """How much of a file is here; the next part begins at ``num_received``."""

    id: Identifier
    num_bytes: Whole
    num_received: Whole
    chunk_bytes: Whole


class NewMedia(Wire):
    """A finished upload that becomes a medium of a project."""

    upload_id: Identifier
    allow_damaged: bool = False


class NewImport(Wire):
    """A finished upload that is a project file."""

    upload_id: Identifier


class NewTracking(Wire):
    """Frames [start, stop); ``both`` goes forward, then backward; ``keeps_apart`` lets objects exclude each other.

    Where ``keeps_apart`` is left out, two objects and more do.
    """

    start: FrameIndex = 0
    stop: FrameIndex | None = None
    direction: Literal["forward", "backward", "both"] = "forward"
    keeps_apart: bool | None = None


class EffectState(Wire):
    """An effect, one of its variants ("" for the first), and values of parameters that differ from it."""

    name: Word
    variant: Word = ""
    changes: Annotated[dict[Word, WholeNumber | Text], Field(max_length=32)] = {}


class EffectsState(Wire):
    """Effects of a video: behind the objects, on all of them, and on single ones by object id."""

    background: EffectState = EffectState(name="original")
    objects: EffectState = EffectState(name="original")
    by_object: Annotated[dict[ObjectId, EffectState], Field(max_length=10_000)] = {}
    seed: FrameIndex = 0


class NewExport(Wire):
    """A file to be made: labels in a format, the video with masks or with effects, or the whole project.

    Without a medium, labels are those of the whole project.
    """

    kind: Literal["labels", "overlay", "effects", "project"]
    media_id: Identifier | None = None
    format: FormatName | None = None
    with_pictures: bool = False
    effects: EffectsState | None = None


class JobState(Wire):
    """A job that takes time."""

    id: Identifier
    project_id: Identifier
    media_id: Identifier | None
    kind: Literal["track", "labels", "overlay", "effects", "project"]
    format: Text
    status: Literal["waiting", "running", "done", "cancelled", "failed"]
    num_done: Whole
    num_total: Whole
    seconds_left: Seconds | None
    message: Text


class JobList(Wire):
    """Jobs of a project, oldest first."""

    jobs: Annotated[list[JobState], Field(max_length=MAX_LIST)]


class LivePrompt(PromptBody):
    """A live stream's prompt for the next frame."""

    type: Literal["prompt"]
    object_id: ObjectId


class LiveRemove(Wire):
    """An object of a live stream that is not followed any more."""

    type: Literal["remove"]
    object_id: ObjectId


class LiveRename(Wire):
    """Another id for an object of a live stream."""

    type: Literal["rename"]
    object_id: ObjectId
    new_id: ObjectId


class Subscribe(Wire):
    """What a page tells the stream first: which project, and where it was."""

    type: Literal["subscribe"]
    project_id: Identifier
    epoch: Annotated[str, StringConstraints(max_length=16)] = ""
    cursor: Annotated[int, Field(ge=0, le=MAX_WHOLE)] | None = None


ErrorBody.model_rebuild()
