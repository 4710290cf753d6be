"""The endpoints of Merge's linking API: a checked call in, Merge's answer out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from werkzeug.wrappers import Response

from merge_link.sandbox.fields import Invalid
from merge_link.sandbox.linking import LinkedAccount
from merge_link.sandbox.listing import InvalidCursor
from merge_link.sandbox.rules import check_link_token, check_linked_accounts
from merge_link.sandbox.state import State
from merge_link.sandbox.web import Refusal, Request, json_response, not_found, parse_json


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose path, key and account token are known to be good."""

    request: Request
    api_key: str
    category: str | None  # of the path; None where Merge has a path without one
    public_token: str  # of the path, or empty
    account: LinkedAccount | None  # of the account token, where one is needed


View: TypeAlias = Callable[[Call], Response]


class Views:
    """A view for each thing that the linking API can do.

    Where Merge's documents leave something open, this is the sandbox's choice:

    - The bodies of ``delete-account`` and ``account-token/regenerate`` are read, and ignored.
    - A public token is found under the category of its account or without one; elsewhere it is
      not found, and stays good.
    - Linked accounts are listed oldest first, whatever the path's category, 30 a page.
    - ``is_duplicate`` is null for test accounts, as documented, and false for others: nothing is
      ever a duplicate here, so ``include_duplicates`` changes nothing.
    """

    def __init__(self, state: State, origin: str) -> None:
        self._state = state
        self._origin = origin

    def create_link_token(self, call: Call) -> Response:
        """``POST link-token``."""
        try:
            order = check_link_token(parse_json(call.request))
        except Invalid as invalid:
            raise Refusal(400, invalid.problems) from None
        link = self._state.create_link_token(call.api_key, order)
        code = link.magic_link_code
        return json_response(
            {
                "link_token": link.token,
                "integration_name": link.integration_name,
                "magic_link_url": f"{self._origin}/link/{code}" if code else None,
            }
        )

    def exchange_public_token(self, call: Call) -> Response:
        """``GET account-token/{public_token}``."""
        account = self._state.exchange(call.api_key, call.public_token, call.category)
        if account is None:
            raise not_found()
        return json_response(
            {
                "account_token": account.account_token,
                "id": account.id,
                "integration": {
                    **_integration(account),
                    "abbreviated_name": None,
                    "api_endpoints_to_documentation_urls": {},
                    "webhook_setup_guide_url": None,
                    "category_beta_status": {},
                },
            }
        )

    def regenerate_account_token(self, call: Call) -> Response:
        """``POST account-token/regenerate``."""
        parse_json(call.request)
        account = self._state.regenerate_account_token(_account_of(call))
        if account is None:
            raise not_found()
        return json_response(
            {"linked_account_id": account.id, "account_token": account.account_token}
        )

    def retrieve_account(self, call: Call) -> Response:
        """``GET account-details``."""
        return json_response(account_details(_account_of(call), self._origin))

    def list_accounts(self, call: Call) -> Response:
        """``GET linked-accounts``."""
        try:
            query = check_linked_accounts(_last_values(call.request))
            page = self._state.list_accounts(
                call.api_key, query.filters, cursor=query.cursor, page_size=query.page_size
            )
        except Invalid as invalid:
            raise Refusal(400, invalid.problems) from None
        except InvalidCursor:
            raise Refusal(404, {"detail": "Invalid cursor"}) from None
        return json_response(
            {
                "next": page.next,
                "previous": page.previous,
                "results": [self._listed(account) for account in page.results],
            }
        )

    def delete_account(self, call: Call) -> Response:
        """``POST delete-account``."""
        parse_json(call.request)
        self._state.delete_account(_account_of(call))
        return json_response({})

    def _listed(self, account: LinkedAccount) -> dict[str, Any]:
        return {
            **_common(account, self._origin),
            "status_detail": None,
            "subdomain": None,
            "integration": {
                **_integration(account),
                "passthrough_available": False,
                "available_model_operations": [],
            },
            "integration_specific_fields": {},
        }


def account_details(account: LinkedAccount, origin: str) -> dict[str, Any]:
    """A linked account as ``account-details`` and webhooks describe it."""
    return {
        **_common(account, origin),
        "integration": account.integration_name,
        "integration_slug": account.integration_slug,
        "instance_id": None,
        "instance_display_value": None,
    }


def _common(account: LinkedAccount, origin: str) -> dict[str, Any]:
    real = account.account_type == "PRODUCTION" and account.status != "INCOMPLETE"
    completed_at = datetime.fromtimestamp(account.completed_at, UTC).replace(tzinfo=None)
    return {
        "id": account.id,
        "category": account.category,
        "status": account.status,
        "end_user_origin_id": account.end_user_origin_id,
        "end_user_organization_name": account.end_user_organization_name,
        "end_user_email_address": account.end_user_email_address,
        "webhook_listener_url": f"{origin}/api/integrations/webhook-listener/{account.id}",
        "is_duplicate": False if real else None,
        "account_type": account.account_type,
        "completed_at": completed_at.isoformat(timespec="microseconds") + "Z",
    }


def _last_values(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in request.args.lists()}


def _integration(account: LinkedAccount) -> dict[str, Any]:
    integration = account.integration
    return {
        "name": integration.name,
        "slug": integration.slug,
        "categories": list(integration.categories or (account.category,)),
        "image": None,
        "square_image": None,
        "color": integration.color,
    }


def _account_of(call: Call) -> LinkedAccount:
    assert call.account is not None, "the endpoint must be marked as one that needs an account"
    return call.account
