"""The audit trail: what was done under a key, in Merge's words.

Its functions work on a connection inside a transaction of the caller. It is the sandbox's choice
that only what Merge names is in it (linking is not), oldest first, and that everything is done by
``API``, without a user. The latest 100,000 events are kept.
"""

import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from merge_link.sandbox.clock import to_iso
from merge_link.sandbox.listing import Conditions, Page, read_page, select_rows

MOST_EVENTS = 100_000


@dataclass(frozen=True, slots=True)
class Deed:
    """Who does something, under which key and from which IP address, and when."""

    api_key: str = field(repr=False)
    ip_address: str
    at: float


def note(db: sqlite3.Connection, deed: Deed, event_type: str, description: str) -> None:
    """Add to the trail. The description must hold no secret."""
    cursor = db.execute(
        "INSERT INTO audit_events (id, api_key, ip_address, event_type, event_description,"
        " created_at) VALUES (?, ?, ?, ?, ?, ?)",
        [str(uuid.uuid4()), deed.api_key, deed.ip_address, event_type, description, deed.at],
    )
    too_old = (cursor.lastrowid or 0) - MOST_EVENTS
    db.execute("DELETE FROM audit_events WHERE number <= ?", [too_old])


def read_trail(
    db: sqlite3.Connection, api_key: str, conditions: Conditions, cursor: str, page_size: int
) -> Page[dict[str, Any]]:
    """A page of a key's trail, as Merge has it. Raises `InvalidCursor`."""
    columns = "id, ip_address, event_type, event_description, created_at"
    own = [("api_key = ?", [api_key]), *conditions]
    return read_page(select_rows(db, "audit_events", columns, _read, own), cursor, page_size)


def _read(row: Sequence[Any]) -> dict[str, Any]:
    id, ip_address, event_type, description, created_at = row
    return {
        "id": id,
        "user_name": None,
        "user_email": None,
        "role": "API",
        "ip_address": ip_address,
        "event_type": event_type,
        "event_description": description,
        "created_at": to_iso(created_at),
    }
