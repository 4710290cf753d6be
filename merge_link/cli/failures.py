"""Errors as lines for a person, in terms of the flags they typed, and as exit codes."""

import enum
import re
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

from merge_link import errors
from merge_link.cli.options import OPERATION, flag_of, rows


class ExitCode(enum.IntEnum):
    """What a script learns of a failure. Beside these: 0 done, 130 Ctrl-C."""

    NOT_DELIVERED = 1
    WRONG_INPUT = 2
    CONFIGURATION = 3
    REFUSED = 4
    NETWORK = 5
    SOME_FAILED = 6


EXIT_CODES_HELP = (
    "Exit codes: 0 done, 1 result not written or not opened, 2 wrong input, 3 configuration or"
    " authentication, 4 refused by Merge, or no webhook of Merge's, 5 network, 6 some rows of a"
    " bulk failed, 130 Ctrl-C."
)

# The first that fits counts.
_CODES: list[tuple[type[Exception], ExitCode]] = [
    (errors.ValidationError, ExitCode.WRONG_INPUT),
    (errors.ConfigurationError, ExitCode.CONFIGURATION),
    (errors.AuthenticationError, ExitCode.CONFIGURATION),
    (errors.TransportError, ExitCode.NETWORK),
    (errors.MergeLinkError, ExitCode.REFUSED),
]


@dataclass(frozen=True)
class Problem:
    """What is wrong, and what to do: a line for each piece of advice."""

    text: str
    advice: tuple[str, ...] = ()
    code: ExitCode = ExitCode.WRONG_INPUT


class Failure(click.ClickException):
    """The end of a command, with the exit code of the first of its problems."""

    def __init__(self, *problems: Problem | str, code: ExitCode = ExitCode.WRONG_INPUT) -> None:
        self.problems: tuple[Problem, ...] = tuple(
            Problem(problem, code=code) if isinstance(problem, str) else problem
            for problem in problems
        )
        super().__init__("; ".join(problem.text for problem in self.problems))

    @property
    def code(self) -> ExitCode:
        """The exit code."""
        return self.problems[0].code


def refuse_arguments(arguments: list[str], taken: str = "only flags") -> None:
    """Raise `Failure` when there are arguments beside the flags: one may be a key without its.

    ``taken`` says what the command does take.
    """
    if arguments:
        others = "1 other argument was" if len(arguments) == 1 else f"{len(arguments)} others were"
        raise Failure(f"takes {taken}, and {others} given: put quotes round values with spaces")


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
        raise Failure(*(problem for failure in failures for problem in failure.problems))


# What errors say in Python's words, and this command in its own; {names} are those of options.
_PHRASES = {
    " in the environment or pass api_key=": ", or give --api-key-file FILE or --env-file FILE",
    "merge_link.sandbox answers": "--sandbox answers",
    "allow_http=True": "MERGE_ALLOW_HTTP=1",
    "that of proxy=, else of HTTPS_PROXY or ALL_PROXY in the environment": "that of {proxy}",
    "A NO_PROXY entry for the host": "{no_proxy}",
    "its timeout= and max_retries= leave room": "--timeout leaves room",
    "by client.for_account(account_token)": "by MERGE_ACCOUNT_TOKEN or --account-token-file FILE",
    "Give one by client_cert=(certificate, key).": "This command has none to give: use"
    " Client(client_cert=…) in Python.",
    "the connect_timeout of": "the connect timeout of",
    "client_cert=(certificate, key)": "Client(client_cert=…) in Python",
}
# An option with its variable, as in "ca_bundle= or SSL_CERT_FILE"; or by its bare name, where that
# is no word of English.
_OPTION = re.compile(
    r"\b(base_url|region|timeout|ca_bundle|proxy)=(?: or [A-Z]+_[A-Z_]+)?"
    r"|\b(base_url|ca_bundle)\b(?!=)"
    r"|(?<=the )(timeout)(?= of \d)"
)
_ELSEWHERE = re.compile(r" \(where \w+ is not given, .*\)$")  # it is known here


@dataclass(frozen=True)
class Typed:
    """What a person typed, to speak of it in their words.

    ``flags`` are the fields given by flags, ``in_file`` the names of those that only the file
    ``file`` gives; ``options`` says what each option of the client was given by. ``operation`` is
    what is asked for, ``names`` what fields are called that are not given by flags of their name.
    """

    flags: Mapping[str, Any]
    in_file: Set[str]
    file: str
    options: Mapping[str, str]
    operation: str = field(default=OPERATION, kw_only=True)
    names: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    def field(self, path: str) -> str:
        """What to call the field at a path like ``categories[1]``."""
        root, *index = re.findall(r"\w+", path) or [path]
        if root in self.names:
            _, _, member = path.partition(".")  # the name of a header, say
            return f"{self.names[root]} {member}" if member else self.names[root]
        if not self.is_flag(path):
            return f"{path} (in {self.file})" if self.file else path
        among_several = index and len(self.flags.get(root, ())) > 1
        return flag_of(root) + (f" no. {int(index[0]) + 1}" if among_several else "")

    def is_flag(self, path: str) -> bool:
        """Whether the field at that path was given by a flag, or should have been."""
        root = re.split(r"[.\[]", path, maxsplit=1)[0]
        return root in rows(self.operation) and root not in self.in_file

    def message(self, path: str, text: str) -> str:
        """What to say of the field at that path: other fields are called like it, flags or not."""
        if not self.is_flag(path):
            return text
        if self._holds_several(path):
            flag = flag_of("categories")
            return f"takes one category: repeat it, as in {flag} ats {flag} hris"
        for name in rows(self.operation):
            if "_" in name:
                text = re.sub(rf"\b{name}\b", flag_of(name), text)
        # A flag has the type of its field already.
        return re.sub("^is required: .*", "is required", text)

    def _holds_several(self, path: str) -> bool:
        index = re.fullmatch(r"categories\[(\d+)\]", path)
        return index is not None and "," in self.flags["categories"][int(index[1])]

    def knows_option(self, error: errors.MergeLinkError) -> bool:
        """Whether an error is about an option of the client that something here gives."""
        return isinstance(error, errors.ConfigurationError) and error.option in self.options

    def is_option_flag(self, error: errors.ConfigurationError) -> bool:
        """Whether the option that an error is about was given by a flag."""
        return self.options.get(error.option or "", "").startswith("--")

    def about_option(self, error: errors.ConfigurationError, text: str) -> str:
        """A line of an error about an option of the client, which it may begin with."""
        option = error.option or ""
        rest = text.removeprefix(option)
        begins = self.options.get(option, option) if rest != text else ""
        return begins + self.spoken(_ELSEWHERE.sub("", rest))

    def spoken(self, text: str) -> str:
        """A line of an error, with the client's options called like what gave them."""
        for phrase, own in _PHRASES.items():
            if phrase in text:
                named = re.sub(r"{(\w+)}", lambda name: self.options.get(name[1], name[1]), own)
                text = text.replace(phrase, named)
        return _OPTION.sub(lambda found: self._named(found[1] or found[2] or found[3]), text)

    def _named(self, option: str) -> str:
        return self.options.get(option, option)


def failure_of(error: errors.MergeLinkError, typed: Typed) -> Failure:
    """Return the failure that a command ends with because of an error."""
    code = exit_code_of(error)
    if isinstance(error, errors.ConfigurationError) and typed.is_option_flag(error):
        code = ExitCode.WRONG_INPUT
    if several := list(_refused_fields(error, typed)):
        return Failure(*several, code=code)
    return Failure(Problem(_first_line(error, typed), _advice(error, typed), code))


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


def _refused_fields(error: errors.MergeLinkError, typed: Typed) -> Iterator[str]:
    """Yield what is wrong with each field, here or in Merge's words."""
    if isinstance(error, errors.ValidationError):
        for problem in error.errors:
            yield f"{typed.field(problem.field)} {typed.message(problem.field, problem.message)}"
    elif isinstance(error, errors.APIError):
        for field, messages in error.field_errors.items():
            for message in messages:
                yield f"Merge refuses {typed.field(field)}: {message}{_request_id(error)}"


def _request_id(error: errors.APIError) -> str:
    return f" (request id {error.request_id})" if error.request_id else ""


def _first_line(error: errors.MergeLinkError, typed: Typed) -> str:
    """Return what is wrong; what to do is on the lines after it."""
    text, _, _ = str(error).partition("\n")
    if isinstance(error, errors.ConfigurationError):
        return typed.about_option(error, text)
    return typed.spoken(text)


def _advice(error: errors.MergeLinkError, typed: Typed) -> tuple[str, ...]:
    _, *remedy = str(error).split("\n")
    # Of an option that is wrong, they say what `Typed.options` has said already.
    known = typed.knows_option(error) and not error._cause
    notes = [] if known else getattr(error, "__notes__", [])
    return tuple(map(typed.spoken, [*remedy, *notes]))
