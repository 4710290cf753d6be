"""The machine: its cores, and what of it and of the versions matters to the figures."""

import contextlib
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BUSY = 0.5  # load average above which the figures are not to be trusted

# What the Python of the subjects says of itself.
VERSIONS = """
import importlib.metadata, json, platform, sys
from merge_link import _core
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
said = {"Python": platform.python_version(), "libraries": _core.versions(), "peers": found}
print(json.dumps(said))
"""


@dataclass(frozen=True)
class Cores:
    """One for the server, one for the client; None: as the system likes."""

    server: int | None
    client: int | None


def cores() -> Cores:
    """The first and the last that this process may use."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return Cores(None, None)
    return Cores(allowed[0], allowed[-1])


@contextlib.contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """What is started in the block runs on this core."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def versions(python: str, peers: list[str]) -> dict[str, Any]:
    said = subprocess.run(
        [python, "-P", "-c", VERSIONS, *peers], capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def describe(python: str, peers: list[str], nginx: str) -> dict[str, Any]:
    """No more than what matters: no name of the machine, no path."""
    kernel = re.match(r"[\d.]+", platform.release())
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "kernel": f"{platform.system()} {kernel[0] if kernel else ''}".strip(),
        "load": os.getloadavg()[0],
        "nginx": nginx,
        **versions(python, peers),
    }
