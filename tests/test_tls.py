"""TLS: whom a client trusts, and that it tells nothing to others."""

import shutil
import socket
import ssl
import subprocess
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

import merge_link
from isolation import run_script
from merge_link import TLSError, TransportError
from samples import FIELDS, KEY, TOKEN
from scripted import PATIENCE, Connection, Server

Serve = Callable[..., Server]
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="module")
def ca_directory(ca_file: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Lay a certificate where OpenSSL looks for it: under the hash of its subject."""
    tool = shutil.which("openssl")
    if tool is None:
        pytest.skip("the hash of a subject needs the command openssl")
    command = [tool, "x509", "-noout", "-hash", "-in", ca_file]
    subject = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    path = tmp_path_factory.mktemp("hashed")
    shutil.copy(ca_file, path / f"{subject}.0")
    return str(path)


def context_of(ca: trustme.CA, *names: str, **options: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*(names or ("127.0.0.1", "localhost")), **options).configure_cert(context)
    return context


def create(server: Server, **options: Any) -> merge_link.LinkToken:
    with server.client(**options) as client:
        return client.create_link_token(**FIELDS)


# ---- trusted ----


@pytest.mark.parametrize(
    ("way", "what"),
    [
        ("ca_bundle", "ca_file"),
        ("ca_bundle", "ca_directory"),
        ("SSL_CERT_FILE", "ca_file"),
        ("SSL_CERT_DIR", "ca_directory"),
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_is_trusted_by_a_file_or_a_hashed_directory(
    serve: Serve,
    ca: trustme.CA,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    way: str,
    what: str,
    host: str,
) -> None:
    path: str = request.getfixturevalue(what)
    server = serve(tls=context_of(ca))
    options = {"base_url": f"https://{host}:{server.port}/api"}
    if way.isupper():
        monkeypatch.setenv(way, path)
    else:
        options[way] = path
    with server.client(**options) as client:
        assert client.ca_bundle == path
        tokens = [client.create_link_token(**FIELDS) for _ in range(3)]
    assert [token.link_token for token in tokens] == [TOKEN] * 3
    timing = tokens[0].response.timing
    assert 0 < timing.connect < timing.tls < timing.first_byte
    assert (len(server.requests), server.connections) == (3, 1)


def test_the_argument_wins_over_the_variables(
    serve: Serve, ca: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(tls=context_of(ca))
    monkeypatch.setenv("SSL_CERT_FILE", __file__)
    monkeypatch.setenv("SSL_CERT_DIR", str(Path(__file__).parent))
    assert create(server, ca_bundle=ca_file).link_token == TOKEN


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(
    serve: Serve, ca: trustme.CA, ca_file: str, version: ssl.TLSVersion
) -> None:
    context = context_of(ca)
    context.minimum_version = context.maximum_version = version
    assert create(serve(tls=context), ca_bundle=ca_file).link_token == TOKEN


def test_http_1_1_is_spoken_whatever_else_is_offered(
    serve: Serve, ca: trustme.CA, ca_file: str
) -> None:
    context = context_of(ca)
    context.set_alpn_protocols(["h2", "http/1.1"])
    server = serve(tls=context)
    create(server, ca_bundle=ca_file)
    assert b" HTTP/1.1\r\n" in server.requests[0]


# ---- not trusted ----


def old_tls(ca: trustme.CA) -> ssl.SSLContext:
    context = context_of(ca)
    allow_old(context)
    return context


def allow_old(context: ssl.SSLContext) -> None:
    """Speak TLS 1.1 and nothing newer, which OpenSSL has to be talked into."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")


REFUSED: dict[str, Callable[[trustme.CA], ssl.SSLContext]] = {
    "another CA": lambda _: context_of(trustme.CA()),
    "another host": lambda ca: context_of(ca, "merge.example", "127.0.0.2"),
    "another host by name": lambda ca: context_of(ca, "127.0.0.1.example"),
    "expired": lambda ca: context_of(
        ca, "127.0.0.1", not_before=NOW - 3 * DAY, not_after=NOW - DAY
    ),
    "not yet valid": lambda ca: context_of(
        ca, "127.0.0.1", not_before=NOW + DAY, not_after=NOW + 3 * DAY
    ),
    "TLS 1.1": old_tls,
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_server_that_is_not_trusted_is_told_nothing(
    serve: Serve, ca: trustme.CA, ca_file: str, why: str
) -> None:
    server = serve(tls=REFUSED[why](ca))
    with pytest.raises(TLSError) as caught:
        create(server, ca_bundle=ca_file)
    error = caught.value
    assert isinstance(error, ConnectionError)
    if why == "TLS 1.1":
        assert error.code == "CURLE_SSL_CONNECT_ERROR"
    else:
        assert error.code == "CURLE_PEER_FAILED_VERIFICATION"
    assert (error.attempts, error.may_have_arrived) == (1, False)
    assert str(error)
    assert (server.requests, server.received) == ([], b"")
    assert server.connections == 1  # trying again would not help


def test_the_server_of_old_tls_works_for_those_who_take_it(serve: Serve, ca: trustme.CA) -> None:
    """So that the refusal is ours and not the server's failure."""
    server = serve(tls=old_tls(ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ca.configure_trust(context)
    allow_old(context)
    with (
        socket.create_connection(("127.0.0.1", server.port), PATIENCE) as sock,
        context.wrap_socket(sock, server_hostname="127.0.0.1") as wrapped,
    ):
        assert wrapped.version() == "TLSv1.1"


LENIENT = """
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = lenient
[lenient]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
"""


def test_old_tls_is_refused_even_where_the_system_allows_it(
    serve: Serve, ca: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    """Most systems refuse it already, which would hide that we do not."""
    settings = tmp_path / "openssl.cnf"
    settings.write_text(LENIENT)
    server = serve(tls=old_tls(ca))
    environment = {"OPENSSL_CONF": str(settings)}
    printed = run_script("old_tls.py", server.base_url, ca_file, environment=environment)
    assert printed == "CURLE_SSL_CONNECT_ERROR\n"
    assert server.received == b""


def test_the_systems_certificates_do_not_cover_a_private_ca(serve: Serve, ca: trustme.CA) -> None:
    server = serve(tls=context_of(ca))
    with pytest.raises(TLSError):
        create(server)
    assert server.received == b""


def refused(client: merge_link.Client) -> str:
    with pytest.raises(TLSError) as caught:
        client.create_link_token(**FIELDS, max_retries=0)
    return "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])


def test_a_view_elsewhere_is_told_as_much_of_a_refused_certificate(
    serve: Serve, ca: trustme.CA, ca_file: str
) -> None:
    strange, near = serve(tls=context_of(trustme.CA())), serve()
    with strange.client(ca_bundle=ca_file) as client:
        told = refused(client)
    with near.client(ca_bundle=ca_file) as client:
        client.create_link_token(**FIELDS)  # has a connection now, but to another server
        assert refused(client.with_options(base_url=strange.base_url)) == told


def answer_in_plain(connection: Connection) -> None:
    connection.wait_for_bytes()
    connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    connection.wait_for_end()


def test_plain_http_where_tls_should_be_is_told_nothing(serve: Serve) -> None:
    server = serve(raw=answer_in_plain)
    with pytest.raises(TLSError) as caught:
        create(server, base_url=f"https://127.0.0.1:{server.port}/api")
    assert caught.value.code == "CURLE_SSL_CONNECT_ERROR"
    server.close()  # has read then all that came
    assert server.received[:1] == b"\x16"  # a TLS handshake
    assert KEY.encode() not in server.received
    assert b"acme" not in server.received


def test_tls_where_plain_http_should_be_is_an_error_of_ours(serve: Serve, ca: trustme.CA) -> None:
    server = serve(tls=context_of(ca))
    with pytest.raises(TransportError):
        create(server, base_url=f"http://127.0.0.1:{server.port}/api", max_retries=0)
    assert server.requests == []
