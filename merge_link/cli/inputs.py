"""What comes from files: the JSON object of API fields, keys, environment variables."""

import errno
import io
import json
import logging
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, BinaryIO

from merge_link.cli.failures import ExitCode, Failure
from merge_link.cli.options import field_of_flag, rows
from merge_link.cli.output import complain

STDIN = "-"

_MOST_KEY_BYTES = 64 * 1024
# Beside the API's fields: for those that Merge has added since this package was made.
EXTRA = "extra_body"


def name_of(path: str) -> str:
    """What a person calls a file given as ``path``."""
    return "stdin" if path == STDIN else path


def open_input(path: str) -> AbstractContextManager[BinaryIO]:
    """Open a file for reading; stdin stays open afterwards. Raises OSError."""
    if path != STDIN:
        return open(path, "rb")
    if sys.stdin is None:
        raise OSError(errno.EBADF, "is closed")
    return nullcontext(sys.stdin.buffer)


# ---- the JSON object ----


def read_fields(path: str) -> tuple[dict[str, Any], list[str]]:
    """Read a JSON object of API fields from a file, and say what is wrong with its names.

    A field with a name that is nearly right comes under the right one. Raises `Failure` when there
    is no such object.
    """
    try:
        with open_input(path) as file:
            fields = parse_json(file.read().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise Failure(f"--json {name_of(path)}: {reason_of(error)}") from None
    if not isinstance(fields, dict):
        raise Failure(f"--json {name_of(path)}: must hold a JSON object of the API's fields")
    known: dict[str, Any] = {}
    problems = []
    for name, value in fields.items():
        if name in rows() or (name == EXTRA and isinstance(value, dict)):
            known[name] = value
            continue
        meant = meant_by(name)
        if meant is not None:
            known.setdefault(meant, value)
        problems.append(f"--json {name_of(path)}: {_unknown(name, meant)}")
    return known, problems


def parse_json(text: str) -> Any:
    """Parse JSON as strictly as the API's own is parsed. Raises ValueError, RecursionError."""
    return json.loads(
        text,
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


def reason_of(error: Exception) -> str:
    """Say in a few words why a file could not be used."""
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


def meant_by(name: str) -> str | None:
    """Return the field that a name is nearly that of, also by its flag or in camelCase."""
    from difflib import get_close_matches

    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().replace("-", "_")
    by_flag = field_of_flag(f"--{snake.replace('_', '-')}")
    near = get_close_matches(snake, rows(), n=1, cutoff=0.8)
    return by_flag or (near[0] if near else None)


def _unknown(name: str, meant: str | None) -> str:
    if name == EXTRA:
        return f"{EXTRA} must be an object"
    hint = f'did you mean "{meant}"?' if meant else f'newer ones go into "{EXTRA}"'
    return f"{json.dumps(name)} is not a field of the API; {hint}"


# ---- keys ----


def read_key(flag: str, path: str) -> str:
    """Read a key from the file of a flag, without the line end. Raises `Failure`."""
    try:
        with open_input(path) as file:
            if path != STDIN:
                _warn_if_others_can_read(file, path)
            key = file.read(_MOST_KEY_BYTES)
    except OSError as error:
        raise Failure(f"{flag} {name_of(path)}: {reason_of(error)}") from None
    # What is no text is refused where the key is used, which says what it must be.
    return key.decode("utf-8-sig", "replace").rstrip("\r\n")


def _warn_if_others_can_read(file: BinaryIO, path: str) -> None:
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(mode) and mode & stat.S_IROTH:
        complain(f"warning: {path} can be read by every user of this machine: chmod 600 {path}")


# ---- environment variables ----

_PROXY_VARIABLES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
_CA_VARIABLES = {"SSL_CERT_FILE", "SSL_CERT_DIR"}


@contextmanager
def environment_with(path: str) -> Iterator[frozenset[str]]:
    """Add to the environment what a .env file sets of what a client reads; yield the names.

    What the environment has already wins. Raises `Failure`.
    """
    values = {
        name: value
        for name, value in _read_variables(path).items()
        if value is not None and _is_read(name) and not _is_set(name)
    }
    os.environ.update(values)
    try:
        yield frozenset(values)
    finally:
        for name in values:
            os.environ.pop(name, None)


def _is_read(name: str) -> bool:
    return name.startswith("MERGE_") or name.lower() in _PROXY_VARIABLES or name in _CA_VARIABLES


def _is_set(name: str) -> bool:
    # The proxies' variables count in capitals and in small letters.
    names = {name, name.lower(), name.upper()} if name.lower() in _PROXY_VARIABLES else {name}
    return any(one in os.environ for one in names)


def _read_variables(path: str) -> dict[str, str | None]:
    try:
        from dotenv import dotenv_values
    except ImportError:
        raise Failure(
            '--env-file needs python-dotenv: pip install "merge-link[cli]"',
            code=ExitCode.CONFIGURATION,
        ) from None
    try:
        with open_input(path) as file:
            text = file.read().decode("utf-8-sig")
        if "\0" in text:
            raise ValueError("holds NUL")
    except (OSError, ValueError) as error:
        raise Failure(f"--env-file {name_of(path)}: {reason_of(error)}") from None
    with _warnings_of("dotenv", f"--env-file {name_of(path)}"):
        return dotenv_values(stream=io.StringIO(text))


@contextmanager
def _warnings_of(logger_name: str, about: str) -> Iterator[None]:
    """Show what a logger warns of as one warning. It quotes no values, only lines' numbers."""
    warnings: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            warnings.append(record.getMessage())

    logger, handler = logging.getLogger(logger_name), Handler(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
    if warnings:
        more = f" (and {len(warnings) - 1} more)" if len(warnings) > 1 else ""
        complain(f"warning: {about}: {warnings[0]}{more}")
