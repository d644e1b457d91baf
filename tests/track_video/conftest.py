"""Makes ``fake_tracker`` importable from the tests beside it; a clip that tells its objects how to move."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from fake_tracker import HEIGHT, NUM_FRAMES, WIDTH


@pytest.fixture
def clip(tmp_path):
    """A folder of images whose first pixel says how objects move."""
    folder = tmp_path / "clip"
    folder.mkdir()
    for index in range(NUM_FRAMES):
        pixels = np.full((HEIGHT, WIDTH, 3), index * 7, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder
