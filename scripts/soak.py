#!/usr/bin/env python3
"""soak.py MINUTES: 64 threads against a server that fails one request in five in every way it can.

The server runs in a process of its own and does what each call asks for (see soak_server.py), so
that every call knows how it must end. At the end: every outcome is what it had to be, the server
did as many things of each kind as the calls counted attempts of it, nothing is left open, and
memory did not grow after the warm-up. Exits with 1 otherwise.
"""

import collections
import contextlib
import json
import logging
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import merge_link as ml

SECONDS = float(sys.argv[1]) * 60.0
THREADS = 64
WARM_UP = min(30.0, SECONDS / 4)
MOST_GROWTH = 4.0  # MiB of resident memory, after the warm-up
FAILING = 0.2
PATIENCE = 60.0  # seconds for what has to end at last

LIMIT = 64 * 1024
FIELDS = {
    "end_user_email_address": "hr@acme.example",
    "end_user_organization_name": "Acme",
    "categories": ["ats"],
}

# How a call ends whose last attempt was of that kind: its error, and the status it has.
BROKEN = (ml.TransportError, None)
SILENT = (ml.RequestTimeoutError, None)
UNFIT = (ml.ResponseError, 200)
ENDS = {
    "ok": (None, 200),
    "s400": (ml.BadRequestError, 400),
    "s401": (ml.AuthenticationError, 401),
    "s403": (ml.PermissionDeniedError, 403),
    "s404": (ml.NotFoundError, 404),
    "s408": (ml.APIError, 408),
    "s418": (ml.APIError, 418),
    "s429": (ml.RateLimitError, 429),
    **{f"s{status}": (ml.ServerError, status) for status in (500, 502, 503, 504)},
    **dict.fromkeys(("reset", "close", "cut-header", "cut-body", "cut-chunk"), BROKEN),
    **dict.fromkeys(("garbage", "http09", "two-lengths", "length-and-chunks"), BROKEN),
    **dict.fromkeys(("bad-chunk", "bad-gzip", "long-header"), BROKEN),
    **dict.fromkeys(("stall", "stall-header", "stall-body"), SILENT),
    **dict.fromkeys(("html", "not-json", "wrong-type", "too-big"), UNFIT),
    "redirect": (ml.ResponseError, 307),
}
FAULTS = [kind for kind in ENDS if kind != "ok"]
# Another attempt is made after these.
PASSING = [
    kind
    for kind, end in ENDS.items()
    if kind in ("s408", "s429", "s500", "s502", "s503", "s504") or end is BROKEN
]


class Tally:
    """What one thread saw; added up at the end."""

    def __init__(self):
        self.attempts = collections.Counter()  # by kind
        self.calls = collections.Counter()  # by kind of the last attempt
        self.held_back = self.retried = 0
        self.surprises = []

    def surprise(self, origin, found):
        if len(self.surprises) < 5:
            self.surprises.append(f"{origin}: {type(found).__name__}: {found}")


class Worker(threading.Thread):
    """Makes calls until it is told to stop."""

    def __init__(self, number, client, stop, short_lived=None):
        super().__init__(name=f"soak-{number}")
        self.tally = Tally()
        self._number, self._client, self._stop_event = number, client, stop
        self._short_lived = short_lived
        self._dice = random.Random(number)

    def run(self):
        count = 0
        while not self._stop_event.is_set():
            count += 1
            if self._short_lived is not None:
                with self._short_lived() as self._client:
                    for turn in range(20):
                        self._call(f"{count}-{turn}")
            else:
                self._call(count)

    def _plan(self):
        if self._dice.random() >= FAILING:
            return ["ok"]
        first = self._dice.choice(FAULTS)
        if first in PASSING and self._dice.random() < 0.5:
            return [first, self._dice.choice(["ok", *PASSING])]
        return [first]

    def _call(self, count):
        plan = self._plan()
        origin = f"{'.'.join(plan)}/{self._number}/{count}"
        silent = any(ENDS[kind] is SILENT for kind in plan)
        found = None
        try:
            token = self._client.create_link_token(
                **FIELDS, end_user_origin_id=origin, timeout=1.0 if silent else 60.0
            )
        except ml.ErrorBudgetError as error:
            self.tally.held_back += 1
            self._stop_event.wait(error.retry_after)
            return
        except ml.MergeLinkError as error:
            found, attempts, status = error, error.attempts, getattr(error, "status_code", None)
        except Exception as error:
            self.tally.surprise(origin, error)
            return
        else:
            attempts, status = token.response.attempts, token.response.status_code
            if token.link_token != f"token of {origin}":
                self.tally.surprise(origin, ValueError("the answer belongs to another call"))
        self._count(plan, attempts, origin, found, status)

    def _count(self, plan, attempts, origin, found, status):
        """Tell whether a call that took so many attempts had to end like this."""
        kinds = [plan[min(number, len(plan) - 1)] for number in range(attempts)]
        expected, expected_status = ENDS[kinds[-1]]
        self.tally.attempts.update(kinds)
        self.tally.calls[kinds[-1]] += 1
        self.tally.retried += attempts > 1
        good = found is None if expected is None else isinstance(found, expected)
        if not good or (expected_status is not None and status != expected_status):
            self.tally.surprise(origin, found or ValueError(f"status {status}"))


class Server:
    """soak_server.py in a process of its own."""

    def __init__(self):
        path = Path(__file__).with_name("soak_server.py")
        self._process = subprocess.Popen(
            [sys.executable, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.base_url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/api"

    def counts(self):
        self._process.stdin.write("count\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(PATIENCE)


# ---- what the process holds ----


def threads():
    return len(os.listdir("/proc/self/task"))


def descriptors():
    held = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            held.append(os.readlink(f"/proc/self/fd/{number}"))
    return len(held), sum(target.startswith("socket:") for target in held)


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def await_true(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


# ---- the whole ----


def make_workers(server, stop):
    common = {
        "base_url": server.base_url,
        "api_key": "test_soak",
        "max_response_bytes": LIMIT,
        "error_budget": None,
    }
    clients = [
        ml.Client(**common, max_retries=0),
        ml.Client(**common),
        ml.Client(**{**common, "error_budget": (20, 1.0)}),
        ml.Client(**common, max_connections=4),
    ]
    shares = [0] * 20 + [1] * 16 + [2] * 12 + [3] * 8
    workers = [Worker(number, clients[share], stop) for number, share in enumerate(shares)]
    for number in range(len(shares), THREADS):
        make = lambda: ml.Client(**common, max_retries=1)  # noqa: E731
        workers.append(Worker(number, None, stop, short_lived=make))
    return clients, workers


def watch_memory(started):
    """Sample resident memory until the time is over."""
    samples = []
    while (now := time.monotonic() - started) < SECONDS:
        if now >= WARM_UP:
            samples.append(resident())
        time.sleep(0.5)
    return samples


def growth(samples):
    """From the first fifth of the samples to the last."""
    part = max(1, len(samples) // 5)
    return statistics.median(samples[-part:]) - statistics.median(samples[:part])


def soak():
    # Each retry is a warning: made, and not shown.
    logging.getLogger("merge_link").addHandler(logging.NullHandler())
    server = Server()
    before = threads(), *descriptors()
    stop = threading.Event()
    clients, workers = make_workers(server, stop)
    started = time.monotonic()
    for worker in workers:
        worker.start()
    samples = watch_memory(started)
    stop.set()
    for worker in workers:
        worker.join(PATIENCE)
    seconds = time.monotonic() - started
    problems = [f"{worker.name} did not end" for worker in workers if worker.is_alive()]
    for client in clients:
        client.close()
    if not await_true(lambda: (threads(), *descriptors()) == before):
        problems.append(f"left open: {(threads(), *descriptors())}, before {before}")
    await_true(lambda: server.counts()["open"] == 0)
    counts = server.counts()
    server.close()
    return workers, counts, samples, seconds, problems


def report(workers, counts, samples, seconds, problems):
    attempts, calls = collections.Counter(), collections.Counter()
    for worker in workers:
        attempts += worker.tally.attempts
        calls += worker.tally.calls
        problems += worker.tally.surprises
    done = collections.Counter(counts["done"])
    print(f"{'kind':20} {'server did':>12} {'attempts':>12} {'calls ended':>12}")
    for kind in ENDS:
        print(f"{kind:20} {done[kind]:12} {attempts[kind]:12} {calls[kind]:12}")
        if done[kind] != attempts[kind]:
            problems.append(f"{kind}: the server did {done[kind]}, the calls saw {attempts[kind]}")
        if done[kind] == 0:
            problems.append(f"{kind}: never happened")
    total = sum(done.values())
    print(f"{'all':20} {total:12} {sum(attempts.values()):12} {sum(calls.values()):12}")
    grown = growth(samples)
    if grown > MOST_GROWTH:
        problems.append(f"resident memory grew by {grown:.1f} MiB")
    held_back = sum(worker.tally.held_back for worker in workers)
    retried = sum(worker.tally.retried for worker in workers)
    print(f"{seconds:.0f} s, {THREADS} threads, {sum(calls.values()) / seconds:.0f} calls a second")
    print(f"{retried} calls with more than one attempt, {held_back} held back by the error budget")
    print(f"{counts['connections']} connections, {counts['open']} left open on the server")
    print(f"resident memory: {samples[0]:.1f} MiB after {WARM_UP:.0f} s, {samples[-1]:.1f} MiB at")
    print(f"the end, {grown:+.1f} MiB (at most {MOST_GROWTH:+.1f})")
    if held_back == 0:
        problems.append("the error budget held nothing back")
    if counts["open"]:
        problems.append(f"{counts['open']} connections are left open")
    for problem in problems[:20]:
        print("PROBLEM:", problem)
    print("soak:", "FAILED" if problems else "passed")
    return 1 if problems else 0


sys.exit(report(*soak()))
