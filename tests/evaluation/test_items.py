"""Items of a long run: finished ones are kept, several processes give the same, one that fails is named."""

import os
from functools import partial

import pytest

from masklet.errors import ConfigError, FormatError
from masklet.evaluation.items import Item, do_items
from masklet.evaluation.journal import Journal

ITEMS = [Item(name=f"item {number}", content=number, num_steps=2) for number in range(5)]


def work(number, step, *, bad=()):
    step()
    if number in bad:
        raise FormatError(f"{number} is damaged.")
    step()
    return {"square": number / 3}


def prepare(bad=()):
    return partial(work, bad=bad)


def prepare_badly():
    raise ConfigError("There is no such device.")


def prepare_to_end():
    return lambda _number, _step: os._exit(1)


def prepare_here(numbers, *, stop_at=None):
    """A prepare that notes what is done in this process, and is stopped once."""

    def noted(number, step):
        if number == stop_at:
            raise KeyboardInterrupt
        numbers.append(number)
        return work(number, step)

    return lambda: noted


@pytest.mark.parametrize("num_workers", [1, 2])
def test_items_come_back_in_order_and_steps_are_counted(num_workers):
    told = []
    done = do_items(ITEMS, prepare, num_workers=num_workers, on_step=lambda *numbers: told.append(numbers))
    assert list(done.values) == [item.name for item in ITEMS]
    assert [values["square"] for values in done.values.values()] == [number / 3 for number in range(5)]
    assert told == [(number, 10) for number in range(1, 11)]
    assert done.problems == ()


@pytest.mark.parametrize("num_workers", [1, 2])
def test_item_that_fails_is_named_and_the_others_go_on(num_workers):
    told = []
    done = do_items(
        ITEMS, partial(prepare, bad=(1,)), num_workers=num_workers, on_step=lambda *both: told.append(both)
    )
    assert done.problems == ("item 1: 1 is damaged.",)
    assert list(done.values) == ["item 0", "item 2", "item 3", "item 4"]
    assert told[-1] == (10, 10)


def test_finished_items_are_not_done_again(tmp_path):
    journal, numbers = Journal(tmp_path / "kept", "key"), []
    with pytest.raises(KeyboardInterrupt):
        do_items(ITEMS, prepare_here(numbers, stop_at=3), journal=journal)
    told = []
    done = do_items(
        ITEMS,
        prepare_here(numbers),
        journal=Journal(tmp_path / "kept", "key"),
        on_step=lambda *n: told.append(n),
    )
    assert numbers == [0, 1, 2, 3, 4]
    assert told[-1] == (4, 4)
    whole = do_items(ITEMS, prepare)
    assert {name: values["square"] for name, values in done.values.items()} == {
        name: values["square"] for name, values in whole.values.items()
    }


def test_nothing_is_prepared_when_all_is_finished(tmp_path):
    journal = Journal(tmp_path / "kept", "key")
    do_items(ITEMS, prepare, journal=journal)
    assert len(do_items(ITEMS, prepare_badly, journal=journal).values) == 5


def test_name_that_comes_twice_is_told():
    done = do_items([*ITEMS[:2], Item(name="item 0", content=7)], prepare)
    assert done.problems == ("item 0: the name comes twice; one is left out.",)
    assert done.values["item 0"] == {"square": 0.0}


def test_process_that_cannot_begin_or_ends_is_told():
    with pytest.raises(ConfigError, match="no such device"):
        do_items(ITEMS, prepare_badly, num_workers=2)
    with pytest.raises(ConfigError, match="ended; try fewer with --workers"):
        do_items(ITEMS, prepare_to_end, num_workers=2)
