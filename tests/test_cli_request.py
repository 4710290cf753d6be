"""``merge-link request``: what is sent for which arguments, and what is written."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line import BIN, complaints, process, run, scripted
from linked import link
from merge_link.cli.failures import ExitCode
from merge_link.cli.request import METHODS
from merge_link.sandbox import Sandbox
from scripted import answer

TOKEN = "acct_no_one_may_see_this"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that the environment points to, with a linked account."""
    with Sandbox() as running:
        account = link(running, integration="greenhouse")
        monkeypatch.setenv("MERGE_API_KEY", running.api_key)
        monkeypatch.setenv("MERGE_BASE_URL", running.base_url)
        monkeypatch.setenv("MERGE_ACCOUNT_TOKEN", account["account_token"])
        yield running


def sent(monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: Any = None) -> tuple[str, bytes]:
    """The head and the body of what is sent."""
    with scripted(monkeypatch, answer(200, {})) as server:
        result = run("request", *arguments, stdin=stdin)
        assert (result.exit_code, result.stderr) == (0, "")
        (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    return head.decode(), body


# ---- what is sent ----


@pytest.mark.parametrize("method", METHODS)
def test_any_method_and_path(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MERGE_ACCOUNT_TOKEN", raising=False)
    for written in (method, method.lower()):
        head, body = sent(monkeypatch, written, "/ats/v1/candidates/1")
        assert head.startswith(f"{method} /api/ats/v1/candidates/1 HTTP/1.1\r\n")
        assert "X-Account-Token" not in head
        assert body == b""


def test_parameters_are_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ["--param", "a=b c&d=e", "--param", "empty=", "--param", "größe=1=2"]
    head, _ = sent(monkeypatch, "GET", "/ats/v1/jobs", *flags)
    query = "a=b%20c%26d%3De&empty=&gr%C3%B6%C3%9Fe=1%3D2"
    assert head.startswith(f"GET /api/ats/v1/jobs?{query} HTTP/1.1\r\n")


def test_headers_and_the_account_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERGE_ACCOUNT_TOKEN", TOKEN)
    flags = ["--header", "X-One: a: b", "--header", "X-Two:c"]
    head, _ = sent(monkeypatch, "GET", "/ats/v1/jobs", *flags)
    lines = head.split("\r\n")
    assert {"X-One: a: b", "X-Two: c", f"X-Account-Token: {TOKEN}"} <= set(lines)


@pytest.mark.parametrize("text", ['{"a": [1, null, "ü"]}', "[1]", '"x"', "5", "false"])
def test_a_body_may_be_a_text_a_file_or_stdin(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "body.json").write_text(text, encoding="utf-8-sig")
    for argument, stdin in ((text, None), (f"@{tmp_path}/body.json", None), ("-", text.encode())):
        head, body = sent(monkeypatch, "POST", "/ats/v1/jobs", "--json", argument, stdin=stdin)
        assert json.loads(body) == json.loads(text)
        assert "Content-Type: application/json" in head


# ---- what is written ----


def test_json_is_laid_out(sandbox: Sandbox) -> None:
    result = run("request", "GET", "/ats/v1/candidates", "--param", "page_size=2")
    assert result.exit_code == 0
    assert result.stdout.startswith('{\n  "next": ')
    assert len(json.loads(result.stdout)["results"]) == 2


def test_raw_is_what_came(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"a":1.0e2,\n "b":12345678901234567890}'
    with scripted(monkeypatch, answer(200, body)):
        result = run("request", "GET", "/x", "--format", "raw")
    assert result.stdout_bytes == body
    with scripted(monkeypatch, answer(200, b"a\0\xff", content_type="text/csv")):
        assert run("request", "GET", "/x").stdout_bytes == b"a\0\xff"


def test_no_answer_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(monkeypatch, answer(204, b"")):
        result = run("request", "DELETE", "/x")
    assert (result.exit_code, result.output) == (0, "")


def test_control_characters_of_an_answer_do_nothing_to_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with scripted(monkeypatch, answer(200, {"a": "\x9b2J\x1b[2J\u202e"})):
        assert run("request", "GET", "/x").stdout.isascii()


def test_all_pages_are_read(sandbox: Sandbox) -> None:
    result = run("request", "GET", "/ats/v1/candidates", "--paginate", "--param", "page_size=90")
    found = json.loads(result.stdout)
    assert len({one["id"] for one in found}) == len(found) == 200
    flags = ["--paginate", "--limit", "3", "--format", "jsonl"]
    lines = run("request", "GET", "/ats/v1/candidates", *flags).stdout.splitlines()
    assert [json.loads(line) for line in lines] == found[:3]


def test_lines_come_as_they_are_read(sandbox: Sandbox) -> None:
    command = "merge-link request GET /ats/v1/candidates --paginate --format jsonl | head -n 1"
    ended = process("sh", "-c", f"PATH={BIN}:$PATH; {command}")
    assert json.loads(ended.stdout)["first_name"]


# ---- what is refused ----


@pytest.mark.parametrize(
    ("arguments", "problems"),
    [
        (["GET", "ats/v1/jobs"], ['PATH must start with "/"']),
        (["GET", "/ats/../x"], ["PATH "]),
        (["GET", "/ats?x=1"], ["PATH "]),
        (["HEAD", "/ats/v1/jobs"], ["METHOD "]),
        (["GET", "/x", TOKEN], ["takes a method, a path and flags, and 1 other argument was"]),
        (["GET", "/x", "--param", TOKEN], ["--param takes NAME=VALUE"]),
        (["GET", "/x", "--param", f"={TOKEN}"], ["--param takes NAME=VALUE"]),
        (
            ["GET", "/x", "--param", "a=1", "--param", "a=2", "--header", TOKEN],
            ["--param no. 2: a is there twice", "--header takes 'NAME: VALUE'"],
        ),
        (["GET", "/x", "--header", f"Authorization: {TOKEN}"], ["--header Authorization is"]),
        (
            ["GET", "/x", "--header", "X-A: 1", "--header", f"Host: {TOKEN}"],
            ["--header Host is"],
        ),
        (["POST", "/x", "--json", "null"], ["--json: null stands for no body"]),
        (["POST", "/x", "--json", "{"], ["--json: not JSON: line 1, column 2: "]),
        (["POST", "/x", "--json", "[NaN]"], ["--json: NaN is not JSON"]),
        (["POST", "/x", "--json", "@/nowhere"], ["--json /nowhere: No such file"]),
        (
            ["POST", "/x", "--json", "-", "--account-token-file", "-"],
            ["--json - and --account-token-file - exclude each other"],
        ),
        (["GET", "/x", "--limit", "3"], ["--limit needs --paginate"]),
        (["GET", "/x", "--format", "jsonl"], ["--format jsonl needs --paginate"]),
        (["POST", "/x", "--paginate"], ["--paginate and METHOD POST exclude each other"]),
        (
            ["GET", "/x", "--paginate", "--json", "1", "--format", "raw"],
            [
                "--paginate and --json exclude each other",
                "--paginate and --format raw exclude each other",
            ],
        ),
        (["GET", "/x", "--account-token", TOKEN], ["the account token is not taken from the"]),
    ],
)
def test_what_makes_no_sense_is_told_and_not_sent(
    arguments: list[str], problems: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(monkeypatch, answer(200, {})) as server:
        result = run("request", *arguments)
        assert server.requests == []
    assert result.exit_code == 2
    told = complaints(result)
    assert len(told) == len(problems)
    for one, problem in zip(told, problems, strict=True):
        assert one.startswith(problem)
    assert TOKEN not in result.output


def test_what_merge_refuses_is_told_in_its_words(sandbox: Sandbox) -> None:
    result = run("request", "GET", "/ats/v1/nonsense")
    assert result.exit_code == ExitCode.REFUSED
    assert complaints(result)[0].startswith("Merge answered 404: Not found.")
