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
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

from merge_link._signatures import HEADER, refusal_of, signature_of
from merge_link.errors import ConfigurationError, FieldProblem, ValidationError
from merge_link.records import MASK, Record, derived

if TYPE_CHECKING:
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


def verify(body: bytes, signature: str | bytes | None, key: Key) -> None:
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
        raise error.with_traceback(None) from None


def parse(body: bytes, signature: str | bytes | None, key: Key) -> Event:
    """Return the event that a webhook tells of, if Merge has signed it.

    Args:
        body: as for `verify`.
        signature: as for `verify`.
        key: as for `verify`.

    Raises:
        WebhookSignatureError: as for `verify`, and before the body is looked at.
        ValidationError: it is signed, but no JSON, or no event as Merge describes it; ``errors``
            names the members.
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
    if event is None:
        del event
        assert error is not None
        raise error.with_traceback(None) from None
    return event


def sign(body: bytes, key: str | bytes) -> str:
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


def _no_extra(facts: object) -> dict[str, Any]:
    return {}


class _Told(Record):
    """A part of what Merge tells; ``extra`` holds the members that this version does not know."""

    extra: dict[str, Any] = derived(compute=_no_extra, default_factory=dict)

    def __hash__(self) -> int:
        return hash((type(self), *(v for v in self._key() if not isinstance(v, dict | list))))

    def _masked(self) -> Self:
        """Return it as it may be shown."""
        return self

    def _shown(self) -> dict[str, str]:
        return Record._shown(self._masked())

    def _repr_html_(self) -> str:
        from merge_link._cards import of_record

        return of_record(self._masked())

    def to_dict(self) -> dict[str, Any]:
        """Return what Merge told, credentials included, ready for JSON."""
        return {**{name: _as_json(v) for name, v in super().to_dict().items()}, **self.extra}


def _as_json(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    return value.isoformat() if isinstance(value, datetime) else value


class Hook(_Told):
    """Which webhook of Merge's dashboard it is; ``target`` is the URL that it is sent to.

    repr() masks the query of the URL.
    """

    id: str | None = None
    event: str | None = None
    target: str | None = None

    def _masked(self) -> Self:
        return self.__replace__(target=_without_query(self.target))


class WebhookAccount(_Told):
    """The linked account that an event is about, as it was then; None for what Merge left out.

    ``status`` and ``account_type`` are open sets, of which Merge may add members.
    """

    id: str | None = None
    integration: str | None = None
    integration_slug: str | None = None
    category: str | None = None
    end_user_origin_id: str | None = None
    end_user_organization_name: str | None = None
    end_user_email_address: str | None = None
    status: str | None = None
    webhook_listener_url: str | None = None
    is_duplicate: bool | None = None
    account_type: str | None = None
    completed_at: datetime | None = None

    def _masked(self) -> Self:
        url = _without_query(self.webhook_listener_url)
        return self.__replace__(webhook_listener_url=url)


class Event(_Told):
    """What a webhook tells.

    ``event`` is its name, such as ``LinkedAccount.linked``. The set is open: what you do not know
    is to be answered with 200 all the same, else Merge sends it again. ``data`` is what else
    belongs to it: the changed record for instance.

    ``is_test``: it is no event, but what the dashboard's "send test" posts, with any JSON. Then
    ``event`` is "", ``hook`` and ``linked_account`` are None, and ``data`` is the JSON.

    ``dedupe_key`` is a hash of the body. Merge may send an event more than once: with the same
    body, and so with the same key (see `SeenEvents`).

    repr() masks the texts in ``data``: they may be credentials, or somebody's name.
    ``dataclasses.asdict``, ``to_dict`` and a pickle of it hold them.

    Merge's page: https://docs.merge.dev/basics/webhooks/merge-webhooks/
    """

    event: str
    hook: Hook | None = None
    linked_account: WebhookAccount | None = None
    data: Any = None
    is_test: bool = False
    dedupe_key: str = ""

    @property
    def account_token(self) -> str | None:
        """The linked account's token, which comes with linking; it is a credential."""
        token = self.data.get("account_token") if isinstance(self.data, dict) else None
        return token if isinstance(token, str) else None

    def to_dict(self) -> dict[str, Any]:
        """Return the members that Merge sent, credentials included, ready for JSON."""
        parts = {"hook": self.hook, "linked_account": self.linked_account, "data": self.data}
        return {**{name: _as_json(part) for name, part in parts.items()}, **self.extra}

    def _masked(self) -> Self:
        return self.__replace__(
            hook=self.hook and self.hook._masked(),
            linked_account=self.linked_account and self.linked_account._masked(),
            data=_without_texts(self.data),
        )


def _without_query(url: str | None) -> str | None:
    bare, mark, _ = (url or "").partition("?")
    return url and bare + (mark and mark + MASK)


def _without_texts(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: value if _is_plain(value) else MASK for name, value in data.items()}
    return data if _is_plain(data) else MASK


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float)


def _read(body: bytes) -> tuple[Event | None, ValidationError | None]:
    """Return the event in a body, or what is wrong with it: errors of `json` hold all of it."""
    why = ""
    try:
        told = json.loads(
            body.decode(), parse_constant=_refuse, object_pairs_hook=_without_duplicates
        )
    except UnicodeDecodeError as error:
        why = f"is not UTF-8 at byte {error.start}"
    except json.JSONDecodeError as error:
        why = f"is not JSON at line {error.lineno}, column {error.colno}"
    except RecursionError:
        why = "is nested too deeply"
    except ValueError as error:
        why = str(error) if isinstance(error, _NotStrict) else "holds a number that is too long"
    if why:
        return None, _refused([FieldProblem(field="body", message=why)])
    reader = _Reader()
    event = reader.event(told, hashlib.sha256(body).hexdigest())
    return (None, _refused(reader.problems)) if reader.problems else (event, None)


class _NotStrict(ValueError):
    """What Python's json takes and JSON has not. Quotes nothing."""


def _refuse(_: str) -> None:
    raise _NotStrict("holds a number that JSON has not: NaN or Infinity")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _NotStrict("has an object with the same member twice")
    return members


def _refused(problems: list[FieldProblem]) -> ValidationError:
    what = "; ".join(f"{problem.field} {problem.message}" for problem in problems)
    return ValidationError(f"a webhook is signed, but no event: {what}", errors=tuple(problems))


class _Reader:
    """Makes records of parsed JSON, and notes what is not as Merge describes it."""

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def event(self, told: Any, dedupe_key: str) -> Event:
        """Make the event of a body."""
        if not isinstance(told, dict) or "hook" not in told:
            return Event(event="", data=told, is_test=True, dedupe_key=dedupe_key)
        hook = Hook(**self._members(Hook, "hook", told["hook"]))
        if not hook.event and not self.problems:
            self._note("hook.event", "is missing" if hook.event is None else "is empty")
        account = told.get("linked_account")
        if account is not None:
            members = self._members(WebhookAccount, "linked_account", account)
            account = WebhookAccount(**members)
        data = told.get("data")
        if data is not None and not isinstance(data, dict):
            self._note("data", "must be an object")
        return Event(
            event=hook.event or "",
            hook=hook,
            linked_account=account,
            data={} if data is None else data,
            dedupe_key=dedupe_key,
            extra={n: v for n, v in told.items() if n not in ("hook", "linked_account", "data")},
        )

    def _members(self, cls: type[_Told], path: str, told: Any) -> dict[str, Any]:
        """Return what a record of that class is made of; ``extra`` has what is not known."""
        if not isinstance(told, dict):
            self._note(path, "must be an object")
            return {}
        known: dict[str, Any] = {"extra": {}}
        for name, value in told.items():
            kind = cls._types.get(name, "").partition(" ")[0]
            if kind not in _KINDS:
                known["extra"][name] = value
            elif value is not None:
                wanted, convert = _KINDS[kind]
                known[name] = convert(value)
                if known[name] is None:
                    self._note(f"{path}.{name}", f"must be {wanted}")
        return known

    def _note(self, field: str, message: str) -> None:
        self.problems.append(FieldProblem(field=field, message=message))


def _time_of(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return time if time is not None and time.utcoffset() is not None else None


# By the annotation of the field: what it must be, and what makes it that or None.
_KINDS: dict[str, tuple[str, Callable[[object], object]]] = {
    "str": ("a string", lambda value: value if isinstance(value, str) else None),
    "bool": ("true or false", lambda value: value if isinstance(value, bool) else None),
    "datetime": ("a time (ISO 8601, with its offset)", _time_of),
}


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
