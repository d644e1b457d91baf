"""Archives are unpacked into their own folder under limits, and nothing else on the disk changes."""

import gzip
import io
import stat
import struct
import tarfile
import time
import zipfile

import pytest

from masklet.errors import FormatError
from masklet.formats.archives import ArchiveLimits, is_archive, unpacked

LIMITS = ArchiveLimits(members=50, bytes=1 << 20, ratio=200)


def zip_of(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def tar_of(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            one = tarfile.TarInfo(info) if isinstance(info, str) else info
            one.size = len(content)
            archive.addfile(one, io.BytesIO(content))
    return path


def everything(folder):
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*")}


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_plain_files_come_out_and_go_again(tmp_path, suffix):
    members = [("a.json", b"{}"), ("masks/ü 1.png", b"x" * 3000)]
    path = (zip_of if suffix == ".zip" else tar_of)(tmp_path / f"labels{suffix}", members)
    assert is_archive(path)
    with unpacked(path, LIMITS) as root:
        found = {
            one.relative_to(root).as_posix(): one.read_bytes() for one in root.rglob("*") if one.is_file()
        }
        assert found == dict(members)
    assert not root.exists()


NAMES = ["../out", "a/../../out", "/tmp/out", "C:\\out", "..\\out", "a/..\\..\\out", "\\out"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_lead_out_are_refused(tmp_path, name, kind):
    make = zip_of if kind == "zip" else tar_of
    path = make(tmp_path / f"bad.{'zip' if kind == 'zip' else 'tgz'}", [("fine", b"1"), (name, b"2")])
    before = everything(tmp_path)
    with pytest.raises(FormatError, match="leads out of its folder"), unpacked(path, LIMITS):
        pass
    assert everything(tmp_path) == before


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_tars_are_refused(tmp_path, kind):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = kind, "/etc/passwd"
    path = tar_of(tmp_path / "bad.tar.gz", [(link, b""), ("link/inside", b"1")])
    with pytest.raises(FormatError, match="link or device"), unpacked(path, LIMITS):
        pass


def test_links_in_zips_are_refused(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = zip_of(tmp_path / "bad.zip", [(info, "/etc/passwd")])
    with pytest.raises(FormatError, match="link or device"), unpacked(path, LIMITS):
        pass


def many(count):
    return [(f"{number}.txt", b"") for number in range(count)]


BOMBS = {
    "large": ([("zeros", bytes((1 << 20) + 1))], "more than 1048576 bytes"),
    "many": (many(51), "more than 50 files"),
    "deep": ([("a/" * 40 + "b", b"")], "folders more than 32 deep"),
}


@pytest.mark.parametrize(("members", "words"), BOMBS.values(), ids=BOMBS.keys())
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_what_is_over_a_limit_is_refused(tmp_path, members, words, kind):
    path = (zip_of if kind == "zip" else tar_of)(
        tmp_path / f"bad.{'zip' if kind == 'zip' else 'tgz'}", members
    )
    with pytest.raises(FormatError, match=words), unpacked(path, LIMITS):
        pass


def test_a_ratio_counts_where_the_size_alone_would_pass(tmp_path):
    path = zip_of(tmp_path / "bomb.zip", [("zeros", bytes(32 << 20))])
    with pytest.raises(FormatError, match="bytes when unpacked"), unpacked(path):
        pass


def test_a_zip_that_lies_about_sizes_is_refused(tmp_path):
    path = zip_of(tmp_path / "lie.zip", [("zeros", bytes(5000))])
    content = bytearray(path.read_bytes())
    for at, offset in ((content.find(b"PK\x03\x04"), 22), (content.find(b"PK\x01\x02"), 24)):
        content[at + offset : at + offset + 4] = struct.pack("<I", 10)
    path.write_bytes(content)
    with pytest.raises(FormatError), unpacked(path, LIMITS):
        pass


def test_a_list_of_a_million_files_is_refused_before_it_is_read(tmp_path):
    entry = b"PK\x01\x02" + bytes(42)
    path = tmp_path / "list.zip"
    num_bytes = len(entry) * 1_000_000
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, num_bytes, 4, 0)
    path.write_bytes(b"PK\x03\x04" + entry * 1_000_000 + end)
    begun = time.process_time()
    with pytest.raises(FormatError, match="too long a list"), unpacked(path):
        pass
    assert time.process_time() - begun < 1, "seconds of this process, not of the clock"


def test_a_header_of_a_tar_cannot_eat_the_memory(tmp_path):
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, (1 << 33) - 1
    path = tmp_path / "bomb.tar.gz"
    with gzip.open(path, "wb") as file:
        file.write(header.tobuf(tarfile.USTAR_FORMAT) + bytes(1 << 20))
    with pytest.raises(FormatError), unpacked(path):
        pass


def test_twice_the_same_name_and_damaged_files_are_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zip_of(tmp_path / "twice.zip", [("a", b"1"), ("a", b"2")])
    with pytest.raises(FormatError, match="twice"), unpacked(path, LIMITS):
        pass
    whole = tar_of(tmp_path / "cut.tar.gz", [("a", bytes(range(256)) * 40)]).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match="cannot be unpacked"), unpacked(tmp_path / "cut.tar.gz", LIMITS):
        pass
