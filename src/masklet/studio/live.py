"""A live stream: pictures come in, masks go out, and objects come and go on the way.

At most a few pictures wait; when more come than the model can follow, the newest are dropped and counted, so that the
delay stays bounded. Nothing of a live stream is stored.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from masklet.errors import MaskletError, PromptError
from masklet.geometry import Size
from masklet.masks import rle
from masklet.predictors.results import FrameResult
from masklet.predictors.video import VideoSession
from masklet.prompts import PromptSet
from masklet.studio.http_errors import describe
from masklet.studio.prompt_body import prompts_of
from masklet.studio.refusals import RefusedError, too_large
from masklet.studio.schemas import LivePrompt, LiveRemove, LiveRename
from masklet.studio.studio import Studio
from masklet.studio.wire import LIVE_ID, WireMask, pack_mask
from masklet.video.image import read_image
from masklet.video.source import Image

Answer = TypeVar("Answer")
_COMMANDS: TypeAdapter[LivePrompt | LiveRemove | LiveRename] = TypeAdapter(
    Annotated[LivePrompt | LiveRemove | LiveRename, Field(discriminator="type")]
)


class LiveStream:
    """One client."""

    def __init__(self, websocket: WebSocket, studio: Studio) -> None:
        self._websocket = websocket
        self._studio = studio
        self._pictures: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(studio.settings.stream.live_queue)
        self._prompts: dict[int, PromptSet] = {}
        self._session: VideoSession | None = None
        self._num_sent = 0
        self._num_dropped = 0

    def close(self) -> None:
        """Forget the stream, once the frame at work is done."""
        try:
            self._studio.engine.submit(self._end)
        except RefusedError:  # the studio is closing, or too much waits
            self._end()

    def _end(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    async def receive(self) -> None:
        """Take pictures and commands until the client goes."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            try:
                if message.get("bytes") is not None:
                    self._take(message["bytes"])
                else:
                    await self._obey(message.get("text") or "")
            except MaskletError as error:
                await self._say_error(error)

    async def answer(self) -> None:
        """Segment one picture after the other."""
        while True:
            number, content = await self._pictures.get()
            try:
                picture = await asyncio.to_thread(self._decode, content)
                result = await self._on_engine(lambda shown=picture: self._step(shown))
            except MaskletError as error:
                await self._say_error(error, frame=number)
                continue
            await self._send(number, result)

    def _take(self, content: bytes) -> None:
        number, self._num_sent = self._num_sent, self._num_sent + 1
        if len(content) > self._studio.settings.limits.live_frame_bytes:
            raise too_large("The picture", self._studio.settings.limits.live_frame_bytes)
        if self._pictures.full():
            self._num_dropped += 1
        else:
            self._pictures.put_nowait((number, content))

    async def _obey(self, text: str) -> None:
        try:
            command = _COMMANDS.validate_json(text)
        except ValidationError as error:
            raise PromptError(
                "A message of a live stream is a picture, or JSON of the type prompt, remove or rename."
            ) from error
        if isinstance(command, LivePrompt):
            self._prompts[command.object_id] = prompts_of(command, None)
        elif isinstance(command, LiveRename):
            await self._on_engine(lambda: self._opened().rename(command.object_id, command.new_id))
        else:
            self._prompts.pop(command.object_id, None)
            await self._on_engine(lambda: self._opened().remove(command.object_id))

    def _decode(self, content: bytes) -> Image:
        return read_image(content, max_pixels=self._studio.settings.limits.pixels)

    async def _on_engine(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.wrap_future(self._studio.engine.submit(work))

    def _opened(self) -> VideoSession:
        """The session; on the engine's thread."""
        if self._session is None:
            self._session = VideoSession(self._studio.model())
        return self._session

    def _step(self, picture: Image) -> FrameResult:
        prompts, self._prompts = self._prompts, {}
        size = Size(*picture.shape[:2])
        for one in prompts.values():
            one.check_inside(size)
        return self._opened().step(picture, prompts)

    async def _send(self, number: int, result: FrameResult) -> None:
        seconds = self._studio.settings.stream.send_seconds
        for object_id in result.object_ids:
            mask = WireMask(
                media_id=LIVE_ID,
                object_id=object_id,
                frame=number,
                mask=rle.encode(result.masks[object_id]),
                score=result.scores[object_id],
                presence=result.presence[object_id],
                stability=result.stability[object_id],
                is_prompted=object_id in result.prompted,
            )
            await asyncio.wait_for(self._websocket.send_bytes(pack_mask(mask)), seconds)
        done = {
            "type": "frame",
            "frame": number,
            "objects": result.object_ids,
            "num_dropped": self._num_dropped,
        }
        await asyncio.wait_for(self._websocket.send_text(json.dumps(done)), seconds)

    async def _say_error(self, error: MaskletError, *, frame: int | None = None) -> None:
        _, code, message = describe(error)
        said = {"type": "error", "code": code, "message": message, "frame": frame}
        await self._websocket.send_text(json.dumps(said))
