"""What a test may ask of the sandbox, over HTTP: for tests in any language.

``POST /__sandbox__/fail`` with ``{"status": 429, "times": 2}`` does what `Sandbox.fail` does: the
path names a method of `Commands`, the members of the JSON object are its arguments. The answer is
200 with ``{}`` or what the method returns; 400 with ``{"detail": …}`` for an argument that makes
no sense. ``GET /__sandbox__/overview`` is what the sandbox's page shows,
``GET /__sandbox__/deliveries`` the webhooks.

No API key is needed, so no page of the internet may come here by way of a browser: the request
must name a host that is ours (`hosts.is_ours`), be JSON by its media type (which a foreign page
cannot send without being allowed to; only what is read needs none), and of no other origin.
Nothing here is ever allowed to other origins. A sandbox that other machines may reach takes their
commands too.
"""

import inspect
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response

from merge_link.sandbox.commands import Commands
from merge_link.sandbox.hosts import is_ours
from merge_link.sandbox.overview import Overview
from merge_link.sandbox.web import (
    Refusal,
    Request,
    find_method,
    json_response,
    not_found,
    parse_json,
)

PREFIX = "/__sandbox__/"

RESULTS: dict[str, str | None] = {
    "fail": None,
    "delay": None,
    "drop": None,
    "garble": None,
    "throttle": None,
    "shut_out": None,
    "clear_faults": None,
    "advance": None,
    "complete_link": "public_token",
    "complete_magic_link": None,
    "set_status": None,
    "relink_needed": None,
    "raise_issue": "issue_id",
    "resolve_issue": None,
    "emit": None,
    "add_api_key": None,
    "reset": None,
}
"""The commands, and what the answer calls that which they return."""


class Control:
    """The commands of one sandbox, by HTTP; with ``remote``, for other machines too."""

    def __init__(self, commands: Commands, overview: Overview, *, remote: bool = False) -> None:
        self._commands = commands
        self._reads: dict[str, Callable[[], object]] = {
            "overview": overview,
            "deliveries": overview.deliveries,
        }
        self._remote = remote

    def __call__(self, request: Request) -> Response:
        """Answer a request. Raises `Refusal`."""
        name = request.path.removeprefix(PREFIX)
        if name not in RESULTS and name not in self._reads:
            raise not_found()
        _refuse_strangers(request, remote=self._remote)
        if read := self._reads.get(name):
            find_method(request, {"GET": True})
            return json_response(read(), headers={"Cache-Control": "no-store"})
        find_method(request, {"POST": True})
        if request.mimetype != "application/json":
            raise Refusal(415, {"detail": "The media type must be application/json."})
        result = _run(getattr(self._commands, name), parse_json(request))
        member = RESULTS[name]
        return json_response({member: result} if member else {})


def _refuse_strangers(request: Request, *, remote: bool) -> None:
    """Raise `Refusal` for what a page of the internet may have sent."""
    host = request.headers.get("Host", "")
    if not is_ours(host, remote=remote):
        detail = "a name of this machine or network" if remote else "a loopback address"
        raise Refusal(403, {"detail": f"The host must be {detail}, or localhost."})
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != host:
        raise Refusal(403, {"detail": "Pages of other origins may not do this."})
    # Of what is read, an origin is not always told; browsers say this beside.
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise Refusal(403, {"detail": "Pages of other sites may not do this."})


def _run(command: Callable[..., Any], arguments: object) -> Any:
    if not isinstance(arguments, dict):
        raise Refusal(400, {"detail": "The body must be a JSON object."})
    try:
        inspect.signature(command).bind(**arguments)
    except TypeError as error:
        raise Refusal(400, {"detail": f"{error}."}) from None
    try:
        return command(**arguments)
    except ValueError as error:
        raise Refusal(400, {"detail": f"{error}."}) from None
