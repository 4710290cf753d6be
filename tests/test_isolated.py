"""Leaks, endings and interpreters: scripts of isolated/ against a server of this process."""

import ast
import importlib.util
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from answers import FULL
from isolation import HERE, run_script
from operations import page_of
from scripted import PATIENCE, Connection, Script, Server, answer, hang_up, token_answer

Serve = Callable[..., Server]

RICH = token_answer(
    "Date: Sun, 06 Nov 1994 08:49:37 GMT",
    "X-Request-Id: r-1",
    magic_link_url="https://link.merge.dev/x",
    **{"number": 1.5, "nested": {"a": [1, "b"]}, "te\0xt": "a\0b", "text": "c"},
)
REFUSAL = answer(
    400,
    {
        **{"a": [{"b": ["c"]}, {}], "f\0g": ["x\0y"]},
        **{"detail": "d", "detail\0": "e", "detail\0\0": "f"},
    },
    "X-Request-Id: r-1",
)


def answer_operations(connection: Connection, request: bytes) -> None:
    """Answer by the path; lists have two pages, and one issue is none."""
    target = request.split(b" ", 2)[1]
    if b"/account-details" in target:
        said: Any = FULL["AccountDetails"]
    elif target.endswith(b"/resync"):
        said = [FULL["SyncStatus"]]
    elif target.endswith(b"/broken"):
        said = {**FULL["Issue"], "last_incident_time": "yesterday"}
    elif b"/issues" in target:
        said = page_of(FULL["Issue"], following=None if b"cursor=b" in target else "b")
    else:
        said = page_of({"id": 1}, following=None if b"cursor=b" in target else "b")
    connection.send(answer(204) if target.endswith(b"/delete-account") else answer(200, said))


# What is repeated, and how the server answers it.
LEAKS: list[tuple[str, str, Any]] = [
    ("success", "a rich token", RICH),
    ("success", "a bare token", token_answer()),
    ("module", "a token", token_answer()),
    ("attributes", "a rich token", RICH),
    ("evict", "a token", token_answer()),
    ("validation", "nothing", token_answer()),
    ("bad_calls", "nothing", token_answer()),
    ("bad_options", "nothing", token_answer()),
    ("sources_of_keys", "a token", token_answer()),
    ("failure", "a refusal", REFUSAL),
    ("failure", "a long text", answer(503, b"x" * 100_000)),
    ("failure", "no promise", answer(200, {"link_token": 5, "x": [1]})),
    (
        "failure",
        "an unreadable integer",
        answer(200, b'{"link_token":"a","n":' + b"9" * 5000 + b"}"),
    ),
    ("failure", "broken JSON", answer(200, b'{"a":{"b":[1,2,{"c":"d')),
    ("failure", "a closed connection", hang_up),
    ("failure", "a broken gzip", answer(200, b"garbage", "Content-Encoding: gzip")),
    ("pickled_error", "a refusal", REFUSAL),
    ("client", "nothing", token_answer()),
    ("one_call_client", "a token", token_answer()),
    ("unclosed_client", "a token", token_answer()),
    ("record", "nothing", token_answer()),
    ("operations", "answers of each kind", answer_operations),
    ("pages", "two pages", answer_operations),
    ("views", "an account", answer_operations),
    ("bad_operations", "an answer with a mistake", answer_operations),
    ("awaited_operations", "answers of each kind", answer_operations),
    ("awaited", "a rich token", RICH),
    ("awaited_many", "a token", token_answer()),
    ("awaited_failure", "a refusal", REFUSAL),
    ("awaited_failure", "a closed connection", hang_up),
    ("awaited_hook", "a token", token_answer()),
    ("awaited_unclosed", "a token", token_answer()),
    ("awaited_in_loops", "a token", token_answer()),
    ("introspection", "nothing", token_answer()),
]


@pytest.mark.parametrize(
    ("what", "script"),
    [(what, script) for what, _, script in LEAKS],
    ids=[f"{what} on {answered}" for what, answered, _ in LEAKS],
)
def test_nothing_is_left_of_thousands_of_calls(serve: Serve, what: str, script: Any) -> None:
    assert run_script("leaks.py", what, serve(script).base_url).startswith(f"{what}: ")


def answer_all_but_the_silent() -> Script:
    silent = threading.Event()

    def script(connection: Connection, request: bytes) -> None:
        origin = json.loads(request.partition(b"\r\n\r\n")[2])["end_user_origin_id"]
        if origin == "silent":
            silent.set()
            connection.wait_for_end()
        if origin == "after silent":
            silent.wait(PATIENCE)
        connection.send(token_answer())

    return script


def cases_of(script: str) -> list[str]:
    """Return the names of the script's functions without arguments."""
    tree = ast.parse((HERE / "isolated" / script).read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [one.name for one in functions if not one.args.args]


CASES = [name for name in cases_of("order.py") if name not in ("make", "start_waiting")]


@pytest.mark.parametrize("case", CASES)
def test_every_order_of_ending_is_clean(serve: Serve, case: str) -> None:
    server = serve(answer_all_but_the_silent())
    printed = run_script("order.py", case, server.base_url).splitlines()
    assert printed == (["done", "True"] if case == "call_at_exit" else ["done"])
    assert server.requests


@pytest.mark.skipif(
    not any(map(importlib.util.find_spec, ("_interpreters", "_xxsubinterpreters"))),
    reason="this Python was built without subinterpreters",
)
def test_interpreters_in_one_process_do_not_share(serve: Serve) -> None:
    server = serve()
    assert run_script("interpreters.py", server.base_url) == "done\n"
    assert len(server.requests) == 4 * 2 * 22 + 1
