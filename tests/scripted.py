"""A server on loopback that answers what a test wrote down, byte for byte.

::

    with Server(answer(503), token_answer()) as server, server.client() as client:
        client.create_link_token(**FIELDS)
    assert len(server.requests) == 2

Each request takes the next of the answers; the last one serves all that follow. An answer is bytes,
or a function that is called with the connection and the request and may do as it likes.
"""

import json
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import merge_link
from samples import KEY, TOKEN

PATIENCE = 20.0  # seconds until a wait that should have ended gives up

Script = bytes | Callable[["Connection", bytes], None]


# ---- answers ----


def answer(
    status: int = 200,
    body: bytes | object = b"",
    *headers: str,
    content_type: str = "application/json",
) -> bytes:
    """Build an HTTP answer; a body that is not bytes goes out as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Scripted", f"Content-Length: {len(data)}", *headers]
    if data:
        lines.append(f"Content-Type: {content_type}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + data


def token_answer(*headers: str, **members: object) -> bytes:
    """Build the answer of a created token."""
    return answer(200, {"link_token": TOKEN, "integration_name": None, **members}, *headers)


def hang_up(connection: "Connection", request: bytes) -> None:
    """Close the connection without a word."""
    connection.close()


def hang_up_after(start: bytes) -> Script:
    """Close the connection after these bytes."""

    def script(connection: "Connection", request: bytes) -> None:
        connection.send(start)
        connection.close()

    return script


def stay_silent(connection: "Connection", request: bytes) -> None:
    """Keep the connection open and say nothing until the client leaves."""
    connection.wait_for_end()


def stay_silent_after(start: bytes) -> Script:
    """Begin an answer and never end it."""

    def script(connection: "Connection", request: bytes) -> None:
        connection.send(start)
        connection.wait_for_end()

    return script


def echo(status: int = 400, encode: Callable[[bytes], bytes] = bytes) -> Script:
    """Say the whole request back: in the body, in the reason and in a header."""

    def script(connection: "Connection", request: bytes) -> None:
        said = encode(request)
        line = b" ".join(said.split())
        head = b"HTTP/1.1 %d %s\r\nX-Echo: %s\r\nContent-Length: %d\r\n\r\n"
        connection.send(head % (status, line, line, len(said)) + said)

    return script


# ---- the server ----


class Connection:
    """One accepted connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.received = bytearray()
        self._unread = bytearray()

    def read_request(self) -> bytes | None:
        """Return the next request whole; None when the client has left."""
        while b"\r\n\r\n" not in self._unread:
            if not self._read():
                return None
        head, _, _ = bytes(self._unread).partition(b"\r\n\r\n")
        size = len(head) + 4 + _content_length(head)
        while len(self._unread) < size:
            if not self._read():
                return None
        request = bytes(self._unread[:size])
        del self._unread[:size]
        return request

    def _read(self) -> bool:
        data = self.sock.recv(65536)
        self.received += data
        self._unread += data
        return bool(data)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def wait_for_bytes(self) -> None:
        self._read()

    def wait_for_end(self) -> None:
        while self._read():
            pass

    def close(self) -> None:
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


class Server:
    """Serves the answers on a free port of loopback, each connection in a thread of its own.

    ``requests`` holds the exact bytes of what came in, ``connections`` how many were accepted and
    ``received`` every byte (after TLS), whether it made a request or not. With ``raw``, that
    function has each new connection to itself. A ``listener`` is a listening socket to use, and to
    close.
    """

    def __init__(
        self,
        *answers: Script,
        tls: ssl.SSLContext | None = None,
        raw: Callable[["Connection"], None] | None = None,
        listener: socket.socket | None = None,
    ) -> None:
        self.answers = list(answers) or [token_answer()]
        self.requests: list[bytes] = []
        self.connections = 0
        self._tls = tls
        self._raw = raw
        self._open: list[Connection] = []
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._closing = False
        self._listener = listener or socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    @property
    def base_url(self) -> str:
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}/api"

    @property
    def received(self) -> bytes:
        return b"".join(bytes(connection.received) for connection in self._open)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.partition(b"\r\n\r\n")[2]) for request in self.requests]

    def client(self, **options: Any) -> merge_link.Client:
        return merge_link.Client(**{"base_url": self.base_url, "api_key": KEY, **options})

    def wait_for_requests(self, count: int) -> None:
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.requests) >= count, PATIENCE)
        assert arrived, f"{len(self.requests)} requests came, not {count}"

    def close(self) -> None:
        with self._changed:
            self._closing = True
            connections = list(self._open)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in connections:
            connection.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- in the server's threads ----

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                if self._closing:
                    sock.close()
                    return
                connection = Connection(sock)
                self.connections += 1
                self._open.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: Connection) -> None:
        try:
            if self._raw is not None:
                self._raw(connection)
                return
            if self._tls is not None:
                connection.sock = self._tls.wrap_socket(connection.sock, server_side=True)
            while (request := connection.read_request()) is not None:
                script = self._next(request)
                if callable(script):
                    script(connection, request)
                else:
                    connection.send(script)
        except (OSError, ValueError):
            pass  # the client, or the test, has left
        finally:
            connection.close()

    def _next(self, request: bytes) -> Script:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            return self.answers[min(len(self.requests), len(self.answers)) - 1]
