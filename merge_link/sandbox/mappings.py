"""The tables of field mappings and target fields, and made-up remote fields to map.

Its functions work on a connection inside a transaction of the caller. What is mapped is kept, and
changes nothing else in the sandbox. Where Merge's documents leave something open, this is the
sandbox's choice:

- A mapping or target field may name a model that the sandbox does not have.
- A target field of a mapping is called as its remote field, if the request does not name it. It
  belongs to the organization unless the request says that it does not, and then it is not
  listed. One that is made again gets the new description.
- A mapping that is ``is_integration_wide`` belongs to all accounts of the integration.
- The remote fields are the first few of a model, named as Merge's own.
"""

import json
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from merge_link.sandbox import audit
from merge_link.sandbox.audit import Deed
from merge_link.sandbox.common_models import Model, models_of
from merge_link.sandbox.linking import LinkedAccount

_MOST_REMOTE_FIELDS = 5

ByModel: TypeAlias = dict[str, list[dict[str, Any]]]

# ---- target fields ----


def read_target_fields(db: sqlite3.Connection, account: LinkedAccount) -> ByModel:
    """The target fields of the account's organization and category, by model."""
    mapped = {
        (model, mapping["target_field"]["name"])
        for model, mapping in _mappings_of(db, account)
        if mapping["target_field"]
    }
    found: ByModel = _no_rows(account)
    query = (
        "SELECT model, name, description FROM target_fields WHERE api_key = ? AND category = ?"
        " ORDER BY number"
    )
    for model, name, description in db.execute(query, [account.api_key, account.category]):
        field = {
            "name": name,
            "description": description,
            # A string in Merge's published description.
            "is_mapped": "true" if (model, name) in mapped else "false",
        }
        found.setdefault(model, []).append(field)
    return found


def write_target_field(
    db: sqlite3.Connection, account: LinkedAccount, model: str, name: str, description: str | None
) -> None:
    """Make a target field of the account's organization and category, or describe it anew."""
    own = [account.api_key, account.category, model, name]
    where = "api_key = ? AND category = ? AND model = ? AND name = ?"
    changed = db.execute(
        f"UPDATE target_fields SET description = ? WHERE {where}", [description, *own]
    )
    if not changed.rowcount:
        db.execute(
            "INSERT INTO target_fields (api_key, category, model, name, description)"
            " VALUES (?, ?, ?, ?, ?)",
            [*own, description],
        )


# ---- field mappings ----


def read_mappings(db: sqlite3.Connection, account: LinkedAccount) -> ByModel:
    """The field mappings that an account has, by model; its integration's among them."""
    found = _no_rows(account)
    for model, mapping in _mappings_of(db, account):
        found.setdefault(model, []).append(mapping)
    return found


def insert_mapping(
    db: sqlite3.Connection, deed: Deed, account: LinkedAccount, body: Mapping[str, Any]
) -> dict[str, Any]:
    """Make a field mapping."""
    mapping = _apply(_NO_MAPPING, body)
    mapping["id"] = str(uuid.uuid4())
    model = body["common_model_name"]
    wide = mapping["is_integration_wide"]
    db.execute(
        "INSERT INTO field_mappings (id, api_key, category, integration_slug, account_number,"
        " model, mapping) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            mapping["id"],
            account.api_key,
            account.category,
            account.integration_slug,
            None if wide else account.number,
            model,
            json.dumps(mapping),
        ],
    )
    _follow_mapping(db, deed, account, "CREATED", model, mapping=mapping)
    return mapping


def update_mapping(
    db: sqlite3.Connection, deed: Deed, account: LinkedAccount, id: str, body: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Change a field mapping; None if the account has no such."""
    found = _find_mapping(db, account, id)
    if found is None:
        return None
    model = body.get("common_model_name", found[0])
    mapping = _apply(found[1], body)
    owner = None if mapping["is_integration_wide"] else account.number
    # The account may have been relinked by another integration since.
    db.execute(
        "UPDATE field_mappings SET model = ?, mapping = ?, account_number = ?,"
        " integration_slug = ? WHERE id = ?",
        [model, json.dumps(mapping), owner, account.integration_slug, id],
    )
    _follow_mapping(db, deed, account, "CHANGED", model, mapping=mapping)
    return mapping


def delete_mapping(db: sqlite3.Connection, deed: Deed, account: LinkedAccount, id: str) -> bool:
    """Delete a field mapping; whether the account had it."""
    found = _find_mapping(db, account, id)
    if found is None:
        return False
    db.execute("DELETE FROM field_mappings WHERE id = ?", [id])
    _note_mapping(db, deed, account, "DELETED", found[0], mapping=found[1])
    return True


def without_metadata(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping as ``exclude_remote_field_metadata`` has it."""
    remote = {**mapping["remote_field"], "remote_key_name": None, "schema": None}
    return {**mapping, "remote_field": remote}


_NO_MAPPING: dict[str, Any] = {
    "id": None,
    "is_integration_wide": False,
    "target_field": None,
    "remote_field": {
        "remote_key_name": None,
        "schema": {"type": "string"},
        "remote_endpoint_info": {"method": None, "url_path": None, "field_traversal_path": []},
    },
    "jmes_path": None,
}


def _apply(mapping: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping, with what a request's body says."""
    endpoint = dict(mapping["remote_field"]["remote_endpoint_info"])
    for part, name in (
        ("method", "remote_method"),
        ("url_path", "remote_url_path"),
        ("field_traversal_path", "remote_field_traversal_path"),
    ):
        endpoint[part] = body.get(name, endpoint[part])
    path = endpoint["field_traversal_path"]
    remote = {
        **mapping["remote_field"],
        "remote_key_name": _as_text(path[-1]) if path else None,
        "remote_endpoint_info": endpoint,
    }
    target = mapping["target_field"] or {
        "name": remote["remote_key_name"] or "",
        "description": "",
        "is_organization_wide": True,
    }
    changed = {
        "name": body.get("target_field_name") or target["name"],
        "description": body.get("target_field_description") or target["description"],
        "is_organization_wide": body.get(
            "organization_wide_target_field", target["is_organization_wide"]
        ),
    }
    own = ("is_integration_wide", "jmes_path", "advanced_mapping_expression")
    return {
        **mapping,
        **{name: body[name] for name in own if name in body},
        "target_field": changed,
        "remote_field": remote,
    }


def _as_text(part: object) -> str:
    # A lone surrogate, which JSON may hold, is nothing that a table can.
    return str(part).encode(errors="replace").decode()


def _mappings_of(
    db: sqlite3.Connection, account: LinkedAccount, id: str | None = None
) -> list[tuple[str, dict[str, Any]]]:
    query = (
        "SELECT model, mapping FROM field_mappings WHERE api_key = ? AND category = ?"
        " AND (account_number = ? OR account_number IS NULL AND integration_slug = ?)"
        " AND (? IS NULL OR id = ?) ORDER BY number"
    )
    own = [account.api_key, account.category, account.number, account.integration_slug]
    return [(model, json.loads(text)) for model, text in db.execute(query, [*own, id, id])]


def _find_mapping(
    db: sqlite3.Connection, account: LinkedAccount, id: str
) -> tuple[str, dict[str, Any]] | None:
    return next(iter(_mappings_of(db, account, id)), None)


def _follow_mapping(
    db: sqlite3.Connection,
    deed: Deed,
    account: LinkedAccount,
    what: str,
    model: str,
    *,
    mapping: Mapping[str, Any],
) -> None:
    """A mapping was made or changed: its target field is there, and the trail tells."""
    target = mapping["target_field"]
    if target["is_organization_wide"]:
        write_target_field(db, account, model, target["name"], target["description"])
    _note_mapping(db, deed, account, what, model, mapping=mapping)


def _note_mapping(
    db: sqlite3.Connection,
    deed: Deed,
    account: LinkedAccount,
    what: str,
    model: str,
    *,
    mapping: Mapping[str, Any],
) -> None:
    of = "INTEGRATION_WIDE" if mapping["is_integration_wide"] else "LINKED_ACCOUNT"
    name = mapping["target_field"]["name"]
    text = f"{what.capitalize()} the field mapping {name} of {model} for {account.id}"
    audit.note(db, deed, f"{what}_{of}_FIELD_MAPPING", text)


# ---- remote fields ----


def remote_fields(account: LinkedAccount, names: Sequence[str], *, examples: bool) -> ByModel:
    """The fields of an account's integration by model: of those that are named, or of all."""
    return {
        model.name: _remote_fields(model, account, examples=examples)
        for model in models_of(account.category)
        if not names or model.name in names
    }


def _remote_fields(model: Model, account: LinkedAccount, *, examples: bool) -> list[dict[str, Any]]:
    made = [model.make(account.id, number) for number in (1, 2, 3)] if examples else []
    return [
        {
            "schema": {"type": "string"},
            "remote_key_name": name,
            "remote_endpoint_info": {
                "method": "GET",
                "url_path": f"/{model.path}",
                "field_traversal_path": [name],
            },
            "example_values": [one[name] for one in made],
            "advanced_metadata": None,
            "coverage": None,
        }
        for name in list(model.fields)[:_MOST_REMOTE_FIELDS]
    ]


def _no_rows(account: LinkedAccount) -> ByModel:
    return {model.name: [] for model in models_of(account.category)}
