"""``merge-link issues``: what is wrong with linked accounts."""

from typing import TYPE_CHECKING, Any

import click

from merge_link.cli.account import VARIABLE, AccountConnection, account_options, demo_account
from merge_link.cli.connection import Connection, connection_options
from merge_link.cli.failures import Failure, Typed, in_words_of, refuse_arguments
from merge_link.cli.groups import group
from merge_link.cli.listing import LIST_FORMATS, at_most, limit_option, moment, write
from merge_link.cli.options import (
    CONTEXT_SETTINGS,
    filter_options,
    format_option,
    path_category_option,
    version_option,
)
from merge_link.cli.output import FORMATS, Shown

if TYPE_CHECKING:
    from merge_link import Issue
    from merge_link.sandbox import Sandbox

_FILTERS = {
    "status": "ONGOING or RESOLVED.",
    "linked_account_id": "Those of one linked account, by its id.",
    "integration_name": "Those of one integration, by its name.",
    "end_user_organization_name": "Those of one organization.",
    "start_date": "From this time, such as 2026-01-31T12:00:00Z.",
    "end_date": "To this time.",
    "first_incident_time_after": "That began after this time.",
    "first_incident_time_before": "That began before this time.",
    "last_incident_time_after": "Last seen after this time.",
    "last_incident_time_before": "Last seen before this time.",
    "include_muted": "Also those that are muted.",
    "page_size": "Results in one request, 1 to 100.",
}


def _organization(issue: "Issue") -> object:
    return (issue.end_user or {}).get("organization_name")


def _origin_id(issue: "Issue") -> object:
    return (issue.end_user or {}).get("origin_id")


_ISSUES = {
    "ID": lambda one: one.id,
    "Status": lambda one: one.status,
    "Organization": _organization,
    "Origin id": _origin_id,
    "First seen": lambda one: one.first_incident_time,
    "Last seen": lambda one: one.last_incident_time,
    "What": lambda one: one.error_description,
}


def of_issue(issue: "Issue") -> Shown:
    """What is shown of an issue."""
    return Shown(
        {
            "Issue": issue.id,
            "Status": issue.status,
            "What": issue.error_description,
            "Organization": str(_organization(issue) or ""),
            "Origin id": str(_origin_id(issue) or ""),
            "First seen": moment(issue.first_incident_time),
            "Last seen": moment(issue.last_incident_time),
            "Details": "; ".join(map(str, issue.error_details or ())),
        },
        issue.to_dict(),
        {},
    )


class _Filtered(AccountConnection):
    """A connection whose account token says which issues, and is sent as that alone."""

    def credentials(self) -> dict[str, Any]:
        return Connection.credentials(self)

    def filter(self) -> str | None:
        """The token, if a file gives it: the environment's would hide the issues of all others."""
        return None if self.account_token_file is None else self.account_token()


def _list(
    context: click.Context, /, *, limit: int | None, output_format: str, **flags: Any
) -> None:
    connection = _Filtered.taken_from(flags)
    refuse_arguments(context.args)
    connection.refuse_conflicts()
    given = {field: value for field, value in flags.items() if value is not None}
    typed = Typed(
        flags=given,
        in_file=set(),
        file="",
        options=connection.words(),
        operation="issues",
        names={"account_token": connection.words()["account_token"]},
    )

    def prepare(sandbox: Any) -> dict[str, Any]:
        demo_issue(sandbox, given.get("category"))
        return {}

    with in_words_of(typed), connection.client(prepare) as client:
        issues = client.issues(**{**given, "account_token": connection.filter()})
        write(at_most(issues, limit), _ISSUES, output_format, what="issues")


def _show(
    context: click.Context,
    /,
    *,
    issue_id: str | None,
    category: str | None,
    output_format: str,
    **flags: Any,
) -> None:
    connection = Connection.taken_from(flags)
    refuse_arguments(context.args, "one id and flags")
    connection.refuse_conflicts(ID=issue_id)
    if connection.sandbox and issue_id is not None:
        raise Failure("--sandbox and ID exclude each other: the sandbox makes up an issue")
    if not connection.sandbox and issue_id is None:
        raise Failure("ID is required: merge-link issues list shows them")
    of_demo: list[str] = []

    def prepare(sandbox: Any) -> dict[str, Any]:
        of_demo.append(demo_issue(sandbox, category))
        return {}

    typed = Typed(
        flags={"category": category},
        in_file=set(),
        file="",
        options=connection.words(),
        operation="issue",
        names={"id": "ID"},
    )
    with in_words_of(typed), connection.client(prepare) as client:
        issue = client.issue(of_demo[0] if issue_id is None else issue_id, category=category)
    click.echo(FORMATS[output_format](of_issue(issue)))


def demo_issue(sandbox: "Sandbox", category: str | None) -> str:
    """Link an account that has an issue, and return the issue's id."""
    return sandbox.raise_issue(demo_account(sandbox, category))


_LIST_HELP = """List what is wrong with your organization's linked accounts, newest first.

\b
Examples:
  merge-link issues list --sandbox
  merge-link issues list --status ONGOING --limit 20
  merge-link issues list --start-date 2026-01-01T00:00:00Z --format jsonl
"""
_SHOW_HELP = """Show one issue.

\b
Examples:
  merge-link issues show --sandbox
  merge-link issues show 0f2f1ad6-8b6a-4d54-9f0f-6a4a7c8a1b5a --format json
"""

issues: click.Group = group(
    "issues",
    "List and show what is wrong with linked accounts.",
    [
        click.Command(
            "list",
            help=_LIST_HELP,
            short_help="List your organization's.",
            context_settings=CONTEXT_SETTINGS,
            params=[
                *filter_options("issues", _FILTERS),
                limit_option(),
                path_category_option(),
                *account_options(
                    "Those of the linked account whose token is in a file, - for stdin.",
                    f"those of all; {VARIABLE} does not count here",
                ),
                format_option(LIST_FORMATS),
                version_option(),
            ],
            callback=click.pass_context(_list),
        ),
        click.Command(
            "show",
            help=_SHOW_HELP,
            short_help="Show one.",
            context_settings=CONTEXT_SETTINGS,
            params=[
                click.Argument(["issue_id"], required=False, metavar="ID"),
                path_category_option(),
                *connection_options(),
                format_option(("text", "json")),
                version_option(),
            ],
            callback=click.pass_context(_show),
        ),
    ],
)
