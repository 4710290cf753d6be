"""The requests as text for a person."""

from typing import Any

import pytest

from merge_link.sandbox import Sandbox
from merge_link.sandbox.record import RecordedHeaders, RecordedRequest
from merge_link.sandbox.report import MOST_REQUESTS, describe
from plain_http import call

TOKEN = "necdP7FtdASl1fQwm62be2_dM4wBG8_GactqoUV0"


def request(path: str = "/api/ats/v1/link-token", **more: Any) -> RecordedRequest:
    given = {"method": "GET", "headers": RecordedHeaders([]), "body": b"", "status": 200}
    return RecordedRequest(**{**given, "path": path, **more})


def test_requests_stand_in_their_order_with_what_was_wrong(sandbox: Sandbox) -> None:
    call(sandbox)
    call(sandbox, {"categories": []})
    sandbox.fail(503, body="<h1>No</h1>\n")
    call(sandbox)
    assert describe(sandbox.requests).splitlines() == [
        "POST /api/ats/v1/link-token -> 200 OK",
        "POST /api/ats/v1/link-token -> 400 Bad Request",
        "    end_user_email_address: This field is required.",
        "    end_user_organization_name: This field is required.",
        "    end_user_origin_id: This field is required.",
        "    categories: This list may not be empty.",
        "POST /api/ats/v1/link-token -> 503 Service Unavailable",
        "    <h1>No</h1> ",
    ]


def test_no_request_is_told_too() -> None:
    assert describe([]) == "none"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/api/ats/v1/account-token/{TOKEN}", "/api/ats/v1/account-token/***"),
        ("/api/integrations/account-token/short", "/api/integrations/account-token/***"),
        (f"/link/{TOKEN[:24]}", "/link/***"),
        (f"/api/ats/v1/acount-token/{TOKEN}", "/api/ats/v1/acount-token/***"),
        (f"/{TOKEN.replace('_', '%5F')}", "/***"),
        ("/api/ats/v1/account-token/regenerate", "/api/ats/v1/account-token/regenerate"),
        ("/api/ats/v1/linked-account-scopes", "/api/ats/v1/linked-account-scopes"),
        ("/api//x/", "/api//x/"),
    ],
)
def test_tokens_in_a_path_are_masked(path: str, shown: str) -> None:
    assert describe([request(path)]) == f"GET {shown} -> 200 OK"


def test_credentials_in_an_answer_are_masked() -> None:
    headers = RecordedHeaders(
        [("Authorization", "Bearer test_secret"), ("X-Account-Token", "account")]
    )
    refusal = b'{"detail": "test_secret and account are wrong"}'
    text = describe([request(headers=headers, status=401, refusal=refusal)])
    assert text.splitlines()[1] == "    detail: *** and *** are wrong"


def test_what_is_long_or_unprintable_stays_a_line() -> None:
    refusal = b'{"a": ["x\\u0000\\n\\ud800y", "' + b"z" * 999 + b'"], "b": [{"c": ["d"]}, null]}'
    lines = describe([request("/\x1b[31m", status=400, refusal=refusal)]).splitlines()
    assert lines[0] == "GET / [31m -> 400 Bad Request"
    assert lines[1] == "    a: x   y"
    assert lines[2] == "    a: " + "z" * 196 + "…"
    assert lines[3:] == ["    b[0].c: d"]


@pytest.mark.parametrize("refusal", [b"\xff", b"", b"null", b"[" * 100_000, b"12"])
def test_any_answer_can_be_described(refusal: bytes) -> None:
    assert describe([request(status=599, refusal=refusal)]).startswith("GET ")


def test_only_the_latest_requests_and_the_first_problems_are_shown() -> None:
    refusal = b"[" + b",".join(b'"wrong"' for _ in range(13)) + b"]"
    many = [request() for _ in range(MOST_REQUESTS + 2)]
    lines = describe([*many, request(status=400, refusal=refusal)]).splitlines()
    assert lines[0] == "(3 earlier ones are left out)"
    assert lines.count("GET /api/ats/v1/link-token -> 200 OK") == MOST_REQUESTS - 1
    assert lines[-2:] == ["    wrong", "    (and 3 more)"]
