"""``merge-link doctor``: each thing that can be missing is found, with what to do about it."""

import contextlib
import itertools
import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from click.testing import Result

import merge_link
from command_line import BIN, process, run, scripted
from merge_link import _core, _environment
from merge_link.sandbox import Sandbox
from samples import KEY
from scripted import Script, Server, answer, hang_up, stay_silent

Serve = Callable[..., Server]
PAGE = answer(200, {"next": None, "previous": None, "results": []})
PASSWORD = "hunter2hunter2"
HEALTHY = "Nothing is wrong."
# What is not there in a report without problems, and what must never be.
SECRETS = [KEY, KEY.removeprefix("test_"), PASSWORD]


def doctor(*arguments: str, environment: dict[str, str] | None = None, stdin: Any = None) -> Result:
    result = run("doctor", *arguments, environment=environment, stdin=stdin)
    assert result.stderr == ""
    assert [secret for secret in SECRETS if secret in result.stdout] == []
    return result


def report(*arguments: str, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """The report as JSON; it is the same for a person."""
    result = doctor(*arguments, "--format", "json", environment=environment)
    made: dict[str, Any] = json.loads(result.stdout)
    assert made["exit_code"] == result.exit_code
    return made


def facts_of(result: Result) -> dict[str, str]:
    """The labelled lines, before what to do."""
    lines = result.stdout.partition("\n\n")[0].splitlines()
    width = lines[0].index(merge_link.__version__)
    return {line[:width].rstrip(): line[width:] for line in lines}


def what_to_do(result: Result) -> str:
    """The lines after the facts, as one."""
    _, _, rest = result.stdout.partition("\n\nWhat to do\n")
    return " ".join(rest.split())


def free_port() -> int:
    """A port of loopback at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


# ---- all is well ----


def test_a_healthy_machine_is_told_so(sandbox: Sandbox) -> None:
    environment = {"MERGE_API_KEY": sandbox.api_key, "MERGE_BASE_URL": sandbox.base_url}
    result = doctor(environment=environment)
    assert result.exit_code == 0
    assert result.stdout.endswith(f"\n\n{HEALTHY}\n")
    facts = facts_of(result)
    versions = _core.versions()
    assert facts["merge-link"] == merge_link.__version__
    assert facts["libcurl"] == versions["libcurl"]
    assert facts["TLS library"] == versions["tls"]
    assert facts["cJSON"] == versions["cjson"]
    assert facts["Server"] == f"{sandbox.base_url} (from MERGE_BASE_URL)"
    assert facts["API key"] == "a test_ key, from MERGE_API_KEY"
    assert facts["Reached"] == "yes"
    assert facts["Answer"] == "200, the key is good"
    assert facts["Clock"] == "agrees with the server's"
    assert [facts[step].endswith(" ms") for step in ("Connect", "First byte")] == [True, True]


def test_the_sandbox_can_be_examined_without_a_key() -> None:
    result = doctor("--sandbox")
    assert (result.exit_code, result.stdout.endswith(f"\n\n{HEALTHY}\n")) == (0, True)
    assert facts_of(result)["API key"] == "a test_ key, from --sandbox"


def test_one_harmless_request_is_made(serve: Serve) -> None:
    server = serve(PAGE)
    assert report("--base-url", server.base_url, environment={"MERGE_API_KEY": KEY})
    (request,) = server.requests
    assert request.startswith(b"GET /api/ats/v1/linked-accounts?page_size=1 HTTP/1.1\r\n")


def test_nothing_is_sent_when_offline(serve: Serve) -> None:
    server = serve(PAGE)
    result = doctor("--offline", "--base-url", server.base_url, environment={"MERGE_API_KEY": KEY})
    assert (result.exit_code, server.connections) == (0, 0)
    assert facts_of(result)["Tried"] == "no (--offline)"


def test_the_json_has_the_same_members_whatever_is_found(
    sandbox: Sandbox, serve: Serve, tmp_path: Path
) -> None:
    key = {"MERGE_API_KEY": sandbox.api_key}
    reports = [
        report("--base-url", sandbox.base_url, environment=key),
        report("--base-url", sandbox.base_url, "--offline"),
        report("--base-url", f"http://127.0.0.1:{free_port()}"),
        report("--region", "de", environment={**key, "SSL_CERT_FILE": "/nope"}),
        report("--base-url", "https://api.example", environment={"HTTPS_PROXY": "ftp://x"}),
        report("--api-key-file", str(tmp_path / "none"), "--base-url", serve(hang_up).base_url),
    ]
    members = [
        {name: set(facts) for name, facts in one.items() if isinstance(facts, dict)}
        for one in reports
    ]
    assert all(one == members[0] for one in members)
    assert members[0].keys() == {
        "versions",
        "server",
        "api_key",
        "ca_certificates",
        "proxy",
        "network",
    }
    assert all(
        problem.keys() == {"about", "problem", "advice"}
        for one in reports
        for problem in one["problems"]
    )


# ---- the server ----


@pytest.mark.parametrize("given", list(itertools.product([False, True], repeat=4)))
def test_the_rule_that_is_named_is_the_one_that_chose_the_server(
    monkeypatch: pytest.MonkeyPatch, given: tuple[bool, ...]
) -> None:
    rules = ("base_url", "MERGE_BASE_URL", "region", "MERGE_REGION")
    there = {rule for rule, is_there in zip(rules, given, strict=True) if is_there}
    values = {
        "base_url": "https://one.example/api",
        "MERGE_BASE_URL": "https://two.example/api",
        "region": "eu",
        "MERGE_REGION": "apac",
    }
    chosen = {
        "base_url": values["base_url"],
        "MERGE_BASE_URL": values["MERGE_BASE_URL"],
        "region": "https://api-eu.merge.dev/api",
        "MERGE_REGION": "https://api-ap.merge.dev/api",
        "default": "https://api.merge.dev/api",
    }
    for name in there & {"MERGE_BASE_URL", "MERGE_REGION"}:
        monkeypatch.setenv(name, values[name])
    options = {name: values[name] for name in there & {"base_url", "region"}}
    rule = _environment.server_rule(base_url="base_url" in there, region="region" in there)
    with merge_link.Client(api_key=KEY, **options) as client:
        assert client.base_url == chosen[rule]
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    server = report(*arguments, "--offline")["server"]
    assert server["base_url"] == chosen[rule]
    assert server["chosen_by"].strip("-").replace("-", "_") == rule
    assert server["region"] == (None if "url" in rule.lower() else values.get(rule, "us"))


def test_a_region_without_effect_is_told_as_such() -> None:
    environment = {"MERGE_BASE_URL": "https://two.example/api"}
    line = facts_of(doctor("--offline", "--region", "eu", environment=environment))["Server"]
    assert line.endswith("(from MERGE_BASE_URL; --region has no effect beside it)")


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "words"),
    [
        (["--region", "de"], {}, 2, '--region must be "us", "eu" or "apac"'),
        ([], {"MERGE_REGION": "de"}, 3, 'MERGE_REGION must be "us", "eu" or "apac"'),
        ([], {"MERGE_BASE_URL": "merge"}, 3, "MERGE_BASE_URL must be an absolute URL"),
        (["--base-url", "http://api.example"], {}, 2, "unencrypted: use https://"),
        (["--base-url", f"https://joe:{PASSWORD}@api.example"], {}, 2, "must not hold a user name"),
        (["--timeout", "0"], {}, 2, "--timeout must be more than 0"),
        (["--timeout", "0"], {"MERGE_REGION": "de"}, 3, "--timeout must be more than 0"),
    ],
)
def test_an_impossible_server_is_told(
    arguments: list[str], environment: dict[str, str], code: int, words: str
) -> None:
    result = doctor(*arguments, environment={"MERGE_API_KEY": KEY, **environment})
    assert result.exit_code == code
    assert words in what_to_do(result)
    assert facts_of(result)["Tried"] == "no: see what to do"


# ---- the key ----


def test_without_a_key_the_server_is_tried_all_the_same(sandbox: Sandbox) -> None:
    result = doctor("--base-url", sandbox.base_url)
    assert result.exit_code == 3
    facts = facts_of(result)
    assert facts["API key"] == "none"
    assert facts["Reached"] == "yes"
    assert facts["Answer"] == "401, as it must be without a key"
    advice = what_to_do(result)
    assert advice.startswith("no API key: set MERGE_API_KEY, or give --api-key-file FILE or")
    for way in ("--env-file", "Keys are made at https://app.merge.dev/keys", "--sandbox"):
        assert way in advice
    assert [request.status for request in sandbox.requests][-1:] == [401]


@pytest.mark.parametrize(
    ("key", "kind"),
    [(KEY, "test"), (f"production_{PASSWORD}", "production"), (PASSWORD, "other")],
)
@pytest.mark.parametrize("in_file", [False, True])
def test_the_kind_of_key_and_where_it_is_from_are_told_and_nothing_more(
    tmp_path: Path, key: str, kind: str, in_file: bool
) -> None:
    file = tmp_path / "key"
    file.touch(mode=0o600)
    file.write_text(key + "\n")
    if in_file:
        made = report("--offline", "--api-key-file", str(file))
    else:
        made = report("--offline", environment={"MERGE_API_KEY": key})
    source = "--api-key-file" if in_file else "MERGE_API_KEY"
    assert made["api_key"] == {"kind": kind, "from": source}


def test_a_key_that_cannot_be_sent_is_told_and_not_tried(sandbox: Sandbox) -> None:
    environment = {"MERGE_API_KEY": f"{KEY}\n", "MERGE_BASE_URL": sandbox.base_url}
    result = doctor(environment=environment)
    assert result.exit_code == 3
    assert what_to_do(result).startswith("MERGE_API_KEY must be printable ASCII")
    assert facts_of(result)["Answer"] == "401, as it must be without a key"


def test_a_key_file_that_cannot_be_read_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    file = str(tmp_path / "none")
    result = doctor("--api-key-file", file, "--base-url", sandbox.base_url)
    assert result.exit_code == 2
    assert what_to_do(result) == f"--api-key-file {file}: No such file or directory"


def test_a_production_key_over_plain_http_is_told() -> None:
    environment = {"MERGE_API_KEY": f"production_{PASSWORD}", "MERGE_ALLOW_HTTP": "1"}
    result = doctor("--offline", "--base-url", "http://api.example", environment=environment)
    assert result.exit_code == 3
    assert "never sent over plain http://" in what_to_do(result)


def test_a_refused_key_is_told_with_its_source(sandbox: Sandbox) -> None:
    environment = {"MERGE_API_KEY": KEY, "MERGE_BASE_URL": sandbox.base_url}
    result = doctor(environment=environment)
    assert result.exit_code == 3
    assert facts_of(result)["Answer"] == "401, the key is refused"
    assert "Is the API key whole, still valid, and of this region?" in what_to_do(result)
    assert what_to_do(result).endswith("The key that is refused is that of MERGE_API_KEY.")
    assert report(environment=environment)["network"]["key_accepted"] is False


# ---- CA certificates ----


def test_ca_certificates_are_counted(tls: Any, tmp_path: Path) -> None:
    made = report("--offline", environment={"SSL_CERT_FILE": tls.ca_file})["ca_certificates"]
    assert made == {"path": tls.ca_file, "kind": "file", "count": 1, "from": "SSL_CERT_FILE"}
    for name in ("0123abcd.0", "0123abcd.1", "ca.pem"):
        shutil.copy(tls.ca_file, tmp_path / name)
    made = report("--offline", environment={"SSL_CERT_DIR": str(tmp_path)})["ca_certificates"]
    assert made == {"path": str(tmp_path), "kind": "directory", "count": 2, "from": "SSL_CERT_DIR"}


@pytest.mark.parametrize(
    ("variable", "content", "problem"),
    [
        ("SSL_CERT_FILE", None, "cannot be read: {}: No such file or directory"),
        ("SSL_CERT_DIR", None, "cannot be read: {}: No such file or directory"),
        ("SSL_CERT_FILE", "nothing", "holds no certificate in PEM form: {}"),
        ("SSL_CERT_DIR", "nothing", "is a directory without certificates under the hashes of"),
    ],
)
def test_useless_ca_certificates_are_told(
    tmp_path: Path, variable: str, content: str | None, problem: str
) -> None:
    path = tmp_path / "certificates"
    if content is not None and variable == "SSL_CERT_DIR":
        path.mkdir()
        (path / "ca.pem").write_text(content)
    elif content is not None:
        path.write_text(content)
    environment = {variable: str(path), "MERGE_API_KEY": KEY}
    result = doctor("--offline", environment=environment)
    assert result.exit_code == 3
    assert what_to_do(result).startswith(f"{variable} {problem.format(path)}")
    assert what_to_do(result).endswith(
        f"- Correct {variable}, or unset it: then this system's count (package ca-certificates)."
    )
    assert str(path) in facts_of(result)["CA certificates"]


def elsewhere(*unshare: str, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The doctor in namespaces of its own."""
    if shutil.which("unshare") is None or process("unshare", *unshare, "true").returncode != 0:
        pytest.skip("needs unshare, and the right to use it")
    full = command.replace("doctor", f"{BIN / 'merge-link'} doctor")
    return process("unshare", *unshare, "sh", "-c", full, environment=environment)


def test_on_a_machine_without_ca_certificates_it_says_what_to_install(
    tmp_path: Path, tls: Any
) -> None:
    hide = " && ".join(
        f"{{ [ ! -e {place} ] || mount --bind {tmp_path} {place}; }}"
        for place in ("/etc/ssl", "/etc/pki")
    )
    (tmp_path / "certifi.py").write_text("raise ImportError")  # a test's tools may bring it
    with Server(PAGE, tls=tls.context) as server:
        done = elsewhere(
            "-m",
            command=f"{hide} && doctor",
            PYTHONPATH=str(tmp_path),
            MERGE_API_KEY=KEY,
            MERGE_BASE_URL=server.base_url,
        )
    assert done.returncode == 3
    assert "\nCA certificates   none found\n" in done.stdout
    _, _, advice = done.stdout.partition("What to do\n")
    assert advice.startswith("  No CA certificates are found")
    assert "Install the package ca-certificates" in advice
    assert "SSL_CERT_FILE" in advice
    assert advice.count("\n  - ") == 2


# ---- the proxy ----


def test_a_proxy_is_shown_without_its_password() -> None:
    environment = {"HTTPS_PROXY": f"http://joe:{PASSWORD}@proxy.example:3128", "MERGE_API_KEY": KEY}
    result = doctor("--offline", environment=environment)
    assert facts_of(result)["Proxy"] == (
        "http://proxy.example:3128, with a password (from HTTPS_PROXY)"
    )
    assert "joe" not in result.stdout
    proxy = report("--offline", environment=environment)["proxy"]
    assert proxy["server"] == "http://proxy.example:3128"
    assert (proxy["has_password"], proxy["variable"]) == (True, "HTTPS_PROXY")


@pytest.mark.parametrize(
    "url",
    [
        f"joe:{PASSWORD}@proxy.example",
        f"http://joe:{PASSWORD}#@proxy.example",
        f"http://joe:{PASSWORD}/x@proxy.example",
        f"http://{PASSWORD}/@proxy.example",
        f"http://joe:{PASSWORD}?@proxy.example",
        f"http://[{PASSWORD}@proxy.example",
        f"ftp://joe:{PASSWORD}@proxy.example",
    ],
)
def test_no_part_of_a_proxys_password_is_shown_however_it_is_written(url: str) -> None:
    doctor("--offline", environment={"HTTPS_PROXY": url, "MERGE_API_KEY": KEY})
    doctor("--offline", "--format", "json", environment={"HTTPS_PROXY": url})


def test_without_a_proxy_the_reason_is_told() -> None:
    assert facts_of(doctor("--offline"))["Proxy"].startswith("none: ")


def through_proxy(proxy: str) -> Result:
    environment = {"MERGE_API_KEY": KEY, "HTTPS_PROXY": proxy}
    return doctor("--base-url", "https://api.example/api", environment=environment)


def test_a_proxy_that_is_not_there_is_told_with_its_variable() -> None:
    port = free_port()
    result = through_proxy(f"http://joe:{PASSWORD}@127.0.0.1:{port}")
    assert result.exit_code == 5
    assert facts_of(result)["Reached"] == "no"
    advice = what_to_do(result)
    assert advice == (
        f"cannot connect to the proxy 127.0.0.1:{port}: Connection refused; Merge was not reached"
        " - The proxy is that of HTTPS_PROXY."
        " - Correct it, or unset it if this network needs no proxy."
        " - NO_PROXY=api.example leads past it for this host alone."
    )


def test_a_proxy_of_a_file_is_told_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"MERGE_API_KEY={KEY}\nall_proxy=http://127.0.0.1:{free_port()}\n")
    result = doctor("--env-file", str(file), "--region", "eu")
    assert f"The proxy is that of all_proxy (in {file})." in what_to_do(result)
    assert "NO_PROXY=api-eu.merge.dev leads past it" in what_to_do(result)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (407, ["wants a login (status 407)", "Give both in the proxy's URL", "of HTTPS_PROXY."]),
        (403, ["(status 403)", "Ask who runs the proxy to let api.example through"]),
        (502, ["could not connect to api.example:443", "Ask who runs the proxy"]),
        (501, ["does not know CONNECT", "Is it a proxy?", "Correct it, or unset it if this"]),
    ],
)
def test_a_proxy_that_refuses_is_told(serve: Serve, status: int, words: list[str]) -> None:
    proxy = serve(answer(status))
    result = through_proxy(f"http://127.0.0.1:{proxy.port}")
    assert result.exit_code == 5
    assert [text for text in words if text not in what_to_do(result)] == []
    # No remedy comes twice, from the error and from the doctor.
    assert what_to_do(result).count("NO_PROXY=api.example") == (status != 407)


# ---- the network ----


def test_a_machine_without_a_network_is_told_what_to_look_at() -> None:
    done = elsewhere("-n", command="doctor", MERGE_API_KEY=KEY)
    assert done.returncode == 5
    assert "Does getent hosts api.merge.dev find it?" in " ".join(done.stdout.split())


def test_a_server_that_is_not_there_is_told() -> None:
    url = f"http://127.0.0.1:{free_port()}/api"
    result = doctor("--base-url", url, environment={"MERGE_API_KEY": KEY})
    assert result.exit_code == 5
    assert what_to_do(result).startswith("cannot connect to 127.0.0.1:")
    assert "Nothing listens at that port" in what_to_do(result)
    assert "Is the host of --base-url right?" in what_to_do(result)
    made = report("--base-url", url, environment={"MERGE_API_KEY": KEY})["network"]
    assert (made["reached"], made["status_code"], made["key_accepted"]) == (False, None, None)
    assert made["error"]["type"] == "TransportError"
    assert made["error"]["code"] == "CURLE_COULDNT_CONNECT"


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        (hang_up, 5, "something in between (firewall, proxy, VPN) cuts the connection"),
        (answer(403, {"detail": "No."}), 4, "The key may not do this"),
        (answer(404, b"<html>", content_type="text/html"), 4, "A base URL is what stands before"),
        (answer(404, {"detail": "Not found."}), 4, "The request was GET http://127.0.0.1:"),
        (answer(302, b"", "Location: https://elsewhere.example"), 4, "a sign-in first"),
        (answer(200, b"<html>", content_type="text/html"), 4, "a sign-in first"),
        (answer(200, {"status": "ok"}), 4, "A base URL is what stands before"),
        (answer(429, {"detail": "Wait."}), 4, "Wait a minute"),
        (answer(502, b"<html>", content_type="text/html"), 4, "Try again in a few minutes"),
        (answer(407), 4, "A proxy on the way wants a login"),
    ],
)
def test_each_refusal_has_its_advice(
    monkeypatch: pytest.MonkeyPatch, script: Script, code: int, words: str
) -> None:
    with scripted(monkeypatch, script):
        result = doctor()
        assert result.exit_code == code
        assert words in what_to_do(result)
        # It chooses the category itself, and asks once.
        assert "Is the category right" not in result.stdout
        assert "A call waits" not in result.stdout


def test_a_silent_server_is_told_within_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(monkeypatch, stay_silent):
        result = doctor("--timeout", "0.3")
    assert result.exit_code == 5
    assert what_to_do(result).endswith(
        "of 0.3 seconds is over"
        " - If it is only slow: --timeout is for the whole call, retries and waits included."
        " - Is the host of MERGE_BASE_URL right?"
    )


def test_what_a_server_says_is_shown_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(monkeypatch, answer(403, {"detail": "No\n\x1b[31mway."})):
        result = doctor()
    assert "\x1b" not in result.stdout
    assert "way." in what_to_do(result)


def test_a_clock_that_is_wrong_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for minutes, words in ((90, "behind"), (-90, "ahead of")):
        date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
        with scripted(monkeypatch, answer(200, {"results": []}, f"Date: {date}")):
            result = doctor()
        assert result.exit_code == 3
        assert words in facts_of(result)["Clock"]
        assert "Set this machine's clock" in what_to_do(result)


# ---- TLS ----


def served_over_tls(serve: Serve, authority: trustme.CA, *names: str, **options: Any) -> Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **options).configure_cert(context)
    return serve(PAGE, tls=context)


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """A CA that this machine trusts."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("MERGE_API_KEY", KEY)
    return made


def test_the_handshake_is_timed(serve: Serve, authority: trustme.CA) -> None:
    server = served_over_tls(serve, authority, "127.0.0.1")
    made = report("--base-url", server.base_url)
    assert made["exit_code"] == 0
    assert set(made["network"]["milliseconds"]) >= {"connect", "tls", "first_byte"}
    assert all(time >= 0 for time in made["network"]["milliseconds"].values())


def test_a_ca_that_is_not_known_is_told(serve: Serve, authority: trustme.CA) -> None:
    result = doctor("--base-url", served_over_tls(serve, trustme.CA(), "127.0.0.1").base_url)
    assert result.exit_code == 5
    assert "which is not among the CA certificates" in what_to_do(result)
    assert what_to_do(result).endswith("give its root certificate by SSL_CERT_FILE.")


def test_a_certificate_that_has_run_out_is_told_with_this_machines_clock(
    serve: Serve, authority: trustme.CA
) -> None:
    past = datetime.now(UTC) - timedelta(days=9)
    times = {"not_before": past - timedelta(days=9), "not_after": past}
    result = doctor("--base-url", served_over_tls(serve, authority, "127.0.0.1", **times).base_url)
    assert result.exit_code == 5
    assert f"expired on {past:%Y-%m-%d}" in what_to_do(result)
    assert f"and here it is {datetime.now(UTC):%Y-%m-}" in what_to_do(result)
    assert what_to_do(result).count("clock") == 1


def test_a_certificate_for_another_host_is_told(serve: Serve, authority: trustme.CA) -> None:
    result = doctor("--base-url", served_over_tls(serve, authority, "api.example").base_url)
    assert result.exit_code == 5
    assert "showed a certificate for api.example, not for 127.0.0.1" in what_to_do(result)
    assert "Look at --base-url." in what_to_do(result)


def test_a_server_without_tls_is_told(sandbox: Sandbox, authority: trustme.CA) -> None:
    result = doctor("--base-url", sandbox.base_url.replace("http:", "https:"))
    assert result.exit_code == 5
    assert "speaks no TLS: it answered in plain text" in what_to_do(result)
    assert "is http:// meant in --base-url?" in what_to_do(result)


# ---- a timeout ----


def timed_out(base_url: str) -> str:
    arguments = ("--timeout", "0.3", "--base-url", base_url)
    result = doctor(*arguments, environment={"MERGE_API_KEY": KEY})
    assert result.exit_code == 5
    return what_to_do(result)


def test_a_handshake_that_takes_too_long_is_told(serve: Serve) -> None:
    text = timed_out(serve(stay_silent).base_url.replace("http:", "https:"))
    assert text.startswith("timed out in the TLS handshake with 127.0.0.1:")
    assert "Is TLS spoken at that port?" in text


def test_a_connection_that_takes_too_long_is_told() -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(2):  # its queue is full then, and what comes more is dropped
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        text = timed_out(f"http://127.0.0.1:{listener.getsockname()[1]}/api")
    assert text.startswith("timed out while connecting to 127.0.0.1:")
    assert "Does a firewall drop the packets?" in text
    assert text.count("a proxy leads out") == 1
    assert "name it: HTTPS_PROXY=" not in text
    assert text.endswith("Is the host of --base-url right?")


# ---- several at once ----


def test_every_problem_is_told_and_the_first_gives_the_exit_code() -> None:
    environment = {
        "MERGE_REGION": "de",
        "MERGE_API_KEY": f"{KEY} ",
        "SSL_CERT_FILE": "/nope",
        "HTTPS_PROXY": "ftp://x",
    }
    made = report(environment=environment)
    about = [problem["about"] for problem in made["problems"]]
    assert about == ["server", "api_key", "ca_certificates", "proxy"]
    assert made["exit_code"] == 3
    assert report("--region", "de", environment=environment)["exit_code"] == 2


def test_help_says_that_the_report_can_be_shown_to_others() -> None:
    text = " ".join(run("doctor", "--help").stdout.split())
    assert "No key, no password and no token is ever shown" in text
    for flag in ("--offline", "--format", "--timeout SECONDS", "[default: 10]"):
        assert flag in text
