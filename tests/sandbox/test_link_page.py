"""The Link page as the server gives it: statuses, headers, what its script is told.

What it does in a browser is in tests/browser/.
"""

import json
import re
import subprocess
import sys
import threading
from typing import Any

import pytest

from merge_link.sandbox import Sandbox
from plain_http import GOOD, PATIENCE, Answer, call

HOSTILE = "</script><script>alert(1)</script>\u2028\"'&<!--\U0001f600"


def page(sandbox: Sandbox, path: str, method: str = "GET") -> Answer:
    return call(sandbox, b"", method=method, path=path, headers={"Authorization": None})


def ask(sandbox: Sandbox, what: str, body: object, **headers: str | None) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return call(sandbox, body, path=f"/link/{what}", headers={"Authorization": None, **sent})


def order(sandbox: Sandbox, **fields: Any) -> Any:
    answer = call(sandbox, {**GOOD, "should_create_magic_link_url": True, **fields})
    assert answer.status == 200, answer.body
    return answer.json


def magic_path(sandbox: Sandbox, **fields: Any) -> str:
    url: str = order(sandbox, **fields)["magic_link_url"]
    return url.removeprefix(sandbox.url)


def code_of(path: str) -> str:
    return path.rpartition("/")[2]


def ticket(sandbox: Sandbox, magic: bool = False, **fields: Any) -> dict[str, str]:
    made = order(sandbox, **fields)
    if magic:
        return {"magic_link_code": code_of(made["magic_link_url"])}
    return {"link_token": made["link_token"]}


def step(answer: Answer) -> str:
    found = re.findall(rb'<body data-step="([\w-]+)">', answer.body)
    assert len(found) == 1
    return str(found[0].decode())


# ---- the page and its files ----


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_magic_link_opens_the_page(sandbox: Sandbox, method: str) -> None:
    path = magic_path(sandbox)
    answer = page(sandbox, path, method)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    whole = page(sandbox, path)
    assert int(answer.headers["Content-Length"]) == len(whole.body)
    assert answer.body == (whole.body if method == "GET" else b"")
    assert step(whole) == "loading"


def test_looking_at_a_magic_link_does_not_use_it_up(sandbox: Sandbox) -> None:
    path = magic_path(sandbox)
    for _ in range(3):
        assert page(sandbox, path).status == 200
        assert ask(sandbox, "session", {"magic_link_code": code_of(path)}).status == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/link/nonsense", "/link/" + "A" * 24, "/link/x/y", "/link/%00", "/link/%E2%82%AC"),
        *(
            "/link/../link/x",
            "/link/%ff",
            "/link/session/",
            "/link/link.html",
            "/link/initialize.js",
        ),
        *("/link/..%2Fassets.py", "/link/%2e%2e/link_page.py", "/link//etc/passwd"),
    ],
)
def test_any_other_link_is_not_known(sandbox: Sandbox, path: str) -> None:
    answer = page(sandbox, path)
    assert (answer.status, step(answer)) == (404, "unknown")


def test_a_link_that_was_used_or_has_expired_is_gone(sandbox: Sandbox) -> None:
    used, expired = magic_path(sandbox), magic_path(sandbox)
    done = ask(sandbox, "complete", {"magic_link_code": code_of(used), "integration": "greenhouse"})
    assert done.status == 200
    assert (page(sandbox, used).status, step(page(sandbox, used))) == (410, "used")
    sandbox.advance(seconds=30 * 60 - 5)
    assert page(sandbox, expired).status == 200
    sandbox.advance(seconds=5)
    assert (page(sandbox, expired).status, step(page(sandbox, expired))) == (410, "expired")
    assert page(sandbox, used, "HEAD").status == 410


def test_a_magic_link_is_not_opened_by_its_link_token(sandbox: Sandbox) -> None:
    made = order(sandbox)
    assert page(sandbox, "/link/" + made["link_token"]).status == 404
    code = code_of(made["magic_link_url"])
    assert ask(sandbox, "session", {"link_token": code}).status == 404


@pytest.mark.parametrize(
    "path", ["/initialize.jsx", "/initialize.js/", "/link", "/linked", "/Link/"]
)
def test_what_only_begins_alike_is_not_found(sandbox: Sandbox, path: str) -> None:
    assert page(sandbox, path).status == 404
    assert page(sandbox, path).json == {"detail": "Not found."}


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/link/", "text/html; charset=utf-8"),
        ("/link/theme.css", "text/css; charset=utf-8"),
        ("/link/link.css", "text/css; charset=utf-8"),
        ("/link/link.js", "text/javascript; charset=utf-8"),
        ("/link/icon.svg", "image/svg+xml"),
        ("/initialize.js", "text/javascript; charset=utf-8"),
    ],
)
def test_the_files_are_there(sandbox: Sandbox, path: str, media_type: str) -> None:
    answer = page(sandbox, path)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == media_type
    assert page(sandbox, path, "HEAD").status == 200
    assert answer.body.strip()


def test_the_page_names_no_address_but_its_own_files(sandbox: Sandbox) -> None:
    text = page(sandbox, "/link/").body.decode()
    addresses = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert addresses
    for address in addresses:
        assert page(sandbox, address).status == 200
    for path in ("/link/", "/link/link.css", "/link/link.js", "/initialize.js"):
        assert b"://" not in page(sandbox, path).body


def test_a_file_is_read_when_it_is_first_asked_for() -> None:
    script = (
        "from urllib.request import urlopen\n"
        "from merge_link.sandbox import Sandbox, assets\n"
        "read = assets.read_asset.cache_info\n"
        "with Sandbox() as sandbox:\n"
        "    print(read().currsize)\n"
        "    for _ in range(2):\n"
        "        urlopen(sandbox.url + '/initialize.js').close()\n"
        "    print(read().misses, read().hits)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "1", "1"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        *[("/link/", "GET, HEAD"), ("/initialize.js", "GET, HEAD"), ("/link/link.js", "GET, HEAD")],
        *[("/link/x", "GET, HEAD"), ("/link/session", "POST"), ("/link/complete", "POST")],
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_other_methods_are_not_allowed(
    sandbox: Sandbox, path: str, allowed: str, method: str
) -> None:
    answer = page(sandbox, path, method)
    if method in allowed.split(", "):
        assert answer.status != 405
    else:
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)


# ---- headers ----


def policy(answer: Answer) -> dict[str, str]:
    rules = answer.headers["Content-Security-Policy"].split("; ")
    return dict(rule.split(" ", 1) for rule in rules)


FILES = ["/link/link.js", "/link/theme.css", "/link/link.css"]
PATHS = ["/link/", "/link/nonsense", *FILES, "/initialize.js"]


@pytest.mark.parametrize("path", [*PATHS, "/link/session"])
def test_every_answer_has_the_strictest_headers(sandbox: Sandbox, path: str) -> None:
    answer = page(sandbox, path)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    rules = policy(answer)
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in str(rules)
    assert all(len(answer.headers.get_all(name, [])) == 1 for name in set(answer.headers))


def test_only_the_dialogs_page_may_be_framed(sandbox: Sandbox) -> None:
    assert policy(page(sandbox, "/link/"))["frame-ancestors"] == "http: https:"
    for path in (magic_path(sandbox), "/link/nonsense", "/link/link.js"):
        assert policy(page(sandbox, path))["frame-ancestors"] == "'none'"


def test_only_the_script_may_be_read_by_other_sites(sandbox: Sandbox) -> None:
    header = "Access-Control-Allow-Origin"
    assert page(sandbox, "/initialize.js").headers[header] == "*"
    for path in ("/link/", "/link/link.js", magic_path(sandbox)):
        assert header not in page(sandbox, path).headers
    for what in ("session", "complete"):
        assert header not in ask(sandbox, what, ticket(sandbox)).headers
        assert header not in page(sandbox, f"/link/{what}", "OPTIONS").headers


# ---- what the page's script is told ----


@pytest.mark.parametrize("magic", [True, False])
def test_a_session_tells_what_there_is_to_show(sandbox: Sandbox, magic: bool) -> None:
    told = ask(sandbox, "session", ticket(sandbox, magic, categories=["mktg"])).json
    names = [one["name"] for one in told.pop("integrations")]
    assert told == {"organization": "Acme", "integration": None, "may_choose": True}
    assert names == ["HubSpot", "Keap", "Mailchimp"]


def test_an_integration_comes_with_those_of_its_categories_that_are_asked_for(
    sandbox: Sandbox,
) -> None:
    told = ask(sandbox, "session", ticket(sandbox, categories=["ticketing", "crm"])).json
    by_slug = {one["slug"]: one for one in told["integrations"]}
    assert by_slug["hubspot"]["categories"] == ["ticketing", "crm"]
    assert by_slug["pipedrive"]["categories"] == ["crm"]
    assert re.fullmatch("#[0-9A-F]{6}", by_slug["hubspot"]["color"])
    assert "greenhouse" not in by_slug


@pytest.mark.parametrize(
    ("slug", "shown"),
    [("lever", "lever"), ("LEVER", "lever"), ("acme-hr", "acme-hr"), ("asana", "asana")],
)
def test_a_link_token_for_one_integration_offers_that_one(
    sandbox: Sandbox, slug: str, shown: str
) -> None:
    told = ask(sandbox, "session", ticket(sandbox, integration=slug)).json
    assert [one["slug"] for one in told["integrations"]] == [shown]
    assert (told["integration"], told["may_choose"]) == (shown, False)


@pytest.mark.parametrize("slug", ["lever", "acme-hr"])
def test_who_has_linked_before_begins_with_that_and_may_choose_another(
    sandbox: Sandbox, slug: str
) -> None:
    first = ticket(sandbox, integration=slug)
    assert ask(sandbox, "complete", {**first, "integration": slug}).status == 200
    told = ask(sandbox, "session", ticket(sandbox)).json
    assert (told["integration"], told["may_choose"]) == (slug, True)
    assert {slug, "greenhouse"} <= {one["slug"] for one in told["integrations"]}


@pytest.mark.parametrize("name", [HOSTILE[:100], "\u202e" + "x" * 99, "{{7*7}}$step"])
def test_a_hostile_organization_is_told_as_it_is_and_never_put_into_the_page(
    sandbox: Sandbox, name: str
) -> None:
    path = magic_path(sandbox, end_user_organization_name=name)
    answer = ask(sandbox, "session", {"magic_link_code": code_of(path)})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json["organization"] == name.strip()
    shown = page(sandbox, path)
    assert shown.body == page(sandbox, "/link/").body


def test_a_hostile_address_is_never_put_into_the_page(sandbox: Sandbox) -> None:
    known = page(sandbox, "/link/unknown").body
    assert page(sandbox, "/link/%3Cscript%3Ealert(1)%3C/script%3E").body == known


# ---- linking ----


def test_a_link_gives_a_public_token_that_is_exchanged_once(sandbox: Sandbox) -> None:
    body = {**ticket(sandbox), "integration": "greenhouse"}
    token = ask(sandbox, "complete", body).json["public_token"]
    answers = [
        call(sandbox, b"", method="GET", path=f"/api/ats/v1/account-token/{token}")
        for _ in range(2)
    ]
    assert [answer.status for answer in answers] == [200, 404]
    assert answers[0].json["integration"]["slug"] == "greenhouse"


def test_a_magic_link_gives_no_public_token(sandbox: Sandbox) -> None:
    body = {**ticket(sandbox, magic=True), "integration": "greenhouse"}
    assert ask(sandbox, "complete", body).json == {"public_token": None}
    listed = call(sandbox, b"", method="GET", path="/api/ats/v1/linked-accounts").json
    assert [one["integration"]["slug"] for one in listed["results"]] == ["greenhouse"]


@pytest.mark.parametrize("magic", [True, False])
@pytest.mark.parametrize("what", ["session", "complete"])
def test_a_token_that_is_used_expired_or_unknown_is_refused(
    sandbox: Sandbox, what: str, magic: bool
) -> None:
    used, expired = ({**ticket(sandbox, magic), "integration": "greenhouse"} for _ in range(2))
    assert ask(sandbox, "complete", used).status == 200
    unknown = {name: value + "x" for name, value in expired.items()}
    sandbox.advance(minutes=30)
    refusals = {"used": (used, 410), "expired": (expired, 410), "unknown": (unknown, 404)}
    for reason, (body, status) in refusals.items():
        answer = ask(sandbox, what, body)
        assert (answer.status, answer.json["reason"]) == (status, reason)
        assert answer.json["detail"]


@pytest.mark.parametrize(
    ("fields", "slug"),
    [
        ({}, "asana"),
        ({}, "acme-hr"),
        ({}, ""),
        ({"integration": "lever"}, "greenhouse"),
        ({"integration": "asana"}, "asana"),
    ],
)
def test_an_integration_that_is_not_offered_is_refused_and_the_token_stays_good(
    sandbox: Sandbox, fields: dict[str, str], slug: str
) -> None:
    mine = ticket(sandbox, **fields)
    answer = ask(sandbox, "complete", {**mine, "integration": slug})
    assert (answer.status, answer.json["reason"]) == (400, "integration")
    assert ask(sandbox, "session", mine).status == 200


def test_a_link_token_links_once_though_many_try_at_once(sandbox: Sandbox) -> None:
    body = {**ticket(sandbox), "integration": "greenhouse"}
    barrier = threading.Barrier(8)
    statuses: list[int] = []

    def work() -> None:
        barrier.wait(PATIENCE)
        statuses.append(ask(sandbox, "complete", body).status)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [410] * 7


# ---- what is asked wrongly, or by another site ----


@pytest.mark.parametrize("what", ["session", "complete"])
@pytest.mark.parametrize(
    "body",
    [
        *({}, [], "x", 5, None, b"{", b"", b"\xff", b"[" * 9999),
        *({"link_token": 5}, {"link_token": None}, {"link_token": ["x"]}, {"link_token": "\ud800"}),
        *({"magic_link_code": {}}, {"link_token": "x", "integration": 5}),
        {"link_token": "x", "integration": "\ud800"},
    ],
)
def test_a_body_that_is_no_good_is_refused(sandbox: Sandbox, what: str, body: object) -> None:
    answer = ask(sandbox, what, body)
    assert answer.status == 400
    assert answer.json["detail"]


@pytest.mark.parametrize("what", ["session", "complete"])
@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ],
)
def test_what_a_form_could_send_is_refused(
    sandbox: Sandbox, what: str, media_type: str | None
) -> None:
    for body in ({**ticket(sandbox), "integration": "greenhouse"}, b""):
        assert ask(sandbox, what, body, Content_Type=media_type).status == 415


@pytest.mark.parametrize("what", ["session", "complete"])
@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "same-origin"])
def test_only_the_own_page_may_ask(sandbox: Sandbox, what: str, site: str) -> None:
    body = {**ticket(sandbox), "integration": "greenhouse"}
    answer = ask(sandbox, what, body, Sec_Fetch_Site=site)
    assert answer.status == (200 if site == "same-origin" else 403)


def test_no_answer_repeats_a_credential(sandbox: Sandbox) -> None:
    secret = "S3CRET" * 6
    bodies = [
        {"link_token": secret},
        {"magic_link_code": secret},
        {"link_token": secret + "\u00e9"},
    ]
    for body in bodies:
        for what in ("session", "complete"):
            assert secret.encode() not in ask(sandbox, what, body).body
    assert secret.encode() not in page(sandbox, f"/link/{secret}").body


def test_a_session_holds_no_credential(sandbox: Sandbox) -> None:
    made = order(sandbox)
    told = ask(sandbox, "session", {"link_token": made["link_token"]}).json
    text = json.dumps(told)
    assert made["link_token"] not in text
    assert code_of(made["magic_link_url"]) not in text
    assert sandbox.api_key not in text
