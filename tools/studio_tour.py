"""Record a tour of the studio as a video: the real page, server and embedded model, driven by a script.

usage: studio_tour.py OUT.mp4 [PICTURE WORDS]
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, sync_playwright

from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.video.writer import Mp4Writer

SIZE = (1280, 720)
RATE = 15
LONGEST_S = 1.8
"""How long one picture stays in the video, however long it stayed on the screen."""
HURRIED_S = 13.0
"""How long the video shows what takes its time, such as tracking."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
TRACK_S = 300.0
"""How long the clip is tracked at most; a slow machine then goes on with the frames that it has."""
PATIENCE_S = 60.0
"""How long one thing on the page may take to appear."""
TRUE_MASKS = Path(__file__).parents[1] / "samples" / "cup_shuffle" / "masks.json"
BALL = "4"
"""The ball's name in the clip's true masks."""
CUPS_XYXY = ((114, 141, 223, 262), (270, 141, 376, 261), (428, 141, 530, 261))
BALL_XY = (411, 252)
POT_XY = (552, 195)
"""What the box around the last cup takes in, and should not."""
_POINTER = """() => {
    const pointer = document.createElement("div");
    Object.assign(pointer.style, {position: "fixed", left: "0", top: "0", zIndex: 100, width: "22px", height: "22px",
        margin: "-11px", border: "3px solid #fff", borderRadius: "50%", background: "rgb(255 255 255 / 25%)",
        boxShadow: "0 0 0 2px rgb(0 0 0 / 55%)", pointerEvents: "none", opacity: 0, transition: "scale 120ms"});
    const follow = ({clientX, clientY}) => {
        const parent = document.querySelector("dialog[open]") ?? document.body;  // what is modal covers all else
        if (pointer.parentElement !== parent) parent.append(pointer);
        Object.assign(pointer.style, {translate: `${clientX}px ${clientY}px`, opacity: 1});
    };
    addEventListener("pointermove", follow, true);
    addEventListener("pointerdown", () => { pointer.style.scale = 0.6; }, true);
    addEventListener("pointerup", () => { pointer.style.scale = 1; }, true);
}"""
_CAPTION = """text => {
    let box = document.getElementById("tour-caption");
    if (!box) {
        box = document.createElement("div");
        box.id = "tour-caption";
        Object.assign(box.style, {position: "fixed", left: "50%", top: "5px", translate: "-50% 0", zIndex: 99,
            width: "max-content", padding: "9px 20px", borderRadius: "21px", background: "#5560e6", color: "#fff",
            font: "600 17px/24px Inter Variable", pointerEvents: "none"});
    }
    (document.querySelector("dialog[open]") ?? document.body).append(box);  // what is modal covers all else
    box.textContent = text;
}"""


class Recorder:
    """What the browser shows, with the time at which it was shown."""

    def __init__(self, page: Page) -> None:
        self.shown: list[tuple[float, bytes, bool]] = []
        self.is_hurried = False
        self._client = page.context.new_cdp_session(page)
        self._client.on("Page.screencastFrame", self._take)
        self._client.send("Page.startScreencast", {"format": "jpeg", "quality": 85, "everyNthFrame": 1})  # pyright: ignore[reportUnknownMemberType]

    def _take(self, event: dict[str, object]) -> None:
        self.shown.append((time.monotonic(), base64.b64decode(str(event["data"])), self.is_hurried))
        self._client.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})  # pyright: ignore[reportUnknownMemberType]

    def write(self, path: Path) -> None:
        """The recording as a video. Long pauses are shortened; what was hurried takes as long as it may."""
        ends = [moment for moment, _, _ in self.shown[1:]] + [self.shown[-1][0] + LONGEST_S]
        lasts = [min(end - one[0], LONGEST_S) for one, end in zip(self.shown, ends, strict=True)]
        hurried_s = sum(last for last, one in zip(lasts, self.shown, strict=True) if one[2])
        speed = max(1.0, hurried_s / HURRIED_S)
        pts_s, written_s = 0.0, -1.0
        with Mp4Writer(path, fps=RATE) as writer:
            for last, (_, content, is_hurried) in zip(lasts, self.shown, strict=True):
                if pts_s - written_s >= 1 / RATE:
                    picture = Image.open(io.BytesIO(content)).convert("RGB").resize(SIZE)
                    writer.write(np.asarray(picture), pts_s=pts_s)
                    written_s = pts_s
                pts_s += last / speed if is_hurried else last


@contextmanager
def running_studio() -> Generator[str]:
    """The address of a studio with an empty data folder."""
    with tempfile.TemporaryDirectory() as home:
        command = [str(Path(sys.executable).with_name("masklet")), "studio", "--json", "--no-browser"]
        environment = {**os.environ, "MASKLET_HOME": home}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield json.loads(process.stdout.readline() if process.stdout else "")["url"]
            finally:
                process.send_signal(signal.SIGINT)


class StepError(Exception):
    """A step of the tour did not come to its end."""


class Tour:
    """What is shown, step by step."""

    def __init__(self, page: Page, recorder: Recorder) -> None:
        self.page = page
        self._recorder = recorder
        self._began_s = time.monotonic()

    def step(self, name: str, perform: Callable[[], None]) -> None:
        """Do one step and say so.

        Raises:
            StepError: When something on the page did not appear in time; says in which step.
        """
        begin_s = time.monotonic()
        print(f"{begin_s - self._began_s:6.0f} s  {name}", flush=True)
        try:
            perform()
        except (PlaywrightError, RuntimeError) as error:
            took_s = time.monotonic() - begin_s
            raise StepError(f"{name!r} stopped after {took_s:.0f} s: {str(error).splitlines()[0]}") from error

    def say(self, text: str, seconds: float = 2.0) -> None:
        """Show a sentence for a while."""
        self.page.evaluate(_CAPTION, text)
        self.page.wait_for_timeout(1000 * seconds)

    def click(self, x: float, y: float, *, button: Literal["left", "right"] = "left") -> None:
        """Click a point of the picture and wait for its mask."""
        self.page.mouse.move(*self._on_page(x, y), steps=12)
        self.page.wait_for_timeout(500)
        self.page.mouse.down(button=button)
        self.page.mouse.up(button=button)
        self._wait_until_saved()

    def drag_box(self, left: float, top: float, right: float, bottom: float) -> None:
        """Draw a box on the picture and wait for its mask."""
        self.page.mouse.move(*self._on_page(left, top), steps=8)
        self.page.mouse.down()
        self.page.mouse.move(*self._on_page(right, bottom), steps=16)
        self.page.mouse.up()
        self._wait_until_saved()

    def press(self, button: Locator) -> None:
        """Go to a button and press it."""
        button.scroll_into_view_if_needed()
        box = button.bounding_box()
        if box is None:
            raise RuntimeError("The page does not show a button.")
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=12)
        button.click()

    def _on_page(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the picture is on the page."""
        box = self.page.locator(".stage").bounding_box()
        view = self.page.get_by_test_id("picture").get_attribute("data-view")
        if box is None or view is None:
            raise RuntimeError("The page shows no picture.")
        scale, left, top = (float(one) for one in view.split())
        return box["x"] + left + x * scale, box["y"] + top + y * scale

    def _wait_until_saved(self) -> None:
        self._recorder.is_hurried = True
        self.page.wait_for_timeout(400)
        self.page.locator("[data-testid=saving]", has_text="Saved").wait_for()
        self._recorder.is_hurried = False
        self.page.wait_for_timeout(900)

    def hurry(self) -> None:
        """Track to the end; a slow machine does not make a long video."""
        page, begin_s, told_s = self.page, time.monotonic(), 0.0
        self._recorder.is_hurried = True
        self.press(page.locator(".track-button"))
        running = page.get_by_role("progressbar", name="Tracking")
        running.or_(page.get_by_text("Followed all the way")).first.wait_for()
        is_done = page.locator(".track-button")
        while not is_done.is_visible():
            page.wait_for_timeout(500)
            passed_s = time.monotonic() - begin_s
            if passed_s - told_s >= 15 and running.is_visible():
                told_s = passed_s
                print(f"          {' '.join(page.locator('.track-bar').inner_text().split())}", flush=True)
            if passed_s > TRACK_S:
                print(f"          {TRACK_S:.0f} s are over; going on with what is tracked", flush=True)
                page.keyboard.press("t")  # cancels
                break
        is_done.wait_for()
        self._recorder.is_hurried = False

    def run(self) -> None:
        """The whole journey."""
        self.step("opens the sample clip", self.open_sample)
        self.step("cuts out four objects", self.cut_out)
        self.step("gives them classes", self.label)
        self.step("tracks them", self.track)
        self.step("corrects a frame and tracks again", self.correct)
        self.step("reviews", self.review)
        self.step("adds effects and plays", self.add_effects)
        self.step("exports", self.take_along)

    def open_sample(self) -> None:
        """The first page, and the clip that comes along."""
        self.page.evaluate(_POINTER)
        self.say("masklet studio: everything stays on this machine", 3)
        self.press(self.page.get_by_role("button", name="Try the sample clip"))
        self._recorder.is_hurried = True
        self.page.locator("[data-testid=picture][data-frame='0']").wait_for()
        self._recorder.is_hurried = False

    def track(self) -> None:
        """Through the clip."""
        self.say("Track: masks appear as they are found, look-alikes are kept apart", 1)
        self.hurry()
        self.page.keyboard.press("Home")
        self.page.keyboard.press("Space")
        self.say("Play it", 6)
        self.page.keyboard.press("Space")

    def cut_out(self) -> None:
        """The ball by a click, the cups by a box each."""
        self.say("Click an object")
        self.click(*BALL_XY)
        self.say("Or draw a box around it", 1)
        self.press(self.page.get_by_role("button", name="Box: draw around an object"))
        for box in CUPS_XYXY:
            self.page.keyboard.press("n")
            self.drag_box(*box)
        self.page.keyboard.press("v")
        self.say("Right-click what does not belong to it", 1)
        self.click(*POT_XY, button="right")

    def label(self) -> None:
        """Classes with their keys."""
        page = self.page
        self.say("Say what they are: one key labels an object", 1)
        self.press(page.get_by_role("tab", name="Classes"))
        for name in ("ball", "cup"):
            page.get_by_label("New class").press_sequentially(name, delay=60)
            page.keyboard.press("Enter")
            page.get_by_label(f"Name of class {name}").wait_for()
        self.press(page.get_by_role("tab", name="Objects"))
        for place, key in enumerate("1222"):
            self.press(page.locator(".card-pick").nth(place))
            page.keyboard.press(key)
            page.wait_for_timeout(400)

    def correct(self) -> None:
        """One click on a frame that is wrong, and only what it changes is tracked again."""
        page = self.page
        self.say("Lanes are dim where the model is unsure: go there", 2)
        for _ in range(2):
            self.press(page.get_by_role("group", name="Playback").get_by_role("button", name="Next to check"))
            page.wait_for_timeout(1500)
        self.say("One click corrects a frame; only what that changes is tracked again", 1)
        self.press(page.locator(".card-pick").first)
        page.keyboard.press("End")
        page.wait_for_timeout(1200)
        frame = int(page.get_by_test_id("picture").get_attribute("data-frame") or 0)
        self.click(*_middle_of(BALL, frame))
        self.hurry()

    def review(self) -> None:
        """From doubt to doubt."""
        self.say("Review: the most doubtful first", 1)
        self.page.keyboard.press("r")
        self.page.get_by_role("list", name="Review queue").wait_for()
        self.page.wait_for_timeout(2000)
        for _ in range(2):
            self.page.keyboard.press("y")
            self.page.wait_for_timeout(1300)

    def add_effects(self) -> None:
        """Background and objects, while it plays."""
        page = self.page
        self.say("Effects, on the picture at once", 1)
        page.keyboard.press("Home")
        self.press(page.get_by_role("tab", name="Effects"))
        for name in ("Desaturate", "Text"):
            self.press(page.get_by_role("button", name=name))
            page.wait_for_timeout(1800)
        self.press(page.get_by_role("button", name="Desaturate"))
        self.press(page.get_by_role("button", name="Objects", exact=True))
        self.press(
            page.get_by_role("button", name="Outline").or_(page.get_by_role("button", name="Overlay")).first
        )
        page.wait_for_timeout(1500)
        page.keyboard.press("Space")
        self.say("And while it plays", 6)
        page.keyboard.press("Space")

    def take_along(self) -> None:
        """The formats."""
        page = self.page
        page.keyboard.press("Control+e")
        self.say("Videos, cut-outs with transparency, twenty formats of labels", 2)
        groups = page.locator(".export-groups")
        for step in (220, 440, 660):
            groups.evaluate("(one, top) => one.scrollTo({top, behavior: 'smooth'})", step)
            page.wait_for_timeout(1100)
        page.get_by_role("radio", name="COCO", exact=True).check(force=True)
        page.get_by_role("dialog").get_by_role("button", name="Export").click()
        page.get_by_text("The file is ready.").wait_for()
        page.wait_for_timeout(1500)

    def find_words(self, picture: Path, words: str) -> None:
        """What words find on a picture of one's own."""
        page = self.page
        page.keyboard.press("Escape")
        page.get_by_role("button", name="All projects").click()
        page.get_by_test_id("file-input").set_input_files(str(picture))
        page.locator("[data-testid=picture][data-frame='0']").wait_for()
        self.say("Or say in words what you look for", 1)
        page.keyboard.press("/")
        page.get_by_test_id("words").press_sequentially(words, delay=70)
        page.keyboard.press("Enter")
        page.get_by_role("list", name="Candidates").wait_for()
        page.wait_for_timeout(2500)
        page.locator(".accept").click()
        page.wait_for_timeout(2500)


def _middle_of(true_object: str, frame: int) -> tuple[int, int]:
    """The point of a true mask of the clip that is nearest to its middle; x and y in pixels."""
    known = json.loads(TRUE_MASKS.read_text(encoding="utf-8"))
    height, width = known["size"]
    mask = rle.decode(RLE(Size(height, width), known["objects"][true_object][frame].encode("ascii")))
    rows, columns = np.nonzero(mask)
    nearest = int(np.argmin(np.hypot(rows - np.median(rows), columns - np.median(columns))))
    return int(columns[nearest]), int(rows[nearest])


def main(path: Path, words: tuple[Path, str] | None = None) -> None:
    """Record the tour; with a picture and words, what they find on it comes last."""
    browser_path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser_path is None:
        sys.exit("The tour needs Chromium; `make browser` finds or installs it.")
    with running_studio() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="dark")
        page.set_default_timeout(1000 * PATIENCE_S)
        page.goto(url, wait_until="networkidle")  # the page is there when the video begins
        recorder = Recorder(page)
        tour = Tour(page, recorder)
        path.parent.mkdir(parents=True, exist_ok=True)
        problem = ""
        try:
            tour.run()
            if words is not None:
                tour.step("finds by words", lambda: tour.find_words(*words))
        except StepError as error:
            problem = str(error)
            page.screenshot(path=path.with_suffix(".failed.png"))
        tour.step("writes the video", lambda: recorder.write(path))
        browser.close()
    if problem:
        sys.exit(
            f"The tour ends early in {path}: {problem}\nThe page then: {path.with_suffix('.failed.png')}"
        )
    print(f"The tour is in {path}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), (Path(sys.argv[2]), sys.argv[3]) if len(sys.argv) == 4 else None)
