"""Many tokens in one run of an event loop: `AsyncClient.create_link_tokens`."""

import asyncio
import threading
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any, NoReturn

import pytest

import merge_link
from loops import ON_EACH_LOOP, run_in
from merge_link import AsyncClient, Outcomes, Progress
from merge_link.sandbox import Sandbox
from samples import FIELDS, KEY, TOKEN
from scripted import PATIENCE, Server, stay_silent, token_answer
from test_bulk import REFUSED, SECRET_ROW, Counting, answer_when, indexes, rows_of, shown_of

Serve = Callable[..., Server]
Test = Callable[[AsyncClient], Awaitable[None]]


def run(test: Test, server: Sandbox | Server, loop_name: str = "asyncio", **options: Any) -> None:
    """Run a test with a client in a loop of its own."""
    key = KEY if isinstance(server, Server) else server.api_key

    async def main() -> None:
        async with AsyncClient(**{"base_url": server.base_url, "api_key": key, **options}) as made:
            async with asyncio.timeout(PATIENCE):
                await test(made)

    run_in(loop_name, main())


async def each(rows: Any, pause: float | None = None) -> AsyncIterator[Any]:
    for row in rows:
        if pause is not None:
            await asyncio.sleep(pause)
        yield row


SOURCES: dict[str, Callable[[list[Any]], Any]] = {
    "a list": list,
    "an iterator": iter,
    "an async iterator": each,
    "an async iterator that waits": lambda rows: each(rows, 0.0),
}


@ON_EACH_LOOP
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("source", SOURCES)
def test_every_row_comes_out_once(
    loop_name: str, sandbox: Sandbox, source: str, ordered: bool
) -> None:
    rows: list[Any] = rows_of(200)
    rows[7], rows[50] = 5, {**FIELDS, "categories": []}

    async def test(client: AsyncClient) -> None:
        bulk = client.create_link_tokens(SOURCES[source](rows), ordered=ordered, concurrency=16)
        outcomes = [outcome async for outcome in bulk]
        assert sorted(indexes(outcomes)) == list(range(200))
        assert not ordered or indexes(outcomes) == list(range(200))
        assert {o.index: type(o.error).__name__ for o in outcomes if not o.ok} == {
            7: "TypeError",
            50: "ValidationError",
        }
        assert all(outcome.request is rows[outcome.index] for outcome in outcomes)
        assert len({outcome.token.link_token for outcome in outcomes if outcome.token}) == 198
        assert bulk.summary.errors == {"TypeError": 1, "ValidationError": 1}
        assert [outcome async for outcome in bulk] == []

    run(test, sandbox, loop_name)


@pytest.mark.parametrize("source", ["a list", "an async iterator"])
def test_no_rows_are_no_outcomes(sandbox: Sandbox, source: str) -> None:
    async def test(client: AsyncClient) -> None:
        assert await client.create_link_tokens(SOURCES[source]([])).collect() == Outcomes()

    run(test, sandbox)


def test_a_thousand_bad_rows_leave_the_loop_to_others(sandbox: Sandbox) -> None:
    async def test(client: AsyncClient) -> None:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        task = asyncio.create_task(other())
        bulk = client.create_link_tokens([{}] * 1000, concurrency=4)
        assert len((await bulk.collect()).errors) == 1000
        task.cancel()
        assert turns >= 10

    run(test, sandbox)


@pytest.mark.parametrize(("ordered", "ahead"), [(False, 5), (True, 20)])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_rows_are_taken_no_further_ahead_than_promised(
    sandbox: Sandbox, ordered: bool, ahead: int, asynchronous: bool
) -> None:
    async def test(client: AsyncClient) -> None:
        rows = Counting(100)
        source: Any = each(rows) if asynchronous else rows
        given = 0
        async for _ in client.create_link_tokens(source, concurrency=5, ordered=ordered):
            given += 1
            await asyncio.sleep(0)
            assert rows.taken - given <= ahead
        assert given == 100

    run(test, sandbox)


def test_while_the_consumer_does_something_else_nothing_spins(sandbox: Sandbox) -> None:
    async def test(client: AsyncClient) -> None:
        loop = asyncio.get_running_loop()
        rows = Counting(1000)
        async with client.create_link_tokens(rows, concurrency=8) as bulk:
            await anext(bulk)
            await asyncio.sleep(0.05)  # all that were sent are answered
            taken, turns = rows.taken, 0
            selector = loop._selector  # type: ignore[attr-defined]
            select = selector.select

            def counted(timeout: float | None = None) -> Any:
                nonlocal turns
                turns += 1
                return select(timeout)

            selector.select = counted
            await asyncio.sleep(0.05)
            del selector.select
            assert rows.taken == taken <= 9
            assert turns <= 3

    run(test, sandbox)


def test_what_the_rows_raise_comes_out_after_what_is_under_way(sandbox: Sandbox) -> None:
    def rows() -> Iterator[Any]:
        yield from rows_of(30)
        raise OSError("the file ends in the middle of a line")

    async def test(client: AsyncClient) -> None:
        sources: list[Any] = [rows(), each(rows())]
        for source in sources:
            bulk = client.create_link_tokens(source)
            with pytest.raises(OSError, match="in the middle"):
                await bulk.collect()
            assert len((await bulk.collect()).tokens) == 30

    run(test, sandbox)


# ---- keys ----


@ON_EACH_LOOP
def test_an_async_key_is_awaited_for_each_row(loop_name: str, sandbox: Sandbox) -> None:
    asked = 0

    async def key() -> str:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return sandbox.api_key

    async def test(client: AsyncClient) -> None:
        outcomes = await client.create_link_tokens(rows_of(50)).collect()
        assert len(outcomes.tokens) == 50
        assert asked == 50

    run(test, sandbox, loop_name, api_key=key)


def test_a_key_that_cannot_be_had_is_an_outcome(sandbox: Sandbox) -> None:
    async def fails() -> str:
        await asyncio.sleep(0)
        raise OSError("the vault is sealed")

    def fails_at_once() -> NoReturn:
        raise OSError("the vault is sealed")

    async def test(client: AsyncClient) -> None:
        rows = [*rows_of(2), {**FIELDS, "api_key": fails}, {**FIELDS, "api_key": fails_at_once}]
        outcomes = await client.create_link_tokens(rows, ordered=True).collect()
        assert [outcome.ok for outcome in outcomes] == [True, True, False, False]
        for error in outcomes.errors:
            assert str(error) == "the vault is sealed"
            assert "bulk.py" not in "".join(traceback.format_exception(error))

    run(test, sandbox)


# ---- the ends ----


@ON_EACH_LOOP
def test_cancelling_the_task_cancels_what_is_under_way(loop_name: str, serve: Serve) -> None:
    server = serve(token_answer(), stay_silent)

    async def test(client: AsyncClient) -> None:
        bulk = client.create_link_tokens(rows_of(50), concurrency=5)

        async def consume() -> None:
            async for _ in bulk:
                pass

        task = asyncio.create_task(consume())
        await asyncio.to_thread(server.wait_for_requests, 6)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert caught.value.__notes__ == [
            "create_link_tokens(): 1 of 50 rows done, 0 of them failed, 5 more were cancelled"
        ]
        assert bulk.summary.cancelled == 5
        assert [outcome async for outcome in bulk] == []
        server.answers[:] = [token_answer()]
        assert (await client.create_link_token(**FIELDS)).link_token == TOKEN

    run(test, server, loop_name)


async def leave_with(bulk: Any) -> None:
    async with bulk:
        await anext(bulk)


async def close(bulk: Any) -> None:
    await anext(bulk)
    await bulk.aclose()
    await bulk.aclose()


async def leave_closing(bulk: Any) -> None:
    async with aclosing(bulk):
        async for _ in bulk:
            return


@ON_EACH_LOOP
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("leave", [leave_with, close, leave_closing])
def test_leaving_cancels_what_is_under_way(
    loop_name: str, serve: Serve, leave: Any, asynchronous: bool
) -> None:
    server = serve(token_answer(), stay_silent)
    ended = False

    async def endless() -> AsyncIterator[Any]:
        nonlocal ended
        try:
            for row in rows_of(3):
                yield row
            await asyncio.Event().wait()  # the next row never comes
        finally:
            ended = True

    async def test(client: AsyncClient) -> None:
        rows: Any = endless() if asynchronous else rows_of(50)
        bulk = client.create_link_tokens(rows, concurrency=5)
        await leave(bulk)
        assert ended == asynchronous
        assert bulk.summary.done == 1
        assert [outcome async for outcome in bulk] == []

    run(test, server, loop_name)


@ON_EACH_LOOP
def test_a_run_that_is_dropped_is_over(loop_name: str, sandbox: Sandbox) -> None:
    async def test(client: AsyncClient) -> None:
        bulk = client.create_link_tokens(rows_of(1000), concurrency=2)
        await anext(bulk)
        work = bulk._outcomes.ag_frame.f_locals["work"]
        del bulk
        await asyncio.sleep(0.01)
        with pytest.raises(ValueError, match="the mailbox is closed"):
            work.mailbox.fileno()

    run(test, sandbox, loop_name)


def test_a_run_that_was_never_begun_costs_nothing(sandbox: Sandbox) -> None:
    async def test(client: AsyncClient) -> None:
        bulk = client.create_link_tokens(rows_of(5))
        await bulk.aclose()
        assert bulk.summary.done == 0

    run(test, sandbox)


def test_stopping_lets_what_is_under_way_come_out(sandbox: Sandbox) -> None:
    async def test(client: AsyncClient) -> None:
        for asynchronous in (False, True):
            rows = Counting(1000)
            source: Any = each(rows) if asynchronous else rows
            bulk = client.create_link_tokens(source, concurrency=5)
            async for outcome in bulk:
                assert outcome.ok
                bulk.stop()
            assert bulk.summary.done == rows.taken <= 6
            assert bulk.summary.cancelled == 0

    run(test, sandbox)


@ON_EACH_LOOP
def test_stopping_waits_for_no_row_that_does_not_come(loop_name: str, sandbox: Sandbox) -> None:
    async def few() -> AsyncIterator[Any]:
        for row in rows_of(3):
            yield row
        await asyncio.Event().wait()

    async def test(client: AsyncClient) -> None:
        bulk = client.create_link_tokens(few(), concurrency=5)
        for _ in range(3):
            await anext(bulk)
        rest = asyncio.create_task(bulk.collect())
        await asyncio.sleep(0.01)
        threading.Thread(target=bulk.stop).start()
        assert await rest == Outcomes()
        assert bulk.summary.done == 3

    run(test, sandbox, loop_name)


@ON_EACH_LOOP
def test_several_runs_and_calls_share_a_loop_and_a_client(loop_name: str, sandbox: Sandbox) -> None:
    async def test(client: AsyncClient) -> None:
        runs = [client.create_link_tokens(rows_of(60), concurrency=8).collect() for _ in range(4)]
        calls = [client.create_link_token(**FIELDS) for _ in range(20)]
        *outcomes, first = await asyncio.gather(*runs, asyncio.gather(*calls))
        assert [len(one.tokens) for one in outcomes] == [60] * 4
        assert len(first) == 20

    run(test, sandbox, loop_name)


def test_outcomes_come_as_they_are_done(serve: Serve) -> None:
    last = threading.Event()
    server = serve(answer_when(last), token_answer())

    async def test(client: AsyncClient) -> None:
        bulk = client.create_link_tokens(rows_of(20), concurrency=4)
        seen = [(await anext(bulk)).index for _ in range(19)]
        last.set()
        seen += [outcome.index async for outcome in bulk]
        assert sorted(seen) == list(range(20))
        assert seen[-1] < 4

    run(test, server)


# ---- the same as with Client ----


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_meant_is_refused_at_once(what: str) -> None:
    options, kind, text = REFUSED[what]
    client = AsyncClient(api_key=KEY)
    with pytest.raises(kind, match=text):
        client.create_link_tokens(**{"rows": [FIELDS], **options})
    client.close()
    with pytest.raises(merge_link.ClientClosedError):
        client.create_link_tokens([FIELDS])


def test_progress_and_its_bar(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[Progress] = []

    async def test(client: AsyncClient) -> None:
        await client.create_link_tokens(rows_of(30), progress=told.append).collect()
        await client.create_link_tokens([*rows_of(5), {}], progress=True).collect()

    run(test, sandbox)
    assert (told[-1].done, told[-1].total) == (30, 30)
    shown = capsys.readouterr().err
    assert "6/6" in shown
    assert "1 failed" in shown


def test_a_failure_shows_no_credential(sandbox: Sandbox) -> None:
    async def fails() -> str:
        raise OSError("the vault is sealed")

    async def test(client: AsyncClient) -> None:
        row = {**FIELDS, "extra_body": {"secret": KEY}}
        rows = [SECRET_ROW, {**row, "api_key": fails}]
        outcomes = await client.create_link_tokens(each(rows), api_key=KEY).collect()
        for error in outcomes.errors:
            told = traceback.TracebackException.from_exception(error, capture_locals=True)
            told.stack = traceback.StackSummary.from_list(
                [frame for frame in told.stack if "merge_link" in frame.filename]
            )
            assert KEY not in "".join(told.format())
        with pytest.raises(TypeError) as caught:
            client.create_link_tokens(rows, api_key=KEY, integratoin="lever")
        assert KEY not in shown_of(caught.value)

    run(test, sandbox)
