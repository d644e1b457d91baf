"""A compact model with fewer hidden units that says the same, fitted to what the model sees of training videos and photos.

python tools/slim_weights.py weights.safetensors --data DATA --out slim.safetensors

Nothing is trained: see masklet.training.slim. Of the clips of davis-train.tar each is tracked for a few frames from its true
masks; photos of photos-1.tar are encoded.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from masklet import ImagePredictor, MaskPrompt, PromptSet, VideoSession, load_model
from masklet.evaluation.datasets import Clip, read_packed_clips, read_packed_stills, thinned
from masklet.models.model import SegmentationModel
from masklet.training.slim import slimmed, watching
from masklet.weights.load import LoadedModel
from masklet.weights.save import save_weights


def follow(model: LoadedModel, clip: Clip) -> None:
    """Track what is seen on the first frame."""
    masks = {one: clip.mask(one, 0) for one in clip.object_ids}
    with VideoSession(model, np.stack(list(clip.frames()))) as session:
        for object_id, mask in masks.items():
            if mask is not None and mask.any():
                session.prompt(object_id=object_id, frame=0, prompts=PromptSet(mask=MaskPrompt(mask)))
        for _ in session.track():
            pass


def main() -> None:
    """Watch, slim, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with davis-train.tar and photos-1.tar"
    )
    parser.add_argument("--frames", type=int, default=8, help="of each clip, every third one")
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument(
        "--expansion", type=int, default=1, help="hidden channels that stay, in a block's channels"
    )
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    loaded = load_model(asked.weights, device="cpu")
    if not isinstance(loaded.model, SegmentationModel):
        raise TypeError("Weights files are loaded as models of PyTorch.")
    with torch.inference_mode(), watching(loaded.model) as watched:
        for count, clip in enumerate(read_packed_clips(asked.data / "davis-train.tar"), start=1):
            follow(loaded, thinned(clip, most=asked.frames, step=3))
            print(f"clip {count}: {clip.name}", flush=True)
        every = read_packed_stills(asked.data / "photos-1.tar")
        for still in islice(every, 0, asked.photos * 10, 10):
            ImagePredictor(loaded).embed(still.image())
    slim, errors = slimmed(loaded.model, watched, expansion=asked.expansion)
    told = ", ".join(f"{name} {error:.4f}" for name, error in errors.items())
    save_weights(asked.out, slim, metadata={"slimmed": f"from {loaded.weights_sha256}; errors: {told}"})
    encoder = slim.config.encoder
    print(f"{asked.out}: {told}; stem {getattr(encoder, 'stem_channels', '-')} channels")


if __name__ == "__main__":
    main()
