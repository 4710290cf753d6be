"""Commands that hold others: ``merge-link accounts list``."""

from collections.abc import Sequence

import click

from merge_link.cli.options import HELP_NAMES


def show_help(context: click.Context) -> None:
    """Show the help on stderr where no subcommand was named: that is wrong input."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(2)


def group(name: str, words: str, commands: Sequence[click.Command]) -> click.Group:
    """Return a command of several."""
    return click.Group(
        name,
        help=words,
        short_help=words.partition("\n")[0],
        context_settings={"help_option_names": HELP_NAMES},
        commands={command.name or "": command for command in commands},
        invoke_without_command=True,
        callback=click.pass_context(show_help),
    )
