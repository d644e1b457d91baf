"""The speed people feel in the studio: the real page in Chromium, the real server, the embedded model, a 480p clip.

    python benchmarks/studio.py [--rounds N] [--only NAME ...]

Writes results/studio.json: medians, with what the machine did meanwhile (load of others, time stolen by its host).
Needs the page (`make web`) and Chromium (`make browser`). Reported, not asserted; the goals stand beside the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from studio_client import StudioClient
from studio_machine import SAMPLE, SIZE, TICKS, load_of_machine, own_ticks, resident_mb, wait_for_rest
from studio_page import SEEN, WATCH, Bench, add_object, at, saved, track, until

from masklet.evaluation.report import run_facts, write_json

RESULTS = Path(__file__).parent / "results"
SCALE = 480 / 360
CUP = (167 * SCALE, 204 * SCALE)
CUPS = [(x * SCALE, y * SCALE) for x, y in ((167, 204), (322, 203), (478, 202))]
OTHERS = [(60 + 190 * (place % 4), 60 if place < 4 else 400) for place in range(8)]
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
EFFECT = "Pixelate"
GOALS = {
    "page_ready_ms": "<= 1500",
    "click_to_mask_ms": "<= 250",
    "seek_to_frame_ms": "<= 100",
    "tracking_over_cli": ">= 0.85",
    "playback_fps_10_objects": ">= 30",
    "correction_times_faster": ">= 3",
    "long_video_open_ms": "<= 3000",
    "long_video_memory_growth": "<= 1.1",
}
READY = """() => {
    const look = () => {
        const at = (name) => document.querySelector(name) && (window["seen-" + name] ??= performance.now());
        at(".stage [data-frame]");
        at("input[type=file]");
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""
COUNT = """(seconds) => new Promise((resolve) => {
    const canvas = document.querySelector("[data-testid=picture]");
    const start = performance.now();
    let frame = null, drawn = 0, masks = 0;
    const look = (now) => {
        if (canvas.dataset.frame !== frame) { frame = canvas.dataset.frame; drawn += 1; masks += Number(canvas.dataset.masks); }
        if (now - start < 1000 * seconds) requestAnimationFrame(look);
        else resolve({fps: drawn / ((now - start) / 1000), masks: masks / drawn});
    };
    requestAnimationFrame(look);
})"""


def page_ready(bench: Bench) -> None:
    """From an empty cache to a page that can be used; and to a project with its picture."""
    bench.open_clip(bench.clip(num_frames=144)).close()
    project = bench.page()
    project.goto(bench.base)
    project.locator(".project-card a, a.project-card, .project-card button").first.click()
    project.locator(".stage [data-frame]").wait_for(state="attached")
    address = project.url
    for name, url, mark in (
        ("page_ready_ms", bench.base, "input[type=file]"),
        ("project_ready_ms", address, ".stage [data-frame]"),
    ):
        times: list[float] = []
        for _ in range(2 * bench.rounds + 1):
            page = bench.page(is_fresh=True)
            page.add_init_script(f"({READY})()")
            page.goto(url)
            until(page, f"window['seen-{mark}'] !== undefined")
            times.append(float(page.evaluate(f"window['seen-{mark}']")))
            page.context.close()
        bench.found[name] = round(statistics.median(times), 1)


def click_to_mask(bench: Bench) -> None:
    """From pressing the button to the mask, on a frame that is encoded."""
    page = bench.open_clip(bench.clip(num_frames=144))
    bench.found["first_click_ms"] = round(add_object(page, CUPS[0]), 1)
    times: list[float] = []
    for turn in range(4 * bench.rounds):
        times.append(add_object(page, CUPS[1 + turn % 2]))
        page.keyboard.press("Control+z")
        until(page, "document.querySelectorAll('.object-card').length === 1")
        saved(page)
        until(page, "document.querySelector('[data-testid=picture]').dataset.masks === '1'")
    bench.found["click_to_mask_ms"] = round(statistics.median(times), 1)
    bench.found["click_to_mask_worst_ms"] = round(max(times), 1)
    page.close()


def seek_to_frame(bench: Bench) -> None:
    """From pressing the timeline to the frame, exact by index, of a clip that was just opened."""
    page = bench.open_clip(bench.clip(num_frames=1800))
    box = page.get_by_role("slider", name="Place in the video").bounding_box() or {}
    draw, times = random.Random(4), []
    for _ in range(8 * bench.rounds):
        page.evaluate(WATCH, "pointerdown")
        before = page.get_by_test_id("picture").get_attribute("data-frame")
        page.mouse.click(box["x"] + box["width"] * draw.uniform(0.02, 0.98), box["y"] + 10)
        times.append(page.evaluate(SEEN.replace("TEST", f"shown.frame === goal && goal !== '{before}'")))
        page.wait_for_timeout(300)
    bench.found["seek_to_frame_ms"] = round(statistics.median(times), 1)
    bench.found["seek_to_frame_worst_ms"] = round(max(times), 1)
    page.close()


@contextmanager
def processor_time(bench: Bench, num_frames: int, into: list[dict[str, float]]) -> Generator[None]:
    """Milliseconds of processor time per frame meanwhile: the server, the processes that decode for it, the rest."""

    def used() -> tuple[int, int, int]:
        server = own_ticks(bench.server)
        fields = Path(f"/proc/{bench.server}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        alone = sum(map(int, fields[11:13]))
        return alone, server - alone, own_ticks(os.getpid()) - server

    before = used()
    yield
    names = ("server_ms", "decoding_ms", "page_ms")
    spent = [after - one for after, one in zip(used(), before, strict=True)]
    into.append({name: 1000 * one / TICKS / num_frames for name, one in zip(names, spent, strict=True)})


def cli_speed(clip: Path, out: Path) -> float:
    """Frames per second of the command line, as it tells them: without the time to load the model."""
    shutil.rmtree(out, ignore_errors=True)
    prompt = f"1@0: +{CUP[0]:.0f},{CUP[1]:.0f}"
    command = [
        str(Path(sys.executable).with_name("masklet")),
        "track",
        str(clip),
        "--out",
        str(out),
        "--json",
    ]
    done = subprocess.run([*command, "--prompt", prompt], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["fps"]


def tracking_speed(bench: Bench) -> None:
    """Frames per second of the studio, with page and without, over the command line's, in turns."""
    clip = bench.clip(num_frames=96)
    client = StudioClient(bench.url)
    fps: dict[str, list[float]] = {"page": [], "plain": [], "cli": []}
    spent: dict[str, list[dict[str, float]]] = {"page": [], "plain": []}
    for _ in range(bench.rounds):
        page = bench.open_clip(clip)
        add_object(page, CUP)
        wait_for_rest(10)
        with processor_time(bench, 95, spent["page"]):
            fps["page"].append(95 / track(page))
        page.close()
        media = client.open_clip(clip)
        client.click(media, 0, CUP)
        wait_for_rest(10)
        with processor_time(bench, 95, spent["plain"]):
            seconds, num_masks = client.track(media)
        fps["plain"].append(num_masks / seconds)
        wait_for_rest(10)
        fps["cli"].append(cli_speed(clip, bench.folder / "out"))
    bench.found["tracking_fps"] = round(statistics.median(fps["page"]), 2)
    bench.found["tracking_without_page_fps"] = round(statistics.median(fps["plain"]), 2)
    bench.found["tracking_cli_fps"] = round(statistics.median(fps["cli"]), 2)
    for name, kind in (("tracking_over_cli", "page"), ("tracking_without_page_over_cli", "plain")):
        ratios = [mine / theirs for mine, theirs in zip(fps[kind], fps["cli"], strict=True)]
        bench.found[name] = round(statistics.median(ratios), 3)
    bench.found["tracking_processor_ms_per_frame"] = {
        "with_page" if kind == "page" else "without_page": {
            name: round(statistics.median(one[name] for one in rounds), 1) for name in rounds[0]
        }
        for kind, rounds in spent.items()
    }


def playback(bench: Bench) -> None:
    """Frames drawn per second of a clip with 60, with the masks of ten objects on each; then with an effect instead."""
    page = bench.open_clip(bench.clip(num_frames=120, fps=60))
    for point in [*CUPS, *OTHERS][:10]:
        add_object(page, point)
    track(page)
    fps, num_masks = played(bench, page)
    bench.found["playback_fps_10_objects"] = round(fps, 1)
    bench.found["playback_masks_per_frame"] = round(num_masks, 1)
    page.get_by_role("tab", name="Effects").click()
    page.get_by_role("button", name=EFFECT, exact=True).click()
    page.evaluate("document.activeElement.blur()")  # or the space bar presses the button again
    fps, _ = played(bench, page)
    bench.found["playback_fps_effect"] = round(fps, 1)
    bench.found["playback_effect"] = EFFECT
    page.close()


def played(bench: Bench, page: Page) -> tuple[float, float]:
    """Frames drawn per second and masks on each, when it is played from the start; medians."""
    rates: list[dict[str, float]] = []
    for _ in range(bench.rounds):
        page.keyboard.press("Home")
        page.locator(".stage [data-frame='0']").wait_for(state="attached")
        wait_for_rest()
        page.keyboard.press("Space")
        rates.append(page.evaluate(COUNT, 1.8))
        page.keyboard.press("Home")
    return statistics.median(one["fps"] for one in rates), statistics.median(one["masks"] for one in rates)


def correction(bench: Bench) -> None:
    """A correction in the middle of 300 frames and one in their last quarter, over tracking them all anew, turn by turn."""
    clip = bench.clip(num_frames=300)
    rounds: list[dict[str, float]] = []
    for _ in range(bench.rounds):
        page = bench.open_clip(clip)
        add_object(page, CUP)
        times: dict[str, float] = {"300_frames_s": track(page)}
        for name, frame in (("middle_s", 150), ("last_quarter_s", 225)):
            page.keyboard.press("Home")
            for _ in range(frame // 10):
                page.keyboard.press("Shift+ArrowRight")
            for _ in range(frame % 10):
                page.keyboard.press("ArrowRight")
            page.locator(f".stage [data-frame='{frame}'][data-masks='1']").wait_for(state="attached")
            page.mouse.click(*at(page, CUP))
            page.wait_for_timeout(500)
            saved(page)
            times[name] = track(page)
        page.close()
        rounds.append(times)
    bench.found["correction_s"] = {
        name: round(statistics.median(one[name] for one in rounds), 2) for name in rounds[0]
    }
    for name, part in (
        ("correction_times_faster", "last_quarter_s"),
        ("correction_in_the_middle_times_faster", "middle_s"),
    ):
        ratios = [one["300_frames_s"] / one[part] for one in rounds]
        bench.found[name] = round(statistics.median(ratios), 2)
        bench.found[f"{name}_by_turn"] = [round(one, 2) for one in ratios]


def long_video(bench: Bench) -> None:
    """Ten minutes at 30 frames per second: from choosing the file to its first frame, and what it takes in memory."""
    clip = bench.clip(num_frames=18_000, fps=30)
    bench.page().close()
    times: list[float] = []
    page = bench.page()
    for _ in range(bench.rounds):
        page.goto(bench.base)
        page.get_by_test_id("file-input").wait_for(state="attached")
        started = time.perf_counter()
        page.get_by_test_id("file-input").set_input_files(str(clip))
        page.locator(".stage [data-frame='0']").wait_for(state="attached")
        times.append(1000 * (time.perf_counter() - started))
    bench.found["long_video_open_ms"] = round(statistics.median(times), 1)
    bench.found["long_video_mb"] = round(clip.stat().st_size / 2**20, 1)
    add_object(page, CUP)
    page.keyboard.press("t")
    held: dict[int, float] = {}
    for frame in (250, 400, 550):
        until(
            page, f"Number(document.querySelector('[role=slider]')?.getAttribute('aria-valuenow')) >= {frame}"
        )
        held[frame] = resident_mb(bench.server)
    page.keyboard.press("t")
    page.locator(".track-button").wait_for()
    bench.found["long_video_server_mb"] = {str(frame): round(one) for frame, one in held.items()}
    bench.found["long_video_memory_growth"] = round(held[550] / held[250], 3)
    page.close()


PARTS: dict[str, Callable[[Bench], None]] = {
    "ready": page_ready,
    "click": click_to_mask,
    "seek": seek_to_frame,
    "tracking": tracking_speed,
    "playback": playback,
    "correction": correction,
    "long": long_video,
}


@contextmanager
def studio_process(home: Path) -> Generator[tuple[str, int]]:
    """The address and process of a studio as people start it."""
    command = [str(Path(sys.executable).with_name("masklet")), "studio", "--no-browser", "--json"]
    environment = {**os.environ, "MASKLET_HOME": str(home)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line:
            raise SystemExit("The studio did not start.")
        try:
            yield json.loads(line)["url"], process.pid
        finally:
            process.send_signal(signal.SIGINT)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--only", choices=list(PARTS), nargs="*", help="measure these parts; the others keep their figures"
    )
    arguments = parser.parse_args()
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        raise SystemExit("Chromium is not there; run make browser first.")
    target = RESULTS / "studio.json"
    known: dict[str, Any] = (
        json.loads(target.read_text(encoding="utf-8")) if arguments.only and target.exists() else {}
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        studio_process(Path(folder) / "home") as (url, pid),
    ):
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        bench = Bench(browser=browser, url=url, server=pid, folder=Path(folder), rounds=arguments.rounds)
        bench.page().close()
        for name in arguments.only or PARTS:
            meanwhile: dict[str, Any] = {}
            bench.found = {}
            with load_of_machine(meanwhile):
                PARTS[name](bench)
            known[name] = {**bench.found, "rounds": arguments.rounds, "meanwhile": meanwhile}
            print(name, json.dumps(known[name]), flush=True)
            write_json(target, {**known, "goals": GOALS, "facts": facts(browser.version)})
        browser.close()


def facts(browser: str) -> dict[str, object]:
    """What was measured with what."""
    return run_facts(
        command="python benchmarks/studio.py",
        clip=f"{SAMPLE.parent.name} at {SIZE[0]} x {SIZE[1]}",
        model="compact",
        browser=f"Chromium {browser}",
    )


if __name__ == "__main__":
    main()
