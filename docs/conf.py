"""How Sphinx makes the site of these documents: ``make docs``, which writes it to ``build/docs``.

The source is the whole checkout, so that a link from one Markdown file to another is the same in
the files and on the site. ``docs/index.md`` is the table of contents as well: its headings and
lists of links become those of the sidebar. Nothing is fetched, neither by this nor by the pages.
"""

import ast
import builtins
import collections.abc
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from types import BuiltinFunctionType, MethodDescriptorType
from typing import Any

from docutils.nodes import Element
from pygments.lexers import TextLexer
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.logging import getLogger
from sphinx.util.nodes import make_refnode

import merge_link
from merge_link import _core

logger = getLogger(__name__)

project = "merge-link"
author = copyright = "the merge-link authors"
version = release = merge_link.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "docs/index"
include_patterns = ["*.md", "csrc/README.md", "docs/**"]
exclude_patterns = ["build", "dist", "wheelhouse", "tests", ".*", "docs/site"]
nitpicky = True
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"merge-link {release}"
html_show_sphinx = False
html_copy_source = False
html_extra_path = ["site"]  # the page at the root: it leads to the index
html_theme_options: dict[str, Any] = {"footer_icons": []}

default_role = "py:obj"
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90


# ---- contents ----


def contents_of(index: str) -> Iterator[tuple[str, list[str]]]:
    """Each heading of the index, with the entries of its list, as a table of contents has them."""
    parts = re.split(r"^## (.+)\n", index, flags=re.MULTILINE)[1:]
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        items = re.findall(r"^- \[(.*?)\]\(([^)#]+)\.(?:md|rst)\)", text, re.MULTILINE)
        yield heading, [f"{title} <{document}>" for title, document in items]


def add_contents(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Give the index what the sidebar is made of."""
    if docname == root_doc:
        for heading, entries in contents_of(source[0]):
            lines = "\n".join(entries)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {heading}\n\n{lines}\n```\n"


# ---- sources ----


def statements_of(file: str) -> list[ast.stmt]:
    """What a file of the package consists of."""
    source = Path(merge_link.__file__).with_name(file).read_text(encoding="utf-8")
    return ast.parse(source).body


# ---- docstrings ----

FIELDS = {
    "Args": "param",
    "Arguments": "param",
    "Raises": "raises",
    "Returns": "returns",
    "Yields": "yields",
}


def as_fields(kind: str, lines: list[str]) -> Iterator[str]:
    """What stands in a section of a docstring, as Sphinx wants it."""
    if kind in ("returns", "yields"):
        yield f":{kind}: {lines[0]}"
        yield from (line and f"    {line}" for line in lines[1:])
        return
    entries: list[tuple[str, list[str]]] = []
    for line in lines:
        if line and not line[0].isspace():
            names, _, text = line.replace("*", r"\*").partition(":")
            entries.append((names, [text.strip()]))
        else:
            entries[-1][1].append(line)
    for names, (first, *more) in entries:
        for name in names.split(", "):
            yield from (f":{kind} {name}: {first}", *more)


def read_sections(
    _app: Sphinx, _what: str, _name: str, _of: Any, _options: Any, lines: list[str]
) -> None:
    """Turn the sections of a docstring (``Args:`` and so on) into fields; all else stays."""
    result: list[str] = []
    kind, section = "", list[str]()
    for line in [*lines, "The end"]:
        if kind and (not line or line.startswith("    ")):
            section.append(line[4:])
            continue
        if kind:
            result += [*as_fields(kind, section), ""]
        kind, section = FIELDS.get(line[:-1], "") if line.endswith(":") else "", []
        if not kind:
            result.append(line)
    lines[:] = result[:-1]


def keys_of_dicts() -> dict[str, dict[str, str]]:
    """The keys of each ``TypedDict`` in ``types.py`` with their types, inherited ones too."""
    found: dict[str, dict[str, str]] = {}
    for node in statements_of("types.py"):
        if isinstance(node, ast.ClassDef):
            keys = found[node.name] = {}
            for base in node.bases:
                keys.update(found.get(ast.unparse(base), {}))
            for one in node.body:
                if isinstance(one, ast.AnnAssign):
                    keys[ast.unparse(one.target)] = ast.unparse(one.annotation)
    return found


KEYS = keys_of_dicts()


def show_keys(
    _app: Sphinx, _what: str, _name: str, of: Any, _options: Any, lines: list[str]
) -> None:
    """Say which keys a ``TypedDict`` has: Sphinx shows those of no base."""
    if typing.is_typeddict(of):
        for key, kind in KEYS[of.__name__].items():
            lines += [f":param {key}:", f":type {key}: {kind}"]


# ---- signatures of what is written in C ----

Signature = tuple[str, str | None]


def signature_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Signature:
    """The arguments and the result, as text."""
    arguments = function.args
    for group in (arguments.posonlyargs, arguments.args):
        if group and group[0].arg == "self":
            del group[0]
    result = "None" if function.returns is None else ast.unparse(function.returns)
    return f"({ast.unparse(arguments)})", None if result == "None" else result


def signatures_of_stub() -> dict[str, Signature]:
    """The signatures in ``_core.pyi``, by ``Class.method`` or ``function``."""
    found = {}
    for node in statements_of("_core.pyi"):
        for member in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
                found[owner + member.name] = signature_of(member)
    return found


IN_STUB = signatures_of_stub()


def show_types(
    _app: Sphinx,
    what: str,
    _name: str,
    of: Any,
    _options: Any,
    arguments: str | None,
    result: str | None,
) -> Signature | None:
    """Give what Sphinx cannot read its signature; all others stay as they are."""
    if what == "class" and issubclass(of, _core.BaseClient):
        return f"({IN_STUB['Client.__init__'][0][1:-1]})", None
    if isinstance(of, BuiltinFunctionType | MethodDescriptorType):
        return IN_STUB.get(of.__qualname__)
    return (arguments.replace("<factory>", "..."), result) if arguments else None


# ---- references ----

# What docstrings and signatures name, and no reader of the reference needs.
INSIDE = {"BaseClient", "Body", "Commands", "Key", "Pool", "Query", "Revealed", "control"}
OTHERS = sys.stdlib_module_names | {"pytest"}


def find(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: Element
) -> Element | None:
    """Lead to a name of this package wherever it is defined; what is not ours is plain text."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"].removesuffix("()")
    owner, _, name = target.rpartition(".")
    if name in INSIDE or name.startswith("_"):
        return content
    domain = env.domains.python_domain
    for known in filter(None, (name, owner)):  # fields stand with the class that has them
        found = domain.find_obj(env, "", "", known, None, 1)  # 1: in any module
        places = {(entry.docname, entry.node_id) for _, entry in found}
        if len(places) == 1 and found[0][0].startswith("merge_link"):
            full, place = found[0][0], places.pop()
            return make_refnode(app.builder, node["refdoc"], *place, content, full)
    modules = (builtins, collections.abc, types, typing)
    if target.partition(".")[0] in OTHERS or any(hasattr(module, target) for module in modules):
        return content
    return None


def check_reference(_app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of names that users import, and that no page of the reference has."""
    described = {full.rpartition(".")[2] for full in env.domains.python_domain.objects}
    for name in sorted({*merge_link.__all__} - described - {"__version__"}):
        logger.warning("no page of the reference has merge_link.%s", name)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect what is above."""
    app.add_lexer("csv", TextLexer)
    app.connect("source-read", add_contents)
    app.connect("autodoc-process-docstring", read_sections)
    app.connect("autodoc-process-docstring", show_keys)
    app.connect("autodoc-process-signature", show_types)
    app.connect("missing-reference", find)
    app.connect("env-check-consistency", check_reference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
