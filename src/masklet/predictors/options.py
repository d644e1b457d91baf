"""How a session works: budgets and tidying."""

from __future__ import annotations

from dataclasses import dataclass, field

from masklet.predictors.compilation import Compilation
from masklet.predictors.features import CacheBudget
from masklet.predictors.preprocess import PostProcess

ARCHIVE_BYTES = 96 * 2**20
RESULT_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How a session works.

    Attributes:
        features: Budget of encoded frames.
        archive_bytes: Budget of memories of tracked frames, which make re-tracking after an edit exact.
        post_process: How masks are tidied.
        result_bytes: Budget of packed results in memory; more go into a temporary file, in the folder of ``features``.
        compilation: How frames of a video are compiled and given to the device without waiting for it, for SAM 2 models
            under the policy "recent"; None, the default, to compute them one after the other as they are.
    """

    features: CacheBudget = field(default_factory=CacheBudget)
    archive_bytes: int = ARCHIVE_BYTES
    post_process: PostProcess = field(default_factory=PostProcess)
    result_bytes: int = RESULT_BYTES
    compilation: Compilation | None = None
