"""The files of a bulk run after every kind of crash: no row lost, none twice."""

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulks import mode_of, numbers_of
from merge_link.cli import journal as journal_module
from merge_link.cli.failures import Failure
from merge_link.cli.journal import Journal, Status
from merge_link.cli.sheets import (
    ERROR,
    NUMBER,
    Dialect,
    Sheet,
    guarded,
    lines_of,
    sheet_of,
    unguarded,
)

CSV = Dialect("csv", bom=True)
PLAN = {"input": "00ff", "--map": ["a=b"]}
ROWS = 6


def sheets(dialect: Dialect) -> tuple[Sheet, Sheet]:
    output = sheet_of(dialect, [NUMBER, "name", "link_token"])
    return output, sheet_of(dialect, [NUMBER, "name", ERROR])


def open_journal(directory: Path, rows: int = ROWS, dialect: Dialect = CSV) -> Journal:
    return Journal(directory / "t.csv", directory / "t.failed.csv", *sheets(dialect), rows)


def drive(directory: Path, fails: Callable[[int], bool], dialect: Dialect = CSV) -> list[int]:
    """One run with --resume --retry-failed: ask for all that is not done. What was asked for."""
    asked = []
    with open_journal(directory, dialect=dialect) as journal:
        journal.begin(PLAN, resume=True)
        for number in range(1, ROWS + 1):
            if journal.status[number] == Status.DONE:
                continue
            asked.append(number)
            values = {NUMBER: number, "name": f'A "{number}",\nInc'}
            if fails(number):
                journal.add_failed(number, {**values, ERROR: "no"})
            else:
                journal.add_done(number, {**values, "link_token": f"token-{number}"})
        journal.end()
    return asked


def whole_rows(path: Path) -> set[int]:
    if not path.exists():
        return set()
    with path.open("rb") as file:
        return {number for number, _, _ in lines_of(file, sheets(CSV)[0])}


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here loses its power."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


# ---- crashes between any two calls of the system ----


class Crash(BaseException):
    """The end of a process, at once: what it has told the system stays, nothing else happens."""


def crashing_os(after: int) -> Any:
    """An os whose calls that change files end at the given one: a write, half done."""
    calls = itertools.count(1)

    def crashing(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*arguments: Any, **options: Any) -> Any:
            if next(calls) < after:
                return real(*arguments, **options)
            if name in ("write", "pwrite"):
                descriptor, data, *rest = arguments
                real(descriptor, data[: len(data) // 2], *rest)
            raise Crash

        return call

    changing = ("write", "pwrite", "ftruncate", "fsync", "open")
    kept = {name: getattr(os, name) for name in dir(os)}
    return SimpleNamespace(**{**kept, **{name: crashing(name) for name in changing}})


def test_a_crash_at_any_call_loses_no_row_and_repeats_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes = 0
    for first, second in itertools.product(range(1, 60), (3, 9, 14, 30)):
        directory = tmp_path / f"{first}-{second}"
        directory.mkdir()
        # Of the first run some rows fail, of the second fewer: the failed rows are written anew.
        for after, failing in ((first, {2, 3, 5}), (second, {3})):
            with monkeypatch.context() as patch:
                patch.setattr(journal_module, "os", crashing_os(after))
                try:
                    drive(directory, failing.__contains__)
                except Crash:
                    crashes += 1
        done = whole_rows(directory / "t.csv")
        assert not done & set(drive(directory, {3}.__contains__))
        assert numbers_of(directory / "t.csv") == [1, 2, 4, 5, 6]
        assert numbers_of(directory / "t.failed.csv") == [3]
        drive(directory, lambda number: False)
        assert numbers_of(directory / "t.csv") == [1, 2, 3, 4, 5, 6]
        assert not (directory / "t.failed.csv").exists()
        assert {mode_of(path) for path in directory.iterdir()} == {0o600}
    assert crashes > 200


@pytest.mark.parametrize("action", ["replace", "unlink"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_while_failed_rows_are_written_anew_loses_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str, when: str
) -> None:
    drive(tmp_path, {2, 3}.__contains__)
    real = getattr(Path, action)

    def crash(path: Path, *arguments: Any, **options: Any) -> None:
        if action == "unlink" and path.suffix == ".new":
            real(path, *arguments, **options)
            return
        if when == "after":
            real(path, *arguments, **options)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Path, action, crash)
        still = {3} if action == "replace" else set[int]()
        with pytest.raises(Crash):
            drive(tmp_path, still.__contains__)
    assert drive(tmp_path, still.__contains__) == sorted(still)
    assert numbers_of(tmp_path / "t.failed.csv") == sorted(still)
    assert numbers_of(tmp_path / "t.csv") == sorted({1, 2, 3, 4, 5, 6} - still)


# ---- torn ends ----


def test_a_file_cut_at_any_byte_is_gone_on_with(tmp_path: Path) -> None:
    for dialect in (CSV, Dialect("csv", ";"), Dialect("jsonl")):
        drive(tmp_path, lambda number: False, dialect)
        path = tmp_path / "t.csv"
        whole = path.read_bytes()
        head = len(sheets(dialect)[0].head)
        for size in range(len(whole) + 1):
            path.write_bytes(whole[:size])
            asked = drive(tmp_path, lambda number: False, dialect)
            written = path.read_bytes()
            # What was whole has stayed, byte for byte; the rest was asked for again.
            kept = _size_of_whole_lines(whole[:size], head, dialect)
            assert written[:kept] == whole[:kept]
            assert asked == list(range(ROWS - len(asked) + 1, ROWS + 1))
            assert written == whole
        for old in tmp_path.iterdir():
            old.unlink()


def _size_of_whole_lines(data: bytes, head: int, dialect: Dialect) -> int:
    """How much of it are whole lines: each row of `drive` ends with its token."""
    if len(data) < head:
        return 0
    end = b'"}\n' if dialect.kind == "jsonl" else b"\n"
    place = head
    for number in range(1, ROWS + 1):
        token = data.find(f"token-{number}".encode(), place)
        found = data.find(end, token) if token >= 0 else -1
        if found < 0:
            break
        place = found + len(end)
    return place


text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from('",;\r\n='),
    max_size=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    cells=st.lists(text, min_size=1, max_size=6),
    cut=st.floats(0, 1),
    where=st.floats(0, 1),
    hole=st.integers(0, 40),
    kind=st.sampled_from([CSV, Dialect("csv", ";"), Dialect("csv", "\t"), Dialect("jsonl")]),
)
def test_any_cells_and_any_torn_end_with_holes_in_it(
    tmp_path_factory: pytest.TempPathFactory,
    cells: list[str],
    cut: float,
    where: float,
    hole: int,
    kind: Dialect,
) -> None:
    directory = tmp_path_factory.mktemp("torn")

    def go() -> None:
        with open_journal(directory, len(cells), kind) as journal:
            journal.begin(PLAN, resume=True)
            for number, cell in enumerate(cells, 1):
                if journal.status[number] != Status.DONE:
                    journal.add_done(number, {NUMBER: number, "name": cell, "link_token": cell})
            journal.end()

    go()
    path = directory / "t.csv"
    whole = path.read_bytes()
    # After a loss of power a file may have its size but not all of its bytes.
    torn = bytearray(whole[: round(cut * len(whole))])
    place = round(where * len(torn))
    torn[place : place + hole] = bytes(len(torn[place : place + hole]))
    path.write_bytes(torn)
    go()
    assert path.read_bytes() == whole


@given(text)
def test_what_is_guarded_is_found_again(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell
    assert not guarded(cell).startswith(("=", "@", "\t", "\r"))


# ---- files that are not ours ----


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data.replace(b",", b";"), "line 1 is another"),
        (lambda data: data.replace(b"link_token", b"token"), "line 1 is another"),
        (lambda data: data.removeprefix(b"\xef\xbb\xbf"), "line 1 is another"),
        (lambda data: data.replace(b"token-2", b"token-2,x"), "line 4 is none of its own"),
        (lambda data: data.replace(b"\n2,", b"\n,"), "line 4 is none of its own"),
        (lambda data: data.replace(b"\n2,", b"\n1,"), "row 1 is there twice"),
        (lambda data: data.replace(b"\n2,", b"\n7,"), "row 7 is not of the input"),
        (lambda data: data + b"a,b,c\n", "line 14 is none of its own"),
    ],
)
def test_an_output_that_was_changed_is_refused_and_left_as_it_is(
    tmp_path: Path, change: Callable[[bytes], bytes], told: str
) -> None:
    drive(tmp_path, lambda number: False)
    path = tmp_path / "t.csv"
    changed = change(path.read_bytes())
    path.write_bytes(changed)
    with pytest.raises(Failure, match=told):
        drive(tmp_path, lambda number: False)
    assert path.read_bytes() == changed


def test_lines_may_be_in_any_order(tmp_path: Path) -> None:
    drive(tmp_path, {2}.__contains__)
    drive(tmp_path, lambda number: False)
    assert drive(tmp_path, lambda number: False) == []


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (None, "t.csv.state, which says of what it is, is not there"),
        (b"", "does not say of what it is"),
        (b'{"format": 1, "inp', "does not say of what it is"),
        (b"[]", "does not say of what it is"),
        (json.dumps({"format": 2, **PLAN}).encode(), "does not say of what it is"),
        (json.dumps({"format": 1, **PLAN, "input": "11"}).encode(), "of another input"),
        (
            json.dumps({"format": 1, **PLAN, "--map": []}).encode(),
            r"other values of --map \(none, now ",
        ),
        (
            json.dumps({"format": 1, **PLAN, "--rest": 1}).encode(),
            r"other values of --rest \(1, now none\)",
        ),
    ],
)
def test_an_output_of_something_else_is_refused(
    tmp_path: Path, state: bytes | None, told: str
) -> None:
    drive(tmp_path, lambda number: False)
    path = tmp_path / "t.csv.state"
    path.unlink()
    if state is not None:
        path.write_bytes(state)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(Failure, match=told):
        drive(tmp_path, lambda number: False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["t.csv", "t.failed.csv"])
def test_nothing_is_overwritten_without_resume(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with open_journal(tmp_path) as journal, pytest.raises(Failure, match="exists already"):
        journal.begin(PLAN, resume=False)
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).read_text() == "precious"


def test_failed_rows_of_another_run_are_not_taken_for_ones_of_this(tmp_path: Path) -> None:
    (tmp_path / "t.failed.csv").write_text("precious")
    with open_journal(tmp_path) as journal, pytest.raises(Failure, match="is there without"):
        journal.begin(PLAN, resume=True)
    assert (tmp_path / "t.failed.csv").read_text() == "precious"


@pytest.mark.parametrize("name", ["t.csv", "t.csv.state", "t.failed.csv"])
def test_links_to_elsewhere_are_not_followed(tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    (tmp_path / name).symlink_to(elsewhere)
    for resume in (False, True):
        with open_journal(tmp_path) as journal, pytest.raises(Failure):
            journal.begin(PLAN, resume=resume)
    assert elsewhere.read_text() == "precious"


def test_two_runs_cannot_write_one_output(tmp_path: Path) -> None:
    with open_journal(tmp_path) as first, open_journal(tmp_path) as second:
        first.begin(PLAN, resume=False)
        for resume in (False, True):
            with pytest.raises(Failure, match=r"another run is writing|exists already"):
                second.begin(PLAN, resume=resume)
    with open_journal(tmp_path) as third:
        assert third.begin(PLAN, resume=True)


def test_a_stale_state_without_output_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "t.csv.state").write_text('{"format": 1, "input": "another, and much longer"}')
    with open_journal(tmp_path) as journal:
        assert not journal.begin(PLAN, resume=True)
    assert json.loads((tmp_path / "t.csv.state").read_text()) == {"format": 1, **PLAN}


def test_lines_are_on_disk_after_a_while_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, synced = [0.0], list[int]()
    monkeypatch.setattr(journal_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with open_journal(tmp_path) as journal:
        journal.begin(PLAN, resume=False)
        monkeypatch.setattr(os, "fsync", synced.append)
        journal.add_done(1, {NUMBER: 1})
        assert synced == []
        now[0] = 1.0
        journal.add_done(2, {NUMBER: 2})
        assert len(synced) == 1
        journal.add_done(3, {NUMBER: 3})
        assert len(synced) == 1
        journal.end()
        assert len(synced) > 1
