"""The table of issues: what is wrong with linked accounts, until it is resolved.

Its functions work on a connection inside a transaction of the caller. Where Merge's documents
leave something open, this is the sandbox's choice:

- What is raised again while it lasts is the same issue, with another ``last_incident_time``.
- An issue goes with its account when that is deleted.
- They are listed in the order in which they were first raised, whatever the path's category.
"""

import json
import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from merge_link.sandbox.clock import to_iso
from merge_link.sandbox.linking import LinkedAccount
from merge_link.sandbox.listing import Conditions, Page, read_page, select_rows

_TABLE = "issues JOIN linked_accounts ON linked_accounts.number = issues.account_number"
_COLUMNS = (
    "issues.id, issues.status, error_description, error_details, is_muted, first_incident_time,"
    " last_incident_time, account_number, end_user_origin_id, end_user_organization_name,"
    " end_user_email_address"
)


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue: the number of its account, and what Merge says of it, ready for JSON."""

    account_number: int
    shown: dict[str, Any]

    @property
    def id(self) -> str:
        """Its id."""
        id: str = self.shown["id"]
        return id

    @property
    def is_ongoing(self) -> bool:
        """Whether it lasts."""
        return bool(self.shown["status"] == "ONGOING")


def raise_issue(
    db: sqlite3.Connection,
    account: LinkedAccount,
    description: str,
    details: Sequence[str],
    *,
    is_muted: bool,
    now: float,
) -> tuple[Issue, bool]:
    """Let an account have an issue; it, and whether it is new."""
    row = db.execute(
        "SELECT id FROM issues WHERE account_number = ? AND error_description = ?"
        " AND status = 'ONGOING'",
        [account.number, description],
    ).fetchone()
    id = row[0] if row else str(uuid.uuid4())
    if row:
        db.execute(
            "UPDATE issues SET last_incident_time = ?, error_details = ?, is_muted = ?"
            " WHERE id = ?",
            [now, json.dumps(list(details)), is_muted, id],
        )
    else:
        db.execute(
            "INSERT INTO issues (id, account_number, status, error_description, error_details,"
            " is_muted, first_incident_time, last_incident_time)"
            " VALUES (?, ?, 'ONGOING', ?, ?, ?, ?, ?)",
            [id, account.number, description, json.dumps(list(details)), is_muted, now, now],
        )
    issue = find_issue(db, id)
    assert issue is not None
    return issue, row is None


def resolve(db: sqlite3.Connection, id: str) -> Issue | None:
    """Resolve an issue; it as it is then."""
    db.execute("UPDATE issues SET status = 'RESOLVED' WHERE id = ?", [id])
    return find_issue(db, id)


def find_issue(db: sqlite3.Connection, id: str, api_key: str | None = None) -> Issue | None:
    """The issue of this id, of any key or of one."""
    own = "" if api_key is None else " AND linked_accounts.api_key = ?"
    values = [id] if api_key is None else [id, api_key]
    query = f"SELECT {_COLUMNS} FROM {_TABLE} WHERE issues.id = ?{own}"
    row = db.execute(query, values).fetchone()
    return row and _read(row)


def read_issues(
    db: sqlite3.Connection, api_key: str, conditions: Conditions, cursor: str, page_size: int
) -> Page[Issue]:
    """A page of a key's issues. Raises `InvalidCursor`."""
    own = [("linked_accounts.api_key = ?", [api_key]), *conditions]
    select = select_rows(db, "issues", _COLUMNS, _read, own, source=_TABLE)
    return read_page(select, cursor, page_size)


def _read(row: Sequence[Any]) -> Issue:
    id, status, description, details, is_muted, first, last, number, origin, name, email = row
    return Issue(
        number,
        {
            "id": id,
            "status": status,
            "error_description": description,
            "end_user": {
                "origin_id": origin,
                "organization_name": name,
                "email_address": email,
            },
            "first_incident_time": to_iso(first),
            "last_incident_time": to_iso(last),
            "is_muted": bool(is_muted),
            "error_details": json.loads(details),
        },
    )
