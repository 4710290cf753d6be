"""Answers of Merge's endpoints, as the core hands them over to `merge_link.results`."""

import json
import struct
from typing import Any

from merge_link.results import from_core

SECRET = "s3cret-zH7dP1"
TIME = "2026-01-31T12:00:00.250000Z"

INTEGRATION: dict[str, Any] = {
    "name": "Greenhouse",
    "slug": "greenhouse",
    "abbreviated_name": "GH",
    "categories": ["ats", "hris"],
    "image": "https://cdn.example/g.png",
    "square_image": "https://cdn.example/gs.png",
    "color": "#24A47F",
    "api_endpoints_to_documentation_urls": {"GET /jobs": "https://docs.example/jobs"},
    "webhook_setup_guide_url": "https://docs.example/webhooks",
    "passthrough_available": True,
    "available_model_operations": [
        {
            "model_name": "Candidate",
            "available_operations": ["FETCH", "CREATE"],
            "required_post_parameters": ["remote_user_id"],
            "supported_fields": ["first_name"],
        }
    ],
}
END_USER: dict[str, Any] = {
    "end_user_origin_id": "acme-42",
    "end_user_organization_name": "Acme",
    "end_user_email_address": "hr@acme.example",
}
LISTENER = f"https://api.merge.dev/api/integrations/webhook-listener/{SECRET}"
REMOTE_FIELD: dict[str, Any] = {
    "remote_key_name": "hobby",
    "schema": {"type": "string"},
    "remote_endpoint_info": {
        "method": "GET",
        "url_path": "/people",
        "field_traversal_path": ["custom", 0, "hobby"],
    },
    "example_values": ["chess", 5],
    "advanced_metadata": {"is_custom": True},
    "coverage": 0.75,
}
TARGET_FIELD: dict[str, Any] = {
    "name": "hobby",
    "description": "What they like",
    "is_organization_wide": False,
    "is_mapped": True,
}
MAPPING: dict[str, Any] = {
    "id": "m-1",
    "is_integration_wide": True,
    "target_field": TARGET_FIELD,
    "remote_field": REMOTE_FIELD,
    "jmes_path": "a.b",
    "advanced_mapping_expression": "upper(a)",
}
PROBLEM = {
    "title": "Missing",
    "detail": "no such path",
    "problem_type": "MISSING",
    "source": {"pointer": "/model"},
}

# Every member that the types know.
FULL: dict[str, dict[str, Any]] = {
    "AccountToken": {"account_token": SECRET, "id": "a-1", "integration": INTEGRATION},
    "RegeneratedAccountToken": {"linked_account_id": "a-1", "account_token": SECRET},
    "AccountDetails": {
        "id": "a-1",
        "integration": "Greenhouse",
        "integration_slug": "greenhouse",
        "category": "ats",
        **END_USER,
        "status": "COMPLETE",
        "webhook_listener_url": LISTENER,
        "is_duplicate": False,
        "account_type": "TEST",
        "completed_at": TIME,
        "instance_id": "i-1",
        "instance_display_value": "Acme's",
    },
    "LinkedAccount": {
        "id": "a-1",
        "category": "ats",
        "status": "RELINK_NEEDED",
        "status_detail": "password",
        **END_USER,
        "subdomain": "acme",
        "webhook_listener_url": LISTENER,
        "is_duplicate": True,
        "integration": INTEGRATION,
        "account_type": "PRODUCTION",
        "completed_at": TIME,
        "integration_specific_fields": {"token": SECRET},
    },
    "AvailableActions": {
        "integration": INTEGRATION,
        "passthrough_available": False,
        "available_model_operations": INTEGRATION["available_model_operations"],
    },
    "Scopes": {
        "common_models": [
            {
                "model_name": "Employee",
                "model_permissions": {"READ": {"is_enabled": True}},
                "field_permissions": {"enabled_fields": ["hobby"], "disabled_fields": ["ssn"]},
            }
        ]
    },
    "SyncStatus": {
        "model_name": "Candidate",
        "model_id": "ats.Candidate",
        "status": "SYNCING",
        "is_initial_sync": True,
        "last_sync_start": TIME,
        "last_sync_finished": TIME,
        "last_sync_result": "DONE",
        "next_sync_start": TIME,
        "selective_sync_configurations_usage": "IN_NEXT_SYNC",
    },
    "Issue": {
        "id": "i-1",
        "status": "ONGOING",
        "error_description": "Missing permissions",
        "end_user": {"organization_name": "Acme"},
        "first_incident_time": TIME,
        "last_incident_time": TIME,
        "is_muted": False,
        "error_details": ["jobs"],
    },
    "PassthroughResponse": {
        "status": 200,
        "method": "GET",
        "path": "/people",
        "response": {"people": [{"token": SECRET}]},
        "response_headers": {"Set-Cookie": SECRET},
        "response_type": "JSON",
        "headers": {"Authorization": SECRET},
    },
    "AsyncPassthroughReceipt": {"async_passthrough_receipt_id": "r-1"},
    "RemoteKey": {"name": "backend", "key": SECRET},
    "WebhookReceiver": {"event": "candidate.changed", "is_active": True, "key": SECRET},
    "AuditEvent": {
        "id": "e-1",
        "event_type": "CREATED_LINKED_ACCOUNT",
        "event_description": "created one",
        "user_name": "Ada",
        "user_email": "ada@acme.example",
        "role": "ADMIN",
        "ip_address": "192.0.2.1",
        "created_at": TIME,
    },
    "FieldMappings": {"Employee": [MAPPING], "Team": []},
    "RemoteFields": {"Employee": [REMOTE_FIELD]},
    "TargetFields": {"Employee": [TARGET_FIELD]},
    "FieldMappingResult": {
        "model": MAPPING,
        "warnings": [PROBLEM],
        "errors": [],
        "logs": [{"status": 200}],
    },
}

# The members that must be there.
REQUIRED: dict[str, dict[str, Any]] = {
    "AccountToken": {
        "account_token": SECRET,
        "id": "a-1",
        "integration": {"name": "Greenhouse"},
    },
    "RegeneratedAccountToken": FULL["RegeneratedAccountToken"],
    "AccountDetails": {"id": "a-1"},
    "LinkedAccount": {"id": "a-1"},
    "AvailableActions": {},
    "Scopes": {"common_models": []},
    "SyncStatus": {"model_name": "Candidate", "model_id": "ats.Candidate"},
    "Issue": {"id": "i-1"},
    "PassthroughResponse": {"status": 200},
    "AsyncPassthroughReceipt": FULL["AsyncPassthroughReceipt"],
    "RemoteKey": FULL["RemoteKey"],
    "WebhookReceiver": {"event": "candidate.changed", "is_active": True},
    "AuditEvent": {"id": "e-1", "event_type": "CREATED_LINKED_ACCOUNT"},
    "FieldMappings": {},
    "RemoteFields": {},
    "TargetFields": {},
    "FieldMappingResult": {},
}


def facts_of(*lines: str, status: int = 200, attempts: int = 1) -> bytes:
    """Return the facts of an answer, as csrc/binding/result.c packs them."""
    known = struct.pack("dq5diI", 1.0, 0, 0.1, 0.2, 0.3, 0.4, 0.5, status, attempts)
    return known + "".join(f"{line}\r\n" for line in lines).encode()


def read(answer: str, result: str | None, sent: Any, query: Any = None, **facts: Any) -> Any:
    """Return the result of an answer: of bytes, or of what json.dumps makes of it."""
    body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    return from_core(answer, result, body, facts_of("X-Request-Id: r-1", **facts), query, True)
