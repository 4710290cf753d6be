"""What the sandbox's page shows: the latest of everything, newest first, ready for JSON.

It holds tokens and keys, which the page hides until it is asked for them. Of requests it holds
neither headers nor bodies, and paths without their secrets.
"""

from typing import Any

from merge_link.sandbox.faults import Faults
from merge_link.sandbox.limits import Limits
from merge_link.sandbox.linking import LinkedAccount, LinkToken
from merge_link.sandbox.record import RecordedRequest, RequestLog
from merge_link.sandbox.state import State
from merge_link.sandbox.webhooks import WebhookDelivery, Webhooks

MOST = 50


class Overview:
    """A look at one sandbox, whose URLs begin with ``origin``."""

    def __init__(
        self,
        state: State,
        log: RequestLog,
        faults: Faults,
        limits: Limits,
        webhooks: Webhooks | None,
        *,
        origin: str,
        ca_file: str | None,
    ) -> None:
        self._state = state
        self._log = log
        self._faults = faults
        self._limits = limits
        self._webhooks = webhooks
        self._origin = origin
        self._ca_file = ca_file

    def __call__(self) -> dict[str, Any]:
        """Everything that the page shows."""
        hooks = self._webhooks
        requests = self._log.snapshot()[-MOST:]
        return {
            "url": self._origin,
            "api_key": self._state.api_key,
            "ca_file": self._ca_file,
            "webhook": hooks and {"url": hooks.target.shown, "key": hooks.key},
            "seconds_ahead": self._state.clock.ahead,
            "faults": self._faults.count + self._limits.count,
            "link_tokens": [_link_token(one) for one in self._state.latest_link_tokens(MOST)],
            "linked_accounts": [_account(one) for one in self._state.latest_accounts(MOST)],
            "requests": [_request(one) for one in reversed(requests)],
            "deliveries": self.deliveries()["deliveries"][:MOST],
        }

    def deliveries(self) -> dict[str, Any]:
        """The webhooks, without their bodies."""
        made = self._webhooks.snapshot() if self._webhooks else []
        return {"deliveries": [_delivery(one) for one in reversed(made)]}


def _link_token(link: LinkToken) -> dict[str, Any]:
    return {
        "link_token": link.token,
        "magic_link": link.magic_link_code and f"/link/{link.magic_link_code}",
        "end_user_organization_name": link.order["end_user_organization_name"],
        "end_user_origin_id": link.end_user_origin_id,
        "categories": link.categories,
        "integration_name": link.integration_name,
        "state": link.state,
        "created_at": link.created_at,
        "expires_at": link.expires_at,
    }


def _account(account: LinkedAccount) -> dict[str, Any]:
    return {
        "id": account.id,
        "account_token": account.account_token,
        "category": account.category,
        "integration_name": account.integration_name,
        "end_user_organization_name": account.end_user_organization_name,
        "end_user_origin_id": account.end_user_origin_id,
        "status": account.status,
        "completed_at": account.completed_at,
    }


def _request(request: RecordedRequest) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.masked_path,
        "status": request.status,
        "milliseconds": round(request.seconds * 1000, 1),
        "answered_at": request.answered_at,
    }


def _delivery(delivery: WebhookDelivery) -> dict[str, Any]:
    return {
        "event": delivery.event,
        "url": delivery.url,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "status": delivery.status,
        "problem": delivery.problem,
        "created_at": delivery.created_at,
    }
