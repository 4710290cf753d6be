"""Signals that come while a call waits. Arguments: what it waits for, what the handler does."""

import logging
import os
import signal
import sys
import threading
import time
from typing import Any

from samples import FIELDS
from scripted import Connection, Server, answer, token_answer

WAIT, DEED = sys.argv[1:]
sent_at = 0.0
handled = threading.Event()


class Odd(Exception):
    pass


def handle(number: int, frame: Any) -> None:
    handled.set()
    if DEED == "raise":
        raise Odd
    if DEED == "call":  # the handler uses the same client
        client.create_link_token(**FIELDS)


def send_signal() -> None:
    global sent_at
    sent_at = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT if DEED == "interrupt" else signal.SIGUSR1)


def reply(connection: Connection, request: bytes) -> None:
    """Send the signal when the first request has come, and answer it as WAIT says."""
    if len(server.requests) > 1:
        connection.send(token_answer())
        return
    if WAIT == "retry":
        connection.send(answer(503, b"", f"Retry-After: {1 if DEED in ('return', 'call') else 10}"))
    send_signal()
    if WAIT == "answer":
        if DEED in ("return", "call"):
            handled.wait(20)
            connection.send(token_answer())
        else:
            connection.wait_for_end()


logging.getLogger("merge_link").setLevel(logging.ERROR)  # a retry is a warning
if DEED != "interrupt":
    signal.signal(signal.SIGUSR1, handle)

with Server(reply) as server, server.client(timeout=20) as client:
    try:
        print(client.create_link_token(**FIELDS).link_token)
    except (KeyboardInterrupt, Odd) as error:
        print(type(error).__name__, time.monotonic() - sent_at < 1.0)
    print("handled", handled.is_set())
    print("afterwards", client.create_link_token(**FIELDS).response.status_code)
