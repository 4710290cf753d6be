"""Reading tables of rows: CSV as programs and Excel write it, and JSON Lines.

What is read is copied first, so that it can be read twice, and nobody changes it meanwhile. A row's
number counts the rows from 1, without the header and without rows in which all cells are empty.
"""

import codecs
import csv
import hashlib
import io
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from merge_link.cli.failures import Failure
from merge_link.cli.inputs import name_of, open_input, parse_json, reason_of
from merge_link.cli.sheets import NUMBER, Dialect, unguarded

_CHUNK = 1024 * 1024
_ZIP = b"PK\x03\x04"  # what .xlsx and .ods begin with
_DELIMITERS = ",;\t"
# Excel's own way to name the delimiter, in a line before the header.
_NAMED_DELIMITER = re.compile(r'"?sep=([,;|\t])"?\s*')
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


@dataclass(frozen=True)
class Row:
    """One row: its number, the line on which it begins, and its cells that are not empty.

    ``problem`` says what is wrong with it as a row; then it has no cells.
    """

    number: int
    line: int
    cells: dict[str, Any]
    problem: str | None = None


class Table:
    """The rows of a file, read anew by each loop.

    ``columns`` has their names, each with the line on which it is seen first. Raises `Failure` when
    the file is no table.
    """

    def __init__(self, copy: "Copy") -> None:
        self.name: str = copy.name
        self.sha256: str = copy.sha256
        self._file = copy.file
        self.columns: dict[str, int] = {}
        start = self._start()
        if start.startswith("["):
            raise Failure(
                f"{self.name} is a JSON array: give one object a line, as jq -c '.[]' writes them"
            )
        if start.startswith("{"):
            self.dialect: Dialect = Dialect("jsonl")
            for line, members in self._objects():
                for name in members if isinstance(members, dict) else ():
                    self.columns.setdefault(name, line)
        else:
            self._read_header(start, copy.is_of_excel)

    def __iter__(self) -> Iterator[Row]:
        return self._read_json() if self.dialect.kind == "jsonl" else self._read_csv()

    def wrong(self, line: int, text: str) -> Failure:
        """The failure because of what stands on a line."""
        return Failure(f"{self.name} line {line}: {text}")

    def _start(self) -> str:
        """The first line that is not blank."""
        for _, text in self._lines():
            if text.strip():
                return text.lstrip() if text.lstrip()[:1] in "{[" else text
        raise Failure(f"{self.name} has no rows")

    def _lines(self) -> Iterator[tuple[int, str]]:
        """The lines with their numbers and ends: LF, CRLF, or CR as on old Macs."""
        self._file.seek(0)
        number = 0
        for raw in self._file:
            try:
                text = raw.decode("utf-8-sig" if number == 0 else "utf-8")
            except UnicodeDecodeError as error:
                raise self.wrong(
                    number + 1,
                    f"not UTF-8: byte {error.start + 1} of the line. Save it as"
                    ' "CSV UTF-8", or name its encoding: --encoding cp1252',
                ) from None
            if "\0" in text:
                raise self.wrong(
                    number + 1,
                    "holds NUL. If it is UTF-16 without a byte order mark: --encoding utf-16-le",
                )
            parts = io.StringIO(text, newline="") if "\r" in text[:-2] else (text,)
            for part in parts:
                number += 1
                yield number, part

    # ---- CSV ----

    def _read_header(self, start: str, is_of_excel: bool) -> None:
        named = _NAMED_DELIMITER.fullmatch(start)
        bare = _QUOTED.sub("", start)
        delimiter = named[1] if named else max(_DELIMITERS, key=bare.count)
        self.dialect = Dialect("csv", delimiter, is_of_excel)
        self._skips_first = named is not None
        line, names = next(self._records(), (1, []))
        self._names = [name.strip() for name in names]
        # In a file of rows that have failed.
        self._is_guarded = NUMBER in self._names
        for name in filter(None, self._names):
            if name in self.columns:
                raise self.wrong(line, f'the column "{name}" is there twice')
            self.columns[name] = line
        if not self.columns:
            raise self.wrong(line, "no column has a name")

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """The records that are not blank, each with the line on which it begins."""
        lines = self._lines()
        skipped = 0
        if self._skips_first:
            skipped, _ = next(lines)
        reader = csv.reader(
            (text for _, text in lines), delimiter=self.dialect.delimiter, strict=True
        )
        while True:
            line = reader.line_num + skipped + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self.wrong(line, f"not CSV: {error} (is a quote not closed?)") from None
            if any(cells):
                yield line, cells

    def _read_csv(self) -> Iterator[Row]:
        records = self._records()
        next(records)
        for number, (line, cells) in enumerate(records, 1):
            filled = len(cells) - next(i for i, cell in enumerate(reversed(cells)) if cell)
            if filled > len(self._names):
                wrong = f"has {filled} cells, the header only {len(self._names)}"
                yield Row(number, line, {}, wrong)
            elif any(cell for name, cell in zip(self._names, cells, strict=False) if not name):
                yield Row(number, line, {}, "has a value in a column without a name")
            else:
                read = map(unguarded, cells) if self._is_guarded else cells
                pairs = zip(self._names, read, strict=False)
                yield Row(number, line, {name: cell for name, cell in pairs if cell})

    # ---- JSON Lines ----

    def _objects(self) -> Iterator[tuple[int, Any]]:
        """The objects with their lines; what is none comes as a text that says what is wrong."""
        for line, text in self._lines():
            if not text.strip():
                continue
            try:
                found = parse_json(text)
            except (ValueError, RecursionError) as error:
                yield line, reason_of(error).replace("line 1, ", "")
                continue
            if _HALF.search(text) and not _is_text(found):
                yield line, "holds half of a surrogate pair (\\ud800 to \\udfff)"
                continue
            if isinstance(found, dict):
                yield line, found
            else:
                yield line, "must be one JSON object"

    def _read_json(self) -> Iterator[Row]:
        for number, (line, found) in enumerate(self._objects(), 1):
            if isinstance(found, dict):
                cells = {name: value for name, value in found.items() if value is not None}
                yield Row(number, line, cells)
            else:
                yield Row(number, line, {}, found)


def _is_text(found: Any) -> bool:
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


# ---- the copy ----


@dataclass(frozen=True)
class Copy:
    """A copy of an input as UTF-8, with what a person calls it and the hash of its bytes."""

    file: BinaryIO
    name: str
    sha256: str
    is_of_excel: bool


@contextmanager
def copy_of(path: str, encoding: str | None = None) -> Iterator[Copy]:
    """Copy a file, or stdin, to a file without a name that nobody else can open; yield it.

    ``encoding`` is Python's name of one; else a byte order mark tells UTF-16 from UTF-8. Raises
    `Failure`.
    """
    name = name_of(path)
    with tempfile.TemporaryFile() as file:  # its mode is 0600
        digest = hashlib.sha256()
        try:
            with open_input(path) as source:
                data = source.read(_CHUNK)
                if data.startswith(_ZIP):
                    raise Failure(f'{name} is a workbook, not CSV: save it as "CSV UTF-8"')
                found = encoding or _encoding_of(data)
                decoder = _decoder_of(found)
                while data:
                    digest.update(data)
                    file.write(decoder.decode(data).encode() if decoder else data)
                    data = source.read(_CHUNK)
                if decoder:
                    file.write(decoder.decode(b"", True).encode())
        except UnicodeError as error:
            raise Failure(f"{name}: not {found}: {getattr(error, 'reason', error)}") from None
        except OSError as error:
            raise Failure(f"{name}: {reason_of(error)}") from None
        file.seek(0)
        has_bom = file.read(3) == codecs.BOM_UTF8
        yield Copy(file, name, digest.hexdigest(), has_bom or found is not None)


def _encoding_of(data: bytes) -> str | None:
    """The encoding that a byte order mark tells; None is UTF-8."""
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None


def _decoder_of(encoding: str | None) -> codecs.IncrementalDecoder | None:
    if encoding is None:
        return None
    try:
        codec = codecs.lookup(encoding)
    except LookupError:
        codec = None
    # Some codecs are not of texts.
    if codec is None or not getattr(codec, "_is_text_encoding", True):
        raise Failure("--encoding is none that Python knows; Excel's are cp1252 and utf-16")
    return None if codec.name == "utf-8" else codec.incrementaldecoder()
