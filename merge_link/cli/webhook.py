"""``merge-link webhook``: is a webhook Merge's, and what does it say; and sending one, to try."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from merge_link import errors
from merge_link.cli.connection import EnvFile, env_file_option
from merge_link.cli.failures import ExitCode, Failure, Problem, refuse_arguments
from merge_link.cli.groups import group
from merge_link.cli.inputs import STDIN, name_of, open_input, parse_json, read_key, reason_of
from merge_link.cli.options import (
    CONTEXT_SETTINGS,
    completion_of,
    format_option,
    number_of,
    refused_option,
    version_option,
)
from merge_link.cli.output import FORMATS, Shown, note

if TYPE_CHECKING:
    from merge_link.webhooks import Event

VARIABLE = "MERGE_WEBHOOK_KEY"
EVENTS = (
    *("LinkedAccount.linked", "LinkedAccount.synced", "LinkedAccount.fully_synced_initial"),
    *("LinkedAccount.deleted", "Issue.created", "Issue.resolved", "candidate.changed"),
)

_INSTEAD = f"set {VARIABLE} or use --key-file FILE"


# ---- keys ----


def _key_options() -> list[click.Option]:
    return [
        click.Option(
            ["key_files", "--key-file"],
            type=click.Path(),
            multiple=True,
            metavar="FILE",
            help="A file with the webhooks' signature key, - for stdin; not the API key."
            f"  [default: {VARIABLE}]",
        ),
        refused_option(["--key"], "the key", _INSTEAD),
        env_file_option(),
    ]


def _keys(files: Sequence[str]) -> list[str]:
    """The keys of the files, else that of the environment. Raises `Failure`."""
    keys = [read_key("--key-file", path) for path in files]
    if not files and os.environ.get(VARIABLE):
        keys = [os.environ[VARIABLE]]
    if not keys:
        advice = "Merge's dashboard shows it on the page of its webhooks, under Security."
        problem = Problem(f"no webhook key: {_INSTEAD}", (advice,), ExitCode.CONFIGURATION)
        raise Failure(problem)
    return keys


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Turn what `merge_link.webhooks` raises into a failure."""
    try:
        yield
    except errors.ConfigurationError as error:
        raise Failure(str(error), code=ExitCode.CONFIGURATION) from None
    except (errors.WebhookSignatureError, errors.ValidationError) as error:
        raise Failure(str(error), code=ExitCode.REFUSED) from None


def _refuse_stdin_twice(env_file: EnvFile | None, files: Sequence[tuple[str, str]]) -> None:
    """Raise `Failure` when several files are stdin; each is what it is called, and its path."""
    every = [*files, ("--env-file", env_file.path if env_file else "")]
    names = [f"{name} -" for name, path in every if path == STDIN]
    if len(names) > 1:
        raise Failure(f"{' and '.join(names)} exclude each other: there is one stdin")


# ---- verify ----


def of_event(event: "Event") -> Shown:
    """What is shown of an event: neither what is in its data, nor a token."""
    account = event.linked_account
    facts: dict[str, Any] = {
        "event": event.event or None,
        "is_test": event.is_test,
        "hook_id": event.hook and event.hook.id,
        "linked_account_id": account and account.id,
        "integration": account and account.integration,
        "category": account and account.category,
        "end_user_origin_id": account and account.end_user_origin_id,
        "data": sorted(event.data) if isinstance(event.data, dict) else [],
        "dedupe_key": event.dedupe_key,
    }
    lines = {
        "Signature": "good",
        "Event": "none: it is a test of the dashboard" if event.is_test else event.event,
        "Linked account": facts["linked_account_id"],
        "Integration": facts["integration"],
        "Category": facts["category"],
        "Origin id": facts["end_user_origin_id"],
        "Data": ", ".join(facts["data"]),
        "Dedupe key": event.dedupe_key,
    }
    return Shown(lines, facts, {})


def _verify(
    context: click.Context,
    /,
    *,
    body_file: str,
    signature: str | None,
    key_files: Sequence[str],
    env_file: EnvFile | None,
    output_format: str,
) -> None:
    from merge_link import webhooks

    refuse_arguments(context.args, "one file and flags")
    _refuse_stdin_twice(
        env_file, [("FILE", body_file), *(("--key-file", path) for path in key_files)]
    )
    if signature is None:
        raise Failure(f"--signature is required: the value of the header {webhooks.HEADER}")
    # What is read here is in no variable: a traceback may show what these hold.
    with _in_our_words():
        event = webhooks.parse(_read(body_file), signature, _keys(key_files))
    click.echo(FORMATS[output_format](of_event(event)))


def _read(path: str) -> bytes:
    try:
        with open_input(path) as file:
            return file.read()
    except OSError as error:
        raise Failure(f"{name_of(path)}: {reason_of(error)}") from None


# ---- send ----


def sample_of(event: str, data: Any, url: str) -> dict[str, Any]:
    """Return the body of an event about an account that there is not."""
    import secrets
    import uuid
    from datetime import UTC, datetime

    if data is None:
        data = {}
        if event == "LinkedAccount.linked":
            data = {"account_token": secrets.token_urlsafe(30), "is_relink": False}
    return {
        "hook": {"id": str(uuid.uuid4()), "event": event, "target": url},
        "linked_account": {
            "id": str(uuid.uuid4()),
            "integration": "Greenhouse",
            "integration_slug": "greenhouse",
            "category": "ats",
            "end_user_origin_id": "acme-42",
            "end_user_organization_name": "Acme",
            "end_user_email_address": "hr@acme.example",
            "status": "COMPLETE",
            "webhook_listener_url": "https://api.merge.dev/api/integrations/webhook-listener/x",
            "is_duplicate": None,
            "account_type": "TEST",
            "completed_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        },
        "data": data,
    }


def _send(
    context: click.Context,
    /,
    *,
    url: str,
    event: str | None,
    data: str | None,
    test: bool,
    key_files: Sequence[str],
    env_file: EnvFile | None,
    timeout: float | None,
) -> None:
    refuse_arguments(context.args, "one URL and flags")
    _refuse_stdin_twice(
        env_file,
        [("--data", data or ""), *(("--key-file", path) for path in key_files)],
    )
    if test and (event is not None or data is not None):
        raise Failure("--test excludes --event and --data: what is sent is no event")
    if len(key_files) > 1:
        raise Failure("--key-file is there twice: a webhook has one signature")
    if timeout is not None and not timeout > 0:
        raise Failure("--timeout must be more than 0")
    told = {"test": True} if test else sample_of(event or EVENTS[0], _data(data), url)
    status, took = _post(url, json.dumps(told, separators=(",", ":")).encode(), key_files, timeout)
    if not 200 <= status < 300:
        raise Failure(
            Problem(
                f"the answer is {status}, and Merge would send it again",
                ("Is the key the one that the handler has?",) if status in (401, 403) else (),
                ExitCode.REFUSED,
            )
        )
    click.echo(f"{status} in {took * 1000:.0f} ms")
    if took > _MERGE_WAITS:
        note(f"Merge waits {_MERGE_WAITS:g} seconds: it would send it again")


_MERGE_WAITS = 10.0


def _post(
    url: str, body: bytes, key_files: Sequence[str], timeout: float | None
) -> tuple[int, float]:
    """Return the status, and the seconds until it came. Raises `Failure`."""
    from time import monotonic

    from merge_link import webhooks

    try:
        from merge_link.sandbox.post import Post, PostFailed, parse_target
    except ImportError as error:
        raise Failure(str(error), code=ExitCode.CONFIGURATION) from None
    try:
        target = parse_target("URL", url)
    except ValueError as error:
        raise Failure(str(error)) from None
    with _in_our_words():
        signature = webhooks.sign(body, _keys(key_files)[0])
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "merge-link",
        webhooks.HEADER: signature,
    }
    begin = monotonic()
    try:
        status = Post(target).send(body, headers, _MERGE_WAITS if timeout is None else timeout)
    except PostFailed as error:
        what = f"{target.shown} was not reached: {error}"
        raise Failure(what, code=ExitCode.NETWORK) from None
    return status, monotonic() - begin


def _data(text: str | None) -> Any:
    if text is None:
        return None
    path = STDIN if text == STDIN else text[1:] if text.startswith("@") else None
    where = "--data" if path is None else f"--data {name_of(path)}"
    try:
        if path is not None:
            with open_input(path) as file:
                text = file.read().decode("utf-8-sig")
        data = parse_json(text)
    except (OSError, ValueError, RecursionError) as error:
        raise Failure(f"{where}: {reason_of(error)}") from None
    if not isinstance(data, dict):
        raise Failure(f"{where}: must be a JSON object")
    return data


_VERIFY_HELP = """Say whether Merge has signed a webhook, and what it tells.

FILE holds the raw body of the request, - (and none) is stdin. Where the signature does not fit,
what it looks like is said: a body that was written again, a wrong key, another form of base64.
Neither the key nor the data are shown.

\b
Examples:
  merge-link webhook verify body.json --signature "$SIGNATURE" --key-file key.txt
  merge-link webhook verify --signature "$SIGNATURE" --env-file .env < body.json
"""
_SEND_HELP = """Post an event to a URL as Merge does, signed, with a sample account.

\b
Examples:
  merge-link webhook send http://127.0.0.1:8000/webhooks/merge --key-file key.txt
  merge-link webhook send http://127.0.0.1:8000/webhooks/merge --event candidate.changed \\
      --data '{"id": "c1"}'
  merge-link webhook send http://127.0.0.1:8000/webhooks/merge --test
"""

webhook: click.Group = group(
    "webhook",
    "Check webhooks of Merge's, and send one to try.",
    [
        click.Command(
            "verify",
            help=_VERIFY_HELP,
            short_help="Say whether one is Merge's, and what it tells.",
            context_settings=CONTEXT_SETTINGS,
            params=[
                click.Argument(
                    ["body_file"], required=False, default=STDIN, type=click.Path(), metavar="FILE"
                ),
                click.Option(
                    ["--signature"],
                    metavar="TEXT",
                    help="The value of the header X-Merge-Webhook-Signature, required.",
                ),
                *_key_options(),
                format_option(("text", "json")),
                version_option(),
            ],
            callback=click.pass_context(_verify),
        ),
        click.Command(
            "send",
            help=_SEND_HELP,
            short_help="Post one to a URL.",
            context_settings=CONTEXT_SETTINGS,
            params=[
                click.Argument(["url"], metavar="URL"),
                click.Option(
                    ["--event"],
                    metavar="NAME",
                    shell_complete=completion_of(EVENTS),
                    help=f"Any name.  [default: {EVENTS[0]}]",
                ),
                click.Option(
                    ["--data"],
                    metavar="JSON",
                    help="Its data: a JSON object, or @FILE with it, or - for stdin.",
                ),
                click.Option(
                    ["--test"],
                    is_flag=True,
                    help="Post what is no event, as the dashboard does to try a URL.",
                ),
                *_key_options(),
                click.Option(
                    ["--timeout"],
                    callback=number_of(float, "a number of seconds, such as 10"),
                    metavar="SECONDS",
                    help="For the answer.  [default: 10, as Merge's]",
                ),
                version_option(),
            ],
            callback=click.pass_context(_send),
        ),
    ],
)
