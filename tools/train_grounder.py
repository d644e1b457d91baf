"""Train the head of the embedded detector on the encoder of the embedded model, and write its file.

    python tools/train_grounder.py --data DATA --teacher mobilenet_v2_deeplab_voc.safetensors --out runs/grounder

DATA is the folder of the packed shards. What the teacher and the encoder say of each photo is kept in OUT, and training
writes its state after every epoch, so that the same command goes on where it was stopped. After the embedded weights
have changed, run it again with the same OUT: the teacher's answers stay valid, the encoder's are made anew. Copy
OUT/grounder.safetensors to src/masklet/grounding/embedded/, measure it with benchmarks/grounder.py and bring the card
beside it up to date.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch

from masklet.grounding.head import GrounderHead, head_config_for
from masklet.grounding.head_file import save_head
from masklet.training.grounder_cache import PhotoCache
from masklet.training.grounder_linear import fit_direct
from masklet.training.grounder_loop import HeadData, HeadTraining, start_direct, train_head
from masklet.training.grounder_photos import in_training_order, read_training_photos
from masklet.training.grounder_teacher import load_teacher
from masklet.weights.load import load_model

_SAY_EVERY = 20


def main() -> None:
    """Run the command."""
    asked = _arguments()
    started = time.process_time()
    torch.manual_seed(asked.seed)  # pyright: ignore[reportUnknownMemberType] - torch leaves it untyped
    encoder = load_model(asked.model, device="cpu")
    teacher = load_teacher(asked.teacher)
    photos = in_training_order(read_training_photos(asked.data))[: asked.photos]
    cache = PhotoCache(asked.out, teacher=teacher, encoder=encoder)
    if asked.seen_only:
        photos = [photo for photo in photos if cache.has(photo)]
    print(
        f"{len(photos)} photos, encoder of the weights {(encoder.weights_sha256 or 'random')[:12]}",
        flush=True,
    )
    for number in cache.fill(photos):
        if number % _SAY_EVERY == 0:
            print(f"seen {number} of {len(photos)}", flush=True)
    config = replace(head_config_for(encoder.config), has_reach=bool(photos) and asked.epochs > 0)
    head = GrounderHead(config)
    start_direct(head, teacher.logits)
    recipe = replace(HeadTraining(), epochs=asked.epochs, seed=asked.seed)
    if photos:
        data = HeadData.gather(photos, cache)
        before, after = fit_direct(head.direct, data)
        print(f"linear layer: loss {before:.4f} before, {after:.4f} after", flush=True)
        state = asked.out / f"state-{(encoder.weights_sha256 or 'random')[:12]}-{len(photos)}.pt"
        train(head, data, recipe, state)
    path = asked.out / "grounder.safetensors"
    facts = {"recipe": f"{len(photos)} photos, {recipe}", "teacher": asked.teacher.name}
    save_head(path, head, encoder_sha256=encoder.weights_sha256 or "random", metadata=facts)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {time.process_time() - started:.0f} s of one core")


def train(head: GrounderHead, data: HeadData, recipe: HeadTraining, state: Path) -> None:
    """Train and say how it goes."""
    for report in train_head(head, data, recipe, state):
        print(
            f"epoch {report.epoch} of {recipe.epochs}: class loss {report.class_loss:.4f}, box IoU {report.box_iou:.3f}",
            flush=True,
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the packed shards")
    parser.add_argument("--teacher", type=Path, required=True, help="MobileNetV2 with its DeepLabV3 head")
    parser.add_argument("--out", type=Path, required=True, help="what is kept between runs, and the result")
    parser.add_argument("--model", default="compact", help="the model whose encoder is read")
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
        "--epochs", type=int, default=HeadTraining().epochs, help="with 0 only the linear layer is fitted"
    )
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
