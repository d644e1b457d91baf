"""What people come for, from the first click to the file."""

import io
import json
import re
import zipfile

import av
import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

TRACK_MS = 180_000  # a busy machine takes its time


def clip_bytes(num_frames=24, size=(320, 180), container="mp4"):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream("libx264", rate=12, options={"g": "8"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for index in range(num_frames):
            picture = Image.new("RGB", size, (38, 52, 70))
            picture.paste((230, 170, 40), (30 + 6 * index, 50, 90 + 6 * index, 120))
            picture.paste((70, 180, 120), (240 - 3 * index, 110, 290 - 3 * index, 160))
            output.mux(stream.encode(av.VideoFrame.from_image(picture)))
        output.mux(stream.encode(None))
    return buffer.getvalue()


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "two boxes.mp4"
    path.write_bytes(clip_bytes())
    return path


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "five.png"
    picture = Image.new("RGB", (400, 300), (60, 70, 84))
    for place in range(5):
        picture.paste((200, 60 + 35 * place, 90), (20 + 75 * place, 90, 75 + 75 * place, 200))
    picture.save(path)
    return path


def test_first_visit_to_exported_mp4(studio, tmp_path):
    studio.page.wait_for_load_state("networkidle")
    studio.shot("desk-home")
    studio.open_sample().shot("desk-nothing-yet")
    studio.add_object(230, 250)
    studio.shot("desk-first-object")
    studio.add_object(430, 250)
    studio.button("Track 2 objects").click()
    expect(studio.page.get_by_role("progressbar", name="Tracking")).to_be_visible()
    studio.shot("desk-tracking")
    expect(studio.page.locator(".track-button")).to_be_visible(timeout=TRACK_MS)
    studio.shot("desk-tracked")
    studio.button("Play or pause").click()
    studio.page.wait_for_timeout(600)
    assert int(studio.picture("data-frame")) > 0
    path = studio.export("Video with masks", tmp_path)
    studio.shot("desk-exported")
    assert num_frames(path) == studio.media()["num_frames"]


def num_frames(path):
    with av.open(str(path)) as video:
        return sum(1 for _ in video.decode(video=0))


def test_effects_are_seen_at_once_and_exported(studio, clip, tmp_path):
    studio.open_files(clip)
    studio.add_object(60, 85)
    studio.track_to_the_end()
    studio.page.get_by_role("tab", name="Effects").click()
    plain = studio.page.get_by_test_id("picture").screenshot()
    studio.button("Gradient").click()
    studio.button("Ocean").click()
    studio.page.get_by_role("button", name="Objects", exact=True).click()
    studio.button("Burst").click()
    studio.page.wait_for_timeout(1500)
    studio.shot("desk-effects")
    assert studio.page.get_by_test_id("picture").screenshot() != plain
    studio.check_accessibility()
    studio.page.keyboard.press("Space")  # plays, though the button that was clicked has the focus
    expect(studio.page.get_by_test_id("picture")).not_to_have_attribute("data-frame", "0")
    studio.page.keyboard.press("Space")
    expect(studio.button("Burst", exact=True)).to_have_attribute("aria-pressed", "true")
    studio.page.reload()  # what was chosen is still there
    studio.page.get_by_role("tab", name="Effects").click()
    expect(studio.button("Gradient")).to_have_attribute("aria-pressed", "true")
    assert num_frames(studio.export("Video with effects", tmp_path)) == 24
    studio.button("Close").click()
    studio.button("Surprise me").click()
    studio.button("Start over").click()
    expect(studio.button("Start over")).to_be_disabled()


def test_refine_an_occlusion(studio, clip):
    studio.open_files(clip)
    studio.add_object(60, 85)
    studio.track_to_the_end()
    assert studio.num_masks(20) == 1
    studio.page.keyboard.press("Home")
    for _ in range(12):
        studio.page.keyboard.press("ArrowRight")
    studio.wait_for_frame(12)
    studio.click(60, 85, button="right")
    studio.wait_until_saved()
    expect(studio.button("prompted on frame 12")).to_be_visible()
    assert studio.clicks(12) == [[[pytest.approx(60, abs=1), pytest.approx(85, abs=1), False]]]
    # frames between two prompts lean on both, frames after the last one on that
    assert [studio.num_masks(frame) for frame in (0, 5, 12, 20)] == [1, 0, 1, 0]
    studio.shot("desk-corrected")
    studio.track_to_the_end()
    assert [studio.num_masks(frame) for frame in (0, 5, 12, 20)] == [1, 1, 1, 1]
    studio.page.get_by_role("group", name="Playback").get_by_role("button", name="Next to check").click()
    studio.page.keyboard.press("Control+z")
    expect(studio.button("prompted on frame 12")).to_have_count(0)
    studio.page.keyboard.press("Control+Shift+z")
    expect(studio.button("prompted on frame 12")).to_be_visible()


def test_label_an_image_with_five_classes(studio, photo, tmp_path):
    names = ["person", "dog", "bicycle", "bench", "tree"]
    listed = tmp_path / "classes.txt"
    listed.write_text("\n".join(names))
    studio.open_files(photo)
    studio.page.get_by_role("tab", name="Classes").click()
    studio.page.get_by_test_id("ontology-file").set_input_files(str(listed))
    expect(studio.page.locator(".class-list li")).to_have_count(5)
    studio.shot("desk-classes")
    studio.page.get_by_role("tab", name="Objects").click()
    for place in range(5):
        studio.add_object(47 + 75 * place, 145)
        studio.page.keyboard.press(str(place + 1))
        expect(studio.page.get_by_label(f"Class of Object {place + 1}")).to_have_value(str(place + 1))
    studio.wait_until_saved()
    studio.shot("desk-labelled")
    found = json.loads(studio.export("COCO", tmp_path).read_text())
    used = {one["category_id"] for one in found["annotations"]}
    assert {one["name"] for one in found["categories"] if one["id"] in used} == set(names)
    with zipfile.ZipFile(studio.export("PNG masks", tmp_path)) as archive:
        assert any(name.endswith(".png") for name in archive.namelist())


def test_reload_while_tracking(studio):
    studio.open_sample()
    studio.add_object(230, 250)
    studio.button("Track object").click()
    expect(studio.page.get_by_text(re.compile(r"Frame \d+ of \d+"))).to_be_visible()
    studio.page.reload()
    studio.wait_for_frame(0)
    expect(studio.object_cards()).to_have_count(1)
    expect(studio.page.locator(".track-button")).to_be_visible(timeout=TRACK_MS)
    last = studio.media()["num_frames"] - 1
    assert (studio.num_masks(0), studio.num_masks(last)) == (1, 1)
    studio.page.keyboard.press("End")
    studio.wait_for_frame(last)


def test_two_tabs_lose_nothing(studio, open_page, clip):
    studio.open_files(clip)
    studio.add_object(60, 85)
    other = open_page(context=studio.page.context)
    other.page.goto(studio.page.url)
    other.wait_for_frame(0)
    expect(other.object_cards()).to_have_count(1)
    # both click before either has heard of the other
    studio.click(70, 100)
    other.click(45, 60, button="right")
    for one in (studio, other):
        one.wait_until_saved()
    expect(other.page.locator(".top-bar")).to_be_visible()
    assert len(studio.clicks()[0]) == 3
    other.page.keyboard.press("n")
    other.click(265, 135)
    expect(studio.object_cards()).to_have_count(2)
    studio.page.get_by_label("Name of Object 2").fill("box")
    studio.page.keyboard.press("Enter")
    expect(other.page.get_by_label("Name of box")).to_have_value("box")


def test_bad_uploads_are_refused_in_words(studio, tmp_path):
    for name, content in (
        ("notes.txt", b"words"),
        ("broken.mp4", b"no video at all" * 100),
        ("empty.png", b""),
    ):
        (tmp_path / name).write_bytes(content)
    files = [str(tmp_path / name) for name in ("notes.txt", "broken.mp4", "empty.png")]
    studio.page.get_by_test_id("file-input").set_input_files(files)
    incoming = studio.page.get_by_role("list", name="Files on their way")
    expect(incoming.get_by_text("is not an image or a video")).to_be_visible()
    expect(incoming.get_by_text("empty.png is empty")).to_be_visible()
    expect(incoming.locator("[data-status=failed]")).to_have_count(3)
    studio.shot("desk-bad-uploads")
    studio.check_accessibility()
    studio.button("Dismiss notes.txt").click()
    expect(incoming.locator("[data-status=failed]")).to_have_count(2)
    names = [one["name"] for one in studio.api("/api/projects")["projects"]]
    assert "broken" not in names  # nothing is left of a project whose only file could not be used


def test_a_cut_clip_opens_with_what_is_left_and_says_so(studio, tmp_path):
    cut = tmp_path / "cut.mkv"
    whole = clip_bytes(container="matroska")
    cut.write_bytes(whole[: len(whole) * 3 // 4])
    studio.open_files(cut)
    expect(studio.page.get_by_text("cut.mkv ends early")).to_be_visible()
    expect(studio.page.get_by_role("img", name="cut.mkv ends early")).to_be_visible()
    assert 0 < studio.media()["num_frames"] < 24
    studio.shot("desk-damaged")
    studio.check_accessibility()
