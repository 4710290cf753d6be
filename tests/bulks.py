"""Tables for ``merge-link bulk``, and what a test wants to know of its output."""

import csv
import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

from command_line import run
from samples import KEY, TOKEN
from scripted import Connection, Script, Server, answer, token_answer

HEADER = "end_user_email_address,end_user_organization_name,end_user_origin_id,categories"


def csv_of(count: int) -> str:
    """A good table with so many rows; row 1 has the origin id row-1."""
    rows = [f"hr@{number}.example,Acme {number},row-{number},ats" for number in range(1, count + 1)]
    return "\n".join([HEADER, *rows]) + "\n"


def bulk(*arguments: object, server: Server | None = None, stdin: Any = None) -> Result:
    """Run the command in this process, with a key; against a server, or the sandbox within."""
    where = {"MERGE_API_KEY": KEY, "MERGE_BASE_URL": server.base_url} if server else {}
    sandbox = [] if server else ["--sandbox"]
    return run("bulk", *map(str, arguments), *sandbox, environment=where, stdin=stdin)


def check(*arguments: object, stdin: Any = None) -> Result:
    return run("bulk", "--check", *map(str, arguments), stdin=stdin)


def rows_of(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of an output, in the order of their numbers."""
    text = path.read_bytes().decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return sorted(rows, key=lambda row: int(row["input_row"]))


def numbers_of(path: Path) -> list[int]:
    """The numbers of the rows that a file has."""
    return [int(row["input_row"]) for row in rows_of(path)] if path.exists() else []


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def asked(request: bytes) -> dict[str, Any]:
    """The body of a request."""
    return dict(json.loads(request.partition(b"\r\n\r\n")[2]))


def by_row(answers: Callable[[str], object]) -> Script:
    """Answer by the origin id, with the bytes that come back for it, or else a token."""

    def script(connection: Connection, request: bytes) -> None:
        origin_id = asked(request)["end_user_origin_id"]
        made = answers(origin_id)
        token = token_answer(link_token=f"{TOKEN}-{origin_id}")
        connection.send(made if isinstance(made, bytes) else token)

    return script


def refusing(*origin_ids: str) -> Script:
    """Merge refuses these."""
    body = {"end_user_email_address": ["Enter a valid email address."]}
    return by_row(lambda origin_id: answer(400, body) if origin_id in origin_ids else None)
