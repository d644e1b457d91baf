"""The application: routes inside a wall, around one studio."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from masklet import __version__
from masklet.studio.boundary import Boundary
from masklet.studio.http_errors import add_error_handlers
from masklet.studio.page import STATIC_FOLDER, add_page
from masklet.studio.routes import jobs, labels, media, objects, projects, stream, suggestions
from masklet.studio.schemas import ErrorBody
from masklet.studio.security import Place, TokenGate
from masklet.studio.studio import Studio


def create_app(studio: Studio, *, token: str, static_folder: Path = STATIC_FOLDER) -> FastAPI:
    """The application of a studio; its threads run while the application does.

    Args:
        studio: What it serves.
        token: Who holds it may do everything.
        static_folder: Where the built page is.

    Raises:
        StudioError: When the token is too short.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        studio.start()
        try:
            yield
        finally:
            studio.stop()

    app = FastAPI(
        title="masklet studio",
        version=__version__,
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        responses={"4XX": {"model": ErrorBody}, "5XX": {"model": ErrorBody}},
        separate_input_output_schemas=False,
    )
    app.state.studio = studio
    for one in (jobs, labels, projects, media, objects, suggestions, stream):
        app.include_router(one.router)
    add_page(app, static_folder)
    add_error_handlers(app)
    settings = studio.settings
    app.add_middleware(
        Boundary,
        place=Place(host=settings.host, port=settings.port),
        gate=TokenGate(token),
        body_bytes=settings.limits.body_bytes,
    )
    return app
