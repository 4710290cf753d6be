"""No error, log line, traceback, warning, repr or pickle ever holds a secret, whatever a server
says."""

import base64
import html
import json
import logging
import os
import pickle
import re
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

import merge_link
from merge_link import Attempt, Client, MergeLinkError
from operations import ACCOUNT, PUBLIC, WEBHOOK_KEY
from samples import FIELDS, KEY, TOKEN
from scripted import Connection, Script, Server, answer, hang_up, stay_silent, token_answer

Serve = Callable[..., Server]

# Module globals, for a traceback shows locals. Nothing below keeps one of these in a local variable
# of a frame that an error could come through.
ODD_KEY = 'test_"qu\\ote"/sl/ash'
USER = "user_31415926"
PASSWORD = "pa@ss/word:27182818"
LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
PROXY_USER = f"{USER}:pa%40ss%2Fword%3A27182818"
MAGIC = "https://link.merge.dev/MagicMagicMagic1234"

SECRETS = (KEY, ODD_KEY, ACCOUNT, PASSWORD, LOGIN, PROXY_USER, TOKEN, MAGIC, PUBLIC, WEBHOOK_KEY)


# ---- looking for them ----


def unescaped(text: str) -> str:
    r"""Undo JSON's and repr()'s escapes, however many times over."""
    text = re.sub(r"\\+u00([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), text)
    return re.sub(r"\\+(.)", r"\1", text)


def assert_none_in(what: str, text: str) -> None:
    """Find no secret, as it is or in any way to write it in JSON or HTML."""
    for form in (text, unescaped(text), html.unescape(text), unescaped(html.unescape(text))):
        for secret in SECRETS:
            for spelt in (secret, unescaped(secret)):
                assert spelt not in form, f"{what}: {text}"


def texts_of_error(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield all that can be seen of an error."""
    yield "str", str(error)
    yield "repr", repr(error)
    yield "args", repr(error.args)
    for name in dir(error):
        if name not in ("__doc__", "__init__", "__traceback__"):
            yield name, repr(getattr(error, name, None))
    for name, value in vars(error).items():
        yield name, str(value)
    if isinstance(error, merge_link.APIError):
        yield "headers", str(dict(error.headers))
        yield "body", json.dumps(error.body)
        yield "field errors", json.dumps(error.field_errors)
    if isinstance(error, MergeLinkError):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            yield f"pickle {protocol}", pickle.dumps(error, protocol).decode("latin-1")
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    yield "traceback", "".join(told.format())
    for other in (error.__cause__, error.__context__):
        if other is not None:
            yield from texts_of_error(other)


class Watch:
    """Collects the attempts, log lines and warnings of a situation."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.attempts: list[Attempt] = []
        self.caplog = caplog
        caplog.set_level(logging.DEBUG)

    def texts(self) -> Iterator[tuple[str, str]]:
        for attempt in self.attempts:
            yield "attempt", f"{attempt!r} {vars(attempt)} {attempt.to_dict()}"
            yield "pickled attempt", pickle.dumps(attempt, 0).decode("latin-1")
        yield "log", self.caplog.text
        for record in self.caplog.records:
            yield "log record", repr(vars(record))


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture) -> Watch:
    return Watch(caplog)


def error_of(action: Callable[[], object]) -> BaseException:
    """Return what the action raises; its traceback has this frame, which holds no secret."""
    try:
        action()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def assert_clean(watch: Watch, action: Callable[[], object], kind: type[Exception]) -> Any:
    """Return the error of the action, in which no secret is."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        error = error_of(action)
    assert isinstance(error, kind), repr(error)
    for what, text in (*texts_of_error(error), *watch.texts()):
        assert_none_in(what, text)
    assert_none_in("warnings", str([str(one.message) for one in warned]))
    return error


# ---- servers that say back what they got ----


def as_json(said: str) -> bytes:
    return json.dumps(
        {"detail": said, "list": [said, {"x": said}], said: [said], "deep": {said: {"a": [said]}}}
    ).encode()


def escape_all(form: str, every: int) -> Callable[[str], bytes]:
    """Write every nth character as an escape, in the given form of hexadecimal digits."""

    def encode(said: str) -> bytes:
        text = "".join(
            f"\\u{ord(c):04{form}}" if i % every == 0 or c in '"\\' or c < " " else c
            for i, c in enumerate(said)
        )
        return f'{{"detail": "{text}", "list": ["{text}"], "{text}": ["{text}"]}}'.encode()

    return encode


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "as it came": str.encode,
    "in JSON": as_json,
    "in JSON, slashes escaped": lambda said: as_json(said).replace(b"/", b"\\/"),
    "in JSON, all escaped": escape_all("x", 1),
    "in JSON, some escaped": escape_all("X", 3),
    "in JSON in JSON": lambda said: json.dumps({"detail": json.dumps({"a": said})}).encode(),
    "in HTML": lambda said: b"<!DOCTYPE html><pre>" + said.encode() + b"</pre>",
    "in the title of a page": lambda said: b"<html><title>" + said.encode() + b"</title></html>",
    "in broken JSON": lambda said: as_json(said)[:-3],
    "at the end of what is shown": lambda said: b"x" * (64 * 1024 - len(KEY) // 2) + said.encode(),
}


def echo_all(
    status: int, encode: Callable[[str], bytes] = str.encode, also: str = ACCOUNT
) -> Script:
    """Say the request back in the reason, in headers of all kinds and in the body; and a secret of
    the client that this request did not bring."""

    def script(connection: Connection, request: bytes) -> None:
        # Without the body and its JSON: braces and quotes are no help.
        said = request.decode().partition("\r\n\r\n")[0] + f" {also} "
        line = " ".join(said.split())
        body = encode(said)
        head = [
            f"HTTP/1.1 {status} {line}",
            f"Content-Length: {len(body)}",
            *(f"{name}: {line}" for name in ("X-Request-Id", "Server", "Set-Cookie", "Location")),
            *(f"{name}: {line}" for name in ("WWW-Authenticate", "Date", "Retry-After", "X-A")),
            f"{line.replace(':', '')}: x",
            f"X-B: {as_json(line).decode()}",
            f"X-C: {escape_all('x', 2)(line).decode()}",
        ]
        connection.send("\r\n".join([*head, "", ""]).encode() + body)

    return script


class Unseen(dict[str, Any]):
    """Options that a traceback may come across: this test's own frames are not what is tested."""

    def __repr__(self) -> str:
        return "unseen"


def client_of(server: Server, watch: Watch, /, **options: Any) -> Client:
    options = Unseen(options)
    return Client(
        **{
            "base_url": server.base_url,
            "api_key": KEY,
            "account_token": ACCOUNT,
            "max_retries": 0,
            "on_attempt": watch.attempts.append,
            **options,
        }
    )


STATUSES = {
    200: merge_link.ResponseError,
    307: merge_link.ResponseError,
    400: merge_link.BadRequestError,
    401: merge_link.AuthenticationError,
    418: merge_link.APIError,
    429: merge_link.RateLimitError,
    503: merge_link.ServerError,
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("how", ENCODINGS)
def test_an_echo_gets_a_secret_into_nothing(
    serve: Serve, watch: Watch, status: int, how: str
) -> None:
    server = serve(echo_all(status, ENCODINGS[how]))
    with client_of(server, watch) as client:
        error = assert_clean(watch, lambda: client.create_link_token(**FIELDS), STATUSES[status])
    assert KEY.encode() in server.requests[0]
    assert error.request_id.startswith("POST /api/ats/v1/link-token")
    assert "Bearer ****" in error.request_id
    assert len(watch.attempts) == 1
    assert len(watch.caplog.records) == 2


@pytest.mark.parametrize("how", [how for how in ENCODINGS if how != "in JSON in JSON"])
def test_a_key_of_odd_characters_is_found_too(serve: Serve, watch: Watch, how: str) -> None:
    server = serve(echo_all(400, ENCODINGS[how]))
    with client_of(server, watch, api_key=ODD_KEY) as client:
        assert_clean(watch, lambda: client.create_link_token(**FIELDS), merge_link.BadRequestError)
    assert ODD_KEY.encode() in server.requests[0]


@pytest.mark.parametrize("cap", [30, 60, 90, 100, 110, 120, 150, 200, 250, 300])
def test_a_secret_that_the_size_limit_cuts_is_masked(serve: Serve, watch: Watch, cap: int) -> None:
    server = serve(answer(400, f"{KEY} {ACCOUNT} {KEY}, ".encode() * 5))
    with client_of(server, watch, max_response_bytes=cap) as client:
        error = assert_clean(
            watch, lambda: client.create_link_token(**FIELDS), merge_link.BadRequestError
        )
    assert len(error.body) == cap
    for secret in (KEY, ACCOUNT):
        assert secret[:6] not in error.body


def test_a_secret_that_comes_in_small_chunks_is_masked(serve: Serve, watch: Watch) -> None:
    body = as_json(f"{KEY} {ACCOUNT}")
    pieces = [body[i : i + 5] for i in range(0, len(body), 5)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    server = serve(b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    with client_of(server, watch) as client:
        error = assert_clean(
            watch, lambda: client.create_link_token(**FIELDS), merge_link.PermissionDeniedError
        )
    assert error.detail == "*" * len(KEY) + " " + "*" * len(ACCOUNT)


@pytest.mark.parametrize("status", [400, 503])
def test_the_key_of_a_single_call_is_kept_as_well(serve: Serve, watch: Watch, status: int) -> None:
    server = serve(echo_all(status, as_json))
    with client_of(server, watch, api_key="test_of_the_client") as client:
        assert_clean(
            watch, lambda: client.create_link_token(**FIELDS, api_key=KEY), STATUSES[status]
        )


def test_the_key_of_the_environment_is_kept_as_well(
    serve: Serve, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(echo_all(400, as_json))
    monkeypatch.setenv("MERGE_API_KEY", KEY)
    monkeypatch.setenv("MERGE_BASE_URL", server.base_url)
    assert_clean(
        watch,
        lambda: merge_link.create_link_token(
            **FIELDS, account_token=ACCOUNT, on_attempt=watch.attempts.append
        ),
        merge_link.BadRequestError,
    )
    assert len(watch.attempts) == 1


def test_retries_warn_without_secrets(serve: Serve, watch: Watch) -> None:
    def at_once(connection: Connection, request: bytes) -> None:
        said = f"HTTP/1.1 503 {KEY}\r\nX-Request-Id: {KEY}\r\nRetry-After: 0\r\n"
        connection.send(f"{said}Content-Length: {len(KEY)}\r\n\r\n{KEY}".encode())

    server = serve(at_once, at_once, echo_all(503, as_json))
    with client_of(server, watch, max_retries=2) as client:
        assert_clean(watch, lambda: client.create_link_token(**FIELDS), merge_link.ServerError)
    assert len(watch.attempts) == 3
    assert "WARNING" in watch.caplog.text


def test_a_hook_that_raises_is_logged_without_secrets(serve: Serve, watch: Watch) -> None:
    def hook(attempt: Attempt) -> NoReturn:
        raise ValueError(f"cannot count {attempt}")

    server = serve(echo_all(400, as_json))
    with client_of(server, watch, on_attempt=hook) as client:
        assert_clean(watch, lambda: client.create_link_token(**FIELDS), merge_link.BadRequestError)
    assert "cannot count Attempt(" in watch.caplog.text


@pytest.mark.parametrize("status", [200, 404, 503])
def test_a_key_in_the_path_of_the_base_url_is_masked(
    serve: Serve, watch: Watch, status: int
) -> None:
    """Of a gateway, for instance. (`Client.base_url` and repr() of a client show it.)"""
    server = serve(answer(status, b"<p>"))
    url = f"{server.base_url}/{KEY}/api"
    with client_of(server, watch, base_url=url) as client, pytest.raises(MergeLinkError) as caught:
        client.create_link_token(**FIELDS)
    assert KEY.encode() in server.requests[0].partition(b"\r\n")[0]
    notes = " ".join(caught.value.__notes__)
    assert f"{server.base_url}/{'*' * len(KEY)}/api/ats/v1/link-token" in notes
    for what, text in (("error", f"{caught.value} {vars(caught.value)}"), *watch.texts()):
        assert_none_in(what, text)


# ---- errors without an answer ----


def stalled(server: Server, watch: Watch) -> object:
    server.answers = [stay_silent]
    with client_of(server, watch, timeout=0.2) as client:
        return client.create_link_token(**FIELDS)


def hung_up(server: Server, watch: Watch) -> object:
    server.answers = [hang_up]
    with client_of(server, watch) as client:
        return client.create_link_token(**FIELDS)


def garbled(server: Server, watch: Watch) -> object:
    server.answers = [f"HTTP/1.1 {KEY}\r\n{KEY}\r\n\r\n{KEY}".encode()]
    with client_of(server, watch) as client:
        return client.create_link_token(**FIELDS)


def badly_encoded(server: Server, watch: Watch) -> object:
    server.answers = [answer(200, KEY.encode(), f"Content-Encoding: {KEY}")]
    with client_of(server, watch) as client:
        return client.create_link_token(**FIELDS)


def closed(server: Server, watch: Watch) -> object:
    client = client_of(server, watch)
    client.close()
    return client.create_link_token(**FIELDS)


def held_back(server: Server, watch: Watch) -> object:
    server.answers = [echo_all(400, as_json)]
    with client_of(server, watch, error_budget=(1, 60.0)) as client:
        error_of(lambda: client.create_link_token(**FIELDS))
        return client.create_link_token(**FIELDS)


def invalid(server: Server, watch: Watch) -> object:
    with client_of(server, watch) as client:
        return client.create_link_token(categories=["atss"])


def own_authorization(server: Server, watch: Watch) -> object:
    with client_of(server, watch) as client:
        return client.create_link_token(
            **FIELDS, extra_headers={"Authorization": f"Bearer {KEY}", "X-Account-Token": ACCOUNT}
        )


def header_with_a_line_end(server: Server, watch: Watch) -> object:
    with client_of(server, watch) as client:
        return client.create_link_token(**FIELDS, extra_headers={"X-A": f"{KEY}\r\n"})


def header_of_bytes(server: Server, watch: Watch) -> object:
    with client_of(server, watch) as client:
        return client.create_link_token(**FIELDS, extra_headers={"X-A": KEY.encode()})


def field_instead_of_a_list(server: Server, watch: Watch) -> object:
    with client_of(server, watch) as client:
        return client.create_link_token(**{**FIELDS, "categories": KEY, "language": TOKEN})


def positional(server: Server, watch: Watch) -> object:
    with client_of(server, watch) as client:
        return client.create_link_token(KEY)  # type: ignore[misc]


def key_of_bytes(server: Server, watch: Watch) -> object:
    return client_of(server, watch, api_key=KEY.encode())


def key_with_a_line_end(server: Server, watch: Watch) -> object:
    return client_of(server, watch, api_key=KEY + "\n")


def key_with_a_surrogate(server: Server, watch: Watch) -> object:
    return client_of(server, watch, api_key=KEY + "\ud800")


def key_of_a_call_with_nul(server: Server, watch: Watch) -> object:
    with client_of(server, watch) as client:
        return client.create_link_token(**FIELDS, api_key=KEY + "\0")


def key_of_a_call_with_a_surrogate(server: Server, watch: Watch) -> object:
    with client_of(server, watch) as client:
        return client.create_link_token(**FIELDS, api_key=KEY + "\ud800")


def account_token_with_a_space(server: Server, watch: Watch) -> object:
    return client_of(server, watch, account_token=f"{ACCOUNT} ")


def bad_region(server: Server, watch: Watch) -> object:
    return client_of(server, watch, region=KEY, base_url=None)


def bad_budget(server: Server, watch: Watch) -> object:
    return client_of(server, watch, error_budget=(KEY, ACCOUNT))


def password_in_the_base_url(server: Server, watch: Watch) -> object:
    return client_of(server, watch, base_url=f"http://{PROXY_USER}@127.0.0.1/api")


def key_in_the_base_url(server: Server, watch: Watch) -> object:
    return client_of(server, watch, base_url=f"http://127.0.0.1/api?key={KEY}")


def plain_http(server: Server, watch: Watch) -> object:
    return client_of(server, watch, base_url="http://merge.example/api")


def pickled_client(server: Server, watch: Watch) -> object:
    with client_of(server, watch) as client:
        return pickle.dumps(client)


def no_proxy_scheme(server: Server, watch: Watch) -> object:
    with client_of(server, watch, proxy=f"gopher://{PROXY_USER}@127.0.0.1:1") as client:
        return client.create_link_token(**FIELDS)


def no_proxy_url(server: Server, watch: Watch) -> object:
    with client_of(server, watch, proxy=f"http://{PROXY_USER}@[::1:nonsense") as client:
        return client.create_link_token(**FIELDS)


def no_such_proxy(server: Server, watch: Watch) -> object:
    with client_of(server, watch, proxy=f"http://{PROXY_USER}@127.0.0.1:1") as client:
        return client.create_link_token(**FIELDS)


def control_in_the_proxy(server: Server, watch: Watch) -> object:
    return client_of(server, watch, proxy=f"http://{PROXY_USER}\n@127.0.0.1:1")


def wrong_file(server: Server, watch: Watch) -> object:
    return client_of(server, watch, ca_bundle=f"/nowhere/{KEY}")


WITHOUT_ANSWER: list[tuple[Callable[[Server, Watch], object], type[Exception]]] = [
    (stalled, merge_link.RequestTimeoutError),
    (hung_up, merge_link.TransportError),
    (garbled, merge_link.TransportError),
    (badly_encoded, merge_link.TransportError),
    (closed, merge_link.ClientClosedError),
    (held_back, merge_link.ErrorBudgetError),
    (invalid, merge_link.ValidationError),
    (own_authorization, merge_link.ValidationError),
    (header_with_a_line_end, merge_link.ValidationError),
    (header_of_bytes, merge_link.ValidationError),
    (field_instead_of_a_list, merge_link.ValidationError),
    (positional, TypeError),
    (key_of_bytes, merge_link.ConfigurationError),
    (key_with_a_line_end, merge_link.ConfigurationError),
    (key_with_a_surrogate, merge_link.ConfigurationError),
    (key_of_a_call_with_nul, merge_link.ConfigurationError),
    (key_of_a_call_with_a_surrogate, merge_link.ConfigurationError),
    (account_token_with_a_space, merge_link.ConfigurationError),
    (bad_region, merge_link.ConfigurationError),
    (bad_budget, merge_link.ConfigurationError),
    (password_in_the_base_url, merge_link.ConfigurationError),
    (key_in_the_base_url, merge_link.ConfigurationError),
    (plain_http, merge_link.ConfigurationError),
    (pickled_client, TypeError),
    (no_proxy_scheme, merge_link.ConfigurationError),
    (no_proxy_url, merge_link.ConfigurationError),
    (no_such_proxy, merge_link.TransportError),
    (control_in_the_proxy, merge_link.ConfigurationError),
    (wrong_file, merge_link.ConfigurationError),
]


@pytest.mark.parametrize(
    ("situation", "kind"), WITHOUT_ANSWER, ids=[row[0].__name__ for row in WITHOUT_ANSWER]
)
def test_no_error_without_an_answer_holds_a_secret(
    serve: Serve,
    watch: Watch,
    situation: Callable[[Server, Watch], object],
    kind: type[Exception],
) -> None:
    server = serve()
    error = assert_clean(watch, lambda: situation(server, watch), kind)
    assert type(error) is kind


def test_an_untrusted_server_gets_a_secret_into_nothing(serve: Serve, watch: Watch) -> None:
    server = serve(raw=lambda connection: connection.send(f"HTTP/1.1 400 {KEY}\r\n\r\n".encode()))
    url = server.base_url.replace("http:", "https:")
    with client_of(server, watch, base_url=url) as client:
        assert_clean(watch, lambda: client.create_link_token(**FIELDS), merge_link.TLSError)


# ---- proxies ----


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("how", ["as it came", "in JSON", "in JSON, some escaped", "in HTML"])
def test_a_proxy_that_echoes_gets_its_password_into_nothing(
    serve: Serve, watch: Watch, status: int, how: str
) -> None:
    proxy = serve(echo_all(status, ENCODINGS[how]))
    address = f"http://{PROXY_USER}@127.0.0.1:{proxy.port}"
    with client_of(proxy, watch, base_url="http://127.0.0.1:9/api", proxy=address) as client:
        del address
        assert_clean(watch, lambda: client.create_link_token(**FIELDS), STATUSES[status])
    assert f"Proxy-Authorization: Basic {LOGIN}".encode() in proxy.requests[0]


@pytest.mark.parametrize("status", [200, 403, 407, 502])
def test_a_proxy_of_https_that_echoes_gets_its_password_into_nothing(
    serve: Serve, watch: Watch, status: int
) -> None:
    proxy = serve(echo_all(status))
    address = f"{PROXY_USER}@127.0.0.1:{proxy.port}"
    with client_of(proxy, watch, base_url="https://localhost:9/api", proxy=address) as client:
        del address
        assert_clean(watch, lambda: client.create_link_token(**FIELDS), merge_link.TransportError)
    assert f"Proxy-Authorization: Basic {LOGIN}".encode() in proxy.requests[0]
    assert KEY.encode() not in proxy.requests[0]


def test_a_proxy_of_the_environment_is_kept_as_well(
    serve: Serve, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(echo_all(407))
    monkeypatch.setenv("HTTPS_PROXY", f"http://{PROXY_USER}@127.0.0.1:{proxy.port}")
    with client_of(proxy, watch, base_url="https://merge.example/api") as client:
        assert_clean(watch, lambda: client.create_link_token(**FIELDS), merge_link.TransportError)
        assert_none_in("client", all_of(client))
    assert f"Proxy-Authorization: Basic {LOGIN}".encode() in proxy.requests[0]


# ---- results ----


def all_of(value: object) -> str:
    """Return the reprs of an object, its variables and its attributes."""
    names = [name for name in dir(value) if name not in ("__dict__", "__doc__")]
    shown = [f"{name}={getattr(value, name, None)!r}" for name in names]
    return " ".join([repr(value), str(value), f"{value}", ascii(value), *shown])


def test_a_result_shows_no_credential(serve: Serve, watch: Watch) -> None:
    server = serve(token_answer("X-Request-Id: r-1", magic_link_url=MAGIC))
    with client_of(server, watch) as client:
        token = client.create_link_token(**FIELDS)
    assert (token.link_token, token.magic_link_url) == (TOKEN, MAGIC)
    for text in (repr(token), str(token), f"{token}", ascii(token), token._repr_html_()):
        assert_none_in("result", text)
        assert "********" in text
    assert_none_in("list", repr([token, {"a": token}]))
    for what, text in watch.texts():
        assert_none_in(what, text)
    error = assert_clean(watch, lambda: fail_with(token), ZeroDivisionError)
    assert error.__traceback__ is not None


def fail_with(result: object) -> float:
    return 1 / (result is None)


@pytest.mark.parametrize("how", ["in the headers", "in a name"])
def test_the_facts_of_a_good_answer_show_no_key(serve: Serve, watch: Watch, how: str) -> None:
    lines = {
        "in the headers": (f"X-Request-Id: {KEY}", f"Server: {ACCOUNT}"),
        "in a name": (f"{KEY}: a", "X-Request-Id: r"),
    }[how]
    server = serve(token_answer(*lines))
    with client_of(server, watch) as client:
        token = client.create_link_token(**FIELDS)
    assert token.response.request_id in ("r", "*" * len(KEY))
    assert_none_in("response", all_of(token.response))
    assert_none_in("response", token.response._repr_html_())
    assert_none_in("headers", f"{token.response.headers} {dict(token.response.headers)}")
    for what, text in watch.texts():
        assert_none_in(what, text)


BROKEN = {
    "no integration name": {"link_token": TOKEN, "integration_name": 5, "magic_link_url": MAGIC},
    "a list": [TOKEN, MAGIC],
    "just it": TOKEN,
    "in a list": {"link_token": [TOKEN], "magic_link_url": MAGIC},
    "as a name": {TOKEN: MAGIC, MAGIC: TOKEN},
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("cut", [0, 1])
def test_a_broken_answer_is_never_quoted(serve: Serve, watch: Watch, what: str, cut: int) -> None:
    body = json.dumps(BROKEN[what]).encode()
    server = serve(answer(200, body[: len(body) - cut]))
    with client_of(server, watch) as client:
        assert_clean(watch, lambda: client.create_link_token(**FIELDS), merge_link.ResponseError)


# ---- clients ----


def test_a_client_shows_no_secret(
    serve: Serve, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    monkeypatch.setenv("MERGE_API_KEY", KEY)
    monkeypatch.setenv("HTTPS_PROXY", f"http://{PROXY_USER}@127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "nobody.example")
    options = {"base_url": server.base_url, "account_token": ACCOUNT}
    with merge_link.Client(**options) as client:
        client.create_link_token(**FIELDS)
        assert vars(client) == {}
        assert_none_in("client", all_of(client))
        assert_none_in("type", all_of(type(client)))
    assert_none_in("closed client", all_of(client))
    for name in ("api_key", "account_token", "proxy"):
        assert not hasattr(client, name)
    for module in (merge_link, merge_link._core, sys.modules["merge_link._environment"]):
        assert_none_in(module.__name__, repr(vars(module)))


def test_an_uncaught_error_shows_no_secret(serve: Serve) -> None:
    server = serve(echo_all(400, as_json, also=KEY))
    program = (
        "import logging, merge_link, sys, traceback\n"
        "logging.basicConfig(level=logging.DEBUG)\n"
        "def show(*what):\n"
        "    told = traceback.TracebackException(*what, capture_locals=True)\n"
        "    print(*told.format(), file=sys.stderr)\n"
        "sys.excepthook = show\n"
        "client = merge_link.Client()\n"
        f"client.create_link_token(**{FIELDS!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "always", "-c", program],
        env={**os.environ, "MERGE_API_KEY": KEY, "MERGE_BASE_URL": server.base_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "BadRequestError: Merge answered 400: POST /api" in done.stderr
    assert done.stderr.count("DEBUG:merge_link:") == 2
    assert_none_in("stderr", done.stderr)
