"""The cards of notebooks in a real browser: what they look like, and that their buttons copy."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.keys import Keys

import merge_link
from merge_link import Client, LinkToken
from samples import KEY, TOKEN

if TYPE_CHECKING:
    from conftest import Person

pytestmark = pytest.mark.browser

MAGIC = "https://link.merge.dev/MagicMagicMagic1234"
EXPIRES = datetime(2026, 8, 1, 14, 5, tzinfo=UTC)
LIGHT = "color: rgba(0, 0, 0, .87); background: #fff"
DARK = "color: #ccc; background: #1f1f1f"
HOSTILE = "</td></table></style><img src=x onerror='hacked=1'><script>hacked=1</script>\u202e"


@pytest.fixture
def show(person: "Person", tmp_path: Path) -> Any:
    """Open a page of cards, with a field to paste into."""

    def open_page(*shown: Any, body: str = LIGHT) -> "Person":
        cards = "<p></p>".join(one._repr_html_() for one in shown)
        page = tmp_path / "page.html"
        page.write_text(
            f'<!DOCTYPE html><meta charset="utf-8"><body style="{body}">{cards}<textarea>'
        )
        person.go(page.as_uri())
        return person

    return open_page


def revealed(**fields: Any) -> Any:
    token = {"link_token": TOKEN, "magic_link_url": MAGIC, "expires_at": EXPIRES, **fields}
    return LinkToken(**token).reveal()


def everything() -> list[Any]:
    client = Client(api_key=KEY)
    client.close()
    problems = tuple(
        merge_link.FieldProblem(field=field, message=message)
        for field, message in (("categories[0]", "is wrong"), ("x" * 400, "y" * 400))
    )
    made = LinkToken(link_token=TOKEN, integration_name=HOSTILE, expires_at=EXPIRES)
    error = ValueError(HOSTILE + "v" * 600)
    outcomes = merge_link.Outcomes(
        merge_link.Outcome(
            index=number,
            request={"end_user_origin_id": HOSTILE + "o" * 300, HOSTILE: HOSTILE},
            **({"error": error} if number % 5 == 0 else {"token": made}),
        )
        for number in range(30)
    )
    return [
        outcomes,
        *outcomes[:2],
        made,
        revealed(integration_name="W" * 3000),
        merge_link.Headers(b"Date: x\r\n" * 3),
        client,
        merge_link.ValidationError("", errors=problems),
        merge_link.ServerError(HOSTILE, status_code=503, detail="z" * 3000, request_id=HOSTILE),
    ]


SAID = """
const said = document.querySelectorAll('[role=status]')[arguments[0]];
return new Promise(done => {
    const look = () => said.textContent ? done(said.textContent) : requestAnimationFrame(look);
    look();
});
"""


def pasted(person: "Person") -> Any:
    person.click("textarea")
    person.fill("textarea", Keys.CONTROL + "v")
    return person.run("return document.querySelector('textarea').value")


# ---- copying ----


def test_a_click_copies_the_token(show: Any) -> None:
    person = show(revealed())
    person.click("button[aria-label='Copy link_token']")
    assert person.run(SAID, 0) == "Copied"
    assert pasted(person) == TOKEN


def test_the_keyboard_reaches_the_buttons_and_copies_the_link(show: Any) -> None:
    person = show(revealed())
    person.press(Keys.TAB, Keys.TAB)
    label = "return document.activeElement.getAttribute('aria-label')"
    assert person.run(label) == "Copy magic_link_url"
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert person.run(outline) == "solid"
    person.press(Keys.ENTER)
    assert person.run(SAID, 1) == "Copied"
    assert pasted(person) == MAGIC


def test_each_of_two_cards_copies_its_own(show: Any) -> None:
    other = "x" * 40
    person = show(revealed(), revealed(link_token=other))
    person.run("document.querySelectorAll('[aria-label=\"Copy link_token\"]')[1].focus()")
    person.press(Keys.ENTER)
    assert person.run(SAID, 2) == "Copied"
    assert pasted(person) == other


@pytest.mark.parametrize("clipboard", ["undefined", "{writeText: () => Promise.reject()}"])
def test_without_the_clipboard_the_old_way_copies(show: Any, clipboard: str) -> None:
    person = show(revealed())
    person.run(f"Object.defineProperty(navigator, 'clipboard', {{value: {clipboard}}})")
    person.click("button")
    assert person.run(SAID, 0) == "Copied"
    assert pasted(person) == TOKEN


def test_where_nothing_may_be_copied_the_text_is_selected(show: Any) -> None:
    person = show(revealed())
    person.run(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
        "document.execCommand = () => false"
    )
    person.click("button")
    assert person.run(SAID, 0).startswith("Selected: press Ctrl+C")
    assert person.run("return getSelection().toString()") == TOKEN


def test_where_style_and_scripts_are_stripped_the_text_is_left_and_no_dead_button(
    show: Any,
) -> None:
    person = show(revealed())
    person.run(
        "document.querySelectorAll('style').forEach(style => style.remove());"
        "document.querySelectorAll('[onclick]').forEach(b => b.removeAttribute('onclick'))"
    )
    text = person.run("return document.querySelector('.merge-link-card').innerText")
    assert TOKEN in text
    assert "Copy" not in text


# ---- looks ----

# The lowest contrast of any text with what is behind it, opacity counted.
CONTRAST = """
const parse = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const over = (top, part, ground) =>
    top.slice(0, 3).map((c, i) => part * c + (1 - part) * ground[i]);
const alpha = colour => colour.length > 3 ? colour[3] : 1;
const light = colour => {
    const [r, g, b] = colour.map(c => c / 255)
        .map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b + .05;
};
let least = 99;
for (const element of document.querySelectorAll('.merge-link-card *')) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.getClientRects().length) continue;
    let ground = [255, 255, 255], opacity = 1;
    for (let chain = [], e = element; ; e = e.parentElement) {
        if (e) { chain.unshift(e); continue; }
        for (const one of chain) {
            const style = getComputedStyle(one), colour = parse(style.backgroundColor);
            ground = over(colour, alpha(colour), ground);
            opacity *= Number(style.opacity);
        }
        break;
    }
    const colour = parse(getComputedStyle(element).color);
    const text = light(over(colour, alpha(colour) * opacity, ground)), behind = light(ground);
    least = Math.min(least, Math.max(text, behind) / Math.min(text, behind));
}
return least;
"""


@pytest.mark.parametrize("body", [LIGHT, DARK], ids=["light", "dark"])
def test_all_text_can_be_read(show: Any, body: str) -> None:
    person = show(*everything(), body=body)
    assert 4.5 <= person.run(CONTRAST) < 21


@pytest.mark.parametrize("width", [320, 860])
def test_nothing_runs_out_of_its_card(show: Any, width: int) -> None:
    person = show(*everything(), body=f"width: {width}px")
    cards = "return [...document.querySelectorAll('.merge-link-card')].map("
    assert person.run(f"{cards}card => card.scrollWidth - card.clientWidth)") == [0] * len(
        everything()
    )
    assert max(person.run(f"{cards}card => card.offsetWidth)")) <= width


def test_hostile_text_does_nothing(show: Any) -> None:
    person = show(*everything())
    assert person.run("return typeof hacked") == "undefined"
    assert person.run("return document.querySelectorAll('img, script, iframe').length") == 0
    assert person.run("return performance.getEntriesByType('resource').length") == 0
    assert person.run("return document.querySelectorAll('.merge-link-card').length") == len(
        everything()
    )


def test_the_rest_of_the_page_is_left_as_it_is(show: Any) -> None:
    style = (
        "const style = getComputedStyle(document.querySelector('textarea'));"
        "return Object.fromEntries([...style].map(name => [name, style.getPropertyValue(name)]))"
    )
    alone = show().run(style)
    assert alone["display"] == "inline-block"
    assert show(*everything()).run(style) == alone
