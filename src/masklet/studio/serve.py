"""Starting a studio: one per data folder, on a free port, with a fresh token, until Ctrl-C."""

from __future__ import annotations

import json
import os
import socket
import threading
import webbrowser
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

import uvicorn

from masklet.errors import StudioError
from masklet.studio.app import create_app
from masklet.studio.memory import limit_arenas
from masklet.studio.opening import open_media
from masklet.studio.security import is_loopback, keep_token, make_token
from masklet.studio.settings import StudioSettings
from masklet.studio.studio import Studio

LOCK_FILE = "studio.lock"
_NUM_PORTS = 20
_GRACE_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What to do besides serving.

    Attributes:
        media: Images and videos to open, or the folder of a labelling run; a project that holds them already is opened
            again.
        is_port_fixed: Whether another port will not do.
        is_browser_opened: Whether to open the page in the browser.
        token: A token that was chosen, or None for a fresh one.
    """

    media: Sequence[Path] = ()
    is_port_fixed: bool = False
    is_browser_opened: bool = True
    token: str | None = None


def serve(settings: StudioSettings, launch: Launch, *, on_ready: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Args:
        settings: How to run; the port may give way to the next free one.
        launch: What else to do.
        on_ready: Called with the address to open, token and all.

    Raises:
        StudioError: When the data folder is in use or cannot be used, the port is taken, or a token is missing.
        MediaError: When a file cannot be opened.
    """
    if not is_loopback(settings.host) and launch.token is None:
        raise StudioError(
            f"Listening on {settings.host} shows the studio to the network; choose a token of at least 22 characters in "
            "MASKLET_TOKEN first."
        )
    with listening(settings, is_fixed=launch.is_port_fixed) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(settings.home, settings.port):
            limit_arenas()
            token = launch.token or make_token()
            studio = Studio(settings)
            for opener in studio.openers[:2]:  # an export can wait for its own
                opener.warm()
            app = create_app(studio, token=token)
            keep_token(settings.home, token)
            project_id = open_media(studio, launch.media)
            query = {"token": token} | ({} if project_id is None else {"project": project_id})
            url = f"http://{_shown_host(settings.host)}:{settings.port}/?{urlencode(query)}"
            on_ready(url)
            if launch.is_browser_opened:
                threading.Timer(1.0, webbrowser.open, [url]).start()
            _run(app, settings, listener)


def _run(app: object, settings: StudioSettings, listener: socket.socket) -> None:
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_level="warning",
        access_log=False,  # addresses may hold the token
        server_header=False,
        proxy_headers=False,
        ws_max_size=settings.limits.live_frame_bytes + 4096,
        ws_max_queue=4,
        timeout_graceful_shutdown=_GRACE_S,
    )
    uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def listening(settings: StudioSettings, *, is_fixed: bool) -> Generator[socket.socket]:
    """A socket on the wanted port, or on one of the next when another will do.

    Raises:
        StudioError: When there is none.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    ports = (
        [settings.port]
        if is_fixed or settings.port == 0
        else range(settings.port, settings.port + _NUM_PORTS)
    )
    cause = None
    for port in ports:
        listener = socket.socket(family, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere this would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, port))
            listener.listen()
        except OSError as error:
            listener.close()
            cause = error.strerror
            continue
        with listener:
            yield listener
        return
    raise StudioError(
        f"Port {settings.port} of {settings.host} cannot be used ({cause}); choose another with --port."
    )


@contextmanager
def locked(home: Path, port: int) -> Generator[None]:
    """Hold the data folder for this process alone; a killed process holds nothing.

    Raises:
        StudioError: When another studio holds it; says which process and port.
    """
    path = home / LOCK_FILE
    with path.open("a+", encoding="utf-8") as file:
        try:
            _lock(file.fileno())
        except OSError as error:
            holder = home / f"{LOCK_FILE}.json"
            known = json.loads(holder.read_text(encoding="utf-8")) if holder.is_file() else {}
            raise StudioError(
                f"Another studio (process {known.get('pid', 'unknown')}, port {known.get('port', 'unknown')}) uses this "
                "data folder; use that one, stop it, or set MASKLET_HOME to another folder."
            ) from error
        holder = home / f"{LOCK_FILE}.json"
        holder.write_text(json.dumps({"pid": os.getpid(), "port": port}), encoding="utf-8")
        yield
        holder.unlink(missing_ok=True)


def _lock(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _shown_host(host: str) -> str:
    """How to write an address into a URL; "any" addresses are this machine here."""
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1" if host == "0.0.0.0" else "[::1]"
    return f"[{host}]" if ":" in host else host
