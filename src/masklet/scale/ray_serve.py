"""The service on Ray Serve: replicas with one model each, health checks, and a limit on what waits.

serve run masklet.scale.ray_serve:build text="dog . ball" model=compact
serve deploy examples/serve.yaml
"""

from __future__ import annotations

from typing import Any

from ray import serve
from starlette.requests import Request
from starlette.responses import Response

from masklet.pipeline.ontology import as_ontology
from masklet.scale.label_job import EMBEDDED, LabelJob, make_finder
from masklet.scale.serving import ObjectService, Reply, ServingLimits

_PROBE_LOAD = 8
"""Requests beyond our own limit that reach a replica, so that it can answer them with Retry-After and tell its health."""


class Objects:
    """One replica: a loaded model behind the limits of ``ObjectService``."""

    def __init__(
        self,
        *,
        model: str = "compact",
        device: str = "auto",
        text: str | None = None,
        grounder: str = EMBEDDED,
        limits: ServingLimits | None = None,
    ) -> None:
        """Load the model; the replica is healthy when that is done."""
        from masklet.weights.load import load_model

        ontology = None if text is None else as_ontology(text)
        job = LabelJob(documents="", model=model, device=device, ontology=ontology, grounder=grounder)
        self._service = ObjectService(make_finder(job, load_model(model, device=device)), limits=limits)

    async def __call__(self, request: Request) -> Response:
        """Answer a request; a body above the limit is not read to its end."""
        most = self._service.limits.max_bytes
        body: bytes | None = b""
        async for part in request.stream():
            body = None if body is None or len(body) + len(part) > most else body + part
            if body is None:
                break
        return _as_response(await self._service.reply(request.method, request.url.path, body))

    async def check_health(self) -> None:
        """Ray replaces a replica whose event loop no longer answers this."""
        reply = await self._service.reply("GET", "/health", b"")
        if reply.status != 200:
            raise RuntimeError(f"The service is not healthy: {reply.value}")


def build(arguments: dict[str, str]) -> Any:  # noqa: ANN401 - Serve's application has no public type
    """The application for ``serve run`` and for a config file.

    Args:
        arguments: model, device, text, grounder, replicas, at_once, waiting, retry_after_s; all optional.
    """
    numbers = {
        one: int(arguments[one]) for one in ("at_once", "waiting", "retry_after_s") if one in arguments
    }
    chosen = {one: arguments[one] for one in ("model", "device", "text", "grounder") if one in arguments}
    limits = ServingLimits(**numbers)
    deployed = serve.deployment(
        name="objects",
        num_replicas=int(arguments.get("replicas", 1)),
        max_ongoing_requests=limits.at_once + limits.waiting + _PROBE_LOAD,
        health_check_period_s=5,
        health_check_timeout_s=30,
    )(Objects)
    return deployed.bind(limits=limits, **chosen)


def _as_response(reply: Reply) -> Response:
    return Response(
        content=reply.body,
        status_code=reply.status,
        media_type="application/json",
        headers={"X-Content-Type-Options": "nosniff", **reply.headers},
    )
