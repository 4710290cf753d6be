"""initialize.js in an app's page, in a real browser."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.keys import Keys

from app_page import App
from merge_link.sandbox import RecordedRequest, Sandbox
from plain_http import PATH

if TYPE_CHECKING:
    from conftest import Person

pytestmark = pytest.mark.browser

# The key itself would go to a frame that goes: see `Person.close_dialog`.
ESCAPE = (
    "document.activeElement.dispatchEvent("
    "new KeyboardEvent('keydown', {key: 'Escape', bubbles: true, cancelable: true}))"
)

Order = Callable[..., Any]
INFO = {"isTokenForOtherPreexistingLinkedAccount": False}


@pytest.fixture
def token(order: Order) -> str:
    link_token: str = order()["link_token"]
    return link_token


@pytest.fixture
def ready(person: "Person", app: App, token: str) -> "Person":
    """Somebody before the app's page, whose MergeLink is ready."""
    person.go(app.url)
    person.initialize(token, shouldSendTokenOnSuccessfulLink=True)
    person.hear("onReady")
    return person


def link(person: "Person") -> None:
    with person.in_dialog():
        person.choose("Greenhouse")
        person.sign_in()
        assert "Greenhouse is linked" in person.see("done")


# ---- linking ----


def test_the_apps_backend_exchanges_the_public_token(
    person: "Person", app: App, token: str
) -> None:
    person.go(app.url)
    callbacks = "onSuccess: exchange, shouldSendTokenOnSuccessfulLink: true"
    person.initialize(token, callbacks)
    person.hear("onReady")
    person.click("#connect")
    link(person)
    said = person.hear("onReady", "onSuccess", "exchanged")
    assert said[2][1]["name"] == "Greenhouse"
    assert {"account_token", "id"} <= set(said[2][1]["has"])


def test_success_is_told_at_once_if_asked_for(ready: "Person") -> None:
    ready.click("#connect")
    link(ready)
    said = ready.hear("onReady", "onSuccess")
    assert said[1][2] == INFO
    assert len(said[1][1]) == 40
    assert ready.opened()
    ready.close_by("#finish")
    ready.hear("onReady", "onSuccess", "onExit")
    assert not ready.opened()


@pytest.mark.parametrize("given", [{}, {"shouldSendTokenOnSuccessfulLink": False}])
def test_success_is_told_when_the_dialog_is_closed_otherwise(
    person: "Person", app: App, token: str, given: dict[str, Any]
) -> None:
    person.go(app.url)
    person.initialize(token, **given)
    person.hear("onReady")
    person.click("#connect")
    link(person)
    person.hear("onReady")
    person.close_by("#finish")
    assert person.hear("onReady", "onSuccess", "onExit")[1][2] == INFO


def test_cancelling_tells_only_that_it_was_left(ready: "Person") -> None:
    ready.click("#connect")
    with ready.in_dialog():
        ready.choose("Lever")
    ready.close_by("#cancel")
    ready.hear("onReady", "onExit")
    assert not ready.opened()


def test_after_cancelling_it_can_be_opened_again(ready: "Person") -> None:
    for step in ("choose", "sign-in"):
        ready.click("#connect")
        with ready.in_dialog():
            ready.choose("Lever")
            ready.fill("#password", "secret")
        ready.close_by("#close" if step == "choose" else "#cancel")
    ready.click("#connect")
    with ready.in_dialog():
        ready.choose("Lever")
        assert ready.find("#password").get_property("value") == ""
        ready.sign_in()
        ready.see("done")
    ready.hear("onReady", "onExit", "onExit", "onSuccess")


def test_a_wrong_password_is_refused_in_the_dialog(ready: "Person") -> None:
    ready.click("#connect")
    with ready.in_dialog():
        ready.choose("Lever")
        ready.sign_in(password="wrong")
        assert ready.find("[role=alert]").text == "That password is wrong. Try another."
        ready.sign_in(user="", password="x")
        ready.see("done")
    ready.hear("onReady", "onSuccess")


# ---- link tokens that are no good ----


@pytest.mark.parametrize("reason", ["unknown", "used", "expired"])
def test_a_link_token_that_is_no_good_is_told_and_shown(
    person: "Person", app: App, sandbox: Sandbox, token: str, reason: str
) -> None:
    if reason == "used":
        sandbox.complete_link(token, "lever")
    elif reason == "expired":
        sandbox.advance(minutes=30)
    person.go(app.url)
    person.initialize(token if reason != "unknown" else "nonsense")
    [[_, [problem]]] = person.hear("onValidationError")
    assert problem["problem_type"] == f"LINK_TOKEN_{reason.upper()}"
    assert "link token" in problem["detail"]
    person.click("#connect")
    with person.in_dialog():
        person.see(reason)
    person.close_dialog(ESCAPE)
    person.hear("onValidationError", "onExit")


def test_a_link_token_that_expires_in_the_open_dialog_is_told(
    ready: "Person", sandbox: Sandbox
) -> None:
    ready.click("#connect")
    with ready.in_dialog():
        ready.choose("Lever")
        sandbox.advance(minutes=30)
        ready.sign_in()
        ready.see("expired")
    assert ready.hear("onReady", "onValidationError")[1][1][0]["problem_type"].endswith("EXPIRED")


# ---- arguments ----


@pytest.mark.parametrize(
    ("config", "details"),
    [
        ("{}", ["linkToken must be a string that is not empty", "onSuccess must be a function"]),
        ("{linkToken: '', onSuccess() {}}", ["linkToken must be a string that is not empty"]),
        ("{linkToken: 5, onSuccess: 5}", ["linkToken must", "onSuccess must be a function"]),
        ("{linkToken: 'x', onSuccess() {}, onExit: 'f'}", ["onExit must be a function"]),
        ("{linkToken: 'x', onSuccess() {}, onReady: []}", ["onReady must be a function"]),
        (
            "{linkToken: 'x', onSuccess() {}, shouldSendTokenOnSuccessfulLink: 'yes'}",
            ["shouldSendTokenOnSuccessfulLink must be true or false"],
        ),
        (
            "{linkToken: 'x', onSuccess() {}, parentContainerID: 5, tenantConfig: 'eu'}",
            ["parentContainerID must be the id of an element", "tenantConfig must be an object"],
        ),
        (
            "{linkToken: 'x', onSuccess() {}, tenantConfig: {apiBaseURL: 'eu'}}",
            ["tenantConfig.apiBaseURL must be a URL"],
        ),
    ],
)
def test_arguments_that_are_no_good_are_told_all_at_once(
    person: "Person", app: App, config: str, details: list[str]
) -> None:
    person.go(app.url)
    for method in ("initialize", "update", "openLink"):
        person.run(
            "said.length = 0;"
            f"MergeLink.{method}({{...{config}, onValidationError: recorders.onValidationError}})"
        )
        [[_, problems]] = person.hear("onValidationError")
        assert {problem["problem_type"] for problem in problems} == {"INVALID_ARGUMENT"}
        for problem, detail in zip(problems, details, strict=True):
            assert problem["detail"].startswith(detail)
    assert not person.opened()


def test_without_that_callback_the_console_tells(person: "Person", app: App) -> None:
    person.go(app.url)
    for call in ("initialize()", "initialize(null)", "update({})", "openLink()"):
        person.run(f"MergeLink.{call}")
        person.hear_complaint("MergeLink: linkToken must be a string that is not empty; onSuccess")


def test_null_and_undefined_mean_not_given(person: "Person", app: App, token: str) -> None:
    person.go(app.url)
    person.initialize(token, "onExit: undefined", parentContainerID=None, tenantConfig=None)
    person.hear("onReady")


def test_a_tenants_address_leads_nowhere_else(person: "Person", app: App, token: str) -> None:
    person.go(app.url)
    person.initialize(token, tenantConfig={"apiBaseURL": "https://api-eu.merge.dev"})
    person.hear("onReady")
    person.click("#connect")
    link(person)


# ---- initialize, update, openLink ----


def test_open_link_takes_a_config_that_fills_up_the_first(
    person: "Person", app: App, token: str
) -> None:
    person.go(app.url)
    person.initialize(token, shouldSendTokenOnSuccessfulLink=True)
    person.hear("onReady")
    person.run("MergeLink.openLink({linkToken: arguments[0], onExit: record('left')})", token)
    link(person)
    person.close_by("#close")
    person.hear("onReady", "onSuccess", "left")


def test_open_link_alone_will_do(person: "Person", app: App, token: str) -> None:
    person.go(app.url)
    person.run("MergeLink.openLink({...recorders, linkToken: arguments[0]})", token)
    link(person)
    person.hear("onReady")


def test_opening_twice_opens_once(ready: "Person") -> None:
    ready.run("MergeLink.openLink(); MergeLink.openLink()")
    with ready.in_dialog():
        ready.see("choose")
    ready.close_by("#close")
    ready.hear("onReady", "onExit")
    assert not ready.opened()


def test_initializing_again_with_the_same_token_keeps_what_is_there(
    ready: "Person", token: str
) -> None:
    ready.click("#connect")
    with ready.in_dialog():
        ready.choose("Lever")
        ready.fill("#user", "kim")
    ready.initialize(token, "onReady: record('again')")
    ready.hear("onReady", "again")
    with ready.in_dialog():
        assert ready.find("#user").get_property("value") == "kim"
    assert ready.run("return document.querySelectorAll('#merge-link').length") == 1


def test_initializing_again_after_linking_is_no_error(ready: "Person", token: str) -> None:
    ready.click("#connect")
    link(ready)
    ready.close_by("#finish")
    ready.hear("onReady", "onSuccess", "onExit")
    ready.initialize(token, "onReady: record('again')")
    ready.hear("onReady", "onSuccess", "onExit", "again")
    ready.click("#connect")
    with ready.in_dialog():
        ready.see("used")


def test_update_changes_the_link_token_and_the_callback(ready: "Person", order: Order) -> None:
    other = order(integration="lever", end_user_origin_id="other")["link_token"]
    ready.run("MergeLink.update({linkToken: arguments[0], onSuccess: record('updated')})", other)
    ready.hear("onReady", "onReady")
    ready.click("#connect")
    with ready.in_dialog():
        ready.sign_in()
        ready.see("done")
    ready.hear("onReady", "onReady", "updated")
    assert ready.run("return document.querySelectorAll('#merge-link').length") == 1


def test_another_link_token_closes_the_dialog_of_the_first(ready: "Person", order: Order) -> None:
    ready.click("#connect")
    with ready.in_dialog():
        ready.see("choose")
    ready.initialize(order(end_user_origin_id="other")["link_token"])
    ready.hear("onReady", "onExit", "onReady")
    assert not ready.opened()


def test_a_callback_that_throws_keeps_no_other_from_being_called(
    person: "Person", app: App, token: str
) -> None:
    person.go(app.url)
    person.initialize(token, "onSuccess() { throw new Error('of the app') }")
    person.click("#connect")
    link(person)
    person.close_by("#finish")
    person.hear("onReady", "onExit")
    person.hear_complaint("of the app")


def test_it_works_before_the_page_is_parsed(person: "Person", sandbox: Sandbox, app: App) -> None:
    person.expect("parser-blocking")
    person.go(app.url)
    # A document that is still being written, and has no body yet.
    person.run(
        "document.open(); document.write('<!doctype html><script src=\"' + arguments[0] + '\">"
        "</script>')",
        sandbox.url + "/initialize.js",
    )
    person.until("window.MergeLink && true")
    assert person.run("return document.body") is None
    person.run(
        "window.said = []; MergeLink.openLink({linkToken: 'x', onSuccess() {},"
        "onValidationError: (problems) => said.push(['bad', problems])});"
        "document.write('<title>x</title><body>Hello'); document.close()"
    )
    with person.in_dialog():
        person.see("unknown")
    person.hear("bad")


def test_a_script_tag_that_a_script_makes_will_do(
    person: "Person", app: App, sandbox: Sandbox, token: str
) -> None:
    person.go(app.url)
    person.run(
        "delete window.MergeLink; const script = document.createElement('script');"
        "script.async = true; script.crossOrigin = 'anonymous'; script.src = arguments[0];"
        "document.head.append(script)",
        sandbox.url + "/initialize.js?v=2",
    )
    person.until("window.MergeLink && true")
    person.initialize(token)
    person.hear("onReady")


# ---- parentContainerID ----


def test_the_dialog_is_put_into_the_container(person: "Person", app: App, token: str) -> None:
    person.go(app.url)
    person.initialize(token, parentContainerID="container")
    person.hear("onReady")
    person.click("#connect")
    parent = "return document.getElementById('merge-link').parentElement.id"
    assert person.run(parent) == "container"
    link(person)
    person.close_by("#finish")
    person.hear("onReady", "onSuccess", "onExit")


def test_the_container_may_come_later(person: "Person", app: App, token: str) -> None:
    person.go(app.url)
    person.initialize(token, parentContainerID="later")
    person.hear("onReady")
    person.run("document.getElementById('container').id = 'later'")
    person.click("#connect")
    link(person)
    parent = "return document.getElementById('merge-link').parentElement.id"
    assert person.run(parent) == "later"
    person.hear("onReady")


def test_a_container_that_is_not_there_is_told(person: "Person", app: App, token: str) -> None:
    person.go(app.url)
    person.initialize(token, parentContainerID="nowhere")
    person.hear("onReady")
    person.click("#connect")
    problems = person.hear("onReady", "onValidationError")[1][1]
    assert problems[0]["detail"] == 'parentContainerID: no element has the id "nowhere"'
    assert not person.opened()


def test_a_container_that_goes_away_takes_the_dialog_along(
    person: "Person", app: App, token: str
) -> None:
    person.go(app.url)
    person.initialize(token, parentContainerID="container")
    person.hear("onReady")
    person.click("#connect")
    with person.in_dialog():
        person.see("choose")
    person.run("document.getElementById('container').replaceChildren()")
    person.click("#connect")
    link(person)


# ---- the dialog ----


def test_escape_closes_it_wherever_the_focus_is(ready: "Person") -> None:
    ready.click("#connect")
    with ready.in_dialog():
        ready.see("choose")
    ready.close_dialog(ESCAPE)
    ready.hear("onReady", "onExit")
    ready.click("#connect")
    with ready.in_dialog():
        ready.see("choose")
    ready.run("document.getElementById('merge-link').shadowRoot.querySelector('dialog').focus()")
    ready.press(Keys.ESCAPE)
    ready.hear("onReady", "onExit", "onExit")
    assert not ready.opened()


def test_escape_in_a_search_clears_it_first(ready: "Person") -> None:
    ready.click("#connect")
    with ready.in_dialog():
        ready.see("choose")
        ready.fill("#search", "lev" + Keys.ESCAPE)
        assert ready.find("#search").get_property("value") == ""
    assert ready.opened()
    ready.close_dialog(ESCAPE)
    ready.hear("onReady", "onExit")


def test_the_focus_goes_in_stays_in_and_comes_back(ready: "Person") -> None:
    ready.find("#connect").send_keys(Keys.ENTER)
    with ready.in_dialog():
        ready.see("choose")
        ready.until("document.hasFocus()")
        assert ready.focused() == "Link an integration"
        ready.fill("#search", "lever")
        for _ in range(8):
            ready.press(Keys.TAB)
        ready.press(Keys.SHIFT, Keys.TAB, Keys.NULL)
    assert ready.focused() != "connect"
    # What is behind cannot be reached.
    ready.run("document.getElementById('connect').focus()")
    assert ready.focused() != "connect"
    ready.close_by("#close")
    ready.hear("onReady", "onExit")
    assert ready.focused() == "connect"


def test_before_it_is_opened_it_takes_no_focus(person: "Person", app: App, token: str) -> None:
    person.go(app.url)
    person.run("document.getElementById('connect').focus()")
    person.initialize(token)
    person.hear("onReady")
    assert person.focused() == "connect"


def test_the_keyboard_alone_will_do(ready: "Person") -> None:
    ready.find("#connect").send_keys(Keys.ENTER)
    with ready.in_dialog():
        ready.see("choose")
        ready.until("document.hasFocus()")
    ready.press(Keys.TAB, "gree", Keys.TAB, Keys.ENTER)
    with ready.in_dialog():
        ready.see("sign-in")
    ready.press("kim", Keys.TAB, "any", Keys.ENTER)
    with ready.in_dialog():
        ready.see("done")
        ready.press(Keys.TAB)
        assert ready.focused() == "finish"
    ready.close_dialog("document.activeElement.click()")
    ready.hear("onReady", "onSuccess", "onExit")
    assert ready.focused() == "connect"


def test_the_dialog_has_a_name(ready: "Person") -> None:
    ready.click("#connect")
    names = ready.run(
        "const root = document.getElementById('merge-link').shadowRoot;"
        "return [root.querySelector('dialog').ariaLabel, root.querySelector('iframe').title]"
    )
    assert names == ["Link an account", "Link an account"]


@pytest.mark.parametrize(
    ("width", "height", "whole"), [(320, 600, True), (375, 667, True), (900, 900, False)]
)
def test_it_fits_the_window_and_fills_a_phone(
    ready: "Person", width: int, height: int, whole: bool
) -> None:
    ready.resize(width, height, phone=whole)
    ready.click("#connect")
    with ready.in_dialog():
        ready.see("choose")
        assert ready.run("return document.documentElement.scrollWidth <= innerWidth")
        inside = ready.run("return [innerWidth, innerHeight]")
    assert inside == ([width, height] if whole else [480, 680])
    link(ready)


# ---- messages ----


def test_messages_of_other_pages_do_nothing(ready: "Person", app: App, sandbox: Sandbox) -> None:
    ready.click("#connect")
    with ready.in_dialog():
        ready.see("choose")
    ready.run(
        "window.heard = 0; addEventListener('message', ({data}) => { heard += data === 'sent' });"
        "const frame = document.createElement('iframe'); frame.src = arguments[0];"
        "document.getElementById('container').append(frame)",
        app.hostile_url,
    )
    ready.until("heard === 1")
    ready.run(
        "for (const type of ['linked', 'close']) postMessage({mergeLink: {type}}, '*');"
        "postMessage('sent', '*')"
    )
    ready.until("heard === 2")
    # Another frame of the sandbox's origin, which is not the dialog's.
    ready.run(
        "const frame = document.createElement('iframe'); frame.id = 'other';"
        "frame.src = arguments[0]; document.getElementById('container').append(frame)",
        sandbox.url + "/link/",
    )
    with ready.in_frame(lambda: ready.find("#other")):
        ready.run(
            "for (const type of ['linked', 'close'])"
            "  parent.postMessage({mergeLink: {type, publicToken: 'forged'}}, '*');"
            "parent.postMessage('sent', '*')"
        )
    ready.until("heard === 3")
    ready.hear("onReady")
    assert ready.opened()


def test_messages_of_another_page_in_the_dialogs_frame_do_nothing(
    ready: "Person", app: App
) -> None:
    ready.expect("postMessage")
    ready.click("#connect")
    with ready.in_dialog():
        ready.see("choose")
    ready.run(
        "window.stolen = []; addEventListener('message', ({data}) => stolen.push(data.stolen));"
        "const frame = document.getElementById('merge-link').shadowRoot.querySelector('iframe');"
        # By then the script has told it the link token, were it not for its origin.
        "frame.addEventListener('load', () => frame.contentWindow.postMessage('last', '*'))"
    )
    with ready.in_dialog():
        ready.run("location = arguments[0]", app.hostile_url)
    ready.until("stolen.includes('last')")
    assert ready.run("return stolen.filter(Boolean)") == ["last"]
    ready.hear("onReady")
    assert ready.opened()


def test_messages_without_meaning_do_nothing(ready: "Person") -> None:
    ready.click("#connect")
    with ready.in_dialog():
        ready.see("choose")
        for message in ("null", "'x'", "5", "{mergeLink: null}", "{mergeLink: {}}"):
            ready.run(f"parent.postMessage({message}, '*')")
    ready.close_dialog("parent.postMessage({mergeLink: {type: 'close'}}, '*')")
    ready.hear("onReady", "onExit")


def test_the_page_hears_only_the_page_around_it(ready: "Person", order: Order) -> None:
    other = order(integration="lever", end_user_origin_id="other")["link_token"]
    ready.click("#connect")
    with ready.in_dialog():
        ready.see("choose")
        ready.run(
            "window.heard = 0; addEventListener('message', () => { heard += 1 });"
            "postMessage({mergeLink: {type: 'load', linkToken: arguments[0]}}, '*')",
            other,
        )
        ready.until("heard === 1")
        ready.see("choose")
    link(ready)


def test_a_page_around_it_that_knows_no_link_token_gets_nothing(
    person: "Person", app: App, sandbox: Sandbox, asked: list[RecordedRequest], token: str
) -> None:
    person.go(app.url)
    person.run(
        "window.heard = []; addEventListener('message', ({data}) => heard.push(data));"
        "const frame = document.createElement('iframe'); frame.id = 'frame';"
        "frame.src = arguments[0]; frame.style.setProperty('display', 'block', 'important');"
        "document.getElementById('container').append(frame)",
        sandbox.url + "/link/",
    )
    with person.in_frame(lambda: person.find("#frame")):
        # The page says it to itself, before the page around it has said anything.
        person.run(
            "window.heard = 0; addEventListener('message', () => { heard += 1 });"
            "postMessage({mergeLink: {type: 'load', linkToken: arguments[0]}}, '*')",
            token,
        )
        person.until("heard === 1")
    person.run("frames[0].postMessage({mergeLink: {type: 'show'}}, '*')")
    with person.in_frame(lambda: person.find("#frame")):
        person.until("document.activeElement.textContent === 'One moment'")
        assert person.run("return document.body.dataset.step") == "loading"
    assert person.run("return heard") == []
    assert [one.path for one in asked if one.method == "POST"] == [PATH]


def test_a_magic_link_cannot_be_framed(person: "Person", app: App, order: Order) -> None:
    person.go(app.url)
    person.run(
        "const frame = document.createElement('iframe'); frame.onload = record('loaded');"
        "frame.src = arguments[0]; document.getElementById('container').append(frame)",
        order()["magic_link_url"],
    )
    person.until("said.length === 1")
    person.until("document.querySelector('iframe').contentDocument === null")
    person.hear_complaint("frame-ancestors")


def test_another_site_cannot_ask_with_a_token_it_knows(
    person: "Person", app: App, sandbox: Sandbox, asked: list[RecordedRequest], token: str
) -> None:
    person.expect("link/complete")
    person.go(app.hostile_url)
    failed = person.run(
        "return fetch(arguments[0], {method: 'POST', body: JSON.stringify(arguments[1]),"
        "headers: {'Content-Type': 'application/json'}}).then(() => 'answered', () => 'failed')",
        sandbox.url + "/link/complete",
        {"link_token": token, "integration": "lever"},
    )
    assert failed == "failed"
    person.run(
        "return fetch(arguments[0], {method: 'POST', mode: 'no-cors', body: arguments[1]})",
        sandbox.url + "/link/complete",
        json.dumps({"link_token": token, "integration": "lever"}),
    )
    assert [request.status for request in asked if "/link/" in request.path] == [
        405,
        403,
    ]
    assert sandbox.complete_link(token, "lever")  # which it still can be
