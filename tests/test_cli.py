"""The command line: what goes in, what comes out, on which stream and with which exit code."""

import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from command_line import (
    BIN,
    END_USER,
    GOOD,
    PATIENCE,
    advice,
    complaints,
    create,
    process,
    run,
    scripted,
)
from merge_link import __version__, _core, errors
from merge_link.cli.advice import _NOT_OF_A_READ
from merge_link.cli.connection import Connection
from merge_link.cli.failures import _PHRASES, EXIT_CODES_HELP, ExitCode, Typed, failure_of
from merge_link.cli.options import OPERATION, REGIONS, field_options, flags_of
from merge_link.cli.program import COMMANDS, program
from merge_link.sandbox import Sandbox
from samples import EVERY_FIELD, FIELDS, KEY, TOKEN
from scripted import Server, answer, stay_silent, token_answer

SCALARS = {
    "integration": "greenhouse",
    "link_expiry_mins": 45,
    "language": "de",
    "completed_account_initial_screen": "SELECTIVE_SYNC",
    "linked_destination_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "credential_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
}


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that the environment points to, as it would to Merge."""
    with Sandbox() as running:
        monkeypatch.setenv("MERGE_API_KEY", running.api_key)
        monkeypatch.setenv("MERGE_BASE_URL", running.base_url)
        yield running


# ---- the result ----


def test_text_is_for_a_person() -> None:
    result = create("--sandbox", *GOOD, "--magic-link", "--integration", "bamboohr")
    lines = dict(line.split(maxsplit=2)[::2] for line in result.stdout.splitlines()[:1])
    assert len(lines["Link"]) == 40
    labels = [line[:14].rstrip() for line in result.stdout.splitlines()]
    assert labels == ["Link token", "Expires", "Integration", "Magic link"]
    assert (result.exit_code, result.stderr) == (0, "")


def test_text_leaves_out_what_there_is_not() -> None:
    result = create("--sandbox", *GOOD)
    assert [line[:14].rstrip() for line in result.stdout.splitlines()] == ["Link token", "Expires"]


def test_json_is_one_object_with_the_api_fields_and_the_expiry() -> None:
    result = create("--sandbox", *GOOD, "--format", "json", "--link-expiry-mins", "60")
    token = json.loads(result.stdout)
    assert list(token) == ["link_token", "integration_name", "magic_link_url", "expires_at"]
    assert len(token["link_token"]) == 40
    expires_at = datetime.fromisoformat(token["expires_at"])
    assert abs(expires_at - datetime.now(UTC) - timedelta(minutes=60)) < timedelta(minutes=5)
    assert (result.exit_code, result.stderr) == (0, "")


def test_json_has_the_members_that_this_version_does_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with scripted(monkeypatch, token_answer(newer={"a": [1]})):
        token = json.loads(create(*GOOD, "--format", "json").stdout)
    assert token["link_token"] == TOKEN
    assert token["newer"] == {"a": [1]}


def test_env_is_quoted_for_shells(monkeypatch: pytest.MonkeyPatch) -> None:
    name = 'It\'s $(touch here) `x` "y"\nz'
    with scripted(monkeypatch, token_answer(integration_name=name)):
        lines = create(*GOOD, "--format", "env").stdout
    show = 'printf %s "$MERGE_LINK_TOKEN|$MERGE_INTEGRATION_NAME"'
    shell = process("sh", "-c", f"{lines}\n{show}")
    assert shell.stdout == f"{TOKEN}|{name}"


def test_env_names_only_what_there_is() -> None:
    lines = create("--sandbox", *GOOD, "--format", "env").stdout
    names = [line.partition("=")[0] for line in lines.splitlines()]
    assert names == ["MERGE_LINK_TOKEN", "MERGE_LINK_TOKEN_EXPIRES_AT"]
    lines = create("--sandbox", *GOOD, "--format", "env", "--magic-link").stdout
    assert "\nMERGE_MAGIC_LINK_URL=http://" in lines


def test_text_shows_terminal_escapes_instead_of_sending_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with scripted(monkeypatch, token_answer(integration_name="A\x1b[2J\nB - é")):
        result = create(*GOOD)
    assert "Integration   A\\x1b[2J\\nB - é\n" in result.stdout


# ---- what is sent ----


def test_what_is_sent_is_what_the_flags_say(sandbox: Sandbox) -> None:
    result = create(*GOOD, "--category", "hris", "--link-expiry-mins", "10080", "--magic-link")
    assert result.exit_code == 0
    request = sandbox.requests[-1]
    assert request.path == "/api/ats/v1/link-token"
    assert request.json == {
        **FIELDS,
        "categories": ["ats", "hris"],
        "link_expiry_mins": 10080,
        "should_create_magic_link_url": True,
    }


def test_the_path_may_have_another_category(sandbox: Sandbox) -> None:
    assert create(*GOOD, "--path-category", "hris").exit_code == 0
    assert sandbox.requests[-1].path == "/api/hris/v1/link-token"


@pytest.mark.parametrize(("field", "value"), SCALARS.items())
def test_each_scalar_field_has_a_flag(sandbox: Sandbox, field: str, value: object) -> None:
    assert create(*GOOD, f"--{field.replace('_', '-')}", str(value)).exit_code == 0
    assert sandbox.requests[-1].json == {"link_expiry_mins": 30, **FIELDS, field: value}


BOOLEANS = [row["name"] for row in _core.fields(OPERATION) if row["type"] == "boolean"]


@pytest.mark.parametrize("field", BOOLEANS)
def test_each_boolean_field_has_a_flag_for_yes_and_no(sandbox: Sandbox, field: str) -> None:
    flag = field.replace("_", "-")
    for argument, value in ((f"--{flag}", True), (f"--no-{flag}", False)):
        assert create(*GOOD, argument).exit_code == 0
        assert sandbox.requests[-1].json[field] is value


_NESTED = ("array", "object")


def test_every_scalar_field_of_the_core_is_covered_here_and_has_a_help_text() -> None:
    options = {option.name: option for option in field_options()}
    scalars = {row["name"] for row in _core.fields(OPERATION) if row["type"] not in _NESTED}
    assert scalars | {"categories"} == options.keys()
    assert scalars == {*SCALARS, *BOOLEANS, *FIELDS, "category"} - {"categories"}
    assert all(option.help for option in options.values())


def test_the_required_fields_have_their_full_names_too(sandbox: Sandbox) -> None:
    arguments = [text for name in FIELDS for text in (flags_of(name)[-1], "ats")]
    assert arguments[0] == "--end-user-email-address"
    assert create(*arguments).exit_code == 0


def test_no_flag_is_there_twice() -> None:
    options = [option for option in program.commands["create"].params]
    names = [name for option in options for name in (*option.opts, *option.secondary_opts)]
    assert len(names) == len(set(names))


def test_the_timeout_is_for_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(monkeypatch, stay_silent):
        result = create(*GOOD, "--timeout", "0.2")
    assert result.exit_code == 5
    assert len(complaints(result)) == 1


def test_the_base_url_flag_wins_over_the_environment(sandbox: Sandbox) -> None:
    wrong = {"MERGE_BASE_URL": "http://127.0.0.1:1/api"}
    assert create(*GOOD, "--base-url", sandbox.base_url, environment=wrong).exit_code == 0


# ---- --json ----


def test_json_gives_the_nested_fields(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "user.json"
    file.write_text(json.dumps(EVERY_FIELD))
    assert create("--json", str(file)).exit_code == 0
    assert sandbox.requests[-1].json == EVERY_FIELD


def test_json_comes_from_stdin_and_flags_win_over_it(sandbox: Sandbox) -> None:
    fields = {**FIELDS, "language": "de", "categories": ["crm"]}
    result = create(
        "--json", "-", "--language", "fr", "--category", "ats", stdin=json.dumps(fields)
    )
    assert result.exit_code == 0
    assert sandbox.requests[-1].json == {**FIELDS, "language": "fr", "link_expiry_mins": 30}


def test_json_takes_newer_fields_in_extra_body(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(monkeypatch) as server:
        fields = {**FIELDS, "extra_body": {"newer": 1}}
        assert create("--json", "-", stdin=json.dumps(fields)).exit_code == 0
        assert server.bodies[0]["newer"] == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "not JSON: line 1, column 2: "),
        (b"", "not JSON: line 1, column 1: "),
        (b'{"language": "\xff"}', "not UTF-8: byte 14 "),
        (b"[1]", "must hold a JSON object of the API's fields"),
        (b'{"language": NaN}', "NaN is not JSON"),
        (b'{"language": "en", "language": "de"}', '"language" is there twice'),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"languag": "en"}', '"languag" is not a field of the API; did you mean "language"?'),
        (b'{"link-expiry-mins": 30}', '"link-expiry-mins" is not a field of the API; did you mean'),
        (b'{"organization": "x"}', '"organization" is not a field of the API; did you mean "end_u'),
        (b'{"endUserOriginId": "x"}', '"endUserOriginId" is not a field of the API; did you mean'),
        (b'{"magic_link": true}', '"magic_link" is not a field of the API; did you mean "should_'),
        (b'{"newer": 1}', '"newer" is not a field of the API; newer ones go into "extra_body"'),
        (b'{"api_key": "k"}', '"api_key" is not a field of the API; '),
        (b'{"extra_body": []}', "extra_body must be an object"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_line(content: bytes, problem: str) -> None:
    result = create("--sandbox", *GOOD, "--json", "-", stdin=content)
    assert result.exit_code == 2
    (line,) = complaints(result)
    assert line.startswith(f"--json stdin: {problem}")


def test_a_file_that_is_not_there_is_wrong_input(tmp_path: Path) -> None:
    result = create("--sandbox", *GOOD, "--json", str(tmp_path / "none.json"))
    assert result.exit_code == 2
    assert complaints(result) == [f"--json {tmp_path / 'none.json'}: No such file or directory"]


def test_a_file_may_begin_with_a_byte_order_mark(sandbox: Sandbox) -> None:
    content = b"\xef\xbb\xbf" + json.dumps(FIELDS).encode()
    assert create("--json", "-", stdin=content).exit_code == 0


# ---- 2: wrong input ----


def test_all_missing_flags_are_reported_at_once() -> None:
    result = create("--sandbox")
    assert result.exit_code == 2
    flags = ("--email", "--organization", "--origin-id", "--category")
    assert complaints(result) == [f"{flag} is required" for flag in flags]


def test_a_null_in_the_file_counts_as_missing() -> None:
    fields = json.dumps({**FIELDS, "end_user_origin_id": None})
    result = create("--sandbox", "--json", "-", stdin=fields)
    assert complaints(result) == ["--origin-id is required"]


def test_each_problem_is_a_line_in_terms_of_the_flags() -> None:
    arguments = ["--email", "", "--organization", "x" * 101, "--origin-id", "1"]
    categories = ["--category", "ats", "--category", "atss", "--category", "ats"]
    result = create("--sandbox", *arguments, *categories, "--link-expiry-mins", "721")
    assert result.exit_code == 2
    assert complaints(result) == [
        "--email must have 1 to 100 characters, has 0",
        "--organization must have 1 to 100 characters, has 101",
        '--category no. 2 is not a known value; did you mean "ats"?',
        "--category no. 3 is already in the list: remove the duplicate",
        "--link-expiry-mins must be 30 to 720 (to 10080 with --magic-link)",
    ]


def test_a_single_category_is_not_counted() -> None:
    result = create("--sandbox", *END_USER, "--category", "atss")
    assert complaints(result) == ['--category is not a known value; did you mean "ats"?']


@pytest.mark.parametrize("value", ["ats,hris", "ats, hris"])
def test_several_categories_in_one_flag_are_told_to_repeat_it(value: str) -> None:
    result = create("--sandbox", *END_USER, "--category", value)
    assert result.exit_code == 2
    assert complaints(result) == [
        "--category takes one category: repeat it, as in --category ats --category hris"
    ]


def test_a_field_of_the_file_with_a_wrong_name_is_not_missing_as_well() -> None:
    fields = {**FIELDS, "language": "e"}
    fields["end_user_emial_address"] = fields.pop("end_user_email_address")
    fields["category_common_model_scope"] = {"atss": []}
    result = create("--sandbox", "--json", "-", stdin=json.dumps(fields))
    assert result.exit_code == 2
    assert [line.partition(";")[0] for line in complaints(result)] == [
        '--json stdin: "end_user_emial_address" is not a field of the API',
        '--json stdin: "category_common_model_scope" is not a field of the API',
        "category_common_model_scopes.atss (in stdin) is not a known value",
        'language (in stdin) must be a language tag, such as "en", "de" or "pt-BR"',
    ]


def test_problems_of_the_file_are_told_by_their_paths(tmp_path: Path) -> None:
    file = tmp_path / "user.json"
    file.write_text(json.dumps({"link_expiry_mins": 9, "common_models": [{"model_id": 3}]}))
    result = create("--sandbox", *GOOD, "--json", str(file))
    assert result.exit_code == 2
    assert complaints(result) == [
        f"link_expiry_mins (in {file}) must be 30 to 720"
        " (to 10080 with should_create_magic_link_url)",
        f"common_models[0].model_id (in {file}) must be a string, not an integer",
        f"common_models[0].enabled_actions (in {file}) is required: give a list",
        f"common_models[0].disabled_fields (in {file}) is required: give a list",
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["create", "--emial", "x"], "No such option"),
        (
            ["create", "--sandbox", "--link-expiry-mins", "soon"],
            "--link-expiry-mins must be a whole",
        ),
        (
            ["create", "--sandbox", "--timeout", "abc"],
            "--timeout must be a number of seconds",
        ),
        (["create", "--sandbox", "--format", "xml"], "Invalid value for '--format'"),
        (["create", "--email"], "Option '--email' requires an argument"),
        (["creat"], "No such command"),
        (["--nothing"], "No such option"),
        (["completion"], "Missing argument"),
        (["create", "--sandbox", "--base-url", "http://x"], "--sandbox and --base-url exclude"),
        (["create", "--sandbox", "--region", "eu"], "--sandbox and --region exclude"),
        (["create", "--sandbox", "--api-key-file", "k"], "--sandbox and --api-key-file exclude"),
        (["doctor", "--sandbox", "--region", "eu"], "--sandbox and --region exclude"),
        (["create", "--json", "-", "--api-key-file", "-"], "--json - and --api-key-file - exclude"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], problem: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    (line,) = complaints(result)
    assert line.startswith(problem)


def test_stray_arguments_are_not_repeated() -> None:
    for command, others in (
        (["create", "--sandbox", *GOOD, KEY], "1 other argument was"),
        (["create", "--sandbox", *GOOD, KEY, "x"], "2 others were"),
        (["doctor", "--sandbox", KEY], "1 other argument was"),
    ):
        result = run(*command)
        assert result.exit_code == 2
        (line,) = complaints(result)
        assert line.startswith(f"takes only flags, and {others} given: put quotes round")
        assert KEY not in line


# ---- the API key ----


@pytest.mark.parametrize("arguments", [["--api-key", KEY], [f"--api-key={KEY}"], ["--api-key"]])
@pytest.mark.parametrize("valid", [[], GOOD])
def test_the_key_is_never_an_argument(arguments: list[str], valid: list[str]) -> None:
    result = create(*valid, *arguments)
    assert result.exit_code == 2
    (line,) = complaints(result)
    assert "MERGE_API_KEY" in line
    assert "--api-key-file" in line
    assert KEY not in line


def test_without_a_key_the_next_step_is_told() -> None:
    result = create(*GOOD)
    assert result.exit_code == 3
    assert complaints(result) == [
        "no API key: set MERGE_API_KEY, or give --api-key-file FILE or --env-file FILE"
    ]
    assert advice(result) == [
        "Keys are made at https://app.merge.dev/keys. --sandbox answers as Merge does, without one."
    ]


def test_what_a_run_without_anything_needs_is_told_at_once() -> None:
    result = create()
    assert result.exit_code == 2
    flags = ("--email", "--organization", "--origin-id", "--category")
    assert complaints(result)[:4] == [f"{flag} is required" for flag in flags]
    assert complaints(result)[4].startswith("no API key: ")
    assert len(complaints(result)) == 5
    assert len(advice(result)) == 1


@pytest.mark.parametrize("line_end", ["", "\n", "\r\n", "\n\n"])
def test_the_key_comes_from_a_file(sandbox: Sandbox, tmp_path: Path, line_end: str) -> None:
    file = tmp_path / "key"
    file.touch(mode=0o600)
    file.write_bytes((sandbox.api_key + line_end).encode())
    result = create(*GOOD, "--api-key-file", str(file), environment={"MERGE_API_KEY": "wrong"})
    assert (result.exit_code, result.stderr) == (0, "")


def test_the_key_comes_from_stdin(sandbox: Sandbox) -> None:
    key = sandbox.api_key + "\n"
    result = create(*GOOD, "--api-key-file", "-", environment={"MERGE_API_KEY": ""}, stdin=key)
    assert result.exit_code == 0


def test_a_key_file_that_others_can_read_is_warned_of(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(sandbox.api_key)
    file.chmod(0o644)
    result = create(*GOOD, "--api-key-file", str(file))
    assert result.exit_code == 0
    assert result.stderr.startswith(f"merge-link: warning: {file} can be read by every user")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (KEY.encode() + b" x", "must be printable ASCII"),
        (KEY.encode() + b"\0", "must be printable ASCII"),
        (KEY.encode() + b"\xff", "must be printable ASCII"),
    ],
)
def test_an_impossible_key_is_not_repeated(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "key"
    file.touch(mode=0o600)
    file.write_bytes(content)
    result = create(*GOOD, "--api-key-file", str(file))
    assert result.exit_code == 3
    (line,) = complaints(result)
    assert line.startswith(f"the key of --api-key-file {file} {problem}")
    assert KEY not in line


def test_a_key_file_that_is_not_there_is_wrong_input(tmp_path: Path) -> None:
    result = create(*GOOD, "--api-key-file", str(tmp_path / "none"))
    assert result.exit_code == 2
    assert complaints(result) == [f"--api-key-file {tmp_path / 'none'}: No such file or directory"]


def test_an_impossible_key_of_the_environment_is_named_by_its_variable() -> None:
    result = create(*GOOD, environment={"MERGE_API_KEY": KEY + "\n"})
    assert result.exit_code == 3
    (line,) = complaints(result)
    assert line.startswith("MERGE_API_KEY must be printable ASCII")
    assert KEY not in line


# ---- 3: configuration and authentication ----


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "problem"),
    [
        (["--region", "mars"], {}, 2, '--region must be "us", "eu" or "apac"'),
        ([], {"MERGE_REGION": "mars"}, 3, 'MERGE_REGION must be "us", "eu" or "apac"'),
        (["--base-url", "x"], {}, 2, "--base-url must be an absolute URL"),
        ([], {"MERGE_BASE_URL": "ftp://x"}, 3, "MERGE_BASE_URL must start with https://"),
        (["--base-url", "http://api.example"], {}, 2, "--base-url would send the API key unencr"),
        (["--timeout", "0"], {}, 2, "--timeout must be more than 0"),
        (["--timeout", "nan"], {}, 2, "--timeout must be more than 0"),
        ([], {"SSL_CERT_FILE": "/no/such/file"}, 3, "SSL_CERT_FILE cannot be read"),
        ([], {"SSL_CERT_DIR": "/no/such"}, 3, "SSL_CERT_DIR cannot be read"),
        (
            ["--base-url", "https://api.example"],
            {"HTTPS_PROXY": "ftp://joe:secret@proxy"},
            3,
            "HTTPS_PROXY must be a URL of http or https, such as http://proxy.example:3128",
        ),
        (
            ["--base-url", "https://api.example"],
            {"all_proxy": "socks5://joe:secret@proxy"},
            3,
            "all_proxy is a SOCKS proxy, which is not supported: only http:// and https:// are",
        ),
    ],
)
def test_an_impossible_option_is_named_by_where_it_came_from(
    arguments: list[str], environment: dict[str, str], code: int, problem: str
) -> None:
    result = create(*GOOD, *arguments, environment={"MERGE_API_KEY": KEY, **environment})
    assert result.exit_code == code
    (line,) = complaints(result)
    assert line.startswith(problem)
    assert advice(result) == []
    assert "is not given" not in line
    assert "allow_http" not in line
    assert "secret" not in line


def test_an_impossible_option_is_told_with_the_wrong_fields() -> None:
    arguments = ["--category", "atss", "--region", "de"]
    result = create(*END_USER, *arguments, environment={"MERGE_API_KEY": KEY})
    assert result.exit_code == 2
    assert complaints(result) == [
        '--category is not a known value; did you mean "ats"?',
        '--region must be "us", "eu" or "apac"',
    ]


def test_a_wrong_key_is_authentication(sandbox: Sandbox) -> None:
    result = create(*GOOD, environment={"MERGE_API_KEY": KEY})
    assert result.exit_code == 3
    (line,) = complaints(result)
    assert line.startswith("Merge answered 401: Invalid token. (request id ")
    assert advice(result) == [
        "Is the API key whole, still valid, and of this region? Merge's keys:"
        " https://app.merge.dev/keys",
        f"The request was POST {sandbox.base_url}/ats/v1/link-token (no host of Merge's:"
        " MERGE_BASE_URL names it)",
    ]
    assert KEY not in result.stderr


# ---- 4: refused by Merge ----


def test_what_merge_refuses_is_told_in_terms_of_the_flags(sandbox: Sandbox) -> None:
    result = create(*GOOD, "--category", "newer", "--language", "tlh")
    assert result.exit_code == 4
    first, second = complaints(result)
    assert first.startswith('Merge refuses --category no. 2: "newer" is not a valid choice.')
    assert second.startswith('Merge refuses --language: "tlh" is not a valid choice. (request id ')


def test_an_unknown_category_of_the_path_is_told_as_such(sandbox: Sandbox) -> None:
    result = create(*END_USER, "--category", "newer")
    assert result.exit_code == 4
    (line,) = complaints(result)
    assert line.startswith("Merge answered 404: Not found. (request id ")
    assert line.endswith(")")
    request, question = advice(result)
    assert request.startswith(f"The request was POST {sandbox.base_url}/newer/v1/link-token ")
    assert question.startswith("Is the category right, and MERGE_BASE_URL? That is what stands")
    assert result.stderr.count("Is the category right") == 1


@pytest.mark.parametrize(
    ("scripted_answer", "problem"),
    [
        (answer(403, {"detail": "Not\nallowed.\x1b[31m"}), "403: Not allowed. [31m"),
        (answer(418, b"<html>teapot</html>", content_type="text/html"), "418 with an HTML page"),
        (answer(200, {}), "link_token"),
        (answer(200, b"nonsense"), "not JSON"),
        (answer(302, b"", "Location: https://elsewhere.example"), "redirect"),
        (answer(400, {"non_field_errors": ["All wrong."]}), "All wrong."),
        (answer(400, {"unknown_field": ["Bad."]}), "Merge refuses unknown_field: Bad."),
    ],
)
def test_other_refusals_and_broken_answers(
    monkeypatch: pytest.MonkeyPatch, scripted_answer: bytes, problem: str
) -> None:
    with scripted(monkeypatch, scripted_answer):
        result = create(*GOOD)
    assert result.exit_code == 4
    (line,) = complaints(result)
    assert problem in line


def test_rate_limits_and_failures_of_the_server_are_refusals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for status in (429, 503):
        with scripted(monkeypatch, answer(status, {"detail": "Wait."}, "Retry-After: 60")):
            result = create(*GOOD, "--timeout", "5")
        assert result.exit_code == 4
        assert complaints(result) == [f"Merge answered {status}: Wait. (try again in 60 s)"]
        if status == 429:
            assert advice(result)[1:] == [
                "A call waits so long by itself where --timeout leaves room."
            ]


# ---- 5: network ----


def test_no_server_is_a_network_failure() -> None:
    environment = {"MERGE_API_KEY": KEY, "MERGE_BASE_URL": "http://127.0.0.1:1/api"}
    result = create(*GOOD, "--timeout", "0.3", environment=environment)
    assert result.exit_code == 5
    (line,) = complaints(result)
    assert line.startswith("cannot connect to 127.0.0.1:1: Connection refused")


def test_what_to_do_about_a_network_is_told_in_a_line_of_its_own(
    serve: Callable[..., Server],
) -> None:
    proxy = serve(answer(403))
    environment = {"MERGE_API_KEY": KEY, "https_proxy": f"http://127.0.0.1:{proxy.port}"}
    result = create(*GOOD, "--base-url", "https://api.example/api", environment=environment)
    assert result.exit_code == 5
    assert result.stderr == (
        f"merge-link: the proxy 127.0.0.1:{proxy.port} does not connect to api.example:443"
        " (status 403); Merge was not reached\n"
        "  Its rules may forbid that. NO_PROXY=api.example leads past it.\n"
    )


def test_a_timeout_is_told_as_the_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(monkeypatch, stay_silent):
        result = create(*GOOD, "--timeout", "0.3")
    first, remedy = result.stderr.splitlines()
    assert first.endswith(": the --timeout of 0.3 seconds is over")
    assert remedy == (
        "  If it is only slow: --timeout is for the whole call, retries and waits included."
    )


def _typed(**options: str) -> Typed:
    return Typed(flags={}, in_file=frozenset(), file="", options=options)


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ("Look at base_url=. Or", "Look at --base-url. Or"),
        ("is http:// meant in base_url=?", "is http:// meant in --base-url?"),
        ("(base_url= or MERGE_BASE_URL names it)", "(--base-url names it)"),
        ("name some by ca_bundle= or SSL_CERT_FILE.", "name some by SSL_CERT_DIR."),
        ("name it by proxy= or HTTPS_PROXY.", "name it by all_proxy."),
        (
            "The proxy is that of proxy=, else of HTTPS_PROXY or ALL_PROXY in the environment.",
            "The proxy is that of all_proxy.",
        ),
        ("A NO_PROXY entry for the host leads past it.", "NO_PROXY=one.example leads past it."),
        ("the timeout of 3 seconds is over", "the --timeout of 3 seconds is over"),
        ("through the proxy; the timeout is", "through the proxy; the timeout is"),
        (
            "It may want one: client_cert=(certificate, key).",
            "It may want one: Client(client_cert=…) in Python.",
        ),
    ],
)
def test_options_are_called_like_the_flags_and_variables(python: str, shell: str) -> None:
    typed = _typed(
        base_url="--base-url",
        ca_bundle="SSL_CERT_DIR",
        proxy="all_proxy",
        timeout="--timeout",
        no_proxy="NO_PROXY=one.example",
    )
    failure = failure_of(errors.TransportError(f"what\n{python}"), typed)
    assert [(problem.text, problem.advice) for problem in failure.problems] == [("what", (shell,))]


def test_every_remedy_of_the_core_has_words_of_the_command_line() -> None:
    words = Path(__file__).parent.parent / "csrc" / "core" / "transport" / "words.c"
    literals = re.sub(r'"\s*\n\s*"', "", words.read_text())
    remedies = re.findall(r'"((?:[^"\\\n]|\\.)*)"', literals)
    options = Connection().words()
    # This command gives no client certificate, so there is none to be refused.
    told = [text for text in remedies if "=" in text and not text.endswith("client_cert=.")]
    spoken = [_typed(**options).spoken(remedy) for remedy in told]
    assert len(spoken) > 5
    assert [text for text in spoken if re.search(r"\b(?!NO_PROXY)[\w]+=(?!…)", text)] == []


def test_retries_are_not_told_one_by_one() -> None:
    environment = {"MERGE_API_KEY": KEY, "MERGE_BASE_URL": "http://127.0.0.1:1/api"}
    done = process(BIN / "merge-link", "create", *GOOD, environment=environment)
    assert done.returncode == 5
    assert done.stderr.startswith("merge-link: ")
    assert " (3 attempts)\n  Nothing listens at that port" in done.stderr
    assert done.stderr.count("\n") == 2


def test_the_words_that_are_put_otherwise_are_what_errors_say() -> None:
    root = Path(__file__).parents[1]
    files = [*root.glob("csrc/*/*.c"), *root.glob("csrc/core/*/*.c"), root / "merge_link/_hints.py"]
    said = re.sub(r'"\s+f?"', "", "\n".join(one.read_text() for one in files))
    missing = [words for words in (*_PHRASES, *_NOT_OF_A_READ) if words not in said]
    assert missing == ["the connect_timeout of"]  # which is put together of a name and words


# ---- each kind of error, without a network ----


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ValidationError("x"), 2),
        (errors.ConfigurationError("x"), 3),
        (errors.AuthenticationError("x"), 3),
        (errors.APIError("x"), 4),
        (errors.BadRequestError("x"), 4),
        (errors.PermissionDeniedError("x"), 4),
        (errors.NotFoundError("x"), 4),
        (errors.RateLimitError("x"), 4),
        (errors.ErrorBudgetError("x"), 4),
        (errors.ServerError("x"), 4),
        (errors.ResponseError("x"), 4),
        (errors.TransportError("x"), 5),
        (errors.TLSError("x"), 5),
        (errors.RequestTimeoutError("x"), 5),
    ],
)
def test_every_error_has_its_exit_code(error: errors.MergeLinkError, code: int) -> None:
    assert failure_of(error, _typed()).code == code
    assert isinstance(ExitCode(code), ExitCode)


# ---- help ----


def test_help_shows_every_flag_an_example_and_the_units() -> None:
    text = create("--help").stdout
    for flag in (
        "--email ADDRESS",
        "--category CATEGORY",
        "--magic-link / --no-magic-link",
        "--api-key-file FILE",
    ):
        assert flag in text
    assert "--link-expiry-mins MINUTES" in text
    assert "--timeout SECONDS" in text
    assert "merge-link create --sandbox" in text
    assert "--api-key " not in text
    assert create("-h").stdout == text


def test_help_of_the_whole_lists_the_exit_codes() -> None:
    text = " ".join(run("--help").stdout.split())
    assert EXIT_CODES_HELP in text
    assert "create" in text


def test_the_regions_that_completion_offers_are_those_that_the_core_takes() -> None:
    (line,) = complaints(create(*GOOD, "--region", "x", environment={"MERGE_API_KEY": KEY}))
    assert re.findall('"(.*?)"', line) == list(REGIONS)


def test_without_a_command_the_help_is_shown_and_nothing_done() -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == run("--help").stdout


@pytest.mark.parametrize("arguments", [["--version"], ["create", "--version"]])
def test_version(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (0, f"merge-link {__version__}\n")


# ---- as processes ----


@pytest.mark.parametrize(
    "command", [[BIN / "merge-link"], [sys.executable, "-m", "merge_link"]], ids=["script", "-m"]
)
def test_the_installed_command_makes_a_token(command: list[str | Path]) -> None:
    done = process(*command, "create", "--sandbox", *GOOD, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["link_token"]) == 40


def test_a_failure_has_no_traceback(sandbox: Sandbox) -> None:
    done = process(BIN / "merge-link", "create", *GOOD, environment={"MERGE_API_KEY": KEY})
    assert (done.returncode, done.stdout) == (3, "")
    problem, *advice = done.stderr.splitlines()
    assert problem.startswith("merge-link: Merge answered 401")
    assert [line.startswith("  ") for line in advice] == [True, True]


def test_the_version_needs_no_click() -> None:
    code = (
        "import sys; sys.argv = ['merge-link', '--version']\n"
        "from merge_link.__main__ import main; main()\n"
        "assert 'click' not in sys.modules"
    )
    done = process(sys.executable, "-c", code)
    assert (done.returncode, done.stdout) == (0, f"merge-link {__version__}\n")


def test_without_click_the_extra_is_named() -> None:
    code = "import sys; sys.modules['click'] = None\nfrom merge_link.__main__ import main; main()"
    done = process(sys.executable, "-c", code)
    assert done.returncode == 1
    assert done.stderr == (
        'merge-link: the command line needs click: pip install "merge-link[cli]"\n'
    )


def test_without_the_sandbox_extra_it_is_named() -> None:
    arguments = shlex.join(["merge-link", "create", "--sandbox", *GOOD])
    code = (
        f"import shlex, sys; sys.argv = shlex.split({arguments!r})\n"
        "import importlib.util; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'h11' else find(name, *a)\n"
        "from merge_link.__main__ import main; main()"
    )
    done = process(sys.executable, "-c", code)
    assert done.returncode == 3
    assert done.stderr.startswith("merge-link: merge_link.sandbox needs h11: pip install ")


def test_the_package_does_not_load_the_command_line() -> None:
    code = (
        "import sys, merge_link, merge_link.errors, merge_link.models, merge_link.sandbox\n"
        "assert not [name for name in sys.modules if name.split('.')[:2] == ['merge_link', 'cli']]"
    )
    assert process(sys.executable, "-c", code).returncode == 0


def test_ctrl_c_ends_quietly_with_130() -> None:
    with Server(stay_silent) as server:
        environment = {"MERGE_API_KEY": KEY, "MERGE_BASE_URL": server.base_url}
        running = subprocess.Popen(
            [BIN / "merge-link", "create", *GOOD],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        with running:
            server.wait_for_requests(1)
            running.send_signal(signal.SIGINT)
            output, complaint = running.communicate(timeout=PATIENCE)
    assert (running.returncode, output, complaint.strip()) == (130, "", "")


def test_a_reader_that_leaves_is_no_trouble() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [BIN / "merge-link", "create", "--sandbox", *GOOD],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
        )
    finally:
        os.close(writing)
    assert done.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_result_that_cannot_be_written_is_told() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [BIN / "merge-link", "create", "--sandbox", *GOOD],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
        )
    assert done.returncode == ExitCode.NOT_DELIVERED
    assert done.stderr == ("merge-link: the result could not be written: No space left on device\n")


def test_a_terminal_without_unicode_is_no_trouble() -> None:
    with Server(token_answer(integration_name="Gr\u00f6\u00dfe \u0416")) as server:
        environment = {
            "MERGE_API_KEY": KEY,
            "MERGE_BASE_URL": server.base_url,
            "PYTHONIOENCODING": "latin-1",
        }
        done = process(
            BIN / "merge-link", "create", *GOOD, environment=environment, encoding="latin-1"
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Gr\u00f6\u00dfe \\u0416" in done.stdout


def test_a_closed_stdout_is_found_before_a_token_is_made() -> None:
    command = [sys.executable, "-m", "merge_link", "create", "--sandbox", *GOOD]
    run = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *command],
        env={**os.environ},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (
        1,
        "merge-link: the result could not be written: stdout is closed\n",
    )


# ---- the subcommands ----


def test_the_help_loads_no_subcommand_and_says_what_each_says_of_itself() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from merge_link.cli.program import COMMANDS, program\n"
        "assert CliRunner().invoke(program, ['--help']).exit_code == 0\n"
        "print(*(name for name in sys.modules if name.startswith('merge_link.cli.')))"
    )
    loaded = process(sys.executable, "-c", code).stdout.split()
    assert set(loaded) == {
        f"merge_link.cli.{name}" for name in ("program", "failures", "options", "output", "groups")
    }
    said = {name: command.short_help for name, command in program.commands.items()}
    assert said == COMMANDS
    shown = run("--help").stdout
    assert [name for name in re.findall(r"^  (\w+) {2,}", shown, re.MULTILINE)] == list(COMMANDS)
