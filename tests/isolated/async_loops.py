"""Event loops that end, fork and are interrupted while calls wait. Arguments: loop, case, URL.

The server is silent to calls of the origin id "silent".
"""

import asyncio
import gc
import os
import signal
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import merge_link
from loops import FACTORIES
from merge_link import AsyncClient
from samples import FIELDS, KEY, TOKEN

LOOP, CASE, URL = sys.argv[1:]
SILENT = {**FIELDS, "end_user_origin_id": "silent"}
PATIENCE = 20.0
factory = FACTORIES[LOOP]
kept: list[Any] = []


def make(**options: Any) -> AsyncClient:
    return AsyncClient(**{"base_url": URL, "api_key": KEY, **options})


def run(main: Any) -> Any:
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


async def ask(client: AsyncClient) -> None:
    assert (await client.create_link_token(**FIELDS)).link_token == TOKEN


async def wait_in_vain(client: AsyncClient, count: int = 1) -> list[Any]:
    """Calls that are sent and wait for their answers."""
    waiting = [asyncio.ensure_future(client.create_link_token(**SILENT)) for _ in range(count)]
    await ask(client)
    return waiting


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


# ---- loops that come and go ----


def one_client_in_many_loops() -> None:
    client = make()
    run(ask(client))
    before = descriptors()
    for _ in range(30):
        run(ask(client))
    assert descriptors() <= before + 2
    client.close()


def clients_that_are_not_closed() -> None:
    async def main() -> None:
        await ask(make())
        before = descriptors()
        for _ in range(30):
            client = make()
            await ask(client)
            gone = weakref.ref(client)
            del client
            gc.collect()
            assert gone() is None
            await asyncio.sleep(0)
        assert descriptors() <= before + 2

    run(main())


def loops_of_many_threads_at_once() -> None:
    client, failures = make(max_connections=8), []

    def work() -> None:
        async def many() -> None:
            await asyncio.gather(*(ask(client) for _ in range(50)))

        try:
            run(many())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert failures == []
    client.close()


def closing_in_one_loop_what_another_awaits() -> None:
    client, ready, outcomes = make(), threading.Event(), []

    def work() -> None:
        async def main() -> None:
            waiting = await wait_in_vain(client, 3)
            ready.set()
            outcomes.extend(await asyncio.gather(*waiting, return_exceptions=True))

        run(main())

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(PATIENCE)
    run(client.aclose())
    thread.join(PATIENCE)
    assert [type(one) for one in outcomes] == [merge_link.ClientClosedError] * 3


# ---- loops that stop ----


def stopped_loop() -> None:
    """What is left of the calls is dropped without a word when the loop goes."""
    client, loop = make(), factory()
    tasks = loop.run_until_complete(wait_in_vain(client, 5))
    for task in tasks:
        task._log_destroy_pending = False  # asyncio's own complaint of a task that never ended
    loop.close()
    gone = weakref.ref(loop)
    del loop, tasks, task
    run(ask(client))
    gc.collect()
    assert gone() is None
    client.close()


def stopped_with_answers_at_hand() -> None:
    """An error that nobody takes any more is not one that was never retrieved."""
    client, loop = make(timeout=0.2), factory()

    async def be_late() -> None:
        with suppress(merge_link.RequestTimeoutError):
            await client.create_link_token(**SILENT)

    async def main() -> list[Any]:
        tasks = [asyncio.ensure_future(be_late()) for _ in range(5)]
        await ask(client)
        time.sleep(0.5)  # the timeouts come, and the loop does not see them
        return tasks

    tasks = loop.run_until_complete(main())
    for task in tasks:
        task._log_destroy_pending = False
    loop.close()
    del tasks, task, loop
    gc.collect()
    client.close()


def tasks_are_cancelled_at_the_end() -> None:
    client = make()

    async def main() -> None:
        kept.extend(await wait_in_vain(client, 5))

    run(main())
    assert all(task.cancelled() for task in kept)
    run(ask(client))


# ---- the interpreter's end ----


def calls_at_the_interpreters_end() -> None:
    client, loop = make(), factory()
    kept.extend((client, loop, loop.run_until_complete(wait_in_vain(client, 5))))
    for task in kept[2]:
        task._log_destroy_pending = False
    warnings.simplefilter("ignore", ResourceWarning)


def client_in_use_at_the_interpreters_end() -> None:
    client = make()
    kept.append(client)
    run(ask(client))


def loop_of_a_daemon_thread_at_the_interpreters_end() -> None:
    client, ready = make(), threading.Event()

    def work() -> None:
        async def main() -> None:
            waiting = await wait_in_vain(client, 5)
            ready.set()
            await asyncio.gather(*waiting)

        run(main())

    threading.Thread(target=work, daemon=True).start()
    assert ready.wait(PATIENCE)


# ---- signals ----


def ctrl_c() -> None:
    client = make()
    sent_at = 0.0

    def interrupt() -> None:
        nonlocal sent_at
        sent_at = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    async def main() -> None:
        (task,) = await wait_in_vain(client)
        threading.Timer(0.1, interrupt).start()
        await task

    try:
        run(main())
    except KeyboardInterrupt:
        assert time.monotonic() - sent_at < 1.0
    else:
        raise AssertionError("not interrupted")
    run(ask(client))
    client.close()


def hook_that_is_interrupted() -> None:
    """Ctrl-C in on_attempt comes out of the loop, and no outcome is lost."""
    told = []

    def hook(attempt: merge_link.Attempt) -> None:
        told.append(attempt)
        if len(told) == 3:
            raise KeyboardInterrupt

    client, loop = make(on_attempt=hook), factory()

    async def main() -> list[Any]:
        return [asyncio.ensure_future(client.create_link_token(**FIELDS)) for _ in range(8)]

    tasks = loop.run_until_complete(main())
    with suppress(KeyboardInterrupt):
        loop.run_until_complete(asyncio.wait_for(asyncio.gather(*tasks), PATIENCE))
    loop.run_until_complete(asyncio.wait(tasks, timeout=PATIENCE))
    assert [task.result().link_token for task in tasks] == [TOKEN] * 8
    assert len(told) == 8
    client.close()
    loop.close()


# ---- fork ----


def in_a_child(deed: Callable[[], object]) -> None:
    warnings.simplefilter("ignore", DeprecationWarning)  # the engine is a thread
    child = os.fork()
    if child == 0:
        signal.alarm(int(PATIENCE))
        status = 1
        try:
            deed()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def used_on_both_sides_of_a_fork() -> None:
    client = make()
    run(ask(client))
    in_a_child(lambda: run(ask(client)))
    run(ask(client))
    client.close()


def forked_while_calls_wait() -> None:
    client = make()

    def child() -> None:
        run(ask(client))
        client.close()
        gc.collect()

    async def main() -> None:
        waiting = await wait_in_vain(client, 3)
        in_a_child(child)
        await ask(client)
        for task in waiting:
            assert not task.done()
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await ask(client)

    run(main())
    client.close()


cases: dict[str, Callable[[], None]] = {
    name: value
    for name, value in list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == "__main__" and name[0].islower()
}
cases[CASE]()
print("done")
