"""Waiting for what is not there yet: how often to look, and for how long."""

from __future__ import annotations

from time import monotonic

from merge_link.errors import ConfigurationError, ResponseError

# What a look ends with until there is a result: Merge answers 200 with some text instead.
NOT_THERE_YET = ResponseError

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


class Patience:
    """So many seconds of it; None: one look, and no more."""

    def __init__(self, wait: float | None) -> None:
        if wait is not None and not _is_seconds(wait):
            raise ConfigurationError("wait must be a number of seconds, 0 or more", option="wait")
        self._wait = wait
        self._end = monotonic() + (wait or 0.0)
        self._pause = _FIRST_PAUSE

    def pause_after(self, error: Exception) -> float:
        """Return for how long to pause; raise the error of the last look when time is up."""
        try:
            left = self._end - monotonic()
            if left <= 0:
                error.add_note(
                    f"It was not there after {self._wait:g} s of waiting."
                    if self._wait
                    else "Merge answers so until there is a result: wait= asks again meanwhile."
                )
                raise error
            pause = min(self._pause, left)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            return pause
        finally:
            del error  # it holds this frame
