"""The tables of link tokens and public tokens: single use, and no use after their time.

Its functions work on a connection inside a transaction of the caller. The latest 100,000 of
each are kept.
"""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from merge_link.sandbox.linking import LinkRefused, LinkToken, PublicToken

MOST_LINK_TOKENS = 100_000
MOST_PUBLIC_TOKENS = 100_000

Column: TypeAlias = Literal["token", "magic_link_code"]
_LINK_TOKEN_COLUMNS = (
    'token, magic_link_code, api_key, "order", integration, created_at, expires_at, used_at'
)
_INSERT_LINK_TOKEN = (
    f"INSERT INTO link_tokens ({_LINK_TOKEN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, NULL)"
)
_to_json = json.JSONEncoder(default=str).encode  # UUIDs become text
_REFUSALS: dict[str, str] = {
    "used": "the link token was used: it links once",
    "expired": "the link token has expired",
}


def insert_link_token(db: sqlite3.Connection, link: LinkToken) -> None:
    """Keep a link token, and drop the one that is too old for it."""
    cursor = db.execute(
        _INSERT_LINK_TOKEN,
        (
            link.token,
            link.magic_link_code,
            link.api_key,
            _to_json(link.order),
            link.integration,
            link.created_at,
            link.expires_at,
        ),
    )
    number = cursor.lastrowid or 0
    if number > MOST_LINK_TOKENS:
        db.execute("DELETE FROM link_tokens WHERE number <= ?", [number - MOST_LINK_TOKENS])


def find_link_token(
    db: sqlite3.Connection, now: float, column: Column, value: str
) -> LinkToken | None:
    """The link token, whatever its state."""
    query = f"SELECT {_LINK_TOKEN_COLUMNS} FROM link_tokens WHERE {column} = ?"
    row = db.execute(query, [value]).fetchone()
    return row and _read_link_token(row, now)


def latest_link_tokens(db: sqlite3.Connection, now: float, limit: int) -> list[LinkToken]:
    """The latest link tokens of all keys, newest first."""
    query = f"SELECT {_LINK_TOKEN_COLUMNS} FROM link_tokens ORDER BY number DESC LIMIT ?"
    return [_read_link_token(row, now) for row in db.execute(query, [limit])]


def use_link_token(db: sqlite3.Connection, now: float, link: LinkToken | None) -> LinkToken:
    """Mark a link token as used. Raises `LinkRefused` for one that cannot be used any more."""
    if link is None:
        raise LinkRefused("unknown", "there is no such link token")
    if link.state != "ready":
        raise LinkRefused(link.state, _REFUSALS[link.state])
    db.execute("UPDATE link_tokens SET used_at = ? WHERE token = ?", [now, link.token])
    return link


def insert_public_token(db: sqlite3.Connection, public: PublicToken) -> None:
    """Keep a public token, and drop the one that is too old for it."""
    cursor = db.execute(
        "INSERT INTO public_tokens (token, account_number, expires_at) VALUES (?, ?, ?)",
        [public.token, public.account.number, public.expires_at],
    )
    too_old = (cursor.lastrowid or 0) - MOST_PUBLIC_TOKENS
    db.execute("DELETE FROM public_tokens WHERE rowid <= ?", [too_old])


def take_public_token(
    db: sqlite3.Connection, now: float, token: str, api_key: str, category: str | None
) -> int | None:
    """Use up a public token; the number of its account, or None if it is of no use here."""
    row = db.execute(
        "SELECT number, category FROM public_tokens JOIN linked_accounts ON account_number = number"
        " WHERE token = ? AND api_key = ? AND expires_at > ?",
        [token, api_key, now],
    ).fetchone()
    if row is None or category not in (None, row[1]):
        return None
    db.execute("DELETE FROM public_tokens WHERE token = ?", [token])
    number: int = row[0]
    return number


def _read_link_token(row: Sequence[Any], now: float) -> LinkToken:
    token, code, api_key, order, integration, created_at, expires_at, used_at = row
    expired = now >= expires_at
    return LinkToken(
        token=token,
        magic_link_code=code,
        api_key=api_key,
        order=json.loads(order),
        integration=integration,
        created_at=created_at,
        expires_at=expires_at,
        state="used" if used_at is not None else "expired" if expired else "ready",
    )
