"""``merge-link bulk``: a table in, a table with link tokens out."""

import signal
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from merge_link.cli import INTERRUPTED
from merge_link.cli.connection import Connection, connection_options
from merge_link.cli.failures import ExitCode, Failure, Problem, Typed, in_words_of, noted, tell
from merge_link.cli.inputs import STDIN
from merge_link.cli.options import CONTEXT_SETTINGS, field_options, flag_of, version_option
from merge_link.cli.output import complain, note

if TYPE_CHECKING:
    from merge_link.cli.columns import Columns, Wishes
    from merge_link.cli.journal import Journal
    from merge_link.cli.tables import Table

_WORKBOOKS = (".xlsx", ".xls", ".ods")

_HELP = """Create a link token for each row of a table: CSV or JSON Lines, - for stdin.

Its columns are named as the API's fields are; other names are led to them by --map. A flag of a
field counts for rows in which it is empty. All rows are checked before the first is sent.

The tokens are credentials: the output can be read by you alone. It can be killed at any moment and
gone on with by --resume: each row is then in the output once.

\b
Examples:
  merge-link bulk people.csv --check
  merge-link bulk people.csv -o tokens.csv --map "E-mail=end_user_email_address" \\
      --keep-column Customer --category ats --magic-link --link-expiry-mins 10080
  merge-link bulk people.csv -o tokens.csv ... --retry-failed
"""


def _bulk(
    context: click.Context,
    /,
    *,
    source: str,
    output: str | None,
    only_check: bool,
    resume: bool,
    retry_failed: bool,
    maps: tuple[str, ...],
    kept: tuple[str, ...],
    ignored: tuple[str, ...],
    encoding: str | None,
    rate: str | None,
    concurrency: int,
    **flags: Any,
) -> int:
    from merge_link.cli.columns import Columns, Wishes
    from merge_link.cli.sending import Sending
    from merge_link.cli.tables import Table, copy_of

    connection = Connection.taken_from(flags)
    defaults = {name: _plain(value) for name, value in flags.items() if value not in (None, ())}
    _refuse_usage(context.args, connection, source, rate)
    path = _output(output, source, only_check=only_check)
    wishes = Wishes(maps, kept, ignored)
    with ExitStack() as stack:
        copy = stack.enter_context(copy_of(source, encoding))
        table = Table(copy)
        columns = Columns(table, wishes, defaults, connection.words())
        total = columns.check()
        _tell_left_out(columns)
        if only_check or path is None:
            click.echo(f"{table.name}: {_rows(total)}, nothing wrong")
            return 0
        typed = Typed(flags=defaults, in_file=set(), file="", options=connection.words())
        with in_words_of(typed):
            client = stack.enter_context(connection.client())
        journal = stack.enter_context(_journal(path, columns, table, total))
        server = "the sandbox" if connection.sandbox else client.base_url
        plan = {"input": table.sha256, **_plan(wishes, defaults, encoding), "the server": server}
        if journal.begin(plan, resume=resume or retry_failed):
            note(f"going on: {_so_far(journal)}")
        sending = Sending(table, columns, journal, retries_failed=retry_failed)
        try:
            sending.run(client, concurrency=concurrency, rate=rate)
        except Failure as failure:
            raise Failure(*failure.problems, _how_to_go_on(journal, failure.code)) from None
        return _end(journal, sending.stopped_by)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _refuse_usage(
    arguments: list[str], connection: Connection, source: str, rate: str | None
) -> None:
    """Raise `Failure` when the arguments make no sense together, whatever they hold."""
    from merge_link.bulk import per_second

    found: list[Failure] = []
    with noted(found):
        if arguments:
            others = "1 was" if len(arguments) == 1 else f"{len(arguments)} were"
            raise Failure(
                f"takes one file, and {others} given beside it: put quotes round values with spaces"
            )
    with noted(found):
        connection.refuse_conflicts(FILE=source)
    with noted(found), in_words_of(Typed({}, set(), "", {"rate": "--rate"})):
        per_second(rate)
    tell(found)


def _output(output: str | None, source: str, *, only_check: bool) -> Path | None:
    if output == STDIN:
        raise Failure("-o must be a file: what is in it is needed to go on after a kill")
    if output is None and not only_check:
        raise Failure("-o FILE is required: where the tokens go; or --check, to check only")
    path = Path(output) if output is not None else None
    if path is not None and source != STDIN and path.resolve() == Path(source).resolve():
        raise Failure("-o is the input itself: name another file for the tokens")
    if path is not None and path.suffix.lower() in _WORKBOOKS:
        raise Failure(f"-o writes CSV or JSON Lines, not {path.suffix}: name it .csv or .jsonl")
    return path


def _tell_left_out(columns: "Columns") -> None:
    if columns.left_out:
        names = ", ".join(f'"{name}"' for name in columns.left_out)
        note(f"of an earlier output, and left out: {names}")


def _journal(path: Path, columns: "Columns", table: "Table", total: int) -> "Journal":
    from merge_link.cli.journal import Journal
    from merge_link.cli.sheets import Dialect, sheet_of

    is_json = path.suffix.lower() in (".jsonl", ".ndjson")
    like = table.dialect if table.dialect.kind == "csv" else Dialect("csv")
    dialect = Dialect("jsonl") if is_json else like
    suffix = path.suffix if dialect.kind == table.dialect.kind else f".{table.dialect.kind}"
    return Journal(
        path,
        path.with_name(f"{path.stem}.failed{suffix}"),
        sheet_of(dialect, columns.of_output),
        sheet_of(table.dialect, columns.of_failed),
        total,
    )


def _plan(wishes: "Wishes", defaults: dict[str, Any], encoding: str | None) -> dict[str, Any]:
    """What was asked for, by the flags that say it."""
    return {
        "--map": sorted(wishes.maps),
        "--keep-column": sorted(wishes.kept),
        "--ignore-column": sorted(wishes.ignored),
        "--encoding": encoding,
        **{flag_of(field): value for field, value in defaults.items()},
    }


def _so_far(journal: "Journal") -> str:
    from merge_link.cli.journal import Status

    failed = journal.count(Status.FAILED)
    text = f"{journal.count(Status.DONE)} of {_rows(len(journal.status) - 1)} done"
    return f"{text}, {failed} failed" if failed else text


def _how_to_go_on(journal: "Journal", code: ExitCode = ExitCode.WRONG_INPUT) -> Problem:
    from merge_link.cli.journal import Status

    advice = "The same command with --resume goes on from there."
    if journal.count(Status.FAILED):
        advice += " --retry-failed tries those that have failed again, too."
    return Problem(f"stopped: {_so_far(journal)}", (advice,), code)


def _end(journal: "Journal", stopped_by: int) -> int:
    """Say how it ended, and return the exit code."""
    from merge_link.cli.journal import Status

    failed, total = journal.count(Status.FAILED), len(journal.status) - 1
    if journal.count(Status.OPEN):
        problem = _how_to_go_on(journal)
        complain(problem.text, *problem.advice)
        return INTERRUPTED if stopped_by == signal.SIGINT else 128 + stopped_by
    if failed:
        raise Failure(
            Problem(
                f"{failed} of {_rows(total)} failed: {journal.failed} has them, with the reasons",
                (
                    "To try them again as they are: --resume --retry-failed. Once it is corrected,"
                    " the file can be fed in, with another -o.",
                ),
                ExitCode.SOME_FAILED,
            )
        )
    click.echo(f"{journal.output}: {_rows(total)}, each with its token")
    return 0


bulk: click.Command = click.Command(
    "bulk",
    help=_HELP,
    short_help="Create a link token for each row of a table.",
    context_settings=CONTEXT_SETTINGS,
    params=[
        click.Argument(["source"], metavar="FILE", type=click.Path()),
        click.Option(
            ["output", "-o", "--output"],
            metavar="FILE",
            type=click.Path(),
            help="Where the tokens go: JSON Lines if it ends in .jsonl, else CSV.",
        ),
        click.Option(["only_check", "--check"], is_flag=True, help="Only check the rows."),
        click.Option(
            ["resume", "--resume"],
            is_flag=True,
            help="Go on with the output, if it is there: ask for the rows that are not in it.",
        ),
        click.Option(
            ["retry_failed", "--retry-failed"],
            is_flag=True,
            help="Go on as by --resume, and ask again for the rows that have failed, too.",
        ),
        click.Option(
            ["maps", "--map"],
            multiple=True,
            metavar="COLUMN=FIELD",
            help='A column of another name than its field, as in "E-mail=end_user_email_address".'
            " Repeatable.",
        ),
        click.Option(
            ["kept", "--keep-column"],
            multiple=True,
            metavar="COLUMN",
            help="A column that is not sent, and is in the output. Repeatable; * is all others.",
        ),
        click.Option(
            ["ignored", "--ignore-column"],
            multiple=True,
            metavar="COLUMN",
            help="A column that is neither sent nor in the output. Repeatable; * is all others.",
        ),
        click.Option(
            ["encoding", "--encoding"],
            metavar="NAME",
            help="Of the input, such as cp1252.  [default: UTF-8; UTF-16 by its mark]",
        ),
        click.Option(
            ["rate", "--rate"],
            metavar="N/UNIT",
            help="Requests at most, such as 400/min or 5/s.",
        ),
        click.Option(
            ["concurrency", "--concurrency"],
            type=click.IntRange(1, 10_000),
            default=64,
            show_default=True,
            metavar="N",
            help="Requests at once at most.",
        ),
        *field_options(),
        *connection_options(),
        version_option(),
    ],
    callback=click.pass_context(_bulk),
)
