"""Answers as records: what a class's annotations say of its members is checked and made.

An annotation is a text, such as ``list[Integration] | None``. It is understood here, once for each
class, because `typing` is slow to load. Names are those of Python's own types, of records (in the
module of the class), and of the open sets in ``choices``, which are strings.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from merge_link.records import Record, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    R = TypeVar("R", bound=Record)
    Read = Callable[[Any], Any]  # a value of json.loads; raises UnexpectedAnswer

_ABSENT: Any = object()
_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}


class UnexpectedAnswer(ValueError):
    """An answer that is not what the API promises. Its text holds no value of the answer."""

    def __init__(self, said: str = "") -> None:
        super().__init__(said)
        self._said = said  # of the member; "": it is missing
        self._path = ""

    def inside(self, step: str) -> None:
        """Say that it is about something inside of a member (``name``) or an item (``[3]``)."""
        dot = "." if self._path and self._path[0] != "[" else ""
        self._path = f"{step}{dot}{self._path}"

    def __str__(self) -> str:
        """Return what is wrong, and with which member."""
        if not self._said:
            return f"the answer has no member {self._path}"
        return f"{f'member {self._path} of ' if self._path else ''}the answer {self._said}"


def wrong_kind(wanted: str, value: object) -> UnexpectedAnswer:
    """Return the error that a value is of another kind than is wanted."""
    return UnexpectedAnswer(f"must be {wanted}, is {_KINDS.get(type(value), 'something else')}")


# ---- readers of values ----


def _reader_of(kind: type) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise wrong_kind(_KINDS[kind], value)
        return value

    return read


def _number(value: Any) -> Any:
    if type(value) not in (int, float):
        raise wrong_kind("a number", value)
    return value


def _integer(value: Any) -> Any:
    if type(value) is not int:
        raise wrong_kind("a number" if type(value) is not float else "an integer", value)
    return value


def _time(value: Any) -> datetime:
    found = _parsed(value) if type(value) is str else None
    if found is None:
        raise wrong_kind("a time (ISO 8601)", value)
    return found


def _parsed(text: str) -> datetime | None:
    """Return an aware time, or None. What goes wrong quotes the text: it must not come out."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _anything(value: Any) -> Any:
    return value


_READERS: dict[str, Read] = {
    "Any": _anything,
    "str": _reader_of(str),
    "bool": _reader_of(bool),
    "int": _integer,
    "float": _number,
    "datetime": _time,
}


def _list_of(read: Read) -> Read:
    def read_list(value: Any) -> Any:
        if type(value) is not list:
            raise wrong_kind("an array", value)
        items = []
        try:
            for one in value:
                items.append(read(one))
        except UnexpectedAnswer as problem:
            problem.inside(f"[{len(items)}]")
            raise
        return items

    return read_list


def _dict_of(read: Read) -> Read:
    def read_dict(value: Any) -> Any:
        if type(value) is not dict:
            raise wrong_kind("an object", value)
        try:
            return {name: read(one) for name, one in value.items()}
        except UnexpectedAnswer as problem:
            problem.inside("*")  # the names are the answer's own
            raise

    return read_dict


def _or_none(read: Read) -> Read:
    return lambda value: None if value is None else read(value)


def _filled(read: Read) -> Read:
    """Return a reader that refuses the empty text, too."""

    def read_filled(value: Any) -> Any:
        if value == "":
            raise UnexpectedAnswer("is empty")
        return read(value)

    return read_filled


# ---- annotations ----


def _reader(text: str, owner: type[Record]) -> Read:
    """Return the reader of what an annotation of the class says."""
    text = text.strip()
    if text.endswith("| None"):
        return _or_none(_reader(text.removesuffix("| None"), owner))
    outer, _, inner = text.removesuffix("]").partition("[")
    if outer == "list":
        return _list_of(_reader(inner, owner))
    if outer == "dict":
        return _dict_of(_reader(inner.removeprefix("str, "), owner))
    if not text.isidentifier():
        raise TypeError(f"{owner.__name__} has an annotation that is not understood: {text}")
    return _READERS.get(text) or _reader_named(text, owner)


def _reader_named(name: str, owner: type[Record]) -> Read:
    for base in owner.__mro__:
        found: Any = vars(sys.modules[base.__module__]).get(name)
        if isinstance(found, type) and issubclass(found, Record):
            return _reader_of_record(found)
    return _READERS["str"]


def _reader_of_record(cls: type[Record]) -> Read:
    return lambda value: decode(cls, value)


# ---- records ----


class _Plan:
    """How a class's members are read."""

    def __init__(self, cls: type[Record]) -> None:
        self.members: list[tuple[str, str, Read, Any]] = []  # name, its name in JSON, reader, spec
        self.rest: tuple[str, Read] | None = None
        for name, spec in cls._specs.items():
            if spec.compute:
                continue
            read = _reader(cls._types[name], cls)
            if spec.is_rest:
                self.rest = (name, read)
            else:
                filled = spec.secret and spec.required
                read = _filled(read) if filled else read
                self.members.append((name, spec.wire or name, read, spec))
        self.known = {wire for _, wire, _, _ in self.members}
        self.has_facts = issubclass(cls, Result)


_plans: dict[type[Record], _Plan] = {}


def plan_of(cls: type[Record]) -> _Plan:
    """Return how a class is read, made once."""
    plan = _plans.get(cls)
    if plan is None:
        plan = _plans[cls] = _Plan(cls)
    return plan


def decode(cls: type[R], sent: Any, facts: bytes = b"") -> R:
    """Return the record of an object that json.loads has made. Keeps it: change it no more."""
    if type(sent) is not dict:
        raise wrong_kind("an object", sent)
    plan = plan_of(cls)
    values: dict[str, Any] = {}
    for name, wire, read, spec in plan.members:
        value = sent.get(wire, _ABSENT)
        try:
            values[name] = read(value) if value is not _ABSENT else _default_of(spec)
        except UnexpectedAnswer as problem:
            problem.inside(wire)
            raise
    extra = {name: value for name, value in sent.items() if name not in plan.known}
    if plan.rest is not None:
        name, read = plan.rest
        values[name] = read({key: one for key, one in extra.items() if type(one) is list})
        extra = {key: one for key, one in extra.items() if type(one) is not list}
    values["extra"] = extra
    values["_sent"] = sent
    if plan.has_facts:
        values["_facts"] = facts
    record = cls.__new__(cls)
    record.__dict__.update(values)
    return record


def _default_of(spec: Any) -> Any:
    if spec.required:
        raise UnexpectedAnswer
    return spec.make_default()
