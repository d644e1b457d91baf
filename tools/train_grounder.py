"""Train the embedded detector and write its file.

    python tools/train_grounder.py --data DATA --teacher mobilenet_v2_deeplab_voc.safetensors --out runs/grounder

DATA is the folder of the packed shards. The detector's encoder is that of the embedded model; its linear layer is fitted to square
parts of each photo, then, if asked, every layer is trained. What the teacher says of the parts is kept in OUT, and training
writes its state now and then, so that the same command goes on where it was stopped. Copy
OUT/grounder.safetensors to src/masklet/grounding/embedded/, measure it with benchmarks/grounder.py and bring the card
beside it up to date.
"""

from __future__ import annotations

import argparse
import time
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from masklet.grounding.head import GrounderHead
from masklet.grounding.network import GrounderNetwork, head_config_for
from masklet.grounding.network_file import save_network
from masklet.models.config import CompactEncoderConfig
from masklet.models.model import SegmentationModel
from masklet.training.grounder_cache import PhotoCache
from masklet.training.grounder_linear import fit_direct
from masklet.training.grounder_loop import HeadData, HeadTraining, start_direct, train_head
from masklet.training.grounder_photos import in_training_order, read_training_photos, square_windows
from masklet.training.grounder_teacher import load_teacher
from masklet.training.grounder_tuning import Tuning, TuningData, changes, share_of_new_numbers, tune
from masklet.weights.load import load_model

_SAY_EVERY = 100


def main() -> None:
    """Run the command."""
    asked = _arguments()
    started = time.process_time()
    torch.manual_seed(asked.seed)  # pyright: ignore[reportUnknownMemberType] - torch leaves it untyped
    teacher = load_teacher(asked.teacher)
    encoder_config = CompactEncoderConfig()
    network = GrounderNetwork(
        encoder_config, head_config_for(encoder_config, has_reach=asked.photos != 0 and asked.epochs > 0)
    ).eval()
    network.encoder.load_state_dict(teacher.encoder.state_dict())
    start_direct(network.head, teacher.logits)
    photos = in_training_order(read_training_photos(asked.data))[: asked.photos]
    views = [view for photo in photos for view in square_windows(photo)]
    taught = PhotoCache(asked.out, network=deepcopy(network), logits=teacher.logits)
    if asked.start == "embedded":
        network.encoder.load_state_dict(embedded_encoder().state_dict())
    cache = PhotoCache(asked.out, network=network, logits=teacher.logits)
    if asked.seen_only:
        views = [view for view in views if taught.has(view) and cache.has(view)]
    print(f"{len(views)} parts of {len(photos)} photos", flush=True)
    for one in (taught, cache):
        for number in one.fill(views):
            if number % _SAY_EVERY == 0:
                print(f"seen {number} of {len(views)}", flush=True)
    recipe = replace(HeadTraining(), epochs=asked.epochs, seed=asked.seed)
    facts = {"recipe": f"{len(views)} parts of {len(photos)} photos, {recipe}", "teacher": asked.teacher.name}
    if views:
        data = HeadData.gather(views, cache, taught)
        before, after = fit_direct(network.head.direct, data)
        print(f"linear layer: loss {before:.4f} before, {after:.4f} after", flush=True)
        train(network.head, data, recipe, asked.out / f"state-{len(views)}.pt")
        tuning = replace(Tuning(), epochs=asked.tune, seed=asked.seed)
        if tuning.epochs:
            start = deepcopy(network)
            whole = TuningData.gather(views, data.probabilities)
            del data
            tune_whole(network, whole, tuning, asked.out / f"whole-{len(views)}.pt")
            moved = sorted(changes(network, start).values())
            facts["tuning"] = (
                f"{tuning}; each tensor of the encoder moved by {moved[0]:.4f} to {moved[-1]:.4f} of its length, half of "
                f"them by more than {moved[len(moved) // 2]:.4f}; {share_of_new_numbers(network, start):.3f} of its 8-bit "
                "numbers are new"
            )
            print(facts["tuning"], flush=True)
    path = asked.out / "grounder.safetensors"
    save_network(path, network, metadata=facts)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {time.process_time() - started:.0f} s of one core")


def embedded_encoder() -> nn.Module:
    """The encoder of the embedded model."""
    network = load_model("compact", device="cpu").model
    if not isinstance(network, SegmentationModel):
        raise TypeError("The embedded model is one of PyTorch.")
    return network.encoder


def train(head: GrounderHead, data: HeadData, recipe: HeadTraining, state: Path) -> None:
    """Train and say how it goes."""
    for report in train_head(head, data, recipe, state):
        print(
            f"epoch {report.epoch} of {recipe.epochs}: class loss {report.class_loss:.4f}, box IoU {report.box_iou:.3f}",
            flush=True,
        )


def tune_whole(network: GrounderNetwork, data: TuningData, recipe: Tuning, state: Path) -> None:
    """Train every layer and say how it goes."""
    for report in tune(network, data, recipe, state):
        print(
            f"step {report.step} of {report.num_steps}: loss {report.loss:.4f}, {report.seconds_left / 60:.0f} minutes left",
            flush=True,
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the packed shards")
    parser.add_argument("--teacher", type=Path, required=True, help="MobileNetV2 with its DeepLabV3 head")
    parser.add_argument("--out", type=Path, required=True, help="what is kept between runs, and the result")
    parser.add_argument(
        "--photos",
        type=int,
        default=None,
        help="the most photos; all when left out, with 0 the head is the teacher's own linear layer",
    )
    parser.add_argument(
        "--seen-only", action="store_true", help="train on what OUT holds, see no more photos"
    )
    parser.add_argument(
        "--epochs",
        type=int,
        default=0,
        help="of the correction and the reach; with 0 only the linear layer is fitted",
    )
    parser.add_argument("--tune", type=int, default=0, help="epochs of training every layer; 0 for none")
    parser.add_argument(
        "--start",
        choices=("embedded", "teacher"),
        default="embedded",
        help="whose encoder it starts from: that of the embedded model or the teacher's; only the former is ours to ship",
    )
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
