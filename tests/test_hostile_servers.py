"""Servers and proxies that mean harm: the right error in time, in little memory, and a client that
works afterwards."""

import gzip
import json
import socket
import ssl
import struct
import sys
import time
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

import merge_link
from isolation import run_script
from merge_link import (
    APIError,
    RequestTimeoutError,
    ResponseError,
    ServerError,
    TLSError,
    TransportError,
)
from samples import FIELDS, KEY, TOKEN
from scripted import (
    Connection,
    Script,
    Server,
    answer,
    hang_up,
    hang_up_after,
    stay_silent,
    stay_silent_after,
    token_answer,
)

Serve = Callable[..., Server]

IN_TIME = 8.0  # seconds: what ends by itself is far below, and far from PATIENT
PATIENT = 20.0  # timeout of calls that must end before it
SHORT = 0.4  # timeout of calls that end by it

OK = b"HTTP/1.1 200 OK\r\n"
ERROR = b"HTTP/1.1 500 Oh\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
GZIP = "Content-Encoding: gzip"
PLAIN = b'{"link_token":"' + TOKEN.encode() + b'"}'
MIB = 1 << 20


# ---- scripts ----


def reset(connection: Connection) -> None:
    """Close by RST, not by FIN."""
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.sock.close()


def reset_after(start: bytes) -> Script:
    def script(connection: Connection, request: bytes) -> None:
        connection.send(start)
        reset(connection)

    return script


def drip_after(start: bytes, byte: bytes) -> Script:
    """One byte a second, for ever; it is the client's leaving that ends the wait."""

    def script(connection: Connection, request: bytes) -> None:
        connection.send(start)
        connection.sock.settimeout(1.0)
        while True:
            connection.send(byte)
            try:
                if not connection.sock.recv(1):
                    return
            except TimeoutError:
                pass

    return script


def endless(start: bytes, again: bytes) -> Script:
    """Send the same for ever, in pieces large enough to be no burden."""
    piece = again * max(1, 65536 // len(again))

    def script(connection: Connection, request: bytes) -> None:
        connection.send(start)
        while True:
            connection.send(piece)

    return script


def gzip_of(data: bytes, times: int) -> bytes:
    """Compress many times the same at the price of once; the checksum at the end is missing."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + block * times


# 2 GiB of blanks in 2 MiB.
BOMB = gzip_of(b" " * MIB, 2048)


# ---- one table of all that a server can do ----

TRANSPORT: dict[str, tuple[Script, set[str]]] = {
    "closes at once": (hang_up, {"CURLE_GOT_NOTHING", "CURLE_RECV_ERROR"}),
    "resets before the answer": (reset_after(b""), {"CURLE_RECV_ERROR"}),
    "resets in the status line": (reset_after(b"HTTP/1.1 2"), {"CURLE_RECV_ERROR"}),
    "resets in the headers": (reset_after(OK + b"Content-Le"), {"CURLE_RECV_ERROR"}),
    "resets after the headers": (
        reset_after(OK + b"Content-Length: 60\r\n\r\n"),
        {"CURLE_RECV_ERROR"},
    ),
    "resets in the body": (reset_after(token_answer()[:-3]), {"CURLE_RECV_ERROR"}),
    "resets in a body without length": (reset_after(OK + b"\r\n" + PLAIN), {"CURLE_RECV_ERROR"}),
    "headers without end": (
        endless(OK, b"X-More: and more\r\n"),
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "a header line without end": (
        endless(OK + b"X-Long: ", b"x"),
        {"CURLE_WEIRD_SERVER_REPLY", "CURLE_TOO_LARGE"},
    ),
    "trailers without end": (
        endless(OK + CHUNKED + b"\r\n0\r\n", b"X-More: and more\r\n"),
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "a length that is too long": (
        hang_up_after(OK + b"Content-Length: 999\r\n\r\n" + PLAIN),
        {"CURLE_PARTIAL_FILE"},
    ),
    "a length that is no number": (
        hang_up_after(OK + b"Content-Length: ten\r\n\r\n" + PLAIN),
        {"CURLE_WEIRD_SERVER_REPLY"},
    ),
    "a negative length": (
        hang_up_after(OK + b"Content-Length: -5\r\n\r\n" + PLAIN),
        {"CURLE_WEIRD_SERVER_REPLY"},
    ),
    "two lengths": (
        answer(200, PLAIN, "Content-Length: 5"),
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "the same length twice": (
        answer(200, PLAIN, f"content-length: {len(PLAIN)}"),
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "a length beside chunked": (
        OK + b"Content-Length: 3\r\n" + CHUNKED + b"\r\n3\r\nabc\r\n0\r\n\r\n",
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "chunked beside a length": (
        OK + CHUNKED + b"Content-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "chunked twice": (
        OK + CHUNKED + CHUNKED + b"\r\n3\r\nabc\r\n0\r\n\r\n",
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "two lengths, and a status line between them": (
        OK + b"Content-Length: 5\r\nHTTP/1.1: OK\r\nContent-Length: 60\r\n\r\n" + PLAIN,
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "a list of lengths": (
        OK + b"Content-Length: 57, 5\r\n\r\n" + PLAIN,
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "a length and more": (
        OK + b"Content-Length: 57 or so\r\n\r\n" + PLAIN,
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "a length with a sign": (
        OK + b"Content-Length: +57\r\n\r\n" + PLAIN,
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "a hexadecimal length": (
        OK + b"Content-Length: 0x39\r\n\r\n" + PLAIN,
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "a length of 2**64": (
        OK + b"Content-Length: 18446744073709551673\r\n\r\n" + PLAIN,
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "a length in the trailers": (
        OK + CHUNKED + b"\r\n3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n",
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "a chunk that is cut": (
        hang_up_after(OK + CHUNKED + b"\r\n40\r\n" + PLAIN[:20]),
        {"CURLE_PARTIAL_FILE"},
    ),
    "a chunk length that is none": (
        OK + CHUNKED + b"\r\nnot hex\r\n" + PLAIN + b"\r\n0\r\n\r\n",
        {"CURLE_RECV_ERROR"},
    ),
    "a chunk length of 2**64": (
        OK + CHUNKED + b"\r\n10000000000000000\r\n" + PLAIN + b"\r\n0\r\n\r\n",
        {"CURLE_RECV_ERROR"},
    ),
    "a chunk that is longer than it says": (
        OK + CHUNKED + b"\r\n2\r\n" + PLAIN + b"\r\n0\r\n\r\n",
        {"CURLE_RECV_ERROR"},
    ),
    "chunks without an end": (
        hang_up_after(OK + CHUNKED + b"\r\n%x\r\n" % len(PLAIN) + PLAIN + b"\r\n"),
        {"CURLE_PARTIAL_FILE", "CURLE_RECV_ERROR"},
    ),
    "gzip that is none": (answer(200, PLAIN, GZIP), {"CURLE_BAD_CONTENT_ENCODING"}),
    "gzip that breaks": (
        answer(200, gzip_of(PLAIN, 1) + b"\xff" * 30, GZIP),
        {"CURLE_BAD_CONTENT_ENCODING"},
    ),
    "gzip with a wrong checksum": (
        answer(200, gzip.compress(PLAIN)[:-8] + bytes(8), GZIP),
        {"CURLE_BAD_CONTENT_ENCODING"},
    ),
    "an encoding that nobody knows": (
        answer(200, PLAIN, "Content-Encoding: rot13"),
        {"CURLE_BAD_CONTENT_ENCODING"},
    ),
    "a hundred encodings": (
        answer(200, PLAIN, "Content-Encoding: " + ", ".join(["gzip"] * 100)),
        {"CURLE_BAD_CONTENT_ENCODING"},
    ),
    "HTTP/0.9": (hang_up_after(PLAIN), {"CURLE_UNSUPPORTED_PROTOCOL"}),
    "HTTP/0.9 without end": (endless(b"", b"<html>"), {"CURLE_UNSUPPORTED_PROTOCOL"}),
    "HTTP/7.5": (
        hang_up_after(b"HTTP/7.5 200 OK\r\ncontent-length: 2\r\n\r\n{}"),
        {"CURLE_UNSUPPORTED_PROTOCOL"},
    ),
    "status 000": (
        hang_up_after(b"HTTP/1.1 000 No\r\n\r\n" + PLAIN),
        {"CURLE_UNSUPPORTED_PROTOCOL"},
    ),
    "garbage": (hang_up_after(bytes(range(256)) * 20), {"CURLE_UNSUPPORTED_PROTOCOL"}),
    "NUL in a header": (
        hang_up_after(OK + b"X-A: b\0c\r\nContent-Length: 2\r\n\r\n{}"),
        {"CURLE_WEIRD_SERVER_REPLY"},
    ),
    "nine 1xx answers": (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 9 + token_answer(),
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "1xx answers without end": (
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        {"CURLE_WRITE_ERROR", "CURLE_WEIRD_SERVER_REPLY"},
    ),
}

TIMEOUTS: dict[str, Script] = {
    "stalls": stay_silent,
    "stalls in the headers": stay_silent_after(OK + b"X-A: b"),
    "stalls in the body": stay_silent_after(token_answer()[:-3]),
    "stalls in a chunk": stay_silent_after(OK + CHUNKED + b"\r\n40\r\n{"),
    "stalls after a 1xx answer": stay_silent_after(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "stalls in an error": stay_silent_after(ERROR + b"Content-Length: 10\r\n\r\n{"),
    "one header byte a second": drip_after(OK + b"X-Slow: ", b"x"),
    "one body byte a second": drip_after(OK + b"Content-Length: 99999\r\n\r\n", b" "),
    "one chunk a second": drip_after(OK + CHUNKED + b"\r\n", b"1\r\n \r\n"),
    "a chunk extension without end": endless(OK + CHUNKED + b"\r\n1;", b"x"),
    "gzip that never says anything": endless(
        OK + b"Content-Encoding: gzip\r\n\r\n" + gzip_of(b"", 1), b"\0\0\0\xff\xff"
    ),
}

RESPONSES: dict[str, tuple[Script, str]] = {
    "a length that is too short": (
        OK + b"Content-Length: 9\r\n\r\n" + PLAIN,
        "is not JSON: at byte 9",
    ),
    "a body without end": (endless(OK + b"\r\n", b" "), "larger than the limit of 1048576 bytes"),
    "a chunked body without end": (
        endless(OK + CHUNKED + b"\r\n", b"8\r\n        \r\n"),
        "larger than the limit of 1048576 bytes",
    ),
    "a gzip bomb": (answer(200, BOMB, GZIP), "larger than the limit of 1048576 bytes"),
    "a bomb in a bomb": (
        answer(200, gzip.compress(BOMB), "Content-Encoding: gzip, gzip"),
        "larger than the limit of 1048576 bytes",
    ),
    "204": (answer(204), "status 204 came without a body"),
    "205 with a body": (answer(205, {}), "the answer has no member link_token"),
    "101": (
        hang_up_after(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + PLAIN),
        "status 101 is no final answer",
    ),
    "304": (answer(304), "status 304"),
    "HTML": (
        answer(200, b"<!DOCTYPE html>\n<p>Sign in</p>", content_type="text/html"),
        "but an HTML page: a proxy on the way or a wrong base_url is likely",
    ),
    "gzip of HTML": (answer(200, gzip.compress(b"<html>"), GZIP), "but an HTML page"),
    "invalid UTF-8": (answer(200, b'{"link_token":"a\xff"}'), "at byte 16"),
    "overlong UTF-8": (answer(200, b'{"link_token":"\xc0\x80"}'), "at byte 15"),
    "a surrogate in UTF-8": (answer(200, b'{"link_token":"\xed\xa0\x80"}'), "at byte 15"),
    "a lone surrogate": (answer(200, b'{"link_token":"\\ud800"}'), "lone surrogate"),
    "a surrogate the wrong way round": (
        answer(200, b'{"link_token":"\\udc00\\ud800"}'),
        "lone surrogate",
    ),
    "NUL": (answer(200, b'{"link_token":"a\0b"}'), "at byte 16"),
    "NUL after the end": (answer(200, PLAIN + b"\0"), f"at byte {len(PLAIN)}"),
    "NUL escaped": (
        answer(200, b'{"link_token":"a\\u0000b"}'),
        "link_token of the answer holds NUL",
    ),
    "NUL escaped in a name": (answer(200, b'{"link_token\\u0000":"a"}'), "no member link_token"),
    "deep nesting": (answer(200, b'{"a":' + b"[" * 100_000), "nested too deeply"),
    "deep nesting that ends": (
        answer(200, b'{"link_token":"a","a":' + b"[" * 9000 + b"]" * 9000 + b"}"),
        "nested too deeply",
    ),
    "deep nesting of objects": (answer(200, b'{"a":' * 100_000), "nested too deeply"),
    "a member twice": (answer(200, b'{"link_token":"a","link_token":"b"}'), "at byte"),
    "a member twice, once escaped": (
        answer(200, b'{"link_token":"a","link\\u005ftoken":"b"}'),
        "at byte",
    ),
    "a member twice, deep inside": (
        answer(200, b'{"link_token":"a","x":[{"b":1,"b":2}]}'),
        "at byte",
    ),
    "1e999": (answer(200, b'{"link_token":1e999}'), "must be a string, is a number"),
    "an integer of 5,000 digits": (
        answer(200, b'{"link_token":' + b"9" * 5000 + b"}"),
        "must be a string, is a number",
    ),
    "an integer of 5,000 digits beside the token": (
        answer(200, b'{"link_token":"a","n":[' + b"9" * 5000 + b"]}"),
        "Python's json module refuses",
    ),
    "NaN": (answer(200, b'{"link_token":"a","n":NaN}'), "at byte 22"),
    "100,000 members": (
        answer(200, json.dumps({f"m{i}": i for i in range(100_000)})[:MIB].encode()),
        "is not JSON",
    ),
}

API: dict[str, tuple[Script, type[APIError]]] = {
    "a 10 MB error page": (
        answer(502, b"<html>" + b"x" * 10_000_000, content_type="text/html"),
        ServerError,
    ),
    "10 MB of JSON with an error": (answer(500, {"detail": "x" * 10_000_000}), ServerError),
    "an error without end": (endless(ERROR + b"\r\n", b"<html>"), ServerError),
    "an error that is a bomb": (answer(500, BOMB, GZIP), ServerError),
    "status 999": (answer(999, {"detail": "odd"}), ServerError),
    "an error with invalid UTF-8": (answer(400, b'{"detail":"\xff"}'), merge_link.BadRequestError),
    "an error with NUL": (answer(404, b'{"detail":"a\\u0000b"}'), merge_link.NotFoundError),
    "an error with deep nesting": (
        answer(400, b'{"a":' * 200 + b"[]" + b"}" * 200),
        merge_link.BadRequestError,
    ),
    "an error with an integer of 5,000 digits": (
        answer(400, b'{"a":' + b"9" * 5000 + b"}"),
        merge_link.BadRequestError,
    ),
    "an error with 1e999": (answer(401, b'{"a":1e999}'), merge_link.AuthenticationError),
    "Retry-After of 400 digits": (
        answer(429, b"", "Retry-After: " + "9" * 400),
        merge_link.RateLimitError,
    ),
    "Retry-After of 60 digits": (
        answer(429, b"", "Retry-After: " + "9" * 60),
        merge_link.RateLimitError,
    ),
}


def failure_then_token(server: Server, kind: type[Exception], **options: Any) -> Any:
    """Return the error of one call, after the same client has made a good one."""
    with server.client(**{"max_retries": 0, "timeout": PATIENT, **options}) as client:
        began = time.monotonic()
        with pytest.raises(merge_link.MergeLinkError) as caught:
            client.create_link_token(**FIELDS)
        assert time.monotonic() - began < IN_TIME
        assert type(caught.value) is kind, repr(caught.value)
        token = client.create_link_token(**FIELDS, timeout=PATIENT)
        assert token.link_token == TOKEN
        assert token.response.attempts == 1
    assert KEY not in f"{caught.value!r} {vars(caught.value)}"
    return caught.value


@pytest.mark.parametrize("what", TRANSPORT)
def test_what_is_no_whole_answer_is_a_transport_error(serve: Serve, what: str) -> None:
    script, codes = TRANSPORT[what]
    server = serve(script, token_answer())
    error = failure_then_token(server, TransportError)
    assert error.code in codes, str(error)
    assert (error.attempts, error.may_have_arrived) == (1, True)
    assert str(error).startswith(f"the exchange with 127.0.0.1:{server.port} failed: ")
    assert len(server.requests) == 2


@pytest.mark.parametrize("what", TIMEOUTS)
def test_what_does_not_end_ends_by_the_timeout(serve: Serve, what: str) -> None:
    server = serve(TIMEOUTS[what], token_answer())
    error = failure_then_token(server, RequestTimeoutError, timeout=SHORT)
    assert error.code == "CURLE_OPERATION_TIMEDOUT"
    assert (error.attempts, error.may_have_arrived) == (1, True)
    assert len(server.requests) == 2


@pytest.mark.parametrize("what", RESPONSES)
def test_what_breaks_the_promise_is_a_response_error(serve: Serve, what: str) -> None:
    script, said = RESPONSES[what]
    server = serve(script, token_answer())
    error = failure_then_token(server, ResponseError)
    assert said in str(error)
    assert error.attempts == 1
    assert len(server.requests) == 2


@pytest.mark.parametrize("what", API)
def test_an_error_answer_keeps_its_class_whatever_its_body(serve: Serve, what: str) -> None:
    script, kind = API[what]
    server = serve(script, token_answer())
    error = failure_then_token(server, kind)
    assert error.attempts == 1
    assert len(str(error)) < 600
    assert len(str(error.body)) <= 64 * 1024
    assert len(server.requests) == 2


def test_a_port_that_refuses_is_a_transport_error(serve: Serve) -> None:
    with socket.socket() as reserved:  # bound but not listening: connections are refused
        reserved.bind(("127.0.0.1", 0))
        base_url = f"http://127.0.0.1:{reserved.getsockname()[1]}/api"
        with merge_link.Client(base_url=base_url, api_key=KEY, max_retries=0) as client:
            with pytest.raises(TransportError) as caught:
                client.create_link_token(**FIELDS)
            assert caught.value.code == "CURLE_COULDNT_CONNECT"
            assert (caught.value.attempts, caught.value.may_have_arrived) == (1, False)
            reserved.listen()
            with serve(listener=reserved):
                assert client.create_link_token(**FIELDS).link_token == TOKEN


def test_eight_1xx_answers_are_waited_through(serve: Serve) -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    server = serve(hint * 8 + token_answer())
    with server.client(max_retries=0) as client:
        for _ in range(3):
            token = client.create_link_token(**FIELDS)
            assert token.link_token == TOKEN
            assert "Link" not in token.response.headers


def test_a_reset_after_the_whole_answer_hurts_nobody(serve: Serve) -> None:
    server = serve(reset_after(token_answer()), token_answer())
    with server.client(max_retries=0) as client:
        for _ in range(2):
            assert client.create_link_token(**FIELDS).link_token == TOKEN


@pytest.mark.parametrize("first", [token_answer(), answer(204), answer(400)])
def test_an_answer_that_nobody_asked_for_is_nobodys_answer(serve: Serve, first: bytes) -> None:
    server = serve(first + answer(200, {"link_token": "smuggled"}), token_answer())
    with server.client(max_retries=0) as client:
        try:
            client.create_link_token(**FIELDS)
        except merge_link.MergeLinkError:
            assert first != token_answer()
        assert client.create_link_token(**FIELDS).link_token == TOKEN


def test_1e999_beside_the_token_is_infinity_as_in_pythons_json(serve: Serve) -> None:
    server = serve(answer(200, b'{"link_token":"a","n":1e999}'), token_answer())
    with server.client(max_retries=0) as client:
        assert client.create_link_token(**FIELDS).extra == {"n": float("inf")}
        assert client.create_link_token(**FIELDS).link_token == TOKEN


@pytest.mark.parametrize("what", ["closes at once", "stalls", "gzip that is none"])
def test_a_hostile_start_is_retried_within_the_timeout(serve: Serve, what: str) -> None:
    script = TIMEOUTS.get(what) or TRANSPORT[what][0]
    server = serve(script, token_answer())
    with server.client(max_retries=1, timeout=PATIENT if what != "stalls" else SHORT) as client:
        if what == "stalls":  # has used up the time of the whole call
            with pytest.raises(RequestTimeoutError):
                client.create_link_token(**FIELDS)
        assert client.create_link_token(**FIELDS).link_token == TOKEN
    assert len(server.requests) == 2


# ---- redirects ----


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["same server", "other port", "other host", "other scheme"])
def test_a_redirect_is_not_followed(serve: Serve, status: int, where: str) -> None:
    other = serve()
    server = serve()
    target = {
        "same server": f"http://127.0.0.1:{server.port}/api/ats/v1/link-token?again",
        "other port": f"http://127.0.0.1:{other.port}/",
        "other host": f"http://localhost:{other.port}/api/ats/v1/link-token",
        "other scheme": "file:///etc/hostname",
    }[where]
    server.answers = [answer(status, b"", f"Location: {target}"), token_answer()]
    error = failure_then_token(server, ResponseError)
    assert error.status_code == status
    assert str(error).startswith(f"status {status} is a redirect")
    assert target not in f"{error} {vars(error)}"
    assert len(server.requests) == 2
    assert (other.connections, other.received) == (0, b"")


# ---- memory ----


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (endless(OK + b"\r\n", b"x"), "ResponseError"),
        (endless(ERROR + b"\r\n", b"x"), "ServerError"),
        (endless(OK, b"X-More: and more\r\n"), "TransportError"),
        (endless(OK + b"X-Long: ", b"x"), "TransportError"),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "TransportError"),
        (answer(200, BOMB, GZIP), "ResponseError"),
        (answer(500, BOMB, GZIP), "ServerError"),
        (answer(502, b"<html>" + b"x" * 10_000_000), "ServerError"),
    ],
    ids=[
        *("a body without end", "an error without end", "headers without end"),
        *("a header line without end", "1xx answers without end"),
        *("a gzip bomb", "an error that is a bomb", "a 10 MB error page"),
    ],
)
def test_memory_is_bounded(serve: Serve, script: Script, outcome: str) -> None:
    ordinary = answer(400, {"detail": "no"})
    server = serve(token_answer(), ordinary, script, token_answer())
    said = run_script("peak_memory.py", server.base_url).splitlines()
    assert [*said[:3], said[4]] == ["a token", "BadRequestError", outcome, "a token"]
    assert int(said[3]) < 12 * 1024, f"grew by {said[3]} KiB"


# ---- proxies ----

BASE_URL = "https://localhost:9/api"  # nobody is there: it is the proxy that is spoken to
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return context, path


def tunnel(context: ssl.SSLContext, inside: Script) -> Script:
    """A proxy that lets one request through to a server of its own."""

    def script(connection: Connection, request: bytes) -> None:
        assert request.startswith(b"CONNECT localhost:9 HTTP/1.1\r\n")
        connection.send(ESTABLISHED)
        connection.sock = context.wrap_socket(connection.sock, server_side=True)
        inner = connection.read_request()
        assert inner is not None
        if callable(inside):
            inside(connection, inner)
        else:
            connection.send(inside)

    return script


PROXIES: dict[str, tuple[Script, set[str]]] = {
    "closes": (hang_up, {"CURLE_GOT_NOTHING", "CURLE_RECV_ERROR", "CURLE_PROXY"}),
    "resets": (reset_after(b""), {"CURLE_RECV_ERROR", "CURLE_PROXY"}),
    "closes in its answer": (hang_up_after(b"HTTP/1.1 200 Conn"), {"CURLE_RECV_ERROR"}),
    "refuses CONNECT": (answer(403, b"no"), {"CURLE_RECV_ERROR", "CURLE_COULDNT_CONNECT"}),
    "refuses without end": (
        endless(b"HTTP/1.1 403 No\r\n\r\n", b"x"),
        {"CURLE_RECV_ERROR", "CURLE_COULDNT_CONNECT"},
    ),
    "wants a password": (
        answer(407, b"who?", 'Proxy-Authenticate: Basic realm="x"'),
        {"CURLE_RECV_ERROR", "CURLE_COULDNT_CONNECT"},
    ),
    "wants one for ever": (
        endless(
            b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Basic realm=x\r\n", b"X-More: and more\r\n"
        ),
        {"CURLE_WRITE_ERROR", "CURLE_RECV_ERROR", "CURLE_TOO_LARGE", "CURLE_COULDNT_CONNECT"},
    ),
    "answers with a page": (
        answer(502, b"<html>", content_type="text/html"),
        {"CURLE_RECV_ERROR", "CURLE_COULDNT_CONNECT"},
    ),
    "redirects": (
        answer(302, b"", "Location: http://127.0.0.1:1/"),
        {"CURLE_RECV_ERROR", "CURLE_COULDNT_CONNECT"},
    ),
    "talks garbage": (
        hang_up_after(b"\0garbage\r\n\r\n"),
        {"CURLE_RECV_ERROR", "CURLE_UNSUPPORTED_PROTOCOL", "CURLE_WEIRD_SERVER_REPLY"},
    ),
    "sends 1xx without end": (
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        {"CURLE_WRITE_ERROR", "CURLE_RECV_ERROR", "CURLE_TOO_LARGE", "CURLE_COULDNT_CONNECT"},
    ),
}


@pytest.mark.parametrize("what", PROXIES)
def test_a_hostile_proxy_is_a_transport_error_and_learns_nothing(
    serve: Serve, tls: tuple[ssl.SSLContext, Path], what: str
) -> None:
    script, codes = PROXIES[what]
    proxy = serve(script, tunnel(tls[0], token_answer()))
    options = {"base_url": BASE_URL, "proxy": f"http://127.0.0.1:{proxy.port}"}
    error = failure_then_token(proxy, TransportError, ca_bundle=tls[1], **options)
    assert error.code in codes, str(error)
    assert (error.attempts, error.may_have_arrived) == (1, False)
    assert f"the proxy 127.0.0.1:{proxy.port}" in str(error)
    assert all(request.startswith(b"CONNECT ") for request in proxy.requests)
    assert b"acme" not in b"".join(proxy.requests)
    assert KEY.encode() not in b"".join(proxy.requests)


@pytest.mark.parametrize(
    "script",
    [
        stay_silent,
        stay_silent_after(b"HTTP/1.1 200 "),
        stay_silent_after(ESTABLISHED),
        stay_silent_after(b"HTTP/1.1 407 Who?\r\nContent-Length: 9\r\n\r\n"),
        drip_after(b"HTTP/1.1 200 OK\r\nX-A: ", b"x"),
    ],
    ids=[
        *("at once", "in its answer", "in the handshake behind it", "in its refusal"),
        "with a byte a second",
    ],
)
def test_a_proxy_that_stalls_is_a_timeout(
    serve: Serve, tls: tuple[ssl.SSLContext, Path], script: Script
) -> None:
    proxy = serve(script, tunnel(tls[0], token_answer()))
    options = {"base_url": BASE_URL, "proxy": f"http://127.0.0.1:{proxy.port}"}
    error = failure_then_token(
        proxy, RequestTimeoutError, ca_bundle=tls[1], timeout=SHORT, **options
    )
    assert (error.attempts, error.may_have_arrived) == (1, False)


def test_a_proxy_that_answers_itself_behind_connect_is_not_trusted(
    serve: Serve, tls: tuple[ssl.SSLContext, Path]
) -> None:
    proxy = serve(ESTABLISHED + token_answer(), tunnel(tls[0], token_answer()))
    options = {"base_url": BASE_URL, "proxy": f"http://127.0.0.1:{proxy.port}"}
    error = failure_then_token(proxy, TLSError, ca_bundle=tls[1], **options)
    assert (error.attempts, error.may_have_arrived) == (1, False)


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.", OK, OK + b"Content-Le", OK + b"Content-Length: 9\r\n\r\n{"]
)
def test_a_server_behind_a_proxy_that_closes_has_not_answered(
    serve: Serve, tls: tuple[ssl.SSLContext, Path], start: bytes
) -> None:
    """The proxy's own 200 must not pass for the server's."""
    proxy = serve(tunnel(tls[0], hang_up_after(start)), tunnel(tls[0], token_answer()))
    options = {"base_url": BASE_URL, "proxy": f"http://127.0.0.1:{proxy.port}"}
    error = failure_then_token(proxy, TransportError, ca_bundle=tls[1], **options)
    assert (error.attempts, error.may_have_arrived) == (1, True)


def test_eight_1xx_answers_are_waited_through_behind_a_proxy_too(
    serve: Serve, tls: tuple[ssl.SSLContext, Path]
) -> None:
    hint = b"HTTP/1.1 100 Continue\r\n\r\n"
    proxy = serve(
        tunnel(tls[0], hang_up_after(hint * 9 + token_answer())),
        tunnel(tls[0], hang_up_after(hint * 8 + token_answer())),
    )
    options = {"base_url": BASE_URL, "proxy": f"http://127.0.0.1:{proxy.port}"}
    failure_then_token(proxy, TransportError, ca_bundle=tls[1], **options)


def test_a_proxy_that_gives_no_connection_is_a_transport_error(serve: Serve) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        with (
            merge_link.Client(base_url=BASE_URL, api_key=KEY, proxy=proxy, max_retries=0) as client,
            pytest.raises(TransportError) as caught,
        ):
            client.create_link_token(**FIELDS)
    assert (caught.value.attempts, caught.value.may_have_arrived) == (1, False)


def old_tls(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")


@pytest.mark.parametrize("what", ["good", "another CA", "another host", "TLS 1.1"])
def test_a_proxy_over_tls_must_be_trusted_as_a_server_is(
    serve: Serve, tmp_path: Path, what: str
) -> None:
    ca, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer = other if what == "another CA" else ca
    issuer.issue_cert("merge.example" if what == "another host" else "localhost").configure_cert(
        context
    )
    if what == "TLS 1.1":
        old_tls(context)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    proxy = serve(tls=context)
    options = {"base_url": "http://127.0.0.1:9/api", "proxy": f"https://localhost:{proxy.port}"}
    with proxy.client(**options, ca_bundle=tmp_path / "ca.pem", max_retries=0) as client:
        if what == "good":
            assert client.create_link_token(**FIELDS).link_token == TOKEN
            return
        with pytest.raises(TLSError) as caught:
            client.create_link_token(**FIELDS)
    assert (caught.value.attempts, caught.value.may_have_arrived) == (1, False)
    assert (proxy.requests, proxy.received) == ([], b"")
