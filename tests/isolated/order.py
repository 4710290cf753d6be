"""End a program with clients and results in all states. Arguments: the case, the server's URL."""

import atexit
import gc
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import merge_link
from samples import FIELDS, KEY, TOKEN

CASE, URL = sys.argv[1:]
kept: list[Any] = []


class Client(merge_link.Client):
    pass


def make() -> Client:
    return Client(base_url=URL, api_key=KEY, timeout=30)


def client_before_result() -> None:
    client = make()
    token = client.create_link_token(**FIELDS)
    gone = weakref.ref(client)
    del client
    assert gone() is None
    assert (token.link_token, token.response.status_code) == (TOKEN, 200)


def result_before_client() -> None:
    client = make()
    token = client.create_link_token(**FIELDS)
    gone = weakref.ref(token)
    del token
    assert gone() is None
    client.create_link_token(**FIELDS)
    client.close()


def closed_client_before_error() -> None:
    client = make()
    client.create_link_token(**FIELDS)
    client.close()
    try:
        client.create_link_token(**FIELDS)
    except merge_link.ClientClosedError as error:
        kept.append(error)
    gone = weakref.ref(client)
    del client
    kept[0].__traceback__ = None
    assert gone() is None


def client_in_a_cycle() -> None:
    client = make()
    client.create_link_token(**FIELDS)
    client.callbacks = [client, client.create_link_token]
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None


def method_outlives_its_client() -> None:
    client = make()
    create = client.create_link_token
    del client
    assert create(**FIELDS).link_token == TOKEN


def open_client_at_exit() -> None:
    kept.append(make())
    kept.append(kept[0].create_link_token(**FIELDS))


def open_client_in_a_cycle_at_exit() -> None:
    kept.append(make())
    kept[0].create_link_token(**FIELDS)
    kept[0].everything = kept
    sys.merge_link_kept = kept  # type: ignore[attr-defined]


def default_client_at_exit() -> None:
    merge_link.create_link_token(**FIELDS, base_url=URL, api_key=KEY)


def call_at_exit() -> None:
    client = make()
    atexit.register(lambda: print(client.create_link_token(**FIELDS).link_token == TOKEN))


class CallsWhenDeleted:
    """Uses a client when most of the interpreter is gone already."""

    def __init__(self) -> None:
        self.client = make()
        self.client.create_link_token(**FIELDS)

    def __del__(self) -> None:
        self.client.close()
        repr(self.client)


def used_in_del_at_exit() -> None:
    kept.append(CallsWhenDeleted())


def waiting(client: Client) -> None:
    with suppress(merge_link.MergeLinkError):
        client.create_link_token(**{**FIELDS, "end_user_origin_id": "silent"})


def start_waiting() -> Client:
    client = make()
    threading.Thread(target=waiting, args=(client,), daemon=True).start()
    client.create_link_token(**{**FIELDS, "end_user_origin_id": "after silent"})
    return client


def daemon_thread_in_a_call_at_exit() -> None:
    kept.append(start_waiting())


def daemon_thread_in_a_call_while_its_client_goes() -> None:
    client = start_waiting()
    del client  # the call keeps it alive


def daemon_thread_in_a_call_of_a_closed_client() -> None:
    client = start_waiting()
    client.close()
    for thread in threading.enumerate():
        if thread.daemon:
            thread.join(20)
            assert not thread.is_alive()


def client_of_a_finished_thread() -> None:
    def work() -> None:
        local = threading.local()
        local.client = make()
        kept.append(local.client.create_link_token(**FIELDS))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) == 4


def core_is_unloaded_and_loaded_again() -> None:
    client = make()
    for name in [name for name in sys.modules if name.startswith("merge_link")]:
        del sys.modules[name]
    gc.collect()
    assert client.create_link_token(**FIELDS).link_token == TOKEN
    import merge_link as second

    assert second.Client is not merge_link.Client
    with second.Client(base_url=URL, api_key=KEY) as other:
        assert other.create_link_token(**FIELDS).link_token == TOKEN


cases: dict[str, Callable[[], None]] = {
    name: value
    for name, value in list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == "__main__" and name[0].islower()
}
cases[CASE]()
print("done")
