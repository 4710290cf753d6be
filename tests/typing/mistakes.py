"""Mistakes that type checkers find, one a line, each marked with its kind; no other line has one.

Nothing here is ever run.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypedDict, Unpack

import merge_link
from merge_link import AsyncClient, Attempt, Client, Clinet, LinkToken  # mistake: misspelt name
from merge_link.sandbox import Sandbox
from merge_link.types import (
    ClientOptions,
    CommonModel,
    LinkTokenFields,
    LinkTokenParams,
    ModelPermission,
    ModelScope,
)


class Who(TypedDict):
    end_user_email_address: str
    end_user_organization_name: str
    end_user_origin_id: str


def as_people_write(client: Client, minutes: str) -> None:
    token = client.create_link_token(
        end_user_email_address="hr@acme.example",
        end_user_organization_name="Acme",
        end_user_origin_id=42,  # mistake: a number for an id
        categories="ats",  # mistake: a text for a list
        link_expiry_mins=minutes,  # mistake: text for minutes
        timeout="30s",  # mistake: text for seconds
    )
    merge_link.create_link_token(
        end_user_email_address="hr@acme.example",
        end_user_organization_name="Acme",
        end_user_origin_id="acme-42",
        categories=["ats"],
        common_models=[{"model_id": "ats.Job", "actions": ["READ"]}],  # mistake: wrong members
        api_key=None,
        region="de",  # mistake: unknown region
    )
    send(token["link_token"])  # mistake: used as a dict
    send(token)  # mistake: not a text


def send(text: str) -> None:
    print(text)


def calls(client: Client, who: Who, several: Sequence[str], numbers: list[int]) -> None:
    link = client.create_link_token
    link(**who, categories="ats")  # mistake: a text for a list
    link(**who, categories=[1])  # mistake: numbers for categories
    link(**who, categories=numbers)  # mistake: numbers for categories
    link(**who, categories={"ats"})  # mistake: a set for a list
    link(**who, categories=several)  # mistake: may be a text
    link(**who, categories=None)  # mistake: None for a required field
    link(**who, categories=["ats"], link_expiry_mins="60")  # mistake: text for minutes
    link(**who, categories=["ats"], link_expiry_mins=7.5)  # mistake: half a minute
    link(**who, categories=["ats"], link_expiry=60)  # mistake: misspelt field
    link(**who)  # mistake: missing required field
    link(  # mistake: missing required field
        end_user_email_address="hr@acme.example",
        end_user_organization_name="Acme",
        categories=["ats"],
    )
    link("hr@acme.example", "Acme", "acme-42", ["ats"])  # mistake: positional
    link(**who, categories=["ats"], timeout="5")  # mistake: text for seconds
    link(**who, categories=["ats"], max_retries=1.5)  # mistake: half a retry
    link(**who, categories=["ats"], ekm_enabled="yes")  # mistake: text for bool
    link(**who, categories=["ats"], language=5)  # mistake: language
    link(**who, categories=["ats"], credential_id=42)  # mistake: id
    link(**who, categories=["ats"], region="eu")  # mistake: not of a call
    link(**who, categories=["ats"], extra_headers=["X-A: 1"])  # mistake: headers
    link(**who, categories=["ats"], extra_headers={"X-A": 1})  # mistake: headers
    link(**who, categories=["ats"], integration_specific_config=[])  # mistake: no dict
    link(
        **who,
        categories=["ats"],
        completed_account_initial_screen="SELECTIVE",  # mistake: not among the choices
    )
    merge_link.create_link_token(**who, categories=["ats"], region="mars")  # mistake: region
    merge_link.create_link_token(**who, categories=["ats"], time_out=5)  # mistake: misspelt option
    merge_link.create_link_tokens(**who, categories=["ats"])  # mistake: misspelt function
    client.create_token(**who, categories=["ats"])  # mistake: misspelt method
    client.warm_up("2")  # mistake: text for a number
    client.timeout = 5.0  # mistake: read only
    print(client.api_key)  # mistake: it cannot be read back


def many(client: Client, who: Who, rows: list[LinkTokenFields]) -> None:
    run = client.create_link_tokens(rows)
    client.create_link_tokens()  # mistake: no rows
    client.create_link_tokens(who)  # mistake: one row for many
    client.create_link_tokens("people.csv")  # mistake: a text for rows
    client.create_link_tokens([5])  # mistake: numbers for rows
    client.create_link_tokens(rows, 64)  # mistake: positional
    client.create_link_tokens(rows, concurrency="64")  # mistake: text for a number
    client.create_link_tokens(rows, concurency=64)  # mistake: misspelt option
    client.create_link_tokens(rows, rate=("400", "min"))  # mistake: a pair for a rate
    client.create_link_tokens(rows, progress="yes")  # mistake: text for bool
    client.create_link_tokens(rows, progress=print_status)  # mistake: a hook of another type
    client.create_link_tokens(rows, categories="ats")  # mistake: a text for a list
    client.create_link_tokens(rows, link_expiry_mins="60")  # mistake: text for minutes
    client.create_link_tokens(rows, region="eu")  # mistake: not of a call
    print(run[0])  # mistake: a run is no list
    print(run.summary.latency.p50)  # mistake: may be None
    run.summary = None  # mistake: read only
    for outcome in run:
        send(outcome.token)  # mistake: may be None, and not a text
        send(outcome.token.link_token)  # mistake: may be None
        outcome.index = 5  # mistake: immutable
        print(outcome.exception)  # mistake: misspelt member
    send(run.collect().tokens[0])  # mistake: not a text


async def many_awaited(client: AsyncClient, rows: list[LinkTokenFields]) -> None:
    run = client.create_link_tokens(rows)
    run.collect().tokens  # mistake: not awaited
    for _ in run:  # mistake: not async
        pass
    with run:  # mistake: not async
        pass
    await client.create_link_tokens(rows)  # mistake: a run is not awaited


async def awaited(client: AsyncClient, who: Who) -> None:
    token = await client.create_link_token(**who, categories="ats")  # mistake: a text for a list
    await client.create_link_token(**who, categories=["ats"], timout=5)  # mistake: misspelt
    await client.create_link_token(**who)  # mistake: missing required field
    client.create_link_token(**who, categories=["ats"]).link_token  # mistake: not awaited
    token["link_token"]  # mistake: used as a dict
    await client.warm_up("2")  # mistake: text for a number
    await client.warm_up(extra_body={})  # mistake: it has no body
    with client:  # mistake: it is `async with`
        pass
    AsyncClient(api_key=5)  # mistake: no key
    Client(api_key=key)  # mistake: an async callable is for AsyncClient
    client.timeout = 5.0  # mistake: read only


async def key() -> str:
    return "test_key"


def nested(client: Client, fields: LinkTokenFields) -> None:
    item: CommonModel
    item = {"model_id": "ats.Job", "enabled_actions": ["READ"]}  # mistake: missing member
    item = {"model_id": "a", "enabled_actions": ["X"], "disabled_fields": []}  # mistake: choice
    item = {"model_id": 5, "enabled_actions": [], "disabled_fields": []}  # mistake: no text
    item = {"model": "a", "enabled_actions": [], "disabled_fields": []}  # mistake: misspelt member
    fields["common_models"] = [{"model": "ats.Job"}]  # mistake: wrong members
    fields["common_models"] = {"model_id": "ats.Job"}  # mistake: no list
    fields["category_common_model_scopes"] = [{"model_name": "Job"}]  # mistake: no dict
    fields["category_common_model_scopes"] = {"ats": {"model_name": "Job"}}  # mistake: no list
    fields["category_common_model_scopes"] = {"ats": [{"model_id": "Job"}]}  # mistake: wrong member
    permission: ModelPermission = {"enabled": True}  # mistake: misspelt member
    scope: ModelScope
    scope = {"model_permissions": {"R": {"is_enabled": True}}}  # mistake: missing member
    scope = {"model_name": "Job", "model_permissions": {"R": True}}  # mistake: no dict
    scope = {"model_name": "Job", "model_permissions": {"R": {"enabled": 1}}}  # mistake: misspelt
    scope = {"model_name": "Job", "field_permissions": {"fields": ["a"]}}  # mistake: misspelt
    scope = {"model_name": "Job", "field_permissions": {"enabled_fields": "a"}}  # mistake: no list
    fields["categorys"] = ["ats"]  # mistake: misspelt field
    client.create_link_token(**fields, common_models=[item])  # mistake: given twice
    print(scope, permission)


def results(token: LinkToken) -> str:
    print(token["link_token"])  # mistake: used as a dict
    print(token.get("link_token"))  # mistake: used as a dict
    print(token.token)  # mistake: misspelt member
    print(token.integration_name.upper())  # mistake: may be None
    print(token.expires_at + 60)  # mistake: a number for a timedelta
    print(token.response.status)  # mistake: misspelt member
    token.link_token = "mine"  # mistake: immutable
    token.response.attempts = 0  # mistake: immutable
    if token.is_expired("now"):  # mistake: text for a datetime
        print(token < token)  # mistake: has no order
    return token  # mistake: not a text


def by_hand() -> None:
    LinkToken("made-up")  # mistake: positional
    LinkToken(link_token="made-up")  # mistake: needs expires_at
    LinkToken(link_token="made-up", expires_at=None)  # mistake: None for a datetime
    LinkToken(link_token="made-up", expires_at="2030-01-01")  # mistake: text for a datetime
    LinkToken(link_token="made-up", expires_at=datetime.now(UTC), response=None)  # mistake: None
    LinkToken(link_token="made-up", expires_at=datetime.now(UTC), url="")  # mistake: no such field


def options() -> None:
    Client("test_key")  # mistake: positional
    Client(api_key=b"test_key")  # mistake: bytes for a key
    Client(api_key=42)  # mistake: a number for a key
    Client(api_key=lambda: 42)  # mistake: a callable that returns no text
    Client(api_key=asks_for_a_name)  # mistake: a callable with an argument
    Client(timeout="5")  # mistake: text for seconds
    Client(retries=5)  # mistake: unknown option
    Client(region="us-east-1")  # mistake: unknown region
    Client(region="EU")  # mistake: a region in capitals
    Client(error_budget=20)  # mistake: a number for a pair
    Client(error_budget=(20, "10"))  # mistake: text for seconds
    Client(ca_bundle=True)  # mistake: no path
    Client(proxy={"https": "http://proxy.example"})  # mistake: a dict for a URL
    Client(verify=False)  # mistake: there is no such option
    Client(on_attempt=print_status)  # mistake: a hook of another type
    Client(on_attempt="print")  # mistake: no callable


def asks_for_a_name(name: str) -> str:
    return name


def print_status(attempt: int) -> None:
    print(attempt)


def attempts(attempt: Attempt) -> None:
    print(attempt.status_code + 1)  # mistake: may be None
    print(attempt.status)  # mistake: misspelt member


def my_link(client: Client, **params: Unpack[LinkTokenParams]) -> LinkToken:
    print(params["categories"].upper())  # mistake: not a text
    print(params["region"])  # mistake: not among them
    return client.create_link_token(**params)


def my_client(**options: Unpack[ClientOptions]) -> Client:
    return Client(**options)


def wrappers(client: Client, who: Who) -> None:
    my_link(client, **who)  # mistake: missing required field
    my_link(client, **who, categories="ats")  # mistake: a text for a list
    my_link(client, **who, categories=["ats"], minutes=5)  # mistake: unknown field
    my_client(timeout="5")  # mistake: text for seconds
    my_client(region="mars")  # mistake: unknown region
    Sandbox(8787)  # mistake: positional
    Sandbox().client(timeout="5")  # mistake: text for seconds
    merge_link.types.LinkTokenParam  # mistake: misspelt name


def errors(client: Client, who: Who) -> None:
    try:
        client.create_link_token(**who, categories=["ats"])
    except merge_link.AuthentificationError:  # mistake: misspelt name
        pass
    except merge_link.RateLimitError as error:
        print(error.retry_after + 1)  # mistake: may be None
    except merge_link.APIError as error:
        print(error.status)  # mistake: misspelt attribute
        print(error.detail.upper())  # mistake: may be None
        print(error.field_errors[0])  # mistake: paths are texts
    except merge_link.ValidationError as error:
        print(error.errors[0]["field"])  # mistake: used as a dict
    except merge_link.TransportError as error:
        print(error.status_code)  # mistake: there was no answer


def operations(client: Client, account: merge_link.LinkedAccount, when: float) -> None:
    client.retrieve_account_token()  # mistake: no public token
    client.retrieve_account_token(5)  # mistake: a number for a token
    client.retrieve_account_token("x", account_token="y")  # mistake: it takes none
    client.retrieve_account_token("x", extra_body={})  # mistake: it has no body
    client.account_details("x")  # mistake: the token is an option
    client.account_details(acount_token="x")  # mistake: misspelt option
    client.linked_accounts(page_size="100")  # mistake: text for a number
    client.linked_accounts(ids="a,b")  # mistake: a text for a list
    client.linked_accounts(stat="COMPLETE")  # mistake: misspelt filter
    client.issues(start_date=when)  # mistake: seconds for a time
    client.issue(id=None)  # mistake: no id
    client.ignore("candidates", "x", "BORED")  # mistake: no such reason
    client.create_webhook_receiver(event="x", is_active="yes")  # mistake: text for a bool
    client.set_linked_account_scopes([{"model": "Job"}])  # mistake: wrong members
    client.passthrough("GET", "/x")  # mistake: by position
    client.passthrough(method="get", path="/x")  # mistake: no such method
    client.request("FETCH", "/x")  # mistake: no such method
    client.request("GET", "/x", params="a=1")  # mistake: text for params
    client.request("GET", "/x", category="ats")  # mistake: the path has it
    client.paginate("/x", json={})  # mistake: it has no body
    client.for_account()  # mistake: no token
    client.for_account("x", timeout=5)  # mistake: an option of with_options
    client.with_options(proxy="http://x")  # mistake: an option of the connections
    send(client.account_details().completed_at)  # mistake: a time, not a text
    send(client.linked_accounts().next_cursor)  # mistake: perhaps None
    account.status = "IDLE"  # mistake: immutable


async def awaited_operations(client: AsyncClient) -> None:
    client.account_details().status  # mistake: not awaited
    await client.account_details(api_key=5)  # mistake: a number for a key
    list(client.linked_accounts())  # mistake: not asynchronous
    async for page in client.linked_accounts().pages():
        send(page.results[0])  # mistake: not a text


def webhooks() -> None:
    webhooks = merge_link.webhooks
    webhooks.verify("text", None, "key")  # mistake: the raw bytes are wanted
    webhooks.verify(b"{}", 5, "key")  # mistake: no signature
    webhooks.parse(b"{}", "s")  # mistake: no key
    webhooks.parse(b"{}", "s", [5])  # mistake: no text
    webhooks.parse(b"{}", "s", "key").evnet  # mistake: a misspelt field
    webhooks.Event(name="x")  # mistake: no such field
    webhooks.InMemorySeenEvents(10)  # mistake: by keyword only
