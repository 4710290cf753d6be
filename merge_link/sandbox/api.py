"""Merge's API: its paths, who may call them, and in which order a request is refused.

First of all come the faults and the shut-out that were asked for. Then the order of refusals is
Django REST Framework's: no such path (404), no valid key (401), wrong method (405), no valid
account token (401), too many calls (429), wrong media type (415), bad JSON and then a bad body
(400). It is the sandbox's choice that a method is refused before the account token is looked at,
that ``HEAD`` and ``OPTIONS`` are no methods of the API, and that an account token is of no use
under another category's path than its account's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, MapAdapter, Rule
from werkzeug.wrappers import Response

from merge_link.sandbox.faults import Faults
from merge_link.sandbox.limits import Limits
from merge_link.sandbox.linking import LinkedAccount
from merge_link.sandbox.rules import PATH_CATEGORIES
from merge_link.sandbox.state import State
from merge_link.sandbox.views import Call, View, Views
from merge_link.sandbox.web import Refusal, Request, find_method, not_found, throttled

PREFIX = "/api/"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What lies behind a name: a view for each method, and the paths that lead there.

    ``path`` follows ``/{category}/v1/``; ``bare_path`` follows ``/integrations/``, where Merge
    has the endpoint without a category too.
    """

    views: Mapping[str, View]
    path: str
    bare_path: str | None = None
    needs_account: bool = False


class Api:
    """The linking API of one sandbox, for all its keys.

    ``origin`` is what stands before the path in a URL: ``http://127.0.0.1:8787``.
    """

    def __init__(self, state: State, faults: Faults, limits: Limits, origin: str) -> None:
        self._state = state
        self._faults = faults
        self._limits = limits
        self._endpoints = _endpoints(Views(state, origin))
        self._routes = _routes(self._endpoints)
        # The same few paths are asked for again and again.
        self._match = lru_cache(maxsize=1024)(self._match_anew)

    def __call__(self, request: Request) -> Response:
        """Answer a request. Raises `Refusal` for an address that is shut out."""
        if seconds := self._limits.seconds_shut_out(request.peer):
            raise throttled(seconds)
        try:
            response = self._meet_fault(request)
        except Refusal as refusal:
            response = refusal.response
        self._limits.count_answer(request.peer, response.status_code)
        return response

    def _meet_fault(self, request: Request) -> Response:
        name, arguments = self._match(request.path)
        fault = self._faults.take(name)
        request.delivery = fault.delivery
        if fault.answer:
            return fault.answer
        if fault.delivery.cut == "before":
            return Response()  # which nobody gets to see
        if name is None:
            raise not_found()
        return self._respond(request, self._endpoints[name], arguments)

    def _respond(
        self, request: Request, endpoint: Endpoint, arguments: Mapping[str, str]
    ) -> Response:
        api_key = self._authenticate(request)
        view = find_method(request, endpoint.views)
        category = arguments.get("category")
        account = None
        if endpoint.needs_account:
            account = self._authenticate_account(request, api_key, category)
        if seconds := self._limits.take_call(account.id if account else api_key):
            raise throttled(seconds)
        return view(Call(request, api_key, category, arguments.get("public_token", ""), account))

    def _match_anew(self, path: str) -> tuple[str | None, Mapping[str, str]]:
        """The name of the endpoint of a path, and what the path says beside."""
        try:
            return self._routes.match(path)
        except NotFound:
            return None, {}

    def _authenticate(self, request: Request) -> str:
        words = request.headers.get("Authorization", "").split()
        if not words or words[0].lower() != "bearer":
            raise _unauthorized("Authentication credentials were not provided.")
        if len(words) == 1:
            raise _unauthorized("Invalid token header. No credentials provided.")
        if len(words) > 2:
            raise _unauthorized("Invalid token header. Token string should not contain spaces.")
        if not self._state.accepts(words[1]):
            raise _unauthorized("Invalid token.")
        return words[1]

    def _authenticate_account(
        self, request: Request, api_key: str, category: str | None
    ) -> LinkedAccount:
        token = request.headers.get("X-Account-Token", "").strip()
        if not token:
            raise _unauthorized("Account Token must be passed in as an X-Account-Token header.")
        account = self._state.find_account(api_key, token)
        if account is None or account.category != category:
            raise _unauthorized("Invalid Account Token.")
        return account


def _endpoints(views: Views) -> dict[str, Endpoint]:
    return {
        "link-token": Endpoint(
            {"POST": views.create_link_token}, "link-token", bare_path="create-link-token"
        ),
        "account-token": Endpoint(
            {"GET": views.exchange_public_token},
            "account-token/<public_token>",
            bare_path="account-token/<public_token>",
        ),
        "account-token/regenerate": Endpoint(
            {"POST": views.regenerate_account_token},
            "account-token/regenerate",
            needs_account=True,
        ),
        "account-details": Endpoint(
            {"GET": views.retrieve_account}, "account-details", needs_account=True
        ),
        "linked-accounts": Endpoint({"GET": views.list_accounts}, "linked-accounts"),
        "delete-account": Endpoint(
            {"POST": views.delete_account}, "delete-account", needs_account=True
        ),
    }


def _routes(endpoints: Mapping[str, Endpoint]) -> MapAdapter:
    # Merge never redirects, so a doubled slash is no path at all.
    return Map(list(_rules(endpoints)), merge_slashes=False).bind("127.0.0.1")


def _rules(endpoints: Mapping[str, Endpoint]) -> Iterator[Rule]:
    categories = ", ".join(f'"{category}"' for category in sorted(PATH_CATEGORIES))
    for name, endpoint in endpoints.items():
        yield Rule(f"{PREFIX}<any({categories}):category>/v1/{endpoint.path}", endpoint=name)
        if endpoint.bare_path:
            yield Rule(f"{PREFIX}integrations/{endpoint.bare_path}", endpoint=name)


def _unauthorized(detail: str) -> Refusal:
    return Refusal(401, {"detail": detail}, {"WWW-Authenticate": "Bearer"})
