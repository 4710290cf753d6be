"""What Merge demands of a request's path, query and body, as tables.

Source: https://docs.merge.dev (each category's ``POST /link-token``, ``GET /linked-accounts``).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from merge_link.sandbox.fields import (
    AnyObject,
    Choice,
    Field,
    Flag,
    Invalid,
    Items,
    Record,
    Records,
    Slug,
    Table,
    Text,
    Uuid,
    Whole,
)
from merge_link.sandbox.linking import STATUSES

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
_MODEL_SCOPE = Record(
    fields={
        "model_name": Text(required=True),
        "model_permissions": Table(member=Record(fields={"is_enabled": Flag()})),
        "field_permissions": Record(
            fields={"enabled_fields": Items(item=Text()), "disabled_fields": Items(item=Text())}
        ),
    }
)


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
            nullable=True, names=BODY_CATEGORIES, member=Records(record=_MODEL_SCOPE)
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
    if body is None:
        raise Invalid({"non_field_errors": ["No data provided"]})
    magic = isinstance(body, dict) and body.get("should_create_magic_link_url") is True
    cleaned: dict[str, Any] = (_MAGIC_LINK_TOKEN if magic else _LINK_TOKEN).clean(body)
    cleaned.setdefault("link_expiry_mins", DEFAULT_EXPIRY_MINS)
    return cleaned


DEFAULT_PAGE_SIZE = 30
MOST_PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The checked query of a list: the values that some columns may have, and which page."""

    filters: list[tuple[str, list[str]]]
    cursor: str
    page_size: int


def check_linked_accounts(query: Mapping[str, str]) -> ListQuery:
    """Check the query of ``GET /{category}/v1/linked-accounts``.

    As in Django REST Framework an empty parameter counts as none, unknown ones are ignored, and
    a ``page_size`` is cut to 100 or, if it is no positive integer, taken as the default. It is
    the sandbox's choice that the default is 30, that booleans are ``true`` and ``false``, and
    that without ``is_test_account`` a key sees all its accounts. (Merge's reference says that it
    would see none but real ones, so none at all of a test key.)

    Raises `Invalid` with every problem at once. Source: https://docs.merge.dev.
    """
    filters: list[tuple[str, list[str]]] = []
    problems: dict[str, Any] = {}
    for name, (column, read) in _FILTERS.items():
        try:
            if value := query.get(name):
                filters.append((column, read(value)))
        except Invalid as invalid:
            problems[name] = invalid.problems
    try:
        _read_boolean(query.get("include_duplicates") or "false")
    except Invalid as invalid:
        problems["include_duplicates"] = invalid.problems
    if problems:
        raise Invalid(problems)
    return ListQuery(filters, query.get("cursor", ""), _page_size(query.get("page_size", "")))


def _page_size(text: str) -> int:
    digits = text.lstrip("0")
    if not (digits.isascii() and digits.isdigit()):
        return DEFAULT_PAGE_SIZE
    return min(int(digits[:9]), MOST_PAGE_SIZE)


def _read_one(text: str) -> list[str]:
    return [text]


def _read_many(text: str) -> list[str]:
    return [part for part in map(str.strip, text.split(",")) if part]


def _read_choice(choices: Collection[str]) -> Callable[[str], list[str]]:
    def read(text: str) -> list[str]:
        if text in choices:
            return [text]
        message = f"Select a valid choice. {text} is not one of the available choices."
        raise Invalid([message])

    return read


def _read_boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise Invalid(["Must be a valid boolean."])
    return text.lower() == "true"


def _read_account_type(text: str) -> list[str]:
    return ["TEST" if _read_boolean(text) else "PRODUCTION"]


_FILTERS: dict[str, tuple[str, Callable[[str], list[str]]]] = {
    "category": ("category", _read_choice(BODY_CATEGORIES)),
    "end_user_email_address": ("end_user_email_address", _read_one),
    "end_user_organization_name": ("end_user_organization_name", _read_one),
    "end_user_origin_id": ("end_user_origin_id", _read_one),
    "end_user_origin_ids": ("end_user_origin_id", _read_many),
    "id": ("id", _read_one),
    "ids": ("id", _read_many),
    "integration_name": ("integration_name", _read_one),
    "is_test_account": ("account_type", _read_account_type),
    "status": ("status", _read_choice(STATUSES)),
}
