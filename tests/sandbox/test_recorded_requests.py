"""The requests that came in, for assertions."""

from dataclasses import FrozenInstanceError

import pytest

from merge_link.sandbox import RecordedRequest, Sandbox
from merge_link.sandbox.message import Incoming, Outgoing
from merge_link.sandbox.record import MOST_BYTES, MOST_REQUESTS, RequestLog
from plain_http import (
    GOOD,
    MIB,
    PATH,
    call,
    connect,
    raw_request,
    read_answer,
)


def test_requests_are_recorded_in_order_with_their_status(sandbox: Sandbox) -> None:
    assert sandbox.requests == []
    call(sandbox)
    call(sandbox, {}, path="/api/hris/v1/link-token?x=%20")
    call(sandbox, b"nonsense", method="PUT", path="/no%2Fwhere")
    seen = [(request.method, request.path, request.status) for request in sandbox.requests]
    assert seen == [
        ("POST", PATH, 200),
        ("POST", "/api/hris/v1/link-token", 400),
        ("PUT", "/no%2Fwhere", 404),
    ]
    assert [request.json for request in sandbox.requests] == [GOOD, {}, None]
    assert sandbox.requests[2].body == b"nonsense"


def test_what_the_sandboxs_own_pages_ask_for_is_told_but_not_among_them() -> None:
    told: list[RecordedRequest] = []
    with Sandbox(on_request=told.append) as sandbox:
        paths = [
            "/",
            "/initialize.js",
            "/link/",
            "/link/link.js",
            "/link/code",
            "/initialize",
            PATH,
        ]
        for path in paths:
            call(sandbox, b"", method="GET", path=path)
        call(sandbox, {"link_token": "x"}, path="/link/session")
        assert [request.path for request in sandbox.requests] == ["/initialize", PATH]
        assert [request.path for request in told] == [*paths[1:], "/link/session"]
        page = call(sandbox, b"", method="GET", path="/__sandbox__/overview").json
        assert [one["path"] for one in page["requests"]][::-1] == [*paths[1:], "/link/session"]


def test_a_snapshot_of_the_requests_stays_as_it_was(sandbox: Sandbox) -> None:
    call(sandbox)
    before = sandbox.requests
    call(sandbox)
    assert (len(before), len(sandbox.requests)) == (1, 2)


def test_recorded_headers_are_looked_up_without_regard_to_case(sandbox: Sandbox) -> None:
    call(sandbox, headers={"X-Colour": "blue"})
    headers = sandbox.requests[0].headers
    assert headers["x-colour"] == headers["X-COLOUR"] == headers.get("X-Colour") == "blue"
    assert headers["authorization"] == f"Bearer {sandbox.api_key}"
    assert "X-Colour" in list(headers)
    assert "x-COLOUR" in headers
    assert "x-other" not in headers
    assert headers.get("x-other") is None
    with pytest.raises(KeyError):
        headers["x-other"]


def test_a_header_that_came_twice_is_joined(sandbox: Sandbox) -> None:
    with connect(sandbox) as sock:
        sock.sendall(raw_request(sandbox, None, "X-Colour: blue", "x-colour: red"))
        read_answer(sock)
    headers = sandbox.requests[0].headers
    assert headers["X-Colour"] == "blue, red"
    assert len(headers) == len(list(headers))


def test_a_recorded_request_cannot_be_changed(sandbox: Sandbox) -> None:
    call(sandbox)
    request = sandbox.requests[0]
    with pytest.raises(FrozenInstanceError):
        request.status = 500  # type: ignore[misc]
    with pytest.raises(TypeError):
        request.headers["Host"] = "x"  # type: ignore[index]
    request.json["categories"].append("crm")
    assert request.json == GOOD


def test_no_repr_shows_a_credential(sandbox: Sandbox) -> None:
    call(sandbox, headers={"X-Account-Token": "secret-account"})
    call(sandbox, headers={"Authorization": "Bearer secret-other"})
    call(sandbox, path="/api/ats/v1/account-token/secret-public", method="GET")
    shown = [sandbox, sandbox.requests, *(request.headers for request in sandbox.requests)]
    text = " ".join(f"{thing!r} {thing}" for thing in shown)
    assert sandbox.url in text
    assert "Content-Type" in text
    assert "<RecordedRequest GET /api/ats/v1/account-token/*** -> 404>" in text
    assert sandbox.api_key not in text
    assert "secret" not in text


def recorded(log: RequestLog, count: int, body: bytes) -> list[bytes]:
    for number in range(count):
        log.add(Incoming("POST", f"/{number}", [], body), Outgoing(200, [], b""))
    return [request.body for request in log.snapshot()]


def test_old_requests_give_way_to_new_ones() -> None:
    log = RequestLog()
    recorded(log, MOST_REQUESTS + 5, b"")
    kept = log.snapshot()
    assert len(kept) == MOST_REQUESTS
    assert (kept[0].path, kept[-1].path) == ("/5", f"/{MOST_REQUESTS + 4}")


def test_large_requests_give_way_sooner() -> None:
    assert len(recorded(RequestLog(), 70, bytes(MIB))) == MOST_BYTES // MIB == 64


def test_the_answer_to_a_refused_request_is_kept(sandbox: Sandbox) -> None:
    call(sandbox)
    call(sandbox, {"categories": []}, path="/api/nowhere")
    sandbox.drop("before")
    with connect(sandbox) as sock:
        sock.sendall(raw_request(sandbox, None))
        assert sock.recv(1) == b""
    refusals = [request.refusal for request in sandbox.requests]
    assert refusals == [b"", b'{"detail":"Not found."}', b""]
    assert "Not found" not in repr(sandbox.requests)


def test_the_paths_secrets_are_masked_and_ids_are_not(sandbox: Sandbox) -> None:
    id = "0b6e1c40-1234-4abc-8000-0123456789ab"
    paths = {
        f"/api/ats/v1/issues/{id}": f"/api/ats/v1/issues/{id}",
        f"/api/ats/v1/candidates/ignore/{id}": f"/api/ats/v1/candidates/ignore/{id}",
        f"/api/ats/v1/account-token/{id}": "/api/ats/v1/account-token/***",
        f"/api/ats/v1/issues/{id}0123": "/api/ats/v1/issues/***",
        "/api/ats/v1/account-token/regenerate": "/api/ats/v1/account-token/regenerate",
    }
    for path in paths:
        call(sandbox, path=path)
    assert [one.masked_path for one in sandbox.requests] == list(paths.values())
