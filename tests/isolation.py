"""Run a script of isolated/ in an interpreter of its own."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PATIENCE = 100.0


def run_script(name: str, *arguments: str, environment: dict[str, str] | None = None) -> str:
    """Return what the script prints; it must end well, with nothing on stderr."""
    path = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", str(HERE / "isolated" / name), *arguments],
        env={**os.environ, "PYTHONPATH": path, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    said = f"{name} {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, f"exit status {done.returncode}: {said}"
    assert done.stderr == "", said
    return done.stdout
