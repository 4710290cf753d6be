"""docs/sandbox.md is true: its snippets run, its tables are whole, its tests exist."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from linked import command
from merge_link.sandbox import Sandbox
from merge_link.sandbox.api import Api
from merge_link.sandbox.audit import MOST_EVENTS
from merge_link.sandbox.common_models import MODELS
from merge_link.sandbox.control import RESULTS
from merge_link.sandbox.passthrough import MOST_RESULTS
from merge_link.sandbox.tokens import MOST_LINK_TOKENS, MOST_PUBLIC_TOKENS
from plain_http import call

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


def section(heading: str) -> str:
    return TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_python_blocks_print_what_is_shown() -> None:
    script = "\n".join(blocks("python"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "".join(blocks("text"))


def test_the_curl_command_is_understood(sandbox: Sandbox) -> None:
    (shown,) = blocks("console")
    body = re.search(r"-d '([^']*)'", shown)
    assert body is not None
    assert "-H 'Content-Type: application/json' $SANDBOX/__sandbox__/fail" in shown
    assert command(sandbox, "fail", body[1].encode()).status == 200
    assert call(sandbox).status == 429


def test_the_methods_are_all_of_them() -> None:
    rows = re.findall(r"^\| `(\w+)\((.*?)\)`", section("What a test may ask for"), re.MULTILINE)
    assert [name for name, _ in rows] == list(RESULTS)
    for name, arguments in rows:
        shown = {part.partition("=")[0].strip() for part in arguments.split(",") if part}
        assert shown <= set(inspect.signature(getattr(Sandbox, name)).parameters)


def test_the_options_are_all_of_them() -> None:
    intro = TEXT.partition("\n## ")[0]
    options = set(inspect.signature(Sandbox).parameters)
    assert {name for name in options if re.search(rf"`{name}[`=]", intro)} == options


def test_the_endpoints_are_all_of_them(sandbox: Sandbox) -> None:
    shown = re.findall(r"^\| `([A-Z]+) (/[\w/{}-]+)`( ✚)?", section("Endpoints"), re.MULTILINE)
    also = re.findall(r"also `([A-Z]+) (/[\w/{}-]+)`()", section("Endpoints"))
    methods: dict[str, set[str]] = {}
    needing = set()
    for method, path, needs in [*shown, *also]:
        full = path if path.startswith("/api/") else f"/api/ats/v1{path}"
        filled = re.sub(r"{\w+}", "x", full)
        methods.setdefault(filled, set()).add(method)
        if needs:
            needing.add(filled)
    for path, allowed in methods.items():
        answer = call(sandbox, b"", method="PUT", path=path)
        assert (answer.status, set(answer.headers["Allow"].split(", "))) == (405, allowed), path
        refused = call(sandbox, b"", method=sorted(allowed)[0], path=path).status == 401
        assert refused == (path in needing), path
    made = Api(sandbox._state, sandbox._faults, sandbox._limits, "")
    served = sum(
        len(endpoint.views) * (2 if endpoint.bare_path else 1)
        for endpoint in made._endpoints.values()
        if not endpoint.models
    )
    assert sum(len(allowed) for allowed in methods.values()) == served


def test_the_common_models_are_all_of_them() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d.*) \|$", section("Endpoints"), re.MULTILINE)
    shown = [
        (category, int(count), path, bool(mark))
        for category, row in rows
        for count, path, mark in re.findall(r"(\d+) `(\w+)`( ✱)?", row)
    ]
    assert shown == [(one.category, one.count, one.path, one.can_be_ignored) for one in MODELS]


@pytest.mark.parametrize(("path", "function"), NAMED)
def test_a_named_test_exists(path: str, function: str) -> None:
    source = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"^def {function}\(", source, re.MULTILINE)


def test_every_choice_names_its_test() -> None:
    rows = [line for line in section("What Merge leaves open").splitlines() if line[:2] == "| "]
    assert len(rows) > 20
    assert [row for row in rows[1:] if "::test_" not in row] == []


def test_the_numbers_of_what_it_remembers_are_right() -> None:
    assert MOST_PUBLIC_TOKENS == MOST_LINK_TOKENS
    assert f"the latest {MOST_LINK_TOKENS:,} link tokens, as many public tokens," in TEXT
    assert f"{MOST_EVENTS:,} events of the audit trail" in TEXT
    assert f"{MOST_RESULTS:,} results of asynchronous passthrough." in TEXT
