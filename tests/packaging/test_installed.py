"""The wheel in empty environments of every Python that this machine has."""

import json
import re
import subprocess
import sys
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


# ---- the pytest plugin ----

SUITE = """
import sys


def test_startup():
    assert not [name for name in sys.modules if name.partition(".")[0] == "merge_link"]


def test_linking(merge_link_sandbox, merge_link_client):
    link = merge_link_client.create_link_token(
        end_user_email_address="hr@acme.example", end_user_organization_name="Acme",
        end_user_origin_id="acme-42", categories=["ats"])
    assert len(merge_link_sandbox.complete_link(link.link_token, "greenhouse")) == 40
"""


def test_pytest_finds_the_fixtures_by_itself(wheel: Path, tmp_path: Path) -> None:
    python = install(sys.executable, tmp_path / "v", f"{wheel}[test]")
    (tmp_path / "test_it.py").write_text(SUITE)
    command = (python, "-W", "error", "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider")
    assert "2 passed" in run(*command, "test_it.py", env=bare_environment(), cwd=tmp_path)
    first = "import sys, merge_link, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    command = (python, "-W", "error", "-c", first, "-q", "-W", "error", "-k", "linking")
    assert "1 passed" in run(*command, env=bare_environment(), cwd=tmp_path)
