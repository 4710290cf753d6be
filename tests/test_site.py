"""`make docs` finds what is wrong with the site, and reads the index, docstrings and the stub."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from documents import run
from merge_link import _core

ROOT = Path(__file__).resolve().parent.parent
CHECK = ROOT / "scripts" / "check-site"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            '<a href="other.html#here">good</a> <a href="#top">top</a> <a name="x" href="#x">x</a>',
            "",
        ),
        (
            '<a href="https://docs.merge.dev">elsewhere</a> <img src="data:image/gif;base64,AA==">',
            "",
        ),
        ('<a href="missing.html">', "missing.html: there is no such file"),
        ('<a href="other.html#gone">', "other.html#gone: there is no such place in the page"),
        ('<a href="#gone">', "#gone: there is no such place in the page"),
        ('<img src="missing.png">', "missing.png: there is no such file"),
        ('<script src="https://cdn.example/x.js"></script>', "is loaded from elsewhere"),
        ('<link href="//fonts.example/x.css">', "is loaded from elsewhere"),
        ("<style>@import 'https://fonts.example/x.css'</style>", "is loaded from elsewhere"),
    ],
)
def test_what_is_found_in_a_page(tmp_path: Path, line: str, problem: str) -> None:
    (tmp_path / "index.html").write_text(f"<!doctype html><title>A page</title>{line}")
    (tmp_path / "other.html").write_text('<!doctype html><h1 id="here">Here</h1>')
    done = run(sys.executable, CHECK, tmp_path)
    assert (done.returncode, done.stdout[:-1].endswith(problem)) == (bool(problem), True)
    assert bool(done.stdout) == bool(problem)


def test_a_style_sheet_that_loads_from_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "fonts.css").write_text('body { background: url("https://cdn.example/x.png") }')
    done = run(sys.executable, CHECK, tmp_path)
    assert done.stdout == "fonts.css: https://cdn.example/x.png: is loaded from elsewhere\n"


def test_a_site_without_pages_is_none(tmp_path: Path) -> None:
    assert run(sys.executable, CHECK, tmp_path).returncode == 1


# ---- how docs/conf.py reads ----


@pytest.fixture(scope="module")
def conf() -> Any:
    spec = spec_from_file_location("conf_of_docs", ROOT / "docs" / "conf.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


INDEX = """# The title

A [link](elsewhere.md) in the text.

## First

- [One](one.md): what it is, and a [link](three.md).
- [Two](../TWO.md#part)

## Second

- [Three](reference/three.rst)
- [Elsewhere](https://docs.merge.dev)
"""


def test_the_lists_of_the_index_are_the_contents(conf: Any) -> None:
    found = list(conf.contents_of(INDEX))
    assert found == [("First", ["One <one>"]), ("Second", ["Three <reference/three>"])]


DOCSTRING = """Do something.

Args:
    first, second: two things: of which
        the text goes on.
    **options: the rest.

Returns:
    A thing: with a colon,
    and more.

Raises:
    ValueError: never.

The end."""

FIELDS = r"""Do something.

:param first: two things: of which
    the text goes on.
:param second: two things: of which
    the text goes on.
:param \*\*options: the rest.

:returns: A thing: with a colon,
    and more.

:raises ValueError: never.

The end."""


def test_the_sections_of_a_docstring_become_fields(conf: Any) -> None:
    lines = DOCSTRING.splitlines()
    conf.read_sections(None, "function", "name", None, None, lines)
    assert [line for line in lines if line] == [line for line in FIELDS.splitlines() if line]


def test_what_is_written_in_c_has_the_types_of_its_stub(conf: Any) -> None:
    for kind in (_core.Client, _core.AsyncClient):
        calls = [name for name in vars(kind) if name[0] != "_" and callable(getattr(kind, name))]
        assert "account_details" in calls
        missing = [one for one in calls if f"{kind.__name__}.{one}" not in conf.IN_STUB]
        assert missing == []
    signature, result = conf.show_types(
        None, "method", "", _core.Client.retrieve_account_token, None, "(public_token)", None
    )
    assert (signature, result) == (
        "(public_token: str, **options: Unpack[ReadOptions])",
        "AccountToken",
    )
