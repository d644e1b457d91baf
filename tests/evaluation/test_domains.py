import json

import numpy as np
import pytest
from PIL import Image

from masklet.errors import FormatError
from masklet.evaluation.clicks import ClickProtocol
from masklet.evaluation.domains import evaluate_domains, read_domains
from masklet.evaluation.failures import draw_worst, worst_objects
from masklet.evaluation.page.photos import photos_page
from masklet.masks import rle

PROTOCOL = ClickProtocol(clicks=(1, 3), max_clicks=3)


class Boxes:
    """Answers with the square around the first click, grown by a pixel with every click."""

    def embed(self, image):
        return image.shape[:2]

    def predict(self, embedding, prompts, _previous):
        masks = np.zeros((len(prompts), *embedding), bool)
        for mask, one in zip(masks, prompts, strict=True):
            if one.box is not None:
                x0, y0, x1, y1 = (int(edge) for edge in one.box.xyxy)
            else:
                x, y, half = int(one.clicks[0].x), int(one.clicks[0].y), 2 + len(one.clicks)
                x0, y0, x1, y1 = max(x - half, 0), max(y - half, 0), x + half, y + half
            mask[y0:y1, x0:x1] = True
        return masks, None


def write_domain(folder, num_images, side=8):
    folder.mkdir(parents=True)
    images, annotations = [], []
    for index in range(num_images):
        Image.fromarray(np.full((40, 50, 3), 90, np.uint8)).save(folder / f"{index}.png")
        images.append({"id": index, "file_name": f"{index}.png", "width": 50, "height": 40})
        square = [10, 10, 10 + side, 10, 10 + side, 10 + side, 10, 10 + side]
        annotations.append(
            {
                "id": index,
                "image_id": index,
                "category_id": 1,
                "segmentation": [square],
                "bbox": [10, 10, side, side],
                "area": side * side,
                "iscrowd": 0,
            }
        )
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "leaf <small>"}],
    }
    (folder / "_annotations.coco.json").write_text(json.dumps(content))


@pytest.fixture
def domains(tmp_path):
    """Three domains; of one only the test split is to be read."""
    write_domain(tmp_path / "plants" / "test", 2)
    write_domain(tmp_path / "plants" / "train", 5)
    write_domain(tmp_path / "streets", 1, side=20)
    write_domain(tmp_path / "cells" / "valid", 1, side=4)
    return tmp_path


def test_each_folder_is_a_domain_and_its_test_split_is_read(domains):
    problems = []
    stills = list(read_domains(domains, problems))
    assert problems == []
    assert [(one.source, one.name) for one in stills] == [
        ("cells", "0.png"),
        ("plants", "0.png"),
        ("plants", "1.png"),
        ("streets", "0.png"),
    ]
    assert rle.area(stills[0].masks[0]) == pytest.approx(16, abs=9)
    assert stills[1].labels == ("leaf <small>",)
    assert stills[1].image().shape == (40, 50, 3)


def test_domains_with_odd_files_do_not_spoil_the_rest(domains):
    (domains / "empty").mkdir()
    (domains / "plants/test/0.png").unlink()
    (domains / "plants/test/1.png").write_bytes(b"no image")
    problems = []
    report = evaluate_domains(Boxes(), read_domains(domains, problems), problems, protocol=PROTOCOL)
    assert set(report.by_source()) == {"cells", "streets"}
    assert "empty: no COCO file" in problems[0]
    assert "plants/0.png: the image is missing." in problems
    assert any("plants/1.png" in problem and "decoded" in problem for problem in problems)


def test_a_damaged_mask_is_named_and_the_other_masks_of_its_domain_are_read(domains):
    path = domains / "plants/test/_annotations.coco.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["segmentation"] = {"size": [40, 50], "counts": "not run lengths"}
    content["images"].append({"id": 7, "file_name": "7.png", "width": "wide", "height": 40})
    path.write_text(json.dumps(content))
    problems = []
    stills = [one for one in read_domains(domains, problems) if one.source == "plants"]
    assert [len(one.masks) for one in stills] == [0, 1]
    image, annotation = problems
    assert image.startswith("plants/_annotations.coco.json, image 7: ")
    assert annotation.startswith("plants/_annotations.coco.json, annotation 0: ")


def test_folder_without_domains_is_refused(tmp_path):
    with pytest.raises(FormatError, match="no folder of domains"):
        list(read_domains(tmp_path / "none", []))
    with pytest.raises(FormatError, match="holds a COCO file"):
        list(read_domains(tmp_path, []))


def test_worst_objects_come_from_every_domain_and_are_on_the_page(domains):
    problems = []
    stills = list(read_domains(domains, problems))
    report = evaluate_domains(Boxes(), stills, problems, protocol=PROTOCOL)
    chosen = worst_objects(report, num_clicks=3, most=3)
    assert {one.source for one in chosen} == {"cells", "plants", "streets"}
    worst = draw_worst(Boxes(), stills, chosen, num_clicks=3)
    assert [one.score for one in worst] == chosen
    for one in worst:
        union = (one.predicted | one.true).sum()
        assert (one.predicted & one.true).sum() / union == one.score.iou_after(3)
    page = photos_page(
        report, worst, title="Domains", facts={"command": "masklet evaluate"}, problems=["odd < file"]
    )
    assert page.count('<figure class="tile">') == 3
    assert "leaf &lt;small&gt;" in page
    assert 'aria-label="Scores of every domain"' in page
    assert "odd &lt; file" in page
    assert "://" not in page
