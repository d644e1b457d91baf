"""Sessions on disk: going on as if never stopped, and files that are not whole."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from masklet.errors import SessionError
from masklet.predictors.video import SessionOptions, VideoSession
from masklet.prompts import Click, PromptSet
from masklet.tracking.policy import choose_policy

CLICK = PromptSet([Click(12, 18)])


def begin(session, square_mask):
    session.prompt(1, 0, CLICK)
    session.prompt(2, 3, PromptSet([Click(50, 35, positive=False)], box=(40, 30, 56, 40)))
    session.prompt(3, 5, PromptSet(mask=square_mask))


def values(frames):
    return [
        [
            (key, frame.masks[key].tobytes(), frame.scores[key], frame.presence[key], frame.stability[key])
            for key in frame.object_ids
        ]
        for frame in frames
    ]


@pytest.mark.parametrize("policy", ["recent", "quality"])
def test_a_loaded_session_goes_on_with_identical_results(loaded, clip, square_mask, tmp_path, policy):
    path = tmp_path / "session.safetensors"
    with VideoSession(loaded, clip, policy=policy) as session:
        begin(session, square_mask)
        expected = values(session.track())
    with VideoSession(loaded, clip, policy=policy) as session:
        begin(session, square_mask)
        list(session.track(0, 11))
        session.save(path)
    with VideoSession.load(path, loaded, clip) as session:
        assert session.policy.name == policy
        assert session.prompts_of(2)[3].box is not None
        assert values(session.track()) == expected
        session.prompt(1, 2, PromptSet([Click(30, 30)]))
        edited = values(session.track())
    with VideoSession(loaded, clip, policy=policy) as session:
        begin(session, square_mask)
        list(session.track())
        session.prompt(1, 2, PromptSet([Click(30, 30)]))
        assert values(session.track()) == edited
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("policy", ["recent", "quality"])
def test_going_on_is_exact_however_small_the_archive(compact, clip, square_mask, tmp_path, policy):
    """What the running memory holds is saved, even where the archive has no room for it."""
    path, options = tmp_path / "session", SessionOptions(archive_bytes=1)
    with VideoSession(compact, clip, policy=policy, options=options) as session:
        begin(session, square_mask)
        expected = values(session.track())[12:]
    with VideoSession(compact, clip, policy=policy, options=options) as session:
        begin(session, square_mask)
        list(session.track(0, 12))
        session.save(path)
    with VideoSession.load(path, compact, clip, options=options) as session:
        assert values(session.track())[12:] == expected


def test_a_good_memory_from_long_ago_is_found_again(compact, make_frames):
    """Going on after hundreds of frames whose masks the policy did not keep."""
    keeps = iter([True] * 3 + [False] * 10_000)
    policy = replace(choose_policy("quality"), keep=lambda _score: next(keeps))
    frames = make_frames(20)
    clip = np.concatenate([frames] * 28)
    with VideoSession(compact, clip, policy=policy) as session:
        session.prompt(1, 0, CLICK)
        list(session.track(0, 559))
        bank = session._bank_at(1, 559, is_backward=False)
    assert [entry.frame for entry in bank.recent] == [1, 2, 3, 558]


def test_a_session_without_objects_is_saved_too(compact, clip, tmp_path):
    with VideoSession(compact, clip) as session:
        session.save(tmp_path / "empty")
    with VideoSession.load(tmp_path / "empty", compact, clip) as session:
        assert session.object_ids == []


def test_memories_that_left_the_archive_are_made_again(compact, clip, tmp_path):
    with VideoSession(compact, clip, options=SessionOptions(archive_bytes=1)) as session:
        session.prompt(1, 0, CLICK)
        list(session.track(0, 10))
        session.save(tmp_path / "session")
    with VideoSession.load(tmp_path / "session", compact, clip) as session:
        frames = list(session.track())
    assert [frame.index for frame in frames if 1 in frame.masks] == list(range(20))


@pytest.fixture
def saved(compact, clip, square_mask, tmp_path):
    path = tmp_path / "session"
    with VideoSession(compact, clip) as session:
        begin(session, square_mask)
        list(session.track(0, 8))
        session.save(path)
    return path


def load(path, loaded, clip):
    with VideoSession.load(path, loaded, clip):
        return


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.5, 0.999])
def test_a_file_that_ends_early_is_not_whole(saved, compact, clip, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SessionError, match="not a whole session file"):
        load(saved, compact, clip)


def test_a_missing_file_is_told(compact, clip, tmp_path):
    with pytest.raises(SessionError, match=r"nowhere\.session"):
        load(tmp_path / "nowhere.session", compact, clip)


def facts_of(path):
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["session"])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda facts: facts.pop("objects"),
        lambda facts: facts.pop("policy"),
        lambda facts: facts.update(objects=[1]),
        lambda facts: facts["objects"]["1"].update(prompts={"0": {"clicks": "no"}}),
        lambda facts: facts["objects"]["1"]["results"].pop("key"),
        lambda facts: facts["objects"]["1"]["results"]["pages"].pop(),
        lambda facts: facts["objects"]["1"]["results"].update(pages=[[0, 7]]),
        lambda facts: facts["objects"]["1"]["results"].update(key="object.1.0.pointer"),
        lambda facts: facts["objects"]["1"]["conditioning"]["0"].update(key="object.9.9"),
        lambda facts: facts["objects"]["1"]["conditioning"]["0"].update(score=None),
        lambda facts: facts.update(archive={"x": {}}),
    ],
)
def test_spoiled_facts_are_told(saved, compact, clip, spoil):
    facts = facts_of(saved)
    spoil(facts)
    save_file(load_file(saved), saved, metadata={"session": json.dumps(facts)})
    with pytest.raises(SessionError, match="not a whole session file"):
        load(saved, compact, clip)


def test_a_session_of_another_version_is_refused(saved, compact, clip):
    facts = facts_of(saved) | {"version": 2}
    save_file(load_file(saved), saved, metadata={"session": json.dumps(facts)})
    with pytest.raises(SessionError, match="another version"):
        load(saved, compact, clip)


def test_results_are_written_as_they_are_packed(compact, clip, tmp_path):
    """A long video's results neither fill the header, which is bounded, nor are they made into values to be written."""
    path = tmp_path / "session"
    with VideoSession(compact, clip) as session:
        session.prompt(1, 0, CLICK)
        list(session.track(0, 5))
        results = session._store.objects[1].results
        for frame in range(5, 3000):
            results[frame] = replace(results[4], version=frame + 100)
        session.save(path)
        expected = dict(results)
    assert len(json.dumps(facts_of(path))) < 8000
    with VideoSession.load(path, compact, clip) as session:
        assert dict(session._store.objects[1].results) == expected
        assert session._store.next_version() > 3099


@pytest.mark.parametrize("metadata", [None, {"session": "{"}, {"session": "[]"}, {"other": "{}"}])
def test_another_safetensors_file_is_no_session(compact, clip, tmp_path, metadata):
    save_file({"a": torch.zeros(2)}, tmp_path / "other", metadata=metadata)
    with pytest.raises(SessionError):
        load(tmp_path / "other", compact, clip)


def test_a_session_of_other_weights_is_refused(saved, compact, clip):
    with pytest.raises(SessionError, match="load that model"):
        load(saved, replace(compact, weights_sha256="other"), clip)


def test_a_failed_save_leaves_the_old_file(compact, clip, saved):
    before = saved.read_bytes()
    saved.with_name(saved.name + ".part").mkdir()
    with VideoSession.load(saved, compact, clip) as session:
        session.remove(1)
        with pytest.raises(SessionError, match="could not be written"):
            session.save(saved)
    assert saved.read_bytes() == before


def test_masks_survive_exactly(saved, compact, clip, square_mask):
    with VideoSession.load(saved, compact, clip) as session:
        shown = {frame.index: frame for frame in session.track(0, 8)}
    assert np.array_equal(shown[5].masks[3], square_mask)
    assert shown[5].prompted == {3}
