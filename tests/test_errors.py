"""The error tree: drawn in the module docstring, true in the code."""

import inspect
import re

import pytest

from masklet import errors

DRAWN_LINE = re.compile(r"^(?P<branch>[│ ]*[├└]── )?(?P<name>[A-Z]\w+Error)\b")


def drawn_parents():
    """Error name -> name of the class it hangs under, as drawn."""
    parents, path = {}, {}
    for line in errors.__doc__.splitlines():
        found = DRAWN_LINE.match(line)
        if found is None:
            continue
        depth = len(found["branch"] or "") // 4
        path[depth] = found["name"]
        parents[found["name"]] = path[depth - 1] if depth else None
    return parents


def defined_errors():
    return {
        name: value
        for name, value in inspect.getmembers(errors, inspect.isclass)
        if value.__module__ == errors.__name__
    }


def test_the_drawing_names_every_error():
    assert set(drawn_parents()) == set(defined_errors())


def test_every_error_hangs_where_it_is_drawn():
    defined = defined_errors()
    real = {
        name: next((base.__name__ for base in value.__bases__ if base in defined.values()), None)
        for name, value in defined.items()
    }
    assert real == drawn_parents()


def test_the_drawing_is_read_at_three_depths():
    parents = drawn_parents()
    assert parents["MaskletError"] is None
    assert parents["MediaError"] == "MaskletError"
    assert parents["DamagedMediaError"] == "MediaError"


@pytest.mark.parametrize("error", defined_errors().values(), ids=lambda error: error.__name__)
def test_every_error_is_documented_and_keeps_its_sentence(error):
    assert error.__doc__.endswith(".")
    with pytest.raises(errors.MaskletError, match=r"^what came, what is allowed, what to do$"):
        raise error("what came, what is allowed, what to do")


@pytest.mark.parametrize(
    "name", ["PromptError", "ConfigError", "UnknownModelError", "FormatError", "MediaLimitError"]
)
def test_bad_input_is_a_value_error_too(name):
    assert issubclass(getattr(errors, name), ValueError)
