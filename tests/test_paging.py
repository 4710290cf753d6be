"""Pages as clients fetch them, over HTTP: what is sent for each, one ahead, failures, leaving."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import merge_link
from loops import ON_EACH_LOOP, run_in
from merge_link import AsyncClient, Client, ClientClosedError, ResponseError, ServerError
from samples import KEY
from scripted import PATIENCE, Connection, Script, Server, answer, hang_up

Serve = Callable[..., Server]
ACCOUNT = "acct-9jT2kd83HsQ"


def page(*ids: object, following: str | None = None) -> bytes:
    results = [{"id": one} for one in ids]
    return answer(200, {"next": following, "previous": None, "results": results})


TWO = [page("1", "2", following="c=2&"), page("3")]
THREE = [page("1", following="b"), page("2", following="c"), page("3")]
both = pytest.mark.parametrize("read_ahead", [False, True], ids=["in turn", "read ahead"])


def targets_of(server: Server) -> list[str]:
    return [request.split()[1].decode() for request in server.requests]


def async_client_of(server: Server, **options: Any) -> AsyncClient:
    return AsyncClient(**{"base_url": server.base_url, "api_key": KEY, **options})


def wait_for_end(ended: threading.Event) -> Script:
    """Say nothing; tell when the client has left, or has given the request up."""

    def script(connection: Connection, request: bytes) -> None:
        try:
            connection.wait_for_end()
        finally:
            ended.set()

    return script


# ---- what is sent ----


@both
def test_each_page_is_asked_for_as_the_first_was(serve: Serve, read_ahead: bool) -> None:
    server = serve(*TWO)
    with server.client(category="hris") as client:
        accounts = client.linked_accounts(
            status="IDLE", page_size=2, extra_headers={"X-Mine": "a"}, ids=["1", "2"]
        )
        assert [one.id for one in accounts.iterate(read_ahead=read_ahead)] == ["1", "2", "3"]
    first, second = targets_of(server)
    assert first.startswith("/api/hris/v1/linked-accounts?")
    assert set(second.partition("?")[2].split("&")) == {
        *first.partition("?")[2].split("&"),
        "cursor=c%3D2%26",
    }
    assert all(b"\r\nX-Mine: a\r\n" in request for request in server.requests)


@both
def test_each_page_is_asked_for_with_the_calls_own_credentials(
    serve: Serve, read_ahead: bool
) -> None:
    server = serve(
        answer(200, {"next": "b", "results": [{"model_name": "Job", "model_id": "ats.Job"}]}),
        answer(200, {"next": None, "results": []}),
    )
    with server.client() as client:
        statuses = client.sync_status(account_token=ACCOUNT, api_key="test_other")
        assert [one.model_name for one in statuses.iterate(read_ahead=read_ahead)] == ["Job"]
    for request in server.requests:
        assert f"\r\nX-Account-Token: {ACCOUNT}\r\n".encode() in request
        assert b"\r\nAuthorization: Bearer test_other\r\n" in request


@both
def test_pages_of_any_path_are_plain(serve: Serve, read_ahead: bool) -> None:
    server = serve(
        answer(200, {"next": "b", "results": [{"n": 2**70}]}),
        answer(200, {"next": None, "results": [{"n": 0.1}]}),
    )
    with server.client(account_token=ACCOUNT) as client:
        found = client.paginate("/ats/v1/candidates", params={"expand": "a"})
        assert list(found.iterate(read_ahead=read_ahead)) == [{"n": 2**70}, {"n": 0.1}]
    assert targets_of(server) == [
        "/api/ats/v1/candidates?expand=a",
        "/api/ats/v1/candidates?expand=a&cursor=b",
    ]


@both
def test_a_callable_key_is_asked_for_each_page(serve: Serve, read_ahead: bool) -> None:
    server, asked = serve(*THREE), []

    def key() -> str:
        asked.append(threading.current_thread())
        return f"test_{len(asked)}"

    with server.client(api_key=key) as client:
        assert len(list(client.linked_accounts().iterate(read_ahead=read_ahead))) == 3
    assert asked == [threading.current_thread()] * 3
    for number, request in enumerate(server.requests, 1):
        assert f"Bearer test_{number}\r\n".encode() in request


def test_the_next_page_is_on_its_way_while_one_is_looked_at(serve: Serve) -> None:
    server = serve(*THREE)
    with server.client() as client:
        results = client.linked_accounts().iterate(read_ahead=True)
        assert len(server.requests) == 1
        for number in (1, 2, 3):
            assert next(results).id == str(number)
            server.wait_for_requests(min(number + 1, 3))


# ---- what goes wrong ----


@both
def test_a_page_that_fails_midway_is_asked_for_again(serve: Serve, read_ahead: bool) -> None:
    """By the client, as every read is."""
    script = [THREE[0], answer(503, b"", "Retry-After: 0"), THREE[1], hang_up, THREE[2]]
    server = serve(*script)
    with server.client() as client:
        pages = list(client.linked_accounts().pages(read_ahead=read_ahead))
    assert [one.results[0].id for one in pages] == ["1", "2", "3"]
    assert [one.response.attempts for one in pages] == [1, 2, 2]


@both
def test_a_page_that_stays_away_can_be_asked_for_later(serve: Serve, read_ahead: bool) -> None:
    server = serve(THREE[0], answer(500), *THREE[1:])
    with server.client(max_retries=0) as client:
        pages = client.linked_accounts().pages(read_ahead=read_ahead)
        first = next(pages)
        with pytest.raises(ServerError):
            next(pages)
        assert next(pages, None) is None
        rest = client.linked_accounts(cursor=first.next_cursor)
        assert [one.id for one in rest] == ["2", "3"]


@both
def test_a_circle_is_an_error_and_no_hang(serve: Serve, read_ahead: bool) -> None:
    server = serve(page("1", following="a"))
    with server.client() as client:
        results = client.linked_accounts().iterate(read_ahead=read_ahead)
        assert [next(results).id, next(results).id] == ["1", "1"]
        with pytest.raises(ResponseError, match="the same cursor twice"):
            next(results)
    assert len(server.requests) == 2


@both
def test_a_page_that_is_none_is_named_and_not_kept(serve: Serve, read_ahead: bool) -> None:
    secret = "zH7dP1-s3cret"
    wrong = answer(200, {"next": None, "results": [{"id": "1"}, {"id": [secret]}]})
    server = serve(page("1", following="b"), wrong)
    with server.client() as client:
        results = client.linked_accounts().iterate(read_ahead=read_ahead)
        next(results)
        with pytest.raises(
            ResponseError, match=r"member results\[1\]\.id of .* an array"
        ) as caught:
            next(results)
    assert caught.value.status_code == 200
    assert caught.value.__context__ is None
    frames = [repr(entry.frame.f_locals) for entry in caught.traceback[1:]]
    assert frames
    assert not any(secret in frame for frame in frames)


@both
def test_a_client_that_is_closed_midway_says_so(serve: Serve, read_ahead: bool) -> None:
    client = serve(*THREE).client()
    pages = client.linked_accounts().pages(read_ahead=read_ahead)
    next(pages)
    client.close()
    with pytest.raises(ClientClosedError):
        list(pages)


def test_leaving_early_gives_up_what_is_under_way(serve: Serve) -> None:
    ended = threading.Event()
    server = serve(THREE[0], wait_for_end(ended))
    with server.client() as client:
        for _ in client.linked_accounts().iterate(read_ahead=True):
            server.wait_for_requests(2)
            break
        assert ended.wait(PATIENCE)


# ---- asyncio ----


class TestAsync:
    """The same, to be awaited."""

    pytestmark = ON_EACH_LOOP

    @both
    def test_each_page_is_asked_for_as_the_first_was(
        self, serve: Serve, loop_name: str, read_ahead: bool
    ) -> None:
        server = serve(*THREE)

        async def main() -> None:
            async with async_client_of(server) as client:
                accounts = client.linked_accounts(status="IDLE")
                found = [one.id async for one in accounts.iterate(read_ahead=read_ahead)]
                assert found == ["1", "2", "3"]

        run_in(loop_name, main())
        assert [target.partition("?")[2] for target in targets_of(server)] == [
            *("status=IDLE", "cursor=b&status=IDLE", "cursor=c&status=IDLE")
        ]

    def test_the_next_page_is_on_its_way_while_one_is_looked_at(
        self, serve: Serve, loop_name: str
    ) -> None:
        server = serve(*THREE)

        async def main() -> None:
            async with async_client_of(server) as client:
                results = client.linked_accounts().iterate(read_ahead=True)
                for number in (1, 2, 3):
                    assert (await anext(results)).id == str(number)
                    await asyncio.to_thread(server.wait_for_requests, min(number + 1, 3))

        run_in(loop_name, main())

    @pytest.mark.parametrize("read_ahead", [False, True])
    def test_cancelling_gives_up_what_is_under_way(
        self, serve: Serve, loop_name: str, read_ahead: bool
    ) -> None:
        ended = threading.Event()
        server = serve(THREE[0], wait_for_end(ended))
        given: list[str] = []

        async def go_over(client: AsyncClient) -> None:
            async for one in client.linked_accounts().iterate(read_ahead=read_ahead):
                given.append(one.id)

        async def main() -> None:
            async with async_client_of(server) as client:
                task = asyncio.create_task(go_over(client))
                await asyncio.to_thread(server.wait_for_requests, 2)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert await asyncio.to_thread(ended.wait, PATIENCE)

        began = time.monotonic()
        run_in(loop_name, main())
        assert given == ["1"]
        assert time.monotonic() - began < PATIENCE / 2

    def test_leaving_early_gives_up_what_is_under_way(self, serve: Serve, loop_name: str) -> None:
        ended = threading.Event()
        server = serve(THREE[0], wait_for_end(ended))

        async def main() -> None:
            async with async_client_of(server) as client:
                results = client.linked_accounts().iterate(read_ahead=True)
                await anext(results)
                await asyncio.to_thread(server.wait_for_requests, 2)
                await results.aclose()
                assert await asyncio.to_thread(ended.wait, PATIENCE)

        run_in(loop_name, main())

    @both
    def test_a_failure_comes_out_after_what_came_before(
        self, serve: Serve, loop_name: str, read_ahead: bool
    ) -> None:
        server = serve(THREE[0], answer(500))
        given: list[str] = []

        async def main() -> None:
            async with async_client_of(server, max_retries=0) as client:
                async for one in client.linked_accounts().iterate(read_ahead=read_ahead):
                    given.append(one.id)

        with pytest.raises(merge_link.ServerError):
            run_in(loop_name, main())
        assert given == ["1"]


def test_each_result_has_a_type_of_its_own(serve: Serve) -> None:
    event = {"id": "e", "event_type": "X", "created_at": "2026-01-31T12:00:00Z"}
    script: dict[str, tuple[dict[str, Any], Callable[[Client], Any]]] = {
        "LinkedAccount": ({"id": "1"}, lambda client: client.linked_accounts()),
        "Issue": ({"id": "1"}, lambda client: client.issues()),
        "AuditEvent": (event, lambda client: client.audit_trail()),
        "SyncStatus": (
            {"model_name": "Job", "model_id": "ats.Job"},
            lambda client: client.sync_status(account_token=ACCOUNT),
        ),
    }
    server = serve(*(answer(200, {"results": [sent]}) for sent, _ in script.values()))
    with server.client() as client:
        for name, (sent, call) in script.items():
            found = call(client)
            assert type(found) is merge_link.Page
            assert type(found.results[0]) is getattr(merge_link.models, name)
            assert found.to_dicts() == [sent]
