"""``merge-link request``: any endpoint of Merge's, by method and path."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from merge_link.cli.account import AccountConnection, account_options
from merge_link.cli.failures import Failure, Typed, in_words_of, noted, refuse_arguments, tell
from merge_link.cli.inputs import STDIN, name_of, open_input, parse_json, reason_of
from merge_link.cli.listing import at_most, limit_option, write
from merge_link.cli.options import CONTEXT_SETTINGS, completion_of, version_option

if TYPE_CHECKING:
    from merge_link import Client, RawResponse

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FORMATS = ("json", "jsonl", "raw")

_HELP = """Ask any endpoint of Merge's API: all pages of its reference are within reach.

PATH begins with the category, such as /ats/v1/candidates. The answer is written to stdout. A POST
or PATCH is never sent twice, all else is tried again like every call.

\b
Examples:
  merge-link request GET /ats/v1/candidates --sandbox
  merge-link request GET /ats/v1/candidates --account-token-file token.txt \\
      --paginate --param page_size=100 --format jsonl
  merge-link request POST /ats/v1/candidates --json @candidate.json
  merge-link request PATCH /crm/v1/contacts/1 --json '{"model": {"first_name": "Jo"}}'
"""


def _request(
    context: click.Context,
    /,
    *,
    method: str,
    path: str,
    param: Sequence[str],
    json_text: str | None,
    header: Sequence[str],
    paginate: bool,
    limit: int | None,
    output_format: str,
    **flags: Any,
) -> None:
    connection = AccountConnection.taken_from(flags)
    method = method.upper()
    found: list[Failure] = []
    with noted(found):
        refuse_arguments(context.args, "a method, a path and flags")
    with noted(found):
        connection.refuse_conflicts(json=_file_of(json_text))
    with noted(found):
        _refuse_pages(method, json_text, paginate, limit, output_format)
    fields: dict[str, Any] = {"path": path}
    with noted(found):
        fields["params"] = _pairs("--param", param, "=", "NAME=VALUE")
    with noted(found):
        fields["headers"] = _pairs("--header", header, ":", "'NAME: VALUE'")
    tell(found)
    if json_text is not None:
        fields["json"] = _read_json(json_text)
    typed = Typed(
        flags=fields,
        in_file=set(),
        file="",
        options=connection.words(),
        operation="paginate" if paginate else "request",
        names={
            "method": "METHOD",
            "path": "PATH",
            "params": "--param",
            "json": "--json",
            "headers": "--header",
        },
    )
    category = path.lstrip("/").partition("/")[0]
    with in_words_of(typed), connection.account(category, needed=False) as client:
        if paginate:
            pages = client.paginate(**_given(fields))
            write(at_most(pages, limit), {}, output_format, what="results")
        else:
            _write_answer(_answer(client, method, _given(fields)), output_format)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name in ("path", "json") or value}


def _answer(client: "Client", method: Any, fields: dict[str, Any]) -> "RawResponse":
    return client.request(method, **fields)


def _refuse_pages(
    method: str, json_text: str | None, paginate: bool, limit: int | None, output_format: str
) -> None:
    """Raise `Failure` for what makes no sense with pages, or without."""
    if not paginate:
        without = {"--limit": limit is not None, "--format jsonl": output_format == "jsonl"}
        problems = [f"{flag} needs --paginate" for flag, given in without.items() if given]
    else:
        with_them = {
            f"METHOD {method}": method != "GET",
            "--json": json_text is not None,
            "--format raw": output_format == "raw",
        }
        problems = [
            f"--paginate and {flag} exclude each other: pages are read by GET, one after the other"
            for flag, given in with_them.items()
            if given
        ]
    if problems:
        raise Failure(*problems)


def _pairs(flag: str, texts: Sequence[str], sign: str, form: str) -> dict[str, str]:
    """Names and values, of a flag that is repeated. Problems quote no value."""
    pairs: dict[str, str] = {}
    problems = []
    for number, text in enumerate(texts, 1):
        which = flag if len(texts) == 1 else f"{flag} no. {number}"
        name, found, value = text.partition(sign)
        if not found or not name.strip():
            problems.append(f"{which} takes {form}")
        elif name.strip() in pairs:
            problems.append(f"{which}: {name.strip()} is there twice")
        else:
            pairs[name.strip()] = value.strip() if sign == ":" else value
    if problems:
        raise Failure(*problems)
    return pairs


def _file_of(text: str | None) -> str | None:
    """The file that ``--json`` names, if it does."""
    if text == STDIN:
        return STDIN
    return text[1:] if text is not None and text.startswith("@") else None


def _read_json(text: str) -> Any:
    path = _file_of(text)
    where = "--json" if path is None else f"--json {name_of(path)}"
    try:
        if path is not None:
            with open_input(path) as file:
                text = file.read().decode("utf-8-sig")
        body = parse_json(text)
    except (OSError, ValueError, RecursionError) as error:
        raise Failure(f"{where}: {reason_of(error)}") from None
    if body is None:
        raise Failure(f"{where}: null stands for no body: leave --json out")
    return body


def _write_answer(answer: "RawResponse", output_format: str) -> None:
    if output_format == "raw" or answer.data is None:
        # In JSON null is an answer as well.
        sys.stdout.flush()
        sys.stdout.buffer.write(answer.content)
        sys.stdout.buffer.flush()
        return
    from json import dumps

    click.echo(dumps(answer.data, indent=2))


request: click.Command = click.Command(
    "request",
    help=_HELP,
    short_help="Ask any endpoint of Merge's API.",
    context_settings=CONTEXT_SETTINGS,
    params=[
        click.Argument(["method"], metavar="METHOD", shell_complete=completion_of(METHODS)),
        click.Argument(["path"], metavar="PATH"),
        click.Option(
            ["--param"],
            multiple=True,
            metavar="NAME=VALUE",
            help="Of the query, encoded here. Repeatable.",
        ),
        click.Option(
            ["json_text", "--json"],
            metavar="JSON",
            help="The body: JSON, or @FILE with it, or - for stdin.",
        ),
        click.Option(
            ["--header"],
            multiple=True,
            metavar="'NAME: VALUE'",
            help="One more header. Repeatable.",
        ),
        click.Option(
            ["--paginate"], is_flag=True, help="Ask for all pages, and write their results alone."
        ),
        limit_option(),
        *account_options(),
        click.Option(
            ["output_format", "--format"],
            type=click.Choice(FORMATS),
            default="json",
            show_default=True,
            help="json is laid out, jsonl a result a line as they come, raw the bytes of the"
            " answer.",
        ),
        version_option(),
    ],
    callback=click.pass_context(_request),
)
