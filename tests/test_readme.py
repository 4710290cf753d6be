"""README.md is true: its snippets and commands are run, and its tables say what the code has.

- The ``python`` blocks run one after the other as one script, against a sandbox that the
  environment names; a block with ``import pytest`` is run by pytest. A ``text`` block after one is
  what it prints.
- The commands of ``console`` blocks run in a shell, and the lines after a command are what it
  prints (stdout and stderr); ``[exit code N]`` is how it ends. `ELSEWHERE` lists those that others
  run.
- In both, ``…`` stands for anything.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import merge_link
from documents import (
    Block,
    Command,
    assert_does_what_is_shown,
    assert_matches,
    blocks_of,
    commands_of,
    environment_with,
    in_place,
    is_test,
    run,
    table_of,
)
from merge_link.sandbox import Sandbox

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"

# Commands that set up a machine, and who runs them instead.
ELSEWHERE = {
    "sudo apt-get install gcc pkg-config python3-dev libcurl4-openssl-dev libcjson-dev": (
        "scripts/system-packages installs the same packages"
    ),
    "pip install .": "`make test-pythons` installs the wheel that is built from the sdist",
    "make wheel": "`make check-wheel`, which also does what follows in the README:",
    "python3 -m venv v": "tests/packaging/test_installed.py",
    'v/bin/pip install "$(echo wheelhouse/merge_link-*.whl)[cli]"': "the same",
    "v/bin/merge-link create --sandbox --email hr@acme.example --organization Acme "
    "--origin-id acme-42 --category ats": "the same",
    "sudo make install-c && sudo ldconfig": "tests/packaging/test_c_library.py",
    "cc csrc/examples/create.c $(pkg-config --cflags --libs merge-link) -o create": "the same",
    "make demo": "its one command is in the README by itself",
    "make test": ".ci/run",
    "make examples": "built here by the compiler alone",
}


def blocks() -> list[Block]:
    return blocks_of(README)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def environment(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    return environment_with(sandbox, tmp_path)


# ---- python ----


def test_python_blocks_run_and_print_what_is_shown(
    environment: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "merge-key").write_text(sandbox.api_key + "\n")
    shown = [block for block in blocks() if block.language in ("python", "text")]
    scripts = [block for block in shown if block.language == "python" and not is_test(block)]
    assert len(scripts) >= 4
    script = tmp_path / "README.py"
    script.write_text(in_place(scripts))
    done = run(sys.executable, "-W", "error", script, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert_matches(done.stdout, "".join(block.text for block in shown if block.language == "text"))


def test_the_example_of_a_test_passes(environment: dict[str, str], tmp_path: Path) -> None:
    (block,) = (block for block in blocks() if block.language == "python" and is_test(block))
    (tmp_path / "test_example.py").write_text(block.text)
    environment = {name: text for name, text in environment.items() if name[:6] != "MERGE_"}
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    done = run(*command, f"--rootdir={tmp_path}", tmp_path, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert f"{block.text.count('def test_')} passed" in done.stdout


# ---- console ----


HERE = [command for command in commands_of(README) if command.text not in ELSEWHERE]


@pytest.mark.parametrize("command", HERE, ids=lambda command: command.text[:50])
def test_commands_do_what_is_shown(
    command: Command, environment: dict[str, str], tmp_path: Path
) -> None:
    if command.text.startswith("build/examples/"):
        build_example(tmp_path, environment)
    (object_shown,) = (block.text for block in blocks() if block.language == "json")
    (tmp_path / "user.json").write_text(object_shown)
    assert_does_what_is_shown(command, env=environment, cwd=tmp_path)


def build_example(directory: Path, environment: dict[str, str]) -> None:
    compiler = shutil.which(environment.get("CC", "cc"))
    libraries = ["pkg-config", "--cflags", "--libs", "libcurl", "libcjson"]
    if compiler is None or shutil.which("pkg-config") is None:
        pytest.skip("needs a C compiler and pkg-config")
    # The compiler itself is not what a preloaded sanitizer should look at.
    bare = {name: text for name, text in environment.items() if name != "LD_PRELOAD"}
    flags = run(*libraries, env=bare, check=True).stdout.split()
    sources = [ROOT / "csrc/examples/create.c", *sorted((ROOT / "csrc/core").rglob("*.c"))]
    program = directory / "build/examples/create"
    program.parent.mkdir(parents=True)
    version = f'-DML_VERSION="{merge_link.__version__}"'
    includes = [f"-I{ROOT / 'csrc' / name}" for name in ("include", "core")]
    options = ["-std=c11", "-D_GNU_SOURCE", "-pthread", version, *includes, "-o", program]
    done = run(compiler, *options, *sources, *flags, env=bare)
    assert done.returncode == 0, done.stdout


def test_every_command_that_runs_elsewhere_is_still_shown() -> None:
    assert ELSEWHERE.keys() <= {command.text for command in commands_of(README)}


def test_ci_runs_the_test_command() -> None:
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text()


def test_make_demo_runs_the_first_command_of_the_readme() -> None:
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(r"^demo:.*\n\t@\$\(BIN\)/(.*)$", makefile, re.MULTILINE)
    assert recipe is not None
    assert recipe[1] in [command.text for command in HERE]


def test_the_system_packages_are_those_that_make_installs() -> None:
    script = (ROOT / "scripts" / "system-packages").read_text()
    (install,) = (text for text in ELSEWHERE if "apt-get install" in text)
    for package in install.partition(" install ")[2].split():
        assert package in script.replace("python_package dev", "python3-dev")


# ---- what it says ----


def table(heading: str) -> dict[str, list[str]]:
    return table_of(README, heading)


def test_the_errors_are_all_of_them_and_their_bases_are_right() -> None:
    rows = table("Errors")
    classes = {
        name: value
        for name, value in vars(merge_link.errors).items()
        if isinstance(value, type)
        and issubclass(value, merge_link.MergeLinkError)
        and value is not merge_link.MergeLinkError
    }
    assert rows.keys() == classes.keys()
    for name, (bases, _, attributes) in rows.items():
        shown = [base.__name__ for base in classes[name].__bases__]
        assert re.findall(r"\w+", bases) == [base for base in shown if base != "MergeLinkError"]
        for attribute in re.findall(r"`([a-z_]+)`", attributes):
            assert hasattr(classes[name], attribute) or attribute in ("field", "message")


def test_the_options_are_all_of_them_and_their_defaults_are_right() -> None:
    import inspect

    rows = table("Options")
    options = inspect.signature(merge_link.Client).parameters
    assert rows.keys() == options.keys()
    with merge_link.Client(api_key="test_key") as client:
        for name, (default, environment, _) in rows.items():
            if default[:1].isdigit() and name != "max_response_bytes":
                assert float(default.split()[0]) == getattr(client, name)
            for variable in re.findall(r"`(MERGE_\w+)`", environment):
                assert variable == f"MERGE_{name.upper()}"


def test_importing_is_light() -> None:
    code = (
        "import sys; before = set(sys.modules); import merge_link\n"
        "new = set(sys.modules) - before\n"
        "assert not new & {'asyncio', 'ssl', 'json', 'logging'}, new"
    )
    done = run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stdout


DOCUMENTS = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/command-line.md"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files(name: str) -> None:
    document = ROOT / name
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_and_make_targets_that_are_named_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    folders = "|".join(path.name.replace(".", r"\.") for path in ROOT.iterdir() if path.is_dir())
    paths = re.findall(rf"`((?:{folders})/[\w./*-]*)`", text)
    built = "build/"
    missing = [path for path in paths if not path.startswith(built) and not any(ROOT.glob(path))]
    assert missing == []
    targets = re.findall(r"`make ([a-z][a-z-]*)", text)
    makefile = (ROOT / "Makefile").read_text()
    assert [one for one in targets if not re.search(rf"^{one}:", makefile, re.MULTILINE)] == []
