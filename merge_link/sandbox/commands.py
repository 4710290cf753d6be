"""What a test may ask of the sandbox: faults, time, and what end users do.

From Python these are methods of `Sandbox`; `control` offers them over HTTP by the same names.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from merge_link.sandbox.arguments import (
    check_api_key,
    check_choice,
    check_count,
    check_seconds,
    check_text,
)
from merge_link.sandbox.faults import Fault, Faults, error_response
from merge_link.sandbox.limits import Limits
from merge_link.sandbox.linking import STATUSES, LinkedAccount, Status
from merge_link.sandbox.message import Cut, Delivery
from merge_link.sandbox.record import RequestLog
from merge_link.sandbox.rules import ENDPOINTS
from merge_link.sandbox.state import State
from merge_link.sandbox.webhooks import Webhooks

MOST_DELAY_SECONDS = 24 * 3600.0


class Commands:
    """What may be asked of a sandbox. Thread-safe.

    Faults happen to requests to Merge's API, in the order they were asked for, one to a request;
    a delay comes on top. Of each, ``times`` says to how many requests it happens (None: to all,
    until `clear_faults` or `reset`), ``on`` to which endpoint: one of `rules.ENDPOINTS`, such as
    ``link-token`` (None: to any path of the API).

    All raise `ValueError` for an argument that makes no sense.
    """

    def __init__(self, state: State, webhooks: Webhooks | None = None) -> None:
        self._state = state
        self._webhooks = webhooks
        self._log = RequestLog()
        self._faults = Faults()
        self._limits = Limits(state.clock)

    # ---- faults ----

    def fail(
        self,
        status: int = 503,
        *,
        retry_after: float | str | None = None,
        body: object = None,
        times: int | None = 1,
        on: str | None = None,
    ) -> None:
        """Answer with an error status instead, without looking at the request.

        ``retry_after`` becomes the header of that name: seconds, or an HTTP date. ``body`` is a
        string of HTML, or a value that becomes JSON; None is what Merge would say.
        """
        self._add_fault(Fault(answer=error_response(status, retry_after, body)), times, on)

    def delay(self, seconds: float, *, times: int | None = 1, on: str | None = None) -> None:
        """Keep the answer back for so long, up to a day."""
        seconds = check_seconds("seconds", seconds, MOST_DELAY_SECONDS)
        self._add_fault(Fault(delivery=Delivery(wait_seconds=seconds)), times, on)

    def drop(self, when: Cut = "before", *, times: int | None = 1, on: str | None = None) -> None:
        """End the connection: before the answer, after its headers or in the middle of its body.

        Before, the request is not looked at; else it takes effect, though its caller cannot know:
        an answer without a body ends within its status line.
        """
        check_choice("when", when, get_args(Cut))
        self._add_fault(Fault(delivery=Delivery(cut=when)), times, on)

    def garble(self, *, times: int | None = 1, on: str | None = None) -> None:
        """Make the answer's body unreadable: its length is right, its bytes are not.

        The request takes effect.
        """
        self._add_fault(Fault(delivery=Delivery(garbled=True)), times, on)

    def throttle(self, requests: int, seconds: float = 60.0) -> None:
        """Answer 429 to a caller with more requests than that in any so many seconds.

        A caller is a linked account, as Merge has it, or an API key where none is named.
        """
        self._limits.throttle(requests, seconds)

    def shut_out(self, failures: int = 20, seconds: float = 10.0) -> None:
        """Do as Merge does to an IP address with more failed requests than that in that time.

        All its requests to the API are answered 429 while there are too many failures in the
        window. A failure is a status of 400 or more, but not 429.
        """
        self._limits.shut_out(failures, seconds)

    def clear_faults(self) -> None:
        """Forget faults that have not happened yet, and lift `throttle` and `shut_out`."""
        self._faults.clear()
        self._limits.clear()

    def _add_fault(self, fault: Fault, times: int | None, on: str | None) -> None:
        fault.left = None if times is None else check_count("times", times)
        fault.on = None if on is None else check_choice("on", on, ENDPOINTS)
        self._faults.add(fault)

    # ---- time ----

    def advance(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0) -> None:
        """Let so much time pass at once for all that expires, throttled callers included.

        Webhooks that would have been sent meanwhile are sent now.
        """
        self._state.advance(
            check_seconds("seconds", seconds)
            + 60 * check_seconds("minutes", minutes)
            + 3600 * check_seconds("hours", hours)
        )
        if self._webhooks:
            self._webhooks.wake()

    # ---- what end users do ----

    def complete_link(self, link_token: str, integration: str | None = None) -> str:
        """Link as an end user does in Merge Link, and return the public token.

        ``integration`` is a slug; None is the one that Merge Link opens with. Raises
        `LinkRefused`, a `ValueError`, for a link token that is unknown, used or expired, and for
        an integration that it cannot link.
        """
        token = check_text("link_token", link_token)
        return self._state.complete_link(token, _optional_slug(integration)).token

    def complete_magic_link(self, magic_link_url: str, integration: str | None = None) -> None:
        """Link as an end user does who opens a magic link. No public token comes of it."""
        code = check_text("magic_link_url", magic_link_url).rpartition("/")[2]
        self._state.complete_magic_link(code, _optional_slug(integration))

    def set_status(self, account: str, status: Status) -> None:
        """Change a linked account's status. ``account`` is its id or its account token."""
        check_choice("status", status, STATUSES)
        if self._state.set_status(check_text("account", account), status) is None:
            raise ValueError("account must be the id or account token of a linked account")

    def relink_needed(self, account: str) -> None:
        """Let a linked account need relinking, as when its end user changes the password."""
        self.set_status(account, "RELINK_NEEDED")

    # ---- issues ----

    def raise_issue(
        self,
        account: str | None = None,
        description: str = "Credentials are no longer valid.",
        *,
        details: Sequence[str] = (),
        muted: bool = False,
    ) -> str:
        """Let a linked account have an issue, and return the issue's id.

        ``account`` is its id or its account token; None if there is only one. An issue that has
        this description already and lasts is the same, and happened again.
        """
        check_text("description", description)
        if not isinstance(details, list | tuple) or not all(isinstance(x, str) for x in details):
            raise ValueError("details must be a list of strings")
        if not isinstance(muted, bool):
            raise ValueError("muted must be true or false")
        id = self._account(account).id
        issue = self._state.raise_issue(id, description, details, is_muted=muted)
        if issue is None:
            raise ValueError("account must be the id or account token of a linked account")
        return issue.id

    def resolve_issue(self, id: str) -> None:
        """Resolve an issue."""
        if self._state.resolve_issue(check_text("id", id)) is None:
            raise ValueError("id must be that of an issue")

    # ---- webhooks ----

    def emit(
        self, event: str, account: str | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        """Send a webhook of any name, such as ``candidate.changed``.

        ``account`` is the id or account token of the linked account that it is about; None if
        there is only one. ``data`` is what Merge would send under that name.
        """
        check_text("event", event)
        if data is not None and not isinstance(data, Mapping):
            raise ValueError("data must be an object that is ready for JSON")
        if self._webhooks is None:
            raise ValueError("emit needs somewhere to send to: Sandbox(webhook_url=...)")
        self._webhooks.send(event, self._account(account), data or {})

    def _account(self, account: str | None) -> LinkedAccount:
        if account is not None:
            found = self._state.find_any_account(check_text("account", account))
            if found is None:
                raise ValueError("account must be the id or account token of a linked account")
            return found
        page = self._state.list_accounts(None, page_size=2)
        if len(page.results) != 1:
            many = "several accounts are" if page.results else "no account is"
            raise ValueError(f"account must be the id of a linked account: {many} linked")
        return page.results[0]

    # ---- all of it ----

    def add_api_key(self, api_key: str) -> None:
        """Accept this API key too. Each key has its own tokens and linked accounts."""
        self._state.add_api_key(check_api_key(api_key))

    def reset(self) -> None:
        """Begin anew: the first key, the right time, and else nothing.

        No tokens, accounts, requests, faults, and no webhooks still to be sent.
        """
        self.clear_faults()
        self._state.reset()
        self._log.clear()
        if self._webhooks:
            self._webhooks.clear()


def _optional_slug(integration: object) -> str | None:
    return None if integration is None else check_text("integration", integration)
