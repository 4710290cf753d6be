"""What is handed out, as strangers get it: the wheel, the sdist, the C library.

`make check-wheel` builds what these tests look at and runs them; `make test` leaves them out.
"""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from installing import PYTHONS, TlsFront, TlsSandbox, install, only, version_of
from merge_link.sandbox import Sandbox

if TYPE_CHECKING:
    from conftest import Tls


@pytest.fixture(scope="session")
def wheel() -> Path:
    return only("wheelhouse", "*.whl")


@pytest.fixture(scope="session")
def sdist() -> Path:
    return only("dist", "*.tar.gz")


@pytest.fixture(scope="session", params=PYTHONS, ids=version_of)
def installed(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The Python of an environment that holds the wheel with its extras, one for each version."""
    place = tmp_path_factory.mktemp("venv") / "v"
    return install(request.param, place, f"{wheel}[sandbox,cli]")


@pytest.fixture(scope="session")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds the wheel and nothing else."""
    return install(sys.executable, tmp_path_factory.mktemp("alone") / "v", str(wheel))


@pytest.fixture(scope="session")
def tls_sandbox(tls: "Tls") -> Iterator[TlsSandbox]:
    with Sandbox() as sandbox, TlsFront(tls.context, int(sandbox.url.rpartition(":")[2])) as front:
        threading.Thread(target=front.serve_forever, daemon=True).start()
        base_url = f"https://127.0.0.1:{front.server_address[1]}/api"
        yield TlsSandbox(base_url, sandbox.api_key, tls.ca_file)
        front.shutdown()
