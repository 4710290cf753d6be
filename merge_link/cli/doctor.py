"""``merge-link doctor``: what is found, and what to do about it, as text or JSON."""

import json
import textwrap
from typing import TYPE_CHECKING, Any

import click

from merge_link.cli.connection import Connection, connection_options
from merge_link.cli.failures import refuse_arguments
from merge_link.cli.options import CONTEXT_SETTINGS, format_option, version_option
from merge_link.cli.output import labelled, one_line

if TYPE_CHECKING:
    from merge_link.cli.checkup import Finding

_HELP = """Look at all that a link token needs, and say what to do where something is missing.

It shows versions, server, API key, CA certificates and proxy, and which flag, variable or place
each comes from; then it makes one request, a harmless read. No key, no password and no token is
ever shown: the report can go into a bug report as it is.

\b
Examples:
  merge-link doctor
  merge-link doctor --env-file .env --region eu
  merge-link doctor --offline --format json
"""


def as_text(findings: "list[Finding]") -> str:
    """A line for each fact, then what to do."""
    lines = {label: text for finding in findings for label, text in finding.lines.items()}
    problems = [finding.problem for finding in findings if finding.problem]
    report = labelled(lines)
    report += ["", click.style("What to do", bold=True) if problems else "Nothing is wrong."]
    for problem in problems:
        report += [click.style(_wrapped(problem.text, "  "), fg="yellow")]
        report += [_wrapped(line, "  - ") for line in problem.advice]
    return "\n".join(report)


def _wrapped(text: str, start: str) -> str:
    indent = " " * len(start)
    return textwrap.fill(
        one_line(text),
        width=100,
        initial_indent=start,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def as_json(findings: "list[Finding]") -> str:
    """One object: the facts of each finding under its name, and the problems."""
    facts = {finding.name: finding.facts for finding in findings}
    problems = [
        {"about": finding.name, "problem": finding.problem.text, "advice": finding.problem.advice}
        for finding in findings
        if finding.problem
    ]
    return json.dumps({**facts, "problems": problems, "exit_code": exit_code(findings)}, indent=2)


def exit_code(findings: "list[Finding]") -> int:
    """That of the first problem; 0 when there is none."""
    return next((finding.problem.code for finding in findings if finding.problem), 0)


_FORMATS = {"text": as_text, "json": as_json}


def _doctor(context: click.Context, /, *, offline: bool, output_format: str, **flags: Any) -> None:
    from merge_link.cli.checkup import examine

    refuse_arguments(context.args)
    connection = Connection.taken_from(flags)
    connection.refuse_conflicts()
    findings = examine(connection, offline=offline)
    click.echo(_FORMATS[output_format](findings))
    context.exit(exit_code(findings))


doctor: click.Command = click.Command(
    "doctor",
    help=_HELP,
    short_help="Say what is found, what is missing and what to do.",
    context_settings=CONTEXT_SETTINGS,
    params=[
        *connection_options(timeout="10"),
        click.Option(["--offline"], is_flag=True, help="Leave the request out."),
        format_option(list(_FORMATS)),
        version_option(),
    ],
    callback=click.pass_context(_doctor),
)
