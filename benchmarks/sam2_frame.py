"""A tracked frame of SAM 2.1 tiny beside transformers' Sam2Video: same random weights, full memory, CPU, float32.

    python benchmarks/sam2_frame.py [--objects 1] [--rounds 2] [--side 1024]      # interleaved in one process
    python benchmarks/sam2_frame.py --first                                       # a click, and opening a clip

A frame is everything from pixels to masks and their memory: encoder, reading seven memories and sixteen pointers of each
object, decoder, memory encoder; ours also resizes the picture, draws masks at image size and run-length codes them. Every
object is clicked on frame 0; frames 1 to 15 are not tracked: both sides are given the same random memories of them. The masks
of the first measured frame are compared at the decoder's size.

``--first`` measures a click on an embedded frame, and how much longer than one pass of the encoder it takes from opening a
clip of 200 frames at 1280 x 720 to its first mask.

Ratios are medians over rounds of the times in the same round; own CPU time stands first, because other processes may take
the machine's time. Results: results/sam2_frame_<objects>.json, sam2_first.json.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sam2_memory import NUM_PAST, SIDE, Memories, our_engine, our_frames, picture
from sam2_peer import RESULTS, interleaved, our_loaded, random_weights, ratio, reference_model
from torch import Tensor

import masklet
from masklet.evaluation.report import run_facts, write_json
from masklet.tracking.model_prompt import ModelPrompt
from masklet.video.writer import Mp4Writer
from masklet.weights.load import LoadedModel


def peer_frames(model: Any, loaded: LoadedModel, past: Memories) -> Callable[[], list[Tensor]]:  # noqa: ANN401 - transformers' class
    """The same of transformers' model; its frames are resized beforehand."""
    from transformers import Sam2VideoInferenceSession

    from masklet.predictors.preprocess import to_pixels

    side = loaded.config.image_size
    pixels = [
        to_pixels(picture(index), loaded.config, torch.device("cpu"))[0] for index in range(NUM_PAST + 4)
    ]
    clip = torch.stack(pixels)
    session = Sam2VideoInferenceSession(
        video=clip, video_height=side, video_width=side, dtype=torch.float32, max_vision_features_cache_size=1
    )
    for row, click in enumerate(past.clicks_xy):
        index = session.obj_id_to_idx(row + 1)
        said = {
            "point_coords": click.view(1, 1, 1, 2),
            "point_labels": torch.ones(1, 1, 1, dtype=torch.int32),
        }
        session.add_point_inputs(index, 0, said)
        session.obj_with_new_inputs.append(row + 1)
    with torch.inference_mode():
        model(session, frame_idx=0)
    for row in range(len(past.pointers)):
        outputs = session.output_dict_per_obj[row]
        clicked = outputs["cond_frame_outputs"][0]
        for frame in range(NUM_PAST):
            given = {
                **clicked,
                "maskmem_features": past.features[row, frame].flatten(1).T[:, None],
                "object_pointer": past.pointers[row, frame][None, None],
            }
            outputs["cond_frame_outputs" if frame == 0 else "non_cond_frame_outputs"][frame] = given
    indices = iter(range(NUM_PAST, len(clip)))

    @torch.inference_mode()
    def follow() -> list[Tensor]:
        return list(model(session, frame_idx=next(indices)).pred_masks.flatten(0, -3))

    return follow


def facts(arguments: argparse.Namespace, more: str) -> dict[str, object]:
    """Where the result comes from."""
    side = "" if arguments.side == SIDE else f" --side {arguments.side}"
    return run_facts(
        command=f"python benchmarks/sam2_frame.py {more}{side}",
        model=f"sam2.1-tiny, random weights, {arguments.side} px",
        threads=str(torch.get_num_threads()),
        transformers=version("transformers"),
    )


def side_by_side(arguments: argparse.Namespace) -> None:
    """Ours and transformers' in turn."""
    config, state = random_weights(arguments.side, 0)
    loaded, past = our_loaded(config, state), Memories(config, arguments.objects)
    tasks = {
        "transformers": peer_frames(reference_model(config, state), loaded, past),
        "ours": our_frames(loaded, past),
    }
    first: dict[str, list[Tensor]] = {}

    def noted(name: str) -> Callable[[], None]:
        def run() -> None:
            found = tasks[name]()
            first.setdefault(name, found)

        return run

    took = interleaved({name: noted(name) for name in tasks}, arguments.rounds)
    pairs = list(zip(first["ours"], first["transformers"], strict=True))
    largest = max(float(theirs.abs().max()) for _, theirs in pairs)
    document: dict[str, object] = {
        "cpu_ratio": ratio(took, "ours", "transformers", "cpu_s"),
        "wall_ratio": ratio(took, "ours", "transformers", "wall_s"),
        "relative_difference": max(float((a - b).abs().max()) for a, b in pairs) / largest,
        "same_mask_pixels": min(float(((a > 0) == (b > 0)).float().mean()) for a, b in pairs),
        "seconds": took,
        "facts": facts(arguments, f"--objects {arguments.objects}"),
    }
    write_json(RESULTS / f"sam2_frame_{arguments.objects}.json", document)
    print({name: value for name, value in document.items() if name != "facts"})


def write_clip(path: Path) -> None:
    """200 frames at 1280 x 720."""
    with Mp4Writer(path) as writer:
        for index in range(200):
            writer.write(np.roll(picture(0), 4 * index, axis=1))


class Stopwatch:
    """Wall and own CPU seconds of what runs within it."""

    cpu_s = wall_s = 0.0

    def __enter__(self) -> None:
        """Begin."""
        self._began = time.process_time(), time.perf_counter()

    def __exit__(self, *_details: object) -> None:
        """End."""
        self.cpu_s, self.wall_s = (
            time.process_time() - self._began[0],
            time.perf_counter() - self._began[1],
        )

    def time(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the work returns
        """Do something within."""
        with self:
            return work()


def first_mask(arguments: argparse.Namespace) -> None:
    """A click on an embedded frame, and the way from a file to the first mask."""
    config, state = random_weights(arguments.side, 0)
    loaded = our_loaded(config, state)
    predictor = masklet.ImagePredictor(loaded)
    embedding = predictor.embed(picture(0))
    click = masklet.PromptSet(clicks=[masklet.Click(640, 360)])
    pixels = torch.randn(1, 3, arguments.side, arguments.side)
    tracker = our_engine(loaded).tracker
    said = ModelPrompt(points_xy=torch.tensor([[500.0, 500.0]]), labels=torch.ones(1, dtype=torch.long))

    @torch.inference_mode()
    def decode() -> None:
        tracker.decode(embedding.features, embedding.features.features, [said])

    @torch.inference_mode()
    def encode() -> None:
        loaded.model.encode_image(pixels)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_clip(path)

        encoding, plain = Stopwatch(), loaded.model.encode_image
        beside: dict[str, list[float]] = {"cpu_s": [], "wall_s": []}

        def open_and_click() -> None:
            """The encoder is timed within, as two passes of it differ by more than all the rest takes."""
            whole = Stopwatch()
            loaded.model.encode_image = lambda pixels: encoding.time(lambda: plain(pixels))
            with whole:
                session = masklet.VideoSession(loaded, path)
                session.prompt(object_id=1, frame=0, prompts=click)
            session.close()
            loaded.model.encode_image = plain
            beside["cpu_s"].append(round(whole.cpu_s - encoding.cpu_s, 3))
            beside["wall_s"].append(round(whole.wall_s - encoding.wall_s, 3))

        tasks = {
            "encode": encode,
            "open": open_and_click,
            "click": lambda: predictor.predict(embedding, click),
            "decode": decode,
        }
        took = interleaved(tasks, arguments.rounds)
    document: dict[str, object] = {
        f"{name}_{clock}": sorted(times[clock])[len(times[clock]) // 2]
        for name, times in took.items()
        for clock in ("cpu_s", "wall_s")
    }
    took["open_beside_encoder"] = beside
    document |= {f"open_beside_encoder_{clock}": float(np.median(times)) for clock, times in beside.items()}
    document |= {"seconds": took, "facts": facts(arguments, "--first")}
    write_json(RESULTS / "sam2_first.json", document)
    print({name: value for name, value in document.items() if name != "facts"})


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--side", type=int, default=SIDE)
    parser.add_argument("--objects", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--first", action="store_true")
    arguments = parser.parse_args()
    (first_mask if arguments.first else side_by_side)(arguments)


if __name__ == "__main__":
    main()
