"""The table in the sandbox's docstring is true: it has every room, and imports run downward."""

import ast
import re
from pathlib import Path

import pytest

import merge_link.sandbox

FOLDER = Path(merge_link.sandbox.__file__).parent
TABLE = re.findall(r"^``(\w+)``  ", merge_link.sandbox.__doc__ or "", re.MULTILINE)
ROOMS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def imported(room: str) -> set[str]:
    """The rooms that a room imports when it is imported itself."""
    found: set[str] = set()
    for node in ast.parse((FOLDER / f"{room}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module == "merge_link.sandbox":
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module.removeprefix("merge_link.sandbox.")} & set(ROOMS)
    return found


def test_the_table_has_every_room_once() -> None:
    assert sorted(TABLE) == ROOMS


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_those_below_it(room: str) -> None:
    assert [other for other in imported(room) if TABLE.index(other) <= TABLE.index(room)] == []
