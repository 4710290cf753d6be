"""Threads that call at once: all on one client, or each on its own (`clients`: "one" or "many")."""

import threading

from measuring import FIELDS, TASK, measure
from merge_link import Client

THREADS = TASK["at_once"]


def make_client() -> Client:
    return Client(api_key=TASK["key"], base_url=TASK["base_url"], ca_bundle=TASK["ca"])


clients = (
    [make_client()] * THREADS
    if TASK["clients"] == "one"
    else [make_client() for _ in range(THREADS)]
)


def make_calls(calls: int) -> None:
    made = 0

    def work(client: Client) -> None:
        nonlocal made
        for _ in range(calls // THREADS):
            assert client.create_link_token(**FIELDS).link_token
        made += 1

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == THREADS


measure(make_calls)
