"""Starting and being killed: the command, its port, its lock, and a real server on a real socket."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from masklet.errors import MissingExtraError, StudioError
from masklet.studio.opening import open_media
from masklet.studio.serve import Launch, listening, locked, serve
from masklet.studio.settings import StudioSettings, default_home, given_token
from masklet.studio.studio import Studio

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"MASKLET_HOME": "/data/here"}, "linux", "/data/here"),
        ({"XDG_DATA_HOME": "/data"}, "linux", "/data/masklet"),
        ({}, "linux", str(Path.home() / ".local/share/masklet")),
        ({}, "darwin", str(Path.home() / "Library/Application Support/masklet")),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/masklet"),
    ],
)
def test_data_lies_where_the_platform_keeps_it(environment, platform, expected):
    assert default_home(environment, platform) == Path(expected)


def test_a_chosen_token_comes_from_the_environment():
    assert given_token({"MASKLET_TOKEN": "x"}) == "x"
    assert given_token({"MASKLET_TOKEN": ""}) is None


def test_a_taken_port_gives_way_unless_it_was_asked_for(settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = StudioSettings(home=settings.home, port=taken.getsockname()[1])
        with listening(wanted, is_fixed=False) as other:
            assert other.getsockname()[1] != wanted.port
        with pytest.raises(StudioError, match="choose another with --port"), listening(wanted, is_fixed=True):
            pass


def test_one_data_folder_serves_one_studio(tmp_path):
    program = "import sys; from masklet.studio.serve import locked; from pathlib import Path\nwith locked(Path(sys.argv[1]), 77): print('in', flush=True); input()"  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=-1, stdout=-1, text=True
    ) as holder:
        assert holder.stdout.readline() == "in\n"
        with pytest.raises(StudioError, match=f"process {holder.pid}, port 77"), locked(tmp_path, 1):
            pass
        holder.kill()
    with locked(tmp_path, 1):  # a killed process holds nothing
        pass


def test_beyond_this_machine_only_with_a_chosen_token(settings, masklet_command, monkeypatch):
    monkeypatch.delenv("MASKLET_TOKEN", raising=False)
    outcome = masklet_command("studio", "--listen", "0.0.0.0", "--no-browser")
    assert outcome.code == 2
    assert "MASKLET_TOKEN" in " ".join(outcome.err.split())
    shared = StudioSettings(home=settings.home, host="0.0.0.0", port=0)
    with pytest.raises(StudioError, match="MASKLET_TOKEN"):
        serve(shared, Launch(), on_ready=print)


def test_files_of_the_command_line_open_the_project_that_has_them(settings, tmp_path, video):
    path = tmp_path / "my clip.mp4"
    path.write_bytes(video)
    studio = Studio(settings)
    first = open_media(studio, [path])
    assert studio.store.projects.get(first).name == "my clip.mp4"
    assert open_media(studio, [path]) == first
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    with pytest.raises(Exception, match=r"bad\.mp4"):
        open_media(studio, [path, bad])
    assert [one.id for one in studio.store.projects.listed()] == [first]
    assert len(list(settings.media_folder.iterdir())) == 1
    studio.stop()


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch):
    import importlib

    import masklet.studio

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "uvicorn" else find(name))
    with pytest.raises(MissingExtraError, match=r"pip install 'masklet\[studio\]'"):
        importlib.reload(masklet.studio)


class Server:
    """``masklet studio`` as a process."""

    def __init__(self, home, *media):
        environment = {**os.environ, "MASKLET_HOME": str(home), "PYTHONPATH": str(ROOT / "src")}
        program = "import sys; from masklet.cli.main import main; main(sys.argv[1:])"
        options = ["--json", "--no-browser", "--model", "debug-compact"]
        command = [sys.executable, "-c", program, "studio", *options, *map(str, media)]
        self.process = subprocess.Popen(command, env=environment, stdout=-1, stderr=-1, text=True)
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        self.url = json.loads(line)["url"]
        self.base, _, query = self.url.partition("/?")
        self.token = query.split("&")[0].removeprefix("token=")
        self._wait()

    def _wait(self):
        ends = time.monotonic() + 60
        while True:
            try:
                return self.call("GET", "/api/projects")
            except urllib.error.URLError:
                assert time.monotonic() < ends
                time.sleep(0.05)

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def end(self, number):
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err


@pytest.mark.slow
def test_edits_that_were_acknowledged_survive_a_kill(tmp_path, video):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(video)
    home, acknowledged = tmp_path / "home", []
    for attempt in range(3):
        server = Server(home, clip)
        project = server.call("GET", f"/api/projects/{server.url.rpartition('project=')[2]}")
        assert [one["name"] for one in project["media"][0]["objects"]] == acknowledged
        assert (home / "token").stat().st_mode & 0o777 == 0o600
        path = f"/api/media/{project['media'][0]['id']}/objects"
        for number in range(5 + attempt):
            name = f"object {attempt}-{number}"
            body = {"revision": len(acknowledged), "edit_id": f"kill-{attempt}-{number}", "name": name}
            assert server.call("POST", path, body)["revision"] == len(acknowledged) + 1
            acknowledged.append(name)
        _, err = server.end(signal.SIGKILL)
        assert server.token not in err


@pytest.mark.slow
def test_the_live_example_follows_an_object_on_a_running_studio(tmp_path, video):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(video)
    server = Server(tmp_path / "home")
    example = [sys.executable, str(ROOT / "examples" / "live_client.py"), server.url, str(clip), "16", "18"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(example, env=environment, capture_output=True, text=True, check=False, timeout=60)
    code, err = server.end(signal.SIGINT)
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [
        f"frame {index}" for index in range(10)
    ]
    assert (code, server.token in err) in ((0, False), (130, False), (-2, False)), err
