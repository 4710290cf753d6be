"""What axe-core and a ruler find in each step of the page, in light and dark."""

from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.keys import Keys

from app_page import App
from merge_link.sandbox import Sandbox

if TYPE_CHECKING:
    from conftest import Person

pytestmark = pytest.mark.browser

Order = Callable[..., Any]
AXE = files("axe_core_python").joinpath("axe.min.js").read_text()

# The contrast of each text with what is behind it. A canvas turns any colour into red, green, blue.
CONTRASTS = """
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const mix = (colours) => {
  canvas.clearRect(0, 0, 1, 1);
  for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const light = (colour) => {
  const [r, g, b] = colour.map((part) => part / 255)
    .map((part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b + .05;
};
const found = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!(own || element.placeholder) || !element.getClientRects().length) continue;
  const behind = [];
  for (let one = element; one; one = one.parentElement) {
    behind.unshift(getComputedStyle(one).backgroundColor);
  }
  const style = getComputedStyle(element, element.placeholder ? "::placeholder" : null);
  const ground = light(mix(behind)), text = light(mix([...behind, style.color]));
  found.push([Math.max(ground, text) / Math.min(ground, text), element.textContent || element.id]);
}
return found;
"""


def violations(person: "Person") -> Any:
    person.run(AXE)
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
    result = person.run("return axe.run(document, arguments[0])", options)
    assert result["passes"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in result["violations"]]


def check(person: "Person", step: str) -> None:
    person.see(step)
    assert violations(person) == []
    contrasts = person.run(CONTRASTS)
    assert contrasts
    assert [one for one in contrasts if not 4.5 <= one[0] < 21] == []
    headings = person.run(
        "return [...document.querySelectorAll('h1')].filter((one) => one.offsetParent).length"
    )
    assert headings == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_step_of_the_page(
    person: "Person", sandbox: Sandbox, order: Order, scheme: str
) -> None:
    person.prefer(color_scheme=scheme)
    url = order(categories=["ats", "hris", "crm"])["magic_link_url"]
    person.go(url)
    check(person, "choose")
    person.fill("#search", "nothing like it")
    check(person, "choose")
    person.press(Keys.ESCAPE)
    person.choose("Lever")
    check(person, "sign-in")
    person.sign_in(password="wrong")
    check(person, "sign-in")
    person.click("#cancel")
    check(person, "cancelled")
    person.click("#again")
    person.choose("Lever")
    person.sign_in()
    check(person, "done")
    person.go(url)
    check(person, "used")
    person.go(url + "x")
    check(person, "unknown")
    url = order()["magic_link_url"]
    sandbox.advance(minutes=30)
    person.go(url)
    check(person, "expired")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dialog(person: "Person", app: App, order: Order, scheme: str) -> None:
    person.prefer(color_scheme=scheme)
    person.go(app.url)
    person.initialize(order()["link_token"])
    person.hear("onReady")
    person.click("#connect")
    with person.in_dialog():
        check(person, "choose")
        scheme_inside = "matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'"
        assert person.run(f"return {scheme_inside}") == scheme
        person.choose("Greenhouse")
        check(person, "sign-in")
        person.sign_in()
        check(person, "done")


def test_without_forced_motion_nothing_moves(person: "Person", order: Order) -> None:
    person.go(order()["magic_link_url"])
    person.see("choose")
    assert person.run("return document.getAnimations().length") == 0


def test_tiles_are_not_read_out_and_buttons_have_names(person: "Person", order: Order) -> None:
    person.go(order()["magic_link_url"])
    person.see("choose")
    names = [one.accessible_name for one in person.integrations()]
    assert "Greenhouse" in names
    assert names == person.names()
    assert person.find("#search").accessible_name == "Search integrations"
    person.choose("Lever")
    assert person.find("#user").accessible_name == "User name"
    assert person.find("#password").accessible_name == "Password"
    assert person.find("#back").accessible_name == "Back to all integrations"
    assert person.find("#credentials").accessible_name == "Sign in to Lever"
