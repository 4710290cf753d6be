"""Print by how many KiB the peak of memory grows while a server misbehaves, and how calls end."""

import sys
from pathlib import Path

import merge_link
from samples import FIELDS, KEY


def peak() -> int:
    """Return the peak of this program; getrusage() would begin with that of its parent."""
    return memory("VmHWM")


def resident() -> int:
    """Return what this program has in memory now."""
    return memory("VmRSS")


def memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise RuntimeError(f"no {name}")


def call(client: merge_link.Client) -> str:
    try:
        client.create_link_token(**FIELDS)
    except merge_link.MergeLinkError as error:
        # What the error gives when it is looked at counts too.
        return f"{type(error).__name__} {len(str(vars(error)))}".split()[0]
    return "a token"


def main(base_url: str) -> None:
    with merge_link.Client(base_url=base_url, api_key=KEY, max_retries=0, timeout=20) as client:
        # A token, then an ordinary error, so that all modules are loaded.
        ordinary = [call(client), call(client)]
        before = peak()
        outcome = call(client)
        grown = peak() - before
        print(*ordinary, outcome, grown, call(client), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1])
