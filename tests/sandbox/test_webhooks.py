"""Webhooks: what is sent and when, how it is signed, and what happens when the target fails."""

import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from conftest import Tls
from linked import command, get, link, make_link_token, order, post
from merge_link.sandbox import Sandbox, webhooks
from merge_link.sandbox.webhooks import MOST_DELIVERIES, WAITS
from plain_http import call
from scripted import Server, answer, hang_up, stay_silent, stay_silent_after

KEY = "the-webhook-key"
Serve = Callable[..., Server]


def url_of(server: Server, path: str = "/hooks") -> str:
    return server.base_url.removesuffix("/api") + path


def sandbox_for(server: Server, path: str = "/hooks", **options: Any) -> Sandbox:
    return Sandbox(webhook_url=url_of(server, path), webhook_key=KEY, **options)


def head_and_body(request: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, {name.lower(): text for name, text in (one.split(": ") for one in lines)}, body


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """As RFC 2104 defines it, without the library that the sandbox uses."""
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).digest()


# ---- what is sent ----


def test_a_linked_account_is_told_with_its_token(serve: Serve) -> None:
    target = serve(answer(204))
    with sandbox_for(target, "/hooks?from=merge") as sandbox:
        account = link(sandbox, integration="greenhouse")
        (delivery,) = sandbox.wait_for_deliveries()
        details = get(sandbox, "/api/ats/v1/account-details", account["account_token"]).json
    first, headers, body = head_and_body(*target.requests)
    assert first == "POST /hooks?from=merge HTTP/1.1"
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{target.port}"
    told = json.loads(body)
    assert told["hook"].pop("id")
    assert told == {
        "hook": {"event": "LinkedAccount.linked", "target": url_of(target, "/hooks?from=merge")},
        "linked_account": details,
        "data": {"account_token": account["account_token"], "is_relink": False},
    }
    assert delivery.event == "LinkedAccount.linked"
    assert delivery.url == url_of(target)
    assert (delivery.state, delivery.attempts, delivery.status) == ("delivered", 1, 204)
    assert delivery.json == json.loads(body)
    assert abs(delivery.created_at - time.time()) < 60


@pytest.mark.parametrize("key", [KEY, "k" * 64, "ключ"])
def test_the_signature_is_of_the_raw_body(serve: Serve, key: str) -> None:
    target = serve(answer())
    with Sandbox(webhook_url=url_of(target), webhook_key=key) as sandbox:
        assert sandbox.webhook_key == key
        call(sandbox, order("acme-42", end_user_organization_name="Größe"))
        sandbox.complete_link(make_link_token(sandbox), "lever")
        sandbox.wait_for_deliveries()
    _, headers, body = head_and_body(*target.requests)
    signature = headers["x-merge-webhook-signature"]
    assert base64.urlsafe_b64decode(signature) == hmac_sha256(key.encode(), body)
    assert not set(signature) & set("+/")


def test_relinking_and_deleting_are_told(serve: Serve) -> None:
    target = serve(answer())
    with sandbox_for(target) as sandbox:
        account = link(sandbox)
        link(sandbox)
        magic = call(sandbox, order(should_create_magic_link_url=True)).json["magic_link_url"]
        sandbox.complete_magic_link(magic)
        post(sandbox, "/api/ats/v1/delete-account", account["account_token"])
        sandbox.wait_for_deliveries(4)
    told = target.bodies
    assert [body["hook"]["event"] for body in told] == [
        *["LinkedAccount.linked"] * 3,
        "LinkedAccount.deleted",
    ]
    assert [body["data"].get("is_relink") for body in told] == [False, True, True, None]
    assert told[3]["data"] == {}
    assert {body["linked_account"]["id"] for body in told} == {account["id"]}
    assert len({body["hook"]["id"] for body in told}) == 1


def test_issues_are_told_when_they_begin_and_end(serve: Serve) -> None:
    target = serve(answer())
    with sandbox_for(target) as sandbox:
        account = link(sandbox)
        id = sandbox.raise_issue(account["id"], "No permission.")
        sandbox.raise_issue(account["id"], "No permission.")
        shown = get(sandbox, f"/api/ats/v1/issues/{id}").json
        sandbox.resolve_issue(id)
        sandbox.resolve_issue(id)
        sandbox.wait_for_deliveries(3)
    _, created, resolved = target.bodies
    assert [one["hook"]["event"] for one in (created, resolved)] == [
        "Issue.created",
        "Issue.resolved",
    ]
    assert created["linked_account"]["id"] == account["id"]
    assert created["data"]["error_description"] == "No permission."
    assert resolved["data"] == {**shown, "status": "RESOLVED"}


def test_syncs_are_told_when_the_clock_is_advanced(serve: Serve) -> None:
    target = serve(answer())
    with sandbox_for(target) as sandbox:
        account = link(sandbox)
        sandbox.advance(minutes=4)
        sandbox.advance(minutes=1)
        sandbox.advance(minutes=1)
        sandbox.advance(hours=72)
        post(sandbox, "/api/ats/v1/sync-status/resync", account["account_token"])
        # Nobody advances the clock, but somebody asks.
        sandbox._state.clock.advance(301)
        for _ in range(2):
            get(sandbox, "/api/ats/v1/sync-status", account["account_token"])
        sandbox.wait_for_deliveries(5)
    told = target.bodies
    events = [(body["hook"]["event"], body["data"].get("is_initial_sync")) for body in told]
    assert events == [
        ("LinkedAccount.linked", None),
        ("LinkedAccount.synced", True),
        ("LinkedAccount.fully_synced_initial", None),
        ("LinkedAccount.synced", False),
        ("LinkedAccount.synced", False),
    ]
    models = told[1]["data"]["sync_status"]
    assert [model["status"] for model in models] == ["DONE"] * 3


def test_a_sync_is_told_though_the_next_has_begun(serve: Serve) -> None:
    target = serve(answer())
    with sandbox_for(target) as sandbox:
        link(sandbox)
        sandbox.advance(hours=24)
        sandbox.advance(seconds=1)
        sandbox.wait_for_deliveries(3)
    told = target.bodies
    assert [body["hook"]["event"].partition(".")[2] for body in told] == [
        *("linked", "synced", "fully_synced_initial"),
    ]
    assert [model["status"] for model in told[1]["data"]["sync_status"]] == ["DONE"] * 3


def test_a_sync_that_nobody_asked_about_is_told_before_the_next_begins(serve: Serve) -> None:
    target = serve(answer())
    with sandbox_for(target) as sandbox:
        account = link(sandbox)
        sandbox._state.clock.advance(301)
        link(sandbox)
        sandbox._state.clock.advance(301)
        sandbox.relink_needed(account["id"])
        sandbox.wait_for_deliveries(5)
    assert [body["hook"]["event"].partition(".")[2] for body in target.bodies] == [
        *("linked", "synced", "fully_synced_initial", "linked"),
        "synced",
    ]


def test_other_events_are_told_by_any_name(serve: Serve) -> None:
    target = serve(answer())
    with sandbox_for(target) as sandbox:
        account = link(sandbox)
        sandbox.emit("candidate.changed", data={"id": "c1"})
        other = link(sandbox, "globex")
        sandbox.emit("Issue.created", other["id"])
        answered = command(
            sandbox, "emit", {"event": "Issue.resolved", "account": account["account_token"]}
        )
        assert (answered.status, answered.json) == (200, {})
        sandbox.wait_for_deliveries(5)
    told = {body["hook"]["event"]: body for body in target.bodies}
    assert told["candidate.changed"]["data"] == {"id": "c1"}
    assert told["candidate.changed"]["linked_account"]["id"] == account["id"]
    assert told["Issue.created"]["linked_account"]["id"] == other["id"]
    assert told["Issue.resolved"]["linked_account"]["id"] == account["id"]


def test_nothing_is_told_that_did_not_happen(serve: Serve) -> None:
    target = serve(answer())
    with sandbox_for(target) as sandbox:
        make_link_token(sandbox)
        with pytest.raises(ValueError, match="there is no such link token"):
            sandbox.complete_link("x", "lever")
        assert sandbox.deliveries == []
    assert target.requests == []


def test_the_target_may_speak_tls(serve: Serve, tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    target = serve(answer(), tls=tls.context)
    with sandbox_for(target) as sandbox:
        link(sandbox)
        (refused,) = sandbox.wait_for_deliveries(attempts=1)
        assert refused.problem is not None
        assert refused.problem.startswith("its certificate is not trusted: ")
        monkeypatch.setenv("SSL_CERT_FILE", tls.ca_file)
        sandbox.advance(minutes=1)
        assert sandbox.wait_for_deliveries()[0].status == 200
    assert len(target.requests) == 1


# ---- when the target fails ----


def test_a_target_that_fails_twice_is_told_a_third_time(serve: Serve) -> None:
    target = serve(answer(500), hang_up, answer(200))
    with sandbox_for(target) as sandbox:
        link(sandbox)
        (first,) = sandbox.wait_for_deliveries(attempts=1)
        assert (first.state, first.status, first.problem) == ("waiting", 500, None)
        sandbox.advance(seconds=WAITS[0])
        (second,) = sandbox.wait_for_deliveries(attempts=2)
        assert (second.state, second.status) == ("waiting", None)
        assert second.problem
        sandbox.advance(seconds=WAITS[1])
        (third,) = sandbox.wait_for_deliveries()
        assert (third.state, third.attempts, third.status) == ("delivered", 3, 200)
        assert (third.problem, third.created_at) == (None, first.created_at)
    assert len(target.requests) == 3
    assert len(set(target.requests)) == 1  # signature and all


def test_the_first_repetition_comes_by_itself(serve: Serve) -> None:
    target = serve(answer(503), answer(200))
    with sandbox_for(target) as sandbox:
        link(sandbox)
        assert sandbox.wait_for_deliveries()[0].attempts == 2


def test_it_gives_up_after_about_an_hour(serve: Serve) -> None:
    assert 55 * 60 < sum(WAITS) < 65 * 60
    target = serve(answer(500))
    with sandbox_for(target) as sandbox:
        without_syncs = make_link_token(sandbox, are_syncs_disabled=True)
        sandbox.complete_link(without_syncs, "lever")
        sandbox.advance(minutes=30)
        (half,) = sandbox.wait_for_deliveries(attempts=7)
        assert half.state == "waiting"
        sandbox.advance(minutes=35)
        (given_up,) = sandbox.wait_for_deliveries()
        assert (given_up.state, given_up.attempts) == ("failed", 9)
        sandbox.advance(hours=24)
        link(sandbox, "globex")
        sandbox.wait_for_deliveries(2, attempts=1)
    assert len(target.requests) == 10


@pytest.mark.parametrize("status", [301, 304, 400, 404, 410, 429])
def test_whatever_is_no_2xx_is_a_failure(serve: Serve, status: int) -> None:
    target = serve(answer(status, b"", "Location: /elsewhere"))
    with sandbox_for(target) as sandbox:
        link(sandbox)
        (delivery,) = sandbox.wait_for_deliveries(attempts=1)
        assert (delivery.state, delivery.status) == ("waiting", status)
    assert all(request.startswith(b"POST /hooks ") for request in target.requests)


@pytest.mark.parametrize(
    "silence", [stay_silent, stay_silent_after(b"HTTP/1.1 200 OK\r\nX-Drip: ")], ids=["all", "most"]
)
def test_a_target_that_hangs_is_a_failure(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, silence: Any
) -> None:
    assert webhooks.ANSWER_SECONDS == 10.0
    monkeypatch.setattr(webhooks, "ANSWER_SECONDS", 0.05)
    target = serve(silence, answer(200))
    with sandbox_for(target) as sandbox:
        link(sandbox)
        (first,) = sandbox.wait_for_deliveries(attempts=1)
        assert (first.status, first.problem) == (None, "no answer in 0.05 s")
        monkeypatch.setattr(webhooks, "ANSWER_SECONDS", 10.0)
        sandbox.advance(minutes=1)
        assert sandbox.wait_for_deliveries()[0].status == 200


def test_a_tls_handshake_that_hangs_is_a_failure(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "ANSWER_SECONDS", 0.05)
    target = serve(raw=lambda connection: connection.wait_for_end())
    with Sandbox(webhook_url=url_of(target).replace("http:", "https:")) as sandbox:
        link(sandbox)
        (delivery,) = sandbox.wait_for_deliveries(attempts=1)
        assert delivery.problem == "no answer in 0.05 s"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (b"SSH-2.0-x\r\n", "its answer is no HTTP"),
        (b"HTTP/1.1 abc\r\n\r\n", "its answer is no HTTP"),
    ],
)
def test_what_is_no_http_is_a_failure(serve: Serve, said: bytes, problem: str) -> None:
    target = serve(said)
    with sandbox_for(target) as sandbox:
        link(sandbox)
        assert sandbox.wait_for_deliveries(attempts=1)[0].problem == problem


def test_a_target_that_is_not_there_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Sandbox(webhook_url=f"http://127.0.0.1:{port}") as sandbox:
        link(sandbox)
        (delivery,) = sandbox.wait_for_deliveries(attempts=1)
        assert (delivery.state, delivery.problem) == ("waiting", "Connection refused")


def test_a_target_that_hangs_does_not_keep_the_api_waiting(serve: Serve) -> None:
    target = serve(stay_silent)
    with sandbox_for(target) as sandbox:
        link(sandbox)
        target.wait_for_requests(1)
        for number in range(20):
            link(sandbox, f"acme-{number}")
        assert len(sandbox.deliveries) == 21


# ---- waiting ----


def test_waiting_in_vain_says_how_far_it_came(serve: Serve) -> None:
    target = serve(answer(500))
    with sandbox_for(target) as sandbox:
        with pytest.raises(TimeoutError, match=r"^after 0\.01 s, no webhook was sent$"):
            sandbox.wait_for_deliveries(timeout=0.01)
        link(sandbox)
        sandbox.wait_for_deliveries(attempts=1)
        said = r"LinkedAccount\.linked: waiting, attempts: 1, 500$"
        with pytest.raises(TimeoutError, match=said):
            sandbox.wait_for_deliveries(timeout=0.01)
        with pytest.raises(TimeoutError, match=said):
            sandbox.wait_for_deliveries(2, attempts=1, timeout=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "count must be a positive integer"),
        ({"attempts": "1"}, "attempts must be a positive integer"),
        ({"timeout": -1}, "timeout must be from 0"),
    ],
)
def test_waiting_for_nonsense(serve: Serve, arguments: Any, message: str) -> None:
    with sandbox_for(serve()) as sandbox, pytest.raises(ValueError, match=message):
        sandbox.wait_for_deliveries(**arguments)


def test_what_came_first_may_be_forgotten(serve: Serve) -> None:
    target = serve(stay_silent)
    with sandbox_for(target) as sandbox:
        link(sandbox)
        for number in range(MOST_DELIVERIES):
            sandbox.emit(f"event.{number}")
        kept = sandbox.deliveries
    assert len(kept) == MOST_DELIVERIES
    assert kept[0].event == "event.0"


# ---- ending and beginning anew ----


def webhook_threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if "webhooks" in one.name]


def test_close_ends_a_delivery_in_the_middle(serve: Serve) -> None:
    before = threading.active_count()
    target = Server(stay_silent)
    try:
        with sandbox_for(target) as sandbox:
            link(sandbox)
            link(sandbox, "globex")
            target.wait_for_requests(1)
            begin = time.monotonic()
            sandbox.close()
            assert time.monotonic() - begin < 5.0
        assert webhook_threads() == []
        assert [one.state for one in sandbox.deliveries] == ["waiting", "waiting"]
        sandbox.close()
    finally:
        target.close()
    assert threading.active_count() == before
    assert len(target.requests) == 1


@pytest.fixture
def full() -> Iterator[int]:
    """The port of a listener whose queue is full: connecting to it hangs."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        port: int = listener.getsockname()[1]
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(("127.0.0.1", port))
        yield port


def test_connecting_that_hangs_is_a_failure(full: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "ANSWER_SECONDS", 0.05)
    with Sandbox(webhook_url=f"http://127.0.0.1:{full}") as sandbox:
        link(sandbox)
        (delivery,) = sandbox.wait_for_deliveries(attempts=1)
        assert (delivery.state, delivery.problem) == ("waiting", "no answer in 0.05 s")


def test_close_ends_connecting(full: int) -> None:
    with Sandbox(webhook_url=f"http://127.0.0.1:{full}") as sandbox:
        link(sandbox)
        begin = time.monotonic()
    assert time.monotonic() - begin < 5.0
    assert webhook_threads() == []


def test_close_ends_a_wait_for_the_next_attempt(serve: Serve) -> None:
    with sandbox_for(serve(answer(500))) as sandbox:
        link(sandbox)
        sandbox.wait_for_deliveries(attempts=1)
    assert webhook_threads() == []


def test_a_sandbox_that_never_started_has_no_thread(serve: Serve) -> None:
    sandbox_for(serve()).close()
    assert webhook_threads() == []


def test_reset_forgets_what_is_under_way(serve: Serve) -> None:
    target = serve(stay_silent, answer(200))
    with sandbox_for(target) as sandbox:
        link(sandbox)
        target.wait_for_requests(1)
        sandbox.reset()
        assert sandbox.deliveries == []
        link(sandbox)
        (delivery,) = sandbox.wait_for_deliveries()
        assert (delivery.attempts, delivery.status) == (1, 200)
    assert len(target.requests) == 2


def test_a_busy_sandbox_answers_while_it_delivers(serve: Serve) -> None:
    target = serve(answer())
    with sandbox_for(target) as sandbox:
        threads = [
            threading.Thread(target=link, args=(sandbox, f"acme-{number}")) for number in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sandbox.wait_for_deliveries(20)
    told = [body["linked_account"]["end_user_origin_id"] for body in target.bodies]
    assert sorted(told) == sorted(f"acme-{number}" for number in range(20))


# ---- what makes no sense ----


@pytest.mark.parametrize(
    "url",
    [
        *("", "hooks", "//host/", "ftp://host/", "http://", "http:///x", "http://h:0/", 5),
        *("http://h:x/", "http://h:70000/", "http://h/a b", "http://h/\n", "http://[::1/"),
        "http://hö.example/",
    ],
)
def test_a_url_that_is_none(url: Any) -> None:
    with pytest.raises(ValueError, match=r"^webhook_url must be an http:// or https:// URL"):
        Sandbox(webhook_url=url)


def test_a_password_in_the_url_is_not_repeated() -> None:
    with pytest.raises(ValueError, match=r"^webhook_url must not hold") as caught:
        Sandbox(webhook_url="http://joe:secret@h/")
    assert "secret" not in str(caught.value)


def test_a_key_without_a_url() -> None:
    with pytest.raises(ValueError, match="webhook_key needs webhook_url"):
        Sandbox(webhook_key=KEY)
    with pytest.raises(ValueError, match="webhook_key must be a string that is not empty"):
        Sandbox(webhook_url="http://127.0.0.1/", webhook_key="")


def test_a_sandbox_without_webhooks(sandbox: Sandbox) -> None:
    link(sandbox)
    assert sandbox.deliveries == []
    for ask in (lambda: sandbox.webhook_key, sandbox.wait_for_deliveries):
        with pytest.raises(RuntimeError, match=r"Sandbox\(webhook_url=\.\.\.\) does"):
            ask()
    with pytest.raises(ValueError, match=r"emit needs .*Sandbox\(webhook_url=\.\.\.\)"):
        sandbox.emit("candidate.changed")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"event": ""}, "event must be a string that is not empty"),
        ({"event": "x"}, "account must be the id of a linked account: no account is linked"),
        ({"event": "x", "account": "y"}, "account must be the id or account token of a linked"),
        ({"event": "x", "data": []}, "data must be an object that is ready for JSON"),
    ],
)
def test_emitting_nonsense(serve: Serve, arguments: Any, message: str) -> None:
    with sandbox_for(serve()) as sandbox:
        assert message in command(sandbox, "emit", arguments).json["detail"]
        with pytest.raises(ValueError, match=message):
            sandbox.emit(**arguments)
        assert sandbox.deliveries == []


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}])
def test_data_must_be_ready_for_json(serve: Serve, value: object) -> None:
    with sandbox_for(serve(answer())) as sandbox:
        link(sandbox)
        with pytest.raises(ValueError, match="ready for JSON"):
            sandbox.emit("x", data={"value": value})


def test_one_of_several_accounts_must_be_named(serve: Serve) -> None:
    with sandbox_for(serve(answer())) as sandbox:
        link(sandbox)
        link(sandbox, "globex")
        with pytest.raises(ValueError, match="several accounts are linked"):
            sandbox.emit("x")


# ---- keys ----


def test_a_made_up_key_stays_as_long_as_the_api_key(serve: Serve) -> None:
    url = url_of(serve())
    keys = [
        Sandbox(webhook_url=url, api_key=api_key).webhook_key
        for api_key in ("test_1", "test_1", "test_2")
    ]
    assert keys[0] == keys[1] != keys[2]
    assert "test_1" not in keys[0]


def test_no_secret_is_shown(serve: Serve) -> None:
    target = serve(answer())
    with sandbox_for(target, "/hooks?token=of-the-url") as sandbox:
        account = link(sandbox)
        (delivery,) = sandbox.wait_for_deliveries()
        shown = repr([delivery, sandbox, vars(sandbox)])
    for secret in ("of-the-url", account["account_token"], KEY):
        assert secret not in shown
