"""The mean of two weights files of one model, as a whole or part by part.

python tools/mean_weights.py before.safetensors after.safetensors --share 0.75 --keep decoder prompt_encoder --out mean.safetensors
"""

from __future__ import annotations

import argparse
from pathlib import Path

from masklet.models.model import SegmentationModel
from masklet.training.mean import mean_of
from masklet.weights.load import load_model
from masklet.weights.save import save_weights


def main() -> None:
    """Read, mix, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of the second file, from 0 to 1")
    parser.add_argument("--keep", nargs="*", default=[], help="parts that are those of the first file")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    before, after = (load_model(path, device="cpu") for path in (asked.before, asked.after))
    first, second = before.model, after.model
    if not isinstance(first, SegmentationModel) or not isinstance(second, SegmentationModel):
        raise TypeError("Weights files are loaded as models of PyTorch.")
    mean_of(first, second, asked.share, kept=asked.keep)
    kept = f", {' and '.join(asked.keep)} of the first" if asked.keep else ""
    said = f"{asked.share:g} of {after.weights_sha256}, the rest of {before.weights_sha256}{kept}"
    save_weights(asked.out, second, metadata={"mean": said})
    print(f"{asked.out}: {said}")


if __name__ == "__main__":
    main()
