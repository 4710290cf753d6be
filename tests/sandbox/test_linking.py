"""The endpoints of linking: public tokens, account tokens, linked accounts."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from linked import get, link, make_link_token, make_public_token, order, post
from merge_link.sandbox import LinkRefused, Sandbox
from plain_http import Answer, call

TOKEN = r"[A-Za-z0-9_-]{40}"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
NOT_FOUND = (404, {"detail": "Not found."})
ACCOUNT = "/api/ats/v1/account-details"
LIST = "/api/ats/v1/linked-accounts"

NEEDS_ACCOUNT = [
    ("GET", "/api/ats/v1/account-details"),
    ("POST", "/api/ats/v1/account-token/regenerate"),
    ("POST", "/api/ats/v1/delete-account"),
]
ALL_THAT_NEED_ONE = [
    *NEEDS_ACCOUNT,
    ("GET", "/api/ats/v1/sync-status"),
    ("POST", "/api/ats/v1/sync-status/resync"),
    ("GET", "/api/ats/v1/linked-account-scopes"),
    ("POST", "/api/ats/v1/linked-account-scopes"),
    ("POST", "/api/ats/v1/passthrough"),
    ("POST", "/api/ats/v1/async-passthrough"),
    ("GET", "/api/ats/v1/async-passthrough/x"),
    ("GET", "/api/ats/v1/webhook-receivers"),
    ("POST", "/api/ats/v1/webhook-receivers"),
    ("GET", "/api/ats/v1/available-actions"),
    ("GET", "/api/ats/v1/field-mappings"),
    ("POST", "/api/ats/v1/field-mappings"),
    ("PATCH", "/api/ats/v1/field-mappings/x"),
    ("DELETE", "/api/ats/v1/field-mappings/x"),
    ("GET", "/api/ats/v1/remote-fields"),
    ("GET", "/api/ats/v1/target-fields"),
    ("POST", "/api/ats/v1/target-fields"),
]


def said(answer: Answer) -> tuple[int, Any]:
    return answer.status, answer.json


# ---- link tokens ----


def test_a_link_token_is_made_without_a_category_too(sandbox: Sandbox) -> None:
    answer = call(sandbox, path="/api/integrations/create-link-token")
    assert answer.status == 200
    assert set(answer.json) == {"link_token", "integration_name", "magic_link_url"}
    assert sandbox.complete_link(answer.json["link_token"], "lever")
    assert call(sandbox, {}, path="/api/integrations/create-link-token").status == 400


def test_relinking_is_named_by_the_next_link_token(sandbox: Sandbox) -> None:
    link(sandbox, integration="greenhouse")
    assert call(sandbox).json["integration_name"] == "Greenhouse"
    assert call(sandbox, order("acme-43")).json["integration_name"] is None


def test_a_link_token_links_once_and_not_after_its_time(sandbox: Sandbox) -> None:
    used, expired = make_link_token(sandbox), make_link_token(sandbox)
    sandbox.complete_link(used, "lever")
    sandbox.advance(minutes=31)
    for token, reason in [(used, "used"), (expired, "expired"), ("x", "unknown")]:
        with pytest.raises(LinkRefused) as caught:
            sandbox.complete_link(token, "lever")
        assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("mins", "magic", "lives"), [(720, False, 719), (10080, True, 10079), (None, False, 29)]
)
def test_a_link_token_lives_as_long_as_was_asked(
    sandbox: Sandbox, mins: int | None, magic: bool, lives: int
) -> None:
    more = {} if mins is None else {"link_expiry_mins": mins}
    first, second = (
        make_link_token(sandbox, should_create_magic_link_url=magic, **more) for _ in range(2)
    )
    sandbox.advance(minutes=lives)
    assert sandbox.complete_link(first, "lever")
    sandbox.advance(minutes=1)
    with pytest.raises(LinkRefused, match="expired"):
        sandbox.complete_link(second, "lever")


def test_a_magic_link_links_without_a_public_token(sandbox: Sandbox) -> None:
    answer = call(sandbox, order(should_create_magic_link_url=True)).json
    assert sandbox.complete_magic_link(answer["magic_link_url"], "lever") is None  # type: ignore[func-returns-value]
    assert len(get(sandbox, LIST).json["results"]) == 1
    with pytest.raises(LinkRefused, match="used"):
        sandbox.complete_link(answer["link_token"], "lever")


# ---- account-token/{public_token} ----


@pytest.mark.parametrize("place", ["ats/v1", "integrations"])
def test_a_public_token_is_exchanged_once(sandbox: Sandbox, place: str) -> None:
    public = make_public_token(sandbox, integration="bamboohr")
    assert re.fullmatch(TOKEN, public)
    answer = get(sandbox, f"/api/{place}/account-token/{public}")
    assert answer.status == 200
    assert set(answer.json) == {"account_token", "id", "integration"}
    assert re.fullmatch(TOKEN, answer.json["account_token"])
    assert re.fullmatch(UUID, answer.json["id"])
    color = answer.json["integration"].pop("color")
    assert re.fullmatch("#[0-9A-F]{6}", color)
    assert answer.json["integration"] == {
        "name": "BambooHR",
        "slug": "bamboohr",
        "abbreviated_name": None,
        "categories": ["hris", "ats"],
        "image": None,
        "square_image": None,
        "color": color,
        "api_endpoints_to_documentation_urls": {},
        "webhook_setup_guide_url": None,
        "category_beta_status": {},
    }
    assert said(get(sandbox, f"/api/{place}/account-token/{public}")) == NOT_FOUND


@pytest.mark.parametrize(("minutes", "status"), [(9.9, 200), (10.1, 404)])
def test_a_public_token_lives_ten_minutes(sandbox: Sandbox, minutes: float, status: int) -> None:
    public = make_public_token(sandbox)
    sandbox.advance(minutes=minutes)
    assert get(sandbox, f"/api/ats/v1/account-token/{public}").status == status


def test_a_public_token_of_another_category_is_not_found_and_stays_good(sandbox: Sandbox) -> None:
    public = make_public_token(sandbox)
    assert said(get(sandbox, f"/api/hris/v1/account-token/{public}")) == NOT_FOUND
    assert get(sandbox, f"/api/ats/v1/account-token/{public}").status == 200


@pytest.mark.parametrize("path", ["x", "%2e%2e", "a%2Fb", "a b".replace(" ", "%20"), "%00"])
def test_an_unknown_public_token_is_not_found(sandbox: Sandbox, path: str) -> None:
    assert said(get(sandbox, f"/api/ats/v1/account-token/{path}")) == NOT_FOUND


def test_a_link_token_is_no_public_token(sandbox: Sandbox) -> None:
    token = make_link_token(sandbox)
    assert said(get(sandbox, f"/api/ats/v1/account-token/{token}")) == NOT_FOUND


def test_an_integration_that_is_not_known_is_of_its_accounts_category(sandbox: Sandbox) -> None:
    account = link(sandbox, "acme-42", "crm", integration="acme-crm")
    assert account["integration"]["categories"] == ["crm"]
    assert account["integration"]["name"] == "Acme Crm"


# ---- X-Account-Token ----


@pytest.mark.parametrize(("method", "path"), ALL_THAT_NEED_ONE)
@pytest.mark.parametrize("token", [None, "", "  "])
def test_a_missing_account_token_is_told_in_merges_words(
    sandbox: Sandbox, method: str, path: str, token: str | None
) -> None:
    answer = call(sandbox, b"", method=method, path=path, headers={"X-Account-Token": token})
    detail = "Account Token must be passed in as an X-Account-Token header."
    assert said(answer) == (401, {"detail": detail})
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), ALL_THAT_NEED_ONE)
def test_an_account_token_that_leads_nowhere_is_refused(
    sandbox: Sandbox, method: str, path: str
) -> None:
    account = link(sandbox)
    elsewhere = path.replace("/ats/", "/hris/")
    for token, where in [("x", path), (account["id"], path), (account["account_token"], elsewhere)]:
        answer = call(sandbox, b"", method=method, path=where, headers={"X-Account-Token": token})
        assert said(answer) == (401, {"detail": "Invalid Account Token."})
    assert get(sandbox, ACCOUNT, account["account_token"]).status == 200


@pytest.mark.parametrize(("method", "path"), ALL_THAT_NEED_ONE)
def test_the_key_is_checked_before_the_account_token(
    sandbox: Sandbox, method: str, path: str
) -> None:
    headers = {"Authorization": None, "X-Account-Token": None}
    answer = call(sandbox, b"", method=method, path=path, headers=headers)
    assert answer.json == {"detail": "Authentication credentials were not provided."}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        *((path, method) for method, path in NEEDS_ACCOUNT),
        ("/api/ats/v1/linked-accounts", "GET"),
        ("/api/ats/v1/account-token/x", "GET"),
        ("/api/integrations/account-token/x", "GET"),
        ("/api/integrations/create-link-token", "POST"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_any_other_method_is_not_allowed(
    sandbox: Sandbox, path: str, allowed: str, method: str
) -> None:
    answer = call(sandbox, b"", method=method, path=path)
    if method == allowed:
        assert answer.status != 405
    else:
        assert said(answer) == (405, {"detail": f'Method "{method}" not allowed.'})
        assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize(
    "path",
    [
        *("/api/integrations/link-token", "/api/integrations/v1/create-link-token"),
        *("/api/ats/v1/create-link-token", "/api/integrations/account-token"),
        *("/api/integrations/linked-accounts", "/api/ats/v1/account-token/"),
        *("/api/ats/v1/account-token/x/y", "/api/ats/v1/account-details/"),
        *("/api/ats/v1/employees", "/api/hris/v1/candidates", "/api/chat/v1/candidates"),
        *("/api/ats/v1/jobs/ignore/x", "/api/ats/v1/candidates/", "/api/ats/v1/issues/x/y"),
    ],
)
def test_what_merge_does_not_have_is_not_found(sandbox: Sandbox, path: str) -> None:
    assert said(get(sandbox, path)) == NOT_FOUND


# ---- account-details ----


def test_account_details(sandbox: Sandbox) -> None:
    begin = time.time()
    account = link(sandbox, "acme-42", "hris", integration="bamboohr")
    answer = get(sandbox, "/api/hris/v1/account-details", account["account_token"])
    details = answer.json
    completed_at = datetime.strptime(details.pop("completed_at"), "%Y-%m-%dT%H:%M:%S.%fZ")
    assert begin <= completed_at.replace(tzinfo=UTC).timestamp() <= time.time()
    assert details.pop("webhook_listener_url").startswith(sandbox.url + "/")
    assert (answer.status, details) == (
        200,
        {
            "id": account["id"],
            "integration": "BambooHR",
            "integration_slug": "bamboohr",
            "category": "hris",
            "end_user_origin_id": "acme-42",
            "end_user_organization_name": "Acme",
            "end_user_email_address": "hr@acme.example",
            "status": "COMPLETE",
            "is_duplicate": None,
            "account_type": "TEST",
            "instance_id": None,
            "instance_display_value": None,
        },
    )


def test_a_production_key_links_production_accounts() -> None:
    with Sandbox(api_key="production_x") as sandbox:
        details = get(sandbox, ACCOUNT, link(sandbox)["account_token"]).json
        assert (details["account_type"], details["is_duplicate"]) == ("PRODUCTION", False)
        sandbox.set_status(details["id"], "INCOMPLETE")
        assert get(sandbox, LIST).json["results"][0]["is_duplicate"] is None


def test_the_status_is_told(sandbox: Sandbox) -> None:
    token = link(sandbox)["account_token"]
    sandbox.relink_needed(token)
    assert get(sandbox, ACCOUNT, token).json["status"] == "RELINK_NEEDED"
    assert call(sandbox).json["integration_name"] == "BambooHR"
    link(sandbox)
    assert get(sandbox, ACCOUNT, token).json["status"] == "COMPLETE"


# ---- regenerate and delete ----


def test_a_regenerated_account_token_replaces_the_old_one(sandbox: Sandbox) -> None:
    account = link(sandbox)
    answer = post(sandbox, "/api/ats/v1/account-token/regenerate", account["account_token"])
    assert answer.status == 200
    assert set(answer.json) == {"linked_account_id", "account_token"}
    assert answer.json["linked_account_id"] == account["id"]
    assert re.fullmatch(TOKEN, answer.json["account_token"])
    assert get(sandbox, ACCOUNT, account["account_token"]).status == 401
    assert get(sandbox, ACCOUNT, answer.json["account_token"]).status == 200


def test_a_deleted_account_is_gone(sandbox: Sandbox) -> None:
    account = link(sandbox)
    assert said(post(sandbox, "/api/ats/v1/delete-account", account["account_token"])) == (200, {})
    assert post(sandbox, "/api/ats/v1/delete-account", account["account_token"]).status == 401
    assert get(sandbox, LIST).json["results"] == []
    assert call(sandbox).json["integration_name"] is None
    again = link(sandbox)
    assert again["id"] != account["id"]
    assert again["account_token"] != account["account_token"]


@pytest.mark.parametrize(("method", "path"), NEEDS_ACCOUNT[1:])
def test_a_body_that_is_not_needed_must_be_json_if_it_is_there(
    sandbox: Sandbox, method: str, path: str
) -> None:
    token = link(sandbox)["account_token"]
    headers = {"X-Account-Token": token, "Content-Type": "text/plain"}
    assert call(sandbox, b"x", method=method, path=path, headers=headers).status == 415
    assert post(sandbox, path, token, b"{").status == 400
    assert get(sandbox, ACCOUNT, token).status == 200
    assert post(sandbox, path, token, b"{}").status == 200


# ---- linked-accounts ----


def test_a_listed_account(sandbox: Sandbox) -> None:
    account = link(sandbox, integration="greenhouse")
    details = get(sandbox, ACCOUNT, account["account_token"]).json
    page = get(sandbox, LIST).json
    (listed,) = page.pop("results")
    assert page == {"next": None, "previous": None}
    integration = listed.pop("integration")
    assert integration == {
        "name": "Greenhouse",
        "slug": "greenhouse",
        "categories": ["ats"],
        "image": None,
        "square_image": None,
        "color": account["integration"]["color"],
        "passthrough_available": True,
        "available_model_operations": integration["available_model_operations"],
    }
    assert integration["available_model_operations"][0]["model_name"] == "Candidate"
    for name in ("integration", "integration_slug", "instance_id", "instance_display_value"):
        del details[name]
    assert listed == {
        **details,
        "status_detail": None,
        "subdomain": None,
        "integration_specific_fields": {},
    }


@pytest.fixture
def several(sandbox: Sandbox) -> dict[str, str]:
    """The ids of linked accounts of several kinds, by letter."""
    ids = {
        "a": link(sandbox, "one", "ats", integration="greenhouse"),
        "b": link(sandbox, "one", "hris", integration="bamboohr"),
        "c": link(sandbox, "two", "ats", integration="bamboohr"),
        "d": link(sandbox, "two,three", "crm", integration="salesforce"),
    }
    other = order("five", end_user_organization_name="Other", end_user_email_address="o@o.example")
    public = sandbox.complete_link(call(sandbox, other).json["link_token"], "lever")
    ids["e"] = get(sandbox, f"/api/ats/v1/account-token/{public}").json
    sandbox.relink_needed(ids["c"]["id"])
    return {letter: account["id"] for letter, account in ids.items()}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "abcde"),
        ("category=ats", "ace"),
        ("category=", "abcde"),
        ("category=hris&category=crm", "d"),
        ("category=knowledgebase", ""),
        ("end_user_email_address=o@o.example", "e"),
        ("end_user_email_address=O@o.example", ""),
        ("end_user_organization_name=Acme", "abcd"),
        ("end_user_origin_id=one", "ab"),
        ("end_user_origin_id=two,three", "d"),
        ("end_user_origin_id=on", ""),
        ("end_user_origin_ids=one,five", "abe"),
        ("end_user_origin_ids=%20one%20,,two", "abc"),
        ("end_user_origin_ids=,", ""),
        ("end_user_origin_ids=one&category=hris", "b"),
        ("end_user_origin_id=one&end_user_origin_ids=two", ""),
        ("id={a}", "a"),
        ("id=x", ""),
        ("ids={a},{e},x", "ae"),
        ("ids={a},{e}&id={e}", "e"),
        ("integration_name=BambooHR", "bc"),
        ("integration_name=bamboohr", ""),
        ("is_test_account=true", "abcde"),
        ("is_test_account=False", ""),
        ("include_duplicates=true", "abcde"),
        ("status=COMPLETE", "abde"),
        ("status=RELINK_NEEDED", "c"),
        ("status=IDLE", ""),
        ("favourite_colour=blue", "abcde"),
        ("end_user_origin_id=%00", ""),
        ("end_user_origin_id=%ff", ""),
    ],
)
@pytest.mark.parametrize("path", ["/api/ats/v1/linked-accounts", "/api/crm/v1/linked-accounts"])
def test_filters(
    sandbox: Sandbox, several: dict[str, str], path: str, query: str, found: str
) -> None:
    answer = get(sandbox, f"{path}?{query.format(**several)}")
    assert answer.status == 200
    assert [account["id"] for account in answer.json["results"]] == [several[it] for it in found]


def no_choice(value: str) -> list[str]:
    return [f"Select a valid choice. {value} is not one of the available choices."]


@pytest.mark.parametrize(
    ("query", "problems"),
    [
        ("category=atss", {"category": no_choice("atss")}),
        (
            "category=ATS&status=complete",
            {"category": no_choice("ATS"), "status": no_choice("complete")},
        ),
        ("is_test_account=1", {"is_test_account": ["Must be a valid boolean."]}),
        ("include_duplicates=yes", {"include_duplicates": ["Must be a valid boolean."]}),
    ],
)
def test_refused_filters(sandbox: Sandbox, query: str, problems: object) -> None:
    assert said(get(sandbox, f"{LIST}?{query}")) == (400, problems)


@pytest.mark.parametrize("cursor", ["x", "cD14", "%C3%A9", "cD0tMQ%3D%3D"])
def test_a_wrong_cursor_is_not_found(sandbox: Sandbox, cursor: str) -> None:
    answer = get(sandbox, f"{LIST}?cursor={cursor}")
    assert said(answer) == (404, {"detail": "Invalid cursor"})


@pytest.mark.parametrize(
    ("asked", "size"),
    [("1", 1), ("007", 7), ("100", 100), ("101", 100), ("9" * 5000, 100)]
    + [(other, 30) for other in ("", "0", "-1", "x", "1.5", "%C2%B2")],
)
def test_page_size(asked: str, size: int, many_accounts: Sandbox) -> None:
    page = get(many_accounts, f"{LIST}?page_size={asked}").json
    assert len(page["results"]) == size
    assert page["next"] is not None


@pytest.fixture(scope="module")
def many_accounts() -> Any:
    with Sandbox() as sandbox:
        for number in range(101):
            make_public_token(sandbox, f"user-{number:03}")
        yield sandbox


def test_pages_lead_forth_and_back(many_accounts: Sandbox) -> None:
    forth = walk(many_accounts, "next", "")
    assert [len(ids) for ids, _ in forth] == [40, 40, 21]
    assert [it for ids, _ in forth for it in ids] == [f"user-{number:03}" for number in range(101)]
    back = walk(many_accounts, "previous", forth[-1][1]["previous"])
    assert [ids for ids, _ in reversed(back)] == [ids for ids, _ in forth[:-1]]


def walk(sandbox: Sandbox, way: str, cursor: str | None) -> list[tuple[list[str], dict[str, Any]]]:
    pages = []
    while cursor is not None:
        page = get(sandbox, f"{LIST}?page_size=40&cursor={cursor.replace('=', '%3D')}").json
        pages.append(([account["end_user_origin_id"] for account in page["results"]], page))
        cursor = page[way]
    return pages


# ---- keys ----


@pytest.mark.parametrize("add", ["added", "any"])
def test_each_key_sees_its_own_data(add: str) -> None:
    with Sandbox(strict_keys=add == "added") as sandbox:
        if add == "added":
            sandbox.add_api_key("test_other")
        mine, public = link(sandbox), make_public_token(sandbox, "acme-43")
        other = {"Authorization": "Bearer test_other"}

        def as_other(method: str, path: str) -> Answer:
            headers = {**other, "X-Account-Token": mine["account_token"]}
            return call(sandbox, b"", method=method, path=path, headers=headers)

        assert as_other("GET", LIST).json["results"] == []
        assert as_other("GET", ACCOUNT).status == 401
        assert as_other("POST", "/api/ats/v1/delete-account").status == 401
        assert as_other("GET", f"/api/ats/v1/account-token/{public}").status == 404
        answer = call(sandbox, headers=other)
        assert answer.json["integration_name"] is None
        sandbox.complete_link(answer.json["link_token"], "lever")
        assert len(as_other("GET", LIST).json["results"]) == 1
        assert len(get(sandbox, LIST).json["results"]) == 2


def test_lax_keys_are_known_by_their_prefix() -> None:
    with Sandbox(strict_keys=False) as sandbox:
        for key, status in [("test_any", 200), ("production_any", 200), ("x", 401), ("TEST_", 401)]:
            headers = {"Authorization": f"Bearer {key}"}
            assert call(sandbox, headers=headers).status == status


def test_a_key_that_no_header_could_carry_is_not_added(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="visible ASCII") as caught:
        sandbox.add_api_key("a secret")
    assert "secret" not in str(caught.value)


def test_the_file_keeps_it_all(tmp_path: Any) -> None:
    path = tmp_path / "sandbox.db"
    with Sandbox(db=path) as first:
        account, token = link(first), make_link_token(first, "acme-43")
    with Sandbox(db=path) as second:
        assert second.api_key == first.api_key
        assert get(second, ACCOUNT, account["account_token"]).json["id"] == account["id"]
        assert second.complete_link(token, "lever")


def test_reset_begins_anew(sandbox: Sandbox) -> None:
    account = link(sandbox)
    sandbox.fail(times=None)
    sandbox.advance(minutes=31)
    key = sandbox.api_key
    sandbox.reset()
    assert (sandbox.api_key, sandbox.requests) == (key, [])
    assert get(sandbox, ACCOUNT, account["account_token"]).status == 401
    assert get(sandbox, LIST).json["results"] == []


Misuse = Callable[[Sandbox], object]


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (lambda it: it.complete_link(None), "link_token must be a string"),
        (lambda it: it.complete_link(""), "link_token must be a string"),
        (lambda it: it.complete_link("x", 7), "integration must be a string"),
        (lambda it: it.complete_magic_link(7), "magic_link_url must be a string"),
        (lambda it: it.relink_needed("x"), "account must be the id or account token"),
        (lambda it: it.set_status("x", "BROKEN"), "status must be one of COMPLETE"),
        (lambda it: it.advance(minutes=-1), "minutes must be from 0"),
        (lambda it: it.advance(hours=float("nan")), "hours must be from 0"),
        (lambda it: it.advance(seconds="1"), "seconds must be a number"),
    ],
)
def test_what_makes_no_sense_is_refused(sandbox: Sandbox, misuse: Misuse, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        misuse(sandbox)


def test_after_close_nothing_can_be_asked() -> None:
    with Sandbox() as sandbox:
        token = make_link_token(sandbox)
    with pytest.raises(RuntimeError, match="closed"):
        sandbox.complete_link(token, "lever")
