"""``merge-link webhook``: what is said of a webhook, and what is sent as one."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

import merge_link
from command_line import advice, complaints, run
from merge_link import webhooks
from merge_link.cli.failures import ExitCode
from scripted import Server, answer, stay_silent

KEY = "Wk_no-one-may-see-this"
TOKEN = "acct_no_one_may_see_this"
BODY = json.dumps(
    {
        "hook": {"id": "h1", "event": "LinkedAccount.linked"},
        "linked_account": {"id": "a1", "end_user_origin_id": "acme-42", "category": "ats"},
        "data": {"account_token": TOKEN, "is_relink": False},
    }
).encode()
SIGNATURE = webhooks.sign(BODY, KEY)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERGE_WEBHOOK_KEY", KEY)


@pytest.fixture
def body_file(tmp_path: Path) -> str:
    (tmp_path / "body.json").write_bytes(BODY)
    return str(tmp_path / "body.json")


# ---- verify ----


def test_a_good_one_is_told_without_its_data(body_file: str) -> None:
    result = run("webhook", "verify", body_file, "--signature", SIGNATURE)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines()[:2])
    assert lines == {"Signature": "good", "Event": "LinkedAccount.linked"}
    assert "account_token, is_relink\n" in result.stdout
    assert TOKEN not in result.output
    assert KEY not in result.output


def test_it_may_come_from_stdin_and_go_out_as_json() -> None:
    for file in ([], ["-"]):
        arguments = ["webhook", "verify", *file, "--signature", SIGNATURE, "--format", "json"]
        told = json.loads(run(*arguments, stdin=BODY).stdout)
        assert told == {
            "event": "LinkedAccount.linked",
            "is_test": False,
            "hook_id": "h1",
            "linked_account_id": "a1",
            "integration": None,
            "category": "ats",
            "end_user_origin_id": "acme-42",
            "data": ["account_token", "is_relink"],
            "dedupe_key": webhooks.parse(BODY, SIGNATURE, KEY).dedupe_key,
        }


def test_a_test_of_the_dashboard_is_told_as_that() -> None:
    for body in (b"{}", b"[1]"):
        result = run("webhook", "verify", "--signature", webhooks.sign(body, KEY), stdin=body)
        assert result.exit_code == 0
        assert "none: it is a test of the dashboard" in result.stdout


def test_keys_come_from_files_and_env_files(
    body_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERGE_WEBHOOK_KEY", "another")
    for name, text in (("old", "old"), ("new", f"{KEY}\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    files = ["--key-file", f"{tmp_path}/old", "--key-file", f"{tmp_path}/new"]
    assert run("webhook", "verify", body_file, "--signature", SIGNATURE, *files).exit_code == 0
    monkeypatch.delenv("MERGE_WEBHOOK_KEY")
    (tmp_path / ".env").write_text(f"MERGE_WEBHOOK_KEY={KEY}\n")
    flags = ["--env-file", f"{tmp_path}/.env"]
    assert run("webhook", "verify", body_file, "--signature", SIGNATURE, *flags).exit_code == 0
    flags = ["--key-file", "-"]
    result = run("webhook", "verify", body_file, "--signature", SIGNATURE, *flags, stdin=KEY)
    assert result.exit_code == 0


def test_a_bad_one_is_refused_with_the_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("webhook", "verify", "--signature", SIGNATURE, stdin=BODY + b"\n")
    assert result.exit_code == ExitCode.REFUSED
    assert complaints(result)[0].startswith("the signature fits the same JSON, written otherwise")
    monkeypatch.setenv("MERGE_WEBHOOK_KEY", "test_key")
    result = run("webhook", "verify", "--signature", SIGNATURE, stdin=BODY)
    assert result.exit_code == ExitCode.REFUSED
    assert "looks like an API key" in complaints(result)[0]
    monkeypatch.setenv("MERGE_WEBHOOK_KEY", KEY)
    result = run("webhook", "verify", "--signature", webhooks.sign(b"x", KEY), stdin=b"x")
    assert result.exit_code == ExitCode.REFUSED
    assert "is signed, but no event: body is not JSON" in complaints(result)[0]


def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (told,) = complaints(run("webhook", "verify", stdin=BODY))
    assert told.startswith("--signature is required: ")
    flags = ["--signature", SIGNATURE]
    assert complaints(run("webhook", "verify", "/nowhere", *flags))[0].startswith("/nowhere: No")
    result = run("webhook", "verify", "-", *flags, "--key-file", "-")
    assert complaints(result) == ["FILE - and --key-file - exclude each other: there is one stdin"]
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "empty").chmod(0o600)
    result = run("webhook", "verify", *flags, "--key-file", f"{tmp_path}/empty", stdin=BODY)
    assert result.exit_code == ExitCode.CONFIGURATION
    monkeypatch.delenv("MERGE_WEBHOOK_KEY")
    result = run("webhook", "verify", *flags, stdin=BODY)
    assert result.exit_code == ExitCode.CONFIGURATION
    assert complaints(result) == ["no webhook key: set MERGE_WEBHOOK_KEY or use --key-file FILE"]
    assert advice(result)[0].startswith("Merge's dashboard shows it")


@pytest.mark.parametrize("command", [["verify", "--signature", "x"], ["send", "http://h/"]])
def test_a_key_is_not_taken_from_the_arguments(command: list[str]) -> None:
    result = run("webhook", *command, "--key", KEY, stdin=BODY)
    assert result.exit_code == 2
    assert complaints(result)[0].startswith("the key is not taken from the arguments")
    assert KEY not in result.output


# ---- send ----


class Handler(BaseHTTPRequestHandler):
    """An application that verifies."""

    events: ClassVar[list[webhooks.Event]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self.events.append(webhooks.parse(body, self.headers.get(webhooks.HEADER), KEY))
            self.send_response(204)
        except merge_link.WebhookSignatureError:
            self.send_response(403)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def application() -> Iterator[str]:
    Handler.events = []
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/webhooks/merge"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_is_sent_is_an_event(application: str) -> None:
    result = run("webhook", "send", application)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("204 in ")
    (event,) = Handler.events
    assert event.event == "LinkedAccount.linked"
    assert event.account_token
    assert event.linked_account is not None
    assert event.linked_account.completed_at is not None
    assert event.hook is not None
    assert event.hook.target == application


def test_name_and_data_are_ones_own(application: str, tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text('{"id": "c2"}')
    for data, stdin in (
        ('{"id": "c2"}', None),
        (f"@{tmp_path}/data.json", None),
        ("-", '{"id": "c2"}'),
    ):
        flags = ["--event", "candidate.changed", "--data", data]
        assert run("webhook", "send", application, *flags, stdin=stdin).exit_code == 0
    assert [(one.event, one.data) for one in Handler.events] == [
        ("candidate.changed", {"id": "c2"})
    ] * 3
    assert len({one.dedupe_key for one in Handler.events}) == 3


def test_a_test_is_none(application: str) -> None:
    assert run("webhook", "send", application, "--test").exit_code == 0
    assert [one.is_test for one in Handler.events] == [True]


def test_what_the_handler_refuses_is_told(
    application: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERGE_WEBHOOK_KEY", "another")
    result = run("webhook", "send", application)
    assert result.exit_code == ExitCode.REFUSED
    assert complaints(result) == ["the answer is 403, and Merge would send it again"]
    assert advice(result) == ["Is the key the one that the handler has?"]


def test_a_url_where_nobody_answers(serve: Callable[..., Server]) -> None:
    result = run("webhook", "send", "http://127.0.0.1:1/?token=secret")
    assert result.exit_code == ExitCode.NETWORK
    assert complaints(result) == ["http://127.0.0.1:1/ was not reached: Connection refused"]
    url = serve(stay_silent).base_url
    result = run("webhook", "send", url, "--timeout", "0.05")
    assert complaints(result) == [f"{url} was not reached: no answer in 0.05 s"]
    url = serve(answer(500, b"")).base_url
    assert complaints(run("webhook", "send", url))[0].startswith("the answer is 500")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["ftp://host/"], "URL must be an http:// or https:// URL"),
        (["http://h/", "more"], "takes one URL and flags, and 1 other argument was given"),
        (["http://h/", "--test", "--event", "x"], "--test excludes --event and --data"),
        (["http://h/", "--data", "[]"], "--data: must be a JSON object"),
        (["http://h/", "--data", "{"], "--data: not JSON: line 1"),
        (["http://h/", "--data", "@/nowhere"], "--data /nowhere: No such file"),
        (["http://h/", "--timeout", "0"], "--timeout must be more than 0"),
        (["http://h/", "--timeout", "x"], "--timeout must be a number of seconds"),
        (["http://h/", "--key-file", "a", "--key-file", "b"], "--key-file is there twice"),
        (["http://h/", "--key-file", "-", "--data", "-"], "--data - and --key-file - exclude"),
    ],
)
def test_what_makes_no_sense_is_told(arguments: list[str], problem: str) -> None:
    result = run("webhook", "send", *arguments)
    assert result.exit_code == 2
    assert complaints(result)[0].startswith(problem)
