"""AsyncClient in processes of its own: loops that come, go, fork and are interrupted; memory."""

import json
import os
from collections.abc import Callable

import pytest

from isolation import run_script
from loops import ON_EACH_LOOP
from scripted import Connection, Server, stay_silent, token_answer
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


@pytest.mark.skipif("MERGE_LINK_TEST_ASAN" in os.environ, reason="a sanitizer needs its own memory")
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_ten_thousand_awaits_need_little_more_than_their_requests(
    serve: Callable[..., Server], loop_name: str
) -> None:
    """An asyncio.sleep() takes 1.2 KB, of its task; a call 3 KB."""
    printed = run_script("many_awaits.py", loop_name, serve(stay_silent).base_url)
    assert int(printed) < 6000
