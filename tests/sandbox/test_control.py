"""What a test may ask of the sandbox over HTTP, and who may not."""

import inspect
from typing import Any

import pytest

from linked import command, get, link, make_link_token, order
from merge_link.sandbox import Sandbox
from merge_link.sandbox.commands import Commands
from merge_link.sandbox.control import RESULTS
from plain_http import Answer, call, connect, port_of, read_answer


def test_every_command_is_offered_by_its_name() -> None:
    public = [name for name, _ in inspect.getmembers(Commands, inspect.isfunction)]
    assert {name for name in public if not name.startswith("_")} == set(RESULTS)


def test_faults_are_asked_for(sandbox: Sandbox) -> None:
    asked = {"status": 429, "retry_after": 1, "times": 2, "on": "link-token"}
    answer = command(sandbox, "fail", asked)
    assert (answer.status, answer.json) == (200, {})
    assert call(sandbox).headers["Retry-After"] == "1"
    assert [call(sandbox).status for _ in range(2)] == [429, 200]
    assert command(sandbox, "fail", {"times": None}).status == 200
    assert command(sandbox, "clear_faults", {}).status == 200
    assert call(sandbox).status == 200
    assert command(sandbox, "garble", {}).status == 200
    assert call(sandbox).body[0] >= 0x80
    assert command(sandbox, "throttle", {"requests": 1}).status == 200
    assert [call(sandbox).status for _ in range(2)] == [200, 429]


def test_time_passes_and_end_users_link(sandbox: Sandbox) -> None:
    token = make_link_token(sandbox)
    asked = {"link_token": token, "integration": "lever"}
    answer = command(sandbox, "complete_link", asked)
    assert answer.status == 200
    assert list(answer.json) == ["public_token"]
    path = f"/api/ats/v1/account-token/{answer.json['public_token']}"
    account = get(sandbox, path).json
    assert command(sandbox, "relink_needed", {"account": account["id"]}).json == {}
    page = get(sandbox, "/api/ats/v1/linked-accounts?status=RELINK_NEEDED").json
    assert [listed["id"] for listed in page["results"]] == [account["id"]]
    late = make_link_token(sandbox)
    assert command(sandbox, "advance", {"minutes": 31}).status == 200
    answer = command(sandbox, "complete_link", {"link_token": late})
    assert (answer.status, answer.json) == (400, {"detail": "the link token has expired."})
    magic = call(sandbox, order(should_create_magic_link_url=True)).json["magic_link_url"]
    assert command(sandbox, "complete_magic_link", {"magic_link_url": magic}).json == {}
    assert command(sandbox, "reset", {}).status == 200
    assert get(sandbox, "/api/ats/v1/linked-accounts").json["results"] == []


def test_commands_are_not_among_the_requests(sandbox: Sandbox) -> None:
    command(sandbox, "fail", {})
    command(sandbox, "nonsense", {})
    assert sandbox.requests == []


def test_faults_do_not_meet_commands(sandbox: Sandbox) -> None:
    sandbox.fail(times=None)
    sandbox.shut_out(failures=1)
    assert call(sandbox).status == 503
    assert command(sandbox, "clear_faults", {}).status == 200


@pytest.mark.parametrize(
    ("name", "body", "detail"),
    [
        ("fail", {"status": 200}, "status must be an integer from 400 to 599."),
        ("fail", {"stauts": 503}, "got an unexpected keyword argument 'stauts'."),
        ("fail", {"times": "2"}, "times must be a positive integer."),
        ("fail", {"on": {}}, "on must be one of link-token, account-token, "),
        ("delay", {}, "missing a required argument: 'seconds'."),
        ("drop", {"when": "later"}, "when must be one of before, headers, body."),
        ("advance", {"minutes": "31"}, "minutes must be a number."),
        ("complete_link", {"link_token": "x"}, "there is no such link token."),
        ("complete_link", {"link_token": None}, "link_token must be a string"),
        ("add_api_key", {"api_key": "a b"}, "api_key must be visible ASCII"),
        ("fail", [], "The body must be a JSON object."),
        ("fail", b"{", "JSON parse error - "),
        ("fail", {"self": 1}, "got an unexpected keyword argument 'self'."),
    ],
)
def test_what_makes_no_sense_is_a_400(sandbox: Sandbox, name: str, body: Any, detail: str) -> None:
    answer = command(sandbox, name, body)
    assert answer.status == 400
    assert answer.json["detail"].startswith(detail)
    assert call(sandbox).status == 200


@pytest.mark.parametrize(
    "name", ["", "start", "close", "requests", "_state", "__init__", "fail/", "client", "Fail"]
)
def test_nothing_else_is_offered(sandbox: Sandbox, name: str) -> None:
    assert command(sandbox, name, {}).status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS", "HEAD"])
def test_only_post(sandbox: Sandbox, method: str) -> None:
    answer = call(sandbox, b"", method=method, path="/__sandbox__/reset")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


# ---- who may not: pages of the internet, by way of a browser on this machine ----


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST", 200),
        ("[::1]:{port}", 200),
        ("evil.example", 403),
        ("evil.example:{port}", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("[::1", 403),
        ("", 403),
    ],
)
def test_the_host_must_be_this_machine_by_name(sandbox: Sandbox, host: str, status: int) -> None:
    account = link(sandbox)
    answer = command(sandbox, "reset", {}, Host=host.format(port=port_of(sandbox)))
    assert answer.status == status
    left = get(sandbox, "/api/ats/v1/account-details", account["account_token"]).status
    assert left == (200 if status == 403 else 401)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:{port}", 200),
        ("http://127.0.0.1:1", 403),
        ("http://localhost:{port}", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_pages_of_other_origins_may_not(sandbox: Sandbox, origin: str, status: int) -> None:
    answer = command(sandbox, "reset", {}, Origin=origin.format(port=port_of(sandbox)))
    assert answer.status == status


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_what_a_form_can_send_is_not_taken(
    sandbox: Sandbox, media_type: str | None, body: bytes
) -> None:
    assert command(sandbox, "reset", body, Content_Type=media_type).status == 415


@pytest.mark.parametrize("path", ["/__sandbox__/reset", "/api/ats/v1/link-token", "/"])
def test_no_answer_allows_another_origin(sandbox: Sandbox, path: str) -> None:
    for method in ("POST", "OPTIONS"):
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port_of(sandbox)}",
            "Origin: https://evil.example",
            "Access-Control-Request-Method: POST",
            "Content-Type: application/json",
            "Content-Length: 2",
        ]
        with connect(sandbox) as sock:
            sock.sendall(("\r\n".join(lines) + "\r\n\r\n{}").encode())
            answer: Answer = read_answer(sock)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
