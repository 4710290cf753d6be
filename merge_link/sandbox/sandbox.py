"""`Sandbox`: the rooms of this folder put together."""

import os
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from merge_link.sandbox import api, link_page
from merge_link.sandbox.app import App
from merge_link.sandbox.record import RecordedRequest, RequestLog
from merge_link.sandbox.server import HOST, Server
from merge_link.sandbox.state import State
from merge_link.sandbox.web import Answerer

if TYPE_CHECKING:
    from merge_link import Client


class Sandbox:
    """A stand-in for Merge's linking API on a loopback port of this machine.

    ::

        with Sandbox() as sandbox:
            with sandbox.client() as client:
                token = client.create_link_token(...)

    It answers ``POST /api/{category}/v1/link-token`` over HTTP/1.1 with kept-alive connections, as
    Merge documents it at https://docs.merge.dev: tokens for good requests, Merge's errors for bad
    ones. A request body may have 1 MiB, a connection may be silent for 120 seconds.

    Arguments:
        port: the TCP port, 0 for any free one.
        api_key: the key that callers must show; None for the first that ``db`` knows, or a
            made-up one.
        strict_keys: accept only the sandbox's own keys; else every ``test_…`` and
            ``production_…`` key too, each with its own data.
        db: a file that keeps the state, also when the process is killed; None for memory.

    Raises `ValueError` for a key that no header could carry, and for a file that is in use or
    no sandbox's. A sandbox has one life: it cannot be
    started again after `close`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        api_key: str | None = None,
        strict_keys: bool = True,
        db: str | os.PathLike[str] | None = None,
    ) -> None:
        self._port = port
        key = None if api_key is None else _checked_key(api_key)
        self._state = State(key, path=db, strict_keys=strict_keys)
        self._log = RequestLog()
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._closed = False

    def start(self) -> Self:
        """Begin to serve; without effect if it serves already. Returns the sandbox itself.

        Raises `OSError` if the port cannot be had, `RuntimeError` after `close`.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("this sandbox was closed; make a new one")
            if self._server is None:
                server = Server(self._port)
                origin = _origin(server.port)
                server.start(App(self._areas(origin)), self._log.add)
                self._server = server
        return self

    def _areas(self, origin: str) -> dict[str, Answerer]:
        page = link_page.LinkPage(self._state)
        return {
            api.PREFIX: api.Api(self._state, origin),
            link_page.PREFIX: page,
            link_page.SCRIPT: page,
        }

    def close(self) -> None:
        """Stop at once, busy connections too. Afterwards none of its threads and sockets is left.

        Without effect the second time.
        """
        with self._lock:
            if self._server is not None and not self._closed:
                self._server.close()
            self._state.close()
            self._closed = True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The root, ``http://127.0.0.1:<port>``. Stays readable after `close`.

        Raises `RuntimeError` before `start`, when there is no port yet.
        """
        if self._server is None:
            raise RuntimeError("this sandbox was not started")
        return _origin(self._server.port)

    @property
    def base_url(self) -> str:
        """What a client takes as its ``base_url``: `url` plus ``/api``."""
        return self.url + "/api"

    @property
    def api_key(self) -> str:
        """The key that callers must show."""
        return self._state.api_key

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests answered so far, oldest first; a new list each time.

        A request is there before its caller gets the answer. The latest 10,000 are kept, fewer
        if their bodies pass 64 MiB. What could not be read as HTTP is not among them.
        """
        return self._log.snapshot()

    def client(self, **options: Any) -> "Client":
        """A `merge_link.Client` for this sandbox. Its options go here, and win over ours."""
        from merge_link import Client

        return Client(**{"base_url": self.base_url, "api_key": self._state.api_key, **options})

    def __repr__(self) -> str:
        if self._server is None:
            return "<Sandbox not started>"
        return f"<Sandbox {self.url}{' closed' if self._closed else ''}>"


def _origin(port: int) -> str:
    return f"http://{HOST}:{port}"


def _checked_key(api_key: str) -> str:
    if not api_key or not all("!" <= character <= "~" for character in api_key):
        raise ValueError("api_key must be visible ASCII characters without spaces")
    return api_key
