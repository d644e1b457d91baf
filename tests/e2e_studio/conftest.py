"""The studio in a real browser: one server and one Chromium for each file of tests, a fresh profile for each test."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from masklet.studio.page import is_built

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCREENSHOTS = HERE / "screenshots"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
PATIENCE_MS = 60_000
SMALL_TARGETS = """() => {
    const side = (element, name) => ["", "::before", "::after"].map((pseudo) => {
        if (pseudo === "") return element.getBoundingClientRect()[name];
        const style = getComputedStyle(element, pseudo);
        return style.content === "none" || style.position !== "absolute" ? 0 : parseFloat(style[name]) || 0;
    });
    const isThere = (one) => one.checkVisibility({visibilityProperty: true}) && !one.disabled &&
        getComputedStyle(one).pointerEvents !== "none" && Math.max(...side(one, "width")) > 1;
    return [...document.querySelectorAll("button, a, select, input, [role=slider]")].filter(isThere)
        .map((one) => [one.ariaLabel || one.textContent, Math.max(...side(one, "width")), Math.max(...side(one, "height"))])
        .filter(([, width, height]) => Math.min(width, height) < 43.9);
}"""


class StudioPage:
    """What a person sees and does."""

    def __init__(self, page, base):
        self.page = page
        self.base = base
        self.problems = []
        self.requests = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open_sample(self):
        self.page.goto(self.base)
        self.button("Try the sample clip").click()
        self.wait_for_frame(0)
        return self

    def open_files(self, *paths):
        self.page.goto(self.base)
        self.page.get_by_test_id("file-input").set_input_files([str(path) for path in paths])
        self.wait_for_frame(0)
        return self

    def button(self, name, *, exact=False):
        return self.page.get_by_role("button", name=name, exact=exact)

    def wait_for_frame(self, frame):
        shown = self.page.get_by_test_id("picture")
        expect(shown).to_have_attribute("data-frame", str(frame), timeout=PATIENCE_MS)

    def wait_until_saved(self):
        expect(self.page.get_by_test_id("saving")).to_have_text("Saved")

    def at(self, x, y):
        """Where a point of the picture is on the page."""
        box = self.page.locator(".stage").bounding_box()
        scale, left, top = (float(one) for one in self.picture("data-view").split())
        return box["x"] + left + x * scale, box["y"] + top + y * scale

    def picture(self, attribute):
        return self.page.get_by_test_id("picture").get_attribute(attribute)

    def click(self, x, y, *, button="left"):
        self.page.mouse.click(*self.at(x, y), button=button)

    def drag(self, *points):
        self.page.mouse.move(*self.at(*points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.at(*point), steps=4)
        self.page.mouse.up()

    def object_cards(self):
        return self.page.locator(".object-card")

    def add_object(self, x, y):
        count = self.object_cards().count()
        if count:
            self.page.keyboard.press("n")
        self.click(x, y)
        expect(self.object_cards()).to_have_count(count + 1)
        self.wait_until_saved()

    def api(self, path):
        """What the server says, asked from the page."""
        return self.page.evaluate("path => fetch(path).then(answer => answer.json())", path)

    def project(self):
        project_id = self.page.url.rpartition("project=")[2]
        return self.api(f"/api/projects/{project_id}")

    def media(self):
        return self.project()["media"][0]

    def clicks(self, frame=0, place=0):
        prompts = self.media()["objects"][place]["prompts"]
        return [one["clicks"] for one in prompts if one["frame"] == frame]

    def num_masks(self, frame):
        return len(self.api(f"/api/media/{self.media()['id']}/masks?start={frame}&stop={frame + 1}")["masks"])

    def track_to_the_end(self):
        self.page.get_by_role("button", name="Track", exact=False).first.click()
        running = self.page.get_by_role("progressbar", name="Tracking")
        expect(running.or_(self.page.get_by_text("Followed all the way")).first).to_be_visible()
        expect(self.page.locator(".track-button")).to_be_visible(timeout=PATIENCE_MS)

    def export(self, kind, tmp_path):
        """Write a file of this kind and keep it."""
        if not self.page.get_by_role("dialog").count():
            self.button("Export", exact=True).click()
        self.page.get_by_role("radio", name=kind, exact=True).check(force=True)
        self.page.get_by_role("dialog").get_by_role("button", name="Export").click()
        expect(self.page.get_by_text("The file is ready.")).to_be_visible(timeout=3 * PATIENCE_MS)
        with self.page.expect_download() as download:
            self.button("Save file").click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def shot(self, name):
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.wait_for_timeout(250)  # what moves has come to rest
        self.page.screenshot(path=str(SCREENSHOTS / f"{name}.png"))

    def check_accessibility(self):
        """No finding of axe that is moderate or worse."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        worse = [one for one in found["violations"] if one["impact"] != "minor"]
        where = [f"{one['id']}: {[node['html'][:160] for node in one['nodes'][:3]]}" for one in worse]
        assert where == []

    def check_touch_targets(self):
        """Everything that a finger works with is at least 44 pixels wide and high, drawn or not."""
        assert self.page.evaluate(SMALL_TARGETS) == []

    def check_quiet(self):
        """Nothing failed in the page, and nothing was asked of another machine."""
        assert self.problems == []
        hosts = {urlsplit(url).netloc for url in self.requests if url.startswith("http")}
        assert hosts <= {urlsplit(self.base).netloc}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    assert is_built(), "The page is not built; run `make web` first."
    home = tmp_path_factory.mktemp("studio")
    command = [sys.executable, str(HERE / "serve.py"), str(home / "data")]
    with (
        (home / "log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        line = process.stdout.readline()
        assert line, (home / "log").read_text()
        yield json.loads(line)["url"]
        process.terminate()


@pytest.fixture(scope="module")
def browser():
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert found is not None, "The journeys need Chromium; `make browser` finds or installs it."
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def open_page(server, browser):
    """A function that opens a browser window of its own on the studio."""
    contexts, pages = [], []

    def start(*, size=DESK, context=None, **options):
        if context is None:
            context = browser.new_context(
                viewport=size, color_scheme="dark", accept_downloads=True, **options
            )
            context.set_default_timeout(PATIENCE_MS / 2)
            contexts.append(context)
        one = StudioPage(context.new_page(), urlsplit(server)._replace(query="").geturl())
        one.page.goto(server)
        pages.append(one)
        return one

    expect.set_options(timeout=PATIENCE_MS / 2)
    yield start
    for one in pages:
        one.check_quiet()
    for context in contexts:
        context.close()


@pytest.fixture
def studio(open_page):
    return open_page()
