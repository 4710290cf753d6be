"""No error of any operation holds a secret: of the client, the call, its fields or the answer."""

import asyncio
import gc
import pickle
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import merge_link
from answers import FULL, REQUIRED
from answers import SECRET as ANSWERED
from loops import ON_EACH_LOOP, run_in
from merge_link import AsyncClient, Client, _core
from operations import ACCOUNT, BY_NAME, CASES, PUBLIC, WEBHOOK_KEY, page_of
from samples import KEY
from scripted import Script, Server, answer, hang_up, stay_silent
from test_secrets import (
    ENCODINGS,
    STATUSES,
    Unseen,
    Watch,
    as_json,
    assert_clean,
    assert_none_in,
    client_of,
    echo_all,
    texts_of_error,
)
from test_secrets import watch as watch

Serve = Callable[..., Server]
ROWS = {row["name"]: row for row in _core.operations()}


def given(name: str, **more: Any) -> Unseen:
    case = BY_NAME[name]
    # The passthrough's headers are the third party's affair, and in the body, which nobody echoes.
    own = {} if ROWS[name]["account"] == "none" else {"account_token": ACCOUNT}
    return Unseen({**case.keywords, **own, "api_key": KEY, **more})


def make(client: Any, name: str, **more: Any) -> Any:
    return getattr(client, name)(*BY_NAME[name].arguments, **given(name, **more))


ALL = pytest.mark.parametrize("name", [case.name for case in CASES])


@ALL
@pytest.mark.parametrize("status", [200, 307, 401, 404, 503])
def test_an_echo_gets_a_secret_into_nothing(
    serve: Serve, watch: Watch, name: str, status: int
) -> None:
    if status == 200 and ROWS[name]["answer"] in ("nothing", "any"):
        return  # it is content
    kind = merge_link.NotFoundError if status == 404 else STATUSES[status]
    encode = str.encode if status == 200 else as_json
    with client_of(serve(echo_all(status, encode)), watch) as client:
        assert_clean(watch, lambda: make(client, name), kind)
    with client_of(serve(echo_all(status, encode)), watch, account_token=None) as client:
        assert_clean(watch, lambda: make(client.for_account(ACCOUNT), name), kind)


@pytest.mark.parametrize("how", ENCODINGS)
@pytest.mark.parametrize("name", ["retrieve_account_token", "issues"])
def test_a_token_among_the_fields_is_found_however_it_is_written(
    serve: Serve, watch: Watch, name: str, how: str
) -> None:
    secret = {"retrieve_account_token": PUBLIC, "issues": ACCOUNT}[name]
    server = serve(echo_all(400, ENCODINGS[how], also=secret))
    with client_of(server, watch) as client:
        assert_clean(watch, lambda: make(client, name), merge_link.BadRequestError)
    assert secret.encode() in server.requests[0]


def test_a_key_in_the_body_is_found(serve: Serve, watch: Watch) -> None:
    server = serve(answer(400, {"key": [f"{WEBHOOK_KEY} is taken"]}))
    with client_of(server, watch) as client:
        error = assert_clean(
            watch, lambda: make(client, "create_webhook_receiver"), merge_link.BadRequestError
        )
    assert error.field_errors == {"key": ["*" * len(WEBHOOK_KEY) + " is taken"]}


def test_the_token_of_a_view_is_found(serve: Serve, watch: Watch) -> None:
    server = serve(answer(400, {"detail": f"no {ACCOUNT}"}))
    with client_of(server, watch, account_token=None) as client:
        view = client.for_account(ACCOUNT)
        error = assert_clean(watch, lambda: view.account_details(), merge_link.BadRequestError)
    assert error.detail == "no " + "*" * len(ACCOUNT)


# ---- what is refused before it is sent ----

REFUSED: dict[str, tuple[type[Exception], Callable[[Any], Any]]] = {
    "an unknown keyword": (TypeError, lambda c: c.issue("x", nonsense=KEY, api_key=KEY)),
    "too many arguments": (TypeError, lambda c: c.retrieve_account_token(PUBLIC, ACCOUNT)),
    "twice the same": (
        TypeError,
        lambda c: c.retrieve_account_token(PUBLIC, public_token=ACCOUNT),
    ),
    "a public token with a newline": (
        merge_link.ValidationError,
        lambda c: c.retrieve_account_token(PUBLIC + "\n", api_key=KEY),
    ),
    "an account token with a newline": (
        merge_link.MergeLinkError,
        lambda c: c.account_details(account_token=ACCOUNT + "\r\nX: y"),
    ),
    "an account token of bytes": (
        merge_link.ConfigurationError,
        lambda c: c.account_details(account_token=ACCOUNT.encode()),
    ),
    "a filter that is too long": (
        merge_link.ValidationError,
        lambda c: c.issues(account_token=ACCOUNT * 100),
    ),
    "a path with a token and a mistake": (
        merge_link.ValidationError,
        lambda c: c.request("GET", f"/ats/v1/account-token/{PUBLIC}/../x"),
    ),
    "params with a token and a mistake": (
        merge_link.ValidationError,
        lambda c: c.request("GET", "/x", params={"a": {"token": ACCOUNT}}),
    ),
    "json that is none": (
        merge_link.ValidationError,
        lambda c: c.request("POST", "/x", json={"token": ACCOUNT, "set": {1}}),
    ),
    "headers that are none": (
        merge_link.ValidationError,
        lambda c: c.request("POST", "/x", headers={"X": KEY + "\n"}),
    ),
    "a wait that is none": (
        merge_link.ConfigurationError,
        lambda c: make(c, "async_passthrough_result", wait=-1),
    ),
    "options that are none": (
        merge_link.ConfigurationError,
        lambda c: c.async_passthrough_result("x", timeout=KEY, account_token=ACCOUNT),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_no_refusal_holds_one(serve: Serve, watch: Watch, what: str) -> None:
    kind, call = REFUSED[what]
    server = serve()
    with client_of(server, watch) as client:
        assert_clean(watch, lambda: call(client), kind)
    assert server.requests == []


@ON_EACH_LOOP
@pytest.mark.parametrize("what", REFUSED)
def test_no_refusal_of_an_awaited_call_holds_one(
    serve: Serve, watch: Watch, loop_name: str, what: str
) -> None:
    kind, call = REFUSED[what]

    async def main() -> None:
        async with AsyncClient(base_url=serve().base_url, api_key=KEY) as client:
            await call(client)

    assert_clean(watch, lambda: run_in(loop_name, main()), kind)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_no_refusal_of_a_view_holds_one(watch: Watch, kind: Any) -> None:
    client = kind(api_key=KEY)
    for call in (
        lambda: client.for_account(ACCOUNT + "\n"),
        lambda: client.for_account(ACCOUNT, categry="x"),
        lambda: client.for_account(ACCOUNT, category=KEY),
        lambda: client.with_options(account_token=ACCOUNT, proxy="http://x"),
        lambda: client.with_options(account_token=ACCOUNT.encode()),
        lambda: client.with_options(base_url=f"ftp://{KEY}"),
    ):
        assert_clean(watch, call, Exception)
    client.close()


# ---- awaited ----

Call = Callable[[AsyncClient], Awaitable[object]]
ENDS: dict[str, tuple[type[Exception], Script]] = {
    "a refusal": (merge_link.AuthenticationError, echo_all(401, as_json)),
    "a promise that is broken": (merge_link.ResponseError, echo_all(200, as_json)),
    "a connection that breaks": (merge_link.TransportError, hang_up),
    "a timeout": (merge_link.RequestTimeoutError, stay_silent),
}


@ON_EACH_LOOP
@pytest.mark.parametrize("name", ["retrieve_account_token", "issues", "account_details"])
@pytest.mark.parametrize("what", ENDS)
def test_no_error_of_an_awaited_call_holds_one(
    serve: Serve, watch: Watch, loop_name: str, what: str, name: str
) -> None:
    kind, script = ENDS[what]
    timeout = 0.1 if what == "a timeout" else 5.0

    async def main() -> None:
        async with AsyncClient(
            base_url=serve(script).base_url,
            api_key=KEY,
            account_token=ACCOUNT,
            on_attempt=watch.attempts.append,
        ) as client:
            await make(client, name, timeout=timeout, max_retries=0)

    assert_clean(watch, lambda: run_in(loop_name, main()), kind)


@ON_EACH_LOOP
def test_no_cancelled_call_holds_one(serve: Serve, loop_name: str) -> None:
    server = serve(stay_silent)

    async def main() -> None:
        async with AsyncClient(base_url=server.base_url, api_key=KEY) as client:
            task = asyncio.ensure_future(make(client, "retrieve_account_token"))
            while not server.requests:
                await asyncio.sleep(0.005)
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


# ---- what an answer holds ----


# The operations whose answers have a member that must be there.
PROMISED = [case.name for case in CASES if REQUIRED.get(case.answers or "")]


def broken_answer(name: str) -> Any:
    """Return an answer with a mistake in that member, and credentials beside it."""
    kind = BY_NAME[name].answers
    member = next(iter(REQUIRED[kind]))
    broken = {**FULL[kind], member: {ANSWERED: [ANSWERED]}, "new": ANSWERED}
    return {"page": page_of(broken), "list": [broken]}.get(ROWS[name]["answer"], broken)


@pytest.mark.parametrize("name", PROMISED)
def test_an_answer_with_a_mistake_gets_into_nothing(serve: Serve, watch: Watch, name: str) -> None:
    server = serve(answer(200, broken_answer(name)))
    with client_of(server, watch) as client:
        error = assert_clean(watch, lambda: make(client, name), merge_link.ResponseError)
    for what, text in texts_of_error(error):
        assert ANSWERED not in text, what


@ON_EACH_LOOP
def test_an_awaited_answer_with_a_mistake_gets_into_nothing(
    serve: Serve, watch: Watch, loop_name: str
) -> None:
    async def main() -> None:
        url = serve(answer(200, broken_answer("issues"))).base_url
        async with AsyncClient(base_url=url, api_key=KEY) as client:
            await make(client, "issues")

    error = assert_clean(watch, lambda: run_in(loop_name, main()), merge_link.ResponseError)
    for what, text in texts_of_error(error):
        assert ANSWERED not in text, what


def test_a_page_that_fails_shows_nothing(serve: Serve, watch: Watch) -> None:
    secret_page = page_of({"token": ANSWERED}, following="cursor-2")
    server = serve(answer(200, secret_page), echo_all(401, as_json))
    with client_of(server, watch) as client:
        page = client.paginate("/x", api_key=KEY, account_token=ACCOUNT)
        for read_ahead in (False, True):
            error = assert_clean(
                watch,
                lambda ahead=read_ahead: list(page.iterate(read_ahead=ahead)),
                merge_link.AuthenticationError,
            )
            for what, text in texts_of_error(error):
                assert ANSWERED not in text, what
        for shown in (repr(page), str(page), page._repr_html_(), repr(page._query)):
            assert_none_in("page", shown)
        with pytest.raises(TypeError):
            pickle.dumps(page._query)


def test_a_query_cannot_be_made_by_hand_and_lets_go_of_its_client(serve: Serve) -> None:
    with pytest.raises(TypeError):
        _core.Query()
    client = serve(answer(200, page_of())).client()
    query = client.paginate("/x")._query
    assert (query.client, query.is_async) == (client, False)
    assert any(one is client for one in gc.get_referents(query))
    with pytest.raises(TypeError, match="cursor must be a string or None"):
        query.call(5)
    with pytest.raises(TypeError):
        query.ticket("a", "b")
    assert query.call("c").results == []
    client.close()
    with pytest.raises(merge_link.ClientClosedError):
        query.call()
