"""A magic link in a real browser, from start to done page."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.keys import Keys

from merge_link.sandbox import RecordedRequest, Sandbox
from plain_http import call

if TYPE_CHECKING:
    from conftest import Person

pytestmark = pytest.mark.browser

Order = Callable[..., Any]
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "sandbox-link-page.md"
HOSTILE = "<img src=x onerror=hacked=1></script><script>hacked=1</script>&amp;\u202e"


def linked(sandbox: Sandbox) -> list[str]:
    listed = call(sandbox, b"", method="GET", path="/api/ats/v1/linked-accounts").json
    return [one["integration"]["slug"] for one in listed["results"]]


def test_it_links_an_account(person: "Person", sandbox: Sandbox, order: Order) -> None:
    url = order()["magic_link_url"]
    person.go(url)
    assert "Acme" in person.see("choose")
    person.choose("Greenhouse")
    assert "Sign in to Greenhouse" in person.see("sign-in")
    assert linked(sandbox) == []
    person.sign_in()
    text = person.see("done")
    assert "Greenhouse is linked" in text
    assert "You can close this window." in text
    assert linked(sandbox) == ["greenhouse"]
    person.go(url)
    assert "This link was used" in person.see("used")


def test_the_documentations_example_works(
    person: "Person", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [example] = re.findall(r"(?ms)^```python\n(.*?)^```$", DOCUMENTATION.read_text())

    def link_an_account(_: str) -> str:
        person.go(capsys.readouterr().out.strip())
        person.choose("Greenhouse")
        person.sign_in()
        return person.see("done")

    monkeypatch.setattr("builtins.input", link_an_account)
    exec(example, {})
    assert person.see("done")


def test_every_page_says_that_it_is_a_sandbox(person: "Person", order: Order) -> None:
    made = order()
    for url in (made["magic_link_url"], made["magic_link_url"] + "x"):
        person.go(url)
        assert "no real account is touched" in person.find("header").text
        person.until(
            "document.title.includes('(sandbox)') || document.body.dataset.step != 'choose'"
        )


def test_a_wrong_password_is_refused_and_can_be_mended(
    person: "Person", sandbox: Sandbox, order: Order
) -> None:
    person.go(order()["magic_link_url"])
    person.choose("Lever")
    person.sign_in(password="wrong")
    alert = person.find("[role=alert]")
    assert alert.text == "That password is wrong. Try another."
    password = person.find("#password")
    assert password.get_attribute("aria-invalid") == "true"
    assert alert.get_attribute("id") in str(password.get_attribute("aria-describedby")).split()
    assert person.focused() == "password"
    assert linked(sandbox) == []
    assert "wrong" in person.find("#rule").text
    person.sign_in(user="", password="right")
    person.see("done")
    assert linked(sandbox) == ["lever"]


@pytest.mark.parametrize(("user", "password", "focus"), [("", "x", "user"), ("x", "", "password")])
def test_what_is_left_empty_is_asked_for(
    person: "Person", order: Order, user: str, password: str, focus: str
) -> None:
    person.go(order(integration="lever")["magic_link_url"])
    person.sign_in(user, password)
    assert person.find("[role=alert]").text == "Enter a user name and a password."
    assert person.focused() == focus


def test_cancelling_links_nothing_and_leaves_the_link_good(
    person: "Person", sandbox: Sandbox, order: Order
) -> None:
    person.go(order()["magic_link_url"])
    person.choose("Lever")
    person.fill("#password", "secret")
    person.click("#cancel")
    assert "Nothing was linked" in person.see("cancelled")
    assert linked(sandbox) == []
    person.click("#again")
    person.choose("Greenhouse")
    assert person.find("#password").get_property("value") == ""
    person.sign_in()
    person.see("done")
    assert linked(sandbox) == ["greenhouse"]


def test_the_way_back_leads_to_all_integrations(person: "Person", order: Order) -> None:
    person.go(order()["magic_link_url"])
    person.choose("Lever")
    person.click("#back")
    person.choose("Greenhouse")
    assert "Sign in to Greenhouse" in person.see("sign-in")


def test_what_is_typed_is_never_sent(
    person: "Person", asked: list[RecordedRequest], order: Order
) -> None:
    person.go(order(integration="lever")["magic_link_url"])
    person.sign_in("user-42", "password-42")
    person.see("done")
    assert any(request.path == "/link/complete" for request in asked)
    for request in asked:
        assert b"-42" not in request.body.replace(b"acme-42", b"")
        assert "-42" not in request.path + str(dict(request.headers))
    assert person.run("return localStorage.length + sessionStorage.length") == 0
    assert person.run("return document.cookie") == ""


# ---- choosing ----


def test_only_integrations_of_the_categories_are_shown(person: "Person", order: Order) -> None:
    person.go(order(categories=["mktg"])["magic_link_url"])
    person.see("choose")
    assert person.names() == ["HubSpot", "Keap", "Mailchimp"]


def test_there_are_some_forty_integrations(person: "Person", order: Order) -> None:
    every = ["hris", "ats", "accounting", "ticketing", "crm", "mktg", "filestorage"]
    person.go(order(categories=[*every, "knowledgebase"])["magic_link_url"])
    person.see("choose")
    names = person.names()
    assert len(set(names)) == len(names) >= 40


def test_the_search_finds_names(person: "Person", order: Order) -> None:
    person.go(order()["magic_link_url"])
    person.see("choose")
    everything = person.names()
    assert person.find("#found").get_attribute("role") == "status"
    for words, names, count in (
        ("LEV", ["Lever"], "1 integration"),
        ("ir", [], "No integration is called that."),
        ("recruiting", everything, ""),
        ("hr", ["BambooHR", "JazzHR"], "2 integrations"),
        ("  bam hr ", ["BambooHR"], "1 integration"),
        (".*<b>", [], "No integration is called that."),
    ):
        person.fill("#search", words + Keys.ENTER)
        assert (person.names(), person.find("#found").text) == (names, count)
        person.see("choose")
        person.fill("#search", Keys.ESCAPE)
        assert person.names() == everything


def test_a_preselected_integration_goes_straight_to_its_sign_in(
    person: "Person", order: Order
) -> None:
    person.go(order(integration="workday")["magic_link_url"])
    assert "Sign in to Workday" in person.see("sign-in")
    assert not person.find("#back").is_displayed()


def test_who_relinks_begins_with_the_sign_in_and_may_choose_another(
    person: "Person", sandbox: Sandbox, order: Order
) -> None:
    sandbox.complete_link(order()["link_token"], "lever")
    person.go(order()["magic_link_url"])
    assert "Sign in to Lever" in person.see("sign-in")
    person.click("#back")
    person.choose("Greenhouse")
    person.sign_in()
    person.see("done")
    assert linked(sandbox) == ["greenhouse"]


# ---- links that are no good ----


def test_a_link_that_has_expired_says_so(person: "Person", sandbox: Sandbox, order: Order) -> None:
    url = order()["magic_link_url"]
    sandbox.advance(minutes=30)
    person.go(url)
    assert "This link has expired" in person.see("expired")


def test_a_link_that_is_not_known_says_so(person: "Person", sandbox: Sandbox) -> None:
    for path in ("/link/nonsense", "/link/a/b", "/link/"):
        person.go(sandbox.url + path)
        assert "This link is not known" in person.see("unknown")


def test_a_refusal_shows_without_scripts(person: "Person", sandbox: Sandbox, order: Order) -> None:
    url = order()["magic_link_url"]
    person.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        person.go(url)
        assert "This page needs JavaScript." in person.find("main").text
        sandbox.advance(minutes=30)
        person.go(url)
        assert "This link has expired" in person.find("main").text
    finally:
        person.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize("end", ["used", "expired"])
def test_a_link_that_ends_while_its_page_is_open_says_so(
    person: "Person", sandbox: Sandbox, order: Order, end: str
) -> None:
    made = order(integration="lever")
    person.go(made["magic_link_url"])
    person.see("sign-in")
    if end == "used":
        sandbox.complete_link(made["link_token"])
    else:
        sandbox.advance(minutes=30)
    person.sign_in()
    person.see(end)


def test_an_integration_that_does_not_fit_is_explained(
    person: "Person", sandbox: Sandbox, order: Order
) -> None:
    person.go(order(integration="asana")["magic_link_url"])
    person.sign_in()
    person.until("document.querySelector('[role=alert]').textContent")
    assert person.find("[role=alert]").text == "This integration cannot be linked here."
    assert linked(sandbox) == []


def test_a_sandbox_that_is_gone_is_told_apart(person: "Person") -> None:
    person.expect("ERR_CONNECTION")
    with Sandbox() as sandbox:
        token = call(
            sandbox,
            {
                "end_user_email_address": "hr@acme.example",
                "end_user_organization_name": "Acme",
                "end_user_origin_id": "acme-42",
                "categories": ["ats"],
                "should_create_magic_link_url": True,
            },
        ).json
        person.go(token["magic_link_url"])
        person.choose("Lever")
        port = int(sandbox.url.rpartition(":")[2])
    person.sign_in()
    assert "The sandbox does not answer" in person.see("failed")
    with Sandbox(port=port):
        person.click("#retry")
        assert "This link is not known" in person.see("unknown")


# ---- hostile texts ----


def test_a_hostile_organization_is_text(person: "Person", order: Order) -> None:
    person.go(order(end_user_organization_name=HOSTILE)["magic_link_url"])
    assert HOSTILE.strip() in person.see("choose")
    person.choose("Lever")
    assert HOSTILE.strip() in person.see("sign-in")
    person.sign_in()
    assert HOSTILE.strip() in person.see("done")
    assert person.run("return typeof hacked") == "undefined"
    assert person.run("return document.querySelectorAll('img, iframe').length") == 0


def test_an_unknown_integration_gets_a_page_too(person: "Person", order: Order) -> None:
    person.go(order(integration="x-" + "y" * 90)["magic_link_url"])
    assert "Sign in to X Y" in person.see("sign-in")
    assert person.run("return document.documentElement.scrollWidth") <= 900
    person.sign_in()
    person.see("done")


# ---- by keyboard, and on a phone ----


def test_the_keyboard_alone_will_do(person: "Person", sandbox: Sandbox, order: Order) -> None:
    person.go(order()["magic_link_url"])
    person.see("choose")
    assert person.focused() == "Link an integration"
    person.press(Keys.TAB)
    assert person.focused() == "search"
    person.press("gree", Keys.TAB)
    assert "Greenhouse" in person.focused()
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert person.run(outline) == "solid"
    person.press(Keys.ENTER)
    person.see("sign-in")
    assert person.focused() == "user"
    person.press("kim", Keys.TAB, "wrong", Keys.ENTER)
    assert person.find("[role=alert]").text
    assert person.focused() == "password"
    person.press("right", Keys.TAB, " ")
    person.see("done")
    assert person.focused() == "Greenhouse is linked"
    assert linked(sandbox) == ["greenhouse"]


def test_the_keyboard_reaches_cancel_and_comes_back(person: "Person", order: Order) -> None:
    person.go(order(integration="lever")["magic_link_url"])
    person.see("sign-in")
    person.press(Keys.TAB, Keys.TAB, Keys.TAB)
    assert person.focused() == "cancel"
    person.press(Keys.ENTER)
    person.see("cancelled")
    assert person.focused() == "Nothing was linked"
    person.press(Keys.TAB, Keys.ENTER)
    person.see("sign-in")


@pytest.mark.parametrize("width", [320, 375])
def test_on_a_phone_nothing_is_cut_or_too_small(person: "Person", order: Order, width: int) -> None:
    person.resize(width, 640, phone=True)
    name = "Donaudampfschifffahrtsgesellschaft" * 2
    person.go(order(end_user_organization_name=name, categories=["ats", "hris"])["magic_link_url"])
    for step in ("choose", "sign-in", "done"):
        person.see(step)
        assert person.run("return document.documentElement.scrollWidth") <= width
        overflowing = (
            "return [...document.querySelectorAll('main *')]"
            ".filter((one) => one.getBoundingClientRect().right > innerWidth).length"
        )
        assert person.run(overflowing) == 0
        small = (
            "return [...document.querySelectorAll('button, input')]"
            ".filter((one) => one.offsetParent && one.offsetHeight < 44).length"
        )
        assert person.run(small) == 0
        if step == "choose":
            person.choose("SAP SuccessFactors")
        elif step == "sign-in":
            person.sign_in()
