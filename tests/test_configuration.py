"""Options of a client: from arguments, from the environment, refused, read back."""

import copy
import math
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import merge_link
from merge_link import Client, ConfigurationError
from samples import FIELDS, KEY, TOKEN
from scripted import Server, token_answer

Serve = Callable[..., Server]

US, EU, APAC = (f"https://api{part}.merge.dev/api" for part in ("", "-eu", "-ap"))


def refusal(**options: Any) -> str:
    """Return what is said of options that must be refused."""
    with pytest.raises(ConfigurationError) as caught:
        Client(**{"api_key": KEY, **options})
    assert isinstance(caught.value, ValueError)
    return str(caught.value)


# ---- what can be given, and read back ----

DEFAULTS = {
    "base_url": US,
    "region": "us",
    "category": None,
    "timeout": 30.0,
    "connect_timeout": 5.0,
    "idle_timeout": 110.0,
    "max_retries": 2,
    "max_connections": 100,
    "max_response_bytes": None,
    "error_budget": (20, 10.0),
    "client_cert": None,
    "allow_http": False,
    "closed": False,
}


def test_defaults_can_be_read_back() -> None:
    with Client(api_key=KEY) as client:
        assert {name: getattr(client, name) for name in DEFAULTS} == DEFAULTS
        assert client.user_agent.startswith(f"merge-link/{merge_link.__version__} libcurl/")
        assert client.ca_bundle is None or Path(client.ca_bundle).exists()


GOOD = [
    ("region", "us", "us"),
    ("region", "eu", "eu"),
    ("region", "apac", "apac"),
    ("base_url", "https://merge.example:8443/a/", "https://merge.example:8443/a"),
    ("base_url", "HTTPS://MERGE.example", "HTTPS://MERGE.example"),
    ("base_url", "http://127.9.9.9:1", "http://127.9.9.9:1"),
    ("base_url", "http://[::1]:8000/api", "http://[::1]:8000/api"),
    ("base_url", "http://LocalHost/api", "http://LocalHost/api"),
    ("category", "ats", "ats"),
    ("category", "brand-new_1", "brand-new_1"),
    ("timeout", 1, 1.0),
    ("timeout", 0.001, 0.001),
    ("timeout", 86400, 86400.0),
    ("timeout", Fraction(1, 2), 0.5),
    ("connect_timeout", 0.25, 0.25),
    ("idle_timeout", 5, 5.0),
    ("max_retries", 0, 0),
    ("max_retries", 100, 100),
    ("max_connections", 1, 1),
    ("max_connections", 10_000, 10_000),
    ("max_response_bytes", 1, 1),
    ("max_response_bytes", 2**31 - 1, 2**31 - 1),
    ("error_budget", None, None),
    ("error_budget", (5, 2.5), (5, 2.5)),
    ("error_budget", (1, 60), (1, 60.0)),
    ("allow_http", True, True),
    ("allow_http", False, False),
    ("user_agent", "acme/1.0", "acme/1.0"),
]


@pytest.mark.parametrize(("name", "value", "seen"), GOOD, ids=range(len(GOOD)))
def test_a_good_option_can_be_read_back(name: str, value: Any, seen: Any) -> None:
    with Client(api_key=KEY, **{name: value}) as client:
        got = getattr(client, name)
    assert got == seen
    assert type(got) is type(seen)


NULLABLE = [
    *("account_token", "region", "base_url", "category", "timeout", "connect_timeout"),
    *("max_retries", "max_connections", "idle_timeout", "max_response_bytes", "ca_bundle"),
    *("client_cert", "proxy", "allow_http", "user_agent", "on_attempt"),
]


def test_none_is_not_given_for_every_option_but_the_error_budget() -> None:
    with Client(api_key=KEY, **dict.fromkeys(NULLABLE)) as client:
        assert {name: getattr(client, name) for name in DEFAULTS} == DEFAULTS


def test_options_that_later_versions_use_are_accepted() -> None:
    options = {"account_token": "token", "on_attempt": print, "proxy": "http://127.0.0.1:1"}
    with Client(api_key=KEY, **options) as client:
        assert not client.closed


@pytest.mark.parametrize("name", ["api_key", "account_token", "proxy"])
def test_secrets_cannot_be_read_back(name: str) -> None:
    with Client(api_key=KEY, account_token="acct-secret", proxy="http://u:p@127.0.0.1:1") as client:
        assert not hasattr(client, name)
        shown = f"{client} {client!r} {vars(client)} {dir(client)}"
    assert not any(secret in shown for secret in (KEY, "acct-secret", "u:p"))


@pytest.mark.parametrize("name", [*DEFAULTS, "ca_bundle", "user_agent"])
def test_options_cannot_be_changed_afterwards(name: str) -> None:
    with Client(api_key=KEY) as client, pytest.raises(AttributeError):
        setattr(client, name, "x")


def test_repr_says_where_and_whether_closed() -> None:
    client = Client(api_key=KEY, region="eu")
    assert repr(client) == f"<merge_link.Client base_url='{EU}'>"
    client.close()
    assert repr(client) == f"<merge_link.Client base_url='{EU}' closed>"
    assert client.closed
    client.close()


# ---- what is refused ----

TEXT = ("must be a string, not ", [5, b"x", True, ["x"], object()])
SECONDS = ("must be a number of seconds (int or float), not ", ["5", True, [], object(), 1j])
COUNT = ("must be an integer, not ", ["5", True, 1.0, [], object()])
CA = ("must be a path (str or os.PathLike) or PEM text (bytes), not ", [5, True, object()])
CERT = (
    "must be a path (str or os.PathLike), or a tuple of strings or paths (certificate, key) or "
    "(certificate, key, password), not ",
    [5, b"x", True, object(), (), ("a",), ("a", 5), ("a", "b", b"c"), ("a", "b", "c", "d")],
)
WRONG_TYPES = {
    "api_key": ("must be a string, or a callable that returns one, not ", TEXT[1]),
    **dict.fromkeys(("account_token", "region", "base_url", "category"), TEXT),
    **dict.fromkeys(("proxy", "user_agent"), TEXT),
    **dict.fromkeys(("timeout", "connect_timeout", "idle_timeout"), SECONDS),
    **dict.fromkeys(("max_retries", "max_connections", "max_response_bytes"), COUNT),
    "ca_bundle": CA,
    "client_cert": CERT,
    "allow_http": ("must be True or False, not ", [0, 1, "yes", "False"]),
    "error_budget": (
        "must be None or (failures, seconds), not ",
        [5, [5, 1.0], (5,), (5, 1.0, 1), "20", True, 0],
    ),
    "on_attempt": ("must be callable, not ", [5, "print"]),
}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [(name, value, said) for name, (said, values) in WRONG_TYPES.items() for value in values],
)
def test_a_wrong_type_is_refused(name: str, value: Any, said: str) -> None:
    assert refusal(**{name: value}) == f"{name} {said}{type(value).__name__}"


SECONDS_RANGE = "must be more than 0 and at most 86400 seconds"
POSITIVE = "must be more than 0 seconds"
URL_KIND = "must be an absolute URL, such as https://api.merge.dev/api"
PORT = "must have a port of 1 to 65535, or none"
URL_ASCII = "must be printable ASCII of at most 1000 characters"
UNENCRYPTED = "would send the API key unencrypted"
CONTROL = "must not hold control characters"
WRONG = [
    *(("region", value, 'must be "us", "eu" or "apac"') for value in ("US", "", "us ", "moon")),
    *(
        ("region", value, 'must be "us", "eu" or "apac"; did you mean "eu"?')
        for value in ("EU", "eur")
    ),
    *((name, "http://x:99999", PORT) for name in ("base_url", "proxy")),
    *(("base_url", value, URL_KIND) for value in ("", "/", "api.merge.dev", "file:///x")),
    *(
        ("base_url", value, "must start with https://")
        for value in ("ftp://merge.example/api", "gopher://x/")
    ),
    *(
        ("base_url", f"https://{login}@merge.example", "must not hold a user name or password")
        for login in ("zq9", "zq9:zq9", ":zq9")
    ),
    *(
        ("base_url", f"https://merge.example/api{end}", "must not hold a query or fragment")
        for end in ("?zq9=1", "#zq9")
    ),
    *(("base_url", f"https://x/{c}", CONTROL) for c in ("\r\nzq9", "\0", "\t", "\x7f")),
    *(("base_url", f"https://x/{c}", URL_ASCII) for c in ("é", " ", "x" * 1000)),
    ("base_url", "https://x/\ud800", "must be valid UTF-8"),
    *(
        ("base_url", f"http://{host}/api", UNENCRYPTED)
        for host in (
            *("merge.example", "128.0.0.1", "0.0.0.0", "localhost.evil.example"),
            *("127.0.0.1.evil.example", "[::2]", "10.0.0.1", "[::ffff:10.0.0.1]"),
        )
    ),
    *(("category", value, "must be a slug") for value in ("", "ATS", "a/b", "..", "a b")),
    *(("timeout", value, POSITIVE) for value in (0, -1, -0.0, math.nan, -math.inf)),
    *(("timeout", value, SECONDS_RANGE) for value in (86401, math.inf)),
    *(("connect_timeout", value, POSITIVE) for value in (0, -1, math.nan)),
    *(("idle_timeout", value, POSITIVE) for value in (0, -1, math.nan)),
    *(("max_retries", value, "must be 0 to ") for value in (-1, 101, 2**31, 2**100, -(2**100))),
    *(("max_connections", value, "must be ") for value in (0, -1, 10_001, 2**64)),
    *(("max_response_bytes", value, "must be ") for value in (0, -1, 2**64)),
    ("error_budget", (0, 10.0), "[0] must be 1 to 100000; None means off"),
    ("error_budget", (-1, 10.0), "[0] must be 1 to "),
    ("error_budget", (1.5, 10.0), "[0] must be an integer, not float"),
    ("error_budget", (20, 0), "[1] must be more than 0 seconds"),
    ("error_budget", (20, "10"), "[1] must be a number of seconds"),
    ("error_budget", (20, 1e9), SECONDS_RANGE),
    ("ca_bundle", "", "cannot be read: : No such file or directory"),
    ("ca_bundle", "/etc\0/zq9", CONTROL),
    ("client_cert", "/etc\0/zq9", CONTROL),
    *(("user_agent", value, CONTROL) for value in ("a\r\nX: zq9", "a\0", "a\t")),
    ("user_agent", "zq9é", "must be printable ASCII"),
    ("proxy", "http://x\r\nzq9", CONTROL),
    ("proxy", "http://\0zq9", CONTROL),
]


@pytest.mark.parametrize(("name", "value", "said"), WRONG, ids=range(len(WRONG)))
def test_an_impossible_value_is_refused_and_not_repeated(name: str, value: Any, said: str) -> None:
    message = refusal(**{name: value})
    assert message.startswith(f"{name} {said}" if said[0] != "[" else name + said)
    assert "zq9" not in message


def test_an_unknown_option_is_a_type_error_with_a_hint() -> None:
    with pytest.raises(TypeError, match=r"Did you mean 'base_url'\?"):
        Client(api_key=KEY, baseurl="https://x")
    with pytest.raises(TypeError, match=r"^Client\(\) got an unexpected keyword argument 'x'$"):
        Client(api_key=KEY, x=1)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("timeout", 0, "timeout must be more than 0"),
        ("timeout", -5, "timeout must be more than 0"),
        ("timeout", math.nan, "timeout must be more than 0"),
        ("timeout", math.inf, "timeout must be more than 0 and at most 86400 seconds"),
        ("timeout", "5", "timeout must be a number of seconds"),
        ("timeout", True, "timeout must be a number of seconds"),
        ("max_retries", -1, "max_retries must be 0 to "),
        ("max_retries", 101, "max_retries must be 0 to 100"),
        ("max_retries", 1.0, "max_retries must be an integer"),
        ("max_retries", False, "max_retries must be an integer"),
    ],
)
def test_the_options_of_a_call_are_checked_like_the_clients(
    serve: Serve, name: str, value: Any, said: str
) -> None:
    server = serve()
    with server.client() as client, pytest.raises(ConfigurationError) as caught:
        client.create_link_token(**FIELDS, **{name: value})
    assert str(caught.value).startswith(said)
    assert server.requests == []


# ---- keys ----

BAD_KEYS = {
    "empty": "",
    "space": "zq9 zq9",
    "leading space": " zq9",
    "newline": "zq9\n",
    "CR LF": "zq9\r\nX-Evil: 1",
    "tab": "zq9\t",
    "NUL": "zq9\0zq9",
    "not ASCII": "zq9é",
    "lone surrogate": "zq9\ud800",
    "no-break space": "zq9\u00a0",
    "only white space": " ",
}


NOT_IN_AN_ENVIRONMENT = {
    "empty",
    "NUL",
    "lone surrogate",
}  # it cannot hold them, or they do not count


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        (way, kind)
        for way in ("client", "call", "module", "environment")
        for kind in BAD_KEYS
        if way != "environment" or kind not in NOT_IN_AN_ENVIRONMENT
    ],
)
def test_an_impossible_key_is_refused_and_never_repeated(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, way: str, kind: str
) -> None:
    server = serve()
    key = BAD_KEYS[kind]
    if way == "environment":
        monkeypatch.setenv("MERGE_API_KEY", key)
    with server.client(api_key=KEY) as client, pytest.raises(ConfigurationError) as caught:
        {
            "client": lambda: Client(api_key=key),
            "call": lambda: client.create_link_token(**FIELDS, api_key=key),
            "module": lambda: call_with(server, api_key=key),
            "environment": Client,
        }[way]()
    assert str(caught.value).startswith("api_key ")
    assert "zq9" not in f"{caught.value!r}"
    assert server.requests == []


@pytest.mark.parametrize("make", [Client, lambda: merge_link.create_link_token(**FIELDS)])
@pytest.mark.parametrize("environment", [None, ""])
def test_a_missing_key_says_where_to_put_it(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any], environment: str | None
) -> None:
    if environment is not None:
        monkeypatch.setenv("MERGE_API_KEY", environment)
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value) == (
        "no API key: set MERGE_API_KEY in the environment or pass api_key="
    )


@pytest.mark.parametrize("value", [5, b"zq9", True])
def test_a_key_of_another_type_is_refused_by_a_call(serve: Serve, value: Any) -> None:
    with serve().client() as client, pytest.raises(ConfigurationError, match="api_key must be a"):
        client.create_link_token(**FIELDS, api_key=value)


def test_a_missing_account_token_is_no_matter_here_but_an_impossible_one_is() -> None:
    assert refusal(account_token="zq9\n").startswith("account_token must be printable ASCII")
    assert refusal(account_token="").startswith("account_token is empty: give it whole")


# ---- plain HTTP ----


def test_plain_http_needs_allow_http(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://merge.example/api"
    assert UNENCRYPTED in refusal(base_url=url)
    with Client(api_key=KEY, base_url=url, allow_http=True) as client:
        assert client.allow_http
    for value, allowed in {"1": True, "TRUE": True, "on": True, "0": False, "": False}.items():
        monkeypatch.setenv("MERGE_ALLOW_HTTP", value)
        if allowed:
            Client(api_key=KEY, base_url=url).close()
        else:
            assert UNENCRYPTED in refusal(base_url=url)


PRODUCTION = "production_zq9zq9zq9"
NEVER = "api_key is a production key: it is never sent over plain http://"


def test_a_production_key_never_goes_over_plain_http_whatever_is_allowed(serve: Serve) -> None:
    server = serve()
    # 0.0.0.0 is this machine, but no loopback address by name.
    far = {"base_url": f"http://0.0.0.0:{server.port}/api", "allow_http": True}
    assert refusal(**far, api_key=PRODUCTION) == NEVER
    # The reason that allow_http=True does not mend is told first.
    assert refusal(base_url="http://merge.example", api_key=PRODUCTION) == NEVER
    with Client(api_key=KEY, **far) as client, pytest.raises(ConfigurationError, match=NEVER):
        client.create_link_token(**FIELDS, api_key=PRODUCTION)
    with pytest.raises(ConfigurationError, match=NEVER):
        merge_link.create_link_token(**FIELDS, **far, api_key=PRODUCTION)
    assert server.requests == []
    with Client(api_key=KEY, **far) as client:
        client.create_link_token(**FIELDS)
    with server.client(api_key=PRODUCTION) as client:
        client.create_link_token(**FIELDS)
    assert len(server.requests) == 2


# ---- the environment ----

HERE_URL, THERE_URL = "http://127.0.0.1:1/here", "http://127.0.0.1:1/there"


@pytest.mark.parametrize(
    ("arguments", "environment", "base_url"),
    [
        ({}, {}, US),
        ({}, {"MERGE_REGION": "eu"}, EU),
        ({"region": "apac"}, {"MERGE_REGION": "eu"}, APAC),
        ({"region": "apac"}, {"MERGE_BASE_URL": HERE_URL}, HERE_URL),
        ({}, {"MERGE_BASE_URL": HERE_URL, "MERGE_REGION": "eu"}, HERE_URL),
        ({"base_url": THERE_URL}, {"MERGE_BASE_URL": HERE_URL}, THERE_URL),
        ({"base_url": THERE_URL, "region": "eu"}, {}, THERE_URL),
        ({}, {"MERGE_BASE_URL": "", "MERGE_REGION": ""}, US),
    ],
)
def test_the_order_is_base_url_its_variable_region_its_variable_us(
    monkeypatch: pytest.MonkeyPatch,
    arguments: dict[str, str],
    environment: dict[str, str],
    base_url: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with Client(api_key=KEY, **arguments) as client:
        assert client.base_url == base_url
        assert client.region == {US: "us", EU: "eu", APAC: "apac"}.get(base_url)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("MERGE_REGION", "moon", "region must be"),
        ("MERGE_BASE_URL", "merge.example", "base_url must be"),
        ("MERGE_BASE_URL", "http://merge.example", "base_url would send"),
        ("SSL_CERT_FILE", "/no/such/file", "ca_bundle cannot be read: /no/such"),
        ("SSL_CERT_DIR", "/no/such/directory", "ca_bundle cannot be read: /no/such"),
    ],
)
def test_an_impossible_variable_is_refused_by_the_options_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert refusal().startswith(said)


def test_the_argument_wins_over_the_variable(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    monkeypatch.setenv("MERGE_API_KEY", "test_from_environment")
    monkeypatch.setenv("MERGE_BASE_URL", server.base_url)
    for options in ({}, {"api_key": KEY}):
        with Client(**options) as client:
            client.create_link_token(**FIELDS)
        merge_link.create_link_token(**FIELDS, **options)
    for requests, key in (
        (server.requests[:2], "test_from_environment"),
        (server.requests[2:], KEY),
    ):
        assert all(f"\r\nAuthorization: Bearer {key}\r\n".encode() in one for one in requests)


def test_a_client_keeps_what_it_was_made_with(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve()
    monkeypatch.setenv("MERGE_BASE_URL", server.base_url)
    with Client(api_key=KEY) as client:
        monkeypatch.setenv("MERGE_BASE_URL", "http://127.0.0.1:1")
        client.create_link_token(**FIELDS)
    assert len(server.requests) == 1


# ---- proxies ----

BEHIND = {"base_url": "http://merge.invalid/api", "allow_http": True, "api_key": KEY}


def first_line(request: bytes) -> bytes:
    return request.partition(b"\r\n")[0]


@pytest.mark.parametrize("variable", [None, "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_gets_the_request_for_the_other_host(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    proxy = serve()
    url = f"http://user:passw0rd@127.0.0.1:{proxy.port}"
    if variable is not None:
        monkeypatch.setenv(variable, url)
    with Client(**BEHIND, proxy=url if variable is None else None) as client:
        client.create_link_token(**FIELDS)
    assert first_line(proxy.requests[0]) == (
        b"POST http://merge.invalid/api/ats/v1/link-token HTTP/1.1"
    )
    assert b"\r\nProxy-Authorization: Basic " in proxy.requests[0]


def test_https_goes_through_https_proxy_by_connect(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:passw0rd@127.0.0.1:{proxy.port}")
    with (
        Client(api_key=KEY, base_url="https://merge.invalid/api", max_retries=0) as client,
        pytest.raises(merge_link.TransportError) as caught,
    ):
        client.create_link_token(**FIELDS)
    assert first_line(proxy.requests[0]) == b"CONNECT merge.invalid:443 HTTP/1.1"
    assert KEY.encode() not in proxy.received
    assert "passw0rd" not in f"{caught.value!r} {vars(caught.value)}"
    assert not caught.value.may_have_arrived


DEAD_PROXY = "http://127.0.0.1:1"  # nobody listens there


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2"])
def test_loopback_never_goes_through_an_environments_proxy(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    server = serve()
    for variable in ("http_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, DEAD_PROXY)
    with server.client(base_url=f"http://{host}:{server.port}", max_retries=0) as client:
        if host == "127.0.0.2":  # the server listens on 127.0.0.1 only: refused there, unproxied
            with pytest.raises(merge_link.TransportError, match=r"127\.0\.0\.2"):
                client.create_link_token(**FIELDS)
        else:
            client.create_link_token(**FIELDS)


@pytest.mark.parametrize(
    ("options", "environment", "direct"),
    [
        ({}, {"http_proxy": DEAD_PROXY}, False),
        ({}, {"http_proxy": DEAD_PROXY, "NO_PROXY": "0.0.0.0"}, True),
        ({}, {"http_proxy": DEAD_PROXY, "no_proxy": "x.example,0.0.0.0"}, True),
        ({}, {"http_proxy": DEAD_PROXY, "NO_PROXY": "*"}, True),
        ({}, {"http_proxy": DEAD_PROXY, "NO_PROXY": "x.example"}, False),
        ({}, {"HTTP_PROXY": DEAD_PROXY}, True),
        ({}, {"HTTPS_PROXY": DEAD_PROXY}, True),
        ({"proxy": ""}, {"ALL_PROXY": DEAD_PROXY}, True),
        ({"proxy": DEAD_PROXY}, {"NO_PROXY": "*"}, False),
    ],
)
def test_no_proxy_and_an_empty_proxy_lead_past_it(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, str],
    environment: dict[str, str],
    direct: bool,
) -> None:
    server = serve()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    url = f"http://0.0.0.0:{server.port}"
    with server.client(base_url=url, allow_http=True, max_retries=0, **options) as client:
        if direct:
            client.create_link_token(**FIELDS)
        else:
            with pytest.raises(merge_link.TransportError):
                client.create_link_token(**FIELDS)
    assert len(server.requests) == direct


# ---- the module's own functions ----


def test_the_modules_function_reads_the_environment_at_each_call(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = serve(), serve()
    for server, key in ((one, "test_first"), (two, "test_second"), (one, "test_third")):
        monkeypatch.setenv("MERGE_BASE_URL", server.base_url)
        monkeypatch.setenv("MERGE_API_KEY", key)
        assert merge_link.create_link_token(**FIELDS).link_token == TOKEN
    seen = [
        key
        for request in one.requests + two.requests
        for key in (b"test_first", b"test_second", b"test_third")
        if key in request
    ]
    assert seen == [b"test_first", b"test_third", b"test_second"]


def call_with(server: Server, **options: Any) -> None:
    merge_link.create_link_token(
        **{**FIELDS, "base_url": server.base_url, "api_key": KEY, **options}
    )


def test_the_modules_function_keeps_its_connection_whatever_key_and_timeout(serve: Serve) -> None:
    server = serve()
    for options in ({}, {"api_key": "test_2"}, {"timeout": 7}, {"max_retries": 0}, {"proxy": None}):
        call_with(server, **options)
    assert (len(server.requests), server.connections) == (5, 1)


def test_distinct_options_have_distinct_clients(serve: Serve) -> None:
    server = serve()
    for options in ({}, {"user_agent": "a"}, {"region": "eu"}, {"connect_timeout": 6.0}):
        call_with(server, **options)
    assert server.connections == 3  # a region beside a base_url makes no difference
    for options in ({"max_connections": 5}, {"account_token": "x"}, {"error_budget": (5, 1.0)}):
        call_with(server, **options)
    assert server.connections == 6


def test_at_most_eight_clients_are_kept_and_the_one_used_longest_ago_goes(serve: Serve) -> None:
    server = serve()
    agents = [f"agent/{i}" for i in range(9)]
    for agent in agents[:8] * 2:
        call_with(server, user_agent=agent)
    assert server.connections == 8
    call_with(server, user_agent=agents[0])  # now the most recent
    call_with(server, user_agent=agents[8])  # pushes out 1, not 0
    assert server.connections == 9
    call_with(server, user_agent=agents[0])
    assert server.connections == 9
    call_with(server, user_agent=agents[1])
    assert server.connections == 10


def test_the_modules_function_refuses_bad_options_before_sending(serve: Serve) -> None:
    server = serve()
    with pytest.raises(ConfigurationError, match="max_connections must be 1 to 10000"):
        call_with(server, max_connections=0)
    with pytest.raises(TypeError, match="Did you mean 'user_agent'"):
        call_with(server, useragent="x")
    assert server.requests == []


# ---- life ----


class Sub(Client):
    pass


@pytest.mark.parametrize("kind", [Client, Sub])
@pytest.mark.parametrize("spread", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_cannot_be_pickled_or_copied(kind: type[Client], spread: Any) -> None:
    with kind(api_key=KEY) as client, pytest.raises(TypeError, match="cannot be pickled or copied"):
        spread(client)


def test_a_subclass_works_and_may_set_options(serve: Serve) -> None:
    server = serve()

    class Acme(Client):
        def __init__(self, **options: Any) -> None:
            super().__init__(base_url=server.base_url, api_key=KEY, **options)
            self.team = "acme"

        def create(self) -> str:
            return self.create_link_token(**FIELDS).link_token

    with Acme(timeout=5) as client:
        assert (client.create(), client.team, client.timeout) == (TOKEN, "acme", 5.0)


def test_a_subclass_that_forgets_init_is_told() -> None:
    class Forgetful(Client):
        def __init__(self) -> None:
            pass

    client = Forgetful()
    assert "not initialised" in repr(client)
    for use in (lambda: client.base_url, lambda: client.create_link_token(**FIELDS)):
        with pytest.raises(RuntimeError, match="__init__"):
            use()
    client.close()


def test_a_client_is_initialised_once() -> None:
    with Client(api_key=KEY) as client:
        with pytest.raises(RuntimeError, match="twice"):
            client.__init__(api_key=KEY)  # type: ignore[misc]
        assert client.base_url == US


def test_a_with_block_closes_and_passes_exceptions_on() -> None:
    with pytest.raises(ZeroDivisionError), Client(api_key=KEY) as client:
        raise ZeroDivisionError
    assert client.closed
    with pytest.raises(merge_link.ClientClosedError), client:
        pytest.fail("entered a closed client")


def test_the_class_and_the_function_can_be_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    token = merge_link.LinkToken(link_token="fake", expires_at=datetime.now(UTC))
    with mock.patch.object(Client, "create_link_token", return_value=token) as patched:
        with Client(api_key=KEY) as client:
            assert client.create_link_token(**FIELDS) is token
        patched.assert_called_once_with(**FIELDS)
    with mock.patch("merge_link.create_link_token", return_value=token):
        assert merge_link.create_link_token(**FIELDS) is token
    double = mock.create_autospec(Client, instance=True)
    double.create_link_token.return_value = token
    assert double.create_link_token(**FIELDS) is token
    with pytest.raises(AttributeError):
        double.create_link_tokn()
    assert Client.create_link_token is not patched


def test_answers_of_one_client_do_not_reach_another(serve: Serve) -> None:
    one = serve(token_answer(who="one"))
    two = serve(token_answer(who="two"))
    with one.client() as first, two.client() as second:
        who = [client.create_link_token(**FIELDS).extra["who"] for client in (first, second) * 2]
    assert who == ["one", "two", "one", "two"]
