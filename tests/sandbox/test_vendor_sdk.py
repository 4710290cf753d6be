"""The vendor's own SDK against the sandbox: a real client that is not ours."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from merge.client import Merge
from merge.core.api_error import ApiError
from merge.resources.ats.types import (
    AccountDetails,
    AccountToken,
    PaginatedAccountDetailsAndActionsList,
)

from linked import get, make_public_token
from merge_link.sandbox import Sandbox
from plain_http import GOOD, PATIENCE

Make = Callable[..., Merge]
ONCE: Any = {"max_retries": 0}


@pytest.fixture
def sdk(sandbox: Sandbox) -> Iterator[Make]:
    with httpx.Client(timeout=PATIENCE) as connections:

        def make(**options: Any) -> Merge:
            ours = {"base_url": sandbox.base_url, "api_key": sandbox.api_key}
            return Merge(**{**ours, **options}, httpx_client=connections)

        yield make


def link(sandbox: Sandbox, merge: Merge, origin_id: str) -> Any:
    made = merge.ats.link_token.create(**{**GOOD, "end_user_origin_id": origin_id})
    return merge.ats.account_token.retrieve(sandbox.complete_link(made.link_token, "greenhouse"))


def test_linking_from_the_order_to_the_deletion(sandbox: Sandbox, sdk: Make) -> None:
    merge = sdk()
    made = merge.ats.link_token.create(
        **GOOD, link_expiry_mins=60, should_create_magic_link_url=True, language="de"
    )
    assert made.integration_name is None
    assert made.magic_link_url is not None
    public = sandbox.complete_link(made.link_token, "greenhouse")
    account = merge.ats.account_token.retrieve(public)
    assert account.integration.slug == "greenhouse"

    own = sdk(account_token=account.account_token)
    details = own.ats.account_details.retrieve()
    assert (details.id, details.integration) == (account.id, "Greenhouse")
    assert details.status == "COMPLETE"
    assert details.completed_at is not None
    assert details.completed_at.tzinfo is not None
    again = merge.ats.link_token.create(**GOOD)
    assert again.integration_name == "Greenhouse"

    renewed = own.ats.account_token.regenerate_create()
    assert renewed.linked_account_id == account.id
    own = sdk(account_token=renewed.account_token)
    assert own.ats.delete_account.delete() is None  # type: ignore[func-returns-value]
    assert merge.ats.linked_accounts.list().results == []


def test_linked_accounts_by_pages_and_filters(sandbox: Sandbox, sdk: Make) -> None:
    merge = sdk()
    ids = [link(sandbox, merge, f"user-{number}").id for number in range(5)]
    found, cursor, sizes = [], None, []
    while True:
        page = merge.ats.linked_accounts.list(page_size=2, cursor=cursor)
        assert page.results is not None
        found += [account.id for account in page.results]
        sizes.append(len(page.results))
        cursor = page.next
        if cursor is None:
            break
    assert (found, sizes) == (ids, [2, 2, 1])
    assert page.previous is not None
    (one,) = (
        merge.ats.linked_accounts.list(
            category="ats",
            end_user_origin_ids="user-3,user-4",
            id=ids[3],
            include_duplicates=False,
            integration_name="Greenhouse",
            is_test_account="true",
            status="COMPLETE",
        ).results
        or ()
    )
    assert (one.id, one.category, one.status) == (ids[3], "ats", "COMPLETE")
    assert one.integration is not None
    assert (one.integration.slug, one.integration.passthrough_available) == ("greenhouse", True)


@pytest.mark.parametrize(
    ("provoke", "status", "body"),
    [
        (
            lambda merge: merge.ats.link_token.create(
                **{**GOOD, "end_user_origin_id": ""}, request_options=ONCE
            ),
            400,
            {"end_user_origin_id": ["This field may not be blank."]},
        ),
        (
            lambda merge: merge.ats.account_details.retrieve(request_options=ONCE),
            401,
            {"detail": "Account Token must be passed in as an X-Account-Token header."},
        ),
        (
            lambda merge: merge.ats.account_token.retrieve("x", request_options=ONCE),
            404,
            {"detail": "Not found."},
        ),
    ],
)
def test_its_own_error_tells_what_was_refused(
    sdk: Make, provoke: Callable[[Merge], object], status: int, body: object
) -> None:
    with pytest.raises(ApiError) as caught:
        provoke(sdk())
    assert (caught.value.status_code, caught.value.body) == (status, body)


def test_its_own_error_tells_of_a_wrong_key(sdk: Make) -> None:
    with pytest.raises(ApiError) as caught:
        sdk(api_key="test_wrong").ats.linked_accounts.list(request_options=ONCE)
    assert (caught.value.status_code, caught.value.body) == (401, {"detail": "Invalid token."})


def test_its_own_error_tells_that_it_called_too_often(sandbox: Sandbox, sdk: Make) -> None:
    sandbox.throttle(1)
    sdk().ats.link_token.create(**GOOD)
    with pytest.raises(ApiError) as caught:
        sdk().ats.link_token.create(**GOOD, request_options=ONCE)
    assert caught.value.status_code == 429
    assert caught.value.headers is not None
    assert int(caught.value.headers["retry-after"]) in (59, 60)


def test_its_models_find_all_that_they_require_and_nothing_unknown(sandbox: Sandbox) -> None:
    """The SDK fills its models unchecked, so they are asked to check here."""
    public = make_public_token(sandbox)
    token = get(sandbox, f"/api/ats/v1/account-token/{public}").json
    details = get(sandbox, "/api/ats/v1/account-details", token["account_token"]).json
    page = get(sandbox, "/api/ats/v1/linked-accounts").json
    exchanged = AccountToken.model_validate(token)
    listed = PaginatedAccountDetailsAndActionsList.model_validate(page)
    (account,) = listed.results or ()
    parts = [exchanged, exchanged.integration, AccountDetails.model_validate(details)]
    for part in [*parts, listed, account, account.integration]:
        assert part is not None
        assert part.model_extra == {}
