"""`Sandbox`: the rooms of this folder put together."""

import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from merge_link.sandbox import api, control, home, hosts, link_page
from merge_link.sandbox.app import App
from merge_link.sandbox.arguments import check_api_key, check_text
from merge_link.sandbox.commands import Commands
from merge_link.sandbox.message import Incoming, Outgoing
from merge_link.sandbox.overview import Overview
from merge_link.sandbox.post import parse_target
from merge_link.sandbox.record import RecordedRequest
from merge_link.sandbox.server import Server
from merge_link.sandbox.state import State
from merge_link.sandbox.tls import Tls
from merge_link.sandbox.webhooks import WebhookDelivery, Webhooks, make_webhook_key

if TYPE_CHECKING:
    from merge_link import AsyncClient, Client
    from merge_link.types import AsyncClientOptions, ClientOptions


class Sandbox(Commands):
    """A stand-in for Merge's linking API on a loopback port of this machine.

    ::

        with Sandbox() as sandbox:
            with sandbox.client() as client:
                token = client.create_link_token(...)

    It speaks HTTP/1.1 with kept-alive connections, and answers as Merge documents its linking API
    at https://docs.merge.dev: link tokens, public tokens and linked accounts for good requests,
    Merge's errors for bad ones. A request body may have 1 MiB, a connection may be silent for
    120 seconds. What the methods of `Commands` ask for, `control` offers over HTTP too.

    Arguments:
        port: the TCP port, 0 for any free one.
        host: the address or name to listen at.
        allow_remote: let ``host`` be one that other machines reach. Whoever does may do all that
            can be done here, and see all that is kept, the API key too. ``url`` names
            ``localhost`` if the host is ``0.0.0.0`` or ``::``, as in a container.
        api_key: the key that callers must show; None for the first that ``db`` knows, or a
            made-up one.
        strict_keys: accept only the sandbox's own keys; else every ``test_…`` and
            ``production_…`` key too, each with its own data.
        db: a file that keeps the state, also when the process is killed; None for memory.
        tls: serve https, with a certificate made on the spot that `client` trusts, and others
            by `ca_file`.
        webhook_url: where to send webhooks, any http or https URL; None for nowhere.
        webhook_key: the key that they are signed with; None for a made-up one, which stays the
            same as long as ``api_key`` does.
        on_request: called with each request that `requests` gets, by several threads at once. It
            must not raise.

    Raises `ValueError` for a key that no header could carry, for a URL that is none, for a host
    that other machines reach, and for a file that is in use or no sandbox's; `ImportError` if
    TLS needs a package. A sandbox has one life: it cannot be started again after `close`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = hosts.DEFAULT,
        allow_remote: bool = False,
        api_key: str | None = None,
        strict_keys: bool = True,
        db: str | os.PathLike[str] | None = None,
        tls: bool = False,
        webhook_url: str | None = None,
        webhook_key: str | None = None,
        on_request: Callable[[RecordedRequest], None] | None = None,
    ) -> None:
        self._port = port
        self._host = check_text("host", host)
        self._remote = not hosts.is_loopback(host)
        if self._remote and not allow_remote:
            raise ValueError("host is no loopback address: other machines need allow_remote=True")
        key = None if api_key is None else check_api_key(api_key)
        target = None if webhook_url is None else parse_target("webhook_url", webhook_url)
        hook_key = None if webhook_key is None else check_text("webhook_key", webhook_key)
        if hook_key and not target:
            raise ValueError("webhook_key needs webhook_url")
        self._tls = Tls() if tls else None
        state = State(key, path=db, strict_keys=strict_keys)
        webhooks = None
        if target:
            webhooks = Webhooks(target, hook_key or make_webhook_key(state.api_key), state.clock)
        super().__init__(state, webhooks)
        if on_request:
            self._log.listeners.append(on_request)
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
                tls = self._tls.context if self._tls else None
                server = Server(self._port, host=self._host, tls=tls)
                origin = self._origin(server)
                if self._webhooks:
                    self._webhooks.start(origin)
                    self._state.listeners.append(self._webhooks.tell)
                server.start(self._app(origin), self._observe)
                self._server = server
        return self

    def close(self) -> None:
        """Stop at once, busy connections too. Afterwards none of its threads and sockets is left.

        Without effect the second time.
        """
        with self._lock:
            if self._server is not None and not self._closed:
                self._server.close()
            if self._webhooks is not None:
                self._webhooks.close()
            self._state.close()
            if self._tls is not None:
                self._tls.close()
            self._closed = True

    def _observe(self, incoming: Incoming, outgoing: Outgoing) -> None:
        if incoming.path != home.PATH and not incoming.path.startswith(control.PREFIX):
            self._log.add(incoming, outgoing)

    def _origin(self, server: Server) -> str:
        return hosts.origin("https" if self._tls else "http", self._host, server.port)

    def _app(self, origin: str) -> App:
        page = link_page.LinkPage(self._state)
        overview = Overview(
            self._state,
            self._log,
            self._faults,
            self._limits,
            self._webhooks,
            origin=origin,
            ca_file=self._tls.ca_file if self._tls else None,
        )
        return App(
            {
                api.PREFIX: api.Api(self._state, self._faults, self._limits, origin),
                link_page.PREFIX: page,
                link_page.SCRIPT: page,
                control.PREFIX: control.Control(self, overview, remote=self._remote),
                home.PATH: home.home,
                home.PREFIX: home.home,
            }
        )

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
        """The root, ``http://127.0.0.1:<port>``, or ``https://…``. Stays readable after `close`.

        Raises `RuntimeError` before `start`, when there is no port yet.
        """
        if self._server is None:
            raise RuntimeError("this sandbox was not started")
        return self._origin(self._server)

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
        if their bodies pass 64 MiB. What could not be read as HTTP is not among them, nor what
        came to `control`, nor what asked for the page at ``/``.
        """
        return self._log.snapshot()

    @property
    def webhook_key(self) -> str:
        """The key that webhooks are signed with.

        Raises `RuntimeError` without webhooks.
        """
        return self._hooks().key

    @property
    def deliveries(self) -> list[WebhookDelivery]:
        """The webhooks so far, oldest first; a new list each time. The latest 1,000 are kept."""
        return self._webhooks.snapshot() if self._webhooks else []

    def wait_for_deliveries(
        self, count: int = 1, *, attempts: int | None = None, timeout: float = 10.0
    ) -> list[WebhookDelivery]:
        """Wait until no webhook has to be sent any more, and return `deliveries`.

        There must be ``count`` of them at least. One that fails is sent again, for an hour: with
        ``attempts``, one that was tried so often is not waited for any longer. Raises
        `TimeoutError`, which says how far they came, and `RuntimeError` without webhooks.
        """
        return self._hooks().wait(count, attempts, timeout)

    def _hooks(self) -> Webhooks:
        if self._webhooks is None:
            raise RuntimeError("this sandbox sends no webhooks: Sandbox(webhook_url=...) does")
        return self._webhooks

    @property
    def ca_file(self) -> str:
        """A PEM file of the authority that signed its certificate. Gone after `close`.

        Raises `RuntimeError` without TLS.
        """
        if self._tls is None:
            raise RuntimeError("this sandbox does not speak TLS: Sandbox(tls=True) does")
        return self._tls.ca_file

    def client(self, **options: "Unpack[ClientOptions]") -> "Client":
        """A `merge_link.Client` for this sandbox. Its options go here, and win over ours."""
        from merge_link import Client

        ours: ClientOptions = {"base_url": self.base_url, "api_key": self.api_key}
        if self._tls is not None:
            ours["ca_bundle"] = self.ca_file
        chosen: ClientOptions = {**ours, **options}
        return Client(**chosen)

    def async_client(self, **options: "Unpack[AsyncClientOptions]") -> "AsyncClient":
        """A `merge_link.AsyncClient` for this sandbox. Its options go here, and win over ours."""
        from merge_link import AsyncClient

        ours: AsyncClientOptions = {"base_url": self.base_url, "api_key": self.api_key}
        if self._tls is not None:
            ours["ca_bundle"] = self.ca_file
        chosen: AsyncClientOptions = {**ours, **options}
        return AsyncClient(**chosen)

    def __repr__(self) -> str:
        if self._server is None:
            return "<Sandbox not started>"
        return f"<Sandbox {self.url}{' closed' if self._closed else ''}>"
