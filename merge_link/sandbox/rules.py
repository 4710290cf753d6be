"""What Merge demands of a request's path and of a link token's order, as tables.

Source: https://docs.merge.dev (each category's ``POST /link-token``).
"""

from typing import Any

from merge_link.sandbox.fields import (
    AnyObject,
    Choice,
    Field,
    Flag,
    Items,
    Record,
    Records,
    Slug,
    Table,
    Text,
    Uuid,
    Whole,
)

BODY_CATEGORIES = frozenset(
    {"hris", "ats", "accounting", "ticketing", "crm", "mktg", "filestorage", "knowledgebase"}
)
"""Slugs that ``categories`` may hold: as documented, a closed set, so others are refused."""

PATH_CATEGORIES = BODY_CATEGORIES | {"chat", "calendar", "email"}
"""Categories that have a path of their own."""

ENDPOINTS = (
    "link-token",
    "account-token",
    "account-token/regenerate",
    "account-details",
    "linked-accounts",
    "delete-account",
    "generate-key",
    "regenerate-key",
    "sync-status",
    "sync-status/resync",
    "default-scopes",
    "linked-account-scopes",
    "issues",
    "issue",
    "passthrough",
    "async-passthrough",
    "async-passthrough-result",
    "webhook-receivers",
    "available-actions",
    "field-mappings",
    "field-mapping",
    "remote-fields",
    "target-fields",
    "audit-trail",
    "common-models",
    "common-model",
    "ignore",
)
"""What the endpoints of the API are called."""

DEFAULT_EXPIRY_MINS = 30
LEAST_EXPIRY_MINS = 30
MOST_EXPIRY_MINS = 720
MOST_MAGIC_LINK_EXPIRY_MINS = 10_080

_ACTIONS = frozenset({"READ", "WRITE"})

_COMMON_MODEL = Record(
    fields={
        "model_id": Text(required=True),
        "enabled_actions": Items(required=True, item=Choice(choices=_ACTIONS)),
        "disabled_fields": Items(required=True, item=Text()),
    }
)

# Which words name an action in model_permissions is not documented, so any may.
MODEL_SCOPE = Record(
    fields={
        "model_name": Text(required=True),
        "model_permissions": Table(member=Record(fields={"is_enabled": Flag()})),
        "field_permissions": Record(
            fields={"enabled_fields": Items(item=Text()), "disabled_fields": Items(item=Text())}
        ),
    }
)
"""The scope of a common model."""


def _link_token_body(most_expiry_mins: int) -> Record:
    fields: dict[str, Field] = {
        "end_user_email_address": Text(required=True, max_length=100),
        "end_user_organization_name": Text(required=True, max_length=100),
        "end_user_origin_id": Text(required=True, max_length=100),
        "categories": Items(
            required=True, item=Choice(choices=BODY_CATEGORIES), may_be_empty=False
        ),
        "integration": Slug(nullable=True),
        "link_expiry_mins": Whole(least=LEAST_EXPIRY_MINS, most=most_expiry_mins),
        "should_create_magic_link_url": Flag(nullable=True),
        "hide_admin_magic_link": Flag(nullable=True),
        "common_models": Records(nullable=True, record=_COMMON_MODEL),
        "category_common_model_scopes": Table(
            nullable=True, names=BODY_CATEGORIES, member=Records(record=MODEL_SCOPE)
        ),
        "language": Choice(nullable=True, choices=frozenset({"en", "de", "fr"})),
        "are_syncs_disabled": Flag(nullable=True),
        "integration_specific_config": AnyObject(nullable=True),
        "completed_account_initial_screen": Choice(
            nullable=True, choices=frozenset({"SELECTIVE_SYNC"})
        ),
        "linked_destination_id": Uuid(nullable=True),
        "credential_id": Uuid(nullable=True),
        "ekm_enabled": Flag(),
    }
    return Record(fields=fields)


_LINK_TOKEN = _link_token_body(MOST_EXPIRY_MINS)
_MAGIC_LINK_TOKEN = _link_token_body(MOST_MAGIC_LINK_EXPIRY_MINS)


def check_link_token(body: object) -> dict[str, Any]:
    """Check the body of ``POST /{category}/v1/link-token`` and return it cleaned.

    ``link_expiry_mins`` may go up to 10,080 minutes when ``should_create_magic_link_url`` is
    true, else to 720, and is 30 when it is left out. A category may be named twice, and the
    path's category need not be among ``categories``: Merge documents no rule about either.

    Raises `Invalid` with every problem at once. Source: https://docs.merge.dev.
    """
    magic = isinstance(body, dict) and body.get("should_create_magic_link_url") is True
    cleaned = (_MAGIC_LINK_TOKEN if magic else _LINK_TOKEN).check(body)
    cleaned.setdefault("link_expiry_mins", DEFAULT_EXPIRY_MINS)
    return cleaned
