"""Record a tour of the studio as a video: the real page, server and embedded model, driven by a script.

usage: studio_tour.py OUT.mp4
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
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

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
TRACK_MS = 600_000
_CAPTION = """text => {
    let box = document.getElementById("tour-caption");
    if (!box) {
        box = document.createElement("div");
        box.id = "tour-caption";
        Object.assign(box.style, {position: "fixed", left: "50%", top: "70px", translate: "-50% 0", zIndex: 99,
            padding: "12px 22px", borderRadius: "14px", background: "rgb(0 0 0 / 82%)", color: "#fff",
            font: "600 20px Inter Variable", pointerEvents: "none"});
        document.body.append(box);
    }
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


class Tour:
    """What is shown, step by step."""

    def __init__(self, page: Page, recorder: Recorder) -> None:
        self.page = page
        self._recorder = recorder

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

    def run(self) -> None:
        """The whole journey."""
        page = self.page
        self.say("masklet studio: everything stays on this machine.", 3)
        page.get_by_role("button", name="Try the sample clip").click()
        page.locator("[data-testid=picture][data-frame='0']").wait_for()
        self.say("Click an object.")
        self.click(322, 203)
        self.say("Then the next one.")
        page.keyboard.press("n")
        self.click(411, 252)
        self.say("Track: the masks appear as they are found.", 1)
        self._recorder.is_hurried = True  # a slow machine does not make a long video
        page.keyboard.press("t")
        page.get_by_role("progressbar", name="Tracking").wait_for()
        page.locator(".track-button").wait_for(timeout=TRACK_MS)
        self._recorder.is_hurried = False
        self.say("The lanes show where the model is sure. Jump to where it is not.")
        page.keyboard.press("f")
        self.say("Effects, on the picture at once.", 1)
        page.get_by_role("tab", name="Effects").click()
        page.get_by_role("button", name="Desaturate").click()
        page.wait_for_timeout(1500)
        page.get_by_role("button", name="Objects", exact=True).click()
        page.get_by_role("button", name="Burst").click()
        page.wait_for_timeout(1500)
        page.keyboard.press("Home")
        page.keyboard.press("Space")
        self.say("Play it.", 5)
        page.keyboard.press("Control+e")
        self.say("And take it with you: video, masks, COCO.", 3)


def main(path: Path) -> None:
    """Record the tour."""
    browser_path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser_path is None:
        sys.exit("The tour needs Chromium; `make browser` finds or installs it.")
    with running_studio() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="dark")
        page.set_default_timeout(120_000)
        page.goto(url)
        recorder = Recorder(page)
        Tour(page, recorder).run()
        path.parent.mkdir(parents=True, exist_ok=True)
        recorder.write(path)
        browser.close()
    print(f"The tour is in {path}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
