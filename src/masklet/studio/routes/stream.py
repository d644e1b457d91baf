"""The WebSockets: what happens in a project, and live streams. ``docs/guides/studio.md`` describes both protocols."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Coroutine

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from masklet.studio.deps import StudioDep
from masklet.studio.live import LiveStream
from masklet.studio.refusals import RefusedError
from masklet.studio.schemas import Subscribe
from masklet.studio.stream import Hub, Listener, Message
from masklet.studio.studio import Studio

router = APIRouter()

WRONG_MESSAGE = 4400
NOT_FOUND = 4404
TOO_SLOW = 4408
TOO_MANY = 4429


@router.websocket("/ws")
async def stream(websocket: WebSocket, studio: StudioDep) -> None:
    """What happens in one project, in order, from a cursor on."""
    await websocket.accept()
    wanted = await _subscription(websocket)
    if wanted is None:
        return
    try:
        studio.store.projects.get(wanted.project_id)
        is_known = wanted.epoch == studio.hub.epoch and wanted.cursor is not None
        cursor = (
            wanted.cursor if is_known and wanted.cursor is not None else studio.hub.cursor(wanted.project_id)
        )
        listener = studio.hub.listen(wanted.project_id, cursor)
    except RefusedError as error:
        await websocket.close(NOT_FOUND if error.status == 404 else TOO_MANY, error.code)
        return
    try:
        await websocket.send_text(_hello(studio, listener))
        await _until_first_ends(
            _send_all(websocket, listener, studio.hub, studio.settings.stream.send_seconds),
            _read_pings(websocket),
        )
    except WebSocketDisconnect:
        return
    except asyncio.TimeoutError:  # the built-in one from Python 3.11 on
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # the page may have gone meanwhile
            await websocket.close(TOO_SLOW, "too slow")
    finally:
        studio.hub.leave(listener)


@router.websocket("/ws/live")
async def live(websocket: WebSocket, studio: StudioDep) -> None:
    """Frames in, masks out; objects are added and removed on the way."""
    await websocket.accept()
    one = LiveStream(websocket, studio)
    try:
        await _until_first_ends(one.receive(), one.answer())
    except WebSocketDisconnect:
        return
    except asyncio.TimeoutError:  # the built-in one from Python 3.11 on
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # the page may have gone meanwhile
            await websocket.close(TOO_SLOW, "too slow")
    finally:
        one.close()


async def _subscription(websocket: WebSocket) -> Subscribe | None:
    try:
        message = await websocket.receive_text()
        return Subscribe.model_validate_json(message)
    except (ValidationError, KeyError):
        await websocket.close(WRONG_MESSAGE, "subscribe first")
    except WebSocketDisconnect:
        return None
    return None


def _hello(studio: Studio, listener: Listener) -> str:
    project = studio.store.projects.get(listener.project_id)
    jobs = [one.state() for one in studio.jobs.of_project(project.id) if not one.is_over]
    hello = {
        "type": "hello",
        "epoch": studio.hub.epoch,
        "cursor": listener.cursor,
        "revision": project.revision,
        "jobs": jobs,
    }
    return json.dumps(hello)


async def _send_all(websocket: WebSocket, listener: Listener, hub: Hub, seconds: float) -> None:
    while True:
        found = await listener.next()
        if found is None:
            reset = json.dumps({"type": "reset", "epoch": hub.epoch, "cursor": listener.cursor})
            await asyncio.wait_for(_send(websocket, reset), seconds)
            continue
        for one in found:
            await asyncio.wait_for(_send(websocket, one.message), seconds)


async def _send(websocket: WebSocket, message: Message) -> None:
    if isinstance(message, bytes):
        await websocket.send_bytes(message)
    else:
        await websocket.send_text(message)


async def _read_pings(websocket: WebSocket) -> None:
    """Notice when the page goes; all it may say is that it is there."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))


async def _until_first_ends(*parts: Coroutine[None, None, None]) -> None:
    """Run both directions of a connection; when one ends, so does the other."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.exception()  # looked at, so that asyncio does not report it as lost
