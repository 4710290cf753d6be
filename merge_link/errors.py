"""What is raised. Every class can be pickled, and none ever holds a secret.

The first line of `str()` says what happened, in Merge's words where it has some, then the request
id and the number of attempts; a second says what to do, where the cause is known. ``__notes__``
holds what else may help. docs/errors.md explains each.

::

    MergeLinkError
    ├── ConfigurationError (ValueError)
    ├── ValidationError (ValueError)
    ├── TransportError (ConnectionError)
    │   ├── TLSError
    │   └── RequestTimeoutError (TimeoutError)
    ├── APIError
    │   ├── BadRequestError, AuthenticationError, PermissionDeniedError, NotFoundError
    │   ├── RateLimitError ── ErrorBudgetError
    │   └── ServerError
    ├── ResponseError
    ├── ClientClosedError (RuntimeError)
    └── WebhookSignatureError (ValueError)
"""

from __future__ import annotations

from merge_link.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from merge_link.response import Headers

_MOST_BODY = 64 * 1024
_MOST_ID = 64  # characters of a request id in a message


class MergeLinkError(Exception):
    """The base of all errors of this package."""

    _cause: str = ""  # of merge_link.h's ml_error, for the notes and the command line

    def __init__(self, message: str = "", /, **facts: Any) -> None:
        """Make an error by hand, in tests for instance: its attributes as keyword arguments."""
        super().__init__(message)
        for name, value in facts.items():
            if not hasattr(type(self), name) or name.startswith("_"):
                raise TypeError(f"{type(self).__name__} has no attribute {name!r}")
            setattr(self, name, value)

    def _repr_html_(self) -> str:
        from merge_link._cards import of_error

        return of_error(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__)


def _restore(
    cls: type[MergeLinkError], arguments: tuple[Any, ...], facts: dict[str, Any]
) -> MergeLinkError:
    error = cls.__new__(cls, *arguments)
    error.args = arguments
    error.__dict__.update(facts)
    if "__notes__" in facts:
        error.__notes__ = list(facts["__notes__"])  # a copy has notes of its own
    return error


class ConfigurationError(MergeLinkError, ValueError):
    """No or impossible API key, base URL or option. Nothing was sent.

    ``option`` is the client's option that it is about, such as ``base_url``, or None.
    """

    option: str | None = None


class FieldProblem(Record):
    """One thing wrong with one field: ``field`` is a path like ``categories[0]``."""

    field: str
    message: str


class ValidationError(MergeLinkError, ValueError):
    """Refused before anything was sent. ``errors`` holds every problem, in the fields' order.

    Of a webhook: its signature is good, but its body is not what Merge promises.
    """

    errors: tuple[FieldProblem, ...] = ()


class TransportError(MergeLinkError, ConnectionError):
    """No whole answer came.

    ``code`` is libcurl's name of the failure (https://curl.se/libcurl/c/libcurl-errors.html), or
    "". ``attempts`` counts the requests sent. ``may_have_arrived`` says that some of the request
    was written, so that Merge may have acted on it.
    """

    code: str = ""
    attempts: int = 0
    may_have_arrived: bool = False


class TLSError(TransportError):
    """The server could not be trusted, or speaks no TLS that is safe."""


class RequestTimeoutError(TransportError, TimeoutError):
    """The timeout passed first, perhaps while waiting for a free connection."""


class APIError(MergeLinkError):
    """Merge answered with a status of 400 or more (https://docs.merge.dev/basics/errors/).

    ``detail`` is what Merge says, or None; ``field_errors`` maps paths like ``categories[0]`` to
    messages. ``body`` is parsed JSON, else text, at most 64 KiB of it. ``retry_after`` is in
    seconds, or None. The call's own secrets are masked in all of them.
    """

    status_code: int = 0
    detail: str | None = None
    field_errors: dict[str, list[str]] = {}  # noqa: RUF012 (each error from a call has its own)
    body: Any = None
    headers: Headers | dict[str, str] = {}  # noqa: RUF012
    request_id: str | None = None
    attempts: int = 0
    retry_after: float | None = None


class BadRequestError(APIError):
    """400: Merge refused the body; see ``field_errors``."""


class AuthenticationError(APIError):
    """401: the API key or the account token is missing or wrong."""


class PermissionDeniedError(APIError):
    """403: not allowed."""


class NotFoundError(APIError):
    """404: no such thing."""


class RateLimitError(APIError):
    """429: too many requests; ``retry_after`` says for how many seconds to wait, if Merge does."""


class ErrorBudgetError(RateLimitError):
    """Held back here, nothing was sent: too many requests have failed in the last seconds.

    Merge shuts out an IP address after more than 20 failures in 10 seconds, for all its requests.
    ``retry_after`` says in how many seconds a call is let through again. ``body`` is None.
    """


class ServerError(APIError):
    """5xx: Merge, or a proxy in front of it, has failed."""


class ResponseError(MergeLinkError):
    """Answered with 2xx or 3xx, but not what the API promises. Never quotes the answer."""

    status_code: int = 0
    request_id: str | None = None
    attempts: int = 0


class ClientClosedError(MergeLinkError, RuntimeError):
    """The client is closed, or was closed during the call."""


class WebhookSignatureError(MergeLinkError, ValueError):
    """A webhook is not signed by Merge, or not with this key.

    The message says which mistake it looks like: it is for your log, not for who has sent the
    request. ``reason`` is a word for it: ``missing``, ``malformed``, ``hex``, ``standard_base64``,
    ``swapped``, ``api_key``, ``key_not_stripped``, ``body_changed``, ``body_empty`` or
    ``wrong_signature``. Later versions may know more of them.
    """

    reason: str = ""


_BY_STATUS: dict[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    429: RateLimitError,
}
_BY_KIND: dict[str, type[MergeLinkError]] = {
    "closed": ClientClosedError,
    "transport": TransportError,
    "tls": TLSError,
    "timeout": RequestTimeoutError,
}


def from_core(*, request: str, cause: str, **facts: Any) -> MergeLinkError:
    """Return the error that the C core reports, with notes that may help.

    ``request`` is what it is about: method and URL, or empty.
    """
    from merge_link._hints import notes_on

    error = _error_of(**facts)
    if cause:
        error._cause = cause
    for note in notes_on(facts["kind"], error, request):
        error.add_note(note)
    return error


def _error_of(
    *,
    kind: str,
    message: str,
    code: str,
    status_code: int,
    retry_after: float,
    attempts: int,
    may_have_arrived: bool,
    problems: list[tuple[str, str]],
    headers: bytes = b"",
    body: bytes = b"",
    is_json: bool = False,
    detail: str | None = None,
) -> MergeLinkError:
    if kind == "validation":
        found = tuple(FieldProblem(field=field, message=text) for field, text in problems)
        return ValidationError(message, errors=found)
    if kind in ("transport", "tls", "timeout"):
        facts = {"code": code, "attempts": attempts, "may_have_arrived": may_have_arrived}
        return _BY_KIND[kind](traced(message, None, attempts), **facts)
    if kind == "budget":
        return ErrorBudgetError(message, status_code=429, retry_after=retry_after)
    if kind == "configuration":
        return ConfigurationError(message, option=code or None)
    if kind not in ("api", "response"):
        return _BY_KIND.get(kind, MergeLinkError)(message)

    from merge_link.response import Headers

    parsed = Headers(headers)
    common = {
        "status_code": status_code,
        "request_id": parsed.request_id,
        "attempts": attempts,
    }
    if kind == "response":
        return ResponseError(traced(message, parsed.request_id, attempts), **common)
    field_errors: dict[str, list[str]] = {}
    for field, text in problems:
        field_errors.setdefault(field, []).append(text)
    wait = retry_after if retry_after >= 0 else None
    return _class_of(status_code)(
        traced(message, parsed.request_id, attempts, wait),
        **common,
        detail=detail,
        field_errors=field_errors,
        body=_read_body(body, is_json),
        headers=parsed,
        retry_after=wait,
    )


def traced(message: str, request_id: str | None, attempts: int, wait: float | None = None) -> str:
    """Return the message with what else a log should have of the request, in brackets."""
    facts = []
    if wait:
        facts.append(f"try again in {round(wait, 1):.12g} s")
    if request_id:
        facts.append(f"request id {_shortened(request_id)}")
    if attempts > 1:
        facts.append(f"{attempts} attempts")
    what, newline, remedy = message.partition("\n")
    return f"{what} ({', '.join(facts)}){newline}{remedy}" if facts else message


def _shortened(request_id: str) -> str:
    """Return an id as it may stand in a line, whatever the server sent for one."""
    start = "".join(c for c in request_id[:_MOST_ID] if c.isprintable())
    return start + "…" * (len(request_id) > _MOST_ID)


def _class_of(status_code: int) -> type[APIError]:
    return _BY_STATUS.get(status_code) or (ServerError if status_code >= 500 else APIError)


def _read_body(body: bytes, is_json: bool) -> Any:
    if is_json and len(body) <= _MOST_BODY:
        import json

        try:
            return json.loads(body)
        except (ValueError, RecursionError):  # an integer of thousands of digits
            pass
    return body[:_MOST_BODY].decode("utf-8", "replace")
