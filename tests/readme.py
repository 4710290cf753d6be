"""The code blocks of README.md, for the tests that run and check them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


@dataclass
class Block:
    language: str
    text: str
    line: int  # of its first line, from 1


def blocks() -> list[Block]:
    found = re.finditer(r"^```(\w+)\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    return [
        Block(match[1], match[2], README.read_text().count("\n", 0, match.start(2)) + 1)
        for match in found
    ]


def is_test(block: Block) -> bool:
    return "import pytest" in block.text


def in_place(some: Iterable[Block]) -> str:
    """The blocks as one file, each at the line that it has in the README: messages name it."""
    lines = [""] * 2000
    for block in some:
        body = block.text.splitlines()
        lines[block.line - 1 : block.line - 1 + len(body)] = body
    return "\n".join(lines)
