"""Labels: found by words, in and out of other programs' files, classes put in order, and the review."""

import json
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "two.jpg"
    picture = Image.new("RGB", (400, 300), (60, 70, 84))
    picture.paste((230, 170, 40), (60, 80, 170, 220))
    picture.paste((70, 180, 120), (230, 60, 330, 240))
    picture.save(path, quality=95)
    return path


def find(studio, words):
    studio.page.get_by_test_id("words").fill(words)
    studio.page.keyboard.press("Enter")


def candidates(studio):
    return studio.page.get_by_role("list", name="Candidates").get_by_role("button")


def test_words_become_objects_with_classes(studio, photo):
    studio.open_files(photo)
    studio.page.keyboard.press("/")
    expect(studio.page.get_by_test_id("words")).to_be_focused()
    find(studio, "unicorn")
    expect(studio.page.get_by_role("alert").get_by_text("it knows amber, mint")).to_be_visible()
    studio.shot("desk-unknown-word")
    studio.check_accessibility()
    find(studio, "amber . mint")
    expect(candidates(studio)).to_have_count(2)
    studio.shot("desk-words")
    studio.check_accessibility()
    studio.button("Take 2 objects").click()
    expect(studio.object_cards()).to_have_count(2)
    studio.wait_until_saved()
    project = studio.project()
    assert [one["name"] for one in project["classes"]] == ["amber", "mint"]
    objects = project["media"][0]["objects"]
    assert sorted(one["name"] for one in objects) == ["amber 1", "mint 1"]
    assert studio.num_masks(0) == 2
    studio.page.locator(".stage").focus()
    studio.page.keyboard.press("Control+z")  # what was taken together goes together, its classes too
    expect(studio.object_cards()).to_have_count(0)
    studio.wait_until_saved()
    assert (studio.project()["classes"], studio.num_masks(0)) == ([], 0)
    studio.page.keyboard.press("Control+Shift+z")
    expect(studio.object_cards()).to_have_count(2)
    studio.wait_until_saved()
    assert studio.project()["media"][0]["objects"] == objects
    find(studio, "")  # all classes: nothing that is not there already
    expect(studio.page.get_by_text("among the objects already")).to_be_visible()
    studio.button(re.compile("Find all like")).click()
    looked = studio.page.get_by_text("Nothing else on this frame").or_(candidates(studio).first)
    expect(looked.first).to_be_visible()


def test_labels_go_out_and_come_in_and_are_corrected(studio, photo, tmp_path):
    studio.open_files(photo)
    find(studio, "amber")
    studio.button("Take 1 object").click()
    expect(studio.object_cards()).to_have_count(1)
    studio.wait_until_saved()
    coco = studio.export("COCO", tmp_path)
    before = json.loads(coco.read_text())["annotations"]
    for kind in ("YOLO", "Table", "Cut-outs", "CVAT, images"):
        assert studio.export(kind, tmp_path).stat().st_size > 50
    studio.shot("desk-formats")
    studio.check_accessibility()
    studio.button("Close").click()
    studio.page.keyboard.press("Control+i")
    expect(studio.page.get_by_role("dialog", name="Import labels")).to_be_visible()
    studio.shot("desk-import")
    studio.check_accessibility()
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    studio.page.get_by_test_id("labels-file").set_input_files(str(broken))
    expect(studio.page.get_by_role("alert")).to_be_visible()
    studio.page.get_by_role("radio", name=re.compile("in place of")).check()
    studio.page.get_by_test_id("labels-file").set_input_files(str(coco))
    expect(studio.page.get_by_text("1 object came in from COCO.")).to_be_visible()
    expect(studio.object_cards()).to_have_count(1)
    after = json.loads(studio.export("COCO", tmp_path).read_text())["annotations"]
    assert [one["segmentation"] for one in after] == [one["segmentation"] for one in before]
    studio.button("Close").click()
    studio.click(280, 150)  # a click adds to the mask that came in
    studio.wait_until_saved()
    said = studio.media()["objects"][0]["prompts"][0]
    assert (len(said["clicks"]), said["mask"]["size"]) == (1, [300, 400])


def test_classes_are_edited_and_put_in_order_by_keyboard(studio, photo, tmp_path):
    studio.open_files(photo)
    studio.page.get_by_role("tab", name="Classes").click()
    for name in ("cat", "dog"):
        studio.page.get_by_label("New class").fill(name)
        studio.page.keyboard.press("Enter")
        expect(studio.page.get_by_label(f"Name of class {name}")).to_be_visible()
    studio.page.get_by_label("Name of class dog").focus()
    studio.page.keyboard.press("Alt+ArrowUp")
    expect(studio.page.locator(".class-row").first.get_by_label("Name of class dog")).to_be_visible()
    studio.page.get_by_label("Words of class dog").fill("amber . puppy")
    studio.page.keyboard.press("Enter")
    studio.wait_until_saved()
    assert [(one["name"], one["words"]) for one in studio.project()["classes"]] == [
        ("dog", "amber . puppy"),
        ("cat", ""),
    ]
    studio.shot("desk-ontology")
    studio.check_accessibility()
    studio.button("Export list").click()
    with studio.page.expect_download() as download:
        studio.page.get_by_role("menuitem", name="Words and classes").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.read_text() == '"amber . puppy": "dog"\n"cat": "cat"\n'
    studio.page.reload()
    studio.page.get_by_role("tab", name="Classes").click()
    expect(studio.page.locator(".class-row").first.get_by_label("Name of class dog")).to_be_visible()


def test_the_review_goes_from_doubt_to_doubt_by_keyboard(studio, photo):
    studio.open_files(photo)
    studio.page.get_by_role("tab", name="Review").click()
    expect(studio.page.get_by_text("Nothing to review yet")).to_be_visible()
    studio.shot("desk-review-empty")
    studio.page.get_by_role("tab", name="Objects").click()
    find(studio, "amber . mint")
    studio.button("Take 2 objects").click()
    expect(studio.object_cards()).to_have_count(2)
    studio.wait_until_saved()
    studio.page.locator(".stage").focus()
    studio.page.keyboard.press("r")
    queue = studio.page.get_by_role("list", name="Review queue").get_by_role("listitem")
    expect(queue).to_have_count(2)
    expect(queue.first).to_have_attribute("data-current", "true")
    studio.shot("desk-review")
    studio.check_accessibility()
    studio.page.keyboard.press("y")
    expect(studio.page.get_by_text("1 of 2 objects accepted")).to_be_visible()
    expect(queue.nth(1)).to_have_attribute("data-current", "true")
    studio.page.keyboard.press("y")
    expect(studio.page.get_by_text("Everything is accepted")).to_be_visible()
    studio.wait_until_saved()
    studio.page.keyboard.press("Control+z")
    expect(studio.page.get_by_text("1 of 2 objects accepted")).to_be_visible()
