"""Values that many tests start from."""

from typing import Any

KEY = "test_4eC39HqLyjWDarjtT1zdp7dc"
TOKEN = "necdP7FtdASl1fQwm62be2_dM4wBG8_GactqoUV0"

FIELDS: dict[str, Any] = {
    "end_user_email_address": "hr@acme.example",
    "end_user_organization_name": "Acme",
    "end_user_origin_id": "acme-42",
    "categories": ["ats"],
}
# What is sent for FIELDS.
BODY = (
    b'{"end_user_email_address":"hr@acme.example","end_user_organization_name":"Acme",'
    b'"end_user_origin_id":"acme-42","categories":["ats"],"link_expiry_mins":30}'
)

EVERY_FIELD: dict[str, Any] = {
    **FIELDS,
    "categories": ["hris", "ats"],
    "integration": "greenhouse",
    "link_expiry_mins": 10080,
    "should_create_magic_link_url": True,
    "hide_admin_magic_link": False,
    "common_models": [
        {"model_id": "hris.Employee", "enabled_actions": ["READ"], "disabled_fields": ["ssn"]}
    ],
    "category_common_model_scopes": {
        "ats": [
            {
                "model_name": "Candidate",
                "model_permissions": {"READ": {"is_enabled": True}},
                "field_permissions": {"enabled_fields": ["first_name"], "disabled_fields": []},
            }
        ]
    },
    "language": "de",
    "are_syncs_disabled": True,
    "integration_specific_config": {"floats": 0.1, "huge": 2**70, "deep": [None, {"é": "\n"}]},
    "completed_account_initial_screen": "SELECTIVE_SYNC",
    "linked_destination_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "credential_id": "3FA85F64-5717-4562-B3FC-2C963F66AFA6",
    "ekm_enabled": True,
}
