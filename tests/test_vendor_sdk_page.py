"""docs/from-the-vendor-sdk.md is true: both have the names, and behave as it says."""

import inspect
import re
import socket
from collections.abc import Callable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import merge
import pytest
from merge.core import http_client
from merge.core.api_error import ApiError
from merge.core.request_options import RequestOptions
from merge.resources.ats import DataPassthroughRequest, MethodEnum

from documents import table_of
from merge_link import APIError, AsyncClient, Client, ResponseError
from merge_link.sandbox import Sandbox
from samples import FIELDS, KEY
from scripted import Connection, Server, answer, hang_up, token_answer

PAGE = Path(__file__).resolve().parent.parent / "docs" / "from-the-vendor-sdk.md"
TEXT = PAGE.read_text(encoding="utf-8")
ACCOUNT = "account-token-of-acme"


def rows(heading: str) -> list[tuple[str, ...]]:
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("| ") for line in section.splitlines() if line.startswith("| ")]
    cells = [tuple(cell.strip() for cell in line.split(" | ")) for line in lines]
    return [row for row in cells if not row[0].startswith(("MergePythonClient", "`client.ats.`"))]


Theirs = Callable[[int], Any]


@pytest.fixture
def theirs() -> Iterator[Theirs]:
    """Makes clients of the SDK for a port, and closes them, which the SDK itself cannot."""
    made = []

    def make(port: int) -> merge.Merge:
        base_url = f"http://127.0.0.1:{port}/api"
        made.append(merge.Merge(api_key=KEY, account_token=ACCOUNT, base_url=base_url))
        return made[-1]

    yield make
    for client in made:
        client._client_wrapper.httpx_client.httpx_client.close()


def names(text: str) -> list[str]:
    return re.findall(r"`([a-z_.]+)\(", text)


# ---- names ----


def test_the_sdk_has_the_calls_in_the_left_column() -> None:
    ats = merge.Merge(api_key=KEY).ats
    for left, _ in rows("Calls"):
        (name,) = names(left)
        function = attrgetter(name)(ats)
        arguments = re.sub(r"\([^()]*\)", "", left.partition("(")[2])  # without those inside
        named = set(re.findall(r"(\w+)=", arguments))
        assert named <= inspect.signature(function).parameters.keys()


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_we_have_all_calls_and_they_are_in_the_right_column(kind: type) -> None:
    shown = {name for _, right in rows("Calls") for name in names(right)}
    assert [name for name in shown if not hasattr(kind, name)] == []
    # What is no call of Merge's, and what the SDK has not.
    ours = {"aclose", "close", "for_account", "prepare", "submit", "warm_up", "with_options"}
    not_theirs = {"available_actions", "create_target_field"}
    calls = {name for name in dir(kind) if name[0] != "_" and callable(getattr(kind, name))}
    assert calls - ours - not_theirs == shown


def test_the_options_are_those_of_both() -> None:
    options = inspect.signature(merge.Merge).parameters
    for left, _ in rows("The client"):
        call = re.match(r"`Merge\((\w+)=", left) or re.match(r"`(\w+)=", left)
        assert call is None or call[1] in {*options, *RequestOptions.__annotations__}
    of_a_call = {left.strip("`") for left, _ in rows("The client")}
    assert of_a_call >= RequestOptions.__annotations__.keys() - {"chunk_size"}
    assert str(options["environment"].default.value) == "https://api.merge.dev/api"
    assert merge.MergeEnvironment.SANDBOX.value in TEXT


def test_the_sdk_is_of_the_version_that_is_named() -> None:
    from importlib.metadata import version

    assert f"version\n{version('MergePythonClient')};" in TEXT


def test_the_sdk_speaks_to_the_sandbox(theirs: Theirs) -> None:
    with Sandbox(api_key=KEY) as sandbox:
        client = theirs(urlsplit(sandbox.url).port or 0)
        assert client.ats.link_token.create(**FIELDS).link_token


# ---- behaviour ----


def test_a_connection_that_fails(theirs: Theirs) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(httpx.ConnectError):
            theirs(taken.getsockname()[1]).ats.link_token.create(**FIELDS)
    with Server(hang_up, token_answer()) as server, pytest.raises(httpx.RemoteProtocolError):
        theirs(server.port).ats.link_token.create(**FIELDS)
    with Server(hang_up, token_answer()) as server, server.client() as client:
        client.create_link_token(**FIELDS)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []
    monkeypatch.setattr(http_client.time, "sleep", seconds.append)
    return seconds


def test_a_passthrough_that_fails(theirs: Theirs, slept: list[float]) -> None:
    request = DataPassthroughRequest(method=MethodEnum.POST, path="/hires")
    with Server(answer(502, {})) as server:
        with pytest.raises(ApiError):
            theirs(server.port).ats.passthrough.create(request=request)
        assert len(server.requests) == 3
    with Server(answer(502, {})) as server, server.client(account_token=ACCOUNT) as client:
        with pytest.raises(APIError):
            client.passthrough(method="POST", path="/hires")
        assert len(server.requests) == 1


def test_a_long_retry_after(theirs: Theirs, slept: list[float]) -> None:
    busy = answer(429, {}, "Retry-After: 90")
    with Server(busy, token_answer()) as server:
        theirs(server.port).ats.link_token.create(**FIELDS)
        assert slept == [60.0]
    with Server(busy, token_answer()) as server, server.client() as client:
        with pytest.raises(APIError) as caught:
            client.create_link_token(**FIELDS)
        assert caught.value.retry_after == 90.0


def test_a_redirect(theirs: Theirs) -> None:
    with Server(token_answer()) as other:
        away = answer(307, b"", f"Location: http://localhost:{other.port}/elsewhere")
        with Server(away) as server:
            theirs(server.port).ats.link_token.create(**FIELDS)
            assert f"X-Account-Token: {ACCOUNT}".encode() in other.requests[0]
        with Server(away) as server, server.client(account_token=ACCOUNT) as client:
            with pytest.raises(ResponseError):
                client.create_link_token(**FIELDS)
            assert len(other.requests) == 1


def test_where_the_account_token_goes(theirs: Theirs) -> None:
    with Server(token_answer()) as server:
        theirs(server.port).ats.link_token.create(**FIELDS)
        assert ACCOUNT.encode() in server.requests[0]
    with Server(token_answer()) as server, server.client(account_token=ACCOUNT) as client:
        client.create_link_token(**FIELDS)
        assert ACCOUNT.encode() not in server.requests[0]


def test_a_public_token_that_is_a_path(theirs: Theirs) -> None:
    found = answer(200, {"account_token": "a", "id": "1", "integration": {"name": "Lever"}})
    with Server(found) as server:
        theirs(server.port).ats.account_token.retrieve("../link-token")
        assert server.requests[0].startswith(b"GET /api/ats/v1/link-token HTTP/1.1\r\n")
    with Server(found) as server, server.client() as client:
        client.retrieve_account_token("../link-token")
        (request,) = server.requests
        assert request.startswith(b"GET /api/ats/v1/account-token/..%2Flink-token HTTP/1.1\r\n")


def test_an_empty_object_for_a_link_token(theirs: Theirs) -> None:
    with Server(answer(200, {})) as server:
        assert theirs(server.port).ats.link_token.create(**FIELDS).link_token is None
    server = Server(answer(200, {}))
    with server, server.client() as client, pytest.raises(ResponseError):
        client.create_link_token(**FIELDS)


def test_no_content(theirs: Theirs) -> None:
    def no_content(connection: Connection, request: bytes) -> None:
        connection.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    with Server(no_content) as server, pytest.raises(ApiError):
        theirs(server.port).ats.field_mapping.field_mappings_destroy("an-id")
    with Server(no_content) as server, server.client(account_token=ACCOUNT) as client:
        client.delete_field_mapping("an-id")


def test_each_row_of_what_behaves_otherwise_has_a_test() -> None:
    assert len(table_of(PAGE, "What behaves otherwise")) == 8  # the budget's is elsewhere
