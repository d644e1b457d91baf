"""Make a domain of screenshots: pages drawn by Chromium, and exact masks of their buttons, fields, icons, cards, images.

usage: generate.py OUT [--pages 30] [--seed 0] [--by kind] [--browser chromium]

OUT gets one folder per domain, each with a COCO file and its pictures, as ``masklet evaluate domains`` reads them.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from layouts import LAYOUTS, OVERLAYS, Author, overlay
from masks import Element, element_masks
from parts import PHOTOS
from playwright.sync_api import Browser, Page, sync_playwright
from theme import some_theme
from words import LANGUAGES, Language

from masklet.masks import rle

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
)
GROUPS = ("kind", "layout", "language", "theme", "device")
KINDS = ("button", "card", "field", "icon", "image")
_LEAST_PIXELS, _LEAST_SHARE = 30, 0.04
_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}

# A letter without a glyph looks as a letter that no font can have.
_HAS_GLYPHS = """letters => {
    const draw = letter => {
        const canvas = Object.assign(document.createElement("canvas"), {width: 40, height: 40});
        const pen = canvas.getContext("2d");
        pen.font = "24px sans-serif";
        pen.fillText(letter, 6, 30);
        return canvas.toDataURL();
    };
    const missing = draw("\\u{10fffe}");
    return [...letters].every(letter => draw(letter) !== missing);
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A window to look through: its size in CSS pixels, and device pixels to each."""

    width: int
    height: int
    scale: float = 1.0


DEVICES = {
    "desktop": Device(width=1280, height=800),
    "laptop": Device(width=1440, height=900),
    "tablet": Device(width=820, height=1180),
    "phone": Device(width=390, height=844, scale=2),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one page is to be.

    Attributes:
        name: Of its picture, without ending.
        layout: One of LAYOUTS.
        language: Of its words.
        theme: "light" or "dark".
        device: One of DEVICES.
        over: One of OVERLAYS.
        seed: Of everything else.
    """

    name: str
    layout: str
    language: Language
    theme: str
    device: str
    over: str
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A page as a picture with its marked elements; PNG bytes."""

    plan: Plan
    png: bytes
    elements: Sequence[Element]


def plans(num_pages: int, seed: int, languages: Sequence[Language]) -> list[Plan]:
    """Pages in which every layout, language, theme and device comes as often as the others, in chance company."""
    rng = random.Random(seed)

    def spread(choices: Sequence[str]) -> list[str]:
        repeated = [choices[index % len(choices)] for index in range(num_pages)]
        rng.shuffle(repeated)
        return repeated

    spoken = {one.code: one for one in languages}
    columns = zip(
        spread(list(LAYOUTS)),
        spread(list(spoken)),
        spread(("light", "dark")),
        spread(list(DEVICES)),
        spread(OVERLAYS),
        strict=True,
    )
    return [
        Plan(
            name=f"{index:03d}_{layout}_{code}_{theme}_{device}",
            layout=layout,
            language=spoken[code],
            theme=theme,
            device=device,
            over=over,
            seed=rng.randrange(1 << 30),
        )
        for index, (layout, code, theme, device, over) in enumerate(columns)
    ]


def html_of(plan: Plan, photos: Sequence[str]) -> str:
    """The page as HTML that needs nothing else."""
    rng = random.Random(plan.seed)
    theme = some_theme(rng, is_dark=plan.theme == "dark")
    author = Author(language=plan.language, photos=cycle(rng.sample(photos, len(photos))), rng=rng)
    body = LAYOUTS[plan.layout](author) + overlay(author, plan.over)
    direction = "rtl" if plan.language.is_rtl else "ltr"
    return (
        f'<!doctype html><html lang="{plan.language.code}" dir="{direction}"><head><meta charset="utf-8">'
        f"<style>{theme.style}</style></head><body>{body}</body></html>"
    )


def photo_addresses() -> list[str]:
    """The photographs of the pages as data addresses."""
    return [
        f"data:{_TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
        for path in PHOTOS
    ]


def draw_page(browser: Browser, plan: Plan, photos: Sequence[str]) -> Drawn:
    """Lay the page out, scroll it a little, and take its picture and masks."""
    device = DEVICES[plan.device]
    page = browser.new_page(
        viewport={"width": device.width, "height": device.height}, device_scale_factor=device.scale
    )
    try:
        page.set_content(html_of(plan, photos), wait_until="load")
        _settle(page, random.Random(plan.seed).choice((0, 0, 0.3, 1)))
        return Drawn(plan=plan, png=page.screenshot(animations="disabled"), elements=element_masks(page))
    finally:
        page.close()


def _settle(page: Page, part: float) -> None:
    """Decode all pictures, and scroll by a part of what there is to scroll."""
    page.evaluate("() => Promise.all([...document.images].map(image => image.decode()))")
    page.evaluate("part => scrollTo(0, part * (document.documentElement.scrollHeight - innerHeight))", part)


def languages_of(browser: Browser) -> list[Language]:
    """The languages whose letters the browser's fonts can draw."""
    page = browser.new_page()
    try:
        return [one for one in LANGUAGES.values() if page.evaluate(_HAS_GLYPHS, one.letters)]
    finally:
        page.close()


def groups_of(drawn: Drawn, by: str) -> dict[str, list[Element]]:
    """The elements of a page that are worth finding, by domain."""
    worthy = [one for one in drawn.elements if _is_worthy(one)]
    if by != "kind":
        value = {
            "layout": drawn.plan.layout,
            "language": drawn.plan.language.code,
            "theme": drawn.plan.theme,
            "device": drawn.plan.device,
        }[by]
        return {value: worthy}
    return {f"{kind}s": [one for one in worthy if one.kind == kind] for kind in KINDS}


def _is_worthy(one: Element) -> bool:
    """Whether enough of an element is seen; a sign is thin, so that its share of its box says little."""
    return int(one.mask.sum()) >= _LEAST_PIXELS and (one.kind == "icon" or one.visible >= _LEAST_SHARE)


def write_domains(pages: Iterator[Drawn], out: Path, by: str) -> dict[str, int]:
    """Write one COCO set per domain; gives the number of elements in each."""
    documents: dict[str, dict[str, list[dict[str, object]]]] = {}
    for drawn in pages:
        for domain, elements in groups_of(drawn, by).items():
            if elements:
                document = documents.setdefault(domain, {"images": [], "annotations": []})
                _add(document, drawn, elements)
                (out / domain).mkdir(parents=True, exist_ok=True)
                (out / domain / f"{drawn.plan.name}.png").write_bytes(drawn.png)
    categories = [{"id": number, "name": kind} for number, kind in enumerate(KINDS, start=1)]
    for domain, document in documents.items():
        content = json.dumps({**document, "categories": categories})
        (out / domain / "_annotations.coco.json").write_text(content, encoding="utf-8")
    return {domain: len(document["annotations"]) for domain, document in sorted(documents.items())}


def _add(document: dict[str, list[dict[str, object]]], drawn: Drawn, elements: Sequence[Element]) -> None:
    """A page with its elements to a COCO document."""
    image_id = len(document["images"]) + 1
    height, width = elements[0].mask.shape
    document["images"].append(
        {"id": image_id, "file_name": f"{drawn.plan.name}.png", "width": width, "height": height}
    )
    for one in elements:
        encoded = rle.encode(one.mask)
        box = rle.bounding_box(encoded)
        if box is None:
            continue
        document["annotations"].append(
            {
                "id": len(document["annotations"]) + 1,
                "image_id": image_id,
                "category_id": KINDS.index(one.kind) + 1,
                "segmentation": rle.to_json(encoded),
                "area": rle.area(encoded),
                "bbox": [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0],
                "iscrowd": 0,
            }
        )


def find_browser(named: str | None) -> str:
    """The Chromium to draw with."""
    names = [named] if named else BROWSERS
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit(
            f"None of {', '.join(names)} is installed; install Chromium, or name a browser with --browser."
        )
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the domains."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the domains; must not exist")
    parser.add_argument("--pages", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--by", choices=GROUPS, default="kind", help="what makes a domain")
    parser.add_argument("--browser", help="Chromium to draw with; found by itself when left out")
    options = parser.parse_args(arguments)
    if options.out.exists():
        raise SystemExit(f"{options.out} is there already; name a new folder.")
    photos = photo_addresses()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(options.browser), args=list(FLAGS))
        spoken = languages_of(browser)
        silent = sorted(LANGUAGES.keys() - {one.code for one in spoken})
        if silent:
            sys.stderr.write(f"No font here can draw {', '.join(silent)}; these languages are left out.\n")
        chosen = plans(options.pages, options.seed, spoken)
        counts = write_domains((draw_page(browser, one, photos) for one in chosen), options.out, options.by)
        browser.close()
    for domain, number in counts.items():
        sys.stdout.write(f"{domain}: {number} elements\n")


if __name__ == "__main__":
    main()
