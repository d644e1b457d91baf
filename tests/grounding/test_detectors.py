"""Detectors of transformers from a folder on disk: the whole path, random weights, no network."""

import json
import shutil
import socket

import huggingface_hub
import numpy as np
import pytest
import torch

from masklet.errors import (
    DamagedWeightsError,
    DownloadError,
    MissingExtraError,
    PromptError,
    UnknownModelError,
)
from masklet.geometry import Size
from masklet.grounding.base import FoundBox
from masklet.grounding.grounding_dino import GroundingDino
from masklet.grounding.owlv2 import Owlv2
from masklet.grounding.registry import load_grounder
from masklet.grounding.transformers_models import load_detector

CPU = torch.device("cpu")


def check_boxes(found, photo, phrases):
    size = Size(*photo.shape[:2])
    assert found
    for one in found:
        assert isinstance(one, FoundBox)
        assert one.label in phrases
        assert 0 <= one.score <= 1
        assert 0 <= one.box.x0 < one.box.x1 <= size.width
        assert 0 <= one.box.y0 < one.box.y1 <= size.height
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_grounding_dino_from_a_folder(dino_folder, photo):
    grounder = GroundingDino(load_detector(dino_folder, device=CPU), short_side=64)
    phrases = ("dog", "red balls")
    found = grounder.find(photo, phrases, threshold=0.0)
    check_boxes(found, photo, phrases)
    assert grounder.name == dino_folder.name
    assert grounder.find(photo, phrases, threshold=1.0) == []


def test_grounding_dino_scores_each_phrase_by_its_own_words(dino_folder):
    grounder = GroundingDino(load_detector(dino_folder, device=CPU), template="a {}")
    ((part, sentence),) = grounder._sentences(["Dog", "red balls"])
    words = grounder._loaded.tokenizer.convert_ids_to_tokens(list(sentence.token_ids))
    assert part == ["Dog", "red balls"]
    assert words == ["[CLS]", "a", "dog", ".", "a", "red", "ball", "##s", ".", "[SEP]"]
    assert [words[slice(*span)] for span in sentence.spans] == [["a", "dog"], ["a", "red", "ball", "##s"]]


def test_grounding_dino_asks_twice_when_the_text_is_long(dino_folder):
    grounder = GroundingDino(load_detector(dino_folder, device=CPU))
    phrases = [f"dog {'red ' * index}ball" for index in range(6)]
    parts = list(grounder._sentences(phrases))
    assert [phrase for part, _ in parts for phrase in part] == phrases
    assert len(parts) > 1
    assert all(len(sentence.token_ids) <= 24 for _, sentence in parts)


def test_owlv2_from_a_folder(owl_folder, photo):
    grounder = load_grounder(owl_folder, device="cpu", template="{}")
    assert isinstance(grounder, Owlv2)
    phrases = ("dog", "ball")
    check_boxes(grounder.find(photo, phrases, threshold=0.0), photo, phrases)


def test_a_threshold_outside_its_range_is_refused(owl_folder, photo):
    with pytest.raises(PromptError, match=r"\[0, 1\]"):
        load_grounder(owl_folder, device="cpu").find(photo, ("dog",), threshold=-1)


def test_the_registry_tells_the_kind_of_a_folder(dino_folder, tmp_path):
    assert isinstance(load_grounder(dino_folder, device="cpu"), GroundingDino)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(UnknownModelError, match="of the kind 'bert'"):
        load_grounder(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(DamagedWeightsError, match="not JSON"):
        load_grounder(tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(UnknownModelError, match=r"no config\.json"):
        load_grounder(tmp_path)


def test_a_folder_without_weights_is_refused(dino_folder, tmp_path):
    (tmp_path / "config.json").write_bytes((dino_folder / "config.json").read_bytes())
    with pytest.raises(DamagedWeightsError, match=r"must hold config\.json"):
        load_grounder(tmp_path, device="cpu")


def test_an_unknown_detector_names_those_that_are_known():
    with pytest.raises(UnknownModelError, match=r"embedded, embedded-fast, grounding-dino.*owlv2"):
        load_grounder("yolo9000")


def test_without_network_the_error_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DownloadError, match="connect to the network once"):
        load_grounder("nobody/nothing", device="cpu")


def test_what_was_fetched_once_is_used_without_asking_the_hub(owl_folder, photo, monkeypatch, tmp_path):
    kept = tmp_path / "models--somebody--owl"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("0" * 40)
    shutil.copytree(owl_folder, kept / "snapshots" / ("0" * 40))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *host: asked.append(host))
    grounder = load_grounder("somebody/owl", device="cpu")
    assert grounder.find(photo, ("dog",), threshold=0.0)
    assert asked == []


@pytest.mark.usefixtures("without_transformers")
def test_without_the_extra_the_error_says_how_to_get_it():
    with pytest.raises(MissingExtraError, match=r"pip install 'masklet\[text\]'"):
        load_grounder("grounding-dino", device="cpu")


def test_same_image_same_boxes(owl_folder, photo):
    grounder = load_grounder(owl_folder, device="cpu")
    first, second = (grounder.find(np.array(photo), ("dog",), threshold=0.0) for _ in range(2))
    assert first == second
