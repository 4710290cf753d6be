"""Do the same thing thousands of times and see what is left. Arguments: what, the server's URL.

Three things are counted: Python's memory blocks, objects that the garbage collector knows, and
bytes of malloc in use, where the C library tells (glibc), else resident memory. Tables that grow
now and then are no leak, and one round of many leaves nothing. A leak shows in every round.
"""

import asyncio
import ctypes
import dataclasses
import gc
import math
import pickle
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import merge_link
from merge_link import AsyncClient, Client, LinkToken, MergeLinkError
from samples import EVERY_FIELD, FIELDS, KEY

WHAT, URL = sys.argv[1:]
OPTIONS = {"base_url": URL, "api_key": KEY, "max_retries": 0}
WARM_UP, TIMES, MOST_ROUNDS = 300, 1000, 12
MOST_LEFT = 0.05, 0.05, 12.0

client = Client(**OPTIONS)
async_client = AsyncClient(**OPTIONS)
loop = asyncio.new_event_loop()
turn = 0


def refused(
    call: Callable[..., Any], expected: type[Exception] = MergeLinkError, /, **fields: Any
) -> Exception:
    try:
        call(**fields)
    except expected as error:
        return error
    raise AssertionError("not refused")


def look_at_everything() -> None:
    token = client.create_link_token(**EVERY_FIELD)
    token.response.headers["content-length"]
    repr((token, token.expires_at, token.response, token.extra, token._repr_html_()))
    assert pickle.loads(pickle.dumps(token)) == dataclasses.replace(token)


def evict() -> None:
    """One option set more than the module keeps clients for, in turn."""
    global turn
    turn = (turn + 1) % 9
    merge_link.create_link_token(**FIELDS, **OPTIONS, user_agent=f"agent/{turn}")


def many_problems() -> None:
    refused(
        client.create_link_token,
        end_user_email_address="\ud800",
        categories=["ats", "ats", 5, "atss", object()],
        common_models=[{"model_id": 1, "x": object(), "\0": 1, 5: 6}, 7],
        category_common_model_scopes={"ats": [{"model_permissions": {"A": {"is_enabled": 1}}}]},
        integration_specific_config={"a": math.nan},
        extra_body={"language": 1, 5: 5, "x": object()},
        extra_headers={"Host": "x", "X-\ud800": "\ud800"},
    )


def pickled_error() -> None:
    pickle.loads(pickle.dumps(refused(client.create_link_token, **FIELDS)))


def unclosed_client_in_a_cycle() -> None:
    unclosed = Client(**OPTIONS)
    unclosed.myself = unclosed
    unclosed.create_link_token(**FIELDS)


def closed_client() -> None:
    with Client(**OPTIONS, account_token="x", proxy="", category="ats", user_agent="x") as made:
        repr((made, made.base_url, made.error_budget, made.ca_bundle))


def one_call_client() -> None:
    with Client(**OPTIONS) as made:
        made.create_link_token(**FIELDS)


def sources_of_keys() -> None:
    """An API key that a callable gives, refuses, or gives wrongly."""
    with Client(**{**OPTIONS, "api_key": lambda: str(KEY + "_")}) as made:
        made.create_link_token(**FIELDS)
        refused(made.create_link_token, ZeroDivisionError, **FIELDS, api_key=lambda: 1 / 0)
        for wrong in ("", "\ud800", 5):
            refused(made.create_link_token, **FIELDS, api_key=lambda wrong=wrong: wrong)
    merge_link.create_link_token(**FIELDS, **{**OPTIONS, "api_key": lambda: KEY})


def bad_options() -> None:
    for bad in (
        {"api_key": ""},
        {"api_key": "\ud800"},
        {"api_key": 5},
        {"base_url": "http://merge.example"},
        {"timeout": "x"},
        {"ca_bundle": b"x"},
        {"ca_bundle": "/no/such"},
        {"error_budget": (1, "x")},
    ):
        refused(Client, **{**OPTIONS, **bad})
    refused(client.create_link_token, **FIELDS, timeout=-1)
    refused(client.create_link_token, **FIELDS, api_key="x\n")
    refused(merge_link.create_link_token, **FIELDS, region="moon")


def bad_calls() -> None:
    for call in (client.create_link_token, merge_link.create_link_token):
        refused(call, TypeError, **FIELDS, catagories=1)
        refused(call, merge_link.ValidationError, **FIELDS, extra_body=5)
        refused(call, merge_link.ValidationError, **FIELDS, extra_headers={"x": 5})
    refused(Client, TypeError, nonsense=1)
    for positional in (Client, client.create_link_token):
        refused(lambda positional=positional: positional(1), TypeError)


# ---- other operations ----

NOW = datetime.now(UTC)


def operations() -> None:
    """One of each kind of answer, and arguments of each kind."""
    assert client.account_details(account_token="x").status
    assert client.force_resync(account_token="x", api_key=lambda: KEY)[0].to_dict()
    assert client.delete_account(account_token="x") is None
    params = {"a": [1, "x"], "b": 0.5, "c": None, "d": NOW, "e": "text"}
    found = client.request("PUT", "/x", params=params, json={"a": [1]}, headers={"X": "y"})
    repr((found, found.json(), found.headers))


def pages() -> None:
    for read_ahead in (False, True):
        listed = client.paginate("/x", api_key=lambda: str(KEY + "_"))
        assert len(list(listed.iterate(read_ahead=read_ahead))) == 2
    next(client.issues(start_date=NOW).pages(read_ahead=True))
    listed.again = listed


def views() -> None:
    with client.for_account("x", category="hris") as view:
        view.account_details()
        view.myself = view.with_options(timeout=5, max_retries=0)
        view.myself.back = view
        repr((view, view.category))
    refused(view.account_details)
    refused(client.for_account, account_token="\ud800")
    refused(client.for_account, account_token=None)
    refused(client.with_options, base_url="ftp://x")
    refused(client.with_options, max_retries=-1)
    refused(client.with_options, TypeError, proxy="x")


def bad_operations() -> None:
    refused(client.issue, merge_link.ResponseError, id="broken")
    refused(client.account_details)
    refused(client.account_details, account_token=5)
    refused(client.issue, TypeError, nonsense=1)
    refused(lambda: client.issue("a", id="b"), TypeError)
    refused(lambda: client.issue("a", "b"), TypeError)
    naive = datetime(2026, 1, 1)
    refused(client.issues, start_date=naive, end_date=object(), page_size="x")
    refused(client.request, method="GET", path="/../x", params={"a": {1, 2}, "b": [naive]})
    refused(client.passthrough, account_token="x", method="GET", path="/", data={"a": {1}})
    refused(client.retrieve_account_token, public_token="a\r\n")


async def awaited_operations() -> None:
    await async_client.for_account("x").account_details()
    await async_client.for_account("x").close()
    listed = async_client.paginate("/x", api_key=key)
    assert len([one async for one in listed.iterate(read_ahead=True)]) == 2
    for call in (async_client.issue("broken"), async_client.account_details()):
        try:
            await call
        except MergeLinkError:
            continue
        raise AssertionError("not refused")
    async_client.issue("thrown away").close()


# ---- to be awaited ----


def awaited() -> None:
    loop.run_until_complete(async_client.create_link_token(**EVERY_FIELD))


async def many() -> None:
    """Three calls, of which one is thrown away before, and one after it is sent."""
    tasks = [asyncio.ensure_future(async_client.create_link_token(**FIELDS)) for _ in range(3)]
    tasks[0].cancel()
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def async_refused() -> None:
    calls = (
        (MergeLinkError, {}),
        (MergeLinkError, {"categories": ["atss"]}),
        (MergeLinkError, {"api_key": "\n"}),
        (TypeError, {"catagories": 1}),
        (ZeroDivisionError, {"api_key": lambda: 1 / 0}),
    )
    for expected, more in calls:
        try:
            await async_client.create_link_token(**{**FIELDS, **more})
        except expected:
            continue
        raise AssertionError("not refused")


async def key() -> str:
    return str(KEY + "_")


async def hooked() -> None:
    async with AsyncClient(**{**OPTIONS, "api_key": key}, on_attempt=str) as made:
        await made.create_link_token(**FIELDS)


async def one_call_in_another_client() -> None:
    made = AsyncClient(**OPTIONS)
    await made.create_link_token(**FIELDS)


def in_another_loop() -> None:
    asyncio.run(async_client.create_link_token(**FIELDS))


WAYS: dict[str, Callable[[], object]] = {
    "success": lambda: client.create_link_token(**EVERY_FIELD),
    "module": lambda: merge_link.create_link_token(**FIELDS, **OPTIONS),
    "attributes": look_at_everything,
    "evict": evict,
    "validation": many_problems,
    "bad_calls": bad_calls,
    "bad_options": bad_options,
    "sources_of_keys": sources_of_keys,
    "failure": lambda: refused(client.create_link_token, **FIELDS),
    "pickled_error": pickled_error,
    "client": closed_client,
    "one_call_client": one_call_client,
    "unclosed_client": unclosed_client_in_a_cycle,
    "record": lambda: dataclasses.asdict(
        LinkToken(link_token="a", expires_at=datetime.now(UTC), extra={"b": [1]})
    ),
    "operations": operations,
    "pages": pages,
    "views": views,
    "bad_operations": bad_operations,
    "awaited_operations": lambda: loop.run_until_complete(awaited_operations()),
    "awaited": awaited,
    "awaited_many": lambda: loop.run_until_complete(many()),
    "awaited_failure": lambda: loop.run_until_complete(async_refused()),
    "awaited_hook": lambda: loop.run_until_complete(hooked()),
    "awaited_unclosed": lambda: loop.run_until_complete(one_call_in_another_client()),
    "awaited_in_loops": in_another_loop,
    "introspection": lambda: (
        merge_link._core.fields("create_link_token"),
        merge_link._core.operations(),
    ),
}


class MallocFacts(ctypes.Structure):
    """struct mallinfo2."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def malloc_in_use() -> int:
    try:
        mallinfo = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * 4096
    mallinfo.restype = MallocFacts
    facts = mallinfo()
    return int(facts.uordblks + facts.hblkhd)


def measure() -> tuple[int, int, int]:
    for _ in range(3):
        gc.collect()
    objects = len(gc.get_objects())
    return sys.getallocatedblocks(), objects, malloc_in_use()


def repeat(times: int) -> None:
    way = WAYS[WHAT]
    for _ in range(times):
        way()


measure()
repeat(WARM_UP)
before = measure()
for _ in range(MOST_ROUNDS):
    repeat(TIMES)
    after = measure()
    left = [(now - then) / TIMES for then, now in zip(before, after, strict=True)]
    blocks, objects, in_use = left
    print(f"{WHAT}: {blocks:.3f} blocks, {objects:.3f} objects, {in_use:.1f} bytes each time")
    if all(one < most for one, most in zip(left, MOST_LEFT, strict=True)):
        break
    before = after
else:
    raise AssertionError("no round is clean")
