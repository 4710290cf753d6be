"""One POST to any http or https URL, within a time, which another thread can cut short.

It goes there directly, past any proxy, follows no redirect, and reads no answer beyond its
headers. Knows nothing of Merge.
"""

import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, repr=False)
class Target:
    """A URL in parts. No repr of it: the query may hold a secret."""

    url: str
    host: str
    port: int
    path: str  # and query
    secure: bool

    @property
    def shown(self) -> str:
        """The URL without its query."""
        return self.url.partition("?")[0]


def parse_target(name: str, url: Any) -> Target:
    """Take a URL apart. Raises `ValueError`, which names the argument and does not quote it."""
    wrong = ValueError(f"{name} must be an http:// or https:// URL, such as http://127.0.0.1:8000/")
    if not isinstance(url, str) or not all("!" <= character <= "~" for character in url):
        raise wrong
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise wrong
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{name} must not hold a user name or password")
    secure = parts.scheme == "https"
    query = f"?{parts.query}" if parts.query else ""
    return Target(
        url=url.partition("#")[0],
        host=parts.hostname,
        port=port or (443 if secure else 80),
        path=(parts.path or "/") + query,
        secure=secure,
    )


class PostFailed(Exception):
    """No answer came. The message says why, and holds no secret."""


class Post:
    """A POST that is sent once."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._lock = threading.Lock()  # over the two below
        self._sock: socket.socket | None = None
        self._is_cut = False

    def send(self, body: bytes, headers: Mapping[str, str], seconds: float) -> int:
        """Return the answer's status. Raises `PostFailed`, after so many seconds at the latest.

        Only looking up a name may take longer.
        """
        timer = threading.Timer(seconds, self.cut)
        timer.daemon = True
        timer.start()
        try:
            return self._send(body, headers)
        except (OSError, HTTPException, ValueError) as error:
            raise PostFailed(self._explain(error, seconds)) from None
        finally:
            timer.cancel()
            timer.join()
            self._let_go()

    def cut(self) -> None:
        """Let `send` fail soon. Without effect when it is over."""
        with self._lock:
            self._is_cut = True
            if self._sock is not None:
                with suppress(OSError):  # not connected any more
                    self._sock.shutdown(socket.SHUT_RDWR)

    def _send(self, body: bytes, headers: Mapping[str, str]) -> int:
        connection = HTTPConnection(self._target.host, self._target.port)
        connection.sock = self._connect()
        connection.request("POST", self._target.path, body, dict(headers))
        with connection.getresponse() as response:
            if self._is_cut:  # the end of the connection passes for the end of the headers
                raise TimeoutError
            return response.status

    def _connect(self) -> socket.socket:
        problem = OSError("the name has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(
            self._target.host, self._target.port, type=socket.SOCK_STREAM
        ):
            sock = self._hold(socket.socket(family, kind, protocol))
            try:
                sock.connect(address)
            except OSError as error:
                problem = error
                continue
            return self._secure(sock) if self._target.secure else sock
        raise problem

    def _secure(self, sock: socket.socket) -> socket.socket:
        secure = ssl.create_default_context().wrap_socket(
            sock, server_hostname=self._target.host, do_handshake_on_connect=False
        )
        self._hold(secure)
        secure.do_handshake()
        return secure

    def _hold(self, sock: socket.socket) -> socket.socket:
        """Let `cut` find this socket in place of the one before."""
        with self._lock:
            if self._sock is not None:
                self._sock.close()
            self._sock = sock
            if self._is_cut:
                raise TimeoutError
        return sock

    def _let_go(self) -> None:
        with self._lock:
            if self._sock is not None:
                self._sock.close()
                self._sock = None

    def _explain(self, error: Exception, seconds: float) -> str:
        if self._is_cut:
            return f"no answer in {seconds:g} s"
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {error.verify_message}"
        if isinstance(error, OSError):
            return error.strerror or type(error).__name__
        return "its answer is no HTTP"
