"""Order of pictures in MPEG-1 and MPEG-2 video (ISO/IEC 13818-2, 6.3): a lost one leaves a hole in their numbers."""

from __future__ import annotations

import re

_CODES = re.compile(rb"\x00\x00\x01([\x00-\xaf\xb8])")
_GROUP = 0xB8
_INTRA = 1
_FEWEST_PICTURES = 4
_LONGEST_GROUP = 1024


class PictureOrder:
    """Takes coded pictures in file order and says whether one is missing between them."""

    def __init__(self) -> None:
        self._numbers: set[int] = set()
        self._last_slice = 0
        self._num_slices = self._most_slices = 0
        self._lowest_end: int | None = None
        self._num_pictures = 0
        self._is_first_group = True
        self._is_group_start = False
        self._is_empty = False
        self.broken: str | None = None

    def add(self, data: bytes) -> None:
        """Look at the start codes of one packet."""
        for found in _CODES.finditer(data):
            code, after = found.group(1)[0], found.end()
            if code in (_GROUP, 0) and self._is_empty:
                self._break("has no content")
            if code == _GROUP:
                self._end_group()
                self._is_first_group = not self._num_pictures
                self._is_group_start = True
            elif code == 0:
                self._start_picture(data[after : after + 2])
            elif code < self._last_slice or self._is_second_of_single:
                # slices of a picture come from top to bottom, so that the start of another picture was lost
                self._break("lacks its start")
            else:
                self._last_slice, self._is_empty = code, False
                self._num_slices += 1

    def end(self) -> None:
        """Check what is left at the end of the video."""
        self._end_group()
        if self._is_empty or (self._lowest_end is not None and self._last_slice < self._lowest_end):
            self._break("ends early")

    def _end_group(self) -> None:
        """Check that the numbers of a group of pictures have no hole."""
        numbers, self._numbers = self._numbers, set()
        if not numbers or len(numbers) >= _LONGEST_GROUP:
            return
        # pictures at the start of the first group may refer to what was cut off before it
        first = min(numbers) if self._is_first_group else 0
        if max(numbers) - first + 1 != len(numbers) and max(numbers) < _LONGEST_GROUP - 1:
            self._break("or one before it is missing")

    @property
    def _is_second_of_single(self) -> bool:
        """Whether a slice comes in a picture that has one, when every picture before had a single one."""
        return self._num_slices > 0 and self._most_slices == 1 and self._num_pictures > _FEWEST_PICTURES

    def _start_picture(self, header: bytes) -> None:
        if self._num_pictures and (self._lowest_end is None or self._last_slice < self._lowest_end):
            self._lowest_end = self._last_slice
        self._num_pictures += 1
        if len(header) == 2:
            if self._is_group_start and (header[1] >> 3) & 7 != _INTRA:
                self._break("should stand alone and does not")
            self._numbers.add(header[0] << 2 | header[1] >> 6)
        self._is_group_start = False
        self._most_slices = max(self._most_slices, self._num_slices)
        self._last_slice, self._num_slices, self._is_empty = 0, 0, True

    def _break(self, what: str) -> None:
        if self.broken is None:
            self.broken = f"picture {self._num_pictures} {what}"
