"""One call after the other with a kept `httpx.Client`."""

import ssl

import httpx

from measuring import BODY, HEADERS, TASK, TIMEOUT, measure

trust = ssl.create_default_context(cafile=TASK["ca"])
client = httpx.Client(headers=HEADERS, verify=trust, timeout=TIMEOUT)


def make_calls(calls: int) -> None:
    for _ in range(calls):
        answer = client.post(TASK["url"], json=BODY)
        answer.raise_for_status()
        assert answer.json()["link_token"]


measure(make_calls)
