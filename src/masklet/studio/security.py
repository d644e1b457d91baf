"""Who may speak to the studio: the launch token, the Host and Origin rules, and the brake on guessing. Values only."""

from __future__ import annotations

import hmac
import ipaddress
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from masklet.errors import StudioError

TOKEN_BYTES = 32
TOKEN_FILE = "token"
MAX_BAD_TOKENS = 10
BAD_TOKEN_WINDOW_S = 60.0
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
OPEN_PATHS = frozenset(("/api/health",))
"""Answered without a token. ``/`` with a token in its address signs in; nothing else is open."""

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; worker-src 'self' blob:; "
        "connect-src 'self'; style-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


def make_token() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def keep_token(home: Path, token: str) -> Path:
    """Write the token where only this user can read it, for programs on the same machine.

    Raises:
        StudioError: When the folder refuses.
    """
    path = home / TOKEN_FILE
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token)
    except OSError as error:
        raise StudioError(
            f"The token cannot be written ({error.strerror}); choose another MASKLET_HOME."
        ) from error
    return path


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the studio listens, and therefore under which names pages may reach it."""

    host: str
    port: int

    def allows_host(self, header: str | None) -> bool:
        """Whether a Host header names this studio. A name that some attacker's DNS answers for never does.

        Args:
            header: The header's value, or None when it is missing or there are several.
        """
        parts = _split_host(header)
        if parts is None or (parts[1] or 80) != self.port:
            return False
        name = parts[0]
        if is_loopback(self.host):
            return name == "localhost" or is_loopback(name)
        return name in ("localhost", self.host) or _is_address(name)

    def allows_origin(self, origin: str | None, host_header: str) -> bool:
        """Whether an Origin header is that of the studio's own page, reached as the Host header says."""
        return origin is not None and origin in (f"http://{host_header}", f"https://{host_header}")


def _split_host(header: str | None) -> tuple[str, int | None] | None:
    """Name and port of a Host header, or None when it is not exactly one of both."""
    if not header or header != header.strip() or any(mark in header for mark in "/@?#\\ %"):
        return None
    try:
        parts = urlsplit(f"//{header}")
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    return None if not name or name.endswith(".") else (name, port)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class TokenGate:
    """Compares tokens in constant time and slows guessing down."""

    def __init__(self, token: str) -> None:
        if len(token) < 22:
            raise StudioError(
                "A token needs at least 128 bits, which are 22 letters and digits; make it longer."
            )
        self._token = token.encode()
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def is_right(self, given: str, client: str) -> bool:
        """Whether a token is the right one; a wrong one is counted against the client."""
        if hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token):
            return True
        with self._lock:
            if len(self._failures) > 10_000:
                self._failures.clear()
            self._failures.setdefault(client, deque(maxlen=MAX_BAD_TOKENS)).append(time.monotonic())
        return False

    def forgive(self, client: str) -> None:
        """Let a client begin anew."""
        with self._lock:
            self._failures.pop(client, None)

    def wait_s(self, client: str) -> int:
        """Seconds a client has to wait after too many wrong tokens; 0 when it need not."""
        with self._lock:
            failures = self._failures.get(client)
            if failures is None or len(failures) < MAX_BAD_TOKENS:
                return 0
            left = failures[0] + BAD_TOKEN_WINDOW_S - time.monotonic()
            return max(0, int(left) + 1) if left > 0 else 0
