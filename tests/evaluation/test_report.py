import json

import pytest

from masklet.errors import FormatError
from masklet.evaluation import report
from masklet.evaluation.clicks import ClickProtocol, ClickReport, ObjectClicks
from masklet.evaluation.occlusion import OcclusionProtocol, OcclusionReport, OcclusionScore
from masklet.evaluation.vos import ObjectScore, Statistics, VosReport

VOS = VosReport(
    prompt="mask",
    objects=tuple(
        ObjectScore(
            clip=name,
            object_id=1,
            num_frames=5,
            region=Statistics(mean=mean, recall=0.5, decay=0.125),
            contour=Statistics(mean=mean / 2, recall=0.25, decay=0.0),
        )
        for name, mean in (("bear", 0.8), ("train|fast", 0.4))
    ),
)
CLICKS = ClickReport(
    protocol=ClickProtocol(clicks=(1, 3), max_clicks=20),
    objects=(
        ObjectClicks(source="pets", image="a", index=0, ious=(0.5, 0.7, 0.91), box_iou=0.75),
        ObjectClicks(source="face", image="b", index=0, ious=(0.25, 0.5, 0.5), box_iou=0.5),
    ),
)
OCCLUSION = OcclusionReport(
    protocol=OcclusionProtocol(),
    clips=(
        OcclusionScore(
            clip="000 exit", kind="exit", visible=(0.9, 0.7), hidden=(0.2,), region=0.8, is_found=True
        ),
        OcclusionScore(
            clip="001 occluder",
            kind="occluder",
            visible=(0.1,),
            hidden=(0.3, 0.1),
            region=0.4,
            is_found=False,
        ),
    ),
)


def test_vos_document_holds_every_object_and_the_means():
    found = report.vos_document(VOS)
    assert found["j_and_f"] == 0.45
    assert found["j"] == {"mean": 0.6, "recall": 0.5, "decay": 0.125}
    assert [one["clip"] for one in found["objects"]] == ["bear", "train|fast"]


def test_vos_table_has_a_row_per_object_and_the_mean():
    lines = report.vos_table(VOS, title="Repeat").splitlines()
    assert lines[0] == "### Repeat (mask prompt)"
    assert lines[4].startswith("| bear | 1 | 0.600 | 0.800 |")
    assert lines[5].startswith("| train\\|fast |")
    assert lines[6].startswith("| **mean** |  | 0.450 |")


def test_occlusion_document_holds_kinds_and_clips():
    found = report.occlusion_document(OCCLUSION)
    assert found["overall"] == {
        "num_clips": 2,
        "num_visible_frames": 3,
        "num_hidden_frames": 3,
        "presence_auc": 0.7222,
        "j_visible": 0.6,
        "found_again": 0.5,
    }
    assert {kind: one["presence_auc"] for kind, one in found["kinds"].items()} == {
        "exit": 1.0,
        "occluder": 0.25,
    }
    assert found["clips"][0] == {
        "clip": "000 exit",
        "kind": "exit",
        "mean_presence_visible": 0.8,
        "mean_presence_hidden": 0.2,
        "j_visible": 0.8,
        "is_found": True,
    }


def test_occlusion_table_has_a_row_per_kind_and_all():
    lines = report.occlusion_table(OCCLUSION, title="Hidden").splitlines()
    assert lines[0] == "### Hidden (leave and return)"
    assert lines[4] == "| exit | 1 | 2 | 1 | 1.000 | 0.800 | 1.000 |"
    assert lines[5] == "| occluder | 1 | 1 | 2 | 0.250 | 0.400 | 0.000 |"
    assert lines[6] == "| **all** | 2 | 3 | 3 | 0.722 | 0.600 | 0.500 |"


def test_clicks_document_holds_sources_and_their_mean():
    found = report.clicks_document(CLICKS)
    assert found["sources"]["pets"] == {
        "num_objects": 1,
        "miou_after": {"1": 0.5, "3": 0.91},
        "clicks_to": {"0.85": 3.0, "0.9": 3.0},
        "box_miou": 0.75,
    }
    assert found["mean_over_sources"]["clicks_to"] == {"0.85": 11.5, "0.9": 11.5}


def test_clicks_table_has_a_row_per_source_and_the_mean():
    lines = report.clicks_table(CLICKS, title="Clicks").splitlines()
    assert lines[2] == "| source | objects | mIoU@1 | mIoU@3 | NoC@85 | NoC@90 | box mIoU |"
    assert lines[4] == "| face | 1 | 0.250 | 0.500 | 20.00 | 20.00 | 0.500 |"
    assert lines[6] == "| **mean** | 2 | 0.375 | 0.705 | 11.50 | 11.50 | 0.625 |"


def test_rows_of_another_length_are_refused():
    with pytest.raises(FormatError, match="2 cells"):
        report.markdown_table(["a", "b"], [["1"]])


def test_written_json_has_sorted_keys_and_no_paths(tmp_path):
    path = tmp_path / "results" / "one.json"
    facts = report.run_facts(command="python one.py --data clips.tar", data="clips.tar")
    report.write_json(path, {"run": facts, "results": report.vos_document(VOS)})
    content = path.read_text()
    found = json.loads(content)
    assert content.index('"results"') < content.index('"run"')
    assert found["run"]["command"] == "python one.py --data clips.tar"
    assert {"machine", "system", "packages", "commit", "data"} <= found["run"].keys()
    assert str(tmp_path) not in content
