"""``--env-file``: variables of a .env file, for one run."""

import os
from pathlib import Path

import pytest

from command_line import BIN, GOOD, complaints, create, process, run
from merge_link.sandbox import Sandbox
from samples import KEY
from scripted import Server, token_answer

SECRET = "s3cret-s3cret-s3cret"


@pytest.fixture
def env_file(sandbox: Sandbox, tmp_path: Path) -> Path:
    path = tmp_path / ".env"
    path.write_text(
        "# of the application\n"
        f'export MERGE_API_KEY="{sandbox.api_key}"  # from the dashboard\n'
        f"MERGE_BASE_URL={sandbox.base_url}\n"
        "DATABASE_URL=postgres://app@db/app\n"
    )
    return path


def test_the_file_gives_key_and_server(env_file: Path) -> None:
    result = create(*GOOD, "--env-file", str(env_file))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Link token" in result.stdout


def test_the_environment_wins(env_file: Path, sandbox: Sandbox) -> None:
    environment = {"MERGE_API_KEY": KEY}
    result = create(*GOOD, "--env-file", str(env_file), environment=environment)
    assert result.exit_code == 3
    assert sandbox.requests[-1].headers["Authorization"] == f"Bearer {KEY}"


def test_a_variable_that_is_set_and_empty_wins_too(env_file: Path) -> None:
    result = create(*GOOD, "--env-file", str(env_file), environment={"MERGE_API_KEY": ""})
    assert result.exit_code == 3
    assert complaints(result)[0].startswith("no API key")


def test_the_file_is_for_this_run_only(env_file: Path) -> None:
    before = dict(os.environ)
    assert create(*GOOD, "--env-file", str(env_file)).exit_code == 0
    assert dict(os.environ) == before


def test_only_what_a_client_reads_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}
    monkeypatch.setattr(
        "merge_link.cli.create._core.check", lambda *_, **__: seen.update(os.environ)
    )
    path = tmp_path / ".env"
    names = ["MERGE_API_KEY", "MERGE_REGION", "https_proxy", "NO_PROXY", "SSL_CERT_FILE"]
    others = ["PATH_OF_MINE", "LD_PRELOAD_OF_MINE", "PYTHONSTARTUP_OF_MINE"]
    path.write_text("".join(f"{name}=x\n" for name in names + others))
    create(*GOOD, "--env-file", str(path))
    assert [name for name in names + others if name in seen] == names


@pytest.mark.parametrize("there", ["HTTPS_PROXY", "https_proxy"])
@pytest.mark.parametrize("in_file", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_of_the_environment_wins_in_capitals_and_in_small_letters(
    tmp_path: Path, there: str, in_file: str
) -> None:
    path = tmp_path / ".env"
    path.write_text(f"{in_file}=http://of-the-file.example:1\n")
    environment = {there: "http://of-the-environment.example:1"}
    result = run("doctor", "--offline", "--env-file", str(path), environment=environment)
    assert "of-the-environment.example" in result.stdout
    assert "of-the-file.example" not in result.stdout


def test_a_value_may_name_other_variables(tmp_path: Path, sandbox: Sandbox) -> None:
    path = tmp_path / ".env"
    path.write_text(f"HOST={sandbox.url}\nMERGE_BASE_URL=${{HOST}}/api\n")
    environment = {"MERGE_API_KEY": sandbox.api_key}
    assert create(*GOOD, "--env-file", str(path), environment=environment).exit_code == 0


def test_the_doctor_says_what_came_from_the_file(env_file: Path) -> None:
    result = run("doctor", "--env-file", str(env_file))
    assert result.exit_code == 0
    assert f"a test_ key, from MERGE_API_KEY (in {env_file})" in result.stdout
    assert f"(from MERGE_BASE_URL (in {env_file}))" in result.stdout


def test_an_impossible_value_is_named_by_its_variable_and_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(f"MERGE_API_KEY='{SECRET} x'\n")
    result = create(*GOOD, "--env-file", str(path))
    assert result.exit_code == 3
    (line,) = complaints(result)
    assert line.startswith(f"MERGE_API_KEY (in {path}) must be printable ASCII")
    assert SECRET not in line


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file or directory"),
        (b"MERGE_API_KEY=" + SECRET.encode() + b"\xff", "not UTF-8: byte 34 of the file"),
        (b"MERGE_API_KEY=" + SECRET.encode() + b"\0", "holds NUL"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_line(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    path = tmp_path / ".env"
    if content is not None:
        path.write_bytes(content)
    result = create(*GOOD, "--env-file", str(path))
    assert result.exit_code == 2
    assert complaints(result) == [f"--env-file {path}: {problem}"]


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    result = create(*GOOD, "--env-file", str(tmp_path))
    assert complaints(result) == [f"--env-file {tmp_path}: Is a directory"]


def test_a_line_that_cannot_be_read_is_warned_of_and_not_quoted(env_file: Path) -> None:
    with env_file.open("a") as file:
        file.write(f"MERGE_REGION='{SECRET}\n")
    result = create(*GOOD, "--env-file", str(env_file))
    assert result.exit_code == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"merge-link: warning: --env-file {env_file}: ")
    assert line.endswith(" line 5")
    assert SECRET not in line


def test_the_file_may_be_stdin_but_only_for_one(sandbox: Sandbox) -> None:
    content = f"MERGE_API_KEY={sandbox.api_key}\nMERGE_BASE_URL={sandbox.base_url}\n"
    assert create(*GOOD, "--env-file", "-", stdin=content).exit_code == 0
    result = create(*GOOD, "--env-file", "-", "--json", "-", stdin=content)
    assert complaints(result) == [
        "--json - and --env-file - exclude each other: there is one stdin"
    ]


def test_without_python_dotenv_the_extra_is_named(env_file: Path) -> None:
    arguments = ["merge-link", "create", *GOOD, "--env-file", str(env_file)]
    code = (
        f"import sys; sys.argv = {arguments!r}; sys.modules['dotenv'] = None\n"
        "from merge_link.__main__ import main; main()"
    )
    done = process(BIN / "python", "-c", code)
    assert (done.returncode, done.stderr) == (
        3,
        'merge-link: --env-file needs python-dotenv: pip install "merge-link[cli]"\n',
    )


def test_the_values_reach_the_request_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    with Server(token_answer()) as server:
        path.write_text(f"MERGE_API_KEY={SECRET}\nMERGE_BASE_URL={server.base_url}\n")
        result = create(*GOOD, "--env-file", str(path), "--format", "json")
        assert f"Authorization: Bearer {SECRET}".encode() in server.requests[0]
    assert SECRET not in result.output


def test_what_is_no_env_file_at_all_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "user.json"
    path.write_text('{"end_user_origin_id": "1",\n"a": 2,\n"b": 3}\n')
    result = create(*GOOD, "--sandbox", "--env-file", str(path))
    assert result.exit_code == 0
    [line] = result.stderr.splitlines()
    assert line.startswith(f"merge-link: warning: --env-file {path}: ")
    assert line.endswith("line 1 (and 2 more)")
