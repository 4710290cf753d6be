"""Errors as lines for a person, in terms of the flags they typed, and as exit codes."""

import enum
import re
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from merge_link import errors
from merge_link.cli.options import flag_of, rows
from merge_link.cli.output import one_line


class ExitCode(enum.IntEnum):
    """What a script learns of a failure. Beside these: 0 done, 130 Ctrl-C."""

    NOT_DELIVERED = 1
    WRONG_INPUT = 2
    CONFIGURATION = 3
    REFUSED = 4
    NETWORK = 5


EXIT_CODES_HELP = (
    "Exit codes: 0 done, 1 result not written or not opened, 2 wrong input, 3 configuration or"
    " authentication, 4 refused by Merge, 5 network, 130 Ctrl-C."
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


def refuse_arguments(arguments: list[str]) -> None:
    """Raise `Failure` when there are arguments beside the flags: one may be a key without its."""
    if arguments:
        others = "1 other argument was" if len(arguments) == 1 else f"{len(arguments)} others were"
        raise Failure(f"takes only flags, and {others} given: put quotes round values with spaces")


@contextmanager
def noted(failures: list[Failure]) -> Iterator[None]:
    """Keep a failure of the block for `tell`, so that others can be told with it."""
    try:
        yield
    except Failure as failure:
        failures.append(failure)


def tell(failures: list[Failure]) -> None:
    """Raise all of them as one, with the exit code of the first; if there are any."""
    if failures:
        problems = [line for failure in failures for line in failure.message.splitlines()]
        raise Failure(*problems, code=failures[0].code)


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
        if not self.is_flag(path):
            return text
        if self._holds_several(path):
            flag = flag_of("categories")
            return f"takes one category: repeat it, as in {flag} ats {flag} hris"
        for name in rows():
            if "_" in name:
                text = re.sub(rf"\b{name}\b", flag_of(name), text)
        # A flag has the type of its field already.
        return re.sub("^is required: .*", "is required", text)

    def _holds_several(self, path: str) -> bool:
        index = re.fullmatch(r"categories\[(\d+)\]", path)
        return index is not None and "," in self.flags["categories"][int(index[1])]

    def is_option_flag(self, text: str) -> bool:
        """Whether the option that a message begins with was given by a flag."""
        return self.options.get(text.partition(" ")[0], "").startswith("--")

    def option(self, text: str) -> str:
        """A message about an option of the client, which it begins with."""
        name, space, rest = text.partition(" ")
        words = self.options.get(name, name) + space + rest
        words = words.partition(" (where it is not given, ")[0]  # it is known here
        return words.replace("allow_http=True", "MERGE_ALLOW_HTTP=1")


def failure_of(error: errors.MergeLinkError, typed: Typed) -> Failure:
    """Return the failure that a command ends with because of an error."""
    code = exit_code_of(error)
    if isinstance(error, errors.ConfigurationError) and typed.is_option_flag(str(error)):
        code = ExitCode.WRONG_INPUT
    return Failure(*_problems(error, typed), code=code)


@contextmanager
def in_words_of(typed: Typed) -> Iterator[None]:
    """Turn an error of the block into the failure that a command ends with."""
    try:
        yield
    except errors.MergeLinkError as error:
        raise failure_of(error, typed) from None


def exit_code_of(error: errors.MergeLinkError) -> ExitCode:
    """Return the exit code of an error, wherever its cause came from."""
    return next(code for kind, code in _CODES if isinstance(error, kind))


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
            return [f"{error} Is the category right?"]
        case errors.TransportError():
            return str(error).split("\n")  # what is wrong, and perhaps what to do
    return [str(error)]


def _request_id(error: errors.APIError) -> str:
    return f" (request id {error.request_id})" if error.request_id else ""
