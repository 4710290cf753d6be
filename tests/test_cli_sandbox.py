"""`merge-link sandbox`, as a process of its own: what it says, how it ends, what it keeps."""

import contextlib
import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import merge_link
from command_line import BIN, PATIENCE, complaints, process, run
from documents import assert_matches, blocks_of
from samples import FIELDS
from scripted import Server, answer

PAGE = Path(__file__).parent.parent / "docs" / "command-line.md"


class Running:
    """A sandbox that runs, and what it has said so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.introduction = self._read_introduction()

    def _read_introduction(self) -> str:
        lines: list[str] = []
        while not (lines and lines[-1].startswith("  <script")):
            lines.append(self.line())
        assert self.line() == ""
        return "\n".join(lines)

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"it ended: {self.process.stderr and self.process.stderr.read()}"
        return line.rstrip("\n")

    def said(self, pattern: str) -> str:
        found = re.search(pattern, self.introduction, re.MULTILINE)
        assert found, self.introduction
        return found[1]

    @property
    def options(self) -> dict[str, Any]:
        """Of a client, as the lines for a backend say."""
        return {
            "base_url": self.said(r"^  export MERGE_BASE_URL=(.*)$"),
            "api_key": self.said(r"^  export MERGE_API_KEY=(.*)$"),
        }

    def client(self, **options: Any) -> merge_link.Client:
        return merge_link.Client(**{**self.options, **options})

    def end(self, number: signal.Signals) -> tuple[int, str, str]:
        self.process.send_signal(number)
        output, complaint = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, output, complaint


@contextlib.contextmanager
def sandbox(*arguments: str | Path, **environment: str) -> Iterator[Running]:
    command = [BIN / "merge-link", "sandbox", "--port", "0", *arguments]
    started = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    with started:
        try:
            yield Running(started)
        finally:
            started.kill()


# ---- what it says ----


def test_what_it_says_makes_a_backend_work_as_the_page_shows() -> None:
    (shown,) = [block.text for block in blocks_of(PAGE) if block.language == "text"]
    introduction, _, requests = shown.rpartition("\n\n")
    with sandbox() as running:
        port = running.said(r"^Sandbox +http://127\.0\.0\.1:(\d+)/$")
        assert_matches(running.introduction.replace(f":{port}", ":8787"), introduction)
        with running.client() as client:
            client.create_link_token(**FIELDS)
        pattern = re.sub(r"\d\d:\d\d:\d\d", "…", re.sub(r"\d\.\d", "…", requests.splitlines()[0]))
        assert_matches(running.line(), pattern)


def test_a_client_reads_the_two_variables() -> None:
    with sandbox() as running:
        lines = re.findall(r"^  (export .*)$", running.introduction, re.MULTILINE)
        create = "merge-link create --email hr@acme.example --organization Acme --origin-id a"
        script = "\n".join([*lines, f"{BIN}/{create} --category ats"])
        done = process("sh", "-c", script)
        assert done.returncode == 0, done.stderr


def test_requests_are_told_without_secrets() -> None:
    with sandbox() as running:
        key = running.options["api_key"]
        port = int(running.said(r"127\.0\.0\.1:(\d+)/$"))
        for line, status in (
            ("GET /api/ats/v1/account-token/pub?x=secret-query", 404),
            ("GET /api/ats/v1/account-token/" + "p" * 40, 404),
            ("GET /link/" + "c" * 24, 404),
            ("GET /%1B[31m", 404),
            ("POST /api/ats/v1/account-token/regenerate", 401),
            ("GET /" + "a/" * 2000, 404),
        ):
            head = f"{line} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {key}\r\n\r\n"
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
                sock.sendall(head.encode())
                assert sock.recv(65536).startswith(f"HTTP/1.1 {status} ".encode())
        told = [running.line() for _ in range(6)]
        assert [re.sub(r"^.{8}  | [\d.]+ ms$", "", line).rstrip() for line in told] == [
            "404  GET /api/ats/v1/account-token/***",
            "404  GET /api/ats/v1/account-token/***",
            "404  GET /link/***",
            "404  GET /%1B[31m",
            "401  POST /api/ats/v1/account-token/regenerate",
            "404  GET /" + ("a/" * 2000)[:159] + "…",
        ]
        assert running.end(signal.SIGINT)[1] == ""


def test_nobody_has_to_read_what_it_says() -> None:
    with sandbox() as running, running.client() as client:
        assert running.process.stdout is not None
        running.process.stdout.close()
        for _ in range(3):
            client.create_link_token(**FIELDS)


def read_terminal(*arguments: str, **environment: str) -> str:
    """What a person at a terminal sees until the first request was told."""
    master, slave = pty.openpty()
    command = [BIN / "merge-link", "sandbox", "--port", "0", *arguments]
    env = {**os.environ, "TERM": "xterm", **environment}
    seen = b""
    with subprocess.Popen(command, stdout=slave, stderr=slave, env=env) as started:
        os.close(slave)
        try:
            while not re.search(rb" ms", seen):
                seen += os.read(master, 65536)
                port = re.search(rb"<script src=\"http://[\w.]+:(\d+)/", seen)
                if port and b" ms" not in seen:
                    with socket.create_connection(("127.0.0.1", int(port[1])), PATIENCE) as sock:
                        sock.sendall(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
                        assert sock.recv(1)
        finally:
            started.kill()
            os.close(master)
    return seen.decode()


def test_colours_are_for_terminals() -> None:
    assert "\x1b[33m404\x1b[0m" in read_terminal()
    assert "\x1b[" not in read_terminal(NO_COLOR="1")
    with sandbox() as running, running.client() as client:
        client.warm_up()
        assert "\x1b" not in running.introduction + running.line()


def test_other_machines_are_warned_of_in_red() -> None:
    seen = read_terminal("--host", "0.0.0.0", "--allow-remote")
    assert "\x1b[31mOther machines can reach this sandbox" in seen
    assert "http://localhost:" in seen


# ---- how it ends ----


def test_ctrl_c_ends_it_quietly_with_130() -> None:
    with sandbox() as running:
        with running.client() as client:
            client.warm_up()
            running.line()
            code, output, complaint = running.end(signal.SIGINT)
        assert (code, output, complaint.strip()) == (130, "", "")


def test_sigterm_ends_it_quietly_with_143(tmp_path: Path) -> None:
    with sandbox("--tls", TMPDIR=str(tmp_path)) as running:
        assert len(list(tmp_path.iterdir())) == 1
        assert running.end(signal.SIGTERM) == (143, "", "")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_it_while_a_webhook_hangs() -> None:
    with (
        Server(lambda connection, _: connection.wait_for_end()) as target,
        sandbox("--webhook-url", target.base_url) as running,
    ):
        link_account(running)
        target.wait_for_requests(1)
        began = time.monotonic()
        assert running.end(signal.SIGINT)[0] == 130
        assert time.monotonic() - began < 8


# ---- what it keeps ----


def link_account(running: Running) -> str:
    """Link an account without a browser; its public token."""
    with running.client() as client:
        token = client.create_link_token(**FIELDS).link_token
    url = running.options["base_url"].removesuffix("/api") + "/__sandbox__/complete_link"
    body = json.dumps({"link_token": token, "integration": "greenhouse"}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=PATIENCE) as answered:
        public_token: str = json.load(answered)["public_token"]
    return public_token


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_file_keeps_all_of_it(tmp_path: Path, number: signal.Signals) -> None:
    db = tmp_path / "sandbox.db"
    with sandbox("--db", db) as first:
        public_token = link_account(first)
        key = first.options["api_key"]
        first.end(number)
    assert stat.S_IMODE(db.stat().st_mode) == 0o600
    with sandbox("--db", db) as second:
        assert second.options["api_key"] == key
        assert second.said(r"^Kept in +(.*)$") == str(db)
        with second.client() as client:
            # It relinks: the account is still there, and so is the integration's name.
            assert client.create_link_token(**FIELDS).integration_name == "Greenhouse"
        port = int(second.said(r"127\.0\.0\.1:(\d+)/$"))
        head = f"GET /api/integrations/account-token/{public_token} HTTP/1.1\r\nHost: h\r\n"
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
            sock.sendall(f"{head}Authorization: Bearer {key}\r\n\r\n".encode())
            assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_without_a_file_nothing_is_kept() -> None:
    keys = []
    for _ in range(2):
        with sandbox() as running:
            keys.append(running.options["api_key"])
    assert keys[0] != keys[1]


# ---- its flags ----


def test_keys_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "api").write_text("test_of_the_file\n")
    (tmp_path / "hook").write_text("hook-of-the-file\n")
    with Server(answer()) as target:
        url = f"{target.base_url}?token=of-the-url"
        files = ("--api-key-file", tmp_path / "api", "--webhook-key-file", tmp_path / "hook")
        with sandbox("--webhook-url", url, *files) as running:
            assert running.options["api_key"] == "test_of_the_file"
            assert running.said(r"^Webhook key +(.*)$") == "hook-of-the-file"
            assert running.said(r"^Webhooks to +(.*)$") == target.base_url
            link_account(running)
            target.wait_for_requests(1)
    assert target.bodies[0]["hook"]["event"] == "LinkedAccount.linked"


def test_tls_is_trusted_by_the_file_that_it_names() -> None:
    with sandbox("--tls") as running:
        assert running.options["base_url"].startswith("https://127.0.0.1:")
        ca_file = running.said(r"^  export SSL_CERT_FILE=(.*)$")
        with running.client(ca_bundle=ca_file) as client:
            client.warm_up()


def test_open_opens_its_page(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "opened")
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    with sandbox("--open", BROWSER=str(browser)) as running:
        assert (tmp_path / "opened").read_text().rstrip("\n") == running.said(r"^Sandbox +(.*)$")


def test_a_browser_that_fails_does_not_end_it() -> None:
    with sandbox("--open", BROWSER="false %s") as running, running.client() as client:
        assert running.process.stderr is not None
        url = running.said(r"^Sandbox +(.*)$")
        assert running.process.stderr.readline().endswith(
            f"could not be started: open {url} yourself\n"
        )
        client.warm_up()


def test_a_port_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("sandbox", "--port", str(port))
    assert result.exit_code == 5
    assert complaints(result) == [
        f"port {port} is in use: end what listens there, or name another with --port"
        " (0 for any free one)"
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["--host", "0.0.0.0"], 2, "--host is no loopback address: other machines need --allow-"),
        (["--host", "192.0.2.1", "--allow-remote"], 5, "cannot listen at 192.0.2.1 port 8787: Can"),
        (["--port", "65536"], 2, "Invalid value for '--port': 65536 is not in the range"),
        (["--webhook-url", "x"], 2, "--webhook-url must be an http:// or https:// URL"),
        (["--webhook-url", "http://a:secret@b"], 2, "--webhook-url must not hold a user name"),
        (["--webhook-key-file", "/dev/null"], 2, "--webhook-key-file must be a string that is not"),
        (["--webhook-key-file", "key"], 2, "--webhook-key-file needs --webhook-url"),
        (["--api-key-file", "/dev/null"], 2, "--api-key-file must be visible ASCII"),
        (["--api-key-file", "/nowhere"], 2, "--api-key-file /nowhere: No such file or directory"),
        (["--api-key-file", "-", "--webhook-key-file", "-"], 2, "--api-key-file - and --webhook-"),
        (["--db", "/nowhere/x"], 2, "--db /nowhere/x: No such file or directory"),
        (["--db", "text"], 2, "--db 'text' cannot be used: file is not a database"),
        (["extra"], 2, "takes only flags, and 1 other argument was given"),
    ],
)
def test_nonsense_is_told_in_terms_of_the_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("This is no database, but some words.\n" * 50)
    Path("key").write_text("k\n")
    Path("key").chmod(0o600)
    result = run("sandbox", *arguments)
    assert result.exit_code == code
    (said,) = complaints(result)
    assert said.startswith(complaint)
    assert "secret" not in said


def test_a_file_in_use_is_told(tmp_path: Path) -> None:
    db = tmp_path / "sandbox.db"
    with sandbox("--db", db):
        result = run("sandbox", "--db", str(db))
    assert (result.exit_code, complaints(result)) == (
        2,
        [f"--db '{db}' is in use by another sandbox"],
    )
