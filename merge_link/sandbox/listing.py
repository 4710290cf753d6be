"""Pages of anything that is numbered, with the cursors that lead from one to the next.

A cursor is opaque to callers. Like those of Django REST Framework it is base64 of a query string,
which names a place (``p``) and whether the page lies before it (``r=1``) rather than after it.
"""

import base64
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import parse_qs

Filters: TypeAlias = "Sequence[tuple[str, Sequence[str]]]"
"""Columns, each with the values that it may have."""

Conditions: TypeAlias = "Sequence[tuple[str, Sequence[object]]]"
"""Expressions of SQL, each with the values of its marks."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """Some of all, in the order of their numbers, and cursors to the neighbours."""

    results: list[_T]
    next: str | None
    previous: str | None


class InvalidCursor(ValueError):
    """No page has such a cursor."""


Select: TypeAlias = "Callable[[int, bool, int], list[tuple[int, _T]]]"
"""From a place, forward or backward: at most so many as walked over, each with its number."""


def read_page(select: "Select[_T]", cursor: str, page_size: int) -> Page[_T]:
    """The page of a cursor ("": the first). Numbers begin at 1. Raises `InvalidCursor`."""
    backward, place = _decode(cursor)
    rows = select(place, backward, page_size)
    if backward:
        rows.reverse()
    # Of an empty page, the neighbours lie on both sides of the cursor's place.
    first = rows[0][0] if rows else place + backward
    last = rows[-1][0] if rows else place - (not backward)
    return Page(
        [result for _, result in rows],
        next=_encode(last) if select(last, False, 1) else None,
        previous=_encode(first, backward=True) if select(first, True, 1) else None,
    )


def select_rows(
    db: sqlite3.Connection,
    table: str,
    columns: str,
    read: Callable[[Sequence[Any]], _T],
    conditions: Conditions = (),
    *,
    source: str = "",
) -> "Select[_T]":
    """The rows of a table that fit all conditions; it is numbered by its column ``number``.

    ``source`` is the table joined with others, if it is.
    """
    where = " AND ".join([f"({condition})" for condition, _ in conditions] or ["TRUE"])
    wanted = [value for _, values in conditions for value in values]

    def select(place: int, backward: bool, limit: int) -> list[tuple[int, _T]]:
        beyond, order = ("<", "DESC") if backward else (">", "ASC")
        found = db.execute(
            f"SELECT {table}.number, {columns} FROM {source or table} WHERE {where}"
            f" AND {table}.number {beyond} ? ORDER BY {table}.number {order} LIMIT {limit}",
            [*wanted, place],
        )
        return [(row[0], read(row[1:])) for row in found]

    return select


def select_items(items: Iterable[tuple[int, _T]]) -> "Select[_T]":
    """Items that are there already, by rising numbers."""
    kept = list(items)

    def select(place: int, backward: bool, limit: int) -> list[tuple[int, _T]]:
        if backward:
            return [item for item in reversed(kept) if item[0] < place][:limit]
        return [item for item in kept if item[0] > place][:limit]

    return select


def is_one_of(column: str, values: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The condition that a column has one of some values."""
    return f"{column} IN ({', '.join('?' * len(values))})", values


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
