"""A real browser for tests: Chromium without a window, driven through ChromeDriver (W3C WebDriver).

Few commands are needed, so that the protocol's JSON over HTTP does without a library.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
PATIENCE = 60.0

ARGUMENTS = [
    *("--headless", "--no-sandbox", "--no-first-run", "--disable-dev-shm-usage", "--disable-gpu"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Nothing but this machine can be reached.
    *("--disable-quic", "--no-proxy-server"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=900,1000",
]
TAB, ENTER, CONTROL = "\ue004", "\ue007", "\ue009"
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # as the standard has it
_open = build_opener(ProxyHandler({})).open


class Browser:
    """One window of a browser."""

    def __init__(self, session: str) -> None:
        self._session = session

    def command(self, method: str, path: str, **parameters: Any) -> Any:
        return _command(method, self._session + path, parameters)

    def go(self, url: str) -> None:
        self.command("POST", "/url", url=url)

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what the body of a function returns, whose promise is waited for."""
        return self.command("POST", "/execute/sync", script=script, args=list(arguments))

    def element(self, selector: str) -> str:
        found = self.command("POST", "/element", using="css selector", value=selector)
        return str(found[_ELEMENT])

    def click(self, selector: str) -> None:
        self.command("POST", f"/element/{self.element(selector)}/click")

    def press(self, *keys: str) -> None:
        """Press the keys, all together, where the focus is."""
        down = [{"type": "keyDown", "value": key} for key in keys]
        up = [{"type": "keyUp", "value": key} for key in reversed(keys)]
        self.command("POST", "/actions", actions=[{"type": "key", "id": "k", "actions": down + up}])


def _command(method: str, url: str, parameters: dict[str, Any]) -> Any:
    data = json.dumps(parameters).encode() if method == "POST" else None
    try:
        with _open(Request(url, data, method=method), timeout=PATIENCE) as answer:
            return json.load(answer)["value"]
    except HTTPError as error:
        raise AssertionError(error.read().decode()) from None


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Start a browser with a profile of its own, which reaches this machine only."""
    # What a sanitizer wants preloaded is not for a browser.
    environment = {name: text for name, text in os.environ.items() if name != "LD_PRELOAD"}
    command = [str(DRIVER), "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as driver:
        try:
            assert driver.stdout is not None
            said = (re.search(r"successfully on port (\d+)", line) for line in driver.stdout)
            port = next(found[1] for found in said if found)
            options = {"binary": BROWSER, "args": [*ARGUMENTS, f"--user-data-dir={profile}"]}
            wanted = {"alwaysMatch": {"goog:chromeOptions": options}}
            root = f"http://127.0.0.1:{port}/session"
            session = _command("POST", root, {"capabilities": wanted})["sessionId"]
            yield Browser(f"{root}/{session}")
            _command("DELETE", f"{root}/{session}", {})
        finally:
            driver.terminate()
