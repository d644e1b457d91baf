"""The one end-to-end path from a source and prompts to masks, a document and an overlay."""

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
