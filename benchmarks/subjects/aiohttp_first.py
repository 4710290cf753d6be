"""The first token with aiohttp."""

import asyncio
import ssl

import aiohttp

from first import BODY, CA, HEADERS, URL, tell


async def make_one() -> str:
    trust = ssl.create_default_context(cafile=CA) if CA else True
    async with (
        aiohttp.ClientSession(headers=HEADERS) as session,
        session.post(URL, json=BODY, ssl=trust) as answer,
    ):
        answer.raise_for_status()
        return (await answer.json())["link_token"]


tell(asyncio.run(make_one()))
