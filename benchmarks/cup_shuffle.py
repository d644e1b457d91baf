"""The embedded model on the sample clip, whose true masks are known: its own prompts on frame 0.

    python benchmarks/cup_shuffle.py [--model NAME|FILE] [--policy NAME]

Writes results/cup_shuffle.json (mean IoU per object, the share of frames that show the right object, whether each cup
still has its id after the shuffle by its IoU with its own truth and that of the others, presence of the hidden ball)
and docs/images/cup_shuffle.png (frames with overlays: the good, and the worst).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

import masklet
from masklet.cli.prompt_files import read_prompts_file
from masklet.evaluation.identity import Identity, identities_at_end
from masklet.evaluation.report import run_facts, write_json
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.metrics import iou
from masklet.predictors.results import FrameResult
from masklet.video import draw_overlay, open_source

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "samples" / "cup_shuffle"
CUPS = (1, 2, 3)
NUM_SHOWN = 6
NUM_AFTER_SHUFFLE = 5


def true_masks() -> dict[int, list[np.ndarray]]:
    """The exact masks of every object on every frame."""
    document = json.loads((SAMPLE / "masks.json").read_text(encoding="utf-8"))
    size = Size(*document["size"])
    return {
        int(key): [
            rle.decode(rle.from_json({"size": list(size.hw), "counts": counts}))
            if counts
            else np.zeros(size.hw, dtype=bool)
            for counts in values
        ]
        for key, values in document["objects"].items()
    }


def follow(model: str, policy: str) -> list[FrameResult]:
    """Track all objects from the sample's own prompts."""
    with masklet.VideoSession(masklet.load_model(model), SAMPLE / "clip.mp4", policy=policy) as session:
        for one in read_prompts_file(SAMPLE / "prompts.json"):
            session.prompt(object_id=one.object_id, frame=one.frame, prompts=one.prompts)
        return list(session.track())


def score(results: list[FrameResult], truth: dict[int, list[np.ndarray]]) -> dict[str, object]:
    """IoU per object over the frames on which it is visible, and who is mistaken for whom after the shuffle."""
    predicted = [result.masks for result in results]
    identities = identities_at_end(predicted, truth, num_frames=NUM_AFTER_SHUFFLE)
    scores: dict[str, object] = {}
    for key, masks in truth.items():
        visible = [index for index, mask in enumerate(masks) if mask.sum() > 50]
        ious = [iou(predicted[index][key], masks[index]) for index in visible]
        scores[f"object {key}"] = {
            "mean_iou": round(float(np.mean(ious)), 4),
            "share_above_half": round(float(np.mean([value > 0.5 for value in ious])), 4),
            **after_shuffle(identities[key]),
        }
    scores["cups_with_their_own_id"] = sum(identities[cup].is_kept for cup in CUPS)
    hidden = [index for index, mask in enumerate(truth[4]) if not mask.any()]
    presence = [results[index].presence[4] for index in hidden]
    scores["ball_presence_while_hidden"] = round(float(np.mean(presence)), 4)
    return scores


def after_shuffle(identity: Identity) -> dict[str, object]:
    """Whether an object still has its id on the last frames, and how much it overlaps which truth there."""
    return {
        "keeps_its_id": identity.is_kept,
        "shows_at_end": identity.shows or 0,
        "iou_at_end": {str(other): round(value, 4) for other, value in identity.overlaps.items()},
    }


def draw(results: list[FrameResult], truth: dict[int, list[np.ndarray]], path: Path) -> None:
    """A sheet of evenly spaced frames, and below them the frames with the lowest mean IoU."""
    means = [
        float(np.mean([iou(result.masks[key], truth[key][result.index]) for key in truth]))
        for result in results
    ]
    even = np.linspace(0, len(results) - 1, NUM_SHOWN).round().astype(int).tolist()
    worst = sorted(sorted(range(len(means)), key=lambda index: means[index])[:: max(1, len(means) // 12)][:3])
    with open_source(SAMPLE / "clip.mp4") as source:
        pictures = [
            draw_overlay(source.read(index).image, dict(results[index].masks)) for index in [*even, *worst]
        ]
    rows = [np.hstack(pictures[at : at + 3]) for at in range(0, len(pictures), 3)]
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = Image.fromarray(np.vstack(rows))
    sheet.resize((sheet.width // 2, sheet.height // 2), Image.Resampling.LANCZOS).save(path, optimize=True)


def main() -> None:
    """Measure, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="compact")
    parser.add_argument("--policy", default="rivals", help="what the tracker remembers")
    arguments = parser.parse_args()
    truth = true_masks()
    results = follow(arguments.model, arguments.policy)
    document = score(results, truth)
    document["facts"] = run_facts(command="python benchmarks/cup_shuffle.py", policy=arguments.policy)
    write_json(ROOT / "benchmarks" / "results" / "cup_shuffle.json", document)
    draw(results, truth, ROOT / "docs" / "images" / "cup_shuffle.png")
    print(json.dumps({key: value for key, value in document.items() if key != "facts"}, indent=1))


if __name__ == "__main__":
    main()
