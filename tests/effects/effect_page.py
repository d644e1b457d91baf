"""The page's effects, bundled and run by Node: what the two renderers are compared with."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np

TOP = Path(__file__).parents[2]
BUNDLER = TOP / "web" / "node_modules" / ".bin" / "rolldown"
RENDER = Path(__file__).with_name("render.mjs")


def why_not():
    """What is missing to run the page's effects, or None."""
    if not BUNDLER.exists():
        return "web/node_modules is not installed; run npm ci in web/"
    return None if shutil.which("node") else "Node is not installed"


def bundle(folder):
    """The page's effects as one file that Node can load."""
    file = folder / "effects.mjs"
    command = [BUNDLER, "src/effects/index.ts", "--format", "esm", "--file", file, "--log-level", "silent"]
    subprocess.run(command, cwd=TOP / "web", check=True, timeout=120)
    return file


def render(effects, folder, scenes, cases, rounds=1):
    """Render cases on scenes.

    Args:
        effects: What ``bundle`` gave.
        folder: An empty folder for files.
        scenes: Small scenes.
        cases: Settings by name.
        rounds: How often each is rendered, for timing.

    Returns:
        Pictures, uint8 (h, w, 4), by scene and case; milliseconds by scene and case, of the fastest round.
    """
    listed = []
    for scene in scenes:
        height, width = scene.frame.shape[:2]
        opaque = np.full((height, width, 1), 255, np.uint8)
        (folder / f"{scene.name}.rgba").write_bytes(np.concatenate([scene.frame, opaque], axis=2).tobytes())
        for object_id, mask in scene.masks.items():
            (folder / f"{scene.name}.{object_id}.mask").write_bytes(mask.astype(np.uint8).tobytes())
        listed.append(
            {
                "name": scene.name,
                "width": width,
                "height": height,
                "index": scene.index,
                "ids": list(scene.masks),
            }
        )
    job = {"scenes": listed, "cases": {name: one.to_json() for name, one in cases.items()}, "rounds": rounds}
    (folder / "job.json").write_text(json.dumps(job))
    subprocess.run(["node", RENDER, effects, folder], check=True, timeout=600)
    pictures = {}
    for scene in scenes:
        numbers = np.frombuffer((folder / f"{scene.name}.out").read_bytes(), dtype=np.uint8)
        drawn = numbers.reshape(len(cases), *scene.frame.shape[:2], 4)
        pictures[scene.name] = dict(zip(cases, drawn, strict=True))
    return pictures, json.loads((folder / "milliseconds.json").read_text())
