"""The command as a whole: what it offers, and how each end of it looks from the shell."""

import sys
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import click

from merge_link.cli import INTERRUPTED
from merge_link.cli.failures import EXIT_CODES_HELP, ExitCode, Failure
from merge_link.cli.groups import show_help
from merge_link.cli.options import HELP_NAMES, version_option
from merge_link.cli.output import complain, wants_colour

# In what order the help has them, and what it says of each without loading it.
COMMANDS = {
    "create": "Create a link token.",
    "bulk": "Create a link token for each row of a table.",
    "exchange": "Exchange a public token for the account token.",
    "accounts": "List, show, sync and delete linked accounts.",
    "issues": "List and show what is wrong with linked accounts.",
    "keys": "Make remote keys.",
    "request": "Ask any endpoint of Merge's API.",
    "webhook": "Check webhooks of Merge's, and send one to try.",
    "doctor": "Say what is found, what is missing and what to do.",
    "sandbox": "Run a sandbox until Ctrl-C.",
    "completion": "Print a shell's completion script.",
}


class _OnDemand(MutableMapping[str, click.Command]):
    """The subcommands. Each is loaded, with the module of its name, when somebody asks for it."""

    def __init__(self) -> None:
        self._loaded: dict[str, click.Command | None] = dict.fromkeys(COMMANDS)

    def __getitem__(self, name: str) -> click.Command:
        command = self._loaded[name]
        if command is None:
            module = import_module(f"merge_link.cli.{name}")
            command = self._loaded[name] = getattr(module, name)
        return command

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded)

    def __len__(self) -> int:
        return len(self._loaded)


class Program(click.Group):
    """A group whose every failure is told on stderr, a problem after the other, with a code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run, report what went wrong, and exit."""
        extra = {**extra, "standalone_mode": False, "color": wants_colour()}
        sys.exit(self._run(*args, **extra))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the subcommands, in the order of a flow."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help's list of subcommands, of which none is loaded for it."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

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
    commands=_OnDemand(),
    params=[version_option()],
    invoke_without_command=True,
    callback=click.pass_context(show_help),
)
