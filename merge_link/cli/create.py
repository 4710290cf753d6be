"""``merge-link create``: flags in, link token out."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, cast

import click

from merge_link import Client, errors
from merge_link.cli.failures import ExitCode, Failure, Typed, failure_of
from merge_link.cli.inputs import STDIN, name_of, read_api_key, read_fields
from merge_link.cli.options import (
    HELP_NAMES,
    connection_options,
    field_options,
    flag_of,
    rows,
    version_option,
)
from merge_link.cli.output import FORMATS

if TYPE_CHECKING:
    from merge_link.types import Region

_HELP = """Create a link token: what Merge Link needs to open for one end user.

The token is a credential: whoever has it can link an account for that end user. It is written to
stdout, everything else to stderr.

\b
Examples:
  merge-link create --sandbox --email hr@acme.example --organization Acme \\
      --origin-id acme-42 --category ats
  merge-link create --json user.json --magic-link --link-expiry-mins 10080
  eval "$(merge-link create --json user.json --format env)"
"""


def _create(
    context: click.Context,
    /,
    *,
    json_file: str | None,
    output_format: str,
    sandbox: bool,
    api_key_file: str | None,
    base_url: str | None,
    region: str | None,
    timeout: float | None,
    **flags: Any,
) -> None:
    _refuse_arguments(context.args)
    if sandbox and base_url is not None:
        raise Failure("--sandbox and --base-url exclude each other")
    if json_file == api_key_file == STDIN:
        raise Failure("--json - and --api-key-file - exclude each other: there is one stdin")

    given = {field: _plain(value) for field, value in flags.items() if value not in (None, ())}
    in_json = read_fields(json_file) if json_file is not None else {}
    fields = {**in_json, **given}
    _refuse_missing(fields)

    typed = Typed(
        flags=given,
        in_file=in_json.keys() - given.keys(),
        file=name_of(json_file) if json_file is not None else "",
        options=_option_words(api_key_file, base_url, region),
    )
    try:
        with _client(sandbox, api_key_file, region, base_url, timeout) as client:
            token = client.create_link_token(**fields)
    except errors.MergeLinkError as error:
        raise failure_of(error, typed) from None
    click.echo(FORMATS[output_format](token))


def _refuse_arguments(arguments: list[str]) -> None:
    # Not repeated: one of them may be a key that lost its flag.
    if arguments:
        raise Failure(
            f"takes only flags, and {len(arguments)} other argument(s) were given:"
            " put quotes round values with spaces"
        )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _refuse_missing(fields: dict[str, Any]) -> None:
    required = [name for name, row in rows().items() if row["required"]]
    missing = [name for name in required if fields.get(name) is None]
    if missing:
        raise Failure(*(f"{flag_of(name)} is required" for name in missing))


def _option_words(
    api_key_file: str | None, base_url: str | None, region: str | None
) -> dict[str, str]:
    """What to call the client's options, by where they came from."""
    return {
        "api_key": f"the key of --api-key-file {name_of(api_key_file)}"
        if api_key_file is not None
        else "MERGE_API_KEY",
        "base_url": "--base-url" if base_url is not None else "MERGE_BASE_URL",
        "region": "--region" if region is not None else "MERGE_REGION",
        "timeout": "--timeout",
        "ca_bundle": "SSL_CERT_FILE or SSL_CERT_DIR",
        "proxy": "the proxy of HTTPS_PROXY or ALL_PROXY",
    }


def _client(
    sandbox: bool,
    api_key_file: str | None,
    region: str | None,
    base_url: str | None,
    timeout: float | None,
) -> AbstractContextManager[Client]:
    if sandbox:
        return _sandbox_client(timeout)
    api_key = _api_key(api_key_file)
    known = cast("Region | None", region)  # the client refuses others, and says which there are
    return Client(api_key=api_key, region=known, base_url=base_url, timeout=timeout)


def _api_key(api_key_file: str | None) -> str | None:
    """The key of the file; None leaves it to the client, which reads MERGE_API_KEY."""
    if api_key_file is not None:
        return read_api_key(api_key_file)
    if not os.environ.get("MERGE_API_KEY"):
        raise Failure(
            "no API key: set MERGE_API_KEY or use --api-key-file FILE; --sandbox works without one",
            code=ExitCode.CONFIGURATION,
        )
    return None


@contextmanager
def _sandbox_client(timeout: float | None) -> Iterator[Client]:
    try:
        from merge_link.sandbox import Sandbox
    except ImportError as error:
        raise Failure(str(error), code=ExitCode.CONFIGURATION) from None
    try:
        sandbox = Sandbox().start()
    except OSError as error:
        raise Failure(
            f"the sandbox could not start: {error.strerror}", code=ExitCode.NETWORK
        ) from None
    with sandbox, sandbox.client(timeout=timeout) as client:
        yield client


create: click.Command = click.Command(
    "create",
    help=_HELP,
    short_help="Create a link token.",
    # Refused by ourselves, without repeating what they say.
    context_settings={"help_option_names": HELP_NAMES, "allow_extra_args": True},
    params=[
        *field_options(),
        click.Option(
            ["json_file", "--json"],
            metavar="FILE",
            help="A JSON object of further API fields, - for stdin. Flags win over it.",
        ),
        *connection_options(),
        click.Option(
            ["output_format", "--format"],
            type=click.Choice(list(FORMATS)),
            default="text",
            show_default=True,
            help="Of what is written to stdout.",
        ),
        version_option(),
    ],
    callback=click.pass_context(_create),
)
