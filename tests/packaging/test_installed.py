"""The wheel in empty environments of every Python that this machine has."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from installing import PYTHONS, TlsSandbox, bare_environment, install, run, version_of

HERE = Path(__file__).parent
BUNDLED = re.compile(r"/lib(curl|cjson|nghttp2|ssl|crypto|z)[-.\w]*\.so")


def test_there_are_pythons_to_try() -> None:
    assert PYTHONS


def test_a_token_is_made_over_tls_with_no_library_of_the_machine(
    installed: Path, tls_sandbox: TlsSandbox, tmp_path: Path
) -> None:
    said = json.loads(
        run(installed, HERE / "probe.py", *tls_sandbox, env=bare_environment(), cwd=tmp_path)
    )
    assert said["length"] == 40
    assert said["tls"] > 0
    assert said["core"].startswith(str(installed.parent.parent))
    assert said["core"] in said["mapped"]
    assert [path for path in said["mapped"] if BUNDLED.search(path)] == []


def test_the_command_makes_a_token_in_the_sandbox(installed: Path, tmp_path: Path) -> None:
    said = run(
        *(installed.parent / "merge-link", "create", "--sandbox", "--email", "hr@acme.example"),
        *("--organization", "Acme", "--origin-id", "acme-42", "--category", "ats"),
        env=bare_environment(),
        cwd=tmp_path,
    )
    assert re.match(r"Link token +\S{40}\n", said)


def test_the_package_alone_says_which_extra_is_missing(alone: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [alone.parent / "merge-link"],
        env=bare_environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "merge-link[cli]" in done.stderr


# ---- other OpenSSLs in the process ----


@pytest.mark.parametrize("order", ["ssl first", "merge_link first"])
def test_pythons_openssl_and_the_wheels_work_side_by_side(
    installed: Path, tls_sandbox: TlsSandbox, order: str
) -> None:
    said = run(installed, HERE / "side_by_side.py", order, *tls_sandbox, env=bare_environment())
    assert said == "ok\n"


def test_the_openssls_of_other_packages_work_beside_the_wheels(
    wheel: Path, tls_sandbox: TlsSandbox, tmp_path: Path
) -> None:
    python = install(PYTHONS[0], tmp_path / "v", str(wheel), "cryptography", "psycopg2-binary")
    for order in ("others first", "merge_link first"):
        assert run(python, HERE / "side_by_side.py", order, *tls_sandbox) == "ok\n"


def test_a_compiler_is_not_needed_by_accident() -> None:
    """What the other tests here rely on: these environments have none."""
    found = subprocess.run(
        [PYTHONS[0], "-c", "import shutil; print(shutil.which('cc'))"],
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert (found.stdout, version_of(PYTHONS[0])) == ("None\n", version_of(PYTHONS[0]))
