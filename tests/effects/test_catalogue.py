"""What is generated for the page is up to date."""

import effect_fixtures
from effect_page import TOP

from masklet.effects.catalogue import dumps

FOLDER = TOP / "web" / "src" / "effects"


def test_the_page_has_the_catalogue_as_it_is():
    known = (FOLDER / "catalogue.json").read_text(encoding="utf-8")
    assert known == dumps(), "the effects changed; run `make web-effects`"


def test_the_page_is_tested_with_what_is_drawn_here():
    known = (FOLDER / "compose.fixtures.json").read_text(encoding="utf-8")
    assert known == effect_fixtures.describe(), "the effects changed; run `make web-effects`"


def test_the_guide_names_every_effect_variant_and_parameter():
    guide = (TOP / "docs" / "guides" / "effects.md").read_text(encoding="utf-8")
    from masklet.effects import BACKGROUNDS, OBJECTS

    for effect in [*BACKGROUNDS.values(), *OBJECTS.values()]:
        assert f"`{effect.id}`" in guide
        for named in (*effect.variants, *effect.parameters):
            assert f"`{named.id}`" in guide, (effect.id, named.id)
