"""Opening a magic link, or the sandbox's page, in a browser.

Nobody but the browser is told what a magic link is.
"""

import os
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager

from merge_link.cli.failures import ExitCode, Failure


def find_browser() -> webbrowser.BaseBrowser:
    """Return the browser of this machine. Raises `Failure`."""
    try:
        return webbrowser.get()
    except webbrowser.Error:
        raise Failure(
            "--open finds no browser on this machine: name one in BROWSER, or leave --open out",
            code=ExitCode.CONFIGURATION,
        ) from None


def open_in(browser: webbrowser.BaseBrowser, url: str | None) -> None:
    """Open a magic link. Raises `Failure`, which does not repeat it."""
    if url is None:
        raise Failure("--open: Merge answered without a magic link", code=ExitCode.REFUSED)
    if not url.startswith(("https://", "http://")):
        raise Failure("--open: the magic link is no web address", code=ExitCode.REFUSED)
    # One in the terminal needs it; others would write about the link there.
    in_terminal = type(browser) is webbrowser.GenericBrowser
    with _as_it_is() if in_terminal else _silence():
        opened = browser.open(url)
    # webbrowser says no of one in the background that has done its work already.
    if not opened and not isinstance(browser, webbrowser.BackgroundBrowser):
        raise Failure("--open: the browser could not be started", code=ExitCode.NOT_DELIVERED)


@contextmanager
def _as_it_is() -> Iterator[None]:
    sys.stdout.flush()
    yield


@contextmanager
def _silence() -> Iterator[None]:
    """Send what this process and those that it starts write to nowhere."""
    sys.stdout.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in kept:
            os.dup2(nowhere, number)
        yield
    finally:
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)
