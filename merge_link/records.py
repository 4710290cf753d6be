"""What results are made of: immutable, dataclass-like classes with credentials masked.

`dataclasses` itself is slow to import, so these classes only answer to it: `dataclasses.fields`,
`asdict`, `replace` and pattern matching work, and the module is loaded when somebody asks.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, Self, dataclass_transform

    from merge_link._cards import Revealed
    from merge_link.response import Response
else:

    def dataclass_transform(**_):
        """Stand in for typing's, which is for type checkers only."""
        return lambda cls: cls


MASK = "********"
_REQUIRED: Any = object()


class _Spec:
    """What a field is beside its annotation."""

    __slots__ = (
        *("check", "compute", "default", "default_factory", "is_rest", "secret", "wanted"),
        "wire",
    )

    def __init__(
        self,
        default: Any = _REQUIRED,
        *,
        default_factory: Callable[[], Any] | None = None,
        secret: bool = False,
        compute: Callable[[Any], Any] | None = None,
        check: Callable[[Any], bool] | None = None,
        wanted: str = "",
        wire: str = "",
        is_rest: bool = False,
    ) -> None:
        self.default = default
        self.default_factory = default_factory
        self.secret = secret
        self.compute = compute
        self.check = check
        self.wanted = wanted
        self.wire = wire
        self.is_rest = is_rest

    @property
    def required(self) -> bool:
        return self.default is _REQUIRED and self.default_factory is None

    def accepts(self, value: object) -> bool:
        return self.check is None or self.check(value)

    def make_default(self) -> Any:
        return self.default if self.default_factory is None else self.default_factory()

    def dataclass_field(self) -> Any:
        from dataclasses import field

        if self.default_factory is not None:
            return field(default_factory=self.default_factory)
        return field() if self.required else field(default=self.default)


def credential(*, default: Any = _REQUIRED, wire: str = "") -> Any:
    """Declare a field that repr() masks; ``wire`` is the API's name of it, if it is another."""
    return _Spec(default, secret=True, wire=wire)


def member(*, default_factory: Callable[[], Any], is_rest: bool = False) -> Any:
    """Declare a field whose default is made anew for each record.

    ``is_rest``: it takes all members of an object whose names are not known before. They are lists;
    a member that is none goes to ``extra``.
    """
    return _Spec(default_factory=default_factory, is_rest=is_rest)


def derived(
    *,
    compute: Callable[[Any], Any],
    default_factory: Callable[[], Any] | None = None,
    check: Callable[[Any], bool] | None = None,
    wanted: str = "",
) -> Any:
    """Declare a field that is not the API's own. It counts neither in ``==`` nor in ``hash``.

    In an answer its value is computed from the facts of the answer when somebody asks. In a record
    that is made by hand it is given, or else made by ``default_factory``; ``check`` says whether a
    value that was given will do, and ``wanted`` what will.
    """
    return _Spec(default_factory=default_factory, compute=compute, check=check, wanted=wanted)


def _twin_of(owner: type[Record]) -> type:
    """Return a real dataclass with the fields of a record's class, made once."""
    # Of the class itself: a base's twin has fewer fields.
    if "_twin" not in owner.__dict__:
        from dataclasses import make_dataclass

        fields = [
            (name, owner._types[name], spec.dataclass_field())
            for name, spec in owner._specs.items()
        ]
        owner._twin = make_dataclass(
            owner.__name__,
            fields,
            repr=False,
            eq=False,
            match_args=False,
            frozen=True,
            kw_only=True,
        )
    return owner._twin


class _LazyDataclass:
    """An attribute that `dataclasses` looks for on a class; made when it looks."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type[Record]) -> Any:
        return getattr(_twin_of(owner), self.name)


class _LazySignature:
    """The signature that help() and editors show; made when they look."""

    def __get__(self, instance: object, owner: type[Record]) -> Any:
        from inspect import signature

        return signature(_twin_of(owner))


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(credential, member, derived)
)
class Record:
    """An immutable, dataclass-like value. Subclasses declare fields by annotations."""

    _specs: ClassVar[dict[str, _Spec]] = {}
    _types: ClassVar[dict[str, str]] = {}
    _twin: ClassVar[type]
    if not TYPE_CHECKING:
        __dataclass_fields__ = _LazyDataclass()
        __dataclass_params__ = _LazyDataclass()
        __signature__ = _LazySignature()

    def __init_subclass__(cls) -> None:
        own = {name: text for name, text in cls.__annotations__.items() if name[0] != "_"}
        specs = {}
        for name in own:
            declared = cls.__dict__.get(name, _REQUIRED)
            specs[name] = declared if isinstance(declared, _Spec) else _Spec(declared)
            if name in cls.__dict__:
                delattr(cls, name)
        # A subclass's own fields come first, and count where it declares one again.
        cls._specs = {**specs, **cls._specs, **specs}
        cls._types = {**own, **cls._types, **own}
        type.__setattr__(cls, "__match_args__", tuple(cls._specs))

    if not TYPE_CHECKING:

        def __init__(self, *positional, **values):
            refused = self._refusal(len(positional), values)
            if refused:
                message = f"{type(self).__name__}() {refused}"
                del self, positional, values  # a traceback may show what they hold
                raise TypeError(message)
            for name, spec in self._specs.items():
                self.__dict__[name] = values[name] if name in values else spec.make_default()

        def _refusal(self, positional, values):
            """Return what is wrong with the arguments, or None. Does not repeat them."""
            if positional:
                first = next(iter(self._specs))
                return f"takes keyword arguments only ({positional} positional given): {first}=..."
            for name in values:
                if name not in self._specs:
                    return f"has no field {name!r}"
            for name, spec in self._specs.items():
                if not spec.accepts(values[name]) if name in values else spec.required:
                    return f"needs {name}={spec.wanted and ' as ' + spec.wanted}"
            return None

        def __getattr__(self, name):
            spec = self._specs.get(name)
            facts = self.__dict__.get("_facts")
            if spec is None or spec.compute is None or facts is None:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            value = spec.compute(facts)
            self.__dict__[name] = value
            return value

    def __setattr__(self, name: str, value: object) -> None:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._specs}

    def _key(self) -> tuple[Any, ...]:
        return tuple(self.__dict__[name] for name, spec in self._specs.items() if not spec.compute)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), _frozen(self._key())))

    def _shown(self) -> dict[str, str]:
        """Return what may be seen of each field, by its name."""
        values = {name: getattr(self, name) for name in type(self).__annotations__}
        return {
            name: repr(MASK if self._specs[name].secret and value is not None else value)
            for name, value in values.items()
        }

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={text}" for name, text in self._shown().items())
        return f"{type(self).__name__}({inside})"

    def _repr_html_(self) -> str:
        from merge_link._cards import of_record

        return of_record(self)

    def __dir__(self) -> list[str]:
        """Name the fields that are worked out when looked at, too: for completion."""
        return sorted({*super().__dir__(), *self._specs})

    def __reduce__(self) -> tuple[Any, ...]:
        values = self._values()
        if "_sent" in self.__dict__:
            values["_sent"] = self.__dict__["_sent"]
        return _restore, (type(self), values)

    def __replace__(self, **changes: Any) -> Self:
        return type(self)(**{**self._values(), **changes})

    def to_dict(self) -> dict[str, Any]:
        """Return the API's fields, credentials included, ready for JSON."""
        return {name: self.__dict__[name] for name, spec in self._specs.items() if not spec.compute}


def _frozen(value: Any) -> Any:
    """Return a value that can be hashed, and is equal for what is equal."""
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(one) for one in value)
    if hasattr(value, "items"):
        return frozenset((name, _frozen(one)) for name, one in value.items())
    return value


def _restore(cls: type[Record], values: dict[str, Any]) -> Record:
    record = cls.__new__(cls)
    record.__dict__.update(values)
    return record


# ---- what the API's objects are made of ----


def _no_extra(facts: bytes) -> dict[str, Any]:
    return {}


def _response(facts: bytes) -> Response:
    from merge_link.response import response_of

    return response_of(facts)


def _no_response() -> Response:
    from merge_link.response import no_response

    return no_response()


def _is_response(value: object) -> bool:
    from merge_link.response import Response

    return isinstance(value, Response)


def to_json(value: Any) -> Any:
    """Return a value as JSON has it, with lists and dicts of its own."""
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, dict):
        return {name: to_json(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(one) for one in value]
    if hasattr(value, "isoformat"):
        return value.isoformat().replace("+00:00", "Z")
    return value


class Part(Record):
    """An object of the API's, in a result or the whole of it.

    ``extra`` holds what Merge answered beyond the fields that this version knows.
    """

    extra: dict[str, Any] = derived(compute=_no_extra, default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return all that the API answered, credentials included, ready for JSON.

        Of one that was made by hand, or by ``replace``: all its fields.
        """
        if "_sent" in self.__dict__:
            sent: dict[str, Any] = to_json(self.__dict__["_sent"])
            return sent
        plain: dict[str, Any] = {}
        for name, spec in self._specs.items():
            if spec.is_rest:
                plain |= to_json(self.__dict__[name])
            elif not spec.compute:
                plain[spec.wire or name] = to_json(self.__dict__[name])
        return {**plain, **to_json(self.extra)}


class Result(Part):
    """A result of a call.

    ``extra`` holds what Merge answered beyond the fields that this version knows, ``response`` the
    facts of the HTTP answer. A result that is made by hand, in tests for instance, has an empty
    response unless it gets one: status code 0, no attempts, no headers.
    """

    extra: dict[str, Any] = derived(compute=_no_extra, default_factory=dict)
    response: Response = derived(
        compute=_response,
        default_factory=_no_response,
        check=_is_response,
        wanted="a merge_link.Response",
    )


class Secret(Result):
    """A result that holds a credential. repr() masks it; pickles, asdict and to_dict hold it."""

    def reveal(self) -> Revealed:
        """Return what a notebook shows with the credentials, and a button that copies each.

        They are saved with the notebook. Everywhere but in a notebook it is masked.
        """
        from merge_link._cards import Revealed

        return Revealed(self)
