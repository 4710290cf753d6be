"""Pages of linked accounts, with the cursors that lead from one to the next.

A cursor is opaque to callers. Like those of Django REST Framework it is base64 of a query string,
which names a place (``p``) and whether the page lies before it (``r=1``) rather than after it.
"""

import base64
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qs

from merge_link.sandbox.accounts import ACCOUNT_COLUMNS, read_account
from merge_link.sandbox.linking import LinkedAccount

Filters: TypeAlias = "Sequence[tuple[str, Sequence[str]]]"


@dataclass(frozen=True, slots=True)
class Page:
    """Some linked accounts in the order of their first linking, and cursors to the neighbours."""

    results: list[LinkedAccount]
    next: str | None
    previous: str | None


class InvalidCursor(ValueError):
    """No page has such a cursor."""


def read_page(db: sqlite3.Connection, filters: Filters, cursor: str, page_size: int) -> Page:
    """The page of a cursor ("": the first) of the accounts whose columns have these values.

    Raises `InvalidCursor`.
    """
    backward, place = _decode(cursor)
    where = " AND ".join(
        ["TRUE", *(f"{column} IN ({_marks(values)})" for column, values in filters)]
    )
    wanted = [value for _, values in filters for value in values]

    def select(what: str, beyond: str, place: int, order: str, limit: int) -> list[Any]:
        return db.execute(
            f"SELECT {what} FROM linked_accounts WHERE {where} AND number {beyond} ?"
            f" ORDER BY number {order} LIMIT {limit}",
            [*wanted, place],
        ).fetchall()

    beyond, order = ("<", "DESC") if backward else (">", "ASC")
    rows = select(ACCOUNT_COLUMNS, beyond, place, order, page_size)
    results = [read_account(row) for row in (reversed(rows) if backward else rows)]
    # Of an empty page, the neighbours lie on both sides of the cursor's place.
    first = results[0].number if results else place + backward
    last = results[-1].number if results else place - (not backward)
    return Page(
        results,
        next=_encode(last) if select("1", ">", last, "ASC", 1) else None,
        previous=_encode(first, backward=True) if select("1", "<", first, "DESC", 1) else None,
    )


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _encode(place: int, *, backward: bool = False) -> str:
    text = f"r=1&p={place}" if backward else f"p={place}"
    return base64.b64encode(text.encode()).decode()


def _decode(cursor: str) -> tuple[bool, int]:
    try:
        said = parse_qs(base64.b64decode(cursor, validate=True).decode("ascii"))
        place = int(said.get("p", ["0"])[0])
    except ValueError:
        raise InvalidCursor from None
    if not 0 <= place < 1 << 63:
        raise InvalidCursor
    return said.get("r") == ["1"], place
