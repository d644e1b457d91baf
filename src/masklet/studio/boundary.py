"""The wall around the application: everything passes here, HTTP and WebSocket alike, and is refused unless a rule allows it.

A route cannot opt out by forgetting something: the wall stands outside the router.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from masklet.studio.http_errors import describe
from masklet.studio.security import OPEN_PATHS, SAFE_METHODS, SECURITY_HEADERS, Place, TokenGate

_WEBSOCKET_REFUSED = 4403
_UPLOADS = "/api/uploads/"


class Refusal:
    """What the wall answers."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.body = json.dumps({"code": code, "message": message}).encode()
        self.headers = dict(headers or {})


_WRONG_HOST = Refusal(
    403, "wrong_host", "The studio does not answer under this name; open the address it printed."
)
_WRONG_ORIGIN = Refusal(
    403, "wrong_origin", "Another page may not use the studio; open the address it printed."
)
_NO_TOKEN = Refusal(
    401, "no_token", "The studio does not know this browser; open the address that `masklet studio` printed."
)


class Boundary:
    """ASGI middleware: Host, then Origin, then token; and headers on every answer."""

    def __init__(self, app: ASGIApp, *, place: Place, gate: TokenGate, body_bytes: int) -> None:
        """Put the wall around an application.

        Args:
            app: What is inside.
            place: Where the studio listens.
            gate: Who holds the token.
            body_bytes: Largest body of a request, parts of uploads apart.
        """
        self._app = app
        self._body_bytes = body_bytes
        self._place = place
        self._gate = gate
        self.cookie_name = f"masklet_studio_{place.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._judge(scope)
        if refusal is not None:
            await _refuse(refusal, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._pass(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request inside; whatever nobody there caught becomes an answer that gives nothing away."""
        answer = _Answer(send)
        try:
            await self._app(scope, _limited(scope, receive, self._body_bytes), answer)
        except Exception as error:
            status, code, message = describe(error)
            if answer.has_begun:
                raise
            await _refuse(Refusal(status, code, message), scope, receive, send)

    def _judge(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        host = _single(headers, "host")
        if host is None or not self._place.allows_host(host):
            return _WRONG_HOST
        origins = headers.getlist("origin")
        if origins and not (len(origins) == 1 and self._place.allows_origin(origins[0], host)):
            return _WRONG_ORIGIN
        client = scope["client"][0] if scope.get("client") else "unknown"
        is_safe = scope["type"] == "http" and scope["method"] in SAFE_METHODS
        if is_safe and scope["path"] in OPEN_PATHS:
            return None
        if is_safe and scope["path"] == "/":
            signed_in = self._sign_in(scope, client)
            if signed_in is not None:
                return signed_in
        return self._judge_token(headers, client, has_origin=bool(origins), is_safe=is_safe)

    def _judge_token(
        self, headers: Headers, client: str, *, has_origin: bool, is_safe: bool
    ) -> Refusal | None:
        bearer = _single(headers, "authorization")
        if bearer is not None:
            kind, _, given = bearer.partition(" ")
            return self._compare(given if kind.lower() == "bearer" else None, client, "token")
        refusal = self._compare(_cookie(headers.getlist("cookie"), self.cookie_name), client, "cookie")
        if refusal is not None:
            return refusal
        # a browser names its page with everything that changes something, and with every WebSocket
        return None if has_origin or is_safe else _WRONG_ORIGIN

    def _compare(self, given: str | None, client: str, way: str) -> Refusal | None:
        """None for the right token.

        Cookies have a brake of their own: a page of a studio that is gone tries an old one again and again, and must
        not keep anybody from opening the new address.
        """
        place = f"{way} {client}"
        wait_s = self._gate.wait_s(place)
        if wait_s:
            message = f"Too many wrong tokens; wait {wait_s} s."
            return Refusal(429, "too_many_tokens", message, {"Retry-After": str(wait_s)})
        return None if given is not None and self._gate.is_right(given, place) else _NO_TOKEN

    def _sign_in(self, scope: Scope, client: str) -> Refusal | None:
        """The answer to ``/?token=...``: a cookie, and the same address without the token."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in query if name == "token"]
        if not given:
            return None
        refusal = self._compare(given[0] if len(given) == 1 else None, client, "token")
        if refusal is not None:
            return refusal
        self._gate.forgive(f"cookie {client}")
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        cookie = f"{self.cookie_name}={given[0]}; HttpOnly; SameSite=Strict; Path=/"
        headers = {
            "Location": f"/?{rest}" if rest else "/",
            "Set-Cookie": cookie,
            "Cache-Control": "no-store",
        }
        return Refusal(303, "signed_in", "Signed in.", headers)


def _single(headers: Headers, name: str) -> str | None:
    values = headers.getlist(name)
    return values[0] if len(values) == 1 else None


def _cookie(headers: list[str], name: str) -> str | None:
    for header in headers:
        try:
            found = SimpleCookie(header).get(name)
        except CookieError:
            continue
        if found is not None:
            return found.value
    return None


class _Answer:
    """Sends an answer with the security headers on it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            known = {name.lower() for name, _ in message["headers"]}
            wanted = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
            added = [
                (name.lower().encode(), value.encode())
                for name, value in wanted.items()
                if name.lower().encode() not in known
            ]
            message = {**message, "headers": [*message["headers"], *added]}
        await self._send(message)


def _limited(scope: Scope, receive: Receive, most: int) -> Receive:
    """Stop reading a body that is larger than allowed; parts of uploads have a limit of their own."""
    if scope["method"] == "PUT" and scope["path"].startswith(_UPLOADS):
        return receive
    num_bytes = 0

    async def receiver() -> Message:
        nonlocal num_bytes
        message = await receive()
        num_bytes += len(message.get("body", b""))
        if num_bytes > most:
            raise HTTPException(413)
        return message

    return receiver


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": _WEBSOCKET_REFUSED, "reason": ""})
        return
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store", **SECURITY_HEADERS}
    headers |= {"Content-Length": str(len(refusal.body)), **refusal.headers}
    listed = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": listed})
    await send({"type": "http.response.body", "body": refusal.body})
