"""A call of every operation: what is given, what goes over the wire, what comes back."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple
from urllib.parse import urlencode

from answers import FULL
from scripted import answer

ACCOUNT = "acct_9fK2mVb7Qx0LzRtYw3"
PUBLIC = "pub_KAsv7DDgGjUqiHiLL3dMvTZs"
WEBHOOK_KEY = "whk_27182818284590452353"
ID = "018bfbb0-0c8e-7e2a-9d6a-7f2b3c4d5e6f"

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOON_ELSEWHERE = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
SCOPES = FULL["Scopes"]["common_models"]


class Case(NamedTuple):
    """One call. ``target`` is what stands behind the base URL, ``body`` what is sent as JSON."""

    name: str
    method: str
    target: str
    arguments: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}  # noqa: RUF012 (a tuple's)
    body: Any = None
    answers: Any = None  # the class of the result, or of the items
    sent: Any = None  # what the server says; FULL of that class by default
    status: int = 200

    @property
    def answer(self) -> bytes:
        if self.status == 204:
            return answer(204)
        return answer(self.status, self.said)

    @property
    def said(self) -> Any:
        return FULL[self.answers] if self.sent is None else self.sent


def page_of(*items: Any, following: str | None = None) -> dict[str, Any]:
    return {"next": following, "previous": None, "results": list(items)}


MAPPING = {
    "remote_field_traversal_path": ["custom", 0, "hobby"],
    "remote_method": "GET",
    "remote_url_path": "/people",
    "common_model_name": "Employee",
    "target_field_name": "hobby",
    "target_field_description": "What they like",
    "organization_wide_target_field": True,
    "is_integration_wide": False,
    "jmes_path": "a.b",
    "advanced_mapping_expression": "upper(a)",
}
PASSTHROUGH = {
    "method": "POST",
    "path": "/people?x=1",
    "base_url_override": "https://other.example",
    "data": [1, 2.5, {"é": None}, 2**70],
    "multipart_form_data": [{"name": "f", "data": "x"}],
    "headers": {"Authorization": "Basic abc"},
    "request_format": "JSON",
    "normalize_response": True,
}

CASES = [
    Case(
        *("retrieve_account_token", "GET", f"/ats/v1/account-token/{PUBLIC}", (PUBLIC,)),
        answers="AccountToken",
    ),
    Case(
        *("regenerate_account_token", "POST", "/ats/v1/account-token/regenerate"),
        answers="RegeneratedAccountToken",
    ),
    Case("account_details", "GET", "/ats/v1/account-details", answers="AccountDetails"),
    Case(
        *("linked_accounts", "GET"),
        "/hris/v1/linked-accounts?"
        + urlencode(
            {
                "category": "hris",
                "cursor": "c=&",
                "end_user_email_address": "hr+x@acme.example",
                "end_user_organization_name": "Acme & Söhne",
                "end_user_origin_id": "acme-42",
                "end_user_origin_ids": "a,b c",
                "id": ID,
                "ids": f"{ID},2",
                "include_duplicates": "true",
                "integration_name": "Green/house",
                "is_test_account": "false",
                "page_size": "100",
                "status": "RELINK_NEEDED",
            }
        ).replace("+", "%20"),
        keywords={
            "category": "hris",
            "cursor": "c=&",
            "end_user_email_address": "hr+x@acme.example",
            "end_user_organization_name": "Acme & Söhne",
            "end_user_origin_id": "acme-42",
            "end_user_origin_ids": ["a", "b c"],
            "id": ID,
            "ids": (ID, "2"),
            "include_duplicates": True,
            "integration_name": "Green/house",
            "is_test_account": False,
            "page_size": 100,
            "status": "RELINK_NEEDED",
        },
        answers="LinkedAccount",
        sent=page_of(FULL["LinkedAccount"]),
    ),
    Case("delete_account", "POST", "/ats/v1/delete-account", sent={}),
    Case(
        *("generate_key", "POST", "/ats/v1/generate-key", ("backend",)),
        body={"name": "backend"},
        answers="RemoteKey",
    ),
    Case(
        *("regenerate_key", "POST", "/ats/v1/regenerate-key", ("backend",)),
        body={"name": "backend"},
        answers="RemoteKey",
    ),
    Case(
        *("sync_status", "GET", "/ats/v1/sync-status?cursor=c&page_size=1"),
        keywords={"cursor": "c", "page_size": 1},
        answers="SyncStatus",
        sent=page_of(FULL["SyncStatus"]),
    ),
    Case(
        *("force_resync", "POST", "/ats/v1/sync-status/resync"),
        answers="SyncStatus",
        sent=[FULL["SyncStatus"]],
    ),
    Case("default_scopes", "GET", "/ats/v1/default-scopes", answers="Scopes"),
    Case("linked_account_scopes", "GET", "/ats/v1/linked-account-scopes", answers="Scopes"),
    Case(
        *("set_linked_account_scopes", "POST", "/ats/v1/linked-account-scopes", (SCOPES,)),
        body={"common_models": SCOPES},
        answers="Scopes",
    ),
    Case(
        *("issues", "GET"),
        "/ats/v1/issues?"
        + urlencode(
            {
                "account_token": ACCOUNT,
                "cursor": "c",
                "end_date": "2026-01-31T12:00:00Z",
                "end_user_organization_name": "Acme",
                "first_incident_time_after": "2026-01-31T12:00:00Z",
                "first_incident_time_before": "2026-01-31T12:00:00.000001Z",
                "include_muted": "true",
                "integration_name": "Greenhouse",
                "last_incident_time_after": "2026-01-31T12:00:00+05:30",
                "last_incident_time_before": "2026-01-31T12:00:00Z",
                "linked_account_id": ID,
                "page_size": "5",
                "start_date": "2026-01-31T12:00:00Z",
                "status": "ONGOING",
            }
        ),
        keywords={
            "account_token": ACCOUNT,
            "cursor": "c",
            "end_date": NOON,
            "end_user_organization_name": "Acme",
            "first_incident_time_after": NOON_ELSEWHERE,
            "first_incident_time_before": NOON.replace(microsecond=1),
            "include_muted": True,
            "integration_name": "Greenhouse",
            "last_incident_time_after": "2026-01-31T12:00:00+05:30",
            "last_incident_time_before": NOON,
            "linked_account_id": ID,
            "page_size": 5,
            "start_date": NOON,
            "status": "ONGOING",
        },
        answers="Issue",
        sent=page_of(FULL["Issue"]),
    ),
    Case("issue", "GET", f"/ats/v1/issues/{ID}", (ID,), answers="Issue"),
    Case(
        *("passthrough", "POST", "/ats/v1/passthrough"),
        keywords=PASSTHROUGH,
        body=PASSTHROUGH,
        answers="PassthroughResponse",
    ),
    Case(
        *("async_passthrough", "POST", "/ats/v1/async-passthrough"),
        keywords={"method": "GET", "path": "/people", "data": "plain text"},
        body={"method": "GET", "path": "/people", "data": "plain text"},
        answers="AsyncPassthroughReceipt",
    ),
    Case(
        *("async_passthrough_result", "GET", "/ats/v1/async-passthrough/r-1", ("r-1",)),
        answers="PassthroughResponse",
    ),
    Case(
        *("webhook_receivers", "GET", "/ats/v1/webhook-receivers"),
        answers="WebhookReceiver",
        sent=[FULL["WebhookReceiver"]] * 2,
    ),
    Case(
        *("create_webhook_receiver", "POST", "/ats/v1/webhook-receivers"),
        keywords={"event": "candidate.changed", "is_active": True, "key": WEBHOOK_KEY},
        body={"event": "candidate.changed", "is_active": True, "key": WEBHOOK_KEY},
        answers="WebhookReceiver",
    ),
    Case("available_actions", "GET", "/ats/v1/available-actions", answers="AvailableActions"),
    Case(
        *("field_mappings", "GET", "/ats/v1/field-mappings?exclude_remote_field_metadata=true"),
        keywords={"exclude_remote_field_metadata": True},
        answers="FieldMappings",
    ),
    Case(
        *("create_field_mapping", "POST"),
        "/ats/v1/field-mappings?exclude_remote_field_metadata=false&remote_data_iteration_count=3",
        keywords={
            **MAPPING,
            "exclude_remote_field_metadata": False,
            "remote_data_iteration_count": 3,
        },
        body=MAPPING,
        answers="FieldMappingResult",
        status=201,
    ),
    Case(
        *("update_field_mapping", "PATCH", "/ats/v1/field-mappings/m-1", ("m-1",)),
        {"jmes_path": "b"},
        {"jmes_path": "b"},
        answers="FieldMappingResult",
    ),
    Case(
        *("delete_field_mapping", "DELETE", "/ats/v1/field-mappings/m-1", ("m-1",)),
        status=204,
    ),
    Case(
        *("remote_fields", "GET"),
        "/ats/v1/remote-fields?common_models=Employee%2CTeam&include_example_values=true",
        keywords={"common_models": ["Employee", "Team"], "include_example_values": True},
        answers="RemoteFields",
    ),
    Case("target_fields", "GET", "/ats/v1/target-fields", answers="TargetFields"),
    Case(
        *("create_target_field", "POST", "/ats/v1/target-fields"),
        keywords={"name": "hobby", "description": "It", "common_model": "Employee"},
        body={"name": "hobby", "description": "It", "common_model": "Employee"},
        answers="TargetFields",
    ),
    Case(
        *("audit_trail", "GET"),
        "/ats/v1/audit-trail?"
        + urlencode(
            {
                "cursor": "c",
                "end_date": "2026-01-31T12:00:00Z",
                "event_type": "INVITED_USER",
                "page_size": "7",
                "start_date": "2026-01-01T00:00:00Z",
                "user_email": "ada@acme.example",
            }
        ),
        keywords={
            "cursor": "c",
            "end_date": NOON,
            "event_type": "INVITED_USER",
            "page_size": 7,
            "start_date": "2026-01-01T00:00:00Z",
            "user_email": "ada@acme.example",
        },
        answers="AuditEvent",
        sent=page_of(FULL["AuditEvent"]),
    ),
    Case(
        *("ignore", "POST", f"/ats/v1/candidates/ignore/{ID}", ("candidates", ID, "GDPR", "bye")),
        body={"reason": "GDPR", "message": "bye"},
        sent={"whatever": 1},
    ),
    Case(
        *("request", "PUT"),
        "/ats/v1/candidates/5?flag=true&ids=a%2Cb&ratio=0.1&since=2026-01-31T12%3A00%3A00Z",
        ("PUT", "/ats/v1/candidates/5"),
        {
            "params": {"flag": True, "ids": ["a", "b"], "none": None, "ratio": 0.1, "since": NOON},
            "json": {"big": 2**70, "float": 0.1, "é": [None]},
            "headers": {"X-Mine": "1"},
        },
        {"big": 2**70, "float": 0.1, "é": [None]},
        answers="RawResponse",
        sent={"big": 2**70, "float": 0.1},
    ),
    Case(
        *("paginate", "GET", "/ats/v1/candidates?expand=applications", ("/ats/v1/candidates",)),
        {"params": {"expand": "applications"}},
        sent=page_of({"id": "1"}, {"id": "2"}),
    ),
]
BY_NAME = {case.name: case for case in CASES}


class Request(NamedTuple):
    """A request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


def parsed(request: bytes) -> Request:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    method, target, version = line.split(" ")
    assert version in ("HTTP/1.1", "HTTP/2")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
    assert len(headers) == len(lines)
    return Request(method, target, headers, body)
