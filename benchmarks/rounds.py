"""Measures what the plan says, round after round, the subjects of a measurement in turn."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from .figures import Figures
from .plan import FIRST, FIRST_ON, FIRST_SLICES, MEASUREMENTS, Measurement, Subject
from .processes import Place, Worker, first_token
from .servers import Server

FIND = """
import importlib.util, json, sys
print(json.dumps([name for name in sys.argv[1:] if importlib.util.find_spec(name)]))
"""


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    rounds: int
    share: float = 1.0  # of the calls that the plan says
    slices: int = 1000  # at most

    def calls(self, subject: Subject) -> int:
        """At least so many that each of 100 threads makes one."""
        return max(int(subject.calls * self.share), min(subject.calls, 100))

    def warm_up(self, subject: Subject) -> int:
        """So many calls that all connections are made, too: no client here has more than 100."""
        return min(self.calls(subject), max(self.calls(subject) // 10, 100), 500)


def present(place: Place, subjects: Iterable[Subject]) -> list[Subject]:
    """Those that the place can run."""
    subjects = [subject for subject in subjects if place.wheel or not subject.is_wheel]
    names = sorted({subject.module for subject in subjects if subject.module})
    said = subprocess.run(
        [place.python, "-P", "-c", FIND, *names], capture_output=True, text=True, check=True
    )
    found = json.loads(said.stdout)
    return [subject for subject in subjects if subject.module in (None, *found)]


def run(
    place: Place,
    servers: dict[str, Server],
    extent: Extent,
    report: Callable[[str], None] = lambda line: None,
) -> Figures:
    """All of the plan that the place can run, and that there is a server for."""
    figures: Figures = {}
    measurements = [each for each in MEASUREMENTS if each.server in servers]
    everything = [*FIRST, *(subject for each in MEASUREMENTS for subject in each.subjects)]
    here = set(map(id, present(place, everything)))
    for number in range(extent.rounds):
        for measurement in measurements:
            if number < measurement.most_rounds:
                report(f"round {number + 1} of {extent.rounds}: {measurement.name}")
                subjects = [each for each in measurement.subjects if id(each) in here]
                into = figures.setdefault(measurement.name, {})
                _round(place, servers[measurement.server], measurement, subjects, extent, into)
        report(f"round {number + 1} of {extent.rounds}: first token")
        for name, server in FIRST_ON.items():
            subjects = [each for each in FIRST if id(each) in here]
            into = figures.setdefault(name, {})
            for turn in range(min(FIRST_SLICES, extent.slices)):
                for subject in _in_turn(subjects, turn):
                    _keep(into, subject.name, first_token(place, subject, servers[server]))
    return figures


def _round(
    place: Place,
    server: Server,
    measurement: Measurement,
    subjects: list[Subject],
    extent: Extent,
    into: dict[str, dict[str, list[float]]],
) -> None:
    with contextlib.ExitStack() as stack:
        workers = {}
        for subject in subjects:
            worker = Worker(place, subject, server, extent.warm_up(subject))
            workers[subject.name] = stack.enter_context(worker)
        for turn in range(min(measurement.slices, extent.slices)):
            for subject in _in_turn(subjects, turn):
                told = workers[subject.name].measure(extent.calls(subject))
                calls = told.pop("calls")
                times = {name: told.pop(name) / calls for name in ("cpu", "wall")}
                _keep(into, subject.name, {**times, **told})


def _in_turn(subjects: list[Subject], turn: int) -> Iterator[Subject]:
    """Each turn begins with another, so that nobody always follows the same."""
    for place in range(len(subjects)):
        yield subjects[(turn + place) % len(subjects)]


def _keep(into: dict[str, dict[str, list[float]]], name: str, told: dict[str, float]) -> None:
    for what, number in told.items():
        into.setdefault(name, {}).setdefault(what, []).append(number)


def report_to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
