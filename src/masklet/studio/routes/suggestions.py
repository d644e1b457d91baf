"""What the model would say; nothing here changes a project."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from masklet.geometry import Size
from masklet.studio.deps import FramePath, MediaDep, StudioDep, check_frame
from masklet.studio.prompt_body import prompts_of
from masklet.studio.schemas import (
    CandidateSearch,
    LikenessSearch,
    PromptBody,
    Suggestions,
    SuggestionState,
    WordSearch,
)
from masklet.studio.searching import Findings
from masklet.studio.store import MediaRow

router = APIRouter(prefix="/api/media/{media_id}/frames/{frame}")


@router.post("/preview", response_model=SuggestionState)
def preview(studio: StudioDep, media: MediaDep, frame: FramePath, body: PromptBody) -> dict[str, Any]:
    """The mask that a prompt would give."""
    check_frame(media, frame)
    prompts = prompts_of(body, Size(media.height, media.width))
    return asdict(studio.suggester.preview(media, frame, prompts))


@router.post("/candidates", response_model=Suggestions)
def find_candidates(
    studio: StudioDep, media: MediaDep, frame: FramePath, body: CandidateSearch
) -> dict[str, Any]:
    """Everything on the frame that looks like an object, best first; what is an object already is left out."""
    check_frame(media, frame)
    studio.editor.flush()
    found = studio.suggester.candidates(media, frame, body.preset)
    return _answer(media, studio.searcher.new_candidates(media, frame, found))


@router.post("/words", response_model=Suggestions)
def find_words(studio: StudioDep, media: MediaDep, frame: FramePath, body: WordSearch) -> dict[str, Any]:
    """What the words name on the frame, each with its class; what is an object already is left out."""
    check_frame(media, frame)
    studio.editor.flush()
    return _answer(media, studio.searcher.by_words(media, frame, body.text, body.threshold))


@router.post("/similar", response_model=Suggestions)
def find_similar(
    studio: StudioDep, media: MediaDep, frame: FramePath, body: LikenessSearch
) -> dict[str, Any]:
    """What looks like an object of this medium; what is an object already is left out."""
    check_frame(media, frame)
    studio.editor.flush()
    return _answer(media, studio.searcher.like_object(media, frame, body.object_id))


def _answer(media: MediaRow, found: Findings) -> dict[str, Any]:
    return {
        "size": [media.height, media.width],
        "suggestions": [asdict(one) for one in found.suggestions],
        "missing": list(found.missing),
        "num_known": found.num_known,
    }
