"""Types of arguments, for wrappers and type checkers. Loaded only when something asks for it.

A function that hands its keyword arguments on says so with ``Unpack``::

    from typing import Unpack

    from merge_link import Client, LinkToken
    from merge_link.types import LinkTokenParams

    def invite(client: Client, **params: Unpack[LinkTokenParams]) -> LinkToken:
        return client.create_link_token(**params)

===========================  ======================================================
`LinkTokenFields`            the fields of Merge's request for a link token
`CallOptions`                what each call takes beside the fields
`LinkTokenParams`            both: all that ``Client.create_link_token`` takes
`LinkTokenDefaults`          the same, none of it required: for all rows of a bulk run
`ClientOptions`              all that `Client` takes
`AsyncCallOptions`           the same of `AsyncClient`, whose ``api_key`` may be an async callable:
                             `AsyncWarmUpOptions`, `AsyncLinkTokenParams`,
                             `AsyncLinkTokenDefaults`, `AsyncClientOptions`
`ReadOptions`                of a call without a body; `WriteOptions`: with one;
                             `AccountReadOptions`, `AccountWriteOptions`: about a linked account;
                             `RequestOptions`: of ``request`` and ``paginate``
`AsyncReadOptions`           and so on: the same of `AsyncClient`
`CommonModel`                an item of ``common_models``
`ModelScope`                 an item of ``category_common_model_scopes[...]``, made of
                             `ModelPermission` and `FieldPermissions`
===========================  ======================================================

`Category`, `PathCategory` and `Language` name the values that Merge documents and allow any other
string, because Merge adds some every year; an editor still completes the known ones. So do
`AccountStatus` and `IssueStatus`. `Region`, `Action`, `Method`,
`IgnoreReason`, `RequestFormat` and `CompletedAccountInitialScreen` are closed. `CACertificates` and
`ClientCertificate` are what ``ca_bundle`` and ``client_cert`` take.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from os import PathLike
from typing import Any, Literal, Required, TypeAlias, TypedDict

from merge_link._attempts import Attempt
from merge_link.choices import AccountStatus, IssueStatus

__all__ = [
    "AccountReadOptions",
    "AccountStatus",
    "AccountWriteOptions",
    "Action",
    "AsyncAccountReadOptions",
    "AsyncAccountWriteOptions",
    "AsyncCallOptions",
    "AsyncClientOptions",
    "AsyncLinkTokenDefaults",
    "AsyncLinkTokenParams",
    "AsyncReadOptions",
    "AsyncRequestOptions",
    "AsyncWarmUpOptions",
    "AsyncWriteOptions",
    "CACertificates",
    "CallOptions",
    "Category",
    "ClientCertificate",
    "ClientOptions",
    "CommonModel",
    "CompletedAccountInitialScreen",
    "FieldPermissions",
    "FilePath",
    "IgnoreReason",
    "IssueStatus",
    "KnownCategory",
    "Language",
    "LinkTokenDefaults",
    "LinkTokenFields",
    "LinkTokenParams",
    "Method",
    "ModelPermission",
    "ModelScope",
    "PathCategory",
    "ReadOptions",
    "Region",
    "RequestFormat",
    "RequestOptions",
    "Texts",
    "Time",
    "WriteOptions",
]

# ---- choices ----

KnownCategory: TypeAlias = Literal[
    "hris", "ats", "accounting", "ticketing", "crm", "mktg", "filestorage", "knowledgebase"
]
"""The categories that Merge documents for ``categories``."""

Category: TypeAlias = KnownCategory | str
"""What Merge Link can show; newer slugs are sent as they are."""

PathCategory: TypeAlias = Category | Literal["chat", "calendar", "email"]
"""The category of a request's path."""

Language: TypeAlias = Literal["en", "de", "fr"] | str
"""The language tag of Merge Link."""

Region: TypeAlias = Literal["us", "eu", "apac"]
"""Of Merge's servers."""

Action: TypeAlias = Literal["READ", "WRITE"]
"""What a common model may be used for."""

CompletedAccountInitialScreen: TypeAlias = Literal["SELECTIVE_SYNC"]
"""What Merge Link opens with for an account that is linked already."""

IgnoreReason: TypeAlias = Literal["GENERAL_CUSTOMER_REQUEST", "GDPR", "OTHER"]
"""Why an object is ignored."""

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
"""Of HTTP: of a request to Merge, or by passthrough to a third party."""

RequestFormat: TypeAlias = Literal["JSON", "XML", "MULTIPART"]
"""Of a passthrough request's body."""

Time: TypeAlias = datetime | str
"""An aware datetime, or text like ``2026-01-31T12:00:00Z``."""

Texts: TypeAlias = list[str] | tuple[str, ...]
"""A few texts."""

# ---- certificates ----

FilePath: TypeAlias = str | PathLike[str]

CACertificates: TypeAlias = FilePath | bytes
"""A PEM file, a hashed directory, or the PEM text itself as bytes."""

ClientCertificate: TypeAlias = (
    FilePath | tuple[FilePath, FilePath | None] | tuple[FilePath, FilePath | None, str | None]
)
"""A PEM file, (certificate, key) or (certificate, key, password); a key of None is in that file."""

# ---- objects inside of fields: https://docs.merge.dev/basics/scopes ----


class CommonModel(TypedDict):
    """An item of ``common_models``."""

    model_id: str
    enabled_actions: list[Action] | tuple[Action, ...]
    disabled_fields: list[str] | tuple[str, ...]


class ModelPermission(TypedDict, total=False):
    """Whether a model may be used for one action."""

    is_enabled: bool


class FieldPermissions(TypedDict, total=False):
    """Which fields of a model may be used."""

    enabled_fields: list[str] | tuple[str, ...]
    disabled_fields: list[str] | tuple[str, ...]


class ModelScope(TypedDict, total=False):
    """An item of a category's list in ``category_common_model_scopes``."""

    model_name: Required[str]
    model_permissions: dict[str, ModelPermission]
    field_permissions: FieldPermissions


# ---- keyword arguments ----


class _OptionalFields(TypedDict, total=False):
    """Those that no request needs."""

    integration: str | None
    link_expiry_mins: int | None
    should_create_magic_link_url: bool | None
    hide_admin_magic_link: bool | None
    common_models: list[CommonModel] | tuple[CommonModel, ...] | None
    category_common_model_scopes: dict[str, list[ModelScope]] | None
    language: Language | None
    are_syncs_disabled: bool | None
    integration_specific_config: dict[str, Any] | None
    completed_account_initial_screen: CompletedAccountInitialScreen | None
    linked_destination_id: str | None
    credential_id: str | None
    ekm_enabled: bool | None


# The first is there for editors: in a list of Category they would complete nothing.
_Categories: TypeAlias = list[KnownCategory] | list[str] | tuple[Category, ...]


class LinkTokenFields(_OptionalFields):
    """The fields of a request for a link token: https://docs.merge.dev/ats/link-token/."""

    end_user_email_address: str
    end_user_organization_name: str
    end_user_origin_id: str
    categories: _Categories


class _OptionsOfEvery(TypedDict, total=False):
    """What every call takes, whatever its path, to be awaited or not."""

    timeout: float | None
    max_retries: int | None
    extra_headers: dict[str, str] | None


class _OptionsOfAll(_OptionsOfEvery, total=False):
    """What every call takes that has a category in its path."""

    category: PathCategory | None


class ReadOptions(_OptionsOfAll, total=False):
    """What each call takes beside the fields that has no body."""

    api_key: str | Callable[[], str] | None


class CallOptions(ReadOptions, total=False):
    """What each call takes beside the fields."""

    extra_body: dict[str, Any] | None


WriteOptions: TypeAlias = CallOptions
"""What each call takes beside the fields that has a body."""


class AccountReadOptions(ReadOptions, total=False):
    """The same of a call about a linked account."""

    account_token: str | None


class AccountWriteOptions(CallOptions, total=False):
    """The same of a call about a linked account that has a body."""

    account_token: str | None


class RequestOptions(_OptionsOfEvery, total=False):
    """What ``Client.request`` and ``Client.paginate`` take beside."""

    account_token: str | None
    api_key: str | Callable[[], str] | None


class AsyncReadOptions(_OptionsOfAll, total=False):
    """What each call of `AsyncClient` takes beside the fields that has no body."""

    api_key: str | Callable[[], str | Awaitable[str]] | None


class AsyncWarmUpOptions(AsyncReadOptions, total=False):
    """What ``AsyncClient.warm_up`` takes."""


class AsyncCallOptions(AsyncReadOptions, total=False):
    """What each call of `AsyncClient` takes beside the fields."""

    extra_body: dict[str, Any] | None


AsyncWriteOptions: TypeAlias = AsyncCallOptions
"""What each call of `AsyncClient` takes beside the fields that has a body."""


class AsyncAccountReadOptions(AsyncReadOptions, total=False):
    """The same of a call about a linked account."""

    account_token: str | None


class AsyncAccountWriteOptions(AsyncCallOptions, total=False):
    """The same of a call about a linked account that has a body."""

    account_token: str | None


class AsyncRequestOptions(_OptionsOfEvery, total=False):
    """What ``AsyncClient.request`` and ``AsyncClient.paginate`` take beside."""

    account_token: str | None
    api_key: str | Callable[[], str | Awaitable[str]] | None


class LinkTokenParams(LinkTokenFields, CallOptions, total=False):
    """All that ``Client.create_link_token`` takes."""


class AsyncLinkTokenParams(LinkTokenFields, AsyncCallOptions, total=False):
    """All that ``AsyncClient.create_link_token`` takes."""


class _AnyFields(_OptionalFields, total=False):
    """All, none of them required."""

    end_user_email_address: str
    end_user_organization_name: str
    end_user_origin_id: str
    categories: _Categories


class LinkTokenDefaults(_AnyFields, CallOptions, total=False):
    """What ``Client.create_link_tokens`` takes for all rows."""


class AsyncLinkTokenDefaults(_AnyFields, AsyncCallOptions, total=False):
    """What ``AsyncClient.create_link_tokens`` takes for all rows."""


class _ClientsOptions(TypedDict, total=False):
    """What both clients take."""

    account_token: str | None
    region: Region | None
    base_url: str | None
    category: PathCategory | None
    timeout: float | None
    connect_timeout: float | None
    max_retries: int | None
    max_connections: int | None
    idle_timeout: float | None
    max_response_bytes: int | None
    error_budget: tuple[int, float] | None
    ca_bundle: CACertificates | None
    client_cert: ClientCertificate | None
    proxy: str | None
    allow_http: bool | None
    user_agent: str | None
    on_attempt: Callable[[Attempt], object] | None


class ClientOptions(_ClientsOptions, total=False):
    """All that `Client` takes."""

    api_key: str | Callable[[], str] | None


class AsyncClientOptions(_ClientsOptions, total=False):
    """All that `AsyncClient` takes."""

    api_key: str | Callable[[], str | Awaitable[str]] | None
