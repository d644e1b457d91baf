import numpy as np
import pytest

from masklet.errors import FormatError
from masklet.evaluation.comparison import compare, comparison_document, comparison_table, read_measures


def result(values):
    """A video result from {(clip, object): J&F}."""
    objects = [
        {
            "clip": clip,
            "object_id": object_id,
            "j_and_f": value,
            "j": {"mean": value, "recall": 1.0, "decay": 0.1},
            "f": {"mean": value, "recall": 1.0, "decay": 0.1},
        }
        for (clip, object_id), value in values.items()
    ]
    return {"objects": objects}


def pair(first, second, **more):
    return compare(read_measures(result(first)), read_measures(result(second)), **more)


BASE = {(f"clip{c}", o): 0.5 + 0.02 * c for c in range(10) for o in (1, 2)}


def test_a_steady_gain_is_sure_and_its_interval_is_the_gain():
    found = pair(BASE, {key: value + 0.1 for key, value in BASE.items()})
    main = found.measures[0]
    assert main.name == "J&F"
    assert main.second - main.first == pytest.approx(0.1)
    assert (main.difference.low, main.difference.high) == pytest.approx((0.1, 0.1))
    assert main.difference.is_clear
    assert (main.num_better, main.num_worse) == (20, 0)


def test_a_gain_on_one_clip_is_not_sure():
    better = {key: value + 0.3 * (key[0] == "clip3") for key, value in BASE.items()}
    main = pair(BASE, better).measures[0]
    assert main.difference.mean == pytest.approx(0.03)
    assert main.difference.low == 0.0
    assert not main.difference.is_clear
    assert main.by_group["clip3"] == pytest.approx(0.3)


def test_interval_is_that_of_drawing_whole_clips():
    rng = np.random.default_rng(0)
    gains = {f"clip{c}": float(rng.normal(0.02, 0.05)) for c in range(40)}
    first = {(clip, o): 0.5 for clip in gains for o in (1, 2, 3)}
    main = pair(first, {key: 0.5 + gains[key[0]] for key in first}).measures[0]
    deviation = np.std(list(gains.values())) / np.sqrt(40)
    assert main.difference.high - main.difference.low == pytest.approx(2 * 1.96 * deviation, rel=0.05)


def test_same_seed_gives_the_same_interval():
    other = {key: value + 0.01 * i * i for i, (key, value) in enumerate(BASE.items())}
    assert pair(BASE, other) == pair(BASE, other)
    assert pair(BASE, other, seed=1, num_samples=150) != pair(BASE, other, num_samples=150)


def test_objects_of_one_result_only_are_told():
    found = pair({**BASE, ("extra", 1): 0.9}, {**BASE, ("other", 7): 0.1})
    assert (found.only_first, found.only_second) == ((("extra", "1"),), (("other", "7"),))
    assert found.num_objects == 20
    assert "2 objects are in one result only" in comparison_table(found, first="a", second="b")


def test_fewer_clicks_are_better():
    def photos(clicks):
        return {
            "sources": {"pets": {"miou_after": {"1": 0.5}, "clicks_to": {"0.85": clicks}, "box_miou": None}}
        }

    found = compare(read_measures(photos(4.0)), read_measures(photos(3.0)))
    measure = {one.name: one for one in found.measures}["NoC@85"]
    assert (measure.num_better, measure.num_worse) == (1, 0)


def test_last_round_of_an_interactive_result_counts():
    rounds = {"rounds": [result({("a", 1): 0.2}), result({("a", 1): 0.7})]}
    assert read_measures(rounds).measures["J&F"] == {("a", "1"): 0.7}


def test_occlusion_results_are_compared_by_clip():
    clips = {"clips": [{"clip": "000 exit", "j_visible": 0.5, "is_found": True}]}
    assert read_measures(clips).measures["found again"] == {("000 exit", "1"): 1.0}


def test_document_holds_what_the_table_tells():
    document = comparison_document(pair(BASE, {key: value + 0.1 for key, value in BASE.items()}))
    assert document["measures"]["J&F"]["interval"] == [0.1, 0.1]
    assert document["num_objects"] == 20


@pytest.mark.parametrize("document", [{}, {"clips": [{"name": "a"}]}])
def test_what_is_no_result_is_refused(document):
    with pytest.raises(FormatError):
        read_measures(document)


def test_results_of_two_tasks_or_data_sets_are_refused():
    clips = read_measures({"clips": [{"clip": "a", "j_visible": 0.5, "is_found": True}]})
    with pytest.raises(FormatError, match="different tasks"):
        compare(read_measures(result(BASE)), clips)
    with pytest.raises(FormatError, match="share no object"):
        pair(BASE, {("elsewhere", 1): 0.5})
