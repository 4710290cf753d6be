"""The requests that came in, kept for assertions."""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from merge_link.sandbox.message import HeaderList, Incoming, Outgoing

MOST_REQUESTS = 10_000
MOST_BYTES = 64 << 20

_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "x-account-token", "cookie"})

# What follows account-token/, and whatever is as long as a token of ours; a UUID is no secret.
_UUID = r"[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}(/|$)"
_SECRETS = re.compile(rf"(?<=/account-token/)(?!regenerate$)[^/]+|(?<=/)(?!{_UUID})[^/]{{24,}}")


class RecordedHeaders(Mapping[str, str]):
    """Request headers, looked up without regard to case and iterated as they were written.

    A header that came more than once holds its values joined by ``", "``. The repr masks
    credentials.
    """

    __slots__ = ("_items",)

    def __init__(self, pairs: HeaderList) -> None:
        self._items: dict[str, tuple[str, str]] = {}
        for name, value in pairs:
            seen = self._items.get(name.lower())
            self._items[name.lower()] = (name, f"{seen[1]}, {value}" if seen else value)

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()][1]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._items

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        shown = {
            name: "***" if lower in _CREDENTIALS else value
            for lower, (name, value) in self._items.items()
        }
        return f"RecordedHeaders({shown!r})"


@dataclass(frozen=True, slots=True, repr=False)
class RecordedRequest:
    """One request that the sandbox answered.

    ``method`` and ``path`` are as sent (the path without its query, still percent-encoded),
    ``headers`` are looked up without regard to case, ``status`` is the answer's,
    None if a fault dropped the connection before it. ``body`` holds the bytes; of a body that was
    refused for its size, none. ``refusal`` holds the answer's body if its status is 400 or more.
    ``answered_at`` is in seconds since 1970, and ``seconds`` is how long the answer took, with the
    delay of a fault.
    """

    method: str
    path: str
    headers: RecordedHeaders
    body: bytes
    status: int | None
    refusal: bytes = b""
    answered_at: float = 0.0
    seconds: float = 0.0

    @property
    def masked_path(self) -> str:
        """The path without the public token or the magic link's code that may be in it."""
        return _SECRETS.sub("***", self.path)

    def __repr__(self) -> str:
        return f"<RecordedRequest {self.method} {self.masked_path} -> {self.status}>"

    @property
    def json(self) -> Any:
        """The parsed body, new at each access; None if there is none or it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class RequestLog:
    """The latest requests, at most 10,000 and at most 64 MiB of bodies. Thread-safe.

    ``listeners`` are called with each, and must not raise.
    """

    def __init__(self) -> None:
        self.listeners: list[Callable[[RecordedRequest], None]] = []
        self._lock = threading.Lock()
        self._requests: deque[RecordedRequest] = deque()
        self._bytes = 0

    def add(self, incoming: Incoming, outgoing: Outgoing) -> None:
        """Record a request together with what it is answered."""
        answered = outgoing.delivery.cut != "before"
        request = RecordedRequest(
            method=incoming.method,
            path=incoming.path,
            headers=RecordedHeaders(incoming.headers),
            body=incoming.body,
            status=outgoing.status if answered else None,
            refusal=outgoing.body if answered and outgoing.status >= 400 else b"",
            answered_at=time.time(),
            seconds=time.perf_counter() - incoming.began + outgoing.delivery.wait_seconds,
        )
        with self._lock:
            self._requests.append(request)
            self._bytes += _size(request)
            while len(self._requests) > MOST_REQUESTS or self._bytes > MOST_BYTES:
                self._bytes -= _size(self._requests.popleft())
        for listener in self.listeners:
            listener(request)

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._requests.clear()
            self._bytes = 0

    def snapshot(self) -> list[RecordedRequest]:
        """A new list of the requests, oldest first."""
        with self._lock:
            return list(self._requests)


def _size(request: RecordedRequest) -> int:
    return len(request.body) + len(request.refusal)
