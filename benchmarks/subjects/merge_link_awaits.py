"""All at once with a kept `merge_link.AsyncClient`."""

import asyncio

from measuring import FIELDS, TASK, measure
from merge_link import AsyncClient


async def make_one(client: AsyncClient) -> None:
    token = (await client.create_link_token(**FIELDS)).link_token
    assert token


async def make_calls(client: AsyncClient, calls: int) -> None:
    await asyncio.gather(*(make_one(client) for _ in range(calls)))


async def open_client() -> AsyncClient:
    return AsyncClient(api_key=TASK["key"], base_url=TASK["base_url"], ca_bundle=TASK["ca"])


with asyncio.Runner() as runner:
    kept = runner.run(open_client())
    measure(lambda calls: runner.run(make_calls(kept, calls)))
