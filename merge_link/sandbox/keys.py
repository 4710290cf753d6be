"""The table of keys that were generated: API keys which Merge makes on request.

Its functions work on a connection inside a transaction of the caller. Where Merge's documents
leave something open, this is the sandbox's choice:

- A generated key sees the data of the key that asked for it, its *owner*, as Merge's keys belong
  to an organization and all see its linked accounts. So a backend can change its key without
  losing one. Keys that were not generated have nothing in common, so that tests cannot meet.
- It begins with the same prefix as its owner.
- Several may have one name. Regenerating replaces the latest of that name: from then on the old
  one is refused, the new one is good. A name that there is not is not found.
"""

import secrets
import sqlite3

from merge_link.sandbox import audit
from merge_link.sandbox.audit import Deed
from merge_link.sandbox.linking import account_type


def read_owners(db: sqlite3.Connection) -> dict[str, str | None]:
    """The generated keys, each with its owner; None for one that was replaced."""
    rows = db.execute("SELECT api_key, owner, replaced FROM generated_keys")
    return {key: None if replaced else owner for key, owner, replaced in rows}


def generate(db: sqlite3.Connection, deed: Deed, name: str) -> str:
    """Make a key of that name, whose owner is the key of the deed."""
    key = _insert(db, deed.api_key, name)
    _note_made(db, deed, name)
    return key


def regenerate(db: sqlite3.Connection, deed: Deed, name: str) -> str | None:
    """Replace the latest key of that name by another; None if there is no such."""
    query = "SELECT max(number) FROM generated_keys WHERE owner = ? AND name = ? AND NOT replaced"
    (number,) = db.execute(query, [deed.api_key, name]).fetchone()
    if number is None:
        return None
    db.execute("UPDATE generated_keys SET replaced = 1 WHERE number = ?", [number])
    key = _insert(db, deed.api_key, name)
    if account_type(deed.api_key) == "PRODUCTION":
        text = f"Regenerated the production API key {name}"
        audit.note(db, deed, "REGENERATED_PRODUCTION_API_KEY", text)
    else:
        # Merge has no word of its own for a test key that is regenerated.
        audit.note(db, deed, "DELETED_TEST_API_KEY", f"Deleted the test API key {name}")
        _note_made(db, deed, name)
    return key


def _insert(db: sqlite3.Connection, owner: str, name: str) -> str:
    prefix = "production_" if account_type(owner) == "PRODUCTION" else "test_"
    key = prefix + secrets.token_urlsafe(24)
    db.execute(
        "INSERT INTO generated_keys (api_key, owner, name) VALUES (?, ?, ?)", [key, owner, name]
    )
    return key


def _note_made(db: sqlite3.Connection, deed: Deed, name: str) -> None:
    if account_type(deed.api_key) == "PRODUCTION":
        text = f"Created the production API key {name}"
        audit.note(db, deed, "CREATED_REMOTE_PRODUCTION_API_KEY", text)
    else:
        audit.note(db, deed, "CREATED_TEST_API_KEY", f"Created the test API key {name}")
