from collections.abc import Callable
from os import PathLike
from types import TracebackType
from typing import Any, Self, TypedDict

from typing_extensions import disjoint_base

from merge_link._attempts import Attempt
from merge_link.models import LinkToken

class _Field(TypedDict):
    name: str
    type: str
    required: bool
    min: int
    max: int
    choices: tuple[str, ...]

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
    categories: list[str] | tuple[str, ...],
    integration: str | None = None,
    link_expiry_mins: int | None = 30,
    should_create_magic_link_url: bool | None = None,
    hide_admin_magic_link: bool | None = None,
    common_models: list[dict[str, Any]] | None = None,
    category_common_model_scopes: dict[str, list[dict[str, Any]]] | None = None,
    language: str | None = None,
    are_syncs_disabled: bool | None = None,
    integration_specific_config: dict[str, Any] | None = None,
    completed_account_initial_screen: str | None = None,
    linked_destination_id: str | None = None,
    credential_id: str | None = None,
    ekm_enabled: bool | None = None,
    category: str | None = None,
    timeout: float | None = None,
    max_retries: int | None = None,
    api_key: str | None = None,
    extra_headers: dict[str, str] | None = None,
    extra_body: dict[str, Any] | None = None,
    account_token: str | None = None,
    region: str | None = None,
    base_url: str | None = None,
    connect_timeout: float | None = 5.0,
    max_connections: int | None = 100,
    idle_timeout: float | None = 110.0,
    max_response_bytes: int | None = None,
    error_budget: tuple[int, float] | None = (20, 10.0),
    ca_bundle: str | PathLike[str] | None = None,
    client_cert: str | PathLike[str] | None = None,
    proxy: str | None = None,
    allow_http: bool | None = None,
    user_agent: str | None = None,
    on_attempt: Callable[[Attempt], object] | None = None,
) -> LinkToken: ...
def check(operation: str, /, **fields: Any) -> None: ...
def fields(operation: str, /) -> list[_Field]: ...
def answer_time(headers: bytes, began: float, /) -> float: ...
def versions() -> _Versions: ...
def system_ca() -> str | None: ...

@disjoint_base
class Client:
    def __init__(
        self,
        *,
        api_key: str | None = None,
        account_token: str | None = None,
        region: str | None = None,
        base_url: str | None = None,
        category: str | None = None,
        timeout: float | None = 30.0,
        connect_timeout: float | None = 5.0,
        max_retries: int | None = 2,
        max_connections: int | None = 100,
        idle_timeout: float | None = 110.0,
        max_response_bytes: int | None = None,
        error_budget: tuple[int, float] | None = (20, 10.0),
        ca_bundle: str | PathLike[str] | None = None,
        client_cert: str | PathLike[str] | None = None,
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
        categories: list[str] | tuple[str, ...],
        integration: str | None = None,
        link_expiry_mins: int | None = 30,
        should_create_magic_link_url: bool | None = None,
        hide_admin_magic_link: bool | None = None,
        common_models: list[dict[str, Any]] | None = None,
        category_common_model_scopes: dict[str, list[dict[str, Any]]] | None = None,
        language: str | None = None,
        are_syncs_disabled: bool | None = None,
        integration_specific_config: dict[str, Any] | None = None,
        completed_account_initial_screen: str | None = None,
        linked_destination_id: str | None = None,
        credential_id: str | None = None,
        ekm_enabled: bool | None = None,
        category: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        api_key: str | None = None,
        extra_headers: dict[str, str] | None = None,
        extra_body: dict[str, Any] | None = None,
    ) -> LinkToken: ...
    def warm_up(
        self,
        connections: int = 1,
        *,
        category: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        api_key: str | None = None,
        extra_headers: dict[str, str] | None = None,
    ) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    @property
    def base_url(self) -> str: ...
    @property
    def region(self) -> str | None: ...
    @property
    def category(self) -> str | None: ...
    @property
    def timeout(self) -> float: ...
    @property
    def connect_timeout(self) -> float: ...
    @property
    def idle_timeout(self) -> float: ...
    @property
    def max_retries(self) -> int: ...
    @property
    def max_connections(self) -> int: ...
    @property
    def max_response_bytes(self) -> int | None: ...
    @property
    def error_budget(self) -> tuple[int, float] | None: ...
    @property
    def ca_bundle(self) -> str | None: ...
    @property
    def client_cert(self) -> str | None: ...
    @property
    def allow_http(self) -> bool: ...
    @property
    def user_agent(self) -> str: ...
    @property
    def closed(self) -> bool: ...
