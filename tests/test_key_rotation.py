"""An API key that changes: `api_key` as a callable, which is asked at each call."""

import gc
import os
import threading
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import merge_link
from merge_link import Client, ClientClosedError, ConfigurationError
from merge_link.sandbox import Sandbox
from samples import FIELDS, KEY, TOKEN
from scripted import PATIENCE, Server, answer, token_answer
from test_warm_up import PAGE

Serve = Callable[..., Server]


def keys_of(server: Server) -> list[str]:
    """The keys that came, in their order."""
    lines = [line for request in server.requests for line in request.split(b"\r\n")]
    return [line.split()[-1].decode() for line in lines if line.startswith(b"Authorization")]


def test_a_callable_is_asked_at_each_call(serve: Serve) -> None:
    keys = iter(["test_key_no_1", "test_key_no_2"])
    server = serve()
    with server.client(api_key=lambda: next(keys)) as client:
        client.create_link_token(**FIELDS)
        client.create_link_token(**FIELDS)
    assert keys_of(server) == ["test_key_no_1", "test_key_no_2"]
    assert server.connections == 1


def test_it_is_not_asked_when_the_client_is_made() -> None:
    with Client(api_key=lambda: pytest.fail("asked")):
        pass


def test_it_comes_before_the_environment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERGE_API_KEY", "test_of_environment")
    server = serve()
    with server.client(api_key=lambda: KEY) as client:
        client.create_link_token(**FIELDS)
    merge_link.create_link_token(**FIELDS, base_url=server.base_url, api_key=lambda: KEY)
    assert keys_of(server) == [KEY, KEY]


def test_a_key_of_the_call_comes_before_it(serve: Serve) -> None:
    server = serve()
    with server.client(api_key=lambda: pytest.fail("asked")) as client:
        client.create_link_token(**FIELDS, api_key="test_of_the_call")
        client.create_link_token(**FIELDS, api_key=lambda: "test_asked_by_the_call")
    with server.client() as client:
        client.create_link_token(**FIELDS, api_key=lambda: "test_asked_again")
    assert keys_of(server) == ["test_of_the_call", "test_asked_by_the_call", "test_asked_again"]


def test_the_modules_function_asks_it_and_shares_its_client(serve: Serve) -> None:
    server = serve()
    for key in ("test_key_no_1", "test_key_no_2"):
        merge_link.create_link_token(
            **FIELDS, base_url=server.base_url, api_key=lambda key=key: key
        )
    assert keys_of(server) == ["test_key_no_1", "test_key_no_2"]
    assert server.connections == 1


def test_retries_use_the_key_of_their_call(serve: Serve) -> None:
    keys = iter(["test_key_no_1", "test_key_no_2"])
    server = serve(answer(503, b"", "Retry-After: 0"), token_answer())
    with server.client(api_key=lambda: next(keys)) as client:
        client.create_link_token(**FIELDS)
    assert keys_of(server) == ["test_key_no_1"] * 2


def test_warming_up_asks_once(serve: Serve) -> None:
    keys = iter(["test_key_no_1", "test_key_no_2"])
    server = serve(PAGE)
    with server.client(api_key=lambda: next(keys)) as client:
        client.warm_up(3)
    assert keys_of(server) == ["test_key_no_1"] * 3


def test_a_file_that_changes(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("test_wrong_key\n")
    with sandbox.client(api_key=lambda: file.read_text().strip()) as client:
        with pytest.raises(merge_link.AuthenticationError):
            client.create_link_token(**FIELDS)
        file.write_text(sandbox.api_key + "\n")
        assert client.create_link_token(**FIELDS).link_token


class Vault:
    """What a user may pass: an object with state, which can be called."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __call__(self) -> str:
        return self.key

    def read(self) -> str:
        return self.key


def test_any_callable_will_do(serve: Serve) -> None:
    server, vault = serve(), Vault(KEY)
    for source in (vault, vault.read):
        with server.client(api_key=source) as client:
            client.create_link_token(**FIELDS)
    assert keys_of(server) == [KEY, KEY]


# ---- what goes wrong ----


class VaultError(Exception):
    pass


@pytest.mark.parametrize("kind", [VaultError, OSError, KeyboardInterrupt, ConfigurationError])
def test_its_exceptions_come_out_unchanged(serve: Serve, kind: type[BaseException]) -> None:
    server, raised = serve(), kind("sealed")

    def source() -> str:
        raise raised

    with server.client(api_key=source) as client:
        with pytest.raises(kind) as caught:
            client.create_link_token(**FIELDS)
        assert caught.value is raised
        assert (raised.__context__, raised.__cause__) == (None, None)
        client.create_link_token(**FIELDS, api_key=KEY)
    assert keys_of(server) == [KEY]


async def coroutine() -> str:
    return KEY


@pytest.mark.parametrize(
    ("given", "named"), [(None, "NoneType"), (b"test_key_of_bytes", "bytes"), (7, "int")]
)
def test_it_must_return_a_string(serve: Serve, given: Any, named: str) -> None:
    server = serve()
    with (
        server.client(api_key=lambda: given) as client,
        pytest.raises(ConfigurationError) as caught,
    ):
        client.create_link_token(**FIELDS)
    assert str(caught.value) == f"what the api_key callable returns must be a string, not {named}"
    assert server.requests == []


def test_a_coroutine_function_is_told_whom_it_is_for(serve: Serve) -> None:
    with (
        serve().client(api_key=coroutine) as client,
        pytest.raises(
            ConfigurationError, match="not coroutine: async functions are for AsyncClient"
        ),
    ):
        client.create_link_token(**FIELDS)


@pytest.mark.parametrize("key", ["", "test_vault\n", "test_vault kéy"])
def test_what_it_returns_is_checked_as_any_key(serve: Serve, key: str) -> None:
    server = serve()
    with (
        server.client(api_key=lambda: key) as client,
        pytest.raises(ConfigurationError, match=r"^api_key ") as caught,
    ):
        client.create_link_token(**FIELDS)
    shown = traceback.format_exception(caught.value)
    assert "test_vault" not in "".join(shown)
    assert server.requests == []


def test_a_production_key_that_it_returns_never_goes_over_plain_http(serve: Serve) -> None:
    with (
        Client(
            api_key=lambda: "production_key_of_vault",
            base_url="http://intranet.example/api",
            allow_http=True,
        ) as client,
        pytest.raises(ConfigurationError, match="never sent over plain http://"),
    ):
        client.create_link_token(**FIELDS)


@pytest.mark.parametrize("value", [7, b"test_key_of_bytes", ["test_key"]])
def test_something_else_than_string_or_callable_is_refused(serve: Serve, value: Any) -> None:
    wanted = "api_key must be a string, or a callable that returns one, not " + type(value).__name__
    with pytest.raises(ConfigurationError) as caught:
        Client(api_key=value)
    assert str(caught.value) == wanted
    with serve().client() as client, pytest.raises(ConfigurationError) as caught:
        client.create_link_token(**FIELDS, api_key=value)
    assert str(caught.value) == wanted


def test_a_closed_client_does_not_ask(serve: Serve) -> None:
    client = serve().client(api_key=lambda: pytest.fail("asked"))
    client.close()
    for use in (lambda: client.create_link_token(**FIELDS), client.warm_up):
        with pytest.raises(ClientClosedError, match=r"^the client is closed: make a new one$"):
            use()


def test_unknown_keywords_are_refused_before_it_is_asked(serve: Serve) -> None:
    with serve().client() as client, pytest.raises(TypeError, match="end_user_mail"):
        client.create_link_token(api_key=lambda: pytest.fail("asked"), end_user_mail="x")


# ---- what it may do ----


def test_it_may_use_the_same_client(serve: Serve) -> None:
    server = serve()

    def source() -> str:
        return client.create_link_token(**FIELDS, api_key=KEY).link_token

    with server.client(api_key=source, max_connections=1) as client:
        client.create_link_token(**FIELDS)
    assert keys_of(server) == [KEY, TOKEN]


def test_it_may_close_the_client(serve: Serve) -> None:
    def source() -> str:
        client.close()
        return KEY

    client = serve().client(api_key=source)
    with pytest.raises(ClientClosedError):
        client.create_link_token(**FIELDS)


def test_it_never_runs_with_a_lock_held(serve: Serve) -> None:
    """Each waits for all others to be asked: with any lock held, they would wait for ever."""
    threads = 8
    together = threading.Barrier(threads)

    def source() -> str:
        together.wait(PATIENCE)
        return KEY

    server, failures = serve(), []
    with server.client(api_key=source, max_connections=1) as client:

        def call() -> None:
            try:
                client.create_link_token(**FIELDS)
            except Exception as error:
                failures.append(error)

        running = [threading.Thread(target=call) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(PATIENCE)
    assert failures == []
    assert keys_of(server) == [KEY] * threads


def test_it_runs_in_the_thread_of_the_caller(serve: Serve) -> None:
    asked_in = []

    def source() -> str:
        asked_in.append(threading.get_ident())
        return KEY

    with serve().client(api_key=source) as client:
        client.create_link_token(**FIELDS)
    assert asked_in == [threading.get_ident()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork()")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_asks_for_itself(serve: Serve) -> None:
    server = serve()
    with server.client(api_key=lambda: f"test_key_of_{os.getpid()}") as client:
        child = os.fork()
        if child == 0:
            try:
                client.create_link_token(**FIELDS)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        client.create_link_token(**FIELDS)
    assert keys_of(server) == [f"test_key_of_{child}", f"test_key_of_{os.getpid()}"]


# ---- what is kept of it ----


def test_the_client_keeps_it_no_longer_than_itself(serve: Serve) -> None:
    vault = Vault(KEY)
    gone = weakref.ref(vault)
    client = serve().client(api_key=vault)
    del vault
    client.create_link_token(**FIELDS)
    assert gone() is not None
    client.close()
    del client
    assert gone() is None


def test_a_client_that_its_source_refers_to_is_collected(serve: Serve) -> None:
    class Owner:
        def __init__(self, server: Server) -> None:
            self.client = server.client(api_key=self.key)

        def key(self) -> str:
            return KEY

    owner = Owner(serve())
    owner.client.create_link_token(**FIELDS)
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None


def test_it_cannot_be_read_back() -> None:
    with Client(api_key=Vault(KEY)) as client, pytest.raises(AttributeError):
        client.api_key  # type: ignore[attr-defined]  # noqa: B018


def test_a_key_that_is_echoed_is_masked(serve: Serve) -> None:
    server = serve(answer(401, {"detail": f"no such key: {KEY}"}))
    with (
        server.client(api_key=lambda: KEY) as client,
        pytest.raises(merge_link.AuthenticationError) as caught,
    ):
        client.create_link_token(**FIELDS)
    assert KEY not in f"{caught.value} {caught.value.body} {caught.value.detail}"
