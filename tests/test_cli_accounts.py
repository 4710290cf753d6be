"""The commands about linked accounts: exchange, accounts, issues, keys; against the sandbox."""

import json
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from command_line import BIN, Terminal, advice, complaints, process, run, scripted
from linked import link, make_link_token
from merge_link import _core
from merge_link.cli.accounts import accounts
from merge_link.cli.exchange import exchange
from merge_link.cli.failures import ExitCode
from merge_link.cli.issues import issues
from merge_link.sandbox import Sandbox
from scripted import answer

SECRET = "acct_no_one_may_see_this"


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that the environment points to, as it would to Merge."""
    with Sandbox() as running:
        monkeypatch.setenv("MERGE_API_KEY", running.api_key)
        monkeypatch.setenv("MERGE_BASE_URL", running.base_url)
        monkeypatch.delenv("MERGE_ACCOUNT_TOKEN", raising=False)
        yield running


@pytest.fixture
def account(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A linked account, whose token the environment has."""
    account = link(sandbox, integration="greenhouse")
    monkeypatch.setenv("MERGE_ACCOUNT_TOKEN", account["account_token"])
    return account


def as_json(*arguments: str) -> Any:
    result = run(*arguments, "--format", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def done(result: Result) -> str:
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def public_token(sandbox: Sandbox) -> str:
    return sandbox.complete_link(make_link_token(sandbox), "greenhouse")


# ---- exchange ----


def test_a_public_token_becomes_an_account_token(sandbox: Sandbox) -> None:
    text = done(run("exchange", "--", public_token(sandbox)))
    labels = [line[:17].rstrip() for line in text.splitlines()]
    assert labels == ["Account token", "Linked account", "Integration"]
    made = json.loads(done(run("exchange", "--format", "json", "--", public_token(sandbox))))
    assert made["integration"]["slug"] == "greenhouse"
    assert made["account_token"] in text  # of the same end user


def test_the_variables_are_those_that_other_commands_read(sandbox: Sandbox) -> None:
    lines = done(run("exchange", "--format", "env", "--", public_token(sandbox)))
    script = f"set -a\n{lines}\nmerge-link accounts show --format json"
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    shown = process("sh", "-c", script, environment={"PATH": path})
    assert shown.stderr == ""
    assert json.loads(shown.stdout)["integration_slug"] == "greenhouse"


def test_a_public_token_may_come_from_stdin(sandbox: Sandbox) -> None:
    assert run("exchange", "-", stdin=f"{public_token(sandbox)}\n").exit_code == 0


def test_what_is_read_from_a_closed_stdin_is_told_in_a_line(sandbox: Sandbox) -> None:
    ended = process("sh", "-c", '"$0" exchange - <&-', BIN / "merge-link")
    assert ended.returncode == 2
    assert ended.stderr == "merge-link: PUBLIC_TOKEN stdin: is closed\n"


def test_a_public_token_of_stdin_is_in_no_frame_of_an_error(sandbox: Sandbox) -> None:
    result = CliRunner().invoke(exchange, ["-"], input=SECRET, standalone_mode=False)
    error = result.exception
    assert error is not None
    assert error.__context__ is not None
    frames = [frame for frame, _ in traceback.walk_tb(error.__context__.__traceback__)]
    assert "_exchange" in [frame.f_code.co_name for frame in frames]
    assert all(SECRET not in repr(frame.f_locals) for frame in frames)


def test_a_used_public_token_is_refused_without_being_told(sandbox: Sandbox) -> None:
    token = public_token(sandbox)
    done(run("exchange", "--", token))
    result = run("exchange", "--", token)
    assert result.exit_code == ExitCode.REFUSED
    assert "Merge answered 404" in complaints(result)[0]
    assert "A public token is good once, for about ten minutes. The user can link again." in advice(
        result
    )
    assert token not in result.stderr


def test_a_public_token_may_begin_with_a_hyphen(monkeypatch: pytest.MonkeyPatch) -> None:
    token = {"account_token": "a", "id": "b", "integration": {"name": "Lever"}}
    with scripted(monkeypatch, answer(200, token)) as server:
        done(run("exchange", "--", "-hx"))
        assert server.requests[0].startswith(b"GET /api/ats/v1/account-token/-hx HTTP/1.1")


def test_what_is_wrong_with_the_arguments_of_exchange(sandbox: Sandbox) -> None:
    for arguments, problem in {
        (): "PUBLIC_TOKEN is required: what onSuccess of Merge Link was given",
        ("a", SECRET): "takes one public token and flags, and 1 other argument was given",
        ("a", "--sandbox"): "--sandbox and PUBLIC_TOKEN exclude each other",
        ("-", "--api-key-file", "-"): "PUBLIC_TOKEN - and --api-key-file - exclude each other",
        ("..",): "PUBLIC_TOKEN must",
        ("",): "PUBLIC_TOKEN must have 1",
        ("-",): "PUBLIC_TOKEN must have 1",
    }.items():
        result = run("exchange", *arguments)
        assert result.exit_code == 2
        assert complaints(result)[0].startswith(problem)
        assert SECRET not in result.stderr
    assert sandbox.requests == []


# ---- accounts ----


def test_accounts_are_a_table(sandbox: Sandbox) -> None:
    first = link(sandbox, "acme-42", integration="greenhouse")
    link(sandbox, "globex", integration="lever")
    head, *rows = done(run("accounts", "list")).splitlines()
    assert head.split() == [
        *("ID", "Organization", "Origin", "id", "Integration", "Category", "Status")
    ]
    assert [row.split()[0] for row in rows].count(first["id"]) == 1
    place = head.index("Origin id")
    assert sorted(row[place : place + 7] for row in rows) == ["acme-42", "globex "]


def test_accounts_are_json_and_lines_of_json(sandbox: Sandbox) -> None:
    ids = {link(sandbox, f"acme-{number}")["id"] for number in range(5)}
    assert {one["id"] for one in as_json("accounts", "list")} == ids
    lines = done(run("accounts", "list", "--format", "jsonl", "--page-size", "2")).splitlines()
    assert {json.loads(line)["id"] for line in lines} == ids
    pages = [one for one in sandbox.requests if one.path.endswith("/linked-accounts")]
    assert len(pages) == 1 + 3


def test_no_further_page_is_asked_for_than_the_limit_needs(sandbox: Sandbox) -> None:
    for number in range(5):
        link(sandbox, f"acme-{number}")
    before = len(sandbox.requests)
    flags = ["--limit", "2", "--page-size", "2"]
    assert len(as_json("accounts", "list", *flags)) == 2
    assert len(sandbox.requests) == before + 1


def test_the_filters_are_sent(sandbox: Sandbox) -> None:
    account = link(sandbox, "acme-42", integration="greenhouse")
    link(sandbox, "globex", integration="lever")
    sandbox.relink_needed(account["id"])
    for flags in (
        ["--status", "RELINK_NEEDED"],
        ["--origin-id", "acme-42"],
        ["--id", account["id"]],
        ["--integration-name", "Greenhouse"],
    ):
        assert [one["id"] for one in as_json("accounts", "list", *flags)] == [account["id"]]
    assert as_json("accounts", "list", "--category", "hris") == []
    assert as_json("accounts", "list", "--no-is-test-account") == []


def test_that_there_are_none_is_said_beside_the_result(sandbox: Sandbox) -> None:
    result = run("accounts", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "merge-link: there are no linked accounts\n"
    assert as_json("accounts", "list") == []
    assert done(run("accounts", "list", "--format", "jsonl")) == ""


def test_what_is_wrong_with_filters_is_told_by_flags(sandbox: Sandbox) -> None:
    result = run("accounts", "list", "--category", "atss", "--page-size", "1000")
    assert result.exit_code == 2
    assert complaints(result) == [
        '--category is not a known value; did you mean "ats"?',
        "--page-size must be 1 to 100",
    ]
    for limit in ("0", "x"):
        assert run("accounts", "list", "--limit", limit).exit_code == 2
    assert sandbox.requests == []


def test_the_account_of_the_token_is_shown(account: dict[str, Any]) -> None:
    text = done(run("accounts", "show"))
    assert text.startswith(f"Linked account   {account['id']}\n")
    assert account["account_token"] not in text
    assert as_json("accounts", "show")["id"] == account["id"]


def test_its_token_may_come_from_a_file_or_stdin(
    account: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERGE_ACCOUNT_TOKEN", "another")
    token = account["account_token"]
    file = tmp_path / "token"
    file.write_text(f"{token}\n")
    file.chmod(0o600)
    done(run("accounts", "show", "--account-token-file", str(file)))
    done(run("accounts", "show", "--account-token-file", "-", stdin=token))
    file.chmod(0o644)
    result = run("accounts", "show", "--account-token-file", str(file))
    assert result.exit_code == 0
    assert "can be read by every user" in result.stderr
    env_file = tmp_path / ".env"
    env_file.write_text(f"MERGE_ACCOUNT_TOKEN={token}\n")
    monkeypatch.delenv("MERGE_ACCOUNT_TOKEN")
    done(run("accounts", "show", "--env-file", str(env_file)))


OF_ONE = [*((*("accounts", name),) for name in ("show", "status", "resync", "delete"))]


@pytest.mark.parametrize("command", OF_ONE)
def test_without_a_token_nothing_is_sent(command: tuple[str, ...], sandbox: Sandbox) -> None:
    yes = ["--yes"] if command[1] == "delete" else []
    result = run(*command, *yes)
    assert result.exit_code == ExitCode.CONFIGURATION
    assert complaints(result) == [
        "no account token: set MERGE_ACCOUNT_TOKEN or use --account-token-file FILE"
    ]
    assert advice(result) == ["merge-link exchange gives one, for the public token of Merge Link."]
    result = run(*command, *yes, "--account-token", SECRET)
    assert result.exit_code == 2
    assert complaints(result)[0].startswith("the account token is not taken from the arguments")
    assert SECRET not in result.output
    result = run(*command, *yes, SECRET)
    assert result.exit_code == 2
    assert SECRET not in result.output
    assert sandbox.requests == []


def test_a_token_that_is_none_is_told_by_where_it_is_from(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run("accounts", "show", "--account-token-file", "-", stdin="two words")
    assert result.exit_code == ExitCode.CONFIGURATION
    assert complaints(result)[0].startswith("the token of --account-token-file stdin must be")
    monkeypatch.setenv("MERGE_ACCOUNT_TOKEN", "two words")
    assert complaints(run("accounts", "show"))[0].startswith("MERGE_ACCOUNT_TOKEN must be")
    monkeypatch.setenv("MERGE_ACCOUNT_TOKEN", SECRET)
    result = run("accounts", "show")
    assert result.exit_code == ExitCode.CONFIGURATION
    assert advice(result)[0].startswith("Is the account token whole, and of this API key and")
    assert SECRET not in result.output


def test_how_its_syncs_stand(account: dict[str, Any], sandbox: Sandbox) -> None:
    head, *rows = done(run("accounts", "status")).splitlines()
    assert head.startswith("Model ")
    assert {row.split()[1] for row in rows} == {"SYNCING"}
    sandbox.advance(hours=1)
    assert {one["status"] for one in as_json("accounts", "status")} == {"DONE"}
    assert len(as_json("accounts", "status", "--limit", "1")) == 1
    assert {one["status"] for one in as_json("accounts", "resync")} == {"SYNCING"}


# ---- deleting ----


def test_deleting_does_not_go_unasked(account: dict[str, Any], sandbox: Sandbox) -> None:
    before = len(sandbox.requests)
    result = run("accounts", "delete")
    assert result.exit_code == 2
    assert complaints(result) == [
        "nobody can be asked here, for stdin is no terminal: --yes does it unasked"
    ]
    assert len(sandbox.requests) == before
    result = run("accounts", "delete", "--yes")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "the linked account is deleted" in result.stderr
    assert as_json("accounts", "list") == []


def in_terminal(*arguments: str, typed: bytes, environment: dict[str, str]) -> tuple[int, bytes]:
    terminal = Terminal(
        [sys.executable, "-m", "merge_link", *arguments], {**os.environ, **environment}
    )
    terminal.read_until(b"[y/N]: ")
    os.write(terminal._reading, typed)
    return terminal.end(), terminal.said


@pytest.mark.parametrize(("typed", "left"), [(b"n\n", 1), (b"\n", 1), (b"y\n", 0)])
def test_deleting_asks_which_account(
    typed: bytes, left: int, account: dict[str, Any], sandbox: Sandbox
) -> None:
    code, said = in_terminal("accounts", "delete", typed=typed, environment={})
    question = f"Delete the linked account {account['id']} of Acme (acme-42), Greenhouse, ats?"
    assert question.encode() in said
    assert account["account_token"].encode() not in said
    assert code == (ExitCode.NOT_DELIVERED if left else 0)
    assert (b"nothing was done" in said) == bool(left)
    assert len(as_json("accounts", "list")) == left


# ---- issues ----


def test_issues_are_listed_and_shown(account: dict[str, Any], sandbox: Sandbox) -> None:
    other = link(sandbox, "globex")
    first = sandbox.raise_issue(account["id"], "Wrong password.", details=["Sign in again."])
    second = sandbox.raise_issue(other["id"], "Gone.")
    sandbox.resolve_issue(second)
    text = done(run("issues", "list"))
    assert "Wrong password." in text
    assert {one["id"] for one in as_json("issues", "list")} == {first, second}
    assert [one["id"] for one in as_json("issues", "list", "--status", "ONGOING")] == [first]
    assert len(as_json("issues", "list", "--limit", "1")) == 1
    shown = done(run("issues", "show", first))
    assert shown.startswith(f"Issue          {first}\n")
    assert "Details        Sign in again.\n" in shown
    assert as_json("issues", "show", first)["error_description"] == "Wrong password."


def test_issues_of_one_account(account: dict[str, Any], sandbox: Sandbox, tmp_path: Path) -> None:
    other = link(sandbox, "globex")
    first = sandbox.raise_issue(account["id"])
    second = sandbox.raise_issue(other["id"])
    # The variable does not count: it would hide the issues of all others.
    assert {one["id"] for one in as_json("issues", "list")} == {first, second}
    token = other["account_token"]
    found = run("issues", "list", "--account-token-file", "-", "--format", "json", stdin=token)
    assert [one["id"] for one in json.loads(done(found))] == [second]
    request = sandbox.requests[-1]
    assert "x-account-token" not in {name.lower() for name in request.headers}


def test_what_is_wrong_with_issues(sandbox: Sandbox) -> None:
    result = run("issues", "list", "--start-date", "yesterday")
    assert result.exit_code == 2
    assert complaints(result)[0].startswith("--start-date must be a time")
    assert complaints(run("issues", "show"))[0].startswith("ID is required")
    assert run("issues", "show", "..").exit_code == 2
    assert complaints(run("issues", "show", ""))[0].startswith("ID must have 1")
    assert run("issues", "show", "none").exit_code == ExitCode.REFUSED


# ---- keys ----


def test_a_key_is_made_and_works(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    key = as_json("keys", "generate", "backend")
    assert key["name"] == "backend"
    assert done(run("keys", "generate", "other")).startswith("Key    ")
    lines = done(run("keys", "generate", "third", "--format", "env"))
    assert lines.startswith("MERGE_REMOTE_KEY=")
    monkeypatch.setenv("MERGE_API_KEY", key["key"])
    assert run("accounts", "list").exit_code == 0


def test_making_a_key_anew_asks(sandbox: Sandbox) -> None:
    key = as_json("keys", "generate", "backend")
    assert run("keys", "regenerate", "backend").exit_code == 2
    anew = as_json("keys", "regenerate", "backend", "--yes")
    assert anew["key"] != key["key"]


def test_what_is_wrong_with_keys(sandbox: Sandbox) -> None:
    assert run("keys", "generate", "").exit_code == 2
    assert complaints(run("keys", "generate", ""))[0].startswith("NAME ")
    assert run("keys", "generate", "a", "b").exit_code == 2


# ---- all of them ----

WITH_SANDBOX = [
    ["exchange"],
    ["accounts", "list"],
    ["accounts", "show"],
    ["accounts", "status"],
    ["accounts", "resync"],
    ["issues", "list"],
    ["issues", "show"],
    ["keys", "generate", "backend"],
    ["request", "GET", "/ats/v1/candidates"],
]


@pytest.mark.parametrize("command", WITH_SANDBOX, ids=" ".join)
def test_each_can_be_tried_in_the_sandbox(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which links an account for it, and needs no key."""
    for name in ("MERGE_API_KEY", "MERGE_BASE_URL", "MERGE_ACCOUNT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert done(run(*command, "--sandbox"))
    assert done(run(*command, "--sandbox", "--format", "json"))


def test_the_sandboxs_account_is_of_the_category_that_is_asked_for() -> None:
    shown = as_json("accounts", "show", "--sandbox", "--path-category", "hris")
    assert shown["category"] == "hris"
    result = run("accounts", "show", "--sandbox", "--path-category", "calendar")
    assert result.exit_code == 2
    result = run("accounts", "show", "--sandbox", "--account-token-file", "x")
    assert complaints(result) == ["--sandbox and --account-token-file exclude each other"]


@pytest.mark.parametrize("name", ["accounts", "issues", "keys", "webhook"])
def test_a_group_alone_shows_what_is_in_it(name: str) -> None:
    result = run(name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Usage: merge-link {name}" in result.stderr
    assert run(name, "--help").exit_code == 0
    assert run(name, "nonsense").exit_code == 2


def test_terminal_escapes_are_shown_instead_of_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    page = {"next": None, "previous": None, "results": [{"id": "a\x1b[2J\nb"}]}
    with scripted(monkeypatch, answer(200, page)):
        assert "a\\x1b[2J\\nb" in done(run("accounts", "list"))


def test_a_page_that_fails_leaves_no_half_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    page = {"next": "c2", "previous": None, "results": [{"id": "a"}]}
    with scripted(monkeypatch, answer(200, page), answer(403, {"detail": "No."})):
        result = run("accounts", "list", "--format", "json")
    assert (result.exit_code, result.stdout) == (ExitCode.REFUSED, "")
    with scripted(monkeypatch, answer(200, page), answer(403, {"detail": "No."})):
        result = run("accounts", "list", "--format", "jsonl")
    assert (result.exit_code, result.stdout) == (ExitCode.REFUSED, '{"id": "a"}\n')


def test_each_filter_of_a_list_has_its_flag() -> None:
    """But those that are of no use here: pages are followed, and lists of ids are for programs."""
    without = {"cursor", "end_user_origin_ids", "ids", "category", "account_token"}
    for command, operation in ((accounts, "linked_accounts"), (issues, "issues")):
        flags = {option.name for option in command.commands["list"].params}
        assert {row["name"] for row in _core.fields(operation)} - without <= flags


def test_the_examples_of_the_help_are_understood() -> None:
    for group in (accounts, issues):
        for name, command in group.commands.items():
            assert f"merge-link {group.name} {name}" in (command.help or "")
