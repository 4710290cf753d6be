"""With a kept `aiohttp.ClientSession`: so many at once (one after the other, if `at_once` is 1)."""

import asyncio
import ssl

import aiohttp

from measuring import BODY, HEADERS, TASK, TIMEOUT, measure

trust = ssl.create_default_context(cafile=TASK["ca"])


async def make_one(session: aiohttp.ClientSession) -> None:
    async with session.post(TASK["url"], json=BODY, ssl=trust) as answer:
        answer.raise_for_status()
        assert (await answer.json())["link_token"]


async def make_calls(session: aiohttp.ClientSession, calls: int) -> None:
    if TASK["at_once"] == 1:
        for _ in range(calls):
            await make_one(session)
    else:
        await asyncio.gather(*(make_one(session) for _ in range(calls)))


async def open_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers=HEADERS, timeout=aiohttp.ClientTimeout(TIMEOUT))


with asyncio.Runner() as runner:
    kept = runner.run(open_session())
    measure(lambda calls: runner.run(make_calls(kept, calls)))
    runner.run(kept.close())
