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

import numpy as np
from PIL import Image
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright

from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.video.writer import Mp4Writer

SIZE = (1280, 720)
RATE = 15
LONGEST_S = 2.5
"""How long one picture stays in the video, however long it stayed on the screen."""
HURRIED_S = 15.0
"""How long the video shows what takes its time, such as tracking."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
TRACK_S = 150.0
"""How long the clip is tracked at most; a slow machine then goes on with the frames that it has."""
PATIENCE_S = 60.0
"""How long one thing on the page may take to appear."""
TRUE_MASKS = Path(__file__).parents[1] / "samples" / "cup_shuffle" / "masks.json"
CLICKED_CUP = "2"
_CAPTION = """text => {
    let box = document.getElementById("tour-caption");
    if (!box) {
        box = document.createElement("div");
        box.id = "tour-caption";
        Object.assign(box.style, {position: "fixed", left: "50%", top: "70px", translate: "-50% 0", zIndex: 99,
            maxWidth: "80vw", padding: "12px 22px", borderRadius: "14px", background: "rgb(0 0 0 / 82%)", color: "#fff",
            font: "600 20px Inter Variable", pointerEvents: "none"});
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

    def click(self, x: float, y: float) -> None:
        """Click a point of the picture and wait for its mask."""
        box = self.page.locator(".stage").bounding_box()
        view = self.page.get_by_test_id("picture").get_attribute("data-view")
        if box is None or view is None:
            raise RuntimeError("The page shows no picture.")
        scale, left, top = (float(one) for one in view.split())
        self.page.mouse.click(box["x"] + left + x * scale, box["y"] + top + y * scale)
        self.page.wait_for_timeout(400)
        self.page.locator("[data-testid=saving]", has_text="Saved").wait_for()
        self.page.wait_for_timeout(900)

    def hurry(self) -> None:
        """Track to the end; a slow machine does not make a long video."""
        page, begin_s, told_s = self.page, time.monotonic(), 0.0
        self._recorder.is_hurried = True
        page.keyboard.press("t")
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
        self.step("clicks two objects", self.cut_out)
        self.step("gives them classes", self.label)
        self.step("tracks them", self.track)
        self.step("corrects a frame and tracks again", self.correct)
        self.step("reviews", self.review)
        self.step("adds effects and plays", self.add_effects)
        self.step("exports", self.take_along)

    def open_sample(self) -> None:
        """The first page, and the clip that comes along."""
        self.say("masklet studio: everything stays on this machine.", 3)
        self.page.get_by_role("button", name="Try the sample clip").click()
        self.page.locator("[data-testid=picture][data-frame='0']").wait_for()

    def track(self) -> None:
        """Through the clip."""
        self.say("Track: the masks appear as they are found.", 1)
        self.hurry()

    def cut_out(self) -> None:
        """Two objects, one click each."""
        self.say("Click an object.")
        self.click(322, 203)
        self.say("Then the next one.")
        self.page.keyboard.press("n")
        self.click(411, 252)

    def label(self) -> None:
        """Classes with their keys."""
        page = self.page
        self.say("Say what they are: one key labels an object.", 1)
        page.get_by_role("tab", name="Classes").click()
        for name in ("cup", "ball"):
            page.get_by_label("New class").press_sequentially(name, delay=60)
            page.keyboard.press("Enter")
            page.get_by_label(f"Name of class {name}").wait_for()
        page.get_by_role("tab", name="Objects").click()
        for place, key in enumerate("12"):
            page.locator(".card-pick").nth(place).click()
            page.keyboard.press(key)
            page.wait_for_timeout(700)

    def correct(self) -> None:
        """One click on a frame that is wrong, and only what it changes is tracked again."""
        page = self.page
        self.say("The lanes show where the model is sure. Go to where it is not.")
        page.locator(".card-pick").first.click()
        page.keyboard.press("f")
        page.wait_for_timeout(1200)
        page.locator(".card-pick").first.click()
        frame = int(page.get_by_test_id("picture").get_attribute("data-frame") or 0)
        self.say("One click corrects it; only what it changes is tracked again.")
        self.click(*_middle_of_cup(frame))
        self.hurry()

    def review(self) -> None:
        """From doubt to doubt."""
        self.say("Review: the most doubtful first.", 1)
        self.page.keyboard.press("r")
        self.page.get_by_role("list", name="Review queue").wait_for()
        self.page.wait_for_timeout(2000)
        for _ in range(2):
            self.page.keyboard.press("y")
            self.page.wait_for_timeout(1300)

    def add_effects(self) -> None:
        """Background and objects, while it plays."""
        page = self.page
        self.say("Effects, on the picture at once.", 1)
        page.get_by_role("tab", name="Effects").click()
        page.get_by_role("button", name="Desaturate").click()
        page.wait_for_timeout(1500)
        page.get_by_role("button", name="Objects", exact=True).click()
        page.get_by_role("button", name="Burst").click()
        page.wait_for_timeout(1500)
        page.keyboard.press("Home")
        page.keyboard.press("Space")
        self.say("Play it.", 6)
        page.keyboard.press("Space")

    def take_along(self) -> None:
        """The formats."""
        page = self.page
        page.keyboard.press("Control+e")
        self.say("Take it with you: videos, cut-outs with transparency, twenty formats of labels.", 2)
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
        self.say("Or say in words what you look for.", 1)
        page.keyboard.press("/")
        page.get_by_test_id("words").press_sequentially(words, delay=70)
        page.keyboard.press("Enter")
        page.get_by_role("list", name="Candidates").wait_for()
        page.wait_for_timeout(2500)
        page.locator(".accept").click()
        page.wait_for_timeout(2500)


def _middle_of_cup(frame: int) -> tuple[int, int]:
    """A point in the middle of what is seen of the clicked cup, from the clip's true masks; x and y in pixels."""
    known = json.loads(TRUE_MASKS.read_text(encoding="utf-8"))
    counts = known["objects"][CLICKED_CUP][frame]
    height, width = known["size"]
    mask = rle.decode(RLE(Size(height, width), counts.encode("ascii")))
    rows, columns = np.nonzero(mask)
    return int(np.median(columns)), int(np.median(rows))


def main(path: Path, words: tuple[Path, str] | None = None) -> None:
    """Record the tour; with a picture and words, what they find on it comes last."""
    browser_path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser_path is None:
        sys.exit("The tour needs Chromium; `make browser` finds or installs it.")
    with running_studio() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="dark")
        page.set_default_timeout(1000 * PATIENCE_S)
        page.goto(url)
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
