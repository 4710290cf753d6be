"""Who is measured doing what. The numbers of calls make most slices last a quarter of a second."""

from dataclasses import dataclass, field
from typing import Any

OURS = "merge-link"
VENDOR = "MergePythonClient"
PEERS = (VENDOR, "requests", "httpx", "aiohttp", "pycurl", "curl_cffi")  # as on PyPI


@dataclass(frozen=True)
class Subject:
    """A client at a task: a script in subjects/, or a C program."""

    name: str
    script: str
    calls: int = 1  # in a slice
    at_once: int = 1
    module: str | None = None  # that its Python must have
    is_wheel: bool = False  # runs where the wheel that needs nothing of the machine is installed
    task: dict[str, Any] = field(default_factory=dict)  # more of it


@dataclass(frozen=True)
class Measurement:
    """Subjects that are compared: in each round a process of each, in each slice all in turn."""

    name: str
    server: str
    subjects: tuple[Subject, ...]
    slices: int = 3
    most_rounds: int = 1000


CALLS = (
    Subject("C loop", "c_loop", 2500),
    Subject(OURS, "merge_link_calls", 2500, module="merge_link"),
    Subject("pycurl", "pycurl_calls", 2000, module="pycurl"),
    Subject("curl_cffi", "curl_cffi_calls", 700, module="curl_cffi"),
    Subject("aiohttp", "aiohttp_calls", 500, module="aiohttp"),
    Subject("requests", "requests_calls", 250, module="requests"),
    Subject("httpx", "httpx_calls", 250, module="httpx"),
    Subject(VENDOR, "vendor_calls", 120, module="merge"),
)
SOCKET = Subject("bare socket", "socket_loop", 3000)

C_MULTI = Subject("C multi loop", "c_multi", 6000, at_once=64)
BULK = Subject("merge-link, bulk", "merge_link_bulk", 4000, at_once=64, module="merge_link.bulk")
AWAITS = Subject(
    "merge-link, async", "merge_link_awaits", 1000, at_once=1000, module="merge_link.aio"
)
AIOHTTP = Subject("aiohttp", "aiohttp_calls", 1000, at_once=1000, module="aiohttp")
HTTPX = Subject("httpx", "httpx_awaits", 1000, at_once=1000, module="httpx")


def _threads(name: str, clients: str) -> Subject:
    task = {"clients": clients}
    return Subject(name, "merge_link_threads", 5000, 100, module="merge_link", task=task)


def _rows(name: str, rows: int) -> Subject:
    return Subject(name, "merge_link_bulk", rows, at_once=64, module="merge_link.bulk")


MEASUREMENTS = (
    Measurement("calls, plain", "plain", (SOCKET, *CALLS)),
    Measurement("calls, TLS", "tls", CALLS),
    Measurement("many, plain", "plain", (C_MULTI, BULK, AWAITS, AIOHTTP)),
    Measurement("many, TLS", "tls", (C_MULTI, BULK, AWAITS, AIOHTTP)),
    # Its pool takes time that grows with the square: many seconds for a slice.
    Measurement("many, httpx", "plain", (C_MULTI, AWAITS, HTTPX), slices=1, most_rounds=3),
    Measurement(
        "many, slow server",
        "slow",
        (
            Subject("C multi loop", "c_multi", 1600, at_once=64),
            Subject(
                "merge-link, bulk", "merge_link_bulk", 1600, at_once=64, module="merge_link.bulk"
            ),
        ),
        slices=1,
    ),
    Measurement(
        "threads", "plain", (_threads("one client", "one"), _threads("100 clients", "many"))
    ),
    Measurement(
        "rows",
        "plain",
        (_rows("1,000 rows", 1000), _rows("100,000 rows", 100_000)),
        slices=1,
        most_rounds=5,
    ),
)

# Of these a process makes one token; the first is the bare interpreter.
BARE = Subject("bare interpreter", "bare_first")
FIRST = (
    BARE,
    Subject(OURS, "merge_link_first", is_wheel=True),
    Subject("merge-link, from source", "merge_link_first", module="merge_link"),
    Subject("pycurl", "pycurl_first", module="pycurl"),
    Subject("curl_cffi", "curl_cffi_first", module="curl_cffi"),
    Subject("aiohttp", "aiohttp_first", module="aiohttp"),
    Subject("requests", "requests_first", module="requests"),
    Subject("httpx", "httpx_first", module="httpx"),
    Subject(VENDOR, "vendor_first", module="merge"),
)
FIRST_ON = {"first token, plain": "plain", "first token, TLS": "tls"}
FIRST_SLICES = 2
