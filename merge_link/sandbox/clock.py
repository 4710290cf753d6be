"""The sandbox's time: the machine's, and as much more as it was told to advance."""

import threading
import time
from datetime import UTC, datetime


class Clock:
    """Seconds since 1970. Thread-safe.

    Only what expires looks at it: tokens and what is stamped with a time. The ``Date`` of an
    answer stays the machine's, as a client reckons with its own clock.
    """

    def __init__(self, ahead: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._ahead = ahead

    def now(self) -> float:
        """The time now, to the microsecond, so that a time that was written is found again."""
        return round(time.time() + self._ahead, 6)

    def advance(self, seconds: float) -> float:
        """Let so many seconds pass at once, and return by how many it is ahead now."""
        with self._lock:
            self._ahead += seconds
            return self._ahead

    @property
    def ahead(self) -> float:
        """By how many seconds it is ahead of the machine's."""
        return self._ahead

    def reset(self) -> None:
        """Go back to the machine's time."""
        with self._lock:
            self._ahead = 0.0


def to_iso(seconds: float) -> str:
    """A time as Merge writes it: ISO 8601 in UTC, to the microsecond."""
    at = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return at.isoformat(timespec="microseconds") + "Z"
