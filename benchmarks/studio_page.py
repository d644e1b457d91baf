"""The studio's page in a browser, driven as people drive it, and how long it takes to show what they asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page
from studio_machine import make_clip

PATIENCE_MS = 600_000
WATCH = """(event) => addEventListener(event, (one) => { window.started = one.timeStamp; }, {capture: true, once: true})"""
SEEN = """() => new Promise((resolve) => {
    const shown = () => document.querySelector("[data-testid=picture]").dataset;
    const goal = () => document.querySelector("[role=slider]")?.getAttribute("aria-valuenow");
    const isDone = (shown, goal) => TEST;
    const look = () => {
        if (!isDone(shown(), goal())) return;
        observer.disconnect();
        requestAnimationFrame(() => resolve(performance.now() - window.started));
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, {
        subtree: true, childList: true, attributes: true, attributeFilter: ["data-frame", "data-masks", "aria-valuenow"],
    });
    look();
})"""
ENDED = """() => new Promise((resolve) => {
    let hasBegun = false;
    const look = () => {
        const isRunning = document.querySelector("progress[aria-label=Tracking]") !== null;
        if (hasBegun && !isRunning && document.querySelector(".track-button") !== null) { observer.disconnect(); resolve(); }
        hasBegun ||= isRunning;
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, {subtree: true, childList: true});
    look();
})"""
"""Waits until a tracking that was just asked for has ended. Playwright's own waiting asks the page to draw all the time."""


@dataclass(kw_only=True)
class Bench:
    """One studio, one browser and what was found."""

    browser: Browser
    url: str
    server: int
    folder: Path
    rounds: int
    found: dict[str, Any] = field(default_factory=dict)
    context: BrowserContext | None = None

    @property
    def base(self) -> str:
        """The address without the token."""
        return urlsplit(self.url)._replace(query="").geturl()

    def page(self, *, is_fresh: bool = False) -> Page:
        """A page that has been let in; a fresh one has nothing in its caches."""
        if self.context is None or is_fresh:
            known = None if self.context is None else self.context.storage_state()
            context = self.browser.new_context(viewport={"width": 1440, "height": 900}, storage_state=known)
            context.set_default_timeout(PATIENCE_MS)
            if self.context is None:
                self.context = context
                context.new_page().goto(self.url)
            return context.new_page()
        return self.context.new_page()

    def open_clip(self, path: Path) -> Page:
        """Upload a clip and wait until its first frame is seen."""
        page = self.page()
        page.goto(self.base)
        page.get_by_test_id("file-input").set_input_files(str(path))
        page.locator(".stage [data-frame='0']").wait_for(state="attached")
        return page

    def clip(self, *, num_frames: int, fps: int = 24) -> Path:
        """A clip, made once."""
        path = self.folder / f"clip-{num_frames}-{fps}.mp4"
        if not path.exists():
            make_clip(path, num_frames=num_frames, fps=fps)
        return path


def at(page: Page, point: tuple[float, float]) -> tuple[float, float]:
    """Where a point of the picture is on the page."""
    box = page.locator(".stage").bounding_box() or {"x": 0.0, "y": 0.0}
    view = page.get_by_test_id("picture").get_attribute("data-view") or "1 0 0"
    scale, left, top = map(float, view.split())
    return box["x"] + left + point[0] * scale, box["y"] + top + point[1] * scale


def until(page: Page, test: str) -> None:
    """Wait until a test of the page holds; `wait_for_function` may not, under the page's own content policy."""
    page.evaluate(
        f"() => new Promise((done) => {{ const look = () => ({test}) ? done() : setTimeout(look, 20); look(); }})"
    )


def timed_click(page: Page, point: tuple[float, float], test: str) -> float:
    """Milliseconds from the press of the button until a test of what is shown holds."""
    page.evaluate(WATCH, "pointerdown")
    page.mouse.click(*at(page, point))
    return page.evaluate(SEEN.replace("TEST", test))


def add_object(page: Page, point: tuple[float, float]) -> float:
    """Click a new object; milliseconds until its mask is seen."""
    shown = int(page.get_by_test_id("picture").get_attribute("data-masks") or 0)
    cards = page.locator(".object-card").count()
    if cards:
        page.keyboard.press("n")
    took = timed_click(
        page,
        point,
        f"Number(shown.masks) === {shown + 1} && document.querySelectorAll('.object-card').length === {cards + 1}",
    )
    saved(page)
    return took


def saved(page: Page) -> None:
    """Wait until the page shows everything as saved."""
    until(page, "document.querySelector('[data-testid=saving]').textContent.trim() === 'Saved'")


def track(page: Page) -> float:
    """Track to the end; seconds from the key to the page's last word."""
    started = time.perf_counter()
    page.keyboard.press("t")
    page.evaluate(ENDED)
    return time.perf_counter() - started
