"""Predictions of any method, scored: equal to a plain implementation, and not spoilt by odd files."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masklet.errors import FormatError
from masklet.evaluation.counting import ALL_FRAMES, DAVIS, PROMPTED, SAV, USUAL
from masklet.evaluation.layouts import find_clips
from masklet.evaluation.score_report import scores_csv, scores_document, scores_table
from masklet.evaluation.scoring import ScoringJob, score_predictions

TOP = Path(__file__).parents[2]


def load_benchmark():
    spec = importlib.util.spec_from_file_location("vos_scoring", TOP / "benchmarks" / "vos_scoring.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


plain = load_benchmark()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three clips in DAVIS and SA-V layout with predictions; folders are not to be changed."""
    root = tmp_path_factory.mktemp("made")
    clips = list(plain.make_clips(3, 14, (60, 107), seed=3))
    plain.write_davis(root, clips)
    plain.write_sav(root, clips)
    plain.write_documents(root, clips)
    return root


@pytest.fixture
def few(tmp_path):
    """One clip of eight frames to spoil."""
    plain.write_davis(tmp_path, list(plain.make_clips(2, 8, (40, 60), seed=2)))
    return tmp_path


def job(root, data="davis", predictions="davis-answers", counting=None, **more):
    layout, places = find_clips(root / data, **more)
    return ScoringJob(
        places=places, layout=layout, predictions=root / predictions, counting=counting or USUAL[layout]
    )


def test_davis_scores_equal_a_plain_implementation(made):
    values = plain.plain_davis(made / "davis/Annotations/480p", made / "davis-answers")
    assert plain.largest_difference(values, job(made)) < 1e-9


def test_sav_scores_equal_a_plain_implementation(made):
    values = plain.plain_sav(made / "sav/Annotations_6fps", made / "sav-answers")
    assert plain.largest_difference(values, job(made, "sav", "sav-answers")) < 1e-9


def test_documents_score_as_pngs_do(made):
    from_documents = score_predictions(job(made, predictions="documents"))
    assert from_documents.objects == score_predictions(job(made)).objects


def test_processes_do_not_change_scores(made):
    assert score_predictions(job(made), num_processes=2) == score_predictions(job(made))


def test_frame_rules_differ_only_in_frames(made):
    def num_frames(counting):
        return {
            (o.clip, o.object_id): len(o.frames)
            for o in score_predictions(job(made, counting=counting)).objects
        }

    davis, seen, all_frames = num_frames(DAVIS), num_frames(SAV), num_frames(ALL_FRAMES)
    assert set(davis.values()) == {12}
    assert any(seen[key] < davis[key] for key in seen)
    assert all(all_frames[key] > seen[key] for key in seen)
    assert all(number <= seen[key] for key, number in num_frames(PROMPTED).items())


def test_names_choose_clips(made):
    assert [place.name for place in job(made, names=["clip-02", "clip-00"]).places] == ["clip-00", "clip-02"]
    with pytest.raises(FormatError, match="no clip nowhere"):
        job(made, names=["nowhere"])


def test_odd_predictions_are_named_and_spoil_nothing_else(few):
    whole = score_predictions(job(few))
    folder = few / "davis-answers/clip-00"
    (folder / "00002.png").unlink()
    (folder / "00003.png").write_bytes(b"no picture")
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(folder / "00004.png")
    Image.fromarray(np.ones((20, 30), np.uint8)).save(folder / "00005.png")
    Image.fromarray(np.full((40, 60), 77, np.uint8)).save(folder / "00006.png")
    scored = score_predictions(job(few))
    told = "\n".join(scored.problems)
    for words in (
        "clip-00/00003.png: it is damaged",
        "clip-00/00004.png: it is a PNG of kind RGB",
        "no prediction and count as empty: 00002, 00003, 00004",
        "not (40, 60) (h, w) and count as empty: 00005",
        "no object 77",
    ):
        assert words in told
    first, before = scored.clips[0].objects[0], whole.clips[0].objects[0]
    assert first.region[1:] == (0.0,) * 5
    assert before.region[0] == first.region[0] > 0.5
    assert scored.clips[1] == whole.clips[1]


def test_clip_without_predictions_is_left_out_and_named(few):
    (few / "davis-answers/clip-01").rename(few / "elsewhere")
    scored = score_predictions(job(few))
    assert [clip.is_scored for clip in scored.clips] == [True, False]
    assert scored.problems == ("clip-01: no predictions; the clip is left out.",)
    document = scores_document(scored)
    assert (document["num_clips"], document["num_scored_clips"]) == (2, 1)
    assert "- clip-01: no predictions" in scores_table(scored, title="Made")


def test_damaged_truth_is_named_and_its_frame_left_out(few):
    (few / "davis/Annotations/480p/clip-00/00003.png").write_bytes(b"")
    scored = score_predictions(job(few))
    assert scored.clips[0].objects[0].frames == (1, 2, 4, 5, 6)
    assert scored.problems == ("clip-00/00003.png: it is damaged or no PNG.",)


def test_only_object_may_be_painted_in_any_value(tmp_path):
    for folder, value in (("davis/Annotations/480p/one", 1), ("answers/one", 255)):
        (tmp_path / folder).mkdir(parents=True)
        for index in range(4):
            pixels = np.zeros((12, 16), np.uint8)
            pixels[2:8, 3:9] = value
            Image.fromarray(pixels).save(tmp_path / folder / f"{index:05d}.png")
    scored = score_predictions(job(tmp_path, predictions="answers"))
    assert scored.report.j_and_f == 1.0
    assert scored.problems == ()


def test_stopped_run_goes_on_and_another_job_starts_anew(few, tmp_path):
    journal = tmp_path / "journal"
    whole = score_predictions(job(few), journal=journal)
    lines = journal.read_text().splitlines()
    assert len(lines) == 2
    marked = json.loads(lines[0]) | {"problems": ["from the journal"]}
    journal.write_text(json.dumps(marked) + "\n" + lines[1][:40])
    told = []
    again = score_predictions(job(few), journal=journal, on_clip=lambda found: told.append(found.name))
    assert again.problems == ("from the journal",)
    assert again.objects == whole.objects
    assert sorted(told) == ["clip-00", "clip-01"]
    assert score_predictions(job(few, counting=PROMPTED), journal=journal).problems == ()


def test_mose_layout_needs_no_resolution_folder(few):
    (few / "davis/Annotations/480p").rename(few / "moved")
    (few / "davis/Annotations").rmdir()
    (few / "moved").rename(few / "davis/Annotations")
    scored = score_predictions(job(few))
    assert (scored.layout, scored.counting) == ("mose", SAV)


@pytest.mark.parametrize(("name", "words"), [("nothing", "no data"), ("davis-answers", "needs the folder")])
def test_what_is_no_data_set_is_refused(few, name, words):
    with pytest.raises(FormatError, match=words):
        find_clips(few / name)


def test_folder_of_predictions_must_exist(few):
    with pytest.raises(FormatError, match="no folder of predictions"):
        score_predictions(job(few, predictions="none"))


def test_csv_has_a_line_per_object(few):
    scored = score_predictions(job(few))
    lines = scores_csv(scored).splitlines()
    assert lines[0].startswith("clip,object,frames,j_and_f,j_mean,j_recall,j_decay,f_mean")
    assert len(lines) == 1 + len(scored.objects)
    assert float(lines[1].split(",")[3]) == pytest.approx(scored.objects[0].score.j_and_f)
