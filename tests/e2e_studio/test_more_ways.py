"""Tracking against time and apart, class lists and projects as files, two fingers, colours, and keys that clash."""

import io
import json

import av
import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PHONE = {"width": 390, "height": 844}
NUM_FRAMES = 12


@pytest.fixture
def clip(tmp_path):
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=12, options={"g": "8"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for index in range(NUM_FRAMES):
            picture = Image.new("RGB", (320, 180), (38, 52, 70))
            picture.paste((230, 170, 40), (60 + 6 * index, 50, 120 + 6 * index, 120))
            output.mux(stream.encode(av.VideoFrame.from_image(picture)))
        output.mux(stream.encode(None))
    path = tmp_path / "box.mp4"
    path.write_bytes(buffer.getvalue())
    return path


def masks(studio):
    media = studio.media()
    found = studio.api(f"/api/media/{media['id']}/masks?start=0&stop={NUM_FRAMES}")["masks"]
    return {one["frame"]: one for one in found}


def choose_way(studio, name):
    studio.button("Other ways to track").click()
    studio.page.get_by_role("menuitem", name=name).click()


def test_tracking_backward_and_both_ways(studio, clip):
    studio.open_files(clip)
    for _ in range(6):
        studio.page.keyboard.press("ArrowRight")
    studio.wait_for_frame(6)
    studio.add_object(125, 85)
    choose_way(studio, "Track backward")
    expect(studio.page.locator(".track-button")).to_be_visible()
    expect(studio.page.get_by_text("Followed all the way")).to_be_visible()
    found = masks(studio)
    assert sorted(found) == list(range(7))
    assert [frame for frame, one in found.items() if one["is_backward"]] == list(range(6))
    studio.button("Other ways to track").click()
    apart = studio.page.get_by_role("menuitemcheckbox", name="Keep objects apart")
    expect(apart).to_have_attribute("aria-checked", "false")
    studio.shot("desk-ways-to-track")
    studio.check_accessibility()
    apart.click()
    with studio.page.expect_request("**/track") as asked:
        choose_way(studio, "Track both ways")
    assert asked.value.post_data_json == {
        "start": 0,
        "stop": NUM_FRAMES,
        "direction": "both",
        "keeps_apart": True,
    }
    expect(studio.page.get_by_role("status").get_by_text("Followed all the way").last).to_be_visible()
    studio.page.wait_for_function(
        "([url, count]) => fetch(url).then((one) => one.json()).then((one) => one.masks.length === count)",
        arg=[f"/api/media/{studio.media()['id']}/masks?start=0&stop={NUM_FRAMES}", NUM_FRAMES],
    )


def test_two_objects_are_kept_apart_until_that_is_switched_off(studio, clip):
    def asked():
        """Whether the next tracking keeps objects apart: as the menu says, and as the studio is asked."""
        studio.button("Other ways to track").click()
        option = studio.page.get_by_role("menuitemcheckbox", name="Keep objects apart")
        said = option.get_attribute("aria-checked")
        with studio.page.expect_request("**/track") as request:
            studio.page.get_by_role("menuitem", name="Track forward").click()
        expect(studio.page.locator(".track-button")).to_be_visible()
        assert request.value.post_data_json["keeps_apart"] is (said == "true")
        return said == "true"

    studio.open_files(clip)
    studio.add_object(60, 85)
    assert not asked()
    studio.add_object(265, 135)
    assert asked()
    studio.button("Other ways to track").click()
    studio.page.get_by_role("menuitemcheckbox", name="Keep objects apart").click()
    assert not asked()
    studio.page.reload()  # what was stated is kept
    studio.wait_for_frame(0)
    assert not asked()


def test_page_and_server_agree_on_what_a_correction_drops(studio, clip):
    def agreed():
        """Frames on which the object is known, as its lane shows them and as the server has them."""
        frames = studio.api(f"/api/media/{studio.media()['id']}/lanes")["lanes"][0]["frames"]
        expect(studio.page.get_by_label(f"Object 1: known on {len(frames)} frames")).to_be_visible()
        return frames

    def correct(frame, x):
        studio.page.locator(".stage").focus()
        studio.page.keyboard.press("Home")
        for _ in range(frame):
            studio.page.keyboard.press("ArrowRight")
        studio.wait_for_frame(frame)
        studio.click(x, 85)
        studio.wait_until_saved()

    studio.open_files(clip)
    studio.add_object(90, 85)
    correct(4, 115)
    studio.track_to_the_end()
    assert agreed() == list(range(NUM_FRAMES))
    correct(8, 140)
    assert agreed() == [0, 1, 2, 3, 4, 8]
    choose_way(studio, "Track both ways")
    expect(studio.page.get_by_text("Followed all the way").last).to_be_visible()
    expect(studio.page.locator(".track-button")).to_be_visible()
    assert agreed() == list(range(NUM_FRAMES))
    correct(6, 125)
    kept = agreed()
    assert len(kept) < NUM_FRAMES
    studio.page.reload()
    studio.wait_for_frame(0)
    assert agreed() == kept


def test_class_lists_come_and_go_as_files_and_keys_do_not_clash(studio, clip, tmp_path):
    studio.open_files(clip)
    studio.add_object(90, 85)
    studio.page.get_by_role("tab", name="Classes").click()
    listed = tmp_path / "classes.json"
    classes = [
        {"id": 1, "name": "cup", "color": "#ff0000", "shortcut": "t"},
        {"id": 2, "name": "ball", "color": "#00ff00", "shortcut": "w"},
    ]
    listed.write_text(json.dumps({"classes": classes}), encoding="utf-8")
    studio.page.get_by_test_id("ontology-file").set_input_files(str(listed))
    expect(studio.page.locator(".class-list li")).to_have_count(2)
    expect(studio.page.get_by_text("cup: the keys are taken by commands")).to_be_visible()
    studio.page.get_by_label("Key of class cup").fill("b")
    expect(studio.page.get_by_text("B is the key of “Box: draw around an object”")).to_be_visible()
    studio.shot("desk-class-key-taken")
    studio.page.get_by_label("Key of class cup").fill("7")
    studio.wait_until_saved()
    studio.page.locator(".stage").focus()
    studio.page.keyboard.press("w")
    studio.wait_until_saved()
    assert studio.media()["objects"][0]["class_id"] == 2
    studio.button("Export list").click()
    with studio.page.expect_download() as download:
        studio.page.get_by_role("menuitem", name="Class list").click()
    download.value.save_as(tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["classes"]
    assert [(one["name"], one["color"], one["shortcut"]) for one in written] == [
        ("cup", "#ff0000", "7"),
        ("ball", "#00ff00", "w"),
    ]


def test_an_object_takes_the_colour_of_its_swatch(studio, clip):
    studio.open_files(clip)
    studio.add_object(90, 85)
    before = studio.page.get_by_test_id("picture").screenshot()
    studio.page.get_by_label("Colour of Object 1").fill("#ff00ff")
    studio.wait_until_saved()
    assert studio.media()["objects"][0]["color"] == "#ff00ff"
    studio.page.wait_for_timeout(300)
    assert studio.page.get_by_test_id("picture").screenshot() != before
    studio.page.keyboard.press("Control+z")
    studio.page.wait_for_function(
        "() => document.querySelector('[aria-label=\"Colour of Object 1\"]').value !== '#ff00ff'"
    )


def test_a_project_goes_out_and_comes_back(studio, clip, tmp_path):
    studio.open_files(clip)
    studio.add_object(90, 85)
    studio.track_to_the_end()
    before = masks(studio)
    path = studio.export("masklet project", tmp_path)
    first = studio.page.url
    studio.page.goto(studio.base)
    studio.page.get_by_test_id("file-input").set_input_files(str(path))
    studio.wait_for_frame(0)
    assert studio.page.url != first
    assert {frame: one["counts"] for frame, one in masks(studio).items()} == {
        frame: one["counts"] for frame, one in before.items()
    }
    assert len(studio.clicks()[0]) == 1


def test_two_fingers_zoom_and_move_the_picture(open_page, clip):
    studio = open_page(size=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    studio.open_files(clip)
    before = float(studio.picture("data-view").split()[0])
    client = studio.page.context.new_cdp_session(studio.page)
    x, y = studio.at(160, 90)

    def touch(kind, *points):
        fingers = [{"x": px, "y": py, "id": place} for place, (px, py) in enumerate(points)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", (x - 30, y))
    touch("touchStart", (x - 30, y), (x + 30, y))
    for step in range(1, 7):
        touch("touchMove", (x - 30 - 10 * step, y), (x + 30 + 10 * step, y))
    touch("touchEnd")
    studio.page.wait_for_function(
        "(before) => Number(document.querySelector('[data-testid=picture]').dataset.view.split(' ')[0]) > 1.5 * before",
        arg=before,
    )
    studio.page.wait_for_timeout(300)
    expect(studio.object_cards()).to_have_count(0)  # neither finger was a click
    studio.shot("phone-pinched")


def test_the_lane_of_the_selected_object_can_be_seen_and_news_waits_for_whoever_reads_it(studio, clip):
    studio.open_files(clip)
    for place in range(7):
        studio.add_object(30 + 40 * place, 30 + 15 * place)
    lanes = studio.page.locator(".lane")
    expect(lanes).to_have_count(7)
    expect(lanes.last).to_be_in_viewport(ratio=0.9)
    studio.page.get_by_role("button", name="Select Object 1").click()
    expect(lanes.first).to_be_in_viewport(ratio=0.9)
    studio.track_to_the_end()
    notice = studio.page.locator(".notice", has_text="Followed all the way")
    notice.get_by_role("button", name="Next to check").focus()
    studio.page.wait_for_timeout(13_000)  # longer than it stays by itself
    expect(notice).to_be_visible()
    studio.page.locator(".stage").focus()
    expect(notice).to_have_count(0)
