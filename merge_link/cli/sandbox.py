"""``merge-link sandbox``: a sandbox that runs until Ctrl-C, and says what is asked of it."""

import errno
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from merge_link.cli.failures import ExitCode, Failure, refuse_arguments
from merge_link.cli.inputs import STDIN, read_key
from merge_link.cli.options import CONTEXT_SETTINGS, version_option
from merge_link.cli.output import complain, labelled, one_line, wants_colour

if TYPE_CHECKING:
    from webbrowser import BaseBrowser

    from merge_link.sandbox import RecordedRequest, Sandbox

DEFAULT_PORT = 8787
TERMINATED = 128 + signal.SIGTERM
"""The exit code after SIGTERM, as shells have it."""

_MOST_PATH = 160  # characters of a path that are shown

_HELP = """Run a sandbox: Merge's linking API on this machine, with a page to look at.

It shows what your backend and your frontend need to use it, and then each request in a line,
without tokens. Ctrl-C ends it. No key of Merge's is needed, and no account is ever touched.

\b
Examples:
  merge-link sandbox --open
  merge-link sandbox --db sandbox.db --webhook-url http://127.0.0.1:8000/webhooks/merge
"""


def _run(
    context: click.Context,
    /,
    *,
    host: str,
    port: int,
    allow_remote: bool,
    open_page: bool,
    api_key_file: str | None,
    webhook_key_file: str | None,
    **options: Any,
) -> None:
    refuse_arguments(context.args)
    if api_key_file == webhook_key_file == STDIN:
        files = "--api-key-file - and --webhook-key-file -"
        raise Failure(f"{files} exclude each other: there is one stdin")
    for name, path in (("api_key", api_key_file), ("webhook_key", webhook_key_file)):
        if path is not None:
            options[name] = read_key(f"--{name.replace('_', '-')}-file", path)
    browser = _browser() if open_page else None
    options.update(host=host, port=port, allow_remote=allow_remote)
    with _ended_by_sigterm(), _sandbox(options) as sandbox:
        _start(sandbox, host, port)
        _show("\n".join(_introduction(sandbox, options)))
        if browser is not None:
            _open(browser, f"{sandbox.url}/")
        threading.Event().wait()


# ---- making it ----


def _browser() -> "BaseBrowser":
    from merge_link.cli.browser import find_browser

    return find_browser()


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """End as after Ctrl-C when a service manager or a container says so."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _sandbox(options: dict[str, Any]) -> Iterator["Sandbox"]:
    """Make a sandbox, which is not started yet. Raises `Failure`."""
    try:
        from merge_link.sandbox import Sandbox

        sandbox = Sandbox(**options, on_request=_tell)
    except ImportError as error:
        words = str(error).replace("Sandbox(tls=True)", "--tls")
        raise Failure(words, code=ExitCode.CONFIGURATION) from None
    except ValueError as error:
        raise Failure(_in_flags(str(error))) from None
    except OSError as error:
        raise Failure(f"--db {options['db']}: {error.strerror}") from None
    try:
        yield sandbox
    finally:
        sandbox.close()


def _in_flags(message: str) -> str:
    """A message about an argument of `Sandbox`, which it begins with, in terms of the flags."""
    name, _, rest = message.partition(" ")
    rest = rest.replace("allow_remote=True", "--allow-remote")
    rest = rest.replace("webhook_url", "--webhook-url")
    ending = "-file" if name in ("api_key", "webhook_key") else ""
    return f"--{name.replace('_', '-')}{ending} {rest}"


def _start(sandbox: "Sandbox", host: str, port: int) -> None:
    try:
        sandbox.start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            what = f"port {port} is in use: end what listens there, or name another with --port"
            raise Failure(f"{what} (0 for any free one)", code=ExitCode.NETWORK) from None
        why = (error.strerror or "no reason given").partition(" (while ")[0]
        what = f"cannot listen at {host} port {port}: {why}"
        raise Failure(what, code=ExitCode.NETWORK) from None


def _open(browser: "BaseBrowser", url: str) -> None:
    from merge_link.cli.browser import open_in

    try:
        open_in(browser, url)
    except Failure as failure:  # the sandbox is of use without it
        complain(f"{failure.message}: open {url} yourself")


# ---- what is shown ----


def _introduction(sandbox: "Sandbox", options: dict[str, Any]) -> Iterator[str]:
    url, db = sandbox.url, options["db"]
    lines = {
        "Sandbox": f"{url}/",
        "API key": sandbox.api_key,
        "Kept in": db or "memory, the key too: --db FILE would keep it",
    }
    if options["webhook_url"]:
        lines["Webhooks to"] = options["webhook_url"].partition("?")[0]
        lines["Webhook key"] = sandbox.webhook_key
    yield from labelled(lines)
    if options["allow_remote"]:
        yield ""
        yield click.style(
            "Other machines can reach this sandbox (--allow-remote). Whoever does sees all that is"
            " in it, the key too,\nand may change it: let it hold nothing real.",
            fg="red",
        )
    yield from ["", click.style("Your backend", bold=True)]
    yield f"  export MERGE_BASE_URL={shlex.quote(sandbox.base_url)}"
    yield f"  export MERGE_API_KEY={shlex.quote(sandbox.api_key)}"
    if options["tls"]:
        yield f"  export SSL_CERT_FILE={shlex.quote(sandbox.ca_file)}"
    yield "  client = merge_link.Client()  # Python reads them"
    yield from ["", click.style("Your frontend", bold=True)]
    yield f'  <script src="{url}/initialize.js"></script>'
    yield ""


def _tell(request: "RecordedRequest") -> None:
    """Show a request in a line; nobody has to be there to read it."""
    path = one_line(request.masked_path)
    if len(path) > _MOST_PATH:
        path = path[:_MOST_PATH] + "…"
    time = click.style(f"{datetime.fromtimestamp(request.answered_at):%H:%M:%S}", dim=True)
    took = click.style(f"{request.seconds * 1000:.1f} ms", dim=True)
    with suppress(OSError, ValueError):
        _show(f"{time}  {_status(request.status)}  {request.method} {path}  {took}")


def _status(status: int | None) -> str:
    if status is None:
        return click.style("cut", fg="magenta")
    colours = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}
    return click.style(str(status), fg=colours.get(status // 100, "red"))


_one_at_a_time = threading.Lock()


def _show(text: str) -> None:
    with _one_at_a_time:
        click.echo(text, color=wants_colour())


_FILE = click.Path()

sandbox: click.Command = click.Command(
    "sandbox",
    help=_HELP,
    short_help="Run a sandbox until Ctrl-C.",
    context_settings=CONTEXT_SETTINGS,
    params=[
        click.Option(
            ["--port"],
            type=click.IntRange(0, 65535),
            default=DEFAULT_PORT,
            show_default=True,
            help="Of TCP; 0 for any free one.",
        ),
        click.Option(
            ["--db"],
            type=_FILE,
            metavar="FILE",
            help="Keep tokens, linked accounts and the key there.  [default: in memory]",
        ),
        click.Option(["--tls"], is_flag=True, help="Serve https, with a certificate of its own."),
        click.Option(
            ["--webhook-url"],
            metavar="URL",
            help="Tell this URL of linked, relinked and deleted accounts, as Merge does.",
        ),
        click.Option(
            ["--webhook-key-file"],
            type=_FILE,
            metavar="FILE",
            help="Sign webhooks with the key in a file, - for stdin.  [default: a made-up one]",
        ),
        click.Option(
            ["--api-key-file"],
            type=_FILE,
            metavar="FILE",
            help="Accept the key in a file, - for stdin.  [default: that of --db or made up]",
        ),
        click.Option(["open_page", "--open"], is_flag=True, help="Open its page in a browser."),
        click.Option(
            ["--host"],
            default="127.0.0.1",
            show_default=True,
            help="Address to listen at, such as 0.0.0.0 in a container, with --allow-remote.",
        ),
        click.Option(
            ["--allow-remote"],
            is_flag=True,
            help="Let other machines reach it, and do and see all that is in it.",
        ),
        version_option(),
    ],
    callback=click.pass_context(_run),
)
