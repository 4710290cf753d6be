"""Many tokens in one run: what goes in, what comes out, in which order and how far ahead."""

import logging
import pickle
import threading
import time
import traceback
from collections import UserDict
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, NoReturn

import pytest

import merge_link
from isolation import run_script
from merge_link import BulkRun, Client, Outcome, Outcomes, Progress
from merge_link._tally import Tally
from merge_link.sandbox import Sandbox
from samples import FIELDS, KEY, TOKEN
from scripted import PATIENCE, Connection, Server, answer, hang_up, stay_silent, token_answer

Serve = Callable[..., Server]


def rows_of(count: int) -> list[dict[str, Any]]:
    return [{**FIELDS, "end_user_origin_id": f"acme-{number}"} for number in range(count)]


def indexes(outcomes: list[Outcome]) -> list[int]:
    return [outcome.index for outcome in outcomes]


# ---- what comes out ----


def test_every_row_comes_out_once_with_a_token_of_its_own(client: Client) -> None:
    rows = rows_of(1000)
    outcomes = list(client.create_link_tokens(rows))
    assert sorted(indexes(outcomes)) == list(range(1000))
    assert all(outcome.ok and outcome.request is rows[outcome.index] for outcome in outcomes)
    assert len({outcome.token.link_token for outcome in outcomes if outcome.token}) == 1000
    assert rows == rows_of(1000)


def test_a_row_is_sent_as_a_call_with_its_fields_would_be(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        token = client.create_link_token(**FIELDS)
        (outcome,) = client.create_link_tokens([FIELDS])
    assert outcome.token == token
    assert outcome.token.response.status_code == 200
    assert server.bodies[0] == server.bodies[1]


@pytest.mark.parametrize("kind", [dict, UserDict, MappingProxyType])
def test_any_mapping_is_a_row(client: Client, kind: Any) -> None:
    (outcome,) = client.create_link_tokens([kind(FIELDS)])
    assert outcome.ok
    assert type(outcome.request) is kind


def test_no_rows_are_no_outcomes(client: Client) -> None:
    run = client.create_link_tokens([])
    assert list(run) == list(run) == []
    assert run.summary.done == 0
    assert run.summary.latency is None


class Broken(UserDict[str, Any]):
    def keys(self) -> NoReturn:
        raise OSError("cannot be read")


def raises_key_error() -> str:
    raise KeyError("no such secret")


BAD = {
    "a number": (5, TypeError, "a row must be a mapping of fields, not int"),
    "None": (None, TypeError, "not NoneType"),
    "a text": ("a,b", TypeError, "not str"),
    "a list": ([FIELDS], TypeError, "not list"),
    "a mapping that cannot be read": (Broken(FIELDS), OSError, "cannot be read"),
    "an empty one": ({}, merge_link.ValidationError, "end_user_email_address is required"),
    "a wrong value": (
        {**FIELDS, "categories": ["atss"]},
        merge_link.ValidationError,
        'did you mean "ats"',
    ),
    "a wrong type": ({**FIELDS, "link_expiry_mins": "60"}, merge_link.ValidationError, "integer"),
    "a misspelt field": ({**FIELDS, "integratoin": "lever"}, TypeError, "integratoin"),
    "a name that is no text": ({**FIELDS, 5: "x"}, TypeError, ""),
    "an option of the client": ({**FIELDS, "region": "eu"}, TypeError, "option of Client"),
    "a wrong option": ({**FIELDS, "timeout": "5"}, merge_link.ConfigurationError, "timeout"),
    "a key that cannot be had": ({**FIELDS, "api_key": raises_key_error}, KeyError, "secret"),
    "a key that is none": ({**FIELDS, "api_key": lambda: 5}, Exception, "api_key"),
}


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("bad", BAD)
def test_a_bad_row_is_an_outcome_and_the_others_go_on(
    client: Client, bad: str, ordered: bool
) -> None:
    row, kind, text = BAD[bad]
    rows: list[Any] = [*rows_of(3), row, *rows_of(3)]
    outcomes = client.create_link_tokens(rows, ordered=ordered).collect()
    (failed,) = outcomes.failed
    assert len(outcomes.tokens) == 6
    assert failed.index == 3
    assert failed.request is row
    assert isinstance(failed.error, kind)
    assert text in str(failed.error)


def test_a_refusal_is_an_outcome_with_all_that_a_call_would_have_raised(sandbox: Sandbox) -> None:
    sandbox.fail(403, times=1)
    with sandbox.client() as client:
        run = client.create_link_tokens(rows_of(20))
        (error,) = run.collect().errors
    assert isinstance(error, merge_link.PermissionDeniedError)
    assert error.request_id
    assert run.summary.errors == {"PermissionDeniedError": 1}


def test_an_error_does_not_keep_the_run_alive(client: Client) -> None:
    (outcome,) = client.create_link_tokens([5])  # type: ignore[list-item]
    assert outcome.error is not None
    assert outcome.error.__traceback__ is None
    (outcome,) = client.create_link_tokens([{**FIELDS, "api_key": raises_key_error}])
    assert outcome.error is not None
    told = "".join(traceback.format_exception(outcome.error))
    assert "raises_key_error" in told
    assert "merge_link" not in told


def test_what_the_rows_raise_comes_out_after_what_is_under_way(client: Client) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield from rows_of(30)
        raise OSError("the file ends in the middle of a line")

    run = client.create_link_tokens(rows())
    with pytest.raises(OSError, match="in the middle") as caught:
        run.collect()
    assert len(run.collect().tokens) == 30
    assert run.summary.succeeded == 30
    assert "in rows" in "".join(traceback.format_exception(caught.value))
    assert list(run) == []


# ---- defaults ----


def test_defaults_are_for_all_rows_and_a_row_counts_more(serve: Serve) -> None:
    server = serve()
    rows: list[dict[str, Any]] = [
        {"end_user_origin_id": "a"},
        {"end_user_origin_id": "b", "categories": ["hris"], "link_expiry_mins": 60},
        {"end_user_origin_id": "c", "integration": None},
    ]
    rest = {name: FIELDS[name] for name in FIELDS if name != "end_user_origin_id"}
    with server.client() as client:
        run = client.create_link_tokens(rows, concurrency=1, integration="lever", **rest)
        assert len(run.collect().tokens) == 3
    first, second, third = server.bodies
    assert (first["integration"], first["categories"]) == ("lever", ["ats"])
    assert (second["link_expiry_mins"], second["categories"]) == (60, ["hris"])
    assert "integration" not in third
    assert rows[0] == {"end_user_origin_id": "a"}


def test_a_default_may_fit_only_with_what_the_rows_bring(client: Client) -> None:
    row = {**FIELDS, "should_create_magic_link_url": True}
    (outcome,) = client.create_link_tokens([row], link_expiry_mins=10080)
    assert outcome.token.magic_link_url


# ---- what is refused at once ----

ROWS: Any = [FIELDS]
REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no rows": ({"rows": None}, TypeError, "rows must be an iterable of mappings, not NoneType"),
    "a text": ({"rows": "people.csv"}, TypeError, "not str"),
    "one row": ({"rows": FIELDS}, TypeError, "not dict"),
    "no concurrency": ({"concurrency": 0}, ValueError, "concurrency must be 1 to 10000"),
    "much concurrency": ({"concurrency": 10_001}, ValueError, "concurrency must be 1 to"),
    "half a concurrency": ({"concurrency": 1.5}, ValueError, "an integer, not float"),
    "true concurrency": ({"concurrency": True}, ValueError, "an integer, not bool"),
    "progress": ({"progress": "yes"}, ValueError, "progress must be True, False, None or a"),
    "a misspelt option": ({"concurency": 5}, TypeError, "did you mean 'concurrency'"),
    "a misspelt field": ({"integratoin": "lever"}, TypeError, "integratoin"),
    "a client's option": ({"region": "eu"}, TypeError, "an option of Client"),
    "a wrong default": ({"timeout": "5"}, ValueError, "timeout must be a number of seconds"),
    **{
        f"rate {rate!r}": ({"rate": rate}, ValueError, "rate must be a number of requests")
        for rate in (
            *(0, -1, True, float("nan"), float("inf"), b"5/s", "", "5", "/min", "x/min"),
            *("400/fortnight", "-4/min", "400/", "400/min/s", "1e999/s", "nan/s", [5]),
        )
    },
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_meant_is_refused_before_a_row_is_taken(client: Client, what: str) -> None:
    options, kind, text = REFUSED[what]
    with pytest.raises(kind, match=text) as caught:
        client.create_link_tokens(**{"rows": ROWS, **options})
    assert isinstance(caught.value, TypeError | merge_link.ConfigurationError)


def test_a_pandas_frame_is_refused_with_the_words_that_mend_it(client: Client) -> None:
    import pandas

    with pytest.raises(TypeError, match=r'rows is a table: pass table.to_dict\("records"\)'):
        client.create_link_tokens(pandas.DataFrame([FIELDS]))


def test_a_closed_client_is_refused(client: Client) -> None:
    client.close()
    with pytest.raises(merge_link.ClientClosedError):
        client.create_link_tokens(ROWS)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        *((None, 0.0), (5, 5.0), (0.5, 0.5), ("400/min", 400 / 60), ("400 / minute", 400 / 60)),
        *(
            ("10/s", 10.0),
            ("10/sec", 10.0),
            ("10/second", 10.0),
            ("3600/h", 1.0),
            ("90/hour", 0.025),
        ),
    ],
)
def test_a_rate_is_read(rate: Any, expected: float) -> None:
    assert merge_link.bulk.per_second(rate) == pytest.approx(expected)


# ---- order, and how far ahead ----


class Counting:
    """Rows that know how many were taken."""

    def __init__(self, count: int) -> None:
        self.taken = 0
        self._rows = iter(rows_of(count))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self

    def __next__(self) -> dict[str, Any]:
        row = next(self._rows)
        self.taken += 1
        return row


def answer_when(event: threading.Event) -> Callable[[Connection, bytes], None]:
    def script(connection: Connection, request: bytes) -> None:
        assert event.wait(PATIENCE)
        connection.send(token_answer())

    return script


def test_outcomes_come_as_they_are_done(serve: Serve) -> None:
    last = threading.Event()
    server = serve(answer_when(last), token_answer())
    with server.client() as client:
        rows = Counting(20)
        run = client.create_link_tokens(rows, concurrency=4)
        seen = [next(run).index for _ in range(19)]
        last.set()
        seen += indexes(list(run))
    late = seen[-1]
    assert sorted(seen) == list(range(20))
    assert late < 4  # it was among the first to be sent


def test_ordered_outcomes_come_in_the_order_of_the_rows(serve: Serve) -> None:
    last = threading.Event()
    server = serve(answer_when(last), token_answer())
    with server.client() as client:
        rows = Counting(40)
        run = client.create_link_tokens(rows, concurrency=4, ordered=True)
        # The others go on until so many wait for it.
        threading.Thread(target=lambda: (server.wait_for_requests(13), last.set())).start()
        assert indexes(list(run)) == list(range(40))
    assert rows.taken == 40


@pytest.mark.parametrize(("ordered", "ahead"), [(False, 5), (True, 20)])
def test_rows_are_taken_no_further_ahead_than_promised(
    client: Client, ordered: bool, ahead: int
) -> None:
    rows = Counting(200)
    run = client.create_link_tokens(rows, concurrency=5, ordered=ordered)
    assert rows.taken == 0
    for given, _ in enumerate(run, 1):
        assert rows.taken - given < ahead
    assert rows.taken == 200


def test_a_rate_bounds_what_is_under_way(client: Client) -> None:
    """Then stop() takes no longer than that takes to be sent."""
    rows = Counting(100)
    with client.create_link_tokens(rows, concurrency=64, rate="2/s") as run:
        next(run)
        assert rows.taken == 10


def test_no_row_is_taken_while_the_consumer_does_something_else(client: Client) -> None:
    rows = Counting(1000)
    with client.create_link_tokens(rows, concurrency=8) as run:
        next(run)
        taken = rows.taken
        time.sleep(0.05)
        assert rows.taken == taken <= 9


def test_no_more_are_under_way_than_asked_for(serve: Serve) -> None:
    counts, most, lock = [0], [0], threading.Lock()

    def script(connection: Connection, request: bytes) -> None:
        with lock:
            counts[0] += 1
            most[0] = max(most[0], counts[0])
        time.sleep(0.005)
        with lock:
            counts[0] -= 1
        connection.send(token_answer())

    server = serve(script)
    with server.client() as client:
        assert len(client.create_link_tokens(rows_of(60), concurrency=6).collect()) == 60
    assert 2 <= most[0] <= 6
    assert server.connections <= 6


# ---- the ends ----


@pytest.fixture
def silent(serve: Serve) -> Server:
    """Answers one request, and lets all others wait."""
    return serve(token_answer(), stay_silent)


def leave_loop(run: BulkRun) -> None:
    for _ in run:
        return


def leave_with(run: BulkRun) -> None:
    with run:
        next(run)


def close(run: BulkRun) -> None:
    next(run)
    run.close()
    run.close()


@pytest.mark.parametrize("leave", [leave_loop, leave_with, close])
def test_leaving_cancels_what_is_under_way(
    silent: Server, leave: Callable[[BulkRun], None]
) -> None:
    with silent.client() as client:
        leave(client.create_link_tokens(rows_of(50), concurrency=5))
        silent.answers[:] = [token_answer()]
        assert client.create_link_token(**FIELDS).link_token == TOKEN  # and the client goes on


def test_what_was_cancelled_is_counted(silent: Server) -> None:
    with silent.client() as client:
        run = client.create_link_tokens(rows_of(50), concurrency=5)
        next(run)
        assert run.summary.cancelled == 0
        run.close()
    assert run.summary.done == 1
    assert run.summary.cancelled == 4
    assert list(run) == []


def test_a_run_that_is_dropped_is_over(client: Client) -> None:
    rows = Counting(1000)
    run = client.create_link_tokens(rows, concurrency=2)
    next(run)
    work = run._outcomes.gi_frame.f_locals["work"]
    del run
    with pytest.raises(ValueError, match="the mailbox is closed"):
        work.mailbox.fileno()


def test_stopping_lets_what_is_under_way_come_out(client: Client) -> None:
    rows = Counting(1000)
    run = client.create_link_tokens(rows, concurrency=5)
    for outcome in run:
        assert outcome.ok
        run.stop()
    assert rows.taken == 5
    assert run.summary.done == 5
    assert run.summary.cancelled == 0


def test_a_client_that_is_closed_meanwhile_fails_the_rows_that_are_left(silent: Server) -> None:
    client = silent.client()
    run = client.create_link_tokens(rows_of(10), concurrency=4)
    assert next(run).ok
    client.close()
    outcomes = run.collect()
    assert len(outcomes) == 9
    assert {type(error) for error in outcomes.errors} == {merge_link.ClientClosedError}


def test_several_runs_share_a_client(client: Client) -> None:
    found: list[int] = []

    def work() -> None:
        found.append(len(client.create_link_tokens(rows_of(100), concurrency=8).collect().tokens))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert found == [100] * 4


def test_a_row_may_be_made_of_what_came_before(client: Client) -> None:
    rows = rows_of(1)
    for outcome in client.create_link_tokens(iter(rows), concurrency=1):
        assert outcome.ok
        if len(rows) < 20:
            rows.append({**FIELDS, "end_user_origin_id": f"after {outcome.index}"})
    assert len(rows) == 20


# ---- bad days ----


def test_one_retry_after_holds_all_rows_and_none_fails(sandbox: Sandbox) -> None:
    sandbox.fail(429, retry_after=1, times=3)
    with sandbox.client(max_retries=0, timeout=0.5) as client:
        began = time.monotonic()
        run = client.create_link_tokens(rows_of(30), concurrency=3)
        assert len(run.collect().tokens) == 30
    assert time.monotonic() - began >= 1.0
    assert run.summary.attempts == 33


def test_passing_failures_are_tried_again(sandbox: Sandbox) -> None:
    sandbox.fail(503, times=3)
    sandbox.drop(times=2)
    sandbox.drop("body", times=2)
    with sandbox.client() as client:
        run = client.create_link_tokens(rows_of(100), max_retries=8)
        assert len(run.collect().tokens) == 100
    assert run.summary.attempts == 107


def test_the_error_budget_slows_down_and_fails_nothing(sandbox: Sandbox) -> None:
    sandbox.fail(400, times=12)
    with sandbox.client(error_budget=(5, 0.4)) as client:
        began = time.monotonic()
        run = client.create_link_tokens(rows_of(40), concurrency=2)
        outcomes = run.collect()
    assert run.summary.errors == {"BadRequestError": 12}
    assert len(outcomes.tokens) == 28
    assert time.monotonic() - began >= 0.4


def test_no_more_rows_fail_at_once_than_the_budget_allows(serve: Serve) -> None:
    server = serve(answer(401, {"detail": "Invalid token."}))
    with server.client(error_budget=(20, 60.0)) as client:
        with client.create_link_tokens(rows_of(200)) as run:
            assert [next(run).ok for _ in range(20)] == [False] * 20
            assert run.summary.errors == {"AuthenticationError": 20}
        assert len(server.requests) == 20


def test_as_many_are_under_way_as_asked_for_once_tokens_come(serve: Serve) -> None:
    together = threading.Barrier(30)

    def script(connection: Connection, request: bytes) -> None:
        if len(server.requests) > 40:
            together.wait(PATIENCE)
        connection.send(token_answer())

    server = serve(script)
    with server.client(error_budget=(20, 10.0)) as client:
        run = client.create_link_tokens(rows_of(70), concurrency=30)
        assert len(run.collect().tokens) == 70


def test_a_rate_spaces_the_requests(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        began = time.monotonic()
        run = client.create_link_tokens(rows_of(9), rate="1800/min")
        assert len(run.collect().tokens) == 9
    assert time.monotonic() - began >= 7 / 30


def test_lasting_failures_are_outcomes_one_by_one(serve: Serve) -> None:
    server = serve(hang_up)
    with server.client(max_retries=0) as client:
        run = client.create_link_tokens(rows_of(20), concurrency=4)
        assert len(run.collect().errors) == 20
    assert run.summary.errors == {"TransportError": 20}
    assert run.summary.latency is None


# ---- the summary ----


def test_the_summary_counts_what_came_out(client: Client) -> None:
    rows: list[Any] = [*rows_of(50), 5, {}, {}]
    run = client.create_link_tokens(rows)
    assert run.summary.done == 0
    outcomes = run.collect()
    summary = run.summary
    assert (summary.done, summary.succeeded, summary.failed, summary.cancelled) == (53, 50, 3, 0)
    assert list(summary.errors.items()) == [("ValidationError", 2), ("TypeError", 1)]
    assert summary.attempts == 50
    totals = sorted(token.response.timing.total for token in outcomes.tokens)
    latency = summary.latency
    assert latency is not None
    assert latency.p50 == pytest.approx(totals[24], rel=0.011)
    assert latency.p95 == pytest.approx(totals[47], rel=0.011)
    assert latency.p99 == pytest.approx(totals[49], rel=0.011)
    assert latency.p99 <= summary.seconds
    assert run.summary == summary  # the time stands still


@pytest.mark.parametrize("seconds", [0.0, 1e-7, 1e-6, 0.00123, 0.08, 1.0, 59.9, 900.0])
def test_a_percentile_is_right_to_one_percent(
    client: merge_link.Client, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr("merge_link._tally.effort_of", lambda outcome: (1, seconds))
    tally = Tally(None)
    [outcome] = client.create_link_tokens(rows_of(1))
    for _ in range(10):
        tally.add(outcome)
    latency = tally.summary().latency
    assert latency is not None
    assert latency.p50 == latency.p99 == pytest.approx(max(seconds, 1e-6), rel=0.011)


def test_a_token_that_was_made_by_hand_counts_too() -> None:
    tally = Tally(1)
    from datetime import UTC, datetime

    token = merge_link.LinkToken(link_token=TOKEN, expires_at=datetime.now(UTC))
    tally.add(Outcome(index=0, request={}, token=token))
    assert tally.summary().succeeded == 1


def test_a_run_says_how_far_it_is_and_shows_a_card(client: Client) -> None:
    run = client.create_link_tokens([*rows_of(3), {}])
    run.collect()
    assert repr(run) == "<BulkRun: 4 of 4 rows done, 1 of them failed>"
    assert "ValidationError" in run._repr_html_()


# ---- progress ----


def test_a_callable_is_told_of_the_progress(client: Client) -> None:
    told: list[Progress] = []
    run = client.create_link_tokens([*rows_of(30), {}], progress=told.append)
    assert told == []
    run.collect()
    last = told[-1]
    assert (last.done, last.failed, last.total) == (31, 1, 31)
    assert last.rate > 0
    assert last.seconds_left == 0.0
    assert told[0].done == 1
    assert [one.done for one in told] == sorted(one.done for one in told)
    with pytest.raises(FrozenInstanceError):
        last.done = 0  # type: ignore[misc]


def test_without_a_length_there_is_no_total(client: Client) -> None:
    told: list[Progress] = []
    client.create_link_tokens(iter(rows_of(3)), progress=told.append).collect()
    assert told[-1].total is None
    assert told[-1].seconds_left is None


def test_what_the_callable_raises_is_logged_and_ends_nothing(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(progress: Progress) -> NoReturn:
        raise OSError("no such screen")

    with caplog.at_level(logging.ERROR, "merge_link"):
        assert len(client.create_link_tokens(rows_of(5), progress=fails).collect()) == 5
    assert "progress raised" in caplog.text
    assert "no such screen" in caplog.text


def test_true_shows_a_bar(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    client.create_link_tokens([*rows_of(30), {}], progress=True).collect()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "31/31" in shown.err
    assert "1 failed" in shown.err


def test_without_tqdm_the_error_says_how_to_install_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tqdm.auto", None)
    with pytest.raises(merge_link.ConfigurationError, match=r'pip install "merge-link\[bulk\]"'):
        client.create_link_tokens(rows_of(1), progress=True)
    assert client.create_link_tokens(rows_of(1), progress=False).collect().tokens


# ---- manners of an outcome ----

SECRET_ROW = {
    **FIELDS,
    "api_key": KEY,
    "extra_headers": {"X-Secret": KEY},
    "extra_body": {"secret": KEY},
    "integration_specific_config": {"secret": KEY},
    "api_kye": KEY,
}


def made(**changes: Any) -> Outcome:
    return Outcome(**{"index": 3, "request": SECRET_ROW, "error": ValueError("no"), **changes})


def test_an_outcome_is_immutable_and_like_a_dataclass(client: Client) -> None:
    (outcome,) = client.create_link_tokens([FIELDS])
    assert is_dataclass(outcome)
    assert [field.name for field in fields(outcome)] == ["index", "request", "token", "error"]
    with pytest.raises(FrozenInstanceError):
        outcome.index = 5  # type: ignore[misc]
    match outcome:
        case Outcome(index=0, token=merge_link.LinkToken(link_token=text)):
            assert len(text) == 40
        case _:
            raise AssertionError
    assert pickle.loads(pickle.dumps(outcome)) == outcome == replace(outcome)
    assert replace(outcome, index=1) != outcome


def test_an_outcome_masks_what_may_be_a_credential(client: Client) -> None:
    (outcome,) = client.create_link_tokens([FIELDS], should_create_magic_link_url=True)
    assert outcome.token.link_token not in repr(outcome)
    assert outcome.token.magic_link_url not in repr(outcome)
    shown = repr(made())
    assert KEY not in shown + made()._repr_html_()
    assert "'end_user_origin_id': 'acme-42'" in shown
    assert "'api_key': '********'" in shown
    assert (
        repr(made(request=KEY))
        == "Outcome(index=3, request=<str>, token=None, error=ValueError('no'))"
    )


def test_outcomes_make_a_table_that_joins_the_rows(client: Client) -> None:
    import pandas

    frame = pandas.DataFrame([*rows_of(3), {**FIELDS, "categories": []}])
    outcomes = client.create_link_tokens(frame.to_dict("records")).collect()
    table = frame.join(pandas.DataFrame(outcomes.to_dicts()).set_index("index"))
    assert list(table["error"].isna()) == [True, True, True, False]
    assert table.loc[3, "error"] == "ValidationError"
    assert table["link_token"].notna().sum() == 3
    assert table.loc[3, "message"] == str(outcomes.errors[0])
    assert str(table["expires_at"].dtype).endswith("UTC]")
    assert (table["seconds"][:3] > 0).all()
    assert list(table["attempts"]) == [1, 1, 1, 0]


def test_a_list_of_outcomes_knows_tokens_and_errors(client: Client) -> None:
    outcomes = client.create_link_tokens([*rows_of(3), {}], ordered=True).collect()
    assert isinstance(outcomes, Outcomes)
    assert [token.link_token for token in outcomes.tokens] == [
        outcome.token.link_token for outcome in outcomes[:3]
    ]
    assert isinstance(outcomes[:2], Outcomes)
    assert outcomes[3].error is outcomes.errors[0] is outcomes.failed[0].error
    assert repr(outcomes) == "<Outcomes: 3 tokens, 1 error (1 ValidationError)>"
    assert repr(outcomes[:3]) == "<Outcomes: 3 tokens>"
    assert pickle.loads(pickle.dumps(outcomes))[:3] == outcomes[:3]


# ---- secrets ----


def shown_of(error: BaseException) -> str:
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    told.stack = traceback.StackSummary.from_list(
        [frame for frame in told.stack if "merge_link" in frame.filename]
    )
    assert told.stack
    return "".join(told.format())


@pytest.mark.parametrize("options", [{"rate": "x"}, {"integratoin": 1}, {"timeout": "5"}])
def test_a_refusal_shows_no_credential(client: Client, options: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        client.create_link_tokens([SECRET_ROW], **{"api_key": KEY, **options})
    assert KEY not in shown_of(caught.value)


class Stop(BaseException):
    pass


def stop() -> NoReturn:
    raise Stop


@pytest.mark.parametrize("where", ["a key", "the rows"])
def test_an_interruption_shows_no_credential(client: Client, where: str) -> None:
    def rows() -> Iterator[Any]:
        yield SECRET_ROW
        if where == "the rows":
            stop()
        yield {**FIELDS, "extra_body": {"secret": KEY}, "api_key": stop}

    run = client.create_link_tokens(rows(), api_key=KEY)
    with pytest.raises(Stop) as caught:
        next(run)
    assert KEY not in shown_of(caught.value)
    assert list(run) == []


# ---- in a process of its own ----


def test_ctrl_c_ends_a_run_and_says_what_was_done() -> None:
    said = run_script("bulk.py", "waiting").splitlines()
    assert said == [
        "create_link_tokens(): 10 of 1000 rows done, 0 of them failed, 4 more were cancelled",
        "10 4 10",
    ]


def test_a_signal_handler_may_stop_a_run() -> None:
    assert run_script("bulk.py", "stop") == "4 0\n"


def test_under_gevent_other_greenlets_go_on(no_greenlets_under_asan: None) -> None:
    assert run_script("bulk.py", "gevent").split() == ["100", "True"]


def test_interrupting_a_notebook_kernel_ends_a_run() -> None:
    said = run_script("notebook.py", "bulk")
    assert said.split("\n")[0] == "error KeyboardInterrupt"
    assert "1 of 50 rows done" in said
    assert said.endswith("ok\n")
