"""The video notebook's flow, and what the documentation says of arguments, shapes and states."""

import numpy as np
import pytest
import torch

from masklet.compat.sam2 import SAM2VideoPredictor, build_sam2, build_sam2_video_predictor
from masklet.errors import MediaError, PromptError, SessionError
from masklet.predictors.video import VideoSession
from masklet.prompts import Click, PromptSet

ABSENT = -1024.0
CLICK = {"points": np.array([[12, 18]], dtype=np.float32), "labels": np.array([1], np.int32)}
OTHER = {"points": np.array([[48, 35]], dtype=np.float32), "labels": np.array([1], np.int32)}


@pytest.fixture
def predictor(checkpoint):
    return build_sam2_video_predictor("debug", checkpoint("debug"), device="cpu")


@pytest.fixture
def state(predictor, video_folder):
    return predictor.init_state(video_path=video_folder)


def visited(outputs):
    return [frame for frame, _, _ in outputs]


def test_the_video_notebook(predictor, video_folder):
    state = predictor.init_state(video_path=video_folder)
    predictor.reset_state(state)
    frame, ids, logits = predictor.add_new_points_or_box(state, frame_idx=0, obj_id=1, **CLICK)
    assert (frame, ids) == (0, [1])
    assert logits.shape == (1, 1, 48, 64)
    assert logits.dtype == torch.float32
    more = {"points": np.array([[12, 18], [30, 40]], np.float32), "labels": np.array([1, 0], np.int32)}
    _, _, refined = predictor.add_new_points_or_box(inference_state=state, frame_idx=0, obj_id=1, **more)
    assert not torch.equal(refined, logits)
    segments = {
        index: {obj_id: (masks[row] > 0.0).cpu().numpy() for row, obj_id in enumerate(ids)}
        for index, ids, masks in predictor.propagate_in_video(state)
    }
    assert sorted(segments) == list(range(6))
    assert all(found[1].shape == (1, 48, 64) for found in segments.values())
    box = np.array([40, 30, 56, 40], np.float32)
    _, ids, both = predictor.add_new_points_or_box(state, frame_idx=0, obj_id=4, box=box)
    assert ids == [1, 4]
    assert both.shape == (2, 1, 48, 64)
    assert [ids for _, ids, _ in predictor.propagate_in_video(state)] == [[1, 4]] * 6


def test_masks_are_those_of_a_session(predictor, state, video_folder):
    predictor.add_new_points_or_box(state, 0, 1, **CLICK)
    with VideoSession(predictor.model.loaded, video_folder) as session:
        session.prompt(object_id=1, frame=0, prompts=PromptSet(clicks=[Click(12, 18)]))
        for (_, _, logits), frame in zip(predictor.propagate_in_video(state), session.track(), strict=True):
            np.testing.assert_array_equal((logits[0, 0] > 0).numpy(), frame.masks[1])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [2, 3, 4, 5]),
        ({"start_frame_idx": 0}, [0, 1, 2, 3, 4, 5]),
        ({"max_frame_num_to_track": 2}, [2, 3, 4]),
        ({"start_frame_idx": 3, "max_frame_num_to_track": 0}, [3]),
        ({"reverse": True}, [2, 1, 0]),
        ({"reverse": True, "start_frame_idx": 4, "max_frame_num_to_track": 3}, [4, 3, 2, 1]),
        ({"reverse": True, "start_frame_idx": 0}, [0]),
    ],
)
def test_which_frames_are_visited(predictor, state, arguments, expected):
    predictor.add_new_points_or_box(state, 2, 1, **CLICK)
    assert visited(predictor.propagate_in_video(state, **arguments)) == expected


def test_an_object_is_absent_before_its_first_prompt(predictor, state):
    predictor.add_new_points_or_box(state, 0, "early", **CLICK)
    predictor.add_new_points_or_box(state, 3, "late", **OTHER)
    for frame, ids, logits in predictor.propagate_in_video(state):
        assert ids == ["early", "late"]
        assert bool((logits[1] == ABSENT).all()) == (frame < 3)
        assert not bool((logits[0] == ABSENT).all())


def test_objects_may_come_after_tracking_has_begun(predictor, state):
    predictor.add_new_points_or_box(state, 0, 7, **CLICK)
    before = {frame: logits for frame, _, logits in predictor.propagate_in_video(state)}
    _, ids, logits = predictor.add_new_points_or_box(state, 2, 3, **OTHER)
    assert ids == [7, 3]
    torch.testing.assert_close(logits[0], before[2][0], atol=0.02, rtol=0.01)
    after = {frame: logits for frame, _, logits in predictor.propagate_in_video(state)}
    for frame in range(6):
        assert torch.equal(after[frame][0] > 0, before[frame][0] > 0)


def test_points_are_added_or_replaced(predictor, state):
    session = state.session
    predictor.add_new_points_or_box(state, 0, 1, **CLICK)
    predictor.add_new_points(state, 0, 1, OTHER["points"], np.array([0]), clear_old_points=False)
    assert session.prompts_of(1)[0].clicks == (Click(12, 18), Click(48, 35, positive=False))
    predictor.add_new_points(state, 0, 1, **OTHER)
    assert session.prompts_of(1)[0].clicks == (Click(48, 35),)


def test_points_come_to_a_box(predictor, state):
    predictor.add_new_points_or_box(state, 0, 1, box=[4, 10, 20, 26])
    predictor.add_new_points_or_box(state, 0, 1, **CLICK, clear_old_points=False)
    said = state.session.prompts_of(1)[0]
    assert said.clicks == (Click(12, 18),)
    assert said.box is not None


def test_shares_of_the_sides_say_the_same_as_pixels(predictor, state):
    predictor.add_new_points_or_box(
        state, 0, 1, points=[[12 / 64, 18 / 48]], labels=[1], normalize_coords=False
    )
    (click,) = state.session.prompts_of(1)[0].clicks
    assert (click.x, click.y) == pytest.approx((12, 18))


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_a_mask_is_its_own_answer(predictor, state, kind):
    mask = np.zeros((48, 64), bool)
    mask[10:26, 4:20] = True
    _, _, logits = predictor.add_new_mask(state, 0, 1, kind(mask))
    np.testing.assert_array_equal((logits[0, 0] > 0).numpy(), mask)
    (first, *_) = predictor.propagate_in_video(state)
    np.testing.assert_array_equal((first[2][0, 0] > 0).numpy(), mask)


def test_a_mask_of_another_size_is_brought_to_the_videos(predictor, state):
    mask = np.zeros((24, 32), bool)
    mask[5:13, 2:10] = True
    _, _, logits = predictor.add_new_mask(state, 0, 1, mask)
    assert int((logits > 0).sum()) == pytest.approx(4 * mask.sum(), rel=0.1)


def test_masks_share_no_pixel_when_asked(checkpoint, video_folder):
    model = build_sam2("debug", checkpoint("debug"), device="cpu")
    predictor = SAM2VideoPredictor(model, non_overlap_masks=True)
    state = predictor.init_state(video_folder)
    predictor.add_new_points_or_box(state, 0, 1, **CLICK)
    predictor.add_new_points_or_box(state, 0, 2, **OTHER)
    for _, _, logits in predictor.propagate_in_video(state):
        assert int((logits > 0).sum(dim=0).max()) <= 1


def test_prompts_of_a_frame_are_cleared(predictor, state):
    predictor.add_new_points_or_box(state, 0, 1, **CLICK)
    predictor.add_new_points_or_box(state, 2, 1, **OTHER)
    frame, ids, logits = predictor.clear_all_prompts_in_frame(state, 2, 1)
    assert (frame, ids) == (2, [1])
    assert bool((logits == ABSENT).all())
    assert predictor.clear_all_prompts_in_frame(state, 2, 1, need_output=False) is None
    assert visited(predictor.propagate_in_video(state)) == [0, 1, 2, 3, 4, 5]


def test_an_object_is_removed(predictor, state):
    predictor.add_new_points_or_box(state, 0, 1, **CLICK)
    predictor.add_new_points_or_box(state, 0, 2, **OTHER)
    ids, updated = predictor.remove_object(state, 1)
    assert ids == [2]
    assert [(frame, masks.shape) for frame, masks in updated] == [(0, (1, 1, 48, 64))]
    assert predictor.remove_object(state, 9) == ([2], [])
    with pytest.raises(SessionError, match="no object 9"):
        predictor.remove_object(state, 9, strict=True)
    assert predictor.remove_object(state, 2, need_output=False) == ([], [])


def test_a_state_is_reset(predictor, state):
    predictor.add_new_points_or_box(state, 0, 1, **CLICK)
    predictor.reset_state(state)
    assert state["obj_ids"] == []
    with pytest.raises(SessionError, match="Nothing was prompted"):
        next(predictor.propagate_in_video(state))
    assert predictor.add_new_points_or_box(state, 1, 5, **CLICK)[1] == [5]


def test_a_state_tells_its_entries(predictor, state):
    predictor.add_new_points_or_box(state, 0, 8, **CLICK)
    assert (state["num_frames"], state["video_height"], state["video_width"]) == (6, 48, 64)
    assert (state["obj_id_to_idx"], state["obj_idx_to_id"]) == ({8: 0}, {0: 8})
    assert state["device"] == state["storage_device"] == torch.device("cpu")
    assert "images" not in state


def test_states_do_not_know_of_each_other(predictor, video_folder):
    first, second = predictor.init_state(video_folder), predictor.init_state(video_folder)
    predictor.add_new_points_or_box(first, 0, 1, **CLICK)
    assert second["obj_ids"] == []


def test_offloading_is_accepted(predictor, video_folder):
    state = predictor.init_state(
        video_folder, offload_video_to_cpu=True, offload_state_to_cpu=True, async_loading_frames=True
    )
    assert predictor.add_new_points_or_box(state, 0, 1, **CLICK)[2].device == torch.device("cpu")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"points": [[5, 5]]},
        {"box": [1, 1, 5, 5], "clear_old_points": False},
        {"points": [[5, 5]], "labels": [1], "frame_idx": 99},
    ],
)
def test_prompts_that_do_not_fit_leave_no_object_behind(predictor, state, said):
    with pytest.raises((PromptError, SessionError)):
        predictor.add_new_points_or_box(state, **{"frame_idx": 0, "obj_id": 1, **said})
    assert state["obj_ids"] == []


def test_streams_and_missing_videos_are_refused(predictor, frames):
    with pytest.raises(SessionError, match="stream"):
        predictor.init_state(iter(frames))
    with pytest.raises(MediaError):
        predictor.init_state("no-such-folder")


def test_from_pretrained_takes_the_builders_arguments(checkpoint):
    predictor = SAM2VideoPredictor.from_pretrained("debug", ckpt_path=checkpoint("debug"), device="cpu")
    assert predictor.tidying.hole_area == 8
    assert predictor.to("cpu").eval() is predictor


def test_optimized_predictors_compile(checkpoint, video_folder):
    usual, optimized = (
        build_sam2_video_predictor("debug", checkpoint("debug"), device="cpu", vos_optimized=one)
        for one in (False, True)
    )
    assert usual.init_state(video_folder).session.options.compilation is None
    assert optimized.init_state(video_folder).session.options.compilation is not None
