"""What is raised for what a server does, with all that it says."""

import builtins
import gzip
import json
import pickle
import re
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import pytest

import merge_link
from merge_link import errors
from samples import FIELDS, KEY, TOKEN
from scripted import (
    Server,
    answer,
    echo,
    hang_up,
    hang_up_after,
    stay_silent,
    stay_silent_after,
    token_answer,
)

Serve = Callable[..., Server]
MIB = 1 << 20


def failure_of(server: Server, kind: type[Exception], **options: Any) -> Any:
    """Return the error of one call."""
    with server.client(**{"max_retries": 0, **options}) as client:
        with pytest.raises(kind) as caught:
            client.create_link_token(**FIELDS)
        return caught.value


# ---- the classes ----

HIERARCHY = {
    "MergeLinkError": ("Exception",),
    "ConfigurationError": ("MergeLinkError", "ValueError"),
    "ValidationError": ("MergeLinkError", "ValueError"),
    "TransportError": ("MergeLinkError", "ConnectionError"),
    "TLSError": ("TransportError",),
    "RequestTimeoutError": ("TransportError", "TimeoutError"),
    "APIError": ("MergeLinkError",),
    "BadRequestError": ("APIError",),
    "AuthenticationError": ("APIError",),
    "PermissionDeniedError": ("APIError",),
    "NotFoundError": ("APIError",),
    "RateLimitError": ("APIError",),
    "ServerError": ("APIError",),
    "ResponseError": ("MergeLinkError",),
    "ClientClosedError": ("MergeLinkError", "RuntimeError"),
    "WebhookSignatureError": ("MergeLinkError", "ValueError"),
}


@pytest.mark.parametrize("name", HIERARCHY)
def test_the_hierarchy_is_what_is_documented(name: str) -> None:
    cls = getattr(errors, name)
    assert getattr(merge_link, name) is cls
    assert tuple(base.__name__ for base in cls.__bases__) == HIERARCHY[name]
    for base in HIERARCHY[name]:
        assert issubclass(cls, getattr(errors, base, None) or getattr(builtins, base))
    assert cls.__doc__
    assert f"{name}" in errors.__doc__


@pytest.mark.parametrize("name", HIERARCHY)
def test_each_can_be_made_by_hand_and_pickled(name: str) -> None:
    cls = getattr(errors, name)
    facts = {"attempts": 3} if hasattr(cls, "attempts") else {}
    error = cls("what went wrong", **facts)
    error.add_note("a note")
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is cls
    assert (str(twin), twin.args, vars(twin)) == (str(error), error.args, vars(error))
    assert str(cls()) == ""
    with pytest.raises(TypeError, match="has no attribute 'nonsense'"):
        cls("x", nonsense=1)


# ---- answers of 400 and more ----

BY_STATUS = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    **dict.fromkeys((402, 405, 408, 409, 413, 418, 422, 451, 499), errors.APIError),
    429: errors.RateLimitError,
    **dict.fromkeys((500, 501, 502, 503, 504, 511, 599), errors.ServerError),
}


@pytest.mark.parametrize("status", BY_STATUS)
def test_every_status_has_its_class_and_all_the_facts(serve: Serve, status: int) -> None:
    body = {"detail": "No, because.", "more": {"a": 1.5}}
    server = serve(answer(status, body, "X-Request-Id: r-1", "X-Other: ä"))
    error = failure_of(server, errors.APIError)
    assert type(error) is BY_STATUS[status]
    assert error.status_code == status
    assert error.detail == "No, because."
    assert error.body == body
    assert error.field_errors == {}
    assert error.request_id == "r-1"
    assert error.headers["x-other"] == "ä"
    assert error.attempts == 1
    assert error.retry_after is None
    assert str(error) == f"Merge answered {status}: No, because. (request id r-1)"


NESTED = {
    "end_user_email_address": ["Enter a valid email address.", "Too odd."],
    "non_field_errors": ["Neither this nor that."],
    "categories": {"1": ['"x" is not a valid choice.']},
    "common_models": [
        {"model_id": ["This field is required."]},
        {},
        {"enabled_actions": {"0": ["Bad."], "2": ["Worse."]}, "disabled_fields": "Just text."},
    ],
    "category_common_model_scopes": {"ats": [{"model_name": ["Blank."]}]},
    "detail": ["not the usual string"],
    "number": 5,
    "nothing": None,
}


def test_nested_field_errors_are_flattened_into_paths(serve: Serve) -> None:
    error = failure_of(serve(answer(400, NESTED)), errors.BadRequestError)
    assert error.field_errors == {
        "end_user_email_address": ["Enter a valid email address.", "Too odd."],
        "non_field_errors": ["Neither this nor that."],
        "categories[1]": ['"x" is not a valid choice.'],
        "common_models[0].model_id": ["This field is required."],
        "common_models[2].enabled_actions[0]": ["Bad."],
        "common_models[2].enabled_actions[2]": ["Worse."],
        "common_models[2].disabled_fields": ["Just text."],
        "category_common_model_scopes.ats[0].model_name": ["Blank."],
        "detail": ["not the usual string"],
    }
    assert error.detail is None
    assert error.body == NESTED
    assert str(error).startswith(
        "Merge answered 400: end_user_email_address: Enter a valid email address.; "
        "end_user_email_address: Too odd.; non_field_errors: Neither this nor that.; "
    )
    assert str(error).endswith("; detail: not the usual string")


@pytest.mark.parametrize(
    ("body", "field_errors", "message"),
    [
        (["Invalid.", "Really."], {"": ["Invalid.", "Really."]}, ": Invalid.; Really."),
        ("Nope.", {"": ["Nope."]}, ": Nope."),
        ({"a": "b"}, {"a": ["b"]}, ": a: b"),
        ({"detail": ""}, {}, ""),
        ({"detail": None}, {}, ""),
        ({}, {}, ""),
        (5, {}, ""),
        (None, {}, ""),
        ({"": [""]}, {"": [""]}, ": "),
        ({"é\n": ["ü"]}, {"é\n": ["ü"]}, ": é : ü"),
    ],
)
def test_bodies_of_other_shapes_are_understood(
    serve: Serve, body: Any, field_errors: dict[str, list[str]], message: str
) -> None:
    error = failure_of(serve(answer(400, body)), errors.BadRequestError)
    assert error.body == body
    assert error.field_errors == field_errors
    assert str(error) == "Merge answered 400" + message


HTML_PAGE = "an HTML page: a proxy on the way or a wrong base_url is likely"
HTML = b"<html>\r\n<head><title>503 Service Unavailable</title></head>\r\n<b>nginx\xff</b></html>"


def test_a_proxys_html_page_is_its_status_and_text(serve: Serve) -> None:
    server = serve(answer(503, HTML, content_type="text/html"))
    error = failure_of(server, errors.ServerError)
    assert error.body == HTML.decode(errors="replace")
    assert (error.detail, error.field_errors) == (None, {})
    assert str(error) == f"Merge answered 503 with {HTML_PAGE}"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"plain text", b"{", b'{"detail": "a"} x', b'{"detail":"a","detail":"b"}'),
        *(b'{"detail": "\xff"}', b"\0\0\0", b'{"detail": NaN}', b'["\\ud800"]', b"[" * 300),
        *(b'\xef\xbb\xbf{"detail":"a"}', "grün".encode("utf-16")),
    ],
)
def test_a_body_that_is_not_json_is_text(serve: Serve, body: bytes) -> None:
    error = failure_of(serve(answer(500, body)), errors.ServerError)
    assert error.body == body.decode("utf-8", "replace")
    assert (error.detail, error.field_errors) == (None, {})
    assert str(error) == "Merge answered 500"


@pytest.mark.parametrize("digits", [64, 5000])
def test_numbers_longer_than_others_can_read_are_no_crash(serve: Serve, digits: int) -> None:
    body = b'{"detail":"a","n":' + b"9" * digits + b"}"
    error = failure_of(serve(answer(500, body)), errors.ServerError)
    assert error.body == ({"detail": "a", "n": int("9" * 64)} if digits == 64 else body.decode())


def test_u0000_in_an_error_body_is_kept_in_the_body(serve: Serve) -> None:
    body = {"detail": "a\0b", "detail\0": "c", "f\0g": ["x\0y"]}
    assert failure_of(serve(answer(400, body)), errors.BadRequestError).body == body


@pytest.mark.parametrize(
    ("size", "options", "kept"),
    [
        (100, {}, 100),
        (64 * 1024, {}, 64 * 1024),
        (64 * 1024 + 1, {}, 64 * 1024),
        (3 * MIB, {}, 64 * 1024),
        (100, {"max_response_bytes": 99}, 99),
        (100, {"max_response_bytes": 1}, 1),
    ],
)
def test_an_oversize_error_body_is_cut_and_keeps_its_class(
    serve: Serve, size: int, options: dict[str, Any], kept: int
) -> None:
    error = failure_of(serve(answer(404, b"x" * size)), errors.NotFoundError, **options)
    assert error.body == "x" * kept
    assert error.status_code == 404


def test_a_large_json_body_is_text_but_its_detail_is_read(serve: Serve) -> None:
    body = {"detail": "too much", "pad": "x" * 100_000}
    error = failure_of(serve(answer(400, body)), errors.BadRequestError)
    assert error.detail == "too much"
    assert error.body == json.dumps(body)[: 64 * 1024]


def test_a_long_detail_is_whole_and_its_message_short(serve: Serve) -> None:
    detail = "é🎉" * 1000
    error = failure_of(serve(answer(400, {"detail": detail})), errors.BadRequestError)
    assert error.detail == detail
    assert len(str(error)) < 520
    assert str(error).startswith("Merge answered 400: é🎉é🎉")
    assert str(error).endswith("…")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["Retry-After: 60"], 60.0),
        (["Retry-After: 0"], 0.0),
        (["Retry-After: 1.5"], 1.5),
        (["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT"], 30),
        (["Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"], 0.0),
        ([], None),
        *(([f"Retry-After: {value}"], None) for value in ("", "soon", "-5", "1e3", "1.2.3", ".")),
    ],
)
def test_retry_after_is_in_seconds(serve: Serve, headers: list[str], seconds: float | None) -> None:
    error = failure_of(
        serve(answer(429, {"detail": "Slow down."}, *headers)), errors.RateLimitError
    )
    assert error.retry_after == seconds


# ---- no whole answer ----

OK = b"HTTP/1.1 200 OK\r\n"
BROKEN = {
    "closed at once": (hang_up, {"CURLE_GOT_NOTHING", "CURLE_RECV_ERROR"}),
    "closed in the status line": (hang_up_after(b"HTTP/1."), None),
    "closed in the headers": (hang_up_after(OK + b"Content-Le"), None),
    "closed before the body": (
        hang_up_after(OK + b"Content-Length: 10\r\n\r\n"),
        {"CURLE_PARTIAL_FILE"},
    ),
    "closed in the body": (hang_up_after(token_answer()[:-5]), {"CURLE_PARTIAL_FILE"}),
    "closed in a chunk": (
        hang_up_after(OK + b"Transfer-Encoding: chunked\r\n\r\n8\r\nabc"),
        {"CURLE_PARTIAL_FILE", "CURLE_RECV_ERROR"},
    ),
    "garbage": (hang_up_after(b"\x15\x03\x01\x00\x02\x02\x46" * 9), None),
    "an HTTP/0.9 answer": (hang_up_after(b'{"link_token": "x"}'), None),
    "a status line of nonsense": (hang_up_after(b"HTTP/1.1 abc\r\n\r\n"), None),
    "a bad chunk": (
        hang_up_after(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        None,
    ),
    "a bad length": (hang_up_after(OK + b"Content-Length: -1\r\n\r\n"), None),
    "endless headers": (hang_up_after(OK + b"X-A: " + b"x" * 200_000 + b"\r\n\r\n"), None),
    "very many headers": (hang_up_after(OK + b"X-A: xxxxxxxx\r\n" * 20_000 + b"\r\n"), None),
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_answer_that_breaks_off_is_a_transport_error(serve: Serve, how: str) -> None:
    script, codes = BROKEN[how]
    server = serve(script)
    error = failure_of(server, errors.TransportError)
    assert type(error) is errors.TransportError
    assert error.code.startswith("CURLE_")
    assert codes is None or error.code in codes
    assert error.attempts == len(server.requests) == 1
    assert error.may_have_arrived
    assert str(error)
    assert isinstance(error, ConnectionError)


def test_a_refused_connection_cannot_have_arrived(serve: Serve) -> None:
    server = serve()
    server.close()
    error = failure_of(server, errors.TransportError)
    assert type(error) is errors.TransportError
    assert error.code == "CURLE_COULDNT_CONNECT"
    assert (error.attempts, error.may_have_arrived) == (1, False)
    assert str(error) == (
        f"cannot connect to 127.0.0.1:{server.port}: Connection refused\n"
        "Nothing listens at that port: does what should answer there run?"
    )


@pytest.mark.parametrize(
    "script",
    [stay_silent, stay_silent_after(OK), stay_silent_after(token_answer()[:-1])],
    ids=["before the answer", "in the headers", "in the body"],
)
@pytest.mark.parametrize("by", ["client", "call"])
def test_a_stalled_answer_is_a_timeout(serve: Serve, script: Any, by: str) -> None:
    server = serve(script)
    began = time.monotonic()
    with server.client(**({"timeout": 0.3} if by == "client" else {})) as client:
        with pytest.raises(errors.RequestTimeoutError) as caught:
            client.create_link_token(**FIELDS, **({"timeout": 0.3} if by == "call" else {}))
        assert 0.25 < time.monotonic() - began < 5
    error = caught.value
    assert isinstance(error, TimeoutError)
    assert error.code == "CURLE_OPERATION_TIMEDOUT"
    assert (error.attempts, error.may_have_arrived) == (1, True)


def test_a_stalled_connect_ends_by_connect_timeout(serve: Serve) -> None:
    """A TLS handshake that nobody answers is part of connecting."""
    server = serve(stay_silent)
    url = server.base_url.replace("http:", "https:")
    error = failure_of(server, errors.RequestTimeoutError, base_url=url, connect_timeout=0.3)
    assert (error.attempts, error.may_have_arrived) == (1, False)


def test_waiting_for_a_free_connection_is_a_timeout_too(serve: Serve) -> None:
    server = serve(stay_silent)
    with server.client(max_connections=1) as client:

        def occupy() -> None:
            with pytest.raises(errors.ClientClosedError):
                client.create_link_token(**FIELDS)

        thread = threading.Thread(target=occupy)
        thread.start()
        server.wait_for_requests(1)
        with pytest.raises(errors.RequestTimeoutError, match="max_connections") as caught:
            client.create_link_token(**FIELDS, timeout=0.3)
        client.close()
        thread.join()
    assert (caught.value.attempts, caught.value.may_have_arrived) == (0, False)
    assert len(server.requests) == 1


# ---- answers that are not what the API promises ----

NOT_JSON = "the answer (status 200) is not JSON"
BROKEN_PROMISES = {
    "no content": (answer(204), "status 204 came without a body"),
    "empty": (answer(200), "status 200 came without a body"),
    "HTML": (answer(200, HTML), f"{NOT_JSON} but {HTML_PAGE}"),
    "text": (answer(200, b"hello"), f"{NOT_JSON}: at byte 0: expected a value"),
    "cut": (answer(200, b'{"link_token":"abc"'), f"{NOT_JSON}: at byte 19: "),
    "two members": (answer(200, b'{"link_token":"a","link_token":"b"}'), f"{NOT_JSON}: at byte 0:"),
    "BOM": (answer(200, b'\xef\xbb\xbf{"link_token":"a"}'), f"{NOT_JSON}: at byte 0:"),
    "{}": (answer(200, {}), "the answer has no member link_token"),
    "other case": (answer(200, {"Link_Token": "a"}), "the answer has no member link_token"),
    "[]": (answer(200, []), "the answer must be a JSON object, is an array"),
    "string": (answer(200, TOKEN), "the answer must be a JSON object, is a string"),
    "number": (answer(200, 5), "the answer must be a JSON object, is a number"),
    "null": (answer(200, None), "the answer must be a JSON object, is null"),
    **{
        f"link_token {value!r}": (
            answer(200, {"link_token": value, "magic_link_url": "https://secret.example"}),
            f"member link_token of the answer {said}",
        )
        for value, said in (
            (None, "must be a string, is null"),
            ("", "is empty"),
            (5, "must be a string, is a number"),
            (True, "must be a string, is a boolean"),
            (["zq9"], "must be a string, is an array"),
            ({"zq9": 1}, "must be a string, is an object"),
            ("zq9\0", "holds NUL"),
        )
    },
    "magic_link_url number": (
        token_answer(magic_link_url=5),
        "member magic_link_url of the answer must be a string, is a number",
    ),
    "integration_name list": (
        answer(200, {"link_token": "zq9", "integration_name": ["zq9"]}),
        "member integration_name of the answer must be a string, is an array",
    ),
    "huge integer": (
        answer(200, b'{"link_token":"zq9","n":' + b"9" * 5000 + b"}"),
        "the answer holds a value that Python's json module refuses",
    ),
    **{
        f"redirect {status}": (
            answer(status, b"", "Location: http://127.0.0.1:1/zq9"),
            f"status {status} is a redirect, which Merge never sends: it is not followed",
        )
        for status in (301, 302, 303, 307, 308)
    },
}


@pytest.mark.parametrize("what", BROKEN_PROMISES)
def test_an_answer_that_breaks_the_promise_is_a_response_error(serve: Serve, what: str) -> None:
    script, said = BROKEN_PROMISES[what]
    script = script.replace(b"\r\n\r\n", b"\r\nX-Request-Id: r-1\r\n\r\n", 1)
    server = serve(script)
    error = failure_of(server, errors.ResponseError, max_retries=2)
    assert type(error) is errors.ResponseError
    assert str(error).startswith(said)
    assert error.status_code == int(script.split()[1])
    assert error.request_id == "r-1"
    assert error.attempts == len(server.requests) == 1
    everything = f"{error!r} {vars(error)}"
    assert not any(text in everything for text in ("zq9", "secret.example", TOKEN, "nginx"))


@pytest.mark.parametrize(
    ("script", "options"),
    [
        (token_answer(pad="x" * MIB), {}),
        (token_answer(), {"max_response_bytes": 20}),
        (
            answer(
                200,
                gzip.compress(json.dumps({"link_token": TOKEN, "pad": "x" * 9 * MIB}).encode()),
                "Content-Encoding: gzip",
            ),
            {},
        ),
    ],
    ids=["1 MiB", "a limit of 20", "small until decompressed"],
)
def test_an_answer_over_the_limit_is_a_response_error(
    serve: Serve, script: bytes, options: dict[str, Any]
) -> None:
    error = failure_of(serve(script), errors.ResponseError, **options)
    limit = options.get("max_response_bytes", MIB)
    assert str(error) == f"the answer is larger than the limit of {limit} bytes"


def test_an_answer_of_exactly_the_limit_is_taken(serve: Serve) -> None:
    script = token_answer()
    size = len(script.partition(b"\r\n\r\n")[2])
    with serve(script).client(max_response_bytes=size) as client:
        assert client.create_link_token(**FIELDS).link_token == TOKEN


# ---- retries ----

AT_ONCE = "Retry-After: 0"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(serve: Serve, status: int) -> None:
    server = serve(*[answer(status, b"", AT_ONCE)] * 2, token_answer())
    with server.client() as client:
        token = client.create_link_token(**FIELDS)
    assert token.response.attempts == len(server.requests) == 3
    assert server.connections == 1
    assert len(set(server.requests)) == 1


@pytest.mark.parametrize("status", sorted(BY_STATUS.keys() - {408, 429, 500, 502, 503, 504}))
def test_lasting_failures_are_not_tried_again(serve: Serve, status: int) -> None:
    server = serve(answer(status, b"", AT_ONCE))
    error = failure_of(server, errors.APIError, max_retries=5)
    assert error.attempts == len(server.requests) == 1


@pytest.mark.parametrize("script", [hang_up, hang_up_after(token_answer()[:-3])])
def test_a_broken_connection_is_tried_again(serve: Serve, script: Any) -> None:
    server = serve(script, token_answer())
    with server.client() as client:
        token = client.create_link_token(**FIELDS)
    assert token.response.attempts == len(server.requests) == 2


def test_a_kept_connection_that_dies_is_replaced(serve: Serve) -> None:
    server = serve(token_answer(), hang_up, token_answer())
    with server.client() as client:
        first = client.create_link_token(**FIELDS)
        second = client.create_link_token(**FIELDS)
    assert first.response.attempts == 1
    assert second.response.attempts == 2
    assert (len(server.requests), server.connections) == (3, 2)


@pytest.mark.parametrize("retries", [0, 1, 3])
@pytest.mark.parametrize("by", ["client", "call"])
def test_after_max_retries_the_last_failure_is_raised(serve: Serve, retries: int, by: str) -> None:
    last = answer(503, {"detail": "last"})
    server = serve(*[answer(500, {"detail": "first"}, AT_ONCE)] * retries, last)
    own = {"max_retries": retries}
    with (
        server.client(**(own if by == "client" else {})) as client,
        pytest.raises(errors.ServerError) as caught,
    ):
        client.create_link_token(**FIELDS, **(own if by == "call" else {}))
    assert caught.value.detail == "last"
    assert caught.value.attempts == len(server.requests) == retries + 1


@pytest.mark.parametrize(
    "header", ["Retry-After: 60", "Retry-After: Fri, 31 Dec 2999 23:59:59 GMT"]
)
def test_retry_after_longer_than_the_timeout_raises_at_once(serve: Serve, header: str) -> None:
    server = serve(answer(429, {"detail": "Slow down."}, header))
    began = time.monotonic()
    error = failure_of(server, errors.RateLimitError, max_retries=5, timeout=10)
    assert time.monotonic() - began < 5
    assert error.attempts == len(server.requests) == 1
    assert error.retry_after >= 60


def test_retry_after_that_fits_is_waited_for(serve: Serve) -> None:
    server = serve(answer(429, b"", "Retry-After: 1"), token_answer())
    began = time.monotonic()
    with server.client() as client:
        client.create_link_token(**FIELDS)
    assert 1 <= time.monotonic() - began < 5


def test_the_timeout_counts_for_all_attempts_together(serve: Serve) -> None:
    server = serve(*[answer(503, b"", AT_ONCE)] * 3, stay_silent)
    began = time.monotonic()
    error = failure_of(server, errors.RequestTimeoutError, max_retries=100, timeout=0.5)
    assert time.monotonic() - began < 5
    assert error.attempts == len(server.requests) == 4


# ---- closed clients ----


def test_a_closed_client_refuses_calls(serve: Serve) -> None:
    server = serve()
    client = server.client()
    client.create_link_token(**FIELDS)
    client.close()
    with pytest.raises(errors.ClientClosedError, match="the client is closed") as caught:
        client.create_link_token(**FIELDS)
    assert isinstance(caught.value, RuntimeError)
    assert len(server.requests) == 1


# ---- nothing of a secret ----


def in_json(said: bytes) -> bytes:
    return json.dumps({"detail": said.decode(), "f": {"g": [said.decode()]}}).encode()


def escaped(hexadecimal: str) -> Callable[[bytes], bytes]:
    """Write each character, or each other one, as a JSON escape."""

    def encode(said: bytes) -> bytes:
        text = "".join(
            f"\\u{ord(c):04{hexadecimal}}" if i % 2 == 0 or hexadecimal == "x" else c
            for i, c in enumerate(said.decode())
            if c >= " "
        ).replace('"', "'")
        return f'{{"detail": "{text}", "list": ["{text}"]}}'.encode()

    return encode


def unescaped(text: str) -> str:
    r"""Undo escapes like \u0041, however many backslashes repr() has made of one."""
    return re.sub(r"\\+u00([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), text)


ECHOES = {
    "as it came": bytes,
    "as JSON": in_json,
    "every character escaped": escaped("x"),
    "every other one in capitals": escaped("X"),
}


@pytest.mark.parametrize("status", [200, 302, 400, 401, 429, 503])
@pytest.mark.parametrize("how", ECHOES)
@pytest.mark.parametrize("whose", ["client", "call"])
def test_a_server_that_echoes_the_key_gets_it_into_nothing(
    serve: Serve, status: int, how: str, whose: str
) -> None:
    server = serve(echo(status, ECHOES[how]))
    with server.client(api_key=KEY if whose == "client" else "test_unused_key") as client:
        call = {} if whose == "client" else {"api_key": KEY}
        with pytest.raises(errors.MergeLinkError) as caught:
            client.create_link_token(**FIELDS, **call, max_retries=0)
        del call
    assert KEY.encode() in server.requests[0]
    error = caught.value
    facts = vars(error)
    seen = [str(error), repr(error), *map(repr, facts.values())]
    if status >= 400:
        seen += [*error.headers.values(), json.dumps(error.body), str(error.detail)]
        assert "Bearer" in error.headers["X-Echo"] or "escaped" in how or "capitals" in how
    pickled = pickle.dumps(error)
    shown = "".join(
        traceback.TracebackException.from_exception(error, capture_locals=True).format()
    )
    for text in (*seen, pickled.decode("latin-1"), shown):
        assert KEY not in text
        assert KEY not in unescaped(text)
    assert "client = <merge_link.Client" in shown


def test_a_json_body_is_still_json_when_the_key_in_it_is_masked(serve: Serve) -> None:
    error = failure_of(serve(echo(400, in_json)), errors.BadRequestError)
    assert set(error.body) == {"detail", "f"}
    assert f"Authorization: Bearer {'*' * len(KEY)}\r\n" in error.detail
    assert error.field_errors["f.g"] == [error.detail]


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (answer(400, NESTED, "X-Request-Id: r"), errors.BadRequestError),
        (answer(429, b"x", "Retry-After: 5"), errors.RateLimitError),
        (hang_up, errors.TransportError),
        (answer(204), errors.ResponseError),
    ],
)
def test_an_error_of_a_call_can_be_pickled(serve: Serve, script: Any, kind: Any) -> None:
    error = failure_of(serve(script), kind)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        twin = pickle.loads(pickle.dumps(error, protocol))
        assert type(twin) is type(error)
        assert (str(twin), vars(twin)) == (str(error), vars(error))


def test_a_validation_error_can_be_pickled() -> None:
    with pytest.raises(errors.ValidationError) as caught:
        merge_link.create_link_token(api_key=KEY)
    twin = pickle.loads(pickle.dumps(caught.value))
    assert twin.errors == caught.value.errors
    assert len(twin.errors) == 4
