"""Count the references that 10,000 calls on each path leave; needs a debug build of Python.

The server runs in a process of its own, so that only the calls are counted. A few references come
and go with caches of the interpreter; one for each call would be thousands.
"""

import asyncio
import gc
import multiprocessing
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import merge_link
from merge_link import AsyncClient, Client
from samples import EVERY_FIELD, FIELDS, KEY
from scripted import Script, Server, answer, hang_up, token_answer

TIMES = 10_000
WARM_UP = 500
MOST_LEFT = TIMES // 100

OPTIONS = {"api_key": KEY, "max_retries": 0}
TOKEN = token_answer("X-Request-Id: r-1", magic_link_url="https://link.merge.dev/x", new=[1, {}])
REFUSAL = answer(400, {"detail": "no", "categories": ["wrong", {"0": ["wrong"]}]})


# ---- the server's process ----


def serve(script: Script, pipe: Connection) -> None:
    with Server(script) as server:
        pipe.send(server.base_url)
        pipe.recv()


class OtherProcess:
    """A scripted server in a process of its own."""

    def __init__(self, script: Script) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(script, theirs), daemon=True)
        self._process.start()
        self.base_url: str = self._pipe.recv()

    def close(self) -> None:
        self._pipe.send(None)
        self._process.join()


# ---- what is done ----


def refused(client: Client, error: type[Exception], **fields: Any) -> None:
    try:
        client.create_link_token(**fields)
    except error:
        return
    raise AssertionError("not refused")


def succeed(client: Client) -> None:
    token = client.create_link_token(**EVERY_FIELD)
    assert (token.response.status_code, token.extra) == (200, {"new": [1, {}]})


def break_rules(client: Client) -> None:
    wrong = {**FIELDS, "categories": ["atss", 5], "common_models": [{"model_id": object()}]}
    refused(client, merge_link.ValidationError, **wrong, extra_body={"language": 1})


def be_refused(client: Client) -> None:
    refused(client, merge_link.BadRequestError, **FIELDS)


def be_hung_up_on(client: Client) -> None:
    refused(client, merge_link.TransportError, **FIELDS)


def misuse(client: Client) -> None:
    refused(client, TypeError, **FIELDS, catagories=1)


def come_and_go(client: Client) -> None:
    with Client(**OPTIONS, base_url=client.base_url, category="ats", account_token="x"):
        pass


def come_call_and_go(client: Client) -> None:
    with Client(**OPTIONS, base_url=client.base_url) as own:
        own.create_link_token(**FIELDS)


def be_told_of_attempts(client: Client) -> None:
    with Client(**OPTIONS, base_url=client.base_url, on_attempt=str) as own:
        own.create_link_token(**FIELDS)


loop = asyncio.new_event_loop()
kept: dict[str, AsyncClient] = {}


def of_loop(client: Client) -> AsyncClient:
    """A client for the same server, whose calls are awaited."""
    if client.base_url not in kept:
        kept[client.base_url] = AsyncClient(**OPTIONS, base_url=client.base_url)
    return kept[client.base_url]


def be_awaited(client: Client) -> None:
    loop.run_until_complete(of_loop(client).create_link_token(**EVERY_FIELD))


def be_awaited_and_refused(client: Client) -> None:
    try:
        loop.run_until_complete(of_loop(client).create_link_token(**FIELDS))
    except merge_link.BadRequestError:
        return
    raise AssertionError("not refused")


def be_cancelled(client: Client) -> None:
    async def main() -> None:
        task = asyncio.ensure_future(of_loop(client).create_link_token(**FIELDS))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    loop.run_until_complete(main())


PATHS: list[tuple[str, Script, Callable[[Client], None]]] = [
    ("success", TOKEN, succeed),
    ("validation error", TOKEN, break_rules),
    ("API error", REFUSAL, be_refused),
    ("transport error", hang_up, be_hung_up_on),
    ("wrong keyword", TOKEN, misuse),
    ("client created and closed", TOKEN, come_and_go),
    ("client with one call", TOKEN, come_call_and_go),
    ("on_attempt", TOKEN, be_told_of_attempts),
    ("awaited", TOKEN, be_awaited),
    ("awaited API error", REFUSAL, be_awaited_and_refused),
    ("cancelled", TOKEN, be_cancelled),
]


# ---- counting ----


def references() -> int:
    gc.collect()
    return sys.gettotalrefcount()  # type: ignore[attr-defined]


def references_left(deed: Callable[[Client], None], client: Client) -> int:
    for _ in range(WARM_UP):
        deed(client)
    before = references()
    for _ in range(TIMES):
        deed(client)
    return references() - before


def main() -> int:
    leaking = 0
    servers = [OtherProcess(script) for _, script, _ in PATHS]
    for (name, _, deed), server in zip(PATHS, servers, strict=True):
        with Client(**OPTIONS, base_url=server.base_url) as client:
            left = references_left(deed, client)
        leaking += left > MOST_LEFT
        print(f"{name}: {left:+d} references after {TIMES} times", flush=True)
        server.close()
    print(f"{len(PATHS)} paths, {leaking} leaking")
    return leaking


if __name__ == "__main__":
    sys.exit(main())
