"""No damage is silent: a copy with a wrong bit or a lost part is refused, or gives every frame of the original."""

import random
import struct
from fractions import Fraction
from itertools import pairwise

import av
import pytest

from masklet.errors import DamagedMediaError, MediaError
from masklet.video import open_video, probe
from masklet.video.structure import find_break

FLIPPED = [
    "b_frames.mov", "variable_rate.mp4", "fragments.mp4", "dash.mp4", "closed.mkv", "vp9.webm", "live.webm",
    "packed.avi", "no_b_frames.avi", "palette.gif", "stream.ts", "b_frames.ts", "hevc.ts", "second_kind.mpg",
    "first_kind.mpg",
]  # fmt: skip


def num_read(path):
    """Frames that a file gives, or None when it is refused."""
    try:
        with open_video(path) as reader:
            return sum(1 for _ in reader)
    except MediaError:
        return None


@pytest.mark.parametrize("name", FLIPPED)
def test_one_wrong_bit_is_refused_or_costs_no_frame(clips, tmp_path, name):
    data = clips[name].read_bytes()
    chance, path = random.Random(name), tmp_path / name
    for _ in range(16):
        broken = bytearray(data)
        place, bit = chance.randrange(len(data)), chance.randrange(8)
        broken[place] ^= 1 << bit
        path.write_bytes(broken)
        assert num_read(path) in (None, 24), (place, bit)


def video_starts(data):
    """Numbers of the packets that start a picture in a transport stream of FFmpeg's, whose video has the id 256."""
    packets = range(len(data) // 188)
    return [n for n in packets if data[n * 188 + 1] & 0x5F == 0x41 and data[n * 188 + 2] == 0]


def content_of(data, number):
    """Where the content of a transport packet starts."""
    start = number * 188
    return start + 4 + (data[start + 4] + 1 if data[start + 3] & 0x20 else 0)


# Whether the place is counted from the content, its byte and bit, and what is said.
TRANSPORT_FLIPS = {
    "sync byte": (False, 0, 0, "no sync byte"),
    "marked as broken": (False, 1, 7, "marked as broken"),
    "stream id": (False, 2, 3, "missing before byte"),
    "counter": (False, 3, 1, "missing before byte"),
    "control bits": (False, 3, 4, "broken header|missing before"),
    "start code": (True, 2, 0, "no whole header"),
    "kind of stream": (True, 3, 6, "no whole header"),
    "fixed bits": (True, 6, 7, "no whole header"),
    "length of times": (True, 8, 3, "no whole header"),
    "fixed bit of a time": (True, 9, 0, "no whole header"),
}


@pytest.mark.parametrize("kind", TRANSPORT_FLIPS)
def test_a_transport_packet_with_a_wrong_bit_is_named(clips, tmp_path, kind):
    in_content, place, bit, message = TRANSPORT_FLIPS[kind]
    data = bytearray(clips["b_frames.ts"].read_bytes())
    number = video_starts(data)[7]
    data[place + (content_of(data, number) if in_content else number * 188)] ^= 1 << bit
    path = tmp_path / "flipped.ts"
    path.write_bytes(data)
    with pytest.raises(DamagedMediaError, match=message):
        probe(path)
    assert probe(path, allow_damaged=True).damage


@pytest.mark.parametrize(("byte", "bit", "message"), [(2, 5, "no stream"), (1, 6, "no whole header")])
def test_the_first_picture_of_a_stream_is_missed_too(clips, tmp_path, byte, bit, message):
    data = bytearray(clips["stream.ts"].read_bytes())
    data[video_starts(data)[0] * 188 + byte] ^= 1 << bit
    path = tmp_path / "first.ts"
    path.write_bytes(data)
    with pytest.raises(DamagedMediaError, match=message):
        probe(path)


def test_a_lost_transport_packet_is_found(clips, tmp_path):
    data = clips["stream.ts"].read_bytes()
    lost = video_starts(data)[9]
    path = tmp_path / "lost.ts"
    path.write_bytes(data[: lost * 188] + data[(lost + 1) * 188 :])
    with pytest.raises(DamagedMediaError, match="missing before byte"):
        probe(path)
    damage = probe(path, allow_damaged=True).damage
    assert damage.startswith("damaged: 23 frames")
    assert "missing before byte" in damage


def test_a_picture_that_its_header_announces_and_the_demuxer_drops_is_missed(clips, tmp_path):
    data = bytearray(clips["stream.ts"].read_bytes())
    data[video_starts(data)[9] * 188 + 1] ^= 0x40  # the picture's first packet no longer says so
    path = tmp_path / "merged.ts"
    path.write_bytes(data)
    assert num_read(path) in (None, 24)


def test_two_recordings_one_behind_the_other_are_no_damage(clips, tmp_path):
    path = tmp_path / "two.mpg"
    path.write_bytes(clips["second_kind.mpg"].read_bytes() * 2)
    assert num_read(path) == 48
    for name in ("stream.ts", "b_frames.ts"):
        path = tmp_path / name
        path.write_bytes(clips[name].read_bytes() * 2)
        assert find_break(path, "mpegts") is None


def test_a_stream_that_ends_with_its_tables_ends_early(clips, tmp_path):
    data = clips["stream.ts"].read_bytes()
    tables = [n for n in range(8, len(data) // 188) if data[n * 188 + 1 : n * 188 + 3] == b"\x40\x00"]
    path = tmp_path / "tables.ts"
    path.write_bytes(data[: (tables[0] + 1) * 188])
    with pytest.raises(DamagedMediaError, match="tables that no picture follows"):
        probe(path)


@pytest.mark.parametrize("name", ["hevc.ts", "stream.ts"])
def test_a_last_picture_that_is_cut_between_packets_is_found(clips, tmp_path, name):
    data = clips[name].read_bytes()
    starts, path = video_starts(data), tmp_path / name
    middles = [(first + second) // 2 for first, second in pairwise(starts) if second - first > 3]
    assert middles
    for number in middles:
        path.write_bytes(data[: number * 188])
        with pytest.raises(DamagedMediaError):
            probe(path)


@pytest.mark.parametrize("name", ["first_kind.mpg", "second_kind.mpg"])
def test_a_picture_whose_start_is_lost_is_missed(clips, tmp_path, name):
    data = clips[name].read_bytes()
    starts = [at for at in range(len(data)) if data[at : at + 4] == b"\x00\x00\x01\x00"]
    path = tmp_path / name
    for start in starts[3::7]:
        for place, bit in ((start + 2, 0), (start + 2, 3), (start + 3, 0), (start + 3, 5), (start + 4, 6)):
            broken = bytearray(data)
            broken[place] ^= 1 << bit
            path.write_bytes(broken)
            assert num_read(path) in (None, 24), (start, place)


def box_at(data, kind):
    """Where the content of the first box of a type starts."""
    return data.index(kind) + 4


MP4_CHANGES = {
    "time of a frame": (b"stts", 12, "ticks and it states"),
    "number of times": (b"stts", 11, "table speaks of"),
    "number of shown times": (b"ctts", 11, "table speaks of"),
    "shown time of a frame": (b"ctts", 101, "outside its own duration"),
    "frames in a chunk": (b"stsc", 14, "chunks hold"),
    "stated duration": (b"mdhd", 17, "ticks and it states"),
}


@pytest.mark.parametrize("kind", MP4_CHANGES)
def test_tables_that_contradict_each_other_are_named(clips, tmp_path, kind):
    box, offset, message = MP4_CHANGES[kind]
    data = bytearray(clips["closed.mp4"].read_bytes())
    data[box_at(data, box) + offset] ^= 0x02
    path = tmp_path / "tables.mp4"
    path.write_bytes(data)
    with pytest.raises(DamagedMediaError, match=message):
        probe(path)


def test_an_edit_that_trims_a_video_is_no_damage(clips, tmp_path):
    data = bytearray(clips["closed.mp4"].read_bytes())
    edit = box_at(data, b"elst") + 8
    length_ms, start = struct.unpack_from(">Ii", data, edit)
    struct.pack_into(">Ii", data, edit, 400, start + 640 * 5)
    for header, offset in ((b"tkhd", 20), (b"mvhd", 16)):
        struct.pack_into(">I", data, box_at(data, header) + offset, 400)
    assert length_ms == 960
    path = tmp_path / "trimmed.mp4"
    path.write_bytes(data)
    assert num_read(path) == 10


def test_a_wrong_time_scale_does_not_pass_as_an_edit_that_trims(make_clip, tmp_path):
    data = bytearray(make_clip("even.mp4", time_base=Fraction(1, 25), pts=tuple(range(24))).read_bytes())
    place = box_at(data, b"mdhd") + 12
    assert struct.unpack_from(">I", data, place) == (12800,)
    for scale in (12800 - 8192, 12800 - 4096):
        struct.pack_into(">I", data, place, scale)
        path = tmp_path / "scale.mp4"
        path.write_bytes(data)
        assert num_read(path) is None


def test_a_fragment_at_another_time_hides_no_frame_silently(clips, tmp_path):
    data = bytearray(clips["dash.mp4"].read_bytes())
    second = data.index(b"tfdt", box_at(data, b"tfdt")) + 4
    data[second + 5] ^= 0x10
    path = tmp_path / "far.mp4"
    path.write_bytes(data)
    assert num_read(path) in (None, 24)


def test_a_block_that_became_something_else_is_found(clips, tmp_path):
    data = bytearray(clips["live.webm"].read_bytes())
    block = data.index(b"\xa3", len(data) // 2)
    while data[block + 3] != 0x81:
        block = data.index(b"\xa3", block + 1)
    for place, changed, message in ((block, 0x04, "another kind"), (block + 6, 0x04, "several frames")):
        broken = bytearray(data)
        broken[place] ^= changed
        path = tmp_path / "changed.webm"
        path.write_bytes(broken)
        with pytest.raises(DamagedMediaError, match=message):
            probe(path)


def test_recordings_that_start_inside_a_group_of_pictures_are_no_damage(clips, make_clip, tmp_path):
    options = (("x264-params", "open-gop=1:keyint=8:min-keyint=8:bframes=3:scenecut=0"),)
    stream = make_clip("open.ts", encoder=options)
    for whole, suffix in (
        (stream, "ts"),
        (clips["open_groups.mp4"], "mkv"),
        (clips["second_kind.mpg"], "mkv"),
    ):
        path = tmp_path / f"tail.{suffix}"
        with av.open(str(whole)) as source, av.open(str(path), "w") as target:
            video = source.streams.video[0]
            copy, num_keys = target.add_stream_from_template(video), 0
            for packet in source.demux(video):
                num_keys += packet.is_keyframe
                if packet.dts is not None and num_keys > 1:
                    packet.stream = copy
                    target.mux(packet)
        with av.open(str(path)) as container:
            expected = sum(1 for _ in container.decode(video=0))
        assert num_read(path) == expected > 0, path.name
