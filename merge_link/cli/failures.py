"""Errors as lines for a person, in terms of the flags they typed, and as exit codes."""

import enum
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import click

from merge_link import errors
from merge_link.cli.options import flag_of, rows
from merge_link.cli.output import one_line


class ExitCode(enum.IntEnum):
    """What a script learns of a failure. Beside these: 0 done, 1 no output, 130 Ctrl-C."""

    WRONG_INPUT = 2
    CONFIGURATION = 3
    REFUSED = 4
    NETWORK = 5


EXIT_CODES_HELP = (
    "Exit codes: 0 done, 1 result not written, 2 wrong input, 3 configuration or authentication,"
    " 4 refused by Merge, 5 network, 130 Ctrl-C."
)

# The first that fits counts.
_CODES: list[tuple[type[Exception], ExitCode]] = [
    (errors.ValidationError, ExitCode.WRONG_INPUT),
    (errors.ConfigurationError, ExitCode.CONFIGURATION),
    (errors.AuthenticationError, ExitCode.CONFIGURATION),
    (errors.TransportError, ExitCode.NETWORK),
    (errors.MergeLinkError, ExitCode.REFUSED),
]


class Failure(click.ClickException):
    """The end of a command: a line for each problem, and an exit code."""

    def __init__(self, *problems: str, code: ExitCode = ExitCode.WRONG_INPUT) -> None:
        super().__init__("\n".join(map(one_line, problems)))
        self.code = code


@dataclass(frozen=True)
class Typed:
    """What a person typed, to speak of it in their words.

    ``flags`` are the fields given by flags, ``in_file`` the names of those that only the file
    ``file`` gives; ``options`` says what each option of the client was given by.
    """

    flags: Mapping[str, Any]
    in_file: Set[str]
    file: str
    options: Mapping[str, str]

    def field(self, path: str) -> str:
        """What to call the field at a path like ``categories[1]``."""
        if not self.is_flag(path):
            return f"{path} (in {self.file})" if self.file else path
        root, *index = re.findall(r"\w+", path)
        among_several = index and len(self.flags.get(root, ())) > 1
        return flag_of(root) + (f" no. {int(index[0]) + 1}" if among_several else "")

    def is_flag(self, path: str) -> bool:
        """Whether the field at that path was given by a flag, or should have been."""
        root = re.split(r"[.\[]", path, maxsplit=1)[0]
        return root in rows() and root not in self.in_file

    def message(self, path: str, text: str) -> str:
        """What to say of the field at that path: other fields are called like it, flags or not."""
        for name in rows() if self.is_flag(path) else ():
            if "_" in name:
                text = re.sub(rf"\b{name}\b", flag_of(name), text)
        return text

    def option(self, text: str) -> str:
        """A message about an option of the client, which it begins with."""
        name, space, rest = text.partition(" ")
        words = self.options.get(name, name) + space + rest
        return words.replace("allow_http=True", "MERGE_ALLOW_HTTP=1")


def failure_of(error: errors.MergeLinkError, typed: Typed) -> Failure:
    """Return the failure that a command ends with because of an error."""
    code = next(code for kind, code in _CODES if isinstance(error, kind))
    return Failure(*_problems(error, typed), code=code)


def _problems(error: errors.MergeLinkError, typed: Typed) -> list[str]:
    match error:
        case errors.ValidationError():
            return [
                f"{typed.field(problem.field)} {typed.message(problem.field, problem.message)}"
                for problem in error.errors
            ]
        case errors.ConfigurationError():
            return [typed.option(str(error))]
        case errors.APIError() if error.field_errors:
            return [
                f"Merge refuses {typed.field(field)}: {message}{_request_id(error)}"
                for field, messages in error.field_errors.items()
                for message in messages
            ]
        case errors.NotFoundError():
            return [f"{error} Is the category right?{_request_id(error)}"]
        case errors.APIError() | errors.ResponseError():
            return [f"{error}{_request_id(error)}"]
        case errors.TransportError():
            said, *hint = str(error).split("\n")  # what is wrong, and perhaps what to do
            return [f"{said}{_attempts(error)}", *hint]
    return [str(error)]


def _request_id(error: errors.APIError | errors.ResponseError) -> str:
    return f" (request id {error.request_id})" if error.request_id else ""


def _attempts(error: errors.TransportError) -> str:
    return f" ({error.attempts} attempts)" if error.attempts > 1 else ""
