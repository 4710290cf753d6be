"""Answers that go wrong on demand, so that an application's handling of them can be tested.

Faults meet requests to Merge's API before these are looked at: also one whose key is wrong gets
the 503 that was asked for. They are taken in the order they were asked for, one by a request;
a delay comes on top of whatever else happens.
"""

import threading
from dataclasses import dataclass, replace
from http.client import responses as phrases
from typing import Any

from werkzeug.wrappers import Response

from merge_link.sandbox.arguments import check_seconds
from merge_link.sandbox.message import AT_ONCE, Delivery
from merge_link.sandbox.web import json_response, throttled_detail

_DETAILS = {
    401: "Invalid token.",
    403: "You do not have permission to perform this action.",
    404: "Not found.",
    500: "A server error occurred.",
}


@dataclass(slots=True)
class Fault:
    """What happens to some requests: another answer, another delivery, or both."""

    answer: Response | None = None
    delivery: Delivery = AT_ONCE
    on: str | None = None  # the endpoint; None: any
    left: int | None = 1  # to how many requests still; None: to all


NO_FAULT = Fault()


class Faults:
    """The faults that were asked for and have not happened yet. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: list[Fault] = []
        self._delays: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let it happen after all that was asked for before."""
        with self._lock:
            (self._delays if fault.delivery.wait_seconds else self._queue).append(fault)

    @property
    def count(self) -> int:
        """How many were asked for and have not happened yet, or happen to all."""
        with self._lock:
            return len(self._queue) + len(self._delays)

    def clear(self) -> None:
        """Forget what has not happened yet."""
        with self._lock:
            self._queue.clear()
            self._delays.clear()

    def take(self, endpoint: str | None) -> Fault:
        """What is to happen to a request to this endpoint (None: to one that is not there)."""
        if not self._queue and not self._delays:
            return NO_FAULT
        with self._lock:
            fault = _take_first(self._queue, endpoint)
            wait = _take_first(self._delays, endpoint).delivery.wait_seconds
        return replace(fault, delivery=replace(fault.delivery, wait_seconds=wait))


def _take_first(faults: list[Fault], endpoint: str | None) -> Fault:
    for fault in faults:
        if fault.on in (None, endpoint):
            if fault.left is not None:
                fault.left -= 1
                if not fault.left:
                    faults.remove(fault)
            return fault
    return NO_FAULT


def error_response(status: Any, retry_after: Any, body: object) -> Response:
    """The answer of a fault: ``body`` as HTML or JSON. Raises `ValueError`."""
    if not isinstance(status, int) or isinstance(status, bool) or not 400 <= status <= 599:
        raise ValueError("status must be an integer from 400 to 599")
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if retry_after is not None:
        headers["Retry-After"] = _retry_after(retry_after)
    if isinstance(body, str):
        return Response(body, status=status, headers=headers, content_type="text/html")
    if body is None:
        body = _default_body(status, retry_after)
    try:
        return json_response(body, status=status, headers=headers)
    except (TypeError, ValueError):
        raise ValueError("body must be a string, for HTML, or ready for JSON") from None


def _default_body(status: int, retry_after: Any) -> object:
    if status == 429:
        return {"detail": throttled_detail(retry_after)}
    if status == 400:
        return {"non_field_errors": ["Refused by a fault of the sandbox."]}
    return {"detail": _DETAILS.get(status) or f"{phrases.get(status, 'Error')}."}


def _retry_after(value: Any) -> str:
    if isinstance(value, str):
        if value.isascii() and value.isprintable():
            return value
        raise ValueError("retry_after must be a number of seconds or an HTTP date")
    return f"{check_seconds('retry_after', value):g}"
