"""One shape for every error: ``{"code": ..., "message": ...}``, with neither paths nor what was sent in it."""

from __future__ import annotations

import logging
import re
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from masklet.errors import (
    DownloadError,
    EffectError,
    FormatError,
    MaskletError,
    MediaError,
    MediaLimitError,
    PromptError,
    SessionError,
    WeightsError,
)
from masklet.studio.refusals import RefusedError
from masklet.studio.wording import for_page

_log = logging.getLogger(__name__)
_PATH = re.compile(r"(?<![\w/])(?:[A-Za-z]:)?(?:[\\/][^\s'\"\\/:;,]+)+[\\/]([^\s'\"\\/:;,]+)")

# first match counts: the narrower class stands before the wider
_STATUS: tuple[tuple[type[MaskletError], int, str], ...] = (
    (MediaLimitError, 413, "too_large"),
    (MediaError, 422, "media"),
    (PromptError, 422, "prompt"),
    (FormatError, 422, "format"),
    (EffectError, 422, "effect"),
    (SessionError, 409, "session"),
    (DownloadError, 503, "download"),
    (WeightsError, 503, "weights"),
    (MaskletError, 400, "refused"),
)

_HTTP = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method", "This address does not take this method."),
    413: ("too_large", "That is more than the studio takes at once; do it in parts."),
}


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error of an application in the one shape."""
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(MaskletError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def describe(error: BaseException) -> tuple[int, str, str]:
    """Status, code and sentence of an error."""
    if isinstance(error, RefusedError):
        return error.status, error.code, without_paths(error.message)
    for kind, status, code in _STATUS:
        if isinstance(error, kind):
            return status, code, for_page(without_paths(str(error)))
    _log.error("unexpected %s", type(error).__name__, exc_info=error)
    return (
        500,
        "internal",
        "Something went wrong in the studio; its log says what. Nothing that was saved is lost.",
    )


def without_paths(text: str) -> str:
    """The text with every path cut to its last part."""
    return _PATH.sub(r"\1", text)


def _answer(status: int, code: str, message: str, **more: Any) -> JSONResponse:  # noqa: ANN401 - JSON
    return JSONResponse({"code": code, "message": message, **more}, status_code=status)


def _refused(_request: Request, error: Exception) -> JSONResponse:
    status, code, message = describe(error)
    more = {}
    headers = {}
    if isinstance(error, RefusedError):
        more = {} if error.state is None else {"state": error.state}
        headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    answer = _answer(status, code, message, **more)
    answer.headers.update(headers)
    return answer


def _known(_request: Request, error: Exception) -> JSONResponse:
    return _answer(*describe(error))


def _http(_request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, message = _HTTP.get(status, ("http", "The request cannot be answered."))
    return _answer(status, code, message)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    places = ["the request"]
    if isinstance(error, RequestValidationError):
        places = [
            f"{'.'.join(str(part)[:60] for part in one['loc'][1:]) or 'the body'}: {one['msg'][:120]}"
            for one in error.errors()[:3]
        ]
    return _answer(422, "invalid", f"The request does not fit: {'; '.join(places)}.")
