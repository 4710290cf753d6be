"""One call after the other with a kept `merge_link.Client`."""

from measuring import FIELDS, TASK, measure
from merge_link import Client

client = Client(api_key=TASK["key"], base_url=TASK["base_url"], ca_bundle=TASK["ca"])


def make_calls(calls: int) -> None:
    for _ in range(calls):
        token = client.create_link_token(**FIELDS).link_token
        assert token


measure(make_calls)
