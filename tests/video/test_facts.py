"""What is said of a file before it is used: exact frame tables, and nothing silently short."""

import random

import av
import pytest

from masklet.errors import DamagedMediaError, MediaError, UnsupportedMediaError
from masklet.video import open_video, probe


def test_the_table_lists_exactly_the_frames_that_decode(clips, clip_name):
    facts = probe(clips[clip_name])
    with av.open(str(clips[clip_name])) as container:
        frames = list(container.decode(video=0))
    assert facts.num_frames == len(facts.pts) == len(frames) == 24
    assert list(facts.pts) == sorted(set(facts.pts))
    if facts.is_seekable:
        assert list(facts.pts) == [frame.pts for frame in frames]
    assert facts.keyframes[0] == 0
    assert list(facts.keyframes) == sorted(set(facts.keyframes))
    assert not facts.is_damaged


def test_the_expected_number_of_frames_starts_with_the_first(clips):
    for name in ("late_start.mkv", "closed.mkv", "stream.ts", "closed.mp4"):
        assert probe(clips[name]).num_frames_expected == 24, name


def test_facts_of_a_plain_clip(clips):
    facts = probe(clips["closed.mp4"])
    assert (facts.codec, facts.container, facts.size.hw) == ("h264", "mov", (48, 64))
    assert facts.fps == pytest.approx(25)
    assert facts.duration_s == pytest.approx(24 / 25)
    assert (facts.rotation, facts.is_variable_frame_rate, facts.is_index_decoded) == (0, False, False)
    assert facts.keyframes[:2] == (0, 8)


def test_packets_that_do_not_tell_are_decoded(clips):
    assert probe(clips["vp8.webm"]).is_index_decoded
    facts = probe(clips["b_frames.avi"])
    assert facts.is_index_decoded
    assert not facts.is_seekable
    assert facts.fps == pytest.approx(25)


def test_variable_frame_rate_is_told_from_rounding(clips, make_clip):
    assert probe(clips["variable_rate.mp4"]).is_variable_frame_rate
    film = make_clip("film.mkv", pts=tuple(round(i * 1001 / 30) for i in range(24)))
    facts = probe(film)
    assert not facts.is_variable_frame_rate
    assert facts.fps == pytest.approx(30 / 1.001, rel=1e-3)


def test_a_single_frame_has_the_stated_rate(make_clip):
    facts = probe(make_clip(num_frames=1))
    assert facts.num_frames == 1
    assert facts.fps == pytest.approx(25)


@pytest.mark.parametrize(
    "name",
    ["closed.mp4", "index_first.mp4", "fragments.mp4", "closed.mkv", "vp9.webm", "vp8.webm",
     "no_b_frames.avi", "packed.avi", "palette.gif", "second_kind.mpg"],
)  # fmt: skip
def test_no_cut_is_silent(clips, tmp_path, name):
    data = clips[name].read_bytes()
    path = tmp_path / name
    num_opened = 0
    for length in sorted({*range(0, len(data), len(data) // 23), len(data) - 1, len(data) - 9}):
        path.write_bytes(data[:length])
        with pytest.raises(MediaError):
            probe(path)
        try:
            facts = probe(path, allow_damaged=True)
        except MediaError:
            continue
        num_opened += 1
        assert facts.damage.startswith(
            (f"ends early: {facts.num_frames} frames", f"damaged: {facts.num_frames} frames")
        )
        if facts.num_frames_expected is not None and facts.num_frames < facts.num_frames_expected:
            assert f"of about {facts.num_frames_expected}" in facts.damage
        with open_video(path, allow_damaged=True) as reader:
            assert sum(1 for _ in reader) == facts.num_frames
    assert num_opened > 0 or name == "closed.mp4"  # without its last box an MP4 has no index at all


@pytest.mark.parametrize("name", ["closed.mkv", "index_first.mp4", "vp9.webm", "no_b_frames.avi"])
def test_flipped_bits_end_in_an_error_or_in_a_whole_read(clips, tmp_path, name):
    data = clips[name].read_bytes()
    chance = random.Random(name)
    path = tmp_path / name
    num_refused = 0
    for _ in range(24):
        # Media bytes only: a flip in the header tables can describe another, equally valid file.
        position = chance.randrange(len(data) // 3, len(data) * 9 // 10)
        broken = bytearray(data)
        broken[position] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        try:
            with open_video(path) as reader:
                assert reader.num_frames == 24
                assert sum(1 for _ in reader) == 24
        except MediaError:
            num_refused += 1
    assert num_refused > 0


def test_a_lost_block_in_the_middle_is_found(clips, tmp_path):
    data = bytearray(clips["vp9.webm"].read_bytes())
    block = data.rindex(b"\xa3", 0, len(data) // 2)
    while data[block + 2] != 0x81 and data[block + 3] != 0x81:
        block = data.rindex(b"\xa3", 0, block)
    track = block + (2 if data[block + 2] == 0x81 else 3)
    data[track] = 0x85
    path = tmp_path / "lost.webm"
    path.write_bytes(data)
    with pytest.raises(DamagedMediaError, match="belongs to no track"):
        probe(path)


def test_a_live_recording_of_unknown_sizes_is_whole(make_clip):
    facts = probe(make_clip("live.webm", codec="libvpx-vp9", container=(("live", "1"),)))
    assert facts.num_frames == 24
    assert not facts.is_damaged


def test_errors_give_no_folder_away(clips, tmp_path):
    path = tmp_path / "cut.mp4"
    path.write_bytes(clips["closed.mp4"].read_bytes()[:-400])
    for allow_damaged in (False, True):
        with pytest.raises(MediaError) as caught:
            probe(path, allow_damaged=allow_damaged)
        assert str(tmp_path) not in str(caught.value)
        assert "cut.mp4" in str(caught.value)


def test_sound_alone_is_named_as_such(make_tone):
    with pytest.raises(UnsupportedMediaError, match=r"holds no video \(1 audio\)"):
        probe(make_tone())


def test_an_encrypted_file_is_named_as_such(make_clip):
    scheme = (
        ("encryption_scheme", "cenc-aes-ctr"),
        ("encryption_key", "76a6c65c5ea762046bd749a2e632ccbb"),
        ("encryption_kid", "a7e61c373e219033c21091fa607bf3b8"),
    )
    path = make_clip(container=scheme)
    for allow_damaged in (False, True):
        with pytest.raises(UnsupportedMediaError, match="encrypted"):
            probe(path, allow_damaged=allow_damaged)


def test_zero_bytes_are_refused(tmp_path):
    path = tmp_path / "empty.mp4"
    path.write_bytes(b"")
    with pytest.raises(DamagedMediaError, match="0 bytes"):
        probe(path)


@pytest.mark.parametrize("path", ["absent.mp4", ".", "bad\0name.mp4"])
def test_what_is_no_file_is_refused(tmp_path, path):
    with pytest.raises(MediaError):
        probe(f"{tmp_path}/{path}")


HOSTILE = {
    "concat": "ffconcat version 1.0\nfile private.mp4\n",
    "concat_line": "file 'private.mp4'\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nprivate.mp4\n#EXT-X-ENDLIST\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
    "<Period><BaseURL>private.mp4</BaseURL></Period></MPD>",
    "text": "hello, this is not a film\n" * 40,
    "html": "<html><body>private</body></html>" * 20,
}


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_a_text_with_a_video_name_opens_nothing_else(clips, tmp_path, monkeypatch, kind):
    (tmp_path / "private.mp4").write_bytes(clips["closed.mp4"].read_bytes())
    monkeypatch.chdir(tmp_path)
    trap = tmp_path / "trap.mp4"
    trap.write_text(HOSTILE[kind])
    for allow_damaged in (False, True):
        with pytest.raises(UnsupportedMediaError, match="not a video file"):
            probe(trap, allow_damaged=allow_damaged)
