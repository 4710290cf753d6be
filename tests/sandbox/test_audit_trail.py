"""The audit trail: what was done under a key."""

from urllib.parse import quote

import pytest

from linked import get, link, order, post
from merge_link.sandbox import Sandbox, audit
from plain_http import call

AT = "/api/ats/v1/"
TRAIL = f"{AT}audit-trail"
MAPPING = {
    "remote_field_traversal_path": ["hair"],
    "remote_method": "GET",
    "remote_url_path": "/people",
    "common_model_name": "Candidate",
}


def types(sandbox: Sandbox, query: str = "") -> list[str]:
    answer = get(sandbox, TRAIL + query)
    assert answer.status == 200, answer.body
    return [event["event_type"] for event in answer.json["results"]]


def test_all_that_is_noted(sandbox: Sandbox) -> None:
    token = link(sandbox)["account_token"]
    call(sandbox, order(should_create_magic_link_url=True))
    post(sandbox, f"{AT}generate-key", body={"name": "a"})
    post(sandbox, f"{AT}regenerate-key", body={"name": "a"})
    post(sandbox, f"{AT}sync-status/resync", token)
    post(sandbox, f"{AT}linked-account-scopes", token, {"common_models": []})
    id = post(sandbox, f"{AT}field-mappings", token, MAPPING).json["model"]["id"]
    wide = f"{AT}field-mappings/{id}"
    headers = {"X-Account-Token": token}
    call(sandbox, {"is_integration_wide": True}, method="PATCH", path=wide, headers=headers)
    call(sandbox, b"", method="DELETE", path=wide, headers=headers)
    post(sandbox, f"{AT}delete-account", token)
    assert types(sandbox) == [
        "GENERATED_MAGIC_LINK",
        "CREATED_TEST_API_KEY",
        "DELETED_TEST_API_KEY",
        "CREATED_TEST_API_KEY",
        "FORCED_LINKED_ACCOUNT_RESYNC",
        "CHANGED_SCOPES",
        "CREATED_LINKED_ACCOUNT_FIELD_MAPPING",
        "CHANGED_INTEGRATION_WIDE_FIELD_MAPPING",
        "DELETED_INTEGRATION_WIDE_FIELD_MAPPING",
        "DELETED_LINKED_ACCOUNT",
    ]
    trail = get(sandbox, TRAIL)
    assert trail.json["results"][-1] == {
        **trail.json["results"][-1],
        "user_name": None,
        "user_email": None,
        "role": "API",
        "ip_address": "127.0.0.1",
    }
    assert token.encode() not in trail.body


def test_only_the_latest_events_are_kept(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MOST_EVENTS", 3)
    for number in range(5):
        post(sandbox, f"{AT}generate-key", body={"name": f"key {number}"})
    told = [event["event_description"] for event in get(sandbox, TRAIL).json["results"]]
    assert told == [f"Created the test API key key {number}" for number in (2, 3, 4)]


def test_a_production_key_has_words_of_its_own(sandbox: Sandbox) -> None:
    sandbox.add_api_key("production_mine")
    headers = {"Authorization": "Bearer production_mine"}
    for path in ("generate-key", "regenerate-key"):
        call(sandbox, {"name": "a"}, path=AT + path, headers=headers)
    answer = call(sandbox, b"", method="GET", path=TRAIL, headers=headers).json
    assert [event["event_type"] for event in answer["results"]] == [
        "CREATED_REMOTE_PRODUCTION_API_KEY",
        "REGENERATED_PRODUCTION_API_KEY",
    ]
    assert types(sandbox) == []


def test_filters_and_pages(sandbox: Sandbox) -> None:
    post(sandbox, f"{AT}generate-key", body={"name": "a"})
    sandbox.advance(hours=1)
    post(sandbox, f"{AT}regenerate-key", body={"name": "a"})
    first, second, third = get(sandbox, TRAIL).json["results"]
    later = quote(second["created_at"])
    expected = {
        "?event_type=DELETED_TEST_API_KEY": ["DELETED_TEST_API_KEY"],
        "?event_type=nothing": [],
        f"?start_date={later}": ["DELETED_TEST_API_KEY", "CREATED_TEST_API_KEY"],
        f"?end_date={quote(first['created_at'])}": ["CREATED_TEST_API_KEY"],
        "?user_email=a@a.example": [],
        "?user_email=": [event["event_type"] for event in (first, second, third)],
    }
    assert {query: types(sandbox, query) for query in expected} == expected
    page = get(sandbox, f"{TRAIL}?page_size=2").json
    assert page["results"] == [first, second]
    page = get(sandbox, f"{TRAIL}?page_size=2&cursor={page['next']}").json
    assert (page["results"], page["next"]) == ([third], None)
    wrong = get(sandbox, f"{TRAIL}?start_date=soon")
    assert (wrong.status, wrong.json) == (400, {"start_date": ["Enter a valid date/time."]})
    assert get(sandbox, f"{TRAIL}?cursor=x").status == 404
