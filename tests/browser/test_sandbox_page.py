"""The page at / in a real browser: what a person sees, presses and copies."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.keys import Keys

import merge_link
from merge_link.sandbox import Sandbox
from samples import FIELDS
from scripted import Server, answer

if TYPE_CHECKING:
    from conftest import Person

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='hacked=1'>\"'&<script>hacked=1</script>"

ROWS = "[...document.querySelectorAll(`#${arguments[0]} li`)].map(one => one.innerText)"
NAME = "const it = document.activeElement; return it.getAttribute('aria-label') || it.textContent"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Server(answer(204)) as target, Sandbox(webhook_url=target.base_url) as running:
        yield running


@pytest.fixture
def page(person: "Person", sandbox: Sandbox) -> Iterator["Person"]:
    person.go(sandbox.url + "/")
    person.until("!document.querySelector('main').hidden")
    yield person
    # The page asks the sandbox again and again, and would complain of its end.
    person.go("about:blank")


def rows(page: "Person", name: str) -> list[str]:
    found: list[str] = page.run(f"return {ROWS}", name)
    return found


def wait_for(page: "Person", name: str, text: str) -> str:
    """The row of a list that has this text, once it is there."""
    return str(page.until(f"{ROWS}.find(one => one.includes(arguments[1]))", name, text))


def wait_to_hear(page: "Person", text: str) -> None:
    page.until("document.querySelector('#said').innerText === arguments[0]", text)


def press(page: "Person", text: str) -> None:
    """Press a button by its words."""
    page.run(
        "[...document.querySelectorAll('button')]"
        ".find(one => one.innerText === arguments[0]).click()",
        text,
    )


def test_what_happens_appears_by_itself(page: "Person", sandbox: Sandbox) -> None:
    assert rows(page, "linked_accounts") == []
    assert "Nobody has linked an account yet." in page.run("return document.body.innerText")
    with sandbox.client() as client:
        token = client.create_link_token(**FIELDS).link_token
        assert "ready" in wait_for(page, "link_tokens", FIELDS["end_user_origin_id"])
        sandbox.complete_link(token, "greenhouse")
        account = wait_for(page, "linked_accounts", "Greenhouse")
    assert "complete" in account
    assert wait_for(page, "requests", "link-token").startswith("200 POST /api/")
    assert "answered 204" in wait_for(page, "deliveries", "delivered")
    assert "used" in wait_for(page, "link_tokens", "used")


def test_credentials_are_hidden_until_they_are_asked_for(page: "Person", sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        token = client.create_link_token(**FIELDS).link_token
    wait_for(page, "link_tokens", "ready")
    secrets = (sandbox.api_key, token, sandbox.webhook_key)
    shown = page.run("return document.body.innerText")
    assert not [one for one in secrets if one in shown]
    press(page, "Show credentials")
    shown = page.run("return document.body.innerText")
    assert [one for one in secrets if one in shown] == list(secrets)
    press(page, "Hide credentials")
    shown = page.run("return document.body.innerText")
    assert not [one for one in secrets if one in shown]


def test_the_lines_are_copied_whole(page: "Person", sandbox: Sandbox) -> None:
    page.run(
        "window.copied = [];"
        "navigator.clipboard.writeText = text => (copied.push(text), Promise.resolve())"
    )
    for button in ("backend", "python", "frontend", "webhook"):
        page.run("document.getElementById(arguments[0]).previousElementSibling.click()", button)
    assert page.run("return copied") == [
        f"export MERGE_BASE_URL={sandbox.base_url}\nexport MERGE_API_KEY={sandbox.api_key}",
        "client = merge_link.Client()  # reads them",
        f'<script src="{sandbox.url}/initialize.js"></script>',
        sandbox.webhook_key,
    ]


def test_bad_days_are_a_press_away(page: "Person", sandbox: Sandbox) -> None:
    order = {**FIELDS, "max_retries": 0}
    for words, said, status in (
        ("Fail with 429", "The next request is answered 429.", 429),
        ("Fail with 500", "The next request is answered 500.", 500),
        ("Drop the answer", "The next request gets no answer.", None),
    ):
        press(page, words)
        wait_to_hear(page, said)
        # On a new connection, as libcurl sends once more what a kept one has lost.
        with sandbox.client() as client, pytest.raises(merge_link.MergeLinkError):
            client.create_link_token(**order)
        assert sandbox.requests[-1].status == status
    with sandbox.client() as client:
        press(page, "Delay by 3 s")
        wait_to_hear(page, "The next answer takes 3 seconds.")
        press(page, "Clear faults")
        wait_to_hear(page, "No faults any more.")
        token = client.create_link_token(**order).link_token
        press(page, "Advance 31 min")
        wait_to_hear(page, "31 minutes have passed.")
        wait_for(page, "link_tokens", "expired")
        assert "31 min ahead" in page.run("return document.querySelector('#state').innerText")
        with pytest.raises(ValueError, match="expired"):
            sandbox.complete_link(token, "lever")
        token = client.create_link_token(**order).link_token
        sandbox.complete_link(token, "lever")
        wait_for(page, "linked_accounts", "Lever")
        press(page, "Relink needed")
        wait_to_hear(page, "Lever needs relinking now.")
        wait_for(page, "linked_accounts", "relink needed")


def test_a_reset_takes_two_presses(page: "Person", sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        client.create_link_token(**FIELDS)
    wait_for(page, "link_tokens", "ready")
    press(page, "Reset everything")
    assert len(rows(page, "link_tokens")) == 1
    press(page, "Really forget everything?")
    wait_to_hear(page, "All is as at the beginning.")
    page.wait.until(lambda _: rows(page, "link_tokens") == rows(page, "requests") == [])
    assert sandbox.requests == []


def test_it_makes_a_link_token_to_try(page: "Person", sandbox: Sandbox) -> None:
    here = page.driver.current_window_handle
    page.click("#link")
    assert "ready" in wait_for(page, "link_tokens", "hris, ats")
    (opened,) = set(page.driver.window_handles) - {here}
    page.driver.switch_to.window(opened)
    try:
        page.see("choose")
        url = page.driver.current_url
    finally:
        page.driver.close()
        page.driver.switch_to.window(here)
    assert url.startswith(f"{sandbox.url}/link/")
    sandbox.complete_magic_link(url, "greenhouse")
    assert "hris" not in wait_for(page, "linked_accounts", "Greenhouse")


def test_texts_from_outside_stay_texts(page: "Person", sandbox: Sandbox) -> None:
    hostile = {
        **FIELDS,
        "end_user_organization_name": HOSTILE,
        "end_user_origin_id": HOSTILE,
        "should_create_magic_link_url": True,
    }
    with sandbox.client() as client:
        token = client.create_link_token(**hostile).link_token
        assert HOSTILE in wait_for(page, "link_tokens", "ready")
        sandbox.complete_link(token, "greenhouse")
        assert HOSTILE in wait_for(page, "linked_accounts", "Greenhouse")
        sandbox.emit(HOSTILE)
        assert HOSTILE in wait_for(page, "deliveries", "onerror")
    assert page.run("return typeof hacked") == "undefined"
    assert page.run("return document.querySelectorAll('main img, main script').length") == 0


def test_a_sandbox_that_ended_is_told(page: "Person", sandbox: Sandbox) -> None:
    page.expect("ERR_CONNECTION")
    sandbox.close()
    page.until("document.body.classList.contains('gone')")
    assert "does not answer" in page.run("return document.querySelector('#state').innerText")


def test_the_keyboard_reaches_all_and_keeps_its_place(page: "Person", sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        sandbox.complete_link(client.create_link_token(**FIELDS).link_token, "greenhouse")
        wait_for(page, "linked_accounts", "Greenhouse")
        page.run("document.activeElement.blur()")
        reached = []
        for _ in range(15):
            page.press(Keys.TAB)
            reached.append(page.run(NAME))
        assert reached[0] == "Show credentials"
        assert "Link an account" in reached
        assert "Reset everything" in reached
        assert reached[-2:] == ["Greenhouse of Acme needs relinking", "Copy account token"]
        # A new row comes above, and the focus stays.
        sandbox.complete_link(
            client.create_link_token(**{**FIELDS, "end_user_origin_id": "b"}).link_token, "lever"
        )
        wait_for(page, "linked_accounts", "Lever")
        assert page.run(NAME) == "Copy account token"
        page.run("document.querySelector('[data-command=fail]').focus()")
        page.press(Keys.ENTER)
        wait_to_hear(page, "The next request is answered 429.")


@pytest.mark.parametrize("width", [320, 390, 920, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_width_and_can_be_read(
    page: "Person", sandbox: Sandbox, width: int, scheme: str
) -> None:
    page.resize(width, 800, phone=width < 500)
    page.prefer(color_scheme=scheme)
    with sandbox.client() as client:
        token = client.create_link_token(
            **{**FIELDS, "end_user_organization_name": "W" * 100}
        ).link_token
        sandbox.complete_link(token, "greenhouse")
        client.create_link_token(**{**FIELDS, "end_user_origin_id": "x" * 100})
    wait_for(page, "linked_accounts", "Greenhouse")
    press(page, "Show credentials")
    assert page.run("return document.documentElement.scrollWidth") <= width
    assert page.run(CONTRASTS) == []
    assert page.run(SMALL_TARGETS) == []


# Texts whose contrast with what lies under them is less than WCAG's 4.5.
CONTRASTS = """
document.getAnimations().forEach(one => one.finish());
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const channels = (...layers) => {
    canvas.fillStyle = '#fff';
    canvas.fillRect(0, 0, 1, 1);
    for (const layer of layers) { canvas.fillStyle = layer; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const light = rgb => rgb.map(one => one / 255)
    .map(one => one <= .03928 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4)
    .reduce((sum, one, index) => sum + one * [.2126, .7152, .0722][index], 0);
const ground = one =>
    one ? [...ground(one.parentElement), getComputedStyle(one).backgroundColor] : [];
return [...document.querySelectorAll('body *')]
    .filter(one => one.checkVisibility() && [...one.childNodes]
        .some(child => child.nodeType === Node.TEXT_NODE && child.data.trim()))
    .filter(one => {
        const under = ground(one);
        const [dark, bright] = [light(channels(...under)),
            light(channels(...under, getComputedStyle(one).color))].sort((a, b) => a - b);
        return (bright + .05) / (dark + .05) < 4.5;
    })
    .map(one => one.textContent);
"""
# WCAG wants 24 by 24 at least.
SMALL_TARGETS = """
return [...document.querySelectorAll('button, a')].filter(one => one.checkVisibility())
    .filter(one => Math.min(one.offsetHeight, one.offsetWidth) < 24)
    .map(one => one.textContent);
"""
