"""How far a run is: a bar on a terminal (of tqdm, if it is installed), else a line now and then."""

import os
import sys
import time
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from merge_link.cli.output import note

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Told of each row, it tells a person now and then; for use in a ``with`` block."""

    def __init__(self, *, total: int, done: int, failed: int) -> None:
        self._total, self._done, self._failed = total, done, failed
        self._before = done + failed
        self._began = self._told = time.monotonic()
        self._bar = _bar(total, self._before)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def tell(self, *, failed: bool) -> None:
        """Count a row more."""
        self._failed += failed
        self._done += not failed
        if self._bar is not None:
            if failed:
                self._bar.set_postfix_str(f"{self._failed} failed", refresh=False)
            self._bar.update()
            return
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            note(self.line(now - self._began))

    def line(self, seconds: float) -> str:
        """How far it is, after so many seconds."""
        so_far = self._done + self._failed
        rate = (so_far - self._before) / seconds
        left = _duration((self._total - so_far) / rate) if rate else "?"
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{so_far} of {self._total} rows{failed}, {rate:.1f} a second, {left} left"


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _bar(total: int, before: int) -> Any:
    """Return a bar of tqdm; None where there is no terminal, or no tqdm."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    try:
        tqdm = import_module("tqdm").tqdm
    except ImportError:
        return None
    # Some terminals have no size, that of a container for instance.
    has_size = os.get_terminal_size(sys.stderr.fileno()).columns > 0
    width = {"dynamic_ncols": True} if has_size else {"ncols": 80, "nrows": 24}
    return tqdm(total=total, initial=before, unit=" rows", file=sys.stderr, **width)
