"""One process that is measured: it follows orders (a script, a C program), or makes a token."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from .machine import pinned
from .plan import Subject
from .servers import Server

SUBJECTS = Path(__file__).parent / "subjects"
KEY = "test_" + "k" * 40
# Nothing of the caller's: neither a proxy nor another key, and no file for coverage.
ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Place:
    """Where subjects run: the Python with the peers, the folder of the C programs, the core."""

    python: str
    programs: Path
    core: int | None
    user_agent: str  # of merge-link: the C programs send the same
    under: tuple[str, ...] = ()  # a command that runs theirs

    wheel: str | None = None  # the Python with merge-link's wheel

    def command(self, subject: Subject) -> list[str]:
        script = SUBJECTS / f"{subject.script}.py"
        if not script.exists():
            return [*self.under, str(self.programs / subject.script)]
        python = self.wheel if subject.is_wheel and self.wheel else self.python
        return [*self.under, python, str(script)]


def user_agent(python: str) -> str:
    """What merge-link calls itself there."""
    code = "import merge_link; print(merge_link.Client(api_key='test_k').user_agent)"
    command = [python, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    return done.stdout.strip()


class Worker:
    """A subject that is connected and warm, and measures when it is told to."""

    def __init__(self, place: Place, subject: Subject, server: Server, warm_up: int) -> None:
        task = {
            "url": server.url,
            "base_url": server.base_url,
            "ca": server.ca,
            "key": KEY,
            "user_agent": place.user_agent,
            "at_once": subject.at_once,
            "warm_up": warm_up,
            **subject.task,
        }
        with pinned(place.core):
            self._process = subprocess.Popen(
                [*place.command(subject), json.dumps(task)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=ENVIRONMENT,
            )
        self._name = subject.name
        if self._line() != "ready\n":
            self._process.communicate()
            raise SystemExit(f"{self._name} did not get ready")

    def measure(self, calls: int) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{calls}\n")
        self._process.stdin.flush()
        line = self._line()
        if not line:
            raise SystemExit(f"{self._name} ended while it was measured")
        told: dict[str, Any] = json.loads(line)
        return told

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()


def first_token(place: Place, subject: Subject, server: Server) -> dict[str, float]:
    """Seconds from the start of the interpreter to the first token, and resident bytes then.

    The CPU time is that of the whole process, its end included.
    """
    read, write = os.pipe()
    arguments = [server.url, server.base_url, KEY, server.ca or ""]
    with pinned(place.core):
        begin = time.perf_counter()
        process = subprocess.Popen(
            [*place.command(subject), *arguments], stdout=write, env=ENVIRONMENT
        )
    os.close(write)
    with open(read, "rb", buffering=0) as pipe:
        said = pipe.read(1)
        wall = time.perf_counter() - begin
        resident = pipe.readall()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if said != b"." or process.returncode != 0:
        sys.exit(f"{subject.name} made no first token")
    return {
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "resident": float(resident),
    }
