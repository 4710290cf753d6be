"""The page at /, and what it asks of the sandbox: who may see it, and what is in it."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from linked import get, link, make_link_token, order, post
from merge_link.sandbox import Sandbox
from merge_link.sandbox.overview import MOST
from plain_http import Answer, call, port_of
from scripted import Server, answer

NAMES = ("theme.css", "home.css", "home.js", "icon.svg")
FILES = ["/", *(f"/__sandbox__/page/{name}" for name in NAMES)]
READS = ["overview", "deliveries"]


def read(sandbox: Sandbox, name: str = "overview", **headers: str) -> Answer:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return call(
        sandbox,
        b"",
        method="GET",
        path=f"/__sandbox__/{name}",
        headers={"Authorization": None, "Content-Type": None, **named},
    )


def overview(sandbox: Sandbox) -> dict[str, Any]:
    answered = read(sandbox)
    assert answered.status == 200
    shown: dict[str, Any] = answered.json
    return shown


# ---- files ----


@pytest.mark.parametrize("path", FILES)
def test_its_files_allow_a_browser_as_little_as_can_be(sandbox: Sandbox, path: str) -> None:
    answered = get(sandbox, path)
    assert answered.status == 200
    policy = answered.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answered.headers["X-Content-Type-Options"] == "nosniff"
    assert answered.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", FILES)
def test_its_files_name_nothing_outside(sandbox: Sandbox, path: str) -> None:
    text = get(sandbox, path).body.decode()
    assert set(re.findall(r"https?://[\w.-]+", text)) <= {"http://www.w3.org"}  # of SVG
    assert not re.search(r"innerHTML|insertAdjacent|document\.write|eval\(|style=|onclick=", text)
    assert set(re.findall(r'(?:src|href)="(?!\$)([^"]+)"', text)) <= set(FILES)


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "POST", 405),
        ("/", "HEAD", 200),
        ("/index.html", "GET", 404),
        ("//", "GET", 404),
        ("/__sandbox__/page/", "GET", 404),
        ("/__sandbox__/page/../home.py", "GET", 404),
        ("/__sandbox__/page/home.html", "GET", 404),
    ],
)
def test_no_other_file_is_there(sandbox: Sandbox, path: str, method: str, status: int) -> None:
    assert call(sandbox, b"", method=method, path=path).status == status


def test_the_page_is_not_among_the_requests(sandbox: Sandbox) -> None:
    for path in (*FILES, "/__sandbox__/overview"):
        get(sandbox, path)
    assert sandbox.requests == []
    get(sandbox, "/nowhere")
    assert [request.path for request in sandbox.requests] == ["/nowhere"]


# ---- what it shows ----


def test_an_empty_sandbox(sandbox: Sandbox) -> None:
    assert overview(sandbox) == {
        "url": sandbox.url,
        "api_key": sandbox.api_key,
        "ca_file": None,
        "webhook": None,
        "seconds_ahead": 0,
        "faults": 0,
        "link_tokens": [],
        "linked_accounts": [],
        "requests": [],
        "deliveries": [],
    }


def test_what_happens_is_shown_newest_first(sandbox: Sandbox) -> None:
    account = link(sandbox)
    other = link(sandbox, "globex", "hris")
    magic = call(sandbox, order("later", should_create_magic_link_url=True)).json
    sandbox.relink_needed(other["id"])
    shown = overview(sandbox)
    assert [one["id"] for one in shown["linked_accounts"]] == [other["id"], account["id"]]
    assert shown["linked_accounts"][0] == {
        "id": other["id"],
        "account_token": other["account_token"],
        "category": "hris",
        "integration_name": "BambooHR",
        "end_user_organization_name": "Acme",
        "end_user_origin_id": "globex",
        "status": "RELINK_NEEDED",
        "completed_at": pytest.approx(time.time(), abs=60),
    }
    assert [one["state"] for one in shown["link_tokens"]] == ["ready", "used", "used"]
    newest = shown["link_tokens"][0]
    assert newest["link_token"] == magic["link_token"]
    assert sandbox.url + newest["magic_link"] == magic["magic_link_url"]
    assert newest["expires_at"] - newest["created_at"] == 30 * 60
    assert [one["path"] for one in shown["requests"]] == [
        "/api/ats/v1/link-token",
        "/api/integrations/account-token/***",
        "/api/ats/v1/link-token",
        "/api/integrations/account-token/***",
        "/api/ats/v1/link-token",
    ]
    assert all(one["status"] == 200 for one in shown["requests"])
    link(sandbox)  # relinks
    assert overview(sandbox)["linked_accounts"][0]["id"] == account["id"]
    post(sandbox, "/api/ats/v1/delete-account", account["account_token"])
    assert len(overview(sandbox)["linked_accounts"]) == 1


def test_requests_are_shown_without_their_secrets(sandbox: Sandbox) -> None:
    public = sandbox.complete_link(make_link_token(sandbox), "lever")
    call(sandbox, path=f"/api/ats/v1/account-token/{public}?x=of-the-query", method="GET")
    shown = str(overview(sandbox)["requests"])
    assert public not in shown
    assert "of-the-query" not in shown
    assert sandbox.api_key not in shown


def test_times_are_those_of_the_answers(sandbox: Sandbox) -> None:
    sandbox.delay(0.05)
    call(sandbox)
    (shown,) = overview(sandbox)["requests"]
    assert 50 <= shown["milliseconds"] < 10_000
    assert sandbox.requests[0].seconds == pytest.approx(shown["milliseconds"] / 1000, abs=1e-3)
    assert abs(shown["answered_at"] - time.time()) < 60


def test_faults_and_time_are_shown(sandbox: Sandbox) -> None:
    sandbox.fail(times=2)
    sandbox.delay(0.001)
    sandbox.throttle(100)
    sandbox.advance(minutes=31)
    shown = overview(sandbox)
    assert (shown["faults"], shown["seconds_ahead"]) == (3, 31 * 60)
    call(sandbox)
    call(sandbox)
    assert overview(sandbox)["faults"] == 1
    sandbox.reset()
    shown = overview(sandbox)
    assert (shown["faults"], shown["seconds_ahead"]) == (0, 0)


def test_no_more_is_shown_than_can_be_looked_at(sandbox: Sandbox) -> None:
    for number in range(MOST + 2):
        link(sandbox, f"acme-{number}")
    shown = overview(sandbox)
    assert {len(shown[name]) for name in ("link_tokens", "linked_accounts", "requests")} == {MOST}
    assert shown["linked_accounts"][0]["end_user_origin_id"] == f"acme-{MOST + 1}"


def test_webhooks_are_shown_without_their_bodies(serve: Callable[..., Server]) -> None:
    target = serve(answer(500))
    url = target.base_url
    with Sandbox(webhook_url=f"{url}?token=of-the-url") as sandbox:
        account = link(sandbox)
        sandbox.wait_for_deliveries(attempts=1)
        shown = overview(sandbox)
        assert shown["webhook"] == {"url": url, "key": sandbox.webhook_key}
        (delivery,) = shown["deliveries"]
        assert read(sandbox, "deliveries").json["deliveries"][0].keys() == delivery.keys()
    assert delivery["event"] == "LinkedAccount.linked"
    assert (delivery["state"], delivery["status"], delivery["url"]) == ("waiting", 500, url)
    assert account["account_token"] not in str(shown["deliveries"])
    assert "of-the-url" not in str(shown)


def test_tls_is_shown() -> None:
    import ssl
    import urllib.request

    with Sandbox(tls=True) as sandbox:
        trust = ssl.create_default_context(cafile=sandbox.ca_file)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )
        with opener.open(f"{sandbox.url}/__sandbox__/overview") as answered:
            assert sandbox.ca_file in answered.read().decode()


# ---- who may see it ----


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
    ],
)
def test_pages_of_others_may_not_read(
    sandbox: Sandbox, name: str, headers: dict[str, str], status: int
) -> None:
    sent = {key: text.format(port=port_of(sandbox)) for key, text in headers.items()}
    answered = read(sandbox, name, **{key.replace("-", "_"): text for key, text in sent.items()})
    assert answered.status == status
    assert (sandbox.api_key in answered.body.decode()) == (status == 200 and name == "overview")
    assert not [one for one in answered.headers if one.lower().startswith("access-control")]


@pytest.mark.parametrize("name", READS)
def test_reading_is_a_get(sandbox: Sandbox, name: str) -> None:
    answered = call(sandbox, {}, path=f"/__sandbox__/{name}")
    assert (answered.status, answered.headers["Allow"]) == (405, "GET")
    assert read(sandbox, name).headers["Cache-Control"] == "no-store"
