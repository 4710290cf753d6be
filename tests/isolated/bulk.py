"""Bulk runs that need a process of their own. Argument: the case."""

import os
import signal
import sys
import threading
import time
import traceback

CASE = sys.argv[1]
if CASE == "gevent":
    from gevent import monkey

    monkey.patch_all()

from samples import FIELDS, TOKEN  # noqa: E402 (gevent comes before all)
from scripted import Server, stay_silent, token_answer  # noqa: E402

ROWS = [{**FIELDS, "end_user_origin_id": f"acme-{number}"} for number in range(1000)]


def interrupted_while_waiting() -> None:
    """Ctrl-C ends the run within a second, says what was done, and what came is kept."""
    with Server(*[token_answer()] * 10, stay_silent) as server, server.client() as client:
        at = [0.0]

        def interrupt() -> None:
            server.wait_for_requests(14)
            at[0] = time.monotonic()
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt).start()
        run = client.create_link_tokens(ROWS, concurrency=4)
        try:
            run.collect()
        except KeyboardInterrupt as error:
            assert time.monotonic() - at[0] < 1.0
            print(traceback.format_exception(error)[-1].strip())
        summary = run.summary
        print(summary.done, summary.cancelled, len(run.collect().tokens))
        server.answers[:] = [token_answer()]
        assert client.create_link_token(**FIELDS).link_token == TOKEN
        assert len(client.create_link_tokens(ROWS[:50]).collect().tokens) == 50


def stopped_by_a_signal() -> None:
    """A handler may call stop(): what is under way still comes out."""
    release = threading.Event()

    def answer(connection: object, request: bytes) -> None:
        release.wait(20)
        connection.send(token_answer())  # type: ignore[attr-defined]

    with Server(answer) as server, server.client() as client:
        run = client.create_link_tokens(ROWS, concurrency=4)

        def stop(*_: object) -> None:
            run.stop()
            release.set()

        signal.signal(signal.SIGINT, stop)

        def interrupt() -> None:
            server.wait_for_requests(4)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt).start()
        print(len(run.collect().tokens), run.summary.cancelled)


def gevent() -> None:
    """Other greenlets go on while a run waits."""
    import gevent as library

    turns = 0

    def other() -> None:
        nonlocal turns
        while True:
            library.sleep(0)
            turns += 1

    greenlet = library.spawn(other)
    with Server() as server, server.client() as client:
        print(len(client.create_link_tokens(ROWS[:100], concurrency=8).collect().tokens))
    greenlet.kill()
    print(turns > 10)


{
    "waiting": interrupted_while_waiting,
    "stop": stopped_by_a_signal,
    "gevent": gevent,
}[CASE]()
