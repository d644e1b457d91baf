"""What a session would answer to a prompt, with nothing stored."""

from __future__ import annotations

import torch

from masklet.predictors.results import Masks
from masklet.predictors.video import VideoSession
from masklet.prompts import PromptSet


@torch.inference_mode()
def preview(session: VideoSession, frame: int, prompts: PromptSet) -> Masks:
    """The mask that prompts would give a new object.

    The frame is encoded once: for this, and for all that is prompted or tracked on it while the session keeps it.

    Args:
        session: A session of a video.
        frame: Frame index.
        prompts: Clicks, a box or a mask, in pixels of the frame.

    Raises:
        PromptError: When a prompt does not fit the frame.
        SessionError: When the session has no source or the frame is not within it.
    """
    return session._engine.preview(session._read(frame), prompts)
