"""The wheel finds the machine's CA certificates where each distribution keeps them.

Each layout is made of a made-up root, and takes the place of /etc for one process.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from installing import TlsSandbox, bare_environment, need, run

HERE = Path(__file__).parent


class Machine:
    """What a distribution lays below /etc, and below /var/lib, which SUSE's /etc points to."""

    def __init__(self, root: Path, ca_file: str) -> None:
        self.etc = root / "etc"
        self.var_lib = root / "var_lib"
        self.var_lib.mkdir()
        shutil.copytree(
            "/etc", self.etc, symlinks=True, ignore=_trust_and_private, dirs_exist_ok=True
        )
        self._ca_file = ca_file
        digest = run(need("openssl"), "x509", "-noout", "-hash", "-in", ca_file).strip()
        self._hashed_name = f"{digest}.0"

    def bundle(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self._ca_file, path)

    def hashed(self, directory: Path) -> None:
        self.bundle(directory / "made-up-root.pem")
        (directory / self._hashed_name).symlink_to("made-up-root.pem")

    @staticmethod
    def link(path: Path, target: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)


def _trust_and_private(folder: str, names: list[str]) -> set[str]:
    """Leave out this machine's certificates, and what this person may not read."""
    unreadable = {name for name in names if not os.access(os.path.join(folder, name), os.R_OK)}
    return unreadable | ({"ssl", "pki"} & set(names) if folder == "/etc" else set())


def debian(machine: Machine) -> None:
    machine.hashed(machine.etc / "ssl/certs")
    machine.bundle(machine.etc / "ssl/certs/ca-certificates.crt")


def fedora(machine: Machine) -> None:
    pem = machine.etc / "pki/ca-trust/extracted/pem"
    machine.hashed(pem / "directory-hash")
    red_hat(machine)


def red_hat(machine: Machine) -> None:
    extracted = "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"
    machine.bundle(machine.etc / extracted.removeprefix("/etc/"))
    machine.link(machine.etc / "pki/tls/certs/ca-bundle.crt", extracted)
    machine.link(machine.etc / "pki/tls/cert.pem", extracted)
    machine.link(machine.etc / "ssl/certs", "../pki/tls/certs")


def alpine(machine: Machine) -> None:
    machine.hashed(machine.etc / "ssl/certs")
    alpine_without_the_tool(machine)


def alpine_without_the_tool(machine: Machine) -> None:
    machine.bundle(machine.etc / "ssl/certs/ca-certificates.crt")
    machine.link(machine.etc / "ssl/cert.pem", "certs/ca-certificates.crt")


def suse(machine: Machine) -> None:
    kept = machine.var_lib / "ca-certificates"
    machine.hashed(kept / "pem")
    machine.bundle(kept / "ca-bundle.pem")
    machine.link(machine.etc / "ssl/certs", "../../var/lib/ca-certificates/pem")
    machine.link(machine.etc / "ssl/ca-bundle.pem", "/var/lib/ca-certificates/ca-bundle.pem")


def suse_with_the_bundle_alone(machine: Machine) -> None:
    machine.bundle(machine.var_lib / "ca-certificates/ca-bundle.pem")
    machine.link(machine.etc / "ssl/ca-bundle.pem", "/var/lib/ca-certificates/ca-bundle.pem")


LAYOUTS: dict[Callable[[Machine], None], str] = {
    debian: "/etc/ssl/certs",
    fedora: "/etc/pki/ca-trust/extracted/pem/directory-hash",
    red_hat: "/etc/pki/tls/certs/ca-bundle.crt",
    alpine: "/etc/ssl/certs",
    alpine_without_the_tool: "/etc/ssl/certs/ca-certificates.crt",
    suse: "/etc/ssl/certs",
    suse_with_the_bundle_alone: "/etc/ssl/ca-bundle.pem",
}


@pytest.fixture(scope="module")
def unshare() -> list[str]:
    """How a process gets mounts of its own: as root, else as the root of a user namespace."""
    for command in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        try:
            tried = subprocess.run(
                [*command, "mount", "--bind", "/etc", "/etc"], capture_output=True
            )
        except FileNotFoundError:
            pytest.skip("the command unshare is not there")
        if tried.returncode == 0:
            return command
    pytest.skip("this person may not mount, not even in a namespace of their own")


def probe(
    unshare: list[str], machine: Machine, python: Path, sandbox: TlsSandbox
) -> "subprocess.CompletedProcess[str]":
    script = 'mount --bind "$1" /etc; mount --bind "$2" /var/lib; shift 2; exec "$@"'
    command = ["/bin/sh", "-euc", script, "sh", machine.etc, machine.var_lib]
    command += [python, HERE / "probe.py", sandbox.base_url, sandbox.api_key]
    environment = bare_environment() | {"PATH": os.environ["PATH"]}
    return subprocess.run([*unshare, *command], env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_the_machines_certificates_are_found(
    layout: Callable[[Machine], None],
    unshare: list[str],
    alone: Path,
    tls_sandbox: TlsSandbox,
    tmp_path: Path,
) -> None:
    machine = Machine(tmp_path, tls_sandbox.ca_file)
    layout(machine)
    done = probe(unshare, machine, alone, tls_sandbox)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["ca_bundle"] == LAYOUTS[layout]
    assert said["length"] == 40


def test_a_machine_without_certificates_trusts_nobody(
    unshare: list[str], alone: Path, tls_sandbox: TlsSandbox, tmp_path: Path
) -> None:
    """So that in the test above it is the layout that makes the root trusted."""
    done = probe(unshare, Machine(tmp_path, tls_sandbox.ca_file), alone, tls_sandbox)
    assert done.returncode == 1
    assert "merge_link.errors.TLSError" in done.stderr
