"""The types of arguments agree with the signatures and with the core's tables."""

import ast
import typing
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

import pytest

import merge_link
from merge_link import Client, _core, types
from merge_link.sandbox import rules
from samples import EVERY_FIELD, FIELDS

STUB = ast.parse((Path(_core.__file__).parent / "_core.pyi").read_text())
ROWS = {row["name"]: row for row in _core.fields("create_link_token")}
DICTS = [getattr(types, name) for name in types.__all__ if is_typeddict(getattr(types, name))]
NAMES = vars(types) | {"Attempt": merge_link.Attempt}


def stub_types(name: str, inside: str | None = None) -> dict[str, Any]:
    """The types of a function's keywords in the stub."""
    body = STUB.body
    if inside is not None:
        (body,) = (n.body for n in STUB.body if isinstance(n, ast.ClassDef) and n.name == inside)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    (found,) = (n for n in body if isinstance(n, kinds) and n.name == name)
    keywords = [one for one in (*found.args.args, *found.args.kwonlyargs) if one.arg != "self"]
    return {one.arg: eval(ast.unparse(one.annotation), NAMES) for one in keywords}


# ---- with the signatures ----


def test_the_params_of_a_link_token_are_the_clients_keywords() -> None:
    assert get_type_hints(types.LinkTokenParams) == stub_types("create_link_token", "Client")


def test_the_options_are_the_clients_keywords() -> None:
    assert get_type_hints(types.ClientOptions) == stub_types("__init__", "Client")
    assert types.ClientOptions.__required_keys__ == frozenset()


def test_the_modules_function_takes_both() -> None:
    both = get_type_hints(types.LinkTokenParams) | get_type_hints(types.ClientOptions)
    assert stub_types("create_link_token") == both


def test_warm_up_takes_call_options() -> None:
    keywords = stub_types("warm_up", "Client")
    assert keywords.pop("connections") is int
    assert keywords.items() <= get_type_hints(types.CallOptions).items()


def test_the_params_are_fields_and_call_options() -> None:
    fields, options = (get_type_hints(one) for one in (types.LinkTokenFields, types.CallOptions))
    assert not fields.keys() & options.keys()
    assert get_type_hints(types.LinkTokenParams) == fields | options
    assert set(fields) == ROWS.keys() - {"category"}


@pytest.mark.parametrize("kind", [types.LinkTokenFields, types.LinkTokenParams])
def test_what_is_required_is_what_the_rows_require(kind: Any) -> None:
    assert kind.__required_keys__ == {name for name, row in ROWS.items() if row["required"]}


# What the api_key of an AsyncClient may be.
ASYNC_KEY = {"api_key": str | Callable[[], str | Awaitable[str]] | None}


@pytest.mark.parametrize("name", ["CallOptions", "LinkTokenParams", "ClientOptions"])
def test_those_of_an_async_client_differ_by_the_key_alone(name: str) -> None:
    ordinary, its = (get_type_hints(getattr(types, kind)) for kind in (name, f"Async{name}"))
    assert its == ordinary | ASYNC_KEY
    assert getattr(types, f"Async{name}").__required_keys__ == (
        getattr(types, name).__required_keys__
    )


def test_an_async_client_takes_what_its_types_say() -> None:
    assert get_type_hints(types.AsyncClientOptions) == stub_types("__init__", "BaseClient")
    options = get_type_hints(types.AsyncWarmUpOptions)
    assert options | {"connections": int} == stub_types("warm_up", "Client") | ASYNC_KEY


@pytest.mark.parametrize(
    ("defaults", "params"),
    [
        (types.LinkTokenDefaults, types.LinkTokenParams),
        (types.AsyncLinkTokenDefaults, types.AsyncLinkTokenParams),
    ],
)
def test_the_defaults_of_a_bulk_run_are_the_params_and_none_is_required(
    defaults: Any, params: Any
) -> None:
    assert get_type_hints(defaults) == get_type_hints(params)
    assert defaults.__required_keys__ == frozenset()


@pytest.mark.parametrize(
    "name",
    [
        *("ReadOptions", "WriteOptions", "AccountReadOptions", "AccountWriteOptions"),
        "RequestOptions",
    ],
)
def test_the_options_of_operations(name: str) -> None:
    ordinary, its = (get_type_hints(getattr(types, kind)) for kind in (name, f"Async{name}"))
    assert its == ordinary | ASYNC_KEY
    call = get_type_hints(types.CallOptions)
    assert {key: hint for key, hint in ordinary.items() if key != "account_token"}.items() <= (
        call.items()
    )
    assert ordinary.get("account_token", str | None) == str | None
    for kind in (name, f"Async{name}"):
        assert getattr(types, kind).__required_keys__ == frozenset()


# ---- with the core's tables ----

OPTIONS = {
    getattr(types, f"{prefix}{name}Options")
    for prefix in ("", "Async")
    for name in ("Read", "AccountRead", "AccountWrite", "Request")
}
SCOPE = {row["name"]: row for row in ROWS["category_common_model_scopes"]["members"]}
NESTED = {
    types.CommonModel: ROWS["common_models"],
    types.ModelScope: ROWS["category_common_model_scopes"],
    types.ModelPermission: SCOPE["model_permissions"],
    types.FieldPermissions: SCOPE["field_permissions"],
}


def test_every_nested_object_of_the_rows_has_a_type() -> None:
    def objects(rows: list[Any]) -> int:
        return sum(bool(row["members"]) + objects(row["members"]) for row in rows)

    assert len(NESTED) == objects(list(ROWS.values())) == 4
    (scopes,) = (row for row in _core.fields("set_linked_account_scopes") if row["members"])
    assert scopes["members"] == ROWS["category_common_model_scopes"]["members"]
    keywords = {
        types.LinkTokenFields,
        types.CallOptions,
        types.LinkTokenParams,
        types.ClientOptions,
        types.AsyncCallOptions,
        types.AsyncWarmUpOptions,
        types.AsyncLinkTokenParams,
        types.AsyncClientOptions,
        types.LinkTokenDefaults,
        types.AsyncLinkTokenDefaults,
    }
    assert NESTED.keys() | keywords | OPTIONS == set(DICTS)


@pytest.mark.parametrize("kind", NESTED, ids=lambda kind: kind.__name__)
def test_the_members_of_an_object_are_those_of_its_row(kind: Any) -> None:
    members = NESTED[kind]["members"]
    assert list(get_type_hints(kind)) == [row["name"] for row in members]
    assert kind.__required_keys__ == {row["name"] for row in members if row["required"]}


PYTHON_TYPES = {
    "string": (str, Literal),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
}


def kinds(hint: Any) -> set[Any]:
    """What a type is made of: str for a union of str and literals."""
    parts = get_args(hint) if get_origin(hint) in (typing.Union, type(int | str)) else (hint,)
    found = {get_origin(part) or part for part in parts if part is not type(None)}
    return {dict if is_typeddict(one) else one for one in found}


@pytest.mark.parametrize("kind", [types.LinkTokenParams, *NESTED], ids=lambda kind: kind.__name__)
def test_each_type_is_one_that_its_row_takes(kind: Any) -> None:
    rows = NESTED[kind]["members"] if kind in NESTED else ROWS.values()
    hints = get_type_hints(kind)
    for row in rows:
        assert kinds(hints[row["name"]]) <= set(PYTHON_TYPES[row["type"]]), row["name"]


OTHERS = sorted(
    {row["name"] for row in _core.operations()}
    - {"create_link_token", "warm_up", "async_passthrough_result"}
)


@pytest.mark.parametrize("name", OTHERS)
def test_the_types_of_an_operations_arguments_are_those_that_its_rows_take(name: str) -> None:
    own, its = (stub_types(name, inside) for inside in ("Client", "AsyncClient"))
    assert own == its
    for row in _core.fields(name):
        if row["name"] == "category":
            continue
        hint = own[row["name"]]
        taken = {"any": (Any,), **PYTHON_TYPES}[row["type"]]
        if row["format"] == "date_time":
            taken = (str, datetime)
        assert kinds(hint) <= set(taken), row["name"]
        assert (type(None) in get_args(hint) or hint is Any) == (not row["required"]), row["name"]


def test_names_of_arguments_are_those_of_the_rows() -> None:
    for name in OTHERS:
        rows = {row["name"] for row in _core.fields(name)} - {"category"}
        assert stub_types(name, "Client").keys() == rows


def literals(alias: Any) -> set[str]:
    if get_origin(alias) is Literal:
        return set(get_args(alias))
    return set().union(*(literals(part) for part in get_args(alias)))


def is_open(alias: Any) -> bool:
    return str in get_args(alias)


(ACTIONS,) = (row for row in ROWS["common_models"]["members"] if row["name"] == "enabled_actions")


def row_of(operation: str, name: str) -> Any:
    (found,) = (row for row in _core.fields(operation) if row["name"] == name)
    return found


CHOICES = {
    "AccountStatus": row_of("linked_accounts", "status"),
    "IssueStatus": row_of("issues", "status"),
    "IgnoreReason": row_of("ignore", "reason"),
    "Method": row_of("request", "method"),
    "RequestFormat": row_of("passthrough", "request_format"),
    "Category": ROWS["categories"],
    "PathCategory": ROWS["category"],
    "CompletedAccountInitialScreen": ROWS["completed_account_initial_screen"],
    "Action": ACTIONS,
}


@pytest.mark.parametrize("name", CHOICES)
def test_choices_are_those_of_the_row_and_open_where_it_is(name: str) -> None:
    alias, row = getattr(types, name), CHOICES[name]
    assert literals(alias) == set(row["choices"])
    assert is_open(alias) == (not row["closed"])


def test_the_rows_say_which_choices_are_closed() -> None:
    with Client(api_key="test_k", base_url="http://127.0.0.1:9", max_retries=0) as client:
        for fields in ({"categories": ["brandnew"]}, {"category": "brandnew"}):
            with pytest.raises(merge_link.TransportError):  # well-formed, so it is sent
                client.create_link_token(**{**FIELDS, **fields})
        with pytest.raises(merge_link.ValidationError):
            client.create_link_token(**FIELDS, completed_account_initial_screen="BRANDNEW")


def test_regions_are_those_that_the_client_takes() -> None:
    assert not is_open(types.Region)
    for region in literals(types.Region):
        with Client(api_key="test_k", region=region) as client:
            assert client.region == region
    with pytest.raises(merge_link.ConfigurationError) as caught:
        Client(api_key="test_k", region="mars")
    assert literals(types.Region) == set(str(caught.value).split('"')[1::2])


def test_languages_are_those_that_merge_documents() -> None:
    assert literals(types.Language) == rules._LINK_TOKEN.fields["language"].choices
    assert is_open(types.Language)


# ---- at run time ----


@pytest.mark.parametrize("kind", DICTS, ids=lambda kind: kind.__name__)
def test_each_can_be_looked_into(kind: Any) -> None:
    assert get_type_hints(kind)
    assert kind.__doc__
    assert kind.__required_keys__ | kind.__optional_keys__ == get_type_hints(kind).keys()


def test_samples_have_the_keys_of_their_types() -> None:
    assert EVERY_FIELD.keys() == get_type_hints(types.LinkTokenFields).keys()
