"""Every evaluation that runs a model: stopped and gone on with, in several processes, and on damaged data."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

MODEL = ("--model", "debug-compact", "--device", "cpu")
CLIP_WORDS = {
    "vos": ("--prompt", "box"),
    "interactive": ("--rounds", 2, "--clicks-per-frame", 1, "--mode", "both"),
    "effort": ("--clicks-per-frame", 1, "--most-frames", 2),
}
PHOTO_WORDS = {
    "clicks": ("--limit", 2),
    "domains": ("--limit", 2),
    "auto": ("--preset", "fast", "--limit", 2),
    "occlusion": ("--limit", 2),
}
WORDS = {**CLIP_WORDS, **PHOTO_WORDS}
NUM_ITEMS = dict.fromkeys(WORDS, 2) | {"interactive": 4}


@pytest.fixture
def data(request, clips, photos):
    """The data of the task the test is about."""
    return clips if request.getfixturevalue("task") in CLIP_WORDS else photos


def result_of(path):
    document = json.loads(path.read_text())
    document.pop("facts")
    return document


@pytest.mark.parametrize("task", WORDS)
def test_stopped_run_goes_on_without_doing_anything_again(masklet_command, task, data, tmp_path, monkeypatch):
    from masklet.evaluation import items, journal

    def run(name, *more):
        out = tmp_path / name
        return masklet_command("evaluate", task, data, *WORDS[task], "--out", out, *more, *MODEL), out

    whole, out = run("whole.json")
    assert whole.code == 0, whole.err
    expected = result_of(out)
    done, kept = [], []
    add, do = journal.Journal.add, items._done

    def add_and_stop(self, name, value):
        add(self, name, value)
        kept.append(name)
        if len(kept) == 1:
            raise KeyboardInterrupt

    def noted(work, item, step):
        done.append(item.name)
        return do(work, item, step)

    monkeypatch.setattr(journal.Journal, "add", add_and_stop)
    monkeypatch.setattr(items, "_done", noted)
    stopped, out = run("result.json")
    assert (stopped.code, len(done)) == (130, 1)
    again, out = run("result.json")
    assert again.code == 0, again.err
    assert len(done) == len(set(done)) == NUM_ITEMS[task]
    assert result_of(out) == expected
    assert not out.with_name("result.json.partial").exists()


@pytest.mark.parametrize("task", ["vos"])
def test_two_processes_give_what_one_gives(masklet_command, task, data, tmp_path):
    results = []
    for number in (1, 2):
        out = tmp_path / f"{number}.json"
        words = (*WORDS[task], "--workers", number, "--out", out)
        outcome = masklet_command("evaluate", task, data, *words, *MODEL)
        assert outcome.code == 0, outcome.err
        results.append(result_of(out))
    assert results[0] == results[1]


def damaged(path, to, changes):
    """The same tar with members changed, or left out where the change is None."""
    with tarfile.open(path) as old, tarfile.open(to, "w") as new:
        for member in old.getmembers():
            content = old.extractfile(member)
            if member.name not in changes:
                new.addfile(member, content)
            elif changes[member.name] is not None:
                member.size = len(changes[member.name])
                new.addfile(member, io.BytesIO(changes[member.name]))
    return to


@pytest.mark.parametrize("task", ["clicks", "domains", "auto", "occlusion"])
def test_damaged_photos_are_named_and_the_others_are_scored(masklet_command, task, photos, tmp_path):
    changes = {"made/0.webp": b"no image", "made/1.json": b"{}", "made/3.webp": None}
    if task == "occlusion":
        # clips need three whole photos
        changes = {"made/1.json": b"{}"}
    data = damaged(photos, tmp_path / "damaged.tar", changes)
    out = tmp_path / "result.json"
    words = ("--preset", "fast") if task == "auto" else ("--limit", 2 if task == "occlusion" else 4)
    outcome = masklet_command("evaluate", task, data, *words, "--out", out, *MODEL)
    assert outcome.code == 0, outcome.err
    problems = "\n".join(json.loads(out.read_text())["problems"])
    for name in changes:
        assert name.removesuffix(".webp").removesuffix(".json") in problems
        assert name.removesuffix(".webp").removesuffix(".json") in outcome.err


@pytest.mark.parametrize("task", ["vos", "interactive", "effort"])
@pytest.mark.parametrize(
    "changes", [{"cat/00002.webp": b"no image"}, {"cat/00001.webp": None}, {"cat/masks.json": b"{"}]
)
def test_damaged_clip_is_named_and_the_other_is_scored(masklet_command, task, changes, clips, tmp_path):
    data = damaged(clips, tmp_path / "damaged.tar", changes)
    out = tmp_path / "result.json"
    words = ("--rounds", 1, "--clicks-per-frame", 1) if task == "interactive" else ()
    words = ("--clicks-per-frame", 1, "--most-frames", 4) if task == "effort" else words
    outcome = masklet_command("evaluate", task, data, *words, "--out", out, *MODEL)
    assert outcome.code == 0, outcome.err
    document = json.loads(out.read_text())
    assert any("cat" in problem for problem in document["problems"])
    rows = document.get("objects") or document.get("masklets") or document["rounds"][0]["objects"]
    assert {one["clip"] for one in rows} == {"dog"}


def write_set(root, layout):
    """A data set of two clips; in cat a second object appears on its third frame. SA-V has one folder per object."""
    halves = {
        "davis": ("Annotations/480p", "JPEGImages/480p"),
        "sav": ("Annotations_6fps", "JPEGImages_24fps"),
    }
    truth, images = (root / name for name in halves.get(layout, ("Annotations", "JPEGImages")))
    for name in ("cat", "dog"):
        (images / name).mkdir(parents=True)
        for index in range(6):
            ids = np.zeros((40, 56), np.uint8)
            ids[4:16, 4 + 3 * index : 18 + 3 * index] = 1
            if name == "cat" and index >= 2:
                ids[22:36, 30:46] = 2
            pixels = np.full((40, 56, 3), 40, np.uint8)
            pixels[ids == 1], pixels[ids == 2] = (230, 180, 40), (40, 180, 230)
            Image.fromarray(pixels).save(images / name / f"{index:05d}.jpg")
            if index % 2:
                continue  # every second frame is annotated, as in YouTube-VOS and SA-V
            for object_id in (1, 2) if layout == "sav" else (None,):
                inner = truth / name / (f"{object_id - 1:03d}" if object_id else "")
                if object_id == 2 and name == "dog":
                    continue
                inner.mkdir(parents=True, exist_ok=True)
                drawn = ids if object_id is None else (ids == object_id).astype(np.uint8) * 255
                Image.fromarray(drawn).save(inner / f"{index:05d}.png")
    return root


@pytest.mark.parametrize("layout", ["davis", "youtube-vos", "mose", "lvos", "sav"])
def test_models_run_on_every_layout(masklet_command, layout, tmp_path):
    data = write_set(tmp_path / "set", layout)
    out = tmp_path / "result.json"
    given = ("vos", data, "--layout", layout, "--count-ends", "--prompt", "mask", "--out", out)
    outcome = masklet_command("evaluate", *given, *MODEL)
    assert outcome.code == 0, outcome.err
    document = json.loads(out.read_text())
    first = 0 if layout == "sav" else 1
    found = {(one["clip"], one["object_id"]): one["num_frames"] for one in document["objects"]}
    # the second object of cat counts from the frame on which it appears
    assert found == {("cat", first): 3, ("cat", first + 1): 2, ("dog", first): 3}
    assert document["is_end_left_out"] is False
    assert document["facts"]["command"] == (
        f"masklet evaluate set --task vos --prompt mask --layout {layout} --count-ends"
    )


def test_clips_are_chosen_by_a_list_of_names(masklet_command, tmp_path):
    data = write_set(tmp_path / "set", "davis")
    names = tmp_path / "val.txt"
    names.write_text("dog\n")
    out = tmp_path / "result.json"
    given = ("vos", data, "--names", names, "--count-ends", "--out", out, *MODEL)
    assert masklet_command("evaluate", *given).code == 0
    assert [one["clip"] for one in json.loads(out.read_text())["objects"]] == ["dog"]
    outcome = masklet_command("evaluate", "vos", data, "--names", tmp_path / "none.txt", *MODEL)
    assert (outcome.code, "list of names" in outcome.err) == (1, True)


def test_missing_frame_of_a_folder_is_named(masklet_command, tmp_path):
    data = write_set(tmp_path / "set", "davis")
    (data / "JPEGImages/480p/cat/00002.jpg").unlink()
    (data / "Annotations/480p/dog/00004.png").write_bytes(b"damaged")
    out = tmp_path / "result.json"
    outcome = masklet_command("evaluate", "vos", data, "--count-ends", "--out", out, *MODEL)
    assert outcome.code == 0, outcome.err
    problems = json.loads(out.read_text())["problems"]
    assert any("cat" in one and "00002" in one for one in problems)
    assert any("dog/00004.png" in one for one in problems)
    (dog,) = json.loads(out.read_text())["objects"]
    assert (dog["clip"], dog["num_frames"]) == ("dog", 2)


def test_occlusion_makes_a_page(masklet_command, photos, tmp_path):
    given = ("occlusion", photos, "--limit", 1, "--report", tmp_path / "report", *MODEL)
    outcome = masklet_command("evaluate", *given)
    assert outcome.code == 0, outcome.err
    written = {path.name for path in (tmp_path / "report").iterdir()}
    assert written == {"index.html", "report.md", "report.json", "report.csv"}
    page = (tmp_path / "report/index.html").read_text()
    assert page.count("<figure><img") == 6
    assert "· gone · presence" in page
    line = (tmp_path / "report/report.csv").read_text().splitlines()[1]
    assert line.startswith("000 exit,exit,")


@pytest.mark.parametrize("task", ["interactive", "effort"])
def test_sav_objects_may_count_from_zero(masklet_command, task, tmp_path):
    data = write_set(tmp_path / "set", "sav")
    out = tmp_path / "result.json"
    words = ("--rounds", 1) if task == "interactive" else ("--most-frames", 1)
    given = (task, data, "--clicks-per-frame", 1, "--limit", 1, *words, "--out", out)
    outcome = masklet_command("evaluate", *given, *MODEL)
    assert outcome.code == 0, outcome.err
    document = json.loads(out.read_text())
    assert "problems" not in document
    rows = document["masklets"] if task == "effort" else document["rounds"][0]["objects"]
    assert 0 in {one["object_id"] for one in rows}


def test_masks_of_sav_objects_are_kept_and_scored(masklet_command, tmp_path):
    data = write_set(tmp_path / "set", "sav")
    given = ("vos", data, "--count-ends", "--report", tmp_path / "report", "--json", *MODEL)
    kept = masklet_command("evaluate", *given)
    assert kept.code == 0, kept.err
    out = tmp_path / "result.json"
    straight = masklet_command("evaluate", "vos", data, "--count-ends", "--out", out, "--json", *MODEL)
    assert json.loads(kept.out) == json.loads(straight.out)
    assert [one["object_id"] for one in json.loads(out.read_text())["objects"]] == [0, 1, 0]


def test_report_says_why_a_clip_was_not_followed(masklet_command, tmp_path):
    data = write_set(tmp_path / "set", "davis")
    (data / "JPEGImages/480p/cat/00002.jpg").unlink()
    given = ("vos", data, "--count-ends", "--report", tmp_path / "report", *MODEL)
    outcome = masklet_command("evaluate", *given)
    assert outcome.code == 0, outcome.err
    problems = json.loads((tmp_path / "report/report.json").read_text())["problems"]
    assert problems == ["cat: The clip cat has no image 00002."]
    assert problems[0] in (tmp_path / "report/index.html").read_text()


@pytest.mark.parametrize(("words", "is_left_out"), [((), True), (("--count-ends",), False)])
def test_interactive_counts_the_ends_when_told_to(masklet_command, words, is_left_out, clips, tmp_path):
    out = tmp_path / "result.json"
    given = ("interactive", clips, "--rounds", 1, "--clicks-per-frame", 1, "--limit", 1, *words)
    assert masklet_command("evaluate", *given, "--out", out, *MODEL).code == 0
    document = json.loads(out.read_text())
    assert document["is_end_left_out"] is is_left_out
    assert document["rounds"][0]["objects"][0]["num_frames"] == (3 if is_left_out else 5)
