import json


def write(path, values):
    objects = [
        {
            "clip": name,
            "object_id": 1,
            "j_and_f": value,
            "j": {"mean": value, "recall": 1.0, "decay": 0.0},
            "f": {"mean": value, "recall": 1.0, "decay": 0.0},
        }
        for name, value in values.items()
    ]
    path.write_text(json.dumps({"objects": objects}))
    return path


def test_two_results_are_compared(masklet_command, tmp_path):
    first = write(tmp_path / "before.json", {"cat": 0.5, "dog": 0.6})
    second = write(tmp_path / "after.json", {"cat": 0.7, "dog": 0.8})
    out = tmp_path / "difference.json"
    outcome = masklet_command("compare", first, second, "--out", out)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("J&F: after minus before is +0.2000 (95 % between +0.2000 and +0.2000)")
    assert "| cat | +0.2000 |" in outcome.err
    document = json.loads(out.read_text())
    assert (document["first"], document["second"]) == ("before.json", "after.json")
    assert document["measures"]["J"]["num_better"] == 2


def test_file_that_is_no_result_is_refused(masklet_command, tmp_path):
    (tmp_path / "text.json").write_text("no json")
    outcome = masklet_command("compare", tmp_path / "text.json", tmp_path / "text.json")
    assert outcome.code == 1
    assert "is not JSON" in outcome.err
    assert "cannot be read" in masklet_command("compare", tmp_path / "a", tmp_path / "b").err
