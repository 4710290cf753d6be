"""Several interpreters in one process, each with a client. Argument: the server's URL."""

import sys
import textwrap
import threading
from typing import Any

from samples import FIELDS, KEY, TOKEN

URL = sys.argv[1]
COUNT = 4

if sys.version_info >= (3, 13):
    import _interpreters as interpreters
else:
    import _xxsubinterpreters as interpreters

CODE = textwrap.dedent(
    f"""
    import merge_link
    fields = {FIELDS!r}
    assert merge_link.create_link_token(
        **fields, base_url={URL!r}, api_key={KEY!r}
    ).link_token == {TOKEN!r}
    with merge_link.Client(base_url={URL!r}, api_key={KEY!r}) as client:
        for _ in range(20):
            token = client.create_link_token(**fields)
            assert token.link_token == {TOKEN!r}
            assert token.response.status_code == 200
        try:
            client.create_link_token()
        except merge_link.ValidationError as error:
            assert len(error.errors) == 4
        else:
            raise AssertionError
    open_at_the_end = merge_link.Client(base_url={URL!r}, api_key={KEY!r})
    open_at_the_end.create_link_token(**fields)
    """
)

failures: list[Any] = []


def work() -> None:
    try:
        number = interpreters.create()
        failure = interpreters.run_string(number, CODE)  # raises before Python 3.13
        interpreters.destroy(number)
    except BaseException as error:
        failure = error
    if failure is not None:
        failures.append(failure)


for at_once in (False, True):
    threads = [threading.Thread(target=work) for _ in range(COUNT)]
    for thread in threads:
        thread.start()
        if not at_once:
            thread.join()
    for thread in threads:
        thread.join()
    assert failures == [], failures

import merge_link  # noqa: E402 (after all the others have come and gone)

with merge_link.Client(base_url=URL, api_key=KEY) as last:
    assert last.create_link_token(**FIELDS).link_token == TOKEN
print("done")
