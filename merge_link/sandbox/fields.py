"""The field kinds that a body is made of, refusing in Django REST Framework's words.

Merge's API is a Django REST Framework application, so each kind here is one of that framework's
fields: it cleans a parsed JSON value or raises `Invalid` with the problems nested as the
framework nests them.

One thing is stricter, by the sandbox's choice: a value must have the JSON type that Merge
documents. The framework's own fields may also take ``"45"`` or ``45.0`` for an integer, ``"true"``
for a boolean or ``7`` for a string; code that relies on it would lean on what Merge never promised.
"""

import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Problems: TypeAlias = "list[Any] | dict[str, Any]"

REQUIRED = "This field is required."
NULL = "This field may not be null."
BLANK = "This field may not be blank."

_SLUG = re.compile(r"[-a-zA-Z0-9_]+\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Invalid(Exception):
    """A value was refused; ``problems`` is what the answer's body says of it."""

    def __init__(self, problems: Problems) -> None:
        super().__init__("the value was refused")
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Field(ABC):
    """A field: may it be left out, may it be null, and what else must it be."""

    required: bool = False
    nullable: bool = False

    def clean(self, value: object) -> Any:
        """Return the cleaned value. Raises `Invalid`."""
        if value is not None:
            return self._convert(value)
        if self.nullable:
            return None
        raise Invalid([NULL])

    @abstractmethod
    def _convert(self, value: object) -> Any:
        """Clean a value that is not null. Raises `Invalid`."""


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """A string. White space around it is cut off before it is measured, in characters."""

    max_length: int | None = None

    def _convert(self, value: object) -> str:
        if not isinstance(value, str):
            raise Invalid(["Not a valid string."])
        text = value.strip()
        if not text:
            raise Invalid([BLANK])
        if problems := self._problems(text):
            raise Invalid(problems)
        return text

    def _problems(self, text: str) -> list[str]:
        """What is wrong with a string that is not blank."""
        found = []
        if self.max_length is not None and len(text) > self.max_length:
            found.append(f"Ensure this field has no more than {self.max_length} characters.")
        if "\0" in text:
            found.append("Null characters are not allowed.")
        if not text.isascii() and (surrogate := _SURROGATE.search(text)):
            code = f"U+{ord(surrogate[0]):X}"
            found.append(f"Surrogate characters are not allowed: {code}.")
        return found


@dataclass(frozen=True, kw_only=True)
class Slug(Text):
    """A string of ASCII letters, digits, hyphens and underscores."""

    def _problems(self, text: str) -> list[str]:
        found = super()._problems(text)
        if not _SLUG.match(text):
            found.append(
                'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'
            )
        return found


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One of a closed set of strings."""

    choices: frozenset[str]

    def _convert(self, value: object) -> str:
        if isinstance(value, str) and value in self.choices:
            return value
        raise Invalid([f'"{value}" is not a valid choice.'])


@dataclass(frozen=True, kw_only=True)
class Whole(Field):
    """An integer between two limits, both included."""

    least: int
    most: int

    def _convert(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Invalid(["A valid integer is required."])
        if value > self.most:
            raise Invalid([f"Ensure this value is less than or equal to {self.most}."])
        if value < self.least:
            raise Invalid([f"Ensure this value is greater than or equal to {self.least}."])
        return value


@dataclass(frozen=True, kw_only=True)
class Flag(Field):
    """A boolean."""

    def _convert(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise Invalid(["Must be a valid boolean."])
        return value


@dataclass(frozen=True, kw_only=True)
class Uuid(Field):
    """A UUID in a string, in any form that Python's `uuid.UUID` reads."""

    def _convert(self, value: object) -> uuid.UUID:
        try:
            if isinstance(value, str):
                return uuid.UUID(value)
        except ValueError:
            pass
        raise Invalid(["Must be a valid UUID."])


@dataclass(frozen=True, kw_only=True)
class Items(Field):
    """A list of simple values; problems are named by the item's index."""

    item: Field
    may_be_empty: bool = True

    def _convert(self, value: object) -> list[Any]:
        if not isinstance(value, list):
            raise Invalid([_not_a_list(value)])
        if not value and not self.may_be_empty:
            raise Invalid(["This list may not be empty."])
        numbered = {str(index): item for index, item in enumerate(value)}
        return list(_clean_each(numbered, self.item).values())


@dataclass(frozen=True, kw_only=True)
class Table(Field):
    """An object whose members all have the same kind; ``names`` limits what they are called."""

    member: Field
    names: frozenset[str] | None = None

    def _convert(self, value: object) -> dict[str, Any]:
        table = _dictionary_of_items(value)
        unknown = {
            name: [f'"{name}" is not a valid choice.']
            for name in table
            if self.names is not None and name not in self.names
        }
        known = {name: member for name, member in table.items() if name not in unknown}
        return _clean_each(known, self.member, unknown)


@dataclass(frozen=True, kw_only=True)
class AnyObject(Field):
    """An object that may hold anything."""

    def _convert(self, value: object) -> dict[str, Any]:
        return _dictionary_of_items(value)


@dataclass(frozen=True, kw_only=True)
class Anything(Field):
    """Any JSON value."""

    def _convert(self, value: object) -> object:
        return value


@dataclass(frozen=True, kw_only=True)
class Record(Field):
    """An object with fields of its own. Members that are no fields are ignored."""

    fields: Mapping[str, Field]

    def check(self, body: object) -> dict[str, Any]:
        """Clean the whole body of a request. Raises `Invalid` with every problem at once."""
        if body is None:
            raise Invalid({"non_field_errors": ["No data provided"]})
        return self._convert(body)

    def _convert(self, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            got = type(value).__name__
            message = f"Invalid data. Expected a dictionary, but got {got}."
            raise Invalid({"non_field_errors": [message]})
        cleaned: dict[str, Any] = {}
        problems: dict[str, Any] = {}
        for name, field in self.fields.items():
            try:
                if name in value:
                    cleaned[name] = field.clean(value[name])
                elif field.required:
                    problems[name] = [REQUIRED]
            except Invalid as invalid:
                problems[name] = invalid.problems
        if problems:
            raise Invalid(problems)
        return cleaned


@dataclass(frozen=True, kw_only=True)
class Records(Field):
    """A list of records; problems are a list too, with an empty object for each good item."""

    record: Record

    def _convert(self, value: object) -> list[dict[str, Any]]:
        if not isinstance(value, list):
            raise Invalid({"non_field_errors": [_not_a_list(value)]})
        cleaned: list[dict[str, Any]] = []
        problems: list[Problems] = []
        for item in value:
            try:
                cleaned.append(self.record.clean(item))
                problems.append({})
            except Invalid as invalid:
                problems.append(invalid.problems)
        if any(problems):
            raise Invalid(problems)
        return cleaned


def _clean_each(
    values: Mapping[str, object], field: Field, problems: Mapping[str, Problems] | None = None
) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    found = dict(problems or {})
    for name, value in values.items():
        try:
            cleaned[name] = field.clean(value)
        except Invalid as invalid:
            found[name] = invalid.problems
    if found:
        raise Invalid(found)
    return cleaned


def _not_a_list(value: object) -> str:
    return f'Expected a list of items but got type "{type(value).__name__}".'


def _dictionary_of_items(value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    got = type(value).__name__
    raise Invalid([f'Expected a dictionary of items but got type "{got}".'])
