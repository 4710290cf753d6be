"""Passthrough: requests to the integration's own API, which the sandbox answers as an echo.

It is the sandbox's choice that the integration answers 200 with the request that it got, and that
the result of an asynchronous one is there after `SECONDS` by its clock. Until then Merge answers
200 with a string in place of the object, as its published description has it. The latest 10,000
results are kept.
"""

import json
import sqlite3
import uuid
from collections.abc import Mapping
from typing import Any

from merge_link.sandbox.linking import LinkedAccount

SECONDS = 1.0
MOST_RESULTS = 10_000
PENDING = "The response of this passthrough request is not available yet."


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """What Merge answers to a checked passthrough request."""
    headers = request.get("headers") or {}
    parts = request.get("multipart_form_data")
    echo = {
        "method": request["method"],
        "path": request["path"],
        "data": request.get("data") if parts is None else parts,
        "headers": headers,
    }
    normal = bool(request.get("normalize_response"))
    return {
        "method": request["method"],
        "path": request["path"],
        "status": 200,
        "response": {"type": "object", "value": echo} if normal else echo,
        "response_headers": {"Content-Type": "application/json"},
        "response_type": "JSON",
        "headers": headers,
    }


def insert(
    db: sqlite3.Connection, account: LinkedAccount, request: Mapping[str, Any], now: float
) -> str:
    """Keep the answer to a request until it is asked for; its receipt."""
    id = str(uuid.uuid4())
    cursor = db.execute(
        "INSERT INTO passthroughs (id, account_number, answer, ready_at) VALUES (?, ?, ?, ?)",
        [id, account.number, json.dumps(answer(request)), now + SECONDS],
    )
    too_old = (cursor.lastrowid or 0) - MOST_RESULTS
    db.execute("DELETE FROM passthroughs WHERE rowid <= ?", [too_old])
    return id


def find(
    db: sqlite3.Connection, account: LinkedAccount, id: str, now: float
) -> dict[str, Any] | str | None:
    """The answer behind a receipt; text while it is not there yet, None if there is no such."""
    query = "SELECT answer, ready_at FROM passthroughs WHERE id = ? AND account_number = ?"
    row = db.execute(query, [id, account.number]).fetchone()
    if row is None:
        return None
    if now < row[1]:
        return PENDING
    found: dict[str, Any] = json.loads(row[0])
    return found
