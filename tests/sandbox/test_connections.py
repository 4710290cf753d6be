"""HTTP/1.1, byte by byte."""

import json
import logging
import os
import resource
import socket
import struct
from collections.abc import Callable

import pytest

from merge_link.sandbox import Sandbox
from merge_link.sandbox.connection import Connection
from merge_link.sandbox.message import Incoming, Outgoing
from merge_link.sandbox.server import Server
from plain_http import (
    GOOD,
    MIB,
    PATIENCE,
    call,
    connect,
    port_of,
    raw_head,
    raw_request,
    read_answer,
    read_from,
)


def test_a_connection_is_kept_for_good_and_bad_requests(sandbox: Sandbox) -> None:
    with connect(sandbox) as sock:
        for body, status in [(None, 200), (b"{}", 400), (b"{", 400), (None, 200)] * 25:
            sock.sendall(raw_request(sandbox, body))
            assert read_answer(sock).status == status
    assert len(sandbox.requests) == 100


def test_pipelined_requests_are_answered_in_order(sandbox: Sandbox) -> None:
    bodies = [None, b"{}", None, b"["] * 5
    with connect(sandbox) as sock, sock.makefile("rb") as stream:
        sock.sendall(b"".join(raw_request(sandbox, body) for body in bodies))
        statuses = [read_from(stream).status for _ in bodies]
    assert statuses == [200, 400, 200, 400] * 5


def test_a_request_may_come_byte_by_byte(sandbox: Sandbox) -> None:
    with connect(sandbox) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in raw_request(sandbox):
            sock.sendall(bytes([byte]))
        assert read_answer(sock).status == 200


@pytest.mark.parametrize(
    ("version", "header", "kept"),
    [
        ("1.1", "X: y", True),
        ("1.1", "Connection: close", False),
        ("1.0", "X: y", False),
    ],
)
def test_the_client_decides_whether_a_connection_is_kept(
    sandbox: Sandbox, version: str, header: str, kept: bool
) -> None:
    request = raw_request(sandbox, None, header).replace(b"HTTP/1.1", f"HTTP/{version}".encode(), 1)
    with connect(sandbox) as sock:
        sock.sendall(request)
        answer = read_answer(sock)
        assert answer.status == 200
        assert (answer.headers["Connection"] == "close") is not kept
        if not kept:
            assert sock.recv(1) == b""


def chunked(data: bytes, size: int) -> bytes:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_body_may_come_in_chunks(sandbox: Sandbox, size: int) -> None:
    with connect(sandbox) as sock:
        for _ in range(2):
            sock.sendall(raw_head(sandbox, "Transfer-Encoding: chunked"))
            sock.sendall(chunked(json.dumps(GOOD).encode(), size))
            assert read_answer(sock).status == 200
    assert [request.json for request in sandbox.requests] == [GOOD, GOOD]


def test_a_client_that_waits_for_100_continue_is_told_to_go_on(sandbox: Sandbox) -> None:
    head, _, body = raw_request(sandbox, None, "Expect: 100-continue").partition(b"\r\n\r\n")
    with connect(sandbox) as sock, sock.makefile("rb") as stream:
        sock.sendall(head + b"\r\n\r\n")
        assert stream.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert stream.readline() == b"\r\n"
        sock.sendall(body)
        assert read_from(stream).status == 200


def test_a_client_that_waits_with_too_large_a_body_is_refused_at_once(sandbox: Sandbox) -> None:
    with connect(sandbox) as sock, sock.makefile("rb") as stream:
        sock.sendall(raw_head(sandbox, f"Content-Length: {MIB + 1}", "Expect: 100-continue"))
        assert read_from(stream).status == 413


def test_head_gets_the_headers_only(sandbox: Sandbox) -> None:
    with connect(sandbox) as sock:
        for _ in range(2):
            sock.sendall(b"HEAD /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = read_answer(sock, "HEAD")
            assert (answer.status, answer.body) == (404, b"")
            assert int(answer.headers["Content-Length"]) > 0


def test_a_body_of_one_mebibyte_is_taken(sandbox: Sandbox) -> None:
    assert call(sandbox, json.dumps(GOOD).encode().ljust(MIB)).status == 200


@pytest.mark.parametrize("size", [MIB + 1, 3 * MIB])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_larger_body_is_refused_and_the_connection_closed(
    sandbox: Sandbox, size: int, framing: str
) -> None:
    data = bytes(size)
    with connect(sandbox) as sock:
        if framing == "length":
            sock.sendall(raw_request(sandbox, data))
        else:
            sock.sendall(raw_head(sandbox, "Transfer-Encoding: chunked") + chunked(data, 65536))
        answer = read_answer(sock)
        assert (answer.status, answer.headers["Connection"]) == (413, "close")
        assert sock.recv(1) == b""
    assert [(request.status, request.body) for request in sandbox.requests] == [(413, b"")]
    assert call(sandbox).status == 200


def test_a_head_request_with_too_large_a_body_is_refused_without_one(sandbox: Sandbox) -> None:
    with connect(sandbox) as sock:
        sock.sendall(f"HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: {MIB + 1}\r\n\r\n".encode())
        answer = read_answer(sock, "HEAD")
        assert (answer.status, answer.body) == (413, b"")
        assert sock.recv(1) == b""


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"garbage\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    ],
    ids=lambda value: repr(value[:60]) if isinstance(value, bytes) else str(value),
)
def test_what_is_no_http_is_refused_and_the_connection_closed(
    sandbox: Sandbox, sent: bytes, status: int
) -> None:
    with connect(sandbox) as sock:
        sock.sendall(sent)
        answer = read_answer(sock)
        assert (answer.status, answer.headers["Connection"]) == (status, "close")
        assert int(answer.headers["Content-Length"]) == len(answer.body)
        assert "Date" in answer.headers
        assert sock.recv(1) == b""
    assert call(sandbox).status == 200


@pytest.mark.parametrize("part", [0, 1, 20, -len(json.dumps(GOOD)), -1])
@pytest.mark.parametrize("manner", ["close", "reset", "half-close"])
def test_a_client_that_leaves_early_harms_nobody(sandbox: Sandbox, part: int, manner: str) -> None:
    with connect(sandbox) as sock:
        sock.sendall(raw_request(sandbox)[:part])
        if manner == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if manner == "half-close":
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(1) == b""
    assert call(sandbox).status == 200
    assert len(sandbox.requests) == 1


def test_a_client_that_does_not_wait_for_the_answer_harms_nobody(sandbox: Sandbox) -> None:
    for _ in range(20):
        with connect(sandbox) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.sendall(raw_request(sandbox) * 5)
    assert call(sandbox).status == 200


def test_200_connections_are_served_at_once(sandbox: Sandbox) -> None:
    request = raw_request(sandbox)
    sockets = [connect(sandbox) for _ in range(200)]
    try:
        for _ in range(2):
            for sock in sockets:
                sock.sendall(request)
            tokens = {read_answer(sock).json["link_token"] for sock in sockets}
            assert len(tokens) == 200
    finally:
        for sock in sockets:
            sock.close()


def test_a_connection_waits_while_file_descriptors_are_short(sandbox: Sandbox) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as sock:
        lowest_free = os.dup(sock.fileno())
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, limits[1]))
        try:
            sock.connect(("127.0.0.1", port_of(sandbox)))
            sock.sendall(raw_request(sandbox))
            sock.settimeout(0.2)
            with pytest.raises(TimeoutError):
                sock.recv(1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        sock.settimeout(PATIENCE)
        assert read_answer(sock).status == 200


class ScriptedSocket:
    """What a `Connection` needs of a socket: gives one piece, then the end; keeps what is sent."""

    def __init__(self, piece: bytes) -> None:
        self._pieces = [piece, b""]
        self.sends: list[bytes] = []
        self.options: list[tuple[int, ...]] = []

    def settimeout(self, seconds: float) -> None:
        pass

    def setsockopt(self, *option: int) -> None:
        self.options.append(option)

    def recv(self, size: int) -> bytes:
        return self._pieces.pop(0)

    def sendall(self, data: bytes) -> None:
        self.sends.append(data)


def serve_scripted(piece: bytes, handler: Callable[[Incoming], Outgoing]) -> ScriptedSocket:
    sock = ScriptedSocket(piece)
    Connection(sock, handler, lambda _incoming, _outgoing: None, 1.0).serve()  # type: ignore[arg-type]
    return sock


def test_an_answer_leaves_in_one_send_without_delay() -> None:
    answer = Outgoing(200, [("Content-Length", "2")], b"ok")
    sock = serve_scripted(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", lambda _: answer)
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in sock.options
    assert len(sock.sends) == 1
    assert sock.sends[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert sock.sends[0].endswith(b"\r\n\r\nok")


def test_a_failing_handler_is_a_500_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail(incoming: Incoming) -> Outgoing:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR, "merge_link.sandbox"):
        sock = serve_scripted(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n" * 2, fail)
    assert [send[:12] for send in sock.sends] == [b"HTTP/1.1 500"] * 2
    assert [record.getMessage() for record in caplog.records] == [
        "the sandbox failed to answer GET /a"
    ] * 2


def test_a_connection_that_is_silent_too_long_is_closed() -> None:
    server = Server(idle_seconds=0.05)
    server.start(lambda _: Outgoing(200, [], b""), lambda _incoming, _outgoing: None)
    try:
        for sent in (b"", b"GET / HT"):
            address = ("127.0.0.1", server.port)
            with socket.create_connection(address, timeout=PATIENCE) as sock:
                sock.sendall(sent)
                assert sock.recv(1) == b""
    finally:
        server.close()
