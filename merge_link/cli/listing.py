"""Lists of results: a table for a person, JSON or JSON Lines for a program."""

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import click

from merge_link.cli.options import number_of
from merge_link.cli.output import note, one_line

# Headings, and what stands below them.
Columns = Mapping[str, Callable[[Any], object]]

LIST_FORMATS = ("text", "json", "jsonl")
_GAP = "  "


def write(results: Iterable[Any], columns: Columns, output_format: str, *, what: str) -> None:
    """Write results to stdout. ``what`` they are is said where there are none."""
    if output_format == "jsonl":  # as they come
        for one in results:
            click.echo(json.dumps(_plain(one)))
        return
    found = list(results)
    if output_format == "json":
        click.echo(json.dumps([_plain(one) for one in found], indent=2))
    elif found:
        click.echo(_table(found, columns))
    else:
        note(f"there are no {what}")


def _plain(one: Any) -> Any:
    return one.to_dict() if hasattr(one, "to_dict") else one


def _table(results: list[Any], columns: Columns) -> str:
    rows = [[_cell(of(one)) for of in columns.values()] for one in results]
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    lines = [
        _GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (list(columns), *rows)
    ]
    return "\n".join([click.style(lines[0], bold=True), *lines[1:]])


def _cell(value: object) -> str:
    text = moment(value) if isinstance(value, datetime) else value
    return "" if text is None else one_line(str(text))


def moment(time: datetime | None) -> str | None:
    """A time as people read it."""
    return None if time is None else f"{time:%Y-%m-%d %H:%M:%S} {time.tzname()}"


def at_most(results: Iterable[Any], limit: int | None) -> Iterable[Any]:
    """The first of them; further pages are not asked for."""
    return results if limit is None else itertools.islice(results, limit)


def limit_option() -> click.Option:
    """The flag ``--limit``."""
    to_number = number_of(int, "a whole number")

    def convert(
        context: click.Context, option: click.Parameter, text: str | None
    ) -> int | float | None:
        limit = to_number(context, option, text)
        if limit is not None and limit < 1:
            raise click.UsageError("--limit must be 1 or more")
        return limit

    return click.Option(
        ["--limit"], metavar="N", callback=convert, help="Results at most.  [default: all]"
    )
