"""Webhooks: what happens to linked accounts, told to a URL in Merge's words, and signed.

A thread of its own sends them, one after the other, and never keeps the API waiting. An answer
other than 2xx, or none within 10 seconds, is a failure, after which the same bytes are sent
again. Where Merge's documents leave something open, this is the sandbox's choice:

- Merge tries for about an hour. Here it is nine times, with `WAITS` seconds in between, by the
  sandbox's clock: `Commands.advance` makes happen at once what would have happened meanwhile.
- Linking and relinking are both ``LinkedAccount.linked``; ``is_relink`` in its data tells which.
- ``data`` of an issue's event is the issue, of ``LinkedAccount.synced`` the sync status of all
  models. The latter is sent once all of a sync's models are done, and with the first of them
  ``LinkedAccount.fully_synced_initial``: when the clock is advanced, or else as soon as somebody
  asks for the sync status.
- The signature ends in padding.
- They are kept in memory: what is not delivered when the sandbox ends never will be.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from merge_link.sandbox.arguments import check_count, check_seconds
from merge_link.sandbox.clock import Clock
from merge_link.sandbox.linking import Event, LinkedAccount
from merge_link.sandbox.post import Post, PostFailed, Target
from merge_link.sandbox.views import account_details

WAITS = (1.0, 5.0, 30.0, 120.0, 300.0, 600.0, 900.0, 1500.0)
ANSWER_SECONDS = 10.0
MOST_DELIVERIES = 1000
SIGNATURE = "X-Merge-Webhook-Signature"

_EVENTS = {
    "linked": "LinkedAccount.linked",
    "relinked": "LinkedAccount.linked",
    "deleted": "LinkedAccount.deleted",
    "synced": "LinkedAccount.synced",
    "fully_synced_initial": "LinkedAccount.fully_synced_initial",
    "issue_created": "Issue.created",
    "issue_resolved": "Issue.resolved",
}

DeliveryState: TypeAlias = Literal["waiting", "delivered", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """An event on its way to the webhook's URL, as it was when it was looked at.

    ``url`` is without its query. ``attempts`` were made so far; ``status`` is the answer to the
    latest, or None, and then ``problem`` says why there was none. ``state`` is "waiting" for an
    attempt, "delivered", or "failed" for good. ``created_at`` is in seconds since 1970, by the
    sandbox's clock. ``body`` holds the bytes that are sent: with linking, an account token.
    """

    event: str
    url: str
    attempts: int
    status: int | None
    problem: str | None
    state: DeliveryState
    created_at: float
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The parsed body, new at each access."""
        return json.loads(self.body)


@dataclass(slots=True, kw_only=True)
class _Outgoing:
    """A delivery, while it changes. ``due`` is the time of the next attempt, if there is one."""

    event: str
    body: bytes
    created_at: float
    due: float | None
    attempts: int = 0
    status: int | None = None
    problem: str | None = None

    @property
    def state(self) -> DeliveryState:
        if self.due is not None:
            return "waiting"
        return "delivered" if self.status is not None and 200 <= self.status < 300 else "failed"


class Webhooks:
    """Tells a URL of events. Thread-safe. The latest 1,000 deliveries are kept.

    It begins to send with `start`, and ends its thread with `close`.
    """

    def __init__(self, target: Target, key: str, clock: Clock) -> None:
        self.target = target
        self.key = key
        self._clock = clock
        self._hook_id = str(uuid.uuid5(uuid.NAMESPACE_URL, target.url))
        self._origin = ""
        self._changed = threading.Condition()  # over all below
        self._deliveries: deque[_Outgoing] = deque(maxlen=MOST_DELIVERIES)
        self._post: Post | None = None
        self._closed = False
        self._thread = threading.Thread(
            target=self._send_until_closed, name="merge-link-sandbox-webhooks", daemon=True
        )

    def start(self, origin: str) -> None:
        """Begin to send; ``origin`` is what the sandbox's own URLs begin with. Called once."""
        self._origin = origin
        self._thread.start()

    def close(self) -> None:
        """Stop at once, in the middle of an attempt too. Without effect the second time.

        Only a thread that looks up a name goes on until it knows, which does no harm.
        """
        with self._changed:
            self._closed = True
            self._stop()
        if self._thread.ident is not None:
            self._thread.join(ANSWER_SECONDS)

    def clear(self) -> None:
        """Forget all deliveries, and send none of them any more."""
        with self._changed:
            self._deliveries.clear()
            self._stop()

    def wake(self) -> None:
        """Look at the clock again."""
        with self._changed:
            self._changed.notify_all()

    def tell(self, event: Event) -> None:
        """Send an event of the state."""
        data = event.data
        if event.name in ("linked", "relinked"):
            relinked = event.name == "relinked"
            data = {"account_token": event.account.account_token, "is_relink": relinked}
        self.send(_EVENTS[event.name], event.account, data)

    def send(self, event: str, account: LinkedAccount, data: Mapping[str, Any]) -> None:
        """Send an event by any name. Raises `ValueError` for data that is not ready for JSON."""
        body = {
            "hook": {"id": self._hook_id, "event": event, "target": self.target.url},
            "linked_account": account_details(account, self._origin),
            "data": data,
        }
        try:
            encoded = json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            raise ValueError("data must be an object that is ready for JSON") from None
        now = self._clock.now()
        with self._changed:
            self._deliveries.append(_Outgoing(event=event, body=encoded, created_at=now, due=now))
            self._changed.notify_all()

    def snapshot(self) -> list[WebhookDelivery]:
        """The deliveries, oldest first; a new list each time."""
        with self._changed:
            return [self._show(delivery) for delivery in self._deliveries]

    def wait(self, count: int, attempts: int | None, timeout: float) -> list[WebhookDelivery]:
        """Wait until there are so many deliveries, and none waits for an attempt.

        With ``attempts``, one that was tried so often counts as well. Raises `TimeoutError`.
        """
        check_count("count", count)
        enough = None if attempts is None else check_count("attempts", attempts)
        check_seconds("timeout", timeout)

        def is_over() -> bool:
            tried = [
                one.due is None or (enough is not None and one.attempts >= enough)
                for one in self._deliveries
            ]
            return len(tried) >= count and all(tried)

        with self._changed:
            if self._changed.wait_for(is_over, timeout):
                return [self._show(delivery) for delivery in self._deliveries]
            raise TimeoutError(f"after {timeout:g} s, {self._describe()}")

    def _describe(self) -> str:
        if not self._deliveries:
            return "no webhook was sent"
        return "; ".join(
            f"{one.event}: {one.state}, attempts: {one.attempts}, {one.problem or one.status}"
            for one in self._deliveries
        )

    def _show(self, one: _Outgoing) -> WebhookDelivery:
        return WebhookDelivery(
            event=one.event,
            url=self.target.shown,
            attempts=one.attempts,
            status=one.status,
            problem=one.problem,
            state=one.state,
            created_at=one.created_at,
            body=one.body,
        )

    def _stop(self) -> None:
        if self._post is not None:
            self._post.cut()
        self._changed.notify_all()

    # ---- in the thread ----

    def _send_until_closed(self) -> None:
        while due := self._next_due():
            self._attempt(*due)

    def _next_due(self) -> tuple[_Outgoing, Post] | None:
        """What is due first, once it is; None when all is over."""
        with self._changed:
            while not self._closed:
                due, delivery = min(
                    ((one.due, one) for one in self._deliveries if one.due is not None),
                    key=lambda waiting: waiting[0],
                    default=(None, None),
                )
                left = None if due is None else due - self._clock.now()
                if delivery is not None and left is not None and left <= 0:
                    self._post = Post(self.target)
                    return delivery, self._post
                self._changed.wait(left)
            return None

    def _attempt(self, delivery: _Outgoing, post: Post) -> None:
        began = time.monotonic()
        status = problem = None
        try:
            status = post.send(delivery.body, self._headers(delivery.body), ANSWER_SECONDS)
        except PostFailed as failed:
            problem = str(failed)
        took = time.monotonic() - began
        with self._changed:
            self._post = None
            if self._closed:
                return
            delivery.status, delivery.problem = status, problem
            delivery.attempts += 1
            done = status is not None and 200 <= status < 300
            if done or delivery.due is None or delivery.attempts > len(WAITS):
                delivery.due = None
            else:
                # Counted from when it was due, so that an advanced clock is caught up with.
                delivery.due += took + WAITS[delivery.attempts - 1]
            self._changed.notify_all()

    def _headers(self, body: bytes) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": "merge-link-sandbox",
            SIGNATURE: sign(self.key, body),
        }


def sign(key: str, body: bytes) -> str:
    """The signature of a webhook's body: HMAC-SHA256 in base64url."""
    digest = hmac.new(key.encode(), body, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode()


def make_webhook_key(api_key: str) -> str:
    """Make up a webhook key that stays the same as long as the API key does."""
    digest = hmac.new(api_key.encode(), b"webhook key of the sandbox", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
