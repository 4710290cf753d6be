"""Client certificates and CA certificates: in which forms they are taken, and what is said."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

import merge_link
from merge_link import Client, ConfigurationError, TLSError
from samples import FIELDS, KEY, TOKEN
from scripted import Connection, Server, token_answer

Serve = Callable[..., Server]
PASSWORD = "zq9 pass phrase ü"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
CA_VARIABLES = "(where it is not given, SSL_CERT_FILE and SSL_CERT_DIR say)"


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_pem(ca: trustme.CA) -> bytes:
    return ca.cert_pem.bytes()


class Files(NamedTuple):
    """A client certificate in all its forms."""

    both: Path
    certificate: Path
    key: Path
    locked_key: Path
    old_locked_key: Path
    locked_both: Path


def write_files(issued: trustme.LeafCert, folder: Path, password: str = PASSWORD) -> Files:
    files = Files(*(folder / f"{name}.pem" for name in Files._fields))
    certificate = b"".join(pem.bytes() for pem in issued.cert_chain_pems)
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    lock = BestAvailableEncryption(password.encode())
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    files.both.write_bytes(issued.private_key_pem.bytes() + certificate)
    files.certificate.write_bytes(certificate)
    files.key.write_bytes(issued.private_key_pem.bytes())
    files.locked_key.write_bytes(locked)
    files.old_locked_key.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, lock)
    )
    files.locked_both.write_bytes(certificate + locked)
    return files


@pytest.fixture(scope="module")
def files(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Files:
    return write_files(ca.issue_cert("client.example"), tmp_path_factory.mktemp("own"))


def refusal(**options: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Client(api_key=KEY, **options)
    assert "zq9" not in str(caught.value)
    return str(caught.value)


# ---- a server that wants to know who calls ----


def demand(context: ssl.SSLContext) -> Callable[[Connection], None]:
    """Shake hands; who is refused can read the alert in peace before the connection ends."""

    def serve(connection: Connection) -> None:
        wrapped = context.wrap_socket(
            connection.sock, server_side=True, do_handshake_on_connect=False
        )
        connection.sock = wrapped
        try:
            wrapped.do_handshake()
        except ssl.SSLError:
            while socket.socket.recv(wrapped, 65536):
                pass
            return
        while connection.read_request() is not None:
            connection.send(token_answer())

    return serve


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def demanding(request: pytest.FixtureRequest, serve: Serve, ca: trustme.CA) -> Callable[..., str]:
    """Call a server that demands a client certificate; what comes of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = request.param
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    server = serve(raw=demand(context))
    url = f"https://127.0.0.1:{server.port}/api"

    def call(**options: Any) -> str:
        options = {"base_url": url, "ca_bundle": ca.cert_pem.bytes(), **options}
        error = None
        with server.client(**options) as client:
            try:
                return client.create_link_token(**FIELDS).link_token
            except TLSError as raised:
                error = raised
        assert (error.attempts, error.may_have_arrived) == (1, False)
        assert "zq9" not in f"{error!r}"
        return str(error).replace(f"127.0.0.1:{server.port}", "HOST")

    return call


def forms(files: Files) -> dict[str, Any]:
    return {
        "one file": files.both,
        "one file, as text": str(files.both),
        "certificate and key": (files.certificate, str(files.key)),
        "locked key": (files.certificate, files.locked_key, PASSWORD),
        "locked key of the old form": (files.certificate, files.old_locked_key, PASSWORD),
        "locked key in the same file": (files.locked_both, None, PASSWORD),
        "the same file, named twice": (files.locked_both, files.locked_both, PASSWORD),
        "password that is not needed": (files.certificate, files.key, PASSWORD),
        "no password": (files.certificate, files.key, None),
    }


@pytest.mark.parametrize("form", forms(Files(*map(Path, "abcdef"))))
def test_a_client_certificate_is_shown(
    demanding: Callable[..., str], files: Files, form: str
) -> None:
    assert demanding(client_cert=forms(files)[form]) == TOKEN


def test_a_server_that_wants_a_certificate_and_gets_none_says_so(
    demanding: Callable[..., str], request: pytest.FixtureRequest
) -> None:
    message = demanding()
    if "1.3" in request.node.name:
        assert message == (
            "HOST wants a client certificate (TLS alert 116: certificate required)\n"
            "Give one by client_cert=(certificate, key)."
        )
    else:  # that version has no word for it
        assert message == (
            "HOST ended the TLS handshake (TLS alert 40: handshake failure)\n"
            "It may want a client certificate: client_cert=(certificate, key)."
        )


def test_an_expired_client_certificate_is_refused_by_that_name(
    demanding: Callable[..., str], ca: trustme.CA, tmp_path: Path
) -> None:
    issued = ca.issue_cert("client.example", not_before=NOW - 3 * DAY, not_after=NOW - DAY)
    path = write_files(issued, tmp_path).both
    assert demanding(client_cert=path) == (
        f"HOST refuses the client certificate {path} (TLS alert 45: certificate expired)\n"
        "Is it the right one, not expired, and with the certificates of its issuers behind it in "
        "the file?"
    )


def test_a_client_certificate_of_another_ca_is_refused_by_that_name(
    demanding: Callable[..., str], tmp_path: Path
) -> None:
    path = write_files(trustme.CA().issue_cert("client.example"), tmp_path).both
    assert f"refuses the client certificate {path} (TLS alert 48: unknown CA)" in demanding(
        client_cert=path
    )


@pytest.mark.parametrize("password", ["zq9 wrong", "", "ü"])
def test_a_wrong_password_is_told(
    demanding: Callable[..., str], files: Files, password: str
) -> None:
    message = demanding(client_cert=(files.certificate, files.locked_key, password))
    assert message == (
        f"client_cert: the key in {files.locked_key} cannot be used: its password is wrong, or it "
        "does not belong to the certificate"
    )


def test_a_key_of_another_certificate_is_told(
    demanding: Callable[..., str], files: Files, ca: trustme.CA, tmp_path: Path
) -> None:
    other = write_files(ca.issue_cert("other.example"), tmp_path)
    assert demanding(client_cert=(files.certificate, other.key)) == (
        f"client_cert: the key in {other.key} cannot be used: it is damaged, or it does not belong "
        "to the certificate"
    )


def test_a_damaged_certificate_is_told(
    demanding: Callable[..., str], files: Files, tmp_path: Path
) -> None:
    path = tmp_path / "damaged.pem"
    path.write_bytes(files.certificate.read_bytes().replace(b"MII", b"!!!"))
    assert demanding(client_cert=(path, files.key)) == (
        f"client_cert: the certificate in {path} cannot be read"
    )


# ---- what is refused when the client is made ----


def test_a_missing_file_is_named_with_the_systems_words(files: Files, tmp_path: Path) -> None:
    none, below = tmp_path / "none.pem", files.key / "x.pem"
    for cert, path, words in (
        (none, none, "No such file or directory"),
        (below, below, "Not a directory"),
        (tmp_path, tmp_path, "Is a directory"),
        (Path(os.devnull), os.devnull, "it is no regular file"),
        ((files.certificate, none), none, "No such file or directory"),
        ((none, files.key), none, "No such file or directory"),
    ):
        assert refusal(client_cert=cert) == f"client_cert cannot be read: {path}: {words}"


def test_what_a_file_lacks_is_told(files: Files) -> None:
    must = "client_cert must be (certificate, key"
    nothing = "client_cert holds no certificate in PEM form"
    no_key = f"{must}), for this file holds no private key in PEM form"
    locked = f"{must}, password), for the key is encrypted"
    for cert, expected in (
        (files.key, f"{nothing}: {files.key}"),
        (__file__, f"{nothing}: {__file__}"),
        ((files.key, files.certificate), f"{nothing}: {files.key}"),
        (files.certificate, f"{no_key}: {files.certificate}"),
        ((files.certificate, files.certificate), f"{no_key}: {files.certificate}"),
        (files.locked_both, f"{locked}: {files.locked_both}"),
        ((files.certificate, files.locked_key), f"{locked}: {files.locked_key}"),
        ((files.certificate, files.old_locked_key), f"{locked}: {files.old_locked_key}"),
    ):
        assert refusal(client_cert=cert) == expected


def test_control_characters_are_refused_in_paths_and_passwords(files: Files) -> None:
    for cert in (("a\0zq9", files.key), (files.certificate, "\nzq9"), (files.both, None, "zq9\n")):
        assert refusal(client_cert=cert) == "client_cert must not hold control characters"


def test_only_the_certificates_path_can_be_read_back(files: Files) -> None:
    cert = (files.certificate, files.locked_key, PASSWORD)
    with Client(api_key=KEY, client_cert=cert) as client:
        assert client.client_cert == str(files.certificate)
        shown = f"{client!r} {vars(client)} {[getattr(client, name) for name in dir(client)]}"
    assert PASSWORD not in shown


def test_clients_of_the_modules_function_differ_by_key_and_password(
    serve: Serve, files: Files
) -> None:
    server = serve()
    fields = {**FIELDS, "base_url": server.base_url, "api_key": KEY}
    certificate, key, locked = files.certificate, files.key, files.locked_key
    for cert in (certificate, key), (certificate, locked, "one"), (certificate, locked, "two"):
        merge_link.create_link_token(**fields, client_cert=cert)
        merge_link.create_link_token(**fields, client_cert=cert)
    assert server.connections == 3


ON_A_TERMINAL = """
import os, pty, sys
pid, terminal = pty.fork()
if pid:
    said = b""
    try:
        while data := os.read(terminal, 1000):
            said += data
    except OSError:
        pass
    print(said.decode())
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
import merge_link
base_url, certificate, password, fields = *sys.argv[1:4], eval(sys.argv[4])
options = {"base_url": base_url, "timeout": 5, "max_retries": 0, "api_key": "test_key"}
try:
    with merge_link.Client(client_cert=(certificate, None, password), **options) as client:
        client.create_link_token(**fields)
except merge_link.TLSError as error:
    print("refused:", error.code)
"""


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_password_is_never_asked_for_on_the_terminal(
    serve: Serve, files: Files, password: str
) -> None:
    """In a terminal of its own: OpenSSL would read the password from /dev/tty, and wait."""
    url = serve().base_url.replace("http://", "https://")
    done = subprocess.run(
        [sys.executable, "-c", ON_A_TERMINAL, url, files.locked_both, password, repr(FIELDS)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Newer versions of libcurl have another name for it.
    assert done.stdout.strip() in {
        f"refused: CURLE_{name}" for name in ("SSL_CERTPROBLEM", "BAD_FUNCTION_ARGUMENT")
    }


# ---- CA certificates ----


@pytest.mark.parametrize("form", ["a file", "bytes", "bytes with words before", "a bundle"])
def test_ca_certificates_are_taken_in_any_form(
    serve: Serve, ca: trustme.CA, ca_pem: bytes, tmp_path: Path, form: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    server = serve(tls=context)
    (tmp_path / "ca.pem").write_bytes(ca_pem)
    bundle: Any = {
        "a file": tmp_path / "ca.pem",
        "bytes": ca_pem,
        "bytes with words before": b"# ours\n" + ca_pem.replace(b"\n", b"\r\n"),
        "a bundle": trustme.CA().cert_pem.bytes() + b"\n" + ca_pem,
    }[form]
    with server.client(ca_bundle=bundle) as client:
        assert client.ca_bundle == (bundle if isinstance(bundle, bytes) else str(bundle))
        tokens = [client.create_link_token(**FIELDS) for _ in range(2)]
    assert [token.link_token for token in tokens] == [TOKEN] * 2
    with server.client(ca_bundle=trustme.CA().cert_pem.bytes()) as client, pytest.raises(TLSError):
        client.create_link_token(**FIELDS)


def test_the_bytes_may_go_when_the_client_is_made(serve: Serve, ca: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    server = serve(tls=context)
    with server.client(ca_bundle=bytes(bytearray(ca.cert_pem.bytes()))) as client:
        rubbish = [bytes(bytearray(2000)) for _ in range(100)]
        assert client.create_link_token(**FIELDS).link_token == TOKEN
        assert len(rubbish) == 100


def test_bytes_win_over_the_variables(monkeypatch: pytest.MonkeyPatch, ca_pem: bytes) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file")
    with Client(api_key=KEY, ca_bundle=ca_pem) as client:
        assert client.ca_bundle == ca_pem


def test_clients_of_the_modules_function_differ_by_the_bytes(serve: Serve, ca_pem: bytes) -> None:
    server = serve()
    for bundle in (ca_pem, ca_pem + b"\n", ca_pem):
        merge_link.create_link_token(
            **FIELDS, base_url=server.base_url, api_key=KEY, ca_bundle=bundle
        )
    assert server.connections == 2


@pytest.mark.parametrize("pem", [b"", b"no certificate", b"-----BEGIN CERTIFICATE---", b"\0\xff"])
def test_what_holds_no_certificate_is_refused_when_the_client_is_made(
    tmp_path: Path, pem: bytes
) -> None:
    path = tmp_path / "none.pem"
    path.write_bytes(pem)
    holds = "ca_bundle holds no certificate in PEM form"
    assert refusal(ca_bundle=pem) == f"{holds}: (bytes)"
    assert refusal(ca_bundle=path) == f"{holds}: {path}"


def test_certificates_that_cannot_be_decoded_trust_nobody(serve: Serve, ca: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    server = serve(tls=context)
    pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    with server.client(ca_bundle=pem) as client, pytest.raises(TLSError) as caught:
        client.create_link_token(**FIELDS)
    assert str(caught.value)
    assert server.received == b""


@pytest.mark.parametrize("way", ["ca_bundle", "SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_a_missing_ca_file_is_named_with_the_systems_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    path = str(tmp_path / "none")
    options = {way: path} if way.islower() else {}
    if way.isupper():
        monkeypatch.setenv(way, path)
    assert refusal(**options) == (
        f"ca_bundle cannot be read: {path}: No such file or directory {CA_VARIABLES}"
    )


def test_a_directory_must_be_hashed_and_how_to_do_that_is_told(
    serve: Serve, ca: trustme.CA, ca_pem: bytes, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(ca_pem)
    said = refusal(ca_bundle=tmp_path)
    assert said == (
        "ca_bundle is a directory without certificates under the hashes of their names; to make "
        f"them, run: openssl rehash {tmp_path}"
    )
    if shutil.which("openssl") is None:
        pytest.skip("needs the command openssl")
    subprocess.run(said.partition("run: ")[2].split(), check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    with serve(tls=context).client(ca_bundle=tmp_path) as client:
        assert client.create_link_token(**FIELDS).link_token == TOKEN


def test_a_key_in_a_path_is_masked() -> None:
    """An option that was given in the place of another."""
    with pytest.raises(ConfigurationError) as caught:
        Client(api_key=KEY, ca_bundle=f"/nowhere/{KEY}", client_cert=("x", "y", PASSWORD))
    assert KEY not in str(caught.value)
    with pytest.raises(ConfigurationError) as caught:
        Client(api_key=KEY, client_cert=(f"/nowhere/{PASSWORD}", "y", PASSWORD))
    assert str(caught.value).startswith("client_cert cannot be read: /nowhere/***")
