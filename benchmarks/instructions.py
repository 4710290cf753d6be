"""Counts the instructions of one warm call with callgrind, by what they belong to.

    python -m benchmarks.instructions --programs build/benchmarks [--record]

Two runs that differ in nothing but the number of calls, and the difference divided by it; the same
of the C loop, for comparison. Exits with 1 when ours have grown by more than a tenth over the
figure in instructions.json, which --record writes.
"""

import argparse
import json
import platform
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from . import servers
from .plan import OURS, Subject
from .processes import Place, Worker, user_agent
from .servers import Server

RECORD = Path(__file__).parent / "instructions.json"
MOST_GROWTH = 1.10
FEW, MANY = 100, 600
OWN = "its own code"
# What an object file belongs to, by its name; the rest is the C library's and the kernel's.
OWNERS = {
    r"/_core\..*so|/c_loop$": OWN,
    r"/libcurl": "libcurl",
    r"/libcjson": "cJSON",
    r"/(lib)?python3[^/]*$": "Python",
}
OTHERS = "C library and others"
COST = re.compile(r"[+-]?\d+ \d+$|\* \d+$")
COUNTED = (Subject(OURS, "merge_link_calls"), Subject("C loop", "c_loop"))

Counted: TypeAlias = dict[str, dict[str, int]]  # by subject, by owner


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.instructions", description=__doc__)
    parser.add_argument("--programs", type=Path, required=True, help="where the C programs are")
    parser.add_argument("--record", action="store_true", help="write the figure down")
    arguments = parser.parse_args()
    place = Place(sys.executable, arguments.programs, None, user_agent(sys.executable))
    try:
        with servers.serving(None) as serving:
            counted = {each.name: count(place, each, serving["plain"]) for each in COUNTED}
    except servers.Missing as missing:
        sys.exit(f"instructions: {missing}")
    for name, parts in counted.items():
        print(f"{name}: {sum(parts.values()):,} instructions for a warm call")
        for owner, number in parts.items():
            print(f"{number:9,}  {owner}")
    if arguments.record:
        RECORD.write_text(json.dumps(described(counted), indent=2) + "\n")
        return
    complaint = growth(counted, json.loads(RECORD.read_text()))
    if complaint:
        sys.exit(f"instructions: {complaint}")


def growth(counted: Counted, known: dict[str, Any]) -> str | None:
    """What to say when our own have grown too much; None: they have not."""
    now, before = counted[OURS][OWN], known["instructions"][OURS][OWN]
    if now <= before * MOST_GROWTH:
        return None
    return (
        f"{now:,} of our own are more than a tenth above {before:,} in benchmarks/instructions.json"
        f" (compiled by {known['compiler']}); if that has to be: make instructions RECORD=1"
    )


def described(counted: Counted) -> dict[str, object]:
    said = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True).stdout
    compiler = re.match(r"(\S+) .*?(\d+\.\d+\.\d+)", said)
    return {
        "compiler": " ".join(compiler.groups()) if compiler else "",
        "python": platform.python_version(),
        "instructions": counted,
    }


def count(place: Place, subject: Subject, server: Server) -> dict[str, int]:
    """Instructions of one call, by what they belong to."""
    few, many = (by_owner(profile(place, subject, server, calls)) for calls in (FEW, MANY))
    names = [*OWNERS.values(), OTHERS]
    found = {name: round((many[name] - few[name]) / (MANY - FEW)) for name in names}
    return {name: number for name, number in found.items() if number > 0}


def profile(place: Place, subject: Subject, server: Server, calls: int) -> str:
    """What callgrind writes of a process that makes so many calls."""
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "callgrind.out"
        under = ("valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={into}")
        with Worker(replace(place, under=under), subject, server, warm_up=10) as worker:
            worker.measure(calls)
        return into.read_text()


def by_owner(written: str) -> Counter[str]:
    """Sums the costs of its lines; one after ``calls=`` is what was called, and counted there."""
    names: dict[str, str] = {}
    costs: Counter[str] = Counter()
    owner, is_inclusive = OTHERS, False
    for line in written.splitlines():
        if line.startswith("ob="):
            number, _, name = line[3:].partition(" ")
            owner = owner_of(names.setdefault(number, name))
        elif line.startswith("cob="):
            number, _, name = line[4:].partition(" ")
            names.setdefault(number, name)
        elif line.startswith("calls="):
            is_inclusive = True
        elif COST.match(line):
            if not is_inclusive:
                costs[owner] += int(line.split()[1])
            is_inclusive = False
    return costs


def owner_of(path: str) -> str:
    return next((owner for name, owner in OWNERS.items() if re.search(name, path)), OTHERS)


if __name__ == "__main__":
    main()
