"""The command as a whole: what it offers, and how each end of it looks from the shell."""

import sys
from typing import Any

import click

from merge_link.cli import INTERRUPTED
from merge_link.cli.accounts import accounts
from merge_link.cli.bulk import bulk
from merge_link.cli.completion import completion
from merge_link.cli.create import create
from merge_link.cli.doctor import doctor
from merge_link.cli.exchange import exchange
from merge_link.cli.failures import EXIT_CODES_HELP, ExitCode, Failure
from merge_link.cli.groups import show_help
from merge_link.cli.issues import issues
from merge_link.cli.keys import keys
from merge_link.cli.options import HELP_NAMES, version_option
from merge_link.cli.output import complain, wants_colour
from merge_link.cli.request import request
from merge_link.cli.sandbox import sandbox
from merge_link.cli.webhook import webhook


class Program(click.Group):
    """A group whose every failure is told on stderr, a problem after the other, with a code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run, report what went wrong, and exit."""
        extra = {**extra, "standalone_mode": False, "color": wants_colour()}
        sys.exit(self._run(*args, **extra))

    def _run(self, *args: Any, **extra: Any) -> int:
        if sys.stdout is None:  # closed: find out before a token is made that nobody gets
            complain("the result could not be written: stdout is closed")
            return ExitCode.NOT_DELIVERED
        try:
            return super().main(*args, **extra) or 0
        except click.Abort:
            return INTERRUPTED
        except Failure as failure:
            for problem in failure.problems:
                complain(problem.text, *problem.advice)
            return failure.code
        except click.ClickException as error:
            complain(" ".join(error.format_message().split()))
            return error.exit_code
        except OSError as error:  # of stdout: all else was dealt with where it came up
            complain(f"the result could not be written: {error.strerror}")
            return ExitCode.NOT_DELIVERED


program: Program = Program(
    name="merge-link",
    help="Link accounts through Merge (https://docs.merge.dev).",
    epilog=EXIT_CODES_HELP,
    context_settings={"help_option_names": HELP_NAMES},
    commands={
        "create": create,
        "bulk": bulk,
        "exchange": exchange,
        "accounts": accounts,
        "issues": issues,
        "keys": keys,
        "request": request,
        "webhook": webhook,
        "doctor": doctor,
        "sandbox": sandbox,
        "completion": completion,
    },
    params=[version_option()],
    invoke_without_command=True,
    callback=click.pass_context(show_help),
)
