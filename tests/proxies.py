"""A forward proxy on loopback: CONNECT and absolute-form requests, with or without a login.

::

    with Proxy(login="user:word") as proxy, Server(tls=context) as server:
        server.client(proxy=proxy.url("user:word"))

Names that it is asked for lead to 127.0.0.1 when they end in ``.example``, as if they were hosts
that it alone can see.
"""

import base64
import select
import socket
import ssl
from contextlib import suppress
from typing import Any

from scripted import PATIENCE, Connection, Server, answer

WANTED = answer(407, b"who are you?", 'Proxy-Authenticate: Basic realm="x"')
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Proxy(Server):
    """Serves like `Server`; ``requests`` are those that were made to the proxy itself."""

    def __init__(self, login: str | None = None, **options: Any) -> None:
        self.login = login
        self.tunnels = 0
        super().__init__(self._serve_one, **options)

    def url(self, login: str = "", host: str = "127.0.0.1") -> str:
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{login}{'@' if login else ''}{host}:{self.port}"

    def stop_listening(self) -> None:
        """Refuse further connections; those that are open stay."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve_one(self, connection: Connection, request: bytes) -> None:
        if not self._is_let_in(request):
            connection.send(WANTED)
            return
        method, target, _ = request.partition(b"\r\n")[0].split(b" ")
        if method != b"CONNECT":
            self._forward(connection, request, target)
            return
        try:
            upstream = _connect(target.decode())
        except OSError:
            connection.send(answer(502, b"no such host"))
            return
        self.tunnels += 1
        connection.send(ESTABLISHED)
        _pump(connection, upstream)
        connection.close()

    def _is_let_in(self, request: bytes) -> bool:
        if self.login is None:
            return True
        line = b"Proxy-Authorization: Basic " + base64.b64encode(self.login.encode())
        return line in request.split(b"\r\n")

    @staticmethod
    def _forward(connection: Connection, request: bytes, target: bytes) -> None:
        """Pass on one request; the answer ends with its connection."""
        authority, _, path = target.removeprefix(b"http://").partition(b"/")
        upstream = _connect(authority.decode())
        line, _, rest = request.partition(b"\r\n")
        head, _, body = rest.partition(b"\r\n\r\n")
        kept = [one for one in head.split(b"\r\n") if not one.startswith(b"Proxy-")]
        upstream.sendall(
            b"\r\n".join([line.replace(target, b"/" + path), *kept, b"Connection: close"])
            + b"\r\n\r\n"
            + body
        )
        upstream.shutdown(socket.SHUT_WR)
        while data := upstream.recv(65536):
            connection.send(data)
        upstream.close()
        connection.close()


def _connect(authority: str) -> socket.socket:
    host, _, port = authority.rpartition(":")
    host = "127.0.0.1" if host.endswith(".example") else host.strip("[]")
    return socket.create_connection((host, int(port)), PATIENCE)


def _pump(connection: Connection, upstream: socket.socket) -> None:
    """Carry bytes both ways until one side has ended."""
    client = connection.sock
    with suppress(OSError), upstream:
        while True:
            waiting = isinstance(client, ssl.SSLSocket) and client.pending() > 0
            ready = [client] if waiting else select.select([client, upstream], [], [])[0]
            for one, other in ((client, upstream), (upstream, client)):
                if one not in ready:
                    continue
                data = one.recv(65536)
                if one is client:
                    connection.received += data
                if not data:
                    return
                other.sendall(data)
