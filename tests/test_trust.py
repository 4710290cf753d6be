"""Where a key may go, and whom a client trusts, by its options and the environment."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

import merge_link
from samples import FIELDS, KEY
from scripted import Server

Serve = Callable[..., Server]
ELSEWHERE = "http://merge.example/api"


def test_allow_http_false_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERGE_ALLOW_HTTP", "1")
    assert merge_link.Client(api_key=KEY, base_url=ELSEWHERE).allow_http
    with pytest.raises(merge_link.ConfigurationError, match="unencrypted"):
        merge_link.Client(api_key=KEY, base_url=ELSEWHERE, allow_http=False)


def test_plain_http_to_loopback_through_a_remote_proxy_is_no_loopback() -> None:
    options = {"base_url": "http://localhost:9/api", "proxy": "http://proxy.example:3128"}
    with pytest.raises(merge_link.ConfigurationError, match="unencrypted"):
        merge_link.Client(api_key=KEY, **options)
    with pytest.raises(merge_link.ConfigurationError, match="production"):
        merge_link.Client(api_key="production_" + KEY, allow_http=True, **options)


def test_plain_http_to_loopback_through_a_proxy_on_loopback_is_allowed() -> None:
    merge_link.Client(api_key=KEY, base_url="http://localhost:9/api", proxy="http://127.0.0.1:9")


@pytest.mark.parametrize("proxy", ["ftp://proxy.example", "http://proxy.example:99999999", "[bad"])
def test_a_proxy_that_is_no_url_is_refused(proxy: str) -> None:
    with pytest.raises(merge_link.ConfigurationError, match="proxy must be a URL"):
        merge_link.Client(api_key=KEY, proxy=proxy)


def test_first_directory_of_a_list_that_is_there_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = tmp_path / "certs"
    there.mkdir()
    monkeypatch.setenv("SSL_CERT_DIR", f"/nowhere{os.pathsep}{there}{os.pathsep}{tmp_path}")
    assert merge_link.Client(api_key=KEY).ca_bundle == str(there)


def test_a_missing_directory_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    with pytest.raises(merge_link.ConfigurationError, match="SSL_CERT_DIR"):
        merge_link.Client(api_key=KEY)


def test_a_missing_client_certificate_is_found_when_the_client_is_made(tmp_path: Path) -> None:
    with pytest.raises(merge_link.ConfigurationError, match="client_cert"):
        merge_link.Client(api_key=KEY, client_cert=tmp_path / "none.pem")


def encrypted_certificate(ca: trustme.CA, path: Path) -> Path:
    issued = ca.issue_cert("client.example")
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a pass phrase")
    )
    path.write_bytes(locked + issued.cert_chain_pems[0].bytes())
    return path


def test_a_pass_phrase_is_not_asked_for_on_the_terminal(serve: Serve, tmp_path: Path) -> None:
    """In a terminal of its own: OpenSSL would read the phrase from /dev/tty, and wait."""
    server = serve()
    certificate = encrypted_certificate(trustme.CA(), tmp_path / "client.pem")
    code = (
        "import pty, sys\n"
        "pid, fd = pty.fork()\n"
        "if pid:\n"
        "    import os\n"
        "    said = b''\n"
        "    try:\n"
        "        while data := os.read(fd, 1000): said += data\n"
        "    except OSError: pass\n"
        "    print(said.decode()); sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
        "import merge_link\n"
        "base_url, certificate = sys.argv[1:3]\n"
        f"fields = {FIELDS!r}\n"
        f"client = merge_link.Client(api_key={KEY!r}, base_url=base_url, client_cert=certificate,"
        " timeout=5, max_retries=0)\n"
        "try:\n"
        "    client.create_link_token(**fields)\n"
        "except merge_link.TLSError as error:\n"
        "    print(error.code)\n"
    )
    base_url = server.base_url.replace("http://", "https://")
    run = subprocess.run(
        [sys.executable, "-c", code, base_url, str(certificate)],
        env={**os.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search("CURLE_(SSL_CERTPROBLEM|BAD_FUNCTION_ARGUMENT)", run.stdout)
    assert "pass phrase" not in run.stdout


def test_a_wrong_region_is_refused_beside_a_base_url_too() -> None:
    with pytest.raises(merge_link.ConfigurationError, match="region"):
        merge_link.Client(api_key=KEY, region="moon", base_url="https://merge.example/api")
