"""One client in many threads, and what comes from outside while a call waits."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import merge_link
from isolation import run_script
from merge_link.sandbox import Sandbox
from samples import FIELDS, TOKEN
from scripted import PATIENCE, Connection, Server, answer, stay_silent, token_answer

Serve = Callable[..., Server]
THREADS, CALLS = 20, 25


def in_threads(work: Callable[[int], Any], count: int = THREADS) -> list[Any]:
    """Return what the work returns in each of the threads, which begin at the same moment."""
    barrier = threading.Barrier(count)
    results: list[Any] = [None] * count

    def run(number: int) -> None:
        barrier.wait(PATIENCE)
        try:
            results[number] = work(number)
        except BaseException as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE * 3)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


# ---- many calls ----


def test_each_answer_belongs_to_its_question(sandbox: Sandbox, client: merge_link.Client) -> None:
    """The sandbox says the name of the integration that was asked for."""

    def work(number: int) -> list[merge_link.LinkToken]:
        tokens = []
        for call in range(CALLS):
            slug = f"thread{number}-call{call}"
            token = client.create_link_token(**FIELDS, integration=slug)
            assert token.integration_name == f"Thread{number} Call{call}"
            tokens.append(token)
        return tokens

    tokens = [token for some in in_threads(work) for token in some]
    assert len({token.link_token for token in tokens}) == THREADS * CALLS


def reply_with_origin(connection: Connection, request: bytes) -> None:
    body = json.loads(request.partition(b"\r\n\r\n")[2])
    connection.send(token_answer(origin=body["end_user_origin_id"]))


@pytest.mark.parametrize("most", [1, 4])
def test_no_more_connections_than_allowed_are_opened(serve: Serve, most: int) -> None:
    server = serve(reply_with_origin)
    with server.client(max_connections=most) as client:

        def work(number: int) -> None:
            for call in range(CALLS):
                origin = f"{number}-{call}"
                token = client.create_link_token(**{**FIELDS, "end_user_origin_id": origin})
                assert token.extra == {"origin": origin}

        in_threads(work)
    assert 1 <= server.connections <= most
    assert len(server.requests) == THREADS * CALLS


def test_calls_run_at_the_same_time(serve: Serve) -> None:
    """Nobody is answered before all have asked."""
    all_here = threading.Barrier(THREADS)

    def reply(connection: Connection, request: bytes) -> None:
        all_here.wait(PATIENCE)
        connection.send(token_answer())

    server = serve(reply)
    with server.client() as client:
        tokens = in_threads(lambda _: client.create_link_token(**FIELDS).link_token)
    assert tokens == [TOKEN] * THREADS
    assert server.connections == THREADS


def test_errors_belong_to_their_questions_too(serve: Serve) -> None:
    def reply(connection: Connection, request: bytes) -> None:
        body = json.loads(request.partition(b"\r\n\r\n")[2])
        connection.send(answer(409, {"detail": body["end_user_origin_id"]}))

    with serve(reply).client() as client:

        def work(number: int) -> None:
            for call in range(CALLS):
                origin = f"{number}-{call}"
                with pytest.raises(merge_link.APIError) as caught:
                    client.create_link_token(**{**FIELDS, "end_user_origin_id": origin})
                assert caught.value.detail == origin

        in_threads(work)


def test_the_modules_function_works_in_many_threads(serve: Serve) -> None:
    server = serve(reply_with_origin)

    def work(number: int) -> None:
        for call in range(CALLS):
            origin = f"{number}-{call}"
            token = merge_link.create_link_token(
                **{**FIELDS, "end_user_origin_id": origin},
                base_url=server.base_url,
                api_key=f"test_key_{number}",
                user_agent=f"agent/{number % 10}",  # more than the clients that are kept
            )
            assert token.extra == {"origin": origin}

    in_threads(work)
    for request in server.requests:
        body = json.loads(request.partition(b"\r\n\r\n")[2])
        number = int(body["end_user_origin_id"].partition("-")[0])
        assert f"Bearer test_key_{number}\r\n".encode() in request
        assert f"User-Agent: agent/{number % 10}\r\n".encode() in request


def test_results_can_be_looked_at_by_many_threads(serve: Serve) -> None:
    with serve(token_answer("Date: Sun, 06 Nov 1994 08:49:37 GMT")).client() as client:
        token = client.create_link_token(**FIELDS)
    seen = in_threads(lambda _: (token.expires_at, token.response.headers["Date"], token.extra))
    assert len({repr(one) for one in seen}) == 1


# ---- close() from another thread ----

BUSY = answer(503, b"", "Retry-After: 15")


@pytest.mark.parametrize(
    ("script", "options"),
    [(stay_silent, {}), (BUSY, {}), (stay_silent, {"max_connections": 1})],
    ids=["waiting for an answer", "waiting to retry", "waiting for a connection"],
)
def test_close_ends_the_calls_of_other_threads(
    serve: Serve, script: Any, options: dict[str, Any]
) -> None:
    server = serve(script)
    count = 3
    with server.client(timeout=20, **options) as client:
        ended: list[float] = []

        def work(number: int) -> None:
            if number == 0:
                server.wait_for_requests(1 if options else count - 1)
                ended.append(time.monotonic())
                client.close()
                return
            with pytest.raises(merge_link.ClientClosedError):
                client.create_link_token(**FIELDS)
            assert time.monotonic() - ended[0] < 2

        in_threads(work, count)
        assert client.closed
        with pytest.raises(merge_link.ClientClosedError):
            client.create_link_token(**FIELDS)


def test_closing_in_many_threads_while_others_call_is_harmless(serve: Serve) -> None:
    for _ in range(20):
        client = serve().client()

        def work(number: int, client: merge_link.Client = client) -> None:
            try:
                for _ in range(5):
                    client.create_link_token(**FIELDS)
            except merge_link.ClientClosedError:
                assert client.closed
            if number % 2 == 0:
                client.close()

        in_threads(work, 6)
        assert client.closed


# ---- signals ----


@pytest.mark.parametrize("wait", ["answer", "retry"])
def test_ctrl_c_ends_the_call_within_a_second_and_the_client_stays_usable(wait: str) -> None:
    assert run_script("signals.py", wait, "interrupt").splitlines() == [
        "KeyboardInterrupt True",
        "handled False",
        "afterwards 200",
    ]


@pytest.mark.parametrize("wait", ["answer", "retry"])
def test_what_a_signal_handler_raises_ends_the_call(wait: str) -> None:
    assert run_script("signals.py", wait, "raise").splitlines() == [
        "Odd True",
        "handled True",
        "afterwards 200",
    ]


@pytest.mark.parametrize("wait", ["answer", "retry"])
@pytest.mark.parametrize("deed", ["return", "call"])
def test_a_signal_handler_that_returns_lets_the_call_go_on(wait: str, deed: str) -> None:
    assert run_script("signals.py", wait, deed).splitlines() == [
        TOKEN,
        "handled True",
        "afterwards 200",
    ]
