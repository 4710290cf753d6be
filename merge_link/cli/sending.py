"""Asking for the rows of a table, and writing down what comes of each.

Ctrl-C or SIGTERM ends it well: no further row is asked for, and what is in flight is written down.
A second one drops that.
"""

import contextlib
import dataclasses
import functools
import itertools
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, Self

from merge_link import Client, LinkToken, Outcome, errors
from merge_link.bulk import BulkRun
from merge_link.cli.columns import Columns
from merge_link.cli.failures import Failure, failure_of
from merge_link.cli.journal import Journal, Status
from merge_link.cli.output import one_line
from merge_link.cli.progress import Progress
from merge_link.cli.sheets import ERROR, NUMBER, OWN, RESULTS
from merge_link.cli.tables import Row, Table

MOST_FAILURES_IN_A_ROW = 100
"""Of failures that are not because of what the rows hold: then something else is wrong."""

_FINISHING = b"merge-link: finishing what is in flight; once more drops it\n"

# Other rows would fail for the same reason.
_OF_ALL_ROWS = (
    errors.AuthenticationError,
    errors.ConfigurationError,
    errors.ClientClosedError,
    errors.TLSError,
)
_OF_THE_ROW = (errors.ValidationError, errors.BadRequestError)


class Stop:
    """What SIGINT and SIGTERM do in a ``with`` block; ``signal`` is the first that came, or 0."""

    def __init__(self) -> None:
        self.signal: int = 0
        self._is_dropped = False
        self._is_busy = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            # A shell has a job in the background ignore Ctrl-C: it stays so.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self.signal:
            self.signal = number
            # Not by sys.stderr, which may be in the middle of a write.
            with contextlib.suppress(OSError):
                os.write(2, b"\n" * os.isatty(2) + _FINISHING)
            return
        self._is_dropped = True
        if not self._is_busy:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Let the block end before a second signal counts."""
        self._is_busy = True
        try:
            yield
        finally:
            self._is_busy = False

    def drop(self) -> None:
        """Raise KeyboardInterrupt if a second signal has come."""
        if self._is_dropped:
            raise KeyboardInterrupt


@dataclass
class Sending:
    """One run over a table. ``stopped_by`` is the signal that ended it early, or 0."""

    table: Table
    columns: Columns
    journal: Journal
    retries_failed: bool
    stopped_by: int = 0
    _failures_in_a_row: int = 0

    def run(self, client: Client, *, concurrency: int, rate: str | None) -> None:
        """Ask for all rows that are wanted. Raises `Failure` when going on makes no sense."""
        ask = functools.partial(client.create_link_tokens, concurrency=concurrency, rate=rate)
        rows = self._wanted()
        with Stop() as stop, self._progress() as progress:
            try:
                with contextlib.suppress(KeyboardInterrupt):
                    # The first goes alone: a wrong key is found out by one request.
                    for some in (itertools.islice(rows, 1), rows):
                        self._ask_for(some, ask, stop, progress)
            finally:
                with stop.busy():
                    self.journal.end()
        self.stopped_by = stop.signal

    def _ask_for(
        self,
        rows: Iterable[Row],
        ask: Callable[[Iterable[dict[str, Any]]], BulkRun],
        stop: Stop,
        progress: Progress,
    ) -> None:
        under_way: dict[int, Row] = {}

        def requests() -> Iterator[dict[str, Any]]:
            for index, row in enumerate(rows):
                if stop.signal:
                    return
                under_way[index] = row
                yield self.columns.fields(row)

        with ask(requests()) as outcomes:
            for outcome in outcomes:
                with stop.busy():
                    self._write_down(under_way.pop(outcome.index), outcome)
                    progress.tell(failed=outcome.error is not None)
                stop.drop()

    def _wanted(self) -> Iterator[Row]:
        status = self.journal.status
        wanted = (Status.OPEN, Status.FAILED) if self.retries_failed else (Status.OPEN,)
        return (row for row in self.table if status[row.number] in wanted)

    def _progress(self) -> Progress:
        done, failed = self.journal.count(Status.DONE), self.journal.count(Status.FAILED)
        return Progress(
            total=len(self.journal.status) - 1,
            done=done,
            failed=0 if self.retries_failed else failed,
        )

    def _write_down(self, row: Row, outcome: Outcome) -> None:
        token, error = outcome.token, outcome.error
        if token is not None:
            self._failures_in_a_row = 0
            self.journal.add_done(row.number, self._result(row, token))
            return
        assert error is not None
        if not isinstance(error, errors.MergeLinkError):
            raise error
        why = failure_of(error, self.columns.words(row))
        if isinstance(error, _OF_ALL_ROWS):
            raise why
        self.journal.add_failed(row.number, self._failure(row, why))
        if isinstance(error, _OF_THE_ROW):
            self._failures_in_a_row = 0
            return
        self._failures_in_a_row += 1
        if self._failures_in_a_row == MOST_FAILURES_IN_A_ROW:
            first, *others = why.problems
            text = (
                f"stopped after {MOST_FAILURES_IN_A_ROW} failures in a row, the last: {first.text}"
            )
            raise Failure(dataclasses.replace(first, text=text), *others)

    def _result(self, row: Row, token: LinkToken) -> dict[str, Any]:
        kept = {name: row.cells[name] for name in self.columns.kept if name in row.cells}
        result = {name: getattr(token, name) for name in RESULTS}
        result["expires_at"] = token.expires_at.isoformat(timespec="seconds")
        return {NUMBER: row.number, **kept, **result}

    def _failure(self, row: Row, why: Failure) -> dict[str, Any]:
        cells = {name: cell for name, cell in row.cells.items() if name not in OWN}
        text = "; ".join(problem.text for problem in why.problems)
        return {NUMBER: row.number, **cells, ERROR: one_line(text)}
