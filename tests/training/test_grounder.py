"""The embedded detector's training: photos, targets, what is kept, and a head that learns."""

import io
import json
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from masklet.errors import MismatchedWeightsError, TrainingError
from masklet.grounding.head import EncoderMaps, GrounderHead, HeadConfig
from masklet.grounding.network import GrounderNetwork, head_config_for
from masklet.grounding.vocabulary import VOC_CLASSES
from masklet.masks import rle
from masklet.models.config import CompactEncoderConfig
from masklet.training.grounder_cache import PhotoCache
from masklet.training.grounder_linear import fit_direct
from masklet.training.grounder_loop import HeadData, HeadTraining, start_direct, train_head
from masklet.training.grounder_photos import (
    in_training_order,
    read_held_out_photos,
    read_training_photos,
    square_windows,
)
from masklet.training.grounder_targets import GRID, make_target, taught_probabilities
from masklet.training.grounder_teacher import Teacher, load_teacher, teach

HEIGHT, WIDTH = 48, 96
DOG, PERSON = (1 + VOC_CLASSES.index(name) for name in ("dog", "person"))


def square(x0, y0, x1, y1):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def add(archive, name, content):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def add_photo(archive, source, name, kind, masks, labels=None):
    buffer = io.BytesIO()
    Image.fromarray(np.full((HEIGHT, WIDTH, 3), 90, np.uint8)).save(buffer, format="WEBP")
    add(archive, f"{source}/{name}.webp", buffer.getvalue())
    listing = {"size": [HEIGHT, WIDTH], "kind": kind}
    listing["rle"] = [rle.encode(mask).counts.decode() for mask in masks]
    listing |= {} if labels is None else {"labels": labels}
    add(archive, f"{source}/{name}.json", json.dumps(listing).encode())


@pytest.fixture
def data_folder(tmp_path):
    for shard in ("photos-1", "photos-dev"):
        with tarfile.open(tmp_path / f"{shard}.tar", "w") as archive:
            dog, ball = square(8, 8, 40, 40), square(50, 20, 60, 30)
            add_photo(archive, "coco", f"{shard}-1", "instances", [dog, ball], ["dog", "sports ball"])
            for number in range(5):
                add_photo(archive, "human", f"{shard}-{number}", "foreground", [square(0, 0, 48, 48)])
    return tmp_path


def test_photos_keep_the_names_of_their_masks(data_folder):
    photos = read_training_photos(data_folder, {"coco": 9, "human": 3})
    assert [one.source for one in photos] == ["coco", "human", "human", "human"]
    assert photos[0].names == ("dog", "sports ball")
    assert photos[1].names == ("",)
    assert photos[0].image().shape == (HEIGHT, WIDTH, 3)
    assert photos[0].mask(0).sum() == 32 * 32


def test_held_out_photos_are_never_trained_on(data_folder):
    trained = {one.key for one in read_training_photos(data_folder)}
    held_out = {one.key for one in read_held_out_photos(data_folder)}
    assert trained
    assert held_out
    assert not trained & held_out


def test_the_order_is_the_same_every_time(data_folder):
    photos = read_training_photos(data_folder)
    ordered = in_training_order(photos)
    assert ordered[0].source == "coco"
    assert sorted(one.key for one in ordered) == sorted(one.key for one in photos)
    assert [one.key for one in ordered] == [one.key for one in in_training_order(photos)]


def test_photos_are_shown_in_square_windows_with_their_masks(data_folder):
    photo, human = read_training_photos(data_folder, {"coco": 1, "human": 1})
    views = square_windows(photo)
    assert len({one.key for one in views}) == len(views) == 7
    left, right = views[:2]
    assert (left.window, right.window) == ((0, 0, HEIGHT), (WIDTH - HEIGHT, 0, HEIGHT))
    assert left.image().shape == (HEIGHT, HEIGHT, 3)
    assert left.mask(0).sum() == 32 * 32
    assert right.mask(0).sum() == 0
    for one in (*views[2:], *square_windows(human)[1:]):
        side = one.window[2]
        assert side == round(0.6 * HEIGHT)
        assert one.image().shape == (side, side, 3)
        assert one.mask(0).shape == (side, side)
    assert [one.window for one in square_windows(human)] == [one.window for one in square_windows(human)]
    enlarged = make_target(views[2], None)
    assert set(enlarged.probabilities.argmax(dim=0).unique().tolist()) == {0, DOG}


def test_maps_are_kept_and_the_teachers_answers_come_from_them(data_folder, tmp_path):
    torch.manual_seed(0)
    config = CompactEncoderConfig(
        stem_channels=8,
        block_channels=(8, 8, 8, 12, 12),
        block_strides=(1, 2, 2, 2, 1),
        block_dilations=(1, 1, 1, 1, 1),
        expansion=2,
        context_channels=16,
        tap_blocks=(1, 2, 4),
    )
    network = GrounderNetwork(config, head_config_for(config)).eval()
    logits = torch.nn.Conv2d(16, 21, 1)
    cache = PhotoCache(tmp_path / "kept", network=network, logits=logits)
    views = square_windows(read_training_photos(data_folder, {"human": 1})[0])
    assert not cache.has(views[0])
    assert list(cache.fill(views)) == [1, 2]
    assert all(cache.has(one) for one in views)
    maps, answer = cache.maps(views[0]), cache.answer(views[0])
    assert maps.context.shape == (1, 16, 24, 24)
    with torch.inference_mode():
        assert np.allclose(answer, logits(maps.context.float())[0], atol=1e-5)
    assert len(HeadData.gather(views, cache, cache)) == 2
    torch.nn.init.zeros_(network.encoder.stem.conv.weight)
    assert not PhotoCache(tmp_path / "kept", network=network, logits=logits).has(views[0])


def test_a_folder_without_shards_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="holds none of the shards"):
        read_training_photos(tmp_path)


def test_where_people_outlined_everything_the_rest_is_background(data_folder):
    photo = read_training_photos(data_folder, {"coco": 1})[0]
    target = make_target(photo, None)
    classes = target.probabilities.argmax(dim=0)
    assert set(classes.unique().tolist()) == {0, DOG}
    assert (classes == DOG).sum() == 16 * 32
    assert torch.allclose(target.probabilities.sum(dim=0), torch.ones(GRID, GRID), atol=1e-5)
    assert target.has_reach.sum() > (classes == DOG).sum()  # the ball has a box, though it is of no class
    x, y = 10, 20  # a cell of the dog, whose box is 4/48 to 20/48 by 8/48 to 40/48
    expected = torch.tensor([10.5 - 4, 20.5 - 8, 20 - 10.5, 40 - 20.5]) / GRID
    assert torch.allclose(target.reach[:, y, x], expected, atol=1e-5)


def test_people_correct_the_teacher(data_folder):
    photo = read_training_photos(data_folder, {"human": 1})[0]
    answer = np.zeros((21, 24, 24), np.float32)
    answer[DOG] = 9
    probabilities = make_target(photo, answer).probabilities
    assert (probabilities[:, :, :24].argmax(dim=0) == PERSON).all()
    assert (probabilities[:, :, 24:].argmax(dim=0) == DOG).all()
    assert taught_probabilities(answer).argmax(axis=0).min() == DOG


def test_the_teacher_answers_on_a_square_grid(tmp_path):
    torch.manual_seed(0)
    answer = teach(Teacher().eval(), np.full((30, 60, 3), 128, np.uint8))
    assert answer.shape == (21, 24, 24)
    from safetensors.torch import save_file

    save_file({"head.logits.weight": torch.zeros(21, 256, 1, 1)}, tmp_path / "t.safetensors")
    with pytest.raises(MismatchedWeightsError, match="DeepLabV3 head"):
        load_teacher(tmp_path / "t.safetensors")


def made_data(num_photos=6):
    """Photos whose class and box can be read off the maps."""
    generator = torch.Generator().manual_seed(0)
    context = 0.1 * torch.randn(num_photos, 8, 24, 24, generator=generator)
    probabilities = torch.zeros(num_photos, 21, GRID, GRID)
    probabilities[:, 0] = 1
    reach = torch.full((num_photos, 4, GRID, GRID), 0.4)
    has_reach = torch.zeros(num_photos, GRID, GRID, dtype=torch.bool)
    for index in range(num_photos):
        row, column = 2 * index, 20 - 2 * index
        context[index, 0, row : row + 8, column : column + 4] += 3
        inside = np.s_[index, :, 2 * row : 2 * row + 16, 2 * column : 2 * column + 8]
        probabilities[inside] = 0
        probabilities[index, DOG, 2 * row : 2 * row + 16, 2 * column : 2 * column + 8] = 1
        has_reach[index, 2 * row : 2 * row + 16, 2 * column : 2 * column + 8] = True
    fine = torch.zeros(num_photos, 4, GRID, GRID)
    maps = EncoderMaps(context.half(), torch.zeros(num_photos, 4, 24, 24).half(), fine.half())
    return HeadData(maps=maps, probabilities=probabilities.half(), reach=reach.half(), has_reach=has_reach)


def made_head():
    torch.manual_seed(1)
    config = HeadConfig(context_channels=8, coarse_channels=4, fine_channels=4, hidden=8, hidden_fine=8)
    return GrounderHead(config)


RECIPE = HeadTraining(epochs=12, batch_size=3, learning_rate=2e-2)


def test_a_head_learns(tmp_path):
    head = made_head()
    recipe = replace(RECIPE, epochs=50)
    reports = list(train_head(head, made_data(), recipe, tmp_path / "state.pt"))
    assert [one.epoch for one in reports] == list(range(1, 51))
    assert reports[-1].class_loss < 0.5 * reports[0].class_loss
    assert reports[-1].box_iou > reports[0].box_iou
    maps, target = made_data().batch(torch.arange(2))
    found = head(maps).logits.argmax(dim=1) == DOG
    wanted = target.probabilities[:, DOG] == 1
    assert (found & wanted).sum() > 0.8 * wanted.sum()


def test_a_broken_run_ends_as_a_whole_one(tmp_path):
    whole, broken = made_head(), made_head()
    list(train_head(whole, made_data(), RECIPE, tmp_path / "whole.pt"))
    state = tmp_path / "broken.pt"
    for report in train_head(broken, made_data(), RECIPE, state):
        if report.epoch == 5:
            break
    again = made_head()
    assert next(train_head(again, made_data(), RECIPE, state)).epoch == 6
    list(train_head(again, made_data(), RECIPE, state))
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_the_linear_layer_is_fitted_and_held_to_its_start():
    head = made_head()
    torch.nn.init.zeros_(head.direct.weight)
    before, after = fit_direct(head.direct, made_data())
    assert after < 0.5 * before
    maps, target = made_data().batch(torch.arange(2))
    with torch.inference_mode():
        found = head(maps).logits.argmax(dim=1) == DOG
    wanted = target.probabilities[:, DOG] == 1
    assert (found & wanted).sum() > 0.8 * wanted.sum()
    assert head.direct.weight[PERSON].abs().max() < head.direct.weight[DOG].abs().max()


def test_the_direct_path_starts_as_the_teachers():
    head = made_head()
    logits = torch.nn.Conv2d(8, 21, 1)
    start_direct(head, logits)
    maps, _ = made_data().batch(torch.arange(1))
    with torch.inference_mode():
        ours, theirs = head(maps).logits, logits(maps.context)
    enlarged = torch.nn.functional.interpolate(theirs, scale_factor=2.0, mode="bilinear")
    assert torch.allclose(ours, enlarged, atol=1e-5)
