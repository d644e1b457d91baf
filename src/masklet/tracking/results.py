"""Results of one object by frame, most of them packed: an hour of video has a hundred thousand.

Frames are grouped into pages. The pages written last are plain values; older ones are compressed and given to a shelf, which
may put them on disk. What is asked of every frame - whether there is a result, of which kind and computation - stays at
hand in nine bytes a frame, so that edits and tracking need not unpack anything. Packed pages are never changed: results
that an edit drops share them with those that stay.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from masklet.geometry import Size
from masklet.masks.rle import RLE
from masklet.tracking.bank import MaskScore

PAGE_FRAMES = 128
_MOST_OPEN = 2
_MOST_UNPACKED = 2
_THERE, _PROMPTED, _BACKWARD, _KEPT = 1, 2, 4, 8
_RECORD = np.dtype(
    [
        ("place", "<u2"),
        ("kind", "u1"),
        ("height", "<u4"),
        ("width", "<u4"),
        ("area", "<u4"),
        ("num_bytes", "<u4"),
        ("version", "<i8"),
        ("iou", "<f8"),
        ("presence", "<f8"),
        ("stability", "<f8"),
    ]
)

Frames = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMask:
    """The result of one object on one frame.

    Attributes:
        rle: The mask at image size.
        score: How sure the model was.
        area: Pixels of the mask.
        is_prompted: Whether a person prompted this frame.
        is_backward: Whether it was tracked against time.
        is_kept: Whether the memory policy lets later frames read it.
        version: Number of the computation; memories of other versions are not its own.
    """

    rle: RLE
    score: MaskScore
    area: int
    is_prompted: bool
    is_backward: bool
    is_kept: bool
    version: int


class Mark(NamedTuple):
    """What is known of a result without unpacking it; the names are those of ``StoredMask``."""

    is_prompted: bool
    is_backward: bool
    is_kept: bool
    version: int


class Marks(NamedTuple):
    """The same of all results in order of frames, each (n)."""

    frames: Frames
    is_prompted: Flags
    is_backward: Flags
    is_kept: Flags


class Kept(Protocol):
    """Bytes on a shelf."""

    def read(self) -> bytes:
        """The bytes."""
        ...


class Shelf(Protocol):
    """Where packed pages are kept."""

    def keep(self, packed: bytes) -> Kept:
        """Keep bytes for as long as somebody holds what is returned."""
        ...


class _InMemory:
    """Bytes that stay where they are; also the shelf that keeps them so."""

    __slots__ = ("_packed",)

    def __init__(self, packed: bytes = b"") -> None:
        self._packed = packed

    def read(self) -> bytes:
        return self._packed

    def keep(self, packed: bytes) -> _InMemory:
        return _InMemory(packed)


class Unpacked:
    """The results of one page, made into values one at a time."""

    def __init__(self, records: np.ndarray, counts: bytes) -> None:
        self._records, self._counts = records, counts
        self._ends = np.cumsum(records["num_bytes"], dtype=np.int64)
        self._rows = {int(place): row for row, place in enumerate(records["place"])}
        if not (records["place"] < PAGE_FRAMES).all() or int(records["num_bytes"].sum()) != len(counts):
            raise ValueError("packed results are not whole")

    @property
    def places(self) -> list[int]:
        """Places in the page that have a result."""
        return list(self._rows)

    def marks(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Kind and computation of every place of the page, both 0 where nothing is."""
        kinds, versions = np.zeros(PAGE_FRAMES, np.uint8), np.zeros(PAGE_FRAMES, np.int64)
        kinds[self._records["place"]] = self._records["kind"]
        versions[self._records["place"]] = self._records["version"]
        return kinds, versions

    def at(self, place: int) -> StoredMask:
        """The result of a frame, by its place in the page."""
        row = self._rows[place]
        record = self._records[row]
        end = int(self._ends[row])
        kind = int(record["kind"])
        return StoredMask(
            rle=RLE(
                Size(int(record["height"]), int(record["width"])),
                self._counts[end - int(record["num_bytes"]) : end],
            ),
            score=MaskScore(
                iou=float(record["iou"]),
                presence=float(record["presence"]),
                stability=float(record["stability"]),
            ),
            area=int(record["area"]),
            is_prompted=bool(kind & _PROMPTED),
            is_backward=bool(kind & _BACKWARD),
            is_kept=bool(kind & _KEPT),
            version=int(record["version"]),
        )


def pack(results: Mapping[int, StoredMask]) -> bytes:
    """Results of one page, by place, as bytes; every value comes back as it was."""
    rows = [
        (
            place,
            _kind(one),
            *one.rle.size.hw,
            one.area,
            len(one.rle.counts),
            one.version,
            one.score.iou,
            one.score.presence,
            one.score.stability,
        )
        for place, one in sorted(results.items())
    ]
    records = np.array(rows, _RECORD)
    columns = [records[name].tobytes() for name in _RECORD.names or ()]
    counts = [one.rle.counts for _, one in sorted(results.items())]
    return zlib.compress(b"".join([np.uint16(len(rows)).tobytes(), *columns, *counts]))


def unpack(packed: bytes) -> Unpacked:
    """What ``pack`` made.

    Raises:
        ValueError: When the bytes are damaged.
    """
    try:
        plain = zlib.decompress(packed)
    except zlib.error as error:
        raise ValueError(f"packed results are damaged: {error}") from error
    records = np.empty(int(np.frombuffer(plain, np.uint16, 1)[0]), _RECORD)
    start = 2
    for name in _RECORD.names or ():
        column = np.frombuffer(plain, _RECORD[name], records.size, start)
        records[name] = column
        start += column.nbytes
    return Unpacked(records, plain[start:])


class Results(MutableMapping[int, StoredMask]):
    """Results by frame, a mapping like any other but in order of frames. Not for several threads at once."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        """Make an empty mapping; packed pages go to the shelf, or stay in memory where there is none."""
        self._shelf: Shelf = shelf or _InMemory()
        self._kinds: dict[int, npt.NDArray[np.uint8]] = {}
        self._versions: dict[int, npt.NDArray[np.int64]] = {}
        self._open: OrderedDict[int, dict[int, StoredMask]] = OrderedDict()
        self._packed: dict[int, Kept] = {}
        self._unpacked: OrderedDict[int, Unpacked] = OrderedDict()

    @classmethod
    def of(cls, results: Mapping[int, StoredMask], shelf: Shelf | None = None) -> Results:
        """A mapping with the same results."""
        made = cls(shelf)
        if isinstance(results, Results):
            for number, packed in results.pages():
                made.put_page(number, packed)
        else:
            made.update(results)
        return made

    def __contains__(self, frame: object) -> bool:
        """Whether there is a result of a frame."""
        return isinstance(frame, int) and self.mark(frame) is not None

    def __iter__(self) -> Iterator[int]:
        """Frames in order."""
        return iter(self.marks().frames.tolist())

    def __len__(self) -> int:
        """Number of frames with a result."""
        return sum(int(np.count_nonzero(kinds)) for kinds in self._kinds.values())

    def __getitem__(self, frame: int) -> StoredMask:
        """The result of a frame."""
        if frame not in self:
            raise KeyError(frame)
        number, place = divmod(frame, PAGE_FRAMES)
        found = self._open.get(number, {}).get(place)
        return self._page(number).at(place) if found is None else found

    def __setitem__(self, frame: int, result: StoredMask) -> None:
        """Store the result of a frame."""
        number, place = divmod(frame, PAGE_FRAMES)
        if number not in self._kinds:
            self._kinds[number] = np.zeros(PAGE_FRAMES, np.uint8)
            self._versions[number] = np.zeros(PAGE_FRAMES, np.int64)
        self._kinds[number][place] = _kind(result)
        self._versions[number][place] = result.version
        self._open.setdefault(number, {})[place] = result
        self._open.move_to_end(number)
        while len(self._open) > _MOST_OPEN:
            self._close(next(iter(self._open)))

    def __delitem__(self, frame: int) -> None:
        """Forget the result of a frame."""
        if frame not in self:
            raise KeyError(frame)
        number, place = divmod(frame, PAGE_FRAMES)
        self._kinds[number][place] = 0
        self._open.get(number, {}).pop(place, None)
        if not self._kinds[number].any():
            self._forget(number)

    def mark(self, frame: int) -> Mark | None:
        """What is known of the result of a frame without unpacking it; None where there is none."""
        number, place = divmod(frame, PAGE_FRAMES)
        kinds = self._kinds.get(number)
        if kinds is None or not kinds[place]:
            return None
        kind = int(kinds[place])
        return Mark(
            is_prompted=bool(kind & _PROMPTED),
            is_backward=bool(kind & _BACKWARD),
            is_kept=bool(kind & _KEPT),
            version=int(self._versions[number][place]),
        )

    def marks(self) -> Marks:
        """What is known of all results."""
        numbers = sorted(self._kinds)
        kinds = np.concatenate([np.zeros(0, np.uint8), *(self._kinds[number] for number in numbers)])
        firsts = np.array(numbers, np.int64)[:, None] * PAGE_FRAMES
        frames = (firsts + np.arange(PAGE_FRAMES)).reshape(-1)[kinds > 0]
        kinds = kinds[kinds > 0]
        return Marks(frames, *((kinds & bit) > 0 for bit in (_PROMPTED, _BACKWARD, _KEPT)))

    @property
    def newest_version(self) -> int:
        """The highest number of a computation that made a result; 0 where there is none."""
        pairs = ((self._versions[number], kinds) for number, kinds in self._kinds.items())
        return max((int(versions[kinds > 0].max(initial=0)) for versions, kinds in pairs), default=0)

    def pages(self) -> Iterator[tuple[int, bytes]]:
        """All results, packed page by page, in order: the number of each page and its bytes."""
        for number, kinds in sorted(self._kinds.items()):
            places = np.flatnonzero(kinds).tolist()
            is_packed = number in self._packed and number not in self._open
            if is_packed and len(self._page(number).places) == len(places):
                yield number, self._packed[number].read()
            else:
                yield number, pack({place: self[number * PAGE_FRAMES + place] for place in places})

    def put_page(self, number: int, packed: bytes) -> None:
        """Store a page that ``pages`` gave; what there was of its frames is replaced.

        Raises:
            ValueError: When the bytes are damaged.
        """
        kinds, versions = unpack(packed).marks()
        self._forget(number)
        if kinds.any():
            self._kinds[number], self._versions[number] = kinds, versions
            self._packed[number] = self._shelf.keep(packed)

    def take(self, frames: Iterable[int] | Frames) -> Results:
        """Take the results of some frames out of this mapping; both share packed pages.

        Args:
            frames: Frames that have a result.
        """
        taken = Results(self._shelf)
        wanted = np.asarray(frames if isinstance(frames, np.ndarray) else list(frames), np.int64)
        numbers = wanted // PAGE_FRAMES
        for number in np.unique(numbers).tolist():
            self._give(number, wanted[numbers == number] % PAGE_FRAMES, taken)
        return taken

    def put_back(self, others: Mapping[int, StoredMask]) -> None:
        """Store results that were taken out; where a page is still missing here, without unpacking it."""
        if not isinstance(others, Results):
            self.update(others)
            return
        for number in others._kinds:
            if number not in self._kinds:
                others._give(number, np.flatnonzero(others._kinds[number]), self, keeps=True)
            else:
                first = number * PAGE_FRAMES
                for place in np.flatnonzero(others._kinds[number]).tolist():
                    self[first + place] = others[first + place]

    def copy(self) -> Results:
        """Another mapping with the same results, which shares packed pages."""
        copied = Results(self._shelf)
        copied.put_back(self)
        return copied

    def _give(
        self, number: int, places: npt.NDArray[np.int64], other: Results, *, keeps: bool = False
    ) -> None:
        """Give results of a page to a mapping that has nothing of this page."""
        kinds = np.zeros(PAGE_FRAMES, np.uint8)
        kinds[places] = self._kinds[number][places]
        other._kinds[number], other._versions[number] = kinds, self._versions[number].copy()
        if number in self._packed:
            other._packed[number] = self._packed[number]
        page = self._open.get(number)
        if page is not None:
            other._open[number] = {place: page[place] for place in places.tolist() if place in page}
        if keeps:
            return
        self._kinds[number][places] = 0
        for place in places.tolist() if page is not None else ():
            self._open[number].pop(place, None)
        if not self._kinds[number].any():
            self._forget(number)

    def _forget(self, number: int) -> None:
        for pages in (self._kinds, self._versions, self._open, self._packed, self._unpacked):
            pages.pop(number, None)

    def _page(self, number: int) -> Unpacked:
        found = self._unpacked.get(number)
        if found is None:
            found = self._unpacked[number] = unpack(self._packed[number].read())
            if len(self._unpacked) > _MOST_UNPACKED:
                self._unpacked.popitem(last=False)
        self._unpacked.move_to_end(number)
        return found

    def _close(self, number: int) -> None:
        """Pack a page with what was packed of it before."""
        first = number * PAGE_FRAMES
        page = {int(place): self[first + int(place)] for place in np.flatnonzero(self._kinds[number])}
        self._packed[number] = self._shelf.keep(pack(page))
        self._unpacked.pop(number, None)
        del self._open[number]


def _kind(result: StoredMask) -> int:
    return _THERE | _PROMPTED * result.is_prompted | _BACKWARD * result.is_backward | _KEPT * result.is_kept
