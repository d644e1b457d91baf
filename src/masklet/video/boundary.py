"""Where exceptions of PyAV and Pillow become errors of masklet, and where files are replaced whole."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from masklet.errors import DamagedMediaError, MaskletError, MediaError, MediaLimitError, UnsupportedMediaError


@contextmanager
def media_errors(name: str) -> Generator[None, None, None]:
    """Turn whatever a decoder raises into a MediaError that names the file and the cause.

    Decoders raise more than fifteen unrelated types on damaged input (ValueError, IndexError, SyntaxError,
    EOFError, ...), so the catch is broad here and nowhere else.

    Args:
        name: Name of the file for the message.

    Raises:
        MediaLimitError: When memory ran out.
        UnsupportedMediaError: When no decoder exists.
        DamagedMediaError: For every other failure.
    """
    try:
        yield
    except (MaskletError, GeneratorExit):
        raise
    except MemoryError as error:
        raise MediaLimitError(
            f"{name} needs more memory than is free; make it smaller or cut it in parts."
        ) from error
    except NotImplementedError as error:
        raise UnsupportedMediaError(
            f"{name} uses a feature that no decoder here knows ({_cause(error)}); "
            "convert it to H.264 in MP4 or to PNG."
        ) from error
    except Exception as error:
        if type(error).__name__ in {"DecoderNotFoundError", "PatchWelcomeError", "UnknownCodecError"}:
            raise UnsupportedMediaError(
                f"{name} needs a decoder that is not here ({_cause(error)}); convert it to H.264 in MP4."
            ) from error
        raise DamagedMediaError(
            f"{name} cannot be decoded ({_cause(error)}); it is damaged or not what its name says, "
            "so copy it again from its source."
        ) from error


@contextmanager
def write_errors(name: str) -> Generator[None, None, None]:
    """Turn whatever an encoder, muxer or disk raises into a MediaError.

    Args:
        name: Name of the file for the message.

    Raises:
        MediaError: For every failure.
    """
    try:
        yield
    except (MaskletError, GeneratorExit):
        raise
    except Exception as error:
        raise MediaError(
            f"{name} cannot be written ({_cause(error)}); check the folder and the disk."
        ) from error


def _cause(error: BaseException) -> str:
    """The first line of an exception, with its type."""
    # FFmpeg's own errors carry the whole path in their text; its plain reason is enough and gives no
    # folder away.
    text = str(getattr(error, "strerror", None) or error).splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__


def checked_file(path: str | os.PathLike[str]) -> Path:
    """The path, when a non-empty regular file is there.

    Raises:
        MediaError: When nothing or no regular file is there, or it may not be read.
        DamagedMediaError: When the file is empty.
    """
    file = Path(path)
    try:
        is_file, num_bytes = file.is_file(), file.stat().st_size
        if is_file:
            with file.open("rb"):
                pass  # opened only to learn now, not later, that it may not be read
    except (OSError, ValueError) as error:
        raise MediaError(f"{file.name!r} cannot be opened ({_cause(error)}); check the path.") from error
    if not is_file:
        raise MediaError(f"{file.name!r} is not a regular file; give the path of a video or image file.")
    if num_bytes == 0:
        raise DamagedMediaError(f"{file.name!r} is empty (0 bytes); copy it again from its source.")
    return file


@contextmanager
def replacing(path: Path) -> Generator[Path, None, None]:
    """A temporary path beside ``path`` that takes its place, whole, when the block ends without an error.

    Args:
        path: The final file; its folder must exist.

    Raises:
        MediaError: When the folder or disk refuses the file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with write_errors(repr(path.name)):
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
