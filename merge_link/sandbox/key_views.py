"""The endpoints of a key: what belongs to no linked account, or to all of them."""

from werkzeug.wrappers import Response

from merge_link.sandbox import bodies
from merge_link.sandbox.calls import Call, page_response, refusing
from merge_link.sandbox.queries import check_audit_trail, check_issues
from merge_link.sandbox.scopes import default_scopes
from merge_link.sandbox.state import State
from merge_link.sandbox.web import json_response, not_found


class KeyViews:
    """A view for each thing that can be done with a key alone, linking aside."""

    def __init__(self, state: State) -> None:
        self._state = state

    def generate_key(self, call: Call) -> Response:
        """``POST generate-key``."""
        name = call.body(bodies.NAME)["name"]
        key = self._state.generate_key(call.api_key, name, call.request.peer)
        return json_response({"name": name, "key": key})

    def regenerate_key(self, call: Call) -> Response:
        """``POST regenerate-key``."""
        name = call.body(bodies.NAME)["name"]
        key = self._state.regenerate_key(call.api_key, name, call.request.peer)
        if key is None:
            raise not_found()
        return json_response({"name": name, "key": key})

    def list_issues(self, call: Call) -> Response:
        """``GET issues``."""
        with refusing():
            query = check_issues(call.query)
            page = self._state.read_issues(
                call.api_key, query.filters, cursor=query.cursor, page_size=query.page_size
            )
        return page_response(page, lambda issue: issue.shown)

    def find_issue(self, call: Call) -> Response:
        """``GET issues/{id}``."""
        issue = self._state.find_issue(call.api_key, call.named["id"])
        if issue is None:
            raise not_found()
        return json_response(issue.shown)

    def list_trail(self, call: Call) -> Response:
        """``GET audit-trail``."""
        with refusing():
            query = check_audit_trail(call.query)
            page = self._state.read_trail(
                call.api_key, query.filters, cursor=query.cursor, page_size=query.page_size
            )
        return page_response(page)

    def read_default_scopes(self, call: Call) -> Response:
        """``GET default-scopes``."""
        return json_response({"common_models": default_scopes(call.category or "")})
