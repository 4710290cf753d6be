"""The endpoints of one linked account: its syncs, passthrough, common models and settings."""

from typing import Any

from werkzeug.wrappers import Response

from merge_link.sandbox import bodies, passthrough
from merge_link.sandbox.calls import Call, page_response, refusing
from merge_link.sandbox.common_models import find_model, fits, without
from merge_link.sandbox.listing import read_page, select_items
from merge_link.sandbox.mappings import remote_fields, without_metadata
from merge_link.sandbox.queries import check_boolean, check_objects, check_page, read_names
from merge_link.sandbox.state import State
from merge_link.sandbox.views import account_integration, available_operations
from merge_link.sandbox.web import Refusal, json_response, not_found, parse_json


class AccountViews:
    """A view for each thing that can be done with one linked account.

    Where Merge's documents leave something open, this is the sandbox's choice:

    - An ignored object stays in its list: Merge says that its properties become null.
    - The body of ``sync-status/resync`` is read, and ignored.
    - In the Knowledge base target fields can be read but not made.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._settings = state.settings

    # ---- syncs ----

    def read_syncs(self, call: Call) -> Response:
        """``GET sync-status``."""
        query = check_page(call.query)
        syncs = select_items(enumerate(self._state.read_syncs(call.account), 1))
        with refusing():
            return page_response(read_page(syncs, query.cursor, query.page_size))

    def resync(self, call: Call) -> Response:
        """``POST sync-status/resync``."""
        parse_json(call.request)
        return json_response(self._state.resync(call.account, call.request.peer))

    # ---- passthrough ----

    def pass_through(self, call: Call) -> Response:
        """``POST passthrough``."""
        return json_response(passthrough.answer(call.body(bodies.PASSTHROUGH)))

    def pass_through_later(self, call: Call) -> Response:
        """``POST async-passthrough``."""
        body = call.body(bodies.PASSTHROUGH)
        receipt = self._settings.pass_through_later(call.account, body)
        return json_response({"async_passthrough_receipt_id": receipt})

    def find_passthrough(self, call: Call) -> Response:
        """``GET async-passthrough/{id}``."""
        found = self._settings.find_passthrough(call.account, call.named["id"])
        if found is None:
            raise not_found()
        return json_response(found)

    # ---- common models ----

    def list_objects(self, call: Call) -> Response:
        """``GET {model}``."""
        model = find_model(call.account.category, call.named["model"])
        id = call.account.id
        gone = self._settings.ignored_ids(call.account)
        with refusing():
            query = check_objects(call.query)
            numbers = [
                (number, number)
                for number in model.numbers
                if not query.filters or fits(model.make(id, number), query.filters)
            ]
            page = read_page(select_items(numbers), query.cursor, query.page_size)
        return page_response(page, lambda number: without(gone, model.make(id, number)))

    def find_object(self, call: Call) -> Response:
        """``GET {model}/{id}``."""
        model = find_model(call.account.category, call.named["model"])
        number = model.find_number(call.account.id, call.named["id"])
        if number is None:
            raise not_found()
        gone = self._settings.ignored_ids(call.account)
        return json_response(without(gone, model.make(call.account.id, number)))

    def ignore_object(self, call: Call) -> Response:
        """``POST {model}/ignore/{id}``."""
        body = call.body(bodies.IGNORE)
        model = find_model(call.account.category, call.named["model"])
        id = call.named["id"]
        if model.find_number(call.account.id, id) is None:
            raise not_found()
        self._settings.ignore(call.account, id, body["reason"], body.get("message"))
        return json_response({})

    # ---- scopes and receivers ----

    def read_scopes(self, call: Call) -> Response:
        """``GET linked-account-scopes``."""
        return json_response({"common_models": self._settings.read_scopes(call.account)})

    def write_scopes(self, call: Call) -> Response:
        """``POST linked-account-scopes``."""
        chosen = call.body(bodies.SCOPES)["common_models"]
        scopes = self._settings.write_scopes(call.account, chosen, call.request.peer)
        return json_response({"common_models": scopes})

    def read_receivers(self, call: Call) -> Response:
        """``GET webhook-receivers``."""
        return json_response(self._settings.read_receivers(call.account))

    def add_receiver(self, call: Call) -> Response:
        """``POST webhook-receivers``."""
        body = call.body(bodies.RECEIVER)
        return json_response(self._settings.add_receiver(call.account, body))

    def available_actions(self, call: Call) -> Response:
        """``GET available-actions``."""
        account = call.account
        shown = {"integration": account_integration(account), **available_operations(account)}
        return json_response(shown)

    # ---- mappings ----

    def read_mappings(self, call: Call) -> Response:
        """``GET field-mappings``."""
        bare = _says(call, "exclude_remote_field_metadata")
        found = self._settings.read_mappings(call.account)
        shown = {
            model: [without_metadata(one) if bare else one for one in mappings]
            for model, mappings in found.items()
        }
        return json_response(shown)

    def add_mapping(self, call: Call) -> Response:
        """``POST field-mappings``."""
        bare = _says(call, "exclude_remote_field_metadata")
        body = call.body(bodies.MAPPING)
        made = self._settings.add_mapping(call.account, body, call.request.peer)
        return json_response(_result(without_metadata(made) if bare else made), status=201)

    def change_mapping(self, call: Call) -> Response:
        """``PATCH field-mappings/{id}``."""
        body = call.body(bodies.MAPPING_CHANGE)
        id, peer = call.named["id"], call.request.peer
        changed = self._settings.change_mapping(call.account, id, body, peer)
        if changed is None:
            raise not_found()
        return json_response(_result(changed))

    def delete_mapping(self, call: Call) -> Response:
        """``DELETE field-mappings/{id}``."""
        id, peer = call.named["id"], call.request.peer
        if not self._settings.delete_mapping(call.account, id, peer):
            raise not_found()
        done = Response(status=204)
        del done.headers["Content-Type"]
        return done

    def read_remote_fields(self, call: Call) -> Response:
        """``GET remote-fields``."""
        names = read_names(call.query.get("common_models", ""))
        examples = _says(call, "include_example_values")
        return json_response(remote_fields(call.account, names, examples=examples))

    def read_target_fields(self, call: Call) -> Response:
        """``GET target-fields``."""
        return json_response(self._settings.read_target_fields(call.account))

    def add_target_field(self, call: Call) -> Response:
        """``POST target-fields``."""
        if call.account.category == "knowledgebase":
            raise Refusal(405, {"detail": 'Method "POST" not allowed.'}, {"Allow": "GET"})
        body = call.body(bodies.TARGET_FIELD)
        description = body.get("description")
        fields = self._settings.add_target_field(
            call.account, body["common_model"], body["name"], description
        )
        return json_response(fields)


def _says(call: Call, name: str) -> bool:
    with refusing():
        return check_boolean(call.query, name)


def _result(mapping: dict[str, Any]) -> dict[str, Any]:
    return {"model": mapping, "warnings": [], "errors": []}
