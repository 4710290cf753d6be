"""What everything that answers shares: the request, its JSON, refusals and JSON answers."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar
from urllib.parse import unquote

from werkzeug.datastructures import Headers
from werkzeug.sansio.request import Request as HeadOnlyRequest
from werkzeug.wrappers import Response

from merge_link.sandbox.message import AT_ONCE, Incoming


class Request(HeadOnlyRequest):
    """Werkzeug's request, with the body that came along."""

    def __init__(self, incoming: Incoming) -> None:
        super().__init__(
            method=incoming.method,
            scheme="http",
            server=None,
            root_path="",
            path="",
            query_string=incoming.target.partition("?")[2].encode(),
            headers=Headers(incoming.headers),
            remote_addr=None,
        )
        # Set here because Werkzeug would drop slashes in front, and Merge knows no such path.
        self.path: str = unquote(incoming.path)
        self.body: bytes = incoming.body
        self.peer: str = incoming.peer
        self.delivery = AT_ONCE  # how the answer is to leave


Answerer: TypeAlias = Callable[[Request], Response]
"""Answers a request, or raises `Refusal`."""

_View = TypeVar("_View")

# Escaped to ASCII because a message may quote a lone surrogate, which UTF-8 cannot carry.
_to_json = json.JSONEncoder(separators=(",", ":")).encode


class Refusal(Exception):
    """The request is answered with this status and body instead."""

    def __init__(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.response: Response = json_response(body, status=status, headers=headers)


def not_found() -> Refusal:
    """A path that leads nowhere, in Django REST Framework's words."""
    return Refusal(404, {"detail": "Not found."})


def throttled(seconds: int) -> Refusal:
    """One called too often, and has to wait."""
    return Refusal(429, {"detail": throttled_detail(seconds)}, {"Retry-After": str(seconds)})


def throttled_detail(seconds: object) -> str:
    """What such a one is told, in Django REST Framework's words."""
    if not isinstance(seconds, int | float):
        return "Request was throttled."
    whole = math.ceil(seconds)
    unit = "second" if whole == 1 else "seconds"
    return f"Request was throttled. Expected available in {whole} {unit}."


def find_method(request: Request, views: Mapping[str, _View]) -> _View:
    """What is given for the request's method. Raises `Refusal`."""
    if view := views.get(request.method):
        return view
    detail = f'Method "{request.method}" not allowed.'
    raise Refusal(405, {"detail": detail}, {"Allow": ", ".join(views)})


def json_response(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer in JSON."""
    return Response(_to_json(body), status=status, headers=headers, content_type="application/json")


def parse_json(request: Request) -> Any:
    """The parsed JSON body; an empty one counts as an empty object, whatever its media type.

    Raises `Refusal`.
    """
    if not request.body:
        return {}
    if request.mimetype != "application/json":
        content_type = request.headers.get("Content-Type", "")
        detail = f'Unsupported media type "{content_type}" in request.'
        raise Refusal(415, {"detail": detail})
    try:
        return json.loads(
            request.body.decode(), parse_constant=_refuse_constant, parse_float=_read_float
        )
    except ValueError as error:
        raise Refusal(400, {"detail": f"JSON parse error - {error}"}) from None
    except RecursionError:
        raise nested_too_deeply() from None


def nested_too_deeply() -> Refusal:
    """A body that cannot be parsed for its depth, or not be written again."""
    return Refusal(400, {"detail": "JSON parse error - nested too deeply"})


def _read_float(text: str) -> float:
    # 1e999 is JSON, but no answer could say it again.
    if math.isinf(number := float(text)):
        raise ValueError(f"Out of range float values are not JSON compliant: {text!r}")
    return number


def _refuse_constant(name: str) -> None:
    # Python's parser alone takes NaN and Infinity, which are not JSON.
    raise ValueError(f"Out of range float values are not JSON compliant: {name!r}")
