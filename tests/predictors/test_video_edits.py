"""Edits: what they change, what they leave alone, and taking them back."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from masklet.errors import PromptError, SessionError
from masklet.predictors.video import VideoSession
from masklet.prompts import Click, PromptSet

CLICK = PromptSet([Click(12, 18)])
BOX = PromptSet(box=(40, 30, 56, 40))
NUM_FRAMES = 10


class ReadCounter:
    """Passes every call on to a network and notes the frames that are tracked, by the order of calls."""

    def __init__(self, network):
        self._network = network
        self.num_reads, self.num_encoded = 0, 0

    def __getattr__(self, name):
        return getattr(self._network, name)

    def encode_image(self, pixels):
        self.num_encoded += 1
        return self._network.encode_image(pixels)

    def read_memory(self, features, memory):
        self.num_reads += len(memory.spatial)
        return self._network.read_memory(features, memory)


class MemoryCounter(ReadCounter):
    """Also notes how many memories were read at each time."""

    def __init__(self, network):
        super().__init__(network)
        self.num_memories = []

    def read_memory(self, features, memory):
        self.num_memories.append(memory.spatial.shape[1])
        return super().read_memory(features, memory)


@pytest.fixture
def frames(make_frames):
    return make_frames(NUM_FRAMES)


def results(session, *, backward=False):
    """Everything shown, as values to compare."""
    return {
        frame.index: {
            key: (frame.masks[key].tobytes(), frame.scores[key], frame.presence[key], key in frame.prompted)
            for key in frame.object_ids
        }
        for frame in session.track(backward=backward)
    }


def test_a_corrected_frame_stays_and_conditions_from_then_on(loaded, frames):
    with VideoSession(loaded, frames) as session:
        session.prompt(1, 0, CLICK)
        before = results(session)
        shown = session.prompt(1, 4, PromptSet([Click(50, 35)]))
        after = results(session)
    assert after[4][1][0] == shown.masks[1].tobytes()
    assert after[4][1][3]
    assert after[0] == before[0]
    # the frames before look ahead to what was said, those behind remember it
    assert all(after[index] != before[index] for index in range(1, NUM_FRAMES))


def test_a_given_mask_is_shown_pixel_for_pixel(loaded, frames, square_mask):
    with VideoSession(loaded, frames) as session:
        session.prompt(1, 0, CLICK)
        list(session.track())
        session.prompt(1, 3, PromptSet(mask=square_mask))
        shown = {frame.index: frame.masks[1] for frame in session.track()}
    assert np.array_equal(shown[3], square_mask)


def test_a_further_click_refines_the_answer_before(loaded, frames):
    more = CLICK.with_click(Click(40, 20, positive=False))
    with VideoSession(loaded, frames) as session:
        session.prompt(1, 0, CLICK)
        refined = session.prompt(1, 0, more)
        assert session.prompts_of(1) == {0: more}
    with VideoSession(loaded, frames) as session:
        afresh = session.prompt(1, 0, more)
    assert np.abs(refined.logits[1] - afresh.logits[1]).max() > 1e-3


@pytest.mark.parametrize("is_backward", [False, True])
def test_a_further_click_on_a_tracked_frame_reads_what_the_first_one_read(
    loaded, frames, is_backward, tmp_path
):
    counter = MemoryCounter(loaded.model)
    counted, path = replace(loaded, model=counter), tmp_path / "session.safetensors"
    first = PromptSet([Click(30, 30)])
    more = first.with_click(Click(10, 40, positive=False))
    with VideoSession(counted, frames) as session:
        session.prompt(1, 9 if is_backward else 0, CLICK)
        results(session, backward=is_backward)
        counter.num_memories.clear()
        session.prompt(1, 5, first)
        session.save(path)
        after = session.prompt(1, 5, more)
    assert counter.num_memories[0] == counter.num_memories[1] > 2
    with VideoSession.load(path, loaded, frames) as session:
        resumed = session.prompt(1, 5, more)
        assert session.undo()
        again = session.prompt(1, 5, more)
    assert np.array_equal(after.logits[1], resumed.logits[1])
    assert np.array_equal(after.logits[1], again.logits[1])


@pytest.mark.parametrize(("frame", "num_tracked"), [(0, 8), (2, 7), (8, 4), (9, 4)])
def test_an_edit_costs_only_the_frames_it_can_change(loaded, frames, frame, num_tracked):
    counter = ReadCounter(loaded.model)
    with VideoSession(replace(loaded, model=counter), frames) as session:
        session.prompt(1, 0, CLICK)
        session.prompt(1, 4, CLICK)
        session.prompt(2, 0, BOX)
        list(session.track())
        assert (counter.num_reads, counter.num_encoded) == (17, NUM_FRAMES)
        session.prompt(1, frame, PromptSet([Click(30, 30)], box=(2, 2, 40, 40)))
        counter.num_reads = 0
        list(session.track())
    assert (counter.num_reads, counter.num_encoded) == (num_tracked, NUM_FRAMES)


def test_an_edit_leaves_what_lies_beyond_the_prompted_frame_before_it(loaded, frames):
    with VideoSession(loaded, frames) as session:
        session.prompt(1, 2, CLICK)
        session.prompt(1, 5, CLICK)
        results(session)
        before = results(session, backward=True)
        session.prompt(1, 8, BOX)
        results(session)
        after = results(session, backward=True)
    assert all(after[index] == before[index] for index in (2, 3, 4, 5))
    # what was tracked backward, before frame 2, has frame 8 behind it
    assert all(after[index] != before[index] for index in (0, 1, 6, 7, 8, 9))


def test_a_frame_tracked_backward_can_be_corrected(loaded, frames):
    with VideoSession(loaded, frames) as session:
        session.prompt(1, 8, CLICK)
        before = results(session, backward=True)
        shown = session.prompt(1, 4, PromptSet([Click(20, 20)]))
        after = results(session, backward=True)
    assert after[4][1][0] == shown.masks[1].tobytes()
    assert after[8] == before[8]
    assert all(after[index] != before[index] for index in (0, 1, 2, 3, 5, 6, 7))


def test_tracking_after_an_edit_is_exact_also_when_memories_were_kept(loaded, frames):
    """A late start reads the archived memories: as if tracking had never stopped."""
    with VideoSession(loaded, frames) as session:
        session.prompt(1, 0, CLICK)
        session.prompt(1, 6, BOX)
        expected = results(session)
    with VideoSession(loaded, frames) as session:
        session.prompt(1, 0, CLICK)
        list(session.track(0, 6))
        session.prompt(1, 6, PromptSet(box=(1, 1, 9, 9)))
        list(session.track())
        session.clear(1, 6)
        session.prompt(1, 6, BOX)
        found = results(session)
    assert found == expected


def test_a_cleared_frame_is_tracked_again(loaded, frames):
    with VideoSession(loaded, frames) as session:
        session.prompt(1, 0, CLICK)
        before = results(session)
        session.prompt(1, 4, BOX)
        list(session.track())
        session.clear(1, 4)
        assert session.prompts_of(1) == {0: CLICK}
        assert results(session) == before
        session.clear(1, 0)
        assert results(session) == {index: {} for index in range(NUM_FRAMES)}
        with pytest.raises(SessionError, match="nothing to clear"):
            session.clear(1, 0)


def test_objects_are_removed_and_renamed(loaded, frames):
    with VideoSession(loaded, frames) as session:
        session.prompt(1, 0, CLICK)
        session.prompt(2, 0, BOX)
        before = results(session)
        session.rename(1, 7)
        session.remove(2)
        assert session.object_ids == [7]
        assert results(session) == {index: {7: shown[1]} for index, shown in before.items()}
        for call in (lambda: session.remove(2), lambda: session.prompts_of(1), lambda: session.rename(1, 3)):
            with pytest.raises(SessionError, match="objects are: 7"):
                call()
        session.prompt(3, 0, BOX)
        with pytest.raises(SessionError, match="exists already"):
            session.rename(3, 7)
        with pytest.raises(PromptError):
            session.rename(3, 0)


def test_an_object_that_takes_an_id_over_has_its_own_memory(loaded, frames):
    """Within a running loop, the memory held for an id must not pass to another object."""
    with VideoSession(loaded, frames) as session:
        session.prompt(1, 0, CLICK)
        session.prompt(2, 0, BOX)
        expected = results(session)
    with VideoSession(loaded, frames) as session:
        session.prompt(1, 0, CLICK)
        session.prompt(2, 0, BOX)
        found = {}
        for frame in session.track():
            found[frame.index] = {key: frame.masks[key].tobytes() for key in frame.object_ids}
            if frame.index == 4:
                session.remove(2)
                session.rename(1, 2)
    assert all(found[index] == {2: expected[index][1][0]} for index in range(5, NUM_FRAMES))


def test_prompts_within_the_loop_take_effect_at_once(loaded, frames):
    with VideoSession(loaded, frames) as session:
        session.prompt(1, 0, CLICK)
        shown = {}
        for frame in session.track():
            shown[frame.index] = frame.object_ids
            if frame.index == 3:
                session.prompt(1, 3, BOX)
                session.prompt(2, 2, BOX)
        after = results(session)
        assert shown[3] == [1]
        assert shown[4] == [1, 2]
        assert 2 in after[3]
        assert 2 not in after[1]


EDITS = st.one_of(
    st.tuples(st.just("prompt"), st.integers(1, 2), st.integers(0, 5), st.sampled_from([CLICK, BOX])),
    st.tuples(st.just("clear"), st.integers(1, 2), st.integers(0, 5)),
    st.tuples(st.just("remove"), st.integers(1, 2)),
    st.tuples(st.just("rename"), st.integers(1, 2), st.integers(1, 3)),
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(EDITS, min_size=1, max_size=5))
def test_undo_brings_every_earlier_state_back(compact, make_frames, edits):
    with VideoSession(compact, make_frames(6)) as session:
        states = []
        for name, *arguments in edits:
            state = results(session), results(session, backward=True)
            try:
                getattr(session, name)(*arguments)
            except SessionError:
                continue
            states.append(state)
        for state in reversed(states):
            assert session.undo()
            assert (results(session), results(session, backward=True)) == state
        assert not session.undo()
        assert session.object_ids == []


def test_memory_of_many_prompts_is_not_left_waiting(compact, make_frames):
    frames = make_frames(9)
    with VideoSession(compact, frames) as session:
        for index in range(9):
            session.prompt(1, index, PromptSet(clicks=[Click(12, 18)]))
        entries = session._store.objects[1].conditioning.values()
        waiting = [one for one in entries if not isinstance(one.written._value, torch.Tensor)]
        assert [one.frame for one in waiting] == [5, 6, 7, 8]
        assert all(len(one.features) for one in waiting)
