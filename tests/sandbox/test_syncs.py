"""Sync status, which moves with the sandbox's clock."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from linked import get, link, make_link_token, post
from merge_link.sandbox import Sandbox
from plain_http import call

STATUS = "/api/ats/v1/sync-status"
RESYNC = "/api/ats/v1/sync-status/resync"


def read(sandbox: Sandbox, token: str, query: str = "") -> list[dict[str, Any]]:
    answer = get(sandbox, STATUS + query, token)
    assert answer.status == 200, answer.body
    results: list[dict[str, Any]] = answer.json["results"]
    return results


def states(sandbox: Sandbox, token: str) -> list[str]:
    return [one["status"] for one in read(sandbox, token)]


def token_of(account: dict[str, Any]) -> str:
    token: str = account["account_token"]
    return token


def test_models_finish_one_after_the_other_within_five_minutes(sandbox: Sandbox) -> None:
    token = token_of(link(sandbox))
    seen = [states(sandbox, token)]
    for _ in range(3):
        sandbox.advance(seconds=101)
        seen.append(states(sandbox, token))
    assert seen == [
        ["SYNCING", "SYNCING", "SYNCING"],
        ["DONE", "SYNCING", "SYNCING"],
        ["DONE", "DONE", "SYNCING"],
        ["DONE", "DONE", "DONE"],
    ]


def test_a_model_that_is_syncing_first_and_done_then(sandbox: Sandbox) -> None:
    token = token_of(link(sandbox))
    first = read(sandbox, token)[0]
    started = datetime.fromisoformat(first["last_sync_start"])
    assert first == {
        "model_name": "Candidate",
        "model_id": "ats.Candidate",
        "last_sync_start": first["last_sync_start"],
        "next_sync_start": first["next_sync_start"],
        "last_sync_result": None,
        "last_sync_finished": None,
        "status": "SYNCING",
        "is_initial_sync": True,
        "selective_sync_configurations_usage": None,
    }
    assert datetime.fromisoformat(first["next_sync_start"]) - started == timedelta(days=1)
    sandbox.advance(minutes=5)
    done = read(sandbox, token)[0]
    assert (done["status"], done["last_sync_result"]) == ("DONE", "DONE")
    assert done["is_initial_sync"] is False
    took = datetime.fromisoformat(done["last_sync_finished"]) - started
    assert timedelta(0) < took <= timedelta(minutes=5)


def test_it_syncs_again_every_day(sandbox: Sandbox) -> None:
    token = token_of(link(sandbox))
    first = read(sandbox, token)[0]
    sandbox.advance(hours=48, seconds=1)
    again = read(sandbox, token)[0]
    assert (again["status"], again["is_initial_sync"]) == ("SYNCING", False)
    days = [datetime.fromisoformat(one["last_sync_start"]) for one in (first, again)]
    assert days[1] - days[0] == timedelta(days=2)
    # The last that finished is yesterday's.
    assert datetime.fromisoformat(again["last_sync_finished"]) < days[1]
    sandbox.advance(minutes=5)
    assert states(sandbox, token) == ["DONE"] * 3


def test_a_resync_begins_what_is_not_syncing(sandbox: Sandbox) -> None:
    token = token_of(link(sandbox))
    sandbox.advance(seconds=101)
    before = read(sandbox, token)
    answer = post(sandbox, RESYNC, token)
    assert answer.status == 200
    assert [one["status"] for one in answer.json] == ["SYNCING"] * 3
    assert [one["is_initial_sync"] for one in answer.json] == [False, True, True]
    began = [one["last_sync_start"] for one in answer.json]
    assert began[0] > before[0]["last_sync_start"]
    assert began[1:] == [one["last_sync_start"] for one in before[1:]]
    assert answer.json[0]["last_sync_finished"] == before[0]["last_sync_finished"]
    assert read(sandbox, token) == answer.json


def test_syncs_pause_while_relinking_is_needed(sandbox: Sandbox) -> None:
    account = link(sandbox)
    token = token_of(account)
    sandbox.advance(seconds=101)
    sandbox.relink_needed(account["id"])
    sandbox.advance(hours=30)
    paused = read(sandbox, token)
    assert [one["status"] for one in paused] == ["PAUSED"] * 3
    assert [one["is_initial_sync"] for one in paused] == [False, True, True]
    assert {one["next_sync_start"] for one in paused} == {None}
    assert [one["status"] for one in post(sandbox, RESYNC, token).json] == ["PAUSED"] * 3
    link(sandbox)
    assert states(sandbox, token) == ["SYNCING"] * 3
    assert [one["is_initial_sync"] for one in read(sandbox, token)] == [False, True, True]
    sandbox.advance(minutes=5)
    assert states(sandbox, token) == ["DONE"] * 3


def test_a_status_that_is_complete_again_lets_syncs_go_on(sandbox: Sandbox) -> None:
    account = link(sandbox)
    sandbox.set_status(account["id"], "IDLE")
    sandbox.set_status(account["id"], "RELINK_NEEDED")
    assert states(sandbox, token_of(account)) == ["PAUSED"] * 3
    sandbox.set_status(account["id"], "COMPLETE")
    assert states(sandbox, token_of(account)) == ["SYNCING"] * 3


def test_syncs_that_the_order_disables_never_begin(sandbox: Sandbox) -> None:
    token = make_link_token(sandbox, are_syncs_disabled=True)
    public = sandbox.complete_link(token, "lever")
    account = get(sandbox, f"/api/ats/v1/account-token/{public}").json
    sandbox.advance(hours=30)
    for one in [*read(sandbox, token_of(account)), *post(sandbox, RESYNC, token_of(account)).json]:
        assert (one["status"], one["is_initial_sync"]) == ("DISABLED", True)
        assert {one["last_sync_start"], one["next_sync_start"], one["last_sync_finished"]} == {None}
    link(sandbox)
    for one in read(sandbox, token_of(account)):
        assert (one["status"], one["is_initial_sync"]) == ("SYNCING", True)
        assert one["last_sync_finished"] is None


def test_syncs_that_are_disabled_later_keep_when_they_finished(sandbox: Sandbox) -> None:
    token = token_of(link(sandbox))
    sandbox.advance(minutes=5)
    finished = [one["last_sync_finished"] for one in read(sandbox, token)]
    sandbox.complete_link(make_link_token(sandbox, are_syncs_disabled=True))
    sandbox.advance(hours=30)
    for one in read(sandbox, token):
        assert (one["status"], one["is_initial_sync"]) == ("DISABLED", False)
    link(sandbox)
    assert [one["last_sync_finished"] for one in read(sandbox, token)] == finished


def test_sync_status_has_pages(sandbox: Sandbox) -> None:
    token = token_of(link(sandbox))
    first = get(sandbox, f"{STATUS}?page_size=2", token).json
    assert [one["model_name"] for one in first["results"]] == ["Candidate", "Job"]
    last = get(sandbox, f"{STATUS}?page_size=2&cursor={first['next']}", token).json
    assert [one["model_name"] for one in last["results"]] == ["Application"]
    assert last["next"] is None
    assert (
        get(sandbox, f"{STATUS}?cursor={last['previous']}", token).json["results"]
        == (first["results"])
    )
    wrong = get(sandbox, f"{STATUS}?cursor=nonsense", token)
    assert (wrong.status, wrong.json) == (404, {"detail": "Invalid cursor"})


@pytest.mark.parametrize("body", [b"{", b"[1"])
def test_a_resync_whose_body_is_no_json_is_refused(sandbox: Sandbox, body: bytes) -> None:
    token = token_of(link(sandbox))
    assert post(sandbox, RESYNC, token, body).status == 400


def test_each_account_syncs_for_itself(sandbox: Sandbox) -> None:
    early = token_of(link(sandbox))
    sandbox.advance(minutes=5)
    late = token_of(link(sandbox, "globex", "hris"))
    assert states(sandbox, early) == ["DONE"] * 3
    answer = get(sandbox, "/api/hris/v1/sync-status", late).json
    assert [one["model_id"] for one in answer["results"]] == ["hris.Employee", "hris.Team"]
    assert {one["status"] for one in answer["results"]} == {"SYNCING"}


def test_a_linked_account_that_is_gone_has_no_syncs(sandbox: Sandbox) -> None:
    token = token_of(link(sandbox))
    assert call(sandbox, b"", path="/api/ats/v1/delete-account", headers={"X-Account-Token": token})
    assert get(sandbox, STATUS, token).status == 401
