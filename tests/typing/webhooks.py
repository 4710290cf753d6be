"""Uses of webhooks that type checkers accept in their strict modes, and that also run."""

from datetime import datetime
from typing import Any, assert_type

import merge_link
from merge_link import WebhookSignatureError, webhooks
from merge_link.sandbox import Sandbox
from merge_link.webhooks import Event, InMemorySeenEvents, SeenEvents

BODY = b'{"hook": {"event": "LinkedAccount.linked"}, "linked_account": {"id": "a1"}, "data": {}}'


def checked(sandbox: Sandbox) -> None:
    signature = webhooks.sign(BODY, "key")
    assert_type(signature, str)
    webhooks.verify(BODY, signature, "key")
    webhooks.verify(bytearray(BODY), signature.encode(), b"key")
    webhooks.verify(memoryview(BODY), signature, ["old", b"key"])
    header: str | None = None
    try:
        webhooks.verify(BODY, header, ("key",))
    except WebhookSignatureError as error:
        assert_type(error.reason, str)
        assert error.reason == "missing"
    else:
        raise AssertionError


def read(sandbox: Sandbox) -> None:
    event = webhooks.parse(BODY, webhooks.sign(BODY, "key"), {"key"})
    assert_type(event, Event)
    assert_type(event.event, str)
    assert_type(event.is_test, bool)
    assert_type(event.account_token, str | None)
    assert_type(event.data, Any)
    assert_type(event.extra, dict[str, Any])
    assert_type(event.to_dict(), dict[str, Any])
    if event.linked_account is not None:
        assert_type(event.linked_account.id, str | None)
        assert_type(event.linked_account.completed_at, datetime | None)
    match event:
        case Event(event="LinkedAccount.linked", linked_account=account):
            assert account is not None
        case _:
            raise AssertionError
    assert Event(event="candidate.changed", data={"id": "c1"}).hook is None
    assert merge_link.webhooks.HEADER.startswith("X-Merge-")


class SeenInASet:
    """A store of one's own: only its methods matter."""

    def __init__(self) -> None:
        self.keys: set[str] = set()

    def add(self, key: str, /) -> bool:
        is_new = key not in self.keys
        self.keys.add(key)
        return is_new

    def discard(self, key: str, /) -> None:
        self.keys.discard(key)


def seen_once(sandbox: Sandbox) -> None:
    stores: list[SeenEvents] = [InMemorySeenEvents(max_events=10, seconds=60), SeenInASet()]
    for seen in stores:
        assert_type(seen.add("a"), bool)
        assert not seen.add("a")
        seen.discard("a")
        assert seen.add("a")
