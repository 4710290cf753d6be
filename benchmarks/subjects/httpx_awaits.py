"""All at once with a kept `httpx.AsyncClient`."""

import asyncio
import ssl

import httpx

from measuring import BODY, HEADERS, TASK, measure

TIMEOUT = 600.0  # the last of a thousand waits long for its connection

trust = ssl.create_default_context(cafile=TASK["ca"])


async def make_one(client: httpx.AsyncClient) -> None:
    answer = await client.post(TASK["url"], json=BODY)
    answer.raise_for_status()
    assert answer.json()["link_token"]


async def make_calls(client: httpx.AsyncClient, calls: int) -> None:
    await asyncio.gather(*(make_one(client) for _ in range(calls)))


with asyncio.Runner() as runner:
    kept = httpx.AsyncClient(headers=HEADERS, verify=trust, timeout=TIMEOUT)
    measure(lambda calls: runner.run(make_calls(kept, calls)))
    runner.run(kept.aclose())
