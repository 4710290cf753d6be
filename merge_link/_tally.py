"""Counting in a bulk run: `BulkSummary`, `Progress`, and who is told of it on the way."""

from __future__ import annotations

from math import exp, log
from time import monotonic

from merge_link.outcomes import effort_of
from merge_link.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from merge_link.outcomes import Outcome

_INSTALL = 'progress=True shows tqdm, which is missing: pip install "merge-link[bulk]"'


class Latency(Record):
    """Seconds that the requests of tokens took: so many of a hundred were no slower.

    Of the attempt that brought the token, from its beginning (``token.response.timing.total``),
    to within one percent.
    """

    p50: float
    p95: float
    p99: float


class BulkSummary(Record):
    """What a bulk run has done so far.

    ``done`` rows have come out, ``succeeded`` of them with a token and ``failed`` with an error;
    ``errors`` counts these by class, most first. ``cancelled`` rows were taken and gave nothing,
    because the run was closed meanwhile; the server may have made their tokens. ``attempts``
    counts the requests of the outcomes, ``seconds`` runs from the first row to the end.
    ``latency`` is None without a token.
    """

    done: int
    succeeded: int
    failed: int
    cancelled: int
    attempts: int
    seconds: float
    errors: dict[str, int]
    latency: Latency | None


class Progress(Record):
    """How far a bulk run is, as ``progress`` is told.

    ``done`` rows have come out, ``failed`` of them with an error. ``total`` is None when the rows
    have no length. ``rate`` is in rows per second, since the first one; ``seconds_left`` is None
    while nothing can be said.
    """

    done: int
    failed: int
    total: int | None
    rate: float
    seconds_left: float | None


# ---- counting ----

# A bucket is one percent wide, the first one begins at a microsecond.
_PER_E = 100
_FIRST = 1e-6
_SHIFT = -log(_FIRST) * _PER_E


class Tally:
    """The numbers of one run. Of the same size after ten rows and after ten million."""

    def __init__(self, total: int | None) -> None:
        self.total = total
        self.taken = 0
        self.done = 0
        self.failed = 0
        self._attempts = 0
        self._kinds: dict[type[Exception], int] = {}
        self._buckets: dict[int, int] = {}
        self._started: float | None = None
        self._ended: float | None = None

    def start(self) -> None:
        """Let the time run."""
        self._started = monotonic()

    def end(self) -> None:
        """Stop the time; without effect again."""
        if self._ended is None:
            self._ended = monotonic()

    def add(self, outcome: Outcome) -> None:
        """Count an outcome that comes out."""
        self.done += 1
        attempts, seconds = effort_of(outcome)
        self._attempts += attempts
        if seconds is None:
            self.failed += 1
            kind = type(outcome.error)
            self._kinds[kind] = self._kinds.get(kind, 0) + 1  # type: ignore[index,arg-type]
            return
        bucket = int(log(seconds) * _PER_E + _SHIFT) if seconds > _FIRST else 0
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1

    @property
    def seconds(self) -> float:
        """Since the first row, until the end if that has come."""
        if self._started is None:
            return 0.0
        return (monotonic() if self._ended is None else self._ended) - self._started

    def summary(self) -> BulkSummary:
        """Return the numbers as they are now."""
        kinds = sorted(self._kinds.items(), key=lambda kind: -kind[1])
        return BulkSummary(
            done=self.done,
            succeeded=self.done - self.failed,
            failed=self.failed,
            cancelled=0 if self._ended is None else self.taken - self.done,
            attempts=self._attempts,
            seconds=self.seconds,
            errors={kind.__name__: count for kind, count in kinds},
            latency=self._latency(),
        )

    def _latency(self) -> Latency | None:
        if not self._buckets:
            return None
        return Latency(**{f"p{part}": self._percentile(part / 100) for part in (50, 95, 99)})

    def _percentile(self, part: float) -> float:
        """Return the middle of the bucket that has the value of that rank."""
        left = part * (self.done - self.failed)
        for bucket in sorted(self._buckets):
            left -= self._buckets[bucket]
            if left <= 0:
                break
        return exp((bucket + 0.5 - _SHIFT) / _PER_E)

    def progress(self) -> Progress:
        """Return how far it is."""
        rate = self.done / self.seconds if self.seconds else 0.0
        left = None if self.total is None else max(self.total - self.done, 0)
        return Progress(
            done=self.done,
            failed=self.failed,
            total=self.total,
            rate=rate,
            seconds_left=left / rate if left is not None and rate else None,
        )

    def __str__(self) -> str:
        """Say how far it came, in a line."""
        of = "" if self.total is None else f" of {self.total}"
        return f"{self.done}{of} rows done, {self.failed} of them failed"


# ---- telling ----


class Teller:
    """Tells nobody."""

    beat: float | None = None  # seconds between two looks at the clock while nothing happens

    def tell(self) -> None:
        """Tell of one row more."""

    def tick(self) -> None:
        """Tell that nothing happens."""

    def close(self) -> None:
        """Tell how it ended."""


class Bar(Teller):
    """A bar of tqdm, in a terminal or a notebook."""

    beat = 1.0

    def __init__(self, tally: Tally) -> None:
        tqdm = _tqdm()
        self._tally = tally
        self._failed = 0
        self._bar = tqdm(total=tally.total, unit=" rows", dynamic_ncols=True)

    def tell(self) -> None:
        """Show one row more."""
        if self._tally.failed != self._failed:
            self._failed = self._tally.failed
            self._bar.set_postfix_str(f"{self._failed} failed", refresh=False)
        self._bar.update()

    def tick(self) -> None:
        """Show the time, which goes on while nothing happens."""
        self._bar.refresh()

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()


def _tqdm() -> Any:
    """Return the class of bars that suits the terminal or the notebook."""
    from importlib import import_module
    from warnings import catch_warnings, simplefilter

    from merge_link.errors import ConfigurationError

    with catch_warnings():
        simplefilter("ignore")  # in a notebook without ipywidgets its bar is one of text
        try:
            return import_module("tqdm.auto").tqdm
        except ImportError:
            pass
    raise ConfigurationError(_INSTALL, option="progress")


class Hook(Teller):
    """The caller's own function, called ten times a second at most, and at the end."""

    _PAUSE = 0.1

    def __init__(self, function: Callable[[Progress], object], tally: Tally) -> None:
        self._function = function
        self._tally = tally
        self._next = 0.0

    def tell(self) -> None:
        """Tell of it, if the last time was long enough ago."""
        if monotonic() >= self._next:
            self._call()
            self._next = monotonic() + self._PAUSE

    def close(self) -> None:
        """Tell how it ended."""
        self._call()

    def _call(self) -> None:
        try:
            self._function(self._tally.progress())
        except Exception:
            from logging import getLogger

            getLogger("merge_link").exception("progress raised")


def teller_of(
    progress: bool | Callable[[Progress], object] | None,
) -> Callable[[Tally], Teller]:
    """Return what makes the teller that was asked for, once there is something to tell."""
    from merge_link.errors import ConfigurationError

    if progress is None or progress is False:
        return lambda tally: Teller()
    if progress is True:
        _tqdm()
        return Bar
    if callable(progress):
        return lambda tally: Hook(progress, tally)
    raise ConfigurationError(
        f"progress must be True, False, None or a callable, not {type(progress).__name__}",
        option="progress",
    )
