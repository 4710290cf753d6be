"""Views of a client: other options, the same connections; on both clients, in loops and forks."""

import asyncio
import copy
import gc
import os
import pickle
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import merge_link
from loops import ON_EACH_LOOP, run_in
from merge_link import AsyncClient, Client, ClientClosedError, ConfigurationError
from operations import ACCOUNT, BY_NAME, page_of, parsed
from samples import FIELDS, KEY
from scripted import Connection, Server, answer, stay_silent, token_answer

Serve = Callable[..., Server]
DETAILS = BY_NAME["account_details"].answer


def tokens(server: Server) -> list[str | None]:
    return [parsed(one).headers.get("x-account-token") for one in server.requests]


# ---- what they change ----


def test_a_view_of_an_account_sends_its_token_over_the_same_connection(serve: Serve) -> None:
    server = serve(DETAILS)
    with server.client(account_token="of-the-client") as client:
        one, other = client.for_account("one"), client.for_account(account_token="other")
        for each in (client, one, other, one.for_account("third"), client):
            each.account_details()
        one.account_details(account_token=ACCOUNT)
    assert tokens(server) == ["of-the-client", "one", "other", "third", "of-the-client", ACCOUNT]
    assert server.connections == 1


def test_a_view_has_a_category(serve: Serve) -> None:
    server = serve(DETAILS)
    with server.client(category="crm") as client:
        view = client.for_account(ACCOUNT, category="hris")
        assert (view.category, client.category) == ("hris", "crm")
        for each in (view, client.for_account(ACCOUNT), view.with_options(category=None)):
            each.account_details()
        view.account_details(category="ats")
    paths = [parsed(one).target.split("/")[2] for one in server.requests]
    assert paths == ["hris", "crm", "hris", "ats"]


def test_a_view_with_other_options() -> None:
    with Client(api_key=KEY, timeout=30, max_retries=2, user_agent="mine") as client:
        view = client.with_options(timeout=5, max_retries=0)
        assert (view.timeout, view.max_retries) == (5.0, 0)
        assert (client.timeout, client.max_retries) == (30.0, 2)
        assert view.user_agent == "mine"
        again = view.with_options(max_retries=4)
        assert (again.timeout, again.max_retries) == (5.0, 4)
        europe = client.with_options(region="eu")
        assert (europe.region, europe.base_url) == ("eu", "https://api-eu.merge.dev/api")
        own = europe.with_options(base_url="http://127.0.0.1:9/api/")
        assert (own.region, own.base_url) == (None, "http://127.0.0.1:9/api")
        unchanged = client.with_options()
        assert unchanged.base_url == client.base_url


def test_retries_and_timeout_are_those_of_the_view(serve: Serve) -> None:
    server = serve(answer(503), answer(503), DETAILS)
    with server.client(account_token=ACCOUNT, max_retries=0) as client:
        view = client.with_options(max_retries=2)
        assert view.account_details().response.attempts == 3
        hasty = client.with_options(base_url=serve(stay_silent).base_url, timeout=0.1)
        with pytest.raises(merge_link.RequestTimeoutError):
            hasty.account_details()


def test_the_key_and_the_hook_are_the_clients(serve: Serve) -> None:
    attempts: list[merge_link.Attempt] = []
    server = serve(DETAILS)
    with server.client(api_key=lambda: "test_asked", on_attempt=attempts.append) as client:
        client.for_account(ACCOUNT).account_details()
    assert parsed(server.requests[0]).headers["authorization"] == "Bearer test_asked"
    assert [one.status_code for one in attempts] == [200]


def test_pages_of_a_view_go_on_with_its_options(serve: Serve) -> None:
    server = serve(answer(200, page_of({}, following="a")), answer(200, page_of({})))
    with server.client() as client:
        assert len(list(client.for_account(ACCOUNT).paginate("/x"))) == 2
    assert tokens(server) == [ACCOUNT, ACCOUNT]


def test_many_at_once_through_a_view(serve: Serve) -> None:
    server = serve(token_answer())
    with server.client() as client, client.with_options(category="hris") as view:
        run = view.create_link_tokens([{**FIELDS, "category": None}] * 3)
        assert [outcome.error for outcome in run] == [None] * 3


# ---- proxies of the environment ----

# As a plain proxy gets it: nothing is asked of DNS, and nothing leaves this machine.
ELSEWHERE = {"base_url": "http://merge.invalid/api", "allow_http": True}


def behind(monkeypatch: pytest.MonkeyPatch, proxy: Server) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://user:passw0rd@127.0.0.1:{proxy.port}")


def absolute(server: Server) -> list[bool]:
    """Return of each request whether it was one to a proxy."""
    return [parsed(one).target.startswith("http://merge.invalid/") for one in server.requests]


def test_a_view_to_loopback_goes_past_the_proxy_of_the_environment(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = serve(DETAILS), serve(DETAILS)
    behind(monkeypatch, proxy)
    with Client(api_key=KEY, account_token=ACCOUNT, **ELSEWHERE) as client:
        view = client.with_options(base_url=server.base_url)
        for each in (client, view, view.for_account("other"), client):
            each.account_details()
    assert absolute(proxy) == [True, True]
    assert absolute(server) == [False, False]
    assert all("proxy-authorization" in parsed(one).headers for one in proxy.requests)
    assert not any("proxy-authorization" in parsed(one).headers for one in server.requests)


def test_a_view_elsewhere_goes_through_the_proxy_of_the_environment(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = serve(DETAILS), serve(DETAILS)
    behind(monkeypatch, proxy)
    with server.client(account_token=ACCOUNT, allow_http=True) as client:
        view = client.with_options(base_url=ELSEWHERE["base_url"])
        for each in (client, view, client):
            each.account_details()
    assert (absolute(proxy), absolute(server)) == ([True], [False, False])


@ON_EACH_LOOP
def test_awaited_calls_of_a_view_have_the_proxy_of_the_view(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, loop_name: str
) -> None:
    proxy, server = serve(DETAILS), serve(DETAILS)
    behind(monkeypatch, proxy)

    async def main() -> None:
        async with AsyncClient(api_key=KEY, account_token=ACCOUNT, **ELSEWHERE) as client:
            view = client.with_options(base_url=server.base_url)
            for each in (client, view, client, view):
                await each.account_details()

    run_in(loop_name, main())
    assert (absolute(proxy), absolute(server)) == ([True, True], [False, False])


def test_a_proxy_that_was_named_is_that_of_the_views(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = serve(DETAILS), serve(DETAILS)
    behind(monkeypatch, server)
    url = f"http://127.0.0.1:{proxy.port}"
    with Client(api_key=KEY, account_token=ACCOUNT, proxy=url, **ELSEWHERE) as client:
        client.with_options(base_url="http://127.0.0.1:9/api").account_details()
    assert len(proxy.requests) == 1
    with server.client(account_token=ACCOUNT, proxy="", allow_http=True) as client:
        view = client.with_options(base_url=ELSEWHERE["base_url"], max_retries=0)
        with pytest.raises(merge_link.TransportError):
            view.account_details()
    assert server.requests == []


def test_a_view_that_leads_nowhere_else_keeps_its_proxy(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(DETAILS)
    behind(monkeypatch, proxy)
    with Client(api_key=KEY, **ELSEWHERE) as client:
        monkeypatch.delenv("ALL_PROXY")
        client.for_account(ACCOUNT).account_details()
    assert absolute(proxy) == [True]


# ---- refusals ----


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"timeout": 0}, "timeout must be more than 0 seconds"),
        ({"timeout": "5"}, "timeout must be a number of seconds"),
        ({"timeout": 1e9}, "timeout"),
        ({"max_retries": -1}, "max_retries must be 0 to 100"),
        ({"max_retries": 101}, "max_retries must be 0 to 100"),
        ({"max_retries": True}, "max_retries must be an integer"),
        ({"region": "mars"}, "region"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"base_url": "http://far.example/api"}, "base_url"),
        ({"category": "A/B"}, "category"),
        ({"account_token": "a\r\nb"}, "account_token"),
        ({"account_token": 5}, "account_token must be a string, not int"),
    ],
    ids=str,
)
def test_impossible_options_are_refused(options: dict[str, Any], said: str) -> None:
    for kind in (Client, AsyncClient):
        client = kind(api_key=KEY)
        with pytest.raises(ConfigurationError, match=said) as caught:
            client.with_options(**options)
        assert caught.value.option == next(iter(options))
        client.close()


@pytest.mark.parametrize(
    "option",
    [
        *("proxy", "connect_timeout", "max_connections", "idle_timeout"),
        *("max_response_bytes", "error_budget", "ca_bundle", "client_cert", "allow_http"),
        *("user_agent", "on_attempt"),
    ],
)
def test_options_of_the_connections_need_a_new_client(option: str) -> None:
    with Client(api_key=KEY) as client:
        with pytest.raises(TypeError, match=f"'{option}': it belongs to .* make a new Client"):
            client.with_options(**{option: None})
        with pytest.raises(TypeError, match=f"'{option}': it belongs to .* make a new Client"):
            client.for_account(ACCOUNT, **{option: None})


def test_other_mistakes() -> None:
    with Client(api_key=KEY) as client:
        with pytest.raises(TypeError, match=r"'tiemout'\. Did you mean 'timeout'\?"):
            client.with_options(tiemout=5)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="'timeout': with_options\\(\\) takes it"):
            client.for_account(ACCOUNT, timeout=5)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="multiple values for argument 'account_token'"):
            client.for_account("x", account_token="y")  # type: ignore[misc]
        with pytest.raises(TypeError, match="at most 1 positional"):
            client.for_account("x", "ats")  # type: ignore[misc]
        with pytest.raises(TypeError, match="takes keyword arguments only"):
            client.with_options("x")  # type: ignore[misc]
        with pytest.raises(TypeError, match="'api_key': give it to a call, or make a new Client"):
            client.with_options(api_key=KEY)  # type: ignore[call-arg]
        for nothing in ((), (None,)):
            with pytest.raises(ConfigurationError, match="account_token is missing"):
                client.for_account(*nothing)


# ---- closing ----


def test_closing_a_view_closes_only_the_view(serve: Serve) -> None:
    server = serve(DETAILS)
    with server.client(account_token="of-the-client") as client:
        with client.for_account(ACCOUNT) as view, view.with_options(timeout=5) as inner:
            assert not inner.closed
        assert (view.closed, inner.closed, client.closed) == (True, True, False)
        with pytest.raises(ClientClosedError):
            view.account_details()
        with pytest.raises(ClientClosedError), view:
            pass
        view.close()
        client.account_details()
        other = client.for_account(ACCOUNT)
        other.account_details()
    assert other.closed
    with pytest.raises(ClientClosedError):
        other.account_details()
    assert tokens(server) == ["of-the-client", ACCOUNT]


def test_a_view_of_a_closed_view_or_client_is_closed_or_refused() -> None:
    client = Client(api_key=KEY)
    view = client.for_account(ACCOUNT)
    view.close()
    client.close()
    for each in (view, client):
        try:
            made = each.for_account(ACCOUNT)
        except ClientClosedError:
            continue
        assert made.closed


def test_a_view_keeps_its_client(serve: Serve) -> None:
    server = serve(DETAILS)
    view = server.client().for_account("x").for_account(ACCOUNT)
    gc.collect()
    assert view.account_details().id
    del view
    gc.collect()


def test_views_and_clients_go_in_any_order(serve: Serve) -> None:
    """Also as a cycle: a client that keeps its own view."""

    class Keeping(Client):
        view: Client

    server = serve(DETAILS)
    gone: list[weakref.ref[Client]] = []
    for _ in range(3):
        client = Keeping(api_key=KEY, base_url=server.base_url)
        client.view = client.for_account(ACCOUNT)
        client.view.account_details()
        gone += [weakref.ref(client), weakref.ref(client.view)]
        del client
    gc.collect()
    assert [ref() for ref in gone] == [None] * 6


def test_a_call_under_way_outlives_its_view(serve: Serve) -> None:
    go = threading.Event()

    def script(connection: Connection, request: bytes) -> None:
        go.wait(20)
        connection.send(DETAILS)

    server = serve(script)
    found: list[Any] = []
    with server.client() as client:
        view = client.for_account(ACCOUNT)
        thread = threading.Thread(target=lambda: found.append(view.account_details()))
        thread.start()
        server.wait_for_requests(1)
        view.close()
        go.set()
        thread.join()
    assert found[0].id


# ---- what they are ----


class Mine(Client):
    """A client of one's own."""

    def __init__(self, tenant: str, **options: Any) -> None:
        super().__init__(**options)
        self.tenant = tenant

    def for_account(self, account_token: str, *, category: str | None = None) -> "Mine":
        view = super().for_account(account_token, category=category)
        view.tenant = self.tenant
        return view


def test_a_view_is_of_the_same_class_and_its_init_is_not_called() -> None:
    with Mine("acme", api_key=KEY) as client:
        view = client.for_account(ACCOUNT)
        assert type(view) is Mine
        assert view.tenant == "acme"
        assert not hasattr(client.with_options(timeout=5), "tenant")


def test_what_a_view_shows_holds_no_token() -> None:
    client = Client(api_key=KEY, base_url="http://127.0.0.1:9/api")
    view = client.for_account(ACCOUNT, category="hris")
    assert repr(view) == "<merge_link.Client base_url='http://127.0.0.1:9/api' view>"
    assert ACCOUNT not in repr(view) + view._repr_html_() + repr(vars(view))
    view.close()
    assert repr(view) == "<merge_link.Client base_url='http://127.0.0.1:9/api' view closed>"
    client.close()
    other = AsyncClient(api_key=KEY, base_url="http://127.0.0.1:9/api")
    assert repr(other.for_account("x")).startswith("<merge_link.AsyncClient base_url=")
    for how in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            how(view)
    other.close()


def test_a_client_without_init_has_no_views() -> None:
    class Broken(Client):
        def __init__(self) -> None:
            pass

    for method in (lambda: Broken().for_account("x"), lambda: Broken().with_options(timeout=5)):
        with pytest.raises(RuntimeError, match="was not called"):
            method()


# ---- everywhere a client works ----


def test_views_in_many_threads(serve: Serve) -> None:
    server = serve(DETAILS)
    barrier = threading.Barrier(16)

    def work(number: int) -> None:
        barrier.wait(20)
        for round_ in range(5):
            with client.for_account(f"t-{number}-{round_}") as view:
                view.account_details()

    with server.client() as client:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(filter(None, tokens(server))) == sorted(
        f"t-{n}-{r}" for n in range(16) for r in range(5)
    )
    assert server.connections <= 16


def test_a_view_works_in_a_forked_child(serve: Serve) -> None:
    server = serve(DETAILS)
    with server.client() as client:
        view = client.for_account(ACCOUNT)
        view.account_details()
        child = os.fork()
        if child == 0:
            try:
                both = (view, client.for_account(ACCOUNT))
                os._exit(0 if all(each.account_details().id for each in both) else 1)
            finally:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        view.account_details()
    assert tokens(server) == [ACCOUNT] * 4
    assert server.connections == 2


# ---- awaited ----


@ON_EACH_LOOP
def test_a_view_of_an_async_client(serve: Serve, loop_name: str) -> None:
    server = serve(DETAILS)

    async def main() -> None:
        async with AsyncClient(base_url=server.base_url, api_key=KEY) as client:
            views = [client.for_account(f"t{n}") for n in range(50)]
            assert {type(view) for view in views} == {AsyncClient}
            await asyncio.gather(*(view.account_details() for view in views))
            async with client.for_account(ACCOUNT) as view:
                await view.account_details()
            assert (view.closed, client.closed) == (True, False)
            with pytest.raises(ClientClosedError):
                await view.account_details()
            await views[0].account_details()
            assert [vars(view) for view in views] == [{}] * 50
            assert len(vars(client)["_rooms"]) == 1
        assert views[0].closed

    run_in(loop_name, main())
    run_in(loop_name, main())
    assert sorted(map(str, tokens(server)))[-1] == "t9"
    assert tokens(server).count(ACCOUNT) == 2


@ON_EACH_LOOP
def test_an_awaited_call_outlives_its_view(serve: Serve, loop_name: str) -> None:
    go = threading.Event()

    def script(connection: Connection, request: bytes) -> None:
        go.wait(20)
        connection.send(DETAILS)

    server = serve(script)

    async def main() -> None:
        async with AsyncClient(base_url=server.base_url, api_key=KEY) as client:
            view = client.for_account(ACCOUNT)
            task = asyncio.ensure_future(view.account_details())
            while not server.requests:
                await asyncio.sleep(0.005)
            await view.aclose()
            del view
            go.set()
            assert (await task).id

    run_in(loop_name, main())


@ON_EACH_LOOP
def test_calls_of_views_end_when_the_client_closes(serve: Serve, loop_name: str) -> None:
    server = serve(stay_silent)

    async def main() -> None:
        client = AsyncClient(base_url=server.base_url, api_key=KEY)
        view = client.for_account(ACCOUNT)
        task = asyncio.ensure_future(view.account_details())
        while not server.requests:
            await asyncio.sleep(0.005)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await task

    run_in(loop_name, main())


@ON_EACH_LOOP
def test_a_view_that_is_kept_alone(serve: Serve, loop_name: str) -> None:
    server = serve(DETAILS)

    async def main() -> None:
        view = AsyncClient(base_url=server.base_url, api_key=KEY).for_account(ACCOUNT)
        assert (await view.account_details()).id
        del view
        gc.collect()
        await asyncio.sleep(0)

    run_in(loop_name, main())
