"""What each column of a table is for: a field of the API, kept for the output, or left out.

Also, what is wrong with its rows.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from merge_link import _core, errors
from merge_link.cli.failures import Failure, Typed
from merge_link.cli.inputs import EXTRA, meant_by, parse_json, reason_of
from merge_link.cli.options import OPERATION, flag_of, rows
from merge_link.cli.sheets import ERROR, NUMBER, OWN, RESULTS
from merge_link.cli.tables import Row, Table

ALL = "*"
MOST_SHOWN = 20
"""Problems, of all that are found."""

# Headers that spreadsheets have for the fields, in letters alone.
_USUAL = {
    **dict.fromkeys(("email", "mail", "emailaddress"), "end_user_email_address"),
    **dict.fromkeys(
        ("company", "companyname", "organization", "organisation", "organisationname"),
        "end_user_organization_name",
    ),
}
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Wishes:
    """What the flags say of columns: ``COLUMN=FIELD``, names, or `ALL` for those of no field."""

    maps: Sequence[str] = ()
    kept: Sequence[str] = ()
    ignored: Sequence[str] = ()


@dataclass(frozen=True)
class _InTable(Typed):
    """Speaks of fields by their columns."""

    columns: Mapping[str, str]
    noun: str

    def field(self, path: str) -> str:
        root, *index = re.findall(r"\w+", path)
        if self.is_flag(path) or root not in self.columns:
            return super().field(path)
        there = path[len(root) :]
        place = f" no. {int(index[0]) + 1}" if re.fullmatch(r"\[\d+\]", there) else there
        return f'{self.noun} "{self.columns[root]}"{place}'

    def message(self, path: str, text: str) -> str:
        if self.is_flag(path):
            return super().message(path, text)
        return re.sub("^is required: .*", "is empty, and required", text)


class Columns:
    """The columns of a table, with the defaults that flags give for what a row leaves empty.

    Raises `Failure` with all that is wrong with them.
    """

    def __init__(
        self, table: Table, wishes: Wishes, defaults: Mapping[str, Any], options: Mapping[str, str]
    ) -> None:
        self._table = table
        self._noun = table.dialect.noun
        self._defaults = dict(defaults)
        self._options = options
        self._problems: list[str] = []
        self._of_field: dict[str, str] = {}
        self.kept: list[str] = []
        self.left_out: list[str] = [name for name in table.columns if name in OWN]
        """Of an earlier output."""
        mapped = self._read_maps(wishes.maps)
        self._refuse_missing(wishes, mapped)
        self._problems += [
            f'--keep-column and --ignore-column exclude each other: "{name}" is of both'
            for name in dict.fromkeys(wishes.kept)
            if name in wishes.ignored
        ]
        for name in table.columns:
            self._sort(name, wishes, mapped.get(name))
        self._refuse_unfilled()
        if self._problems:
            raise Failure(*self._problems)

    # ---- sorting ----

    def _read_maps(self, maps: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for text in maps:
            column, _, field = text.rpartition("=")
            if not column:
                self._problems.append("--map takes COLUMN=FIELD, with the name of an API field")
            elif field not in rows() and field != EXTRA:
                meant = meant_by(field)
                hint = f'; did you mean "{meant}"?' if meant else ""
                self._problems.append(f'--map: "{field}" is not a field of the API{hint}')
            elif column in found:
                self._problems.append(f'--map: "{column}" is there twice')
            else:
                found[column] = field
        return found

    def _refuse_missing(self, wishes: Wishes, mapped: Mapping[str, str]) -> None:
        named = {
            "--map": mapped,
            "--keep-column": wishes.kept,
            "--ignore-column": wishes.ignored,
        }
        for flag, names in named.items():
            for name in names:
                if name not in self._table.columns and name != ALL:
                    there = ", ".join(f'"{one}"' for one in self._table.columns)
                    self._problems.append(
                        f'{flag}: there is no {self._noun} "{name}"; there are {there}'
                    )

    def _sort(self, name: str, wishes: Wishes, mapped: str | None) -> None:
        if name not in wishes.ignored and name not in OWN:
            self.kept.append(name)
        if mapped is not None:
            self._give(mapped, name)
        elif name in wishes.ignored or name in wishes.kept or name in OWN:
            return
        elif name in rows() or name == EXTRA:
            self._give(name, name)
        else:
            self._sort_unknown(name, wishes)

    def _give(self, field: str, name: str) -> None:
        if field in self._of_field:
            other = self._of_field[field]
            self._problems.append(
                f'{self._table.name}: the {self._noun}s "{other}" and "{name}" both give {field}'
            )
        self._of_field[field] = name

    def _sort_unknown(self, name: str, wishes: Wishes) -> None:
        meant = _meant_by_header(name)
        if ALL in (*wishes.kept, *wishes.ignored) and meant is None:
            if ALL not in wishes.kept:
                self.kept.remove(name)
            return
        hint = f'did you mean --map "{name}={meant}"? Else ' if meant else ""
        self._problems.append(
            f'{self._table.name} line {self._table.columns[name]}: {self._noun} "{name}" is not a'
            f' field of the API; {hint}--keep-column "{name}" has it in the output, --ignore-column'
            " leaves it out"
        )

    def _refuse_unfilled(self) -> None:
        given = {*self._of_field, *self._defaults}
        for field, row in rows().items():
            if not row["required"] or field in given:
                continue
            if field == "categories" and self._of_field.get("category") == "category":
                hint = 'the column "category" is that of the path: --map category=categories'
            else:
                hint = f'name one by --map "COLUMN={field}", or give {flag_of(field)} for all rows'
            self._problems.append(
                f"{self._table.name}: no {self._noun} gives {field}, which is required; {hint}"
            )

    # ---- rows ----

    def fields(self, row: Row) -> dict[str, Any]:
        """Return what to ask for. Raises `Failure` with all that is wrong with the row."""
        fields, problems = self._converted(row)
        if problems:
            raise Failure(*problems)
        return fields

    def _converted(self, row: Row) -> tuple[dict[str, Any], list[str]]:
        fields = dict(self._defaults)
        problems = []
        for field, name in self._of_field.items():
            if name in row.cells:
                try:
                    fields[field] = self._value(field, row.cells[name])
                except ValueError as error:
                    problems.append(f'{self._noun} "{name}" {error}')
        return fields, problems

    def _value(self, field: str, cell: Any) -> Any:
        if self._table.dialect.kind == "jsonl":
            if field == EXTRA and not isinstance(cell, dict):
                raise ValueError("must be an object")
            return cell
        return _value_of(rows()[field]["type"] if field != EXTRA else "object", field, cell)

    def words(self, row: Row) -> Typed:
        """How to speak of the fields of a row."""
        from_flag = {
            field
            for field, value in self._defaults.items()
            if value is not None and self._of_field.get(field) not in row.cells
        }
        return _InTable(
            flags=self._defaults,
            in_file=self._of_field.keys() - from_flag,
            file=self._table.name,
            options=self._options,
            columns=self._of_field,
            noun=self._noun,
        )

    def check(self) -> int:
        """Check all rows and return how many there are. Raises `Failure` with what is wrong."""
        shown: list[str] = []
        told: set[str] = set()
        wrong = number = 0
        for row in self._table:
            number = row.number
            for problem, is_of_flag in self._problems_of(row):
                if is_of_flag and problem in told:
                    continue  # of each row
                if is_of_flag:
                    told.add(problem)
                wrong += 1
                if len(shown) < MOST_SHOWN:
                    shown.append(f"{self._table.name} line {row.line}: {problem}")
        if wrong > len(shown):
            shown.append(f"… and {wrong - len(shown)} more")
        if not number:
            shown.append(f"{self._table.name} has no rows")
        if shown:
            raise Failure(*shown)
        return number

    def _problems_of(self, row: Row) -> Iterator[tuple[str, bool]]:
        """What is wrong with a row, and whether a flag is the cause."""
        if row.problem is not None:
            yield row.problem, False
            return
        fields, problems = self._converted(row)
        for problem in problems:
            yield problem, False
        try:
            _core.check(OPERATION, **fields)
        except errors.ValidationError as error:
            words = self.words(row)
            unread = {
                field for field, name in self._of_field.items() if name in row.cells
            } - fields.keys()
            for found in error.errors:
                if found.field not in unread:  # told already
                    text = f"{words.field(found.field)} {words.message(found.field, found.message)}"
                    yield text, words.is_flag(found.field)

    # ---- what is written ----

    @property
    def of_output(self) -> list[str]:
        """The columns of the output."""
        return [NUMBER, *self.kept, *RESULTS]

    @property
    def of_failed(self) -> list[str]:
        """The columns of the failed rows: all, so that they can be fed in again."""
        return [NUMBER, *(name for name in self._table.columns if name not in OWN), ERROR]


def _meant_by_header(name: str) -> str | None:
    return _USUAL.get(re.sub(r"[^a-z]", "", name.lower())) or meant_by(name)


def _value_of(kind: str, field: str, cell: str) -> Any:
    """Return a cell of CSV as a value of that type. Raises ValueError, which says what it must be.

    What is not of the type may come back as it is, for the core to refuse.
    """
    text = cell.strip()
    if kind == "integer":
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise ValueError("must be a whole number")
        return int(text)
    if kind == "boolean":
        if text.lower() not in _WORDS:
            raise ValueError("must be true or false (or yes, no, 1, 0)")
        return _WORDS[text.lower()]
    if kind == "array" and field == "categories" and not text.startswith("["):
        return re.findall(r"[^\s,;|]+", text)
    if kind in ("array", "object"):
        wanted, bracket = (list, "[…]") if kind == "array" else (dict, "{…}")
        try:
            value = parse_json(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"must be JSON, {bracket}: {reason_of(error)}") from None
        if not isinstance(value, wanted):
            raise ValueError(f"must be JSON, {bracket}")
        return value
    return cell
