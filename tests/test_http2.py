"""Which HTTP is spoken to a server that offers both: nginx, which says so in its answer."""

import asyncio
import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import merge_link
from conftest import Tls
from merge_link import AsyncClient, Client
from samples import FIELDS, KEY

# The link token is the protocol, and which connection of the server's this is.
CONFIGURATION = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    ssl_certificate {certificate};
    ssl_certificate_key {certificate};
    server {{
        listen 127.0.0.1:{port} ssl {http2};
        location / {{ return 200 '{{"link_token":"$server_protocol $connection"}}'; }}
    }}
}}
"""
PATIENCE = 10.0  # seconds until it must listen


def nginx() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("this needs nginx, whose Debian package is of that name")
    return found


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def await_listener(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
    pytest.fail("nginx does not listen")


@contextlib.contextmanager
def serving(directory: Path, tls: Tls, http2: str) -> Iterator[str]:
    """The base URL of a server."""
    port = free_port()
    text = CONFIGURATION.format(certificate=tls.server_file, port=port, http2=http2)
    (directory / "nginx.conf").write_text(text)
    command = [nginx(), "-p", str(directory), "-c", "nginx.conf"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            await_listener(port, process)
            yield f"https://127.0.0.1:{port}/api"
        finally:
            process.terminate()


@pytest.fixture
def offering(tmp_path: Path, tls: Tls) -> Iterator[str]:
    """A server that offers HTTP/2 as well as HTTP/1.1."""
    with serving(tmp_path, tls, "http2") as base_url:
        yield base_url


@pytest.fixture
def refusing(tmp_path: Path, tls: Tls) -> Iterator[str]:
    """One that knows no HTTP/2."""
    with serving(tmp_path, tls, "") as base_url:
        yield base_url


def ask_at_once(base_url: str, tls: Tls, calls: int, max_connections: int) -> list[list[str]]:
    """Protocol and connection of each answer."""

    async def ask() -> list[list[str]]:
        async with AsyncClient(
            base_url=base_url,
            api_key=KEY,
            ca_bundle=tls.ca_file,
            max_connections=max_connections,
        ) as client:
            tokens: list[merge_link.LinkToken] = await asyncio.gather(
                *(client.create_link_token(**FIELDS) for _ in range(calls))
            )
        return [token.link_token.split() for token in tokens]

    return asyncio.run(ask())


def test_calls_at_once_share_a_connection_by_http_2(offering: str, tls: Tls) -> None:
    answers = ask_at_once(offering, tls, calls=300, max_connections=4)
    assert {protocol for protocol, _ in answers} == {"HTTP/2.0"}
    assert len({connection for _, connection in answers}) <= 4


def test_first_calls_wait_for_one_connection_to_tell(offering: str, tls: Tls) -> None:
    answers = ask_at_once(offering, tls, calls=50, max_connections=50)
    assert len({connection for _, connection in answers}) == 1


def test_blocking_calls_speak_http_1_1(offering: str, tls: Tls) -> None:
    with Client(base_url=offering, api_key=KEY, ca_bundle=tls.ca_file) as client:
        protocol, _ = client.create_link_token(**FIELDS).link_token.split()
    assert protocol == "HTTP/1.1"


def test_server_without_http_2_gets_a_connection_for_each_call(refusing: str, tls: Tls) -> None:
    answers = ask_at_once(refusing, tls, calls=100, max_connections=8)
    assert {protocol for protocol, _ in answers} == {"HTTP/1.1"}
    assert len({connection for _, connection in answers}) <= 8
