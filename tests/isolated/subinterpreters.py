"""Calls in other interpreters of the process. Arguments: the case, own or shared GIL, the URL."""

import os
import sys
import textwrap
import threading
from contextlib import suppress
from typing import Any

from samples import FIELDS, KEY, TOKEN

CASE, GIL, URL = sys.argv[1:]
PATIENCE = 20

if sys.version_info >= (3, 13):
    import _interpreters as interpreters

    CONFIGURATION: dict[str, Any] = {"config": "isolated" if GIL == "own" else "legacy"}
else:
    import _xxsubinterpreters as interpreters

    # Before 3.12 all interpreters share one GIL, isolated or not.
    CONFIGURATION = {"isolated": GIL == "own"}

PRELUDE = f"""
import threading  # its first import marks the main thread

import merge_link

fields = {FIELDS!r}
options = {{"base_url": {URL!r}, "api_key": {KEY!r}}}


def ask(client, origin="acme-42"):
    token = client.create_link_token(**{{**fields, "end_user_origin_id": origin}})
    assert token.link_token == {TOKEN!r}
    return token


def raised_by(call, *arguments, **keywords):
    try:
        call(*arguments, **keywords)
    except Exception as error:
        return error
    raise AssertionError


client = merge_link.Client(**options)
"""


def run(interpreter: Any, code: str) -> None:
    # From 3.13 on it returns what went wrong, before it raises.
    failure = interpreters.run_string(interpreter, textwrap.dedent(code))
    assert failure is None, failure


def make() -> Any:
    interpreter = interpreters.create(**CONFIGURATION)
    run(interpreter, PRELUDE)
    return interpreter


class Thread(threading.Thread):
    """Runs code in an interpreter; join() raises what it raised."""

    def __init__(self, interpreter: Any, code: str) -> None:
        super().__init__(daemon=True)
        self.interpreter = interpreter
        self.code = code
        self.failure: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            run(self.interpreter, self.code)
        except BaseException as failure:
            self.failure = failure

    def join(self, timeout: float | None = PATIENCE) -> None:
        super().join(timeout)
        assert not self.is_alive()
        if self.failure is not None:
            raise self.failure


def sockets() -> int:
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the one that listed them is gone
            count += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return count


# ---- cases ----


def calls_at_once() -> None:
    """The server answers nobody before all have asked."""
    made = [make() for _ in range(4)]
    threads = [Thread(one, "for _ in range(20): ask(client, 'together')") for one in made]
    for thread in threads:
        thread.join()
    for one in made:
        interpreters.destroy(one)


def threads_in_interpreters() -> None:
    code = """
    import threading
    threads = [threading.Thread(target=ask, args=(client, "together")) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    """
    made = [make(), make()]
    threads = [Thread(one, code) for one in made]
    for thread in threads:
        thread.join()
    for one in made:
        interpreters.destroy(one)


def errors() -> None:
    """Each interpreter raises errors of its own, whole and complete."""
    code = """
    import pickle
    def check(error, kind, **members):
        assert type(error) is kind, repr(error)
        assert {name: getattr(error, name) for name in members} == members
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind and str(again) == str(error)
    for _ in range(20):
        check(raised_by(client.create_link_token), merge_link.ValidationError)
        check(raised_by(ask, client, "refused"), merge_link.BadRequestError, status_code=400)
        check(raised_by(client.create_link_token, nothing=1), TypeError)
        check(raised_by(merge_link.Client, timeout=-1), merge_link.ConfigurationError)
    hurried = merge_link.Client(**options, timeout=0.1)
    check(raised_by(ask, hurried, "never"), merge_link.RequestTimeoutError)
    refused = merge_link.Client(**{**options, "base_url": "http://127.0.0.1:1"}, max_retries=0)
    check(raised_by(ask, refused), merge_link.TransportError, attempts=1)
    client.close()
    check(raised_by(ask, client), merge_link.ClientClosedError)
    """
    made = [make() for _ in range(3)]
    threads = [Thread(one, code) for one in made]
    for thread in threads:
        thread.join()
    for one in made:
        interpreters.destroy(one)


def results() -> None:
    """What a result makes when it is asked: dates, headers, copies."""
    code = """
    import copy, dataclasses, logging, pickle
    seen = []
    class Handler(logging.Handler):
        def emit(self, record): seen.append(record.getMessage())
    logging.getLogger("merge_link").addHandler(Handler())
    logging.getLogger("merge_link").setLevel(logging.DEBUG)
    hooked = merge_link.Client(**options, on_attempt=seen.append)
    token = ask(hooked)
    assert len(seen) == 3
    assert token.expires_at.tzinfo is not None
    assert token.response.headers["content-type"] == "application/json"
    assert pickle.loads(pickle.dumps(token)) == token == copy.deepcopy(token)
    assert dataclasses.asdict(token)["link_token"] == token.link_token
    assert token.link_token not in repr(token)
    """
    one = make()
    run(one, code)
    interpreters.destroy(one)


def calls_that_are_awaited() -> None:
    """Each interpreter has loops of its own, and clients in them that nobody closes."""
    code = """
    import asyncio
    async_client = merge_link.AsyncClient(**options, on_attempt=str)
    async def main():
        tokens = await asyncio.gather(
            *(async_client.create_link_token(**fields) for _ in range(20))
        )
        assert {token.link_token for token in tokens} == {ask(client).link_token}
        try:
            await async_client.create_link_token(**fields, timeout=-1)
        except merge_link.ConfigurationError:
            pass
    for _ in range(3):
        asyncio.run(main())
    """
    made = [make() for _ in range(3)]
    threads = [Thread(one, code) for one in made]
    for thread in threads:
        thread.join()
    for one in made:
        interpreters.destroy(one)


def connections_end_with_their_interpreter() -> None:
    """Clients of the interpreter and those of the module's functions."""
    before = sockets()
    for _ in range(10):
        one = make()
        run(one, "ask(client); merge_link.create_link_token(**fields, **options)")
        assert sockets() > before
        interpreters.destroy(one)
        assert sockets() == before


def one_ends_while_others_call() -> None:
    waiting, other = make(), make()
    thread = Thread(waiting, "ask(client, 'wait'); ask(client)")
    run(other, "ask(client, 'one waits')")
    interpreters.destroy(other)
    third = make()
    run(third, "ask(client, 'go')")
    thread.join()
    interpreters.destroy(waiting)
    interpreters.destroy(third)


def one_error_budget_for_the_process() -> None:
    code = """
    strict = merge_link.Client(**options, error_budget=(4, 300.0), max_retries=0)
    assert type(raised_by(ask, strict, "busy")) is merge_link.{0}
    """
    for expected in ["ServerError"] * 4 + ["ErrorBudgetError"] * 2:
        one = make()
        run(one, code.format(expected))
        interpreters.destroy(one)


globals()[CASE]()
print("done")
