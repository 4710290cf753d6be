"""The table of linked accounts: how linking makes, relinks and changes them.

Its functions work on a connection inside a transaction of the caller. Where Merge's documents
leave something open, this is the sandbox's choice:

- A link makes or relinks **one** linked account. Of the link token's categories it lies in the
  one where the end user has linked that integration already, else in the first that the
  integration belongs to. An integration that the sandbox does not know belongs to all.
- Who links another integration in a category relinks the account there: it changes its
  integration, and keeps its id and account token.
- Only a link token whose order names an integration is bound to it. One of an end user who has
  linked before merely opens with the integration of the first category that has an account.
- Relinking takes the end user's address and organization from the new order.
"""

import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from merge_link.sandbox.integrations import Integration, find_integration
from merge_link.sandbox.linking import (
    Event,
    LinkedAccount,
    LinkRefused,
    LinkToken,
    account_type,
    make_token,
)

_FIELDS = [field.name for field in fields(LinkedAccount)]
ACCOUNT_COLUMNS = ", ".join(_FIELDS)


def read_account(row: Sequence[Any]) -> LinkedAccount:
    """The account of a row of `ACCOUNT_COLUMNS`."""
    return LinkedAccount(**dict(zip(_FIELDS, row, strict=True)))


def find_account(db: sqlite3.Connection, **values: object) -> LinkedAccount | None:
    """The first account whose columns have these values."""
    where = " AND ".join(f"{column} = ?" for column in values)
    query = f"SELECT {ACCOUNT_COLUMNS} FROM linked_accounts WHERE {where}"
    row = db.execute(query, list(values.values())).fetchone()
    return row and read_account(row)


def latest_accounts(db: sqlite3.Connection, limit: int) -> list[LinkedAccount]:
    """The accounts of all keys that were linked or relinked last, newest first."""
    query = (
        f"SELECT {ACCOUNT_COLUMNS} FROM linked_accounts"
        " ORDER BY completed_at DESC, number DESC LIMIT ?"
    )
    return [read_account(row) for row in db.execute(query, [limit])]


def all_accounts(db: sqlite3.Connection) -> list[LinkedAccount]:
    """The accounts of all keys, oldest first."""
    query = f"SELECT {ACCOUNT_COLUMNS} FROM linked_accounts ORDER BY number"
    return [read_account(row) for row in db.execute(query)]


def integration_to_relink(
    db: sqlite3.Connection, api_key: str, order: Mapping[str, Any]
) -> str | None:
    """The integration that the order's end user has linked, by the order's categories."""
    linked = _integrations_by_category(db, api_key, order["end_user_origin_id"])
    return next((linked[name] for name in order["categories"] if name in linked), None)


def link_account(
    db: sqlite3.Connection, link: LinkToken, slug: str | None, completed_at: float
) -> Event:
    """Make or relink the account of a link token. Raises `LinkRefused` for the integration."""
    integration = _chosen_integration(link, slug)
    category = _chosen_category(db, link, integration)
    values = {
        "api_key": link.api_key,
        "category": category,
        "end_user_origin_id": link.end_user_origin_id,
        "end_user_organization_name": link.order["end_user_organization_name"],
        "end_user_email_address": link.order["end_user_email_address"],
        "integration_slug": integration.slug,
        "integration_name": integration.name,
        "status": "COMPLETE",
        "completed_at": completed_at,
    }
    same = {name: values[name] for name in ("api_key", "end_user_origin_id", "category")}
    old = find_account(db, **same)
    if old is None:
        _insert(db, id=str(uuid.uuid4()), account_token=make_token(), **values)
    else:
        update_account(db, old.number, **values)
    account = find_account(db, **same)
    assert account is not None
    return Event("relinked" if old else "linked", account)


def update_account(db: sqlite3.Connection, number: int, **values: object) -> None:
    """Change columns of an account."""
    changes = ", ".join(f"{column} = ?" for column in values)
    db.execute(f"UPDATE linked_accounts SET {changes} WHERE number = ?", [*values.values(), number])


def delete_account(db: sqlite3.Connection, number: int) -> None:
    """Delete an account, and the public tokens that lead to it."""
    db.execute("DELETE FROM linked_accounts WHERE number = ?", [number])


def _insert(db: sqlite3.Connection, *, api_key: str, **values: object) -> None:
    row = {"api_key": api_key, "account_type": account_type(api_key), **values}
    marks = ", ".join("?" * len(row))
    db.execute(
        f"INSERT INTO linked_accounts ({', '.join(row)}) VALUES ({marks})", list(row.values())
    )


def _integrations_by_category(
    db: sqlite3.Connection, api_key: str, origin_id: str
) -> dict[str, str]:
    query = (
        "SELECT category, integration_slug FROM linked_accounts"
        " WHERE api_key = ? AND end_user_origin_id = ?"
    )
    return dict(db.execute(query, [api_key, origin_id]).fetchall())


def _chosen_integration(link: LinkToken, slug: str | None) -> Integration:
    if slug is None and link.integration is None:
        raise LinkRefused("integration", "name an integration: the link token opens with none")
    integration = find_integration(slug or link.integration or "")
    bound = link.order.get("integration")
    if bound and integration != find_integration(bound):
        message = f"the link token is for the integration {bound!r}, not {slug!r}"
        raise LinkRefused("integration", message)
    return integration


def _chosen_category(db: sqlite3.Connection, link: LinkToken, integration: Integration) -> str:
    fitting = [name for name in link.categories if integration.belongs_to(name)]
    if not fitting:
        its, asked = ", ".join(integration.categories), ", ".join(link.categories)
        message = f"{integration.slug!r} belongs to {its}, the link token is for {asked}"
        raise LinkRefused("integration", message)
    linked = _integrations_by_category(db, link.api_key, link.end_user_origin_id)
    return next((name for name in fitting if linked.get(name) == integration.slug), fitting[0])
