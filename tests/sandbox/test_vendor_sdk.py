"""The vendor's own SDK against the sandbox: a real client that is not ours."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from merge.client import Merge
from merge.core.api_error import ApiError
from merge.resources.accounting import types as accounting
from merge.resources.ats import types as ats
from merge.resources.ats.types import (
    AccountDetails,
    AccountToken,
    DataPassthroughRequest,
    IgnoreCommonModelRequest,
    IndividualCommonModelScopeDeserializerRequest,
    MethodEnum,
    PaginatedAccountDetailsAndActionsList,
    ReasonEnum,
)
from merge.resources.crm import types as crm
from merge.resources.filestorage import types as filestorage
from merge.resources.hris import types as hris
from merge.resources.knowledgebase import types as knowledgebase
from merge.resources.ticketing import types as ticketing
from pydantic import BaseModel

from linked import get, make_public_token, post
from linked import link as linked
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


def test_all_that_is_done_with_a_linked_account(sandbox: Sandbox, sdk: Make) -> None:
    merge = sdk()
    account = link(sandbox, merge, "acme-42")
    own = sdk(account_token=account.account_token).ats
    assert own.webhook_receivers.list() == []
    own.webhook_receivers.create(event="Candidate.added", is_active=True)
    assert [one.event for one in own.webhook_receivers.list()] == ["Candidate.added"]

    assert [one.status for one in own.sync_status.list().results or ()] == ["SYNCING"] * 3
    sandbox.advance(minutes=6)
    assert [one.status for one in own.sync_status.list().results or ()] == ["DONE"] * 3
    assert [one.status for one in own.force_resync.sync_status_resync_create()] == ["SYNCING"] * 3

    asked = DataPassthroughRequest(method=MethodEnum.GET, path="/scorecards")
    assert own.passthrough.create(request=asked).response["path"] == "/scorecards"
    receipt = own.async_passthrough.create(request=asked).async_passthrough_receipt_id
    assert isinstance(own.async_passthrough.retrieve(receipt), str)
    sandbox.advance(seconds=1)
    there = own.async_passthrough.retrieve(receipt)
    assert not isinstance(there, str)
    assert (there.status, there.response_type) == (200, "JSON")

    job = IndividualCommonModelScopeDeserializerRequest(model_name="Job")
    assert len(own.scopes.default_scopes_retrieve().common_models) == 3
    assert len(own.scopes.linked_account_scopes_create(common_models=[job]).common_models) == 3
    assert len(own.scopes.linked_account_scopes_retrieve().common_models) == 3

    made = own.field_mapping.field_mappings_create(
        target_field_name="hair_color",
        target_field_description="Color of the hair",
        remote_field_traversal_path=["hair"],
        remote_method="GET",
        remote_url_path="/people",
        common_model_name="Candidate",
    )
    assert made.model.id is not None
    changed = own.field_mapping.field_mappings_partial_update(made.model.id, jmes_path="a.b")
    assert changed.model.jmes_path == "a.b"
    assert len(own.field_mapping.field_mappings_retrieve().candidate or ()) == 1
    assert (own.field_mapping.target_fields_retrieve().candidate or ())[0].is_mapped == "true"
    assert (own.field_mapping.remote_fields_retrieve(common_models="Job").job or ())[0].schema_
    assert own.available_actions.retrieve().passthrough_available

    page = own.candidates.list(page_size=100, created_after=datetime(2024, 1, 2, tzinfo=UTC))
    first = (page.results or ())[0]
    assert first.id is not None
    assert own.candidates.retrieve(first.id) == first
    own.candidates.ignore_create(
        first.id, request=IgnoreCommonModelRequest(reason=ReasonEnum.GDPR, message="asked")
    )
    assert own.candidates.retrieve(first.id).first_name is None
    everyone = 0
    cursor = None
    while everyone == 0 or cursor:
        jobs = own.jobs.list(page_size=90, cursor=cursor)
        everyone, cursor = everyone + len(jobs.results or ()), jobs.next
    assert everyone == 200


def test_all_that_is_done_with_a_key(sandbox: Sandbox, sdk: Make) -> None:
    merge = sdk().ats
    account = link(sandbox, sdk(), "acme-42")
    id = sandbox.raise_issue(account.id, "No permission.")
    since = datetime(2024, 1, 1, tzinfo=UTC)
    page = merge.issues.list(status="ONGOING", first_incident_time_after=since)
    assert [one.id for one in page.results or ()] == [id]
    assert merge.issues.retrieve(id).error_description == "No permission."
    made = merge.generate_key.create(name="backend")
    assert sdk(api_key=made.key).ats.issues.retrieve(id).status == "ONGOING"
    assert merge.regenerate_key.create(name="backend").key != made.key
    trail = merge.audit_trail.list(event_type="DELETED_TEST_API_KEY").results or ()
    assert [(one.role, one.ip_address) for one in trail] == [("API", "127.0.0.1")]


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


def unknown_members(found: Any) -> list[str]:
    """What their models do not know, in all of an answer."""
    if isinstance(found, list):
        return [name for one in found for name in unknown_members(one)]
    if not isinstance(found, BaseModel):
        return []
    parts = [getattr(found, name) for name in type(found).model_fields]
    return [*(found.model_extra or {}), *(name for part in parts for name in unknown_members(part))]


MODELS: dict[str, type[BaseModel]] = {
    "sync-status": ats.PaginatedSyncStatusList,
    "issues": ats.PaginatedIssueList,
    "audit-trail": ats.PaginatedAuditLogEventList,
    "available-actions": ats.AvailableActions,
    "linked-account-scopes": ats.CommonModelScopeApi,
    "default-scopes": ats.CommonModelScopeApi,
    "field-mappings": ats.FieldMappingApiInstanceResponse,
    "remote-fields?include_example_values=true": ats.RemoteFieldApiResponse,
    "target-fields": ats.ExternalTargetFieldApiResponse,
    "candidates": ats.PaginatedCandidateList,
    "jobs": ats.PaginatedJobList,
    "applications": ats.PaginatedApplicationList,
    "/hris/employees": hris.PaginatedEmployeeList,
    "/hris/teams": hris.PaginatedTeamList,
    "/accounting/invoices": accounting.PaginatedInvoiceList,
    "/accounting/contacts": accounting.PaginatedContactList,
    "/crm/contacts": crm.PaginatedContactList,
    "/crm/accounts": crm.PaginatedAccountList,
    "/ticketing/tickets": ticketing.PaginatedTicketList,
    "/ticketing/users": ticketing.PaginatedUserList,
    "/filestorage/files": filestorage.PaginatedFileList,
    "/filestorage/folders": filestorage.PaginatedFolderList,
    "/knowledgebase/articles": knowledgebase.PaginatedArticleList,
    "/knowledgebase/containers": knowledgebase.PaginatedContainerList,
}


@pytest.mark.parametrize("path", MODELS)
def test_its_models_know_all_of_an_answer(sandbox: Sandbox, path: str) -> None:
    _, category, rest = path.split("/") if path[0] == "/" else ("", "ats", path)
    token = linked(sandbox, "acme-42", category, integration="acme-all")["account_token"]
    sandbox.raise_issue(token, "No permission.", details=["403"])
    post(sandbox, "/api/ats/v1/generate-key", body={"name": "a"})
    if category == "ats":
        mapping = {
            "remote_field_traversal_path": ["hair"],
            "remote_method": "GET",
            "remote_url_path": "/people",
            "common_model_name": "Candidate",
        }
        assert post(sandbox, "/api/ats/v1/field-mappings", token, mapping).status == 201
    answer = get(sandbox, f"/api/{category}/v1/{rest}", token)
    assert answer.status == 200
    found = MODELS[path].model_validate(answer.json)
    assert unknown_members(found) == []
