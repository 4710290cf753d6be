"""Names and addresses: IPv6, dead ones beside live ones, and what is said when none answers."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

import merge_link
from conftest import Tls
from isolation import run_script
from merge_link import ConfigurationError, RequestTimeoutError, TransportError, _core
from samples import FIELDS, KEY, TOKEN
from scripted import PATIENCE, Server, stay_silent, stay_silent_after

Serve = Callable[..., Server]
FAMILIES = {"127.0.0.1": socket.AF_INET, "::1": socket.AF_INET6}
LISTENERS = {address: f"[{address}]" if ":" in address else address for address in FAMILIES}


def listen(address: str, port: int = 0, backlog: int = 128) -> socket.socket:
    return socket.create_server((address, port), family=FAMILIES[address], backlog=backlog)


def failure(base_url: str, **options: Any) -> TransportError:
    with (
        merge_link.Client(base_url=base_url, api_key=KEY, max_retries=0, **options) as client,
        pytest.raises(TransportError) as caught,
    ):
        client.create_link_token(**FIELDS)
    return caught.value


# ---- IPv6 literals ----


def test_an_ipv6_literal_is_spoken_to_and_written_in_brackets(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(listener=listen("::1"))
    url = f"http://[::1]:{server.port}/api"
    with caplog.at_level("DEBUG", "merge_link"), server.client(base_url=url) as client:
        assert client.base_url == url
        assert client.create_link_token(**FIELDS).link_token == TOKEN
    assert f"\r\nHost: [::1]:{server.port}\r\n".encode() in server.requests[0]
    assert f"POST {url}/ats/v1/link-token attempt 1" in caplog.messages
    server.close()
    assert str(failure(url)).startswith(
        f"cannot connect to [::1]:{server.port}: Connection refused\n"
    )


@pytest.mark.parametrize("host", ["[fe80::1%25eth0]", "[::1%25lo]", "[::1%lo]"])
def test_a_zone_id_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^base_url must not hold a zone id"):
        merge_link.Client(api_key=KEY, base_url=f"https://{host}/api")


SLOW = "If it is only slow: timeout= is for the whole call, retries and waits included."
ONLY_A_PROXY = "Where only a proxy leads out, name it by proxy= or HTTPS_PROXY."


def test_a_host_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^base_url must be an absolute URL"):
        merge_link.Client(api_key=KEY, base_url="https://%ff.example/api")
    assert _core.origin("https://%ff.example/api") is None


# ---- names with several addresses ----


@contextmanager
def dead(address: str, port: int, how: str) -> Iterator[None]:
    """An address that refuses connections, or never answers because its queue is full."""
    with ExitStack() as stack:
        if how == "silent":
            stack.enter_context(listen(address, port, backlog=0))
            stack.enter_context(socket.create_connection((address, port), PATIENCE))
        yield


@pytest.mark.parametrize("how", ["refused", "silent"])
@pytest.mark.parametrize("live", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("order", ["::1,127.0.0.1", "127.0.0.1,::1"])
def test_a_dead_address_beside_a_live_one_does_not_use_up_the_time_to_connect(
    serve: Serve, lookup_shim: dict[str, str], how: str, live: str, order: str
) -> None:
    server = serve(listener=listen(live))
    (other,) = FAMILIES.keys() - {live}
    environment = {**lookup_shim, "LOOKUP_ADDRESSES": order}
    with dead(other, server.port, how):
        url = f"http://dual.example:{server.port}/api"
        printed = run_script("call.py", url, "connect_timeout=3", environment=environment)
    assert printed == f"{TOKEN}\n"


def test_localhost_is_found_on_either_address(serve: Serve) -> None:
    """As far as this machine's own name lookup knows both."""
    found = {info[4][0] for info in socket.getaddrinfo("localhost", 0)}
    for address in found & FAMILIES.keys():
        server = serve(listener=listen(str(address)))
        with server.client(base_url=f"http://localhost:{server.port}/api") as client:
            assert client.create_link_token(**FIELDS).link_token == TOKEN


# ---- nobody answers ----


def test_a_host_that_cannot_be_resolved_is_named() -> None:
    error = failure("https://No-Such-Host.invalid/api")
    assert str(error) == (
        "the host name of no-such-host.invalid:443 cannot be resolved\n"
        "Is the name right, and is there a network with DNS? Where only a proxy leads out, name it "
        "by proxy= or HTTPS_PROXY."
    )
    assert (error.code, error.may_have_arrived) == ("CURLE_COULDNT_RESOLVE_HOST", False)


def test_a_slow_name_lookup_is_named(lookup_shim: dict[str, str]) -> None:
    environment = {**lookup_shim, "LOOKUP_SECONDS": "5"}
    url = "https://slow.example/api"
    for limit in ("timeout", "connect_timeout"):
        printed = run_script("call.py", url, f"{limit}=0.3", environment=environment)
        assert printed == (
            "RequestTimeoutError\nCURLE_OPERATION_TIMEDOUT\n"
            f"timed out while looking up the name of slow.example:443: the {limit} of 0.3 seconds"
            f" is over\nDoes DNS answer on this machine? {ONLY_A_PROXY}\n"
        )


@pytest.mark.parametrize("limit", ["timeout", "connect_timeout"])
@pytest.mark.parametrize("address", FAMILIES)
def test_an_address_that_does_not_answer_is_named_with_the_limit(address: str, limit: str) -> None:
    with listen(address) as reserved:
        port = reserved.getsockname()[1]
    with dead(address, port, "silent"):
        host = LISTENERS[address]
        error = failure(f"http://{host}:{port}/api", **{limit: 0.3})
    assert isinstance(error, RequestTimeoutError)
    assert str(error) == (
        f"timed out while connecting to {host}:{port}: the {limit} of 0.3 seconds is over\n"
        f"Does a firewall drop the packets? {ONLY_A_PROXY}"
    )
    assert not error.may_have_arrived


@pytest.mark.parametrize("limit", ["timeout", "connect_timeout"])
def test_a_handshake_that_does_not_end_is_named_with_the_limit(serve: Serve, limit: str) -> None:
    server = serve(raw=lambda connection: connection.wait_for_end())
    error = failure(f"https://127.0.0.1:{server.port}/api", **{limit: 0.3})
    assert str(error) == (
        f"timed out in the TLS handshake with 127.0.0.1:{server.port}: the {limit} of 0.3 seconds "
        "is over\nIs TLS spoken at that port? If it is, a firewall or VPN on the way may swallow "
        "large packets."
    )
    assert not error.may_have_arrived


@pytest.mark.parametrize("with_tls", [False, True])
@pytest.mark.parametrize(
    ("script", "what"),
    [
        (stay_silent, "while waiting for the answer of"),
        (stay_silent_after(b"HTTP/1.1 200 OK\r\n"), "in the middle of the answer of"),
        (
            stay_silent_after(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
            "in the middle of the answer of",
        ),
    ],
)
def test_an_answer_that_does_not_come_is_named_with_the_limit(
    serve: Serve, tls: Tls, script: Any, what: str, with_tls: bool
) -> None:
    context: ssl.SSLContext | None = tls.context if with_tls else None
    server = serve(script, tls=context)
    error = failure(server.base_url, timeout=0.5, connect_timeout=0.4, ca_bundle=tls.ca_file)
    assert str(error) == (
        f"timed out {what} 127.0.0.1:{server.port}: the timeout of 0.5 seconds is over\n{SLOW}"
    )
    assert error.may_have_arrived


def test_the_limit_of_a_call_is_told_whatever_is_left_of_it(serve: Serve) -> None:
    """Retries use up the time; what is told is what the caller gave."""
    from scripted import answer

    server = serve(answer(503, b"", "Retry-After: 0"), stay_silent)
    with server.client(timeout=9.0) as client, pytest.raises(RequestTimeoutError) as caught:
        client.create_link_token(**FIELDS, timeout=0.6)
    assert "the timeout of 0.6 seconds is over" in str(caught.value)
    assert caught.value.attempts == 2
