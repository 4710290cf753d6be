"""Common models: pages of made-up objects, and ignoring one of them."""

import json
from typing import Any

import pytest

from linked import get, link, post
from merge_link.sandbox import Sandbox
from merge_link.sandbox.common_models import MODELS, Model, models_of
from merge_link.sandbox.rules import BODY_CATEGORIES
from plain_http import call

CANDIDATES = "/api/ats/v1/candidates"
NEEDED = {"detail": "Account Token must be passed in as an X-Account-Token header."}
OF_CATEGORY = {
    "ats": "lever",
    "hris": "bamboohr",
    "accounting": "xero",
    "crm": "salesforce",
    "ticketing": "jira",
    "filestorage": "box",
    "knowledgebase": "guru",
    "mktg": "keap",
}


@pytest.fixture
def token(sandbox: Sandbox) -> str:
    made: str = link(sandbox)["account_token"]
    return made


def read_all(sandbox: Sandbox, path: str, token: str, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        answer = get(sandbox, f"{path}?page_size=100&cursor={cursor}{query}", token)
        assert answer.status == 200, answer.body
        found += answer.json["results"]
        cursor = answer.json["next"]
    return found


def test_every_category_has_two_models_at_least() -> None:
    assert {category: len(models_of(category)) >= 2 for category in BODY_CATEGORIES} == (
        dict.fromkeys(BODY_CATEGORIES, True)
    )
    assert [model.count for model in models_of("ats")] == [200, 200, 200]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_a_model_is_read_by_pages_and_by_id(sandbox: Sandbox, model: Model) -> None:
    own = link(sandbox, "a", model.category, integration=OF_CATEGORY[model.category])
    path = f"/api/{model.category}/v1/{model.path}"
    found = read_all(sandbox, path, own["account_token"])
    assert len(found) == len({one["id"] for one in found}) == model.count
    one = found[-1]
    assert get(sandbox, f"{path}/{one['id']}", own["account_token"]).json == one
    assert {"id", "remote_id", "created_at", "modified_at", *model.fields} <= set(one)


def test_objects_refer_to_each_other(sandbox: Sandbox, token: str) -> None:
    ids = {
        name: {one["id"] for one in read_all(sandbox, f"/api/ats/v1/{name}", token)}
        for name in ("candidates", "jobs", "applications")
    }
    candidates = read_all(sandbox, CANDIDATES, token)
    by_candidate = {one["id"]: one["applications"] for one in candidates}
    for application in read_all(sandbox, "/api/ats/v1/applications", token):
        assert application["job"] in ids["jobs"]
        assert by_candidate[application["candidate"]] == [application["id"]]


def test_the_content_is_always_the_same_and_the_ids_are_an_accounts_own(sandbox: Sandbox) -> None:
    both = []
    for origin in ("one", "two"):
        account = link(sandbox, origin)
        found = read_all(sandbox, CANDIDATES, account["account_token"])
        assert found == read_all(sandbox, CANDIDATES, account["account_token"])
        both.append(found)
    assert not {one["id"] for one in both[0]} & {one["id"] for one in both[1]}
    names = [[(one["first_name"], one["last_name"]) for one in found] for found in both]
    assert names[0] == names[1]
    assert names[0][0] == ("Ada", "Abbot")
    other = both[1][0]["id"]
    token = link(sandbox, "one")["account_token"]
    assert get(sandbox, f"{CANDIDATES}/{other}", token).status == 404


def test_pages(sandbox: Sandbox, token: str) -> None:
    first = get(sandbox, CANDIDATES, token).json
    assert (len(first["results"]), first["previous"]) == (30, None)
    most = get(sandbox, f"{CANDIDATES}?page_size=1000", token).json
    assert len(most["results"]) == 100
    last = get(sandbox, f"{CANDIDATES}?page_size=100&cursor={most['next']}", token).json
    assert (len(last["results"]), last["next"]) == (100, None)
    back = get(sandbox, f"{CANDIDATES}?page_size=100&cursor={last['previous']}", token).json
    assert back["results"] == most["results"]
    wrong = get(sandbox, f"{CANDIDATES}?cursor=x", token)
    assert (wrong.status, wrong.json) == (404, {"detail": "Invalid cursor"})


def test_times(sandbox: Sandbox, token: str) -> None:
    every = read_all(sandbox, CANDIDATES, token)
    middle = every[100]["created_at"]
    changed = every[100]["modified_at"]
    expected = {
        f"&created_after={middle}": every[101:],
        f"&created_before={middle}": every[:100],
        f"&modified_after={changed}": every[101:],
        f"&modified_before={changed}": every[:100],
        f"&created_after={middle}&modified_before={changed}": [],
        "&created_after=2023-12-31": every,
        "&created_after=": every,
        "&created_after=9999-12-31T23:59:59.999999Z": [],
        "&modified_before=9999-12-31T23:59:59.999999Z": every,
        "&created_before=0001-01-01T00:00:00%2B14:00": [],
    }
    for query, found in expected.items():
        assert read_all(sandbox, CANDIDATES, token, query) == found
    answer = get(sandbox, f"{CANDIDATES}?created_after=soon&modified_before=1", token)
    assert answer.status == 400
    assert answer.json["created_after"] == ["Enter a valid date/time."]


@pytest.mark.parametrize("path", [CANDIDATES, f"{CANDIDATES}/x"])
def test_an_account_token_is_needed(sandbox: Sandbox, path: str) -> None:
    answer = get(sandbox, path)
    assert (answer.status, answer.json) == (401, NEEDED)
    hris = link(sandbox, "a", "hris")["account_token"]
    assert get(sandbox, path, hris).json == {"detail": "Invalid Account Token."}


@pytest.mark.parametrize("id", ["x", "%2e%2e", "a%20b", "%00", "ignore", "💥".encode().hex()])
def test_an_unknown_id_is_not_found(sandbox: Sandbox, token: str, id: str) -> None:
    answer = get(sandbox, f"{CANDIDATES}/{id}", token)
    assert (answer.status, answer.json) == (404, {"detail": "Not found."})


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_they_can_only_be_read(sandbox: Sandbox, token: str, method: str) -> None:
    answer = call(sandbox, {}, method=method, path=CANDIDATES, headers={"X-Account-Token": token})
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")


# ---- ignoring ----


def test_an_ignored_object_stays_without_what_it_said(sandbox: Sandbox, token: str) -> None:
    first, second = get(sandbox, f"{CANDIDATES}?page_size=2", token).json["results"]
    ignore = f"{CANDIDATES}/ignore/{first['id']}"
    answer = post(sandbox, ignore, token, {"reason": "GDPR", "message": "asked by mail"})
    assert (answer.status, answer.json) == (200, {})
    assert post(sandbox, ignore, token, {"reason": "OTHER"}).status == 200
    page = get(sandbox, f"{CANDIDATES}?page_size=2", token).json["results"]
    assert page[1] == second
    kept = {name: value for name, value in page[0].items() if value is not None}
    assert kept == {
        name: first[name] for name in ("id", "created_at", "modified_at", "remote_was_deleted")
    }
    assert get(sandbox, f"{CANDIDATES}/{first['id']}", token).json == page[0]
    assert set(page[0]) == set(first)
    assert first["first_name"] not in json.dumps(page[0])


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({}, {"reason": ["This field is required."]}),
        ({"reason": "BORED"}, {"reason": ['"BORED" is not a valid choice.']}),
        ({"reason": "GDPR", "message": 5}, {"message": ["Not a valid string."]}),
    ],
)
def test_what_cannot_be_ignored(
    sandbox: Sandbox, token: str, body: object, problems: object
) -> None:
    answer = post(sandbox, f"{CANDIDATES}/ignore/x", token, body)
    assert (answer.status, answer.json) == (400, problems)
    assert post(sandbox, f"{CANDIDATES}/ignore/x", token, {"reason": "GDPR"}).status == 404
    assert post(sandbox, f"{CANDIDATES}/ignore/x", None, {"reason": "GDPR"}).status == 401
