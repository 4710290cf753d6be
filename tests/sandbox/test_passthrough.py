"""Passthrough, which echoes, at once and asynchronously."""

import json
from typing import Any

import pytest

from linked import get, link, post
from merge_link.sandbox import Sandbox, passthrough

NOW = "/api/ats/v1/passthrough"
LATER = "/api/ats/v1/async-passthrough"
REQUEST = {
    "method": "POST",
    "path": "/teams?x=1",
    "data": '{"big": 123456789012345678901234567890}',
    "headers": {"Content-Type": "application/json"},
    "request_format": "JSON",
}
ECHO = {name: REQUEST[name] for name in ("method", "path", "data", "headers")}


@pytest.fixture
def token(sandbox: Sandbox) -> str:
    made: str = link(sandbox)["account_token"]
    return made


def test_it_echoes(sandbox: Sandbox, token: str) -> None:
    answer = post(sandbox, NOW, token, REQUEST)
    assert answer.status == 200
    assert answer.json == {
        "method": "POST",
        "path": "/teams?x=1",
        "status": 200,
        "response": ECHO,
        "response_headers": {"Content-Type": "application/json"},
        "response_type": "JSON",
        "headers": {"Content-Type": "application/json"},
    }


@pytest.mark.parametrize("data", [{"a": [1, None, "ü"]}, [1], "text", 1.5, 12**40, None, True])
def test_data_of_any_kind_comes_back(sandbox: Sandbox, token: str, data: Any) -> None:
    answer = post(sandbox, NOW, token, {"method": "GET", "path": "/x", "data": data})
    assert answer.json["response"] == {"method": "GET", "path": "/x", "data": data, "headers": {}}


def test_a_form_comes_back_as_data(sandbox: Sandbox, token: str) -> None:
    form = [{"name": "file", "data": "", "file_name": "cv.pdf"}]
    asked = {"method": "POST", "path": "/x", "multipart_form_data": form}
    assert post(sandbox, NOW, token, asked).json["response"]["data"] == form


def test_a_response_may_be_normalized(sandbox: Sandbox, token: str) -> None:
    answer = post(sandbox, NOW, token, {**REQUEST, "normalize_response": True})
    assert answer.json["response"] == {"type": "object", "value": ECHO}


@pytest.mark.parametrize("path", [NOW, LATER])
@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({}, {"method": ["This field is required."], "path": ["This field is required."]}),
        ({"method": "get", "path": "/"}, {"method": ['"get" is not a valid choice.']}),
        ({"method": "GET", "path": " "}, {"path": ["This field may not be blank."]}),
        (
            {"method": "GET", "path": "/", "request_format": "YAML", "normalize_response": "no"},
            {
                "request_format": ['"YAML" is not a valid choice.'],
                "normalize_response": ["Must be a valid boolean."],
            },
        ),
        (
            {"method": "GET", "path": "/", "headers": [], "multipart_form_data": [{}]},
            {
                "headers": ['Expected a dictionary of items but got type "list".'],
                "multipart_form_data": [
                    {"name": ["This field is required."], "data": ["This field is required."]}
                ],
            },
        ),
        (None, {"non_field_errors": ["No data provided"]}),
    ],
)
def test_refuses(sandbox: Sandbox, token: str, path: str, body: Any, problems: Any) -> None:
    answer = post(sandbox, path, token, body)
    assert (answer.status, answer.json) == (400, problems)


def test_a_number_that_no_answer_could_say_is_no_json(sandbox: Sandbox, token: str) -> None:
    answer = post(sandbox, NOW, token, b'{"method": "GET", "path": "/x", "data": 1e999}')
    assert answer.status == 400
    assert answer.json["detail"].startswith("JSON parse error - Out of range float values")


def nested(depth: int) -> bytes:
    return b'{"method": "GET", "path": "/x", "data": %b%b}' % (b"[" * depth, b"]" * depth)


def test_what_is_nested_too_deeply_is_no_json(sandbox: Sandbox, token: str) -> None:
    # What can just be read is deeper once it is in an answer, and may be too deep to be written.
    good, bad = 1, 500_000
    while bad - good > 1:
        depth = (good + bad) // 2
        good, bad = (
            (depth, bad)
            if post(sandbox, NOW, token, nested(depth)).status == 200
            else (good, depth)
        )
    for path in (NOW, LATER):
        for depth in range(bad - 3, bad + 10):
            answer = post(sandbox, path, token, nested(depth))
            assert answer.status in (200, 400), depth
            if answer.status == 400:
                assert answer.json == {"detail": "JSON parse error - nested too deeply"}


def test_an_asynchronous_result_is_text_until_it_is_there(sandbox: Sandbox, token: str) -> None:
    answer = post(sandbox, LATER, token, REQUEST)
    assert answer.status == 200
    (receipt,) = answer.json.values()
    assert list(answer.json) == ["async_passthrough_receipt_id"]
    early = get(sandbox, f"{LATER}/{receipt}", token)
    assert (early.status, type(json.loads(early.body))) == (200, str)
    sandbox.advance(seconds=1)
    there = get(sandbox, f"{LATER}/{receipt}", token)
    assert (there.status, there.json) == (200, post(sandbox, NOW, token, REQUEST).json)
    assert get(sandbox, f"{LATER}/{receipt}", token).json == there.json


def test_only_the_latest_results_are_kept(
    sandbox: Sandbox, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passthrough, "MOST_RESULTS", 3)
    receipts = [
        post(sandbox, LATER, token, REQUEST).json["async_passthrough_receipt_id"] for _ in range(5)
    ]
    found = [get(sandbox, f"{LATER}/{receipt}", token).status for receipt in receipts]
    assert found == [404, 404, 200, 200, 200]


def test_a_receipt_is_of_its_account(sandbox: Sandbox, token: str) -> None:
    receipt = post(sandbox, LATER, token, REQUEST).json["async_passthrough_receipt_id"]
    other = link(sandbox, "globex")["account_token"]
    for path, who in [(receipt, other), ("x", token), (f"{receipt}x", token)]:
        answer = get(sandbox, f"{LATER}/{path}", who)
        assert (answer.status, answer.json) == (404, {"detail": "Not found."})
