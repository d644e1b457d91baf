"""The page of all measured figures, from the results alone: ``python tools/bench_page.py`` writes docs/benchmarks.md.

Numbers on it are never typed: each comes from a file in benchmarks/results/, which its benchmark wrote with commit and machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench_charts import bars, lines

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
CHARTS = ROOT / "docs" / "images" / "benchmarks"
Document = Mapping[str, Any]


def result(name: str) -> Document:
    """A stored result."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; numbers stand at the right."""
    said = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in said)


def facts_of(document: Document) -> Document:
    """Command, commit and machine of a result, wherever it keeps them."""
    return document.get("facts") or document.get("run") or document


def followed() -> str:
    """J&F on the six clips."""
    ways = {"true mask": "compact_davis_mask", "one click": "compact_davis_click"}
    scores = {
        way: {one["clip"]: one["j_and_f"] for one in result(name)["objects"]} for way, name in ways.items()
    }
    rounds = result("compact_interactive")["rounds"]
    for number, one in enumerate(rounds, start=1):
        clips = {found["clip"]: found["j_and_f"] for found in one["objects"]}
        scores[f"clicks on {number} frame{'s' if number > 1 else ''}"] = clips
    for name, one in result("davis_baselines")["results"].items():
        scores[name] = {found["clip"]: found["j_and_f"] for found in one["objects"]}
    clips = list(scores["true mask"])
    rows = [
        [way, *(f"{100 * one[clip]:.1f}" for clip in clips), f"**{100 * sum(one.values()) / len(one):.1f}**"]
        for way, one in scores.items()
    ]
    chart = "![J&F of the embedded model and two baselines](images/benchmarks/followed.svg)"
    return table(["J&F", *clips, "mean"], rows) + f"\n\n{chart}"


def clicked() -> str:
    """Mean IoU of photos by source."""
    photos = result("compact_photos")
    rows = [
        [
            source,
            one["num_objects"],
            *(f"{one['miou_after'][k]:.3f}" for k in "135"),
            f"{one['box_miou']:.3f}",
        ]
        for source, one in photos["sources"].items()
    ]
    mean = photos["mean_over_sources"]
    last = [f"**{mean['miou_after'][k]:.3f}**" for k in "135"]
    rows.append(["**mean of sources**", mean["num_objects"], *last, f"**{mean['box_miou']:.3f}**"])
    return table(["source", "objects", "1 click", "3 clicks", "5 clicks", "box"], rows)


def hidden() -> str:
    """Objects that hide or leave."""
    found = result("compact_occlusion")
    rows = [
        [
            kind,
            one["num_clips"],
            f"{one['presence_auc']:.3f}",
            f"{one['found_again']:.2f}",
            f"{one['j_visible']:.3f}",
        ]
        for kind, one in [*found["kinds"].items(), ("**all**", found["overall"])]
    ]
    return table(["clips", "number", "presence AUC", "found again", "IoU while visible"], rows)


def annotated() -> str:
    """What the work of annotating costs."""
    effort = result("compact_effort")
    rows = [
        [way.replace("_", " "), f"{one['clicks']:.1f}", f"{one['seconds']:.1f}", f"{one['quality']:.3f}"]
        for way, one in ((way, effort[way]) for way in ("frame_by_frame", "track_and_correct"))
    ]
    equal = effort["at_equal_quality"]
    said = f"Until both are equally good ({equal['quality']:.3f}), tracking is {equal['times_faster']:.1f} times faster."
    return table(["per masklet", "clicks", "seconds", "J&F"], rows) + f"\n\n{said}"


def repeated() -> str:
    """Whether the card's last commands give the shipped weights again."""
    known = result("reproduce")
    yes_no = {True: "yes", False: "no", None: "not run to the end"}
    rows = [
        ["steps of training", f"{known['steps']:,}"],
        ["lines of the log that are the same", f"{known['same_lines']} of {known['lines']}"],
        ["largest difference of a loss", known["largest_loss_difference"]],
        ["every number of the run's end the same", yes_no[known.get("same_weights")]],
        ["every number of the shipped mean the same", yes_no[known.get("same_as_shipped")]],
    ]
    return table(["last stage, run a second time", ""], rows)


def embedded_speed() -> str:
    """Times of the embedded model."""
    speed, runtime, peers = result("speed"), result("runtime"), result("peers")
    rows = [
        ["one object", f"{speed['fps_1_object']:.1f} frames/s"],
        ["five objects, times one", f"{speed['five_objects_over_one']:.2f}"],
        ["embedding", f"{1000 * speed['embed_s']:.0f} ms"],
        ["a click looked at twice", f"{1000 * speed['click_s']:.0f} ms"],
        ["peak memory of the whole benchmark", f"{speed['peak_rss_mb']:,} MB"],
    ]
    names = ("torch", "onnx", "openvino")
    other = [
        [
            name,
            *(f"{runtime[name][key]:.2f}" for key in ("fps_1_object", "times_torch_1_objects")),
            _least_iou(runtime[name]),
        ]
        for name in names
    ]
    beside = [
        [
            name,
            *(f"{peers[name][key]:.1f}" for key in ("frame_over_ours", "embed_over_ours", "click_over_ours")),
        ]
        for name in ("compact", "edgetam", "sam2-tiny")
    ]
    return "\n\n".join(
        (
            table(["two cores, torch", "`speed.py`"], rows),
            table(["`runtime.py`", "frames/s, one object", "times torch", "least IoU with torch"], other),
            table(["times ours, `peers.py`", "frame", "embedding", "click"], beside),
            "The peers run in transformers with random weights at 1,024 px, in the same process, in turn.",
            "![How many times longer peers take for a frame](images/benchmarks/peers.svg)",
        )
    )


def _least_iou(one: Document) -> str:
    return f"{one['worst_iou']:.4f}" if "worst_iou" in one else "-"


def sam2_speed() -> str:
    """SAM 2.1 beside transformers on a CPU."""
    one, ten, first, auto = (
        result(name) for name in ("sam2_frame_1", "sam2_frame_10", "sam2_first", "auto_masks")
    )
    rows = [
        [
            "a frame, one object, times transformers' time",
            f"{one['wall_ratio']:.2f}",
            f"{one['cpu_ratio']:.2f}",
        ],
        ["a frame, ten objects", f"{ten['wall_ratio']:.2f}", f"{ten['cpu_ratio']:.2f}"],
        [
            "automatic masks, 1,024 clicks",
            f"{1 / auto['times_faster_than_transformers_wall']:.2f}",
            _inverse(auto),
        ],
        [
            "a click on an encoded frame",
            f"{1000 * first['click_wall_s']:.0f} ms",
            f"{1000 * first['click_cpu_s']:.0f} ms",
        ],
        [
            "opening a clip, beside the encoder",
            f"{first['open_beside_encoder_wall_s']:.2f} s",
            f"{first['open_beside_encoder_cpu_s']:.2f} s",
        ],
    ]
    peak = result("sam2_peak")
    said = f"Peak memory with {peak['objects']} objects: {peak['peak_mib']:,.0f} MiB (`sam2_memory.py`)."
    return table(["tiny, 1,024 px, float32, full memory", "wall", "processor"], rows) + f"\n\n{said}"


def _inverse(auto: Document) -> str:
    return f"{1 / auto['times_faster_than_transformers_cpu']:.2f}"


def long_runs() -> str:
    """Corrections and hours."""
    again, video, stored = result("retrack"), result("long_video"), result("long_results")
    rows = [
        [
            "a correction in the middle of 48 frames, times faster than the first pass",
            f"{again['whole_correction_times_faster_wall']:.1f}",
        ],
        [
            f"peak memory after {video['frames']:,} frames, times that after {video['baseline_frames']:,}",
            f"{video['ratio']:.3f}",
        ],
        [f"results of {stored['frames']:,} frames with one object", f"{stored['growth_mb']:.1f} MB"],
    ]
    return (
        table(["embedded model", ""], rows)
        + "\n\n![Peak memory over an hour of video](images/benchmarks/long_video.svg)"
    )


def studio() -> str:
    """The studio's figures beside their goals."""
    found = result("studio")
    parts = [part for name, part in found.items() if name not in {"facts", "goals"}]
    values = {key: value for part in parts for key, value in part.items()}
    rows = [[key.replace("_", " "), values[key], goal] for key, goal in found["goals"].items()]
    return table(["page, browser and server on the same two cores", "measured", "goal"], rows)


def hottest() -> str:
    """Which operations the time goes to."""
    rows: list[Sequence[object]] = []
    for path, one in result("profile").items():
        if path != "facts":
            shares = sorted(one["shares"].items(), key=lambda item: -item[1])[:4]
            told = ", ".join(
                f"{name.split('::')[1].strip('_')} {100 * share:.0f} %" for name, share in shares
            )
            rows.append(
                [path.replace("_", " "), f"{one['total_cpu_s']:.2f} s", f"{one['operations']:,}", told]
            )
    return table(["path, one thread", "processor", "operations", "most of it"], rows)


def cards() -> str:
    """SAM 2.1 on a graphics card beside transformers, where one was measured."""
    path = RESULTS / "gpu_cuda.json"
    if not path.exists():
        return "Not measured: there was no card where these results were made. `python benchmarks/gpu.py` measures it."
    found = json.loads(path.read_text(encoding="utf-8"))
    kinds = ("times_faster_than_transformers", "times_faster_than_transformers_compiled")
    kinds += ("times_one_object", "share_of_h200_floor")
    rows = [
        [
            part,
            one["card"],
            f"{one['ms_per_frame']:.2f}",
            *(found["ratios"].get(part, {}).get(kind, "-") for kind in kinds),
        ]
        for part, one in found["parts"].items()
        if "ms_per_frame" in one
    ]
    return table(["part", "card", "ms a frame", *(kind.replace("_", " ") for kind in kinds)], rows)


def scored() -> str:
    """Scoring masks with the field's measures."""
    found = result("vos_scoring")["results"]
    rows = [[name, f"{value:.2f} ms"] for name, value in found["processor_ms_per_mask"].items()]
    return table(["J and F of a mask, one core", ""], rows)


def words() -> str:
    """Words and examples to masks."""
    boxes, similar = result("grounder")["boxes_at_0.5"], result("similar")["one_example"]
    rows = [
        [source, one["objects"], one["recall"], one.get("precision", "-")] for source, one in boxes.items()
    ]
    like = [
        [name, one["objects"], f"{one['recall']:.2f}", f"{one['precision']:.2f}"]
        for name, one in [*similar.items(), *result("similar_coco")["one_example"].items()]
    ]
    return "\n\n".join(
        (
            table(["words to boxes, IoU .5", "objects", "recall", "precision"], rows),
            table(["find all like this", "objects", "recall", "precision"], like),
        )
    )


def sources() -> str:
    """Where each result comes from."""
    rows: list[Sequence[object]] = []
    for path in sorted(RESULTS.glob("*.json")):
        facts = facts_of(json.loads(path.read_text(encoding="utf-8")))
        link = f"[{path.name}](../benchmarks/results/{path.name})"
        rows.append([link, f"`{facts['command']}`", facts["commit"], facts["machine"]])
    return table(["result", "command", "commit", "machine"], rows).replace("---:", "---")


SECTIONS = (
    ("The embedded model follows objects", followed),
    ("It answers clicks and boxes on photos", clicked),
    ("Objects that hide or leave and come back", hidden),
    ("The work of annotating", annotated),
    ("Its last stage, trained again", repeated),
    ("How fast the embedded model is", embedded_speed),
    ("SAM 2.1 on a CPU", sam2_speed),
    ("SAM 2.1 on a graphics card", cards),
    ("Corrections, and hours of video", long_runs),
    ("Where the time goes", hottest),
    ("The studio", studio),
    ("Words and examples", words),
    ("Scoring", scored),
    ("Where the numbers come from", sources),
)


def page() -> str:
    """The whole page."""
    head = (
        "# Benchmarks\n\nWritten by `tools/bench_page.py` from the files in `benchmarks/results/`; no number here is typed. "
        "`make bench` measures again and writes\nthe page anew (`make bench DATA=folder` also what needs data). Times are those of "
        "shared machines whose speed varies by half within the\nhour: compare what stands in one table, which was measured in turn in one run. "
        "What is behind them: [performance](design/performance.md),\n[the embedded model](design/embedded-model.md)."
    )
    return "\n\n".join((head, *(f"## {name}\n\n{make()}" for name, make in SECTIONS))) + "\n"


def charts() -> dict[str, str]:
    """File name to SVG."""
    peers, video = result("peers"), result("long_video")
    times = {name: peers[name]["frame_over_ours"] for name in ("compact", "edgetam", "sam2-tiny")}
    grown = [(one["frames"], one["peak_mb"]) for one in video["stretches"]]
    ways = {"embedded model": result("compact_davis_mask")["j_and_f"]}
    ways |= {name: one["j_and_f"] for name, one in result("davis_baselines")["results"].items()}
    memory = {"peak": grown, "goal": [(x, 1.1 * video["peak_mb_at_baseline"]) for x in (0, video["frames"])]}
    return {
        "followed.svg": bars("J&F on six clips, true mask on frame 0", ways),
        "peers.svg": bars("A frame, times the embedded model's", times, form="{:.1f}"),
        "long_video.svg": lines(
            "Peak memory over an hour of video", memory, axes=("frames", "MB"), low=0, high=450
        ),
    }


def main() -> None:
    """Write the page and its charts."""
    CHARTS.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    for name, chart in charts().items():
        (CHARTS / name).write_text(chart, encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {len(SECTIONS)} sections, {len(charts())} charts")


if __name__ == "__main__":
    main()
