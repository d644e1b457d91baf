"""A computation that does not end costs its own job; the rest goes on."""

import threading
import time
from types import SimpleNamespace

import pytest

from masklet.predictors.video import VideoSession
from masklet.studio import tasks
from masklet.studio.refusals import RefusedError
from masklet.studio.tasks import HUNG, Engine, Patience, Work

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
    go, real = threading.Event(), VideoSession._advance

    def advance(session, index, *rest, **more):
        if index == 4 and not go.is_set():
            go.wait(60)
        return real(session, index, *rest, **more)

    with open_studio(blocked_s=2.0) as client:
        pages = [
            page_class(client, client.post("/api/projects", json={"name": "a"}).json()["id"])
            for _ in range(2)
        ]
        first, second = [add_to(page, video) for page in pages]
        for page, media_id in zip(pages, (first, second), strict=True):
            page.prompt(media_id)
        monkeypatch.setattr(VideoSession, "_advance", advance)
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


@pytest.mark.parametrize(
    ("delay_per_s", "is_given_up"), [(0.0, True), (0.5, True), (1.0, False), (3.0, False)]
)
def test_time_without_a_processor_is_not_standing_still(monkeypatch, delay_per_s, is_given_up):
    now_s = [100.0]
    monkeypatch.setattr(tasks, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    monkeypatch.setattr(tasks, "processor_seconds", lambda _: 0.0)
    monkeypatch.setattr(tasks, "seconds_kept_waiting", lambda _: delay_per_s * now_s[0])
    work = Work(thread_id=1, task=Hanging(), began_s=100.0)
    found = []
    for _ in range(90):
        found.append(work.is_hung(Patience(blocked_s=30.0, busy_s=900.0)))
        now_s[0] += 1.0
    assert any(found) == is_given_up


def test_the_system_tells_how_long_a_thread_waited():
    mine = threading.get_native_id()
    first = tasks.seconds_kept_waiting(mine)
    assert 0.0 <= first <= tasks.seconds_kept_waiting(mine)
    assert tasks.seconds_kept_waiting(None) == 0.0
