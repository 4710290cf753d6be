"""The sandbox over TLS."""

import asyncio
import os
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import merge_link
from merge_link.sandbox import Sandbox
from plain_http import GOOD, PATIENCE, port_of, raw_request, read_answer


@pytest.fixture
def secure() -> Iterator[Sandbox]:
    with Sandbox(tls=True) as sandbox:
        yield sandbox


def test_its_client_trusts_it(secure: Sandbox) -> None:
    assert secure.url == f"https://127.0.0.1:{port_of(secure)}"
    with secure.client() as client:
        token = client.create_link_token(**GOOD, should_create_magic_link_url=True)  # type: ignore[arg-type]
    assert token.magic_link_url is not None
    assert token.magic_link_url.startswith(secure.url + "/link/")


def test_its_async_client_trusts_it(secure: Sandbox) -> None:
    async def main() -> merge_link.LinkToken:
        async with secure.async_client(timeout=PATIENCE) as client:
            assert client.timeout == PATIENCE
            return await client.create_link_token(**GOOD)  # type: ignore[misc]

    assert asyncio.run(main()).link_token


def test_others_trust_it_by_its_file_and_under_each_name(secure: Sandbox) -> None:
    context = ssl.create_default_context(cafile=secure.ca_file)
    for host in ("127.0.0.1", "localhost"):
        url = f"https://{host}:{port_of(secure)}/__sandbox__/reset"
        request = urllib.request.Request(url, b"{}", {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, context=context, timeout=PATIENCE) as answer:
            assert answer.status == 200


def test_nobody_else_trusts_it(secure: Sandbox) -> None:
    with (
        Sandbox(tls=True) as other,
        merge_link.Client(
            base_url=secure.base_url, api_key=secure.api_key, ca_bundle=other.ca_file
        ) as client,
        pytest.raises(merge_link.TLSError),
    ):
        client.create_link_token(**GOOD)  # type: ignore[arg-type]
    assert secure.requests == []


def test_it_speaks_http_1_1_and_no_old_tls(secure: Sandbox) -> None:
    context = ssl.create_default_context(cafile=secure.ca_file)
    context.set_alpn_protocols(["h2", "http/1.1"])
    address = ("127.0.0.1", port_of(secure))
    plain = socket.create_connection(address, timeout=PATIENCE)
    with context.wrap_socket(plain, server_hostname="localhost") as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"
        for _ in range(2):
            sock.sendall(raw_request(secure))
            assert read_answer(sock).status == 200
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    plain = socket.create_connection(address, timeout=PATIENCE)
    with plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02"])
def test_one_who_speaks_no_tls_harms_nobody(secure: Sandbox, sent: bytes) -> None:
    threads = threading.active_count()
    address = ("127.0.0.1", port_of(secure))
    sock = socket.create_connection(address, timeout=PATIENCE)
    with sock, suppress(OSError):  # the sandbox may be quicker to hang up
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1000):
            pass
    with secure.client() as client:
        client.create_link_token(**GOOD)  # type: ignore[arg-type]
    secure.close()
    assert threading.active_count() < threads


def test_close_ends_a_handshake_under_way(secure: Sandbox) -> None:
    address = ("127.0.0.1", port_of(secure))
    with socket.create_connection(address, timeout=PATIENCE) as sock:
        sock.sendall(b"\x16\x03\x01")
        secure.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=PATIENCE)


def test_the_file_is_gone_after_close() -> None:
    sandbox = Sandbox(tls=True)
    assert os.path.exists(sandbox.ca_file)
    assert b"PRIVATE" not in Path(sandbox.ca_file).read_bytes()
    sandbox.close()
    sandbox.close()
    assert not os.path.exists(sandbox.ca_file)


def test_there_is_no_file_without_tls(sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="tls=True"):
        _ = sandbox.ca_file


def test_a_missing_package_names_the_extra_to_install() -> None:
    script = (
        "import sys\n"
        "sys.modules['trustme'] = None\n"
        "from merge_link.sandbox import Sandbox\n"
        "Sandbox().close()\n"
        "try:\n"
        "    Sandbox(tls=True)\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == 'Sandbox(tls=True) needs trustme: pip install "merge-link[tls]"\n'
    assert done.stderr == ""
