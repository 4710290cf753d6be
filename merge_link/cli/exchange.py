"""``merge-link exchange``: public token in, account token out."""

from typing import TYPE_CHECKING, Any

import click

from merge_link.cli.account import demo_public_token
from merge_link.cli.connection import Connection, connection_options
from merge_link.cli.failures import Failure, Typed, in_words_of, refuse_arguments
from merge_link.cli.inputs import STDIN, read_key
from merge_link.cli.options import (
    CONTEXT_SETTINGS,
    format_option,
    path_category_option,
    version_option,
)
from merge_link.cli.output import FORMATS, Shown

if TYPE_CHECKING:
    from merge_link import AccountToken

_HELP = """Exchange a public token of Merge Link for the account token of the linked account.

A public token is good once, and for about ten minutes. The account token lasts, and is a
credential: keep it where you keep passwords. It is written to stdout, everything else to stderr.
PUBLIC_TOKEN - is read from stdin. It may begin with a hyphen: -- stands before it, after all flags.

\b
Examples:
  merge-link exchange --sandbox
  made=$(merge-link exchange --format env -- "$PUBLIC_TOKEN") && eval "$made"
  export MERGE_ACCOUNT_TOKEN  # for the commands that follow
  merge-link exchange - --format json < public-token.txt
"""


def of_account_token(token: "AccountToken") -> Shown:
    """What is shown of an account token."""
    name = token.integration.name
    return Shown(
        {"Account token": token.account_token, "Linked account": token.id, "Integration": name},
        token.to_dict(),
        {
            "MERGE_ACCOUNT_TOKEN": token.account_token,
            "MERGE_LINKED_ACCOUNT_ID": token.id,
            "MERGE_INTEGRATION_NAME": name,
        },
    )


def _exchange(
    context: click.Context,
    /,
    *,
    public_token: str | None,
    category: str | None,
    output_format: str,
    **flags: Any,
) -> None:
    connection = Connection.taken_from(flags)
    refuse_arguments(context.args, "one public token and flags")
    connection.refuse_conflicts(PUBLIC_TOKEN=public_token)
    if connection.sandbox and public_token is not None:
        raise Failure(
            "--sandbox and PUBLIC_TOKEN exclude each other: the sandbox links an account for this"
        )
    if not connection.sandbox and public_token is None:
        raise Failure("PUBLIC_TOKEN is required: what onSuccess of Merge Link was given")
    typed = Typed(
        flags={"category": category},
        in_file=set(),
        file="",
        options=connection.words(),
        operation="retrieve_account_token",
        names={"public_token": "PUBLIC_TOKEN"},
    )
    of_demo: list[str] = []

    def prepare(sandbox: Any) -> dict[str, Any]:
        of_demo.append(demo_public_token(sandbox, category))
        return {}

    def given() -> str:
        if public_token is None:
            return of_demo[0]
        # What is read is in no variable: a traceback may show what these hold.
        return read_key("PUBLIC_TOKEN", STDIN) if public_token == STDIN else public_token

    with in_words_of(typed), connection.client(prepare) as client:
        token = client.retrieve_account_token(given(), category=category)
    click.echo(FORMATS[output_format](of_account_token(token)))


exchange: click.Command = click.Command(
    "exchange",
    help=_HELP,
    short_help="Exchange a public token for the account token.",
    context_settings=CONTEXT_SETTINGS,
    params=[
        click.Argument(["public_token"], required=False, metavar="PUBLIC_TOKEN"),
        path_category_option(),
        *connection_options(),
        format_option(list(FORMATS)),
        version_option(),
    ],
    callback=click.pass_context(_exchange),
)
