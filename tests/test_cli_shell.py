"""The command line among other programs: shells, browsers, terminals."""

import json
import os
import pty
import shutil
import stat
import subprocess
import sys
import webbrowser
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from command_line import BIN, GOOD, PATIENCE, complaints, create, process, run
from merge_link.cli.browser import open_in
from merge_link.cli.output import FORMATS, of_link_token
from merge_link.cli.program import program
from merge_link.models import LinkToken
from samples import KEY, TOKEN
from scripted import Server, token_answer

EXPIRES = datetime(2026, 8, 1, 14, 5, tzinfo=UTC)
LINK = "https://link.merge.dev/asdfjkl12345jsndfgi2i83n"

# ---- --format env ----

SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh", "ksh") if shutil.which(shell)]

ODD = [
    "It's",
    '"double"',
    "$(touch here) `touch here` $HOME ${HOME}",
    "a\\b\\\\c\\n",
    "two\nlines\n\nand more",
    "*?[a]{b,c}~ ! # & | ; < > ( )",
    "  spaces  ",
    "-e --n",
    "tab\there",
    "Größe Ж 漢字 🙂",
    "\x1b[31mred\x07",
    "'\\''",
    "%s %n",
    "=",
]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", ODD)
def test_env_is_quoted_for_shells(shell: str, name: str, tmp_path: Path) -> None:
    token = LinkToken(
        link_token=TOKEN,
        expires_at=EXPIRES,
        integration_name=name,
        magic_link_url=f"{LINK}?a='&b=$c",
    )
    script = (
        'eval "$1"\n'
        'printf "%s|%s|%s" "$MERGE_LINK_TOKEN" "$MERGE_INTEGRATION_NAME" "$MERGE_MAGIC_LINK_URL"'
    )
    done = process(shell, "-c", script, shell, FORMATS["env"](of_link_token(token)), cwd=tmp_path)
    assert done.stdout == f"{TOKEN}|{name}|{LINK}?a='&b=$c"
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_fish_has_its_own_quotes() -> None:
    token = LinkToken(
        link_token=TOKEN, expires_at=EXPIRES, integration_name='It\'s $HOME (x) \\ "y"'
    )
    assert FORMATS["fish"](of_link_token(token)) == (
        f"set -g MERGE_LINK_TOKEN '{TOKEN}'\n"
        "set -g MERGE_LINK_TOKEN_EXPIRES_AT '2026-08-01T14:05:00+00:00'\n"
        "set -g MERGE_INTEGRATION_NAME 'It\\'s $HOME (x) \\\\ \"y\"'"
    )


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_reads_what_is_quoted_for_it() -> None:
    for name in ODD:
        token = LinkToken(link_token=TOKEN, expires_at=EXPIRES, integration_name=name)
        show = 'printf "%s|%s" $MERGE_LINK_TOKEN $MERGE_INTEGRATION_NAME'
        done = process(
            "fish", "--no-config", "-c", f"{FORMATS['fish'](of_link_token(token))}\n{show}"
        )
        assert (done.stdout, done.stderr) == (f"{TOKEN}|{name}", "")


def test_what_no_shell_can_hold_is_left_out_of_env() -> None:
    token = LinkToken(link_token=TOKEN, expires_at=EXPIRES, integration_name="a\0b")
    assert FORMATS["env"](of_link_token(token)) == "\n".join(
        [
            f"MERGE_LINK_TOKEN={TOKEN}",
            f"MERGE_LINK_TOKEN_EXPIRES_AT={EXPIRES.isoformat()}",
            "MERGE_INTEGRATION_NAME=ab",
        ]
    )


# ---- completion ----


def completions(*words: str) -> list[str]:
    """What bash offers for the last word, with our script and its own machinery."""
    lines = [
        "source <(merge-link completion bash)",
        'COMP_WORDS=("$@")',
        "COMP_CWORD=$(($# - 1))",
        "$(complete -p merge-link | sed 's/.*-F \\([^ ]*\\) .*/\\1/') merge-link",
        'printf "%s\\n" "${COMPREPLY[@]}"',
    ]
    environment = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = process("bash", "-c", "\n".join(lines), "bash", *words, environment=environment)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.fixture
def bash() -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")


@pytest.mark.usefixtures("bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["merge-link", ""], [name for name in program.commands]),
        (["merge-link", "a"], ["accounts"]),
        (["merge-link", "accounts", "s"], ["show", "status"]),
        (["merge-link", "accounts", "list", "--status", "R"], ["RELINK_NEEDED"]),
        (["merge-link", "accounts", "list", "--category", "h"], ["hris"]),
        (["merge-link", "issues", "list", "--account"], ["--account-token-file"]),
        (["merge-link", "request", "P"], ["POST", "PUT", "PATCH"]),
        (["merge-link", "webhook", "send", "--event", "Is"], ["Issue.created", "Issue.resolved"]),
        (["merge-link", "cr"], ["create"]),
        (["merge-link", "create", "--category", "a"], ["ats", "accounting"]),
        (["merge-link", "create", "--category", "ats", "--category", "h"], ["hris"]),
        (["merge-link", "create", "--path-category", "ch"], ["chat"]),
        (["merge-link", "create", "--region", ""], ["us", "eu", "apac"]),
        (["merge-link", "doctor", "--region", "a"], ["apac"]),
        (["merge-link", "create", "--format", ""], ["text", "json", "env", "fish"]),
        (["merge-link", "doctor", "--format", "j"], ["json"]),
        (["merge-link", "create", "--completed-account-initial-screen", ""], ["SELECTIVE_SYNC"]),
        (["merge-link", "create", "--magic"], ["--magic-link"]),
        (["merge-link", "bulk", "--category", "a"], ["ats", "accounting"]),
        (["merge-link", "bulk", "people.csv", "--re"], ["--resume", "--retry-failed", "--region"]),
        (["merge-link", "bulk", "--keep"], ["--keep-column"]),
        (["merge-link", "completion", "f"], ["fish"]),
        (["merge-link", "sandbox", "--web"], ["--webhook-url", "--webhook-key-file"]),
    ],
)
def test_bash_completes_commands_flags_and_choices(words: list[str], offered: list[str]) -> None:
    assert sorted(completions(*words)) == sorted(offered)


@pytest.mark.usefixtures("bash")
def test_bash_completes_every_flag_but_none_that_is_hidden() -> None:
    flags = completions("merge-link", "create", "--")
    assert {"--email", "--category", "--env-file", "--open", "--no-magic-link"} <= set(flags)
    assert "--api-key" not in flags


@pytest.mark.usefixtures("bash")
def test_completing_reads_no_file_and_needs_no_key(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.env")
    offered = completions("merge-link", "create", "--env-file", missing, "--region", "e")
    assert offered == ["eu"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str) -> None:
    result = run("completion", shell)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"_MERGE_LINK_COMPLETE={shell}_complete" in result.stdout
    if shutil.which(shell) is not None:
        assert process(shell, "-n", "-c", result.stdout).stderr == ""


def test_another_shell_is_wrong_input() -> None:
    result = run("completion", "tcsh")
    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in complaints(result)[0]


# ---- --open ----


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """A browser that writes down what it is told to open, and talks a lot."""
    browser = tmp_path / "browser"
    log = tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "opening $1" | tee -a /dev/stderr\necho "$1" >> {log}\n')
    browser.chmod(0o700)
    monkeypatch.setenv("BROWSER", f"{browser} %s &")
    monkeypatch.delenv("DISPLAY", raising=False)

    def read() -> list[str]:
        subprocess.run(
            ["sh", "-c", f"until [ -s {log} ]; do :; done"], timeout=PATIENCE, check=True
        )
        return log.read_text().split()

    return read


def created(*arguments: str, magic_link_url: object = LINK) -> subprocess.CompletedProcess[str]:
    with Server(token_answer(magic_link_url=magic_link_url)) as server:
        environment = {"MERGE_API_KEY": KEY, "MERGE_BASE_URL": server.base_url}
        return process(BIN / "merge-link", "create", *GOOD, *arguments, environment=environment)


def test_the_magic_link_opens_in_a_browser(opened: Callable[[], list[str]]) -> None:
    done = created("--magic-link", "--open", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    assert opened() == [LINK]
    assert json.loads(done.stdout)["magic_link_url"] == LINK
    assert done.stdout.count(LINK) == 1


def test_a_browser_of_the_terminal_is_waited_for(
    opened: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", os.environ["BROWSER"].removesuffix(" &"))
    done = created("--magic-link", "--open")
    assert done.returncode == 0
    assert done.stdout.endswith(f"opening {LINK}\n")
    assert opened() == [LINK]


def test_open_without_a_magic_link_is_refused() -> None:
    result = create(*GOOD, "--open", environment={"MERGE_API_KEY": KEY})
    assert result.exit_code == 2
    assert complaints(result) == ["--open needs --magic-link: there is no link to open without it"]


def test_open_is_refused_with_the_sandbox_which_ends_with_the_command() -> None:
    result = create("--sandbox", *GOOD, "--magic-link", "--open")
    assert result.exit_code == 2
    (line,) = complaints(result)
    assert line.startswith("--sandbox and --open exclude each other")


def test_no_browser_is_found_before_a_token_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    with Server(token_answer()) as server:
        environment = {
            "MERGE_API_KEY": KEY,
            "MERGE_BASE_URL": server.base_url,
            "PATH": str(tmp_path),
        }
        command = [BIN / "merge-link", "create", *GOOD, "--magic-link", "--open"]
        done = process(*command, environment=environment)
        assert server.requests == []
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("merge-link: --open finds no browser on this machine")


@pytest.mark.parametrize("link", [None, "file:///etc/passwd", "-version", "javascript:alert(1)"])
def test_what_is_no_link_is_not_opened_nor_repeated(
    opened: Callable[[], list[str]], tmp_path: Path, link: str | None
) -> None:
    done = created("--magic-link", "--open", "--format", "json", magic_link_url=link)
    assert done.returncode == 4
    assert json.loads(done.stdout)["link_token"] == TOKEN
    assert done.stderr.startswith("merge-link: --open: ")
    assert str(link) not in done.stderr
    assert not (tmp_path / "opened").exists()


def test_a_browser_that_does_not_start_is_told_after_the_token(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    browser = tmp_path / "browser"
    browser.write_text("#!/bin/sh\nexit 3\n")
    browser.chmod(stat.S_IRWXU)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    done = created("--magic-link", "--open")
    assert done.returncode == 1
    assert TOKEN in done.stdout
    assert done.stderr == "merge-link: --open: the browser could not be started\n"


def test_a_browser_in_the_background_that_is_done_at_once_has_opened_the_link(
    capsys: pytest.CaptureFixture[str],
) -> None:
    browser = webbrowser.BackgroundBrowser(["true", "%s"])
    browser.open = lambda *_: False  # type: ignore[method-assign]
    open_in(browser, LINK)
    assert capsys.readouterr() == ("", "")


# ---- colours ----


def in_terminal(*command: str | Path, **environment: str) -> str:
    """What a command writes to a terminal."""
    reading, writing = pty.openpty()
    colours = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM")
    kept = {name: text for name, text in os.environ.items() if name not in colours}
    running = subprocess.Popen(
        command, stdout=writing, stderr=writing, env={**kept, "TERM": "xterm", **environment}
    )
    os.close(writing)
    said = b""
    try:
        while data := os.read(reading, 4096):
            said += data
    except OSError:  # the last of them has left
        pass
    os.close(reading)
    running.wait(PATIENCE)
    return said.decode()


SHOWN: dict[str, list[str | Path]] = {
    "a token": [BIN / "merge-link", "create", "--sandbox", *GOOD],
    "a complaint": [BIN / "merge-link", "create", "--sandbox"],
    "a report": [BIN / "merge-link", "doctor", "--offline"],
}


@pytest.mark.parametrize("what", SHOWN)
def test_colours_are_for_terminals(what: str) -> None:
    assert "\x1b[" in in_terminal(*SHOWN[what])
    done = process(*SHOWN[what])
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("variable", ["NO_COLOR=1", "CLICOLOR=0", "TERM=dumb"])
@pytest.mark.parametrize("what", SHOWN)
def test_colours_can_be_turned_off(what: str, variable: str) -> None:
    name, _, value = variable.partition("=")
    assert "\x1b" not in in_terminal(*SHOWN[what], **{name: value})


@pytest.mark.parametrize("name", ["FORCE_COLOR", "CLICOLOR_FORCE"])
@pytest.mark.parametrize("what", SHOWN)
def test_colours_can_be_forced(what: str, name: str) -> None:
    done = process(*SHOWN[what], environment={name: "1"})
    assert "\x1b[" in done.stdout + done.stderr
    done = process(*SHOWN[what], environment={name: "1", "NO_COLOR": "1"})
    assert "\x1b" not in done.stdout + done.stderr
    done = process(*SHOWN[what], environment={name: "0"})
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("output_format", ["json", "env"])
def test_what_programs_read_has_no_colours(output_format: str) -> None:
    command = [*SHOWN["a token"], "--format", output_format]
    assert "\x1b" not in in_terminal(*command)
    assert "\x1b" not in process(*command, environment={"FORCE_COLOR": "1"}).stdout


# ---- what is loaded ----

SLOW = (
    "merge_link.sandbox",
    "merge_link.cli.tables",
    "csv",
    "werkzeug",
    "h11",
    "asyncio",
    "ssl",
    "dotenv",
    "webbrowser",
    "http",
)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["create", "--help"], ["doctor", "--help"], ["bulk", "--help"], ["create"]],
    ids=" ".join,
)
def test_help_and_complaints_load_nothing_slow(arguments: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['merge-link', *{arguments!r}]\n"
        "from merge_link.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print('LOADED', *[name for name in {SLOW!r} if name in sys.modules])"
    )
    done = process(sys.executable, "-c", code)
    assert done.stdout.splitlines()[-1] == "LOADED"
