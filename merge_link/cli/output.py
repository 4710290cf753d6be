"""A link token as text for a person, JSON for a program, or lines for a shell."""

import json
import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from merge_link import LinkToken


def one_line(text: str) -> str:
    """Return text with line breaks, terminal escapes and the like made visible."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


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
    width = max(map(len, lines)) + 3
    return "\n".join(f"{label:{width}}{one_line(text)}" for label, text in lines.items() if text)


def as_json(token: "LinkToken") -> str:
    """One JSON object: what the API answered, and ``expires_at`` in ISO 8601."""
    return json.dumps({**token.to_dict(), "expires_at": _expiry(token)}, indent=2)


def as_env(token: "LinkToken") -> str:
    """``NAME=value`` lines, quoted for POSIX shells; only for what there is."""
    variables = {
        "MERGE_LINK_TOKEN": token.link_token,
        "MERGE_LINK_TOKEN_EXPIRES_AT": _expiry(token),
        "MERGE_INTEGRATION_NAME": token.integration_name,
        "MERGE_MAGIC_LINK_URL": token.magic_link_url,
    }
    return "\n".join(f"{name}={shlex.quote(text)}" for name, text in variables.items() if text)


FORMATS: "dict[str, Callable[[LinkToken], str]]" = {
    "text": as_text,
    "json": as_json,
    "env": as_env,
}
"""The values of ``--format``."""
