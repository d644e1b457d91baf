"""Still images: batches as one by one, saved and shared embeddings, refinement, and what is refused."""

import gc
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from masklet.errors import MediaError, MismatchedWeightsError, PromptError, WeightsError
from masklet.models import sam2_clicks
from masklet.predictors.image import Embedding, ImagePredictor, mask_stability
from masklet.predictors.preprocess import PostProcess
from masklet.prompts import Click, PromptSet

CLICK = PromptSet([Click(12, 18)])
BOX = PromptSet(box=(40, 30, 56, 40))
CLICKS = PromptSet([Click(20, 15), Click(50, 40, positive=False), Click(22, 20)])
LIMIT = 1e-4


def same(one, other):
    limit = LIMIT * max(1, np.abs(other.logits).max())
    return (
        np.abs(one.logits - other.logits).max() <= limit
        and np.abs(one.scores - other.scores).max() <= LIMIT
        and abs(one.presence - other.presence) <= LIMIT
        and np.mean(one.masks != other.masks) < 1e-3
    )


@pytest.mark.parametrize("multimask", [True, False, None])
def test_ragged_batches_of_images_answer_as_one_by_one(loaded, clip, square_mask, multimask):
    predictor = ImagePredictor(loaded)
    images = [clip[0], np.ascontiguousarray(clip[7, :30, :41]), clip[9]]
    prompts = [[CLICK, PromptSet(mask=square_mask), CLICKS], [], [BOX]]
    embeddings = predictor.embed_batch(images)
    together = predictor.predict_batch(embeddings, prompts, multimask=multimask)
    assert [len(found) for found in together] == [3, 0, 1]
    for image, sets, found in zip(images, prompts, together, strict=True):
        for one, masks in zip(sets, found, strict=True):
            (alone,) = predictor.predict_objects(predictor.embed(image), [one], multimask=multimask)
            assert same(masks, alone)
            assert masks.masks.shape == (3 if multimask else 1, *image.shape[:2])


def test_candidates_come_best_first(loaded, photo):
    predictor = ImagePredictor(loaded)
    masks = predictor.predict(predictor.embed(photo), CLICK)
    assert list(masks.scores) == sorted(masks.scores, reverse=True)
    assert (masks.masks.dtype, masks.masks.shape) == (bool, (3, 48, 64))
    assert (masks.logits.dtype, masks.logits.shape) == (np.float32, (3, 48, 64))
    assert masks.low_res_logits.shape == (3, 16, 16)
    assert 0 <= masks.presence <= 1
    assert np.all((mask_stability(masks) >= 0) & (mask_stability(masks) <= 1))


def test_masks_are_the_logits_above_zero_but_for_tidying(loaded, photo):
    plain = ImagePredictor(loaded, post_process=PostProcess(hole_area=0))
    masks = plain.predict(plain.embed(photo), CLICK)
    assert np.array_equal(masks.masks, masks.logits > 0)
    tidy = ImagePredictor(loaded, post_process=PostProcess(hole_area=20))
    assert (tidy.predict(tidy.embed(photo), CLICK).masks >= masks.masks).all()


def test_one_mask_when_asked_for_one(loaded, photo):
    predictor = ImagePredictor(loaded)
    embedding = predictor.embed(photo)
    one = predictor.predict(embedding, CLICKS, multimask=False)
    assert one.masks.shape == (1, 48, 64)
    three = predictor.predict(embedding, CLICK)
    (best,) = predictor.predict_objects(embedding, [CLICK])
    assert best.scores[0] == pytest.approx(three.scores[0], abs=1e-5)


def test_an_answer_can_be_refined(loaded, photo):
    predictor = ImagePredictor(loaded)
    embedding = predictor.embed(photo)
    first = predictor.predict(embedding, CLICK)
    more = CLICK.with_click(Click(40, 20, positive=False))
    refined = predictor.predict(embedding, more, multimask=False, start_logits=first.low_res_logits[0])
    afresh = predictor.predict(embedding, more, multimask=False)
    assert np.abs(refined.logits - afresh.logits).max() > 1e-3


def test_arrays_pictures_and_paths_are_the_same_image(loaded, photo, tmp_path):
    predictor = ImagePredictor(loaded)
    path = tmp_path / "photo.png"
    Image.fromarray(photo).save(path)
    expected = predictor.embed(photo).features.features
    for image in (path, str(path), Image.fromarray(photo)):
        assert torch.equal(predictor.embed(image).features.features, expected)


def test_an_embedding_is_saved_and_loaded(loaded, photo, tmp_path):
    predictor = ImagePredictor(loaded)
    embedding = predictor.embed(photo)
    embedding.save(tmp_path / "photo.embedding")
    again = Embedding.load(tmp_path / "photo.embedding")
    assert (again.size, again.model_name) == (embedding.size, loaded.name)
    one, two = predictor.predict(embedding, CLICK), predictor.predict(again, CLICK)
    assert np.array_equal(one.logits, two.logits)
    assert [file.name for file in tmp_path.iterdir()] == ["photo.embedding"]


@pytest.mark.parametrize("metadata", [None, {"size_hw": "[48"}, {"size_hw": "[48, 64]"}, {"size_hw": "7"}])
def test_another_file_is_no_embedding(tmp_path, metadata):
    maps = {name: torch.zeros(1, 1, 2, 2) for name in ("features", "skip4", "skip8")}
    save_file(maps, tmp_path / "file", metadata=metadata)
    with pytest.raises(WeightsError, match="not a saved embedding"):
        Embedding.load(tmp_path / "file")


def test_a_damaged_embedding_is_told(compact, photo, tmp_path):
    path = tmp_path / "file"
    ImagePredictor(compact).embed(photo).save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="not a saved embedding"):
        Embedding.load(path)


def test_threads_share_an_embedding(compact, photo):
    predictor = ImagePredictor(compact)
    embedding = predictor.embed(photo)
    prompts = [PromptSet([Click(4 * index, 3 * index)]) for index in range(8)]
    expected = [predictor.predict(embedding, one).logits for one in prompts]
    found = [None] * len(prompts)

    def work(index):
        for _ in range(3):
            found[index] = predictor.predict(embedding, prompts[index]).logits

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(prompts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3)),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_arrays_that_are_no_images_are_refused(compact, image):
    with pytest.raises(MediaError, match="RGB uint8"):
        ImagePredictor(compact).embed(image)


def test_prompts_that_do_not_fit_are_refused(compact, photo, square_mask):
    predictor = ImagePredictor(compact)
    embedding = predictor.embed(photo)
    for prompts in (
        PromptSet([Click(64, 0)]),
        PromptSet(box=(70, 0, 80, 9)),
        PromptSet(mask=square_mask[:-1]),
    ):
        with pytest.raises(PromptError):
            predictor.predict(embedding, prompts)
    with pytest.raises(PromptError, match="one per image"):
        predictor.predict_batch([embedding], [])


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (7, 3, 3)])
def test_images_of_any_shape_are_segmented(compact, shape):
    predictor = ImagePredictor(compact)
    masks = predictor.predict(predictor.embed(np.full(shape, 90, np.uint8)), PromptSet([Click(0, 0)]))
    assert masks.masks.shape == (3, *shape[:2])


def test_an_embedding_of_another_model_is_refused(compact, photo, tmp_path):
    embedding = ImagePredictor(compact).embed(photo)
    embedding.save(tmp_path / "embedding")
    other = ImagePredictor(replace(compact, weights_sha256="other"))
    for one in (embedding, Embedding.load(tmp_path / "embedding")):
        assert ImagePredictor(compact).predict(one, PromptSet([Click(12, 18)])).masks.shape[0] == 3
        with pytest.raises(MismatchedWeightsError, match="embed the image again"):
            other.predict(one, PromptSet([Click(12, 18)]))


@pytest.mark.parametrize("prompts", [[CLICK], [CLICKS], [BOX], [CLICK, CLICK, PromptSet([Click(50, 40)])]])
def test_prompts_of_one_image_answer_as_the_plain_decoder(make_lively, photo, monkeypatch, prompts):
    predictor = ImagePredictor(make_lively("debug"), second_look=False)
    embedding = predictor.embed(photo)
    decoded = []
    original = sam2_clicks.decode
    monkeypatch.setattr(sam2_clicks, "decode", lambda *given: decoded.append(1) or original(*given))
    fast = predictor.predict_objects(embedding, prompts, multimask=True)
    refined = predictor.predict(embedding, CLICK, start_logits=fast[0].low_res_logits[0])
    assert len(decoded) == 2
    monkeypatch.setattr(sam2_clicks, "is_possible", lambda *_: False)
    assert all(map(same, fast, predictor.predict_objects(embedding, prompts, multimask=True)))
    assert same(refined, predictor.predict(embedding, CLICK, start_logits=fast[0].low_res_logits[0]))
    assert len(decoded) == 2


def test_what_an_image_brings_is_prepared_once_and_not_kept_for_longer(make_lively, photo, clip, monkeypatch):
    predictor = ImagePredictor(make_lively("debug"), second_look=False)
    prepared = []
    original = sam2_clicks.prepare
    monkeypatch.setattr(sam2_clicks, "prepare", lambda *given: prepared.append(1) or original(*given))
    embedding, other = predictor.embed(photo), predictor.embed(clip[3])
    first = predictor.predict(embedding, CLICK)
    predictor.predict(embedding, BOX)
    assert len(prepared) == 1
    assert not same(predictor.predict(other, CLICK), first)
    assert same(predictor.predict(embedding, CLICK), first)
    assert len(prepared) == 3
    del embedding, other
    gc.collect()
    assert predictor._last_shared is None
