"""merge-link bulk that is killed or interrupted, and gone on with: by processes, as it is used."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bulks import asked, by_row, csv_of, numbers_of, rows_of
from command_line import BIN, PATIENCE, Terminal, process
from isolation import run_script
from samples import KEY
from scripted import Connection, Server, token_answer

ROWS = 12


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory with a table, which is the current one."""
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text(csv_of(ROWS))


class Watched:
    """A server that calls a function at the request of one row, before it answers."""

    def __init__(self, row: int, function: Callable[[], None]) -> None:
        self.asked: list[str] = []
        self._row, self._function = f"row-{row}", function
        self._is_done = False

    def __call__(self, origin_id: str) -> None:
        self.asked.append(origin_id)
        if origin_id == self._row and not self._is_done:
            self._is_done = True
            self._function()


def command(*arguments: str) -> list[str | Path]:
    return [BIN / "merge-link", "bulk", "people.csv", "-o", "t.csv", *arguments]


def environment_of(server: Server) -> dict[str, str]:
    return {**os.environ, "MERGE_API_KEY": KEY, "MERGE_BASE_URL": server.base_url}


def go_on(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return process(
        *command("--resume", *arguments),
        environment={"MERGE_API_KEY": KEY, "MERGE_BASE_URL": server.base_url},
    )


def started(server: Server, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments),
        env=environment_of(server),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# ---- kill -9 ----


def killed_at(row: int) -> tuple[Server, Watched]:
    """A server that has seen a run killed before it answered that row; the run is over."""
    ready, running = threading.Event(), list[subprocess.Popen[str]]()

    def kill() -> None:
        assert ready.wait(PATIENCE)
        running[0].kill()

    watched = Watched(row, kill)
    server = Server(by_row(watched))
    running.append(started(server, "--concurrency", "1"))
    ready.set()
    running[0].communicate(timeout=PATIENCE)
    assert running[0].returncode == -signal.SIGKILL
    return server, watched


@pytest.mark.parametrize("row", [1, 2, 7, ROWS])
def test_killed_at_any_row_and_gone_on_with_each_row_is_there_once(row: int) -> None:
    server, watched = killed_at(row)
    with server:
        assert numbers_of(Path("t.csv")) == list(range(1, row))
        before = Path("t.csv").read_bytes()
        done = go_on(server)
    assert done.returncode == 0
    assert done.stderr == f"merge-link: going on: {row - 1} of {ROWS} rows done\n"
    assert numbers_of(Path("t.csv")) == list(range(1, ROWS + 1))
    assert Path("t.csv").read_bytes().startswith(before)
    assert len(watched.asked) == ROWS + 1  # the row that was under way, again


def test_killed_three_times_on_bad_days_each_row_is_there_once() -> None:
    assert run_script("bulk_kills.py", "300").endswith("300 rows, each once, after 3 kills\n")


# ---- what may not go on ----


def test_another_input_is_refused_and_the_output_stays() -> None:
    with Server(token_answer()) as server:
        assert go_on(server).returncode == 0
        before = Path("t.csv").read_bytes()
        Path("people.csv").write_text(csv_of(ROWS) + " \n")
        Path("people.csv").write_text(csv_of(ROWS).replace("Acme 7", "Acme  7"))
        done = go_on(server)
        assert done.returncode == 2
        assert done.stderr == (
            "merge-link: t.csv is of another input, or the input was changed since\n"
        )
        assert Path("t.csv").read_bytes() == before


def test_without_resume_an_output_is_never_touched() -> None:
    Path("t.csv").write_text("precious")
    with Server(token_answer()) as server:
        done = process(*command(), environment=environment_of(server))
        assert done.returncode == 2
        assert "t.csv exists already: --resume goes on with it" in done.stderr
        done = go_on(server)
        assert done.returncode == 2
        assert "t.csv.state, which says of what it is, is not there" in done.stderr
        assert server.requests == []
    assert Path("t.csv").read_text() == "precious"


def test_a_second_run_at_the_same_time_is_refused() -> None:
    second: list[subprocess.CompletedProcess[str]] = []
    with Server(by_row(lambda origin_id: None)) as server:
        watched = Watched(5, lambda: second.append(go_on(server)))
        with Server(by_row(watched)) as first:
            done = process(*command(), environment=environment_of(first))
        assert server.requests == []
    assert done.returncode == 0
    assert second[0].returncode == 2
    assert second[0].stderr == "merge-link: another run is writing t.csv\n"
    assert numbers_of(Path("t.csv")) == list(range(1, ROWS + 1))


def test_a_pipe_can_be_gone_on_with() -> None:
    with Server(token_answer()) as server:
        environment = {"MERGE_API_KEY": KEY, "MERGE_BASE_URL": server.base_url}
        piped = [BIN / "merge-link", "bulk", "-", "-o", "t.csv", "--resume"]
        for _ in range(2):
            done = process(*piped, environment=environment, input=csv_of(3))
            assert done.returncode == 0
        assert len(server.requests) == 3
        done = process(*piped, environment=environment, input=csv_of(4))
        assert done.returncode == 2


# ---- Ctrl-C ----


@contextlib.contextmanager
def holding(row: int) -> Iterator[tuple[Server, threading.Event, threading.Event]]:
    """A server that lets one row wait: it has come, and it may be answered."""
    has_come, may_go = threading.Event(), threading.Event()

    def wait() -> None:
        has_come.set()
        may_go.wait(PATIENCE)

    with Server(by_row(Watched(row, wait))) as server:
        try:
            yield server, has_come, may_go
        finally:
            may_go.set()


def test_ctrl_c_finishes_what_is_in_flight_and_says_how_to_go_on() -> None:
    with holding(5) as (server, has_come, may_go):
        terminal = Terminal(command("--concurrency", "1"), environment_of(server))
        assert has_come.wait(PATIENCE)
        terminal.press_ctrl_c()
        terminal.read_until(b"finishing what is in flight; once more drops it")
        may_go.set()
        assert terminal.end() == 130
        assert b"stopped: 5 of 12 rows done\r\n" in terminal.said
        assert b"The same command with --resume goes on from there." in terminal.said
        assert numbers_of(Path("t.csv")) == [1, 2, 3, 4, 5]
        assert go_on(server).returncode == 0
        assert len(server.requests) == ROWS
    assert numbers_of(Path("t.csv")) == list(range(1, ROWS + 1))


def test_a_second_ctrl_c_drops_what_is_in_flight() -> None:
    with holding(5) as (server, has_come, may_go):
        terminal = Terminal(command("--concurrency", "1"), environment_of(server))
        assert has_come.wait(PATIENCE)
        terminal.press_ctrl_c()
        terminal.read_until(b"once more drops it")
        terminal.press_ctrl_c()
        assert terminal.end() == 130
        assert b"stopped: 4 of 12 rows done\r\n" in terminal.said
        assert numbers_of(Path("t.csv")) == [1, 2, 3, 4]
        may_go.set()
        assert go_on(server).returncode == 0
    assert numbers_of(Path("t.csv")) == list(range(1, ROWS + 1))


def test_sigterm_does_the_same_with_its_own_exit_code() -> None:
    with holding(3) as (server, has_come, may_go):
        running = started(server, "--concurrency", "1")
        assert has_come.wait(PATIENCE)
        running.terminate()
        assert running.stderr is not None
        assert running.stderr.readline() == (
            "merge-link: finishing what is in flight; once more drops it\n"
        )
        may_go.set()
        _, said = running.communicate(timeout=PATIENCE)
    assert running.returncode == 143
    assert said.startswith("merge-link: stopped: 3 of 12 rows done\n")
    assert numbers_of(Path("t.csv")) == [1, 2, 3]


def test_ctrl_c_at_the_last_row_ends_as_if_nothing_had_been() -> None:
    with holding(ROWS) as (server, has_come, may_go):
        running = started(server, "--concurrency", "1")
        assert has_come.wait(PATIENCE)
        running.send_signal(signal.SIGINT)
        assert running.stderr is not None
        running.stderr.readline()
        may_go.set()
        assert running.wait(PATIENCE) == 0
        running.communicate()
    assert len(rows_of(Path("t.csv"))) == ROWS


def test_failed_rows_that_are_tried_again_are_killed_and_tried_again() -> None:
    refused = {"row-2", "row-5", "row-9"}
    ready = threading.Event()
    running: list[subprocess.Popen[str]] = []

    def script(connection: Connection, request: bytes) -> None:
        origin_id = asked(request)["end_user_origin_id"]
        if origin_id in refused:
            connection.send(
                b"HTTP/1.1 400 No\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"
            )
            return
        if origin_id == "row-9" and ready.wait(PATIENCE):
            running[0].kill()
        connection.send(token_answer())

    with Server(script) as server:
        assert process(*command(), environment=environment_of(server)).returncode == 6
        assert numbers_of(Path("t.failed.csv")) == [2, 5, 9]
        refused.clear()
        running.append(started(server, "--retry-failed", "--concurrency", "1"))
        ready.set()
        running[0].communicate(timeout=PATIENCE)
        assert running[0].returncode == -signal.SIGKILL
        assert numbers_of(Path("t.failed.csv")) == [2, 5, 9]
        assert numbers_of(Path("t.csv")) == [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12]
        ready.clear()
        done = go_on(server)  # which also tidies
        assert done.returncode == 6
        assert numbers_of(Path("t.failed.csv")) == [9]
    with Server(token_answer()) as other:
        state = Path("t.csv.state")
        state.write_text(state.read_text().replace(server.base_url, other.base_url))
        assert go_on(other, "--retry-failed").returncode == 0
    assert numbers_of(Path("t.csv")) == list(range(1, ROWS + 1))
    assert not Path("t.failed.csv").exists()
