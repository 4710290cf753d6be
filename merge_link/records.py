"""What results are made of: immutable, dataclass-like classes with credentials masked.

`dataclasses` itself is slow to import, so these classes only answer to it: `dataclasses.fields`,
`asdict`, `replace` and pattern matching work, and the module is loaded when somebody asks.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, Self, dataclass_transform
else:

    def dataclass_transform(**_):
        """Stand in for typing's, which is for type checkers only."""
        return lambda cls: cls


MASK = "********"
_REQUIRED: Any = object()


class _Spec:
    """What a field is beside its annotation."""

    __slots__ = ("compute", "default", "secret")

    def __init__(
        self,
        default: Any = _REQUIRED,
        secret: bool = False,
        compute: Callable[[Any], Any] | None = None,
    ) -> None:
        self.default = default
        self.secret = secret
        self.compute = compute


def credential(*, default: Any = _REQUIRED) -> Any:
    """Declare a field that repr() masks."""
    return _Spec(default, secret=True)


def derived(*, compute: Callable[[Any], Any], default: Any = None) -> Any:
    """Declare a field that is not the API's own. It counts neither in ``==`` nor in ``hash``.

    Its value is computed from the facts of the answer when somebody asks, from None when there was
    no answer (``default`` is for type checkers: such a field can be left out).
    """
    return _Spec(default, compute=compute)


class _LazyDataclass:
    """An attribute that `dataclasses` looks for on a class; made when it looks."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type[Record]) -> Any:
        # Of the class itself: a base's twin has fewer fields.
        if "_twin" not in owner.__dict__:
            owner._twin = self._make_twin(owner)
        return getattr(owner._twin, self.name)

    @staticmethod
    def _make_twin(owner: type[Record]) -> type:
        import dataclasses

        return dataclasses.make_dataclass(
            owner.__name__,
            [
                (name, owner._types[name], dataclasses.field(default=None))
                if spec.default is not _REQUIRED
                else (name, owner._types[name])
                for name, spec in owner._specs.items()
            ],
            init=False,
            repr=False,
            eq=False,
            match_args=False,
            frozen=True,
            kw_only=True,
        )


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(credential, derived)
)
class Record:
    """An immutable, dataclass-like value. Subclasses declare fields by annotations."""

    _specs: ClassVar[dict[str, _Spec]] = {}
    _types: ClassVar[dict[str, str]] = {}
    _twin: ClassVar[type]
    if not TYPE_CHECKING:
        __dataclass_fields__ = _LazyDataclass()
        __dataclass_params__ = _LazyDataclass()

    def __init_subclass__(cls) -> None:
        own = {name: text for name, text in cls.__annotations__.items() if name[0] != "_"}
        specs = {}
        for name in own:
            declared = cls.__dict__.get(name, _REQUIRED)
            specs[name] = declared if isinstance(declared, _Spec) else _Spec(declared)
            if name in cls.__dict__:
                delattr(cls, name)
        # A subclass's own fields come first.
        cls._specs = {**specs, **cls._specs}
        cls._types = {**own, **cls._types}
        type.__setattr__(cls, "__match_args__", tuple(cls._specs))

    if not TYPE_CHECKING:

        def __init__(self, *positional, **values):
            if positional:
                raise TypeError(
                    f"{type(self).__name__}() takes keyword arguments only"
                    f" ({len(positional)} positional given)"
                )
            for name, spec in self._specs.items():
                if name in values:
                    self.__dict__[name] = values.pop(name)
                elif spec.compute is None:
                    if spec.default is _REQUIRED:
                        raise TypeError(f"{type(self).__name__}() needs {name}=")
                    self.__dict__[name] = spec.default
            if values:
                raise TypeError(f"{type(self).__name__}() has no field {next(iter(values))!r}")

        def __getattr__(self, name):
            spec = self._specs.get(name)
            if spec is None or spec.compute is None:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            value = spec.compute(self.__dict__.get("_facts"))
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
        return hash((type(self), self._key()))

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
        from html import escape

        rows = "".join(
            f"<tr><th>{name}</th><td>{escape(text)}</td></tr>"
            for name, text in self._shown().items()
        )
        return f"<table><caption>{type(self).__name__}</caption>{rows}</table>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self._values())

    def __replace__(self, **changes: Any) -> Self:
        return type(self)(**{**self._values(), **changes})

    def to_dict(self) -> dict[str, Any]:
        """Return the API's fields, credentials included, ready for JSON."""
        return {name: self.__dict__[name] for name, spec in self._specs.items() if not spec.compute}


def _restore(cls: type[Record], values: dict[str, Any]) -> Record:
    record = cls.__new__(cls)
    record.__dict__.update(values)
    return record
