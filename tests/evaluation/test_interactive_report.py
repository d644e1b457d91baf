"""Interactive results as JSON, Markdown and CSV, from rounds whose scores are known."""

import pytest

from masklet.evaluation import interactive_report
from masklet.evaluation.interactive import InteractiveProtocol, InteractiveReport
from masklet.evaluation.interactive_object import ObjectRounds, RoundResult
from masklet.geometry import Size
from masklet.masks import rle


def rounds_of(clip, *js, frames=(0, 5)):
    return ObjectRounds(
        clip=clip,
        object_id=1,
        frames=(1, 2),
        rounds=tuple(
            RoundResult(
                frame=frame, num_clicks=2 * (frame is not None), region=(j, j), contour=(j / 2, j / 2)
            )
            for j, frame in zip(js, frames, strict=True)
        ),
        masks=dict.fromkeys((1, 2), rle.empty(Size(4, 6))),
    )


def report_of(mode):
    return InteractiveReport(
        protocol=InteractiveProtocol(mode=mode, num_rounds=2),
        objects=(rounds_of("bear", 0.8, 0.8, frames=(0, None)), rounds_of("train|fast", 0.4, 0.8)),
    )


def test_document_holds_a_report_per_round_the_area_and_what_was_clicked():
    found = interactive_report.interactive_document(report_of("offline"))
    assert (found["mode"], found["num_rounds"], found["max_clicks"]) == ("offline", 2, 3)
    assert [one["j_and_f"] for one in found["rounds"]] == [0.45, 0.6]
    assert found["area_under_curve"] == pytest.approx(0.525)
    assert (found["mean_frames_clicked"], found["mean_clicks"]) == (1.5, 3)
    assert found["corrections"][0] == {"clip": "bear", "object_id": 1, "frames": [0, None], "clicks": [2, 0]}
    assert "pause_below" not in found
    assert interactive_report.interactive_document(report_of("online"))["pause_below"] == 0.75


def test_table_has_the_curve_of_every_object_and_the_mean():
    lines = interactive_report.interactive_table(report_of("online"), title="Corrected").splitlines()
    assert (
        lines[0] == "### Corrected (up to 3 clicks on each of up to 2 frames, online, pausing below J 0.75)"
    )
    assert lines[2] == "| clip | object | J&F 1 | J&F 2 | area | J | F | frames | clicks |"
    assert lines[4] == "| bear | 1 | 0.600 | 0.600 | 0.600 | 0.800 | 0.400 | 1 | 2 |"
    assert lines[5] == "| train\\|fast | 1 | 0.300 | 0.600 | 0.450 | 0.800 | 0.400 | 2 | 4 |"
    assert lines[6] == "| **mean** |  | 0.450 | 0.600 | 0.525 | 0.800 | 0.400 | 1.5 | 3.0 |"


def test_csv_has_a_line_per_mode_object_and_round():
    lines = interactive_report.interactive_csv([report_of("offline"), report_of("online")]).splitlines()
    assert lines[0] == "mode,clip,object,round,frame,clicks,j_and_f,j,f"
    assert lines[1] == "offline,bear,1,1,0,2,0.6,0.8,0.4"
    assert lines[2] == "offline,bear,1,2,,0,0.6,0.8,0.4"
    assert len(lines) == 1 + 2 * 4
