"""``merge-link keys``: keys for Merge's remote data, made and made anew."""

from typing import TYPE_CHECKING, Any

import click

from merge_link.cli.asking import ask, refuse_without_terminal, yes_option
from merge_link.cli.connection import Connection, connection_options
from merge_link.cli.failures import Typed, in_words_of, refuse_arguments
from merge_link.cli.groups import group
from merge_link.cli.options import (
    CONTEXT_SETTINGS,
    format_option,
    path_category_option,
    version_option,
)
from merge_link.cli.output import FORMATS, Shown

if TYPE_CHECKING:
    from merge_link import RemoteKey


def of_key(key: "RemoteKey") -> Shown:
    """What is shown of a key."""
    return Shown(
        {"Key": key.key, "Name": key.name},
        key.to_dict(),
        {"MERGE_REMOTE_KEY": key.key, "MERGE_REMOTE_KEY_NAME": key.name},
    )


def _making(operation: str) -> Any:
    """Return the callback of a command that makes a key."""

    def run(
        context: click.Context,
        /,
        *,
        name: str,
        category: str | None,
        output_format: str,
        yes: bool = True,
        **flags: Any,
    ) -> None:
        connection = Connection.taken_from(flags)
        refuse_arguments(context.args, "one name and flags")
        connection.refuse_conflicts()
        refuse_without_terminal(yes)
        if not yes:
            ask("Make the key anew? The one that is in use is good no more then.")
        typed = Typed(
            flags={"category": category},
            in_file=set(),
            file="",
            options=connection.words(),
            operation=operation,
            names={"name": "NAME"},
        )
        with in_words_of(typed), connection.client() as client:
            key = getattr(client, operation)(name, category=category)
        click.echo(FORMATS[output_format](of_key(key)))

    return click.pass_context(run)


_GENERATE_HELP = """Make a remote key, by a name of your own.

The key is a credential. It is written to stdout, everything else to stderr.

\b
Examples:
  merge-link keys generate backend --sandbox
  made=$(merge-link keys generate backend --format env) && eval "$made"
"""
_REGENERATE_HELP = """Make the remote key of that name anew, after asking: the old one ends.

The key is a credential. It is written to stdout, everything else to stderr.

\b
Example:
  merge-link keys regenerate backend --yes --format json
"""

_NAME = click.Argument(["name"], metavar="NAME")

keys: click.Group = group(
    "keys",
    "Make remote keys.",
    [
        click.Command(
            "generate",
            help=_GENERATE_HELP,
            short_help="Make one.",
            context_settings=CONTEXT_SETTINGS,
            params=[
                _NAME,
                path_category_option(),
                *connection_options(),
                format_option(list(FORMATS)),
                version_option(),
            ],
            callback=_making("generate_key"),
        ),
        click.Command(
            "regenerate",
            help=_REGENERATE_HELP,
            short_help="Make one anew, after asking.",
            context_settings=CONTEXT_SETTINGS,
            params=[
                _NAME,
                yes_option(),
                path_category_option(),
                *connection_options(),
                format_option(list(FORMATS)),
                version_option(),
            ],
            callback=_making("regenerate_key"),
        ),
    ],
)
