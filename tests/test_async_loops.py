"""AsyncClient where loops come, go, fork and are interrupted, each case in a process of its own."""

import json
from collections.abc import Callable

import pytest

from isolation import run_script
from loops import ON_EACH_LOOP
from scripted import Connection, Server, token_answer
from test_isolated import cases_of

pytestmark = [ON_EACH_LOOP, pytest.mark.usefixtures("leaks_of_lost_threads_do_not_count")]

CASES = [name for name in cases_of("async_loops.py") if name not in ("make", "descriptors")]


def reply(connection: Connection, request: bytes) -> None:
    if json.loads(request.partition(b"\r\n\r\n")[2])["end_user_origin_id"] == "silent":
        connection.wait_for_end()
    connection.send(token_answer())


@pytest.mark.parametrize("case", CASES)
def test_it_ends_well_and_says_nothing(
    serve: Callable[..., Server], loop_name: str, case: str
) -> None:
    url = serve(reply).base_url
    assert run_script("async_loops.py", loop_name, case, url) == "done\n"
