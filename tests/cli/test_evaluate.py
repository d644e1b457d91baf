"""Scoring from the command line, with a small model of random weights."""

import json

import numpy as np
import pytest
from PIL import Image

MODEL = ("--model", "debug-compact", "--device", "cpu")
SIZE_HW = (40, 56)


def test_interactive_reports_every_round(masklet_command, clips, tmp_path):
    out = tmp_path / "report.json"
    outcome = masklet_command(
        "evaluate", clips, "--task", "interactive", "--rounds", 2, "--out", out, "--json", *MODEL
    )
    assert outcome.code == 0, outcome.err
    (line,) = outcome.out.splitlines()
    values = json.loads(line)
    assert values.keys() == {"j_and_f_1", "j_and_f_2", "j", "f", "area"}
    document = json.loads(out.read_text())
    assert [one["j_and_f"] for one in document["rounds"]] == [values["j_and_f_1"], values["j_and_f_2"]]
    assert [one["clip"] for one in document["rounds"][1]["objects"]] == ["cat", "dog"]
    assert document["facts"]["command"] == "masklet evaluate clips.tar --task interactive --rounds 2"
    assert "Tracking: 20 of 20" in outcome.err
    assert "| **mean** |" in outcome.err


def test_occlusion_reports_presence_and_finding_again(masklet_command, photos, tmp_path):
    out = tmp_path / "report.json"
    outcome = masklet_command(
        "evaluate", photos, "--task", "occlusion", "--limit", 1, "--out", out, "--json", *MODEL
    )
    assert outcome.code == 0, outcome.err
    values = json.loads(outcome.out)
    assert values.keys() == {"presence_auc", "j_visible", "found_again"}
    document = json.loads(out.read_text())
    assert document["made"] == {"num_clips": 1, "num_frames": 24, "side": 384, "seed": 0}
    assert document["overall"]["presence_auc"] == values["presence_auc"]
    assert [one["kind"] for one in document["clips"]] == ["exit"]
    assert document["facts"]["command"] == "masklet evaluate photos.tar --task occlusion --limit 1"


def test_clips_are_followed_and_photos_clicked_on(masklet_command, clips, photos):
    followed = masklet_command("evaluate", clips, "--task", "vos", "--limit", 1, "--json", *MODEL)
    assert json.loads(followed.out).keys() == {"j_and_f", "j", "f"}
    clicked = masklet_command("evaluate", photos, "--task", "clicks", "--limit", 2, "--json", *MODEL)
    assert json.loads(clicked.out).keys() == {"miou_1", "miou_3", "miou_5", "miou_box"}
    assert "| made | 2 |" in clicked.err


def test_data_that_is_not_there_is_refused_in_a_sentence(masklet_command, tmp_path):
    outcome = masklet_command("evaluate", tmp_path / "none.tar", "--task", "interactive", *MODEL)
    assert outcome.code == 1
    assert "There is no data" in outcome.err


def write_maps(folder, shift):
    folder.mkdir(parents=True)
    for index in range(5):
        pixels = np.zeros(SIZE_HW, np.uint8)
        pixels[10:26, 8 + 3 * index + shift : 24 + 3 * index + shift] = 1
        Image.fromarray(pixels).save(folder / f"{index:05d}.png")


@pytest.mark.parametrize("is_task_first", [False, True])
def test_masks_of_any_method_are_scored(masklet_command, tmp_path, is_task_first):
    data, out = tmp_path / "set", tmp_path / "report.json"
    write_maps(data / "Annotations/480p/cat", 0)
    write_maps(tmp_path / "answers/cat", 4)
    words = ("vos", "--data", data) if is_task_first else (data, "--task", "vos")
    given = ("--predictions", tmp_path / "answers", "--out", out, "--processes", 1)
    outcome = masklet_command("evaluate", *words, *given, "--count-ends", "--json")
    assert outcome.code == 0, outcome.err
    values = json.loads(outcome.out)
    assert values["j"] == pytest.approx(0.6)
    assert (values["clips"], values["objects"], values["problems"]) == (1, 1, 0)
    document = json.loads(out.read_text())
    assert document["objects"][0]["frames"] == {
        "index": [0, 1, 2, 3, 4],
        "j": [0.6] * 5,
        "f": [round(values["f"], 4)] * 5,
    }
    assert (
        document["facts"]["command"] == "masklet evaluate set --task vos --predictions answers --count-ends"
    )
    assert not out.with_name("report.json.partial").exists()


def test_two_different_tasks_are_refused(masklet_command, tmp_path):
    outcome = masklet_command("evaluate", "vos", "--data", tmp_path, "--task", "clicks", *MODEL)
    assert outcome.code == 1
    assert "name one" in outcome.err


def test_data_without_a_task_is_refused(masklet_command, clips):
    outcome = masklet_command("evaluate", clips, *MODEL)
    assert outcome.code == 1
    assert "--task TASK" in outcome.err


def test_photos_are_reported_as_a_page(masklet_command, photos, tmp_path):
    given = ("--task", "clicks", "--limit", 1, "--report", tmp_path / "report", "--json", *MODEL)
    outcome = masklet_command("evaluate", photos, *given)
    assert outcome.code == 0, outcome.err
    written = {path.name for path in (tmp_path / "report").iterdir()}
    assert written == {"index.html", "report.md", "report.json", "report.csv"}
    document = json.loads((tmp_path / "report/report.json").read_text())
    assert document["mean_over_sources"]["miou_after"]["1"] == json.loads(outcome.out)["miou_1"]
    assert (tmp_path / "report/report.csv").read_text().startswith("source,image,mask,box_iou,iou_1")


def test_followed_clips_are_kept_and_drawn(masklet_command, clips, tmp_path):
    given = ("--task", "vos", "--limit", 1, "--prompt", "3-clicks", "--report", tmp_path / "report", "--json")
    outcome = masklet_command("evaluate", clips, *given, *MODEL)
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "report/masks/cat.json").exists()
    assert '<article class="strip">' in (tmp_path / "report/index.html").read_text()
    document = json.loads((tmp_path / "report/report.json").read_text())
    assert document["facts"]["command"] == "masklet evaluate clips.tar --task vos --prompt 3-clicks --limit 1"


def test_interactive_in_both_modes_makes_a_page_and_goes_on_after_a_stop(masklet_command, clips, tmp_path):
    words = ("--rounds", 2, "--clicks-per-frame", 1, "--mode", "both", "--report", tmp_path / "report")
    outcome = masklet_command("evaluate", "interactive", clips, *words, "--json", *MODEL)
    assert outcome.code == 0, outcome.err
    values = json.loads(outcome.out)
    assert {"j_and_f_1", "area", "online_j_and_f_2", "online_area"} <= values.keys()
    document = json.loads((tmp_path / "report/report.json").read_text())
    assert (document["mode"], document["online"]["mode"]) == ("offline", "online")
    assert document["facts"]["command"] == (
        "masklet evaluate clips.tar --task interactive --mode both --rounds 2 --clicks-per-frame 1"
    )
    written = {path.name for path in (tmp_path / "report").iterdir()}
    assert written == {"index.html", "report.md", "report.json", "report.csv"}
    page = (tmp_path / "report/index.html").read_text()
    assert page.count('<figure class="card">') == 2 * 2
    assert '<article class="strip">' in page


def test_automatic_masks_are_scored_and_finished_photos_are_kept(
    masklet_command, photos, tmp_path, monkeypatch
):
    from masklet.evaluation import subjects

    whole, searched = subjects.AutoSubject.__call__, []

    def stops_at_the_second_photo(self, image):
        searched.append(int(image[150, 150, 0]))
        if len(searched) == 2:
            raise KeyboardInterrupt
        return whole(self, image)

    monkeypatch.setattr(subjects.AutoSubject, "__call__", stops_at_the_second_photo)
    words = (
        "auto",
        photos,
        "--preset",
        "fast",
        "--limit",
        2,
        "--report",
        tmp_path / "report",
        "--json",
        *MODEL,
    )
    assert masklet_command("evaluate", *words).code == 130
    outcome = masklet_command("evaluate", *words)
    assert outcome.code == 0, outcome.err
    # one photo before the stop, one after it, and both drawn for the page
    assert searched == [0, 60, 60, *searched[3:]]
    assert sorted(searched[3:]) == [0, 60]
    values = json.loads(outcome.out)
    assert {"ar_10", "ar_100", "ar_1000", "ar_large", "covering", "covered"} == values.keys()
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "index.html",
        "report.md",
        "report.json",
        "report.csv",
    }
    document = json.loads((tmp_path / "report/report.json").read_text())
    assert document["facts"]["command"] == "masklet evaluate photos.tar --task auto --preset fast --limit 2"
    assert document["overall"]["num_images"] == 2


def test_annotation_effort_is_told_both_ways(masklet_command, clips, tmp_path):
    words = ("effort", clips, "--clicks-per-frame", 1, "--most-frames", 2, "--every", 2)
    outcome = masklet_command("evaluate", *words, "--report", tmp_path / "report", "--json", *MODEL)
    assert outcome.code == 0, outcome.err
    values = json.loads(outcome.out)
    assert values.keys() == {
        "times_faster",
        "times_faster_at_equal_quality",
        *(f"frame_by_frame_{name}" for name in ("clicks", "seconds", "reached")),
        *(f"track_and_correct_{name}" for name in ("clicks", "seconds", "reached")),
    }
    document = json.loads((tmp_path / "report/report.json").read_text())
    assert [one["clip"] for one in document["masklets"]] == ["cat", "dog"]
    assert [one["num_frames"] for one in document["masklets"]] == [2, 2]
    assert document["protocol"]["measure"] == "j_and_f"
    assert document["facts"]["command"] == (
        "masklet evaluate clips.tar --task effort --clicks-per-frame 1 --every 2 --most-frames 2"
    )
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        "index.html",
        "report.md",
        "report.json",
        "report.csv",
    }


def test_speed_is_measured_against_a_baseline(masklet_command, clips, tmp_path):
    words = (
        "speed",
        clips,
        "--lengths",
        "2,3",
        "--objects",
        "1",
        "--turns",
        1,
        "--against-policy",
        "quality",
    )
    outcome = masklet_command("evaluate", *words, "--report", tmp_path / "report", "--json", *MODEL)
    assert outcome.code == 0, outcome.err
    assert {"frames_per_second", "p99_ms", "peak_mib", "times_as_fast"} <= json.loads(outcome.out).keys()
    document = json.loads((tmp_path / "report/report.json").read_text())
    assert (document["name"], document["baseline"]) == (
        "debug-compact, recent, torch",
        "debug-compact, quality, torch",
    )
    assert [(cell["num_frames"], cell["num_objects"]) for cell in document["cells"]] == [(2, 1), (3, 1)]
    assert document["facts"]["command"] == (
        "masklet evaluate clips.tar --task speed --lengths 2,3 --objects 1 --turns 1 --against-policy quality"
    )
    bad = masklet_command("evaluate", "speed", clips, "--lengths", "many", *MODEL)
    assert (bad.code, "whole numbers" in bad.err) == (1, True)
