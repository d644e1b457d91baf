"""A computation that does not end costs its own job; the rest goes on."""

import os
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from masklet.predictors.sweep import PlainSweep
from masklet.studio import standstill
from masklet.studio.decoding import DecodeProcess
from masklet.studio.refusals import RefusedError
from masklet.studio.standstill import Standstill, ThreadCounts, counts_of, own_thread, threads_of
from masklet.studio.tasks import HUNG, Engine, Patience

QUICK = Patience(blocked_s=1.0, busy_s=4.0)


class Hanging:
    """A task that waits at its first step until it is let go."""

    def __init__(self, *, is_busy=False):
        self.go = threading.Event()
        self.told = threading.Event()
        self.message = None
        self.is_busy = is_busy

    def step(self):
        while self.is_busy and not self.go.is_set():
            pass
        return self.go.wait(20)

    def abandon(self, message):
        self.message = message
        self.told.set()


@pytest.fixture
def make_engine():
    engines = []

    def make(patience=QUICK, **more):
        engine = Engine(on_idle=lambda: None, patience=patience, **more)
        engine.start()
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        engine.stop()


@pytest.mark.parametrize("is_busy", [False, True])
def test_a_task_that_hangs_is_given_up_and_the_next_one_is_done(make_engine, is_busy):
    replaced = []
    engine = make_engine(on_replaced=lambda: replaced.append(1))
    task = Hanging(is_busy=is_busy)
    engine.add(task)
    assert task.told.wait(20)
    assert task.message == HUNG
    assert engine.call(lambda: 5) == 5
    assert replaced == [1]
    task.go.set()
    assert engine.call(lambda: 6) == 6
    assert engine.num_waiting == 0


def test_a_call_that_hangs_is_refused_and_may_change_nothing_later(make_engine):
    engine, go, late = make_engine(), threading.Event(), []

    def work():
        go.wait(20)
        try:
            engine.check_current()
        except RefusedError as error:
            late.append(error.code)

    with pytest.raises(RefusedError, match="stood still"):
        engine.call(work)
    assert engine.call(threading.current_thread).is_alive()
    go.set()
    ends = time.monotonic() + 20
    while not late and time.monotonic() < ends:
        time.sleep(0.01)
    assert late == ["stuck"]
    engine.call(engine.check_current)


def test_what_may_take_long_is_waited_for(make_engine):
    engine = make_engine()

    def load():
        with engine.unhurried():
            time.sleep(2.5)
        return "loaded"

    assert engine.call(load) == "loaded"


def test_a_tracking_that_hangs_fails_and_other_projects_go_on(
    open_studio, page_class, video, add_to, monkeypatch
):
    go, real = threading.Event(), PlainSweep._advance

    def advance(sweep, index, *rest, **more):
        if index == 4 and not go.is_set():
            go.wait(60)
        return real(sweep, index, *rest, **more)

    with open_studio(blocked_s=2.0) as client:
        pages = [
            page_class(client, client.post("/api/projects", json={"name": "a"}).json()["id"])
            for _ in range(2)
        ]
        first, second = [add_to(page, video) for page in pages]
        for page, media_id in zip(pages, (first, second), strict=True):
            page.prompt(media_id)
        monkeypatch.setattr(PlainSweep, "_advance", advance)
        job = pages[0].track(first)
        assert (job["status"], job["message"]) == ("failed", HUNG)
        assert pages[1].track(second, stop=4)["status"] == "done"
        assert client.get("/api/health").json()["status"] == "ok"
        assert len(pages[0].masks(first)) == 4
        go.set()
        time.sleep(0.5)
        assert len(pages[0].masks(first)) == 4  # the frame that came too late changed nothing
        assert pages[0].track(first)["status"] == "done"
        assert len(pages[0].masks(first)) == 10


HANGS, STARVES, STOPPED = ("S", 0.0), ("S", 1.0), ("T", 0.0)


@pytest.mark.parametrize(
    ("mine", "others", "is_given_up"),
    [
        (HANGS, HANGS, True),
        (("S", 0.5), HANGS, True),
        (STARVES, HANGS, False),
        (("S", 3.0), HANGS, False),
        (HANGS, STARVES, False),  # as the threads of an encoder that it waits for
        (STOPPED, HANGS, False),
        (("D", 0.0), HANGS, False),
        (("R", 0.0), HANGS, False),  # ready for the whole of the time
    ],
)
def test_time_without_a_processor_is_not_standing_still(monkeypatch, mine, others, is_given_up):
    now_s = [100.0]
    threads = {Path("mine"): mine, Path("other"): others}

    def counts_of(thread):
        state, delay_per_s = threads[thread]
        return ThreadCounts(ran_s=1.0, waited_s=delay_per_s * now_s[0], state=state)

    monkeypatch.setattr(standstill, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    monkeypatch.setattr(standstill, "counts_of", counts_of)
    counted = Standstill(lambda: [Path("mine")], lambda: list(threads))
    found = []
    for _ in range(90):
        now_s[0] += 1.0
        counted.look()
        found.append(counted.stands_still(30.0))
    assert any(found) == is_given_up


def test_a_pause_of_the_whole_program_is_not_standing_still(monkeypatch):
    now_s = [100.0]
    monkeypatch.setattr(standstill, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    monkeypatch.setattr(standstill, "counts_of", lambda _: ThreadCounts(ran_s=1.0, waited_s=0.0, state="S"))
    counted = Standstill(lambda: [Path("mine")])
    now_s[0] += 3600.0  # it was stopped, and so was who looks
    assert counted.look().open_s < 30.0
    assert not counted.stands_still(30.0)


def test_the_system_tells_what_threads_do():
    (mine,) = [one for one in threads_of(os.getpid()) if one.name == str(threading.get_native_id())]
    assert mine == own_thread(threading.get_native_id())
    first = counts_of(mine)
    ends = time.thread_time() + 0.05
    while time.thread_time() < ends:
        pass
    last = counts_of(mine)
    assert first is not None
    assert last is not None
    assert last.ran_s > first.ran_s
    assert counts_of(Path("/nowhere")) is None
    assert threads_of(2**30) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell what a process waits for")
def test_an_export_survives_a_decoder_that_is_stopped_for_longer_than_anything_may_stand_still(
    open_studio, page_class, video, add_to, settings
):
    limits = replace(settings.limits, decode_seconds=1.0)
    with open_studio(make_opener=DecodeProcess, blocked_s=1.0, limits=limits) as client:
        page = page_class(client, client.post("/api/projects", json={"name": "a"}).json()["id"])
        media_id = add_to(page, video)
        page.prompt(media_id)
        decoder = client.app.state.studio.openers[2]
        decoder.warm()
        os.kill(decoder.process_id, signal.SIGSTOP)
        answer = client.post(
            f"/api/projects/{page.project_id}/exports", json={"kind": "effects", "media_id": media_id}
        )
        time.sleep(5.0)
        assert client.get(f"/api/jobs/{answer.json()['id']}").json()["status"] == "running"
        os.kill(decoder.process_id, signal.SIGCONT)
        job = page.finish(answer.json())
        assert (job["status"], job["message"]) == ("done", "")
