"""setup.py on machines that lack something: a clear word, and nothing tried before it."""

import os
import subprocess
import sys
from pathlib import Path

SETUP = Path(__file__).resolve().parent.parent / "setup.py"


def refusal(code: str, **environment: str) -> str:
    program = f"import runpy, sys\n{code}\nrunpy.run_path({str(SETUP)!r})"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=SETUP.parent,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_windows_is_refused_before_anything_is_looked_for() -> None:
    """Not even setuptools is asked for, nor pkg-config, which Windows has not."""
    code = "sys.platform = 'win32'; sys.modules['setuptools'] = None"
    assert refusal(code, PKG_CONFIG="/nowhere") == (
        "merge-link: Windows is not supported; it works in WSL\n"
    )


def test_a_missing_pkg_config_is_named_with_its_package() -> None:
    assert "apt-get install pkg-config" in refusal("sys.argv[1:] = ['-q']", PKG_CONFIG="/nowhere")


def test_missing_libraries_are_named_with_their_packages() -> None:
    said = refusal("sys.argv[1:] = ['-q']", PKG_CONFIG_LIBDIR="/nowhere", PKG_CONFIG_PATH="")
    assert "libcurl4-openssl-dev libcjson-dev" in said
