"""Questions before something that cannot be taken back."""

import sys

import click

from merge_link.cli.failures import ExitCode, Failure


def yes_option() -> click.Option:
    """The flag ``--yes``."""
    return click.Option(["--yes", "-y"], is_flag=True, help="Do not ask.")


def refuse_without_terminal(yes: bool) -> None:
    """Raise `Failure` where nobody can be asked, before anything is done."""
    if not yes and not (sys.stdin is not None and sys.stdin.isatty()):
        raise Failure("nobody can be asked here, for stdin is no terminal: --yes does it unasked")


def ask(question: str) -> None:
    """Ask on stderr. Raises `Failure` when the answer is no."""
    if not click.confirm(question, err=True):
        raise Failure("nothing was done", code=ExitCode.NOT_DELIVERED)
