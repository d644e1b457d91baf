"""What a video file is, before anything is segmented: the exact frame table, times, size and damage."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from masklet.errors import DamagedMediaError, MediaError
from masklet.geometry import Size
from masklet.video.boundary import checked_file
from masklet.video.decoder import FrameDecoder
from masklet.video.frame_table import FrameTable, build_table, expected_frames, repair_table
from masklet.video.orientation import Orientation
from masklet.video.pixels import MAX_PIXELS
from masklet.video.structure import find_break, sniff_container


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFacts:
    """Facts of one video file.

    Attributes:
        name: File name.
        num_frames: Exact number of frames that can be read.
        size: As shown, after rotation.
        fps: Average frames per second from first to last frame, or None when there is one frame
            without a rate.
        duration_s: From the first frame's start to the last frame's end, in seconds.
        is_variable_frame_rate: Whether frame times leave an even grid by more than two ticks and 2 %
            of a step.
        orientation: How stored pictures are turned to stand upright.
        codec: FFmpeg's short name of the codec, such as h264.
        container: FFmpeg's short name of the container, such as matroska.
        time_base: Seconds per tick of ``pts``.
        pts: Show time of every frame in ticks, strictly rising; the first need not be 0.
        keyframes: Indexes of frames from which decoding can start, rising; the first is always 0.
        is_index_decoded: Whether the table was made by decoding the file because its packets do not tell.
        is_seekable: Whether time stamps find frames; otherwise a jump decodes from the start.
        damage: Why the file is damaged or short, or None.
        num_frames_expected: About how many frames there would be without damage, when the file tells.
    """

    name: str
    num_frames: int
    size: Size
    fps: float | None
    duration_s: float
    is_variable_frame_rate: bool
    orientation: Orientation
    codec: str
    container: str
    time_base: Fraction
    pts: tuple[int, ...]
    keyframes: tuple[int, ...]
    is_index_decoded: bool
    is_seekable: bool
    damage: str | None
    num_frames_expected: int | None

    @property
    def is_damaged(self) -> bool:
        """Whether anything is missing or broken."""
        return self.damage is not None

    @property
    def rotation(self) -> int:
        """Clockwise turn in degrees that is applied: 0, 90, 180 or 270."""
        return self.orientation.rotation

    @property
    def pts_s(self) -> tuple[float, ...]:
        """Show time of every frame in seconds."""
        return tuple(float(pts * self.time_base) for pts in self.pts)


def probe(
    path: str | os.PathLike[str], *, allow_damaged: bool = False, max_pixels: int = MAX_PIXELS
) -> VideoFacts:
    """Read the frame table and facts of a video file.

    The table comes from the packets, and its first frame and last group of pictures are decoded to
    prove it; files
    whose packets do not tell (no or double time stamps, hidden frames, AVI with B-frames) are decoded
    once as a whole.

    Args:
        path: The file.
        allow_damaged: Accept a file that is cut or broken; it is decoded once as a whole, ``damage``
            says what is
            wrong and the table holds exactly the frames that decode.
        max_pixels: Largest allowed height times width.

    Raises:
        MediaError: No such file.
        UnsupportedMediaError: Not a video, no video stream, encrypted, or the size changes.
        DamagedMediaError: Cut, broken or without any frame.
        MediaLimitError: Larger than ``max_pixels``.
    """
    file = checked_file(path)
    try:
        return _probe_strictly(file, max_pixels)
    except DamagedMediaError as error:
        if not allow_damaged:
            raise
        cause = str(error)
    return _probe_tolerantly(file, max_pixels, cause)


def _probe_strictly(file: Path, max_pixels: int) -> VideoFacts:
    """Facts of a whole file, or an error."""
    decoder = FrameDecoder(file, is_tolerant=False, max_pixels=max_pixels)
    try:
        broken = find_break(file, sniff_container(file))
        if broken is not None:
            raise DamagedMediaError(
                f"{decoder.name} ends early or is broken: {broken}{_of_about(decoder)}; copy it again, "
                "or open it with "
                "allow_damaged=True to use what is left."
            )
        return _facts(decoder, build_table(decoder), None)
    finally:
        decoder.close()


def _probe_tolerantly(file: Path, max_pixels: int, cause: str) -> VideoFacts:
    """Facts of what is left of a damaged file."""
    decoder = FrameDecoder(file, is_tolerant=True, max_pixels=max_pixels)
    try:
        table = repair_table(decoder)
        expected = expected_frames(decoder)
        num_frames = len(table.pts)
        broken = find_break(file, sniff_container(file)) or table.damage or cause
        head = "ends early" if expected is not None and num_frames < expected else "damaged"
        total = f" of about {expected}" if expected is not None else ""
        return _facts(decoder, table, f"{head}: {num_frames} frames{total} ({broken})")
    finally:
        decoder.close()


def _of_about(decoder: FrameDecoder) -> str:
    """How many frames there should be, as words in brackets; empty when the file does not say."""
    try:
        expected = expected_frames(decoder)
    except MediaError:
        return ""
    return "" if expected is None else f" (about {expected} frames were expected)"


def _facts(decoder: FrameDecoder, table: FrameTable, damage: str | None) -> VideoFacts:
    """Facts from a frame table and the open container."""
    stream = decoder.stream
    time_base = stream.time_base or Fraction(1, 1000)
    num_frames, ticks = len(table.pts), table.pts[-1] - table.pts[0]
    rate = stream.average_rate
    fps = float((num_frames - 1) / (ticks * time_base)) if ticks else float(rate) if rate else None
    step = ticks / (num_frames - 1) if ticks else 0.0
    last = table.last_duration or step
    return VideoFacts(
        name=Path(decoder.path).name,
        num_frames=num_frames,
        size=table.orientation.size_of(table.stored_size),
        fps=fps,
        duration_s=float((ticks + last) * time_base),
        is_variable_frame_rate=_leaves_grid(table.pts, step),
        orientation=table.orientation,
        codec=stream.codec.canonical_name,
        container=decoder.container.format.name.split(",")[0],
        time_base=time_base,
        pts=table.pts,
        keyframes=table.keyframes,
        is_index_decoded=table.is_decoded,
        is_seekable=table.is_seekable,
        damage=damage,
        num_frames_expected=expected_frames(decoder),
    )


def _leaves_grid(pts: tuple[int, ...], step: float) -> bool:
    """Whether any time stamp is off an even grid by more than rounding explains."""
    allowed = max(2.0, 0.02 * step)
    return any(abs(time - pts[0] - index * step) > allowed for index, time in enumerate(pts))
