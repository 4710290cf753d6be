"""Under gevent's monkey-patching a call lets other greenlets go on."""

import importlib.util
import json
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from isolation import run_script
from scripted import PATIENCE, Connection, Server, answer, token_answer

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("gevent") is None, reason="gevent is not installed"
    ),
    pytest.mark.usefixtures("no_greenlets_under_asan"),
]


@pytest.mark.parametrize(
    "case",
    [
        "other_greenlets_go_on",
        "many_calls_at_once",
        "more_calls_than_the_pool_has_threads",
        "module_function_and_warm_up",
        "page_that_is_fetched_ahead",
        "the_key_is_asked_for_in_its_greenlet",
        "patched_threads",
        "killed_greenlet",
        "greenlet_out_of_time",
        "client_that_goes_with_its_greenlet",
        "closed_by_another_greenlet",
        "program_that_ends_during_a_call",
        "errors_come_out",
        "the_attempt_hook_is_called",
        "ctrl_c",
        "fork",
        "imported_but_not_patched",
    ],
)
def test_gevent(serve: Callable[..., Server], case: str) -> None:
    go, waiting = threading.Event(), threading.Semaphore(0)

    def reply(connection: Connection, request: bytes) -> None:
        if request.startswith(b"GET "):
            following = "b" if b"/issues " in request else None
            if b"?cursor=b " in request:
                assert go.wait(PATIENCE)
            connection.send(answer(200, {"next": following, "results": []}))
            return
        body = request.partition(b"\r\n\r\n")[2]
        origin = json.loads(body)["end_user_origin_id"]
        if origin in ("wait", "nothing"):
            waiting.release()
        if origin == "go":
            go.set()
        elif origin == "wait":
            assert go.wait(PATIENCE)
        elif origin == "one waits":
            assert waiting.acquire(timeout=PATIENCE)
        elif origin == "interrupt":
            os.kill(int(request.partition(b"X-Pid: ")[2].split()[0]), signal.SIGINT)
        if origin in ("nothing", "interrupt"):
            connection.wait_for_end()
        else:
            connection.send(answer(503) if origin == "busy" else token_answer())

    began = time.monotonic()
    assert run_script("greenlets.py", case, serve(reply).base_url) == "done\n"
    assert time.monotonic() - began < PATIENCE / 2
