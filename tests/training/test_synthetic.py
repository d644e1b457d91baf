import numpy as np
import pytest

from masklet.training.actors import ActorConfig, draw_held, draw_occluder, draw_positions
from masklet.training.inpaint import fill_hole
from masklet.training.layers import Layer, compose
from masklet.training.motion import camera_path, damped_path, drawn_bends, object_path, translation
from masklet.training.sprites import build_pool, recoloured, shape_sprite
from masklet.training.synthetic import ClipRenderer, SyntheticConfig
from masklet.training.views import ViewConfig

SIDE = 64


@pytest.fixture(scope="module")
def pool(shards):
    return build_pool(shards)


def _renderer(pool, *, num_frames=5, **changes):
    config = SyntheticConfig(**changes)
    return ClipRenderer(
        config=config, view=ViewConfig(), side=SIDE, num_frames=num_frames, max_objects=4, pool=pool
    )


@pytest.mark.parametrize("num_frames", [1, 2, 5])
def test_clips_have_the_promised_form(pool, shards, num_frames):
    renderer = _renderer(pool, num_frames=num_frames)
    record = shards.stills["boxes"][0]
    for seed in range(6):
        for frames, masks in (
            renderer.composite(np.random.default_rng(seed)),
            renderer.lifted_object(np.random.default_rng(seed)),
            renderer.moving_still(np.random.default_rng(seed), record),
        ):
            assert frames.shape == (num_frames, SIDE, SIDE, 3)
            assert frames.dtype == np.uint8
            assert masks.shape[0] == num_frames
            assert masks.shape[2:] == (SIDE, SIDE)
            assert masks.dtype == bool


def test_composites_never_give_one_pixel_to_two_objects(pool):
    renderer = _renderer(pool)
    for seed in range(20):
        _, masks = renderer.composite(np.random.default_rng(seed))
        assert masks.sum(1).max() <= 1


def test_the_mask_of_a_moving_still_follows_its_object(pool, shards):
    renderer = _renderer(pool, extra_sprites=0.0, bend=1.0)
    is_moving = False
    for seed in range(12):
        frames, masks = renderer.moving_still(np.random.default_rng(seed), shards.stills["people"][0])
        bright = frames[..., 0] > 155
        for time in range(5):
            union = (bright[time] | masks[time, 0]).sum()
            assert (bright[time] & masks[time, 0]).sum() >= 0.85 * union
        is_moving |= (masks[0] != masks[-1]).any()
    assert is_moving


def test_a_lifted_object_starts_where_it_was_and_then_moves(pool):
    renderer = _renderer(pool, extra_sprites=0.0, still_camera=1.0, actor=ActorConfig(occluder=0.0))
    moved = []
    for seed in range(8):
        frames, masks = renderer.lifted_object(np.random.default_rng(seed))
        inside = frames[0][masks[0, 0]]
        if len(inside):
            assert np.median(inside[:, 0]) > 200
        moved.append((masks[0, 0] != masks[-1, 0]).any())
    assert any(moved)


def test_some_sprites_leave_the_frame_and_come_back():
    config = ActorConfig(leave=1.0)
    returns = 0
    for seed in range(30):
        positions = draw_positions(np.random.default_rng(seed), 6, side=SIDE, config=config)
        is_outside = (np.abs(positions - SIDE / 2) > 0.9 * SIDE).any(1)
        assert not is_outside[0]
        assert is_outside.any()
        returns += not is_outside[-1]
    assert 0 < returns < 30


def test_an_occluder_passes_over_its_sprite_after_the_first_frame(pool):
    camera = np.repeat(np.eye(3)[None], 6, 0)
    positions = np.repeat([[32.0, 32.0]], 6, 0)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        sprite = shape_sprite(rng, pool.background(rng), side=12)
        height, width = sprite.shape[:2]
        own = np.repeat(translation(32 - width / 2, 32 - height / 2)[None, :2], 6, 0)
        front = draw_occluder(rng, pool, camera, positions=positions, extent=24.0, config=ActorConfig())
        frames = np.zeros((6, SIDE, SIDE, 3), np.uint8)
        _, masks = compose(
            frames, np.zeros((6, 0, SIDE, SIDE), bool), [Layer(sprite=sprite, matrices=own), front]
        )
        shown = masks[:, 0].sum((1, 2))
        assert shown[1:].min() < 0.6 * shown.max()


def test_a_camera_path_starts_at_rest_and_a_damped_one_stays_in_the_picture():
    view = translation(0, 0)
    for seed in range(10):
        camera = camera_path(np.random.default_rng(seed), 8, SIDE, strength=2.0)
        np.testing.assert_allclose(camera[0], np.eye(3), atol=1e-12)
        damped = damped_path(camera, view, (SIDE, SIDE), SIDE)
        assert np.abs(damped - np.eye(3)).max() <= np.abs(camera - np.eye(3)).max()
        centre = np.linalg.inv(damped) @ (SIDE / 2, SIDE / 2, 1)
        assert (np.abs(centre[:, :2] - SIDE / 2) < 0.15 * SIDE).all()


def test_bends_grow_from_none_and_object_paths_keep_their_centre():
    bends = drawn_bends(np.random.default_rng(0), 4, size_hw=(20, 30), reach=5.0)
    assert bends.shape == (4, 20, 30, 2)
    assert not bends[0].any()
    assert bends[1:].any()
    positions = np.array([[10.0, 12.0], [20.0, 14.0]])
    path = object_path(np.random.default_rng(0), positions, size_hw=(9, 7), liveliness=1.0)
    np.testing.assert_allclose((path @ (3, 4, 1))[:, :2], positions)


def test_a_filled_hole_shows_nothing_of_what_was_there():
    picture = np.full((48, 48, 3), (40, 90, 140), np.uint8)
    hole = np.zeros((48, 48), np.uint8)
    hole[15:30, 12:40] = 1
    picture[hole > 0] = (255, 0, 0)
    filled = fill_hole(picture, hole)
    assert np.abs(filled.astype(int) - (40, 90, 140)).max() <= 3
    np.testing.assert_array_equal(filled[:10], picture[:10])


def test_a_look_alike_has_the_same_shape_and_other_colours(pool):
    rng = np.random.default_rng(0)
    sprite = pool.sprite(rng, target_side=30.0)
    twin = recoloured(rng, sprite)
    np.testing.assert_array_equal(twin[..., 3], sprite[..., 3])
    assert (twin[..., :3] != sprite[..., :3]).any()
    assert (twin[..., :3] <= twin[..., 3:]).all()


def test_what_is_held_lies_on_its_holder_and_moves_with_it(pool):
    masks = np.zeros((4, 2, SIDE, SIDE), bool)
    for time in range(4):
        masks[time, 1, 20:40, 10 + 5 * time : 30 + 5 * time] = True
    away = 0.0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        (layer,) = draw_held(rng, pool, masks, config=ActorConfig(bend=0.0, motion_blur=0.0))
        height, width = layer.sprite.shape[:2]
        centres = layer.matrices @ (width / 2, height / 2, 1.0)
        assert 10 <= centres[0, 0] <= 30
        assert 20 <= centres[0, 1] <= 40
        away = max(away, float(np.abs((centres - centres[0])[:, 0] - 5 * np.arange(4)).max()))
    assert away < 4


def test_nothing_is_held_where_no_object_is_seen(pool):
    masks = np.zeros((3, 2, SIDE, SIDE), bool)
    masks[1:] = True
    assert draw_held(np.random.default_rng(0), pool, masks, config=ActorConfig()) == []


def test_clips_of_people_can_hold_things(pool, shards):
    bare = _renderer(pool, extra_sprites=0.0, bend=0.0)
    holding = _renderer(pool, extra_sprites=1.0, bend=0.0, actor=ActorConfig(held=1.0))
    held = 0
    for seed in range(10):
        record = shards.stills["people"][0]
        alone = bare.moving_still(np.random.default_rng(seed), record)[1]
        masks = holding.moving_still(np.random.default_rng(seed), record)[1]
        assert masks[0].sum(0).max() <= 1
        held += (masks[0, 1:] & alone[0, 0]).any()
    assert held >= 8
