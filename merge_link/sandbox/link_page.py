"""The Link page, where an end user links an account, and the script that shows it in a dialog.

=======================  ===================================================================
``/initialize.js``       what an app's page loads in place of the vendor's script
``/link/``               the page in that script's dialog, which is told the link token
``/link/{code}``         the page of a magic link
``/link/session``        POST: what the page has to show
``/link/complete``       POST: the end user has signed in
``/link/link.js`` …      the page's own files
=======================  ===================================================================

The two POSTs take JSON, and the link token (or the code of the magic link) in it is all that they
ask for. There are no cookies, so nothing can be forged with them; that another site's page may
not call them, though it knew a token, is made sure by the media type, which such a page could not
send unasked, and by what browsers say of where a request comes from.

This is the sandbox's choice:

- A page of any site may frame ``/link/``, because an app under development has any origin: framed
  without a link token it shows nothing and does nothing. A magic link's page may not be framed.
- A token that is unknown is not found (404); one that was used or has expired is gone (410).
- Nobody signs in anywhere: any password but ``wrong`` will do, and what is typed stays in the
  browser.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from werkzeug.wrappers import Response

from merge_link.sandbox.assets import asset, protect, read_asset
from merge_link.sandbox.integrations import INTEGRATIONS, Integration, find_integration
from merge_link.sandbox.linking import LinkRefused, LinkToken
from merge_link.sandbox.state import State
from merge_link.sandbox.web import (
    Refusal,
    Request,
    find_method,
    json_response,
    not_found,
    parse_json,
)

PREFIX = "/link/"
SCRIPT = "/initialize.js"


def is_own(path: str) -> bool:
    """Whether a browser asks for that path because of the page, not an app for itself."""
    return path == SCRIPT or path.startswith(PREFIX)


_FILES = ("theme.css", "link.css", "link.js", "icon.svg")
_REFUSALS = {
    "unknown": (404, "There is no such link token."),
    "used": (410, "The link token was used: it links once."),
    "expired": (410, "The link token has expired."),
    "integration": (400, "The link token is not for this integration."),
}

_View: TypeAlias = Callable[[Request], Response]


class LinkPage:
    """Answers what lies under `PREFIX`, and `SCRIPT`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._views: dict[str, dict[str, _View]] = {
            SCRIPT: _read_only(_script),
            PREFIX: _read_only(_dialog),
            PREFIX + "session": {"POST": self._open_session},
            PREFIX + "complete": {"POST": self._complete},
            **{PREFIX + name: _read_only(_file) for name in _FILES},
        }

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        try:
            response = find_method(request, self._find_views(request.path))(request)
        except Refusal as refusal:
            response = refusal.response
        in_dialog = request.path == PREFIX
        return protect(response, frame_ancestors="http: https:" if in_dialog else "'none'")

    def _find_views(self, path: str) -> Mapping[str, _View]:
        if views := self._views.get(path):
            return views
        if path.startswith(PREFIX):
            return _read_only(self._magic_link)
        raise not_found()

    def _magic_link(self, request: Request) -> Response:
        code = _last_part(request)
        link = self._state.find_magic_link(code) if code.isascii() else None
        if link and link.state == "ready":
            return _page("loading")
        state = link.state if link else "unknown"
        return _page(state, status=_REFUSALS[state][0])

    def _open_session(self, request: Request) -> Response:
        link = self._find_link(_read_ticket(request))
        opened = _opening_integration(link)
        return json_response(
            {
                "organization": link.order["end_user_organization_name"],
                "integrations": [_shown(one, link) for one in _offered(link)],
                "integration": opened and opened.slug,
                "may_choose": not link.order.get("integration"),
            }
        )

    def _complete(self, request: Request) -> Response:
        ticket = _read_ticket(request)
        link = self._find_link(ticket)
        if ticket.integration not in {one.slug for one in _offered(link)}:
            raise _refusal("integration")
        try:
            return json_response({"public_token": self._link(ticket)})
        except LinkRefused as refused:
            raise _refusal(refused.reason) from None

    def _find_link(self, ticket: "_Ticket") -> LinkToken:
        find = self._state.find_magic_link if ticket.magic else self._state.find_link_token
        link = find(ticket.value)
        if link is None or link.state != "ready":
            raise _refusal(link.state if link else "unknown")
        return link

    def _link(self, ticket: "_Ticket") -> str | None:
        """Link the account; the public token, which a magic link has not."""
        if ticket.magic:
            self._state.complete_magic_link(ticket.value, ticket.integration)
            return None
        return self._state.complete_link(ticket.value, ticket.integration).token


@dataclass(frozen=True, slots=True, repr=False)
class _Ticket:
    """What a page shows to be let in: a link token, or the code of a magic link."""

    value: str
    magic: bool
    integration: str | None  # the slug of the one that was chosen


def _read_ticket(request: Request) -> _Ticket:
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise Refusal(403, {"detail": "Only the sandbox's own page may ask for this."})
    if request.mimetype != "application/json":
        raise Refusal(415, {"detail": "Only application/json is taken here."})
    body = parse_json(request)
    if not isinstance(body, Mapping):
        raise Refusal(400, {"detail": "The body must be an object."})
    magic = "magic_link_code" in body
    return _Ticket(
        value=_text(body, "magic_link_code" if magic else "link_token"),
        magic=magic,
        integration=_text(body, "integration") if "integration" in body else None,
    )


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.isascii():
        raise Refusal(400, {"detail": f"{name} must be a string of ASCII characters."})
    return value


def _refusal(reason: str) -> Refusal:
    status, detail = _REFUSALS[reason]
    return Refusal(status, {"reason": reason, "detail": detail})


# ---- integrations ----


def _opening_integration(link: LinkToken) -> Integration | None:
    return find_integration(link.integration) if link.integration else None


def _offered(link: LinkToken) -> list[Integration]:
    """The integrations that the page shows: of a link token for one of them, that one."""
    opened = _opening_integration(link)
    if opened and link.order.get("integration"):
        return [opened]
    fitting = [one for one in INTEGRATIONS if any(map(one.belongs_to, link.categories))]
    return fitting if opened is None or opened in fitting else [opened, *fitting]


def _shown(integration: Integration, link: LinkToken) -> dict[str, Any]:
    return {
        "slug": integration.slug,
        "name": integration.name,
        "color": integration.color,
        "categories": [name for name in link.categories if integration.belongs_to(name)],
    }


# ---- files ----


def _read_only(view: _View) -> dict[str, _View]:
    return {"GET": view, "HEAD": view}


def _script(request: Request) -> Response:
    response = asset("initialize.js")
    # For pages whose script tag has the attribute `crossorigin`.
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _dialog(request: Request) -> Response:
    return _page("loading")


def _file(request: Request) -> Response:
    return asset(_last_part(request))


def _page(step: str, *, status: int = 200) -> Response:
    """The page, beginning with a step of its own, so that a refusal shows without its script."""
    response = asset("link.html", status)
    response.set_data(read_asset("link.html").replace(b"$step", step.encode(), 1))
    return response


def _last_part(request: Request) -> str:
    return request.path.removeprefix(PREFIX)
