"""The how-to pages are true: their Python runs as one script and prints what is shown.

Pages that show more than Python have tests of their own (``test_*_page.py``).
"""

import re
import sys
from pathlib import Path

import pytest

from documents import assert_matches, blocks_of, commands_of, environment_with, in_place, run
from merge_link.sandbox import Sandbox

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = ["any-endpoint", "from-the-vendor-sdk", "index", "linking", "magic-links", "relinking"]


@pytest.mark.parametrize("name", PAGES)
def test_the_python_runs_and_prints_what_is_shown(
    name: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    blocks = blocks_of(DOCS / f"{name}.md")
    script = tmp_path / f"{name}.py"
    script.write_text(in_place(block for block in blocks if block.language == "python"))
    environment = environment_with(sandbox, tmp_path)
    done = run(sys.executable, "-W", "error", script, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert_matches(done.stdout, "".join(one.text for one in blocks if one.language == "text"))
    assert commands_of(DOCS / f"{name}.md") == []


def test_the_example_of_a_whole_life_runs() -> None:
    done = run(sys.executable, "-W", "error", ROOT / "examples" / "lifecycle.py")
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("The account is deleted")


# ---- the index ----

ALL = sorted(DOCS.rglob("*.md")) + [ROOT / name for name in ("README.md", "CHANGELOG.md")]


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_index_leads_to_every_page() -> None:
    index = DOCS / "index.md"
    text = index.read_text(encoding="utf-8")
    linked = {
        (DOCS / target).resolve() for target in re.findall(r"^- \[.*?\]\(([^)#]+)", text, re.M)
    }
    assert linked >= {*DOCS.glob("*.md"), *DOCS.glob("reference/*.rst")} - {index}
