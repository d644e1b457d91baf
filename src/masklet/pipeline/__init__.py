"""The one end-to-end path from a source and prompts to masks, a document and an overlay.

The names are imported when they are first used: who cuts an object out of one image needs no documents and videos.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masklet.pipeline.job import ObjectPrompt, TrackJob, merge_prompts
    from masklet.pipeline.results import ObjectSummary
    from masklet.pipeline.text import TextFinding, find_in_image, find_in_video
    from masklet.pipeline.track import (
        FrameTracked,
        OverlayDrawn,
        PipelineEvent,
        StateSaved,
        TrackingFinished,
        TrackingStarted,
        TrackSummary,
        track_video,
    )

__all__ = [
    "FrameTracked",
    "ObjectPrompt",
    "ObjectSummary",
    "OverlayDrawn",
    "PipelineEvent",
    "StateSaved",
    "TextFinding",
    "TrackJob",
    "TrackSummary",
    "TrackingFinished",
    "TrackingStarted",
    "find_in_image",
    "find_in_video",
    "merge_prompts",
    "track_video",
]

_HOME_OF_NAME = {
    "ObjectPrompt": "job",
    "ObjectSummary": "results",
    "TextFinding": "text",
    "TrackJob": "job",
    "find_in_image": "text",
    "find_in_video": "text",
    "merge_prompts": "job",
}
"""The module of each name; those that are missing here are of ``track``."""


def __getattr__(name: str) -> object:
    """Import a public name on first use and keep it (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOME_OF_NAME.get(name, 'track')}")
    value = getattr(module, name)
    globals()[name] = value
    return value
