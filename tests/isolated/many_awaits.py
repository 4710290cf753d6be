"""Print how many bytes each of many calls takes while all are awaited. Arguments: loop, URL.

The server is silent, so that one call is sent and the others wait for their turn.
"""

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from peak_memory import resident

from loops import FACTORIES
from merge_link import AsyncClient
from samples import FIELDS, KEY

COUNT = 10_000


async def bytes_of_each(make: Callable[[], Coroutine[Any, Any, Any]]) -> int:
    gc.collect()
    before = resident()
    tasks = [asyncio.ensure_future(make()) for _ in range(COUNT)]
    await asyncio.sleep(0.1)
    used = resident() - before
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return used * 1024 // COUNT


async def main() -> None:
    async with AsyncClient(base_url=URL, api_key=KEY, max_connections=1, timeout=60) as client:
        await bytes_of_each(lambda: client.create_link_token(**FIELDS))
        print(await bytes_of_each(lambda: client.create_link_token(**FIELDS)))


LOOP, URL = sys.argv[1:]
with asyncio.Runner(loop_factory=FACTORIES[LOOP]) as runner:
    runner.run(main())
