"""Merge's API: its paths, who may call them, and in which order a request is refused.

First of all come the faults and the shut-out that were asked for. Then the order of refusals is
Django REST Framework's: no such path (404), no valid key (401), wrong method (405), no valid
account token (401), too many calls (429), wrong media type (415), bad JSON and then a bad body
(400). It is the sandbox's choice that a method is refused before the account token is looked at,
that ``HEAD`` and ``OPTIONS`` are no methods of the API, and that an account token is of no use
under another category's path than its account's.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, MapAdapter, Rule
from werkzeug.wrappers import Response

from merge_link.sandbox.account_views import AccountViews
from merge_link.sandbox.calls import Call, View
from merge_link.sandbox.common_models import MODELS, Model
from merge_link.sandbox.faults import Faults
from merge_link.sandbox.key_views import KeyViews
from merge_link.sandbox.limits import Limits
from merge_link.sandbox.linking import AccountGone, LinkedAccount
from merge_link.sandbox.rules import PATH_CATEGORIES
from merge_link.sandbox.state import State
from merge_link.sandbox.views import Views
from merge_link.sandbox.web import (
    Refusal,
    Request,
    find_method,
    nested_too_deeply,
    not_found,
    throttled,
)

PREFIX = "/api/"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What lies behind a name: a view for each method, and the paths that lead there.

    ``path`` follows ``/{category}/v1/`` for every category, or ``/{category}/v1/{model}`` for each
    of ``models`` if there are some; ``bare_path`` follows ``/integrations/``, where Merge has the
    endpoint without a category too.
    """

    views: Mapping[str, View]
    path: str
    bare_path: str | None = None
    needs_account: bool = False
    models: Collection[Model] = ()


class Api:
    """The linking API of one sandbox, for all its keys.

    ``origin`` is what stands before the path in a URL: ``http://127.0.0.1:8787``.
    """

    def __init__(self, state: State, faults: Faults, limits: Limits, origin: str) -> None:
        self._state = state
        self._faults = faults
        self._limits = limits
        self._endpoints = _endpoints(Views(state, origin), AccountViews(state), KeyViews(state))
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
        try:
            return view(Call(request, api_key, arguments, account))
        except AccountGone:
            raise _no_account() from None
        except RecursionError:
            # An answer holds what was sent a little deeper than the body did.
            raise nested_too_deeply() from None

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
        owner = self._state.owner(words[1])
        if owner is None:
            raise _unauthorized("Invalid token.")
        return owner

    def _authenticate_account(
        self, request: Request, api_key: str, category: str | None
    ) -> LinkedAccount:
        token = request.headers.get("X-Account-Token", "").strip()
        if not token:
            raise _unauthorized("Account Token must be passed in as an X-Account-Token header.")
        account = self._state.find_account(api_key, token)
        if account is None or account.category != category:
            raise _no_account()
        return account


def _endpoints(linking: Views, account: AccountViews, key: KeyViews) -> dict[str, Endpoint]:
    return {
        "link-token": Endpoint(
            {"POST": linking.create_link_token}, "link-token", bare_path="create-link-token"
        ),
        "account-token": Endpoint(
            {"GET": linking.exchange_public_token},
            "account-token/<public_token>",
            bare_path="account-token/<public_token>",
        ),
        "linked-accounts": Endpoint({"GET": linking.list_accounts}, "linked-accounts"),
        **_with_account("account-token/regenerate", POST=linking.regenerate_account_token),
        **_with_account("account-details", GET=linking.retrieve_account),
        **_with_account("delete-account", POST=linking.delete_account),
        # ---- of a key ----
        "generate-key": Endpoint({"POST": key.generate_key}, "generate-key"),
        "regenerate-key": Endpoint({"POST": key.regenerate_key}, "regenerate-key"),
        "issues": Endpoint({"GET": key.list_issues}, "issues"),
        "issue": Endpoint({"GET": key.find_issue}, "issues/<id>"),
        "audit-trail": Endpoint({"GET": key.list_trail}, "audit-trail"),
        "default-scopes": Endpoint({"GET": key.read_default_scopes}, "default-scopes"),
        # ---- of a linked account ----
        **_with_account("sync-status", GET=account.read_syncs),
        **_with_account("sync-status/resync", POST=account.resync),
        **_with_account(
            "linked-account-scopes", GET=account.read_scopes, POST=account.write_scopes
        ),
        **_with_account("passthrough", POST=account.pass_through),
        **_with_account("async-passthrough", POST=account.pass_through_later),
        "async-passthrough-result": Endpoint(
            {"GET": account.find_passthrough}, "async-passthrough/<id>", needs_account=True
        ),
        **_with_account("webhook-receivers", GET=account.read_receivers, POST=account.add_receiver),
        **_with_account("available-actions", GET=account.available_actions),
        **_with_account("field-mappings", GET=account.read_mappings, POST=account.add_mapping),
        "field-mapping": Endpoint(
            {"PATCH": account.change_mapping, "DELETE": account.delete_mapping},
            "field-mappings/<id>",
            needs_account=True,
        ),
        **_with_account("remote-fields", GET=account.read_remote_fields),
        **_with_account(
            "target-fields", GET=account.read_target_fields, POST=account.add_target_field
        ),
        # ---- common models ----
        "common-models": Endpoint(
            {"GET": account.list_objects}, "", needs_account=True, models=MODELS
        ),
        "common-model": Endpoint(
            {"GET": account.find_object}, "/<id>", needs_account=True, models=MODELS
        ),
        "ignore": Endpoint(
            {"POST": account.ignore_object},
            "/ignore/<id>",
            needs_account=True,
            models=[model for model in MODELS if model.can_be_ignored],
        ),
    }


def _with_account(name: str, **views: View) -> dict[str, Endpoint]:
    """An endpoint that needs an account token, and is called as its path."""
    return {name: Endpoint(views, name, needs_account=True)}


def _routes(endpoints: Mapping[str, Endpoint]) -> MapAdapter:
    # Merge never redirects, so a doubled slash is no path at all.
    return Map(list(_rules(endpoints)), merge_slashes=False).bind("127.0.0.1")


def _rules(endpoints: Mapping[str, Endpoint]) -> Iterator[Rule]:
    for name, endpoint in endpoints.items():
        for model in endpoint.models:
            place = f"{_any_of('category', [model.category])}/v1/{_any_of('model', [model.path])}"
            yield Rule(f"{PREFIX}{place}{endpoint.path}", endpoint=name)
        if not endpoint.models:
            place = f"{_any_of('category', PATH_CATEGORIES)}/v1/{endpoint.path}"
            yield Rule(f"{PREFIX}{place}", endpoint=name)
        if endpoint.bare_path:
            yield Rule(f"{PREFIX}integrations/{endpoint.bare_path}", endpoint=name)


def _any_of(name: str, words: Collection[str]) -> str:
    quoted = ", ".join(f'"{word}"' for word in sorted(words))
    return f"<any({quoted}):{name}>"


def _no_account() -> Refusal:
    return _unauthorized("Invalid Account Token.")


def _unauthorized(detail: str) -> Refusal:
    return Refusal(401, {"detail": detail}, {"WWW-Authenticate": "Bearer"})
