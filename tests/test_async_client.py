"""AsyncClient: what Client does, to be awaited."""

import asyncio
import copy
import inspect
import logging
import pickle
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import merge_link
from loops import ON_EACH_LOOP, run_in
from merge_link import AsyncClient, Attempt, Client, ClientClosedError, _core
from merge_link.sandbox import Sandbox
from samples import EVERY_FIELD, FIELDS, KEY, TOKEN
from scripted import (
    PATIENCE,
    Connection,
    Script,
    Server,
    answer,
    hang_up,
    stay_silent,
    token_answer,
)
from test_warm_up import PAGE

Serve = Callable[..., Server]
Run = Callable[[Any], Any]


@pytest.fixture
def run(loop_name: str) -> Run:
    """Run a coroutine in a new loop of each kind."""
    return lambda main: run_in(loop_name, main)


pytestmark = ON_EACH_LOOP


def client_of(server: Server, **options: Any) -> AsyncClient:
    return AsyncClient(**{"base_url": server.base_url, "api_key": KEY, **options})


def once(main: Callable[[AsyncClient], Awaitable[Any]], client: AsyncClient) -> Any:
    """A coroutine that uses a client and closes it."""

    async def use() -> Any:
        async with client:
            return await main(client)

    return use()


# ---- what comes back ----


def test_a_token_is_what_client_returns(run: Run, serve: Serve) -> None:
    server = serve(token_answer("X-Request-Id: r-1", new=[1]))
    token = run(once(lambda client: client.create_link_token(**EVERY_FIELD), client_of(server)))
    with server.client() as client:
        assert token == client.create_link_token(**EVERY_FIELD)
    assert type(token) is merge_link.LinkToken
    assert (token.link_token, token.extra) == (TOKEN, {"new": [1]})
    assert (token.response.status_code, token.response.request_id) == (200, "r-1")
    timing = token.response.timing
    assert 0 < timing.connect <= timing.first_byte <= timing.total < PATIENCE
    first, second = (request.partition(b"\r\n\r\n")[2] for request in server.requests)
    assert first == second


def test_thousands_at_once(run: Run, sandbox: Sandbox) -> None:
    count = 5000

    async def main(client: AsyncClient) -> list[merge_link.LinkToken]:
        return await asyncio.gather(*(client.create_link_token(**FIELDS) for _ in range(count)))

    tokens = run(once(main, AsyncClient(base_url=sandbox.base_url, api_key=sandbox.api_key)))
    assert len({token.link_token for token in tokens}) == count


def test_calls_run_beside_each_other_and_beside_the_rest(run: Run, serve: Serve) -> None:
    together = threading.Barrier(8)

    def wait_for_all(connection: Connection, request: bytes) -> None:
        together.wait(PATIENCE)
        connection.send(token_answer())

    async def main(client: AsyncClient) -> int:
        turns = 0
        calls = asyncio.gather(*(client.create_link_token(**FIELDS) for _ in range(8)))
        while not calls.done():
            turns += 1
            await asyncio.sleep(0)
        await calls
        return turns

    assert run(once(main, client_of(serve(wait_for_all)))) > 1


def test_a_method_makes_a_coroutine_and_sends_nothing_until_it_is_awaited(
    run: Run, serve: Serve
) -> None:
    server = serve()

    async def main(client: AsyncClient) -> None:
        assert inspect.iscoroutinefunction(client.create_link_token)
        call = client.create_link_token(**FIELDS)
        assert asyncio.iscoroutine(call)
        await asyncio.sleep(0.01)
        call.close()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(client.create_link_token(**FIELDS))
        assert task.result().link_token == TOKEN

    run(once(main, client_of(server)))
    assert len(server.requests) == 1


def test_warming_up_connects_ahead_all_at_once(run: Run, serve: Serve) -> None:
    together = threading.Barrier(3)

    def page(connection: Connection, request: bytes) -> None:
        together.wait(PATIENCE)
        connection.send(PAGE)

    server = serve(page, page, page, token_answer())

    async def main(client: AsyncClient) -> None:
        assert await client.warm_up(3, category="hris") is None
        await client.create_link_token(**FIELDS)

    run(once(main, client_of(server)))
    assert server.connections == 3
    assert all(b"GET /api/hris/v1/linked-accounts" in one for one in server.requests[:3])


def test_warming_up_makes_no_more_than_the_client_may_have(run: Run, serve: Serve) -> None:
    server = serve(PAGE)
    run(once(lambda client: client.warm_up(50), client_of(server, max_connections=2)))
    assert len(server.requests) == 2


@pytest.mark.parametrize("connections", [0, -1, "3", True, 10**30])
def test_warming_up_refuses_what_client_refuses(run: Run, serve: Serve, connections: Any) -> None:
    server = serve(PAGE)
    with server.client() as client:
        wanted = outcome_of(lambda: client.warm_up(connections))
    assert (
        run(once(lambda client: async_outcome(client.warm_up(connections)), client_of(server)))[1:]
        == (wanted[1:])
    )


def test_a_failure_ends_warming_up(run: Run, serve: Serve) -> None:
    server = serve(answer(401, {"detail": "no"}))
    kind, *_ = run(once(lambda client: async_outcome(client.warm_up(3)), client_of(server)))
    assert kind is merge_link.AuthenticationError


# ---- errors ----


def facts_of(error: BaseException) -> Any:
    """All of an error but its moment and place: the class, the texts, the attributes."""
    facts = {name: repr(value) for name, value in vars(error).items()}
    return type(error), str(error), facts


def outcome_of(call: Callable[[], Any]) -> Any:
    try:
        return (None, repr(call()), {})
    except Exception as error:
        return facts_of(error)


async def async_outcome(call: Awaitable[Any]) -> Any:
    try:
        return (None, repr(await call), {})
    except Exception as error:
        pickle.loads(pickle.dumps(error))
        return facts_of(error)


ERRORS: list[tuple[str, Script, dict[str, Any]]] = [
    ("BadRequestError", answer(400, {"categories": ["no"], "x": [{"y": ["z"]}]}), {}),
    ("AuthenticationError", answer(401, {"detail": "no"}), {}),
    ("PermissionDeniedError", answer(403, {"detail": "no"}), {}),
    ("NotFoundError", answer(404, b"<title>Gone</title>", content_type="text/html"), {}),
    ("APIError", answer(418, {"detail": "tea"}, "X-Request-Id: r-1"), {}),
    ("RateLimitError", answer(429, {"detail": "slow"}, "Retry-After: 1000"), {}),
    ("ServerError", answer(503, b"x" * 70_000), {}),
    ("ResponseError", answer(200, {"link_token": 5}), {}),
    ("ResponseError", answer(200, b'{"link_token":"a","n":' + b"9" * 5000 + b"}"), {}),
    ("ValidationError", token_answer(), {"categories": ["atss"], "link_expiry_mins": 1}),
    ("ConfigurationError", token_answer(), {"timeout": 1e9}),
    ("ConfigurationError", token_answer(), {"api_key": "\n"}),
    ("TypeError", token_answer(), {"catagories": 1}),
    ("ValidationError", token_answer(), {"extra_headers": {"x": 5}}),
]


@pytest.mark.parametrize(
    ("kind", "script", "fields"), ERRORS, ids=[f"{one[0]}-{i}" for i, one in enumerate(ERRORS)]
)
def test_an_error_is_the_one_that_client_raises(
    run: Run, serve: Serve, kind: str, script: Script, fields: dict[str, Any]
) -> None:
    server = serve(script)
    keywords = {**FIELDS, "max_retries": 0, **fields}
    with server.client() as client:
        wanted = outcome_of(lambda: client.create_link_token(**keywords))
    found = run(
        once(lambda client: async_outcome(client.create_link_token(**keywords)), client_of(server))
    )
    assert found == wanted
    assert found[0].__name__ == kind


def test_a_connection_that_breaks_is_a_transport_error(run: Run, serve: Serve) -> None:
    kind, _, facts = run(
        once(
            lambda client: async_outcome(client.create_link_token(**FIELDS)),
            client_of(serve(hang_up), max_retries=0),
        )
    )
    assert kind is merge_link.TransportError
    assert (facts["attempts"], facts["may_have_arrived"]) == ("1", "True")


def test_a_server_that_is_not_trusted_is_a_tls_error(run: Run, serve: Serve, tls: Any) -> None:
    server = serve(tls=tls.context)
    kind, *_ = run(
        once(lambda client: async_outcome(client.create_link_token(**FIELDS)), client_of(server))
    )
    assert kind is merge_link.TLSError
    trusting = client_of(server, ca_bundle=tls.ca_file)
    assert run(
        once(lambda client: client.create_link_token(**FIELDS), trusting)
    ).response.timing.tls


def test_an_error_shows_where_it_was_awaited_and_leaves_no_cycle(run: Run, serve: Serve) -> None:
    import gc
    import traceback
    import weakref

    async def main(client: AsyncClient) -> Any:
        try:
            await client.create_link_token(**FIELDS)
        except merge_link.NotFoundError as error:
            shown = "".join(traceback.format_exception(error))
            return weakref.ref(error), error.__context__, shown
        raise AssertionError

    gc.disable()
    try:
        gone, context, shown = run(once(main, client_of(serve(answer(404)))))
        assert (gone(), context) == (None, None)
        assert "await client.create_link_token(**FIELDS)" in shown
    finally:
        gc.enable()


# ---- time ----


def test_the_timeout_ends_a_call(run: Run, serve: Serve) -> None:
    server = serve(stay_silent)
    kind, text, _ = run(
        once(
            lambda client: async_outcome(client.create_link_token(**FIELDS, timeout=0.1)),
            client_of(server),
        )
    )
    assert kind is merge_link.RequestTimeoutError
    assert "0.1 s" in text


def test_the_timeout_holds_for_calls_that_wait_for_their_turn(run: Run, serve: Serve) -> None:
    server = serve(stay_silent)

    async def main(client: AsyncClient) -> None:
        first = asyncio.ensure_future(client.create_link_token(**FIELDS))
        await asyncio.to_thread(server.wait_for_requests, 1)
        with pytest.raises(merge_link.RequestTimeoutError):
            await client.create_link_token(**FIELDS, timeout=0.1)
        assert not first.done()
        first.cancel()

    run(once(main, client_of(server, max_connections=1)))
    assert len(server.requests) == 1


def test_asyncios_own_timeout_ends_the_request(run: Run, serve: Serve) -> None:
    left = threading.Event()

    def see_it_leave(connection: Connection, request: bytes) -> None:
        connection.wait_for_end()
        left.set()

    async def main(client: AsyncClient) -> None:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.1):
                await client.create_link_token(**FIELDS)
        assert not isinstance(caught.value, merge_link.MergeLinkError)
        assert await asyncio.to_thread(left.wait, PATIENCE)

    run(once(main, client_of(serve(see_it_leave))))


# ---- cancelling ----


def test_cancelling_the_task_ends_its_request_and_no_other(run: Run, serve: Serve) -> None:
    left, go = threading.Event(), threading.Event()

    def first(connection: Connection, request: bytes) -> None:
        connection.wait_for_end()
        left.set()

    def second(connection: Connection, request: bytes) -> None:
        go.wait(PATIENCE)
        connection.send(token_answer())

    server = serve(first, second, token_answer())

    async def main(client: AsyncClient) -> None:
        one = asyncio.ensure_future(client.create_link_token(**FIELDS))
        await asyncio.to_thread(server.wait_for_requests, 1)
        other = asyncio.ensure_future(client.create_link_token(**FIELDS))
        await asyncio.to_thread(server.wait_for_requests, 2)
        one.cancel("enough")
        with pytest.raises(asyncio.CancelledError, match="enough"):
            await one
        assert await asyncio.to_thread(left.wait, PATIENCE)
        go.set()
        assert (await other).link_token == TOKEN
        await client.create_link_token(**FIELDS)

    run(once(main, client_of(server)))


def test_a_call_that_is_cancelled_before_its_turn_is_never_sent(run: Run, serve: Serve) -> None:
    go = threading.Event()

    def first(connection: Connection, request: bytes) -> None:
        go.wait(PATIENCE)
        connection.send(token_answer())

    server = serve(first, token_answer())

    async def main(client: AsyncClient) -> None:
        call = asyncio.ensure_future(client.create_link_token(**FIELDS))
        await asyncio.to_thread(server.wait_for_requests, 1)
        waiting = [asyncio.ensure_future(client.create_link_token(**FIELDS)) for _ in range(50)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(one) for one in outcomes} == {asyncio.CancelledError}
        go.set()
        await call
        await client.create_link_token(**FIELDS)

    run(once(main, client_of(server, max_connections=1)))
    assert len(server.requests) == 2


def test_a_coroutine_that_is_thrown_away_ends_its_request(run: Run, serve: Serve) -> None:
    left = threading.Event()

    def see_it_leave(connection: Connection, request: bytes) -> None:
        connection.wait_for_end()
        left.set()

    server = serve(see_it_leave)

    async def main(client: AsyncClient) -> None:
        call = client.create_link_token(**FIELDS)
        call.send(None)  # as a task does
        await asyncio.to_thread(server.wait_for_requests, 1)
        call.close()
        assert await asyncio.to_thread(left.wait, PATIENCE)

    run(once(main, client_of(server)))


def test_cancelling_when_the_answer_is_there_already_is_harmless(run: Run, serve: Serve) -> None:
    server = serve(answer(404), token_answer())

    async def main(client: AsyncClient) -> None:
        for _ in range(20):
            task = asyncio.ensure_future(client.create_link_token(**FIELDS))
            while not task.done():
                await asyncio.sleep(0)
                if server.requests:
                    task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run(once(main, client_of(server)))


# ---- keys ----


def keys_of(server: Server) -> list[str]:
    lines = [line for request in server.requests for line in request.split(b"\r\n")]
    return [line.split()[-1].decode() for line in lines if line.startswith(b"Authorization")]


def test_a_callable_gives_the_key_of_each_call(run: Run, serve: Serve) -> None:
    keys = iter(["test_key_no_1", "test_key_no_2"])
    asked_in = []

    async def asked() -> str:
        asked_in.append(threading.get_ident())
        await asyncio.sleep(0)
        return next(keys)

    server = serve()

    async def main(client: AsyncClient) -> None:
        await client.create_link_token(**FIELDS)
        await client.create_link_token(**FIELDS, api_key=lambda: "test_of_the_call")
        await client.create_link_token(**FIELDS)
        await client.create_link_token(**FIELDS, api_key="test_plain")
        assert set(asked_in) == {threading.get_ident()}

    run(once(main, client_of(server, api_key=asked)))
    assert keys_of(server) == ["test_key_no_1", "test_of_the_call", "test_key_no_2", "test_plain"]


def test_an_ordinary_callable_will_do_and_warming_up_asks_once(run: Run, serve: Serve) -> None:
    keys = iter(["test_key_no_1", "test_key_no_2"])
    server = serve(PAGE)
    run(once(lambda client: client.warm_up(3), client_of(server, api_key=lambda: next(keys))))
    assert keys_of(server) == ["test_key_no_1"] * 3


@pytest.mark.parametrize(
    ("given", "named"), [(None, "NoneType"), (b"test_key_of_bytes", "bytes"), (7, "int")]
)
def test_what_it_gives_must_be_a_string(run: Run, serve: Serve, given: Any, named: str) -> None:
    async def source() -> Any:
        return given

    server = serve()
    for callable_ in (source, lambda: given):
        found = run(
            once(
                lambda client: async_outcome(client.create_link_token(**FIELDS)),
                client_of(server, api_key=callable_),
            )
        )
        assert found[:2] == (
            merge_link.ConfigurationError,
            f"what the api_key callable returns must be a string, not {named}",
        )
    assert server.requests == []


def test_what_it_raises_comes_out(run: Run, serve: Serve) -> None:
    raised = ZeroDivisionError("sealed")

    async def source() -> str:
        raise raised

    async def main(client: AsyncClient) -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            await client.create_link_token(**FIELDS)
        assert caught.value is raised

    run(once(main, client_of(serve(), api_key=source)))


def test_cancelling_while_the_key_is_awaited(run: Run, serve: Serve) -> None:
    server = serve()

    async def main(client: AsyncClient) -> None:
        task = asyncio.ensure_future(client.create_link_token(**FIELDS))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def source() -> str:
        await asyncio.sleep(PATIENCE)
        return KEY

    run(once(main, client_of(server, api_key=source)))
    assert server.requests == []


# ---- telling of attempts ----


def test_the_hook_is_told_in_the_loops_thread(run: Run, serve: Serve) -> None:
    told: list[Attempt] = []
    threads = set()

    def hook(attempt: Attempt) -> None:
        told.append(attempt)
        threads.add(threading.get_ident())

    server = serve(answer(503, b"", "Retry-After: 0"), token_answer())
    run(once(lambda client: client.create_link_token(**FIELDS), client_of(server, on_attempt=hook)))
    assert [(one.number, one.status_code, one.retry_in) for one in told] == [
        (1, 503, 0.0),
        (2, 200, None),
    ]
    assert threads == {threading.get_ident()}
    assert told[1].url == f"{server.base_url}/ats/v1/link-token"
    assert 0 < told[1].timing.total <= told[1].seconds + 1


def test_what_the_hook_raises_is_logged_and_ends_nothing(
    run: Run, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def hook(attempt: Attempt) -> None:
        raise ZeroDivisionError

    token = run(
        once(lambda client: client.create_link_token(**FIELDS), client_of(serve(), on_attempt=hook))
    )
    assert token.link_token == TOKEN
    assert [record.getMessage() for record in caplog.records] == ["on_attempt raised"]


@pytest.mark.parametrize("level", [logging.DEBUG, logging.WARNING])
def test_the_log_says_what_it_says_of_client(
    run: Run, serve: Serve, caplog: pytest.LogCaptureFixture, level: int
) -> None:
    import re

    scripts = (answer(503, b"", "Retry-After: 0"), token_answer())
    said = []
    caplog.set_level(level, "merge_link")
    for call in (
        lambda server: server.client().create_link_token(**FIELDS),
        lambda server: run(
            once(lambda client: client.create_link_token(**FIELDS), client_of(server))
        ),
    ):
        caplog.clear()
        call(serve(*scripts))
        said.append(
            [
                (record.levelname, re.sub(r":\d+/|[\d.]+ ms", "", record.getMessage()))
                for record in caplog.records
                if record.name == "merge_link"
            ]
        )
    assert said[0] == said[1]
    assert len(said[0]) == (5 if level == logging.DEBUG else 1)


# ---- closing ----


def test_a_closed_client_says_so(run: Run, serve: Serve) -> None:
    server = serve()

    async def main() -> None:
        client = client_of(server, api_key=lambda: pytest.fail("asked"))
        await client.aclose()
        await client.aclose()
        assert client.closed
        for call in (client.create_link_token(**FIELDS), client.warm_up(), client.__aenter__()):
            with pytest.raises(ClientClosedError, match=r"^the client is closed: make a new one$"):
                await call

    run(main())
    assert server.requests == []


@pytest.mark.parametrize("way", ["aclose", "close", "close without await", "another thread"])
def test_closing_ends_the_calls_under_way(run: Run, serve: Serve, way: str) -> None:
    server = serve(stay_silent)

    async def close(client: AsyncClient) -> None:
        match way:
            case "aclose":
                await client.aclose()
            case "close":
                assert await client.close() is None
            case "close without await":
                client.close()
            case "another thread":
                await asyncio.to_thread(client.close)

    async def main() -> None:
        client = client_of(server, max_connections=3)
        calls = [asyncio.ensure_future(client.create_link_token(**FIELDS)) for _ in range(9)]
        await asyncio.to_thread(server.wait_for_requests, 3)
        await close(client)
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(one) for one in outcomes} == {ClientClosedError}

    run(main())
    assert len(server.requests) == 3


def test_what_a_hook_raises_while_the_client_is_closed_loses_no_outcome(
    run: Run, serve: Serve
) -> None:
    server = serve()

    def hook(attempt: Attempt) -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        client = client_of(server, on_attempt=hook)
        calls = [asyncio.ensure_future(client.create_link_token(**FIELDS)) for _ in range(3)]
        await asyncio.sleep(0)
        server.wait_for_requests(3)
        time.sleep(0.1)  # the answers arrive while the loop is kept from taking them
        with pytest.raises(KeyboardInterrupt):
            client.close()
        outcomes = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), PATIENCE)
        assert len(outcomes) == 3

    run(main())


# ---- what it is ----


def test_it_shares_options_and_manners_with_client(run: Run, serve: Serve) -> None:
    client = client_of(serve(), category="ats", timeout=5)
    assert isinstance(client, _core.BaseClient)
    assert not isinstance(client, Client)
    assert (client.category, client.timeout, client.max_retries) == ("ats", 5.0, 2)
    assert repr(client) == f"<merge_link.AsyncClient base_url='{client.base_url}'>"
    assert "AsyncClient" in client._repr_html_()
    for use in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="an AsyncClient cannot be pickled or copied"):
            use(client)
    client.close()
    assert repr(client).endswith(" closed>")
    with pytest.raises(TypeError, match=r"^AsyncClient\(\) got an unexpected keyword .*timeout"):
        AsyncClient(api_key=KEY, timeot=3)  # type: ignore[call-arg]
    with pytest.raises(merge_link.ConfigurationError, match=r"^no API key"):
        AsyncClient()


def test_outside_of_a_loop_it_says_what_is_missing(run: Run, serve: Serve) -> None:
    client = client_of(serve())
    call = client.create_link_token(**FIELDS)
    with pytest.raises(RuntimeError, match="no running event loop"):
        call.send(None)
    client.close()


def test_a_subclass_may_add_to_a_call(run: Run, serve: Serve) -> None:
    class German(AsyncClient):
        async def create_link_token(self, **fields: Any) -> merge_link.LinkToken:
            return await super().create_link_token(**{"language": "de", **fields})

    server = serve()
    run(
        once(
            lambda client: client.create_link_token(**FIELDS),
            German(base_url=server.base_url, api_key=KEY),
        )
    )
    assert server.bodies[0]["language"] == "de"
