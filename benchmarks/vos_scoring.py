"""The scorer of predictions against a plain implementation of the same definitions: equal numbers, and how much faster.

The plain implementation is written from the papers: it opens every PNG, lays out every mask at full size, grows
contours with scikit-image's disk and OpenCV's dilation, one frame after the other. Data and predictions are made here:
wobbly shapes that move, come and go, and answers to them with the errors of trackers.

Run: python benchmarks/vos_scoring.py
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask
from skimage.morphology import disk

from masklet.annotations.document import FrameMask, Project, Track, VideoFacts
from masklet.annotations.storage import save
from masklet.evaluation.counting import DAVIS, SAV, Counting
from masklet.evaluation.datasets import Clip
from masklet.evaluation.layouts import find_clips
from masklet.evaluation.predictions import Predictions, read_predictions
from masklet.evaluation.report import run_facts, write_json
from masklet.evaluation.scoring import ScoringJob, score_masks, score_predictions
from masklet.geometry import Size
from masklet.masks import rle

RESULT = Path(__file__).parent / "results" / "vos_scoring.json"
PALETTE = [value for index in range(256) for value in (index * 37 % 256, index * 91 % 256, index * 53 % 256)]


def plain_contour(mask: np.ndarray) -> np.ndarray:
    """Pixels that differ from the next one to the right, below or both."""
    found = np.zeros(mask.shape, bool)
    found[:, :-1] |= mask[:, :-1] ^ mask[:, 1:]
    found[:-1, :] |= mask[:-1, :] ^ mask[1:, :]
    found[:-1, :-1] |= mask[:-1, :-1] ^ mask[1:, 1:]
    return found


def plain_scores(predicted: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """J and F of two masks, bool (h, w)."""
    union = (predicted | true).sum()
    region = 1.0 if union == 0 else (predicted & true).sum() / union
    ball = disk(int(np.ceil(0.008 * np.linalg.norm(true.shape)))).astype(np.uint8)
    contours = [plain_contour(mask) for mask in (predicted, true)]
    counts = [contour.sum() for contour in contours]
    if 0 in counts:
        return float(region), float(counts[0] == counts[1])
    grown = [cv2.dilate(contour.astype(np.uint8), ball) > 0 for contour in contours]
    precision = (contours[0] & grown[1]).sum() / counts[0]
    recall = (contours[1] & grown[0]).sum() / counts[1]
    both = precision + recall
    return float(region), float(2 * precision * recall / both) if both else 0.0


def plain_statistics(values: list[float]) -> tuple[float, float, float]:
    """Mean, recall and decay over four bins that share their edges."""
    edges = np.round(np.linspace(1, len(values), 5) + 1e-10).astype(int) - 1
    bins = [values[edges[k] : edges[k + 1] + 1] for k in range(4)]
    return (
        float(np.mean(values)),
        float(np.mean(np.array(values) > 0.5)),
        float(np.mean(bins[0]) - np.mean(bins[3])),
    )


PlainValues = dict[tuple[str, int], list[tuple[float, float]]]


def plain_davis(truth: Path, predictions: Path) -> PlainValues:
    """J and F by clip and object as DAVIS counts: every object of the clip, without the first and last frame."""
    values: PlainValues = {}
    for folder in sorted(truth.iterdir()):
        paths = sorted(folder.glob("*.png"))
        ids = sorted({int(i) for path in paths for i in np.unique(np.array(Image.open(path)))} - {0, 255})
        for path in paths[1:-1]:
            true = np.array(Image.open(path))
            given = np.array(Image.open(predictions / folder.name / path.name))
            for i in ids:
                values.setdefault((folder.name, i), []).append(plain_scores(given == i, true == i))
    return values


def plain_sav(truth: Path, predictions: Path) -> PlainValues:
    """J and F by clip and object as SA-V counts: from the first inner frame that shows it in truth or prediction."""
    values: PlainValues = {}
    for folder in sorted(path for clip in truth.iterdir() for path in clip.iterdir()):
        seen, in_truth, found = False, False, []
        for path in sorted(folder.glob("*.png"))[1:-1]:
            true = np.array(Image.open(path)) > 0
            given = np.array(Image.open(predictions / folder.parent.name / folder.name / path.name)) > 0
            in_truth |= bool(true.any())
            seen |= bool(true.any() or given.any())
            if seen:
                found.append(plain_scores(given, true))
        if in_truth:
            values[(folder.parent.name, int(folder.name))] = found
    return values


@dataclass(frozen=True, kw_only=True)
class Made:
    """A made clip: object maps of truth and answer, uint8 (frames, h, w)."""

    name: str
    truth: np.ndarray
    answer: np.ndarray


def make_clips(num_clips: int, num_frames: int, size_hw: tuple[int, int], seed: int = 0) -> Iterator[Made]:
    """Clips with two to four objects each, some of which come late, hide or leave."""
    for number in range(num_clips):
        rng = np.random.default_rng((seed, number))
        truth = np.zeros((num_frames, *size_hw), np.uint8)
        answer = np.zeros_like(truth)
        for object_id in range(1, int(rng.integers(2, 5)) + 1):
            _add_object(truth, answer, object_id, rng)
        yield Made(name=f"clip-{number:02d}", truth=truth, answer=answer)


def _add_object(truth: np.ndarray, answer: np.ndarray, object_id: int, rng: np.random.Generator) -> None:
    num_frames, height, width = truth.shape
    angles = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    waves = rng.normal(size=(5, 2)) * 0.1
    centre, speed = rng.random(2) * (width, height), rng.normal(size=2) * 0.004 * width
    radius = (0.05 + 0.13 * rng.random()) * height
    first = 0 if object_id == 1 else int(rng.integers(0, max(num_frames // 3, 1)))
    hidden = (
        range(*sorted(rng.integers(first + 1, num_frames, 2).tolist())) if rng.random() < 0.3 else range(0)
    )
    drift = np.zeros(2)
    for index in range(first, num_frames):
        phase = index / 8
        ripple = sum(
            w[0] * np.cos(k * angles + phase) + w[1] * np.sin(k * angles) for k, w in enumerate(waves, 2)
        )
        outline = np.stack([np.cos(angles), np.sin(angles)], 1) * (radius * (1 + ripple))[:, None]
        place = (centre + index * speed) % (width, height)
        drift = drift + rng.normal(size=2) * 0.001 * height
        if index not in hidden:
            cv2.fillPoly(truth[index], [np.int32(outline + place)], object_id)
        if index not in hidden or rng.random() < 0.5:
            wrong = outline * (1 + 0.04 * rng.normal()) + place + drift
            cv2.fillPoly(answer[index], [np.int32(wrong)], object_id)


def write_davis(root: Path, clips: list[Made]) -> tuple[Path, Path]:
    """Indexed PNGs in DAVIS layout; gives the folders of the truth and of the predictions."""
    truth, predictions = root / "davis/Annotations/480p", root / "davis-answers"
    for clip in clips:
        for folder, maps in ((truth, clip.truth), (predictions, clip.answer)):
            _write_pngs(folder / clip.name, maps)
    return truth, predictions


def write_sav(root: Path, clips: list[Made]) -> tuple[Path, Path]:
    """One folder per object, every fourth frame annotated from its first on, in SA-V layout."""
    truth, predictions = root / "sav/Annotations_6fps", root / "sav-answers"
    for clip in clips:
        for object_id in range(1, int(clip.truth.max()) + 1):
            first = int(np.flatnonzero((clip.truth == object_id).any((1, 2)))[0])
            frames = range(first, len(clip.truth), 4)
            for folder, maps in ((truth, clip.truth), (predictions, clip.answer)):
                picked = (maps == object_id).astype(np.uint8)
                _write_pngs(folder / clip.name / f"{object_id:03d}", picked, frames)
    return truth, predictions


def _write_pngs(folder: Path, maps: np.ndarray, frames: range | None = None) -> None:
    folder.mkdir(parents=True)
    for index in frames or range(len(maps)):
        image = Image.frombytes("P", maps.shape[:0:-1], maps[index].tobytes())
        image.putpalette(PALETTE)
        image.save(folder / f"{index:05d}.png")


def largest_difference(plain: PlainValues, job: ScoringJob) -> float:
    """The largest difference of J, F, recall or decay of any object, and of J&F of the set."""
    scored = score_predictions(job)
    ours = {(one.clip, one.object_id): one for one in scored.objects}
    if ours.keys() != plain.keys():
        raise SystemExit(f"Other objects were scored: {sorted(ours.keys() ^ plain.keys())}")
    worst, means = 0.0, []
    for key, values in plain.items():
        score = ours[key].score
        for found, column in ((score.region, 0), (score.contour, 1)):
            expected = plain_statistics([value[column] for value in values])
            means.append(expected[0])
            got = (found.mean, found.recall, found.decay)
            worst = max(worst, *(abs(a - b) for a, b in zip(got, expected, strict=True)))
    return max(worst, abs(scored.report.j_and_f - float(np.mean(means))))


def timed(work: Callable[[], object], repeats: int, clock: Callable[[], float] = time.process_time) -> float:
    """The shortest of several times, in seconds: of the processor, or by the wall clock for several processes."""
    times = []
    for _ in range(repeats):
        begin = clock()
        work()
        times.append(clock() - begin)
    return min(times)


def plain_from_run_lengths(clip: Clip, given: Predictions, counting: Counting) -> None:
    """The plain implementation on masks that are already run lengths."""
    for i in clip.object_ids:
        for at in counting.counted(clip, i, given.masks[i]):
            pair = [given.masks[i][at] or rle.empty(clip.size), clip.truth[i][at]]
            masks = [coco_mask.decode({"size": list(clip.size.hw), "counts": one.counts}) > 0 for one in pair]
            plain_scores(masks[0], masks[1])


def on_all_cores(pairs: list[tuple[Clip, Predictions]], cores: int, repeats: int) -> float:
    """Seconds by the wall clock to score clips that are run lengths, in processes that run already."""
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        list(pool.map(_score_pair, pairs))
        return timed(lambda: list(pool.map(_score_pair, pairs)), repeats, time.perf_counter)


def _score_pair(pair: tuple[Clip, Predictions]) -> int:
    cv2.setNumThreads(1)
    return len(score_masks(*pair, DAVIS))


def write_documents(root: Path, clips: list[Made]) -> Path:
    """The answers as masklet documents."""
    for clip in clips:
        size = Size(*clip.answer.shape[1:])
        tracks = {
            i: Track(
                object_id=i,
                frames={
                    t: FrameMask(frame=t, rle=rle.encode(found == i)) for t, found in enumerate(clip.answer)
                },
            )
            for i in range(1, int(clip.answer.max()) + 1)
        }
        facts = VideoFacts(name=clip.name, size=size, num_frames=len(clip.answer))
        (root / "documents").mkdir(exist_ok=True)
        save(Project(video=facts, tracks=tracks), root / "documents" / f"{clip.name}.json")
    return root / "documents"


def compare(root: Path, num_clips: int, num_frames: int, repeats: int) -> dict[str, object]:
    """Equality and times on made clips of 480 x 854 pixels."""
    clips = list(make_clips(num_clips, num_frames, (480, 854)))
    davis_truth, davis_answers = write_davis(root, clips)
    sav_truth, sav_answers = write_sav(root, clips)
    davis_layout, davis_places = find_clips(root / "davis")
    sav_layout, sav_places = find_clips(root / "sav")
    davis = ScoringJob(places=davis_places, layout=davis_layout, predictions=davis_answers, counting=DAVIS)
    sav = ScoringJob(places=sav_places, layout=sav_layout, predictions=sav_answers, counting=SAV)
    differences = {
        "davis": largest_difference(plain_davis(davis_truth, davis_answers), davis),
        "sav": largest_difference(plain_sav(sav_truth, sav_answers), sav),
    }
    cv2.setNumThreads(1)
    documents = write_documents(root, clips)
    read = [place.read().clip for place in davis_places]
    given = [found for clip in read if (found := read_predictions(documents, clip, {})) is not None]
    pairs = list(zip(read, given, strict=True))
    num_masks = sum(len(one.frames) for clip, masks in pairs for one in score_masks(clip, masks, DAVIS))
    cores = os.cpu_count() or 1
    seconds = {
        "plain, PNG": timed(lambda: plain_davis(davis_truth, davis_answers), repeats),
        "plain, run lengths": timed(
            lambda: [plain_from_run_lengths(*pair, DAVIS) for pair in pairs], repeats
        ),
        "ours, PNG": timed(lambda: score_predictions(davis), repeats),
        "ours, run lengths": timed(lambda: [score_masks(*pair, DAVIS) for pair in pairs], repeats),
    }
    wall = {
        "plain, PNG": timed(lambda: plain_davis(davis_truth, davis_answers), repeats, time.perf_counter),
        "plain, run lengths": timed(
            lambda: [plain_from_run_lengths(*pair, DAVIS) for pair in pairs], repeats, time.perf_counter
        ),
        "ours, PNG, with starting the processes": timed(
            lambda: score_predictions(davis, num_processes=cores), repeats, time.perf_counter
        ),
        "ours, run lengths": on_all_cores(pairs, cores, repeats),
    }
    faster = seconds["plain, run lengths"] / seconds["ours, run lengths"]
    return {
        "largest_difference": differences,
        "num_masks": num_masks,
        "processor_ms_per_mask": {
            name: round(1000 * value / num_masks, 4) for name, value in seconds.items()
        },
        "wall_ms_per_mask_all_cores": {
            name: round(1000 * value / num_masks, 4) for name, value in wall.items()
        },
        "times_faster_all_cores_on_run_lengths": round(
            wall["plain, run lengths"] / wall["ours, run lengths"], 2
        ),
        "times_faster_per_core_on_run_lengths": round(faster, 2),
        "times_faster_per_core_on_png": round(seconds["plain, PNG"] / seconds["ours, PNG"], 2),
    }


def main() -> None:
    """Compare and write the result."""
    parser = argparse.ArgumentParser(description="The scorer against a plain implementation.")
    parser.add_argument("--clips", type=int, default=6)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULT, help="where to write the result")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = compare(Path(folder), options.clips, options.frames, options.repeats)
    # on a busy machine the wall clock says little: the processor's time is what compares
    found["load_average_of_5_minutes"] = round(os.getloadavg()[1], 1)
    print(found)
    command = f"python benchmarks/vos_scoring.py --clips {options.clips} --frames {options.frames}"
    command += f" --repeats {options.repeats}"
    write_json(options.out, {"run": run_facts(command=command), "results": found})


if __name__ == "__main__":
    main()
