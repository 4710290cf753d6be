"""Merge's limits on how often one may call, off until they are asked for."""

import math
import threading
from collections import defaultdict, deque
from collections.abc import Callable

from merge_link.sandbox.arguments import check_count, check_seconds
from merge_link.sandbox.clock import Clock


class Limits:
    """A limit on the requests of a caller, and one on the failures of an IP address.

    Both reckon by the sandbox's clock. Thread-safe.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        """Limit nothing any more."""
        self._calls: RollingWindow | None = None
        self._failures: RollingWindow | None = None

    @property
    def count(self) -> int:
        """How many of the two there are."""
        return (self._calls is not None) + (self._failures is not None)

    def throttle(self, requests: int, seconds: float = 60.0) -> None:
        """Allow a caller so many requests in any so many seconds.

        Merge limits linked accounts, so a caller is an account token; calls without one are
        counted by API key, which is the sandbox's choice.
        """
        most, span = check_count("requests", requests), check_seconds("seconds", seconds)
        self._calls = RollingWindow(most, span, self._clock.now)

    def shut_out(self, failures: int = 20, seconds: float = 10.0) -> None:
        """Shut out an IP address that fails more than so often in so many seconds.

        A failure is a status of 400 or more but 429. While there are too many in the window,
        all requests of the address are answered 429.
        """
        most, span = check_count("failures", failures), check_seconds("seconds", seconds)
        self._failures = RollingWindow(most + 1, span, self._clock.now)

    def take_call(self, caller: str) -> int:
        """Count a call; or the whole seconds that the caller has to wait first."""
        window = self._calls
        return window.take(caller) if window else 0

    def seconds_shut_out(self, address: str) -> int:
        """The whole seconds that an IP address is shut out for."""
        window = self._failures
        return window.wait(address) if window else 0

    def count_answer(self, address: str, status: int) -> None:
        """Learn what an IP address was answered."""
        window = self._failures
        if window and status >= 400 and status != 429:
            window.add(address)


class RollingWindow:
    """Counts what happens under each key; more than ``most`` in ``seconds`` has to wait."""

    def __init__(self, most: int, seconds: float, now: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)

    def wait(self, key: str) -> int:
        """Whole seconds until one more may happen; 0 for now."""
        with self._lock:
            return self._wait(key)

    def add(self, key: str) -> None:
        """One happened, whether it might or not."""
        with self._lock:
            self._times[key].append(self._now())

    def take(self, key: str) -> int:
        """One happens if it may; else the whole seconds until it may."""
        with self._lock:
            wait = self._wait(key)
            if not wait:
                self._times[key].append(self._now())
            return wait

    def _wait(self, key: str) -> int:
        times, now = self._times[key], self._now()
        while times and times[0] <= now - self._seconds:
            times.popleft()
        if len(times) < self._most:
            return 0
        return max(1, math.ceil(times[-self._most] + self._seconds - now))
