"""Cells of speed from sides whose steps are known, in their own processes; no test asserts how long anything took."""

import csv
import importlib
from pathlib import Path

import numpy as np
import pytest

from masklet.errors import ConfigError, FormatError
from masklet.evaluation.comparison import compare, read_measures
from masklet.evaluation.journal import Journal
from masklet.evaluation.page.speed import speed_page
from masklet.evaluation.peak_memory import PeakMemory
from masklet.evaluation.speed import (
    Cell,
    SpeedProtocol,
    SpeedReport,
    Turn,
    evaluate_speed,
    first_s,
    frames_per_second,
    latency_s,
    timed,
)
from masklet.evaluation.speed_report import speed_csv, speed_document, speed_table
from masklet.evaluation.speed_subject import EndlessClip, SpeedSubject, first_frames, places
from masklet.geometry import Size
from masklet.weights.load import load_model

MIB = 2**20


def turn(*seconds, mib=100):
    return Turn(first_s=seconds[0], frames_s=seconds[1:], main_bytes=mib * MIB)


@pytest.fixture
def report():
    slow, fast = turn(1.0, 0.4, 0.4, mib=300), turn(0.5, 0.2, 0.2)
    cells = (
        Cell(length=3, num_objects=1, turns=(fast, fast), baseline=(slow, turn(1.0, 0.2, 0.2, mib=400))),
        Cell(length=3, num_objects=2, turns=(slow, slow), baseline=(slow, slow)),
    )
    protocol = SpeedProtocol(lengths=(3,), objects=(1, 2), num_turns=2)
    return SpeedReport(protocol=protocol, name="ours", baseline="other <b>", cells=cells)


def test_ratios_are_taken_within_a_turn(report):
    assert report.cells[0].times_as_fast == pytest.approx((1.5, 1, 2))
    assert report.cells[0].memory_ratio == 0.25
    assert report.over_first(report.cells[1]) == pytest.approx((2, 3))
    assert frames_per_second(report.cells[0].turns) == pytest.approx(5)
    assert latency_s([turn(0, *[0.1] * 99, 0.3)], 50) == pytest.approx(0.1)
    assert latency_s([turn(0, *[0.1] * 49, *[0.3] * 51)], 90) == pytest.approx(0.3)
    assert first_s(report.cells[0].turns) == 0.5


def test_speed_is_written_in_every_form(report):
    document = speed_document(report)
    first, second = document["cells"]
    assert (first["times_as_fast"], first["times_as_fast_range"], first["memory_over_baseline"]) == (
        1.5,
        [1, 2],
        0.25,
    )
    assert (second["time_over_first"], second["memory_over_first"]) == (2, 3)
    assert first["latency_ms"] == {"p50": 200, "p90": 200, "p99": 200}
    lines = speed_table(report, title="Made").splitlines()
    assert lines[0] == "### Made against other <b>"
    assert lines[4] == (
        "| 3 | 1 | 5.00 | 200.0 | 200.0 | 200.0 | 500.0 | 100 | 3.33 | 400 | 1.50 (1.00 to 2.00) | 0.25 |"
    )
    rows = list(csv.DictReader(speed_csv(report).splitlines()))
    assert len(rows) == 2 * 2 * 2 * 3
    assert rows[0] == {
        "side": "ours",
        "frames": "3",
        "objects": "1",
        "turn": "1",
        "frame": "0",
        "ms": "500.0",
    }
    measures = {one.name: one for one in compare(*[read_measures(document)] * 2, num_samples=100).measures}
    assert measures["peak MiB"].first == 200
    page = speed_page(report, title="Made", facts={"command": "x"})
    assert "other &lt;b&gt;" in page
    assert page.count('class="measured"') == 2 * 2 * 2


def test_without_a_baseline_ratios_are_to_the_smallest_cell(report):
    alone = SpeedReport(
        protocol=report.protocol,
        name="ours",
        baseline=None,
        cells=tuple(Cell(length=3, num_objects=one.num_objects, turns=one.turns) for one in report.cells),
    )
    assert "times_as_fast" not in speed_document(alone)["cells"][0]
    assert speed_table(alone, title="Made").splitlines()[5].endswith("| 2.00 | 3.00 |")
    assert "the smallest cell" in speed_page(alone, title="Made", facts={})


@pytest.fixture
def sides(monkeypatch):
    """Sides that a new process can import."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("speed_sides")


def test_sides_take_turns_in_their_own_processes(sides):
    protocol = SpeedProtocol(lengths=(4, 2), objects=(1,), num_turns=2)
    told = []
    both = {"small": sides.light, "large": sides.heavy}
    found = evaluate_speed(both, protocol=protocol, on_run=lambda: told.append(1))
    assert len(told) == 2 * 2 * 2
    assert [(cell.length, len(cell.turns[0].frames_s), len(cell.baseline)) for cell in found.cells] == [
        (2, 1, 2),
        (4, 3, 2),
    ]
    for cell in found.cells:
        assert (
            min(one.main_bytes for one in cell.baseline)
            > max(one.main_bytes for one in cell.turns) + 100 * MIB
        )


def test_a_stopped_run_goes_on_and_keeps_what_was_measured(sides, tmp_path):
    protocol = SpeedProtocol(lengths=(3, 2), objects=(1,), num_turns=1)
    journal = Journal(tmp_path / "kept", "key")

    def stop():
        raise KeyboardInterrupt

    numbers = iter([lambda: None, stop])
    with pytest.raises(KeyboardInterrupt):
        evaluate_speed({"a": sides.light}, protocol=protocol, journal=journal, on_run=lambda: next(numbers)())
    (kept,) = journal.read().values()
    found = evaluate_speed({"a": sides.light}, protocol=protocol, journal=journal)
    first, second = found.cells
    assert list(first.turns[0].frames_s) == kept["a"]["frames_s"]
    assert (first.length, second.length, len(second.turns)) == (2, 3, 1)
    assert len(journal.read()) == 2
    # with everything finished no process has to run anything
    again = evaluate_speed({"a": sides.ended}, protocol=protocol, journal=journal)
    assert again.cells == found.cells


@pytest.mark.parametrize(
    ("name", "words"), [("refused", "no such model"), ("ended", "ended while it ran 1 objects")]
)
def test_a_side_that_cannot_run_is_told_in_a_sentence(sides, name, words):
    with pytest.raises(ConfigError, match=words):
        evaluate_speed(
            {"bad": getattr(sides, name)}, protocol=SpeedProtocol(lengths=(2,), objects=(1,), num_turns=1)
        )


@pytest.mark.parametrize("bad", [{"lengths": (1,)}, {"lengths": ()}, {"objects": (0,)}, {"num_turns": 0}])
def test_protocols_that_mean_nothing_are_refused(bad):
    with pytest.raises(ConfigError, match="at least"):
        SpeedProtocol(**bad)


def test_more_than_two_sides_and_short_sources_are_refused(sides):
    with pytest.raises(ConfigError, match="got 3"):
        evaluate_speed(dict.fromkeys("abc", sides.light), protocol=SpeedProtocol())
    with pytest.raises(ConfigError, match="2 frames came and not 3"):
        timed(lambda _length, _objects: iter([None] * 2), 3, 1, PeakMemory("cpu"))


def test_the_peak_begins_anew_and_is_seen():
    memory = PeakMemory("cpu")
    memory.start()
    before = memory.main_bytes()
    held = np.ones(64 * MIB, np.uint8)
    assert memory.main_bytes() >= before + 0.9 * held.nbytes
    assert memory.card_bytes() is None


def test_frames_go_forward_and_backward_without_end():
    images = [np.full((4, 6, 3), index, np.uint8) for index in range(3)]
    clip = EndlessClip(images, 8)
    assert [int(frame.image[0, 0, 0]) for frame in clip] == [0, 1, 2, 1, 0, 1, 2, 1]
    assert [int(frame.image[0, 0, 0]) for frame in EndlessClip(images[:1], 3)] == [0, 0, 0]
    assert clip.size == Size(4, 6)


def test_points_spread_over_the_frame():
    assert places(1, Size(10, 20)) == [(10, 5)]
    assert places(3, Size(10, 20)) == [(5, 2.5), (15, 2.5), (5, 7.5)]


def test_our_own_tracking_gives_every_frame():
    images = [
        np.random.default_rng(index).integers(0, 255, (40, 56, 3), dtype=np.uint8) for index in range(3)
    ]
    subject = SpeedSubject(model=load_model("debug-compact", device="cpu"), policy="recent", images=images)
    assert len(list(subject(5, 2))) == 5


def test_data_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FormatError, match="There is no data"):
        first_frames(tmp_path / "none.mp4")
