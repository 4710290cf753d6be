"""What a notebook shows of results, errors and clients, and what the saved file then holds."""

import copy
import json
import os
import pickle
import re
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import merge_link
from isolation import run_script
from merge_link import Client, LinkToken, Outcomes, _cards
from merge_link.errors import FieldProblem
from merge_link.sandbox import Sandbox
from samples import FIELDS, KEY, TOKEN
from scripted import Server, answer, token_answer

MAGIC = "https://link.merge.dev/MagicMagicMagic1234"
EXPIRES = datetime(2026, 8, 1, 14, 5, tzinfo=UTC)
ROOT = Path(__file__).resolve().parent.parent

HOSTILE = {
    "a script": "</td></table><script>alert(1)</script>",
    "an attribute": "\"'><img src=x onerror=alert(1)>",
    "the end of a style": "</style></div><style>*{display:none}</style>",
    "an entity": "&lt;b&gt; &amp;",
    "marks of direction": "abc\u202egpj.exe\u2066\u200f",
    "controls": "a\0b\x1b[31m\x7f",
    "a lone surrogate": "a\ud800b",
}
# Every element and attribute that a card may have.
SHAPE = {
    **{
        tag: set() for tag in ["table", "thead", "tbody", "tr", "td", "strong", "bdi", "p", "style"]
    },
    **{"div": {"class", "data-lm-suppress-shortcuts"}, "th": {"scope"}, "small": {"role"}},
    **{"time": {"datetime"}, "code": {"dir"}, "a": {"href", "target", "rel"}},
    "button": {"type", "hidden", "aria-label", "onclick"},
}


class Card(HTMLParser):
    """Takes a card apart, and refuses one that is not well-formed or has what no card has."""

    def __init__(self, shown: Any) -> None:
        super().__init__()
        self.html = shown if isinstance(shown, str) else shown._repr_html_()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self.attributes: dict[str, list[dict[str, str | None]]] = {}
        self.feed(self.html)
        self.close()
        assert self.open == []
        self.html.encode()  # no lone surrogates

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        assert found.keys() <= SHAPE[tag]
        self.attributes.setdefault(tag, []).append(found)
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.texts.append(data)
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def values(self) -> dict[str, str]:
        return {row[0]: row[1] for row in self.rows}


def token(**fields: Any) -> LinkToken:
    return LinkToken(**{"link_token": TOKEN, "expires_at": EXPIRES, **fields})


@pytest.fixture
def made(sandbox: Sandbox) -> LinkToken:
    with sandbox.client() as client:
        return client.create_link_token(
            **FIELDS, integration="lever", should_create_magic_link_url=True
        )


# ---- results ----


def test_a_token_is_a_masked_table_of_its_fields(made: LinkToken) -> None:
    card = Card(made)
    assert card.text.startswith("LinkToken masked; reveal() shows it")
    assert [row[0] for row in card.rows] == list(LinkToken.__annotations__)
    assert card.values["link_token"] == card.values["magic_link_url"] == "********"
    assert card.values["integration_name"] == "Lever"
    assert made.link_token not in card.html
    assert made.magic_link_url not in card.html


def test_nothing_in_a_card_is_a_button_or_a_script_until_it_is_revealed(made: LinkToken) -> None:
    for shown in (made, made.response, made.response.headers, made.response.timing):
        assert not {"button", "a"} & Card(shown).attributes.keys()


def test_the_table_has_headings_and_its_rows_are_named(made: LinkToken) -> None:
    assert {heading["scope"] for heading in Card(made).attributes["th"]} == {"row"}


def test_a_response_and_its_parts_say_units_and_names(made: LinkToken) -> None:
    values = Card(made.response).values
    assert values["status_code"] == "200"
    assert values["request_id"] == made.response.request_id
    assert values["headers"] == ", ".join(made.response.headers)
    assert re.search(r"name_lookup [\d.]+ ms, .*total [\d.]+ ms", values["timing"])
    assert Card(made.response.timing).values["tls"] == "0 ms"
    assert values["headers"] in Card(made.response.headers).text
    attempt = merge_link.Attempt(
        **{
            "method": "POST",
            "host": "h",
            "path": "/p",
            "url": "http://h/p",
            "number": 1,
            "status_code": None,
        },
        **{"code": "CURLE_OK", "seconds": 1.5, "retry_in": 100.0},
    )
    values = Card(attempt).values
    assert (values["seconds"], values["retry_in"]) == ("1.5 s", "100 s")
    assert values["status_code"] == "None"


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_server_says_is_text(value: str) -> None:
    seen = value if value.isprintable() else ascii(value)[1:-1]
    for card in (
        Card(token(integration_name=value)),
        Card(token(integration_name=value, magic_link_url=value).reveal()),
        Card(merge_link.Headers(f"X{value}: a".encode("latin-1", "replace"))),
        Card(merge_link.APIError(value, status_code=500, detail=value, request_id=value)),
        Card(merge_link.BadRequestError("a", field_errors={value: [value]})),
        Card(merge_link.ValidationError("a", errors=(FieldProblem(field=value, message=value),))),
        Card(merge_link.TransportError(value, code=value)),
    ):
        assert seen in card.text or card.text.startswith("Headers")
        assert not re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069\0\x1b]", card.html)
    assert Card(token(integration_name=value)).values["integration_name"] == seen


def test_what_is_very_long_is_cut_and_says_so() -> None:
    card = Card(token(integration_name="<" * 100_000))
    assert card.values["integration_name"] == "<" * 500 + " … and 99500 characters more"
    many = tuple(FieldProblem(field=f"a[{i}]", message="b") for i in range(1000))
    card = Card(merge_link.ValidationError("", errors=many))
    assert len(card.rows) == 51
    assert "… and 950 more" in card.text


def test_a_class_of_ones_own_is_shown_as_well() -> None:
    class Mine(LinkToken):
        pass

    assert Mine(link_token=TOKEN, expires_at=EXPIRES).reveal() is not None
    assert TOKEN not in Card(Mine(link_token=TOKEN, expires_at=EXPIRES)).html


# ---- times ----

SHOWN = [
    (timedelta(minutes=29, seconds=59), "29 min left when shown, at 13:35 UTC"),
    (timedelta(minutes=118), "1 h 58 min left when shown, at 12:07 UTC"),
    (timedelta(hours=47), "47 h 0 min left when shown, at 2026-07-30 15:05 UTC"),
    (timedelta(days=7), "7 days 0 h left when shown, at 2026-07-25 14:05 UTC"),
    (timedelta(seconds=59), "less than a minute left when shown, at 14:04 UTC"),
    (timedelta(0), "expired when shown, at 14:05 UTC"),
    (timedelta(days=-1), "expired when shown, at 2026-08-02 14:05 UTC"),
]


@pytest.mark.parametrize(("left", "said"), SHOWN, ids=[said for _, said in SHOWN])
def test_the_time_left_is_as_of_when_it_was_shown(left: timedelta, said: str) -> None:
    html = _cards._moment(EXPIRES, EXPIRES - left)
    assert re.sub("<[^>]*>", "", html) == f"2026-08-01 14:05 UTC {said}"
    assert 'datetime="2026-08-01T14:05:00+00:00"' in html


def test_the_time_is_utc_whatever_the_zone() -> None:
    there = EXPIRES.astimezone(timezone(timedelta(hours=-11)))
    assert "2026-08-01 14:05 UTC" in Card(token(expires_at=there)).values["expires_at"]


def test_a_new_token_shows_its_minutes(made: LinkToken) -> None:
    shown = Card(made).values["expires_at"]
    assert shown.startswith(f"{made.expires_at:%Y-%m-%d %H:%M} UTC ")
    assert re.search(r" (29|30) min left when shown, at ", shown)


# ---- errors ----


def refusal(**changes: Any) -> merge_link.MergeLinkError:
    with pytest.raises(merge_link.MergeLinkError) as caught, Client(api_key=KEY) as client:
        client.create_link_token(**{**FIELDS, **changes})
    return caught.value


def test_a_validation_error_is_a_table_of_its_problems() -> None:
    error = refusal(categories=["atss"], link_expiry_mins=9999)
    card = Card(error)
    assert card.rows == [
        ["field", "problem"],
        *([problem.field, problem.message] for problem in error.errors),
    ]
    assert {heading["scope"] for heading in card.attributes["th"]} == {"row", "col"}
    assert str(error) not in card.text


def test_an_api_error_says_status_detail_request_id_and_fields(
    sandbox: Sandbox, serve: Callable[..., Server]
) -> None:
    with sandbox.client() as client, pytest.raises(merge_link.AuthenticationError) as denied:
        client.create_link_token(**FIELDS, api_key="test_wrong")
    values = Card(denied.value).values
    assert values == {
        "status_code": "401",
        "detail": denied.value.detail,
        "request_id": denied.value.request_id,
        "attempts": "1",
    }
    assert str(denied.value) in Card(denied.value).text
    fields = {"categories": ["Not <one>.", "No."], "common_models": [{"model_id": ["Unknown."]}]}
    server = serve(answer(400, fields))
    with server.client() as client, pytest.raises(merge_link.BadRequestError) as bad:
        client.create_link_token(**FIELDS)
    assert Card(bad.value).rows[-4:] == [
        ["field", "problem"],
        ["categories", "Not <one>."],
        ["categories", "No."],
        ["common_models[0].model_id", "Unknown."],
    ]


def test_a_transport_error_says_code_and_attempts() -> None:
    error = merge_link.RequestTimeoutError(
        "too slow", code="CURLE_OPERATION_TIMEDOUT", attempts=2, may_have_arrived=True
    )
    card = Card(error)
    assert card.text.startswith("RequestTimeoutError too slow")
    assert card.values == {
        "code": "CURLE_OPERATION_TIMEDOUT",
        "attempts": "2",
        "may_have_arrived": "True",
    }


def test_every_error_has_a_card_with_its_notes() -> None:
    for name in merge_link.__all__:
        kind = getattr(merge_link, name)
        if isinstance(kind, type) and issubclass(kind, merge_link.MergeLinkError):
            error = kind("what went <wrong>")
            error.add_note("what to try")
            assert Card(error).text.startswith(f"{name} what went <wrong>what to try")
    assert Card(merge_link.MergeLinkError()).text.strip() == "MergeLinkError"


# ---- a client ----


@pytest.mark.parametrize("option", [{"region": "eu"}, {"base_url": "http://127.0.0.1:9/api"}])
def test_a_client_shows_where_it_calls_and_no_key(option: dict[str, str]) -> None:
    client = Client(api_key=KEY, account_token="acct_314159", **option)
    card = Card(client)
    assert card.values["base_url"] == client.base_url
    assert card.values["region"] == str(option.get("region"))
    assert (card.values["timeout"], card.values["closed"]) == ("30 s", "False")
    client.close()
    assert Card(client).values["closed"] == "True"
    for secret in (KEY, "acct_314159"):
        assert secret not in card.html


# ---- many ----


def outcomes_of(sandbox: Sandbox, *rows: Any, **defaults: Any) -> Outcomes:
    with sandbox.client() as client:
        return client.create_link_tokens(rows, ordered=True, **defaults).collect()


def test_a_list_of_outcomes_is_a_table_of_its_first_rows(sandbox: Sandbox) -> None:
    outcomes = outcomes_of(sandbox, *[FIELDS] * 12, should_create_magic_link_url=True)
    card = Card(outcomes)
    assert card.text.startswith("Outcomes 12 tokens")
    assert card.rows[0] == ["row", "end_user_origin_id", "outcome"]
    assert card.rows[1:] == [[str(row), "acme-42", "********"] for row in range(10)]
    assert card.text.endswith("… and 2 more")
    for token in outcomes.tokens:
        assert token.link_token not in card.html
        assert token.magic_link_url not in card.html


def test_errors_among_outcomes_are_counted_and_the_first_are_shown(sandbox: Sandbox) -> None:
    bad = {**FIELDS, "categories": ["<b>"], "api_key": KEY}
    rows = [bad, FIELDS, KEY, *[FIELDS] * 10, *[bad] * 12]
    card = Card(outcomes_of(sandbox, *rows))
    assert "11 tokens, 14 errors (13 ValidationError, 1 TypeError)" in card.text
    assert card.rows[1][:2] == ["0", "acme-42"]
    assert card.rows[1][2].startswith("ValidationError: categories[0] ")
    assert card.rows[2][2] == "********"
    assert card.rows[3][1:] == ["", "TypeError: a row must be a mapping of fields, not str"]
    assert "Errors further down" in card.text
    assert [row[0] for row in card.rows[12:]] == [str(row) for row in range(13, 23)]
    assert KEY not in card.html


def test_an_empty_list_of_outcomes_is_a_card_too() -> None:
    assert Card(Outcomes()).text.strip() == "Outcomes 0 tokens"


def test_an_outcome_shows_its_row_and_what_came_of_it(sandbox: Sandbox) -> None:
    row = {**FIELDS, "extra_headers": {"X-Secret": KEY}}
    good, bad = outcomes_of(sandbox, row, {**row, "categories": []})
    card = Card(good)
    assert card.values["index"] == "0"
    assert "'end_user_origin_id': 'acme-42'" in card.values["request"]
    assert "link_token ********" in card.values["token"]
    assert Card(bad).values["error"].startswith("ValidationError: categories")
    for one in (good, bad):
        assert KEY not in Card(one).html
        assert good.token.link_token not in Card(one).html


def test_a_run_shows_its_summary(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        run = client.create_link_tokens([FIELDS, {}])
        run.collect()
    values = Card(run).values
    assert (values["done"], values["failed"]) == ("2", "1")
    assert values["errors"] == "ValidationError 1"
    assert re.search(r"p50 [\d.]+ ms, p95 ", values["latency"])


# ---- reveal ----


def test_a_revealed_token_is_there_with_a_button_and_a_warning() -> None:
    card = Card(token(magic_link_url=MAGIC).reveal())
    assert "saved with the notebook" in card.text
    assert TOKEN in card.values["link_token"]
    assert MAGIC in card.values["magic_link_url"]
    assert card.attributes["a"] == [
        {"href": MAGIC, "target": "_blank", "rel": "noopener noreferrer"}
    ]
    labels = [button["aria-label"] for button in card.attributes["button"]]
    assert labels == ["Copy link_token", "Copy magic_link_url"]


def test_without_a_magic_link_there_is_none_to_copy() -> None:
    card = Card(token().reveal())
    assert len(card.attributes["button"]) == 1
    assert card.values["magic_link_url"] == "None"


@pytest.mark.parametrize(
    "url",
    [
        *(
            "javascript:alert(1)",
            "JavaScript:alert(1)//https://",
            "data:text/html,x",
            "//x.example",
        ),
        *("http://127.0.0.1:80/link/a", " https://x.example", "https:x.example", "vbscript:x"),
        *("https://x.example/\n", "https://x.example/\u202e", "", '"https://x.example'),
    ],
)
def test_only_https_becomes_a_link(url: str) -> None:
    assert "a" not in Card(token(magic_link_url=url).reveal()).attributes


def test_the_link_is_the_one_that_is_shown() -> None:
    url = "https://x.example/a?b=1&amp=2&c='\"><b>"
    card = Card(token(magic_link_url=url).reveal())
    assert card.attributes["a"][0]["href"] == url
    assert url in card.values["magic_link_url"]


def test_what_cannot_be_shown_as_it_is_cannot_be_copied_from_the_page() -> None:
    card = Card(token(link_token="a\0b\u202e").reveal())
    assert r"a\x00b\u202e" in card.values["link_token"]
    assert "button" not in card.attributes


def test_a_revealed_token_is_masked_everywhere_but_in_html() -> None:
    revealed = token(magic_link_url=MAGIC).reveal()
    texts = [repr(revealed), str(revealed), f"{revealed}", repr([revealed]), ascii(revealed)]
    texts += [repr(getattr(revealed, name)) for name in dir(revealed)]
    for text in texts:
        assert TOKEN not in text.replace(revealed._repr_html_(), "")
        assert MAGIC not in text
    assert repr(revealed) == "<LinkToken revealed, in notebooks only; masked in text>"


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_what_reveal_returns_can_be_neither_pickled_nor_copied(way: Any) -> None:
    with pytest.raises(TypeError, match="neither pickled nor copied: take the LinkToken itself"):
        way(token().reveal())


def test_revealing_leaves_the_token_masked() -> None:
    shown = token()
    shown.reveal()._repr_html_()
    assert TOKEN not in shown._repr_html_()
    assert replace(shown) == shown


def test_an_error_while_it_is_drawn_shows_no_credential() -> None:
    # A time that has no equal in UTC.
    late = datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))
    with pytest.raises(OverflowError) as caught:
        token(magic_link_url=MAGIC, expires_at=late).reveal()._repr_html_()
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    told.stack = traceback.StackSummary.from_list(
        [frame for frame in told.stack if "merge_link" in frame.filename]
    )
    text = "".join(told.format())
    assert "_rows_of" in text
    assert TOKEN not in text
    assert MAGIC not in text


# ---- colours ----

# Text and background of the themes that most people have.
THEMES = {
    "Jupyter, light": ((33, 33, 33), (255, 255, 255)),
    "Jupyter, dark": ((255, 255, 255), (17, 17, 17)),
    "VS Code, light": ((59, 59, 59), (255, 255, 255)),
    "VS Code, dark": ((204, 204, 204), (31, 31, 31)),
    "a bare page": ((0, 0, 0), (255, 255, 255)),
}


def mix(colour: tuple[int, ...], part: float, ground: tuple[int, ...]) -> tuple[int, ...]:
    pairs = zip(colour, ground, strict=True)
    return tuple(round(part * one + (1 - part) * other) for one, other in pairs)


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return the ratio that WCAG 2 defines."""

    def luminance(colour: tuple[int, ...]) -> float:
        parts = [part / 255 for part in colour]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_colours_can_be_told_apart_in_light_and_in_dark(theme: str) -> None:
    text, ground = THEMES[theme]
    assert contrast(mix(text, _cards.QUIET, ground), ground) >= 4.5
    for colour in (*_cards.ACCENTS.values(), _cards.CONTROL):
        assert contrast(tuple(bytes.fromhex(colour[1:])), ground) >= 3, colour


def test_a_card_brings_nothing_from_elsewhere_and_styles_only_itself() -> None:
    html = token(magic_link_url=MAGIC).reveal()._repr_html_()
    style = html.partition("<style>")[2].partition("</style>")[0]
    selectors = [part.rpartition("}")[2] for part in style.split("{")[:-1]]
    assert len(selectors) > 10
    for selector in ",".join(selectors).split(","):
        assert selector.strip().startswith(".merge-link-card")
    assert not re.search(r"url\(|@import|src=|<link|http://", html)


# ---- a real notebook ----

CELLS = {
    "setting up": "import merge_link; from IPython.display import display\n"
    f"fields = {FIELDS!r}; client = merge_link.Client()",
    "token": "token = client.create_link_token(**fields)\ntoken",
    "printed": "print(token, [token], token.response)\ntoken.response",
    "client": "client",
    "verbose": "%xmode Verbose",
    "raised": "def refused(client, token, revealed):\n"
    "    return client.create_link_token(**fields)\n"
    "refused(client, token, token.reveal())",
    "caught": "try:\n    client.create_link_token(**fields)\n"
    "except merge_link.MergeLinkError as error:\n    display(error)",
    "invalid": "client.create_link_token(**{**fields, 'categories': ['atss']})",
    "fails beside it": "def fails(token, revealed):\n    1 / 0\nfails(token, token.reveal())",
    "completions": "from IPython.core.completer import provisionalcompleter\n"
    "headers, shell = token.response.headers, get_ipython()\n"
    "with provisionalcompleter():\n"
    "    print(*(one.text for one in shell.Completer.completions('token.', 6)))\n"
    "print(shell.complete(None, 'headers[\"X', 10)[1])",
    "help": "print(get_ipython().object_inspect_text('token'))",
    "text of revealed": "print(token.reveal())",
    "revealed": "token.reveal()",
}


@pytest.fixture(scope="module")
def saved() -> dict[str, str]:
    """What the saved file holds for each cell."""
    said = "X-Request-Id: r-1"
    refusal = answer(400, {"detail": f"{KEY} is wrong", "categories": [TOKEN[:3]]}, said)
    answers = (token_answer(said, magic_link_url=MAGIC), refusal, refusal)
    with Server(*answers) as server:
        environment = {"MERGE_API_KEY": KEY, "MERGE_BASE_URL": server.base_url}
        cells = json.dumps([*CELLS.values()])
        notebook = json.loads(run_script("notebook_file.py", cells, environment=environment))
    return {
        name: json.dumps(cell["outputs"], ensure_ascii=False)
        for name, cell in zip(CELLS, notebook["cells"], strict=True)
    }


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell != "revealed"])
def test_a_saved_notebook_holds_no_secret(saved: dict[str, str], cell: str) -> None:
    for secret in (KEY, TOKEN, MAGIC):
        assert secret not in saved[cell]


def test_a_saved_notebook_holds_the_credentials_once_revealed(saved: dict[str, str]) -> None:
    output = saved["revealed"]
    assert TOKEN in output
    assert MAGIC in output
    assert KEY not in output
    plain = json.loads(output)[0]["data"]["text/plain"]
    assert "masked" in "".join(plain)


def test_a_notebook_shows_cards(saved: dict[str, str]) -> None:
    for cell in ("token", "printed", "client", "caught", "revealed"):
        assert "merge-link-card" in saved[cell], cell
    assert "LinkToken(link_token='********'" in saved["token"]
    assert "r-1" in saved["printed"]


def test_a_raised_error_is_a_traceback_that_says_it_all(saved: dict[str, str]) -> None:
    for cell, name in {"raised": "BadRequestError", "invalid": "ValidationError"}.items():
        (output,) = json.loads(saved[cell])
        assert output["output_type"] == "error"
        assert output["ename"] == name
        assert output["evalue"]
    # Verbose: the arguments are there.
    assert "LinkToken(link_token='********'" in saved["raised"]
    assert "<LinkToken revealed, in notebooks only" in saved["raised"]
    assert "ZeroDivisionError" in saved["fails beside it"]


def test_completion_and_help_know_a_token(saved: dict[str, str]) -> None:
    for name in ("link_token", "expires_at", "response", "extra", "reveal", "is_expired"):
        assert re.search(rf"\b{name}\b", saved["completions"]), name
    assert "['X-Request-Id']" in saved["completions"]
    assert "what Merge Link opens with" in saved["help"]


def run_example(name: str) -> list[Any]:
    """Run a notebook, which is kept without outputs; return these: none is an error."""
    path = ROOT / "examples" / name
    kept = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in kept] == [[]] * len(kept)
    assert [cell["execution_count"] for cell in kept] == [None] * len(kept)
    # tqdm's lock between processes is nobody's to clean up when the kernel is ended.
    quiet = {"PYTHONWARNINGS": "ignore:resource_tracker:UserWarning"}
    ran = json.loads(run_script("notebook_file.py", str(path), environment=quiet))["cells"]
    outputs = [output for cell in ran for output in cell.get("outputs", [])]
    assert "error" not in [output["output_type"] for output in outputs]
    return outputs


def titles_of(outputs: list[Any]) -> list[str]:
    html = ["".join(output.get("data", {}).get("text/html", "")) for output in outputs]
    return re.findall("merge-link-card.*?<strong>(.*?)</strong>", " ".join(html), re.DOTALL)


def test_the_example_of_a_token_runs() -> None:
    assert titles_of(run_example("link_token.ipynb")) == [
        *("Client", "LinkToken", "LinkToken, revealed", "ValidationError")
    ]


@pytest.mark.skipif(
    "MERGE_LINK_TEST_ASAN" in os.environ,
    reason="matplotlib's C++ exceptions end a process under a preloaded AddressSanitizer",
)
def test_the_example_of_many_runs_and_shows_bar_chart_and_no_link() -> None:
    outputs = run_example("onboarding.ipynb")
    assert titles_of(outputs) == ["Outcomes", "BulkSummary", "Outcomes"]
    said = json.dumps(outputs, ensure_ascii=False)
    assert "498 tokens, 2 errors (2 ValidationError)" in said
    assert "end_user_email_address is required" in said
    assert "500/500" in said
    assert "image/png" in said
    assert "/link/" not in said.replace(str(ROOT), "")
