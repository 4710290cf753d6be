"""Which proxy the environment gives, and why: HTTPS_PROXY and its like, NO_PROXY, loopback."""

import pytest

from merge_link._environment import ProxyChoice, proxy_choice

API = "https://api.merge.dev/api"
PROXY = "http://user:zq9zq9zq9@proxy.example:3128"


def chosen(monkeypatch: pytest.MonkeyPatch, base_url: str = API, **variables: str) -> ProxyChoice:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    choice = proxy_choice(base_url)
    assert "zq9zq9zq9" not in f"{choice!r} {choice.reason}"
    return choice


@pytest.mark.parametrize(
    ("base_url", "variable"),
    [
        (API, "https_proxy"),
        (API, "HTTPS_PROXY"),
        (API, "all_proxy"),
        (API, "ALL_PROXY"),
        ("http://merge.example/api", "http_proxy"),
        ("http://merge.example/api", "ALL_PROXY"),
    ],
)
def test_a_variable_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch, base_url: str, variable: str
) -> None:
    choice = chosen(monkeypatch, base_url, **{variable: PROXY})
    assert (choice.url, choice.variable) == (PROXY, variable)
    assert choice.reason == f"{variable} is set"


@pytest.mark.parametrize(
    ("base_url", "variables", "reason"),
    [
        ("https://merge.example/api", {}, "no proxy variable is set"),
        ("https://merge.example/api", {"HTTPS_PROXY": ""}, "no proxy variable is set"),
        ("https://merge.example/api", {"http_proxy": PROXY}, "http_proxy is for http:// alone"),
        ("http://merge.example/api", {"HTTPS_PROXY": PROXY}, "HTTPS_PROXY is for https:// alone"),
        (
            # A web server may have set it.
            *("http://merge.example/api", {"HTTP_PROXY": PROXY}),
            "HTTP_PROXY in capitals does not count, http_proxy does",
        ),
    ],
)
def test_without_a_variable_for_the_scheme_there_is_no_proxy(
    monkeypatch: pytest.MonkeyPatch, base_url: str, variables: dict[str, str], reason: str
) -> None:
    assert chosen(monkeypatch, base_url, **variables) == ProxyChoice(reason=reason)


def test_the_variable_of_the_scheme_wins_and_so_does_lower_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    for name in order:
        monkeypatch.setenv(name, f"http://{name}.example")
    for name in order:
        assert proxy_choice(API).variable == name
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST:8443", "127.9.9.9", "127.1", "[::1]", "[0:0::1]"]
)
def test_loopback_has_no_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    choice = chosen(monkeypatch, f"https://{host}/api", HTTPS_PROXY=PROXY)
    assert (choice.url, choice.variable) == (None, None)
    assert "is loopback: HTTPS_PROXY does not count" in choice.reason


V6 = "https://[2001:db8::5]:8443/api"
KEPT_AWAY = [
    *((API, entry) for entry in ("*", "merge.dev", ".merge.dev", "*.merge.dev", "api.merge.dev")),
    *((API, entry) for entry in ("MERGE.dev", "merge.dev.", "merge.dev:443", "*:443", "dev")),
    *(
        (API, entry)
        for entry in ("merge.dev:", "api.merge.dev:443", ".merge.dev:443", "*.Merge.Dev:443")
    ),
    ("https://merge.dev/api", ".merge.dev"),
    ("https://API.MERGE.DEV./api", "merge.dev"),
    ("https://api.merge.dev:8443/api", "merge.dev:8443"),
    ("https://10.1.2.3/api", "10.1.2.3"),
    ("https://10.1.2.3/api", "10.1.2.3:443"),
    ("https://10.1.2.3/api", "10.0.0.0/8"),
    ("https://10.1.2.3/api", "10.9.9.9/8"),
    ("https://10.1.2.3/api", "0.0.0.0/0"),
    ("https://0xa010203/api", "10.1.2.3"),
    *((V6, entry) for entry in ("2001:db8::5", "[2001:db8::5]", "[2001:DB8:0::5]:8443")),
    *((V6, entry) for entry in ("2001:db8::/32", "[2001:db8::]/32", "*", "2001:db8:0:0:0:0:0:5")),
]


@pytest.mark.parametrize(("base_url", "entry"), KEPT_AWAY)
@pytest.mark.parametrize("form", ["{}", "other.example,{}", "  x.example  {}\t", "x, {} ,y"])
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_an_entry_of_no_proxy_keeps_the_proxy_away(
    monkeypatch: pytest.MonkeyPatch, base_url: str, entry: str, form: str, variable: str
) -> None:
    choice = chosen(monkeypatch, base_url, HTTPS_PROXY=PROXY, **{variable: form.format(entry)})
    assert (choice.url, choice.variable) == (None, None)
    assert choice.reason == f"{variable} has {entry}: HTTPS_PROXY does not count"


OTHERS = [
    *((API, entry) for entry in ("", ",", ".", "*.", "dge.dev", "merge", "api", "x.api.merge.dev")),
    *((API, entry) for entry in ("merge.dev:80", "*:80", "merge.dev:x", "evil.dev")),
    *((API, entry) for entry in ("https://merge.dev", "api-eu.merge.dev", "0.0.0.0/0", "a*.dev")),
    ("https://api.merge.dev.evil.example/api", "merge.dev"),
    ("https://10.1.2.3/api", "11.0.0.0/8"),
    ("https://10.1.2.3/api", "10.1.2.3:80"),
    ("https://10.1.2.3/api", "10.1.2"),
    ("https://10.1.2.3/api", "10.1.2.3/99"),
    ("https://10.1.2.3/api", "::/0"),
    *((V6, entry) for entry in ("[2001:db8::5]:443", "2001:db9::/32", "[2001:db8::6]", "db8::5")),
]


@pytest.mark.parametrize(("base_url", "entry"), OTHERS)
def test_an_entry_for_others_does_not_count(
    monkeypatch: pytest.MonkeyPatch, base_url: str, entry: str
) -> None:
    choice = chosen(monkeypatch, base_url, HTTPS_PROXY=PROXY, NO_PROXY=entry)
    assert choice.url == PROXY


def test_the_choice_masks_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    choice = chosen(monkeypatch, HTTPS_PROXY=PROXY)
    assert repr(choice) == (
        "ProxyChoice(url='********', variable='HTTPS_PROXY', reason='HTTPS_PROXY is set')"
    )


@pytest.mark.parametrize("base_url", ["", "merge.dev", "ftp://merge.dev", "https://[::1", "/api"])
def test_what_is_no_url_has_no_proxy(monkeypatch: pytest.MonkeyPatch, base_url: str) -> None:
    assert chosen(monkeypatch, base_url, HTTPS_PROXY=PROXY).url is None
