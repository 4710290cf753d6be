"""Subinterpreters, with a GIL of their own (from 3.12 on) and without."""

import importlib.util
import json
import sys
import threading
from collections.abc import Callable

import pytest

from isolation import run_script
from scripted import PATIENCE, Connection, Server, answer, token_answer

pytestmark = pytest.mark.skipif(
    not any(map(importlib.util.find_spec, ("_interpreters", "_xxsubinterpreters"))),
    reason="this Python was built without subinterpreters",
)


AWAITED = ("calls_that_are_awaited", "left_to_the_end")


@pytest.mark.parametrize("gil", ["own", "shared"])
@pytest.mark.parametrize(
    "case",
    [
        "calls_at_once",
        "threads_in_interpreters",
        "errors",
        "results",
        "calls_that_are_awaited",
        "left_to_the_end",
        "connections_end_with_their_interpreter",
        "one_ends_while_others_call",
        "one_error_budget_for_the_process",
    ],
)
def test_interpreters(serve: Callable[..., Server], case: str, gil: str) -> None:
    if case == "threads_in_interpreters" and gil == "own" and sys.version_info < (3, 12):
        pytest.skip("isolated interpreters of 3.11 can have no threads")
    if case in AWAITED and gil == "own" and sys.version_info[:2] == (3, 12):
        pytest.skip("3.12 with a GIL of its own breaks by `import _asyncio` alone")
    if case == "calls_that_are_awaited" and gil == "own" and sys.version_info[:2] == (3, 13):
        pytest.skip("3.13 with GILs of their own breaks by `import _datetime` at once alone")
    go, waiting, together = threading.Event(), threading.Semaphore(0), threading.Barrier(4)

    def reply(connection: Connection, request: bytes) -> None:
        origin = json.loads(request.partition(b"\r\n\r\n")[2])["end_user_origin_id"]
        match origin:
            case "together":
                together.wait(PATIENCE)
            case "wait":
                waiting.release()
                assert go.wait(PATIENCE)
            case "one waits":
                assert waiting.acquire(timeout=PATIENCE)
            case "go":
                go.set()
            case "never":
                connection.wait_for_end()
        failures = {"refused": answer(400, {"detail": "no"}), "busy": answer(503)}
        connection.send(failures.get(origin, token_answer()))

    server = serve(reply)
    # From 3.14 on Python warns of those that are left to the end.
    quiet = {"PYTHONWARNINGS": "ignore:remaining subinterpreters:RuntimeWarning"}
    said = run_script("subinterpreters.py", case, gil, server.base_url, environment=quiet)
    assert said == "done\n"
