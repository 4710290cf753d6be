"""docs/bulk.md is true: its Python runs as one script and prints what is shown."""

import inspect
import re
import sys
from pathlib import Path

from documents import assert_matches, blocks_of, environment_with, in_place, run, table_of
from merge_link import AsyncClient, Client
from merge_link.sandbox import Sandbox

PAGE = Path(__file__).resolve().parent.parent / "docs" / "bulk.md"


def test_the_python_runs_and_prints_what_is_shown(sandbox: Sandbox, tmp_path: Path) -> None:
    blocks = blocks_of(PAGE)
    script = tmp_path / "bulk.py"
    script.write_text(in_place(block for block in blocks if block.language == "python"))
    environment = environment_with(sandbox, tmp_path)
    done = run(sys.executable, "-W", "error", script, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert_matches(done.stdout, "".join(one.text for one in blocks if one.language == "text"))


def test_the_options_are_all_of_them_and_their_defaults_are_right() -> None:
    rows = table_of(PAGE, "Options")
    for kind in (Client, AsyncClient):
        parameters = inspect.signature(kind.create_link_tokens).parameters
        own = {name: one for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY}
        assert list(rows) == list(own)
        for name, (default, _) in rows.items():
            assert str(own[name].default) == default.strip("`").replace("none", "None")


def test_links_lead_to_files() -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", PAGE.read_text())
    assert targets
    assert [target for target in targets if not (PAGE.parent / target).exists()] == []
