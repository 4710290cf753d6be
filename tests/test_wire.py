"""The bytes that go over the wire, and the answers that are understood."""

import gzip
import json
import platform
import zlib
from collections.abc import Callable
from typing import Any

import pytest

import merge_link
from merge_link.sandbox import Sandbox
from samples import BODY, EVERY_FIELD, FIELDS, KEY, TOKEN
from scripted import Server, answer, hang_up_after, token_answer

Serve = Callable[..., Server]

USER_AGENT = (
    f"merge-link/{merge_link.__version__} libcurl/{merge_link._core.versions()['libcurl']} "
    f"Python/{platform.python_version()}"
)


def head_of(request: bytes) -> list[str]:
    return request.partition(b"\r\n\r\n")[0].decode().split("\r\n")


def headers_of(request: bytes) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in head_of(request)[1:])


def body_of(request: bytes) -> bytes:
    return request.partition(b"\r\n\r\n")[2]


# ---- the request ----


def test_the_request_is_these_bytes(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.create_link_token(**FIELDS)
    encodings = headers_of(server.requests[0])["Accept-Encoding"]
    assert server.requests == [
        (
            "POST /api/ats/v1/link-token HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{server.port}\r\n"
            f"Accept-Encoding: {encodings}\r\n"
            f"User-Agent: {USER_AGENT}\r\n"
            "Accept: application/json\r\n"
            f"Authorization: Bearer {KEY}\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(BODY)}\r\n"
            "\r\n"
        ).encode()
        + BODY
    ]
    assert "gzip" in encodings.split(", ")


def test_a_large_body_is_sent_without_asking_for_100_continue(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.create_link_token(**FIELDS, extra_body={"pad": "x" * 2_000_000})
    assert "Expect" not in headers_of(server.requests[0])
    assert len(body_of(server.requests[0])) > 2_000_000


def test_each_request_goes_to_its_own_path_on_a_kept_connection(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        for category in ["ats", "crm", "crm", "ats"]:
            client.create_link_token(**FIELDS, category=category)
    assert server.connections == 1
    assert [head_of(request)[0].split("/")[2] for request in server.requests] == [
        *("ats", "crm", "crm", "ats")
    ]


def test_every_field_is_sent_in_the_rows_order_as_json_dumps_would_write_it(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.create_link_token(**dict(reversed(EVERY_FIELD.items())))
    body = body_of(server.requests[0])
    rows = [row["name"] for row in merge_link._core.fields("create_link_token")]
    assert list(json.loads(body)) == [name for name in rows if name in EVERY_FIELD]
    assert set(EVERY_FIELD) == set(rows) - {"category"}
    config = json.dumps(EVERY_FIELD["integration_specific_config"]).encode()
    others = {name: value for name, value in EVERY_FIELD.items() if "config" not in name}
    assert json.loads(body) == EVERY_FIELD
    assert b'"integration_specific_config":' + config + b"," in body
    assert len(body) == len(config) + len(
        json.dumps(
            {**others, "integration_specific_config": 0}, separators=(",", ":"), ensure_ascii=False
        ).encode()[1:]
    )


@pytest.mark.parametrize(
    ("option", "fields", "path"),
    [
        ("", {}, "/ats/v1/link-token"),
        ("", {"categories": ["hris", "ats"]}, "/hris/v1/link-token"),
        ("", {"categories": ["newslug"]}, "/newslug/v1/link-token"),
        ("", {"category": "crm"}, "/crm/v1/link-token"),
        ("", {"category": "chat"}, "/chat/v1/link-token"),
        ("/api", {}, "/api/ats/v1/link-token"),
        ("/api/", {}, "/api/ats/v1/link-token"),
        ("/deep/er//", {}, "/deep/er/ats/v1/link-token"),
    ],
)
def test_the_path_is_base_url_then_category(
    serve: Serve, option: str, fields: dict[str, Any], path: str
) -> None:
    server = serve()
    with server.client(base_url=f"http://127.0.0.1:{server.port}{option}") as client:
        client.create_link_token(**{**FIELDS, **fields})
    assert head_of(server.requests[0])[0] == f"POST {path} HTTP/1.1"
    assert "category" not in server.bodies[0]


def test_a_localhost_name_goes_out_as_the_host(serve: Serve) -> None:
    server = serve()
    with server.client(base_url=f"http://localhost:{server.port}/api") as client:
        client.create_link_token(**FIELDS)
    assert headers_of(server.requests[0])["Host"] == f"localhost:{server.port}"


def test_several_calls_go_over_one_connection(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        for _ in range(5):
            client.create_link_token(**FIELDS)
    assert (len(server.requests), server.connections) == (5, 1)
    assert len(set(server.requests)) == 1


def test_a_refused_call_leaves_the_connection_in_use(serve: Serve) -> None:
    server = serve(answer(400, {"detail": "no"}), token_answer())
    with server.client() as client:
        with pytest.raises(merge_link.BadRequestError):
            client.create_link_token(**FIELDS)
        client.create_link_token(**FIELDS)
    assert server.connections == 1


def test_a_connection_that_the_server_closed_while_idle_is_replaced(serve: Serve) -> None:
    closing = token_answer().replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    server = serve(hang_up_after(closing), token_answer())
    with server.client(max_retries=0) as client:
        client.create_link_token(**FIELDS)
        client.create_link_token(**FIELDS)
    assert server.connections == 2


def test_extra_headers_are_sent_and_may_replace_accept_and_user_agent(serve: Serve) -> None:
    server = serve()
    extra = {"X-Trace": "a, b=\tc", "accept": "application/json; v=2", "User-Agent": "mine/1"}
    with server.client() as client:
        client.create_link_token(**FIELDS, extra_headers=extra)
        client.create_link_token(**FIELDS, extra_headers={})
    first, second = map(headers_of, server.requests)
    assert first.items() >= extra.items()
    assert "Accept" not in first
    assert second["Accept"] == "application/json"
    assert "X-Trace" not in second


def test_extra_body_follows_the_fields_as_json_dumps_writes_it(serve: Serve) -> None:
    server = serve()
    extra = {"new_flag": True, "ünï": {"a": [1.5, None]}, "big": 10**30}
    with server.client() as client:
        client.create_link_token(**FIELDS, extra_body=extra)
    written = [f'"{name}":{json.dumps(value)}' for name, value in extra.items()]
    assert body_of(server.requests[0]) == BODY[:-1] + ("," + ",".join(written) + "}").encode()


def test_the_api_key_of_one_call_wins_and_is_forgotten(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        client.create_link_token(**FIELDS, api_key="test_other_key")
        client.create_link_token(**FIELDS)
    sent = [headers_of(request)["Authorization"] for request in server.requests]
    assert sent == ["Bearer test_other_key", f"Bearer {KEY}"]


def test_a_clients_user_agent_replaces_ours(serve: Serve) -> None:
    server = serve()
    with server.client(user_agent="acme/1.0 (+https://acme.example)") as client:
        client.create_link_token(**FIELDS)
    assert headers_of(server.requests[0])["User-Agent"] == "acme/1.0 (+https://acme.example)"


@pytest.mark.parametrize("size", [100, 1_000_000])
def test_no_expect_header_however_large_the_body(serve: Serve, size: int) -> None:
    server = serve()
    with server.client() as client:
        client.create_link_token(**FIELDS, extra_body={"pad": "x" * size})
    assert "Expect" not in headers_of(server.requests[0])
    assert server.bodies[0]["pad"] == "x" * size


def test_none_is_left_out_of_the_body(serve: Serve) -> None:
    server = serve()
    nothing = {name: None for name in EVERY_FIELD if name not in FIELDS}
    with server.client() as client:
        client.create_link_token(**FIELDS, **nothing, extra_body=None, extra_headers=None)
    assert body_of(server.requests[0]) == BODY


def test_text_goes_out_as_utf8(serve: Serve) -> None:
    server = serve()
    name = 'Ünïcødé "\\/ 日本語 🎉 \u2028'
    with server.client() as client:
        client.create_link_token(**{**FIELDS, "end_user_organization_name": name})
    assert server.bodies[0]["end_user_organization_name"] == name
    assert "日本語 🎉".encode() in server.requests[0]


def test_the_sandbox_takes_every_field(sandbox: Sandbox, client: merge_link.Client) -> None:
    token = client.create_link_token(**EVERY_FIELD)
    assert token.integration_name == "Greenhouse"
    assert token.magic_link_url is not None
    assert sandbox.requests[-1].json == EVERY_FIELD


# ---- the answer ----


def brotli(data: bytes) -> bytes:
    """Wrap as RFC 7932 has it: a window of 16 bits, one stored meta-block, an empty last one."""
    assert 1 <= len(data) <= 65536
    bits = (len(data) - 1) << 4 | 1 << 20  # not last, 4 nibbles of length, the length, stored
    return bits.to_bytes(3, "little") + data + b"\x03"


ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli,
}


@pytest.mark.parametrize("encoding", ENCODERS)
def test_compressed_answers_are_decoded(serve: Serve, encoding: str) -> None:
    compress = ENCODERS[encoding]
    body = json.dumps({"link_token": TOKEN, "pad": "x" * 5000}).encode()
    server = serve(answer(200, compress(body), f"Content-Encoding: {encoding}"))
    with server.client() as client:
        try:
            token = client.create_link_token(**FIELDS)
        except merge_link.TransportError as error:
            offered = headers_of(server.requests[0])["Accept-Encoding"].split(", ")
            if encoding in offered:
                raise
            pytest.skip(f"this libcurl has no {encoding}: {error}")
    assert token.link_token == TOKEN
    assert token.extra == {"pad": "x" * 5000}


@pytest.mark.parametrize(
    "body",
    [b"\x1f\x8b\x08\x00garbage", gzip.compress(b"x" * 5000)[:-20]],
    ids=["damaged", "cut short"],
)
def test_a_damaged_gzip_answer_is_an_error_of_ours(serve: Serve, body: bytes) -> None:
    server = serve(answer(200, body, "Content-Encoding: gzip"))
    with (
        server.client(max_retries=0) as client,
        pytest.raises((merge_link.TransportError, merge_link.ResponseError)),
    ):
        client.create_link_token(**FIELDS)


def chunked(data: bytes, size: int) -> bytes:
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + framed + b"0\r\nX-Trailer: 1\r\n\r\n"


PLAIN = b'{"link_token":"' + TOKEN.encode() + b'"}'


@pytest.mark.parametrize(
    "script",
    [
        chunked(PLAIN, 7),
        b"HTTP/1.1 100 Continue\r\n\r\n" + token_answer(),
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + token_answer(),
        hang_up_after(b"HTTP/1.0 200 OK\r\n\r\n" + PLAIN),
        hang_up_after(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + PLAIN),
        answer(201, PLAIN),
        answer(200, b" \r\n\t" + PLAIN + b"\n"),
        answer(200, PLAIN, content_type="text/plain"),
    ],
    ids=["chunked", "100", "103", "HTTP/1.0", "until close", "201", "white space", "text/plain"],
)
def test_all_the_ways_to_frame_an_answer_are_understood(serve: Serve, script: Any) -> None:
    server = serve(script)
    with server.client(max_retries=0) as client:
        assert client.create_link_token(**FIELDS).link_token == TOKEN


def test_an_answer_that_comes_byte_by_byte_is_whole(serve: Serve) -> None:
    def trickle(connection: Any, request: bytes) -> None:
        for byte in token_answer("Date: Sun, 06 Nov 1994 08:49:37 GMT"):
            connection.send(bytes([byte]))

    server = serve(trickle)
    with server.client() as client:
        assert client.create_link_token(**FIELDS).link_token == TOKEN


def test_headers_of_an_informational_answer_are_not_the_answers(serve: Serve) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nX-Request-Id: early\r\n\r\n"
    server = serve(early + token_answer("X-Request-Id: late"))
    with server.client() as client:
        token = client.create_link_token(**FIELDS)
    assert token.response.request_id == "late"
    assert token.response.headers["x-request-id"] == "late"
