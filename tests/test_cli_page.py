"""docs/command-line.md is true: its commands are run, and its tables say what the code has."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from documents import (
    Command,
    assert_does_what_is_shown,
    blocks_of,
    commands_of,
    environment_with,
    table_of,
)
from linked import link, make_link_token
from merge_link import webhooks
from merge_link.cli.columns import MOST_SHOWN
from merge_link.cli.failures import ExitCode
from merge_link.cli.options import field_options
from merge_link.cli.output import FORMATS
from merge_link.cli.program import program
from merge_link.cli.progress import SECONDS_BETWEEN_LINES
from merge_link.cli.sending import MOST_FAILURES_IN_A_ROW
from merge_link.cli.webhook import sample_of
from merge_link.sandbox import Sandbox
from samples import FIELDS
from scripted import Server, answer

PAGE = Path(__file__).resolve().parent.parent / "docs" / "command-line.md"
TEXT = PAGE.read_text()
README = PAGE.parent.parent / "README.md"


KEY = "the-key-of-the-webhooks"


@pytest.mark.parametrize("command", commands_of(PAGE), ids=lambda command: command.text[:60])
def test_commands_do_what_is_shown(
    command: Command, sandbox: Sandbox, serve: Callable[..., Server], tmp_path: Path
) -> None:
    (tmp_path / "user.json").write_text(json.dumps(FIELDS))
    (table,) = [block.text for block in blocks_of(PAGE) if block.language == "csv"]
    (tmp_path / "people.csv").write_text(table)
    (tmp_path / ".env").write_text("MERGE_REGION=eu\nMERGE_API_KEY=test_of_the_file\n")
    environment = environment_with(sandbox, tmp_path)
    if not re.search("create|bulk", command.text):  # which say what they say of a new end user
        environment |= of_a_linked_account(sandbox, tmp_path)
        environment["APPLICATION"] = serve(answer(204)).base_url.removesuffix("/api")
    assert_does_what_is_shown(command, env=environment, cwd=tmp_path)


def of_a_linked_account(sandbox: Sandbox, home: Path) -> dict[str, str]:
    """The variables and files that the page's commands about one take for granted."""
    account = link(sandbox, integration="greenhouse")
    sandbox.raise_issue(account["id"])
    body = json.dumps(sample_of("LinkedAccount.linked", None, "https://app.example/")).encode()
    (home / "body.json").write_bytes(body)
    for name, secret in (("token.txt", account["account_token"]), ("key.txt", KEY)):
        (home / name).write_text(f"{secret}\n")
        (home / name).chmod(0o600)
    return {
        "PUBLIC_TOKEN": sandbox.complete_link(make_link_token(sandbox), "greenhouse"),
        "SIGNATURE": webhooks.sign(body, KEY),
    }


def leaves(command: click.Command) -> Iterator[click.Command]:
    """The commands that do something."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            yield from leaves(one)
    else:
        yield command


def test_every_command_has_a_section_and_every_flag_that_is_named_is_there() -> None:
    for name, command in program.commands.items():
        assert f"\n## {name.capitalize()}\n" in TEXT
        if isinstance(command, click.Group):
            assert all(f"{name} {one}" in TEXT for one in command.commands)
    flags = {
        flag
        for command in leaves(program)
        for option in command.params
        for flag in (*option.opts, *option.secondary_opts)
    }
    named = set(re.findall(r"`(--[a-z-]+)", TEXT)) - {"--help"}
    assert named - {"--"} <= flags
    # Those of fields of a link token are described as a whole.
    of_fields = {option.name for option in field_options()}
    unnamed = [
        option.opts
        for command in leaves(program)
        if command.name not in ("create", "completion")
        for option in command.params
        if isinstance(option, click.Option)
        and not (option.hidden or option.name in of_fields or named & set(option.opts))
    ]
    assert [opts for opts in unnamed if opts not in (["--version"], ["-o", "--output"])] == []


def test_the_numbers_of_bulk_are_those_of_the_code() -> None:
    assert f"Up to {MOST_SHOWN} problems are shown" in TEXT
    assert f"So do {MOST_FAILURES_IN_A_ROW}\nfailures in a row" in TEXT
    assert (SECONDS_BETWEEN_LINES, "a line on stderr every ten seconds" in TEXT) == (10.0, True)


def test_the_formats_are_all_of_them() -> None:
    (rows,) = re.findall(r"`--format` is one of\n\n\|.*?\n\|.*?\n(.*?)\n\n", TEXT, re.DOTALL)
    assert re.findall(r"^\| `(\w+)`", rows, re.MULTILINE) == list(FORMATS)


def test_the_exit_codes_are_all_of_them() -> None:
    codes = {int(code) for code in table_of(PAGE, "Exit codes")}
    assert codes == {0, 130, *ExitCode}


def test_links_lead_to_sections_that_are_there() -> None:
    headings = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) <= anchors
