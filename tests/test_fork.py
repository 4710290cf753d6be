"""A client made and used before a fork works on both sides of it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from isolation import HERE, run_script
from samples import TOKEN
from scripted import PATIENCE, Connection, Script, Server, answer, token_answer

pytestmark = pytest.mark.usefixtures(
    "no_greenlets_under_asan", "leaks_of_lost_threads_do_not_count"
)

Serve = Callable[..., Server]


def origin_of(request: bytes) -> str:
    return str(json.loads(request.partition(b"\r\n\r\n")[2])["end_user_origin_id"])


def run_case(case: str, server: Server, ca_file: str = "") -> None:
    assert run_script("forks.py", case, server.base_url, ca_file) == "done\n"


# ---- plain and over TLS: a goodbye in the child would cut the parent's connection ----


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("case", "connections"),
    [
        ("both_sides", 2),
        ("child_that_closes_the_client", 2),
        ("child_that_never_calls", 1),
        ("child_without_python_finalization", 2),
        ("client_made_but_not_used", 2),
        ("closed_client", 1),
        ("grandchildren", 7),
        ("module_functions", 2),
        ("many_clients", 80),
    ],
)
def test_parent_and_child_have_connections_of_their_own(
    serve: Serve, tls: Any, scheme: str, case: str, connections: int
) -> None:
    both = token_answer(results=[])  # a link token, and what `warm_up` reads
    server = serve(both, tls=tls.context if scheme == "https" else None)
    run_case(case, server, tls.ca_file)
    assert server.connections == connections


def test_a_page_that_is_read_ahead_is_asked_for_by_both(serve: Serve) -> None:
    def reply(connection: Connection, request: bytes) -> None:
        is_second = b"cursor=" in request.partition(b"\r\n")[0]
        number, following = (2, None) if is_second else (1, "a")
        connection.send(answer(200, {"next": following, "results": [{"n": number}]}))

    server = serve(reply)
    run_case("page_read_ahead", server)
    assert len(server.requests) == 3


def test_the_child_keeps_no_socket_of_the_parent(serve: Serve) -> None:
    ended = threading.Event()

    def reply(connection: Connection, request: bytes) -> None:
        if origin_of(request) == "the end":
            assert ended.wait(PATIENCE)
        connection.send(token_answer())
        if origin_of(request) == "the first":
            connection.wait_for_end()
            ended.set()

    server = serve(reply)
    run_case("server_sees_the_end", server)
    assert server.connections == 3


def test_no_thread_runs_that_would_make_fork_warn(serve: Serve) -> None:
    run_case("no_thread_of_ours", serve(token_answer()))


@pytest.mark.skipif(
    "MERGE_LINK_TEST_ASAN" in os.environ,
    reason="a fork amid malloc() of other threads leaves AddressSanitizer's allocator locked",
)
def test_fifty_children_of_a_process_with_calls_in_eight_threads(serve: Serve) -> None:
    run_case("during_calls", serve(token_answer()))


# ---- the error budget ----


def test_the_error_budget_begins_anew_in_the_child(serve: Serve) -> None:
    server = serve(answer(500))
    run_case("error_budget", server)
    assert len(server.requests) == 2 + 3 + 1 + 3


def test_what_the_parent_has_in_flight_does_not_hold_the_child_back(serve: Serve) -> None:
    run_case("error_budget_in_flight", serve(conductor()))


# ---- a fork inside a call ----


def conductor() -> Script:
    """Answers to origins: "wait" is answered when "go" has come, "one waits" when a "wait" has."""
    waiting, go = threading.Semaphore(0), threading.Event()

    def reply(connection: Connection, request: bytes) -> None:
        origin = origin_of(request)
        if origin == "wait":
            waiting.release()
            signal_caller(request)
            assert go.wait(PATIENCE)
        elif origin == "one waits":
            assert waiting.acquire(timeout=PATIENCE)
        elif origin == "go":
            go.set()
        connection.send(answer(500) if origin == "fail" else token_answer())

    return reply


def signal_caller(request: bytes) -> None:
    asked = re.search(rb"X-Pid: (\d+)", request)
    if asked:
        os.kill(int(asked[1]), signal.SIGUSR1)


def busy_and_signal(connection: Connection, request: bytes) -> None:
    connection.send(answer(503, b"", "Retry-After: 1"))
    signal_caller(request)


def test_a_signal_handler_forks_while_the_call_waits_for_its_answer(serve: Serve) -> None:
    run_case("handler_while_waiting_for_the_answer", serve(conductor()))


def test_a_signal_handler_forks_while_the_call_waits_to_retry(serve: Serve) -> None:
    run_case("handler_while_waiting_to_retry", serve(busy_and_signal, token_answer()))


def test_a_signal_handler_forks_while_the_call_waits_for_a_connection(serve: Serve) -> None:
    run_case("handler_while_waiting_for_a_connection", serve(conductor()))


def test_the_attempt_hook_forks(serve: Serve) -> None:
    busy = answer(503, b"", "Retry-After: 0")
    run_case("hook_before_the_retry", serve(busy, token_answer()))
    run_case("hook_at_the_end", serve(token_answer()))


def test_a_log_handler_forks(serve: Serve) -> None:
    run_case("log_line_before_the_attempt", serve(token_answer()))


def test_a_signal_handler_forks_while_connections_are_made_ahead(serve: Serve) -> None:
    page = answer(200, {"next": None, "previous": None, "results": []})

    def reply(connection: Connection, request: bytes) -> None:
        if len(server.requests) == 3:
            signal_caller(request)
            server.wait_for_requests(5)  # the child's
        connection.send(page)

    server = serve(reply)
    run_case("warm_up", server)


# ---- others that fork ----


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(serve: Serve, method: str) -> None:
    server = serve(token_answer())
    assert run_script("processes.py", method, server.base_url) == "done\n"


@contextmanager
def gunicorn(server: Server, *options: str) -> Iterator[int]:
    """Run isolated/wsgi.py in gunicorn on the port that comes back."""
    listener = socket.create_server(("127.0.0.1", 0))
    path = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(HERE / "isolated")]
    command += ["--bind", f"fd://{listener.fileno()}", "--log-level", "warning", *options]
    with subprocess.Popen(
        [*command, "wsgi:application"],
        env={**os.environ, "PYTHONPATH": path, "MERGE_BASE_URL": server.base_url},
        pass_fds=[listener.fileno()],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            with listener:
                yield listener.getsockname()[1]
        finally:
            process.terminate()
            said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert said == ""


def get(port: int, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    assert response.status == 200, body
    return dict(json.loads(body))


@pytest.mark.parametrize(
    ("options", "at_once", "workers"),
    [
        (["--preload", "--workers", "2"], 2, 2),
        (["--workers", "1", "--worker-class", "gevent"], 5, 1),
        (["--preload", "--workers", "1", "--worker-class", "gevent"], 5, 1),
    ],
    ids=["preload", "gevent", "gevent, preload"],
)
def test_gunicorn(serve: Serve, options: list[str], at_once: int, workers: int) -> None:
    """As many requests as can be served at once meet at the server: all workers are used."""
    together = threading.Barrier(at_once)

    def reply(connection: Connection, request: bytes) -> None:
        if origin_of(request) == "together":
            together.wait(PATIENCE)
        connection.send(token_answer())

    server = serve(reply)
    with gunicorn(server, *options) as port, ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(lambda _: get(port, "/together"), range(at_once * 4)))
        answers += pool.map(lambda _: get(port, "/alone"), range(20))
    assert all(one["token"] == TOKEN for one in answers)
    assert len({one["pid"] for one in answers}) == workers
    assert all(one["forked"] == ("--preload" in options) for one in answers)
