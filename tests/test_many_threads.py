"""One client under load, and what becomes of its connections."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import merge_link
from isolation import HERE, run_script
from samples import FIELDS
from scripted import PATIENCE, Connection, Server, answer, token_answer

Serve = Callable[..., Server]
THREADS, CALLS, MOST_CONNECTIONS = 100, 20_000, 40
PAGE = answer(200, {"next": None, "previous": None, "results": []})


# ---- load ----


class Other(NamedTuple):
    """A sandbox in another process."""

    base_url: str
    api_key: str

    def connections(self) -> int:
        """Count this process's sockets that lead there."""
        port = int(self.base_url.split(":")[2].split("/")[0])
        return sum(
            peer == ("127.0.0.1", port) for peer in map(peer_of, os.listdir("/proc/self/fd"))
        )


def peer_of(descriptor: str) -> Any:
    try:
        if not os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:"):
            return None
        with socket.socket(fileno=os.dup(int(descriptor))) as sock:
            return sock.getpeername()
    except OSError:
        return None  # closed meanwhile, or without a peer


@pytest.fixture
def other() -> Iterator[Other]:
    command = [sys.executable, str(HERE / "isolated" / "sandbox.py")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin:  # its end is the sandbox's
            yield Other(*process.stdout.readline().split())


def test_each_answer_belongs_to_its_question(other: Other) -> None:
    """The sandbox says the name of the integration that was asked for."""
    barrier = threading.Barrier(THREADS + 1)
    tokens: list[str] = []
    failures: list[BaseException] = []

    def work(number: int) -> None:
        barrier.wait(PATIENCE)
        try:
            for call in range(CALLS // THREADS):
                token = client.create_link_token(**FIELDS, integration=f"thread{number}-call{call}")
                assert token.integration_name == f"Thread{number} Call{call}"
                tokens.append(token.link_token)
        except BaseException as error:
            failures.append(error)

    options = {"base_url": other.base_url, "api_key": other.api_key, "timeout": 60.0}
    with merge_link.Client(max_connections=MOST_CONNECTIONS, **options) as client:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        barrier.wait(PATIENCE)
        seen = []
        for thread in threads:
            while thread.is_alive():
                seen.append(other.connections())
                thread.join(0.05)
        assert failures == []
        assert len(set(tokens)) == len(tokens) == CALLS
        assert max(seen) <= MOST_CONNECTIONS
        assert other.connections() <= MOST_CONNECTIONS
    assert other.connections() == 0


# ---- kept connections ----


class Places:
    """Answers every request, and notes which connection each came in on."""

    def __init__(self) -> None:
        self.seen: list[Connection] = []

    def __call__(self, connection: Connection, request: bytes) -> None:
        self.seen.append(connection)
        connection.send(PAGE if request.startswith(b"GET") else token_answer())


def test_the_connection_that_was_used_last_is_used_next(serve: Serve) -> None:
    places = Places()
    with serve(places).client() as client:
        client.warm_up(4)
        for _ in range(8):
            client.create_link_token(**FIELDS)
    assert len(set(places.seen[:4])) == 4
    assert set(places.seen[4:]) == {places.seen[3]}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("count", [1, 3])
def test_connections_that_the_server_closed_while_idle_are_replaced_unnoticed(
    serve: Serve, tls: Any, scheme: str, count: int
) -> None:
    places = Places()
    server = serve(places, tls=tls.context if scheme == "https" else None)
    with server.client(max_retries=0, ca_bundle=tls.ca_file, max_connections=count) as client:
        client.warm_up(count)
        for connection in places.seen:
            connection.sock.shutdown(socket.SHUT_RDWR)  # its own thread closes it
        tokens = [client.create_link_token(**FIELDS) for _ in range(count + 1)]
        client.warm_up(count)
    assert [token.response.attempts for token in tokens if token.response] == [1] * (count + 1)
    assert server.connections == count * 2
    assert len(server.requests) == count + (count + 1) + count


def test_a_connection_that_was_idle_for_too_long_is_not_used_again(serve: Serve) -> None:
    brief, patient = serve(token_answer()), serve(token_answer())
    with brief.client(idle_timeout=2) as one, patient.client(idle_timeout=60) as two:
        for _ in range(2):
            one.create_link_token(**FIELDS)
            two.create_link_token(**FIELDS)
        assert (brief.connections, patient.connections) == (1, 1)
        time.sleep(2.1)  # libcurl counts whole seconds
        one.create_link_token(**FIELDS)
        two.create_link_token(**FIELDS)
    assert (brief.connections, patient.connections) == (2, 1)


def test_a_name_is_looked_up_once_for_all_connections(
    serve: Serve, lookup_shim: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    places = Places()
    server = serve(places)
    settings = {**lookup_shim, "LOOKUP_LOG": str(log)}
    assert run_script("lookups.py", str(server.port), environment=settings) == "done\n"
    assert server.connections >= 5
    # From 8.20 on, libcurl asks for IPv4 and IPv6 addresses one by one.
    assert log.read_text() in ("api.example\n", "api.example\n" * 2)
