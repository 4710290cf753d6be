"""A server: one listening socket, one thread that accepts, one thread a connection.

Threads and blocking sockets keep a connection's life readable from top to bottom, and the
sandbox's clients are few. Knows nothing of Merge.
"""

import selectors
import socket
import ssl
import threading
from contextlib import suppress

from merge_link.sandbox.connection import Connection
from merge_link.sandbox.hosts import DEFAULT
from merge_link.sandbox.message import Handler, Observer

BACKLOG = 1024
IDLE_SECONDS = 120.0
ACCEPT_PAUSE_SECONDS = 0.05


class Server:
    """Listens on ``port`` (0: a free one) of ``host`` once it is constructed.

    Connections wait until `start`. ``idle_seconds`` is the longest silence that a connection
    is kept through. With ``tls`` it speaks nothing else. Raises `OSError` if the port cannot be
    had.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = DEFAULT,
        idle_seconds: float = IDLE_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._idle_seconds = idle_seconds
        self._tls = tls
        self._woken, self._waker = socket.socketpair()
        self._lock = threading.Lock()  # over the two below; a socket in use is closed under it
        self._sockets: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._acceptor: threading.Thread | None = None

    def start(self, handler: Handler, observe: Observer) -> None:
        """Begin to serve. To be called once."""
        self._handler = handler
        self._observe = observe
        self._acceptor = threading.Thread(
            target=self._accept_until_woken, name="merge-link-sandbox", daemon=True
        )
        self._acceptor.start()

    def close(self) -> None:
        """End every connection at once, idle or busy, and wait for the threads to end.

        To be called once, and by none of the server's own threads.
        """
        self._waker.close()
        if self._acceptor is not None:
            self._acceptor.join()
        self._listener.close()
        self._woken.close()
        with self._lock:
            for sock in self._sockets:
                _shut_down(sock)
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _accept_until_woken(self) -> None:
        with selectors.PollSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while all(key.fileobj is self._listener for key, _ in selector.select()):
                self._accept()

    def _accept(self) -> None:
        try:
            sock, address = self._listener.accept()
        except (BlockingIOError, ConnectionError):
            return  # the client left before its turn
        except OSError:
            self._pause()
            return
        if self._tls is None:
            self._admit(sock, address[0])
            return
        with suppress(OSError):  # the client left before its turn, and the socket is closed
            # The handshake is for the connection's own thread.
            secure = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            self._admit(secure, address[0])

    def _pause(self) -> None:
        """Wait a little: out of file descriptors, the client stays queued, and wakes us again."""
        # A selector of poll() needs no descriptor of its own.
        with selectors.PollSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            selector.select(ACCEPT_PAUSE_SECONDS)

    def _admit(self, sock: socket.socket, peer: str) -> None:
        thread = threading.Thread(
            target=self._serve, args=(sock, peer), name="merge-link-sandbox-connection", daemon=True
        )
        with self._lock:
            # A thread cannot report its own end, so the ended ones are dropped here.
            self._threads = {other for other in self._threads if other.is_alive()}
            self._sockets.add(sock)
            try:
                thread.start()
                self._threads.add(thread)
            except RuntimeError:  # no more threads to be had
                self._sockets.discard(sock)
                sock.close()

    def _serve(self, sock: socket.socket, peer: str) -> None:
        try:
            if isinstance(sock, ssl.SSLSocket):
                sock.settimeout(self._idle_seconds)
                sock.do_handshake()
            Connection(sock, self._handler, self._observe, self._idle_seconds, peer).serve()
        except OSError:
            pass  # no handshake: the client does not trust us, or speaks no TLS
        finally:
            with self._lock:
                self._sockets.discard(sock)
                sock.close()


def _shut_down(sock: socket.socket) -> None:
    with suppress(OSError):  # the client was quicker
        # Not the method of a TLS socket, which changes it under the thread that reads it.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
