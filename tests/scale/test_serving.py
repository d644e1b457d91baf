"""The service without a server: what it answers, and that it says no before it is too full."""

import asyncio
import io
import json
import threading

import numpy as np
import pytest
from PIL import Image

from masklet.errors import ConfigError, WeightsError
from masklet.masks import rle
from masklet.pipeline.findings import Finding, FindingLimits
from masklet.scale.serving import ObjectService, ServingLimits


def picture_bytes(width=30, height=20):
    file = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), 90, dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


class SquareFinder:
    """Finds one square; waits for the gate when there is one."""

    def __init__(self, gate=None):
        self.gate = gate

    def identity(self):
        return {}

    def find(self, picture):
        if self.gate is not None:
            assert self.gate.wait(10)
        mask = np.zeros(picture.shape[:2], dtype=bool)
        mask[5:9, 5:9] = True
        return [Finding(mask=mask, score=0.9, label="square", confidence=0.7)]


def service(finder=None, **limits):
    return ObjectService(
        finder or SquareFinder(),
        limits=ServingLimits(**limits),
        findings=FindingLimits(min_area_share=0.0),
    )


def ask(found, method, path, body=b""):
    return asyncio.run(found.reply(method, path, body))


def test_a_picture_is_answered_with_its_objects():
    reply = ask(service(), "POST", "/objects", picture_bytes())
    assert reply.status == 200
    value = json.loads(reply.body)
    assert value["size"] == [20, 30]
    (found,) = value["objects"]
    assert found["box"] == [5, 5, 9, 9]
    assert (found["label"], found["score"], found["confidence"], found["area"]) == ("square", 0.9, 0.7, 16)
    assert rle.area(rle.from_json(found["segmentation"])) == 16


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/health", b"", 200),
        ("POST", "/health", b"", 405),
        ("GET", "/objects", b"", 405),
        ("GET", "/etc/passwd", b"", 404),
        ("POST", "/objects", b"no picture", 422),
        ("POST", "/objects", b"", 422),
        ("POST", "/objects", None, 413),
        ("POST", "/objects", b"x" * 5000, 413),
    ],
)
def test_other_requests_get_their_status_and_a_sentence(method, path, body, status):
    reply = ask(service(max_bytes=4000), method, path, body)
    assert reply.status == status
    assert status == 200 or json.loads(reply.body)["error"].endswith(".")


def test_a_picture_with_too_many_pixels_is_refused():
    assert ask(service(max_pixels=100), "POST", "/objects", picture_bytes()).status == 422


def test_a_full_service_says_when_to_come_back_and_recovers():
    gate = threading.Event()
    found = service(SquareFinder(gate), at_once=1, waiting=1, retry_after_s=3)

    async def crowd():
        asked = [asyncio.create_task(found.reply("POST", "/objects", picture_bytes())) for _ in range(5)]
        await asyncio.sleep(0)
        health = await found.reply("GET", "/health", b"")
        gate.set()
        return health, await asyncio.gather(*asked), await found.reply("POST", "/objects", picture_bytes())

    health, replies, after = asyncio.run(crowd())
    assert (health.status, health.value["inside"]) == (200, 2)
    assert [one.status for one in replies] == [200, 200, 503, 503, 503]
    assert replies[2].headers == {"Retry-After": "3"}
    assert after.status == 200


def test_what_goes_wrong_inside_is_not_told_outside():
    class Broken(SquareFinder):
        def find(self, picture):
            raise WeightsError(f"secret place {picture.shape}")

    reply = ask(service(Broken()), "POST", "/objects", picture_bytes())
    assert reply.status == 500
    assert b"secret" not in reply.body


def test_limits_that_cannot_be_kept_are_refused():
    with pytest.raises(ConfigError, match="at least one picture"):
        ServingLimits(at_once=0)
