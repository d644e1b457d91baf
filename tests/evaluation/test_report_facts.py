"""Where figures come from: the commit that made them, and whether anything but stored results had changed."""

import subprocess

import pytest

from masklet.evaluation import report


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A working tree with code and a stored result, as if this package lay in it."""
    (tmp_path / "benchmarks" / "results").mkdir(parents=True)
    (tmp_path / "benchmarks" / "results" / "speed.json").write_text("{}")
    (tmp_path / "code.py").write_text("1")
    names = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*names, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(report, "__file__", str(tmp_path / "code.py"))
    return tmp_path


def commit():
    return report.run_facts(command="measure")["commit"]


def test_the_commit_is_told_and_new_results_leave_it_clean(checkout):
    said = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith(commit())
    assert len(commit()) == 12
    (checkout / "benchmarks" / "results" / "speed.json").write_text('{"fps": 1}')
    (checkout / "benchmarks" / "results" / "more.json").write_text("{}")
    assert said.stdout.startswith(commit())


def test_changed_code_makes_it_dirty(checkout):
    before = commit()
    (checkout / "code.py").write_text("2")
    assert commit() == f"{before}-dirty"


def test_outside_of_a_checkout_it_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "__file__", str(tmp_path / "code.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit() == "unknown"
