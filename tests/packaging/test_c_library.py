"""`make install-c`: the C library as a stranger's compiler finds it."""

import os
import re
from pathlib import Path

import pytest

from installing import ROOT, need, run
from merge_link import __version__
from merge_link.sandbox import Sandbox

LIBRARY = f"libmerge_link.so.{__version__}"
SONAME = "libmerge_link.so.0.1"
FILES = {
    "include/merge_link.h",
    "lib/libmerge_link.a",
    f"lib/{LIBRARY}",
    f"lib/{SONAME}",
    "lib/libmerge_link.so",
    "lib/pkgconfig/merge-link.pc",
}


def make(target: str, *variables: str) -> None:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    run("make", target, *variables, cwd=ROOT, env=kept)


def files_below(prefix: Path) -> set[str]:
    return {str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("usr")
    make("install-c", f"PREFIX={place}")
    return place


def flags(prefix: Path, *arguments: str) -> list[str]:
    path = os.pathsep.join([str(prefix / "lib/pkgconfig"), os.environ.get("PKG_CONFIG_PATH", "")])
    environment = {**os.environ, "PKG_CONFIG_PATH": path}
    return run(need("pkg-config"), *arguments, "merge-link", env=environment).split()


def test_exactly_these_files_are_installed(prefix: Path) -> None:
    assert files_below(prefix) == FILES
    assert (prefix / "lib/libmerge_link.so").readlink() == Path(SONAME)
    assert (prefix / "lib" / SONAME).readlink() == Path(LIBRARY)


def test_the_shared_library_has_its_soname_and_the_headers_functions_alone(prefix: Path) -> None:
    library = prefix / "lib" / LIBRARY
    assert f"soname: [{SONAME}]" in run(need("readelf"), "--dynamic", library)
    table = run(need("nm"), "--dynamic", "--defined-only", library)
    exported = {line.split()[-1] for line in table.splitlines()}
    header = (prefix / "include/merge_link.h").read_text()
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    assert exported == set(re.findall(r"\b(ml_\w+)\(", code))


def test_pkg_config_tells_the_version(prefix: Path) -> None:
    assert flags(prefix, "--modversion") == [__version__]


@pytest.mark.parametrize("way", ["shared", "static"])
def test_what_pkg_config_says_compiles_the_example(
    prefix: Path, sandbox: Sandbox, tmp_path: Path, way: str
) -> None:
    options = flags(prefix, "--cflags", "--libs")
    if way == "static":
        # Our library static, the system's as they come.
        options = [*flags(prefix, "--cflags"), "-l:libmerge_link.a", f"-L{prefix}/lib"]
        options += run(need("pkg-config"), "--libs", "libcurl", "libcjson").split()
    program = tmp_path / "create"
    example = ROOT / "csrc/examples/create.c"
    run(os.environ.get("CC", "cc"), "-Wall", "-Werror", example, *options, "-o", program)
    needed = run(need("readelf"), "--dynamic", program)
    assert (SONAME in needed) == (way == "shared")
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(prefix / "lib"),
        "MERGE_API_KEY": sandbox.api_key,
        "MERGE_BASE_URL": sandbox.base_url,
    }
    said = run(program, "hr@acme.example", "Acme", "acme-42", "ats", env=environment)
    assert re.match(r"link_token: \S{40}\n", said)


def test_static_linking_is_told_of_the_libraries_below(prefix: Path) -> None:
    assert {"-lcurl", "-lcjson"} <= set(flags(prefix, "--static", "--libs"))
    assert not {"-lcurl", "-lcjson"} & set(flags(prefix, "--libs"))


def test_destdir_is_no_part_of_what_is_installed(tmp_path: Path) -> None:
    make("install-c", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    assert files_below(tmp_path / "usr") == FILES
    assert str(tmp_path) not in (tmp_path / "usr/lib/pkgconfig/merge-link.pc").read_text()


def test_uninstalling_leaves_nothing(tmp_path: Path) -> None:
    make("install-c", f"PREFIX={tmp_path}")
    make("uninstall-c", f"PREFIX={tmp_path}")
    assert files_below(tmp_path) == set()
