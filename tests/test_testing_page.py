"""docs/testing.md is true: its tests pass, its table is whole, a failure shows what it shows."""

import re
import sys
from pathlib import Path

from documents import blocks_of, run, table_of
from merge_link.pytest_plugin import Options

PAGE = Path(__file__).parent.parent / "docs" / "testing.md"
PYTEST = (sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider")
TESTS = [block for block in blocks_of(PAGE) if block.language == "python"]


def test_each_block_is_a_suite_that_passes(tmp_path: Path) -> None:
    for block in TESTS:
        (tmp_path / f"test_line_{block.line}.py").write_text(block.text)
    # The fixture of the session is for all tests, so its block is a suite of its own.
    apart = [path for path in tmp_path.iterdir() if "autouse=True)\ndef" in path.read_text()]
    assert len(apart) == 1
    done = run(*PYTEST, f"--rootdir={tmp_path}", f"--ignore={apart[0]}", tmp_path, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    count = sum(block.text.count("def test_") for block in TESTS)
    assert f"{count - 1} passed" in done.stdout
    done = run(*PYTEST, f"--rootdir={tmp_path}", *apart, cwd=tmp_path)
    assert "2 passed" in done.stdout


FAILING = """
import json
from contextlib import suppress
from urllib.request import Request, urlopen

USER = dict.fromkeys(
    ("end_user_email_address", "end_user_organization_name", "end_user_origin_id"), "acme"
)


def send(sandbox, path, body=None):
    headers = {"Authorization": f"Bearer {sandbox.api_key}", "Content-Type": "application/json"}
    body = body and json.dumps(body).encode()
    with urlopen(Request(sandbox.base_url + path, body, headers)) as answer:
        return json.load(answer)


def test_it(merge_link_sandbox):
    with suppress(OSError):
        send(merge_link_sandbox, "/ats/v1/link-token", {**USER, "categories": []})
    link = send(merge_link_sandbox, "/ats/v1/link-token", {**USER, "categories": ["ats"]})
    public_token = merge_link_sandbox.complete_link(link["link_token"], "greenhouse")
    send(merge_link_sandbox, f"/ats/v1/account-token/{public_token}")
    assert 0
"""


def test_a_failure_shows_what_the_page_shows(tmp_path: Path) -> None:
    (shown,) = (block.text for block in blocks_of(PAGE) if block.language == "text")
    (tmp_path / "test_it.py").write_text(FAILING)
    done = run(*PYTEST, f"--rootdir={tmp_path}", tmp_path, cwd=tmp_path)
    assert done.returncode == 1
    assert shown in done.stdout


def test_the_options_are_all_of_them() -> None:
    rows = table_of(PAGE, "Options")
    assert tuple(rows) == Options._fields
    for name, (default, _) in rows.items():
        value = Options._field_defaults[name]
        assert default in (("made up", "none") if value is None else [f"`{value}`"])


def test_links_lead_to_files() -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", PAGE.read_text())
    assert targets
    assert [target for target in targets if not (PAGE.parent / target).exists()] == []
