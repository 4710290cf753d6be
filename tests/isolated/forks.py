"""Fork with a client in all states. Arguments: the case, the server's URL, its CA's file or ''."""

import logging
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import merge_link
from samples import FIELDS, KEY, TOKEN

CASE, URL, CA_FILE = sys.argv[1:]
OPTIONS: dict[str, Any] = {"base_url": URL, "api_key": KEY, "ca_bundle": CA_FILE or None}
PATIENCE = 20
FORKED = "the process was forked during the call"


def make(**options: Any) -> merge_link.Client:
    return merge_link.Client(**{**OPTIONS, **options})


def ask(client: Any, origin: str = "acme-42") -> merge_link.LinkToken:
    token = client.create_link_token(**{**FIELDS, "end_user_origin_id": origin})
    assert token.link_token == TOKEN
    return token


def is_reused(token: merge_link.LinkToken) -> bool:
    assert token.response is not None
    return token.response.timing.connect == 0.0


# ---- children ----


class Left(SystemExit):
    """Ends a child as any program ends: all that the script holds is let go of."""


def fork(work: Callable[[], object]) -> int:
    """Run the work in a child; one that hangs is ended by its alarm."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)
        work()
        raise Left
    return child


def join(*children: int) -> None:
    for child in children:
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0, os.waitstatus_to_exitcode(status)


def expect_threads() -> None:
    """From 3.12 on, os.fork() warns of threads: here the script's own."""
    warnings.simplefilter("ignore", DeprecationWarning)


def connections() -> int:
    """Count the sockets of this process that lead to the server."""
    port = int(URL.split(":")[2].split("/")[0])
    count = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(name))) as sock:
                if sock.family == socket.AF_INET:
                    count += sock.getpeername()[1] == port
        except OSError:
            pass  # the one that listed them, or a socket without a peer
    return count


# ---- at once ----


def both_sides() -> None:
    """Parent and child use the same client at the same time."""
    client = make()
    ask(client)
    child = fork(lambda: [ask(client) for _ in range(20)])
    assert all(is_reused(ask(client)) for _ in range(20))
    join(child)
    assert is_reused(ask(client))


def child_that_closes_the_client() -> None:
    client = make()
    ask(client)

    def work() -> None:
        ask(client)
        client.close()

    join(fork(work))
    assert is_reused(ask(client))


def child_that_never_calls() -> None:
    client = make()
    ask(client)
    join(fork(lambda: None))
    assert is_reused(ask(client))


def child_without_python_finalization() -> None:
    client = make()
    ask(client)
    join(fork(lambda: (ask(client), os._exit(0))))
    assert is_reused(ask(client))


def client_made_but_not_used() -> None:
    client = make()
    join(fork(lambda: ask(client)))
    ask(client)


def closed_client() -> None:
    """A client that was closed before the fork is closed in the child."""
    client = make()
    ask(client)
    client.close()

    def work() -> None:
        try:
            ask(client)
        except merge_link.ClientClosedError:
            return
        raise AssertionError

    join(fork(work))


def grandchildren() -> None:
    client = make()

    def work(depth: int) -> None:
        ask(client)
        if depth > 0:
            join(fork(lambda: work(depth - 1)), fork(lambda: work(depth - 1)))
        assert is_reused(ask(client))

    work(2)


def module_functions() -> None:
    def ask_module() -> merge_link.LinkToken:
        return merge_link.create_link_token(**FIELDS, **OPTIONS)

    ask_module()
    child = fork(lambda: [ask_module() for _ in range(5)])
    assert is_reused(ask_module())
    join(child)
    assert is_reused(ask_module())


def many_clients() -> None:
    clients = [make() for _ in range(20)]
    for client in clients:
        client.warm_up(3)
    assert connections() == 60

    def work() -> None:
        assert connections() == 0
        for client in clients:
            ask(client)

    join(fork(work))
    assert all(is_reused(ask(client)) for client in clients)


# ---- descriptors ----


def server_sees_the_end() -> None:
    """The parent closes its client: the server sees the end although the child lives.

    The server answers "the end" only when the first connection has ended.
    """
    client, other = make(), make()
    ask(client, "the first")
    held, holding = os.pipe()

    def work() -> None:
        assert connections() == 0
        os.close(holding)
        os.read(held, 1)
        ask(client)

    child = fork(work)
    client.close()
    ask(other, "the end")
    os.close(holding)
    join(child)


# ---- the error budget ----


def error_budget() -> None:
    """What the parent failed at does not count in the child, and the other way round."""
    client = make(error_budget=(3, 300.0), max_retries=0)

    def fail() -> type[Exception]:
        try:
            ask(client)
        except merge_link.APIError as error:
            return type(error)
        raise AssertionError

    server, held_back = merge_link.ServerError, merge_link.ErrorBudgetError
    assert [fail() for _ in range(2)] == [server] * 2

    def work() -> None:
        assert [fail() for _ in range(4)] == [server] * 3 + [held_back]

    join(fork(work))
    assert [fail() for _ in range(2)] == [server, held_back]
    join(fork(work))
    assert fail() is held_back


def error_budget_in_flight() -> None:
    """Calls that other threads of the parent have under way are not the child's."""
    client = make(error_budget=(4, 300.0), max_retries=0, timeout=PATIENCE)
    for _ in range(2):
        with suppress(merge_link.ServerError):
            ask(client, "fail")
    waiting = [threading.Thread(target=ask, args=(client, "wait"), daemon=True) for _ in range(2)]
    for thread in waiting:
        thread.start()
    for _ in waiting:
        ask(make(error_budget=None), "one waits")
    expect_threads()
    join(fork(lambda: ask(client, "go")))
    for thread in waiting:
        thread.join()


# ---- threads ----


def during_calls() -> None:
    """Fifty children of a process that has calls under way in eight other threads."""
    client = make(max_connections=6)  # so that some wait for a connection
    ask(client)  # a fork while a module is being imported is beyond Python itself
    over = threading.Event()
    failures: list[BaseException] = []

    def go_on() -> None:
        while not over.is_set():
            try:
                ask(client)
            except BaseException as error:
                failures.append(error)

    threads = [threading.Thread(target=go_on, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()

    def work() -> None:
        assert connections() == 0
        ask(client)
        assert is_reused(ask(client))

    expect_threads()
    for _ in range(10):
        join(*[fork(work) for _ in range(5)])
    over.set()
    for thread in threads:
        thread.join()
    assert failures == []


def no_thread_of_ours() -> None:
    """From 3.12 on, os.fork() warns when the process has a second thread."""
    warnings.simplefilter("error")
    client = make()
    for _ in range(3):
        ask(client)
        assert len(os.listdir("/proc/self/task")) == 1
        join(fork(lambda: ask(client)))


# ---- a fork inside a call ----


class Forker:
    """Forks once, in a signal handler or wherever it is called."""

    def __init__(self) -> None:
        self.child: int | None = None
        signal.signal(signal.SIGUSR1, self)

    def __call__(self, *_: object) -> None:
        if self.child is None:
            self.child = os.fork()
            if self.child == 0:
                signal.alarm(PATIENCE)


def fork_during(
    client: merge_link.Client, forker: Forker, call: Callable[[], object], *, child_fails: bool
) -> None:
    """Make a call that forks: the parent's goes on, the child's may end; both can call again."""
    failure = ""
    try:
        call()
    except merge_link.TransportError as error:
        failure = str(error)
    assert forker.child is not None
    assert failure == (FORKED if child_fails and forker.child == 0 else "")
    if forker.child == 0:
        assert connections() == 0
        ask(client, "go")
        assert is_reused(ask(client))
        raise Left
    join(forker.child)
    assert is_reused(ask(client))


def ask_for_signal(client: merge_link.Client) -> object:
    """Make a call during which the server sends SIGUSR1."""
    fields = {**FIELDS, "end_user_origin_id": "wait"}
    return client.create_link_token(**fields, extra_headers={"X-Pid": str(os.getpid())})


def handler_while_waiting_for_the_answer() -> None:
    """The server signals when it has the request, and answers when the child has called."""
    client = make(max_retries=0)
    fork_during(client, Forker(), lambda: ask_for_signal(client), child_fails=True)


def handler_while_waiting_to_retry() -> None:
    client = make()
    fork_during(client, Forker(), lambda: ask_for_signal(client), child_fails=True)


def handler_while_waiting_for_a_connection() -> None:
    """In the child the connection is free: the thread that has it is not there."""
    client = make(max_connections=1)
    forker = Forker()
    busy = threading.Thread(target=ask, args=(client, "wait"), daemon=True)
    busy.start()
    ask(make(), "one waits")
    expect_threads()
    signal.signal(signal.SIGALRM, forker)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    ask(client, "go")
    if forker.child == 0:
        raise Left
    busy.join()
    assert forker.child is not None
    join(forker.child)


def fork_in_hook(*, before_retry: bool) -> None:
    forker = Forker()

    def hook(attempt: Any) -> None:
        if (attempt.retry_in is not None) == before_retry:
            forker()

    client = make(on_attempt=hook)
    fork_during(client, forker, lambda: ask(client), child_fails=before_retry)


def hook_before_the_retry() -> None:
    fork_in_hook(before_retry=True)


def hook_at_the_end() -> None:
    fork_in_hook(before_retry=False)


def log_line_before_the_attempt() -> None:
    forker = Forker()
    logger = logging.getLogger("merge_link")
    client = make()
    ask(client)
    logger.setLevel(logging.DEBUG)
    logger.addFilter(lambda record: forker())
    fork_during(client, forker, lambda: ask(client), child_fails=True)


def warm_up() -> None:
    """A fork while connections are made ahead: those that stand are not the child's."""
    client = make(max_retries=0)
    forker = Forker()
    failure = ""
    try:
        client.warm_up(3, extra_headers={"X-Pid": str(os.getpid())})
    except merge_link.TransportError as error:
        failure = str(error)
    assert forker.child is not None
    if forker.child == 0:
        assert failure == FORKED
        assert connections() == 0
        client.warm_up(2)
        assert connections() == 2
        raise Left
    assert failure == ""
    join(forker.child)
    assert connections() == 3


def page_read_ahead() -> None:
    """The answer of the page that is under way goes to the parent: the child asks for its own."""
    expect_threads()
    results = make().paginate("/ats/v1/candidates").iterate(read_ahead=True)
    assert next(results) == {"n": 1}
    join(fork(lambda: check_rest(results)))
    check_rest(results)


def check_rest(results: Any) -> None:
    assert list(results) == [{"n": 2}]


logging.getLogger("merge_link").addHandler(logging.NullHandler())  # else stderr has the retries
globals()[CASE]()
print("done")
