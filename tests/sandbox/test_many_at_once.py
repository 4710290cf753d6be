"""Many requests at once: no answer is lost, none is given to another."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from linked import get, link, order, post
from merge_link.sandbox import Sandbox
from plain_http import PATIENCE, call

REQUESTS, THREADS = 500, 50


@pytest.mark.parametrize("kept", ["memory", "file"])
def test_500_end_users_link_at_once(kept: str, tmp_path: Path) -> None:
    together = threading.Barrier(THREADS)
    with Sandbox(db=tmp_path / "sandbox.db" if kept == "file" else None) as sandbox:

        def link(number: int) -> tuple[str, str]:
            if number < THREADS:
                together.wait(PATIENCE)
            origin_id = f"user-{number}"
            made = call(sandbox, order(origin_id, end_user_organization_name=f"Org {number}"))
            public = sandbox.complete_link(made.json["link_token"], "lever")
            account = get(sandbox, f"/api/ats/v1/account-token/{public}").json
            details = get(sandbox, "/api/ats/v1/account-details", account["account_token"]).json
            assert details["id"] == account["id"]
            assert details["end_user_origin_id"] == origin_id
            assert details["end_user_organization_name"] == f"Org {number}"
            return origin_id, account["id"]

        with ThreadPoolExecutor(THREADS) as pool:
            linked = dict(pool.map(link, range(REQUESTS)))
        assert len(set(linked.values())) == REQUESTS
        assert len(sandbox.requests) == 3 * REQUESTS

        listed: dict[str, str] = {}
        cursor = ""
        while cursor is not None:
            path = f"/api/ats/v1/linked-accounts?page_size=100&cursor={cursor.replace('=', '%3D')}"
            page = get(sandbox, path).json
            listed |= {one["end_user_origin_id"]: one["id"] for one in page["results"]}
            cursor = page["next"]
        assert listed == linked


def test_500_requests_of_one_end_user_make_one_account(sandbox: Sandbox) -> None:
    together = threading.Barrier(THREADS)

    def link(number: int) -> str:
        if number < THREADS:
            together.wait(PATIENCE)
        token = call(sandbox, order("acme-42")).json["link_token"]
        public = sandbox.complete_link(token, "lever")
        account_id: str = get(sandbox, f"/api/ats/v1/account-token/{public}").json["id"]
        return account_id

    with ThreadPoolExecutor(THREADS) as pool:
        assert len(set(pool.map(link, range(REQUESTS)))) == 1


def test_many_do_everything_to_one_account_at_once(sandbox: Sandbox) -> None:
    account = link(sandbox)
    token, at = account["account_token"], "/api/ats/v1/"
    together = threading.Barrier(THREADS)

    def use(number: int) -> tuple[str, str]:
        together.wait(PATIENCE)
        key = post(sandbox, f"{at}generate-key", body={"name": "a"}).json["key"]
        headers = {"Authorization": f"Bearer {key}"}
        assert call(sandbox, b"", method="GET", path=f"{at}issues", headers=headers).status == 200
        issue = sandbox.raise_issue(account["id"], "The same for all.")
        post(sandbox, f"{at}sync-status/resync", token)
        receiver = {"event": str(number), "is_active": True}
        assert post(sandbox, f"{at}webhook-receivers", token, receiver).status == 200
        assert len(get(sandbox, f"{at}candidates?page_size=100", token).json["results"]) == 100
        return key, issue

    with ThreadPoolExecutor(THREADS) as pool:
        keys, issues = zip(*pool.map(use, range(THREADS)), strict=True)
    assert (len(set(keys)), len(set(issues))) == (THREADS, 1)
    receivers = get(sandbox, f"{at}webhook-receivers", token).json
    assert {one["event"] for one in receivers} == {str(number) for number in range(THREADS)}
    trail = get(sandbox, f"{at}audit-trail?page_size=100").json["results"]
    assert len(trail) == 2 * THREADS
