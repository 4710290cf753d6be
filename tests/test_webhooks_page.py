"""docs/webhooks.md is true: its recipes run in their frameworks, its tables are whole."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from documents import blocks_of, table_of
from merge_link import WebhookSignatureError, errors, webhooks

PAGE = Path(__file__).parent.parent / "docs" / "webhooks.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = [block.text for block in blocks_of(PAGE) if block.language == "python"]
KEY = "the-key-of-the-test"


def block_with(words: str) -> str:
    (found,) = (block for block in BLOCKS if words in block)
    return found


RECIPES = {"flask": "Flask(", "django": "csrf_exempt", "fastapi": "FastAPI("}
# Each defines `post(body, headers)`, which returns the status of the answer.
DRIVERS = {
    "flask": """
handled = []
handle = handled.append

def post(body, headers):
    return app.test_client().post("/webhooks/merge", data=body, headers=headers).status_code
""",
    "django": """
import django
from django.test import RequestFactory

django.setup()
handled = []
handle = handled.append

def post(body, headers):
    request = RequestFactory(enforce_csrf_checks=True).post(
        "/", body, content_type="application/json", headers=headers
    )
    return merge(request).status_code
""",
    "fastapi": """
import asyncio

handled = []

async def handle(event):
    handled.append(event)

def post(body, headers):
    given = [(name.lower().encode(), text.encode()) for name, text in headers.items()]
    scope = {
        **{"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http"},
        **{"path": "/webhooks/merge", "raw_path": b"/webhooks/merge", "query_string": b""},
        **{"root_path": "", "headers": given, "client": ("127.0.0.1", 1), "server": ("x", 80)},
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent[0]["status"]
""",
}
BEFORE = {
    "django": f"""
from django.conf import settings

settings.configure(MERGE_WEBHOOK_KEY={KEY!r}, CACHES={{
    "default": {{"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
}})
""",
}
TRIED = """
body = b'{"hook": {"event": "LinkedAccount.linked"}, "data": {"account_token": "acct_1"}}'
signature = webhooks.sign(body, KEY)
assert post(body, {webhooks.HEADER: signature}) == 204
assert [(event.event, event.account_token) for event in handled] == [
    ("LinkedAccount.linked", "acct_1")
]
assert post(b"{}", {webhooks.HEADER: webhooks.sign(b"{}", KEY)}) == 204
for headers in ({}, {webhooks.HEADER: "x"}, {webhooks.HEADER: webhooks.sign(b"y", KEY)}):
    assert post(body, headers) == 403
assert len(handled) == 1
print("tried")
"""


@pytest.mark.parametrize("framework", DRIVERS)
def test_each_recipe_works_in_its_framework(framework: str) -> None:
    pytest.importorskip(framework)
    recipe = block_with(RECIPES[framework])
    script = [BEFORE.get(framework, ""), recipe, DRIVERS[framework], f"KEY = {KEY!r}", TRIED]
    done = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "-c", "\n".join(script)],
        env={**os.environ, "MERGE_WEBHOOK_KEY": KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.stdout.splitlines()[-1:] == ["tried"], done.stdout
    assert KEY not in done.stdout
    assert "acct_1" not in done.stdout


def test_the_store_in_djangos_cache_works() -> None:
    pytest.importorskip("django")
    script = [BEFORE["django"], block_with("class SeenInCache"), f"{STORE_TRIED}(SeenInCache())"]
    subprocess.run([sys.executable, "-c", "\n".join(script)], check=True)


STORE_TRIED = """
def tried(store):
    assert store.add("a") is True
    assert store.add("a") is False
    assert store.add("b") is True
    store.discard("a")
    assert store.add("a") is True

tried"""


class Redis:
    """The two commands of redis-py's client that the page uses."""

    def __init__(self) -> None:
        self.kept: dict[str, int] = {}

    def set(self, name: str, value: int, *, nx: bool, ex: int) -> bool | None:
        assert nx
        assert ex == 7200
        if name in self.kept:
            return None
        self.kept[name] = value
        return True

    def delete(self, name: str) -> int:
        return self.kept.pop(name, 0)


def test_the_store_in_redis_works() -> None:
    names: dict[str, Any] = {}
    exec(block_with("class SeenInRedis"), names)
    exec(STORE_TRIED.removesuffix("\ntried"), names)
    names["tried"](names["SeenInRedis"](Redis()))


def an_event(**account: Any) -> webhooks.Event:
    return webhooks.Event(
        event="LinkedAccount.linked",
        linked_account=webhooks.WebhookAccount(**account),
        data={"account_token": "acct_1"},
        dedupe_key="d1",
    )


def test_a_handler_gets_what_it_asks_for() -> None:
    kept = {}
    names: dict[str, Any] = {"store_token": kept.__setitem__}
    exec(block_with("def handle(event)"), names)
    names["handle"](an_event(end_user_origin_id="acme-42"))
    names["handle"](webhooks.Event(event="brand.new"))
    assert kept == {"acme-42": "acct_1"}


def test_an_event_is_handled_once_and_again_after_a_failure() -> None:
    calls: list[str] = []

    def handle(event: webhooks.Event) -> None:
        calls.append(event.dedupe_key)
        if len(calls) == 1:
            raise RuntimeError("the database is away")

    names: dict[str, Any] = {"webhooks": webhooks, "handle": handle}
    exec(block_with("def handle_once"), names)
    with pytest.raises(RuntimeError):
        names["handle_once"](an_event())
    names["handle_once"](an_event())
    names["handle_once"](an_event())
    assert calls == ["d1", "d1"]


def test_two_keys_are_good() -> None:
    for key in ("new", "old"):
        names: dict[str, Any] = {"webhooks": webhooks, "new_key": "new", "old_key": "old"}
        body = b'{"hook": {"event": "x"}}'
        names.update(body=body, signature=webhooks.sign(body, key))
        exec(block_with("[new_key, old_key]"), names)
        assert names["event"].event == "x"


def test_the_test_that_is_shown_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the handler and the application of the same page."""
    pytest.importorskip("flask")
    kept: list[str] = []
    names: dict[str, Any] = {
        "__name__": __name__,
        "webhooks": webhooks,
        "store_token": lambda origin_id, _: kept.append(origin_id),
    }
    for words in ("def handle(", RECIPES["flask"], "def test_a_linked_account_is_noticed"):
        exec(block_with(words), names)
    names["test_a_linked_account_is_noticed"](names["app"].test_client(), monkeypatch)
    assert kept == ["acme-42"]


def test_every_block_is_tried() -> None:
    known = [*RECIPES.values(), "class SeenInCache", "class SeenInRedis", "[new_key, old_key]"]
    known += ["def handle(", "def handle_once", "def test_a_linked"]
    for block in BLOCKS:
        compile(block, str(PAGE), "exec")
        assert [words for words in known if words in block]
    assert len(BLOCKS) == len(known)


# ---- tables ----


def test_the_members_of_an_event_are_all_of_them() -> None:
    shown = set(table_of(PAGE, "What an event holds"))
    assert shown == {*webhooks.Event._specs, "account_token"}


def test_the_reasons_are_all_of_them() -> None:
    section = TEXT.partition("\n## When it is refused\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    shown = [word for row in rows[1:] for word in re.findall(r"`(\w+)`", row)]
    source = (Path(webhooks.__file__).parent / "_signatures.py").read_text()
    for word in shown:
        assert f'"{word}"' in source
        assert f"``{word}``" in (WebhookSignatureError.__doc__ or "")
    assert len(shown) == (errors.WebhookSignatureError.__doc__ or "").count("``") // 2 - 1


def test_the_numbers_are_those_of_the_code() -> None:
    store = webhooks.InMemorySeenEvents()
    assert (store._most, store._seconds) == (10_000, 7200.0)
    assert "InMemorySeenEvents(max_events=10_000, seconds=7200)" in TEXT


def test_links_lead_to_files() -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", TEXT)
    assert targets
    assert [target for target in targets if not (PAGE.parent / target).exists()] == []
