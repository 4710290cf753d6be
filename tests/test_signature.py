"""Signatures, stub, docstrings and the operation's rows say the same."""

import ast
import inspect
import pydoc
import re
from pathlib import Path
from typing import Any

import pytest

import merge_link
from merge_link import AsyncClient, Client, _core

FUNCTIONS = {
    "the module's": merge_link.create_link_token,
    "the client's": Client.create_link_token,
    "the async client's": AsyncClient.create_link_token,
}
STUB = ast.parse((Path(_core.__file__).parent / "_core.pyi").read_text())
CALL_OPTIONS = ["timeout", "max_retries", "api_key", "extra_headers", "extra_body"]

# name -> default, in order; parameters without one are required.
Shape = dict[str, Any]
REQUIRED = inspect.Parameter.empty


def shape_of(function: Any) -> Shape:
    parameters = inspect.signature(function).parameters.values()
    own = [one for one in parameters if one.name != "self"]
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in own)
    return {one.name: one.default for one in own}


def stub_shape(name: str, inside: str | None = None) -> Shape:
    body = STUB.body
    if inside is not None:
        (body,) = (n.body for n in STUB.body if isinstance(n, ast.ClassDef) and n.name == inside)
    (found,) = (n for n in body if isinstance(n, ast.FunctionDef) and n.name == name)
    assert [argument.arg for argument in found.args.args] == (["self"] if inside else [])
    return {
        argument.arg: REQUIRED if default is None else ast.literal_eval(default)
        for argument, default in zip(found.args.kwonlyargs, found.args.kw_defaults, strict=True)
    }


OPTIONS = stub_shape("__init__", "Client")
ASYNC_OPTIONS = stub_shape("__init__", "BaseClient")


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_calls_signature_is_the_rows_and_then_the_options(function: Any) -> None:
    rows = _core.fields("create_link_token")
    names = [row["name"] for row in rows] + CALL_OPTIONS
    shape = shape_of(function)
    assert list(shape)[: len(names)] == names
    required = [name for name, default in shape.items() if default is REQUIRED]
    assert required == [row["name"] for row in rows if row["required"]]
    assert shape["link_expiry_mins"] == 30
    assert all(shape[name] is None for name in names if name not in (*required, "link_expiry_mins"))


def test_the_clients_call_takes_nothing_else_and_the_modules_the_clients_options() -> None:
    short, whole = (shape_of(FUNCTIONS[name]) for name in ("the client's", "the module's"))
    own = {name: default for name, default in OPTIONS.items() if name not in short}
    assert list(whole.items()) == [*short.items(), *own.items()]


def test_the_async_client_takes_what_the_client_takes() -> None:
    assert shape_of(AsyncClient) == ASYNC_OPTIONS == OPTIONS
    for name in ("create_link_token", "warm_up"):
        own, its = getattr(AsyncClient, name), getattr(Client, name)
        assert inspect.signature(own) == inspect.signature(its)
        assert inspect.getdoc(own).partition("\n\n")[2] == inspect.getdoc(its).partition("\n\n")[2]


def test_the_stub_agrees_with_the_signatures() -> None:
    assert stub_shape("create_link_token") == shape_of(merge_link.create_link_token)
    assert stub_shape("create_link_token", "Client") == shape_of(Client.create_link_token)
    assert shape_of(Client) == OPTIONS
    for wanted, function in (
        (stub_shape("create_link_token"), merge_link.create_link_token),
        (OPTIONS, Client),
    ):
        assert list(wanted) == list(shape_of(function))


# ---- the other operations ----

OPERATIONS = {row["name"]: row for row in _core.operations()}
OWN_WAY = {"create_link_token", "warm_up", "async_passthrough_result"}
OTHERS = sorted(OPERATIONS.keys() - OWN_WAY)
ALIKE = {"": Client, "Async": AsyncClient}


def options_of(name: str) -> list[str]:
    """The options that an operation takes beside its fields, as docstrings list them."""
    row = OPERATIONS[name]
    has_category = any(field["name"] == "category" for field in _core.fields(name))
    return [
        *(["account_token"] if row["account"] != "none" else []),
        *(["category"] if has_category else []),
        *("timeout", "max_retries", "api_key", "extra_headers"),
        *(["extra_body"] if row["takes_extra_body"] else []),
    ]


def stub_of(name: str, inside: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    (body,) = (n.body for n in STUB.body if isinstance(n, ast.ClassDef) and n.name == inside)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    (found,) = (n for n in body if isinstance(n, kinds) and n.name == name)
    return found


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("kind", ALIKE.values(), ids=["Client", "AsyncClient"])
def test_an_operations_signature_is_its_rows(kind: Any, name: str) -> None:
    _, *parameters, options = inspect.signature(getattr(kind, name)).parameters.values()
    rows = [row for row in _core.fields(name) if row["name"] != "category"]
    required = [row["name"] for row in rows if row["required"]]
    positional = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert {one.name for one in parameters} == {row["name"] for row in rows}
    assert positional == [row["name"] for row in rows][: OPERATIONS[name]["positional"]]
    assert [one.name for one in parameters if one.default is REQUIRED] == required
    assert {one.default for one in parameters} <= {None, REQUIRED}
    assert (options.name, options.kind) == ("options", inspect.Parameter.VAR_KEYWORD)


@pytest.mark.parametrize("name", OTHERS)
def test_both_clients_have_the_same_signatures_and_docstrings(name: str) -> None:
    own, its = getattr(Client, name), getattr(AsyncClient, name)
    assert inspect.signature(own) == inspect.signature(its)
    assert inspect.getdoc(own) == inspect.getdoc(its)


@pytest.mark.parametrize("name", OTHERS)
def test_an_operations_docstring_describes_its_arguments(name: str) -> None:
    text = inspect.getdoc(getattr(Client, name)) or ""
    said = described(text.replace("**options", "options"))
    options = said.pop("options").rstrip(".").split(", ")
    assert said.keys() == inspect.signature(getattr(Client, name)).parameters.keys() - {
        *("self", "options")
    }
    assert options == options_of(name)
    assert re.search(r"https://docs\.merge\.dev/\S*$", text)
    result = OPERATIONS[name]["result"] or "dict"
    if OPERATIONS[name]["answer"] != "nothing":
        assert re.search(rf"Returns:\n    An? [^.]*\b{result}", text)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("prefix", ALIKE)
def test_the_stub_of_an_operation_says_the_same(prefix: str, name: str) -> None:
    stub = stub_of(name, f"{prefix}Client")
    row = OPERATIONS[name]
    by_default = inspect.signature(getattr(Client, name)).parameters
    *own, _ = (one for one in by_default.values() if one.name != "self")
    arguments = [*stub.args.args[1:], *stub.args.kwonlyargs]
    assert [one.arg for one in arguments] == [one.name for one in own]
    assert len(stub.args.args) - 1 == row["positional"]
    defaults = [*stub.args.defaults, *(one for one in stub.args.kw_defaults if one is not None)]
    assert all(ast.literal_eval(one) is None for one in defaults)
    assert len(defaults) == len([one for one in own if one.default is None])
    assert stub.args.kwarg is not None
    kind = {"none": "", "required": "Account", "optional": "Request"}[row["account"]]
    how = "" if kind == "Request" else "Write" if row["takes_extra_body"] else "Read"
    assert ast.unparse(stub.args.kwarg) == f"options: Unpack[{prefix}{kind}{how}Options]"
    result = row["result"] or ("dict[str, Any]" if row["answer"] == "page" else "None")
    returns = {
        "page": f"{'AsyncPager' if prefix else 'Page'}[{result}]",
        "list": f"list[{result}]",
    }.get(row["answer"], result)
    is_async = bool(prefix) and row["answer"] != "page"
    assert type(stub) is (ast.AsyncFunctionDef if is_async else ast.FunctionDef)
    assert ast.unparse(stub.returns or stub) == returns


def test_a_result_that_takes_its_time_has_the_signature_of_its_row() -> None:
    names = ["id", "wait", "options"]
    for kind in ALIKE.values():
        signature = inspect.signature(kind.async_passthrough_result)
        assert list(signature.parameters) == ["self", *names]
    text = inspect.getdoc(Client.async_passthrough_result) or ""
    said = described(text.replace("**options", "options"))
    assert list(said) == names
    assert said["options"].rstrip(".").split(", ") == options_of("async_passthrough_result")


# ---- options ----


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_in_the_signature_is_taken_with_its_default(name: str) -> None:
    options = {
        "api_key": "test_k",
        name: OPTIONS[name] or ("test_k" if name == "api_key" else None),
    }
    with Client(**options) as client:
        if hasattr(client, name) and OPTIONS[name] is not None:
            assert getattr(client, name) == OPTIONS[name]


def test_defaults_in_the_signature_are_those_in_use() -> None:
    with Client(api_key="test_k") as client:
        for name, default in OPTIONS.items():
            if default is not None:
                assert getattr(client, name) == default


def described(text: str) -> dict[str, str]:
    """Return what the Args section of a docstring says, by the names of the arguments."""
    section = text.partition("Args:\n")[2].partition("\n\n")[0]
    parts = re.findall(r"^ {4}([a-z_, ]+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {name: " ".join(said.split()) for head, said in parts for name in head.split(", ")}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_the_docstring_describes_every_argument_of_a_call(function: Any) -> None:
    text = inspect.getdoc(function)
    assert described(text).keys() == shape_of(function).keys()
    for section in ("Args:", "Returns:", "Raises:", "https://docs.merge.dev/"):
        assert section in text
    for name in ("Validation", "Configuration", "API", "Transport", "Response", "ClientClosed"):
        assert f"    {name}Error: " in text


def test_the_clients_docstring_describes_every_option() -> None:
    assert described(inspect.getdoc(Client)).keys() == set(OPTIONS)


def test_a_functions_docstring_says_of_the_clients_options_what_the_clients_does() -> None:
    own, clients = (described(inspect.getdoc(one)) for one in (FUNCTIONS["the module's"], Client))
    assert clients.items() - {("category", clients["category"])} <= own.items()


def stub_docstrings() -> dict[str, tuple[str | None, str | None]]:
    """What the stub and what the core says, by the names of what is described."""
    classes = [
        (getattr(_core, node.name), node.body)
        for node in STUB.body
        if isinstance(node, ast.ClassDef) and hasattr(_core, node.name)
    ]
    return {
        f"{owner.__name__}.{node.name}": (
            ast.get_docstring(node),
            inspect.getdoc(getattr(owner, node.name)),
        )
        for owner, body in ((_core, STUB.body), *classes)
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and hasattr(owner, node.name)
        and node.name not in ("__init__", "__new__")
    }


def test_editors_find_the_cores_docstrings_in_the_stub() -> None:
    found = stub_docstrings()
    assert len(found) > 40
    for name, (in_stub, in_core) in found.items():
        assert in_stub == in_core, f"{name}: run `make format`"


@pytest.mark.parametrize("kind", ["LinkToken", "Response", "Timing", "Headers", "FieldProblem"])
def test_every_result_type_has_a_docstring_and_help(kind: str) -> None:
    assert inspect.getdoc(getattr(merge_link, kind))
    assert kind in pydoc.render_doc(getattr(merge_link, kind), renderer=pydoc.plaintext)


def test_help_shows_signature_and_arguments() -> None:
    for thing in (merge_link, Client, *FUNCTIONS.values()):
        text = pydoc.render_doc(thing, renderer=pydoc.plaintext)
        assert "create_link_token" in text
    text = pydoc.render_doc(merge_link.create_link_token, renderer=pydoc.plaintext)
    text = " ".join(text.split()).replace("( ", "(")  # newer Pythons break long signatures
    assert "create_link_token(*, end_user_email_address, " in text
    assert "should_create_magic_link_url" in text


@pytest.mark.parametrize(
    "thing",
    [
        _core,
        *(value for name, value in vars(_core).items() if not name.startswith("__")),
        *(
            value
            for kind in vars(_core).values()
            if isinstance(kind, type)
            for name, value in vars(kind).items()
            if name != "__new__"
        ),
    ],
)
def test_everything_of_the_core_says_what_it_is(thing: Any) -> None:
    if not isinstance(thing, str):
        assert inspect.getdoc(thing)


def test_what_the_rows_tell() -> None:
    rows = {row["name"]: row for row in _core.fields("create_link_token")}
    assert rows["categories"]["choices"][:2] == ("hris", "ats")
    assert (rows["link_expiry_mins"]["min"], rows["link_expiry_mins"]["max"]) == (30, 720)
    assert rows["integration_specific_config"]["type"] == "object"
    assert {row["type"] for row in rows.values()} == {
        *("string", "array", "integer", "boolean", "object")
    }
    assert rows["completed_account_initial_screen"]["closed"]
    assert not rows["categories"]["closed"]
    members = {row["name"]: row for row in rows["common_models"]["members"]}
    assert members["enabled_actions"]["choices"] == ("READ", "WRITE")
    assert members["model_id"]["required"]
    assert rows["integration"]["members"] == []
    with pytest.raises(KeyError, match="no operation 'nonsense'"):
        _core.fields("nonsense")
    with pytest.raises(TypeError):
        _core.fields(5)
