"""What Merge demands of the bodies of all requests but a link token's, as tables.

Source: https://docs.merge.dev, and the vendor's published descriptions.
"""

from merge_link.sandbox.fields import (
    AnyObject,
    Anything,
    Choice,
    Field,
    Flag,
    Items,
    Record,
    Records,
    Text,
)
from merge_link.sandbox.rules import MODEL_SCOPE

NAME = Record(fields={"name": Text(required=True)})
"""Of ``generate-key`` and ``regenerate-key``."""

SCOPES = Record(fields={"common_models": Records(required=True, record=MODEL_SCOPE)})
"""Of ``linked-account-scopes``."""

RECEIVER = Record(
    fields={
        "event": Text(required=True),
        "is_active": Flag(required=True),
        "key": Text(nullable=True),
    }
)
"""Of ``webhook-receivers``."""

TARGET_FIELD = Record(
    fields={
        "name": Text(required=True),
        "description": Text(nullable=True),
        "common_model": Text(required=True),
    }
)
"""Of ``target-fields``."""

IGNORE = Record(
    fields={
        "reason": Choice(
            required=True, choices=frozenset({"GENERAL_CUSTOMER_REQUEST", "GDPR", "OTHER"})
        ),
        "message": Text(nullable=True),
    }
)
"""Of ``{model}/ignore/{model_id}``."""

_FORM_FIELD = Record(
    fields={
        "name": Text(required=True),
        "data": Anything(required=True),
        "encoding": Choice(nullable=True, choices=frozenset({"RAW", "BASE64", "GZIP_BASE64"})),
        "file_name": Text(nullable=True),
        "content_type": Text(nullable=True),
    }
)

PASSTHROUGH = Record(
    fields={
        "method": Choice(
            required=True,
            choices=frozenset({"GET", "OPTIONS", "HEAD", "POST", "PUT", "PATCH", "DELETE"}),
        ),
        "path": Text(required=True),
        "base_url_override": Text(nullable=True),
        "data": Anything(nullable=True),
        "multipart_form_data": Records(nullable=True, record=_FORM_FIELD),
        "headers": AnyObject(nullable=True),
        "request_format": Choice(nullable=True, choices=frozenset({"JSON", "XML", "MULTIPART"})),
        "normalize_response": Flag(nullable=True),
    }
)
"""Of ``passthrough`` and ``async-passthrough``."""


def _mapping(*, required: bool) -> Record:
    fields: dict[str, Field] = {
        "remote_field_traversal_path": Items(
            required=required, item=Anything(), may_be_empty=False
        ),
        "remote_method": Text(required=required),
        "remote_url_path": Text(required=required),
        "common_model_name": Text(required=required),
        "target_field_name": Text(),
        "target_field_description": Text(),
        "organization_wide_target_field": Flag(),
        "is_integration_wide": Flag(),
        "jmes_path": Text(nullable=True),
        "advanced_mapping_expression": Text(nullable=True),
    }
    return Record(fields=fields)


MAPPING = _mapping(required=True)
"""Of ``POST field-mappings``."""

MAPPING_CHANGE = _mapping(required=False)
"""Of ``PATCH field-mappings/{field_mapping_id}``."""
