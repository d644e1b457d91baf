"""Labelling with the debug model: what is written, resumed, refused and told."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import masklet
from masklet.annotations import loads
from masklet.errors import FormatError, MediaError, PromptError, SessionError
from masklet.formats import read_labels
from masklet.pipeline.everything import EverythingOptions
from masklet.pipeline.findings import FindingLimits
from masklet.pipeline.label import LabelOptions
from masklet.pipeline.ontology import Ontology
from masklet.scale import storage
from masklet.scale.jobs import ItemDone, ItemFailed
from masklet.scale.label import LabellingFinished, LabellingStarted, LabelRequest, run_labelling
from masklet.scale.label_job import LabelJob

MODEL = "debug-compact"
# the debug model has random weights: whatever it draws is taken
LOOSE = LabelOptions(
    everything=EverythingOptions(
        limits=FindingLimits(min_score=0.0, min_area_share=0.0, max_area_share=1.0, max_objects=3)
    )
)


@pytest.fixture
def pictures(tmp_path):
    """Three pictures with a bright square, one of them in a folder below, and a file that is no picture."""
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.png", "more/a.png")):
        image = np.full((40, 60, 3), 60, dtype=np.uint8)
        image[10:30, 10 + number : 30 + number] = 250
        Image.fromarray(image).save(folder / name)
    return folder


@pytest.fixture
def words(toys):
    """A job with words."""
    return LabelJob(
        documents="",
        model=MODEL,
        device="cpu",
        ontology=Ontology({"bright thing": "light", "other": "dark"}),
        grounder=toys.BrightGrounder,
        options=LOOSE,
    )


def run(request):
    events = list(run_labelling(request))
    assert isinstance(events[0], LabellingStarted)
    assert isinstance(events[-1], LabellingFinished)
    return events[1:-1], events[-1].summary


def test_pictures_become_a_coco_file_with_classes_review_and_statistics(pictures, words, tmp_path):
    out = tmp_path / "out"
    events, summary = run(LabelRequest(sources=(str(pictures),), out=str(out), job=words))
    assert [type(event) for event in events] == [ItemDone] * 3
    coco = json.loads((out / "labels.json").read_text())
    assert sorted(one["file_name"] for one in coco["images"]) == ["a.png", "b.png", "more/a.png"]
    assert [(one["id"], one["name"]) for one in coco["categories"]] == [(1, "light"), (2, "dark")]
    assert {one["category_id"] for one in coco["annotations"]} == {1}
    assert summary.num_objects == len(coco["annotations"]) == 3
    review = json.loads((out / "review.json").read_text())["entries"]
    doubts = [one["uncertainty"] for one in review]
    assert len(doubts) == 3
    assert doubts == sorted(doubts, reverse=True)
    assert all((out / one["document"]).is_file() and one["confidence"] == 0.8 for one in review)
    found = json.loads((out / "statistics.json").read_text())
    assert found["objects_by_class"] == {"light": 3}
    assert found["throughput"]["inputs_by_worker"] == {"main": 3}


def test_the_folder_of_a_run_is_read_as_labels(pictures, words, tmp_path):
    out = tmp_path / "out"
    run(LabelRequest(sources=(str(pictures),), out=str(out), job=words))
    name, folder = read_labels(out)
    listed = read_labels(out / "labels.json")[1]
    assert name == "masklet"
    assert sorted(one.frame_names[0] for one in folder.entries) == ["a.png", "b.png", "more/a.png"]
    masks = {one.frame_names: one.project.tracks[1].frames[0].rle for one in listed.entries}
    assert {one.frame_names: one.project.tracks[1].frames[0].rle for one in folder.entries} == masks
    with (out / "manifest.jsonl").open("a") as manifest:
        manifest.write('{"key": "cut sh')
    assert len(read_labels(out)[1].entries) == 3
    (out / "manifest.jsonl").write_text((out / "manifest.jsonl").read_text() + "\n{}\n")
    with pytest.raises(FormatError, match=r"A line of manifest\.jsonl is not JSON"):
        read_labels(out)


def test_a_run_is_resumed_and_poison_told(pictures, words, tmp_path):
    out = tmp_path / "out"
    (pictures / "bad.png").write_bytes(b"not a picture")
    request = LabelRequest(sources=(str(pictures),), out=str(out), job=words)
    events, summary = run(request)
    failed = [event.record for event in events if isinstance(event, ItemFailed)]
    assert [(one.name, one.num_tries) for one in failed] == [("bad.png", 3)]
    assert [one.name for one in summary.failures] == ["bad.png"]
    assert (summary.num_inputs, summary.num_done, summary.num_done_now) == (4, 3, 3)
    first = (out / "labels.json").read_bytes()
    Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(pictures / "bad.png")
    _, again = run(replace(request, resume=True))
    assert (again.num_done, again.num_done_now, again.failures) == (4, 1, ())
    _, third = run(replace(request, resume=True))
    assert third.num_done_now == 0
    assert len(json.loads(first)["annotations"]) == third.num_objects
    with pytest.raises(SessionError, match="another ontology"):
        run(replace(request, resume=True, job=replace(words, ontology=Ontology({"x": "y"}))))


def test_shards_end_in_one_data_set(pictures, words, tmp_path):
    request = LabelRequest(sources=(str(pictures),), out=str(tmp_path / "out"), job=words)
    numbers = [run(replace(request, shard=(index, 2)))[1].num_done_now for index in (1, 2)]
    assert sum(numbers) == 3
    assert (tmp_path / "out" / "review-1-of-2.json").is_file()
    _, whole = run(replace(request, resume=True))
    assert (whole.num_done, whole.num_done_now) == (3, 0)


def test_a_video_is_searched_and_followed(words, tmp_path):
    import av

    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(5):
            image = np.full((48, 64, 3), 60, dtype=np.uint8)
            image[10:30, 10 + index : 30 + index] = 250
            target.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        target.mux(stream.encode(None))
    job = replace(words, options=replace(LOOSE, everything=replace(LOOSE.everything, min_visible=1)))
    request = LabelRequest(sources=(str(path),), out=str(tmp_path / "out"), format="masklet", job=job)
    _, summary = run(request)
    assert summary.num_frames_now == 5
    (document,) = (tmp_path / "out" / "documents").iterdir()
    project = loads(document.read_bytes())
    assert project.video.num_frames == 5
    assert project.video.name == "clip.mp4"
    assert {one.name for one in project.labels.values()} == {"light", "dark"}
    assert project.tracks


def test_everything_without_words_is_one_class(pictures, tmp_path):
    job = LabelJob(documents="", model=MODEL, device="cpu", options=LOOSE)
    _, summary = run(LabelRequest(sources=(str(pictures / "a.png"),), out=str(tmp_path / "out"), job=job))
    assert summary.num_done == 1
    name, labels = read_labels(tmp_path / "out" / "labels.json")
    assert name == "coco"
    assert {one.name for one in labels.entries[0].project.labels.values()} <= {"object"}


def test_memory_to_memory(pictures, words, tmp_path):
    top = f"memory://{tmp_path.name}"
    storage.upload(pictures, f"{top}/in")
    _, summary = run(LabelRequest(sources=(f"{top}/in",), out=f"{top}/out", job=words))
    assert summary.num_done == 3
    coco = json.loads(storage.read(f"{top}/out/labels.json"))
    assert len(coco["images"]) == 3
    assert len(storage.expand(f"{top}/out/documents", frozenset({".json"}))) == 3
    _, again = run(LabelRequest(sources=(f"{top}/in",), out=f"{top}/out", job=words, resume=True))
    assert again.num_done_now == 0


def test_foreign_folders_formats_and_empty_requests_are_refused(pictures, words, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    request = LabelRequest(sources=(str(pictures),), out=str(tmp_path / "full"), job=words)
    with pytest.raises(MediaError, match="holds other files"):
        run(request)
    with pytest.raises(FormatError, match="There is no format"):
        run(replace(request, format="papyrus"))
    with pytest.raises(MediaError, match="at least one"):
        run(replace(request, sources=()))


def test_the_python_entry_takes_words_in_every_form(pictures, tmp_path, monkeypatch):
    seen = []

    def fake(request):
        seen.append(request)
        yield LabellingFinished(summary="done")

    monkeypatch.setattr("masklet.scale.label.run_labelling", fake)
    path = tmp_path / "classes.yaml"
    path.write_text("puppy: dog\n")
    for words in ({"puppy": "dog"}, path, str(path), None, ["puppy"], "puppy"):
        assert masklet.label(pictures, tmp_path / "out", ontology=words, format="yolo") == "done"
    classes = [None if one.job.ontology is None else dict(one.job.ontology.classes) for one in seen]
    assert classes == [{"puppy": "dog"}] * 3 + [None] + [{"puppy": "puppy"}] * 2
    assert seen[0].format == "yolo"
    with pytest.raises(PromptError):
        masklet.label(pictures, tmp_path / "out", ontology={})
