"""Other ways in: the keyboard alone, a phone, every tool, the camera, and what assistive technology is told."""

import base64
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "two.jpg"
    picture = Image.new("RGB", (400, 300), (60, 70, 84))
    picture.paste((230, 170, 40), (60, 80, 170, 220))
    picture.paste((70, 180, 120), (230, 60, 330, 240))
    picture.save(path)
    return path


def press(studio, *keys):
    for key in keys:
        studio.page.keyboard.press(key)


def tab_to(studio, name):
    """Press Tab until what has the focus has this name."""
    for _ in range(60):
        press(studio, "Tab")
        focused = studio.page.evaluate(
            "document.activeElement.ariaLabel || document.activeElement.textContent || ''"
        )
        if re.search(name, focused):
            return
    raise AssertionError(f"Tab does not reach {name}.")


def test_keyboard_alone(studio):
    studio.page.get_by_role("heading", level=1).wait_for()
    tab_to(studio, "Try the sample clip")
    press(studio, "Enter")
    studio.wait_for_frame(0)
    tab_to(studio, "^Picture")
    press(studio, "Enter", *["ArrowLeft"] * 3)
    studio.shot("desk-keyboard-cross")
    press(studio, "Enter")
    expect(studio.object_cards()).to_have_count(1)
    studio.wait_until_saved()
    press(studio, "Escape", "ArrowRight")
    studio.wait_for_frame(1)
    press(studio, "t")
    expect(studio.page.get_by_role("progressbar", name="Tracking")).to_be_visible()
    press(studio, "t")
    expect(studio.page.locator(".track-button")).to_be_visible()
    press(studio, "?")
    expect(studio.page.get_by_role("dialog", name="Keys")).to_be_visible()
    studio.shot("desk-keys")
    studio.check_accessibility()
    press(studio, "Escape")
    expect(studio.page.get_by_role("dialog")).to_have_count(0)
    expect(studio.page.locator(".stage")).to_be_focused()  # where the dialog was called from
    tab_to(studio, "^Other ways to track")
    press(studio, "Enter", "ArrowDown")
    expect(studio.page.get_by_role("menuitem", name="Track backward")).to_be_focused()
    press(studio, "Escape")
    expect(studio.button("Other ways to track")).to_be_focused()
    press(studio, "Control+e")
    tab_to(studio, "^Video with masks")
    press(studio, "ArrowDown", "ArrowUp")  # to the next kind of file, and back
    tab_to(studio, "^Export$")
    press(studio, "Enter")
    expect(studio.button("Save file")).to_be_focused(timeout=180_000)
    with studio.page.expect_download() as download:
        press(studio, "Enter")
    assert download.value.suggested_filename.endswith(".mp4")
    press(studio, "Escape", "Control+z")
    expect(studio.object_cards()).to_have_count(0)


def test_phone(open_page):
    studio = open_page(size=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    studio.page.wait_for_load_state("networkidle")
    studio.shot("phone-home")
    studio.check_touch_targets()
    studio.open_sample().shot("phone-nothing-yet")
    studio.page.touchscreen.tap(*studio.at(230, 250))
    expect(studio.object_cards()).to_have_count(1)
    studio.wait_until_saved()
    studio.shot("phone-object")
    studio.check_touch_targets()
    studio.button("Raise the sheet").click()
    studio.shot("phone-sheet")
    for panel in ("Classes", "Effects", "Review", "Objects"):
        studio.page.get_by_role("tab", name=panel).click()
        studio.check_touch_targets()
    studio.check_accessibility()
    studio.button("Lower the sheet").click()
    studio.track_to_the_end()
    studio.shot("phone-tracked")
    width = studio.page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    studio.button("Export", exact=True).click()
    studio.shot("phone-export")
    studio.check_touch_targets()


def test_every_tool(studio, photo):
    studio.open_files(photo)
    press(studio, "b")
    studio.drag((60, 80), (170, 220))
    expect(studio.object_cards()).to_have_count(1)
    studio.wait_until_saved()
    assert studio.media()["objects"][0]["prompts"][0]["box"] == pytest.approx([60, 80, 170, 220], abs=1)
    press(studio, "n", "p")
    studio.drag((240, 80), (320, 80), (320, 200))
    expect(studio.object_cards()).to_have_count(2)
    studio.wait_until_saved()
    before = area(studio, 2)
    press(studio, "x", "l")
    studio.drag((280, 40), (350, 40), (350, 130), (280, 130), (280, 45))
    studio.wait_until_saved()
    assert 0 < area(studio, 2) < before
    studio.shot("desk-brush-and-lasso")
    press(studio, "x", "v", "n")
    studio.click(120, 150)
    studio.wait_until_saved()
    studio.drag((120, 150), (140, 170))
    studio.wait_until_saved()
    assert studio.clicks(place=2)[0] == [[pytest.approx(140, abs=1), pytest.approx(170, abs=1), True]]
    studio.click(300, 260)
    studio.wait_until_saved()
    studio.click(300, 260)
    studio.wait_until_saved()
    assert len(studio.clicks(place=2)[0]) == 1
    studio.page.mouse.move(*studio.at(200, 150))
    view = studio.picture("data-view")
    studio.page.mouse.wheel(0, -400)
    expect(studio.page.get_by_test_id("picture")).not_to_have_attribute("data-view", view)
    studio.button("Fit the picture").click()
    expect(studio.page.get_by_test_id("picture")).to_have_attribute("data-view", view)


def area(studio, object_id):
    masks = studio.api(f"/api/media/{studio.media()['id']}/masks?start=0&stop=1")["masks"]
    return next(one["area"] for one in masks if one["object_id"] == object_id)


def test_everything_mode(studio, photo):
    studio.open_files(photo)
    studio.button("Find all on this frame").click()
    candidates = studio.page.get_by_role("list", name="Candidates").get_by_role("button")
    expect(candidates.first).to_be_visible()
    num_candidates = candidates.count()
    candidates.nth(0).click()
    studio.shot("desk-candidates")
    studio.check_accessibility()
    if num_candidates > 1:
        candidates.nth(1).click()
        studio.button("Merge").click()
        expect(candidates).to_have_count(num_candidates - 1)
    studio.button("Take 1 object").click()
    expect(studio.object_cards()).to_have_count(1)
    studio.wait_until_saved()
    assert studio.num_masks(0) == 1


def test_an_object_is_hidden_locked_coloured_and_removed(studio, photo):
    studio.open_files(photo)
    studio.add_object(110, 150)
    studio.button("Lock Object 1").click()
    expect(studio.button("Remove Object 1")).to_be_disabled()
    studio.click(300, 150)
    expect(studio.page.get_by_text("Object 1 is locked; unlock it to change it.")).to_be_visible()
    studio.button("Unlock Object 1").click()
    studio.button("Hide Object 1").click()
    expect(studio.button("Show Object 1")).to_be_visible()
    studio.button("Remove Object 1").click()
    expect(studio.object_cards()).to_have_count(0)
    studio.page.locator(".notice").get_by_role("button", name="Undo").click()
    expect(studio.object_cards()).to_have_count(1)


def test_the_page_goes_on_when_the_studio_does_not_answer(studio, photo):
    studio.open_files(photo)
    studio.page.route("**/prompts", lambda route: route.abort())
    studio.click(110, 150)
    expect(studio.page.get_by_test_id("saving")).to_have_text(re.compile("Not connected"))
    studio.shot("desk-offline")
    studio.page.unroute("**/prompts")
    studio.wait_until_saved()
    assert len(studio.clicks()[0]) == 1


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_state_is_told_to_assistive_technology(studio, theme):
    studio.page.emulate_media(color_scheme=theme)
    studio.page.reload()
    studio.page.get_by_role("heading", level=1).wait_for()
    studio.shot(f"desk-home-{theme}")
    studio.check_accessibility()
    studio.open_sample()
    studio.check_accessibility()
    studio.add_object(230, 250)
    studio.shot(f"desk-object-{theme}")
    studio.check_accessibility()
    studio.page.get_by_role("tab", name="Classes").click()
    studio.page.get_by_label("New class", exact=True).fill("cup")
    press(studio, "Enter")
    expect(studio.page.locator(".class-list li")).to_have_count(1)
    studio.check_accessibility()
    studio.button("Export", exact=True).click()
    studio.shot(f"desk-export-{theme}")
    studio.check_accessibility()


def test_a_project_that_is_gone_leads_back(studio):
    studio.page.goto(f"{studio.base}?project=0123456789abcdef")
    expect(studio.page.get_by_role("alert").get_by_text("There is no such project")).to_be_visible()
    studio.check_accessibility()
    studio.button("All projects").click()
    expect(studio.button("Try the sample clip")).to_be_visible()


def test_the_page_says_when_the_picture_is_behind(studio):
    held = []
    studio.page.route("**/frames/143?*", lambda route: held.append(route))  # neither answered nor refused
    studio.open_sample()
    press(studio, "End")
    expect(studio.page.get_by_test_id("lag")).to_have_text("Fetching the frame")
    assert len(held) == 1
    studio.shot("desk-behind")
    studio.page.unroute("**/frames/143?*")  # what is held goes on
    studio.wait_for_frame(143)
    expect(studio.page.get_by_test_id("lag")).to_have_count(0)


def test_live_camera(open_page):
    studio = open_page(permissions=["camera"])
    studio.button("Use the camera").click()
    picture = studio.page.locator(".live-picture[data-on=true]")
    picture.wait_for()
    box = picture.bounding_box()
    studio.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(studio.page.get_by_role("list", name="Objects").get_by_text("Object 1")).to_be_visible()
    expect(studio.page.get_by_text("masks per second")).to_be_visible()
    studio.page.wait_for_timeout(1500)
    studio.shot("desk-live")
    studio.check_accessibility()
    studio.button("Stop following object 1").click()
    expect(studio.page.get_by_text("Object 1")).to_have_count(0)
    picture.focus()
    press(studio, "Enter", "ArrowLeft", "ArrowUp", "Enter")  # the cross clicks without a pointer
    expect(studio.page.get_by_role("list", name="Objects").get_by_text("Object 1")).to_be_visible()
    expect(studio.page.get_by_text("masks per second")).to_be_visible()


def test_live_camera_begins_anew_after_its_stream_was_closed(open_page):
    studio = open_page(permissions=["camera"])
    sockets = []
    studio.page.route_web_socket("**/ws/live", lambda one: sockets.append((one, one.connect_to_server())))
    studio.button("Use the camera").click()
    picture = studio.page.locator(".live-picture[data-on=true]")
    for place in range(2):
        picture.click()
        expect(studio.page.get_by_text("masks per second")).to_be_visible()
        if place == 0:
            sockets[0][0].close()
            expect(studio.page.get_by_role("alert").get_by_text("closed the stream")).to_be_visible()
            studio.button("Try again").click()
            picture.wait_for()
            expect(studio.page.get_by_role("list", name="Objects").get_by_text("Object 1")).to_have_count(0)
    assert len(sockets) == 2


def test_hovering_an_image_shows_what_a_click_would_give(studio, photo):
    studio.open_files(photo)
    picture = studio.page.get_by_test_id("picture")
    before = picture.screenshot()
    with studio.page.expect_response("**/preview") as answer:
        studio.page.mouse.move(*studio.at(110, 150))
    assert answer.value.ok
    studio.page.wait_for_timeout(500)
    assert picture.screenshot() != before
    assert studio.media()["objects"] == []
    studio.page.mouse.move(5, 5)
    studio.page.wait_for_timeout(500)
    assert picture.screenshot() == before


def test_a_cut_upload_goes_on_where_it_stopped(studio, photo):
    cuts = []

    def cut_once(route):
        cuts.append(route.request.url)
        if len(cuts) == 1:
            route.abort()
        else:
            route.continue_()

    studio.page.route(re.compile("/api/uploads/.*offset="), cut_once)
    studio.open_files(photo)
    assert len(cuts) == 2
    assert studio.media()["name"] == "two.jpg"


def test_a_file_is_dropped_on_an_open_project(studio, photo):
    studio.open_sample()
    transfer = studio.page.evaluate_handle(
        """data => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], "dropped.jpg", {type: "image/jpeg"}));
            return transfer;
        }""",
        base64.b64encode(photo.read_bytes()).decode(),
    )
    studio.page.dispatch_event("body", "dragover", {"dataTransfer": transfer})
    expect(studio.page.get_by_text("Drop to add to this project")).to_be_visible()
    studio.page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    strip = studio.page.get_by_role("navigation", name="Images and videos")
    expect(strip.get_by_role("button", name="dropped.jpg", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    expect(studio.page.get_by_role("region", name="Timeline")).to_have_count(0)  # it is an image
    studio.add_object(100, 150)
    expect(strip.get_by_role("button", name="dropped.jpg, 1 object")).to_be_visible()
    studio.shot("desk-two-media")
    studio.check_accessibility()
    press(studio, "PageUp")
    expect(studio.page.get_by_role("region", name="Timeline")).to_be_visible()


def test_the_timeline_zooms_and_seeks(studio):
    studio.open_sample()
    studio.add_object(230, 250)
    lane = studio.page.locator(".lane-track")
    extent = lane.bounding_box()["width"]
    lane.click(position={"x": 0.25 * extent, "y": 10})
    studio.wait_for_frame(36)
    studio.button("prompted on frame 0").click()
    studio.wait_for_frame(0)
    slider = studio.page.get_by_role("slider", name="Place in the video")
    box = slider.bounding_box()
    studio.page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + 10)
    studio.wait_for_frame(72)
    for _ in range(3):
        studio.button("Zoom the timeline in").click()
    expect(slider.locator("img")).not_to_have_count(1)
    studio.page.mouse.click(box["x"] + box["width"] - 2, box["y"] + 10)
    expect(slider).to_have_attribute("aria-valuenow", re.compile("^8[0-9]$"))
    studio.shot("desk-timeline-zoomed")
