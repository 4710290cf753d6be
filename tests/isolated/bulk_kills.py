"""A bulk run against a sandbox on its bad days, killed three times at random, and gone on with.

Its arguments are how many rows there are, and a seed. Then each row is in the output, once.
"""

import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from merge_link.sandbox import Sandbox

MERGE_LINK = Path(sys.executable).parent / "merge-link"
PATIENCE = 1800.0
KILLS = 3


def write_table(path: Path, count: int) -> None:
    lines = [
        f'hr@{number}.example,"Größe, ""{number}""",row-{number},"ats,hris",c-{number}\n'
        for number in range(1, count + 1)
    ]
    header = "end_user_email_address,end_user_organization_name,end_user_origin_id,categories"
    path.write_text(f"{header},Customer\n{''.join(lines)}")


def spoil(sandbox: Sandbox, dice: random.Random) -> None:
    """A bad day, for some requests."""
    times = dice.randrange(1, 5)
    match dice.randrange(6):
        case 0:
            sandbox.fail(dice.choice([500, 502, 503]), times=times)
        case 1:
            sandbox.fail(429, retry_after=0, times=times)
        case 2:
            sandbox.drop(dice.choice(["before", "headers", "body"]), times=times)
        case 3:
            sandbox.garble(times=times)
        case 4:
            sandbox.fail(400, body={"non_field_errors": ["Not today."]}, times=times)
        case 5:
            sandbox.fail(502, body="<html><title>Proxy</title>", times=times)


class Killer:
    """Counts the requests; kills a process after some of them, and lets others fail."""

    def __init__(self, seed: int, every: int) -> None:
        self.dice = random.Random(seed)
        self.every = every
        self.sandbox: Sandbox | None = None
        self._lock = threading.Lock()
        self._left = 0
        self._process: subprocess.Popen[bytes] | None = None

    def aim_at(self, process: subprocess.Popen[bytes], after: int) -> None:
        with self._lock:
            self._process, self._left = process, after

    def __call__(self, request: object) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0 and self._process is not None:
                self._process.send_signal(signal.SIGKILL)
            if self.sandbox is not None and self.dice.randrange(self.every) == 0:
                spoil(self.sandbox, self.dice)


def run(directory: Path, sandbox: Sandbox, *arguments: str) -> subprocess.Popen[bytes]:
    command = [MERGE_LINK, "bulk", "people.csv", "-o", "tokens.csv", "--keep-column", "Customer"]
    environment = {
        **os.environ,
        "MERGE_API_KEY": sandbox.api_key,
        "MERGE_BASE_URL": sandbox.base_url,
    }
    return subprocess.Popen(
        [*command, *arguments],
        cwd=directory,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def end_of(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    _, said = process.communicate(timeout=PATIENCE)
    return process.returncode, said.decode()


def check(directory: Path, sandbox: Sandbox, count: int) -> None:
    with (directory / "tokens.csv").open(newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    numbers = sorted(int(row["input_row"]) for row in rows)
    assert numbers == list(range(1, count + 1)), f"{len(numbers)} rows"
    assert len({row["link_token"] for row in rows}) == count
    for row in rows:
        number = row["input_row"]
        assert row["end_user_origin_id"] == f"row-{number}"
        assert row["end_user_organization_name"] == f'Größe, "{number}"'
        assert row["Customer"] == f"c-{number}"
    assert not (directory / "tokens.failed.csv").exists()
    names = {path.name for path in directory.iterdir()}
    assert names == {"people.csv", "tokens.csv", "tokens.csv.state"}, names


def main(count: int, seed: int) -> None:
    print(f"seed {seed}", flush=True)
    killer = Killer(seed, every=max(10, count // 100))
    with tempfile.TemporaryDirectory() as name, Sandbox(on_request=killer) as sandbox:
        directory = Path(name)
        write_table(directory / "people.csv", count)
        killer.sandbox = sandbox
        options: tuple[str, ...] = ()
        for _ in range(KILLS):
            process = run(directory, sandbox, *options)
            killer.aim_at(process, after=killer.dice.randrange(1, count // KILLS))
            code, said = end_of(process)
            assert code == -signal.SIGKILL, f"exit code {code}: {said}"
            options = ("--resume",)
        killer.aim_at(process, after=0)
        code, said = end_of(run(directory, sandbox, "--resume"))
        assert code in (0, 6), f"exit code {code}: {said}"
        killer.sandbox = None
        sandbox.clear_faults()
        code, said = end_of(run(directory, sandbox, "--retry-failed"))
        assert code == 0, f"exit code {code}: {said}"
        check(directory, sandbox, count)
    print(f"{count} rows, each once, after {KILLS} kills")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32))
