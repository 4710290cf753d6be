"""Starting and closing a sandbox, and the client that it makes."""

import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

import merge_link
from merge_link.sandbox import Sandbox
from plain_http import (
    PATIENCE,
    call,
    connect,
    port_of,
    raw_request,
    read_answer,
)


def open_descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")


@needs_proc
def test_close_leaves_no_thread_and_no_descriptor() -> None:
    threads, descriptors = threading.active_count(), open_descriptors()
    for _ in range(3):
        with Sandbox() as sandbox:
            call(sandbox)
            idle, half = connect(sandbox), connect(sandbox)
            idle.sendall(raw_request(sandbox))
            assert read_answer(idle).status == 200
            half.sendall(raw_request(sandbox)[:-1])
            begin = time.monotonic()
            sandbox.close()
            assert time.monotonic() - begin < 1.0
            assert threading.active_count() == threads
        for sock in (idle, half):
            assert ended(sock)
            sock.close()
        assert open_descriptors() == descriptors


def ended(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def send_for_ever(sock: socket.socket, data: bytes) -> None:
    while True:
        sock.sendall(data)


def test_close_ends_connections_whose_client_does_not_read() -> None:
    threads = threading.active_count()
    with Sandbox() as sandbox, connect(sandbox) as sock:
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):  # both directions are full, the sandbox is stuck
            send_for_ever(sock, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        begin = time.monotonic()
        sandbox.close()
        assert time.monotonic() - begin < 1.0
    assert threading.active_count() == threads


def test_close_while_requests_are_under_way_ends_them_all() -> None:
    threads = threading.active_count()
    sandbox = Sandbox().start()
    request = raw_request(sandbox)
    first = threading.Barrier(9)

    def work() -> None:
        with connect(sandbox) as sock:
            sock.sendall(request)
            read_answer(sock)
            first.wait(PATIENCE)
            try:
                while True:
                    sock.sendall(request)
                    read_answer(sock)
            except (OSError, http.client.HTTPException):
                pass

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    first.wait(PATIENCE)
    sandbox.close()
    for worker in workers:
        worker.join(PATIENCE)
    assert threading.active_count() == threads


def test_after_close_nobody_answers() -> None:
    with Sandbox() as sandbox:
        pass
    with pytest.raises(ConnectionRefusedError):
        connect(sandbox)


def test_the_port_is_free_for_the_next_sandbox_at_once() -> None:
    with Sandbox() as first:
        port = port_of(first)
        call(first)
        idle = connect(first)
    with idle, Sandbox(port=port) as second:
        assert port_of(second) == port
        assert call(second).status == 200


def test_a_port_in_use_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(OSError, match=r"[Aa]ddress already in use"):
        Sandbox(port=port_of(sandbox)).start()


def test_start_and_close_may_be_called_again() -> None:
    sandbox = Sandbox()
    assert sandbox.start() is sandbox
    url = sandbox.url
    assert sandbox.start().url == url
    with sandbox:
        assert call(sandbox).status == 200
    sandbox.close()
    sandbox.close()
    assert sandbox.url == url


def test_a_closed_sandbox_is_not_started_again() -> None:
    sandbox = Sandbox()
    sandbox.close()
    with pytest.raises(RuntimeError, match="closed"):
        sandbox.start()


def test_there_is_no_url_before_the_start() -> None:
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="not started"):
        _ = sandbox.url
    with pytest.raises(RuntimeError, match="not started"):
        _ = sandbox.base_url
    assert repr(sandbox) == "<Sandbox not started>"


def test_url_and_base_url_name_the_loopback_port(sandbox: Sandbox) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", sandbox.url)
    assert sandbox.base_url == sandbox.url + "/api"


def test_two_sandboxes_know_nothing_of_each_other(sandbox: Sandbox) -> None:
    with Sandbox() as other:
        headers = {"Authorization": f"Bearer {other.api_key}"}
        assert call(sandbox, headers=headers).status == 401
        assert other.requests == []


def test_options_are_keyword_only() -> None:
    with pytest.raises(TypeError):
        Sandbox(0)  # type: ignore[call-arg]


def test_client_is_made_for_the_sandbox_and_its_options_win(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge_link, "Client", lambda **options: options, raising=False)
    made: Any = sandbox.client(timeout=3.0)
    assert made == {"base_url": sandbox.base_url, "api_key": sandbox.api_key, "timeout": 3.0}
    made = sandbox.client(api_key="test_other", base_url="http://127.0.0.1:1")
    assert made == {"base_url": "http://127.0.0.1:1", "api_key": "test_other"}


@pytest.mark.parametrize("missing", ["h11", "werkzeug"])
def test_a_missing_dependency_names_the_extra_to_install(missing: str) -> None:
    script = (
        "import sys\n"
        f"sys.modules[{missing!r}] = None\n"
        "try:\n"
        "    import merge_link.sandbox\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert missing in output
    assert 'pip install "merge-link[sandbox]"' in output
