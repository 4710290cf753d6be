"""The requests that came in, as text for a person. It holds no secret."""

import json
from collections.abc import Iterable, Iterator, Sequence
from http.client import responses as phrases

from merge_link.sandbox.record import RecordedRequest

MOST_REQUESTS = 50
_MOST_PROBLEMS = 10
_MOST_CHARACTERS = 200
_MASK = "***"


def describe(requests: Sequence[RecordedRequest]) -> str:
    """The requests with their answers, one a line; below it what was wrong with it, if told."""
    if not requests:
        return "none"
    left_out = len(requests) - MOST_REQUESTS
    lines = [f"({left_out} earlier ones are left out)"] if left_out > 0 else []
    for request in requests[-MOST_REQUESTS:]:
        lines += _lines_of(request)
    return "\n".join(lines)


def _lines_of(request: RecordedRequest) -> Iterator[str]:
    yield _one_line(f"{request.method} {request.masked_path} -> {_shown_answer(request)}")
    problems = list(_problems(_json(request.refusal)))
    for problem in problems[:_MOST_PROBLEMS]:
        yield "    " + _one_line(_masked(problem, request))
    if len(problems) > _MOST_PROBLEMS:
        yield f"    (and {len(problems) - _MOST_PROBLEMS} more)"


def _shown_answer(request: RecordedRequest) -> str:
    if request.status is None:
        return "connection dropped"
    return f"{request.status} {phrases.get(request.status, '')}".rstrip()


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body[:_MOST_CHARACTERS].decode(errors="replace")


def _problems(told: object, field: str = "") -> Iterator[str]:
    """What an error of Merge's says, with the field that each is about."""
    if isinstance(told, dict):
        for name, inner in told.items():
            yield from _problems(inner, f"{field}.{name}" if field else str(name))
    elif isinstance(told, list):
        for i, inner in enumerate(told):
            yield from _problems(inner, field if isinstance(inner, str) else f"{field}[{i}]")
    elif told:
        yield f"{field}: {told}" if field else str(told)


def _masked(text: str, request: RecordedRequest) -> str:
    for secret in _credentials(request):
        text = text.replace(secret, _MASK)
    return text


def _credentials(request: RecordedRequest) -> Iterable[str]:
    headers = request.headers
    given = f"{headers.get('Authorization', '')} {headers.get('X-Account-Token', '')}"
    return [word for word in given.split() if word.lower() not in ("bearer", "basic")]


def _one_line(text: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown if len(shown) <= _MOST_CHARACTERS else shown[: _MOST_CHARACTERS - 1] + "…"
