from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack, final

from typing_extensions import disjoint_base

from merge_link._attempts import Attempt
from merge_link.models import (
    AccountDetails,
    AccountToken,
    AsyncPassthroughReceipt,
    AuditEvent,
    AvailableActions,
    FieldMappingResult,
    FieldMappings,
    Issue,
    LinkedAccount,
    LinkToken,
    PassthroughResponse,
    RegeneratedAccountToken,
    RemoteFields,
    RemoteKey,
    Scopes,
    SyncStatus,
    TargetFields,
    WebhookReceiver,
)
from merge_link.pages import AsyncPager, Page
from merge_link.response import Facts
from merge_link.results import RawResponse
from merge_link.types import (
    AccountReadOptions,
    AccountStatus,
    AccountWriteOptions,
    AsyncAccountReadOptions,
    AsyncAccountWriteOptions,
    AsyncReadOptions,
    AsyncRequestOptions,
    AsyncWriteOptions,
    CACertificates,
    Category,
    ClientCertificate,
    CommonModel,
    CompletedAccountInitialScreen,
    IgnoreReason,
    IssueStatus,
    KnownCategory,
    Language,
    Method,
    ModelScope,
    PathCategory,
    ReadOptions,
    Region,
    RequestFormat,
    RequestOptions,
    Texts,
    Time,
    WriteOptions,
)

class _Field(TypedDict):
    name: str
    type: str
    format: str
    place: str
    required: bool
    min: int
    max: int
    choices: tuple[str, ...]
    closed: bool
    members: list[_Field]

class _Operation(TypedDict):
    name: str
    method: str
    path: str
    repeat: str
    account: str
    answer: str
    result: str | None
    positional: int
    takes_extra_body: bool

class _Versions(TypedDict):
    merge_link: str
    libcurl: str
    tls: str
    cjson: str

def create_link_token(
    *,
    end_user_email_address: str,
    end_user_organization_name: str,
    end_user_origin_id: str,
    categories: list[KnownCategory] | list[str] | tuple[Category, ...],
    integration: str | None = None,
    link_expiry_mins: int | None = 30,
    should_create_magic_link_url: bool | None = None,
    hide_admin_magic_link: bool | None = None,
    common_models: list[CommonModel] | tuple[CommonModel, ...] | None = None,
    category_common_model_scopes: dict[str, list[ModelScope]] | None = None,
    language: Language | None = None,
    are_syncs_disabled: bool | None = None,
    integration_specific_config: dict[str, Any] | None = None,
    completed_account_initial_screen: CompletedAccountInitialScreen | None = None,
    linked_destination_id: str | None = None,
    credential_id: str | None = None,
    ekm_enabled: bool | None = None,
    category: PathCategory | None = None,
    timeout: float | None = None,
    max_retries: int | None = None,
    api_key: str | Callable[[], str] | None = None,
    extra_headers: dict[str, str] | None = None,
    extra_body: dict[str, Any] | None = None,
    account_token: str | None = None,
    region: Region | None = None,
    base_url: str | None = None,
    connect_timeout: float | None = 5.0,
    max_connections: int | None = 100,
    idle_timeout: float | None = 110.0,
    max_response_bytes: int | None = None,
    error_budget: tuple[int, float] | None = (20, 10.0),
    ca_bundle: CACertificates | None = None,
    client_cert: ClientCertificate | None = None,
    proxy: str | None = None,
    allow_http: bool | None = None,
    user_agent: str | None = None,
    on_attempt: Callable[[Attempt], object] | None = None,
) -> LinkToken:
    """Create a link token: what Merge Link needs to open for one end user.

    Args:
        end_user_email_address: 1 to 100 characters; for identification only, sends no mail.
        end_user_organization_name: 1 to 100 characters.
        end_user_origin_id: your own id of the end user, 1 to 100 characters; decides, with the
            category, which linked account it is.
        categories: what Merge Link shows: one or more of hris, ats, accounting, ticketing, crm,
            mktg, filestorage, knowledgebase; a newer slug is sent as it is.
        integration: slug of one pre-selected integration, such as greenhouse.
        link_expiry_mins: minutes until the token expires: 30 to 720, or to 10080 (7 days) with
            should_create_magic_link_url.
        should_create_magic_link_url: also ask for a magic_link_url.
        hide_admin_magic_link: hide the admin's magic link in Merge Link.
        common_models: list of {model_id, enabled_actions, disabled_fields}.
        category_common_model_scopes: category -> list of {model_name, model_permissions,
            field_permissions}.
        language: language tag of Merge Link, such as en or de.
        are_syncs_disabled: link without syncing.
        integration_specific_config: dict, sent exactly as json.dumps writes it.
        completed_account_initial_screen: SELECTIVE_SYNC.
        linked_destination_id, credential_id: UUIDs.
        ekm_enabled: use your own encryption keys.
        category: the path's category; the first of categories by default.
        timeout: seconds for a whole call, retries and waits included (30.0).
        max_retries: retries at most (2).
        api_key: Merge's API key; else ``MERGE_API_KEY``. It cannot be read back. Or a callable
            that returns it, asked at each call in the caller's thread.
        extra_headers: further HTTP headers, a dict of strings.
        extra_body: fields that Merge added after this version was made.
        account_token: of the linked account, for the operations that need one.
        region: ``us`` (default), ``eu`` or ``apac``; else ``MERGE_REGION``.
        base_url: what stands before ``/{category}``, such as ``https://api.merge.dev/api``; else
            ``MERGE_BASE_URL``. Wins over the region.
        connect_timeout: seconds for name lookup, connect and TLS of one attempt (5.0).
        max_connections: connections at once at most (100); further calls wait in their timeout.
        idle_timeout: seconds after which an unused connection is not used again (110.0).
        max_response_bytes: size of an answer at most, after decompression (1 MiB for linking).
        error_budget: (failures, seconds) after which calls are held back, or None for off.
        ca_bundle: PEM file, hashed directory or PEM text (bytes); else ``SSL_CERT_FILE``,
            ``SSL_CERT_DIR``, the places of Linux distributions, certifi.
        client_cert: PEM file with a client certificate and its key, or (certificate, key), or
            (certificate, key, password); a key of None is in the certificate's file.
        proxy: http:// or https:// URL of a proxy, or "" for none, whatever the environment says;
            else ``HTTPS_PROXY`` or ``ALL_PROXY``, unless ``NO_PROXY`` covers the host.
        allow_http: send over plain ``http://`` to hosts that are not this machine; else
            ``MERGE_ALLOW_HTTP=1``.
        user_agent: instead of ``merge-link/<version> libcurl/<version> Python/<version>``.
        on_attempt: a callable that is told of each attempt.

    Returns:
        A LinkToken; it is a credential: repr() masks it.

    Raises:
        ValidationError: refused before anything was sent; .errors names every problem.
        ConfigurationError: no or impossible API key, base URL or option.
        APIError: Merge answered with 400 or more (a subclass for each common status).
        TransportError: no whole answer came (RequestTimeoutError, TLSError).
        ResponseError: an answer that is not what the API promises.
        ClientClosedError: the client is closed.

    Merge's page: https://docs.merge.dev/ats/link-token/
    """

def check(operation: str, /, **fields: Any) -> None:
    """Raise the ValidationError that a call with these keywords would raise; send nothing.

    Needs neither client nor API key.
    """

def fields(operation: str, /) -> list[_Field]:
    """Describe the fields of an operation, in the order in which they are sent.

    Each is a dict of name, type, format, place (path, query, header,
    body, or the whole body), required, min and max (max 0: no limit), choices, closed (whether
    nothing but the choices is sent) and members (the fields of the objects in it).
    """

def operations() -> list[_Operation]:
    """Describe all operations: name, method, path, repeat, account, answer, result, positional,
    takes_extra_body.
    """

def answer_time(headers: bytes, began: float, /) -> float:
    """Return the time of the Date in header lines (bytes), else began; seconds since the epoch."""

def read_facts(facts: bytes, /) -> Facts:
    """Return what the core noted of the answer behind a result, as a tuple."""

def origin(url: str, /) -> tuple[str, str, int, bool] | None:
    """Return scheme, host, port and whether that is loopback, as libcurl reads the URL, or None."""

def versions() -> _Versions:
    """Return the versions of this package, libcurl, its TLS library and cJSON."""

def system_ca() -> str | None:
    """Return where this machine keeps its CA certificates (hashed directory or file), or None."""

def set_loopback_only(on: bool, /) -> None:
    """Forbid calls that leave this machine, in the whole process and for all clients.

    Each True takes a False of its own to end it; a False too many has no effect.
    """

@disjoint_base
class BaseClient:
    """What merge_link.Client and AsyncClient share: options and connections."""
    def __init__(
        self,
        *,
        api_key: str | Callable[[], str | Awaitable[str]] | None = None,
        account_token: str | None = None,
        region: Region | None = None,
        base_url: str | None = None,
        category: PathCategory | None = None,
        timeout: float | None = 30.0,
        connect_timeout: float | None = 5.0,
        max_retries: int | None = 2,
        max_connections: int | None = 100,
        idle_timeout: float | None = 110.0,
        max_response_bytes: int | None = None,
        error_budget: tuple[int, float] | None = (20, 10.0),
        ca_bundle: CACertificates | None = None,
        client_cert: ClientCertificate | None = None,
        proxy: str | None = None,
        allow_http: bool | None = None,
        user_agent: str | None = None,
        on_attempt: Callable[[Attempt], object] | None = None,
    ) -> None: ...
    @property
    def base_url(self) -> str:
        """What stands before /{category}, without end slash."""
    @property
    def region(self) -> Region | None:
        """us, eu or apac; None when a base_url was given."""
    @property
    def category(self) -> str | None:
        """The category of calls that name none, or None."""
    @property
    def timeout(self) -> float:
        """Seconds for a whole call, retries included."""
    @property
    def connect_timeout(self) -> float:
        """Seconds for connecting, a try."""
    @property
    def idle_timeout(self) -> float:
        """Seconds after which an unused connection is not used again."""
    @property
    def max_retries(self) -> int:
        """Retries of a call, at most."""
    @property
    def max_connections(self) -> int:
        """Connections at once, at most."""
    @property
    def max_response_bytes(self) -> int | None:
        """Bytes of an answer at most, after decompression; None: 1 MiB for link tokens."""
    @property
    def error_budget(self) -> tuple[int, float] | None:
        """(failures, seconds), or None when it is off."""
    @property
    def ca_bundle(self) -> str | bytes | None:
        """The CA certificates in use: file, directory or PEM text (bytes)."""
    @property
    def client_cert(self) -> str | None:
        """File of the client certificate, or None."""
    @property
    def allow_http(self) -> bool:
        """May plain http:// leave this machine?"""
    @property
    def user_agent(self) -> str:
        """The User-Agent header that is sent."""
    @property
    def _root(self) -> Self:
        """The client whose connections it uses: itself, but of a view."""
    @property
    def closed(self) -> bool:
        """Has close() been called?"""
    def submit(
        self,
        operation: str,
        mailbox: Mailbox,
        context: object,
        flow: Flow | None,
        fields: dict[str, Any],
        /,
    ) -> Ticket:
        """Begin a call whose outcome comes out of the mailbox, beside the context.

        The fields are those of the call, and its options; the flow is a Flow or None. Raises what
        a call raises before it sends anything.
        """
    def prepare(self, operation: str, fields: Any, /) -> Ticket:
        """Return a ticket for a call that begins with its submit().

        Takes what is in the fields: the dict is empty afterwards, so that no frame shows it.
        """
    def for_account(self, account_token: str, *, category: PathCategory | None = None) -> Self:
        """Return a view of this client for one linked account.

        Its calls go over the same connections, and send the account token where one is needed.
        It is light: make one for each account, or for each call. Closing it, or leaving its with
        block, leaves this client open.

        Args:
            account_token: of the linked account.
            category: of calls that name none, such as the account's.

        Returns:
            A client of the same class, for which __init__() is not called.
        """
    def with_options(
        self,
        *,
        account_token: str | None = None,
        category: PathCategory | None = None,
        region: Region | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
    ) -> Self:
        """Return a view of this client with other options over the same connections.

        What is not given stays as it is. See for_account().

        Args:
            account_token: of the linked account.
            category: of calls that name none.
            region: us, eu or apac.
            base_url: what stands before /{category}. Wins over the region. For either, the
                environment says anew which proxy, unless the client was given one.
            timeout: seconds for a whole call, retries and waits included.
            max_retries: retries at most.

        Returns:
            A client of the same class, for which __init__() is not called.
        """
    def _query(self, operation: str, fields: Any, /) -> Query:
        """Return what makes a call as often as it is asked to. Empties the fields, like prepare()."""
    def _enter(self) -> None:
        """Return the client itself; raise ClientClosedError when it is closed."""
    def _close(self) -> None:
        """Close the connections. Calls that run end with ClientClosedError."""

class Client(BaseClient):
    """The part of merge_link.Client that is written in C."""
    def __init__(
        self,
        *,
        api_key: str | Callable[[], str] | None = None,
        account_token: str | None = None,
        region: Region | None = None,
        base_url: str | None = None,
        category: PathCategory | None = None,
        timeout: float | None = 30.0,
        connect_timeout: float | None = 5.0,
        max_retries: int | None = 2,
        max_connections: int | None = 100,
        idle_timeout: float | None = 110.0,
        max_response_bytes: int | None = None,
        error_budget: tuple[int, float] | None = (20, 10.0),
        ca_bundle: CACertificates | None = None,
        client_cert: ClientCertificate | None = None,
        proxy: str | None = None,
        allow_http: bool | None = None,
        user_agent: str | None = None,
        on_attempt: Callable[[Attempt], object] | None = None,
    ) -> None: ...
    def create_link_token(
        self,
        *,
        end_user_email_address: str,
        end_user_organization_name: str,
        end_user_origin_id: str,
        categories: list[KnownCategory] | list[str] | tuple[Category, ...],
        integration: str | None = None,
        link_expiry_mins: int | None = 30,
        should_create_magic_link_url: bool | None = None,
        hide_admin_magic_link: bool | None = None,
        common_models: list[CommonModel] | tuple[CommonModel, ...] | None = None,
        category_common_model_scopes: dict[str, list[ModelScope]] | None = None,
        language: Language | None = None,
        are_syncs_disabled: bool | None = None,
        integration_specific_config: dict[str, Any] | None = None,
        completed_account_initial_screen: CompletedAccountInitialScreen | None = None,
        linked_destination_id: str | None = None,
        credential_id: str | None = None,
        ekm_enabled: bool | None = None,
        category: PathCategory | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        api_key: str | Callable[[], str] | None = None,
        extra_headers: dict[str, str] | None = None,
        extra_body: dict[str, Any] | None = None,
    ) -> LinkToken:
        """Create a link token: what Merge Link needs to open for one end user.

        Args:
            end_user_email_address: 1 to 100 characters; for identification only, sends no mail.
            end_user_organization_name: 1 to 100 characters.
            end_user_origin_id: your own id of the end user, 1 to 100 characters; decides, with the
                category, which linked account it is.
            categories: what Merge Link shows: one or more of hris, ats, accounting, ticketing, crm,
                mktg, filestorage, knowledgebase; a newer slug is sent as it is.
            integration: slug of one pre-selected integration, such as greenhouse.
            link_expiry_mins: minutes until the token expires: 30 to 720, or to 10080 (7 days) with
                should_create_magic_link_url.
            should_create_magic_link_url: also ask for a magic_link_url.
            hide_admin_magic_link: hide the admin's magic link in Merge Link.
            common_models: list of {model_id, enabled_actions, disabled_fields}.
            category_common_model_scopes: category -> list of {model_name, model_permissions,
                field_permissions}.
            language: language tag of Merge Link, such as en or de.
            are_syncs_disabled: link without syncing.
            integration_specific_config: dict, sent exactly as json.dumps writes it.
            completed_account_initial_screen: SELECTIVE_SYNC.
            linked_destination_id, credential_id: UUIDs.
            ekm_enabled: use your own encryption keys.
            category: the path's category; the first of categories by default.
            timeout: seconds for the whole call, retries and waits included.
            max_retries: retries at most.
            api_key: instead of the client's; a string, or a callable that returns one.
            extra_headers: further HTTP headers, a dict of strings.
            extra_body: fields that Merge added after this version was made.

        Returns:
            A LinkToken; it is a credential: repr() masks it.

        Raises:
            ValidationError: refused before anything was sent; .errors names every problem.
            ConfigurationError: no or impossible API key, base URL or option.
            APIError: Merge answered with 400 or more (a subclass for each common status).
            TransportError: no whole answer came (RequestTimeoutError, TLSError).
            ResponseError: an answer that is not what the API promises.
            ClientClosedError: the client is closed.

        Merge's page: https://docs.merge.dev/ats/link-token/
        """
    def warm_up(
        self,
        connections: int = 1,
        *,
        category: PathCategory | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        api_key: str | Callable[[], str] | None = None,
        extra_headers: dict[str, str] | None = None,
    ) -> None:
        """Connect ahead, so that the first calls need not.

        Makes the cheapest read of Merge's API (one linked account) over each of that many
        connections, one after the other, and keeps them. A wrong API key is found out here, and
        another who answers in Merge's place.

        Args:
            connections: how many; more than max_connections or are free are not made.
            category: of the path; the client's, else ats.
            timeout: seconds for each connection.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/linked-accounts/
        """
    def retrieve_account_token(
        self, public_token: str, **options: Unpack[ReadOptions]
    ) -> AccountToken:
        """Exchange a public token for the lasting account token of a linked account.

        Args:
            public_token: what Merge Link's onSuccess got. It is good once, for 10 minutes.
            **options: category, timeout, max_retries, api_key, extra_headers.

        Returns:
            An AccountToken; it is a credential: repr() masks it. Keep it as you keep passwords.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/account-token/
        """
    def regenerate_account_token(
        self, **options: Unpack[AccountReadOptions]
    ) -> RegeneratedAccountToken:
        """Replace the account token by a new one; the old one is of no more use.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A RegeneratedAccountToken; it is a credential: repr() masks it.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/account-token/
        """
    def account_details(self, **options: Unpack[AccountReadOptions]) -> AccountDetails:
        """Get what Merge knows of the linked account: integration, status, end user.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            An AccountDetails.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/account-details/
        """
    def linked_accounts(
        self,
        *,
        cursor: str | None = None,
        end_user_email_address: str | None = None,
        end_user_organization_name: str | None = None,
        end_user_origin_id: str | None = None,
        end_user_origin_ids: Texts | None = None,
        id: str | None = None,
        ids: Texts | None = None,
        include_duplicates: bool | None = None,
        integration_name: str | None = None,
        is_test_account: bool | None = None,
        page_size: int | None = None,
        status: AccountStatus | None = None,
        **options: Unpack[ReadOptions],
    ) -> Page[LinkedAccount]:
        """List linked accounts: all, or those that the filters leave.

        The category of a call (not the client's) is a filter, too, beside being that of the path.

        Args:
            cursor: where to begin: next_cursor of another page.
            page_size: results on each page, 1 to 100.
            end_user_email_address, end_user_organization_name, end_user_origin_id: of one.
            end_user_origin_ids, ids: lists; any of them.
            id: of the linked account, a UUID.
            include_duplicates: also those that Merge takes for copies of another.
            integration_name: such as Greenhouse.
            is_test_account: only test accounts, or only others.
            status: COMPLETE, INCOMPLETE, RELINK_NEEDED or IDLE.
            **options: category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Page of LinkedAccount: iterating over it fetches the pages that follow.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/linked-accounts/
        """
    def delete_account(self, **options: Unpack[AccountReadOptions]) -> None:
        """Delete the linked account and all that Merge keeps of it. It cannot be undone.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/delete-account/
        """
    def generate_key(self, name: str, **options: Unpack[WriteOptions]) -> RemoteKey:
        """Make a remote key, which a remote server can be reached with.

        Args:
            name: of the key.
            **options: category, timeout, max_retries, api_key, extra_headers, extra_body.

        Returns:
            A RemoteKey; it is a credential: repr() masks it.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/generate-key/
        """
    def regenerate_key(self, name: str, **options: Unpack[WriteOptions]) -> RemoteKey:
        """Replace a remote key by a new one.

        Args:
            name: of the key.
            **options: category, timeout, max_retries, api_key, extra_headers, extra_body.

        Returns:
            A RemoteKey; it is a credential: repr() masks it.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/regenerate-key/
        """
    def sync_status(
        self,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
        **options: Unpack[AccountReadOptions],
    ) -> Page[SyncStatus]:
        """List how far the sync of each common model is.

        Args:
            cursor: where to begin: next_cursor of another page.
            page_size: results on each page, 1 to 100.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Page of SyncStatus: iterating over it fetches the pages that follow.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/sync-status/
        """
    def force_resync(self, **options: Unpack[AccountReadOptions]) -> list[SyncStatus]:
        """Have all models synced at once. Merge may count it against a quota.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A list of SyncStatus.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/force-resync/
        """
    def default_scopes(self, **options: Unpack[ReadOptions]) -> Scopes:
        """Get the scopes that linked accounts have by default.

        Args:
            **options: category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Scopes.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/scopes/
        """
    def linked_account_scopes(self, **options: Unpack[AccountReadOptions]) -> Scopes:
        """Get the scopes of the linked account.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Scopes.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/scopes/
        """
    def set_linked_account_scopes(
        self,
        common_models: list[ModelScope] | tuple[ModelScope, ...],
        **options: Unpack[AccountWriteOptions],
    ) -> Scopes:
        """Set the scopes of the linked account.

        Args:
            common_models: list of {model_name, model_permissions, field_permissions}; what is
                not named keeps the default.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            A Scopes.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/scopes/
        """
    def issues(
        self,
        *,
        account_token: str | None = None,
        cursor: str | None = None,
        end_date: Time | None = None,
        end_user_organization_name: str | None = None,
        first_incident_time_after: Time | None = None,
        first_incident_time_before: Time | None = None,
        include_muted: bool | None = None,
        integration_name: str | None = None,
        last_incident_time_after: Time | None = None,
        last_incident_time_before: Time | None = None,
        linked_account_id: str | None = None,
        page_size: int | None = None,
        start_date: Time | None = None,
        status: IssueStatus | None = None,
        **options: Unpack[ReadOptions],
    ) -> Page[Issue]:
        """List the issues of linked accounts: what went wrong with them at the third party.

        Args:
            account_token: only those of this linked account. It goes into the query; the
                client's own is not sent.
            cursor: where to begin: next_cursor of another page.
            page_size: results on each page, 1 to 100.
            start_date, end_date: when it happened. Times are aware datetimes, or texts such as
                2026-01-31T12:00:00Z.
            first_incident_time_after, first_incident_time_before: when it happened first.
            last_incident_time_after, last_incident_time_before: when it happened last.
            end_user_organization_name, integration_name, linked_account_id: of one.
            include_muted: also those that were muted.
            status: ONGOING or RESOLVED.
            **options: category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Page of Issue: iterating over it fetches the pages that follow.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/issues/
        """
    def issue(self, id: str, **options: Unpack[ReadOptions]) -> Issue:
        """Get one issue.

        Args:
            id: a UUID.
            **options: category, timeout, max_retries, api_key, extra_headers.

        Returns:
            An Issue.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/issues/
        """
    def passthrough(
        self,
        *,
        method: Method,
        path: str,
        base_url_override: str | None = None,
        data: Any = None,
        multipart_form_data: Any = None,
        headers: dict[str, Any] | None = None,
        request_format: RequestFormat | None = None,
        normalize_response: bool | None = None,
        **options: Unpack[AccountWriteOptions],
    ) -> PassthroughResponse:
        """Have Merge make a request to the third party with the linked account's login.

        Args:
            method: of HTTP: GET, POST, PUT, PATCH or DELETE.
            path: at the third party, such as /users.
            base_url_override: instead of the third party's usual base URL.
            data: the body: a string, or what json.dumps can write.
            multipart_form_data: list of {name, data, encoding, file_name, content_type}.
            headers: of the request to the third party, a dict. They may hold credentials.
            request_format: JSON, XML or MULTIPART.
            normalize_response: have the response turned into JSON.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            A PassthroughResponse.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/passthrough-request/
        """
    def async_passthrough(
        self,
        *,
        method: Method,
        path: str,
        base_url_override: str | None = None,
        data: Any = None,
        multipart_form_data: Any = None,
        headers: dict[str, Any] | None = None,
        request_format: RequestFormat | None = None,
        normalize_response: bool | None = None,
        **options: Unpack[AccountWriteOptions],
    ) -> AsyncPassthroughReceipt:
        """Have Merge make such a request in its own time: see async_passthrough_result().

        Args:
            method: of HTTP: GET, POST, PUT, PATCH or DELETE.
            path: at the third party, such as /users.
            base_url_override: instead of the third party's usual base URL.
            data: the body: a string, or what json.dumps can write.
            multipart_form_data: list of {name, data, encoding, file_name, content_type}.
            headers: of the request to the third party, a dict. They may hold credentials.
            request_format: JSON, XML or MULTIPART.
            normalize_response: have the response turned into JSON.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            An AsyncPassthroughReceipt.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/async-passthrough/
        """
    def webhook_receivers(self, **options: Unpack[AccountReadOptions]) -> list[WebhookReceiver]:
        """List where Merge sends webhooks of the linked account.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A list of WebhookReceiver.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/webhook-receivers/
        """
    def create_webhook_receiver(
        self,
        *,
        event: str,
        is_active: bool,
        key: str | None = None,
        **options: Unpack[AccountWriteOptions],
    ) -> WebhookReceiver:
        """Have Merge send webhooks of the linked account.

        Args:
            event: of which to be told, such as LinkedAccount.synced.
            is_active: True: send them.
            key: to sign them with; a credential.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            A WebhookReceiver.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/webhook-receivers/
        """
    def available_actions(self, **options: Unpack[AccountReadOptions]) -> AvailableActions:
        """Get what can be done with the models of the linked account. Merge calls it outdated.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            An AvailableActions.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/available-actions/
        """
    def field_mappings(
        self,
        *,
        exclude_remote_field_metadata: bool | None = None,
        **options: Unpack[AccountReadOptions],
    ) -> FieldMappings:
        """Get the field mappings of the linked account, by model.

        Args:
            exclude_remote_field_metadata: leave out the remote fields' metadata.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A FieldMappings.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    def create_field_mapping(
        self,
        *,
        remote_field_traversal_path: list[Any] | tuple[Any, ...],
        remote_method: str,
        remote_url_path: str,
        common_model_name: str,
        target_field_name: str | None = None,
        target_field_description: str | None = None,
        organization_wide_target_field: bool | None = None,
        is_integration_wide: bool | None = None,
        jmes_path: str | None = None,
        advanced_mapping_expression: str | None = None,
        exclude_remote_field_metadata: bool | None = None,
        remote_data_iteration_count: int | None = None,
        **options: Unpack[AccountWriteOptions],
    ) -> FieldMappingResult:
        """Map a field of the third party to a field of a common model.

        Args:
            remote_field_traversal_path: list of keys that lead to the field in the remote data.
            remote_method, remote_url_path: of the remote endpoint where the field comes from.
            common_model_name: the model that gets the field; only when it is made.
            target_field_name, target_field_description: of the field in Merge.
            organization_wide_target_field: True: for the whole organization.
            is_integration_wide: True: for all accounts of the integration.
            jmes_path: JMESPath that picks from the remote field.
            advanced_mapping_expression: instead of a path: an expression.
            exclude_remote_field_metadata: leave out the remote fields' metadata.
            remote_data_iteration_count: remote records to look at.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            A FieldMappingResult.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    def update_field_mapping(
        self,
        id: str,
        *,
        remote_field_traversal_path: list[Any] | tuple[Any, ...] | None = None,
        remote_method: str | None = None,
        remote_url_path: str | None = None,
        common_model_name: str | None = None,
        target_field_name: str | None = None,
        target_field_description: str | None = None,
        organization_wide_target_field: bool | None = None,
        is_integration_wide: bool | None = None,
        jmes_path: str | None = None,
        advanced_mapping_expression: str | None = None,
        exclude_remote_field_metadata: bool | None = None,
        remote_data_iteration_count: int | None = None,
        **options: Unpack[AccountWriteOptions],
    ) -> FieldMappingResult:
        """Change a field mapping: what is given of it.

        Args:
            id: of the mapping.
            remote_field_traversal_path: list of keys that lead to the field in the remote data.
            remote_method, remote_url_path: of the remote endpoint where the field comes from.
            common_model_name: the model that gets the field; only when it is made.
            target_field_name, target_field_description: of the field in Merge.
            organization_wide_target_field: True: for the whole organization.
            is_integration_wide: True: for all accounts of the integration.
            jmes_path: JMESPath that picks from the remote field.
            advanced_mapping_expression: instead of a path: an expression.
            exclude_remote_field_metadata: leave out the remote fields' metadata.
            remote_data_iteration_count: remote records to look at.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            A FieldMappingResult.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    def delete_field_mapping(self, id: str, **options: Unpack[AccountReadOptions]) -> None:
        """Delete a field mapping.

        Args:
            id: of the mapping.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    def remote_fields(
        self,
        *,
        common_models: Texts | None = None,
        include_example_values: bool | None = None,
        **options: Unpack[AccountReadOptions],
    ) -> RemoteFields:
        """Get the fields of the third party that can be mapped, by model.

        Args:
            common_models: list of models; all by default.
            include_example_values: also a value of each.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A RemoteFields.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    def target_fields(self, **options: Unpack[AccountReadOptions]) -> TargetFields:
        """Get the fields in Merge that others can be mapped to, by model.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A TargetFields.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    def create_target_field(
        self,
        *,
        name: str,
        description: str | None = None,
        common_model: str,
        **options: Unpack[AccountWriteOptions],
    ) -> TargetFields:
        """Add a field to a common model, which others can be mapped to.

        Args:
            name, description: of the field.
            common_model: that gets it.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            A TargetFields.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    def audit_trail(
        self,
        *,
        cursor: str | None = None,
        end_date: Time | None = None,
        event_type: str | None = None,
        page_size: int | None = None,
        start_date: Time | None = None,
        user_email: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> Page[AuditEvent]:
        """List who has done what in your organization at Merge.

        Args:
            cursor: where to begin: next_cursor of another page.
            page_size: results on each page, 1 to 100.
            start_date, end_date: when. Aware datetimes, or texts such as 2026-01-31T12:00:00Z.
            event_type: such as INVITED_USER.
            user_email: of who did it.
            **options: category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Page of AuditEvent: iterating over it fetches the pages that follow.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/audit-trail/
        """
    def ignore(
        self,
        model: str,
        id: str,
        reason: IgnoreReason,
        message: str | None = None,
        **options: Unpack[AccountWriteOptions],
    ) -> None:
        """Have Merge forget one object of a common model, and leave it out of syncs.

        Args:
            model: as in paths, such as candidates.
            id: of the object, a UUID.
            reason: GENERAL_CUSTOMER_REQUEST, GDPR or OTHER.
            message: for the records.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/ignore/
        """
    def request(
        self,
        method: Method,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        json: Any = None,
        headers: dict[str, str] | None = None,
        **options: Unpack[RequestOptions],
    ) -> RawResponse:
        """Call any endpoint of Merge's API: with this client's key, retries, errors and limits.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: what follows the base URL, such as /ats/v1/candidates.
            params: the query, a dict. Lists are joined by commas; None is left out.
            json: the body: any value that json.dumps can write.
            headers: further HTTP headers, a dict of strings.
            **options: account_token, timeout, max_retries, api_key, extra_headers.

        POST and PATCH are repeated only when nothing was sent, or on 429.

        Returns:
            A RawResponse: .json(), .data, .status_code, .headers.

        Raises what any call raises. Merge's reference: https://docs.merge.dev/
        """
    def paginate(
        self,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        cursor: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Page[dict[str, Any]]:
        """List what any endpoint of Merge's API lists in pages.

        Args:
            path: what follows the base URL, such as /ats/v1/candidates.
            params: the query, a dict. Lists are joined by commas; None is left out.
            headers: further HTTP headers, a dict of strings.
            cursor: where to begin: next_cursor of another page.
            **options: account_token, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Page of dicts: iterating over it fetches the pages that follow.

        Raises what any call raises. Merge's reference: https://docs.merge.dev/
        """
    def close(self) -> None:
        """Close the connections. Calls that run in other threads end with ClientClosedError.

        A view closes only itself. Closing again is harmless. Leaving a with block closes too.
        """
    def __enter__(self) -> Self:
        """Return the client itself."""
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        """Close the client."""

class AsyncClient(BaseClient):
    """The part of merge_link.AsyncClient that is written in C."""
    async def retrieve_account_token(
        self, public_token: str, **options: Unpack[AsyncReadOptions]
    ) -> AccountToken:
        """Exchange a public token for the lasting account token of a linked account.

        Args:
            public_token: what Merge Link's onSuccess got. It is good once, for 10 minutes.
            **options: category, timeout, max_retries, api_key, extra_headers.

        Returns:
            An AccountToken; it is a credential: repr() masks it. Keep it as you keep passwords.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/account-token/
        """
    async def regenerate_account_token(
        self, **options: Unpack[AsyncAccountReadOptions]
    ) -> RegeneratedAccountToken:
        """Replace the account token by a new one; the old one is of no more use.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A RegeneratedAccountToken; it is a credential: repr() masks it.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/account-token/
        """
    async def account_details(self, **options: Unpack[AsyncAccountReadOptions]) -> AccountDetails:
        """Get what Merge knows of the linked account: integration, status, end user.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            An AccountDetails.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/account-details/
        """
    def linked_accounts(
        self,
        *,
        cursor: str | None = None,
        end_user_email_address: str | None = None,
        end_user_organization_name: str | None = None,
        end_user_origin_id: str | None = None,
        end_user_origin_ids: Texts | None = None,
        id: str | None = None,
        ids: Texts | None = None,
        include_duplicates: bool | None = None,
        integration_name: str | None = None,
        is_test_account: bool | None = None,
        page_size: int | None = None,
        status: AccountStatus | None = None,
        **options: Unpack[AsyncReadOptions],
    ) -> AsyncPager[LinkedAccount]:
        """List linked accounts: all, or those that the filters leave.

        The category of a call (not the client's) is a filter, too, beside being that of the path.

        Args:
            cursor: where to begin: next_cursor of another page.
            page_size: results on each page, 1 to 100.
            end_user_email_address, end_user_organization_name, end_user_origin_id: of one.
            end_user_origin_ids, ids: lists; any of them.
            id: of the linked account, a UUID.
            include_duplicates: also those that Merge takes for copies of another.
            integration_name: such as Greenhouse.
            is_test_account: only test accounts, or only others.
            status: COMPLETE, INCOMPLETE, RELINK_NEEDED or IDLE.
            **options: category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Page of LinkedAccount: iterating over it fetches the pages that follow.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/linked-accounts/
        """
    async def delete_account(self, **options: Unpack[AsyncAccountReadOptions]) -> None:
        """Delete the linked account and all that Merge keeps of it. It cannot be undone.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/delete-account/
        """
    async def generate_key(self, name: str, **options: Unpack[AsyncWriteOptions]) -> RemoteKey:
        """Make a remote key, which a remote server can be reached with.

        Args:
            name: of the key.
            **options: category, timeout, max_retries, api_key, extra_headers, extra_body.

        Returns:
            A RemoteKey; it is a credential: repr() masks it.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/generate-key/
        """
    async def regenerate_key(self, name: str, **options: Unpack[AsyncWriteOptions]) -> RemoteKey:
        """Replace a remote key by a new one.

        Args:
            name: of the key.
            **options: category, timeout, max_retries, api_key, extra_headers, extra_body.

        Returns:
            A RemoteKey; it is a credential: repr() masks it.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/regenerate-key/
        """
    def sync_status(
        self,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
        **options: Unpack[AsyncAccountReadOptions],
    ) -> AsyncPager[SyncStatus]:
        """List how far the sync of each common model is.

        Args:
            cursor: where to begin: next_cursor of another page.
            page_size: results on each page, 1 to 100.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Page of SyncStatus: iterating over it fetches the pages that follow.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/sync-status/
        """
    async def force_resync(self, **options: Unpack[AsyncAccountReadOptions]) -> list[SyncStatus]:
        """Have all models synced at once. Merge may count it against a quota.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A list of SyncStatus.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/force-resync/
        """
    async def default_scopes(self, **options: Unpack[AsyncReadOptions]) -> Scopes:
        """Get the scopes that linked accounts have by default.

        Args:
            **options: category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Scopes.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/scopes/
        """
    async def linked_account_scopes(self, **options: Unpack[AsyncAccountReadOptions]) -> Scopes:
        """Get the scopes of the linked account.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Scopes.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/scopes/
        """
    async def set_linked_account_scopes(
        self,
        common_models: list[ModelScope] | tuple[ModelScope, ...],
        **options: Unpack[AsyncAccountWriteOptions],
    ) -> Scopes:
        """Set the scopes of the linked account.

        Args:
            common_models: list of {model_name, model_permissions, field_permissions}; what is
                not named keeps the default.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            A Scopes.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/scopes/
        """
    def issues(
        self,
        *,
        account_token: str | None = None,
        cursor: str | None = None,
        end_date: Time | None = None,
        end_user_organization_name: str | None = None,
        first_incident_time_after: Time | None = None,
        first_incident_time_before: Time | None = None,
        include_muted: bool | None = None,
        integration_name: str | None = None,
        last_incident_time_after: Time | None = None,
        last_incident_time_before: Time | None = None,
        linked_account_id: str | None = None,
        page_size: int | None = None,
        start_date: Time | None = None,
        status: IssueStatus | None = None,
        **options: Unpack[AsyncReadOptions],
    ) -> AsyncPager[Issue]:
        """List the issues of linked accounts: what went wrong with them at the third party.

        Args:
            account_token: only those of this linked account. It goes into the query; the
                client's own is not sent.
            cursor: where to begin: next_cursor of another page.
            page_size: results on each page, 1 to 100.
            start_date, end_date: when it happened. Times are aware datetimes, or texts such as
                2026-01-31T12:00:00Z.
            first_incident_time_after, first_incident_time_before: when it happened first.
            last_incident_time_after, last_incident_time_before: when it happened last.
            end_user_organization_name, integration_name, linked_account_id: of one.
            include_muted: also those that were muted.
            status: ONGOING or RESOLVED.
            **options: category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Page of Issue: iterating over it fetches the pages that follow.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/issues/
        """
    async def issue(self, id: str, **options: Unpack[AsyncReadOptions]) -> Issue:
        """Get one issue.

        Args:
            id: a UUID.
            **options: category, timeout, max_retries, api_key, extra_headers.

        Returns:
            An Issue.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/issues/
        """
    async def passthrough(
        self,
        *,
        method: Method,
        path: str,
        base_url_override: str | None = None,
        data: Any = None,
        multipart_form_data: Any = None,
        headers: dict[str, Any] | None = None,
        request_format: RequestFormat | None = None,
        normalize_response: bool | None = None,
        **options: Unpack[AsyncAccountWriteOptions],
    ) -> PassthroughResponse:
        """Have Merge make a request to the third party with the linked account's login.

        Args:
            method: of HTTP: GET, POST, PUT, PATCH or DELETE.
            path: at the third party, such as /users.
            base_url_override: instead of the third party's usual base URL.
            data: the body: a string, or what json.dumps can write.
            multipart_form_data: list of {name, data, encoding, file_name, content_type}.
            headers: of the request to the third party, a dict. They may hold credentials.
            request_format: JSON, XML or MULTIPART.
            normalize_response: have the response turned into JSON.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            A PassthroughResponse.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/passthrough-request/
        """
    async def async_passthrough(
        self,
        *,
        method: Method,
        path: str,
        base_url_override: str | None = None,
        data: Any = None,
        multipart_form_data: Any = None,
        headers: dict[str, Any] | None = None,
        request_format: RequestFormat | None = None,
        normalize_response: bool | None = None,
        **options: Unpack[AsyncAccountWriteOptions],
    ) -> AsyncPassthroughReceipt:
        """Have Merge make such a request in its own time: see async_passthrough_result().

        Args:
            method: of HTTP: GET, POST, PUT, PATCH or DELETE.
            path: at the third party, such as /users.
            base_url_override: instead of the third party's usual base URL.
            data: the body: a string, or what json.dumps can write.
            multipart_form_data: list of {name, data, encoding, file_name, content_type}.
            headers: of the request to the third party, a dict. They may hold credentials.
            request_format: JSON, XML or MULTIPART.
            normalize_response: have the response turned into JSON.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            An AsyncPassthroughReceipt.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/async-passthrough/
        """
    async def webhook_receivers(
        self, **options: Unpack[AsyncAccountReadOptions]
    ) -> list[WebhookReceiver]:
        """List where Merge sends webhooks of the linked account.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A list of WebhookReceiver.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/webhook-receivers/
        """
    async def create_webhook_receiver(
        self,
        *,
        event: str,
        is_active: bool,
        key: str | None = None,
        **options: Unpack[AsyncAccountWriteOptions],
    ) -> WebhookReceiver:
        """Have Merge send webhooks of the linked account.

        Args:
            event: of which to be told, such as LinkedAccount.synced.
            is_active: True: send them.
            key: to sign them with; a credential.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            A WebhookReceiver.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/webhook-receivers/
        """
    async def available_actions(
        self, **options: Unpack[AsyncAccountReadOptions]
    ) -> AvailableActions:
        """Get what can be done with the models of the linked account. Merge calls it outdated.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            An AvailableActions.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/available-actions/
        """
    async def field_mappings(
        self,
        *,
        exclude_remote_field_metadata: bool | None = None,
        **options: Unpack[AsyncAccountReadOptions],
    ) -> FieldMappings:
        """Get the field mappings of the linked account, by model.

        Args:
            exclude_remote_field_metadata: leave out the remote fields' metadata.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A FieldMappings.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    async def create_field_mapping(
        self,
        *,
        remote_field_traversal_path: list[Any] | tuple[Any, ...],
        remote_method: str,
        remote_url_path: str,
        common_model_name: str,
        target_field_name: str | None = None,
        target_field_description: str | None = None,
        organization_wide_target_field: bool | None = None,
        is_integration_wide: bool | None = None,
        jmes_path: str | None = None,
        advanced_mapping_expression: str | None = None,
        exclude_remote_field_metadata: bool | None = None,
        remote_data_iteration_count: int | None = None,
        **options: Unpack[AsyncAccountWriteOptions],
    ) -> FieldMappingResult:
        """Map a field of the third party to a field of a common model.

        Args:
            remote_field_traversal_path: list of keys that lead to the field in the remote data.
            remote_method, remote_url_path: of the remote endpoint where the field comes from.
            common_model_name: the model that gets the field; only when it is made.
            target_field_name, target_field_description: of the field in Merge.
            organization_wide_target_field: True: for the whole organization.
            is_integration_wide: True: for all accounts of the integration.
            jmes_path: JMESPath that picks from the remote field.
            advanced_mapping_expression: instead of a path: an expression.
            exclude_remote_field_metadata: leave out the remote fields' metadata.
            remote_data_iteration_count: remote records to look at.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            A FieldMappingResult.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    async def update_field_mapping(
        self,
        id: str,
        *,
        remote_field_traversal_path: list[Any] | tuple[Any, ...] | None = None,
        remote_method: str | None = None,
        remote_url_path: str | None = None,
        common_model_name: str | None = None,
        target_field_name: str | None = None,
        target_field_description: str | None = None,
        organization_wide_target_field: bool | None = None,
        is_integration_wide: bool | None = None,
        jmes_path: str | None = None,
        advanced_mapping_expression: str | None = None,
        exclude_remote_field_metadata: bool | None = None,
        remote_data_iteration_count: int | None = None,
        **options: Unpack[AsyncAccountWriteOptions],
    ) -> FieldMappingResult:
        """Change a field mapping: what is given of it.

        Args:
            id: of the mapping.
            remote_field_traversal_path: list of keys that lead to the field in the remote data.
            remote_method, remote_url_path: of the remote endpoint where the field comes from.
            common_model_name: the model that gets the field; only when it is made.
            target_field_name, target_field_description: of the field in Merge.
            organization_wide_target_field: True: for the whole organization.
            is_integration_wide: True: for all accounts of the integration.
            jmes_path: JMESPath that picks from the remote field.
            advanced_mapping_expression: instead of a path: an expression.
            exclude_remote_field_metadata: leave out the remote fields' metadata.
            remote_data_iteration_count: remote records to look at.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            A FieldMappingResult.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    async def delete_field_mapping(
        self, id: str, **options: Unpack[AsyncAccountReadOptions]
    ) -> None:
        """Delete a field mapping.

        Args:
            id: of the mapping.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    async def remote_fields(
        self,
        *,
        common_models: Texts | None = None,
        include_example_values: bool | None = None,
        **options: Unpack[AsyncAccountReadOptions],
    ) -> RemoteFields:
        """Get the fields of the third party that can be mapped, by model.

        Args:
            common_models: list of models; all by default.
            include_example_values: also a value of each.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A RemoteFields.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    async def target_fields(self, **options: Unpack[AsyncAccountReadOptions]) -> TargetFields:
        """Get the fields in Merge that others can be mapped to, by model.

        Args:
            **options: account_token, category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A TargetFields.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    async def create_target_field(
        self,
        *,
        name: str,
        description: str | None = None,
        common_model: str,
        **options: Unpack[AsyncAccountWriteOptions],
    ) -> TargetFields:
        """Add a field to a common model, which others can be mapped to.

        Args:
            name, description: of the field.
            common_model: that gets it.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Returns:
            A TargetFields.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/field-mapping/
        """
    def audit_trail(
        self,
        *,
        cursor: str | None = None,
        end_date: Time | None = None,
        event_type: str | None = None,
        page_size: int | None = None,
        start_date: Time | None = None,
        user_email: str | None = None,
        **options: Unpack[AsyncReadOptions],
    ) -> AsyncPager[AuditEvent]:
        """List who has done what in your organization at Merge.

        Args:
            cursor: where to begin: next_cursor of another page.
            page_size: results on each page, 1 to 100.
            start_date, end_date: when. Aware datetimes, or texts such as 2026-01-31T12:00:00Z.
            event_type: such as INVITED_USER.
            user_email: of who did it.
            **options: category, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Page of AuditEvent: iterating over it fetches the pages that follow.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/audit-trail/
        """
    async def ignore(
        self,
        model: str,
        id: str,
        reason: IgnoreReason,
        message: str | None = None,
        **options: Unpack[AsyncAccountWriteOptions],
    ) -> None:
        """Have Merge forget one object of a common model, and leave it out of syncs.

        Args:
            model: as in paths, such as candidates.
            id: of the object, a UUID.
            reason: GENERAL_CUSTOMER_REQUEST, GDPR or OTHER.
            message: for the records.
            **options: account_token, category, timeout, max_retries, api_key, extra_headers,
                extra_body.

        Raises what any call raises. Merge's page: https://docs.merge.dev/ats/ignore/
        """
    async def request(
        self,
        method: Method,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        json: Any = None,
        headers: dict[str, str] | None = None,
        **options: Unpack[AsyncRequestOptions],
    ) -> RawResponse:
        """Call any endpoint of Merge's API: with this client's key, retries, errors and limits.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: what follows the base URL, such as /ats/v1/candidates.
            params: the query, a dict. Lists are joined by commas; None is left out.
            json: the body: any value that json.dumps can write.
            headers: further HTTP headers, a dict of strings.
            **options: account_token, timeout, max_retries, api_key, extra_headers.

        POST and PATCH are repeated only when nothing was sent, or on 429.

        Returns:
            A RawResponse: .json(), .data, .status_code, .headers.

        Raises what any call raises. Merge's reference: https://docs.merge.dev/
        """
    def paginate(
        self,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        cursor: str | None = None,
        **options: Unpack[AsyncRequestOptions],
    ) -> AsyncPager[dict[str, Any]]:
        """List what any endpoint of Merge's API lists in pages.

        Args:
            path: what follows the base URL, such as /ats/v1/candidates.
            params: the query, a dict. Lists are joined by commas; None is left out.
            headers: further HTTP headers, a dict of strings.
            cursor: where to begin: next_cursor of another page.
            **options: account_token, timeout, max_retries, api_key, extra_headers.

        Returns:
            A Page of dicts: iterating over it fetches the pages that follow.

        Raises what any call raises. Merge's reference: https://docs.merge.dev/
        """

@final
class Query:
    """A call that was made and can be made again, for another page."""
    def call(self, cursor: str | None = None) -> Any:
        """Make the call again and return its result; with a cursor, for that page."""
    def ticket(self, cursor: str | None = None) -> Ticket:
        """Return a ticket for the same, which begins with its submit()."""
    @property
    def client(self) -> Client | AsyncClient:
        """The client that made the call."""
    @property
    def is_async(self) -> bool:
        """Is that an AsyncClient?"""

@final
class Ticket:
    """One call among many: of prepare() or submit() of a client."""
    def submit(self, mailbox: Mailbox, context: object, flow: Flow | None, /) -> None:
        """Hand the call over to the client's engine. The context comes out of the mailbox with the
        outcome. Raises what a call raises before it sends anything.
        """
    def set_key(self, key: str, /) -> None:
        """Set the API key of the call: what key_source returned."""
    def cancel(self) -> None:
        """End the call. Its outcome comes all the same, soon. Harmless when it is over."""
    @property
    def key_source(self) -> Callable[[], str | Awaitable[str]] | None:
        """The callable that is to be asked for the API key before submit(), or None."""

@final
class Mailbox:
    """Where the outcomes of submitted calls come out: one for each event loop or thread that waits."""
    def __new__(cls) -> Self:
        """Create and return a new object.  See help(type) for accurate signature."""
    def fileno(self) -> int:
        """Return the descriptor that is readable while something waits to be taken.

        It stays the mailbox's own. Negative: a forked child could not have one of its own.
        """
    def wait(self, seconds: float, /) -> bool:
        """Wait until something can be taken, and return whether it can.

        Other threads run meanwhile. KeyboardInterrupt comes out, and what signal handlers raise.
        """
    def take(self, most: int, /) -> list[tuple[Any, Any]]:
        """Return what has come, as pairs of context and result or exception, and do not wait.

        Looks at so many news at most; those of attempts are told to on_attempt and to the log
        here. What interrupts that (KeyboardInterrupt) comes out, and nothing is lost: the next
        call returns it.
        """
    def close(self) -> None:
        """Cancel what is under way for it and forget what was not taken. Again is harmless."""

@final
class Flow:
    """A pace that many calls share, in requests a second; 0: as fast as goes.

    Calls of a flow are patient: they wait where Merge, the error budget or the pace
    makes them wait, whatever their timeout.
    """
    def __new__(cls, per_second: float) -> Self:
        """Create and return a new object.  See help(type) for accurate signature."""
