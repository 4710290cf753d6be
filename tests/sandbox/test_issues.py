"""Issues: raised and resolved by a test, listed by Merge's API."""

from urllib.parse import quote

import pytest

from linked import command, get, link, post
from merge_link.sandbox import Sandbox
from plain_http import call

ISSUES = "/api/ats/v1/issues"


def found(sandbox: Sandbox, query: str = "") -> list[str]:
    answer = get(sandbox, ISSUES + query)
    assert answer.status == 200, answer.body
    return [issue["error_description"] for issue in answer.json["results"]]


def test_an_issue_that_is_raised_and_resolved(sandbox: Sandbox) -> None:
    account = link(sandbox)
    id = sandbox.raise_issue(account["id"], "No permission.", details=["403 of /candidates"])
    (issue,) = get(sandbox, ISSUES).json["results"]
    assert issue == {
        "id": id,
        "status": "ONGOING",
        "error_description": "No permission.",
        "end_user": {
            "origin_id": "acme-42",
            "organization_name": "Acme",
            "email_address": "hr@acme.example",
        },
        "first_incident_time": issue["first_incident_time"],
        "last_incident_time": issue["first_incident_time"],
        "is_muted": False,
        "error_details": ["403 of /candidates"],
    }
    assert get(sandbox, f"{ISSUES}/{id}").json == issue
    sandbox.resolve_issue(id)
    assert get(sandbox, f"{ISSUES}/{id}").json == {**issue, "status": "RESOLVED"}
    assert found(sandbox, "?status=ONGOING") == []
    assert found(sandbox, "?status=RESOLVED") == ["No permission."]


def test_what_is_raised_again_while_it_lasts_is_the_same_issue(sandbox: Sandbox) -> None:
    token = link(sandbox)["account_token"]
    first = sandbox.raise_issue(token, "a")
    sandbox.advance(minutes=1)
    assert sandbox.raise_issue(token, "a") == first
    issue = get(sandbox, f"{ISSUES}/{first}").json
    assert issue["last_incident_time"] > issue["first_incident_time"]
    assert sandbox.raise_issue(token, "b") != first
    sandbox.resolve_issue(first)
    assert sandbox.raise_issue(token, "a") != first
    assert found(sandbox) == ["a", "b", "a"]


def test_the_only_account_need_not_be_named(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="no account is linked"):
        sandbox.raise_issue()
    link(sandbox)
    assert get(sandbox, f"{ISSUES}/{sandbox.raise_issue()}").status == 200


def test_each_filter(sandbox: Sandbox) -> None:
    acme = link(sandbox, integration="greenhouse")
    sandbox.raise_issue(acme["id"], "acme")
    times = [get(sandbox, ISSUES).json["results"][0]["first_incident_time"]]
    sandbox.advance(hours=1)
    globex = link(sandbox, "globex", "hris", integration="bamboohr")
    id = sandbox.raise_issue(globex["id"], "globex")
    sandbox.raise_issue(globex["id"], "muted", muted=True)
    times.append(get(sandbox, f"{ISSUES}/{id}").json["first_incident_time"])
    after, before = (quote(time) for time in times)
    expected = {
        "": ["acme", "globex"],
        "?include_muted=true": ["acme", "globex", "muted"],
        f"?account_token={acme['account_token']}": ["acme"],
        f"?linked_account_id={globex['id']}": ["globex"],
        "?linked_account_id=nobody": [],
        "?integration_name=Greenhouse": ["acme"],
        "?end_user_organization_name=Acme": ["acme", "globex"],
        "?end_user_organization_name=Other": [],
        f"?first_incident_time_after={after}": ["globex"],
        f"?first_incident_time_before={before}": ["acme"],
        f"?last_incident_time_after={after}": ["globex"],
        f"?last_incident_time_before={before}": ["acme"],
        f"?start_date={before}": ["globex"],
        f"?end_date={after}": ["acme"],
        "?start_date=2001-01-01": ["acme", "globex"],
        "?status=": ["acme", "globex"],
        f"?status=ONGOING&integration_name=BambooHR&start_date={after}": ["globex"],
    }
    assert {query: found(sandbox, query) for query in expected} == expected


def test_wrong_filters_are_all_told(sandbox: Sandbox) -> None:
    answer = get(
        sandbox, f"{ISSUES}?status=open&include_muted=2&end_date=soon&start_date=0001-01-01"
    )
    assert answer.status == 400
    assert answer.json == {
        "status": ["Select a valid choice. open is not one of the available choices."],
        "include_muted": ["Must be a valid boolean."],
        "end_date": ["Enter a valid date/time."],
    }


def test_issues_have_pages(sandbox: Sandbox) -> None:
    token = link(sandbox)["account_token"]
    for number in range(5):
        sandbox.raise_issue(token, str(number))
    seen, cursor = [], ""
    while cursor is not None:
        page = get(sandbox, f"{ISSUES}?page_size=2&cursor={cursor}").json
        seen.append([issue["error_description"] for issue in page["results"]])
        cursor = page["next"]
    assert seen == [["0", "1"], ["2", "3"], ["4"]]
    back = get(sandbox, f"{ISSUES}?page_size=2&cursor={page['previous']}").json
    assert [issue["error_description"] for issue in back["results"]] == ["2", "3"]
    assert get(sandbox, f"{ISSUES}?cursor=x").status == 404


def test_another_key_sees_none(sandbox: Sandbox) -> None:
    id = sandbox.raise_issue(link(sandbox)["id"])
    sandbox.add_api_key("test_other")
    other = {"Authorization": "Bearer test_other"}
    assert call(sandbox, b"", method="GET", path=ISSUES, headers=other).json["results"] == []
    assert call(sandbox, b"", method="GET", path=f"{ISSUES}/{id}", headers=other).status == 404


def test_issues_go_with_their_account(sandbox: Sandbox) -> None:
    account = link(sandbox)
    id = sandbox.raise_issue(account["id"])
    post(sandbox, "/api/ats/v1/delete-account", account["account_token"])
    assert found(sandbox) == []
    assert get(sandbox, f"{ISSUES}/{id}").status == 404


def test_issues_by_http(sandbox: Sandbox) -> None:
    account = link(sandbox)
    answer = command(sandbox, "raise_issue", {"account": account["id"], "details": ["x"]})
    assert answer.status == 200
    id = answer.json["issue_id"]
    assert command(sandbox, "resolve_issue", {"id": id}).json == {}
    assert get(sandbox, f"{ISSUES}/{id}").json["status"] == "RESOLVED"


@pytest.mark.parametrize(
    ("name", "body", "detail"),
    [
        ("raise_issue", {"account": "x"}, "account must be the id or account token of"),
        ("raise_issue", {"description": ""}, "description must be a string that is not empty."),
        ("raise_issue", {"details": "x"}, "details must be a list of strings."),
        ("raise_issue", {"details": 5}, "details must be a list of strings."),
        ("raise_issue", {"muted": 1}, "muted must be true or false."),
        ("resolve_issue", {"id": "x"}, "id must be that of an issue."),
    ],
)
def test_what_makes_no_sense_is_refused(
    sandbox: Sandbox, name: str, body: object, detail: str
) -> None:
    answer = command(sandbox, name, body)
    assert answer.status == 400
    assert answer.json["detail"].startswith(detail)
