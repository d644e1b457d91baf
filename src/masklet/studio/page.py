"""The page: the built one where it is there, otherwise a few words on how to build it."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC_FOLDER = Path(__file__).parent / "static"
_HASHED = "assets/"
_NOT_BUILT = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>masklet studio</title></head>
<body>
<main>
<h1>masklet studio</h1>
<p>The server runs, but the page has not been built: run <code>make web</code> in the checkout (it needs Node) and start the
studio again. A wheel of masklet brings the page along.</p>
<p>Until then everything is at <a href="/api/openapi.json">/api</a>.</p>
</main>
</body>
</html>
"""


class _Page(StaticFiles):
    """Files of the page; those with a hash in their name never change."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, with how long it may be kept."""
        response = await super().get_response(path, scope)
        is_hashed = path.replace("\\", "/").startswith(_HASHED)
        response.headers["Cache-Control"] = (
            "private, max-age=31536000, immutable" if is_hashed else "no-cache"
        )
        return response


def is_built(folder: Path = STATIC_FOLDER) -> bool:
    """Whether there is a page to serve."""
    return (folder / "index.html").is_file()


def add_page(app: FastAPI, folder: Path = STATIC_FOLDER) -> None:
    """Serve the page at ``/``.

    Args:
        app: Whose page it is.
        folder: Where the built page is, or would be.
    """
    if is_built(folder):
        app.mount("/", _Page(directory=folder, html=True), name="page")
        return

    @app.get("/", include_in_schema=False)
    def say_not_built() -> HTMLResponse:
        """A few words."""
        return HTMLResponse(_NOT_BUILT)
