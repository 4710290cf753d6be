"""Calls through a proxy: what it sees, and what is said when it is in the way."""

import base64
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest
import trustme

import merge_link
from merge_link import ConfigurationError, RequestTimeoutError, TLSError, TransportError
from proxies import WANTED, Proxy
from samples import FIELDS, KEY, TOKEN
from scripted import (
    Connection,
    Script,
    Server,
    answer,
    hang_up,
    hang_up_after,
    stay_silent,
    token_answer,
)

Serve = Callable[..., Server]
LOGIN = "user:zq9zq9zq9"
ENCODED = base64.b64encode(LOGIN.encode()).decode()
NOT_REACHED = "; Merge was not reached"
TARGET = "https://localhost:9/api"  # nobody is there: it is the proxy that is spoken to


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_pem(ca: trustme.CA) -> bytes:
    return ca.cert_pem.bytes()


@pytest.fixture
def context(ca: trustme.CA) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost", "127.0.0.1", "::1", "merge.example").configure_cert(made)
    return made


@pytest.fixture
def start() -> Iterator[Callable[..., Proxy]]:
    """Start proxies, which close when the test ends."""
    with ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(Proxy(*args, **options))


def failure(**options: Any) -> TransportError:
    """Call once and return the error; no part of it holds the proxy's login."""
    options = {"base_url": TARGET, "api_key": KEY, "max_retries": 0, **options}
    with merge_link.Client(**options) as client, pytest.raises(TransportError) as caught:
        client.create_link_token(**FIELDS)
    error = caught.value
    assert not any(secret in f"{error!r} {vars(error)}" for secret in ("zq9", ENCODED, KEY))
    return error


# ---- ways ----


@pytest.mark.parametrize("to_server", ["http", "https"])
@pytest.mark.parametrize("to_proxy", ["http", "https"])
@pytest.mark.parametrize("login", ["", LOGIN])
def test_a_call_goes_through_the_proxy(
    start: Callable[..., Proxy],
    serve: Serve,
    context: ssl.SSLContext,
    ca_pem: bytes,
    to_server: str,
    to_proxy: str,
    login: str,
) -> None:
    server = serve(tls=context if to_server == "https" else None)
    proxy = start(login=login or None, tls=context if to_proxy == "https" else None)
    with server.client(proxy=proxy.url(login), ca_bundle=ca_pem) as client:
        tokens = [client.create_link_token(**FIELDS) for _ in range(2)]
    assert [token.link_token for token in tokens] == [TOKEN] * 2
    assert len(server.requests) == 2
    first = proxy.requests[0]
    if to_server == "https":
        assert first.startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n".encode())
        assert (len(proxy.requests), proxy.tunnels) == (1, 1)  # the tunnel is kept
        assert not any(word in proxy.received for word in (KEY.encode(), b"acme", TOKEN.encode()))
    else:
        line = f"POST {server.base_url}/ats/v1/link-token HTTP/1.1\r\n"
        assert first.startswith(line.encode())
    assert (f"\r\nProxy-Authorization: Basic {ENCODED}\r\n".encode() in first) == bool(login)
    assert b"Proxy-" not in server.requests[0]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_leads_to_hosts_that_it_alone_can_see(
    start: Callable[..., Proxy],
    serve: Serve,
    context: ssl.SSLContext,
    ca_pem: bytes,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    server, proxy = serve(tls=context), start(login=LOGIN)
    monkeypatch.setenv(variable, proxy.url(LOGIN))
    url = f"https://merge.example:{server.port}/api"
    with server.client(base_url=url, ca_bundle=ca_pem) as client:
        assert client.create_link_token(**FIELDS).link_token == TOKEN
    assert (proxy.tunnels, len(server.requests)) == (1, 1)


def test_a_proxy_of_the_callers_own_wins_over_no_proxy(
    start: Callable[..., Proxy], serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, proxy = serve(), start()
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with server.client(proxy=proxy.url()) as client:
        client.create_link_token(**FIELDS)
    assert len(proxy.requests) == 1


@pytest.mark.parametrize(
    "login",
    [
        "user:a@b",
        "user:a:b",
        "user:a/b?c#d",
        "user:100%",
        "user:%40",
        "user:",
        "a b:ü",
        "CORP\\u:x",
    ],
)
def test_any_login_works_when_it_is_percent_encoded(
    start: Callable[..., Proxy], serve: Serve, login: str
) -> None:
    server, proxy = serve(), start(login=login)
    user, _, password = login.partition(":")
    url = proxy.url(f"{quote(user, safe='')}:{quote(password, safe='')}")
    with server.client(proxy=url) as client:
        assert client.create_link_token(**FIELDS).link_token == TOKEN
    assert len(server.requests) == 1


def test_a_proxy_may_be_named_without_a_scheme_and_by_an_ipv6_address(serve: Serve) -> None:
    server = serve()
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    with Proxy(listener=listener) as proxy:
        for url in (f"[::1]:{proxy.port}", f"HTTP://[::1]:{proxy.port}/"):
            with server.client(proxy=url) as client:
                client.create_link_token(**FIELDS)
        assert len(proxy.requests) == 2
    error = failure(proxy=f"http://{LOGIN}@[::1]:{proxy.port}")
    assert str(error).startswith(f"cannot connect to the proxy [::1]:{proxy.port}: ")


def test_the_port_is_that_of_the_scheme_when_none_is_given() -> None:
    # Nobody listens on that address of loopback.
    assert "the proxy 127.0.0.77:80: " in str(failure(proxy="http://127.0.0.77"))
    assert "the proxy 127.0.0.77:443: " in str(failure(proxy="https://127.0.0.77"))


# ---- a proxy that says no ----

BASIC = 'Proxy-Authenticate: Basic realm="x"'
HOW_TO_LOG_IN = (
    "Give both in the proxy's URL, percent-encoded: http://user:p%40ssword@proxy.example:3128"
)
WAY_PAST = "Its rules may forbid that. A NO_PROXY entry for the host leads past it."
NO_PROXY_AT_ALL = (
    "Is it a proxy? Web servers answer so. A NO_PROXY entry for the host leads past it."
)
IN_REACH = (
    "Is the host's name right, and in the proxy's reach? "
    "A NO_PROXY entry for the host leads past it."
)
REFUSALS: dict[str, tuple[str, Script, str, str, int]] = {
    "no login": ("", WANTED, "wants a login (status 407)", HOW_TO_LOG_IN, 1),
    "wrong login": (
        *(LOGIN + "@", WANTED, "refuses the user name or password (status 407)"),
        *(HOW_TO_LOG_IN, 1),
    ),
    "another kind of login": (
        LOGIN + "@",
        answer(407, b"", "Proxy-Authenticate: Negotiate", "Proxy-Authenticate: NTLM"),
        "wants a login by another method than Basic, which alone is supported (status 407)",
        "A helper on this machine, such as px or cntlm, can log in there in your place.",
        1,
    ),
    "forbidden": ("", answer(403), "does not connect to localhost:9 (status 403)", WAY_PAST, 1),
    "no such method": (
        "",
        answer(405),
        "does not know CONNECT, which leads to https (status 405)",
        NO_PROXY_AT_ALL,
        1,
    ),
    "not implemented": (
        "",
        answer(501),
        "does not know CONNECT, which leads to https (status 501)",
        NO_PROXY_AT_ALL,
        1,
    ),
    "no gateway": ("", answer(502), "could not connect to localhost:9 (status 502)", IN_REACH, 2),
    "slow gateway": ("", answer(504), "could not connect to localhost:9 (status 504)", IN_REACH, 2),
}


@pytest.mark.parametrize("what", REFUSALS)
@pytest.mark.parametrize("to_proxy", ["http", "https"])
def test_a_proxy_that_refuses_is_named_and_asked_again_only_if_that_may_help(
    serve: Serve, context: ssl.SSLContext, ca_pem: bytes, what: str, to_proxy: str
) -> None:
    login, script, said, advice, requests = REFUSALS[what]
    proxy = serve(script, tls=context if to_proxy == "https" else None)
    url = f"{to_proxy}://{login}127.0.0.1:{proxy.port}"
    error = failure(proxy=url, max_retries=1, ca_bundle=ca_pem)
    assert type(error) is TransportError
    text = f"the proxy 127.0.0.1:{proxy.port} {said}{NOT_REACHED}"
    text += f" ({requests} attempts)" if requests > 1 else ""
    assert str(error) == "\n".join(filter(None, (text, advice)))
    assert error.code in ("CURLE_RECV_ERROR", "CURLE_COULDNT_CONNECT")
    assert (error.attempts, error.may_have_arrived) == (requests, False)
    assert [request[:8] for request in proxy.requests] == [b"CONNECT "] * requests
    assert KEY.encode() not in proxy.received


@pytest.mark.parametrize("login", ["", LOGIN + "@"])
def test_a_407_of_a_plain_request_is_no_answer_of_merges_either(serve: Serve, login: str) -> None:
    proxy = serve(WANTED)
    url = f"http://{login}127.0.0.1:{proxy.port}"
    error = failure(proxy=url, base_url="http://localhost:9/api", max_retries=2)
    verb = "refuses the user name or password" if login else "wants a login"
    said = f"the proxy 127.0.0.1:{proxy.port} {verb} (status 407){NOT_REACHED}"
    assert str(error).startswith(said)
    assert (error.attempts, error.may_have_arrived) == (1, False)


def test_a_407_without_a_proxy_is_the_servers(serve: Serve) -> None:
    with serve(WANTED).client() as client, pytest.raises(merge_link.APIError) as caught:
        client.create_link_token(**FIELDS)
    assert caught.value.status_code == 407


def test_a_407_inside_of_the_tunnel_is_the_servers(
    start: Callable[..., Proxy], serve: Serve, context: ssl.SSLContext, ca_pem: bytes
) -> None:
    server, proxy = serve(WANTED, tls=context), start()
    client = server.client(proxy=proxy.url(), ca_bundle=ca_pem)
    with client, pytest.raises(merge_link.APIError) as caught:
        client.create_link_token(**FIELDS)
    assert caught.value.status_code == 407


def test_a_refusing_proxy_does_not_use_up_the_error_budget(serve: Serve) -> None:
    """Merge never saw the calls, so it does not count them."""
    proxy = serve(WANTED)
    url = f"http://127.0.0.1:{proxy.port}"
    options = {"base_url": TARGET, "api_key": KEY, "proxy": url, "error_budget": (1, 60.0)}
    with merge_link.Client(**options) as client:
        for _ in range(3):
            with pytest.raises(TransportError, match="wants a login"):
                client.create_link_token(**FIELDS)


# ---- a proxy that is not there, or not for long ----

SLOW = "If it is only slow: timeout= is for the whole call, retries and waits included."
WHICH = "The proxy is that of proxy=, else of HTTPS_PROXY or ALL_PROXY in the environment."


def test_a_proxy_that_is_down_is_named() -> None:
    error = failure(proxy=f"http://{LOGIN}@127.0.0.1:1")
    assert str(error) == (
        f"cannot connect to the proxy 127.0.0.1:1: Connection refused{NOT_REACHED}\n{WHICH}"
    )
    assert (error.code, error.may_have_arrived) == ("CURLE_COULDNT_CONNECT", False)


@pytest.mark.parametrize("login", ["", f"{LOGIN}@"])
@pytest.mark.parametrize("way", ["option", "environment"])
def test_a_proxy_without_a_scheme_is_named_too(
    monkeypatch: pytest.MonkeyPatch, way: str, login: str
) -> None:
    """Host and port are no secret, also where they are all that was given."""
    url = f"{login}127.0.0.1:1"
    options = {"proxy": url} if way == "option" else {"base_url": "https://api.example/api"}
    if way == "environment":
        monkeypatch.setenv("HTTPS_PROXY", url)
    assert str(failure(**options)).startswith("cannot connect to the proxy 127.0.0.1:1: ")


def test_a_proxy_whose_name_is_unknown_is_named() -> None:
    error = failure(proxy=f"http://{LOGIN}@No-Such-Proxy.invalid:3128")
    assert str(error) == (
        f"the host name of the proxy no-such-proxy.invalid:3128 cannot be resolved{NOT_REACHED}\n"
        f"{WHICH}"
    )
    assert (error.code, error.may_have_arrived) == ("CURLE_COULDNT_RESOLVE_PROXY", False)


def test_a_proxy_that_closes_is_named(serve: Serve) -> None:
    proxy = serve(hang_up)
    error = failure(proxy=f"http://{LOGIN}@127.0.0.1:{proxy.port}")
    assert str(error).startswith(f"the exchange with the proxy 127.0.0.1:{proxy.port} failed: ")
    assert str(error).endswith(NOT_REACHED)
    assert not error.may_have_arrived


def test_a_proxy_that_closes_after_a_plain_request_may_have_passed_it_on(serve: Serve) -> None:
    proxy = serve(hang_up)
    url = f"http://{LOGIN}@127.0.0.1:{proxy.port}"
    error = failure(proxy=url, base_url="http://localhost:9/api")
    assert str(error).startswith(f"the exchange with the proxy 127.0.0.1:{proxy.port} failed: ")
    assert NOT_REACHED not in str(error)
    assert error.may_have_arrived


def test_a_silent_proxy_is_named_with_the_limit(serve: Serve) -> None:
    proxy = serve(stay_silent)
    url = f"http://{LOGIN}@127.0.0.1:{proxy.port}"
    who = f"the proxy 127.0.0.1:{proxy.port}"
    waiting = f"timed out while waiting to be let through by {who}: the "
    error = failure(proxy=url, timeout=0.3)
    assert isinstance(error, RequestTimeoutError)
    assert str(error) == f"{waiting}timeout of 0.3 seconds is over{NOT_REACHED}\n{WHICH}"
    error = failure(proxy=url, connect_timeout=0.3)
    assert str(error) == (f"{waiting}connect_timeout of 0.3 seconds is over{NOT_REACHED}\n{WHICH}")
    error = failure(proxy=url, timeout=0.3, base_url="http://localhost:9/api")
    assert str(error) == (
        f"timed out while waiting for the answer of {who}: the timeout of 0.3 seconds is over"
        f"\n{SLOW}"
    )
    assert error.may_have_arrived


def test_a_proxy_of_https_that_does_not_speak_tls_may_be_one_of_http(serve: Serve) -> None:
    proxy = serve(raw=lambda connection: connection.wait_for_end())
    error = failure(proxy=f"https://{LOGIN}@127.0.0.1:{proxy.port}", timeout=0.3)
    assert str(error) == (
        f"timed out in the TLS handshake with the proxy 127.0.0.1:{proxy.port}: the timeout of 0.3 "
        f"seconds is over{NOT_REACHED}\nIs the proxy one of http://? Most are, also for https://."
    )


def test_a_server_behind_a_proxy_is_named_with_it(
    start: Callable[..., Proxy], serve: Serve, context: ssl.SSLContext, ca_pem: bytes
) -> None:
    proxy = start()
    silent, closing = serve(stay_silent, tls=context), serve(hang_up, tls=context)
    options = {"proxy": proxy.url(), "ca_bundle": ca_pem}
    error = failure(base_url=silent.base_url, timeout=0.5, **options)
    assert str(error) == (
        f"timed out while waiting for the answer of 127.0.0.1:{silent.port} (through the proxy "
        f"127.0.0.1:{proxy.port}): the timeout of 0.5 seconds is over\n{SLOW}"
    )
    assert error.may_have_arrived
    error = failure(base_url=closing.base_url, **options)
    assert str(error).startswith(
        f"the exchange with 127.0.0.1:{closing.port} (through the proxy 127.0.0.1:{proxy.port})"
        " failed: "
    )
    error = failure(base_url=silent.base_url, proxy=proxy.url())
    assert isinstance(error, TLSError)
    assert f"the certificate of 127.0.0.1:{silent.port} (through the proxy " in str(error)


@pytest.mark.parametrize("how", ["between the calls", "during the call"])
@pytest.mark.parametrize("then", ["refuses", "is down"])
def test_a_proxy_that_let_through_once_is_named_when_it_does_not_any_more(
    start: Callable[..., Proxy],
    serve: Serve,
    context: ssl.SSLContext,
    ca_pem: bytes,
    how: str,
    then: str,
) -> None:
    """The connection breaks, and what the proxy said to the first CONNECT is long past.

    When it breaks under the request, libcurl itself connects again to send it once more.
    """
    first = token_answer() if how == "during the call" else hang_up_after(token_answer())
    proxy = start()

    def break_off(connection: Connection, request: bytes) -> None:
        if then == "is down":
            proxy.stop_listening()
        connection.close()

    server = serve(first, break_off, tls=context)
    with server.client(proxy=proxy.url(), ca_bundle=ca_pem, max_retries=0) as client:
        client.create_link_token(**FIELDS)
        proxy.login = LOGIN
        if then == "is down" and how == "between the calls":
            proxy.stop_listening()
        with pytest.raises(TransportError) as caught:
            client.create_link_token(**FIELDS)
    said = {"refuses": "{} wants a login (status 407)", "is down": "cannot connect to {}: "}[then]
    message = str(caught.value)
    assert message.startswith(said.format(f"the proxy 127.0.0.1:{proxy.port}"))
    # Newer versions of libcurl do not always notice between the calls that the connection is gone.
    sent = how == "during the call" or caught.value.may_have_arrived
    assert (NOT_REACHED in message) != sent
    assert caught.value.may_have_arrived == sent


# ---- TLS with the proxy ----


def test_a_proxy_of_https_that_is_not_trusted_is_named_and_told_nothing(
    start: Callable[..., Proxy], context: ssl.SSLContext
) -> None:
    proxy = start(tls=context)
    other = trustme.CA().cert_pem.bytes()
    error = failure(proxy=proxy.url(LOGIN), ca_bundle=other)
    assert isinstance(error, TLSError)
    assert str(error).startswith(f"the certificate of the proxy 127.0.0.1:{proxy.port} was issued")
    assert (proxy.requests, proxy.received) == ([], b"")


def test_a_proxy_of_https_with_a_certificate_for_others_is_named(
    start: Callable[..., Proxy], ca: trustme.CA, ca_pem: bytes
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("a.example", "*.b.example", "10.1.2.3").configure_cert(context)
    proxy = start(tls=context)
    error = failure(proxy=proxy.url(LOGIN, host="localhost"), ca_bundle=ca_pem)
    assert str(error) == (
        f"the proxy localhost:{proxy.port} showed a certificate for a.example, *.b.example, "
        f"10.1.2.3, not for localhost{NOT_REACHED}\n{WHICH}"
    )
    assert (proxy.requests, proxy.received) == ([], b"")


def test_https_to_a_proxy_of_http_says_so(start: Callable[..., Proxy]) -> None:
    proxy = start()
    error = failure(proxy=proxy.url(LOGIN).replace("http://", "https://"))
    assert isinstance(error, TransportError)
    assert f"the proxy 127.0.0.1:{proxy.port}" in str(error)
    assert ENCODED.encode() not in proxy.received


# ---- proxies that cannot be ----


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4", "SOCKS5"])
@pytest.mark.parametrize("variable", [None, "ALL_PROXY"])
def test_socks_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, scheme: str, variable: str | None
) -> None:
    url = f"{scheme}://{LOGIN}@127.0.0.1:1080"
    if variable is not None:
        monkeypatch.setenv(variable, url)
    with pytest.raises(ConfigurationError) as caught:
        merge_link.Client(api_key=KEY, proxy=url if variable is None else None)
    assert str(caught.value) == (
        "proxy is a SOCKS proxy, which is not supported: only http:// and https:// are (where "
        'proxy is not given, HTTPS_PROXY and ALL_PROXY say; proxy="" is none)'
    )


def test_a_zone_id_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="proxy must not hold a zone id"):
        merge_link.Client(api_key=KEY, proxy="http://[fe80::1%25eth0]:3128")
