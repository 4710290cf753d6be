"""`create_link_tokens` with a kept `merge_link.Client`; and how memory grew meanwhile."""

from collections.abc import Iterator

from measuring import FIELDS, TASK, measure, resident
from merge_link import Client

LOOK_EVERY = 500  # outcomes

client = Client(api_key=TASK["key"], base_url=TASK["base_url"], ca_bundle=TASK["ca"])


def rows(count: int) -> Iterator[dict[str, object]]:
    for number in range(count):
        yield {**FIELDS, "end_user_origin_id": f"acme-{number}"}


def make_calls(calls: int) -> dict[str, int]:
    start = most = resident()
    for outcome in client.create_link_tokens(rows(calls), concurrency=TASK["at_once"]):
        assert outcome.token is not None
        if outcome.index % LOOK_EVERY == 0:
            most = max(most, resident())
    return {"growth": most - start}


measure(make_calls)
