"""Scores of a run's weights on held-out shards: clicks to IoU on photos, J&F on clips."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from masklet.evaluation.clicks import ClickProtocol, evaluate_clicks
from masklet.evaluation.datasets import Clip, few_per_source, read_packed_clips, read_packed_stills
from masklet.evaluation.subjects import ClickSubject, TrackSubject
from masklet.evaluation.vos import evaluate_vos
from masklet.models.config import ModelConfig
from masklet.models.model import build
from masklet.models.precision import PrecisionPolicy
from masklet.training.data import HELD_OUT_SUFFIX
from masklet.weights.load import LoadedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationConfig:
    """How much of the held-out data is scored.

    Attributes:
        stills_per_source: Photos of each source.
        num_clips: Clips.
        max_masks: Masks of each photo.
        clicks: Numbers of clicks that are told.
    """

    stills_per_source: int = 8
    num_clips: int = 6
    max_masks: int = 8
    clicks: tuple[int, ...] = (1, 3, 5)


def as_loaded(config: ModelConfig, weights: dict[str, Tensor]) -> LoadedModel:
    """Weights of a run as a model that predictors take, on the CPU."""
    model = build(config)
    model.load_state_dict(weights)
    device = torch.device("cpu")
    return LoadedModel(
        model=model.eval(),
        config=config,
        device=device,
        precision=PrecisionPolicy.choose(device),
        name=config.name,
        weights_sha256=None,
    )


def validate(model: LoadedModel, folder: Path, config: ValidationConfig) -> dict[str, float]:
    """Score a model on the held-out shards of a folder; shards that are not there are left out."""
    scores: dict[str, float] = {}
    photos = folder / f"photos{HELD_OUT_SUFFIX}.tar"
    if photos.exists():
        protocol = ClickProtocol(clicks=config.clicks, max_clicks=max(config.clicks), targets=(1.0,))
        stills = few_per_source(read_packed_stills(photos), config.stills_per_source, config.max_masks)
        report = evaluate_clicks(ClickSubject(model), stills, protocol=protocol).mean_over_sources()
        scores.update({f"miou_{clicks}_clicks": value for clicks, value in report.miou_after.items()})
        if report.box_miou is not None:
            scores["miou_box"] = report.box_miou
    clips = folder / f"davis{HELD_OUT_SUFFIX}.tar"
    if clips.exists():
        chosen: Iterable[Clip] = islice(read_packed_clips(clips), config.num_clips)
        scores["j_and_f"] = evaluate_vos(TrackSubject(model), chosen).j_and_f
    return scores
