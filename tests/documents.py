"""What documents show: their fenced blocks, the commands in them, and what these should print."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from merge_link.sandbox import Sandbox

BIN = Path(sys.executable).parent
PATIENCE = 100.0  # seconds until a command that should have ended gives up


@dataclass
class Block:
    language: str
    text: str
    line: int  # of its first line, from 1


def blocks_of(document: Path) -> list[Block]:
    text = document.read_text()
    found = re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(match[1], match[2], text.count("\n", 0, match.start(2)) + 1) for match in found]


@dataclass
class Command:
    text: str
    output: str
    ending: int  # its exit code


def commands_of(document: Path) -> list[Command]:
    """The commands of ``console`` blocks, each with the lines after it."""
    texts = [block.text for block in blocks_of(document) if block.language == "console"]
    parts = [part for text in texts for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]]
    found = []
    for part in parts:
        text, _, rest = part.partition("\n")
        output, _, ending = rest.partition("[exit code ")
        found.append(Command(text, output, int(ending.partition("]")[0] or 0)))
    return found


def table_of(document: Path, heading: str) -> dict[str, list[str]]:
    """The rows of the table under a heading, by the first word in backquotes or the first cell."""
    section = document.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in rows[2:]]
    return {row[0].partition(" ")[0].strip("`"): row[1:] for row in cells}


def is_test(block: Block) -> bool:
    return "import pytest" in block.text


def in_place(some: Iterable[Block]) -> str:
    """The blocks as one file, each at the line that it has in its document: messages name it."""
    lines = [""] * 2000
    for block in some:
        body = block.text.splitlines()
        lines[block.line - 1 : block.line - 1 + len(body)] = body
    return "\n".join(lines)


def assert_matches(text: str, pattern: str) -> None:
    """``…`` in a pattern stands for anything."""
    expected = re.escape(pattern.strip()).replace("…", ".*")
    assert re.fullmatch(expected, text.strip(), re.DOTALL), f"{text}\n--- is not ---\n{pattern}"


def environment_with(sandbox: Sandbox, home: Path) -> dict[str, str]:
    """The environment of a person with the package installed and a key."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MERGE_") and not name.lower().endswith("_proxy")
    }
    return {
        **kept,
        "PATH": os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)]),
        "MERGE_API_KEY": sandbox.api_key,
        "MERGE_BASE_URL": sandbox.base_url,
        "HOME": str(home),
    }


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        **options,
    )


def assert_does_what_is_shown(command: Command, **options: object) -> None:
    done = run("sh", "-c", command.text, **options)
    assert done.returncode == command.ending, done.stdout
    assert_matches(done.stdout, command.output)
