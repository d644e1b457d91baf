"""The list of models."""

import json

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from masklet.cli.models import models
from masklet.weights import download
from masklet.weights.registry import SOURCES


def test_every_published_model_is_listed_and_no_random_one(masklet_command):
    outcome = masklet_command("models")
    assert outcome.code == 0
    names = {line.split()[0] for line in outcome.out.splitlines()[1:-1]}
    assert names == {name for name, source in SOURCES.items() if source.kind != "random"}


def test_one_line_of_json(masklet_command):
    outcome = masklet_command("models", "--json")
    (line,) = outcome.out.splitlines()
    rows = {row["name"]: row for row in json.loads(line)["models"]}
    assert rows["sam2.1-large"]["megabytes"] == pytest.approx(898)
    assert rows["compact"]["licence"].startswith("Apache-2.0")
    assert rows["compact"]["place"] == "this package"


def test_a_model_in_the_cache_is_on_disk_with_its_true_size(tmp_path, monkeypatch, capsys):
    weights = tmp_path / "weights.pt"
    weights.write_bytes(bytes(2_500_000))
    wanted = SOURCES["sam2-tiny"].repo

    def look(repo, _file, *, local_files_only, **_options):
        assert local_files_only
        if repo != wanted:
            raise LocalEntryNotFoundError(f"{repo} is not here")
        return str(weights)

    monkeypatch.setattr(download, "hf_hub_download", look)
    models(json=True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["models"]}
    assert (rows["sam2-tiny"]["is_on_disk"], rows["sam2-tiny"]["megabytes"]) == (True, 2.5)
    assert not rows["sam2-small"]["is_on_disk"]
