"""Writing tables line by line, and finding again what of them was written whole.

The first column is the number of the row in the input; it is how a row is known.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, Protocol

NUMBER = "input_row"
ERROR = "error"
CREDENTIALS = ("link_token", "magic_link_url")
RESULTS = ("link_token", "magic_link_url", "integration_name", "expires_at")
OWN = frozenset((NUMBER, ERROR, *RESULTS))
"""The columns that are written here; those of an input do not count."""

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_RUN_BY_EXCEL = re.compile(r"'*[=+\-@\t\r]")
_QUOTED = re.compile(rb'"(?:[^"]|"")*"')
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_PLAIN_NUMBER = re.compile(r"[+-]?\d[\d.,]*%?")


def guarded(text: str) -> str:
    """Return a cell that Excel shows and does not run: with an apostrophe before it, if need be.

    `unguarded` takes it away again.
    """
    if _RUN_BY_EXCEL.match(text) and not _PLAIN_NUMBER.fullmatch(text):
        return "'" + text
    return text


def unguarded(text: str) -> str:
    """Return what a cell was before `guarded`."""
    return text[1:] if _GUARDED.match(text) else text


@dataclass(frozen=True)
class Dialect:
    """How a table is written. Delimiter and byte order mark are of CSV only."""

    kind: Literal["csv", "jsonl"]
    delimiter: str = ","
    bom: bool = False

    @property
    def noun(self) -> str:
        """What to call a column."""
        return "column" if self.kind == "csv" else "member"


class Sheet(Protocol):
    """A kind of table."""

    @property
    def head(self) -> bytes:
        """What stands before the first row."""

    def line(self, values: Mapping[str, Any]) -> bytes:
        """The line of a row, with its end; what there is not of it is left empty."""

    def is_whole(self, line: bytes) -> bool:
        """Whether a record ends with this, of which no earlier part is whole."""

    def number_of(self, line: bytes) -> int | None:
        """The number in a whole line; None if this is no line of this sheet."""


def sheet_of(dialect: Dialect, columns: Sequence[str]) -> Sheet:
    """Return the sheet with these columns, of which the first is `NUMBER`."""
    return _JsonSheet() if dialect.kind == "jsonl" else _CsvSheet(dialect, columns)


class _CsvSheet:
    def __init__(self, dialect: Dialect, columns: Sequence[str]) -> None:
        self._delimiter = dialect.delimiter
        self._columns = columns
        self._needs_quotes = re.compile(f'["\\r\\n{re.escape(self._delimiter)}]')
        self._begin = re.compile(b"([1-9][0-9]{0,15})" + re.escape(self._delimiter).encode())
        self.head = ((_BOM if dialect.bom else "") + self._joined(columns)).encode()

    def _joined(self, cells: Iterable[str]) -> str:
        return self._delimiter.join(map(self._quoted, cells)) + "\n"

    def _quoted(self, cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if self._needs_quotes.search(cell) else cell

    def line(self, values: Mapping[str, Any]) -> bytes:
        return self._joined(self._cell(name, values.get(name)) for name in self._columns).encode()

    def _cell(self, name: str, value: Any) -> str:
        if value is None:
            return ""
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        text = text.replace("\0", "")
        return text if name in CREDENTIALS else guarded(text)

    def is_whole(self, line: bytes) -> bool:
        # A quote inside of a cell is written twice, so that their number is even between cells.
        return line.endswith(b"\n") and line.count(b'"') % 2 == 0

    def number_of(self, line: bytes) -> int | None:
        begin = self._begin.match(line)
        delimiters = _QUOTED.sub(b"", line).count(self._delimiter.encode())
        return int(begin[1]) if begin and delimiters == len(self._columns) - 1 else None


class _JsonSheet:
    head = b""

    def line(self, values: Mapping[str, Any]) -> bytes:
        return json.dumps(values, ensure_ascii=False).encode() + b"\n"

    def is_whole(self, line: bytes) -> bool:
        return line.endswith(b"\n")

    def number_of(self, line: bytes) -> int | None:
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            return None
        number = values.get(NUMBER) if isinstance(values, dict) else None
        return number if type(number) is int and number > 0 else None


class Changed(Exception):
    """A file holds what was not written here; says what, and on which line."""


def lines_of(file: BinaryIO, sheet: Sheet) -> Iterator[tuple[int, int, bytes]]:
    """Yield the number, the place and the bytes of each row that was written whole.

    What a kill or a loss of power leaves at the end is not yielded: a line without its end, or NUL
    in place of what was not written. The same goes for the head. Raises `Changed` when something
    else has written.
    """
    place = len(sheet.head)
    head = file.read(place)
    if head != sheet.head:
        if not sheet.head.startswith(head.partition(b"\0")[0]):
            raise Changed("line 1 is another")
        return
    first = number_of_line = sheet.head.count(b"\n") + 1
    line = b""
    for part in file:
        number_of_line += 1
        line += part
        if not sheet.is_whole(line):
            continue
        if b"\0" in line:
            return
        number = sheet.number_of(line)
        if number is None:
            raise Changed(f"line {first} is none of its own")
        yield number, place, line
        place += len(line)
        line, first = b"", number_of_line
