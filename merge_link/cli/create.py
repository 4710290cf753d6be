"""``merge-link create``: flags in, link token out."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from merge_link import _core
from merge_link.cli.connection import Connection, connection_options
from merge_link.cli.failures import Failure, Typed, in_words_of, noted, refuse_arguments, tell
from merge_link.cli.inputs import name_of, read_fields
from merge_link.cli.options import (
    CONTEXT_SETTINGS,
    OPERATION,
    field_options,
    format_option,
    version_option,
)
from merge_link.cli.output import FORMATS, of_link_token

if TYPE_CHECKING:
    from webbrowser import BaseBrowser

_HELP = """Create a link token: what Merge Link needs to open for one end user.

The token is a credential: whoever has it can link an account for that end user. It is written to
stdout, everything else to stderr.

\b
Examples:
  merge-link create --sandbox --email hr@acme.example --organization Acme \\
      --origin-id acme-42 --category ats
  merge-link create --json user.json --magic-link --link-expiry-mins 10080 --open
  made=$(merge-link create --json user.json --format env) && eval "$made"
"""


def _create(
    context: click.Context,
    /,
    *,
    json_file: str | None,
    open_link: bool,
    output_format: str,
    **flags: Any,
) -> None:
    connection = Connection.taken_from(flags)
    given = {field: _plain(value) for field, value in flags.items() if value not in (None, ())}
    _refuse_usage(context.args, connection, json_file, open_link)

    in_json, problems = read_fields(json_file) if json_file is not None else ({}, [])
    fields = {**in_json, **given}
    typed = Typed(
        flags=given,
        in_file={name for name in in_json.keys() - given.keys() if in_json[name] is not None},
        file=name_of(json_file) if json_file is not None else "",
        options=connection.words(),
    )
    failures: list[Failure] = []
    browser = None
    with noted(failures):
        _refuse_fields(fields, problems, typed)
    with noted(failures):
        browser = _browser_for(fields) if open_link else None
    if connection.sandbox:
        tell(failures)  # before it starts
    with ExitStack() as stack:
        with noted(failures), in_words_of(typed):
            client = stack.enter_context(connection.client())
        tell(failures)
        with in_words_of(typed):
            token = client.create_link_token(**fields)
    click.echo(FORMATS[output_format](of_link_token(token)))
    if browser is not None:
        from merge_link.cli.browser import open_in

        open_in(browser, token.magic_link_url)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _refuse_usage(
    arguments: list[str], connection: Connection, json_file: str | None, open_link: bool
) -> None:
    """Raise `Failure` when the arguments make no sense together, whatever they hold."""
    found: list[Failure] = []
    with noted(found):
        refuse_arguments(arguments)
    with noted(found):
        connection.refuse_conflicts(json=json_file)
    with noted(found):
        if connection.sandbox and open_link:
            why = "the sandbox ends with this command"
            raise Failure(f"--sandbox and --open exclude each other: {why}")
    tell(found)


def _refuse_fields(fields: dict[str, Any], problems: list[str], typed: Typed) -> None:
    """Raise `Failure` with all that the core finds wrong, after what is wrong with the file."""
    found: list[Failure] = []
    with noted(found):
        if problems:
            raise Failure(*problems)
    with noted(found), in_words_of(typed):
        _core.check(OPERATION, **fields)
    tell(found)


def _browser_for(fields: dict[str, Any]) -> "BaseBrowser":
    if not fields.get("should_create_magic_link_url"):
        raise Failure("--open needs --magic-link: there is no link to open without it")
    from merge_link.cli.browser import find_browser

    return find_browser()


create: click.Command = click.Command(
    "create",
    help=_HELP,
    short_help="Create a link token.",
    context_settings=CONTEXT_SETTINGS,
    params=[
        *field_options(),
        click.Option(
            ["json_file", "--json"],
            metavar="FILE",
            type=click.Path(),
            help="A JSON object of further API fields, - for stdin. Flags win over it.",
        ),
        *connection_options(),
        format_option(list(FORMATS)),
        click.Option(
            ["open_link", "--open"],
            is_flag=True,
            help="Open the magic link in a browser; needs --magic-link.",
        ),
        version_option(),
    ],
    callback=click.pass_context(_create),
)
