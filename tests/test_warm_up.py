"""Connecting ahead."""

import threading
from collections.abc import Callable

import pytest

import merge_link
from merge_link.sandbox import Sandbox
from samples import FIELDS
from scripted import Server, answer, token_answer

PAGE = answer(200, {"next": None, "previous": None, "results": []})
START = b"GET /api/%s/v1/linked-accounts?page_size=1 HTTP/1.1\r\n"


def test_warm_up_reads_one_linked_account_and_keeps_the_connection(
    serve: Callable[..., Server],
) -> None:
    server = serve(PAGE, token_answer())
    with server.client() as client:
        assert client.warm_up() is None
        token = client.create_link_token(**FIELDS)
    assert server.requests[0].startswith(START % b"ats")
    assert server.requests[0].endswith(b"\r\n\r\n")
    assert server.connections == 1
    assert token.response is not None
    assert token.response.timing.connect == 0.0


def test_warm_up_opens_as_many_connections_as_asked_for(serve: Callable[..., Server]) -> None:
    server = serve(PAGE)
    with server.client(category="hris") as client:
        client.warm_up(3)
        client.warm_up(connections=2)
    assert server.connections == 3
    assert all(request.startswith(START % b"hris") for request in server.requests)


def test_warm_up_opens_no_more_than_max_connections(serve: Callable[..., Server]) -> None:
    server = serve(PAGE)
    with server.client(max_connections=2) as client:
        client.warm_up(5, category="crm")
    assert server.connections == 2
    assert server.requests[0].startswith(START % b"crm")


def test_warm_up_finds_a_wrong_key(sandbox: Sandbox) -> None:
    with (
        sandbox.client(api_key="test_wrong_key") as client,
        pytest.raises(merge_link.AuthenticationError) as caught,
    ):
        client.warm_up()
    assert caught.value.detail == "Invalid token."
    assert caught.value.body == {"detail": "Invalid token."}
    assert caught.value.request_id


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (answer(200, b"<!DOCTYPE html><p>Sign in</p>"), "is not JSON but an HTML page"),
        (answer(200, b"welcome"), "is not JSON: at byte 0"),
        (answer(200, b""), "came without a body"),
        (answer(204), "came without a body"),
        (answer(200, {"status": "ok"}), "the answer has no member results"),
        (answer(200, {"results": None}), "member results of the answer must be an array, is null"),
        (answer(200, []), "the answer must be a JSON object, is an array"),
    ],
)
def test_warm_up_takes_nothing_but_a_page_of_accounts(
    serve: Callable[..., Server], page: bytes, words: str
) -> None:
    """A sign-in page of the network is no sign that Merge is there, nor another's JSON."""
    server = serve(page, token_answer())
    with server.client(max_connections=1) as client:
        with pytest.raises(merge_link.ResponseError) as caught:
            client.warm_up(2)
        client.create_link_token(**FIELDS)
    assert words in str(caught.value)
    assert len(server.requests) == 2
    (note,) = caught.value.__notes__
    assert note.startswith(f"The request was GET {server.base_url}/ats/v1/linked-accounts")


def test_warm_up_leaves_the_client_usable_after_a_failure(serve: Callable[..., Server]) -> None:
    server = serve(answer(403, {"detail": "No."}), token_answer())
    with server.client(max_connections=1) as client:
        with pytest.raises(merge_link.PermissionDeniedError):
            client.warm_up(2)
        client.create_link_token(**FIELDS)


@pytest.mark.parametrize("connections", [0, -1, True, "2", 1.5])
def test_warm_up_refuses_what_is_no_count(
    serve: Callable[..., Server], connections: object
) -> None:
    with serve().client() as client, pytest.raises(merge_link.ValidationError) as caught:
        client.warm_up(connections)  # type: ignore[arg-type]
    assert caught.value.errors[0].field == "connections"


def test_warm_up_takes_no_body(serve: Callable[..., Server]) -> None:
    with serve().client() as client, pytest.raises(merge_link.ValidationError) as caught:
        client.warm_up(extra_body={"new": 1})  # type: ignore[call-arg]
    assert caught.value.errors[0].field == "extra_body.new"


def test_two_that_warm_up_at_once_do_not_wait_for_each_other(
    serve: Callable[..., Server],
) -> None:
    server = serve(PAGE)
    with server.client(max_connections=4, timeout=10) as client:
        threads = [threading.Thread(target=client.warm_up, args=(4,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(8)
        assert not any(thread.is_alive() for thread in threads)
    assert server.connections <= 4
