"""Many calls at once without a loop: `submit` and `_core.Mailbox`, on which all else is built."""

import gc
import os
import select
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import merge_link
from merge_link import Client
from merge_link._core import Flow, Mailbox, Ticket
from samples import FIELDS, KEY, TOKEN
from scripted import (
    PATIENCE,
    Connection,
    Server,
    answer,
    stay_silent,
    stay_silent_after,
    token_answer,
)

Serve = Callable[..., Server]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    made = Mailbox()
    yield made
    made.close()


def submit(client: Client, mailbox: Mailbox, context: object, **fields: Any) -> Ticket:
    return client.submit("create_link_token", mailbox, context, None, {**FIELDS, **fields})


def take(mailbox: Mailbox, count: int) -> list[tuple[Any, Any]]:
    """Wait until so many outcomes have come."""
    taken: list[tuple[Any, Any]] = []
    until = time.monotonic() + PATIENCE
    while len(taken) < count:
        assert mailbox.wait(until - time.monotonic())
        taken += mailbox.take(100)
    return taken


def test_each_outcome_comes_with_its_context(serve: Serve, mailbox: Mailbox) -> None:
    with serve(token_answer(), answer(404), token_answer()).client(max_connections=1) as client:
        for context in ("a", "b", "c"):
            assert isinstance(submit(client, mailbox, context), Ticket)
        taken = dict(take(mailbox, 3))
    assert list(taken) == ["a", "b", "c"]
    assert (taken["a"].link_token, taken["c"].link_token) == (TOKEN, TOKEN)
    assert isinstance(taken["b"], merge_link.NotFoundError)
    assert taken["b"].__traceback__ is None
    assert taken["a"].response.timing.total > 0
    assert mailbox.take(100) == []


def test_its_descriptor_is_readable_while_something_is_there(
    serve: Serve, mailbox: Mailbox
) -> None:
    with serve().client() as client:
        assert select.select([mailbox], [], [], 0)[0] == []
        for context in range(3):
            submit(client, mailbox, context)
        for _ in range(3):
            assert select.select([mailbox], [], [], PATIENCE)[0] == [mailbox]
            assert mailbox.take(0) == []
            assert len(mailbox.take(1)) == 1
        assert select.select([mailbox], [], [], 0)[0] == []


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"categories": ["atss"]}, merge_link.ValidationError),
        ({"timeout": -1}, merge_link.ConfigurationError),
        ({"api_key": "\n"}, merge_link.ConfigurationError),
        ({"catagories": []}, TypeError),
        ({"api_key": lambda: 5}, merge_link.ConfigurationError),
        ({"api_key": lambda: 1 / 0}, ZeroDivisionError),
    ],
)
def test_what_is_wrong_is_raised_at_once(
    serve: Serve, mailbox: Mailbox, fields: dict[str, Any], error: type[Exception]
) -> None:
    server = serve()
    with server.client() as client:
        with pytest.raises(error):
            submit(client, mailbox, None, **fields)
        assert not mailbox.wait(0)
    assert server.requests == []


def test_what_is_submitted_wrongly_is_refused(serve: Serve, mailbox: Mailbox) -> None:
    with serve().client() as client:
        for arguments in (
            (),
            ("create_link_token", mailbox, None, None, 5),
            ("create_link_token", 5, None, None, dict(FIELDS)),
            ("create_link_token", mailbox, None, 5, dict(FIELDS)),
            ("create_link_token", mailbox, None, None, {**FIELDS, 5: 5}),
            (5, mailbox, None, None, dict(FIELDS)),
        ):
            with pytest.raises(TypeError):
                client.submit(*arguments)
        with pytest.raises(KeyError, match="no operation 'nonsense'"):
            client.submit("nonsense", mailbox, None, None, {})
    with pytest.raises(merge_link.ClientClosedError):
        submit(client, mailbox, None)
    with pytest.raises(TypeError):
        Ticket()


def test_submit_leaves_the_fields_alone_and_prepare_takes_them(
    serve: Serve, mailbox: Mailbox
) -> None:
    server, fields = serve(), {**FIELDS, "api_key": KEY}
    with server.client() as client:
        client.submit("create_link_token", mailbox, None, None, fields)
        assert fields == {**FIELDS, "api_key": KEY}
        ticket = client.prepare("create_link_token", fields)
        assert fields == {}
        assert ticket.key_source is None
        ticket.submit(mailbox, None, None)
        for again in (lambda: ticket.submit(mailbox, None, None), lambda: ticket.set_key(KEY)):
            with pytest.raises(RuntimeError, match="once"):
                again()
        take(mailbox, 2)
    assert len(server.requests) == 2


def test_a_cancelled_call_has_an_outcome_too(serve: Serve, mailbox: Mailbox) -> None:
    with serve(stay_silent).client() as client:
        ticket = submit(client, mailbox, "it")
        ticket.cancel()
        ticket.cancel()
        ((context, outcome),) = take(mailbox, 1)
        assert context == "it"
        assert type(outcome) is merge_link.MergeLinkError
        assert str(outcome) == "cancelled"
        ticket.cancel()


def test_closing_the_client_ends_what_is_under_way(serve: Serve, mailbox: Mailbox) -> None:
    client = serve(stay_silent).client(max_connections=2)
    for context in range(5):
        submit(client, mailbox, context)
    client.close()
    outcomes = dict(mailbox.take(100))
    assert sorted(outcomes) == list(range(5))
    assert {type(one) for one in outcomes.values()} == {merge_link.ClientClosedError}


def test_calls_keep_their_client_and_a_closed_mailbox_lets_go(serve: Serve) -> None:
    class Context:
        pass

    mailbox, client, context = Mailbox(), serve(stay_silent).client(), Context()
    ticket = submit(client, mailbox, context)
    gone = weakref.ref(client), weakref.ref(context)
    del client, context
    gc.collect()
    assert all(one() is not None for one in gone)
    mailbox.close()
    mailbox.close()
    assert all(one() is None for one in gone)
    ticket.cancel()
    assert mailbox.take(1) == []
    for use in (mailbox.fileno, lambda: mailbox.wait(0)):
        with pytest.raises(ValueError, match="closed"):
            use()


def test_a_mailbox_in_a_cycle_is_collected_with_its_calls(serve: Serve) -> None:
    class Holder:
        mailbox: Mailbox

    server, holder = serve(stay_silent), Holder()
    holder.mailbox = Mailbox()
    submit(server.client(), holder.mailbox, holder)
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None


def test_others_run_while_one_waits(mailbox: Mailbox) -> None:
    waited = threading.Event()

    def wait() -> None:
        assert not mailbox.wait(0.05)
        waited.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert waited.wait(PATIENCE)
    thread.join()


def test_ctrl_c_ends_the_waiting(mailbox: Mailbox) -> None:
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    began = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        mailbox.wait(PATIENCE)
    timer.join()
    assert time.monotonic() - began < PATIENCE / 2
    assert not mailbox.wait(0)


def test_what_interrupts_taking_loses_no_outcome(serve: Serve, mailbox: Mailbox) -> None:
    told: list[Any] = []

    def hook(attempt: merge_link.Attempt) -> None:
        told.append(attempt)
        if len(told) == 2:
            raise KeyboardInterrupt

    with serve().client(on_attempt=hook, max_connections=1) as client:
        for context in range(3):
            submit(client, mailbox, context)
        taken: list[Any] = []
        interrupted = 0
        while len(taken) < 3:
            assert mailbox.wait(PATIENCE)
            try:
                taken += mailbox.take(100)
            except KeyboardInterrupt:
                interrupted += 1
    assert [context for context, _ in taken] == [0, 1, 2]
    assert (interrupted, len(told)) == (1, 3)


def test_the_hook_may_close_the_mailbox(serve: Serve) -> None:
    mailbox = Mailbox()
    with serve().client(on_attempt=lambda attempt: mailbox.close()) as client:
        submit(client, mailbox, None)
        assert mailbox.wait(PATIENCE)
        while not closed(mailbox):
            mailbox.take(1)


def closed(mailbox: Mailbox) -> bool:
    try:
        mailbox.fileno()
    except ValueError:
        return True
    return False


def test_a_flow_spaces_its_calls(serve: Serve, mailbox: Mailbox) -> None:
    arrived: list[float] = []

    def reply(connection: Connection, request: bytes) -> None:
        arrived.append(time.monotonic())
        connection.send(token_answer())

    flow = Flow(per_second=50)
    with serve(reply).client() as client:
        for context in range(4):
            client.submit("create_link_token", mailbox, context, flow, dict(FIELDS))
        del flow
        take(mailbox, 4)
    assert arrived[-1] - arrived[0] > 2.5 / 50


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), "5", None])
def test_a_pace_is_a_number_of_requests(wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        Flow(wrong)
    assert Flow(0)


# ---- what a cancelled or closed call leaves behind ----


def test_a_failure_counts_in_the_error_budget_though_its_call_was_cancelled(
    serve: Serve, mailbox: Mailbox
) -> None:
    server = serve(stay_silent_after(answer(500, {"detail": "no"})[:-1]))
    options: dict[str, Any] = {"max_retries": 0, "error_budget": (4, 60.0)}
    with Client(base_url=server.base_url, api_key=KEY, **options) as client:
        for number in range(4):
            ticket = submit(client, mailbox, number)
            until = time.monotonic() + PATIENCE
            while len(server.requests) <= number and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(0.1)  # until the status line is there
            ticket.cancel()
            take(mailbox, 1)
        with pytest.raises(merge_link.ErrorBudgetError):
            client.create_link_token(**FIELDS)
    assert len(server.requests) == 4


def test_whoever_closes_second_finds_all_outcomes_too(serve: Serve, mailbox: Mailbox) -> None:
    """The header's word: when a close returns, the outcomes are in the mailbox."""
    server = serve(stay_silent)
    for _ in range(20):
        client = Client(base_url=server.base_url, api_key=KEY)
        for number in range(20):
            submit(client, mailbox, number)
        together, found = threading.Barrier(2), []

        def close(client: Client = client, together: Any = together, found: Any = found) -> None:
            together.wait(PATIENCE)
            client.close()
            found.append(mailbox.wait(0.0))

        threads = [threading.Thread(target=close) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert found == [True, True]
        assert len(take(mailbox, 20)) == 20
