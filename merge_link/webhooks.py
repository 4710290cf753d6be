"""Webhooks that Merge sends: whether one is Merge's, and what it says.

::

    from merge_link import webhooks

    event = webhooks.parse(request.get_data(), request.headers.get(webhooks.HEADER), key)
    if event.event == "LinkedAccount.linked":
        ...

`parse` checks the signature first, `verify` does nothing else, and `sign` makes one, for tests.
``key`` is the webhooks' signature key, which Merge's dashboard shows, or several while it is
changed. docs/webhooks.md has recipes for Flask, Django and FastAPI.

Nothing here needs a client, an API key or the network.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from merge_link._decoding import UnexpectedAnswer, decode
from merge_link._signatures import HEADER, refusal_of, signature_of
from merge_link.errors import ConfigurationError, FieldProblem, ValidationError
from merge_link.records import Part, credential, to_json

if TYPE_CHECKING:
    from datetime import datetime

    from merge_link.choices import AccountStatus, AccountType

    Body: TypeAlias = bytes | bytearray | memoryview
    Key: TypeAlias = str | bytes | Iterable[str | bytes]

__all__ = [
    "HEADER",
    "Event",
    "Hook",
    "InMemorySeenEvents",
    "SeenEvents",
    "WebhookAccount",
    "parse",
    "sign",
    "verify",
]


def verify(body: Body, signature: str | bytes | None, key: Key) -> None:
    """Return if Merge has signed the body with the key, and raise if it has not.

    Args:
        body: the raw bytes of the request, as they came: in Flask ``request.get_data()``, in Django
            ``request.body``, in FastAPI ``await request.body()``. What was parsed and written
            again has other bytes, and another signature.
        signature: the header ``X-Merge-Webhook-Signature`` (`HEADER`), None if there is none. With
            or without padding; blanks round it do not count.
        key: the webhooks' signature key (not the API key), or several: two are good while it is
            changed.

    Raises:
        WebhookSignatureError: it has not. The message says which mistake it looks like, for your
            log: do not answer it. Its ``reason`` is a word for it.
        ConfigurationError: no key, or an empty one.
        TypeError: a body or signature of another type: a body of text for instance.

    Compares in constant time. Merge's page: https://docs.merge.dev/basics/webhooks/merge-webhooks/
    """
    error: BaseException | None
    try:
        error = refusal_of(body, signature, key)
    except BaseException as caught:  # of an iterable of keys; Ctrl-C
        error = caught
    del body, signature, key  # a traceback may show what they hold
    if error is not None:
        try:
            raise error.with_traceback(None) from None
        finally:
            del error  # it has this frame, which would have it


def parse(body: Body, signature: str | bytes | None, key: Key) -> Event:
    """Return the event that a webhook tells of, if Merge has signed it.

    Args:
        body: as for `verify`.
        signature: as for `verify`.
        key: as for `verify`.

    Raises:
        WebhookSignatureError: as for `verify`, and before the body is looked at.
        ValidationError: it is signed, but no JSON, or no event as Merge describes it; ``errors``
            names the member.
        ConfigurationError: no key, or an empty one.
        TypeError: a body or signature of another type.
    """
    event: Event | None = None
    error: BaseException | None
    try:
        error = refusal_of(body, signature, key)
        if error is None:
            event, error = _read(bytes(body))
    except BaseException as caught:
        error = caught
    del body, signature, key
    if event is not None:
        return event
    assert error is not None
    try:
        raise error.with_traceback(None) from None
    finally:
        del error


def sign(body: Body, key: str | bytes) -> str:
    """Return the signature that Merge would send with a body: for tests of your own handler.

    Args:
        body: the bytes that are sent.
        key: one webhook key.

    Raises:
        ConfigurationError: no key, or an empty one.
        TypeError: a body or key of another type.
    """
    made = signature_of(body, key)
    del body, key
    if isinstance(made, str):
        return made
    raise made


# ---- events ----


class Hook(Part):
    """Which webhook of Merge's dashboard it is. repr() masks ``target``, the URL of your own."""

    id: str | None = None
    event: str
    target: str | None = credential(default=None)


class WebhookAccount(Part):
    """The linked account that an event is about, as it was then; None for what Merge left out.

    Whoever knows ``webhook_listener_url`` can send events to it: repr() masks it.
    """

    id: str | None = None
    integration: str | None = None
    integration_slug: str | None = None
    category: str | None = None
    end_user_origin_id: str | None = None
    end_user_organization_name: str | None = None
    end_user_email_address: str | None = None
    status: AccountStatus | None = None
    webhook_listener_url: str | None = credential(default=None)
    is_duplicate: bool | None = None
    account_type: AccountType | None = None
    completed_at: datetime | None = None


class Event(Part):
    """What a webhook tells.

    ``event`` is its name, such as ``LinkedAccount.linked``. The set is open: what you do not know
    is to be answered with 200 all the same, else Merge sends it again. ``data`` is what else
    belongs to it: the changed record for instance.

    ``is_test``: it is no event, but what the dashboard's "send test" posts, with any JSON. Then
    ``event`` is "", ``hook`` and ``linked_account`` are None, and ``data`` is the JSON.

    ``dedupe_key`` is a hash of the body. Merge may send an event more than once: with the same
    body, and so with the same key (see `SeenEvents`).

    repr() masks ``data``: it may hold a credential, or somebody's name. ``dataclasses.asdict``,
    ``to_dict`` and a pickle of it hold all of it.

    Merge's page: https://docs.merge.dev/basics/webhooks/merge-webhooks/
    """

    event: str
    hook: Hook | None = None
    linked_account: WebhookAccount | None = None
    data: Any = credential(default=None)
    is_test: bool = False
    dedupe_key: str = ""

    @property
    def account_token(self) -> str | None:
        """The linked account's token, which comes with linking; it is a credential."""
        token = self.data.get("account_token") if isinstance(self.data, dict) else None
        return token if isinstance(token, str) else None

    def to_dict(self) -> dict[str, Any]:
        """Return the members that Merge sent, credentials included, ready for JSON."""
        return {
            "hook": self.hook and self.hook.to_dict(),
            "linked_account": self.linked_account and self.linked_account.to_dict(),
            "data": to_json(self.data),
            **to_json(self.extra),
        }


class _Body(Part):
    """What an event is made of."""

    hook: Hook
    linked_account: WebhookAccount | None = None
    data: dict[str, Any] | None = None


def _read(body: bytes) -> tuple[Event | None, ValidationError | None]:
    """Return the event in a body, or what is wrong with it.

    Errors of `json` hold all of the body: they end here.
    """
    where = "body"
    try:
        told = json.loads(
            body.decode(), parse_constant=_refuse, object_pairs_hook=_without_duplicates
        )
        return _event_of(told, hashlib.sha256(body).hexdigest()), None
    except UnexpectedAnswer as error:
        where, what = error._path, error._said or "is missing"
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 at byte {error.start}"
    except json.JSONDecodeError as error:
        what = f"is not JSON at line {error.lineno}, column {error.colno}"
    except RecursionError:
        what = "is nested too deeply"
    except ValueError as error:
        what = str(error) if isinstance(error, _NotStrict) else "holds a number that is too long"
    problem = FieldProblem(field=where, message=what)
    return None, ValidationError(
        f"a webhook is signed, but no event: {where} {what}", errors=(problem,)
    )


def _event_of(told: Any, dedupe_key: str) -> Event:
    if not isinstance(told, dict) or "hook" not in told:
        return Event(event="", data=told, is_test=True, dedupe_key=dedupe_key)
    body = decode(_Body, told)
    if not body.hook.event:
        empty = UnexpectedAnswer("is empty")
        empty.inside("hook.event")
        raise empty
    return Event(
        event=body.hook.event,
        hook=body.hook,
        linked_account=body.linked_account,
        data=body.data or {},
        dedupe_key=dedupe_key,
        extra=body.extra,
    )


class _NotStrict(ValueError):
    """What Python's json takes and JSON has not. Quotes nothing."""


def _refuse(_: str) -> None:
    raise _NotStrict("holds a number that JSON has not: NaN or Infinity")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _NotStrict("has an object with the same member twice")
    return members


# ---- what was seen already ----


class SeenEvents(Protocol):
    """Remembers which events were seen, by `Event.dedupe_key`.

    ::

        if not seen.add(event.dedupe_key):
            return "", 200  # it was seen before

    Write one of your own over what all your processes share, such as Redis or Django's cache:
    docs/webhooks.md has it in a few lines.
    """

    def add(self, key: str, /) -> bool:
        """Remember a key. True if it is new: of several at the same time, to one alone."""
        ...

    def discard(self, key: str, /) -> None:
        """Forget a key, so that the event counts when Merge sends it again."""
        ...


class InMemorySeenEvents:
    """A `SeenEvents` of this process alone. Thread-safe.

    Args:
        max_events: keys at most; the oldest are forgotten first (10,000).
        seconds: until a key is forgotten (7200.0). Merge sends an event again for about an hour.

    Raises:
        ConfigurationError: a number that is not positive.
    """

    def __init__(self, *, max_events: int = 10_000, seconds: float = 7200.0) -> None:
        if not _is_positive(max_events, int):
            raise ConfigurationError("max_events must be a positive integer", option="max_events")
        if not _is_positive(seconds, float):
            raise ConfigurationError("seconds must be a positive number", option="seconds")
        self._most = max_events
        self._seconds = seconds
        self._lock = threading.Lock()
        self._until: OrderedDict[str, float] = OrderedDict()  # oldest first

    def add(self, key: str, /) -> bool:
        """Remember a key. True if it is new: of several threads, to one alone."""
        now = time.monotonic()
        with self._lock:
            self._forget(now)
            if key in self._until:
                return False
            self._until[key] = now + self._seconds
            if len(self._until) > self._most:
                self._until.popitem(last=False)
            return True

    def discard(self, key: str, /) -> None:
        """Forget a key, so that the event counts when Merge sends it again."""
        with self._lock:
            self._until.pop(key, None)

    def __len__(self) -> int:
        with self._lock:
            self._forget(time.monotonic())
            return len(self._until)

    def _forget(self, now: float) -> None:
        while self._until:
            key = next(iter(self._until))
            if self._until[key] > now:
                break
            del self._until[key]


def _is_positive(value: Any, kind: type[int | float]) -> bool:
    return isinstance(value, int | kind) and not isinstance(value, bool) and value > 0
