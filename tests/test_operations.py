"""Every operation, on both clients: what goes over the wire, what comes back, what goes wrong."""

import asyncio
import inspect
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

import merge_link
from merge_link import AsyncClient, AsyncPage, Client, ConfigurationError, Page, _core, models
from merge_link.results import RawResponse
from operations import ACCOUNT, BY_NAME, CASES, ID, PUBLIC, Case, page_of, parsed
from samples import KEY
from scripted import Script, Server, answer, hang_up, stay_silent

Serve = Callable[..., Server]
# How a call is made: of a client with these options, and the case's arguments and more keywords.
Make = Callable[..., Any]

ROWS = {row["name"]: row for row in _core.operations()}
OTHERS = ("create_link_token", "warm_up")
ALL = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
WITH_ACCOUNT = [case for case in CASES if ROWS[case.name]["account"] == "required"]
WITHOUT_ACCOUNT = [case for case in CASES if ROWS[case.name]["account"] == "none"]


def call_blocking(server: Server, case: Case, options: dict[str, Any], **more: Any) -> Any:
    with Client(**{"base_url": server.base_url, "api_key": KEY, **options}) as client:
        return getattr(client, case.name)(*case.arguments, **{**case.keywords, **more})


def call_awaited(server: Server, case: Case, options: dict[str, Any], **more: Any) -> Any:
    async def main() -> Any:
        base_url = server.base_url
        async with AsyncClient(**{"base_url": base_url, "api_key": KEY, **options}) as client:
            return await getattr(client, case.name)(*case.arguments, **{**case.keywords, **more})

    return asyncio.run(main())


@pytest.fixture(params=["blocking", "awaited"])
def make(request: pytest.FixtureRequest) -> Make:
    return {"blocking": call_blocking, "awaited": call_awaited}[request.param]


def account(case: Case) -> dict[str, Any]:
    return {"account_token": ACCOUNT} if ROWS[case.name]["account"] != "none" else {}


# ---- the table ----


def test_every_operation_has_a_case_a_method_and_an_awaited_one() -> None:
    assert len(BY_NAME) == len(CASES)
    assert {*OTHERS, *BY_NAME} == ROWS.keys()
    for name in ROWS:
        assert inspect.isroutine(getattr(Client, name))
        assert inspect.isroutine(getattr(AsyncClient, name))


def test_what_may_be_repeated() -> None:
    unsent = {name for name, row in ROWS.items() if row["repeat"] == "unsent"}
    assert unsent == {
        *("passthrough", "async_passthrough", "generate_key", "regenerate_key"),
        *("regenerate_account_token", "force_resync", "set_linked_account_scopes"),
        *("create_webhook_receiver", "create_target_field"),
        *("create_field_mapping", "update_field_mapping"),
    }
    assert {name for name, row in ROWS.items() if row["repeat"] == "by method"} == {"request"}


# ---- the wire ----


@ALL
def test_what_goes_over_the_wire(serve: Serve, make: Make, case: Case) -> None:
    server = serve(case.answer)
    make(server, case, {}, **account(case))
    (request,) = (parsed(one) for one in server.requests)
    assert (request.method, request.target) == (case.method, f"/api{case.target}")
    assert request.json == case.body
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers.get("content-type") == (case.body and "application/json")
    if case.body is None and case.method == "POST":
        assert request.headers["content-length"] == "0"
    for name, value in case.keywords.get("headers", {}).items() if case.name == "request" else ():
        assert request.headers[name.lower()] == value


@pytest.mark.parametrize("case", WITH_ACCOUNT, ids=lambda case: case.name)
def test_the_account_token_is_sent_where_it_is_needed(serve: Serve, make: Make, case: Case) -> None:
    server = serve(case.answer)
    make(server, case, {"account_token": "of-the-client"})
    make(server, case, {"account_token": "of-the-client"}, account_token=ACCOUNT)
    make(server, case, {"account_token": "of-the-client"}, account_token=None)
    sent = [parsed(one).headers["x-account-token"] for one in server.requests]
    assert sent == ["of-the-client", ACCOUNT, "of-the-client"]


@pytest.mark.parametrize("case", WITH_ACCOUNT, ids=lambda case: case.name)
def test_without_one_nothing_is_sent(serve: Serve, make: Make, case: Case) -> None:
    server = serve(case.answer)
    with pytest.raises(ConfigurationError, match=f"{case.name} needs an account_token") as caught:
        make(server, case, {})
    assert caught.value.option == "account_token"
    assert "client.for_account(account_token)" in caught.value.__notes__[0]
    assert server.requests == []


@pytest.mark.parametrize("case", WITHOUT_ACCOUNT, ids=lambda case: case.name)
def test_it_is_never_sent_where_it_is_not_needed(serve: Serve, make: Make, case: Case) -> None:
    server = serve(case.answer)
    make(server, case, {"account_token": "of-the-client"})
    assert "x-account-token" not in parsed(server.requests[0]).headers
    assert b"of-the-client" not in server.received
    if case.name == "issues":
        return
    with pytest.raises(TypeError, match="'account_token': this endpoint takes no account token"):
        make(server, case, {}, account_token=ACCOUNT)


@pytest.mark.parametrize("name", ["request", "paginate"])
def test_any_endpoint_takes_one_and_needs_none(serve: Serve, make: Make, name: str) -> None:
    server = serve(BY_NAME[name].answer)
    make(server, BY_NAME[name], {})
    make(server, BY_NAME[name], {"account_token": "of-the-client"})
    make(server, BY_NAME[name], {"account_token": "of-the-client"}, account_token=ACCOUNT)
    sent = [parsed(one).headers.get("x-account-token") for one in server.requests]
    assert sent == [None, "of-the-client", ACCOUNT]


@ALL
def test_the_options_of_a_call(serve: Serve, make: Make, case: Case) -> None:
    server = serve(answer(503), case.answer)
    options = {
        "timeout": 5,
        "api_key": lambda: "test_other",
        "extra_headers": {"X-Trace": "7"},
        "max_retries": 0,
        **account(case),
    }
    if "{category}" in ROWS[case.name]["path"]:
        options["category"] = "hris"
    if ROWS[case.name]["takes_extra_body"]:
        options["extra_body"] = {"brand_new": [1.5]}
    with pytest.raises(merge_link.ServerError):
        make(server, case, {}, **options)
    (request,) = (parsed(one) for one in server.requests)
    target = case.target.replace("/ats/", "/hris/", 1) if "category" in options else case.target
    assert request.target == f"/api{target}"
    assert request.headers["authorization"] == "Bearer test_other"
    assert request.headers["x-trace"] == "7"
    extra = options.get("extra_body", {})
    assert request.json == ({**case.body, **extra} if extra else case.body)


@ALL
def test_a_body_is_extended_only_where_there_is_one(serve: Serve, make: Make, case: Case) -> None:
    server = serve(case.answer)
    if ROWS[case.name]["takes_extra_body"]:
        (known,) = [*case.body][:1]
        with pytest.raises(merge_link.ValidationError, match=known):
            make(server, case, {}, extra_body={known: 1}, **account(case))
    else:
        with pytest.raises(merge_link.ValidationError, match="extra_body"):
            make(server, case, {}, extra_body={"x": 1}, **account(case))
    assert server.requests == []


# ---- results ----


@ALL
def test_what_comes_back(serve: Serve, make: Make, case: Case) -> None:
    result = make(serve(case.answer), case, {}, **account(case))
    kind = ROWS[case.name]["answer"]
    item: Any = getattr(models, case.answers or "", dict)
    if kind == "nothing":
        assert result is None
    elif kind == "any":
        assert type(result) is RawResponse
        assert result.data == case.said == result.json()
        assert result.status_code == 200
    elif kind == "list":
        assert {type(one) for one in result} == {item}
        assert [one.to_dict() for one in result] == case.said
    elif kind == "page":
        assert type(result) is (AsyncPage if make is call_awaited else Page)
        assert {type(one) for one in result.results} == {item}
        assert [one if item is dict else one.to_dict() for one in result.results] == case.said[
            "results"
        ]
    else:
        assert type(result) is item
        assert result.to_dict() == case.said
        assert result.response.status_code == case.status
        assert result.response.attempts == 1


def test_what_deletes_needs_no_body(serve: Serve, make: Make) -> None:
    for script in (
        answer(204),
        answer(200),
        answer(200, {}),
        answer(202, b"<p>", content_type="x"),
    ):
        for name in ("delete_account", "delete_field_mapping", "ignore"):
            assert make(serve(script), BY_NAME[name], {"account_token": ACCOUNT}) is None


def test_a_page_for_people_says_that_nothing_was_done(serve: Serve, make: Make) -> None:
    script = answer(200, b"<title>Sign in</title>", content_type="text/html; charset=utf-8")
    for name in ("delete_account", "delete_field_mapping", "ignore"):
        with pytest.raises(merge_link.ResponseError, match=r"\(status 200\) is an HTML page"):
            make(serve(script), BY_NAME[name], {"account_token": ACCOUNT})


@pytest.mark.parametrize("case", [c for c in CASES if c.answers], ids=lambda case: case.name)
def test_an_answer_that_is_something_else_is_a_response_error(
    serve: Serve, make: Make, case: Case
) -> None:
    if case.name == "request":
        broken = answer(200, b'{"secret-value": 1', content_type="application/json")
    else:
        broken = answer(200, b'"secret-value"')
    script = broken.replace(b"\r\n", b"\r\nX-Request-Id: rq-7\r\n", 1)
    with pytest.raises(merge_link.ResponseError) as caught:
        make(serve(script), case, account(case))
    assert (caught.value.status_code, caught.value.request_id) == (200, "rq-7")
    assert "secret-value" not in str(caught.value)


def test_a_member_of_another_kind_is_a_response_error_without_its_value(
    serve: Serve, make: Make
) -> None:
    case = BY_NAME["account_details"]
    said = {**case.said, "completed_at": "secret-value"}
    script = answer(200, said, "X-Request-Id: rq-7")
    with pytest.raises(merge_link.ResponseError) as caught:
        make(serve(script), case, {}, **account(case))
    error = caught.value
    assert str(error) == (
        "member completed_at of the answer must be a time (ISO 8601), is a string (request id rq-7)"
    )
    assert (error.status_code, error.request_id, error.attempts) == (200, "rq-7", 1)
    assert error.__cause__ is error.__context__ is None


def test_what_json_refuses_is_a_response_error(serve: Serve, make: Make) -> None:
    digits = answer(200, b'{"results": [], "next": null, "n": ' + b"9" * 5000 + b"}")
    for name in ("paginate", "request"):
        with pytest.raises(merge_link.ResponseError, match="Python's json module refuses"):
            make(serve(digits), BY_NAME[name], {})


# ---- errors ----

ERRORS: dict[str, tuple[Script, type[Exception]]] = {
    "400": (answer(400, {"name": ["no"]}), merge_link.BadRequestError),
    "401": (answer(401, {"detail": "no"}), merge_link.AuthenticationError),
    "403": (answer(403, {"detail": "no"}), merge_link.PermissionDeniedError),
    "404": (answer(404, {"detail": "Not found."}), merge_link.NotFoundError),
    "409": (answer(409, {"detail": "no"}), merge_link.APIError),
    "429": (answer(429, {"detail": "slow"}, "Retry-After: 99"), merge_link.RateLimitError),
    "500": (answer(500, b"<p>oops"), merge_link.ServerError),
    "503": (answer(503), merge_link.ServerError),
    "a redirect": (answer(302, b"", "Location: /x"), merge_link.ResponseError),
    "a broken connection": (hang_up, merge_link.TransportError),
    "silence": (stay_silent, merge_link.RequestTimeoutError),
}


@ALL
@pytest.mark.parametrize("what", ERRORS)
def test_each_error_of_each_operation(serve: Serve, case: Case, what: str) -> None:
    script, kind = ERRORS[what]
    server = serve(script)
    options = {**account(case), "max_retries": 0, "timeout": 0.2 if what == "silence" else 5.0}
    with pytest.raises(kind) as caught:
        call_blocking(server, case, {"error_budget": None}, **options)
    assert type(caught.value) is kind
    assert len(server.requests) == 1


@pytest.mark.parametrize("what", ERRORS)
def test_each_error_of_an_awaited_call(serve: Serve, what: str) -> None:
    script, kind = ERRORS[what]
    options = {"max_retries": 0, "timeout": 0.2 if what == "silence" else 5.0}
    for name in ("issue", "linked_accounts", "force_resync", "delete_account"):
        case = BY_NAME[name]
        with pytest.raises(kind) as caught:
            call_awaited(serve(script), case, options, **account(case))
        assert type(caught.value) is kind


def test_the_error_budget_holds_calls_back(serve: Serve, make: Make) -> None:
    server = serve(answer(404))
    case = BY_NAME["issue"]
    with pytest.raises(merge_link.NotFoundError):
        make(server, case, {"error_budget": (1, 30.0)})
    with pytest.raises(merge_link.ErrorBudgetError):
        make(server, case, {"error_budget": (1, 30.0)})
    assert len(server.requests) == 1


@ALL
def test_a_closed_client_calls_nobody(serve: Serve, case: Case) -> None:
    server = serve(case.answer)
    client = server.client(account_token=ACCOUNT)
    client.close()
    with pytest.raises(merge_link.ClientClosedError):
        getattr(client, case.name)(*case.arguments, **case.keywords)

    async def main() -> None:
        closed = AsyncClient(base_url=server.base_url, api_key=KEY, account_token=ACCOUNT)
        await closed.aclose()
        with pytest.raises(merge_link.ClientClosedError):
            await getattr(closed, case.name)(*case.arguments, **case.keywords)

    asyncio.run(main())
    assert server.requests == []


# ---- repeating ----


def is_repeated(case: Case) -> bool:
    rule = ROWS[case.name]["repeat"]
    return rule == "always" or (rule == "by method" and case.method not in ("POST", "PATCH"))


@ALL
def test_a_503_is_repeated_where_that_is_harmless(serve: Serve, case: Case) -> None:
    server = serve(answer(503), case.answer)
    options = {"max_retries": 1, **account(case)}
    if is_repeated(case):
        call_blocking(server, case, options)
        assert len(server.requests) == 2
        assert server.requests[0] == server.requests[1]
    else:
        with pytest.raises(merge_link.ServerError):
            call_blocking(server, case, options)
        assert len(server.requests) == 1


@ALL
def test_a_429_is_always_repeated(serve: Serve, case: Case) -> None:
    server = serve(answer(429, {}, "Retry-After: 0"), case.answer)
    call_blocking(server, case, {"max_retries": 1, **account(case)})
    assert len(server.requests) == 2
    assert server.requests[0] == server.requests[1]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "PATCH"])
def test_a_request_is_repeated_by_its_method(serve: Serve, make: Make, method: str) -> None:
    server = serve(answer(503), answer(200, {}))
    case = BY_NAME["request"]._replace(arguments=(method, "/ats/v1/x"), keywords={})
    if method in ("POST", "PATCH"):
        with pytest.raises(merge_link.ServerError):
            make(server, case, {"max_retries": 1})
        assert len(server.requests) == 1
    else:
        make(server, case, {"max_retries": 1})
        assert len(server.requests) == 2


def test_a_404_after_a_repeat_says_that_the_token_may_be_used_up(serve: Serve, make: Make) -> None:
    case = BY_NAME["retrieve_account_token"]
    said = "The first attempt may have used the public token up"
    for lost in (answer(503), hang_up):
        with pytest.raises(merge_link.NotFoundError) as caught:
            make(serve(lost, answer(404, {"detail": "Not found."})), case, {"max_retries": 1})
        assert said in "\n".join([str(caught.value), *caught.value.__notes__])
        assert caught.value.attempts == 2
    with pytest.raises(merge_link.NotFoundError) as caught:
        make(serve(answer(404, {"detail": "Not found."})), case, {"max_retries": 1})
    assert said not in "\n".join([str(caught.value), *caught.value.__notes__])


def test_a_401_after_a_repeat_says_that_the_account_may_be_deleted(
    serve: Serve, make: Make
) -> None:
    said = "The first attempt may have deleted the account"
    options = {"max_retries": 1, "account_token": ACCOUNT}
    gone = answer(401, {"detail": "Invalid account token."})
    for first, is_said in ((answer(503), True), (hang_up, True), (gone, False)):
        with pytest.raises(merge_link.AuthenticationError) as caught:
            make(serve(first, gone), BY_NAME["delete_account"], options)
        told = "\n".join([str(caught.value), *caught.value.__notes__])
        assert (said in told) == is_said


# ---- arguments ----


def test_what_comes_by_position(serve: Serve, make: Make) -> None:
    for case in CASES:
        most = ROWS[case.name]["positional"]
        assert len(case.arguments) == most
        names = [row["name"] for row in _core.fields(case.name)][:most]
        by_name = dict(zip(names, case.arguments, strict=True))
        server = serve(case.answer)
        make(server, case, account(case))
        make(server, case._replace(arguments=()), account(case), **by_name)
        assert server.requests[0] == server.requests[1]


@ALL
def test_one_too_many_is_a_type_error(serve: Serve, make: Make, case: Case) -> None:
    server = serve(case.answer)
    many = case._replace(arguments=(*case.arguments, "more"))
    with pytest.raises(TypeError, match="positional"):
        make(server, many, account(case))
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'nonsense'"):
        make(server, case, account(case), nonsense=1)
    if case.arguments and case.name != "async_passthrough_result":
        name = _core.fields(case.name)[0]["name"]
        with pytest.raises(TypeError, match=f"multiple values for argument '{name}'"):
            make(server, case, account(case), **{name: "x"})
    assert server.requests == []


def test_what_is_misspelt_is_explained(serve: Serve, make: Make) -> None:
    case = BY_NAME["linked_accounts"]
    for wrong, right in (
        ("curser", "cursor"),
        ("tiemout", "timeout"),
        ("headers", "extra_headers"),
    ):
        with pytest.raises(TypeError, match=f"Did you mean '{right}'"):
            make(serve(), case, {}, **{wrong: "x"})
    with pytest.raises(TypeError, match="it is an option of Client"):
        make(serve(), case, {}, proxy="x")
    with pytest.raises(TypeError, match="Did you mean 'account_token'"):
        make(serve(), BY_NAME["account_details"], {}, acount_token="x")


@ALL
def test_a_required_argument_that_is_missing_or_none_is_a_problem(
    serve: Serve, make: Make, case: Case
) -> None:
    server = serve(case.answer)
    required = [row["name"] for row in _core.fields(case.name) if row["required"]]
    if case.name == "async_passthrough_result":
        return  # its signature says so
    nothing = case._replace(arguments=(), keywords={})
    for given in ({}, dict.fromkeys(required)):
        if not required:
            make(server, nothing, account(case), **given)
            continue
        with pytest.raises(merge_link.ValidationError) as caught:
            make(server, nothing, account(case), **given)
        assert [problem.field for problem in caught.value.errors] == required
    assert bool(server.requests) == (not required)


@pytest.mark.parametrize("time", [datetime(2026, 1, 31, 12), datetime.min, datetime.max])
def test_a_time_without_a_zone_is_refused(serve: Serve, make: Make, time: datetime) -> None:
    server = serve(BY_NAME["audit_trail"].answer)
    for name, keywords in (
        ("audit_trail", {"start_date": time}),
        ("issues", {"first_incident_time_after": time}),
        ("paginate", {"params": {"modified_after": time}}),
    ):
        with pytest.raises(merge_link.ValidationError) as caught:
            make(server, BY_NAME[name]._replace(keywords={}), {}, **keywords)
        assert "must have a time zone, as datetime.now(UTC) has" in str(caught.value)
    assert server.requests == []


def test_times_of_other_kinds_are_refused(serve: Serve, make: Make) -> None:
    server = serve(BY_NAME["audit_trail"].answer)
    case = BY_NAME["audit_trail"]._replace(keywords={})
    early = datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))
    for wrong in (
        date(2026, 1, 31),
        1769860800,
        early,
        "yesterday",
        "2026-01-31",
        "2026-01-31T12:00:00",
    ):
        with pytest.raises(merge_link.ValidationError, match="start_date"):
            make(server, case, {}, start_date=wrong)
    assert server.requests == []


def test_values_of_a_query(serve: Serve, make: Make) -> None:
    server = serve(answer(200, {}))
    case = BY_NAME["request"]
    params = {
        "int": 2**70,
        "float": 1e300,
        "no": False,
        "text": "ü &=#?/+",
        "list": ("a b", 1, True, 0.5),
        "none": None,
        "empty": "",
    }
    make(server, case._replace(arguments=("GET", "/x"), keywords={}), {}, params=params)
    assert parsed(server.requests[0]).target == (
        f"/api/x?int={2**70}&float=1e%2B300&no=false&text=%C3%BC%20%26%3D%23%3F%2F%2B"
        "&list=a%20b%2C1%2Ctrue%2C0.5&empty="
    )
    wrong_ones: list[Any] = [{"a": {"b": 1}}, {"a": ["x,y"]}, {"a": float("nan")}, {"a": [[1]]}]
    for wrong in (*wrong_ones, {5: 1}, {"a": object()}, [("a", 1)], "a=1"):
        with pytest.raises(merge_link.ValidationError, match="params"):
            make(server, case._replace(arguments=("GET", "/x"), keywords={}), {}, params=wrong)


def test_json_goes_out_and_comes_back_exactly(serve: Serve, make: Make) -> None:
    values: list[Any] = [
        *(2**70, -(2**70), 0.1, 5e-324, 1.7976931348623157e308, "\u0000\ud7ff\U0001f600é"),
        *(True, [], {}, [[{}]], {"": {"a": [1, None]}}, "text", 0),
    ]
    for value in values:
        server = serve(answer(200, value))
        case = BY_NAME["request"]._replace(arguments=("POST", "/x"), keywords={"json": value})
        result = make(server, case, {})
        assert parsed(server.requests[0]).json == value
        assert repr(result.data) == repr(value)
    for wrong in (float("nan"), {1, 2}, object(), {"a": b"b"}):
        with pytest.raises(merge_link.ValidationError, match="json"):
            make(server, case, {}, json=wrong)


# ---- injection ----

ODD = {
    "../link-token": "..%2Flink-token",
    "a?b=1": "a%3Fb%3D1",
    "a#b": "a%23b",
    "a%2Fb": "a%252Fb",
    "a/b": "a%2Fb",
    "a\\b": "a%5Cb",
    "🙂é": "%F0%9F%99%82%C3%A9",
    "a b": "a%20b",
    "..": None,
    ".": None,
    "": None,
    " ": None,
    "a\r\nX: y": None,
    "a\0b": None,
    "x" * 10_000: None,
}
IN_PATH = {
    "retrieve_account_token": "/ats/v1/account-token/{}",
    "issue": "/ats/v1/issues/{}",
    "async_passthrough_result": "/ats/v1/async-passthrough/{}",
    "delete_field_mapping": "/ats/v1/field-mappings/{}",
    "update_field_mapping": "/ats/v1/field-mappings/{}",
    "ignore": "/ats/v1/candidates/ignore/{}",
}


@pytest.mark.parametrize("name", IN_PATH)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd[:20]))
def test_no_value_leads_to_another_endpoint(serve: Serve, make: Make, name: str, odd: str) -> None:
    case = BY_NAME[name]
    server = serve(case.answer)
    arguments = (*case.arguments[:1], odd, *case.arguments[2:]) if name == "ignore" else (odd,)
    encoded = ODD[odd]
    if encoded is None:
        with pytest.raises(merge_link.ValidationError) as caught:
            make(server, case._replace(arguments=arguments), account(case))
        assert server.requests == []
        assert len(str(caught.value)) < 500
    else:
        make(server, case._replace(arguments=arguments), account(case))
        (request,) = (parsed(one) for one in server.requests)
        assert request.target == "/api" + IN_PATH[name].format(encoded)


BAD_PATHS = [
    *("ats/v1/x", "", "https://evil.example/x", "//evil.example/x", "/a//b", "/a?b=1", "/a#b"),
    *("/a/../b", "/..", "/a/./b", "/a/%2e%2E/b", "/a/.%2e", "/a/%2E", "/a\\b", "/a\r\nX: y"),
    *("/a\0b", "/a%0", "/a%zz", "/a\x7fb", "/a\tb", "/" + "x" * 10_000),
]


@pytest.mark.parametrize("path", BAD_PATHS, ids=lambda path: ascii(path[:24]))
def test_a_path_that_leads_elsewhere_is_refused(serve: Serve, make: Make, path: str) -> None:
    server = serve(answer(200, page_of()))
    for case, arguments in (("request", ("GET", path)), ("paginate", (path,))):
        with pytest.raises(merge_link.ValidationError) as caught:
            make(server, BY_NAME[case]._replace(arguments=arguments, keywords={}), {})
        assert [problem.field for problem in caught.value.errors] == ["path"]
    assert server.requests == []


def test_other_paths_arrive_as_they_are(serve: Serve, make: Make) -> None:
    paths = {
        "/a b/é": "/a%20b/%C3%A9",
        "/a%2Fb;c=d": "/a%2Fb;c=d",
        "/...": "/...",
        "/a.b/": "/a.b/",
    }
    for path, arrives in paths.items():
        server = serve(answer(200, {}))
        make(server, BY_NAME["request"]._replace(arguments=("GET", path), keywords={}), {})
        assert parsed(server.requests[0]).target == f"/api{arrives}"


@pytest.mark.parametrize("method", ["get", "HEAD", "CONNECT", "G T", "", "GET\r\nX: y", 5])
def test_other_methods_are_refused(serve: Serve, make: Make, method: Any) -> None:
    server = serve(answer(200, {}))
    with pytest.raises(merge_link.ValidationError, match="method"):
        make(server, BY_NAME["request"]._replace(arguments=(method, "/x"), keywords={}), {})
    assert server.requests == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer x"},
        {"X-Account-Token": "x"},
        {"Host": "evil.example"},
        {"Content-Length": "5"},
        {"Transfer-Encoding": "chunked"},
        {"X": "a\r\nY: b"},
        {"X\r\nY": "b"},
        {"X": 5},
        {5: "x"},
        "X: y",
    ],
    ids=str,
)
def test_headers_that_are_not_the_callers_are_refused(
    serve: Serve, make: Make, headers: Any
) -> None:
    server = serve(answer(200, {}))
    for keyword in ("headers", "extra_headers"):
        with pytest.raises(merge_link.ValidationError, match="headers"):
            make(server, BY_NAME["request"]._replace(keywords={}), {}, **{keyword: headers})
    assert server.requests == []


# ---- pages ----


def script_of(*pages: tuple[int, str | None]) -> list[bytes]:
    return [
        answer(200, page_of(*({"n": n} for n in range(many)), following=following))
        for many, following in pages
    ]


def targets(server: Server) -> list[str]:
    return [parsed(one).target for one in server.requests]


def test_pages_through_a_client(serve: Serve) -> None:
    server = serve(*script_of((2, "a"), (2, "b&c"), (1, None)))
    with server.client() as client:
        page = client.paginate(
            "/ats/v1/x",
            params={"q": "1", "cursor": "0"},
            account_token=ACCOUNT,
            headers={"X-Mine": "1"},
        )
        assert len(list(page)) == 5
        assert server.connections == 1
    assert targets(server) == [
        "/api/ats/v1/x?q=1&cursor=0",
        "/api/ats/v1/x?q=1&cursor=a",
        "/api/ats/v1/x?q=1&cursor=b%26c",
    ]
    for request in map(parsed, server.requests):
        assert request.headers["x-account-token"] == ACCOUNT
        assert request.headers["x-mine"] == "1"


def test_pages_through_an_async_client(serve: Serve) -> None:
    server = serve(*script_of((2, "a"), (2, "b&c"), (1, None)))

    async def main() -> None:
        async with AsyncClient(base_url=server.base_url, api_key=KEY) as client:
            found = [one async for one in client.paginate("/x", account_token=ACCOUNT)]
            assert len(found) == 5

    asyncio.run(main())
    assert targets(server) == ["/api/x", "/api/x?cursor=a", "/api/x?cursor=b%26c"]
    assert {parsed(one).headers["x-account-token"] for one in server.requests} == {ACCOUNT}


@pytest.mark.parametrize("read_ahead", [False, True])
def test_a_key_is_asked_for_at_each_page(serve: Serve, read_ahead: bool) -> None:
    keys = iter(f"test_{n}" for n in range(9))
    server = serve(*script_of((1, "a"), (1, "b"), (1, None)))
    with server.client(api_key=lambda: next(keys)) as client:
        assert len(list(client.paginate("/x").iterate(read_ahead=read_ahead))) == 3
        assert len(list(client.paginate("/x", api_key="test_own"))) == 1

    async def current() -> str:
        await asyncio.sleep(0)
        return next(keys)

    async def main() -> None:
        async with AsyncClient(base_url=again.base_url, api_key="test_none") as client:
            pager = client.paginate("/x", api_key=current)
            assert len([one async for one in pager.iterate(read_ahead=read_ahead)]) == 3

    again = serve(*script_of((1, "a"), (1, "b"), (1, None)))
    asyncio.run(main())
    used = [parsed(one).headers["authorization"] for one in (*server.requests, *again.requests)]
    assert used == [f"Bearer test_{n}" for n in (0, 1, 2, "own", 3, 4, 5)]


def test_a_page_keeps_the_options_of_the_call(serve: Serve) -> None:
    server = serve(*script_of((1, "a")), answer(503), *script_of((1, None)))
    with server.client() as client:
        page = client.paginate("/x", max_retries=0, extra_headers={"X-Trace": "1"})
        with pytest.raises(merge_link.ServerError):
            list(page)
        assert len(list(page)) == 2
    assert {parsed(one).headers["x-trace"] for one in server.requests} == {"1"}


def test_a_page_keeps_its_client(serve: Serve) -> None:
    server = serve(*script_of((1, "a"), (1, None)))
    page = server.client().for_account(ACCOUNT).paginate("/x")
    assert len(list(page)) == 2
    assert {parsed(one).headers["x-account-token"] for one in server.requests} == {ACCOUNT}


def test_cursors_that_go_in_a_circle_end(serve: Serve) -> None:
    server = serve(*script_of((1, "a"), (1, "b"), (1, "a")))
    with server.client() as client, pytest.raises(merge_link.ResponseError, match="same cursor"):
        list(client.paginate("/x"))
    assert len(server.requests) == 3


# ---- results that take their time ----


def test_a_result_that_is_not_there_yet(serve: Serve, make: Make) -> None:
    case = BY_NAME["async_passthrough_result"]
    for early in (answer(200, b'"soon"'), answer(202)):
        with pytest.raises(merge_link.ResponseError) as caught:
            make(serve(early), case, {"account_token": ACCOUNT})
        assert any("wait= asks again" in note for note in caught.value.__notes__)
        server = serve(early, case.answer)
        result = make(server, case, {"account_token": ACCOUNT}, wait=20)
        assert result.status == 200
        assert len(server.requests) == 2
        assert server.requests[0] == server.requests[1]


def test_waiting_ends(serve: Serve, make: Make) -> None:
    case = BY_NAME["async_passthrough_result"]
    server = serve(answer(200, b'"soon"'))
    with pytest.raises(merge_link.ResponseError) as caught:
        make(server, case, {"account_token": ACCOUNT}, wait=0.7)
    assert "It was not there after 0.7 s of waiting." in caught.value.__notes__
    assert len(server.requests) == 3
    for status, error in ((401, merge_link.AuthenticationError), (404, merge_link.NotFoundError)):
        refusing = serve(answer(status))
        with pytest.raises(error):
            make(refusing, case, {"account_token": ACCOUNT}, wait=20)
        assert len(refusing.requests) == 1  # a receipt that is none will not become one
    for wrong in (-1, float("nan"), "5", True, []):
        with pytest.raises(ConfigurationError, match="wait must be a number of seconds"):
            make(server, case, {"account_token": ACCOUNT}, wait=wrong)


# ---- coroutines ----


def test_what_is_wrong_with_the_arguments_comes_out_when_it_is_awaited(serve: Serve) -> None:
    async def main() -> None:
        async with AsyncClient(base_url=serve().base_url, api_key=KEY) as client:
            for waiting in (
                client.issue(),  # type: ignore[call-arg]
                client.account_details(),
                client.issues(page_size=0),
                client.issue("x", nonsense=1),  # type: ignore[call-arg]
            ):
                with pytest.raises((ValueError, TypeError)):
                    await waiting

    asyncio.run(main())


def test_a_coroutine_bears_the_name_of_its_call() -> None:
    async def main() -> None:
        async with AsyncClient(api_key=KEY) as client:
            waiting = client.issue(ID)
            assert waiting.__qualname__ == "AsyncClient.issue"
            waiting.close()

    asyncio.run(main())


def test_a_cancelled_call_is_cancelled(serve: Serve) -> None:
    server = serve(stay_silent)

    async def main() -> None:
        async with AsyncClient(base_url=server.base_url, api_key=KEY) as client:
            task = asyncio.create_task(client.issue(ID))
            while not server.requests:
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())


def test_now_is_a_time_that_is_taken(serve: Serve) -> None:
    server = serve(BY_NAME["audit_trail"].answer)
    with server.client() as client:
        client.audit_trail(start_date=datetime.now(UTC))
    assert parsed(server.requests[0]).target.endswith("Z")
    assert PUBLIC not in parsed(server.requests[0]).target
