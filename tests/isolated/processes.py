"""multiprocessing with a client made and used at import. Arguments: method, server's URL."""

import multiprocessing
import os
import sys

import merge_link
from samples import FIELDS, KEY, TOKEN

METHOD, URL = sys.argv[1:]
client = merge_link.Client(base_url=URL, api_key=KEY)
client.create_link_token(**FIELDS)


def work(number: int) -> tuple[int, str]:
    """Return who answered, and the tokens that the client and the module's function got."""
    token = client.create_link_token(**FIELDS).link_token
    other = merge_link.create_link_token(**FIELDS, base_url=URL, api_key=KEY).link_token
    assert token == other
    return os.getpid(), token


if __name__ == "__main__":
    context = multiprocessing.get_context(METHOD)
    with context.Pool(2, maxtasksperchild=3) as pool:
        results = pool.map_async(work, range(12), chunksize=1)
        here = [work(number) for number in range(12)]
        there = results.get(60)
        pool.close()
        pool.join()
    assert {token for _, token in here + there} == {TOKEN}
    assert os.getpid() not in {pid for pid, _ in there}
    assert client.create_link_token(**FIELDS).response.timing.connect == 0.0
    print("done")
