"""The deployment without a cluster: the class that Serve runs, and the application that it is given."""

import asyncio
import io
import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("ray")
pytest.importorskip("starlette")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:ray"),
]


@pytest.fixture(scope="module")
def ray_serve():
    return pytest.importorskip(
        "masklet.scale.ray_serve", reason="needs ray with its extra: ray[serve]", exc_type=ImportError
    )


def ask(objects, method, path, body):
    """Send a request in two parts, as a server hands it on."""
    from starlette.requests import Request

    half = len(body) // 2
    parts = [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.request", "body": body[half:], "more_body": False},
    ]

    async def receive():
        return parts.pop(0)

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    return asyncio.run(objects(Request(scope, receive)))


def test_a_replica_answers_pictures_health_and_too_much(ray_serve):
    from masklet.scale.serving import ServingLimits

    objects = ray_serve.Objects(model="debug-compact", device="cpu", limits=ServingLimits(max_bytes=20_000))
    file = io.BytesIO()
    Image.fromarray(np.full((24, 32, 3), 90, dtype=np.uint8)).save(file, "PNG")
    found = ask(objects, "POST", "/objects", file.getvalue())
    assert found.status_code == 200
    assert json.loads(found.body)["size"] == [24, 32]
    assert found.headers["content-type"] == "application/json"
    assert found.headers["x-content-type-options"] == "nosniff"
    assert ask(objects, "GET", "/health", b"").status_code == 200
    assert ask(objects, "POST", "/objects", b"x" * 50_000).status_code == 413
    assert asyncio.run(objects.check_health()) is None


def test_the_application_takes_the_arguments_of_the_example(ray_serve):
    from pathlib import Path

    import yaml

    example = yaml.safe_load((Path(__file__).parents[2] / "examples" / "serve.yaml").read_text())
    (application,) = example["applications"]
    assert application["import_path"] == "masklet.scale.ray_serve:build"
    assert example["http_options"]["host"] == "127.0.0.1"
    built = ray_serve.build(application["args"])
    deployment = built._bound_deployment
    assert deployment.name == "objects"
    assert deployment.num_replicas == 2
    assert deployment.max_ongoing_requests == 1 + 8 + 8
