"""Follows objects with compiled functions and without, and compares: python compile_and_compare.py eager|aot_eager|inductor.

Run by test_streamed.py; with "inductor", which takes minutes on a small machine, by hand.
"""

import importlib.util
import logging
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import masklet
from masklet.predictors.compilation import Compilation
from masklet.predictors.options import SessionOptions

NUM_FRAMES = 4


def conftest():
    spec = importlib.util.spec_from_file_location("lively_models", Path(__file__).with_name("conftest.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def followed(loaded, clip, options=None):
    with masklet.VideoSession(loaded, clip, options=options) as session:
        for object_id, x, y in ((1, 10, 18), (2, 45, 34)):
            session.prompt(object_id, 0, masklet.PromptSet(clicks=[masklet.Click(x, y)]))
        return list(session.track())


def main():
    logging.basicConfig(level=logging.DEBUG)
    logging.getLogger("torch").setLevel(logging.WARNING)
    made = conftest()
    loaded, clip = made.lively("debug"), made.make_clip(NUM_FRAMES)
    loaded.model.config = replace(loaded.config, memory_precision="float32")
    loaded = replace(loaded, config=loaded.model.config)
    wanted = followed(loaded, clip)
    gave_up = []
    logging.getLogger("masklet").addHandler(warnings := logging.Handler(logging.WARNING))
    warnings.emit = gave_up.append
    found = followed(
        loaded, clip, SessionOptions(compilation=Compilation(backend=sys.argv[1], frames_at_once=2))
    )
    if gave_up:
        sys.exit(f"compiling failed: {gave_up[0].getMessage()}")
    for one, other in zip(found, wanted, strict=True):
        for object_id in wanted[0].object_ids:
            np.testing.assert_allclose(one.logits[object_id], other.logits[object_id], rtol=1e-2, atol=1e-2)
            assert (one.masks[object_id] != other.masks[object_id]).mean() < 2e-3
    sys.stdout.write(f"{len(wanted[0].object_ids)} objects on {len(found)} frames are the same\n")


if __name__ == "__main__":
    main()
