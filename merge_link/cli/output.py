"""A link token as text for a person, JSON for a program, or lines for a shell; colours."""

import json
import os
import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

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


def _expiry(token: "LinkToken") -> str:
    return token.expires_at.isoformat(timespec="seconds")


def as_text(token: "LinkToken") -> str:
    """Labelled lines for a person."""
    lines = {
        "Link token": token.link_token,
        "Expires": f"{token.expires_at:%Y-%m-%d %H:%M:%S} UTC",
        "Integration": token.integration_name,
        "Magic link": token.magic_link_url,
    }
    return "\n".join(labelled(lines))


def as_json(token: "LinkToken") -> str:
    """One JSON object: what the API answered, and ``expires_at`` in ISO 8601."""
    return json.dumps({**token.to_dict(), "expires_at": _expiry(token)}, indent=2)


def _variables(token: "LinkToken") -> dict[str, str]:
    """What shells are told, for what there is; no variable of theirs can hold NUL."""
    values = {
        "MERGE_LINK_TOKEN": token.link_token,
        "MERGE_LINK_TOKEN_EXPIRES_AT": _expiry(token),
        "MERGE_INTEGRATION_NAME": token.integration_name,
        "MERGE_MAGIC_LINK_URL": token.magic_link_url,
    }
    return {name: text.replace("\0", "") for name, text in values.items() if text}


def as_env(token: "LinkToken") -> str:
    """``NAME=value`` lines, quoted for POSIX shells."""
    return "\n".join(f"{name}={shlex.quote(text)}" for name, text in _variables(token).items())


def as_fish(token: "LinkToken") -> str:
    """``set`` commands, quoted for fish."""
    quoted = {
        name: text.replace("\\", "\\\\").replace("'", "\\'")
        for name, text in _variables(token).items()
    }
    return "\n".join(f"set -g {name} '{text}'" for name, text in quoted.items())


FORMATS: "dict[str, Callable[[LinkToken], str]]" = {
    "text": as_text,
    "json": as_json,
    "env": as_env,
    "fish": as_fish,
}
"""The values of ``--format``."""
