"""What is loaded when, measured in fresh interpreters."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import merge_link
from samples import FIELDS
from scripted import Server, answer, token_answer

# Modules that take long to load, or that a program may want to patch before they are.
HEAVY = [
    *("asyncio", "ssl", "json", "logging", "dataclasses", "typing", "http", "urllib"),
    *("inspect", "re", "datetime", "decimal", "socket", "threading", "subprocess", "click"),
    *("werkzeug", "h11", "pathlib", "importlib.metadata", "email", "contextlib"),
]


def loaded_by(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has after the code, beyond its own."""
    program = f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def heavy_among(modules: set[str]) -> list[str]:
    return [name for name in HEAVY if name in modules]


def a_call(base_url: str) -> str:
    return f"merge_link.create_link_token(**{FIELDS!r}, base_url={base_url!r}, api_key='test_k')"


def test_importing_the_package_loads_the_core_and_little_else() -> None:
    assert loaded_by("import merge_link") - loaded_by("") == {
        *("merge_link", "merge_link._core", "merge_link._version", "merge_link.client")
    }


@pytest.mark.parametrize(
    "code",
    [
        "import merge_link",
        "from merge_link import Client, create_link_token, __version__",
        "import merge_link; dir(merge_link)",
        "import merge_link; merge_link.Client(api_key='test_k').close()",
        "import merge_link; merge_link.Client(api_key='test_k').timeout",
        "import merge_link; merge_link.Response; merge_link.Attempt",
    ],
)
def test_what_does_not_call_loads_nothing_heavy(code: str) -> None:
    assert heavy_among(loaded_by(code)) == []


CALLS: dict[str, tuple[bytes, str]] = {
    "a token": (token_answer(), "{}"),
    "a token in a client": (
        token_answer(),
        "with merge_link.Client(api_key='test_k', base_url={url!r}) as c: "
        "c.create_link_token(**{fields!r}).link_token",
    ),
    "an unknown text member": (token_answer(new="text"), "{}.extra"),
    "a token that is shown": (token_answer(), "repr({}.link_token)"),
}


@pytest.mark.parametrize("what", CALLS)
def test_a_first_call_loads_nothing_heavy(serve: Callable[..., Server], what: str) -> None:
    script, form = CALLS[what]
    url = serve(script).base_url
    code = form.format(a_call(url), url=url, fields=FIELDS)
    assert heavy_among(loaded_by(f"import merge_link\n{code}")) == []


def test_what_notebooks_show_is_loaded_when_one_asks(serve: Callable[..., Server]) -> None:
    call = f"import merge_link\ntoken = {a_call(serve(token_answer()).base_url)}\n"
    assert not {"merge_link._cards", "html"} & loaded_by(f"{call}repr(token)")
    assert "merge_link._cards" in loaded_by(f"{call}token._repr_html_()")


@pytest.mark.parametrize(
    ("script", "allowed"),
    [
        (token_answer(new={"a": 1}), {"json", "re"}),
        (answer(404, b"gone"), set()),
        (answer(404, {"detail": "gone"}), {"json", "re"}),
        (answer(200, {}), set()),
    ],
    ids=["values in extra", "an error", "an error in JSON", "a broken promise"],
)
def test_what_answers_need_is_loaded_only_then(
    serve: Callable[..., Server], script: bytes, allowed: set[str]
) -> None:
    url = serve(script).base_url
    code = f"import merge_link\ntry: {a_call(url)}\nexcept merge_link.MergeLinkError: pass"
    assert set(heavy_among(loaded_by(code))) <= allowed


ANSWERS = {"accounts", "mappings", "choices", "results", "pages", "_decoding"}


def ours_among(modules: set[str]) -> set[str]:
    return {name.removeprefix("merge_link.") for name in modules} & ANSWERS


def test_a_token_needs_nothing_of_other_answers(serve: Callable[..., Server]) -> None:
    call = a_call(serve(token_answer(new="text")).base_url)
    assert ours_among(loaded_by(f"import merge_link; merge_link.LinkToken; repr({call})")) == set()


READ = """
import json
from merge_link import _core
from merge_link.results import from_core
facts = bytes(64)
page = from_core("page", "LinkedAccount", b'{"results": [{"id": "1"}]}', facts, None, True)
assert [one.id for one in page.iterate(read_ahead=True)] == ["1"]
assert repr(page.results[0]) and page.results[0].to_dict() and page.response
raw = from_core("any", None, b'{"a": 1}', facts, None, True)
assert raw.data and repr(raw)
"""


def test_reading_an_answer_loads_json_and_times_alone() -> None:
    modules = loaded_by(READ)
    assert set(heavy_among(modules)) <= {"json", "re", "datetime"}
    assert ours_among(modules) == {"accounts", "results", "pages", "_decoding"}


def test_asyncio_is_loaded_when_a_client_of_it_is_asked_for() -> None:
    assert "asyncio" in loaded_by("import merge_link; merge_link.AsyncClient")


# ---- names ----


@pytest.mark.parametrize("name", merge_link.__all__)
def test_every_public_name_resolves_and_is_listed(name: str) -> None:
    assert getattr(merge_link, name) is getattr(merge_link, name)
    assert name in dir(merge_link)
    namespace: dict[str, Any] = {}
    exec(f"from merge_link import {name}", namespace)
    assert namespace[name] is getattr(merge_link, name)


def test_a_star_import_brings_what_is_public() -> None:
    namespace: dict[str, Any] = {}
    exec("from merge_link import *", namespace)
    assert set(namespace) - {"__builtins__"} == set(merge_link.__all__)
    assert sorted(merge_link.__all__) == merge_link.__all__


def test_every_error_is_public() -> None:
    classes = {
        name
        for name, value in vars(merge_link.errors).items()
        if isinstance(value, type) and issubclass(value, merge_link.MergeLinkError)
    }
    assert classes <= set(merge_link.__all__)


@pytest.mark.parametrize("name", ["nonsense", "_nonsense", "create_link_tokens"])
def test_a_name_that_is_not_there_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=f"'merge_link' has no attribute '{name}'"):
        getattr(merge_link, name)
    with pytest.raises(ImportError):
        exec(f"from merge_link import {name}")


@pytest.mark.parametrize(
    "module",
    ["errors", "models", "response", "results", "pages", "choices", "types", "aio", "webhooks"],
)
def test_modules_are_attributes_without_an_import(module: str) -> None:
    code = f"import merge_link; print(merge_link.{module}.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"merge_link.{module}"


def test_the_versions_are_known() -> None:
    versions = merge_link._core.versions()
    assert versions["merge_link"] == merge_link.__version__
    assert json.dumps(versions)
    assert set(versions) == {"merge_link", "libcurl", "tls", "cjson"}
