"""What a TLSError says: what is wrong with the certificate or the server, and what to do."""

import re
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import merge_link
from isolation import run_script
from merge_link import TLSError
from samples import FIELDS, KEY, TOKEN
from scripted import Connection, Server
from test_tls import context_of, old_tls

Serve = Callable[..., Server]
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
COMPANY = (
    "If that is your company's proxy, which looks into TLS, or a CA of your own: give its root "
    "certificate by ca_bundle= or SSL_CERT_FILE."
)
CLOCK = (
    "Is this machine's clock right? If it is, those who run the server must renew its certificate."
)


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA(organization_name="Acme Root")


@pytest.fixture(scope="module")
def ca_pem(ca: trustme.CA) -> bytes:
    return ca.cert_pem.bytes()


def failure(base_url: str, **options: Any) -> TLSError:
    with (
        merge_link.Client(base_url=base_url, api_key=KEY, **options) as client,
        pytest.raises(TLSError) as caught,
    ):
        client.create_link_token(**FIELDS)
    assert (caught.value.attempts, caught.value.may_have_arrived) == (1, False)
    return caught.value


def said(server: Server, host: str = "127.0.0.1", **options: Any) -> str:
    """Return the message; "HOST" stands for host and port."""
    error = failure(f"https://{host}:{server.port}/api", **options)
    assert server.received == b""
    return str(error).replace(f"{host}:{server.port}", "HOST")


# ---- SNI ----


@pytest.mark.parametrize(("host", "name"), [("localhost", "localhost"), ("127.0.0.1", None)])
def test_the_server_learns_the_name_that_is_meant(
    serve: Serve, ca: trustme.CA, ca_pem: bytes, host: str, name: str | None
) -> None:
    names: list[str | None] = []
    context = context_of(ca)
    context.sni_callback = lambda _socket, wanted, _context: names.append(wanted)
    server = serve(tls=context)
    url = f"https://{host}:{server.port}/api"
    with server.client(base_url=url, ca_bundle=ca_pem) as client:
        assert client.create_link_token(**FIELDS).link_token == TOKEN
    assert names == [name]


# ---- the wrong host ----


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_for_others_names_them_and_who_was_meant(
    serve: Serve, ca: trustme.CA, ca_pem: bytes, version: ssl.TLSVersion
) -> None:
    context = context_of(ca, "a.example", "*.b.example", "127.0.0.2", "2001:db8::5")
    context.minimum_version = context.maximum_version = version
    for host in ("127.0.0.1", "localhost"):
        assert said(serve(tls=context), host, ca_bundle=ca_pem) == (
            f"HOST showed a certificate for a.example, *.b.example, 127.0.0.2, 2001:db8::5, not "
            f"for {host}\n"
            "Look at base_url=. A wrong DNS entry, or a network that wants you to sign in first, "
            "can be the cause too."
        )


def test_of_many_hosts_the_first_are_named(serve: Serve, ca: trustme.CA, ca_pem: bytes) -> None:
    hosts = [f"host-number-{i}.example" for i in range(100)]
    message = said(serve(tls=context_of(ca, *hosts)), ca_bundle=ca_pem)
    shown = re.search("certificate for (.*), not for ", message)
    assert shown is not None
    names = shown[1].split(", ")
    assert names[-1] == "..."
    assert names[:-1] == hosts[: len(names) - 1]
    assert len(names) > 4


def self_signed(tmp_path: Path, **names: str) -> ssl.SSLContext:
    """A certificate without alternative names, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    oids = {"CN": x509.NameOID.COMMON_NAME, "O": x509.NameOID.ORGANIZATION_NAME}
    name = x509.Name([x509.NameAttribute(oids[at], value) for at, value in names.items()])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "self.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_where_there_are_no_alternative_names_the_subject_is_named(
    serve: Serve, tmp_path: Path
) -> None:
    server = serve(tls=self_signed(tmp_path, O="Müller & Söhne", CN="router.local"))
    message = said(server, ca_bundle=tmp_path / "self.pem")
    assert "a certificate for Müller & Söhne, router.local, not for 127.0.0.1" in message


# ---- who signed it ----


def test_a_self_signed_certificate_is_called_that(
    serve: Serve, ca_pem: bytes, tmp_path: Path
) -> None:
    server = serve(tls=self_signed(tmp_path, CN="127.0.0.1"))
    assert said(server, ca_bundle=ca_pem) == (
        f'the certificate of HOST is self-signed, by "127.0.0.1"\n{COMPANY}'
    )


def test_an_unknown_issuer_is_named_and_so_are_the_certificates_that_lack_it(
    serve: Serve, ca_pem: bytes, tmp_path: Path
) -> None:
    other = trustme.CA(organization_name="Zscaler Inc.", organization_unit_name="Inspection")
    server = serve(tls=context_of(other))
    path = tmp_path / "own.pem"
    path.write_bytes(ca_pem)
    for bundle, shown in ((path, str(path)[:60]), (ca_pem, "those of ca_bundle")):
        assert said(server, ca_bundle=bundle) == (
            'the certificate of HOST was issued by "Zscaler Inc., Inspection", which is not among '
            f"the CA certificates ({shown})\n{COMPANY}"
        )


def test_a_root_that_is_sent_along_is_not_trusted_for_it(
    serve: Serve, ca: trustme.CA, ca_pem: bytes, tmp_path: Path
) -> None:
    other = trustme.CA(organization_name="Zscaler Inc.")
    issued = other.issue_cert("127.0.0.1")
    path = tmp_path / "chain.pem"
    chain = issued.private_key_and_cert_chain_pem.bytes() + other.cert_pem.bytes()
    path.write_bytes(chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    assert 'was issued by "Zscaler Inc., ' in said(serve(tls=context), ca_bundle=ca_pem)


def test_a_machine_without_ca_certificates_is_told_how_to_get_some(
    serve: Serve, ca: trustme.CA, bare_shim: dict[str, str]
) -> None:
    server = serve(tls=context_of(ca))
    printed = run_script("call.py", server.base_url, environment=bare_shim).splitlines()
    assert printed[0] == "TLSError"
    assert printed[2:] == [
        f"no CA certificates were found on this machine, so 127.0.0.1:{server.port} cannot be "
        "trusted",
        "Install the package ca-certificates, or certifi by pip; or name some by ca_bundle= or "
        "SSL_CERT_FILE.",
    ]
    assert server.received == b""


# ---- when ----


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


def test_an_expired_certificate_says_since_when_and_what_time_it_is_here(
    serve: Serve, ca: trustme.CA, ca_pem: bytes
) -> None:
    end = NOW - 3 * DAY
    server = serve(tls=context_of(ca, "127.0.0.1", not_before=end - DAY, not_after=end))
    before = datetime.now(UTC)
    message = said(server, ca_bundle=ca_pem)
    assert message in {
        f"the certificate of HOST expired on {stamp(end)}, and here it is {stamp(now)}\n{CLOCK}"
        for now in (before, datetime.now(UTC))
    }


@pytest.mark.parametrize("days", [1, 365 * 60])
def test_a_certificate_of_the_future_says_when_it_begins(
    serve: Serve, ca: trustme.CA, ca_pem: bytes, days: int
) -> None:
    begin = NOW + days * DAY
    server = serve(tls=context_of(ca, "127.0.0.1", not_before=begin, not_after=begin + DAY))
    message = said(server, ca_bundle=ca_pem)
    assert message.startswith(f"the certificate of HOST is valid from {stamp(begin)} on, and here")
    assert message.endswith(CLOCK)


def test_an_expired_issuer_is_told_apart_from_an_expired_certificate(
    serve: Serve, tmp_path: Path
) -> None:
    root = trustme.CA()
    middle = root.create_child_ca()
    issued = middle.issue_cert("127.0.0.1")
    old = expired_copy(root, middle)
    path = tmp_path / "chain.pem"
    path.write_bytes(issued.private_key_pem.bytes() + issued.cert_chain_pems[0].bytes() + old)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    message = said(serve(tls=context), ca_bundle=root.cert_pem.bytes())
    assert re.fullmatch(
        r"a certificate that vouches for HOST is not valid at \d+-\d+-\d+ \d+:\d+ UTC, which it is "
        rf"here\n{re.escape(CLOCK)}",
        message,
    )


def expired_copy(root: trustme.CA, middle: trustme.CA) -> bytes:
    """The certificate of the one in the middle, signed anew by the root for days gone by."""
    its = x509.load_pem_x509_certificate(middle.cert_pem.bytes())
    key = serialization.load_pem_private_key(root.private_key_pem.bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    builder = (
        x509.CertificateBuilder(its.issuer, its.subject, its.public_key(), its.serial_number)
        .not_valid_before(NOW - 9 * DAY)
        .not_valid_after(NOW - DAY)
    )
    for extension in its.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


# ---- what is spoken ----


def answer_in_plain(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    connection.wait_for_end()


def test_https_to_a_port_of_http_says_so(serve: Serve) -> None:
    server = serve(raw=answer_in_plain)
    assert str(failure(f"https://127.0.0.1:{server.port}/api")) == (
        f"127.0.0.1:{server.port} speaks no TLS: it answered in plain text\n"
        "Is the port right, or is http:// meant in base_url=?"
    )


def test_old_tls_is_called_that(serve: Serve, ca: trustme.CA, ca_pem: bytes) -> None:
    assert said(serve(tls=old_tls(ca)), ca_bundle=ca_pem) == (
        "HOST speaks no TLS of version 1.2 or newer, and older ones are not safe"
    )


def test_a_handshake_that_breaks_off_is_called_that(serve: Serve) -> None:
    def leave(connection: Connection) -> None:
        connection.sock.recv(1)
        connection.sock.shutdown(socket.SHUT_RDWR)

    server = serve(raw=leave)
    url = f"https://127.0.0.1:{server.port}/api"
    with (
        merge_link.Client(base_url=url, api_key=KEY, max_retries=0) as client,
        pytest.raises(merge_link.TransportError) as caught,
    ):
        client.create_link_token(**FIELDS)
    assert type(caught.value) is merge_link.TransportError
    assert str(caught.value).startswith(f"127.0.0.1:{server.port} broke off the TLS handshake: ")
