"""The command line as tests call it: in this process, or as one of its own."""

import contextlib
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from merge_link.cli.program import program
from samples import KEY
from scripted import Server

BIN = Path(sys.executable).parent
PATIENCE = 60.0  # seconds until a process that should have ended gives up

END_USER = ["--email", "hr@acme.example", "--organization", "Acme", "--origin-id", "acme-42"]
GOOD = [*END_USER, "--category", "ats"]


def run(*arguments: str, environment: dict[str, str] | None = None, stdin: Any = None) -> Result:
    result = CliRunner().invoke(program, arguments, env=environment, input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def create(*arguments: str, environment: dict[str, str] | None = None, stdin: Any = None) -> Result:
    return run("create", *arguments, environment=environment, stdin=stdin)


def complaints(result: Result) -> list[str]:
    """The problems told on stderr, without the program's name; nothing was on stdout."""
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert all(line.startswith(("merge-link: ", "  ")) for line in lines)
    return [line.removeprefix("merge-link: ") for line in lines if not line.startswith("  ")]


def advice(result: Result) -> list[str]:
    """The lines of stderr that say what to do, below the problems."""
    return [line.strip() for line in result.stderr.splitlines() if line.startswith("  ")]


def process(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **options.pop("environment", {})}
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=PATIENCE, **options
    )


@contextlib.contextmanager
def scripted(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> Iterator[Server]:
    """A server that the environment points to, with a key."""
    with Server(*answers) as server:
        monkeypatch.setenv("MERGE_API_KEY", KEY)
        monkeypatch.setenv("MERGE_BASE_URL", server.base_url)
        yield server


class Terminal:
    """A command in a terminal of its own, where Ctrl-C is a key: what it says, what is typed."""

    _IN_TERMINAL = (
        "import fcntl, os, sys, termios\n"
        "os.setsid()\n"
        "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
        "os.execv(sys.argv[1], sys.argv[1:])\n"
    )

    def __init__(self, arguments: list[str | Path], environment: dict[str, str]) -> None:
        self._reading, writing = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", self._IN_TERMINAL, *map(str, arguments)],
            stdin=writing,
            stdout=writing,
            stderr=writing,
            env=environment,
        )
        os.close(writing)
        self.said = b""

    def read_until(self, words: bytes) -> None:
        while words not in self.said:
            self.said += os.read(self._reading, 4096)

    def press_ctrl_c(self) -> None:
        os.write(self._reading, b"\x03")

    def end(self) -> int:
        with contextlib.suppress(OSError):  # the last of them has left
            while data := os.read(self._reading, 4096):
                self.said += data
        os.close(self._reading)
        return self.process.wait(PATIENCE)
