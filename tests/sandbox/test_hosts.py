"""Where the sandbox may listen, and by which names its commands may be called."""

import socket
from collections.abc import Iterator

import pytest

from linked import command, order
from merge_link.sandbox import Sandbox
from merge_link.sandbox.hosts import is_loopback, is_ours
from plain_http import call, port_of


@pytest.fixture
def remote() -> Iterator[Sandbox]:
    with Sandbox(host="0.0.0.0", allow_remote=True) as running:
        yield running


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "build.example", "sandbox"])
def test_other_machines_must_be_allowed(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ValueError, match="other machines need allow_remote=True"):
        Sandbox(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
def test_loopback_needs_no_leave(host: str) -> None:
    with Sandbox(host=host) as sandbox:
        assert sandbox.url.startswith(f"http://{host}:")
        with sandbox.client() as client:
            client.warm_up()


def test_loopback_of_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("there is no IPv6 here")
    with Sandbox(host="::1") as sandbox, sandbox.client() as client:
        assert sandbox.url.startswith("http://[::1]:")
        client.warm_up()


def test_urls_of_all_addresses_name_localhost(remote: Sandbox) -> None:
    assert remote.url == f"http://localhost:{port_of(remote)}"
    magic = call(remote, order(should_create_magic_link_url=True)).json["magic_link_url"]
    assert magic.startswith(f"{remote.url}/link/")


NEVER = [
    "",
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "[::1",
    "internal.",
]
ONLY_REMOTE = ["192.0.2.7", "[2001:db8::1]:80", "sandbox:8787", "SANDBOX", "host.docker.internal"]


@pytest.mark.parametrize("header", ["127.0.0.1", "127.9.9.9:1", "localhost:80", "[::1]:80"])
def test_loopback_is_always_ours(header: str) -> None:
    assert is_ours(header, remote=False)
    assert is_ours(header, remote=True)


@pytest.mark.parametrize("header", NEVER)
def test_what_anyone_can_own_is_never_ours(header: str) -> None:
    assert not is_ours(header, remote=False)
    assert not is_ours(header, remote=True)


@pytest.mark.parametrize("header", ONLY_REMOTE)
def test_what_is_ours_if_others_are_let_in(remote: Sandbox, header: str) -> None:
    assert not is_ours(header, remote=False)
    assert command(remote, "reset", {}, Host=header).status == 200
    evil = command(remote, "reset", {}, Host=header, Origin="https://evil.example")
    assert evil.status == 403
    assert command(remote, "reset", {}, Host="evil.example").status == 403
