"""Commands, empty environments and a sandbox behind TLS, for the tests of what is handed out."""

import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 300.0  # seconds until a command that should have ended gives up


def run(*command: str | Path, **options: Any) -> str:
    """Return what a command prints on stdout; it must end well."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **options)
    said = f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, f"exit status {done.returncode}: {said}"
    return done.stdout


def only(folder: str, pattern: str) -> Path:
    found = list((ROOT / folder).glob(pattern))
    assert len(found) == 1, f"{folder}/{pattern}: {len(found)} files; make check-wheel builds it"
    return found[0]


def need(tool: str) -> str:
    path = shutil.which(tool)
    assert path, f"{tool} is missing; make check-wheel installs it"
    return path


# ---- empty environments ----

PYTHONS = run(ROOT / "scripts/find-pythons", cwd=ROOT).split()


def version_of(python: str | Path) -> str:
    return run(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()


def bare_environment() -> dict[str, str]:
    """No compiler, no tool and no setting of this person is at hand, but for pip's and proxies."""
    kept = [name for name in os.environ if name.startswith("PIP_") or name.endswith("_proxy")]
    return {"PATH": "/nowhere", "CC": "/nowhere/cc", **{name: os.environ[name] for name in kept}}


def install(python: str | Path, place: Path, *what: str) -> Path:
    """Make an empty environment and install into it; return its Python."""
    run(python, "-m", "venv", place)
    inside = place / "bin" / "python"
    pip = [inside, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    home = {"HOME": os.environ.get("HOME", "/")}
    run(*pip, "--only-binary=:all:", *what, env=bare_environment() | home, cwd=place)
    return inside


# ---- a sandbox behind TLS ----


class TlsSandbox(NamedTuple):
    base_url: str
    api_key: str
    ca_file: str


class TlsFront(socketserver.ThreadingTCPServer):
    """Takes TLS off what comes in and hands it on to a port of this machine, and back."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Splice)
        self.context = context
        self.inner_port = port


class _Splice(socketserver.BaseRequestHandler):
    server: TlsFront

    def handle(self) -> None:
        inner = socket.create_connection(("127.0.0.1", self.server.inner_port))
        with suppress(OSError), inner:
            outer = self.server.context.wrap_socket(self.request, server_side=True)
            with outer:
                back = threading.Thread(target=self.copy, args=(inner, outer), daemon=True)
                back.start()
                self.copy(outer, inner)
                back.join()

    @staticmethod
    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)
