"""One HTTP/1.1 connection: bytes in, requests to the handler, bytes out.

h11 does the framing and this module the input and output, so that whatever is sent passes
through one place, `Connection._send`, as one run of bytes. Knows nothing of Merge.
"""

import logging
import select
import socket
import time
import uuid
from dataclasses import replace
from email.utils import formatdate
from http.client import responses as phrases

import h11

from merge_link.sandbox.message import Handler, Incoming, Observer, Outgoing

MAX_BODY_BYTES = 1 << 20
LINGER_SECONDS = 2.0
LINGER_BYTES = 64 << 20

_RECEIVE_BYTES = 64 << 10
_log = logging.getLogger("merge_link.sandbox")


class _PeerLeft(Exception):
    """The other side closed, between two requests or in the middle of one."""


class _Cut(Exception):
    """The connection ends here, because the answer said so."""


class _Refused(Exception):
    """The request cannot be read to its end; the connection closes after the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Connection:
    """Serves the requests of one connection, one after the other.

    Every answer gets ``Date`` (now), ``Server`` and ``X-Request-Id`` (a new UUID), and leaves
    in one send, unless its `Delivery` says otherwise. ``observe`` learns of each request whose
    head could be read, before its answer leaves. A body over 1 MiB is answered 413, and what is
    no HTTP 400, 431 or 501, in plain text; then the connection closes. It also closes after a
    silence of ``idle_seconds``.
    """

    def __init__(
        self,
        sock: socket.socket,
        handler: Handler,
        observe: Observer,
        idle_seconds: float,
        peer: str = "",
    ) -> None:
        sock.settimeout(idle_seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._handler = handler
        self._observe = observe
        self._peer = peer
        self._h11 = h11.Connection(h11.SERVER)

    def serve(self) -> None:
        """Answer requests until either side is done. Does not close the socket."""
        try:
            while self._serve_one():
                pass
        except (_PeerLeft, _Cut, OSError):
            pass  # nobody is there to be told

    def _serve_one(self) -> bool:
        incoming = None
        try:
            incoming = self._receive_head()
            body = self._receive_body(incoming)
            incoming = replace(incoming, body=body, began=time.perf_counter())
        except _Refused as refused:
            self._give_up(refused.status, incoming)
            return False
        outgoing = self._handle(incoming)
        self._observe(incoming, outgoing)
        self._send(outgoing, incoming)
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            return False
        self._h11.start_next_cycle()
        return True

    def _receive_head(self) -> Incoming:
        event = self._next_event()
        if not isinstance(event, h11.Request):
            raise _PeerLeft
        return Incoming(
            method=event.method.decode("ascii"),
            target=event.target.decode("ascii"),
            headers=[
                (name.decode("ascii"), value.decode("latin-1"))
                for name, value in event.headers.raw_items()
            ],
            body=b"",
            peer=self._peer,
            began=time.perf_counter(),
        )

    def _receive_body(self, head: Incoming) -> bytes:
        # Refused by its announced length already, before the client is told to go on.
        for name, value in head.headers:
            if name.lower() == "content-length" and int(value) > MAX_BODY_BYTES:
                raise _Refused(413)
        body = bytearray()
        while isinstance(event := self._next_event(), h11.Data):
            body += event.data
            if len(body) > MAX_BODY_BYTES:
                raise _Refused(413)
        return bytes(body)

    def _next_event(self) -> object:
        try:
            while (event := self._h11.next_event()) is h11.NEED_DATA:
                self._receive_bytes()
        except h11.RemoteProtocolError as error:
            raise _Refused(error.error_status_hint) from None
        return event

    def _receive_bytes(self) -> None:
        if self._h11.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            self._sock.sendall(self._h11.send(go_on) or b"")
        data = self._sock.recv(_RECEIVE_BYTES)
        if not data:
            raise _PeerLeft
        self._h11.receive_data(data)

    def _handle(self, incoming: Incoming) -> Outgoing:
        try:
            return self._handler(incoming)
        except Exception:
            _log.exception("the sandbox failed to answer %s %s", incoming.method, incoming.path)
            return _plain(500)

    def _give_up(self, status: int, incoming: Incoming | None) -> None:
        outgoing = _plain(status, ("Connection", "close"))
        if incoming is not None:
            self._observe(incoming, outgoing)
        self._send(outgoing, incoming)
        self._linger()

    def _send(self, outgoing: Outgoing, incoming: Incoming | None) -> None:
        delivery = outgoing.delivery
        if delivery.wait_seconds:
            self._wait(delivery.wait_seconds)
        body = outgoing.body if incoming is None or incoming.method != "HEAD" else b""
        if delivery.garbled:
            body = bytes(byte | 0x80 for byte in body)
        head = self._h11.send(_response(outgoing)) or b""
        rest = [self._h11.send(h11.Data(data=body)), self._h11.send(h11.EndOfMessage())]
        tail = b"".join(part for part in rest if part)
        if delivery.cut is None:
            self._sock.sendall(head + tail)
            return
        if not tail and delivery.cut != "before":
            # It has no body to lose, and some clients take a status line for a whole answer.
            head = head.partition(b" ")[0]
        kept = {"before": b"", "headers": head, "body": head + tail[: len(tail) // 2]}
        self._sock.sendall(kept[delivery.cut])
        raise _Cut

    def _wait(self, seconds: float) -> None:
        """Let time pass, unless the connection ends."""
        poll = select.poll()
        poll.register(self._sock, 0)  # no event but a hang-up, which needs no asking
        if poll.poll(seconds * 1000):
            raise _PeerLeft

    def _linger(self) -> None:
        """Let the client read the answer: closing on unread bytes would reset the connection."""
        self._sock.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + LINGER_SECONDS
        taken = 0
        while taken < LINGER_BYTES and (left := deadline - time.monotonic()) > 0:
            self._sock.settimeout(left)
            data = self._sock.recv(_RECEIVE_BYTES)
            if not data:
                return
            taken += len(data)


def _response(outgoing: Outgoing) -> h11.Response:
    headers = [
        *outgoing.headers,
        ("Date", formatdate(usegmt=True)),
        ("Server", "merge-link-sandbox"),
        ("X-Request-Id", str(uuid.uuid4())),
    ]
    reason = phrases.get(outgoing.status, "").encode()
    return h11.Response(status_code=outgoing.status, reason=reason, headers=headers)


def _plain(status: int, *headers: tuple[str, str]) -> Outgoing:
    """An answer of the connection itself, as a proxy in front of the API would give it."""
    body = f"{status} {phrases[status]}\n".encode()
    length = ("Content-Length", str(len(body)))
    return Outgoing(status, [("Content-Type", "text/plain"), length, *headers], body)
