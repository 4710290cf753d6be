"""The tables of what callers set for an account: scopes, webhook receivers, ignored objects.

Its functions work on a connection inside a transaction of the caller. Where Merge's documents
leave something open, this is the sandbox's choice:

- By default every scope is enabled. What a link token's order says of the account's category
  (``category_common_model_scopes``) counts until ``POST linked-account-scopes`` says otherwise.
  Scopes change nothing else in the sandbox.
- A webhook receiver is listed with its key, and gets nothing: it has no URL.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from merge_link.sandbox.common_models import Model, models_of
from merge_link.sandbox.linking import LinkedAccount

# ---- scopes ----


def default_scopes(category: str) -> list[dict[str, Any]]:
    """The scopes of accounts for which nothing was set."""
    return [_default_scope(model) for model in models_of(category)]


def read_scopes(db: sqlite3.Connection, account: LinkedAccount) -> list[dict[str, Any]]:
    """The scopes of an account: what was set, over the default."""
    query = "SELECT common_models FROM scopes WHERE account_number = ?"
    row = db.execute(query, [account.number]).fetchone()
    chosen = {scope["model_name"]: scope for scope in (json.loads(row[0]) if row else ())}
    scopes = [
        {**scope, **chosen.pop(scope["model_name"], {})}
        for scope in default_scopes(account.category)
    ]
    return [*scopes, *chosen.values()]


def write_scopes(
    db: sqlite3.Connection, account: LinkedAccount, common_models: Iterable[Mapping[str, Any]]
) -> None:
    """Set the scopes of an account, in place of all that were set before."""
    kept = json.dumps(list(common_models))
    db.execute("REPLACE INTO scopes VALUES (?, ?)", [account.number, kept])


def _default_scope(model: Model) -> dict[str, Any]:
    enabled = {"is_enabled": True}
    return {
        "model_name": model.name,
        "model_permissions": {"READ": enabled, "WRITE": enabled},
        "field_permissions": {"enabled_fields": list(model.fields), "disabled_fields": []},
    }


# ---- webhook receivers ----


def read_receivers(db: sqlite3.Connection, account: LinkedAccount) -> list[dict[str, Any]]:
    """The webhook receivers of an account, oldest first."""
    query = (
        "SELECT event, is_active, key FROM webhook_receivers"
        " WHERE account_number = ? ORDER BY number"
    )
    return [
        {"event": event, "is_active": bool(is_active), "key": key}
        for event, is_active, key in db.execute(query, [account.number])
    ]


def insert_receiver(
    db: sqlite3.Connection, account: LinkedAccount, receiver: Mapping[str, Any]
) -> dict[str, Any]:
    """Keep a webhook receiver, and return it."""
    made = {"event": receiver["event"], "is_active": receiver["is_active"]}
    made["key"] = receiver.get("key")
    db.execute(
        "INSERT INTO webhook_receivers (account_number, event, is_active, key) VALUES (?, ?, ?, ?)",
        [account.number, *made.values()],
    )
    return made


# ---- ignored objects ----


def ignore(
    db: sqlite3.Connection, account: LinkedAccount, id: str, reason: str, message: str | None
) -> None:
    """Ignore an object of a common model from now on."""
    db.execute(
        "REPLACE INTO ignored_objects (id, account_number, reason, message) VALUES (?, ?, ?, ?)",
        [id, account.number, reason, message],
    )


def ignored_ids(db: sqlite3.Connection, account: LinkedAccount) -> frozenset[str]:
    """The ids of the objects that are ignored."""
    query = "SELECT id FROM ignored_objects WHERE account_number = ?"
    return frozenset(id for (id,) in db.execute(query, [account.number]))
