"""nginx with a fixed answer: plain, over TLS, and one that takes its time."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme

from .machine import pinned

PATH = "/api/ats/v1/link-token"
ANSWER = (
    '{"link_token":"necdP7FtdASl1fQwm62be2_dM4wBG8_GactqoUV0","integration_name":null,'
    '"magic_link_url":null}'
)
SLOW = 0.080  # seconds
PATIENCE = 10.0  # seconds until it must listen
TRIES = 5  # another process may take a port that was free a moment ago

CONFIGURATION = """
{load}
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    ssl_certificate server.pem;
    ssl_certificate_key server.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    server {{
        listen 127.0.0.1:{plain} backlog=4096;
        listen 127.0.0.1:{tls} ssl backlog=4096;
        location = {path} {{ return 200 '{answer}'; }}
    }}
{slow_server}
}}
"""
SLOW_SERVER = """
    server {{
        listen 127.0.0.1:{slow} backlog=4096;
        location = {path} {{ echo_sleep {seconds}; echo_exec @answer; }}
        location @answer {{ return 200 '{answer}'; }}
    }}
"""


@dataclass(frozen=True)
class Server:
    """A port of it, as clients are told."""

    base_url: str
    ca: str | None

    @property
    def url(self) -> str:
        """Of the endpoint."""
        return self.base_url.removesuffix("/api") + PATH


class Missing(Exception):
    """nginx is not on this machine."""


def program() -> str:
    """Where nginx is; administrators' folders are not on everybody's path."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Missing("nginx is missing: make system-bench installs it")
    return found


def echo_module() -> Path | None:
    """The module that lets it sleep, if it is on this machine."""
    said = subprocess.run([program(), "-V"], capture_output=True, text=True, check=True).stderr
    _, _, rest = said.partition("--modules-path=")
    folder = Path(rest.split()[0] if rest else "/usr/lib/nginx/modules")
    module = folder / "ngx_http_echo_module.so"
    return module if module.exists() else None


def version() -> str:
    said = subprocess.run([program(), "-v"], capture_output=True, text=True, check=True).stderr
    return said.strip().rpartition("/")[2].split()[0]


@contextlib.contextmanager
def serving(core: int | None) -> Iterator[dict[str, Server]]:
    """The servers by name, on this core, until the end of the block; slow only with the module."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # its worker may be another user
        write_certificates(folder)
        ports, process = start(folder, core)
        stack.callback(end, process)
        ca = str(folder / "ca.pem")
        yield {
            name: Server(f"https://127.0.0.1:{port}/api", ca)
            if name == "tls"
            else Server(f"http://127.0.0.1:{port}/api", None)
            for name, port in ports.items()
        }


def write_certificates(folder: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    made = authority.issue_cert("127.0.0.1")
    made.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))


def start(folder: Path, core: int | None) -> tuple[dict[str, int], subprocess.Popen[str]]:
    echo = echo_module()
    names = ["plain", "tls", *(["slow"] if echo else [])]
    for _ in range(TRIES):
        ports = dict(zip(names, free_ports(len(names)), strict=True))
        known = {**ports, "path": PATH, "answer": ANSWER, "seconds": SLOW}
        load = f"load_module {echo};" if echo else ""
        slow_server = SLOW_SERVER.format(**known) if echo else ""
        text = CONFIGURATION.format(**known, load=load, slow_server=slow_server)
        (folder / "nginx.conf").write_text(text)
        command = [program(), "-p", str(folder), "-c", "nginx.conf"]
        with pinned(core):
            process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        if listens(process, ports["plain"]):
            return ports, process
        process.terminate()
        said = process.communicate()[1]
        if "Address already in use" not in said:
            break
    raise SystemExit(f"nginx does not start:\n{said}")


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for made in sockets:
            made.bind(("127.0.0.1", 0))
        return [made.getsockname()[1] for made in sockets]


def listens(process: subprocess.Popen[str], port: int) -> bool:
    """Whether it does, at last: False when it has ended instead."""
    end_at = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end_at:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        time.sleep(0.01)
    return False


def end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate()
