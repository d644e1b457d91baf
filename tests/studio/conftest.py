"""A studio with a tiny model on small media that every test makes for itself; no browser, no network."""

import hashlib
import io
import time
from dataclasses import replace
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from starlette.testclient import TestClient

from masklet.models.prompt_maps import NUM_SCORED
from masklet.studio.app import create_app
from masklet.studio.settings import Limits, StreamLimits, StudioSettings
from masklet.studio.studio import Studio
from masklet.video.frames import open_source
from masklet.weights.load import load_model

TOKEN = "a-token-of-the-tests-0123456789-0123456789"
HOST = "127.0.0.1:8427"
BASE = f"http://{HOST}"
HEIGHT, WIDTH, NUM_FRAMES = 40, 56, 10

_models = {}


def tiny_model():
    """Random weights under which masks differ with image, prompt and memory, and objects are there."""
    if "tiny" not in _models:
        loaded = load_model("debug-compact", device="cpu")
        enliven(loaded.model, torch.Generator().manual_seed(5))
        _models["tiny"] = replace(loaded, weights_sha256="random-5")
    return _models["tiny"]


def enliven(network, generator):
    state, weights = {}, network.state_dict()
    # the target model comes last and its scores are not drawn: the tests lean on the masks that the others give
    for name in sorted(weights, key=lambda name: (name.startswith("target."), name)):
        tensor = weights[name]
        if name == "prompt_encoder.maps.draw.weight":
            drawn = torch.randn(tensor[:, :-NUM_SCORED].shape, generator=generator)
            noise = F.pad(drawn, (0, 0, 0, 0, 0, NUM_SCORED))
            tensor = tensor[:, :-NUM_SCORED]
        else:
            noise = torch.randn(tensor.shape, generator=generator)
        if name.endswith(".weight") and "norm" not in name and tensor.dim() >= 2:
            state[name] = noise * 1.4 / (tensor.shape[0] if "upscale" in name else tensor[0].numel()) ** 0.5
        elif name.endswith("scale"):
            state[name] = 0.3 + 0.2 * noise
        else:
            is_norm = "norm" in name and name.endswith(".weight")
            state[name] = 1 + 0.2 * noise if is_norm else (0.1 if name.endswith(".bias") else 0.5) * noise
    presence = [name for name in state if name.startswith("decoder.presence_head") and name.endswith("bias")]
    state[presence[-1]] += 4
    network.load_state_dict(state)


def picture(index):
    """A bright square that moves over noise, uint8 RGB."""
    pixels = np.random.default_rng(index).integers(0, 60, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels[10:26, 8 + 2 * index % 30 : 24 + 2 * index % 30] = (230, 180, 40)
    return pixels


def video_bytes(num_frames=NUM_FRAMES, container="mp4"):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream("libx264", rate=10, options={"mbtree": "0", "g": "4"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        for index in range(num_frames):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture(index), format="rgb24")))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def image_bytes(kind="PNG"):
    buffer = io.BytesIO()
    Image.fromarray(picture(0)).save(buffer, kind)
    return buffer.getvalue()


class HereOpener:
    """Decodes in this process: starting another one takes longer than most tests."""

    def __init__(self, limits):
        self.limits = limits

    def open(self, path, _shown_name, *, allow_damaged):
        return open_source(path, allow_damaged=allow_damaged, max_pixels=self.limits.pixels)

    process_id = None

    def warm(self):
        pass

    def close(self):
        pass


class Page:
    """What a page does, with the revision it has seen."""

    def __init__(self, client, project_id):
        self.client = client
        self.project_id = project_id
        self.revision = 0
        self.num_edits = 0

    def edit(self, method, path, *, is_ok=True, **body):
        self.num_edits += 1
        body = {"revision": self.revision, "edit_id": f"edit-{id(self)}-{self.num_edits}", **body}
        answer = self.client.request(method, path, json=body)
        if is_ok:
            assert answer.status_code in (200, 201), answer.text
            self.revision = answer.json()["revision"]
        return answer

    def prompt(self, media_id, object_id=1, frame=0, *, clicks=((16, 18, True),), **more):
        path = f"/api/media/{media_id}/objects/{object_id}/frames/{frame}/prompts"
        return self.edit("PUT", path, clicks=[list(one) for one in clicks], **more)

    def state(self):
        return self.client.get(f"/api/projects/{self.project_id}").json()

    def masks(self, media_id, start=0, stop=NUM_FRAMES):
        answer = self.client.get(f"/api/media/{media_id}/masks", params={"start": start, "stop": stop})
        assert answer.status_code == 200, answer.text
        return answer.json()["masks"]

    def track(self, media_id, **body):
        answer = self.client.post(f"/api/media/{media_id}/track", json=body)
        assert answer.status_code == 202, answer.text
        return self.finish(answer.json())

    def export(self, **body):
        answer = self.client.post(f"/api/projects/{self.project_id}/exports", json=body)
        assert answer.status_code == 202, answer.text
        return self.finish(answer.json())

    def finish(self, job):
        ends = time.monotonic() + 60
        while job["status"] in ("waiting", "running") and time.monotonic() < ends:
            time.sleep(0.02)
            job = self.client.get(f"/api/jobs/{job['id']}").json()
        return job


def upload(client, content, name="clip.mp4", chunk=4096, **more):
    sha256 = hashlib.sha256(content).hexdigest()
    answer = client.post(
        "/api/uploads", json={"name": name, "num_bytes": len(content), "sha256": sha256, **more}
    )
    assert answer.status_code == 201, answer.text
    upload_id = answer.json()["id"]
    for offset in range(0, len(content), chunk):
        part = content[offset : offset + chunk]
        answer = client.put(f"/api/uploads/{upload_id}", params={"offset": offset}, content=part)
        assert answer.status_code == 200, answer.text
    return upload_id


@pytest.fixture(scope="session")
def video():
    return video_bytes()


@pytest.fixture
def settings(tmp_path):
    return StudioSettings(
        home=tmp_path / "home",
        model="debug-compact",
        limits=Limits(reserve_bytes=0, chunk_bytes=65536, probe_seconds=20),
        stream=StreamLimits(send_seconds=2.0),
    )


@pytest.fixture
def open_studio(settings):
    """A function that starts a studio on the same data folder; closing is up to the ``with``."""

    def start(*, make_opener=HereOpener, **changes):
        studio = Studio(replace(settings, **changes), model=tiny_model(), make_opener=make_opener)
        app = create_app(studio, token=TOKEN, static_folder=settings.home / "no-page")
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return TestClient(app, base_url=BASE, headers=headers)

    return start


@pytest.fixture
def client(open_studio):
    with open_studio() as client:
        yield client


@pytest.fixture
def make_page(client):
    def make(name="a project"):
        return Page(client, client.post("/api/projects", json={"name": name}).json()["id"])

    return make


def add_video(page, video):
    upload_id = upload(page.client, video)
    answer = page.client.post(f"/api/projects/{page.project_id}/media", json={"upload_id": upload_id})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@pytest.fixture
def page(make_page):
    return make_page()


@pytest.fixture
def media_id(page, video):
    return add_video(page, video)


@pytest.fixture
def upload_file():
    """A function that sends a file in parts and gives the upload's id."""
    return upload


@pytest.fixture
def add_to():
    """A function that puts a video into a page's project."""
    return add_video


@pytest.fixture
def make_video():
    return video_bytes


@pytest.fixture
def make_image():
    return image_bytes


@pytest.fixture
def page_class():
    return Page


@pytest.fixture
def base():
    return BASE


@pytest.fixture
def token():
    return TOKEN


@pytest.fixture
def masklet_command(capsys):
    """A function that runs ``masklet`` with its arguments and gives exit code and standard error."""
    from masklet.cli.main import main

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        return SimpleNamespace(code=ended.value.code or 0, err=capsys.readouterr().err)

    return run
