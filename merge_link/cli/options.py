"""The flags. Those of an operation's fields are made from its rows in the C core.

A scalar field of a new row has a flag at once, named after it. `_SHORT` says which are called
something shorter, `_HELP` what the help says. The fields that are objects or lists of objects
come from ``--json``.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

import click

from merge_link import _core
from merge_link._version import __version__

if TYPE_CHECKING:
    from merge_link._core import _Field

    _Callback = Callable[[click.Context, click.Parameter, str | None], int | float | None]
    _Completion = Callable[[click.Context, click.Parameter, str], list[str]]

OPERATION = "create_link_token"
# For completion only: the core decides.
REGIONS = ("us", "eu", "apac")
HELP_NAMES = ["-h", "--help"]
# Of commands that take flags only: `refuse_arguments` refuses others, without repeating them.
CONTEXT_SETTINGS = {"help_option_names": HELP_NAMES, "allow_extra_args": True}

# Flags that are more than the field's name with hyphens, which works as well.
_SHORT = {
    "end_user_email_address": "--email",
    "end_user_organization_name": "--organization",
    "end_user_origin_id": "--origin-id",
    "categories": "--category",
    "category": "--path-category",
    "should_create_magic_link_url": "--magic-link",
}
_TIMES = (
    *("start_date", "end_date", "first_incident_time_after", "first_incident_time_before"),
    *("last_incident_time_after", "last_incident_time_before"),
)
_METAVARS = {
    "end_user_email_address": "ADDRESS",
    "end_user_organization_name": "NAME",
    "end_user_origin_id": "ID",
    "categories": "CATEGORY",
    "integration": "SLUG",
    "link_expiry_mins": "MINUTES",
    "language": "TAG",
    "completed_account_initial_screen": "SCREEN",
    "linked_destination_id": "UUID",
    "credential_id": "UUID",
    "category": "CATEGORY",
    "id": "ID",
    "linked_account_id": "ID",
    "integration_name": "NAME",
    "status": "STATUS",
    "page_size": "N",
    **dict.fromkeys(_TIMES, "TIME"),
}
_HELP = {
    "end_user_email_address": "The end user's address, for identification: no mail is sent."
    " 1 to 100 characters, required.",
    "end_user_organization_name": "The end user's organization. 1 to 100 characters, required.",
    "end_user_origin_id": "Your own id of the end user. 1 to 100 characters, required.",
    "categories": "What Merge Link shows, such as ats, hris or accounting. Repeatable, required.",
    "integration": "One pre-selected integration, such as greenhouse.",
    "link_expiry_mins": "Until the token expires: 30 to 720, to 10080 (7 days) with a magic link."
    "  [default: 30]",
    "should_create_magic_link_url": "Also ask for a magic link: a page for the end user to open.",
    "hide_admin_magic_link": "Hide the admin's magic link in Merge Link.",
    "language": "Of Merge Link, such as en or de.",
    "are_syncs_disabled": "Link without syncing.",
    "completed_account_initial_screen": "What Merge Link opens with for a linked account:"
    " SELECTIVE_SYNC.",
    "linked_destination_id": "Of the linked destination.",
    "credential_id": "Of the credential to use.",
    "ekm_enabled": "Use your own encryption keys.",
    "category": "Of the request's path.  [default: the first --category]",
}


def number_of(kind: Callable[[str], int | float], wanted: str) -> "_Callback":
    """Return an option's callback that makes its text a number, or asks for one in our words."""

    def convert(
        context: click.Context, option: click.Parameter, text: str | None
    ) -> int | float | None:
        try:
            return None if text is None else kind(text)
        except ValueError:
            raise click.UsageError(f"{option.opts[0]} must be {wanted}, not {text!r}") from None

    return convert


@functools.cache
def rows(operation: str = OPERATION) -> "dict[str, _Field]":
    """An operation's fields by their names, in the order in which they are sent."""
    return {row["name"]: row for row in _core.fields(operation)}


def flags_of(field: str) -> list[str]:
    """The flags that give a field, the one to be shown first."""
    full = f"--{field.replace('_', '-')}"
    short = [_SHORT[field]] if field in _SHORT else []
    return short if full in _SHORT.values() else [*short, full]


def flag_of(field: str) -> str:
    """The flag by which a person knows a field."""
    return flags_of(field)[0]


def field_of_flag(flag: str) -> str | None:
    """The field that a flag gives, None if it is no field's flag."""
    return next((name for name in rows() if flag in flags_of(name)), None)


class _FieldOption(click.Option):
    """A flag whose longer names work without being shown in the help."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        shown = copy(self)
        shown.opts, shown.secondary_opts = self.opts[:1], self.secondary_opts[:1]
        return super(_FieldOption, shown).get_help_record(ctx)


def field_options() -> list[click.Option]:
    """The flags of all fields that have one; what is not given comes as None or ``()``."""
    made = (_field_option(row, _HELP.get(row["name"])) for row in rows().values())
    return [option for option in made if option is not None]


def filter_options(operation: str, helps: Mapping[str, str]) -> list[click.Option]:
    """The flags of those fields of an operation that ``helps`` explains."""
    made = (_field_option(rows(operation)[field], words) for field, words in helps.items())
    return [option for option in made if option is not None]


def _field_option(row: "_Field", words: str | None) -> click.Option | None:
    field = row["name"]
    settings: dict[str, Any] = {"help": words, "metavar": _METAVARS.get(field)}
    if row["choices"]:
        settings["shell_complete"] = completion_of(row["choices"])
    if row["type"] == "boolean":
        pairs = [f"{flag}/--no-{flag.removeprefix('--')}" for flag in flags_of(field)]
        return _FieldOption([field, *pairs], default=None, help=words)
    if row["type"] == "integer":
        settings["callback"] = number_of(int, "a whole number")
    if row["type"] in ("string", "integer"):
        return _FieldOption([field, *flags_of(field)], type=str, **settings)
    if row["type"] == "array" and field in _SHORT:
        return _FieldOption([field, *flags_of(field)], multiple=True, **settings)
    return None


def completion_of(choices: Sequence[str]) -> "_Completion":
    """What a shell offers for an option that takes these, and newer ones too."""

    def complete(context: click.Context, option: click.Parameter, typed: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(typed)]

    return complete


def version_option() -> click.Option:
    """The flag ``--version``."""

    def show(context: click.Context, option: click.Parameter, value: bool) -> None:
        if value and not context.resilient_parsing:
            click.echo(f"merge-link {__version__}")
            context.exit()

    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Show the version and exit.",
    )


def refused_key_option() -> click.Option:
    """``--api-key``, which is there to say why it is not."""
    return refused_option(
        ["--api-key", "--apikey", "--api_key"],
        "the API key",
        "set MERGE_API_KEY or use --api-key-file FILE",
    )


def refused_option(flags: Sequence[str], what: str, instead: str) -> click.Option:
    """A flag for a credential, which is there to say why it is not."""

    def refuse(context: click.Context, option: click.Parameter, value: str | None) -> None:
        if value is not None and not context.resilient_parsing:
            raise click.UsageError(
                f"{what} is not taken from the arguments, which other users of this machine can see"
                f" and the shell's history keeps: {instead}"
            )

    return click.Option(
        flags,
        is_flag=False,
        flag_value="",
        is_eager=True,
        expose_value=False,
        hidden=True,
        callback=refuse,
    )


def path_category_option() -> click.Option:
    """The flag ``--path-category``, of commands that name no category otherwise."""
    return _category_option("--path-category", "Of the request's path.  [default: ats]")


def category_filter_option() -> click.Option:
    """The flag ``--category``, of commands that list what is of one category."""
    return _category_option("--category", "Those of one category, such as ats.")


def _category_option(flag: str, words: str) -> click.Option:
    return click.Option(
        ["category", flag],
        metavar="CATEGORY",
        shell_complete=completion_of(rows()["category"]["choices"]),
        help=words,
    )


def format_option(formats: Sequence[str]) -> click.Option:
    """The flag ``--format``; the first of them is the default."""
    return click.Option(
        ["output_format", "--format"],
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="Of what is written to stdout.",
    )
