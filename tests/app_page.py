"""An application that has its end users link accounts: a page with initialize.js, and a backend.

The page is served at ``localhost`` while the sandbox is at ``127.0.0.1``: another site to the
browser. Its Content-Security-Policy is as strict as one that shows the dialog can be.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from merge_link.sandbox import Sandbox
from plain_http import call

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/icon">
<link rel="stylesheet" href="/app.css">
<title>Acme HR</title>
<h1>Settings</h1>
<p>Connect your recruiting system, and new hires appear here by themselves.</p>
<button id="connect">Connect</button>
<div id="container"></div>
<script src="{sandbox}/initialize.js"></script>
<script src="/app.js"></script>
"""

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 640px; margin: 48px auto; padding: 0 16px; }
button { padding: 10px 18px; border-radius: 8px; font: inherit; }
/* What must not reach into the dialog. */
dialog, iframe { display: none !important; opacity: 0; }
"""

SCRIPT = """
"use strict";
const said = [];
const record = (name) => (...values) => { said.push([name, ...values]); };
const recorders = Object.fromEntries(
  ["onReady", "onSuccess", "onExit", "onValidationError"].map((name) => [name, record(name)]),
);

// What an app does: give the public token to its backend, which exchanges it.
async function exchange(publicToken) {
  record("onSuccess")(publicToken);
  const answer = await fetch("/exchange", { method: "POST", body: publicToken });
  record("exchanged")(await answer.json());
}

document.getElementById("connect").addEventListener("click", () => MergeLink.openLink());
"""

HOSTILE = """<!doctype html><title>Hostile</title><link rel="icon" href="data:,"><script>
for (const type of ["ready", "linked", "refused", "close"]) {
  parent.postMessage({ mergeLink: { type, publicToken: "forged", reason: "used" } }, "*");
}
parent.postMessage("sent", "*");
// Whatever is told to this page is given away.
addEventListener("message", ({ data }) => parent.postMessage({ stolen: data }, "*"));
</script>"""


def make_handler(sandbox: Sandbox) -> type[BaseHTTPRequestHandler]:
    policy = (
        f"default-src 'none'; script-src 'self' {sandbox.url}; style-src 'self'; img-src 'self';"
        f" connect-src 'self'; frame-src {sandbox.url} http://127.0.0.1:*"
    )
    files = {
        "/": ("text/html", PAGE.format(sandbox=sandbox.url), policy),
        "/app.js": ("text/javascript", SCRIPT, policy),
        "/app.css": ("text/css", STYLE, policy),
        "/icon": ("image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg"/>', policy),
        "/hostile": ("text/html", HOSTILE, ""),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(*files[self.path])

        def do_POST(self) -> None:
            public_token = self.rfile.read(int(self.headers["Content-Length"])).decode()
            path = f"/api/ats/v1/account-token/{public_token}"
            account = call(sandbox, b"", method="GET", path=path).json
            known = {"name": account["integration"]["name"], "has": sorted(account)}
            self._answer("application/json", json.dumps(known), policy)

        def _answer(self, media_type: str, text: str, policy: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *values: Any) -> None:
            pass

    return Handler


@dataclass
class App:
    url: str
    hostile_url: str  # a page of another origin, and of the sandbox's site


@contextmanager
def serve_app(sandbox: Sandbox) -> Iterator[App]:
    with ThreadingHTTPServer(("127.0.0.1", 0), make_handler(sandbox)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        port = server.server_port
        yield App(f"http://localhost:{port}/", f"http://127.0.0.1:{port}/hostile")
        server.shutdown()
        thread.join()
