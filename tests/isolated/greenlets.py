"""Calls under gevent's monkey-patching. Arguments: the case, the server's URL."""

import sys

import gevent.monkey

CASE, URL = sys.argv[1:]
if CASE != "imported_but_not_patched":
    gevent.monkey.patch_all()

import os  # noqa: E402 (after the patching, as gevent asks for)
import pickle  # noqa: E402
import signal  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
import gevent.event  # noqa: E402

import merge_link  # noqa: E402
from samples import FIELDS, KEY, TOKEN  # noqa: E402

PATIENCE = 20
client = merge_link.Client(base_url=URL, api_key=KEY, timeout=PATIENCE, max_retries=0)


def ask(origin: str = "acme-42", **options: Any) -> merge_link.LinkToken:
    """Ask for a token.

    The server answers "wait" when "go" was asked, "one waits" when a "wait" or a "nothing" was, and
    "nothing" never; at "interrupt" it sends Ctrl-C.
    """
    return client.create_link_token(**{**FIELDS, "end_user_origin_id": origin}, **options)


def raised_by(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError


# ---- others go on ----


def other_greenlets_go_on() -> None:
    """The greenlet that asks for "go" runs while the other waits for its answer."""
    waiting = gevent.spawn(ask, "wait")
    turns = 0
    while not waiting.ready():
        gevent.sleep(0.001)
        turns += 1
        if turns == 50:
            ask("go")
    assert waiting.get().link_token == TOKEN
    assert turns >= 50


def many_calls_at_once() -> None:
    """All of them wait for the last."""
    greenlets = [gevent.spawn(ask, "wait") for _ in range(8)]
    greenlets.append(gevent.spawn(ask, "go"))
    gevent.joinall(greenlets, timeout=PATIENCE, raise_error=True)
    assert [greenlet.value.link_token for greenlet in greenlets] == [TOKEN] * 9


def more_calls_than_the_pool_has_threads() -> None:
    greenlets = [gevent.spawn(ask) for _ in range(100)]
    gevent.joinall(greenlets, timeout=PATIENCE, raise_error=True)
    assert {greenlet.value.link_token for greenlet in greenlets} == {TOKEN}


def page_that_is_fetched_ahead() -> None:
    """It comes when another greenlet has asked for "go", while this one waits."""
    pages = client.issues().pages(read_ahead=True)
    next(pages)
    other = gevent.spawn(ask, "go")
    assert next(pages).next_cursor is None
    assert other.get().link_token == TOKEN


def module_function_and_warm_up() -> None:
    client.warm_up(2)
    options = {"base_url": URL, "api_key": KEY}
    assert merge_link.create_link_token(**FIELDS, **options).link_token == TOKEN


def the_key_is_asked_for_in_its_greenlet() -> None:
    """While one greenlet waits for its key, the other makes a call."""
    found = gevent.event.AsyncResult()
    asked_in = []

    def source() -> str:
        asked_in.append(gevent.getcurrent())
        return found.get()

    waiting = gevent.spawn(ask, api_key=source)
    gevent.sleep(0)
    ask()
    found.set(KEY)
    assert waiting.get().link_token == TOKEN
    assert asked_in == [waiting]


def patched_threads() -> None:
    """Under the patch a thread is a greenlet."""
    threads = [threading.Thread(target=ask, args=("wait",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    ask("go")
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


# ---- greenlets that end early ----


def killed_greenlet() -> None:
    waiting = gevent.spawn(ask, "wait")
    ask("one waits")
    began = time.monotonic()
    waiting.kill()
    assert time.monotonic() - began < 1.0
    assert isinstance(waiting.value, gevent.GreenletExit)
    assert ask("go").link_token == TOKEN
    assert ask("wait").link_token == TOKEN


def greenlet_out_of_time() -> None:
    with gevent.Timeout(0.1, False):
        ask("wait")
        raise AssertionError
    assert ask("go").link_token == TOKEN


def client_that_goes_with_its_greenlet() -> None:
    """The call keeps what it needs until it ends."""
    global client
    waiting = gevent.spawn(ask, "wait")
    ask("one waits")
    client = merge_link.Client(base_url=URL, api_key=KEY)
    waiting.kill()
    del waiting
    assert ask("go").link_token == TOKEN


def closed_by_another_greenlet() -> None:
    waiting = gevent.spawn(raised_by, lambda: ask("nothing"))
    ask("one waits")
    began = time.monotonic()
    client.close()
    assert isinstance(waiting.get(timeout=PATIENCE), merge_link.ClientClosedError)
    assert time.monotonic() - began < 2.0


def program_that_ends_during_a_call() -> None:
    gevent.spawn(ask, "nothing")
    ask("one waits")


# ---- errors and signals ----


def errors_come_out() -> None:
    assert isinstance(raised_by(lambda: ask("busy")), merge_link.ServerError)
    error = raised_by(lambda: ask("nothing", timeout=0.2))
    assert isinstance(error, merge_link.RequestTimeoutError)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    invalid = raised_by(lambda: client.create_link_token(categories=["ats"]))
    assert isinstance(invalid, merge_link.ValidationError)
    assert ask().link_token == TOKEN


def the_attempt_hook_is_called() -> None:
    seen = []
    hooked = merge_link.Client(base_url=URL, api_key=KEY, on_attempt=seen.append)
    hooked.create_link_token(**FIELDS)
    assert [attempt.status_code for attempt in seen] == [200]


def ctrl_c() -> None:
    gevent.get_hub().exception_stream = None  # it tells of Ctrl-C, whatever a greenlet waits for
    headers = {"X-Pid": str(os.getpid())}
    began = time.monotonic()
    error = raised_by(lambda: ask("interrupt", extra_headers=headers))
    assert isinstance(error, KeyboardInterrupt)
    assert time.monotonic() - began < 1.0
    assert ask().link_token == TOKEN


def fork() -> None:
    ask()
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)
        assert ask().link_token == TOKEN
        sys.exit(0)
    assert ask().link_token == TOKEN
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# ---- without the patch ----


def imported_but_not_patched() -> None:
    """The call runs where it is made: no pool, and other greenlets wait."""
    other = gevent.event.Event()
    gevent.spawn(other.set)
    assert ask().link_token == TOKEN
    assert not other.is_set()
    assert gevent.get_hub()._threadpool is None
    assert len(os.listdir("/proc/self/task")) == 1


globals()[CASE]()
print("done")
