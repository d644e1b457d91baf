"""The embedded model beside transformers' EdgeTAM and Sam2 tiny (random weights) in one run: frame, embedding, click.

    pip install --no-deps timm torchvision   # EdgeTAM's encoder; without them it is left out, and the result says so
    python benchmarks/peers.py [--rounds N]

Interleaved: every round runs each subject once on each task, in turn. Each runs at its own input size, in float32, on
the same threads; a tracked frame is one with a full memory and one object. Medians and their ratios to the embedded
model go to results/peers.json. It needs the development extra and ten minutes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import transformers
from speed import CLICKS, RESULTS, frames, timed

import masklet
from masklet.evaluation.report import run_facts, write_json

PEER_SIDE = 1024
NUM_WARM = 9
NUM_SETTLED, NUM_TOGETHER = 4, 24
"""Frames of ours that follow each other before any is timed, and while they are: what was encoded ahead while a peer was at
work does not count."""
TASKS = ("frame", "embed", "click")


@dataclass(frozen=True)
class Peer:
    """Names of a model in transformers."""

    video: str
    session: str
    video_config: str
    image: str
    image_config: str


PEERS = {
    "edgetam": Peer(
        video="EdgeTamVideoModel",
        session="EdgeTamVideoInferenceSession",
        video_config="EdgeTamVideoConfig",
        image="EdgeTamModel",
        image_config="EdgeTamConfig",
    ),
    "sam2-tiny": Peer(
        video="Sam2VideoModel",
        session="Sam2VideoInferenceSession",
        video_config="Sam2VideoConfig",
        image="Sam2Model",
        image_config="Sam2Config",
    ),
}


def let_torchvision_load() -> None:
    """Lets timm import torchvision beside a build of torch that its compiled operators, unused here, do not fit."""
    registrations = "torchvision._meta_registrations"
    sys.modules.setdefault(registrations, types.ModuleType(registrations))


def configured(name: str) -> Any:  # noqa: ANN401 - transformers' own value
    """A peer's standard configuration; its EdgeTAM misspells the name of its encoder and would take another."""
    config = getattr(transformers, name)()
    backbone = getattr(config.vision_config, "backbone_config", None)
    if hasattr(backbone, "archirecture"):
        backbone.architecture = backbone.archirecture
    return config


def peer_frame(peer: Peer, rounds: int) -> Callable[[], object]:
    """Tracks the next frame of a clip of noise, the memory being full."""
    torch.manual_seed(0)
    model = getattr(transformers, peer.video)(configured(peer.video_config)).eval()
    clip = torch.rand(NUM_WARM + rounds, 3, PEER_SIDE, PEER_SIDE)
    session: Any = getattr(transformers, peer.session)(
        video=clip, video_height=PEER_SIDE, video_width=PEER_SIDE, inference_device="cpu", dtype=torch.float32
    )
    session.add_point_inputs(session.obj_id_to_idx(1), 0, one_click())
    session.obj_with_new_inputs.append(1)
    indices = iter(range(len(clip)))

    def follow() -> object:
        with torch.inference_mode():
            return model(session, frame_idx=next(indices))

    for _ in range(NUM_WARM):
        follow()
    return follow


def peer_image(peer: Peer) -> tuple[Callable[[], object], Callable[[], object]]:
    """Embeds an image, and answers a click on an embedded one."""
    torch.manual_seed(0)
    model = getattr(transformers, peer.image)(configured(peer.image_config)).eval()
    pixels = torch.rand(1, 3, PEER_SIDE, PEER_SIDE)
    said = one_click()
    click = {"input_points": said["point_coords"], "input_labels": said["point_labels"]}

    def embed() -> Any:  # noqa: ANN401 - transformers' own value
        with torch.inference_mode():
            return model.get_image_embeddings(pixels)

    embedded = embed()

    def answer() -> object:
        with torch.inference_mode():
            return model(image_embeddings=embedded, multimask_output=True, **click)

    return embed, answer


def one_click() -> dict[str, torch.Tensor]:
    """A click in the middle, as transformers wants it."""
    return {
        "point_coords": torch.full((1, 1, 1, 2), 500.0),
        "point_labels": torch.ones(1, 1, 1, dtype=torch.int),
    }


def our_tasks(rounds: int) -> dict[str, Callable[[], float]]:
    """Seconds of the same with the embedded model."""
    model = masklet.load_model("compact", device="cpu")
    clip = frames(NUM_WARM + rounds * (NUM_SETTLED + NUM_TOGETHER) + 1)
    predictor = masklet.ImagePredictor(model)
    embedding = predictor.embed(clip[0])
    click = masklet.PromptSet(clicks=[masklet.Click(*CLICKS[1])])
    session = masklet.VideoSession(model, clip)
    session.prompt(object_id=1, frame=0, prompts=click)
    tracked = session.track()

    def follow(number: int) -> None:
        for _ in range(number):
            next(tracked)

    def seconds_a_frame() -> float:
        follow(NUM_SETTLED)
        return timed(lambda: follow(NUM_TOGETHER)) / NUM_TOGETHER

    follow(NUM_WARM)
    return {
        "frame": seconds_a_frame,
        "embed": lambda: timed(lambda: predictor.embed(clip[0])),
        "click": lambda: timed(lambda: predictor.predict(embedding, click)),
    }


def all_tasks(rounds: int) -> tuple[dict[str, dict[str, Callable[[], float]]], dict[str, str]]:
    """Seconds of each task by subject, and why a subject is left out."""
    let_torchvision_load()
    subjects = {"compact": our_tasks(rounds)}
    missing: dict[str, str] = {}
    for name, peer in PEERS.items():
        try:
            frame = peer_frame(peer, rounds)
        except ImportError as error:
            missing[name] = str(error).strip().splitlines()[0]
            continue
        embed, click = peer_image(peer)
        subjects[name] = {
            task: partial(timed, work)
            for task, work in (("frame", frame), ("embed", embed), ("click", click))
        }
    return subjects, missing


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    warnings.simplefilter("ignore")
    subjects, missing = all_tasks(rounds)
    took: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for task in TASKS:
            for name, tasks in subjects.items():
                took.setdefault((name, task), []).append(tasks[task]())
    seconds = {key: statistics.median(values) for key, values in took.items()}
    document: dict[str, object] = {
        name: {f"{task}_s": round(seconds[name, task], 4) for task in TASKS}
        | {f"{task}_over_ours": round(seconds[name, task] / seconds["compact", task], 1) for task in TASKS}
        for name in subjects
    }
    document |= {name: {"left_out": reason} for name, reason in missing.items()}
    document["facts"] = run_facts(
        command="python benchmarks/peers.py",
        threads=str(torch.get_num_threads()),
        rounds=str(rounds),
        transformers=transformers.__version__,
    )
    write_json(RESULTS / "peers.json", document)
    for name in subjects:
        print(name, document[name])


if __name__ == "__main__":
    main()
