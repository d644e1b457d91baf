"""Each input has exactly one output, whatever fails, and what fails too often is told."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import pytest

from masklet.errors import CancelledError, ConfigError, SessionError
from masklet.scale.engines import choose_engine
from masklet.scale.jobs import ItemDone, ItemFailed, ItemRetried, make_items, run_job, shard_of
from masklet.scale.local import ProcessEngine, SerialEngine
from masklet.scale.manifest import Manifest

TOYS = Path(__file__).parent / "toys"
ENGINES = {"serial": SerialEngine, "processes": lambda: ProcessEngine(2)}


def opened(tmp_path, *, resume=False, asked=None):
    manifest = Manifest(str(tmp_path / "manifest.jsonl"), asked or {"what": "shout"})
    (manifest.resume if resume else manifest.begin)()
    return manifest


def outputs(tmp_path):
    return sorted(path.read_text() for path in (tmp_path / "out").glob("*.txt"))


@pytest.mark.parametrize("engine", ENGINES)
def test_every_input_has_one_output_and_one_line(engine, toys, make_inputs, tmp_path):
    items = make_inputs("a", "b", "c", "d", "e")
    manifest = opened(tmp_path)
    events = list(run_job(toys.ShoutJob(str(tmp_path / "out")), items, ENGINES[engine](), manifest))
    assert [event.num_done for event in events] == [1, 2, 3, 4, 5]
    assert outputs(tmp_path) == ["A", "B", "C", "D", "E"]
    lines = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text().splitlines()]
    assert lines[0]["asked"] == {"what": "shout"}
    assert sorted(line["key"] for line in lines[1:]) == sorted(item.key for item in items)
    assert all(len(line["input_sha256"]) == len(line["output_sha256"]) == 64 for line in lines[1:])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("text", "reason"), [("poison", "is poison"), ("bug", "ZeroDivisionError: a bug")])
def test_poison_is_given_up_after_three_tries_and_the_rest_goes_on(
    engine, text, reason, toys, make_inputs, tmp_path
):
    items = make_inputs("a", text, "c")
    events = list(run_job(toys.ShoutJob(str(tmp_path / "out")), items, ENGINES[engine](), opened(tmp_path)))
    retried = [event.num_tries for event in events if isinstance(event, ItemRetried)]
    failed = [event.record for event in events if isinstance(event, ItemFailed)]
    assert retried == [1, 2]
    assert [(one.name, one.num_tries) for one in failed] == [("0001.txt", 3)]
    assert reason in failed[0].error
    assert outputs(tmp_path) == ["A", "C"]


def test_a_worker_that_is_killed_is_replaced_and_its_item_done(toys, make_inputs, tmp_path):
    items = make_inputs("a", "die-once", "c", "die", "e")
    manifest = opened(tmp_path)
    events = list(run_job(toys.ShoutJob(str(tmp_path / "out")), items, ProcessEngine(2), manifest))
    failed = [event.record for event in events if isinstance(event, ItemFailed)]
    assert [(one.name, one.num_tries) for one in failed] == [("0003.txt", 3)]
    assert "exit code -9" in failed[0].error
    assert outputs(tmp_path) == ["A", "C", "DIE-ONCE", "E"]


def test_a_second_run_does_nothing_again_but_what_failed_or_lost_its_output(toys, make_inputs, tmp_path):
    items = make_inputs("a", "poison", "c")
    job = toys.ShoutJob(str(tmp_path / "out"))
    list(run_job(job, items, SerialEngine(), opened(tmp_path)))
    (tmp_path / "in" / "0001.txt").write_text("healed")
    next((tmp_path / "out").glob("0002-*.txt")).write_text("broken by somebody")
    events = list(run_job(job, items, SerialEngine(), opened(tmp_path, resume=True)))
    assert [event.record.name for event in events] == ["0001.txt", "0002.txt"]
    assert outputs(tmp_path) == ["A", "C", "HEALED"]
    assert list(run_job(job, items, SerialEngine(), opened(tmp_path, resume=True))) == []


def test_a_cut_last_line_is_done_again(toys, make_inputs, tmp_path):
    items = make_inputs("a", "b")
    job = toys.ShoutJob(str(tmp_path / "out"))
    list(run_job(job, items, SerialEngine(), opened(tmp_path)))
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    events = list(run_job(job, items, SerialEngine(), opened(tmp_path, resume=True)))
    assert [event.record.name for event in events] == ["0001.txt"]
    assert len(path.read_text().splitlines()) == 3


def test_a_manifest_of_another_job_is_refused(tmp_path):
    opened(tmp_path)
    with pytest.raises(SessionError, match="another what"):
        opened(tmp_path, resume=True, asked={"what": "whisper"})
    (tmp_path / "manifest.jsonl").write_text("something else\n")
    with pytest.raises(SessionError, match="is no manifest"):
        opened(tmp_path, resume=True)


def test_shards_cover_everything_once_and_are_taken_over(toys, make_inputs, tmp_path):
    items = make_inputs(*map(str, range(12)))
    parts = [shard_of(items, index, 3) for index in (1, 2, 3)]
    assert sorted(one.key for part in parts for one in part) == sorted(one.key for one in items)
    job = toys.ShoutJob(str(tmp_path / "out"))
    uris = [str(tmp_path / f"manifest-{index}-of-3.jsonl") for index in (1, 2, 3)]
    for uri, part in zip(uris, parts, strict=True):
        manifest = Manifest(uri, job.describe())
        manifest.begin()
        list(run_job(job, part, SerialEngine(), manifest))
    whole = Manifest(str(tmp_path / "manifest.jsonl"), job.describe())
    whole.resume(parts=uris)
    assert list(run_job(job, items, SerialEngine(), whole)) == []
    assert len(list(whole)) == 12
    with pytest.raises(ConfigError, match="1/3 to 3/3"):
        shard_of(items, 4, 3)


def test_cancelling_keeps_what_is_done(toys, make_inputs, tmp_path):
    items = make_inputs("a", "b", "c")
    job = toys.ShoutJob(str(tmp_path / "out"))
    with pytest.raises(CancelledError, match="1 of 3"):
        list(run_job(job, items, SerialEngine(), opened(tmp_path), is_cancelled=lambda: True))
    done = list(run_job(job, items, SerialEngine(), opened(tmp_path, resume=True)))
    assert [event.num_done for event in done] == [2, 3]


def test_workers_that_cannot_start_end_the_run_with_the_reason(toys, make_inputs, tmp_path):
    items = make_inputs("a", "b")
    job = toys.ShoutJob(str(tmp_path / "out"), refuses_to_start=True)
    with pytest.raises(SessionError, match="no such model"):
        list(run_job(job, items, ProcessEngine(2), opened(tmp_path)))
    dying = toys.ShoutJob(str(tmp_path / "out"), dies_at_start=True)
    with pytest.raises(SessionError, match="exit code -9"):
        list(run_job(dying, items, ProcessEngine(1), opened(tmp_path)))


def test_nothing_to_do_starts_no_worker(toys, tmp_path):
    job = toys.ShoutJob(str(tmp_path / "out"), refuses_to_start=True)
    for engine in (SerialEngine(), ProcessEngine(2)):
        assert list(engine.run(job, deque())) == []


def test_names_and_keys_are_unique_and_an_input_given_twice_is_one():
    items = make_items([("a/x y.jpg", "x y.jpg"), ("b/x y.jpg", "x y.jpg"), ("a/x y.jpg", "x y.jpg")])
    assert len(items) == 2
    assert len({one.name for one in items}) == len({one.key for one in items}) == 2
    assert all(one.key.isascii() and " " not in one.key for one in items)


def test_engines_by_name():
    assert choose_engine("local").describe() == "this process"
    assert choose_engine("local", num_workers=3).describe() == "3 processes"
    with pytest.raises(ConfigError, match="local and ray"):
        choose_engine("cloud")
    with pytest.raises(ConfigError, match="At least one"):
        choose_engine("local", num_workers=0)


DRIVER = """
import sys

sys.path.insert(0, sys.argv[1])
from toy_scale_job import ShoutJob
from masklet.scale import storage
from masklet.scale.jobs import ItemDone, make_items, run_job
from masklet.scale.local import ProcessEngine
from masklet.scale.manifest import Manifest

if __name__ == "__main__":
    top = sys.argv[2]
    items = make_items(storage.expand(top + "/in", frozenset({".txt"})))
    job = ShoutJob(top + "/out", pause_s=float(sys.argv[3]))
    manifest = Manifest(top + "/manifest.jsonl", job.describe())
    manifest.resume()
    events = list(run_job(job, items, ProcessEngine(2), manifest))
    print(sum(isinstance(one, ItemDone) for one in events))
"""


def driver_command(tmp_path, pause_s):
    path = tmp_path / "driver.py"
    path.write_text(DRIVER)
    return [sys.executable, str(path), str(TOYS), str(tmp_path), str(pause_s)]


def settled(tmp_path):
    """Lines of the manifest, without its head."""
    path = tmp_path / "manifest.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()[1:]] if path.is_file() else []


def kill_driver_after(tmp_path, command, num_lines):
    """Start the driver and kill it when so many items are settled; gives the number that were."""
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    path = tmp_path / "manifest.jsonl"
    while not path.is_file() or path.read_bytes().count(b"\n") <= num_lines:
        assert driver.poll() is None
        time.sleep(0.01)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    return path.read_bytes().count(b"\n") - 1


def test_a_killed_driver_goes_on_where_it_was(make_inputs, tmp_path):
    """Killed in the middle: nothing is lost and nothing doubled."""
    items = make_inputs(*(f"text {number}" for number in range(30)))
    command = driver_command(tmp_path, 0.02)
    num_before = kill_driver_after(tmp_path, command, 5)
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    # a line that the kill cut short is done again
    assert int(again.stdout) <= 30 - num_before + 1
    assert outputs(tmp_path) == sorted(f"TEXT {number}" for number in range(30))
    assert sorted(line["key"] for line in settled(tmp_path)) == sorted(item.key for item in items)


@pytest.mark.slow
def test_two_hundred_inputs_five_killed_workers_two_killed_drivers_three_poison(make_inputs, tmp_path):
    texts = [f"text {number}" for number in range(200)]
    for number in (15, 60, 95, 130, 170):
        texts[number] = "die-once"
    for number in (30, 100, 180):
        texts[number] = "poison"
    items = make_inputs(*texts)
    command = driver_command(tmp_path, 0.01)
    kill_driver_after(tmp_path, command, 40)
    kill_driver_after(tmp_path, command, 110)
    subprocess.run(command, capture_output=True, check=True)
    assert outputs(tmp_path) == sorted(text.upper() for text in texts if text != "poison")
    lines = settled(tmp_path)
    assert sorted(line["key"] for line in lines) == sorted(item.key for item in items)
    failed = [line for line in lines if line["status"] == "failed"]
    assert [line["num_tries"] for line in failed] == [3, 3, 3]
    assert all("poison" in line["error"] for line in failed)
    assert len(list((tmp_path / "out").glob("*.died"))) == 5
    rerun = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(rerun.stdout) == 0


def test_events_of_a_done_item_tell_its_numbers(toys, make_inputs, tmp_path):
    items = make_inputs("four")
    (event,) = run_job(toys.ShoutJob(str(tmp_path / "out")), items, SerialEngine(), opened(tmp_path))
    assert isinstance(event, ItemDone)
    assert event.record.numbers["letters"] == 4
    assert event.record.input_bytes == 4
