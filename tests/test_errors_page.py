"""docs/errors.md is true: each mistake is made, and said to be what the page shows.

Under each heading stand the messages (``text`` blocks, as a traceback ends) of what `actions_of`
does, one for one, and perhaps a ``python`` block that handles the last of them. In a message ``…``
stands for anything.
"""

import datetime
import re
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

import merge_link
from merge_link import Client, webhooks
from merge_link.pytest_plugin import loopback_only
from samples import FIELDS, KEY
from scripted import Connection, Script, Server, answer, stay_silent, token_answer

PAGE = Path(__file__).parent.parent / "docs" / "errors.md"
TEXT = PAGE.read_text(encoding="utf-8")

Action = Callable[[], object]
Serve = Callable[..., Server]


# ---- the page ----


def sections() -> dict[str, str]:
    parts = re.split(r"^#{2,3} (.+)\n", TEXT, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def blocks(language: str, text: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


SECTIONS = sections()
SHOWN = {heading: blocks("text", text) for heading, text in SECTIONS.items()}


# ---- Merge, as far as a client can tell ----


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


class World:
    """What the situations need: servers, and clients that take one of them for api.merge.dev."""

    def __init__(self, serve: Serve, authority: trustme.CA, directory: Path) -> None:
        self.serve = serve
        self.authority = authority
        self.ca_file = str(directory / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)

    def merge(self, script: Script, **options: Any) -> Client:
        """Return a client of Merge's own host, for which a proxy stands in."""
        context = self.context("api.merge.dev")

        def tunnel(connection: Connection) -> None:
            connection.read_request()  # CONNECT
            connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
            connection.sock = context.wrap_socket(connection.sock, server_side=True)
            while (request := connection.read_request()) is not None:
                if callable(script):
                    script(connection, request)
                else:
                    connection.send(script)

        proxy = self.serve(raw=tunnel)
        own = {"api_key": KEY, "ca_bundle": self.ca_file, "error_budget": None}
        return Client(**{**own, "proxy": f"http://127.0.0.1:{proxy.port}", **options})

    def context(self, host: str, **dates: datetime.datetime) -> Any:
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(host, **dates).configure_cert(context)
        return context

    def tls(self, ca_file: str | None, **dates: datetime.datetime) -> Client:
        """Return a client of a server on loopback with such a certificate."""
        url = self.serve(tls=self.context("localhost", **dates)).base_url
        return Client(
            api_key=KEY, base_url=url.replace("127.0.0.1", "localhost"), ca_bundle=ca_file
        )


@pytest.fixture
def world(serve: Serve, authority: trustme.CA, tmp_path: Path) -> World:
    return World(serve, authority, tmp_path)


# ---- the situations ----

ID = "X-Request-Id: 8f2c41d0"
HTML = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body></html>"


def call(client: Client, **fields: Any) -> Action:
    return lambda: client.create_link_token(**{**FIELDS, **fields})


def answered(*script: Any, **options: Any) -> Callable[[World], Client]:
    return lambda world: world.merge(answer(*script), **options)


def client_with(**options: Any) -> Action:
    return lambda: Client(**options)


def with_environment(monkeypatch: pytest.MonkeyPatch) -> Action:
    def action() -> Client:
        with monkeypatch.context() as patch:
            patch.setenv("MERGE_API_KEY", f'"{KEY}"')
            return Client()

    return action


def held_back(world: World) -> Client:
    client = world.merge(answer(400), error_budget=(20, 10.0))
    for _ in range(20):
        with pytest.raises(merge_link.BadRequestError):
            client.create_link_token(**FIELDS)
    return client


def closed(world: World) -> Client:
    client = world.merge(token_answer())
    client.close()
    return client


def refused(world: World) -> Client:
    server = world.serve()
    server.close()
    return server.client()


THROTTLED = {"detail": "Request was throttled. Expected available in 60 seconds."}
NO_ACCOUNT = {"detail": "Account Token must be passed in as an X-Account-Token header."}
REFUSED = {
    "integration": ["No such integration."],
    "end_user_email_address": ["Enter a valid email address."],
}
LONG_AGO = {
    "not_before": datetime.datetime(2020, 1, 1),
    "not_after": datetime.datetime(2021, 1, 1),
}
# A client, with which a token is then asked for; or what to do.
OF_CLIENTS: dict[str, list[Callable[[World], Client]]] = {
    "A closed client": [closed],
    "401: a wrong API key": [answered(401, {"detail": "Invalid token."}, ID)],
    "401: Account Token must be passed in as an X-Account-Token header": [
        answered(401, NO_ACCOUNT, ID)
    ],
    "400: Merge refuses a field": [answered(400, REFUSED, ID)],
    "404: a wrong base URL or category": [answered(404, {"detail": "Not found."}, ID)],
    "429: too many requests": [answered(429, THROTTLED, ID, "Retry-After: 60")],
    "Held back: the error budget": [held_back],
    "500 and more: Merge has failed": [
        answered(500, {"detail": "A server error occurred."}, ID, "Retry-After: 0")
    ],
    "An HTML page with an error": [answered(502, HTML, max_retries=0)],
    "An HTML page instead of a token": [answered(200, HTML)],
    "An answer that is not what Merge promises": [
        answered(200, b'{"link_token": "abc'),
        answered(200, {}),
    ],
    "A redirect": [answered(302, b"", "Location: https://sso.example/")],
    "Nobody listens": [refused],
    "An unknown host": [lambda _: Client(api_key=KEY, base_url="https://api.merge.invalid/api")],
    "A certificate that has expired, or of an unknown authority": [
        lambda world: world.tls(world.ca_file, **LONG_AGO),
        lambda world: world.tls(None),
    ],
    "The timeout passed": [lambda world: world.merge(stay_silent, timeout=0.3)],
}
# The same, and a list is asked for.
OF_LISTS = {
    "An answer that is not what Merge promises": [
        answered(200, {"next": None, "previous": None, "results": [{"id": 1}]})
    ],
}


def in_a_test(client: Client) -> Action:
    def action() -> None:
        with loopback_only():
            client.create_link_token(**FIELDS)

    return action


def lost_then(after: bytes) -> Script:
    """Answer nothing to the first request, and so to all others."""
    lost: list[bytes] = []

    def script(connection: Connection, request: bytes) -> None:
        if lost:
            connection.send(after)
        else:
            lost.append(request)
            connection.close()

    return script


NOT_FOUND = answer(404, {"detail": "Not found."}, ID)
INVALID = answer(401, {"detail": "Invalid Account Token."}, ID)
CIRCLE = answer(200, {"next": "cD0z", "previous": None, "results": []})

PLAIN = {"base_url": "http://intranet.example/api"}


def actions_of(heading: str, world: World, monkeypatch: pytest.MonkeyPatch) -> list[Action]:
    if heading in OF_CLIENTS:
        lists = [make(world).linked_accounts for make in OF_LISTS.get(heading, [])]
        return [*(call(make(world)) for make in OF_CLIENTS[heading]), *lists]
    client = world.merge(token_answer())
    wrong = {"end_user_organization_name": None, "categories": ["atss"], "link_expiry_mins": 721}
    return {
        "No API key": [client_with()],
        "The API key has a line end": [client_with(api_key=f"{KEY}\n")],
        'The API key begins with "Bearer", or has quotes': [
            client_with(api_key=f"Bearer {KEY}"),
            with_environment(monkeypatch),
        ],
        "A key over plain http": [
            client_with(api_key=KEY, **PLAIN),
            client_with(api_key="production_key", **PLAIN, allow_http=True),
        ],
        "A wrong or missing field": [
            call(client, **wrong),
            call(client, categories="ats"),
            call(client, categories=["ats,hris"]),
        ],
        "A misspelt argument": [
            call(client, email="hr@acme.example"),
            call(client, region="eu"),
            call(client, brand_new=1),
        ],
        "A call out of a test": [in_a_test(client)],
        "No account token": [client.account_details],
        "A path that leads elsewhere": [
            partial(client.request, "GET", path)
            for path in ("ats/v1/jobs", "/ats/v1/jobs?page_size=1", "/ats/v1/../../hris")
        ],
        "401: Invalid Account Token": [
            world.merge(INVALID).for_account("a-token", category="hris").account_details
        ],
        "404: a public token that is used, too old or wrong": [
            partial(world.merge(NOT_FOUND).retrieve_account_token, "a-public-token"),
            partial(world.merge(lost_then(NOT_FOUND)).retrieve_account_token, "a-public-token"),
        ],
        "Pages in a circle": [lambda: list(world.merge(CIRCLE).linked_accounts())],
        "A webhook is refused": [
            lambda: webhooks.verify(b"{}", webhooks.sign(b"{}", "another"), KEY),
            lambda: webhooks.verify(b'{"a": 1}', webhooks.sign(b'{"a":1}', "a key"), "a key"),
        ],
    }[heading]


HEADINGS = [heading for heading, shown in SHOWN.items() if shown]


def error_of(action: Action) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 (which one the page says)
        action()
    return caught.value


def said(error: Exception) -> str:
    return "".join(traceback.format_exception_only(error))


@pytest.mark.parametrize("heading", HEADINGS)
def test_each_message_is_what_is_said(
    heading: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = [error_of(action) for action in actions_of(heading, world, monkeypatch)]
    for shown, error in zip(SHOWN[heading], errors, strict=True):
        pattern = re.escape(shown).replace("…", ".*")
        assert re.fullmatch(pattern, said(error)), f"{said(error)}\n--- is not ---\n{shown}"


# ---- the examples ----


def run(source: str, names: dict[str, Any]) -> None:
    exec(compile(source, str(PAGE), "exec"), names)


HANDLERS = {
    heading: code
    for heading in HEADINGS
    for code in blocks("python", SECTIONS[heading])
    if "except" in code
}
PRINTED = {
    "A wrong or missing field": "categories[0] - must be one value: give each",
    "400: Merge refuses a field": "integration - No such integration.\n",
    "429: too many requests": "again in 60.0 seconds\n",
    "An answer that is not what Merge promises": "200 None\n",
    "The timeout passed": "no answer; perhaps it arrived\n",
}


@pytest.mark.parametrize("heading", PRINTED)
def test_each_example_handles_its_error(
    heading: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    if heading in OF_CLIENTS:
        client, user = OF_CLIENTS[heading][-1](world), FIELDS
    else:
        client, user = world.merge(token_answer()), {**FIELDS, "categories": ["ats,hris"]}
    run(HANDLERS[heading], {"merge_link": merge_link, "client": client, "user": user})
    assert capsys.readouterr().out.startswith(PRINTED[heading])


def test_the_example_at_start_ends_a_program_with_a_wrong_key(world: World) -> None:
    heading = "401: a wrong API key"
    client = OF_CLIENTS[heading][0](world)
    with pytest.raises(SystemExit, match=r"^MERGE_API_KEY: Merge answered 401: Invalid token\."):
        run(HANDLERS[heading], {"merge_link": merge_link, "client": client})


def test_every_example_with_a_handler_is_tried() -> None:
    assert HANDLERS.keys() == PRINTED.keys() | {"401: a wrong API key"}


def test_the_example_that_strips_the_key_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key.txt").write_text(f"{KEY}\n")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"merge_link": merge_link}
    (code,) = blocks("python", SECTIONS["The API key has a line end"])
    run(code, names)
    names["client"].close()


def test_the_example_with_an_account_token_works(world: World) -> None:
    details = world.merge(answer(200, {"id": "an-id"}))
    (code,) = blocks("python", SECTIONS["No account token"])
    run(code, {"client": details, "account_token": "of-an-account"})


class TryLater(Exception):
    """What the application of the page raises."""


USER = SimpleNamespace(email="hr@acme.example", company="Acme", id=42)


HANDLED: list[tuple[Script, type[Exception], str]] = [
    (answer(429, THROTTLED, "Retry-After: 60"), TryLater, "60.0"),
    (answer(503, b"", "Retry-After: 60"), TryLater, "None"),
    (answer(401, NO_ACCOUNT), merge_link.AuthenticationError, "Merge answered 401"),
]


@pytest.mark.parametrize(("script", "kind", "text"), HANDLED)
def test_the_first_example_tells_apart_what_it_says(
    script: Script,
    kind: type[Exception],
    text: str,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MERGE_API_KEY", KEY)
    monkeypatch.setenv("MERGE_BASE_URL", serve(script).base_url)
    names: dict[str, Any] = {"TryLater": TryLater}
    run(blocks("python", TEXT)[0], names)
    with pytest.raises(kind, match=re.escape(text)):
        names["link_token_for"](USER)
    with pytest.raises(ValueError, match=r"end_user_email_address.*must have 1 to 100") as caught:
        names["link_token_for"](SimpleNamespace(email="", company="Acme", id=42))
    assert isinstance(caught.value.__cause__, merge_link.ValidationError)


# ---- the rest of the page ----


def test_every_situation_is_on_the_page() -> None:
    assert len(HEADINGS) > 20
    assert OF_CLIENTS.keys() <= set(HEADINGS)


def test_no_message_of_the_page_is_longer_than_it_says() -> None:
    for shown in SHOWN.values():
        for message in shown:
            assert len(message.splitlines()[0]) < 300


def test_links_lead_to_files() -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", TEXT)
    assert targets
    assert [target for target in targets if not (PAGE.parent / target).exists()] == []


# ---- the table ----

EXPECTING = ("proxies", "addresses", "tls_errors", "certificate_files")


def expected_texts() -> str:
    """The sources of the tests that provoke each error, with adjacent strings in one."""
    paths = [PAGE.parent.parent / "tests" / f"test_{name}.py" for name in EXPECTING]
    sources = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    return re.sub(r"""["']\s*f?["']""", "", sources)


TABLE = SECTIONS["All others"].partition("| message | cause, and what to do |")[2]
MESSAGES = re.findall(r"^\| `(.*?)` \|", TABLE, re.MULTILINE)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_one_that_a_test_expects(message: str) -> None:
    known = expected_texts()
    pieces = [piece.strip(', "') for piece in message.split("…")]
    assert [piece for piece in pieces if piece not in known] == []


def test_every_message_is_looked_at() -> None:
    assert len(MESSAGES) == TABLE.count("\n| ")
    assert len(MESSAGES) > 15
