"""Packed results in memory, in a file, and where the disk is full."""

import gc

import numpy as np
import pytest

from masklet.errors import SessionError
from masklet.predictors.shelf import ResultShelf
from masklet.predictors.video import SessionOptions, VideoSession
from masklet.prompts import Click, PromptSet
from masklet.tracking import results as results_module

CLICK = PromptSet([Click(12, 18)])


def test_bytes_beyond_the_budget_go_into_the_file(tmp_path):
    shelf = ResultShelf(100, tmp_path)
    kept = [shelf.keep(bytes([number]) * 40) for number in range(5)]
    assert (shelf.memory_bytes, shelf.disk_bytes) == (80, 120)
    assert [one.read() for one in kept] == [bytes([number]) * 40 for number in range(5)]
    del kept[0]
    gc.collect()
    assert shelf.memory_bytes == 40
    assert shelf.keep(b"a" * 50).read() == b"a" * 50
    assert shelf.disk_bytes == 120
    shelf.close()
    with pytest.raises(SessionError, match="closed session"):
        kept[-1].read()


def test_results_stay_in_memory_where_the_disk_takes_no_more(tmp_path, caplog):
    shelf = ResultShelf(10, tmp_path / "missing")
    kept = [shelf.keep(b"a" * 20), shelf.keep(b"b" * 20)]
    assert [one.read() for one in kept] == [b"a" * 20, b"b" * 20]
    assert (shelf.memory_bytes, shelf.disk_bytes) == (40, 0)
    assert caplog.text.count("disk takes no more") == 1


def values(frames):
    return [
        [(key, one.masks[key].tobytes(), one.scores[key], one.presence[key]) for key in one.object_ids]
        for one in frames
    ]


def everything(session, tmp_path):
    """Track, correct, take back, track against time, save and go on: what each of these showed."""
    session.prompt(1, 0, CLICK)
    session.prompt(2, 9, PromptSet(box=(40, 30, 56, 40)))
    shown = [values(session.track())]
    session.prompt(1, 12, PromptSet([Click(30, 30)]))
    session.prompt(1, 12, PromptSet([Click(30, 30), Click(5, 5, positive=False)]))
    shown.append(values(session.track()))
    assert session.undo()
    shown.append(values(session.track()))
    session.clear(2, 9)
    assert session.undo()
    shown += [values(session.track(backward=True)), values(session.track_both_ways())]
    shown.append([values([session.result_at(frame)]) for frame in (3, 17, 5)])
    session.save(tmp_path / "session")
    return shown


def test_a_session_gives_the_same_results_from_disk(compact, clip, tmp_path, monkeypatch):
    with VideoSession(compact, clip) as session:
        expected = everything(session, tmp_path)
        assert session._shelf.disk_bytes == session._shelf.memory_bytes == 0
    monkeypatch.setattr(results_module, "PAGE_FRAMES", 4)
    with VideoSession(compact, clip, options=SessionOptions(result_bytes=0)) as session:
        assert everything(session, tmp_path) == expected
        assert session._shelf.disk_bytes > 0
    with VideoSession.load(
        tmp_path / "session", compact, clip, options=SessionOptions(result_bytes=0)
    ) as session:
        assert values(session.track_both_ways()) == expected[4]
        assert session._shelf.disk_bytes > 0


def test_a_file_that_lost_bytes_is_an_error_of_one_sentence(tmp_path):
    shelf = ResultShelf(0, tmp_path)
    kept = shelf.keep(np.arange(9, dtype=np.uint8).tobytes())
    assert shelf._file is not None
    shelf._file.truncate(4)
    with pytest.raises(SessionError, match="not whole"):
        kept.read()
    shelf.close()
