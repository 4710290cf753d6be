"""What type checkers say: nothing about correct uses, and of each mistake something on its line.

The files are in `typing/`. Pyright is run as basedpyright, which brings its own node, in pyright's
strict mode.
"""

import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import merge_link
from documents import blocks_of, in_place, is_test
from merge_link.sandbox import Sandbox

HERE = Path(__file__).parent / "typing"
README = Path(__file__).resolve().parent.parent / "README.md"
PACKAGE_ROOT = Path(merge_link.__file__).parent.parent
PATIENCE = 100.0

# The lines with errors, by the names of the files.
Found = dict[str, dict[int, str]]


def environment(**more: str) -> dict[str, str]:
    """A checker is not what a preloaded sanitizer should look at."""
    ours = ("LD_PRELOAD", "MYPYPATH", "PYTHONPATH")
    return {**{name: text for name, text in os.environ.items() if name not in ours}, **more}


def run(*command: str | Path, directory: Path, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=directory,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


# ---- the checkers ----


def mypy(files: list[Path], directory: Path) -> Found:
    # What is installed in site-packages is found by itself, and mypy wants it so.
    installed = PACKAGE_ROOT.name == "site-packages"
    path = {} if installed else {"MYPYPATH": str(PACKAGE_ROOT)}
    output = run(
        "mypy",
        "--strict",
        "--config-file=",
        "--cache-dir=cache",
        "--no-pretty",
        *files,
        directory=directory,
        **path,
    )
    found: Found = {}
    for name, line, text in re.findall(r"^(.+?):(\d+): error: (.*)$", output, re.MULTILINE):
        found.setdefault(Path(name).name, {})[int(line)] = text
    return found


def pyright(files: list[Path], directory: Path) -> Found:
    settings = {
        "typeCheckingMode": "strict",
        "extraPaths": [str(PACKAGE_ROOT)],
        "include": [str(file) for file in files],
    }
    (directory / "pyrightconfig.json").write_text(json.dumps(settings))
    output = run(
        "basedpyright", "--outputjson", "--pythonpath", sys.executable, directory=directory
    )
    report = json.loads(output)
    assert report["summary"]["filesAnalyzed"] == len(files)
    found: Found = {}
    for one in report["generalDiagnostics"]:
        line = one["range"]["start"]["line"] + 1
        found.setdefault(Path(one["file"]).name, {})[line] = one["message"]
    return found


CHECKERS: dict[str, Callable[[list[Path], Path], Found]] = {"mypy": mypy, "pyright": pyright}


@pytest.fixture(scope="module", params=CHECKERS)
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Found:
    directory = tmp_path_factory.mktemp(request.param)
    python = [block for block in blocks_of(README) if block.language == "python"]
    files = [HERE / "correct.py", HERE / "webhooks.py", HERE / "mistakes.py"]
    for name, tests in (("readme_script.py", False), ("readme_test.py", True)):
        files.append(directory / name)
        files[-1].write_text(in_place(block for block in python if is_test(block) == tests))
    return CHECKERS[request.param](files, directory)


# ---- what they find ----


@pytest.mark.parametrize("file", ["correct.py", "webhooks.py"])
def test_correct_uses_have_no_error(found: Found, file: str) -> None:
    assert found.get(file, {}) == {}


def test_each_mistake_is_found_on_its_line_and_nothing_else(found: Found) -> None:
    lines = (HERE / "mistakes.py").read_text().splitlines()
    marked = {number for number, line in enumerate(lines, 1) if "  # mistake: " in line}
    errors = found["mistakes.py"]
    assert {number: lines[number - 1] for number in marked - errors.keys()} == {}
    assert {number: errors[number] for number in errors.keys() - marked} == {}


@pytest.mark.parametrize("file", ["readme_script.py", "readme_test.py"])
def test_the_snippets_of_the_readme_have_no_error(found: Found, file: str) -> None:
    assert found.get(file, {}) == {}


def test_every_public_name_has_a_type_that_no_checker_has_to_guess(tmp_path: Path) -> None:
    output = run(
        "basedpyright",
        "--verifytypes",
        "merge_link",
        "--ignoreexternal",
        "--outputjson",
        "--pythonpath",
        sys.executable,
        directory=tmp_path,
        PYTHONPATH=str(PACKAGE_ROOT),
    )
    report = json.loads(output)["typeCompleteness"]
    unclear = {
        symbol["name"]: [one["message"] for one in symbol["diagnostics"]]
        for symbol in report["symbols"]
        if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]
    }
    assert unclear == {}
    assert report["completenessScore"] == 1
    assert report["exportedSymbolCounts"]["withKnownType"] > 500
    assert report["missingFunctionDocStringCount"] == report["missingClassDocStringCount"] == 0


# ---- what they accept is what works ----


def load(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


USES = {
    name: value
    for file in ("correct.py", "webhooks.py")
    for name, value in vars(load(HERE / file)).items()
    if inspect.isfunction(value) and list(inspect.signature(value).parameters) == ["sandbox"]
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_correct_uses_work(use: Callable[[Any], None], sandbox: Sandbox) -> None:
    use(sandbox)


def test_all_correct_uses_are_among_them() -> None:
    assert len(USES) >= 18
