"""Merge's API as an application: a request in, a response out; no socket, no WSGI.

The order of refusals is Django REST Framework's: no such path (404), no valid key (401), wrong
method (405), wrong media type (415), bad JSON and then a bad body (400).
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote

from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, Rule
from werkzeug.sansio.request import Request as HeadOnlyRequest
from werkzeug.wrappers import Response

from merge_link.sandbox.fields import Invalid
from merge_link.sandbox.message import Incoming, Outgoing
from merge_link.sandbox.rules import PATH_CATEGORIES, check_link_token
from merge_link.sandbox.state import State


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
        self.path = unquote(incoming.path)
        self.body = incoming.body
        self.api_key = ""  # until it is known to be good


# Escaped to ASCII because a message may quote a lone surrogate, which UTF-8 cannot carry.
_to_json = json.JSONEncoder(separators=(",", ":")).encode

View: TypeAlias = Callable[[Request], Response]


class Refusal(Exception):
    """The request is answered with this status and body instead."""

    def __init__(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.response = _json_response(body, status=status, headers=headers)


class App:
    """The linking API of one sandbox. Thread-safe, as its `State` is.

    ``origin`` is what stands before the path in a magic link's URL: ``http://127.0.0.1:8787``.
    """

    def __init__(self, state: State, origin: str) -> None:
        self._state = state
        self._origin = origin
        categories = ", ".join(f'"{category}"' for category in sorted(PATH_CATEGORIES))
        # Merge never redirects, so a doubled slash is no path at all.
        self._routes = Map(
            [
                Rule(f"/api/<any({categories}):category>/v1/{endpoint}", endpoint=endpoint)
                for endpoint in ("link-token", "linked-accounts")
            ],
            merge_slashes=False,
        ).bind("127.0.0.1")
        self._resources: dict[str, dict[str, View]] = {
            "link-token": {"POST": self._create_link_token},
            "linked-accounts": {"GET": self._list_linked_accounts},
        }

    def __call__(self, incoming: Incoming) -> Outgoing:
        """Answer a request."""
        try:
            response = self._respond(Request(incoming))
        except Refusal as refusal:
            response = refusal.response
        return Outgoing(response.status_code, list(response.headers), response.get_data())

    def _respond(self, request: Request) -> Response:
        endpoint = self._endpoint(request.path)
        request.api_key = self._authenticate(request)
        views = self._resources[endpoint]
        if view := views.get(request.method):
            return view(request)
        detail = f'Method "{request.method}" not allowed.'
        raise Refusal(405, {"detail": detail}, {"Allow": ", ".join(views)})

    def _endpoint(self, path: str) -> str:
        try:
            # The router, too, would drop slashes in front.
            if not path.startswith("//"):
                endpoint: str = self._routes.match(path)[0]
                return endpoint
        except NotFound:
            pass
        raise Refusal(404, {"detail": "Not found."})

    def _authenticate(self, request: Request) -> str:
        words = request.headers.get("Authorization", "").split()
        if not words or words[0].lower() != "bearer":
            detail = "Authentication credentials were not provided."
        elif len(words) == 1:
            detail = "Invalid token header. No credentials provided."
        elif len(words) > 2:
            detail = "Invalid token header. Token string should not contain spaces."
        elif not self._state.accepts(words[1]):
            detail = "Invalid token."
        else:
            return words[1]
        raise Refusal(401, {"detail": detail}, {"WWW-Authenticate": "Bearer"})

    def _create_link_token(self, request: Request) -> Response:
        try:
            order = check_link_token(_parse(request))
        except Invalid as invalid:
            raise Refusal(400, invalid.problems) from None
        link = self._state.create_link_token(request.api_key, order)
        code = link.magic_link_code
        return _json_response(
            {
                "link_token": link.token,
                "integration_name": link.integration_name,
                "magic_link_url": f"{self._origin}/link/{code}" if code else None,
            }
        )

    def _list_linked_accounts(self, request: Request) -> Response:
        """Answer an empty page: nothing can be linked here yet."""
        return _json_response({"next": None, "previous": None, "results": []})


def _parse(request: Request) -> Any:
    """The parsed JSON body; an empty one counts as an empty object, whatever its media type."""
    if not request.body:
        return {}
    if request.mimetype != "application/json":
        content_type = request.headers.get("Content-Type", "")
        detail = f'Unsupported media type "{content_type}" in request.'
        raise Refusal(415, {"detail": detail})
    try:
        return json.loads(request.body.decode(), parse_constant=_refuse_constant)
    except ValueError as error:
        raise Refusal(400, {"detail": f"JSON parse error - {error}"}) from None
    except RecursionError:
        raise Refusal(400, {"detail": "JSON parse error - nested too deeply"}) from None


def _refuse_constant(name: str) -> None:
    # Python's parser alone takes NaN and Infinity, which are not JSON.
    raise ValueError(f"Out of range float values are not JSON compliant: {name!r}")


def _json_response(
    body: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(_to_json(body), status=status, headers=headers, content_type="application/json")
