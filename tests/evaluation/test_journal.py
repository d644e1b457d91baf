"""Finished parts of a run survive a stop, whatever was being written."""

from masklet.evaluation.journal import Journal, journal_key

KEY = journal_key(["data", {"limit": 3}])


def test_finished_parts_are_read_back_by_name(tmp_path):
    journal = Journal(tmp_path / "deep/run.partial", KEY)
    assert journal.read() == {}
    journal.add("bear", {"j": [0.5, 1.0]})
    journal.add("train", {"j": []})
    again = Journal(tmp_path / "deep/run.partial", KEY).read()
    assert again == {"bear": {"name": "bear", "j": [0.5, 1.0]}, "train": {"name": "train", "j": []}}


def test_a_line_that_was_cut_off_takes_no_other_with_it(tmp_path):
    path = tmp_path / "run.partial"
    Journal(path, KEY).add("bear", {})
    path.write_bytes(path.read_bytes() + b'{"key": "')
    journal = Journal(path, KEY)
    journal.add("train", {})
    assert journal.read().keys() == {"bear", "train"}


def test_parts_of_another_run_are_left_alone(tmp_path):
    path = tmp_path / "run.partial"
    Journal(path, journal_key(["other"])).add("bear", {})
    assert Journal(path, KEY).read() == {}


def test_a_journal_without_a_file_keeps_nothing_and_a_discarded_one_is_gone(tmp_path):
    nowhere = Journal(None, KEY)
    nowhere.add("bear", {})
    nowhere.discard()
    assert nowhere.read() == {}
    journal = Journal(tmp_path / "run.partial", KEY)
    journal.add("bear", {})
    journal.discard()
    assert list(tmp_path.iterdir()) == []
