"""The table of effects, choices and settings: what may be chosen, and the way to JSON and back."""

import json

import numpy as np
import pytest

from masklet.effects import BACKGROUNDS, OBJECTS, EffectChoice, EffectSettings, surprise_me
from masklet.errors import EffectError

EFFECTS = [*BACKGROUNDS.values(), *OBJECTS.values()]


def test_eight_effects_each_with_at_least_three_variants():
    assert list(BACKGROUNDS) == [
        "original",
        "erase",
        "gradient",
        "pixelate",
        "desaturate",
        "text",
        "blur",
        "outline",
    ]
    assert list(OBJECTS) == [
        "original",
        "erase",
        "gradient",
        "pixelate",
        "overlay",
        "emoji",
        "burst",
        "spotlight",
    ]
    assert all(len({variant.id for variant in one.variants}) >= 3 for one in EFFECTS)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda one: f"{type(one).__name__}-{one.id}")
def test_variants_set_parameters_that_exist_to_values_that_are_allowed(effect):
    parameters = {one.id: one for one in effect.parameters}
    for parameter in effect.parameters:
        assert parameter.checked(parameter.default) == parameter.default
    for variant in effect.variants:
        for name, value in variant.values.items():
            assert parameters[name].checked(value) == value


def test_settings_come_back_from_json():
    settings = EffectSettings(
        background=EffectChoice(name="text", variant="giant", changes={"text": "Hello!", "weight": 9}),
        objects=EffectChoice(name="overlay", variant="outline", changes={"color": "#00ff88"}),
        by_object={7: EffectChoice(name="erase"), 3: EffectChoice(name="burst", variant="comic")},
        seed=12,
    )
    assert EffectSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    assert EffectSettings.from_json({}) == EffectSettings()


WRONG = {
    "no such effect": {"background": {"name": "sparkle"}},
    "an effect of objects": {"background": {"name": "emoji"}},
    "no such variant": {"objects": {"name": "erase", "variant": "loud"}},
    "no such parameter": {"background": {"name": "blur", "changes": {"text": "A"}}},
    "too much": {"background": {"name": "blur", "changes": {"radius": 151}}},
    "not whole": {"background": {"name": "blur", "changes": {"radius": 2.5}}},
    "a truth": {"background": {"name": "blur", "changes": {"radius": True}}},
    "no colour": {"background": {"name": "outline", "changes": {"color": "red"}}},
    "no option": {"background": {"name": "text", "changes": {"layout": "circle"}}},
    "other letters": {"background": {"name": "text", "changes": {"text": "Ж"}}},
    "no letters": {"background": {"name": "text", "changes": {"text": " "}}},
    "too many letters": {"background": {"name": "text", "changes": {"text": "A" * 25}}},
    "not an id": {"by_object": {"first": {"name": "erase"}}},
    "a list": {"by_object": []},
    "unknown field": {"foreground": {"name": "blur"}},
    "no name": {"background": {}},
    "no effect": {"background": "blur"},
    "seed": {"seed": -1},
    "seed that is no number": {"seed": "1"},
}


@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG.keys())
def test_settings_that_make_no_sense_are_refused(value):
    with pytest.raises(EffectError):
        EffectSettings.from_json(value)


def test_surprises_are_valid_equal_for_equal_generators_and_never_bland():
    seen = set()
    for number in range(200):
        settings = surprise_me(np.random.default_rng(number))
        assert settings == surprise_me(np.random.default_rng(number))
        assert not {settings.background.name, settings.objects.name} <= {"original", "erase"}
        seen |= {settings.background.name, settings.objects.name}
    assert seen == set(BACKGROUNDS) | set(OBJECTS)
