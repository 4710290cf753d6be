"""Connect many times to a name that the shim lookup.c knows. Argument: the server's port."""

import sys
import threading

import merge_link
from samples import FIELDS, KEY

OPTIONS = {"base_url": f"http://api.example:{sys.argv[1]}/api", "api_key": KEY, "allow_http": True}

with merge_link.Client(**OPTIONS) as client, merge_link.Client(**OPTIONS) as other:
    client.warm_up(3)
    other.warm_up(2)
    together = threading.Barrier(10)

    def work() -> None:
        together.wait()
        client.create_link_token(**FIELDS)

    threads = [threading.Thread(target=work) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("done")
