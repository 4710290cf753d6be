"""The error budget: how often calls of this process may fail before others are held back.

Each test has servers, and so ports and budgets, of its own.
"""

import pickle
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

import merge_link
from merge_link import Attempt, Client, ErrorBudgetError, LinkToken, MergeLinkError
from samples import FIELDS, KEY, TOKEN
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

Serve = Callable[..., Server]

BUDGET = (20, 60.0)  # Merge's own has 10 s; a slow machine must not let failures leave it
WARNING = 5  # failures from which on calls in flight count too
THREADS = 50
AT_ONCE = "Retry-After: 0"
FAILURE = answer(400, {"detail": "no"})


_used_ports: set[int] = set()


@pytest.fixture
def serve(serve: Serve) -> Serve:
    """Start servers on ports that no earlier test has used up: the kernel gives them out again."""

    def start(*answers: Any, **options: Any) -> Server:
        while True:
            listener = socket.create_server(("127.0.0.1", 0), backlog=128)
            port = listener.getsockname()[1]
            if port not in _used_ports:
                _used_ports.add(port)
                return serve(*answers, listener=listener, **options)
            listener.close()

    return start


def call(client: Client, **options: Any) -> LinkToken | MergeLinkError:
    """Return what a call returns or raises."""
    try:
        return client.create_link_token(**FIELDS, **options)
    except MergeLinkError as error:
        return error


def kinds(outcomes: list[Any]) -> dict[str, int]:
    names = [type(outcome).__name__ for outcome in outcomes]
    return {name: names.count(name) for name in set(names)}


def fail(client: Client, count: int) -> None:
    for _ in range(count):
        assert isinstance(call(client), merge_link.APIError)


def together(count: int, work: Callable[[], Any]) -> list[Any]:
    """Do the same in many threads that begin at the same moment."""
    barrier = threading.Barrier(count)

    def run(number: int) -> Any:
        barrier.wait(PATIENCE)
        return work()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


class Gate:
    """An answer that is held until the gate opens."""

    def __init__(self, then: bytes) -> None:
        self.then = then
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    def __call__(self, connection: Connection, request: bytes) -> None:
        assert self._open.wait(PATIENCE)
        connection.send(self.then)


# ---- refused ----


@pytest.mark.parametrize("failure", [400, 401, 404, 418, 500, 503])
def test_after_20_failures_the_next_call_is_refused_at_once(serve: Serve, failure: int) -> None:
    server = serve(answer(failure))
    told: list[Attempt] = []
    with server.client(error_budget=(20, 10.0), max_retries=0, on_attempt=told.append) as client:
        fail(client, 20)
        began = time.monotonic()
        error: Any = call(client)
        assert time.monotonic() - began < 1
    assert type(error) is ErrorBudgetError
    assert isinstance(error, merge_link.RateLimitError)
    assert (error.status_code, error.body, error.attempts) == (429, None, 0)
    assert (error.detail, error.field_errors, error.request_id) == (None, {}, None)
    assert 0 < error.retry_after <= 10
    assert "nothing was sent" in str(error)
    assert "error_budget lets 20 fail in 10 seconds at 127.0.0.1; try again in" in str(error)
    assert len(server.requests) == len(told) == 20
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), str(twin), vars(twin)) == (ErrorBudgetError, str(error), vars(error))


@pytest.mark.parametrize(
    "script",
    [answer(429, {"detail": "slow"}), token_answer(), answer(204), answer(302), hang_up],
    ids=["429", "token", "204", "302", "no answer"],
)
def test_what_merge_does_not_count_is_not_counted(serve: Serve, script: Script) -> None:
    server = serve(*[script] * 25, token_answer())
    with server.client(error_budget=BUDGET, max_retries=0) as client:
        for _ in range(25):
            assert not isinstance(call(client), ErrorBudgetError)
        assert call(client).link_token == TOKEN  # type: ignore[union-attr]


def test_good_answers_do_not_make_up_for_failures(serve: Serve) -> None:
    server = serve(*[FAILURE, token_answer()] * 3)
    with server.client(error_budget=(3, 60.0), max_retries=0) as client:
        outcomes = [call(client) for _ in range(7)]
    assert kinds(outcomes) == {"BadRequestError": 3, "LinkToken": 2, "ErrorBudgetError": 2}
    assert len(server.requests) == 5


def test_a_failure_that_has_left_the_window_counts_no_more(serve: Serve) -> None:
    server = serve(FAILURE, FAILURE, token_answer())
    with server.client(error_budget=(2, 0.3), max_retries=0) as client:
        began = time.monotonic()
        fail(client, 2)
        error = outcome = call(client)
        while isinstance(outcome, ErrorBudgetError):
            assert time.monotonic() - began < PATIENCE
            assert 0 <= outcome.retry_after <= 0.3  # type: ignore[operator]
            outcome = call(client)
        assert time.monotonic() - began >= 0.3
    assert isinstance(error, ErrorBudgetError)
    assert isinstance(outcome, LinkToken)
    assert len(server.requests) == 3


def test_refused_calls_do_not_count_themselves(serve: Serve) -> None:
    server = serve(FAILURE)
    with server.client(error_budget=(2, 60.0), max_retries=0) as client:
        fail(client, 2)
        waits = [call(client).retry_after for _ in range(50)]  # type: ignore[union-attr]
    assert waits == sorted(waits, reverse=True)
    assert waits[-1] <= 60
    assert len(server.requests) == 2


# ---- whose ----


def test_all_clients_of_an_origin_have_one_budget(serve: Serve) -> None:
    server = serve(FAILURE)
    options = {"error_budget": BUDGET, "max_retries": 0}
    with server.client(**options) as first, server.client(**options, api_key="test_b") as second:
        fail(first, 10)
        fail(second, 10)
        assert isinstance(call(first), ErrorBudgetError)
        assert isinstance(call(second), ErrorBudgetError)
    with server.client(**options, base_url=f"http://127.0.0.1:{server.port}/other") as third:
        assert isinstance(call(third), ErrorBudgetError)
    with pytest.raises(ErrorBudgetError):
        merge_link.create_link_token(
            **FIELDS, base_url=server.base_url, api_key=KEY, error_budget=BUDGET
        )
    assert len(server.requests) == 20


@pytest.mark.parametrize("other", ["port", "host name"])
def test_another_origin_has_another_budget(serve: Serve, other: str) -> None:
    server = serve(FAILURE, FAILURE, token_answer())
    neighbour = serve()
    url = {"port": neighbour.base_url, "host name": f"http://localhost:{server.port}/api"}[other]
    options = {"error_budget": (2, 60.0), "max_retries": 0}
    with server.client(**options) as client, server.client(**options, base_url=url) as elsewhere:
        fail(client, 2)
        assert isinstance(call(client), ErrorBudgetError)
        assert call(elsewhere).link_token == TOKEN  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("options", "budget"),
    [
        ({}, (20, 10.0)),
        ({"region": "eu"}, (20, 10.0)),
        ({"base_url": "https://merge.example/api"}, (20, 10.0)),
        ({"base_url": "http://10.0.0.1/api", "allow_http": True}, (20, 10.0)),
        ({"base_url": "https://localhost.example/api"}, (20, 10.0)),
        ({"error_budget": None}, None),
        ({"base_url": "http://127.0.0.1:1/api"}, None),
        ({"base_url": "https://127.9.9.9/api"}, None),
        ({"base_url": "http://localhost:1/api"}, None),
        ({"base_url": "http://[::1]:1/api"}, None),
        ({"base_url": "http://127.0.0.1:1/api", "error_budget": (3, 4)}, (3, 4.0)),
    ],
)
def test_the_default_is_on_but_for_loopback(
    options: dict[str, Any], budget: tuple[int, float] | None
) -> None:
    with Client(api_key=KEY, **options) as client:
        assert client.error_budget == budget


@pytest.mark.parametrize("options", [{}, {"error_budget": None}])
def test_on_loopback_nothing_is_held_back_unless_asked_for(
    serve: Serve, options: dict[str, Any]
) -> None:
    server = serve(*[FAILURE] * 40, token_answer())
    with server.client(**options, max_retries=0) as client:
        fail(client, 40)
        assert call(client).link_token == TOKEN  # type: ignore[union-attr]


# ---- many threads ----


def test_when_all_calls_of_50_threads_fail_no_more_than_20_follow_a_warning(serve: Serve) -> None:
    server = serve(FAILURE)
    with server.client(error_budget=BUDGET, max_retries=0) as client:
        fail(client, WARNING)  # nothing is in flight before the fifth failure
        outcomes = together(THREADS, lambda: [call(client) for _ in range(4)])
    flat = [outcome for some in outcomes for outcome in some]
    assert kinds(flat) == {
        "BadRequestError": 20 - WARNING,
        "ErrorBudgetError": 4 * THREADS - (20 - WARNING),
    }
    assert len(server.requests) == 20


@pytest.mark.parametrize("connections", [8, 100])
def test_what_is_in_flight_before_the_fifth_failure_is_all_that_is_added(
    serve: Serve, connections: int
) -> None:
    server = serve(FAILURE)
    options = {"error_budget": BUDGET, "max_retries": 0, "max_connections": connections}
    with server.client(**options) as client:
        outcomes = together(THREADS, lambda: [call(client) for _ in range(4)])
    flat = [outcome for some in outcomes for outcome in some]
    sent = len(server.requests)
    assert kinds(flat) == {"BadRequestError": sent, "ErrorBudgetError": 4 * THREADS - sent}
    assert 20 <= sent <= 20 + min(connections, THREADS)


def test_a_burst_that_was_in_flight_before_any_failure_is_not_held_back(serve: Serve) -> None:
    gate = Gate(FAILURE)
    server = serve(gate)
    with (
        server.client(error_budget=BUDGET, max_retries=0) as client,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        burst = [pool.submit(call, client) for _ in range(THREADS)]
        server.wait_for_requests(THREADS)
        gate.open()
        assert kinds([one.result(PATIENCE) for one in burst]) == {"BadRequestError": THREADS}
        assert isinstance(call(client), ErrorBudgetError)
    assert len(server.requests) == THREADS


@pytest.mark.parametrize("failures", [0, WARNING - 1])
def test_when_50_threads_succeed_nothing_waits(serve: Serve, failures: int) -> None:
    """The server answers only when all of them are there at once."""
    all_there = threading.Barrier(THREADS)

    def meet(connection: Connection, request: bytes) -> None:
        all_there.wait(PATIENCE)
        connection.send(token_answer())

    server = serve(*[FAILURE] * failures, meet)
    with server.client(error_budget=BUDGET, max_retries=0) as client:
        fail(client, failures)
        outcomes = together(THREADS, lambda: [call(client) for _ in range(2)])
    assert kinds([one for some in outcomes for one in some]) == {"LinkToken": 2 * THREADS}
    assert not all_there.broken


# ---- waiting ----


def start(pool: ThreadPoolExecutor, client: Client, count: int) -> list[Future[Any]]:
    return [pool.submit(call, client) for _ in range(count)]


def test_who_waits_gets_through_when_calls_in_flight_succeed(serve: Serve) -> None:
    gate = Gate(token_answer())
    server = serve(*[FAILURE] * WARNING, gate)
    with (
        server.client(error_budget=BUDGET, max_retries=0) as client,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        fail(client, WARNING)
        calls = start(pool, client, THREADS)
        server.wait_for_requests(20)
        assert not any(one.done() for one in calls)
        assert len(server.requests) == 20
        gate.open()
        assert kinds([one.result(PATIENCE) for one in calls]) == {"LinkToken": THREADS}
    assert len(server.requests) == WARNING + THREADS


def test_who_waits_is_refused_when_calls_in_flight_fail(serve: Serve) -> None:
    gate = Gate(FAILURE)
    server = serve(*[FAILURE] * WARNING, gate)
    with (
        server.client(error_budget=BUDGET, max_retries=0) as client,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        fail(client, WARNING)
        calls = start(pool, client, THREADS)
        server.wait_for_requests(20)
        gate.open()
        outcomes = kinds([one.result(PATIENCE) for one in calls])
    assert outcomes == {"BadRequestError": 15, "ErrorBudgetError": THREADS - 15}
    assert len(server.requests) == 20


def test_who_waits_longer_than_the_timeout_gets_the_budgets_error(serve: Serve) -> None:
    gate = Gate(token_answer())
    server = serve(FAILURE, gate)
    with (
        server.client(error_budget=(2, 60.0), max_retries=0) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        fail(client, 1)
        (in_flight,) = start(pool, client, 1)
        server.wait_for_requests(2)
        began = time.monotonic()
        error: Any = call(client, timeout=0.3)
        assert 0.3 <= time.monotonic() - began < 5
        assert type(error) is ErrorBudgetError
        assert (error.status_code, error.body, error.attempts) == (429, None, 0)
        assert 50 < error.retry_after <= 60
        gate.open()
        assert isinstance(in_flight.result(PATIENCE), LinkToken)
        assert isinstance(call(client), LinkToken)
    assert len(server.requests) == 3


@pytest.mark.parametrize("how", ["times out", "breaks off", "is interrupted by close()"])
def test_who_waits_gets_through_when_the_call_in_flight_ends_in_any_way(
    serve: Serve, how: str
) -> None:
    leaving = threading.Event()

    def leave(connection: Connection, request: bytes) -> None:
        assert leaving.wait(PATIENCE)
        connection.close()

    server = serve(FAILURE, leave if how == "breaks off" else stay_silent, token_answer())
    options = {"error_budget": (2, 60.0), "max_retries": 0}
    with (
        server.client(**options) as waiting,
        server.client(**options) as other,
        ThreadPoolExecutor(2) as pool,
    ):
        fail(waiting, 1)
        in_flight = pool.submit(call, other, timeout=0.5 if how == "times out" else PATIENCE)
        server.wait_for_requests(2)
        held = pool.submit(call, waiting)
        if how == "breaks off":
            leaving.set()
        elif how == "is interrupted by close()":
            other.close()
        assert isinstance(in_flight.result(PATIENCE), MergeLinkError)
        assert isinstance(held.result(PATIENCE), LinkToken)
    assert len(server.requests) == 3


def test_who_waits_is_woken_by_close(serve: Serve) -> None:
    server = serve(FAILURE, stay_silent)
    options = {"error_budget": (2, 60.0), "max_retries": 0}
    with (
        server.client(**options) as waiting,
        server.client(**options) as other,
        ThreadPoolExecutor(2) as pool,
    ):
        fail(waiting, 1)
        in_flight = pool.submit(call, other)
        server.wait_for_requests(2)
        held = pool.submit(call, waiting)
        began = time.monotonic()
        waiting.close()
        assert isinstance(held.result(PATIENCE), merge_link.ClientClosedError)
        assert time.monotonic() - began < 5
        other.close()
        in_flight.result(PATIENCE)
    assert len(server.requests) == 2


# ---- retries ----


def test_a_retry_that_the_budget_forbids_raises_the_last_real_error(serve: Serve) -> None:
    server = serve(answer(500, {"detail": "first"}, AT_ONCE), answer(503, {"detail": "b"}, AT_ONCE))
    with server.client(error_budget=(2, 60.0), max_retries=5) as client:
        error: Any = call(client)
        assert type(error) is merge_link.ServerError
        assert (error.status_code, error.detail, error.attempts) == (503, "b", 2)
        assert isinstance(call(client), ErrorBudgetError)
    assert len(server.requests) == 2


def test_a_retry_that_waits_out_the_timeout_raises_the_last_real_error(serve: Serve) -> None:
    gate = Gate(token_answer())
    server = serve(gate, answer(503, {"detail": "the last"}, AT_ONCE))
    with (
        server.client(error_budget=(2, 60.0), max_retries=5) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        (in_flight,) = start(pool, client, 1)
        server.wait_for_requests(1)
        error: Any = call(client, timeout=0.5)
        gate.open()
        assert isinstance(in_flight.result(PATIENCE), LinkToken)
    assert type(error) is merge_link.ServerError
    assert (error.detail, error.attempts) == ("the last", 1)
    assert len(server.requests) == 2


def test_every_attempt_that_fails_counts(serve: Serve) -> None:
    server = serve(*[answer(503, b"", AT_ONCE)] * 3, token_answer())
    with server.client(error_budget=(4, 60.0), max_retries=3) as client:
        assert isinstance(call(client), LinkToken)
        server.answers = [FAILURE]
        fail(client, 1)
        assert isinstance(call(client), ErrorBudgetError)
    assert len(server.requests) == 5
