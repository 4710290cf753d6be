"""The endpoints of linking: a checked call in, Merge's answer out."""

from typing import Any

from werkzeug.wrappers import Response

from merge_link.sandbox.calls import Call, page_response, refusing
from merge_link.sandbox.clock import to_iso
from merge_link.sandbox.common_models import models_of
from merge_link.sandbox.linking import LinkedAccount
from merge_link.sandbox.queries import check_linked_accounts
from merge_link.sandbox.rules import check_link_token
from merge_link.sandbox.state import State
from merge_link.sandbox.web import json_response, not_found, parse_json


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
        with refusing():
            order = check_link_token(parse_json(call.request))
        link = self._state.create_link_token(call.api_key, order, call.request.peer)
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
        account = self._state.exchange(call.api_key, call.named["public_token"], call.category)
        if account is None:
            raise not_found()
        return json_response(
            {
                "account_token": account.account_token,
                "id": account.id,
                "integration": account_integration(account),
            }
        )

    def regenerate_account_token(self, call: Call) -> Response:
        """``POST account-token/regenerate``."""
        parse_json(call.request)
        account = self._state.regenerate_account_token(call.account)
        if account is None:
            raise not_found()
        return json_response(
            {"linked_account_id": account.id, "account_token": account.account_token}
        )

    def retrieve_account(self, call: Call) -> Response:
        """``GET account-details``."""
        return json_response(account_details(call.account, self._origin))

    def list_accounts(self, call: Call) -> Response:
        """``GET linked-accounts``."""
        with refusing():
            query = check_linked_accounts(call.query)
            page = self._state.list_accounts(
                call.api_key, query.filters, cursor=query.cursor, page_size=query.page_size
            )
        return page_response(page, self._listed)

    def delete_account(self, call: Call) -> Response:
        """``POST delete-account``."""
        parse_json(call.request)
        self._state.delete_account(call.account, call.request.peer)
        return json_response({})

    def _listed(self, account: LinkedAccount) -> dict[str, Any]:
        return {
            **_common(account, self._origin),
            "status_detail": None,
            "subdomain": None,
            "integration": {
                **integration(account),
                **available_operations(account),
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
        "completed_at": to_iso(account.completed_at),
    }


def integration(account: LinkedAccount) -> dict[str, Any]:
    """What is said of an account's integration."""
    integration = account.integration
    return {
        "name": integration.name,
        "slug": integration.slug,
        "categories": list(integration.categories or (account.category,)),
        "image": None,
        "square_image": None,
        "color": integration.color,
    }


def account_integration(account: LinkedAccount) -> dict[str, Any]:
    """The same, at greater length."""
    return {
        **integration(account),
        "abbreviated_name": None,
        "api_endpoints_to_documentation_urls": {},
        "webhook_setup_guide_url": None,
        "category_beta_status": {},
    }


def available_operations(account: LinkedAccount) -> dict[str, Any]:
    """What can be done with an account beside: passthrough, and reading its common models."""
    return {
        "passthrough_available": True,
        "available_model_operations": [
            {
                "model_name": model.name,
                "available_operations": ["FETCH"],
                "required_post_parameters": [],
                "supported_fields": list(model.fields),
            }
            for model in models_of(account.category)
        ],
    }
