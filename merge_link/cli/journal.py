"""The files of a run, so that it can be killed at any moment and gone on with.

==========================  ======================================================================
``tokens.csv``              a line for each row that has its token, appended as they come
``tokens.failed.csv``       a line for each row that has failed
``tokens.csv.state``        of which input they are, by its hash, and how it was asked for; its lock
==========================  ======================================================================

Each has mode 0600. What is done is read from the first two alone: a row that is in neither is asked
for, and one that is in both is done. A line goes to the system in one write, so a kill takes at
most the last one apart; `fsync` is called when a line comes more than `_SYNC_EVERY` seconds after
the last time, and at the end, so what a loss of power can take is the end of a file, too. What is
left of such an end is cut off, and its rows are asked for again. A file that something else has
written to is refused, not repaired.
"""

import contextlib
import enum
import fcntl
import json
import os
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from merge_link.cli.failures import ExitCode, Failure
from merge_link.cli.sheets import Changed, Sheet, lines_of

_SYNC_EVERY = 1.0
_FORMAT = 1
_OURS = 0o600


class Status(enum.IntEnum):
    """How far a row is."""

    OPEN = 0
    DONE = 1
    FAILED = 2


def _said(value: object) -> str:
    return "none" if value in (None, [], "") else json.dumps(value, ensure_ascii=False)


class Journal:
    """The output, the failed rows and the state of a run; for use in a ``with`` block.

    ``status`` has the `Status` of each row by its number; 0 is no row.
    """

    def __init__(
        self, output: Path, failed: Path, sheet: Sheet, failed_sheet: Sheet, rows: int
    ) -> None:
        self.output: Path = output
        self.failed: Path = failed
        self.status: bytearray = bytearray(rows + 1)
        self._sheet, self._failed_sheet = sheet, failed_sheet
        self._state = output.with_name(output.name + ".state")
        self._files = contextlib.ExitStack()
        self._output_log: _Log | None = None
        self._failed_log: _Log | None = None

    def count(self, status: Status) -> int:
        """How many rows have it."""
        return self.status.count(status) - (status == Status.OPEN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    # ---- beginning ----

    def begin(self, plan: Mapping[str, Any], *, resume: bool) -> bool:
        """Make or take up the files; say whether there was something to go on with.

        ``plan`` is what must be the same when a run is gone on with: a dict that JSON can hold. Its
        ``input`` is the hash of the input. Raises `Failure`; then nothing has been written.
        """
        with _told_of(self.output):
            if not resume:
                self._refuse_existing()
            if not self.output.parent.is_dir():
                raise Failure(f"{self.output}: there is no such directory")
            state = self._lock()
            if not resume:
                self._refuse_existing()
            goes_on = self.output.exists()
            if goes_on:
                self._refuse_other_plan(state, plan)
            elif self.failed.exists():
                raise Failure(f"{self.failed} is there without {self.output}: move it away")
            else:
                _replace(state, json.dumps({"format": _FORMAT, **plan}).encode() + b"\n")
                _sync_directory(self.output.parent)  # no output without its state
            self._output_log = self._take_up(self.output, self._sheet, Status.DONE)
            if self.failed.exists():
                self._failed_log = self._take_up(self.failed, self._failed_sheet, Status.FAILED)
                self._tidy()
            _sync_directory(self.output.parent)
            return goes_on

    def _refuse_existing(self) -> None:
        for path in (self.output, self.failed):
            if path.exists() or path.is_symlink():
                raise Failure(f"{path} exists already: --resume goes on with it, or name another")

    def _lock(self) -> int:
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        if not self.output.exists():
            flags |= os.O_CREAT
        try:
            state = os.open(self._state, flags, _OURS)
        except FileNotFoundError:
            raise Failure(
                f"{self.output} cannot be gone on with: {self._state}, which says of what it is, "
                "is not there"
            ) from None
        self._files.callback(os.close, state)
        try:
            fcntl.flock(state, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"another run is writing {self.output}") from None
        return state

    def _of_what(self) -> Failure:
        return Failure(
            f"{self.output} cannot be gone on with: {self._state} does not say of what it is"
        )

    def _refuse_other_plan(self, state: int, plan: Mapping[str, Any]) -> None:
        """Raise `Failure` when the output is of another input, or was asked for otherwise."""
        try:
            begun = json.loads(os.pread(state, os.fstat(state).st_size, 0))
            if begun["format"] != _FORMAT:
                raise ValueError
        except (ValueError, KeyError, TypeError):
            raise self._of_what() from None
        if begun.get("input") != plan["input"]:
            raise Failure(f"{self.output} is of another input, or the input was changed since")
        others = [
            f"{name} ({_said(begun.get(name))}, now {_said(plan.get(name))})"
            for name in {**begun, **plan}
            if name != "format" and begun.get(name) != plan.get(name)
        ]
        if others:
            raise Failure(
                f"{self.output} was begun with other values of {', '.join(others)}: go on with "
                "those, or begin anew with another -o"
            )

    def _take_up(self, path: Path, sheet: Sheet, status: Status) -> "_Log":
        def note(number: int) -> None:
            if number >= len(self.status):
                raise log.changed(f"row {number} is not of the input")
            if self.status[number] == status == Status.DONE:
                raise log.changed(f"row {number} is there twice")
            if self.status[number] == Status.OPEN:
                self.status[number] = status

        log = self._files.enter_context(_Log(path, sheet))
        log.begin(note)
        return log

    # ---- going on ----

    def add_done(self, number: int, values: Mapping[str, Any]) -> None:
        """Write the result of a row. Raises `Failure` when it cannot be written."""
        assert self._output_log is not None
        with _told_of(self.output):
            self._output_log.append(self._sheet.line(values))
        self.status[number] = Status.DONE

    def add_failed(self, number: int, values: Mapping[str, Any]) -> None:
        """Write a row that has failed. Raises `Failure` when it cannot be written."""
        with _told_of(self.failed):
            if self._failed_log is None:
                self._failed_log = self._files.enter_context(_Log(self.failed, self._failed_sheet))
                self._failed_log.begin()
            self._failed_log.append(self._failed_sheet.line(values))
        self.status[number] = Status.FAILED

    def end(self) -> None:
        """Write to disk what is not there yet, and leave those that have failed still."""
        assert self._output_log is not None
        with _told_of(self.output):
            self._output_log.sync()
        with _told_of(self.failed):
            self._tidy()
            _sync_directory(self.output.parent)

    def _tidy(self) -> None:
        """Keep of the failed rows those that have not been done since, each once."""
        log = self._failed_log
        if log is None:
            return
        latest = array("Q", bytes(8 * len(self.status)))  # no row is at place 0, the head's
        lines = 0
        for number, place, _ in log.lines():
            latest[number] = place + 1
            lines += 1
        if not self.count(Status.FAILED):
            self.failed.unlink()
            self._failed_log = None
        elif lines > self.count(Status.FAILED):
            new = self.failed.with_name(self.failed.name + ".new")
            new.unlink(missing_ok=True)  # of a run that was killed here
            with _Log(new, self._failed_sheet) as kept:
                kept.begin()
                for number, place, line in log.lines():
                    if latest[number] == place + 1 and self.status[number] == Status.FAILED:
                        kept.append(line)
                kept.sync()
            new.replace(self.failed)
            self._failed_log = self._files.enter_context(_Log(self.failed, self._failed_sheet))
            self._failed_log.begin()
        else:
            log.sync()


class _Log:
    """A file that lines are appended to; made with mode 0600 if it is not there."""

    def __init__(self, path: Path, sheet: Sheet) -> None:
        self._path, self._sheet = path, sheet
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(path, flags, _OURS)
        self._synced_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def changed(self, how: str) -> Failure:
        return Failure(f"{self._path} was changed by something else: {how}; name another output")

    def lines(self) -> Iterator[tuple[int, int, bytes]]:
        """The rows that were written whole, as of `lines_of`. Raises `Failure`."""
        with open(self._path, "rb") as file:
            try:
                yield from lines_of(file, self._sheet)
            except Changed as changed:
                raise self.changed(str(changed)) from None

    def begin(self, note: Callable[[int], None] = lambda number: None) -> None:
        """Tell the numbers of the rows that are there, cut off what was not written whole.

        Writes the head if it is not there. Raises `Failure`; then nothing has been cut off.
        """
        end = 0
        with open(self._path, "rb") as file:
            if file.read(len(self._sheet.head)) == self._sheet.head:
                end = len(self._sheet.head)
        for number, place, line in self.lines():
            end = place + len(line)
            note(number)
        os.ftruncate(self._descriptor, end)
        if end == 0:
            self.append(self._sheet.head)
        self.sync()

    def append(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._descriptor, line) :]
        if time.monotonic() - self._synced_at >= _SYNC_EVERY:
            self.sync()

    def sync(self) -> None:
        os.fsync(self._descriptor)
        self._synced_at = time.monotonic()


def _replace(descriptor: int, data: bytes) -> None:
    """Write anew what a file holds that is open."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, data, 0)
    os.fsync(descriptor)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Turn what the system refuses into a `Failure` that names the file."""
    try:
        yield
    except OSError as error:
        why = error.strerror or "cannot be written"
        raise Failure(f"{error.filename or path}: {why}", code=ExitCode.NOT_DELIVERED) from None
