"""What a connection and the application hand each other: one request, one answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

HeaderList: TypeAlias = "list[tuple[str, str]]"
Cut: TypeAlias = Literal["before", "headers", "body"]


@dataclass(frozen=True, slots=True, repr=False)
class Incoming:
    """A whole request. No repr of its fields: the headers hold a credential."""

    method: str
    target: str  # as on the request line: path and query, percent-encoded
    headers: HeaderList
    body: bytes
    peer: str = ""  # the IP address that it came from
    began: float = 0.0  # when it was whole, by `time.perf_counter`

    @property
    def path(self) -> str:
        """The target's path, still percent-encoded; of an absolute-form target too."""
        target = self.target.partition("?")[0]
        if target.startswith("/") or "://" not in target:
            return target
        return "/" + target.partition("://")[2].partition("/")[2]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer leaves if not at once and whole.

    It waits ``wait_seconds``. With ``garbled`` each byte of its body has the highest bit set, as
    by a bad line. ``cut`` says where the connection ends: "before" the first byte, after the
    "headers", or in the middle of the "body".
    """

    wait_seconds: float = 0.0
    garbled: bool = False
    cut: Cut | None = None


AT_ONCE = Delivery()


@dataclass(frozen=True, slots=True, repr=False)
class Outgoing:
    """An answer. ``headers`` hold its length; the connection adds the date and the like."""

    status: int
    headers: HeaderList
    body: bytes
    delivery: Delivery = AT_ONCE


Handler: TypeAlias = Callable[[Incoming], Outgoing]
Observer: TypeAlias = Callable[[Incoming, Outgoing], None]
