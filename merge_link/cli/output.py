"""A result as text for a person, JSON for a program, or lines for a shell; colours."""

import json
import os
import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from merge_link import LinkToken


def wants_colour() -> bool | None:
    """Whether the environment wants colours; None: on a terminal only, which click finds out."""
    environ = os.environ
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return False if environ.get("CLICOLOR") == "0" or environ.get("TERM") == "dumb" else None


def complain(problem: str, *advice: str) -> None:
    """Write one line on stderr, and below it what to do, indented."""
    name = click.style("merge-link:", fg="red")
    lines = [f"{name} {one_line(problem)}", *(f"  {one_line(line)}" for line in advice)]
    click.echo("\n".join(lines), err=True, color=wants_colour())


def note(text: str) -> None:
    """Write one line on stderr that is no complaint."""
    click.echo(f"merge-link: {one_line(text)}", err=True)


def one_line(text: str) -> str:
    """Return text with line breaks, terminal escapes and the like made visible."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def labelled(lines: Mapping[str, str | None]) -> list[str]:
    """Return a line for each label that has a text, the texts one below the other."""
    width = max(map(len, lines)) + 3
    return [
        click.style(label, bold=True) + " " * (width - len(label)) + one_line(text)
        for label, text in lines.items()
        if text
    ]


class Shown(NamedTuple):
    """A result: labelled texts for a person, members of JSON, variables for shells."""

    lines: Mapping[str, str | None]
    members: Mapping[str, Any]
    variables: Mapping[str, str | None]


def of_link_token(token: "LinkToken") -> Shown:
    """What is shown of a link token; ``expires_at`` is in ISO 8601."""
    expires_at = token.expires_at.isoformat(timespec="seconds")
    return Shown(
        {
            "Link token": token.link_token,
            "Expires": f"{token.expires_at:%Y-%m-%d %H:%M:%S} UTC",
            "Integration": token.integration_name,
            "Magic link": token.magic_link_url,
        },
        {**token.to_dict(), "expires_at": expires_at},
        {
            "MERGE_LINK_TOKEN": token.link_token,
            "MERGE_LINK_TOKEN_EXPIRES_AT": expires_at,
            "MERGE_INTEGRATION_NAME": token.integration_name,
            "MERGE_MAGIC_LINK_URL": token.magic_link_url,
        },
    )


def as_text(shown: Shown) -> str:
    """Labelled lines for a person."""
    return "\n".join(labelled(shown.lines))


def as_json(shown: Shown) -> str:
    """One JSON object: what the API answered."""
    return json.dumps(shown.members, indent=2)


def _variables(shown: Shown) -> dict[str, str]:
    """What shells are told, for what there is; no variable of theirs can hold NUL."""
    return {name: text.replace("\0", "") for name, text in shown.variables.items() if text}


def as_env(shown: Shown) -> str:
    """``NAME=value`` lines, quoted for POSIX shells."""
    return "\n".join(f"{name}={shlex.quote(text)}" for name, text in _variables(shown).items())


def as_fish(shown: Shown) -> str:
    """``set`` commands, quoted for fish."""
    quoted = {
        name: text.replace("\\", "\\\\").replace("'", "\\'")
        for name, text in _variables(shown).items()
    }
    return "\n".join(f"set -g {name} '{text}'" for name, text in quoted.items())


FORMATS: "dict[str, Callable[[Shown], str]]" = {
    "text": as_text,
    "json": as_json,
    "env": as_env,
    "fish": as_fish,
}
"""The values of ``--format``."""
