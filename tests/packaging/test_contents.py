"""What the wheel and the sdist hold: all that they must, and nothing else."""

import json
import re
import subprocess
import tarfile
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

import merge_link
from installing import ROOT, need, run

VERSION = merge_link.__version__
DIST_INFO = f"merge_link-{VERSION}.dist-info"
PACKAGE = [path.relative_to(ROOT) for path in (ROOT / "merge_link").rglob("*.py*")]
PAGES = [path.relative_to(ROOT) for path in (ROOT / "merge_link/sandbox/pages").iterdir()]
SOURCES = {str(path) for path in [*PACKAGE, *PAGES] if path.suffix not in (".pyc", ".so")} | {
    "merge_link_pytest.py"
}

# What each library's licence must say, so that no wrong or cut text goes out with it.
LICENSES = {
    "curl": "Daniel Stenberg",
    "nghttp2": "Tatsuhiro Tsujikawa",
    "cjson": "Dave Gamble",
    "openssl": "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION",
    "zlib": "Jean-loup Gailly and Mark Adler",
}

EXPECTED = {
    *SOURCES,
    "merge_link/py.typed",
    "merge_link/_core.abi3.so",
    *(f"{DIST_INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD")),
    *(f"{DIST_INFO}/{name}" for name in ("entry_points.txt", "top_level.txt")),
    f"{DIST_INFO}/licenses/LICENSE",
    *(f"{DIST_INFO}/licenses/bundled/{name}.txt" for name in LICENSES),
    f"{DIST_INFO}/sboms/bundled.cdx.json",
}


@pytest.fixture
def opened(wheel: Path) -> ZipFile:
    with ZipFile(wheel) as archive:
        yield archive


@pytest.fixture
def extension(opened: ZipFile, tmp_path: Path) -> Path:
    return Path(opened.extract("merge_link/_core.abi3.so", tmp_path))


def metadata(opened: ZipFile, name: str) -> dict[str, list[str]]:
    message = Parser().parsestr(opened.read(f"{DIST_INFO}/{name}").decode())
    return {key: message.get_all(key) for key in message}


# ---- the wheel ----


def test_one_wheel_serves_every_python_from_3_11_on(wheel: Path, opened: ZipFile) -> None:
    pattern = rf"merge_link-{re.escape(VERSION)}-cp311-abi3-manylinux_2_\d+_(x86_64|aarch64)\.whl"
    assert re.fullmatch(pattern, wheel.name)
    assert metadata(opened, "WHEEL")["Tag"] == [wheel.stem.split("-", 2)[2]]


def test_the_wheel_holds_the_package_and_the_licences_and_nothing_else(opened: ZipFile) -> None:
    assert {name for name in opened.namelist() if not name.endswith("/")} == EXPECTED


def test_the_wheel_is_of_this_checkout(opened: ZipFile) -> None:
    for name in SOURCES:
        assert opened.read(name) == (ROOT / name).read_bytes(), name


def test_the_wheel_asks_for_no_other_package(opened: ZipFile) -> None:
    needed = metadata(opened, "METADATA")["Requires-Dist"]
    assert [line for line in needed if "extra ==" not in line] == []


def test_the_licence_of_each_library_is_there(opened: ZipFile) -> None:
    for name, words in LICENSES.items():
        assert words in opened.read(f"{DIST_INFO}/licenses/bundled/{name}.txt").decode()


def test_the_list_of_libraries_names_the_versions_that_are_inside(
    opened: ZipFile, alone: Path
) -> None:
    document = json.loads(opened.read(f"{DIST_INFO}/sboms/bundled.cdx.json"))
    listed = {component["name"]: component["version"] for component in document["components"]}
    assert listed.keys() == LICENSES.keys()
    code = "import merge_link._core, json; print(json.dumps(merge_link._core.versions()))"
    inside = json.loads(run(alone, "-c", code))
    assert (inside["libcurl"], inside["cjson"]) == (listed["curl"], listed["cjson"])


# ---- the extension ----


def test_the_wheel_needs_the_c_library_and_nothing_else_of_the_machine(extension: Path) -> None:
    entries = run(need("readelf"), "--dynamic", "--wide", extension)
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", entries)
    assert [name for name in needed if not re.match(r"(libc|libm|ld-linux-[\w-]+)\.so", name)] == []
    assert not re.search(r"\((RPATH|RUNPATH)\)", entries)


def symbols(extension: Path) -> list[tuple[str, str]]:
    """Return section and name of each symbol that the loader sees."""
    table = run(need("readelf"), "--dyn-syms", "--wide", extension)
    rows = [line.split() for line in table.splitlines()]
    return [(row[6], row[7]) for row in rows if len(row) > 7 and row[0][:-1].isdigit()]


def test_only_the_entry_is_seen_from_outside(extension: Path) -> None:
    assert [name for section, name in symbols(extension) if section != "UND"] == ["PyInit__core"]


def test_nothing_but_python_and_the_c_library_is_looked_up_outside(extension: Path) -> None:
    """So neither Python's OpenSSL nor another in the process can take the place of the wheel's."""
    undefined = [name for section, name in symbols(extension) if section == "UND"]
    weak = r"__gmon_start__|_ITM_\w+|__cxa_finalize"
    foreign = [name for name in undefined if not re.match(rf"_?Py|\w+@GLIBC_|{weak}", name)]
    assert foreign == []


def test_debug_information_and_paths_of_the_build_are_left_out(extension: Path) -> None:
    sections = run(need("readelf"), "--sections", "--wide", extension)
    assert ".debug_" not in sections
    assert ".symtab" not in sections
    assert str(ROOT).encode() not in extension.read_bytes()


def test_the_stable_abi_is_kept(wheel: Path) -> None:
    run(need("abi3audit"), "--strict", "--assume-minimum-abi3", "3.11", wheel)


# ---- the sdist ----

GENERATED = {"PKG-INFO", "setup.cfg"}


def test_the_sdist_holds_the_repository_and_nothing_else(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    held = {name for name in names if not name.startswith("merge_link.egg-info/")}
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if kept.returncode:
        pytest.skip("no git repository to compare with")
    assert held == set(kept.stdout.splitlines()) | GENERATED


def test_the_sdist_can_be_installed(sdist: Path, tmp_path: Path) -> None:
    place = tmp_path / "v"
    run("python3", "-m", "venv", place)
    run(place / "bin/pip", "install", "-q", "--disable-pip-version-check", sdist, cwd=tmp_path)
    code = "import merge_link; print(merge_link.__version__)"
    assert run(place / "bin/python", "-c", code, cwd=tmp_path).strip() == VERSION


# ---- other platforms ----


@pytest.mark.parametrize(
    ("platform", "archs", "expected"),
    [
        ("linux", "x86_64", {"cp311-manylinux_x86_64", "cp311-musllinux_x86_64"}),
        ("linux", "aarch64", {"cp311-manylinux_aarch64", "cp311-musllinux_aarch64"}),
        ("macos", "x86_64,arm64", {"cp311-macosx_x86_64", "cp311-macosx_arm64"}),
        ("windows", "AMD64", set()),
    ],
)
def test_cibuildwheel_reads_its_settings(platform: str, archs: str, expected: set[str]) -> None:
    command = [need("cibuildwheel"), "--print-build-identifiers", "--allow-empty"]
    said = run(*command, "--platform", platform, "--archs", archs, cwd=ROOT)
    assert set(said.split()) == expected
