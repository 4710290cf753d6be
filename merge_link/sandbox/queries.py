"""What Merge demands of a request's query, as tables.

As in Django REST Framework an empty parameter counts as none, unknown ones are ignored, and a
``page_size`` is cut to 100 or, if it is no positive integer, taken as the default. It is the
sandbox's choice that the default is 30, that booleans are ``true`` and ``false``, and that a time
without an offset is in UTC. Source: https://docs.merge.dev.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from merge_link.sandbox.fields import Invalid
from merge_link.sandbox.linking import ISSUE_STATUSES, STATUSES
from merge_link.sandbox.rules import BODY_CATEGORIES

DEFAULT_PAGE_SIZE = 30
MOST_PAGE_SIZE = 100


Query: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page of a list is asked for."""

    cursor: str
    page_size: int


@dataclass(frozen=True, slots=True)
class ListQuery(PageQuery):
    """The checked query of a list: what must be so of each, and which page."""

    filters: list[tuple[str, list[Any]]]


def check_page(query: Query) -> PageQuery:
    """Check a query that asks for a page and nothing else. All is taken."""
    return PageQuery(query.get("cursor", ""), _page_size(query.get("page_size", "")))


def check_linked_accounts(query: Query) -> ListQuery:
    """Check the query of ``GET /{category}/v1/linked-accounts``; filters are columns and values.

    It is the sandbox's choice that without ``is_test_account`` a key sees all its accounts.
    (Merge's reference says that it would see none but real ones, so none at all of a test key.)

    Raises `Invalid` with every problem at once.
    """
    filters, _ = _check(query, _ACCOUNT_FILTERS, booleans=("include_duplicates",))
    return _list_query(query, filters)


def check_issues(query: Query) -> ListQuery:
    """Check the query of ``GET /{category}/v1/issues``; filters are conditions and values.

    Without ``include_muted`` those that are muted are left out. Raises `Invalid`.
    """
    filters, said = _check(query, _ISSUE_FILTERS, booleans=("include_muted",))
    if not said["include_muted"]:
        filters.append(("NOT is_muted", []))
    return _list_query(query, filters)


def check_audit_trail(query: Query) -> ListQuery:
    """Check the query of ``GET /{category}/v1/audit-trail``; filters are conditions and values.

    Raises `Invalid`.
    """
    filters, _ = _check(query, _AUDIT_FILTERS)
    return _list_query(query, filters)


def check_objects(query: Query) -> ListQuery:
    """Check the query of a common model's list; filters are of `OBJECT_FILTERS`, with a time.

    The sandbox has no other filters, so Merge's others change nothing. Raises `Invalid`.
    """
    filters, _ = _check(query, {name: (name, _read_time) for name in OBJECT_FILTERS})
    return _list_query(query, filters)


def check_boolean(query: Query, name: str) -> bool:
    """Check a parameter that says true or false; false if it is not there. Raises `Invalid`."""
    _, said = _check(query, {}, booleans=(name,))
    return said[name]


def read_names(text: str) -> list[str]:
    """The names in a list with commas between them."""
    return [part for part in map(str.strip, text.split(",")) if part]


_Read: TypeAlias = Callable[[str], list[Any]]
_Filters: TypeAlias = Mapping[str, tuple[str, _Read]]


def _check(
    query: Query, allowed: _Filters, booleans: Iterable[str] = ()
) -> tuple[list[tuple[str, list[Any]]], dict[str, bool]]:
    filters: list[tuple[str, list[Any]]] = []
    said: dict[str, bool] = {}
    problems: dict[str, Any] = {}
    for name, (what, read) in allowed.items():
        try:
            if value := query.get(name):
                filters.append((what, read(value)))
        except Invalid as invalid:
            problems[name] = invalid.problems
    for name in booleans:
        try:
            said[name] = _read_boolean(query.get(name) or "false")
        except Invalid as invalid:
            problems[name] = invalid.problems
    if problems:
        raise Invalid(problems)
    return filters, said


def _list_query(query: Query, filters: list[tuple[str, list[Any]]]) -> ListQuery:
    page = check_page(query)
    return ListQuery(page.cursor, page.page_size, filters)


def _page_size(text: str) -> int:
    digits = text.lstrip("0")
    if not (digits.isascii() and digits.isdigit()):
        return DEFAULT_PAGE_SIZE
    return min(int(digits[:9]), MOST_PAGE_SIZE)


def _read_one(text: str) -> list[str]:
    return [text]


def _read_nobody(text: str) -> list[str]:
    return []


def _read_time(text: str) -> list[float]:
    try:
        time = datetime.fromisoformat(text)
        return [(time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()]
    except (ValueError, OverflowError):
        raise Invalid(["Enter a valid date/time."]) from None


def _read_choice(choices: Collection[str]) -> _Read:
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


_ACCOUNT_FILTERS: _Filters = {
    "category": ("category", _read_choice(BODY_CATEGORIES)),
    "end_user_email_address": ("end_user_email_address", _read_one),
    "end_user_organization_name": ("end_user_organization_name", _read_one),
    "end_user_origin_id": ("end_user_origin_id", _read_one),
    "end_user_origin_ids": ("end_user_origin_id", read_names),
    "id": ("id", _read_one),
    "ids": ("id", read_names),
    "integration_name": ("integration_name", _read_one),
    "is_test_account": ("account_type", _read_account_type),
    "status": ("status", _read_choice(STATUSES)),
}

_ISSUE_FILTERS: _Filters = {
    "account_token": ("linked_accounts.account_token = ?", _read_one),
    "end_date": ("last_incident_time <= ?", _read_time),
    "end_user_organization_name": ("end_user_organization_name = ?", _read_one),
    "first_incident_time_after": ("first_incident_time > ?", _read_time),
    "first_incident_time_before": ("first_incident_time < ?", _read_time),
    "integration_name": ("integration_name = ?", _read_one),
    "last_incident_time_after": ("last_incident_time > ?", _read_time),
    "last_incident_time_before": ("last_incident_time < ?", _read_time),
    "linked_account_id": ("linked_accounts.id = ?", _read_one),
    "start_date": ("last_incident_time >= ?", _read_time),
    "status": ("issues.status = ?", _read_choice(ISSUE_STATUSES)),
}

_AUDIT_FILTERS: _Filters = {
    "end_date": ("created_at <= ?", _read_time),
    "event_type": ("event_type = ?", _read_one),
    "start_date": ("created_at >= ?", _read_time),
    "user_email": ("FALSE", _read_nobody),
}

OBJECT_FILTERS = ("created_after", "created_before", "modified_after", "modified_before")
"""The times by which objects of common models are found."""
