"""docs/reliability.md names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reliability.md"
TEXT = PAGE.read_text(encoding="utf-8")

NAMED = sorted(set(re.findall(r"`((?:csrc/)?tests/[\w/]+\.(?:py|c)(?:::\w+)?)`", TEXT)))
PROMISES = [
    line
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith(("| promise |", "|---"))
]


def defines(path: Path, function: str) -> bool:
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return re.search(rf"^(?:async )?def {function}\(", source, re.MULTILINE) is not None
    written = re.search(rf"^static void {function}\(void \*\*state\)", source, re.MULTILINE)
    run = re.search(rf"SUITE_(?:TEST|ROWS)\({function}\b", source)
    return written is not None and run is not None


@pytest.mark.parametrize("named", NAMED)
def test_a_named_test_exists(named: str) -> None:
    path, _, function = named.partition("::")
    assert (ROOT / path).is_file()
    assert not function or defines(ROOT / path, function)


def test_every_promise_names_its_test() -> None:
    unproven = [line for line in PROMISES if not any(f"`{named}`" in line for named in NAMED)]
    assert len(PROMISES) > 30
    assert not unproven


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`make ([\w-]+)", TEXT):
        assert f"\n{target}:" in makefile
