"""Ctrl-C and other signals wherever a call may be. Arguments: the case, the authority's file or ''.

Names under ".example" need the shim lookup.c.
"""

import logging
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import merge_link
from samples import FIELDS, KEY, TOKEN
from scripted import (
    PATIENCE,
    Connection,
    Server,
    answer,
    stay_silent,
    stay_silent_after,
    token_answer,
)

CASE, CERTIFICATE = sys.argv[1:]
sent_at = 0.0


def send_signal(number: int = signal.SIGINT) -> None:
    global sent_at
    sent_at = time.monotonic()
    os.kill(os.getpid(), number)


def soon(deed: Callable[[], object] = send_signal) -> None:
    """Do it when the main thread is well inside what it does next."""
    timer = threading.Timer(0.2, deed)
    timer.daemon = True
    timer.start()


def ask(client: Any) -> merge_link.LinkToken:
    token = client.create_link_token(**FIELDS)
    assert token.link_token == TOKEN
    return token


def is_interrupted(
    call: Callable[[], object], error: type[BaseException] = KeyboardInterrupt
) -> None:
    """Check that what a signal handler raises comes out of the call within a second."""
    try:
        call()
    except error:
        assert time.monotonic() - sent_at < 1.0, time.monotonic() - sent_at
        return
    raise AssertionError("the call returned")


def signal_then(script: Callable[[Connection, bytes], None]) -> Callable[[Connection, bytes], None]:
    """Send the signal when the request has come, then follow the script."""

    def reply(connection: Connection, request: bytes) -> None:
        send_signal()
        script(connection, request)

    return reply


@contextmanager
def busy_threads(client: merge_link.Client, server: Server, count: int) -> Iterator[None]:
    """Have calls under way in that many other threads; they are let go at the end."""
    threads = [threading.Thread(target=ask, args=(client,), daemon=True) for _ in range(count)]
    before = len(server.requests)
    for thread in threads:
        thread.start()
    server.wait_for_requests(before + count)
    yield
    release.set()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


release = threading.Event()


def answer_when_released(connection: Connection, request: bytes) -> None:
    assert release.wait(PATIENCE)
    connection.send(token_answer())


# ---- Ctrl-C, by where the call is ----


@contextmanager
def deaf_listener() -> Iterator[socket.socket]:
    """A listener whose queue is full: the kernel answers no further attempt to connect."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    with socket.create_connection(listener.getsockname()):
        yield listener


def connecting() -> None:
    with deaf_listener() as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/api"
        client = merge_link.Client(base_url=url, api_key=KEY)
        soon()
        is_interrupted(lambda: ask(client))
        with Server(listener=listener):
            ask(client)


def name_lookup() -> None:
    """The shim sends the signal, and goes on sleeping."""
    with Server() as server:
        url = f"http://slow.example:{server.port}/api"
        with merge_link.Client(base_url=url, api_key=KEY, allow_http=True) as client:
            global sent_at
            sent_at = time.monotonic()
            is_interrupted(lambda: ask(client))
            ask(client)


def tls_handshake() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def serve(connection: Connection) -> None:
        if server.connections == 1:
            connection.sock.recv(1)
            send_signal()
            connection.wait_for_end()
        else:
            connection.sock = context.wrap_socket(connection.sock, server_side=True)
            connection.read_request()
            connection.send(token_answer())

    with Server(raw=serve) as server:
        url = f"https://127.0.0.1:{server.port}/api"
        with merge_link.Client(base_url=url, api_key=KEY, ca_bundle=CERTIFICATE) as client:
            is_interrupted(lambda: ask(client))
            ask(client)


def sending() -> None:
    """The server reads no more than the head of a large request."""

    def serve(connection: Connection) -> None:
        if server.connections == 1:
            connection.sock.recv(1)
            soon()
            assert release.wait(PATIENCE)
        else:
            connection.read_request()
            connection.send(token_answer())

    with Server(raw=serve) as server, server.client() as client:
        is_interrupted(
            lambda: client.create_link_token(**FIELDS, extra_body={"filler": "x" * 20_000_000})
        )
        release.set()
        ask(client)


def reading() -> None:
    start = token_answer()[:-10]
    script = signal_then(stay_silent_after(start))
    with Server(script, token_answer()) as server, server.client() as client:
        is_interrupted(lambda: ask(client))
        ask(client)


def waiting_for_a_connection() -> None:
    with Server(answer_when_released) as server, server.client(max_connections=1) as client:
        with busy_threads(client, server, 1):
            soon()
            is_interrupted(lambda: ask(client))
        ask(client)


def held_back_by_the_error_budget() -> None:
    options: dict[str, Any] = {"error_budget": (4, 300.0), "max_retries": 0}
    with (
        Server(answer(500), answer_when_released) as server,
        server.client(**options) as client,
    ):
        with suppress(merge_link.ServerError):
            ask(client)
        with busy_threads(client, server, 3):
            soon()
            is_interrupted(lambda: ask(client))
            assert len(server.requests) == 4
        ask(client)


def warming_up() -> None:
    page = answer(200, {"next": None, "previous": None, "results": []})
    script = signal_then(stay_silent)
    with Server(page, script, page) as server, server.client() as client:
        is_interrupted(lambda: client.warm_up(3))
        client.warm_up(3)


def in_a_module_function() -> None:
    with Server(signal_then(stay_silent), token_answer()) as server:
        options = {"base_url": server.base_url, "api_key": KEY}
        is_interrupted(lambda: merge_link.create_link_token(**FIELDS, **options))
        assert merge_link.create_link_token(**FIELDS, **options).link_token == TOKEN


def through_a_proxy() -> None:
    """The proxy never answers CONNECT."""
    with Server(signal_then(stay_silent)) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        with merge_link.Client(base_url="https://api.example", api_key=KEY, proxy=url) as client:
            is_interrupted(lambda: ask(client))


def while_another_thread_calls() -> None:
    """Ctrl-C is for the main thread: calls of other threads go on."""
    with (
        Server(answer_when_released) as server,
        server.client() as client,
        busy_threads(client, server, 2),
    ):
        soon()
        is_interrupted(lambda: release.wait(PATIENCE))


# ---- other signals ----


class Odd(Exception):
    pass


def alarm_that_raises() -> None:
    def handle(*_: object) -> None:
        raise Odd

    signal.signal(signal.SIGALRM, handle)
    with deaf_listener() as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/api"
        client = merge_link.Client(base_url=url, api_key=KEY)
        global sent_at
        sent_at = time.monotonic() + 0.2
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        is_interrupted(lambda: ask(client), Odd)
        with Server(listener=listener):
            ask(client)


def alarm_every_ten_milliseconds() -> None:
    """EINTR is no error: not in a fast call, a wait for an answer or for a retry, not in TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    alarms, ringing = 0, True

    def handle(*_: object) -> None:
        nonlocal alarms
        alarms += 1
        handled.release()
        # Not a timer that repeats: on a busy machine the handler would interrupt itself.
        signal.setitimer(signal.ITIMER_REAL, 0.01 if ringing else 0.0)

    handled = threading.Semaphore(0)

    def wait_for_alarms(connection: Connection, request: bytes) -> None:
        if len(server.requests) % 50 == 1:
            for _ in range(20):
                assert handled.acquire(timeout=PATIENCE)
        if len(server.requests) % 100 == 2:
            connection.send(answer(503, b"", "Retry-After: 0.5"))
        else:
            connection.send(token_answer())

    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    for tls in (None, context):
        with (
            Server(wait_for_alarms, tls=tls) as server,
            server.client(ca_bundle=CERTIFICATE if tls else None) as client,
        ):
            attempts = [ask(client).response.attempts for _ in range(150)]
            assert attempts.count(2) == 2, attempts
            assert server.connections == 1
    ringing = False
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    assert alarms > 100


def handler_that_closes_the_client() -> None:
    with Server(signal_then(stay_silent)) as server, server.client() as client:
        signal.signal(signal.SIGINT, lambda *_: client.close())
        is_interrupted(lambda: ask(client), merge_link.ClientClosedError)


# ---- a slow name lookup ----


def look_up_in_vain(**options: Any) -> None:
    url = "http://slow.example:9/api"
    client = merge_link.Client(base_url=url, api_key=KEY, allow_http=True, **options)
    began = time.monotonic()
    try:
        ask(client)
    except merge_link.RequestTimeoutError:
        assert 0.9 < time.monotonic() - began < 1.5, time.monotonic() - began
    else:
        raise AssertionError
    began = time.monotonic()
    client.close()
    assert time.monotonic() - began < 0.5


def lookup_longer_than_the_timeout() -> None:
    look_up_in_vain(timeout=1.0)


def lookup_longer_than_the_connect_timeout() -> None:
    look_up_in_vain(connect_timeout=1.0, max_retries=0)


logging.getLogger("merge_link").addHandler(logging.NullHandler())  # else stderr has the retries
globals()[CASE]()
print("done")
