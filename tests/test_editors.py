"""What an editor shows and completes, asked of pyright's language server (basedpyright's)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import merge_link
from merge_link import types

PACKAGE_ROOT = Path(merge_link.__file__).parent.parent
START = "import merge_link\nclient = merge_link.Client()\n"


class LanguageServer:
    """Speaks the Language Server Protocol: JSON-RPC with a length before each message."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "probe.py"
        self._answers = 0
        self._process = subprocess.Popen(
            [Path(sys.executable).parent / "basedpyright-langserver", "--stdio"],
            cwd=directory,
            # A preloaded sanitizer is not for node.
            env={name: text for name, text in os.environ.items() if name != "LD_PRELOAD"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        folder = {"uri": directory.as_uri(), "name": "probe"}
        formats = {"hover": {"contentFormat": ["plaintext"]}}
        capabilities = {"textDocument": formats}
        self.ask("initialize", processId=None, capabilities=capabilities, workspaceFolders=[folder])
        self._send(method="initialized", params={})

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def at(self, code: str, method: str) -> Any:
        """Open a file with the code and ask about the place that `|` marks."""
        before, _, after = (START + code).partition("|")
        uri = self._file.as_uri()
        document = {"uri": uri, "languageId": "python", "version": 1, "text": before + after}
        self._send(method="textDocument/didOpen", params={"textDocument": document})
        lines = before.split("\n")
        place = {"line": len(lines) - 1, "character": len(lines[-1])}
        answer = self.ask(f"textDocument/{method}", textDocument={"uri": uri}, position=place)
        self._send(method="textDocument/didClose", params={"textDocument": {"uri": uri}})
        return answer

    def ask(self, method: str, **params: Any) -> Any:
        self._answers += 1
        number = self._answers
        self._send(id=number, method=method, params=params)
        while True:
            message = self._receive()
            if message.get("id") == number and "method" not in message:
                return message["result"]
            if "id" in message:  # it asks for our settings: we have none
                items = message.get("params", {}).get("items", [])
                self._send(id=message["id"], result=[{} for _ in items])

    def _send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the language server has ended"
        return json.loads(self._process.stdout.read(length))


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    directory = tmp_path_factory.mktemp("editor")
    settings = {"extraPaths": [str(PACKAGE_ROOT)]}
    (directory / "pyrightconfig.json").write_text(json.dumps(settings))
    server = LanguageServer(directory)
    yield server
    server.close()


def completed(editor: LanguageServer, code: str) -> set[str]:
    answer = editor.at(code, "completion")
    return {one["label"].strip("\"'") for one in answer["items"]}


COMPLETED = {
    'client.create_link_token(categories=["|"])': types.KnownCategory.__args__,
    'client.create_link_token(category="|")': ("ats", "chat", "email"),
    'client.create_link_token(language="|")': ("de", "en", "fr"),
    'client.create_link_token(common_models=[{"|"}])': types.CommonModel.__annotations__,
    'client.create_link_token(category_common_model_scopes={"ats": [{"|"}]})': (
        types.ModelScope.__annotations__
    ),
    'merge_link.Client(region="|")': ("us", "eu", "apac"),
    "client.create_link_token(|)": ("end_user_origin_id=", "categories=", "extra_body="),
    "merge_link.create_link_token(|)": ("end_user_origin_id=", "region=", "on_attempt="),
    "merge_link.|": ("LinkToken", "RateLimitError", "errors", "types"),
}


@pytest.mark.parametrize("code", COMPLETED)
def test_an_editor_completes(editor: LanguageServer, code: str) -> None:
    assert set(COMPLETED[code]) <= completed(editor, code)


SHOWN = {
    "client.create|_link_token": ("end_user_email_address: str,", "extra_body: fields that Merge"),
    "merge_link.create|_link_token": ("on_attempt: (", "connect_timeout: seconds for name lookup"),
    "merge_link.Cli|ent": ("A client of Merge's linking API", "region: Region | None"),
    "client.max_resp|onse_bytes": ("Bytes of an answer at most",),
    "merge_link.Link|Token": ("A link token: what Merge Link opens with",),
}


@pytest.mark.parametrize("code", SHOWN)
def test_an_editor_shows_signature_and_docstring(editor: LanguageServer, code: str) -> None:
    text = editor.at(code, "hover")["contents"]["value"]
    for part in SHOWN[code]:
        assert part in text
