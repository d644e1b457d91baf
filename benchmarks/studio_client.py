"""A client of the studio without a page: what the server alone takes, beside what a browser on the same processors adds."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

from websockets.sync.client import connect

PATIENCE_S = 600


class StudioClient:
    """One project of a running studio."""

    def __init__(self, url: str) -> None:
        """Begin a project at the address that the studio printed, with its token."""
        parts = urlsplit(url)
        self._place = parts.netloc
        self._headers = {"Authorization": f"Bearer {parse_qs(parts.query)['token'][0]}"}
        self.project = self._ask("POST", "/projects", {"name": "without a page"})["id"]

    def open_clip(self, path: Path) -> str:
        """Send a clip in parts; the id of its medium."""
        content = path.read_bytes()
        upload = self._ask("POST", "/uploads", {"name": path.name, "num_bytes": len(content)})
        part = upload["chunk_bytes"]
        for offset in range(0, len(content), part):
            self._ask("PUT", f"/uploads/{upload['id']}?offset={offset}", content[offset : offset + part])
        return self._ask("POST", f"/projects/{self.project}/media", {"upload_id": upload["id"]})["id"]

    def click(self, media: str, frame: int, point: tuple[float, float]) -> None:
        """Say where object 1 is."""
        revision = self._ask("GET", f"/projects/{self.project}")["revision"]
        said = {"revision": revision, "edit_id": uuid.uuid4().hex, "clicks": [[*point, True]]}
        self._ask("PUT", f"/media/{media}/objects/1/frames/{frame}/prompts", said)

    def track(self, media: str) -> tuple[float, int]:
        """Track to the end; seconds until the job's last word, and the masks that came over the stream."""
        address = f"ws://{self._place}/ws"
        with connect(address, additional_headers=self._headers, proxy=None) as stream:
            stream.send(json.dumps({"type": "subscribe", "project_id": self.project}))
            stream.recv(PATIENCE_S)
            started, num_masks = time.perf_counter(), 0
            self._ask("POST", f"/media/{media}/track", {})
            while True:
                message = stream.recv(PATIENCE_S)
                if isinstance(message, bytes):
                    num_masks += 1
                elif json.loads(message).get("job", {}).get("status") in ("done", "failed", "cancelled"):
                    return time.perf_counter() - started, num_masks

    def _ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - answers of many kinds
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = self._headers | {"Content-Type": "application/json"}
        request = Request(f"http://{self._place}/api{path}", content, headers, method=method)
        with urlopen(request, timeout=PATIENCE_S) as answer:
            return json.loads(answer.read())
