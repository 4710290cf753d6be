"""What a connection and the application hand each other: one request, one answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

HeaderList: TypeAlias = "list[tuple[str, str]]"


@dataclass(frozen=True, slots=True, repr=False)
class Incoming:
    """A whole request. No repr of its fields: the headers hold a credential."""

    method: str
    target: str  # as on the request line: path and query, percent-encoded
    headers: HeaderList
    body: bytes

    @property
    def path(self) -> str:
        """The target's path, still percent-encoded; of an absolute-form target too."""
        target = self.target.partition("?")[0]
        if target.startswith("/") or "://" not in target:
            return target
        return "/" + target.partition("://")[2].partition("/")[2]


@dataclass(frozen=True, slots=True, repr=False)
class Outgoing:
    """An answer. ``headers`` hold its length; the connection adds the date and the like."""

    status: int
    headers: HeaderList
    body: bytes


Handler: TypeAlias = Callable[[Incoming], Outgoing]
Observer: TypeAlias = Callable[[Incoming, Outgoing], None]
