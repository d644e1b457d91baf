"""The one document: tracks, masks, labels, prompts and edits. The studio edits it, formats write it."""

from masklet.annotations.document import Edit, FrameMask, Label, Project, Track, VideoFacts
from masklet.annotations.document_json import from_json, to_json
from masklet.annotations.prompts_json import prompts_from_json, prompts_to_json
from masklet.annotations.storage import dumps, load, loads, save, write_atomically

__all__ = [
    "Edit",
    "FrameMask",
    "Label",
    "Project",
    "Track",
    "VideoFacts",
    "dumps",
    "from_json",
    "load",
    "loads",
    "prompts_from_json",
    "prompts_to_json",
    "save",
    "to_json",
    "write_atomically",
]
