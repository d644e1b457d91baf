"""The walkers that find cuts: whole files pass, every shortened one is named."""

import pytest

from masklet.video.structure import find_break, sniff_container


def test_whole_files_have_no_break(clips, clip_name):
    container = sniff_container(clips[clip_name])
    assert container is not None
    assert find_break(clips[clip_name], container) is None


@pytest.mark.parametrize("name", ["closed.mp4", "closed.mkv", "packed.avi", "palette.gif", "stream.ts"])
def test_one_missing_byte_is_found(clips, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(clips[name].read_bytes()[:-1])
    assert find_break(path, sniff_container(path)) is not None


@pytest.mark.parametrize("name", ["closed.mp4", "closed.mkv", "packed.avi", "palette.gif"])
def test_every_length_is_answered_without_an_exception(clips, tmp_path, name):
    data = clips[name].read_bytes()
    path = tmp_path / name
    kind = sniff_container(clips[name])
    for length in [*range(1, 300, 3), *range(300, len(data), 331)]:
        path.write_bytes(data[:length])
        assert find_break(path, kind) is not None


def test_bytes_after_the_end_are_passed_over(clips, tmp_path):
    for name in ("closed.mp4", "closed.mkv", "packed.avi", "palette.gif"):
        path = tmp_path / name
        path.write_bytes(clips[name].read_bytes() + b"\x00" * 100)
        assert find_break(path, sniff_container(path)) is None


@pytest.mark.parametrize(
    "head", [b"\x00", b"plain text", b"RIFF\x10\x00\x00\x00WAVEfmt ", b"\xff\xd8\xff\xe0"]
)
def test_other_files_are_no_container(tmp_path, head):
    path = tmp_path / "x.mp4"
    path.write_bytes(head)
    assert sniff_container(path) is None
    assert find_break(path, None) is None
