"""A real Ray on this machine with two workers, one of which is killed."""

import os
from collections import deque
from pathlib import Path

import pytest

from masklet.errors import SessionError
from masklet.scale.engines import choose_engine
from masklet.scale.jobs import ItemFailed, ItemRetried, run_job
from masklet.scale.manifest import Manifest
from masklet.scale.ray_backend import RayEngine

ray = pytest.importorskip("ray")

pytestmark = [
    pytest.mark.slow,
    # Ray's own sockets and files, closed when it shuts down
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cluster():
    """Ray without its dashboard, its usage report and its metrics."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # the toy job is imported by the actors, whose processes inherit this
    os.environ["PYTHONPATH"] = str(Path(__file__).parent / "toys")
    for is_last in (False, False, True):
        try:
            ray.init(
                num_cpus=2,
                include_dashboard=False,
                log_to_driver=False,
                object_store_memory=80 * 2**20,
                _node_ip_address="127.0.0.1",
            )
            break
        except Exception:  # Ray gives itself 30 s to start, too few on a machine that is busy
            ray.shutdown()
            if is_last:
                raise
    yield
    ray.shutdown()
    del os.environ["PYTHONPATH"]


@pytest.mark.usefixtures("cluster")
def test_two_hundred_inputs_survive_killed_workers_and_are_done_once(toys, make_inputs, tmp_path):
    texts = [f"text {number}" for number in range(200)]
    texts[20], texts[70], texts[120] = "die-once", "die", "poison"
    items = make_inputs(*texts)
    manifest = Manifest(str(tmp_path / "manifest.jsonl"), {})
    manifest.begin()
    job = toys.ShoutJob(str(tmp_path / "out"))
    events = list(run_job(job, items, choose_engine("ray", num_workers=2), manifest))
    failed = {event.record.name: event.record for event in events if isinstance(event, ItemFailed)}
    assert set(failed) == {"0070.txt", "0120.txt"}
    assert all(one.num_tries == 3 for one in failed.values())
    assert "poison" in failed["0120.txt"].error
    assert sum(isinstance(event, ItemRetried) for event in events) == 5
    found = sorted(path.read_text() for path in (tmp_path / "out").glob("*.txt"))
    assert found == sorted(text.upper() for text in texts if text not in ("die", "poison"))
    records = list(manifest)
    assert len({one.key for one in records}) == len(records) == 200
    # two workers, and one more for each death
    assert {one.worker for one in records if one.status == "done"} <= {f"actor-{n}" for n in range(1, 7)}
    assert len({one.numbers["pid"] for one in records if one.status == "done"}) >= 2


@pytest.mark.usefixtures("cluster")
def test_actors_that_cannot_start_end_the_run_with_the_reason(toys, make_inputs, tmp_path):
    items = make_inputs("a")
    manifest = Manifest(str(tmp_path / "manifest.jsonl"), {})
    manifest.begin()
    job = toys.ShoutJob(str(tmp_path / "out"), refuses_to_start=True)
    with pytest.raises(SessionError, match="no such model"):
        list(run_job(job, items, choose_engine("ray", num_workers=1), manifest))


class DeadCluster:
    """What the engine asks of Ray, when every machine has gone after the actors were hired."""

    class _Call:
        def remote(self, *_):
            return object()

    def __init__(self):
        self.start = self._Call()
        self.killed = []

    def is_initialized(self):
        return True

    def remote(self, _):
        return self

    def options(self, **_):
        return type("Made", (), {"remote": lambda *_: self})()

    def wait(self, references, **_):
        return [], references

    def nodes(self):
        return [{"Alive": False}, {"Alive": False}]

    def kill(self, actor):
        self.killed.append(actor)


def test_a_cluster_without_a_machine_ends_the_run_instead_of_waiting_for_ever(toys, make_inputs, tmp_path):
    engine = RayEngine(2)
    dead = engine._ray = DeadCluster()
    job = toys.ShoutJob(str(tmp_path / "out"))
    with pytest.raises(SessionError, match=r"No machine of the Ray cluster is alive.*--resume"):
        list(engine.run(job, deque(make_inputs("a", "b"))))
    assert len(dead.killed) == 2
