"""What the studio answers when it says no: a status, a code for programs and a sentence for people."""

from __future__ import annotations

from typing import Any

from masklet.errors import StudioError


class RefusedError(StudioError):
    """A request that is understood and not done."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        state: dict[str, Any] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        """Make one.

        Args:
            status: HTTP status, 400 to 599.
            code: One word for programs.
            message: One sentence for people, without paths.
            state: What is in force now, for a page whose own state is old.
            retry_after_s: When to try again, in seconds.
        """
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.state = state
        self.retry_after_s = retry_after_s


def not_found(what: str) -> RefusedError:
    """There is no such thing."""
    return RefusedError(
        404, "not_found", f"There is no such {what}; it may have been removed, so load the list again."
    )


def too_large(what: str, most: int) -> RefusedError:
    """More bytes than a setting allows."""
    return RefusedError(
        413,
        "too_large",
        f"{what} is larger than {in_words(most)}, the most that the studio takes; make it smaller.",
    )


def in_words(num_bytes: int) -> str:
    """A number of bytes as people say it, never more than it is."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB")
    place = min(len(units) - 1, max(0, (num_bytes.bit_length() - 1) // 10))
    return f"{num_bytes // 2 ** (10 * place)} {units[place]}"
