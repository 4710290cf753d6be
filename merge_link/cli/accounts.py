"""``merge-link accounts``: linked accounts, listed, looked at, synced and deleted."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from merge_link.cli.account import AccountConnection, account_options, demo_account
from merge_link.cli.asking import ask, refuse_without_terminal, yes_option
from merge_link.cli.connection import Connection, connection_options
from merge_link.cli.failures import Typed, in_words_of, refuse_arguments
from merge_link.cli.groups import group
from merge_link.cli.listing import LIST_FORMATS, at_most, limit_option, moment, write
from merge_link.cli.options import (
    CONTEXT_SETTINGS,
    category_filter_option,
    filter_options,
    format_option,
    path_category_option,
    version_option,
)
from merge_link.cli.output import FORMATS, Shown, note

if TYPE_CHECKING:
    from collections.abc import Iterable

    from merge_link import AccountDetails, Client

_FILTERS = {
    "status": "COMPLETE, INCOMPLETE, RELINK_NEEDED or IDLE.",
    "integration_name": "Those of one integration, by its name.",
    "end_user_email_address": "Those of one address.",
    "end_user_organization_name": "Those of one organization.",
    "end_user_origin_id": "Those of one end user, by your own id.",
    "id": "The one with this id.",
    "is_test_account": "Those that are test accounts, or are not.",
    "include_duplicates": "Also those that are linked twice.",
    "page_size": "Results in one request, 1 to 100.",
}
_ACCOUNTS = {
    "ID": lambda one: one.id,
    "Organization": lambda one: one.end_user_organization_name,
    "Origin id": lambda one: one.end_user_origin_id,
    "Integration": lambda one: one.integration and one.integration.name,
    "Category": lambda one: one.category,
    "Status": lambda one: one.status,
}
_SYNCS = {
    "Model": lambda one: one.model_name,
    "Status": lambda one: one.status,
    "Initial": lambda one: {True: "yes", False: "no"}.get(one.is_initial_sync),
    "Last began": lambda one: one.last_sync_start,
    "Last result": lambda one: one.last_sync_result,
    "Next": lambda one: one.next_sync_start,
}


def of_details(details: "AccountDetails") -> Shown:
    """What is shown of a linked account."""
    return Shown(
        {
            "Linked account": details.id,
            "Organization": details.end_user_organization_name,
            "Email": details.end_user_email_address,
            "Origin id": details.end_user_origin_id,
            "Integration": details.integration,
            "Category": details.category,
            "Status": details.status,
            "Kind": details.account_type,
            "Completed": moment(details.completed_at),
        },
        details.to_dict(),
        {},
    )


_DETAILS_FORMATS = ("text", "json")


def _typed(operation: str, connection: Connection, given: dict[str, Any]) -> Typed:
    return Typed(
        flags=given, in_file=set(), file="", options=connection.words(), operation=operation
    )


# ---- list ----


def _list(
    context: click.Context, /, *, limit: int | None, output_format: str, **flags: Any
) -> None:
    connection = Connection.taken_from(flags)
    refuse_arguments(context.args)
    connection.refuse_conflicts()
    given = {field: value for field, value in flags.items() if value is not None}

    def prepare(sandbox: Any) -> dict[str, Any]:
        demo_account(sandbox, given.get("category"))
        return {}

    typed = replace(_typed("linked_accounts", connection, given), names={"category": "--category"})
    with in_words_of(typed), connection.client(prepare) as client:
        accounts = client.linked_accounts(**given)
        write(at_most(accounts, limit), _ACCOUNTS, output_format, what="linked accounts")


# ---- of one ----


def _of_one(operation: str, call: Any) -> Any:
    """Return the callback of a command about the account of the token."""

    def run(context: click.Context, /, *, category: str | None, **flags: Any) -> None:
        connection = AccountConnection.taken_from(flags)
        refuse_arguments(context.args)
        connection.refuse_conflicts()
        if "yes" in flags:
            refuse_without_terminal(flags["yes"])
        typed = _typed(operation, connection, {"category": category})
        with in_words_of(typed), connection.account(category) as client:
            call(client, category, **flags)

    return click.pass_context(run)


def _show(client: "Client", category: str | None, *, output_format: str) -> None:
    details = client.account_details(category=category)
    click.echo(FORMATS[output_format](of_details(details)))


def _delete(client: "Client", category: str | None, *, yes: bool) -> None:
    if not yes:
        details = client.account_details(category=category)
        whose = f"{details.end_user_organization_name} ({details.end_user_origin_id})"
        what = f"{details.integration}, {details.category}"
        ask(f"Delete the linked account {details.id} of {whose}, {what}?")
    client.delete_account(category=category)
    note("the linked account is deleted, and its account token is good no more")


def _status(
    client: "Client", category: str | None, *, limit: int | None, output_format: str
) -> None:
    write_syncs(at_most(client.sync_status(category=category), limit), output_format)


def _resync(client: "Client", category: str | None, *, output_format: str) -> None:
    write_syncs(client.force_resync(category=category), output_format)


def write_syncs(syncs: "Iterable[Any]", output_format: str) -> None:
    """Write how syncs stand."""
    write(syncs, _SYNCS, output_format, what="models to sync")


_LIST_HELP = """List your organization's linked accounts, page by page, to the last.

\b
Examples:
  merge-link accounts list --sandbox
  merge-link accounts list --status RELINK_NEEDED
  merge-link accounts list --category ats --format jsonl | jq -r .id
"""
_SHOW_HELP = """Show the linked account that the account token belongs to.

\b
Examples:
  merge-link accounts show --sandbox
  merge-link accounts show --account-token-file token.txt --format json
"""
_DELETE_HELP = """Delete the linked account that the account token belongs to, after asking.

Merge deletes its data with it. The end user would have to link again.

\b
Examples:
  merge-link accounts delete --account-token-file token.txt
  merge-link accounts delete --account-token-file token.txt --yes
"""
_RESYNC_HELP = """Sync the linked account of the account token again, and show how that stands.

Merge counts it: a plan has so many a month.

\b
Examples:
  merge-link accounts resync --sandbox
  merge-link accounts resync --account-token-file token.txt
"""
_STATUS_HELP = """Show how the syncs of the linked account of the account token stand, by model.

\b
Examples:
  merge-link accounts status --sandbox
  merge-link accounts status --account-token-file token.txt --format json
"""

accounts: click.Group = group(
    "accounts",
    "List, show, sync and delete linked accounts.",
    [
        click.Command(
            "list",
            help=_LIST_HELP,
            short_help="List your organization's.",
            context_settings=CONTEXT_SETTINGS,
            params=[
                category_filter_option(),
                *filter_options("linked_accounts", _FILTERS),
                limit_option(),
                *connection_options(),
                format_option(LIST_FORMATS),
                version_option(),
            ],
            callback=click.pass_context(_list),
        ),
        click.Command(
            "show",
            help=_SHOW_HELP,
            short_help="Show the account token's.",
            context_settings=CONTEXT_SETTINGS,
            params=[
                *account_options(),
                path_category_option(),
                format_option(_DETAILS_FORMATS),
                version_option(),
            ],
            callback=_of_one("account_details", _show),
        ),
        click.Command(
            "status",
            help=_STATUS_HELP,
            short_help="Show how its syncs stand.",
            context_settings=CONTEXT_SETTINGS,
            params=[
                *account_options(),
                limit_option(),
                path_category_option(),
                format_option(LIST_FORMATS),
                version_option(),
            ],
            callback=_of_one("sync_status", _status),
        ),
        click.Command(
            "resync",
            help=_RESYNC_HELP,
            short_help="Sync it again.",
            context_settings=CONTEXT_SETTINGS,
            params=[
                *account_options(),
                path_category_option(),
                format_option(LIST_FORMATS),
                version_option(),
            ],
            callback=_of_one("force_resync", _resync),
        ),
        click.Command(
            "delete",
            help=_DELETE_HELP,
            short_help="Delete it, after asking.",
            context_settings=CONTEXT_SETTINGS,
            params=[
                *account_options(),
                yes_option(),
                path_category_option(),
                version_option(),
            ],
            callback=_of_one("delete_account", _delete),
        ),
    ],
)
