"""The HTTP answer behind a result or an error: `Response`, `Headers`, `Timing`."""

from __future__ import annotations

from collections.abc import Mapping

from merge_link.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    # What read_facts() of the core returns: status code, attempts, when the attempt began (seconds
    # since the epoch), minutes until expiry (0: never), header lines, seconds of timing.
    Facts = tuple[int, int, float, int, bytes, tuple[float, float, float, float, float]]


class Headers(Mapping[str, str]):
    """HTTP headers by their names, whatever their case. Repeated ones are joined by commas."""

    def __init__(self, lines: bytes = b"") -> None:
        self._by_key: dict[str, tuple[str, str]] = {}
        # Not splitlines(): that also splits at what may stand in a value, such as 0x85.
        for line in lines.decode("latin-1").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                self._add(name.strip(), value.strip())

    def _add(self, name: str, value: str) -> None:
        known = self._by_key.get(name.lower())
        self._by_key[name.lower()] = (known[0], f"{known[1]}, {value}") if known else (name, value)

    def __getitem__(self, name: str) -> str:
        return self._by_key[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def __repr__(self) -> str:
        """Show the names only: a server may put anything into the values."""
        return f"Headers({', '.join(self)})"

    def _repr_html_(self) -> str:
        from merge_link._cards import of_headers

        return of_headers(self)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    @property
    def request_id(self) -> str | None:
        """The id that Merge's support asks for, if the answer has one."""
        return self.get("X-Request-Id") or self.get("Request-Id")


class Timing(Record):
    """Seconds since the attempt began until each step was done; 0.0 for a step not needed."""

    name_lookup: float
    connect: float
    tls: float
    first_byte: float
    total: float


class Response(Record):
    """What is known of the HTTP answer. ``attempts`` counts the requests that were sent.

    In a result that was made by hand there was none: ``status_code`` and ``attempts`` are 0.
    """

    status_code: int
    request_id: str | None
    headers: Headers
    attempts: int
    timing: Timing


def timing_of(seconds: tuple[float, ...]) -> Timing:
    """Return the timing that the core measured, step by step."""
    return Timing(**dict(zip(Timing.__match_args__, seconds, strict=True)))


def no_timing() -> Timing:
    """Return the timing of what never happened."""
    return timing_of((0.0,) * len(Timing.__match_args__))


def response_of(facts: bytes) -> Response:
    """Return the response that the core's facts describe."""
    from merge_link._core import read_facts

    status_code, attempts, _, _, lines, seconds = read_facts(facts)
    headers = Headers(lines)
    return Response(
        status_code=status_code,
        request_id=headers.request_id,
        headers=headers,
        attempts=attempts,
        timing=timing_of(seconds),
    )


def no_response() -> Response:
    """Return the response of a result that was made by hand."""
    return Response(
        status_code=0, request_id=None, headers=Headers(), attempts=0, timing=no_timing()
    )
