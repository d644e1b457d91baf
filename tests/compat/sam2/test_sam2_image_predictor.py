"""The image notebook's flow, and what the documentation says of arguments, shapes and types."""

import numpy as np
import pytest
import torch
from PIL import Image

from masklet.compat.sam2 import SAM2ImagePredictor, build_sam2
from masklet.errors import PromptError, SessionError
from masklet.predictors.image import ImagePredictor
from masklet.prompts import Click, PromptSet

POINTS, LABELS = np.array([[12, 18], [50, 35]]), np.array([1, 0])
BOX = np.array([4, 10, 20, 26])


@pytest.fixture(params=["debug", "debug-compact"])
def predictor(request, checkpoint):
    return SAM2ImagePredictor(build_sam2(request.param, checkpoint(request.param), device="cpu"))


@pytest.fixture
def photo(frames):
    return frames[0]


def side_of(predictor):
    return predictor.model.loaded.config.mask_side


def assert_answer(answer, predictor, count, *first):
    masks, scores, low = answer
    side = side_of(predictor)
    assert masks.shape == (*first, count, 48, 64)
    assert scores.shape == (*first, count)
    assert low.shape == (*first, count, side, side)
    assert {masks.dtype, scores.dtype, low.dtype} == {np.dtype(np.float32)}
    assert set(np.unique(masks)) <= {0.0, 1.0}


def test_the_image_notebook(predictor, photo):
    predictor.set_image(photo)
    masks, scores, logits = predictor.predict(POINTS[:1], LABELS[:1], multimask_output=True)
    assert_answer((masks, scores, logits), predictor, 3)
    order = np.argsort(scores)[::-1]
    masks, scores, logits = masks[order], scores[order], logits[order]
    best = logits[np.argmax(scores), :, :]
    refined = predictor.predict(
        point_coords=POINTS, point_labels=LABELS, mask_input=best[None, :, :], multimask_output=False
    )
    assert_answer(refined, predictor, 1)
    unrefined = predictor.predict(POINTS, LABELS, multimask_output=False)
    assert not np.array_equal(refined[2], unrefined[2])
    assert_answer(predictor.predict(box=BOX[None, :], multimask_output=False), predictor, 1)
    assert_answer(predictor.predict(POINTS[1:], LABELS[1:], box=BOX, multimask_output=False), predictor, 1)


def test_a_batch_of_boxes_answers_with_a_first_axis(predictor, photo):
    predictor.set_image(photo)
    boxes = np.array([BOX, BOX + 5, BOX + 9])
    together = predictor.predict(box=boxes, multimask_output=False)
    assert_answer(together, predictor, 1, 3)
    alone = predictor.predict(box=boxes[1], multimask_output=False)
    np.testing.assert_allclose(together[2][1], alone[2], atol=1e-4)


def test_a_batch_of_points_answers_with_a_first_axis(predictor, photo):
    predictor.set_image(photo)
    answer = predictor.predict(np.stack([POINTS, POINTS[::-1]]), np.stack([LABELS, LABELS]))
    assert_answer(answer, predictor, 3, 2)


def test_images_in_a_batch_answer_as_alone(predictor, frames):
    predictor.set_image_batch([frames[0], frames[3]])
    masks, scores, low = predictor.predict_batch(
        [POINTS, POINTS[:1]], [LABELS, LABELS[:1]], multimask_output=True
    )
    assert [len(masks), len(scores), len(low)] == [2, 2, 2]
    predictor.set_image(frames[3])
    alone = predictor.predict(POINTS[:1], LABELS[:1])
    for mine, other in zip((masks[1], scores[1], low[1]), alone, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_boxes_of_each_image_of_a_batch(predictor, frames):
    predictor.set_image_batch(list(frames[:2]))
    masks, _, _ = predictor.predict_batch(box_batch=[np.array([BOX, BOX + 4]), BOX], multimask_output=False)
    assert [one.shape for one in masks] == [(2, 1, 48, 64), (1, 48, 64)]


def test_candidates_come_in_the_decoders_order(predictor, photo):
    plain = ImagePredictor(predictor.model.loaded, post_process=predictor.tidying, second_look=False)
    embedding = plain.embed(photo)
    features, prompt = embedding.features, PromptSet(clicks=[Click(12, 18)])
    ranked = plain.predict(embedding, prompt)
    unranked = plain.predict_batch([embedding], [[prompt]], multimask=True, ranked=False)[0][0]
    np.testing.assert_array_equal(np.sort(unranked.scores)[::-1], ranked.scores)
    points = torch.tensor([[[12.0, 24.0], [0.0, 0.0]]])
    encoded = plain.model.model.encode_prompts(points, torch.tensor([[1, -1]]))
    with torch.inference_mode():
        decoded = plain.model.model.decode(features.features, features.skips, encoded)
    np.testing.assert_allclose(unranked.scores, decoded.iou[0, 1:].numpy(), atol=1e-4)


def test_logits_are_above_the_threshold_where_the_mask_is(checkpoint, photo):
    model = build_sam2("debug", checkpoint("debug"), device="cpu")
    for threshold, hole in ((0.0, 0), (0.7, 0), (0.0, 40), (-0.5, 40)):
        predictor = SAM2ImagePredictor(
            model, mask_threshold=threshold, max_hole_area=hole, max_sprinkle_area=hole
        )
        predictor.set_image(photo)
        masks, _, _ = predictor.predict(POINTS, LABELS)
        logits, _, _ = predictor.predict(POINTS, LABELS, return_logits=True)
        assert logits.dtype == np.float32
        np.testing.assert_array_equal(logits > threshold, masks > 0)


def test_holes_are_filled_only_when_asked(checkpoint, photo):
    model = build_sam2("debug", checkpoint("debug"), device="cpu")
    areas = []
    for hole in (0, 40):
        predictor = SAM2ImagePredictor(model, max_hole_area=hole)
        predictor.set_image(photo)
        areas.append(predictor.predict(POINTS, LABELS)[0].sum())
    assert areas[1] > areas[0]


def test_shares_of_the_sides_say_the_same_as_pixels(predictor, photo):
    predictor.set_image(photo)
    in_pixels = predictor.predict(POINTS, LABELS, box=BOX)
    shares = predictor.predict(POINTS / (64, 48), LABELS, box=BOX / (64, 48, 64, 48), normalize_coords=False)
    np.testing.assert_allclose(in_pixels[2], shares[2], atol=1e-4)


@pytest.mark.parametrize("kind", [torch.tensor, list, np.float32])
def test_tensors_lists_and_other_numbers_are_taken(predictor, photo, kind):
    predictor.set_image(photo)
    expected = predictor.predict(POINTS, LABELS)
    np.testing.assert_array_equal(predictor.predict(kind(POINTS), kind(LABELS))[2], expected[2])


def test_a_picture_of_pil_is_taken(predictor, photo):
    predictor.set_image(photo)
    expected = predictor.predict(POINTS, LABELS)
    predictor.set_image(Image.fromarray(photo))
    np.testing.assert_array_equal(predictor.predict(POINTS, LABELS)[2], expected[2])


def test_corners_may_be_given_as_labelled_points(predictor, photo):
    predictor.set_image(photo)
    corners = predictor.predict(BOX.reshape(2, 2), np.array([2, 3]))
    np.testing.assert_array_equal(corners[2], predictor.predict(box=BOX)[2])


def test_a_mask_alone_is_refined(predictor, photo):
    predictor.set_image(photo)
    low = predictor.predict(POINTS, LABELS, multimask_output=False)[2]
    assert_answer(predictor.predict(mask_input=low, multimask_output=False), predictor, 1)


def test_clicks_beyond_the_edge_count_as_on_it(predictor, photo):
    predictor.set_image(photo)
    beyond = predictor.predict(np.array([[64, 48]]), np.array([1]))
    at_edge = predictor.predict(np.array([[63.9999, 47.9999]]), np.array([1]))
    np.testing.assert_allclose(beyond[2], at_edge[2], atol=1e-3)


def test_the_embedding_is_a_tensor(predictor, photo):
    predictor.set_image(photo)
    embedding = predictor.get_image_embedding()
    grid = predictor.model.loaded.config.grid
    assert embedding.shape == (1, predictor.model.loaded.config.hidden_dim, grid, grid)
    assert predictor.device == embedding.device


def test_what_existing_code_reads_of_an_image_is_there(predictor, frames):
    assert (predictor._features, predictor._orig_hw, predictor._is_image_set) == (None, None, False)
    predictor.set_image_batch([frames[0], frames[1]])
    config = predictor.model.loaded.config
    found = predictor._features
    assert found["image_embed"].shape == (2, config.hidden_dim, config.grid, config.grid)
    assert [one.shape[2] for one in found["high_res_feats"]] == [4 * config.grid, 2 * config.grid]
    assert (predictor._orig_hw, predictor._is_image_set) == ([(48, 64)] * 2, True)
    predictor.set_image(frames[1])
    assert torch.equal(predictor._features["image_embed"], predictor.get_image_embedding())
    assert torch.equal(predictor._features["image_embed"][0], found["image_embed"][1])


def test_code_that_waits_for_a_runtime_error_gets_one(predictor):
    with pytest.raises(RuntimeError, match="set_image"):
        predictor.predict(POINTS, LABELS)


def test_nothing_is_predicted_without_an_image(predictor, photo):
    with pytest.raises(SessionError, match="set_image"):
        predictor.predict(POINTS, LABELS)
    predictor.set_image(photo)
    with pytest.raises(SessionError, match="set_image_batch"):
        predictor.predict_batch([POINTS], [LABELS])
    predictor.reset_predictor()
    with pytest.raises(SessionError, match="set_image"):
        predictor.get_image_embedding()


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"point_coords": POINTS},
        {"point_coords": POINTS, "point_labels": LABELS[:1]},
        {"point_coords": POINTS, "point_labels": np.array([1, 7])},
        {"point_coords": POINTS[:1], "point_labels": np.array([2])},
        {"box": np.array([9, 9, 9, 20])},
    ],
)
def test_prompts_that_do_not_fit_are_refused(predictor, photo, said):
    predictor.set_image(photo)
    with pytest.raises(PromptError):
        predictor.predict(**said)


def test_from_pretrained_takes_the_arguments_of_both(checkpoint):
    predictor = SAM2ImagePredictor.from_pretrained(
        "debug", ckpt_path=checkpoint("debug"), device="cpu", mask_threshold=0.5
    )
    assert predictor.mask_threshold == 0.5
