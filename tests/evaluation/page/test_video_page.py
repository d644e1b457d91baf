import re

import numpy as np
import pytest
from PIL import Image

from masklet.evaluation.counting import DAVIS
from masklet.evaluation.layouts import find_clips
from masklet.evaluation.page.video import video_page
from masklet.evaluation.report import run_facts
from masklet.evaluation.scoring import ScoringJob, score_predictions

SHAPE = (40, 60)
NAMES = ("good", "bad<b>")


def write(folder, index, pixels):
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / f"{index:05d}.png")


@pytest.fixture
def job(tmp_path):
    """Two clips of six frames: one answered perfectly, one ever more wrongly."""
    for name in NAMES:
        for index in range(6):
            true = np.zeros(SHAPE, np.uint8)
            true[10:25, 10:30] = 1
            answer = true if name == "good" else np.roll(true, 4 * index, axis=1)
            write(tmp_path / "set/JPEGImages/480p" / name, index, np.full((*SHAPE, 3), 30 * index, np.uint8))
            write(tmp_path / "set/Annotations/480p" / name, index, true)
            write(tmp_path / "answers" / name, index, answer)
    layout, places = find_clips(tmp_path / "set")
    return ScoringJob(places=places, layout=layout, predictions=tmp_path / "answers", counting=DAVIS)


def page_of(job):
    scored = score_predictions(job)
    return video_page(job, scored, title="Made & scored", facts=run_facts(command="masklet evaluate set"))


def test_page_needs_nothing_from_anywhere(job):
    page = page_of(job)
    assert re.findall(r'(?:src|href)="(?!data:image/jpeg;base64,)', page) == []
    assert not re.search(r"https?:|url\(|@import|<script|<link", page)
    assert "default-src 'none'" in page


def test_names_are_escaped(job):
    page = page_of(job)
    assert "bad<b>" not in page
    assert page.count("bad&lt;b&gt;") >= 3
    assert "<h1>Made &amp; scored</h1>" in page


def test_page_shows_every_clip_and_only_real_failures(job):
    page = page_of(job)
    assert page.count('<article class="strip">') == 2
    assert page.index("<h3>bad&lt;b&gt;</h3>") < page.index("<h3>good</h3>")
    assert page.count('<figure class="tile">') == 1
    assert "object 1, frame 4" in page
    assert "<dd><code>masklet evaluate set</code></dd>" in page


def test_problems_are_told(job):
    (job.predictions / "good" / "00002.png").unlink()
    page = page_of(job)
    assert "good: 1 frames have no prediction and count as empty: 00002." in page


def test_data_without_images_is_drawn_on_grey(job):
    for place in job.places:
        for image in place.images.iterdir():
            image.unlink()
    assert page_of(job).count('<article class="strip">') == 2
