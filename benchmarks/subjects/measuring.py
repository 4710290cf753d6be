"""What the scripts here share: the task, and the conversation with the runner.

Each script is a process of its own, started with a JSON object: `url` (of the endpoint),
`base_url`, `ca` (a PEM file, or null: plain), `key`, `at_once`, `warm_up`. It connects, warms up,
says "ready", and then makes as many calls as each line on its standard input says. It tells the CPU
time of the whole process (user and system, of all threads) and the wall time that they took, in
seconds.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

TASK = json.loads(sys.argv[1])
FIELDS = {
    "end_user_email_address": "hr@acme.example",
    "end_user_organization_name": "Acme",
    "end_user_origin_id": "acme-42",
    "categories": ["ats"],
}
BODY = {**FIELDS, "link_expiry_mins": 30}  # what goes over the wire, for clients that know no Merge
HEADERS = {"Authorization": f"Bearer {TASK['key']}", "Accept": "application/json"}
TIMEOUT = 30.0


def measure(make_calls: Callable[[int], dict[str, Any] | None]) -> None:
    """What ``make_calls`` returns is told along with the times."""
    make_calls(TASK["warm_up"])
    print("ready", flush=True)
    for line in sys.stdin:
        calls = int(line)
        cpu, wall = time.process_time(), time.perf_counter()
        more = make_calls(calls)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(json.dumps({"calls": calls, "cpu": cpu, "wall": wall, **(more or {})}), flush=True)


def resident() -> int:
    """The resident memory of this process, in bytes."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
