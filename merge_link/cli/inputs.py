"""What comes from files: the JSON object of API fields, and the API key."""

import json
import os
import stat
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any, BinaryIO

import click

from merge_link.cli.failures import ExitCode, Failure
from merge_link.cli.options import rows

STDIN = "-"

_MOST_KEY_BYTES = 64 * 1024
# Beside the API's fields: for those that Merge has added since this package was made.
_EXTRA = "extra_body"


def name_of(path: str) -> str:
    """What a person calls a file given as ``path``."""
    return "stdin" if path == STDIN else path


def _open(path: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if path == STDIN else open(path, "rb")


# ---- the JSON object ----


def read_fields(path: str) -> dict[str, Any]:
    """Read a JSON object of API fields from a file. Raises `Failure`."""
    try:
        with _open(path) as file:
            fields = _parse(file.read())
    except (OSError, ValueError, RecursionError) as error:
        raise Failure(f"--json {name_of(path)}: {_reason(error)}") from None
    if not isinstance(fields, dict):
        raise Failure(f"--json {name_of(path)}: must hold a JSON object of the API's fields")
    problems = [f"--json {name_of(path)}: {problem}" for problem in _problems(fields)]
    if problems:
        raise Failure(*problems)
    return fields


def _parse(text: bytes) -> Any:
    return json.loads(
        text.decode("utf-8-sig"),
        parse_constant=_refuse_constant,
        object_pairs_hook=_object_without_duplicates,
    )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{json.dumps(repeated)} is there twice")
    return members


def _reason(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        case UnicodeDecodeError():
            return f"not UTF-8: byte {error.start} of the file"
        case RecursionError():
            return "nested too deeply"
        case OSError():
            return error.strerror or "cannot be read"
    return str(error)


def _problems(fields: dict[str, Any]) -> list[str]:
    extra = fields.get(_EXTRA, {})
    found = [_unknown(name) for name in fields if name not in rows() and name != _EXTRA]
    if not isinstance(extra, dict):
        found.append(f"{_EXTRA} must be an object")
    return found


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    meant = get_close_matches(name.lower().replace("-", "_"), rows(), n=1, cutoff=0.85)
    hint = f'did you mean "{meant[0]}"?' if meant else f'newer ones go into "{_EXTRA}"'
    return f"{json.dumps(name)} is not a field of the API; {hint}"


# ---- the API key ----


def read_api_key(path: str) -> str:
    """Read an API key from a file, without the line end. Raises `Failure`."""
    try:
        with _open(path) as file:
            if path != STDIN:
                _warn_if_others_can_read(file, path)
            key = file.read(_MOST_KEY_BYTES)
    except OSError as error:
        raise Failure(
            f"--api-key-file {name_of(path)}: {_reason(error)}", code=ExitCode.CONFIGURATION
        ) from None
    # What is no text is refused by the core, which says what a key must be.
    return key.decode("utf-8-sig", "replace").rstrip("\r\n")


def _warn_if_others_can_read(file: BinaryIO, path: str) -> None:
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(mode) and mode & stat.S_IROTH:
        click.echo(
            f"merge-link: warning: {path} can be read by every user of this machine:"
            f" chmod 600 {path}",
            err=True,
        )
