"""Chromium without a window, and what a person does in it."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import (
    InvalidSessionIdException,
    JavascriptException,
    NoSuchElementException,
    NoSuchFrameException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.common.proxy import Proxy, ProxyType
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from urllib3.exceptions import HTTPError

from app_page import App, serve_app
from merge_link.sandbox import RecordedRequest, Sandbox
from plain_http import GOOD, call

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
PATIENCE = 20

ARGUMENTS = [
    *("--headless", "--no-sandbox", "--no-first-run", "--disable-dev-shm-usage", "--disable-gpu"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Nothing but this machine can be reached.
    *("--disable-quic", "--no-proxy-server"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    *("--hide-scrollbars", "--window-size=900,900"),
]


# Now and then Chromium hangs when many processes want the machine: it does not answer ChromeDriver,
# or ChromeDriver us. Then, and only then, a test is tried again, in a new browser.
HANGS = [HTTPError, InvalidSessionIdException, "Timed out receiving message from renderer"]
HUNG = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2, only_rerun=HANGS))
            item.add_marker(pytest.mark.timeout(15 * PATIENCE))  # of all that is tried


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[pytest.TestReport]:
    report: pytest.TestReport = yield
    if call.when == "call":
        item.stash[HUNG] = call.excinfo is not None and is_hang(call.excinfo.value)
    return report


def is_hang(error: BaseException | None) -> bool:
    """Whether the browser stands behind the error, or behind one that came before it."""
    while error is not None:
        told = str(error)
        if any(one in told if isinstance(one, str) else isinstance(error, one) for one in HANGS):
            return True
        error = error.__cause__ or error.__context__
    return False


# What looking at a page that is just loading, or going, may end with.
GOING = (
    JavascriptException,
    NoSuchElementException,
    NoSuchFrameException,
    StaleElementReferenceException,
)


class Person:
    """Somebody who looks at a page, clicks and types."""

    def __init__(self, driver: webdriver.Remote) -> None:
        self.driver = driver
        self.wait: WebDriverWait[webdriver.Remote] = WebDriverWait(driver, PATIENCE, 0.02)
        self._said: list[str] = []
        self._expected = ["the server responded with a status of 4"]

    # ---- the browser ----

    def go(self, url: str) -> None:
        self.driver.get(url)

    def run(self, script: str, *values: Any) -> Any:
        return self.driver.execute_script(script, *values)

    def until(self, script: str, *values: Any) -> Any:
        """Wait until a script has a result. It may fail meanwhile, while its page loads."""
        waiting = WebDriverWait(self.driver, PATIENCE, 0.02, [JavascriptException])
        return waiting.until(lambda _: self.run(f"return {script}", *values), f"{script} {values}")

    def resize(self, width: int, height: int, *, phone: bool = False) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def prefer(self, **features: str) -> None:
        """Prefer, say, color_scheme="dark"."""
        wanted = [
            {"name": "prefers-" + name.replace("_", "-"), "value": value}
            for name, value in features.items()
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})

    def expect(self, complaint: str) -> None:
        """Let the browser's log hold lines with this text: they may come late."""
        self._expected.append(complaint)

    def complaints(self) -> list[str]:
        """What the browser's log holds, but for what was expected and answers that are 4xx."""
        log = self.driver.execute(Command.GET_LOG, {"type": "browser"})
        self._said += [str(entry["message"]) for entry in log["value"]]
        return [line for line in self._said if not any(one in line for one in self._expected)]

    def forget_complaints(self) -> None:
        self.complaints()
        self._said.clear()

    def hear_complaint(self, text: str) -> str:
        """Wait for a line with this text in the browser's log, and take it out."""

        def heard(_: object) -> str | None:
            return next((line for line in self.complaints() if text in line), None)

        line = str(self.wait.until(heard, f"no complaint of {text}"))
        self._said.remove(line)
        return line

    # ---- the page ----

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def click(self, selector: str) -> None:
        self.find(selector).click()

    def fill(self, selector: str, text: str) -> None:
        self.find(selector).send_keys(text)

    def press(self, *keys: str) -> None:
        """Press one key after the other, wherever the focus is."""
        webdriver.ActionChains(self.driver, 0).send_keys(*keys).perform()

    def focused(self) -> str:
        """The id of what has the focus, else its text."""
        return str(self.run("const it = document.activeElement; return it.id || it.textContent"))

    # ---- the Link page ----

    def see(self, step: str) -> str:
        """Wait for a step; the text that is to be seen then."""
        self.until("document.body?.dataset.step === arguments[0]", step)
        return self.find("main").text

    def choose(self, name: str) -> None:
        self.see("choose")
        self.integrations()[self.names().index(name)].click()

    def integrations(self) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, "#integrations button")

    def names(self) -> list[str]:
        """The names of the integrations that are shown, without what stands around them."""
        names: list[str] = self.run(
            "return [...document.querySelectorAll('#integrations button')].map((one) =>"
            " [...one.childNodes].find((node) => node.nodeType === Node.TEXT_NODE).data)"
        )
        return names

    def sign_in(self, user: str = "kim", password: str = "any") -> None:
        self.see("sign-in")
        self.fill("#user", user)
        self.find("#password").clear()
        self.fill("#password", password + Keys.ENTER)

    # ---- the dialog ----

    def opened(self) -> bool:
        return bool(
            self.run(
                "const host = document.getElementById('merge-link');"
                "return Boolean(host?.shadowRoot.querySelector('dialog[open]'))"
            )
        )

    @contextmanager
    def in_frame(self, frame: Callable[[], WebElement]) -> Iterator[None]:
        """Look into a frame, once its page is loaded."""
        loaded = "return location.href !== 'about:blank' && document.readyState === 'complete'"

        def entered(_: object) -> bool:
            self.driver.switch_to.default_content()
            try:
                self.driver.switch_to.frame(frame())
                return bool(self.run(loaded))
            except GOING:
                return False

        self.wait.until(entered, "the frame is not loaded")
        try:
            yield
        finally:
            self.driver.switch_to.default_content()

    @contextmanager
    def in_dialog(self) -> Iterator[None]:
        """Look into the dialog's frame. It must not go meanwhile: see `close_dialog`."""
        self.wait.until(lambda _: self.opened(), "the dialog is not open")
        with self.in_frame(
            lambda: self.find("#merge-link").shadow_root.find_element(By.CSS_SELECTOR, "iframe")
        ):
            yield

    def close_dialog(self, script: str) -> None:
        """Do in the dialog's frame what closes it, after ChromeDriver has left the frame.

        A frame that goes never takes note of a click or key, and ChromeDriver waits for it.
        """
        with self.in_dialog():
            self.run(f"addEventListener('message', ({{ data }}) => data === 'now' && {script})")
        self.run(
            "document.getElementById('merge-link').shadowRoot.querySelector('iframe')"
            ".contentWindow.postMessage('now', '*')"
        )
        self.wait.until(lambda _: not self.opened(), f"{script} does not close the dialog")

    def close_by(self, selector: str) -> None:
        """Click a button of the dialog that closes it."""
        with self.in_dialog():
            assert self.find(selector).is_displayed()
        self.close_dialog(f"document.querySelector('{selector}').click()")

    # ---- the app's page ----

    def said(self) -> Any:
        """The callbacks that were called, with their values, in order."""
        return self.run("return said")

    def hear(self, *names: str) -> Any:
        """Wait until these callbacks, and no others, were called, in this order."""
        self.until("said.length >= arguments[0]", len(names))
        said = self.said()
        assert [name for name, *_ in said] == list(names)
        return said

    def initialize(self, link_token: str, callbacks: str = "", **config: Any) -> None:
        script = f"MergeLink.initialize({{...recorders, ...arguments[0], {callbacks}}})"
        self.run(script, {"linkToken": link_token, **config})


class Browser:
    """A browser that is started when it is needed, and anew when it hangs."""

    def __init__(self, new_profile: Callable[[], Path]) -> None:
        self._new_profile = new_profile
        self._service: webdriver.ChromeService | None = None
        self._driver: webdriver.Remote | None = None

    def person(self) -> Person:
        """Somebody with an empty window. A browser that does not give one is replaced, once."""
        try:
            return self._person()
        except (WebDriverException, HTTPError) as error:
            print(f"The browser is replaced: {error!r}")
            self.kill()
            return self._person()

    def kill(self) -> None:
        """End it by force: one that is asked to end may think about it for minutes."""
        if self._service is not None:
            # Chromium is in the group of ChromeDriver.
            os.killpg(self._service.process.pid, signal.SIGKILL)
            self._service.process.wait()
            self._service.stop()
        self._service = self._driver = None

    def _person(self) -> Person:
        someone = Person(self._driver or self._start())
        someone.go("about:blank")
        someone.driver.execute_cdp_cmd("Page.bringToFront", {})  # else nothing may have the focus
        someone.forget_complaints()
        someone.resize(900, 900)
        someone.prefer(color_scheme="light")
        return someone

    def _start(self) -> webdriver.Remote:
        # What a sanitizer wants preloaded is not for a browser.
        environment = {name: text for name, text in os.environ.items() if name != "LD_PRELOAD"}
        group = {"start_new_session": True}
        service = webdriver.ChromeService(DRIVER, env=environment, popen_kw=group)
        service.start()
        self._service = service
        url = service.service_url
        direct = Proxy({"proxyType": ProxyType.DIRECT})
        # A little longer than ChromeDriver's own timeouts, whose errors tell more.
        client = ClientConfig(url, proxy=direct, timeout=PATIENCE + 5)
        self._driver = webdriver.Remote(url, options=self._options(), client_config=client)
        return self._driver

    def _options(self) -> webdriver.ChromeOptions:
        options = webdriver.ChromeOptions()
        options.binary_location = BROWSER
        for argument in (*ARGUMENTS, f"--user-data-dir={self._new_profile()}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.timeouts = {"pageLoad": PATIENCE * 1000, "script": PATIENCE * 1000}
        return options


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not (BROWSER and DRIVER):
        pytest.skip("needs chromium and chromedriver, which `make test-browser` installs")
    started = Browser(lambda: tmp_path_factory.mktemp("profile"))
    try:
        yield started
    finally:
        started.kill()


@pytest.fixture
def person(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Person]:
    """Somebody with one empty window; the browser must have had nothing to complain of."""
    someone = browser.person()
    yield someone
    if request.node.stash.get(HUNG, False):
        browser.kill()
        return
    try:
        someone.driver.switch_to.default_content()
        complaints = someone.complaints()
    except (WebDriverException, HTTPError):
        browser.kill()
        raise
    assert complaints == []


@pytest.fixture
def asked() -> list[RecordedRequest]:
    """All requests that came to the sandbox, those of its pages too."""
    return []


@pytest.fixture
def sandbox(asked: list[RecordedRequest]) -> Iterator[Sandbox]:
    with Sandbox(on_request=asked.append) as running:
        yield running


@pytest.fixture
def app(sandbox: Sandbox) -> Iterator[App]:
    with serve_app(sandbox) as running:
        yield running


@pytest.fixture
def order(sandbox: Sandbox) -> Callable[..., Any]:
    """Make a link token with a magic link."""

    def make(**fields: Any) -> Any:
        answer = call(sandbox, {**GOOD, "should_create_magic_link_url": True, **fields})
        assert answer.status == 200, answer.body
        return answer.json

    return make
