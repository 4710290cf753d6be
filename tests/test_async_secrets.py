"""What can be seen of a call that is awaited holds no secret: its errors, its frames, its log."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import merge_link
from loops import FACTORIES, ON_EACH_LOOP, run_in
from merge_link import AsyncClient
from samples import FIELDS, KEY
from scripted import Script, Server, answer, hang_up, stay_silent
from test_secrets import ACCOUNT, Watch, assert_clean, assert_none_in, echo_all, texts_of_error
from test_secrets import watch as watch

Serve = Callable[..., Server]
pytestmark = ON_EACH_LOOP


async def wait_for_the_key() -> str:
    await asyncio.sleep(0)
    return KEY


async def never() -> str:
    await asyncio.sleep(60)
    return KEY


async def give_bytes() -> Any:
    return KEY.encode()


async def give_with_newline() -> str:
    return KEY + "\n"


# What is called, and how the server answers.
Call = Callable[[AsyncClient], Awaitable[object]]
CALLS: dict[str, tuple[type[Exception], Script, Call]] = {
    "a refusal": (
        merge_link.AuthenticationError,
        echo_all(401),
        lambda client: client.create_link_token(**FIELDS),
    ),
    "a refusal of the call's own key": (
        merge_link.AuthenticationError,
        echo_all(401),
        lambda client: client.create_link_token(**FIELDS, api_key=KEY),
    ),
    "a refusal of a key that was awaited": (
        merge_link.AuthenticationError,
        echo_all(401),
        lambda client: client.create_link_token(**FIELDS, api_key=wait_for_the_key),
    ),
    "a refusal while warming up": (
        merge_link.AuthenticationError,
        echo_all(401),
        lambda client: client.warm_up(2, api_key=KEY),
    ),
    "a promise that is broken": (
        merge_link.ResponseError,
        echo_all(200),
        lambda client: client.create_link_token(**FIELDS, api_key=KEY),
    ),
    "a connection that breaks": (
        merge_link.TransportError,
        hang_up,
        lambda client: client.create_link_token(**FIELDS, api_key=KEY),
    ),
    "a timeout": (
        merge_link.RequestTimeoutError,
        stay_silent,
        lambda client: client.create_link_token(**FIELDS, api_key=KEY, timeout=0.1),
    ),
    "wrong fields": (
        merge_link.ValidationError,
        hang_up,
        lambda client: client.create_link_token(**{**FIELDS, "categories": [KEY]}, api_key=KEY),
    ),
    "wrong fields while warming up": (
        merge_link.ValidationError,
        hang_up,
        lambda client: client.warm_up(0, api_key=KEY),
    ),
    "an unknown keyword": (
        TypeError,
        hang_up,
        lambda client: client.create_link_token(**FIELDS, api_key=KEY, catagories=1),
    ),
    "a key with a newline": (
        merge_link.ConfigurationError,
        hang_up,
        lambda client: client.create_link_token(**FIELDS, api_key=KEY + "\n"),
    ),
    "a key of bytes": (
        merge_link.ConfigurationError,
        hang_up,
        lambda client: client.create_link_token(**FIELDS, api_key=give_bytes),
    ),
    "a key with a newline that was awaited": (
        merge_link.ConfigurationError,
        hang_up,
        lambda client: client.warm_up(2, api_key=give_with_newline),
    ),
    "headers that are none": (
        merge_link.ValidationError,
        hang_up,
        lambda client: client.create_link_token(**FIELDS, api_key=KEY, extra_headers={"a": 5}),
    ),
}


@pytest.mark.parametrize("what", CALLS)
def test_no_error_holds_one(serve: Serve, watch: Watch, loop_name: str, what: str) -> None:
    kind, script, call = CALLS[what]

    async def main() -> None:
        async with AsyncClient(
            base_url=serve(script).base_url,
            api_key=KEY,
            account_token=ACCOUNT,
            on_attempt=watch.attempts.append,
            max_retries=0,
        ) as client:
            await call(client)

    assert_clean(watch, lambda: run_in(loop_name, main()), kind)


@pytest.mark.parametrize("source", [None, wait_for_the_key, never])
def test_no_cancelled_call_holds_one(serve: Serve, loop_name: str, source: Any) -> None:
    server = serve(stay_silent)

    async def main() -> None:
        async with AsyncClient(base_url=server.base_url, api_key=KEY) as client:
            task = asyncio.ensure_future(client.create_link_token(**FIELDS, api_key=source))
            await asyncio.sleep(0.05)
            assert_none_in("task", repr(task))
            for frame in task.get_stack():
                if frame.f_code.co_filename == merge_link.aio.__file__:
                    assert_none_in("frame", repr(frame.f_locals))
            task.cancel()
            await task

    with pytest.raises(asyncio.CancelledError) as caught:
        run_in(loop_name, main())
    for what, text in texts_of_error(caught.value):
        assert_none_in(what, text)


def test_what_ends_badly_in_the_loop_says_none(serve: Serve, loop_name: str, watch: Watch) -> None:
    """A task whose error nobody takes: asyncio logs it, with its coroutine."""

    async def main() -> None:
        async with AsyncClient(base_url=serve(answer(404)).base_url, api_key=KEY) as client:
            task = asyncio.ensure_future(client.create_link_token(**FIELDS, api_key=KEY))
            await asyncio.wait([task])
            del task

    with asyncio.Runner(loop_factory=FACTORIES[loop_name]) as runner:
        runner.run(main())
    assert "never retrieved" in watch.caplog.text
    for what, text in watch.texts():
        assert_none_in(what, text)
