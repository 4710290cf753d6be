"""What callers set for a linked account and get back: scopes, receivers, mappings."""

from typing import Any

import pytest

from linked import get, link, make_link_token, post
from merge_link.sandbox import Sandbox
from plain_http import Answer, call

AT = "/api/ats/v1/"
MAPPING = {
    "target_field_name": "hair_color",
    "target_field_description": "Color of the hair",
    "remote_field_traversal_path": ["custom", "hair"],
    "remote_method": "GET",
    "remote_url_path": "/people",
    "common_model_name": "Candidate",
}


@pytest.fixture
def token(sandbox: Sandbox) -> str:
    made: str = link(sandbox, integration="lever")["account_token"]
    return made


def change(sandbox: Sandbox, token: str, method: str, id: str, body: object = b"") -> Answer:
    headers = {"X-Account-Token": token}
    return call(sandbox, body, method=method, path=f"{AT}field-mappings/{id}", headers=headers)


# ---- scopes ----


def test_scopes_are_all_enabled_by_default(sandbox: Sandbox, token: str) -> None:
    default = get(sandbox, f"{AT}default-scopes").json
    assert get(sandbox, f"{AT}linked-account-scopes", token).json == default
    names = [scope["model_name"] for scope in default["common_models"]]
    assert names == ["Candidate", "Job", "Application"]
    candidate = default["common_models"][0]
    assert candidate["model_permissions"]["READ"] == {"is_enabled": True}
    assert "first_name" in candidate["field_permissions"]["enabled_fields"]
    assert get(sandbox, "/api/chat/v1/default-scopes").json == {"common_models": []}


def test_scopes_are_kept_for_one_account(sandbox: Sandbox, token: str) -> None:
    job = {"model_name": "Job", "model_permissions": {"READ": {"is_enabled": False}}}
    more = {"model_name": "Offer", "field_permissions": {"disabled_fields": ["creator"]}}
    answer = post(sandbox, f"{AT}linked-account-scopes", token, {"common_models": [job, more]})
    assert answer.status == 200
    scopes = {scope["model_name"]: scope for scope in answer.json["common_models"]}
    assert scopes["Job"]["model_permissions"] == job["model_permissions"]
    assert scopes["Offer"] == more
    assert get(sandbox, f"{AT}linked-account-scopes", token).json == answer.json
    default = get(sandbox, f"{AT}default-scopes").json
    other = link(sandbox, "globex")["account_token"]
    assert get(sandbox, f"{AT}linked-account-scopes", other).json == default
    # What is not set again is as by default again.
    again = post(sandbox, f"{AT}linked-account-scopes", token, {"common_models": []})
    assert again.json == default


def test_a_link_token_may_bring_scopes(sandbox: Sandbox) -> None:
    job = {"model_name": "Job", "model_permissions": {"READ": {"is_enabled": False}}}
    made = make_link_token(sandbox, category_common_model_scopes={"ats": [job], "hris": []})
    public = sandbox.complete_link(made, "lever")
    token = get(sandbox, f"{AT}account-token/{public}").json["account_token"]
    scopes = get(sandbox, f"{AT}linked-account-scopes", token).json["common_models"]
    assert scopes[1]["model_permissions"] == job["model_permissions"]


# ---- webhook receivers ----


def test_receivers_are_kept(sandbox: Sandbox, token: str) -> None:
    path = f"{AT}webhook-receivers"
    assert get(sandbox, path, token).json == []
    one = {"event": "Candidate.added", "is_active": True, "key": "s3cret"}
    two = {"event": "Job.changed", "is_active": False}
    assert post(sandbox, path, token, one).json == one
    assert post(sandbox, path, token, two).json == {**two, "key": None}
    assert get(sandbox, path, token).json == [one, {**two, "key": None}]
    assert get(sandbox, path, link(sandbox, "globex")["account_token"]).json == []


# ---- available actions ----


def test_available_actions(sandbox: Sandbox, token: str) -> None:
    answer = get(sandbox, f"{AT}available-actions", token).json
    assert answer["integration"]["slug"] == "lever"
    assert answer["passthrough_available"] is True
    first = answer["available_model_operations"][0]
    assert (first["model_name"], first["available_operations"]) == ("Candidate", ["FETCH"])


# ---- field mappings ----


def test_a_mapping_from_its_making_to_its_deletion(sandbox: Sandbox, token: str) -> None:
    path = f"{AT}field-mappings"
    assert get(sandbox, path, token).json == {"Candidate": [], "Job": [], "Application": []}
    made = post(sandbox, path, token, MAPPING)
    assert made.status == 201
    assert {**made.json, "model": None} == {"model": None, "warnings": [], "errors": []}
    model = made.json["model"]
    assert model == {
        "id": model["id"],
        "is_integration_wide": False,
        "target_field": {
            "name": "hair_color",
            "description": "Color of the hair",
            "is_organization_wide": True,
        },
        "remote_field": {
            "remote_key_name": "hair",
            "schema": {"type": "string"},
            "remote_endpoint_info": {
                "method": "GET",
                "url_path": "/people",
                "field_traversal_path": ["custom", "hair"],
            },
        },
        "jmes_path": None,
    }
    assert get(sandbox, path, token).json["Candidate"] == [model]
    changed = change(sandbox, token, "PATCH", model["id"], {"remote_url_path": "/staff"})
    assert changed.status == 200
    endpoint = changed.json["model"]["remote_field"]["remote_endpoint_info"]
    assert endpoint == {**model["remote_field"]["remote_endpoint_info"], "url_path": "/staff"}
    assert get(sandbox, path, token).json["Candidate"] == [changed.json["model"]]
    gone = change(sandbox, token, "DELETE", model["id"])
    assert (gone.status, gone.body, gone.headers["Content-Type"]) == (204, b"", None)
    assert get(sandbox, path, token).json["Candidate"] == []
    for method in ("PATCH", "DELETE"):
        assert change(sandbox, token, method, model["id"], {}).status == 404


def test_metadata_may_be_left_out(sandbox: Sandbox, token: str) -> None:
    path = f"{AT}field-mappings?exclude_remote_field_metadata=true"
    made = post(sandbox, path, token, MAPPING).json["model"]
    assert (made["remote_field"]["schema"], made["remote_field"]["remote_key_name"]) == (None, None)
    assert get(sandbox, path, token).json["Candidate"] == [made]
    assert get(sandbox, f"{AT}field-mappings", token).json["Candidate"] != [made]
    wrong = get(sandbox, f"{AT}field-mappings?exclude_remote_field_metadata=1", token)
    assert wrong.status == 400


def test_who_has_a_mapping(sandbox: Sandbox, token: str) -> None:
    path = f"{AT}field-mappings"
    same = link(sandbox, "globex", integration="lever")["account_token"]
    other = link(sandbox, "initech", integration="greenhouse")["account_token"]
    own = post(sandbox, path, token, MAPPING).json["model"]
    wide = post(sandbox, path, token, {**MAPPING, "is_integration_wide": True}).json["model"]
    found = [get(sandbox, path, who).json["Candidate"] for who in (token, same, other)]
    assert found == [[own, wide], [wide], []]
    assert change(sandbox, same, "DELETE", own["id"]).status == 404
    assert change(sandbox, same, "DELETE", wide["id"]).status == 204
    assert get(sandbox, path, token).json["Candidate"] == [own]


def test_a_mapping_that_becomes_integration_wide_is_of_the_integration_of_now(
    sandbox: Sandbox, token: str
) -> None:
    id = post(sandbox, f"{AT}field-mappings", token, MAPPING).json["model"]["id"]
    link(sandbox, integration="greenhouse")
    same = link(sandbox, "globex", integration="greenhouse")["account_token"]
    changed = change(sandbox, token, "PATCH", id, {"is_integration_wide": True}).json["model"]
    for who in (token, same):
        assert get(sandbox, f"{AT}field-mappings", who).json["Candidate"] == [changed]


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        (
            {},
            {
                name: ["This field is required."]
                for name in (
                    "remote_field_traversal_path",
                    "remote_method",
                    "remote_url_path",
                    "common_model_name",
                )
            },
        ),
        (
            {**MAPPING, "remote_field_traversal_path": [], "is_integration_wide": 1},
            {
                "remote_field_traversal_path": ["This list may not be empty."],
                "is_integration_wide": ["Must be a valid boolean."],
            },
        ),
    ],
)
def test_refused_mappings(sandbox: Sandbox, token: str, body: Any, problems: Any) -> None:
    answer = post(sandbox, f"{AT}field-mappings", token, body)
    assert (answer.status, answer.json) == (400, problems)


# ---- remote and target fields ----


def test_remote_fields(sandbox: Sandbox, token: str) -> None:
    every = get(sandbox, f"{AT}remote-fields", token).json
    assert list(every) == ["Candidate", "Job", "Application"]
    assert every["Job"][0] == {
        "schema": {"type": "string"},
        "remote_key_name": "name",
        "remote_endpoint_info": {
            "method": "GET",
            "url_path": "/jobs",
            "field_traversal_path": ["name"],
        },
        "example_values": [],
        "advanced_metadata": None,
        "coverage": None,
    }
    query = "?common_models=Job,%20Application&include_example_values=true"
    some = get(sandbox, f"{AT}remote-fields{query}", token).json
    assert list(some) == ["Job", "Application"]
    assert some["Job"][0]["example_values"][0] == "Software Engineer"


def test_target_fields(sandbox: Sandbox, token: str) -> None:
    path = f"{AT}target-fields"
    made = post(sandbox, path, token, {"name": "hair_color", "common_model": "Candidate"})
    assert made.status == 200
    field = {"name": "hair_color", "description": None, "is_mapped": "false"}
    assert made.json == {"Candidate": [field], "Job": [], "Application": []}
    post(sandbox, f"{AT}field-mappings", token, MAPPING)
    own = {**MAPPING, "target_field_name": "mine", "organization_wide_target_field": False}
    post(sandbox, f"{AT}field-mappings", token, own)
    field = {**field, "description": "Color of the hair", "is_mapped": "true"}
    assert get(sandbox, path, token).json["Candidate"] == [field]
    # Of the whole organization, where it is not mapped yet.
    other = link(sandbox, "globex")["account_token"]
    assert get(sandbox, path, other).json["Candidate"] == [{**field, "is_mapped": "false"}]
    assert post(sandbox, path, token, {}).json == {
        "name": ["This field is required."],
        "common_model": ["This field is required."],
    }


def test_the_knowledge_base_makes_no_target_fields(sandbox: Sandbox) -> None:
    token = link(sandbox, "a", "knowledgebase", integration="guru")["account_token"]
    path = "/api/knowledgebase/v1/target-fields"
    assert get(sandbox, path, token).status == 200
    answer = post(sandbox, path, token, {"name": "a", "common_model": "Article"})
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")


# ---- all of them ----


def test_settings_go_with_their_account_and_by_a_reset(sandbox: Sandbox, token: str) -> None:
    post(sandbox, f"{AT}webhook-receivers", token, {"event": "a", "is_active": True})
    wide = {**MAPPING, "is_integration_wide": True}
    post(sandbox, f"{AT}field-mappings", token, wide)
    post(sandbox, f"{AT}field-mappings", token, MAPPING)
    post(sandbox, f"{AT}delete-account", token)
    token = link(sandbox, integration="lever")["account_token"]
    assert get(sandbox, f"{AT}webhook-receivers", token).json == []
    assert len(get(sandbox, f"{AT}field-mappings", token).json["Candidate"]) == 1
    sandbox.reset()
    token = link(sandbox, integration="lever")["account_token"]
    assert get(sandbox, f"{AT}field-mappings", token).json["Candidate"] == []
    assert get(sandbox, f"{AT}target-fields", token).json["Candidate"] == []
    assert get(sandbox, f"{AT}audit-trail").json["results"] == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "sync-status", b""),
        ("POST", "sync-status/resync", b""),
        ("POST", "async-passthrough", {"method": "GET", "path": "/x"}),
        ("POST", "webhook-receivers", {"event": "a", "is_active": True}),
        ("POST", "linked-account-scopes", {"common_models": []}),
        ("POST", "field-mappings", MAPPING),
        ("GET", "candidates", b""),
    ],
)
def test_an_account_that_is_deleted_in_the_middle_of_a_call(
    sandbox: Sandbox,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    body: object,
) -> None:
    account = sandbox._state.find_any_account(token)
    assert account is not None
    sandbox._state.delete_account(account)
    monkeypatch.setattr(sandbox._state, "find_account", lambda *_: account)
    headers = {"X-Account-Token": token}
    answer = call(sandbox, body, method=method, path=AT + path, headers=headers)
    assert (answer.status, answer.json) == (401, {"detail": "Invalid Account Token."})
