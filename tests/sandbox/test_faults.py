"""Faults and time on demand, seen by plain clients and by ours."""

import http.client
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

import merge_link
from linked import get, link, make_public_token, post
from merge_link.sandbox import Sandbox
from merge_link.sandbox.api import Api
from merge_link.sandbox.rules import ENDPOINTS
from plain_http import GOOD, PATIENCE, call, connect, raw_request, read_answer

LIST = "/api/ats/v1/linked-accounts"


def statuses(sandbox: Sandbox, count: int) -> list[int]:
    return [call(sandbox).status for _ in range(count)]


def drain(sandbox: Sandbox) -> bytes:
    """All that comes for one request, until the connection ends."""
    with connect(sandbox) as sock:
        sock.sendall(raw_request(sandbox))
        received = b""
        while data := sock.recv(65536):
            received += data
        return received


def next_arrival(sandbox: Sandbox) -> threading.Event:
    """Is set once the sandbox knows a request, and what it is answered."""
    arrived = threading.Event()
    add = sandbox._log.add

    def observe(*what: Any) -> None:
        add(*what)
        arrived.set()

    sandbox._log.add = observe  # type: ignore[method-assign]
    return arrived


# ---- fail ----


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"non_field_errors": ["Refused by a fault of the sandbox."]}),
        (401, {"detail": "Invalid token."}),
        (403, {"detail": "You do not have permission to perform this action."}),
        (404, {"detail": "Not found."}),
        (429, {"detail": "Request was throttled."}),
        (500, {"detail": "A server error occurred."}),
        (503, {"detail": "Service Unavailable."}),
        (599, {"detail": "Error."}),
    ],
)
def test_fail_answers_with_the_status(sandbox: Sandbox, status: int, body: object) -> None:
    sandbox.fail(status)
    answer = call(sandbox)
    assert (answer.status, answer.json) == (status, body)
    assert "Retry-After" not in answer.headers
    assert call(sandbox).status == 200


def test_fail_is_a_503_by_default(sandbox: Sandbox) -> None:
    sandbox.fail()
    assert statuses(sandbox, 2) == [503, 200]


@pytest.mark.parametrize(
    ("retry_after", "header", "detail"),
    [
        (1, "1", "Request was throttled. Expected available in 1 second."),
        (0.5, "0.5", "Request was throttled. Expected available in 1 second."),
        (30, "30", "Request was throttled. Expected available in 30 seconds."),
        ("Fri, 31 Dec 2100 23:59:59 GMT",) * 2 + ("Request was throttled.",),
    ],
)
def test_fail_may_say_when_to_come_again(
    sandbox: Sandbox, retry_after: Any, header: str, detail: str
) -> None:
    sandbox.fail(429, retry_after=retry_after)
    answer = call(sandbox)
    assert answer.headers["Retry-After"] == header
    assert answer.json == {"detail": detail}


def test_fail_may_have_a_body_of_its_own(sandbox: Sandbox) -> None:
    sandbox.fail(502, body="<h1>Bad Gateway</h1>")
    answer = call(sandbox)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.body == b"<h1>Bad Gateway</h1>"
    sandbox.fail(400, body={"categories": ["No."]})
    assert call(sandbox).json == {"categories": ["No."]}


def test_fail_comes_before_the_request_is_looked_at(sandbox: Sandbox) -> None:
    public = make_public_token(sandbox)
    sandbox.fail(times=3)
    assert call(sandbox, headers={"Authorization": None}).status == 503
    assert get(sandbox, f"/api/ats/v1/account-token/{public}").status == 503
    assert get(sandbox, "/api/nowhere").status == 503
    assert get(sandbox, f"/api/ats/v1/account-token/{public}").status == 200


def test_times_says_how_often(sandbox: Sandbox) -> None:
    sandbox.fail(times=2)
    assert statuses(sandbox, 3) == [503, 503, 200]
    sandbox.fail(times=None)
    assert statuses(sandbox, 5) == [503] * 5
    sandbox.clear_faults()
    assert statuses(sandbox, 1) == [200]


def test_faults_come_in_the_order_they_were_asked_for(sandbox: Sandbox) -> None:
    sandbox.fail(429, times=2)
    sandbox.fail(500)
    assert statuses(sandbox, 4) == [429, 429, 500, 200]


REQUESTS: dict[str, tuple[str, str]] = {
    "link-token": ("POST", "link-token"),
    "account-token": ("GET", "account-token/x"),
    "account-token/regenerate": ("POST", "account-token/regenerate"),
    "account-details": ("GET", "account-details"),
    "linked-accounts": ("GET", "linked-accounts"),
    "delete-account": ("POST", "delete-account"),
    "generate-key": ("POST", "generate-key"),
    "regenerate-key": ("POST", "regenerate-key"),
    "sync-status": ("GET", "sync-status"),
    "sync-status/resync": ("POST", "sync-status/resync"),
    "default-scopes": ("GET", "default-scopes"),
    "linked-account-scopes": ("GET", "linked-account-scopes"),
    "issues": ("GET", "issues"),
    "issue": ("GET", "issues/x"),
    "passthrough": ("POST", "passthrough"),
    "async-passthrough": ("POST", "async-passthrough"),
    "async-passthrough-result": ("GET", "async-passthrough/x"),
    "webhook-receivers": ("GET", "webhook-receivers"),
    "available-actions": ("GET", "available-actions"),
    "field-mappings": ("GET", "field-mappings"),
    "field-mapping": ("DELETE", "field-mappings/x"),
    "remote-fields": ("GET", "remote-fields"),
    "target-fields": ("GET", "target-fields"),
    "audit-trail": ("GET", "audit-trail"),
    "common-models": ("GET", "candidates"),
    "common-model": ("GET", "candidates/x"),
    "ignore": ("POST", "candidates/ignore/x"),
}


@pytest.mark.parametrize("on", ENDPOINTS)
def test_on_chooses_the_endpoint(sandbox: Sandbox, on: str) -> None:
    assert set(REQUESTS) == set(ENDPOINTS)
    sandbox.fail(418, times=None, on=on)
    met = [
        name
        for name, (method, path) in REQUESTS.items()
        if call(sandbox, method=method, path=f"/api/ats/v1/{path}").status == 418
    ]
    assert met == [on]


def test_every_endpoint_can_be_named() -> None:
    with Sandbox() as sandbox:
        made = Api(sandbox._state, sandbox._faults, sandbox._limits, "")
        assert set(made._endpoints) == set(ENDPOINTS)


# ---- delay ----


def test_delay_keeps_the_answer_back(sandbox: Sandbox) -> None:
    sandbox.delay(0.3)
    begin = time.monotonic()
    assert call(sandbox).status == 200
    assert time.monotonic() - begin >= 0.3
    sandbox.delay(3600, on="linked-accounts")
    assert call(sandbox).status == 200


def test_delay_comes_on_top(sandbox: Sandbox) -> None:
    sandbox.fail()
    sandbox.delay(0.1)
    begin = time.monotonic()
    assert call(sandbox).status == 503
    assert time.monotonic() - begin >= 0.1
    sandbox.delay(0.1)
    sandbox.drop("before")
    begin = time.monotonic()
    assert drain(sandbox) == b""
    assert time.monotonic() - begin >= 0.1


def test_one_who_waits_keeps_nobody_else(sandbox: Sandbox) -> None:
    sandbox.delay(3600)
    arrived = next_arrival(sandbox)
    with connect(sandbox) as sock:
        sock.sendall(raw_request(sandbox))
        assert arrived.wait(PATIENCE)
        assert call(sandbox).status == 200


@pytest.mark.parametrize("tls", [False, True])
def test_close_does_not_wait_for_a_delay(tls: bool) -> None:
    with Sandbox(tls=tls) as sandbox, sandbox.client(timeout=PATIENCE, max_retries=0) as client:
        sandbox.delay(3600)
        arrived = next_arrival(sandbox)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(client.create_link_token, **GOOD)  # type: ignore[arg-type]
            assert arrived.wait(PATIENCE)
            sandbox.close()
            assert isinstance(waiting.exception(PATIENCE), merge_link.TransportError)


def test_a_client_that_leaves_ends_its_delay(sandbox: Sandbox) -> None:
    sandbox.delay(3600)
    with pytest.raises(merge_link.RequestTimeoutError), sandbox.client(timeout=0.2) as client:
        client.create_link_token(**GOOD)  # type: ignore[arg-type]
    begin = time.monotonic()
    sandbox.close()
    assert time.monotonic() - begin < PATIENCE


# ---- drop and garble ----


def test_drop_before_ends_the_connection_and_does_nothing(sandbox: Sandbox) -> None:
    public = make_public_token(sandbox)
    sandbox.drop()
    with pytest.raises(http.client.RemoteDisconnected):
        get(sandbox, f"/api/ats/v1/account-token/{public}")
    assert sandbox.requests[-1].status is None
    assert get(sandbox, f"/api/ats/v1/account-token/{public}").status == 200


@pytest.mark.parametrize("when", ["headers", "body"])
def test_drop_later_takes_effect(sandbox: Sandbox, when: Any) -> None:
    public = make_public_token(sandbox)
    sandbox.drop(when, on="account-token")
    with pytest.raises(http.client.IncompleteRead):
        get(sandbox, f"/api/ats/v1/account-token/{public}")
    assert sandbox.requests[-1].status == 200
    assert get(sandbox, f"/api/ats/v1/account-token/{public}").status == 404


@pytest.mark.parametrize("when", ["headers", "body"])
def test_drop_of_an_answer_without_a_body_takes_effect_untold(sandbox: Sandbox, when: Any) -> None:
    token = link(sandbox)["account_token"]
    mapping = {
        "remote_field_traversal_path": ["hair"],
        "remote_method": "GET",
        "remote_url_path": "/people",
        "common_model_name": "Candidate",
    }
    made = post(sandbox, "/api/ats/v1/field-mappings", token, mapping).json["model"]
    path, headers = f"/api/ats/v1/field-mappings/{made['id']}", {"X-Account-Token": token}
    sandbox.drop(when, on="field-mapping")
    with pytest.raises(http.client.BadStatusLine):
        call(sandbox, b"", method="DELETE", path=path, headers=headers)
    sandbox.drop(when, on="field-mapping")
    with sandbox.client(account_token=token, max_retries=0) as client:
        with pytest.raises(merge_link.TransportError):
            client.delete_field_mapping(made["id"], category="ats")
        with pytest.raises(merge_link.NotFoundError):
            client.delete_field_mapping(made["id"], category="ats")


def test_drop_cuts_at_the_byte_that_it_says(sandbox: Sandbox) -> None:
    with connect(sandbox) as sock:
        sock.sendall(raw_request(sandbox))
        length = int(read_answer(sock).headers["Content-Length"])
    sandbox.drop("before")
    sandbox.drop("headers")
    sandbox.drop("body")
    assert drain(sandbox) == b""
    for kept in (0, length // 2):
        head, end, body = drain(sandbox).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert f"Content-Length: {length}".encode() in head
        assert (end, len(body)) == (b"\r\n\r\n", kept)


def test_garble_keeps_the_length_and_no_byte(sandbox: Sandbox) -> None:
    sandbox.garble()
    answer = call(sandbox)
    assert answer.status == 200
    assert len(answer.body) == int(answer.headers["Content-Length"]) > 0
    assert all(byte >= 0x80 for byte in answer.body)
    assert call(sandbox).json["link_token"]


# ---- our client meets them ----


def test_the_client_gets_over_what_passes(sandbox: Sandbox) -> None:
    with sandbox.client(max_retries=3) as client:
        sandbox.fail(429, retry_after=0)
        sandbox.fail(503, retry_after=0)
        sandbox.drop("headers")
        token = client.create_link_token(**GOOD)  # type: ignore[arg-type]
    assert token.response is not None
    assert [request.status for request in sandbox.requests] == [429, 503, 200, 200]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (lambda it: it.fail(400), merge_link.BadRequestError),
        (lambda it: it.fail(401), merge_link.AuthenticationError),
        (lambda it: it.fail(403), merge_link.PermissionDeniedError),
        (lambda it: it.fail(404), merge_link.NotFoundError),
        (lambda it: it.fail(429), merge_link.RateLimitError),
        (lambda it: it.fail(502, body="<html>"), merge_link.ServerError),
        (lambda it: it.drop("headers"), merge_link.TransportError),
        (lambda it: it.drop("body"), merge_link.TransportError),
        (lambda it: it.drop("before", times=None), merge_link.TransportError),
        (lambda it: it.garble(), merge_link.ResponseError),
        (lambda it: it.delay(60), merge_link.RequestTimeoutError),
    ],
)
def test_the_client_says_what_happened(
    sandbox: Sandbox, fault: Callable[[Sandbox], None], error: type[Exception]
) -> None:
    fault(sandbox)
    with sandbox.client(max_retries=0, timeout=1.0) as client, pytest.raises(error):
        client.create_link_token(**GOOD)  # type: ignore[arg-type]


# ---- throttle ----


def test_throttle_by_the_sandboxs_clock(sandbox: Sandbox) -> None:
    sandbox.throttle(2, seconds=60)
    assert statuses(sandbox, 4) == [200, 200, 429, 429]
    answer = call(sandbox)
    assert answer.headers["Retry-After"] == "60"
    assert answer.json["detail"].endswith("Expected available in 60 seconds.")
    sandbox.advance(seconds=30)
    assert int(call(sandbox).headers["Retry-After"]) in (30, 31)
    sandbox.advance(seconds=30)
    assert statuses(sandbox, 3) == [200, 200, 429]
    sandbox.clear_faults()
    assert statuses(sandbox, 3) == [200] * 3


def test_throttle_counts_each_linked_account_apart(sandbox: Sandbox) -> None:
    first, second = link(sandbox, "a"), link(sandbox, "b")
    sandbox.throttle(1)

    def details(account: dict[str, Any]) -> int:
        return get(sandbox, "/api/ats/v1/account-details", account["account_token"]).status

    assert [details(first), details(first), details(second), details(second)] == [200, 429] * 2
    assert statuses(sandbox, 2) == [200, 429]


def test_throttle_under_many_threads_lets_no_more_through(sandbox: Sandbox) -> None:
    sandbox.throttle(50)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: call(sandbox).status, range(200)))
    assert (answers.count(200), answers.count(429)) == (50, 150)


# ---- time ----


def test_the_date_of_an_answer_does_not_advance(sandbox: Sandbox) -> None:
    sandbox.advance(hours=48)
    date = parsedate_to_datetime(call(sandbox).headers["Date"])
    assert abs(date.timestamp() - time.time()) < 3600


# ---- shut_out ----


def test_more_than_20_failures_in_10_seconds_shut_out(sandbox: Sandbox) -> None:
    sandbox.shut_out()
    assert [call(sandbox, {}).status for _ in range(21)] == [400] * 21
    answer = call(sandbox)
    assert answer.status == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 10
    sandbox.advance(seconds=10)
    assert call(sandbox).status == 200


def test_20_failures_do_not_shut_out(sandbox: Sandbox) -> None:
    sandbox.shut_out()
    for status in [400] * 10 + [503] * 10:
        sandbox.fail(status)
        assert call(sandbox).status == status
    assert call(sandbox).status == 200


def test_429_does_not_count_as_a_failure(sandbox: Sandbox) -> None:
    sandbox.shut_out()
    sandbox.fail(429, times=30)
    assert statuses(sandbox, 31) == [429] * 30 + [200]


def test_a_dropped_request_does_not_count_as_a_failure(sandbox: Sandbox) -> None:
    sandbox.shut_out(failures=1)
    sandbox.drop(times=3)
    for _ in range(3):
        assert drain(sandbox) == b""
    assert call(sandbox).status == 200


def test_failures_are_forgotten_one_by_one(sandbox: Sandbox) -> None:
    sandbox.shut_out(failures=1)
    assert call(sandbox, {}).status == 400
    sandbox.advance(seconds=5)
    assert [call(sandbox, {}).status, call(sandbox).status] == [400, 429]
    sandbox.advance(seconds=5)
    assert [call(sandbox).status, call(sandbox, {}).status, call(sandbox).status] == [200, 400, 429]


def test_nobody_is_shut_out_unasked(sandbox: Sandbox) -> None:
    assert [call(sandbox, {}).status for _ in range(30)] == [400] * 30
    assert call(sandbox).status == 200


# ---- arguments ----


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (lambda it: it.fail(200), "status must be an integer from 400 to 599"),
        (lambda it: it.fail("503"), "status must be an integer"),
        (lambda it: it.fail(True), "status must be an integer"),
        (lambda it: it.fail(times=0), "times must be a positive integer"),
        (lambda it: it.fail(times=True), "times must be a positive integer"),
        (lambda it: it.fail(times=1.5), "times must be a positive integer"),
        (lambda it: it.fail(on="link_token"), "on must be one of link-token, account-token"),
        (lambda it: it.fail(on=["link-token"]), "on must be one of"),
        (lambda it: it.fail(retry_after=-1), "retry_after must be from 0"),
        (lambda it: it.fail(retry_after=[]), "retry_after must be a number"),
        (lambda it: it.fail(retry_after="1\r\nX: y"), "retry_after must be a number of seconds or"),
        (lambda it: it.fail(body=object()), "body must be a string"),
        (lambda it: it.delay(-1), "seconds must be from 0 to 86400"),
        (lambda it: it.delay(86401), "seconds must be from 0 to 86400"),
        (lambda it: it.delay(float("inf")), "seconds must be from 0"),
        (lambda it: it.delay("1"), "seconds must be a number"),
        (lambda it: it.drop("after"), "when must be one of before, headers, body"),
        (lambda it: it.drop(None), "when must be one of"),
        (lambda it: it.garble(on="x"), "on must be one of"),
        (lambda it: it.throttle(0), "requests must be a positive integer"),
        (lambda it: it.throttle(1, seconds=-1), "seconds must be from 0"),
        (lambda it: it.shut_out(failures=0), "failures must be a positive integer"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    sandbox: Sandbox, misuse: Callable[[Any], object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        misuse(sandbox)
    assert call(sandbox).status == 200
