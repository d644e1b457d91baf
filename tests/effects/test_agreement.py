"""The page and the library draw the same: every effect and variant, pixel by pixel, on three scenes."""

import effect_page
import numpy as np
import pytest
from effect_scenes import cases, scenes

from masklet.effects import compose

SCENES, CASES = scenes(), cases()
# What is asked of the two renderers; as measured they give equal pixels.
LARGEST_MEAN, LARGEST_SINGLE = 3.0, 3


@pytest.fixture(scope="module")
def drawn_by_the_page(tmp_path_factory):
    missing = effect_page.why_not()
    if missing:
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("page")
    return effect_page.render(effect_page.bundle(folder), folder, SCENES, CASES)[0]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_the_page_draws_what_the_library_draws(drawn_by_the_page, scene, name):
    expected = compose(scene.frame, scene.masks, CASES[name], scene.index)
    drawn = drawn_by_the_page[scene.name][name]
    assert (drawn[..., 3] == 255).all()
    differences = np.abs(drawn[..., :3].astype(int) - expected)
    assert differences.mean() <= LARGEST_MEAN
    assert np.quantile(differences, 0.999) <= LARGEST_SINGLE
