"""Fixtures of all tests."""

import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme

import merge_link
from merge_link.sandbox import Sandbox
from scripted import Server

PACKAGING = Path(__file__).parent / "packaging"


def pytest_configure() -> None:
    """A shell that starts the tests in the background has Ctrl-C ignored, by all children too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what needs a built wheel, unless it is named, as `make check-wheel` does."""
    named = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    if collection_path == PACKAGING and not any(path.is_relative_to(PACKAGING) for path in named):
        return True
    return None


_OURS = ("MERGE_", "SSL_CERT_")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings of the person who runs it."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[merge_link.Client]:
    with sandbox.client() as made:
        yield made


class Tls(NamedTuple):
    """What a server on loopback needs for TLS, also as a file, and the file of its authority."""

    context: ssl.SSLContext
    server_file: str
    ca_file: str


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    server_file, ca_file = (str(tmp_path_factory.mktemp("tls") / "it.pem") for _ in range(2))
    authority.cert_pem.write_to_path(ca_file)
    for blob in (certificate.private_key_and_cert_chain_pem, authority.cert_pem):
        blob.write_to_path(server_file, append=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return Tls(context, server_file, ca_file)


def build_shim(name: str, directory: Path) -> dict[str, str]:
    """Build a library of isolated/; the environment that comes back puts it to work."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("a shim needs a C compiler")
    source = Path(__file__).parent / "isolated" / f"{name}.c"
    library = str(directory / f"{name}.so")
    command = [compiler, "-shared", "-fPIC", "-D_GNU_SOURCE", str(source), "-o", library, "-ldl"]
    subprocess.run(command, check=True)
    return {"LD_PRELOAD": " ".join(filter(None, (os.environ.get("LD_PRELOAD"), library)))}


@pytest.fixture(scope="session")
def lookup_shim(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Names are looked up as a test wants it."""
    return build_shim("lookup", tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="session")
def bare_shim(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The machine seems to have no CA certificates."""
    return build_shim("bare", tmp_path_factory.mktemp("shim"))


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start scripted servers, which close when the test ends."""
    with ExitStack() as stack:

        def start(*answers: Any, **options: Any) -> Server:
            return stack.enter_context(Server(*answers, **options))

        yield start


UNDER_ASAN = "MERGE_LINK_TEST_ASAN" in os.environ


@pytest.fixture
def no_greenlets_under_asan(request: pytest.FixtureRequest) -> None:
    """greenlet copies stacks to and fro, which AddressSanitizer takes for an overflow."""
    if UNDER_ASAN and "gevent" in request.node.name:
        pytest.skip("greenlets cannot run under AddressSanitizer")


@pytest.fixture
def leaks_of_lost_threads_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the calls of other threads hold at a fork is lost in the child, and cannot be freed."""
    if UNDER_ASAN:
        monkeypatch.setenv("ASAN_OPTIONS", os.environ["ASAN_OPTIONS"] + ":detect_leaks=0")
