"""The domain of screenshots: masks that a real Chromium paints, and the COCO folders made of them."""

import importlib
import io
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from masklet.evaluation.domains import read_domains
from masklet.masks import rle

HERE = Path(__file__).parents[2] / "samples" / "screenshots"
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
needs_chromium = pytest.mark.skipif(
    not any(shutil.which(name) for name in BROWSERS), reason="no Chromium is installed"
)


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))


@pytest.fixture(scope="module")
def browser():
    found = next(path for name in BROWSERS if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


MADE = """<style>body { margin: 0; background: #fff } div { position: absolute }</style>
<div data-kind="card" style="left:10px; top:10px; width:100px; height:60px; border-radius:20px; background:#eee">
  <div data-kind="button" style="left:10px; top:10px; width:40px; height:40px; border-radius:50%; border:3px solid red;
    box-sizing:border-box"><svg data-kind="icon" style="position:absolute; left:7px; top:7px" width="20" height="20"
    viewBox="0 0 20 20" stroke="currentColor" stroke-width="4"><path d="M10 0V20"/></svg></div></div>
<div style="left:80px; top:20px; width:60px; height:40px; background:#333"></div>
<div style="inset:0; background:rgb(0 0 0 / 40%)"></div>
<div data-kind="field" style="left:300px; top:10px; width:10px; height:10px; background:red"></div>"""


def rounded(x, y, box, radius):
    left, top, right, bottom = box
    across = np.maximum(np.maximum(left + radius - x, x - right + radius), 0)
    down = np.maximum(np.maximum(top + radius - y, y - bottom + radius), 0)
    return (x >= left) & (x <= right) & (y >= top) & (y <= bottom) & (across**2 + down**2 <= radius**2)


@needs_chromium
@pytest.mark.parametrize("scale", [1, 2])
def test_masks_have_round_corners_and_leave_out_what_is_hidden(browser, scale):
    masks = importlib.import_module("masks")
    page = browser.new_page(viewport={"width": 200, "height": 120}, device_scale_factor=scale)
    page.set_content(MADE)
    found = masks.element_masks(page)
    page.close()
    # the field lies outside of the window
    assert [one.kind for one in found] == ["card", "button", "icon"]
    rows, columns = np.mgrid[: 120 * scale, : 200 * scale]
    x, y = (columns + 0.5) / scale, (rows + 0.5) / scale
    hidden = (x >= 80) & (x <= 140) & (y >= 20) & (y <= 60)
    expected = [
        rounded(x, y, (10, 10, 110, 70), 20) & ~hidden,
        rounded(x, y, (20, 20, 60, 60), 20),
        (x >= 38) & (x <= 42) & (y >= 30) & (y <= 50),
    ]
    for one, true in zip(found, expected, strict=True):
        # a corner's pixel that is half covered may fall either way
        assert (one.mask ^ true).sum() <= 0.005 * true.sum()
    assert np.array_equal(found[2].mask, expected[2])
    assert found[0].visible == pytest.approx(expected[0].sum() / (6000 * scale**2), abs=0.002)


@needs_chromium
def test_a_mask_is_where_the_page_shows_the_element(browser):
    generate = importlib.import_module("generate")
    plan = generate.Plan(
        name="one",
        layout="shop",
        language=generate.LANGUAGES["de"],
        theme="light",
        device="desktop",
        over="dialog",
        seed=4,
    )
    drawn = generate.draw_page(browser, plan, generate.photo_addresses())
    picture = np.asarray(Image.open(io.BytesIO(drawn.png)).convert("RGB"))
    kinds = Counter(one.kind for one in drawn.elements)
    assert kinds["card"] >= 5
    assert kinds["image"] >= 4
    assert all(one.mask.shape == picture.shape[:2] for one in drawn.elements)
    dialog = [one for one in drawn.elements if one.kind == "card"][-1]
    # the dialog is bright, what lies behind the scrim is not, and nothing else claims the dialog's pixels
    assert np.median(picture[dialog.mask]) > 240
    others = [one.mask for one in drawn.elements if one.kind in ("card", "image") and one is not dialog]
    assert not any((mask & dialog.mask).any() for mask in others)


@needs_chromium
def test_domains_are_read_as_they_are_written(tmp_path, browser):
    generate = importlib.import_module("generate")
    languages = [generate.LANGUAGES[code] for code in ("en", "ar")]
    chosen = generate.plans(2, 3, languages)
    assert sorted(one.language.code for one in chosen) == ["ar", "en"]
    photos = generate.photo_addresses()
    pages = [generate.draw_page(browser, one, photos) for one in chosen]
    counts = generate.write_domains(iter(pages), tmp_path / "kinds", "kind")
    problems = []
    stills = list(read_domains(tmp_path / "kinds", problems))
    assert problems == []
    assert Counter(still.source for still in stills for _ in still.masks) == counts
    assert all(set(still.labels) == {still.source.removesuffix("s")} for still in stills)
    assert all(rle.area(mask) >= 30 for still in stills for mask in still.masks)
    assert stills[0].image().shape[:2] == stills[0].size.hw
    by_language = generate.write_domains(iter(pages), tmp_path / "languages", "language")
    assert by_language.keys() == {"ar", "en"}
    assert sum(by_language.values()) == sum(counts.values())


def test_elements_that_touch_are_painted_one_after_the_other():
    masks = importlib.import_module("masks")
    boxes = [(0, 0, 50, 50), (10, 10, 20, 20), (60, 0, 90, 50), (51, 0, 58, 50), (12, 12, 14, 14)]
    assert masks.batches(boxes) == [[0, 2], [1, 3], [4]]


def test_every_choice_comes_as_often_as_the_others():
    generate = importlib.import_module("generate")
    chosen = generate.plans(36, 0, list(generate.LANGUAGES.values()))
    assert set(Counter(one.layout for one in chosen).values()) == {4}
    assert set(Counter(one.theme for one in chosen).values()) == {18}
    assert set(Counter(one.device for one in chosen).values()) == {9}
    assert {one.language.code for one in chosen} == generate.LANGUAGES.keys()
    assert generate.plans(36, 0, list(generate.LANGUAGES.values())) == chosen


@pytest.mark.parametrize(
    "layout", ["shop", "sign_in", "dashboard", "mail", "settings", "gallery", "chat", "article", "player"]
)
def test_pages_need_nothing_from_anywhere_and_follow_the_direction(layout):
    generate = importlib.import_module("generate")
    plan = generate.Plan(
        name="one",
        layout=layout,
        language=generate.LANGUAGES["he"],
        theme="dark",
        device="phone",
        over="menu",
        seed=1,
    )
    page = generate.html_of(plan, ["data:image/png;base64,AAAA"])
    assert 'lang="he" dir="rtl"' in page
    assert "http" not in page
    assert 'data-kind="icon"' in page
    assert generate.html_of(plan, ["data:image/png;base64,AAAA"]) == page
