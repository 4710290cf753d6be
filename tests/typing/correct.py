"""Uses that type checkers accept in their strict modes. `tests/test_typing.py` also runs each."""

import asyncio
import dataclasses
import json
import os
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict, Unpack, assert_never, assert_type

import merge_link
from merge_link import (
    AccountDetails,
    AccountToken,
    AsyncBulkRun,
    AsyncClient,
    AsyncPage,
    AsyncPager,
    Attempt,
    AuditEvent,
    BulkRun,
    BulkSummary,
    Client,
    FieldMapping,
    Issue,
    LinkedAccount,
    LinkToken,
    Outcome,
    Outcomes,
    Page,
    PassthroughResponse,
    Progress,
    RawResponse,
    RegeneratedAccountToken,
    RemoteFields,
    RemoteKey,
    Scopes,
    SyncStatus,
    TargetFields,
    WebhookReceiver,
)
from merge_link.sandbox import Sandbox
from merge_link.types import (
    AccountReadOptions,
    AsyncClientOptions,
    AsyncLinkTokenParams,
    Category,
    ClientOptions,
    CommonModel,
    KnownCategory,
    LinkTokenDefaults,
    LinkTokenFields,
    LinkTokenParams,
    ModelScope,
    Region,
)


class Who(TypedDict):
    """A part of the fields, of one's own."""

    end_user_email_address: str
    end_user_organization_name: str
    end_user_origin_id: str


WHO: Who = {
    "end_user_email_address": "hr@acme.example",
    "end_user_organization_name": "Acme",
    "end_user_origin_id": "acme-42",
}


# ---- calls ----


def the_modules_function(sandbox: Sandbox) -> None:
    token = merge_link.create_link_token(
        end_user_email_address="hr@acme.example",
        end_user_organization_name="Acme",
        end_user_origin_id="acme-42",
        categories=["ats"],
        base_url=sandbox.base_url,
        api_key=sandbox.api_key,
    )
    assert_type(token, LinkToken)


def a_client_with_every_option(sandbox: Sandbox) -> None:
    region: Region | None = None
    with Client(
        api_key=sandbox.api_key,
        account_token=None,
        region=region,
        base_url=sandbox.base_url,
        category="ats",
        timeout=10,
        connect_timeout=2.5,
        max_retries=0,
        max_connections=20,
        idle_timeout=60,
        max_response_bytes=1 << 20,
        error_budget=(20, 10),
        ca_bundle=None,
        client_cert=None,
        proxy="",
        allow_http=False,
        user_agent="mine/1.0",
        on_attempt=None,
    ) as client:
        assert_type(client, Client)
        client.warm_up(2, timeout=5)
        assert_type(client.region, Region | None)
        assert_type(client.timeout, float)
        assert_type(client.error_budget, tuple[int, float] | None)
        assert not client.closed
    assert client.closed


def a_certificate_by_its_path(sandbox: Sandbox) -> None:
    def connect(certificates: Path) -> Client:
        return Client(ca_bundle=certificates, client_cert="me.pem", region="eu")

    assert callable(connect)


def a_key_that_is_rotated(sandbox: Sandbox) -> None:
    def current() -> str:
        return sandbox.api_key

    with Client(api_key=current, base_url=sandbox.base_url) as client:
        client.create_link_token(**WHO, categories=["ats"], api_key=lambda: sandbox.api_key)


def calls_that_are_awaited(sandbox: Sandbox) -> None:
    async def current() -> str:
        return sandbox.api_key

    async def german(client: AsyncClient, **params: Unpack[AsyncLinkTokenParams]) -> LinkToken:
        params.setdefault("language", "de")
        return await client.create_link_token(**params)

    def made(**options: Unpack[AsyncClientOptions]) -> AsyncClient:
        options.setdefault("base_url", sandbox.base_url)
        return AsyncClient(**options)

    async def main() -> None:
        async with made(api_key=current, timeout=5) as client:
            assert_type(client, AsyncClient)
            await client.warm_up(2, timeout=5, api_key=sandbox.api_key)
            token = await client.create_link_token(**WHO, categories=["ats"], api_key=current)
            assert_type(token, LinkToken)
            both = await asyncio.gather(
                german(client, **WHO, categories=["ats"]),
                client.create_link_token(**WHO, categories=["hris"], language="de"),
            )
            assert_type(both, tuple[LinkToken, LinkToken])
            async with asyncio.TaskGroup() as group:
                task = group.create_task(client.create_link_token(**WHO, categories=["ats"]))
            assert_type(task.result(), LinkToken)
            assert_type(client.timeout, float)
        await sandbox.async_client(timeout=5).aclose()
        await made(api_key=lambda: sandbox.api_key).close()

    asyncio.run(main())


def every_field(sandbox: Sandbox) -> None:
    models: list[CommonModel] = [
        {"model_id": "ats.Candidate", "enabled_actions": ["READ"], "disabled_fields": []}
    ]
    scopes: dict[str, list[ModelScope]] = {
        "ats": [
            {
                "model_name": "Candidate",
                "model_permissions": {"READ": {"is_enabled": True}},
                "field_permissions": {"disabled_fields": ["email"]},
            },
            {"model_name": "Job"},
        ]
    }
    with sandbox.client(timeout=5.0) as client:
        client.create_link_token(
            **WHO,
            categories=["ats", "hris"],
            integration="greenhouse",
            link_expiry_mins=7 * 24 * 60,
            should_create_magic_link_url=True,
            hide_admin_magic_link=False,
            common_models=models,
            category_common_model_scopes=scopes,
            language="de",
            are_syncs_disabled=True,
            integration_specific_config={"a": [1, None, {"b": 2.5}]},
            completed_account_initial_screen="SELECTIVE_SYNC",
            linked_destination_id="3fa85f64-5717-4562-b3fc-2c963f66afa6",
            credential_id=None,
            ekm_enabled=None,
            category="ats",
            timeout=3,
            max_retries=1,
            api_key=sandbox.api_key,
            extra_headers={"X-Trace": "1"},
            extra_body=None,
        )


def nested_objects_in_place(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        client.create_link_token(
            **WHO,
            categories=("ats",),
            common_models=(
                {"model_id": "ats.Job", "enabled_actions": ("READ",), "disabled_fields": ()},
            ),
            category_common_model_scopes={
                "ats": [{"model_name": "Job", "field_permissions": {"enabled_fields": ("name",)}}]
            },
        )


def categories_from_variables(sandbox: Sandbox) -> None:
    listed: list[str] = ["ats", "hris"]
    fixed: tuple[str, ...] = ("ats",)
    open_ended: list[Category] = ["ats"]
    known: list[KnownCategory] = ["ats"]
    of_any_kind: Sequence[str] = listed
    with sandbox.client() as client:
        for categories in (listed, fixed, open_ended, known):
            client.create_link_token(**WHO, categories=categories)
        client.create_link_token(**WHO, categories=list(of_any_kind))
        client.create_link_token(**WHO, categories=tuple(of_any_kind))
        client.create_link_token(**WHO, categories=[c for c in listed if c != "hris"])
        client.create_link_token(**WHO, categories=[known[0], listed[1]])
        client.create_link_token(**WHO, categories=[*known, *listed[1:]])


def choices_that_merge_adds_later(sandbox: Sandbox) -> None:
    def ask(client: Client) -> LinkToken:
        return client.create_link_token(
            **WHO, categories=["newcategory"], category="newcategory", language="pt-BR"
        )

    with sandbox.client() as client:
        try:
            ask(client)
        except merge_link.APIError as error:
            assert error.status_code in (400, 404)


def fields_from_json(sandbox: Sandbox) -> None:
    fields: LinkTokenFields = json.loads(json.dumps({**WHO, "categories": ["ats"]}))
    with sandbox.client() as client:
        client.create_link_token(**fields)
        client.create_link_token(**fields, timeout=5)


# ---- wrappers ----


def my_link(client: Client, **params: Unpack[LinkTokenParams]) -> LinkToken:
    params.setdefault("language", "de")
    return client.create_link_token(**params)


def my_own_fields(client: Client, user_id: int, **fields: Unpack[LinkTokenFields]) -> str:
    fields["end_user_origin_id"] = f"user-{user_id}"
    return client.create_link_token(**fields, max_retries=0).link_token


@contextmanager
def my_client(sandbox: Sandbox, **options: Unpack[ClientOptions]) -> Generator[Client]:
    with sandbox.client(**options) as client:
        yield client


def wrappers(sandbox: Sandbox) -> None:
    with my_client(sandbox, timeout=5, max_retries=1) as client:
        token = my_link(client, **WHO, categories=["ats"], link_expiry_mins=60, timeout=2.5)
        assert_type(token, LinkToken)
        assert my_own_fields(client, 42, **WHO, categories=["ats"])


class MyClient(Client):
    """A client with a habit of its own."""

    def create_link_token(self, **params: Unpack[LinkTokenParams]) -> LinkToken:
        """Create a link token, in German."""
        params.setdefault("language", "de")
        return super().create_link_token(**params)

    def invite(self, who: Who) -> LinkToken:
        """Create a link token for a new customer."""
        return self.create_link_token(**who, categories=["ats"])


def a_client_of_ones_own(sandbox: Sandbox) -> None:
    with MyClient(base_url=sandbox.base_url, api_key=sandbox.api_key) as client:
        assert_type(client, MyClient)
        assert_type(client.invite(WHO), LinkToken)


# ---- results ----


def the_members_of_a_token(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        token = client.create_link_token(**WHO, categories=["ats"])
    assert_type(token.link_token, str)
    assert_type(token.integration_name, str | None)
    assert_type(token.magic_link_url, str | None)
    assert_type(token.expires_at, datetime)
    assert_type(token.extra, dict[str, Any])
    assert_type(token.response, merge_link.Response)
    assert_type(token.response.status_code, int)
    assert_type(token.response.request_id, str | None)
    assert_type(token.response.headers, merge_link.Headers)
    assert_type(token.response.headers["Date"], str)
    assert_type(token.response.attempts, int)
    assert_type(token.response.timing.total, float)
    assert_type(token.is_expired(), bool)
    assert_type(token.to_dict(), dict[str, Any])
    assert token.expires_at - datetime.now(UTC) > timedelta(minutes=29)
    assert token == token and len({token, token}) == 1


def a_token_made_by_hand(sandbox: Sandbox) -> None:
    token = LinkToken(link_token="made-up", expires_at=datetime.now(UTC))
    assert token.is_expired(token.expires_at)
    assert token.response.attempts == 0
    other = LinkToken(
        link_token="made-up",
        integration_name="Lever",
        magic_link_url=None,
        expires_at=token.expires_at,
        extra={"new": 1},
        response=token.response,
    )
    assert other.extra == {"new": 1}


def as_a_dataclass(sandbox: Sandbox) -> None:
    token = LinkToken(link_token="made-up", expires_at=datetime.now(UTC))
    changed = dataclasses.replace(token, integration_name="Lever")
    assert_type(changed, LinkToken)
    assert_type(dataclasses.asdict(token), dict[str, Any])
    assert "link_token" in {field.name for field in dataclasses.fields(token)}
    match changed:
        case LinkToken(integration_name="Lever", link_token=text):
            assert_type(text, str)
        case _:
            raise AssertionError("does not match")


# ---- attempts ----


class Told:
    """A hook with a state."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, attempt: Attempt) -> None:
        """Add up."""
        assert_type(attempt.status_code, int | None)
        assert_type(attempt.retry_in, float | None)
        assert_type(attempt.method + attempt.host + attempt.path + attempt.code, str)
        assert_type(attempt.number, int)
        self.seconds += attempt.seconds


def hooks(sandbox: Sandbox) -> None:
    numbers: list[int] = []

    def note(attempt: Attempt) -> str:
        numbers.append(attempt.number)
        return "what it returns does not matter"

    told = Told()
    several: list[Callable[[Attempt], object]] = [note, told, lambda a: numbers.append(a.number)]
    for hook in several:
        with sandbox.client(on_attempt=hook) as client:
            client.create_link_token(**WHO, categories=["ats"])
    assert numbers == [1, 1]
    assert told.seconds > 0


# ---- errors ----


def explain(error: merge_link.MergeLinkError) -> str:
    """Say what happened, with every attribute that an error has."""
    match error:
        case merge_link.ValidationError():
            assert_type(error.errors, tuple[merge_link.FieldProblem, ...])
            return "; ".join(f"{problem.field}: {problem.message}" for problem in error.errors)
        case merge_link.TransportError(code=code, attempts=attempts):
            assert_type(error.may_have_arrived, bool)
            return f"{code} after {attempts}"
        case merge_link.RateLimitError(retry_after=float(seconds)):
            return f"again in {seconds:.1f} s"
        case merge_link.APIError(status_code=404):
            return "not found"
        case merge_link.APIError():
            assert_type(error.detail, str | None)
            assert_type(error.field_errors, dict[str, list[str]])
            assert_type(error.request_id, str | None)
            assert_type(error.attempts, int)
            assert_type(error.retry_after, float | None)
            headers: Mapping[str, str] = error.headers
            body: object = error.body
            return f"{error.status_code} {error.detail} {headers.get('Date')} {body}"
        case merge_link.ResponseError():
            return f"{error.status_code} {error.request_id} {error.attempts}"
        case _:
            return str(error)


def errors(sandbox: Sandbox) -> None:
    with sandbox.client(api_key="test_wrong") as client:
        try:
            client.create_link_token(**WHO, categories=["ats"])
        except merge_link.AuthenticationError as error:
            assert explain(error).startswith("401 ")
        try:
            client.create_link_token(**WHO, categories=["atss"])
        except (merge_link.TransportError, merge_link.APIError) as error:
            raise AssertionError(error.attempts) from error
        except merge_link.errors.MergeLinkError as error:
            assert explain(error).startswith("categories[0]: ")


def errors_made_by_hand(sandbox: Sandbox) -> None:
    error = merge_link.RateLimitError("slow down", status_code=429, retry_after=1.5)
    assert explain(error) == "again in 1.5 s"


def as_the_errors_of_python(sandbox: Sandbox) -> None:
    try:
        Client(api_key="")
    except ValueError as error:
        assert isinstance(error, merge_link.ConfigurationError)
    try:
        raise merge_link.RequestTimeoutError("too late", code="", attempts=1)
    except TimeoutError as late:
        assert isinstance(late, ConnectionError)


# ---- many ----

FIELDS: LinkTokenFields = {
    "end_user_email_address": "hr@acme.example",
    "end_user_organization_name": "Acme",
    "end_user_origin_id": "acme-42",
    "categories": ["ats"],
}


def many(sandbox: Sandbox) -> None:
    told: list[float | None] = []

    def tell(progress: Progress) -> None:
        told.append(progress.seconds_left)

    with sandbox.client() as client:
        run = client.create_link_tokens(
            [WHO, WHO], rate="400/min", concurrency=2, progress=tell, categories=["ats"]
        )
        assert_type(run, BulkRun)
        for outcome in run:
            assert_type(outcome, Outcome)
            if outcome.token is None:
                assert_type(outcome.error, Exception | None)
            else:
                assert_type(outcome.token.link_token, str)
        assert_type(run.summary, BulkSummary)
        assert run.summary.latency is not None
        assert_type(run.summary.latency.p99, float)
        assert told


def many_of_any_source(sandbox: Sandbox) -> None:
    def rows() -> Iterator[Mapping[str, object]]:
        yield FIELDS
        yield {**WHO, "categories": ("hris",)}

    plain: list[dict[str, str]] = [{"end_user_origin_id": "a"}]
    mixed: list[dict[str, Any]] = [dict(FIELDS)]
    with sandbox.client() as client, client.create_link_tokens(rows(), rate=100.0) as run:
        assert_type(next(run), Outcome)
        outcomes = client.create_link_tokens([FIELDS], ordered=True).collect()
        assert_type(outcomes, Outcomes)
        assert_type(outcomes[0], Outcome)
        assert_type(outcomes[:1], Outcomes)
        assert_type(outcomes.tokens, list[LinkToken])
        assert_type(outcomes.to_dicts(), list[dict[str, Any]])
        client.create_link_tokens(plain).collect()
        client.create_link_tokens(mixed, progress=True).collect()


def a_wrapper_of_many(sandbox: Sandbox) -> None:
    def magic_links(client: Client, **defaults: Unpack[LinkTokenDefaults]) -> list[str | None]:
        defaults["should_create_magic_link_url"] = True
        run = client.create_link_tokens([FIELDS], **defaults)
        return [token.magic_link_url for token in run.collect().tokens]

    with sandbox.client() as client:
        assert magic_links(client, link_expiry_mins=10080)[0]


def many_awaited(sandbox: Sandbox) -> None:
    async def rows() -> AsyncGenerator[LinkTokenFields]:
        yield FIELDS

    async def main() -> None:
        async with AsyncClient(api_key=sandbox.api_key, base_url=sandbox.base_url) as client:
            run = client.create_link_tokens(rows())
            assert_type(run, AsyncBulkRun)
            async for outcome in run:
                assert_type(outcome, Outcome)
            async with client.create_link_tokens([FIELDS]) as other:
                assert_type(await other.collect(), Outcomes)

    asyncio.run(main())


# ---- linked accounts ----


def linked(sandbox: Sandbox, client: Client) -> AccountToken:
    """Link an account, as an end user does in a browser."""
    link = client.create_link_token(**WHO, categories=["ats"], integration="greenhouse")
    return client.retrieve_account_token(sandbox.complete_link(link.link_token), timeout=5)


def every_endpoint_of_an_account(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        token = linked(sandbox, client)
        assert_type(token, AccountToken)
        assert_type(token.integration.name, str)
        account = client.for_account(token.account_token, category="ats")
        assert_type(account, Client)
        assert_type(account.account_details().completed_at, datetime | None)
        assert_type(account.sync_status(page_size=10), Page[SyncStatus])
        assert_type(account.force_resync(), list[SyncStatus])
        assert_type(account.linked_account_scopes(), Scopes)
        scopes: list[ModelScope] = [{"model_name": "Candidate"}]
        assert_type(account.set_linked_account_scopes(scopes), Scopes)
        assert_type(account.available_actions().passthrough_available, bool | None)
        assert_type(account.webhook_receivers(), list[WebhookReceiver])
        receiver = account.create_webhook_receiver(event="candidate.changed", is_active=True)
        assert_type(receiver.key, str | None)
        answer = account.passthrough(method="GET", path="/people", headers={"X": "1"}, data=[1])
        assert_type(answer, PassthroughResponse)
        receipt = account.async_passthrough(method="POST", path="/people", request_format="JSON")
        late = account.async_passthrough_result(receipt.async_passthrough_receipt_id, wait=20)
        assert_type(late, PassthroughResponse)
        assert_type(account.field_mappings().by_model, dict[str, list[FieldMapping]])
        assert_type(account.remote_fields(common_models=["Candidate"]), RemoteFields)
        assert_type(account.target_fields(), TargetFields)
        account.create_target_field(name="hobby", common_model="Candidate")
        assert_type(account.regenerate_account_token(), RegeneratedAccountToken)


def what_belongs_to_the_organization(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        linked(sandbox, client)
        accounts = client.linked_accounts(
            status="COMPLETE",
            end_user_origin_ids=["acme-42", "acme-43"],
            is_test_account=None,
            category="ats",
        )
        assert_type(accounts, Page[LinkedAccount])
        for account in accounts:
            assert_type(account, LinkedAccount)
            assert_type(account.completed_at, datetime | None)
        for page in accounts.pages(read_ahead=True):
            assert_type(page.next_cursor, str | None)
            assert_type(page.results, list[LinkedAccount])
        since = datetime.now(UTC) - timedelta(days=7)
        assert_type(client.issues(start_date=since, end_date="2026-01-31T12:00:00Z"), Page[Issue])
        assert_type(client.audit_trail(start_date=since, user_email=None), Page[AuditEvent])
        assert_type(client.generate_key("mine"), RemoteKey)
        assert_type(client.regenerate_key(name="mine", extra_body={"new": 1}), RemoteKey)
        assert_type(client.default_scopes(), Scopes)


def any_endpoint(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        token = linked(sandbox, client).account_token
        found = client.request(
            "GET", "/ats/v1/candidates", params={"page_size": 2}, account_token=token
        )
        assert_type(found, RawResponse)
        assert_type(found.status_code, int)
        names = [one["first_name"] for one in found.json()["results"]]
        assert len(names) == 2
        candidates = client.paginate("/ats/v1/candidates", account_token=token, timeout=5)
        assert_type(candidates, Page[dict[str, Any]])
        assert_type(next(iter(candidates))["first_name"], Any)


def views(sandbox: Sandbox) -> None:
    def mine(client: MyClient) -> MyClient:
        return client.for_account("made-up").with_options(timeout=5, max_retries=0, region=None)

    with MyClient(base_url=sandbox.base_url, api_key=sandbox.api_key) as client:
        assert_type(mine(client), MyClient)


def accounts_that_are_awaited(sandbox: Sandbox) -> None:
    async def main() -> None:
        async with AsyncClient(api_key=sandbox.api_key, base_url=sandbox.base_url) as client:
            with sandbox.client() as blocking:
                token = linked(sandbox, blocking).account_token
            account = client.for_account(token)
            assert_type(account, AsyncClient)
            assert_type(await account.account_details(), AccountDetails)
            details, scopes = await asyncio.gather(
                account.account_details(timeout=5), client.default_scopes()
            )
            assert_type(details, AccountDetails)
            assert_type(scopes, Scopes)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(account.force_resync())
            assert_type(task.result(), list[SyncStatus])
            pager = client.linked_accounts()
            assert_type(pager, AsyncPager[LinkedAccount])
            assert_type(await pager, AsyncPage[LinkedAccount])
            assert_type(await asyncio.create_task(pager), AsyncPage[LinkedAccount])
            async for one in client.linked_accounts():
                assert_type(one, LinkedAccount)
            async for page in client.linked_accounts().pages():
                assert_type(page, AsyncPage[LinkedAccount])
            found = await account.request("GET", "/ats/v1/candidates", api_key=current)
            assert_type(found, RawResponse)
            assert_type(
                [one async for one in account.paginate("/ats/v1/jobs")], list[dict[str, Any]]
            )
            await account.delete_account()

    async def current() -> str:
        return sandbox.api_key

    asyncio.run(main())


def my_details(client: Client, **options: Unpack[AccountReadOptions]) -> AccountDetails:
    options.setdefault("category", "ats")
    return client.account_details(**options)


def wrappers_of_operations(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        token = linked(sandbox, client).account_token
        assert_type(my_details(client, account_token=token, timeout=5), AccountDetails)


def an_answer_made_by_hand(sandbox: Sandbox) -> None:
    page = Page([LinkedAccount(id="a-1", status="COMPLETE")])
    assert_type(page, Page[LinkedAccount])
    assert [account.id for account in page] == ["a-1"]
    assert_type(page.to_dicts(), list[dict[str, Any]])


# ---- around it ----


@contextmanager
def merge_on_this_machine() -> Generator[Sandbox]:
    """What a fixture of pytest would do."""
    with Sandbox(port=0, api_key="test_mine") as sandbox:
        os.environ["MERGE_BASE_URL"] = sandbox.base_url
        os.environ["MERGE_API_KEY"] = sandbox.api_key
        try:
            yield sandbox
        finally:
            del os.environ["MERGE_BASE_URL"], os.environ["MERGE_API_KEY"]


def a_fixture(sandbox: Sandbox) -> None:
    with merge_on_this_machine() as merge:
        merge_link.create_link_token(**WHO, categories=["ats"])
        assert merge.requests[-1].json["categories"] == ["ats"]
        assert_type(merge.requests[-1].status, int | None)
        assert_type(merge.requests[-1].headers["Content-Type"], str)


def server_of(region: Region) -> str:
    """Choose among all regions: the checker knows that none is left."""
    match region:
        case "us" | "eu":
            return "west"
        case "apac":
            return "east"
        case _:
            assert_never(region)


def closed_choices(sandbox: Sandbox) -> None:
    assert server_of("apac") == "east"


def names(sandbox: Sandbox) -> None:
    assert_type(merge_link.__version__, str)
    assert merge_link.types.LinkTokenParams is LinkTokenParams
    assert merge_link.models.LinkToken is LinkToken
    assert merge_link.response.Headers is merge_link.Headers
