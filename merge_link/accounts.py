"""What the endpoints of linked accounts answer.

A class is the whole description of an answer: its annotations say which members there are and of
which kind, and those without a default are required. ``results`` reads answers by them.
"""

from __future__ import annotations

from merge_link.records import Part, Result, Secret, credential

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from merge_link.choices import (
        AccountStatus,
        AccountType,
        IssueStatus,
        ResponseType,
        SyncState,
    )

# ---- linking ----


class ModelOperation(Part):
    """What can be done with one common model of an integration."""

    model_name: str | None = None
    available_operations: list[str] | None = None
    required_post_parameters: list[str] | None = None
    supported_fields: list[str] | None = None


class Integration(Part):
    """What an account is linked to, such as an applicant tracking system.

    ``categories`` are those that it can be linked for.
    """

    name: str
    slug: str | None = None
    abbreviated_name: str | None = None
    categories: list[str] | None = None
    image: str | None = None
    square_image: str | None = None
    color: str | None = None
    api_endpoints_to_documentation_urls: dict[str, Any] | None = None
    webhook_setup_guide_url: str | None = None
    passthrough_available: bool | None = None
    available_model_operations: list[ModelOperation] | None = None


class AccountToken(Secret):
    """The lasting token of a linked account, to be kept. It is a credential; repr() masks it.

    ``id`` is the linked account's. Relinking keeps both.

    Merge's page: https://docs.merge.dev/ats/account-token/
    """

    account_token: str = credential()
    id: str
    integration: Integration


class RegeneratedAccountToken(Secret):
    """The new token of a linked account, whose old one counts no more. repr() masks it.

    Merge's page: https://docs.merge.dev/ats/account-token/
    """

    linked_account_id: str
    account_token: str = credential()


class AccountDetails(Secret):
    """The linked account whose account token was sent. ``integration`` is the name.

    Whoever knows ``webhook_listener_url`` can send events to it: repr() masks it.

    Merge's page: https://docs.merge.dev/ats/account-details/
    """

    id: str
    integration: str | None = None
    integration_slug: str | None = None
    category: str | None = None
    end_user_origin_id: str | None = None
    end_user_organization_name: str | None = None
    end_user_email_address: str | None = None
    status: AccountStatus | None = None
    webhook_listener_url: str | None = credential(default=None)
    is_duplicate: bool | None = None
    account_type: AccountType | None = None
    completed_at: datetime | None = None
    instance_id: str | None = None
    instance_display_value: str | None = None


class LinkedAccount(Secret):
    """One of your organization's linked accounts.

    Whoever knows ``webhook_listener_url`` can send events to it: repr() masks it, as it does
    ``integration_specific_fields``, which may hold anything.

    Merge's page: https://docs.merge.dev/ats/linked-accounts/
    """

    id: str
    category: str | None = None
    status: AccountStatus | None = None
    status_detail: str | None = None
    end_user_origin_id: str | None = None
    end_user_organization_name: str | None = None
    end_user_email_address: str | None = None
    subdomain: str | None = None
    webhook_listener_url: str | None = credential(default=None)
    is_duplicate: bool | None = None
    integration: Integration | None = None
    account_type: AccountType | None = None
    completed_at: datetime | None = None
    integration_specific_fields: Any = credential(default=None)


class AvailableActions(Result):
    """What can be done with a linked account's integration.

    Merge's page: https://docs.merge.dev/chat/available-actions/
    """

    integration: Integration | None = None
    passthrough_available: bool | None = None
    available_model_operations: list[ModelOperation] | None = None


# ---- scopes ----


class ActionScope(Part):
    """Whether a model may be used for one action."""

    is_enabled: bool | None = None


class FieldScope(Part):
    """Which fields of a model may be used."""

    enabled_fields: list[Any] | None = None
    disabled_fields: list[Any] | None = None


class CommonModelScope(Part):
    """What one common model may be used for. ``model_permissions`` is by action: READ, WRITE."""

    model_name: str
    model_permissions: dict[str, ActionScope] | None = None
    field_permissions: FieldScope | None = None


class Scopes(Result):
    """What may be read and written, of a linked account or by default.

    Merge's page: https://docs.merge.dev/ats/scopes/
    """

    common_models: list[CommonModelScope]


# ---- syncs and issues ----


class SyncStatus(Result):
    """How the sync of one common model stands.

    Merge's page: https://docs.merge.dev/ats/sync-status/
    """

    model_name: str
    model_id: str
    status: SyncState | None = None
    is_initial_sync: bool | None = None
    last_sync_start: datetime | None = None
    last_sync_finished: datetime | None = None
    last_sync_result: SyncState | None = None
    next_sync_start: datetime | None = None
    selective_sync_configurations_usage: str | None = None


class Issue(Result):
    """Something wrong with a linked account, such as a password that was changed.

    Merge's page: https://docs.merge.dev/ats/issues/
    """

    id: str
    status: IssueStatus | None = None
    error_description: str | None = None
    end_user: dict[str, Any] | None = None
    first_incident_time: datetime | None = None
    last_incident_time: datetime | None = None
    is_muted: bool | None = None
    error_details: list[Any] | None = None


# ---- passthrough ----


class PassthroughResponse(Secret):
    """What the other side answered to a request that Merge passed through.

    ``data`` is its body (the API's member ``response``): JSON, or text. ``headers`` are those of
    the request, ``response_headers`` its own. repr() masks all three: they may hold anything.

    Merge's page: https://docs.merge.dev/ats/passthrough/
    """

    status: int
    method: str | None = None
    path: str | None = None
    data: Any = credential(default=None, wire="response")
    response_headers: dict[str, Any] | None = credential(default=None)
    response_type: ResponseType | None = None
    headers: dict[str, Any] | None = credential(default=None)


class AsyncPassthroughReceipt(Result):
    """Where the answer to a request will be, which Merge passes through later.

    Merge's page: https://docs.merge.dev/ats/async-passthrough/
    """

    async_passthrough_receipt_id: str


# ---- the organization ----


class RemoteKey(Secret):
    """A key of your organization's, for what Merge's dashboard calls remote keys. repr() masks it.

    Merge's page: https://docs.merge.dev/ats/generate-key/
    """

    name: str
    key: str = credential()


class WebhookReceiver(Secret):
    """Where Merge receives webhooks of the other side. repr() masks the key.

    Merge's page: https://docs.merge.dev/ats/webhook-receivers/
    """

    event: str
    is_active: bool
    key: str | None = credential(default=None)


class AuditEvent(Result):
    """Something that a user of your organization's did in Merge's dashboard.

    Merge's page: https://docs.merge.dev/ats/audit-trail/
    """

    id: str
    event_type: str
    event_description: str | None = None
    user_name: str | None = None
    user_email: str | None = None
    role: str | None = None
    ip_address: str | None = None
    created_at: datetime | None = None
