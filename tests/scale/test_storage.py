"""Local paths and addresses by one set of calls."""

import http.server
import threading
from functools import partial

import pytest

from masklet.errors import MediaError, MediaLimitError
from masklet.scale import storage

KINDS = frozenset({".txt"})


@pytest.fixture
def memory(tmp_path):
    """A folder of fsspec's file system in memory, named after the test so that tests do not meet."""
    return f"memory://{tmp_path.name}"


def test_folders_are_searched_with_everything_below_but_not_what_is_hidden(tmp_path):
    for name in ("b.txt", "a/c.TXT", ".git/d.txt", "a/e.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    found = storage.expand(str(tmp_path), KINDS)
    assert [name for _, name in found] == ["a/c.TXT", "b.txt"]
    assert [name for _, name in storage.expand(str(tmp_path / "*.txt"), KINDS)] == ["b.txt"]
    assert storage.expand(str(tmp_path / "a" / "e.jpg"), KINDS) == [(str(tmp_path / "a" / "e.jpg"), "e.jpg")]
    with pytest.raises(MediaError, match="no image and no video"):
        storage.expand(str(tmp_path / "*.png"), KINDS)
    with pytest.raises(MediaError, match="There is no"):
        storage.expand(str(tmp_path / "absent"), KINDS)


def test_memory_reads_what_it_was_given(memory):
    storage.write(f"{memory}/deep/a.txt", b"hello")
    storage.write(f"{memory}/b.txt", b"two")
    assert storage.read(f"{memory}/deep/a.txt") == b"hello"
    assert storage.read(f"{memory}/absent") is None
    found = storage.expand(memory, KINDS)
    assert [name for _, name in found] == ["b.txt", "deep/a.txt"]
    with storage.local_copy(found[1][0]) as path:
        assert path.read_bytes() == b"hello"
        assert path.suffix == ".txt"
    assert not path.exists()
    assert [name for _, name in storage.expand(f"{memory}/*.txt", KINDS)] == ["b.txt"]


def test_a_copy_has_a_limit(memory):
    storage.write(f"{memory}/a.txt", b"0123456789")
    with (
        pytest.raises(MediaLimitError, match="larger than 5"),
        storage.local_copy(f"{memory}/a.txt", max_bytes=5),
    ):
        pass


def test_folders_are_uploaded(memory, tmp_path):
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "z.txt").write_text("z")
    storage.upload(tmp_path / "x", f"{memory}/up")
    assert storage.read(f"{memory}/up/y/z.txt") == b"z"
    storage.upload(tmp_path / "x" / "y" / "z.txt", f"{memory}/one.txt")
    assert storage.read(f"{memory}/one.txt") == b"z"


def test_a_web_server_is_read(tmp_path):
    (tmp_path / "a.txt").write_text("from the web")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _quiet(handler)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        top = f"http://127.0.0.1:{server.server_port}"
        found = storage.expand(f"{top}/a.txt", KINDS)
        assert found == [(f"{top}/a.txt", "a.txt")]
        with storage.local_copy(found[0][0]) as path:
            assert path.read_text() == "from the web"
        with (
            pytest.raises(MediaError, match=r"cannot be read \(not found\)"),
            storage.local_copy(f"{top}/absent.txt"),
        ):
            pass
        server.shutdown()
        thread.join()


def _quiet(handler):
    class Quiet(handler.func):
        def log_message(self, *_):
            return

    return partial(Quiet, **handler.keywords)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("http://host/a%20b/hund%20%C3%A4.mp4", "hund ä.mp4"),
        ("https://host/clip.mp4?signature=secret&x=a/b#t=3", "clip.mp4"),
        ("https://host/up%2F..%2Fclip.mp4", "clip.mp4"),
        ("http://host:80/", "host:80"),
        ("s3://bucket/100%25 sure.mp4", "100%25 sure.mp4"),
        ("folder/clip.mp4", "clip.mp4"),
        ("folder\\clip.mp4", "clip.mp4"),
    ],
)
def test_names_are_what_people_read(uri, name):
    assert storage.name_of(uri) == name


def test_the_folder_that_holds_the_pictures(tmp_path):
    (tmp_path / "a.jpg").touch()
    assert storage.shared_folder([str(tmp_path)]) == tmp_path
    assert storage.shared_folder([str(tmp_path / "a.jpg")]) == tmp_path
    assert storage.shared_folder(["s3://bucket/x"]) is None
    assert storage.shared_folder([str(tmp_path), str(tmp_path)]) is None
    assert storage.shared_folder([str(tmp_path / "*.jpg")]) is None
