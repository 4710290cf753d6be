"""What the doctor looks at. Each check returns a finding, which never holds a secret.

Every question about an option is put to the client itself: one is made in which all the rest is
known to be good, and says what it chose or why it cannot.
"""

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from merge_link import Client, _core, _environment, errors
from merge_link.cli import advice
from merge_link.cli.connection import Connection
from merge_link.cli.failures import ExitCode, Failure, Typed, exit_code_of, failure_of
from merge_link.cli.probe import Answer, ask

# Stands in for a key where there is none, or where it does not matter.
_NO_KEY = "none"
# Reads as a certificate, and is never used: a client that is made connects to nobody.
_NO_CERTIFICATE = b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
_ANY_SERVER = {"base_url": "https://localhost/api", "region": "us"}
_MOST_CLOCK_SKEW = 60.0  # seconds


@dataclass(frozen=True)
class Problem:
    """Something that keeps tokens from being made: what it is, and what to do."""

    text: str
    advice: tuple[str, ...]
    code: ExitCode


@dataclass(frozen=True)
class Finding:
    """What a check found: a name and facts for JSON, labelled lines for a person."""

    name: str
    facts: Mapping[str, Any]
    lines: Mapping[str, str | None]
    problem: Problem | None = None


def examine(connection: Connection, *, offline: bool) -> list[Finding]:
    """Make all checks, that of the network last. Raises `Failure` when there is no sandbox."""
    with connection.options() as options:
        key = _find_key(connection, options)
        server = _check_server(connection, options)
        base_url = server.facts["base_url"] or _ANY_SERVER["base_url"]
        findings = [
            _check_versions(),
            server,
            _check_key(connection, key, base_url),
            _check_certificates(connection, base_url),
            _check_proxy(connection, base_url),
        ]
        if offline:
            findings.append(_untried("no (--offline)"))
        else:
            findings.append(_check_network(connection, options, key, findings))
        return _without_idle_alarm(findings)


def _client(**options: Any) -> Client:
    """Return a client with these options, and others that are known to be good.

    None leaves an option to the environment.
    """
    good = {**_ANY_SERVER, "api_key": _NO_KEY, "ca_bundle": _NO_CERTIFICATE, "proxy": ""}
    return Client(**{**good, **options})


def _refusal(
    connection: Connection, error: errors.ConfigurationError, *what_to_do: str, **words: str
) -> Problem:
    """Return the problem that a client has with an option; ``words`` are other names of options."""
    options = {**connection.words(), **words}
    typed = Typed(flags={}, in_file=frozenset(), file="", options=options)
    failure = failure_of(error, typed)
    return Problem(failure.message, what_to_do, failure.code)


# ---- versions ----

_VERSION_LABELS = {
    "merge_link": "merge-link",
    "libcurl": "libcurl",
    "tls": "TLS library",
    "cjson": "cJSON",
    "python": "Python",
    "platform": "Platform",
}


def _check_versions() -> Finding:
    facts = {
        **{name: str(version) for name, version in _core.versions().items()},
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
    }
    return Finding(
        "versions", facts, {label: facts[name] for name, label in _VERSION_LABELS.items()}
    )


# ---- server ----


def _check_server(connection: Connection, options: dict[str, Any]) -> Finding:
    rule = _server_rule(connection)
    facts: dict[str, Any] = {"base_url": None, "region": None, "chosen_by": rule or "default"}
    try:
        with _client(base_url=options["base_url"], region=options.get("region")) as client:
            facts |= {"base_url": client.base_url, "region": client.region}
    except errors.ConfigurationError as error:
        what = () if str(error).startswith("region") else (advice.BASE_URL,)
        problem = _refusal(connection, error, *what)
        return Finding("server", facts, {"Server": f"unusable, from {rule}"}, problem)
    region = f"region {client.region}, " if client.region is not None else ""
    idle = "; --region has no effect beside it" if connection.region and not region else ""
    chosen = f"from {rule}" if rule else "by default"
    return Finding("server", facts, {"Server": f"{client.base_url} ({region}{chosen}{idle})"})


def _server_rule(connection: Connection) -> str | None:
    """Return the flag or variable that chose the server, None for the default."""
    if connection.sandbox:
        return "--sandbox"
    rule = _environment.server_rule(
        base_url=connection.base_url is not None, region=connection.region is not None
    )
    flags = {"base_url": "--base-url", "region": "--region", "default": None}
    return flags[rule] if rule in flags else connection.variable(rule)


# ---- key ----


class _Key(NamedTuple):
    """The key: ``value`` None is that of the environment; ``source`` None: there is none."""

    value: str | None
    source: str | None
    failure: Failure | None = None

    def __repr__(self) -> str:
        return f"<key from {self.source}>"


def _find_key(connection: Connection, options: dict[str, Any]) -> _Key:
    if connection.sandbox:
        return _Key(options["api_key"], "--sandbox")
    if connection.api_key_file is not None:
        try:
            return _Key(connection.api_key(), "--api-key-file")
        except Failure as failure:
            return _Key(None, "--api-key-file", failure)
    variable = _environment.variable_of("api_key")
    return _Key(None, connection.variable(variable) if variable else None)


def _kind_of(key: _Key) -> str:
    value = os.environ["MERGE_API_KEY"] if key.value is None else key.value
    return next((kind for kind in ("test", "production") if value.startswith(f"{kind}_")), "other")


_KINDS = {
    "test": "a test_ key",
    "production": "a production_ key",
    "other": "a key that begins with neither test_ nor production_, as Merge's do",
}


def _check_key(connection: Connection, key: _Key, base_url: str) -> Finding:
    facts = {"kind": None, "from": key.source}
    if key.source is None:
        problem = Problem("There is no API key.", advice.NO_KEY, ExitCode.CONFIGURATION)
        return Finding("api_key", facts, {"API key": "none"}, problem)
    if key.failure is not None:
        problem = Problem(key.failure.message, (), key.failure.code)
        return Finding("api_key", facts, {"API key": f"unreadable, from {key.source}"}, problem)
    try:
        _client(api_key=key.value, base_url=base_url).close()
    except errors.ConfigurationError as error:
        what = advice.ENCRYPT if "production" in str(error) else advice.WRONG_KEY
        problem = _refusal(connection, error, what)
        return Finding("api_key", facts, {"API key": f"unusable, from {key.source}"}, problem)
    kind = _kind_of(key)
    facts["kind"] = kind
    return Finding("api_key", facts, {"API key": f"{_KINDS[kind]}, from {key.source}"})


# ---- CA certificates ----

_CA_WORDS = {"system": "this system's", "certifi": "certifi's"}


def _check_certificates(connection: Connection, base_url: str) -> Finding:
    path, problem = None, None
    try:
        with _client(ca_bundle=None, base_url=base_url) as client:
            path = client.ca_bundle
    except errors.ConfigurationError as error:
        path = str(_environment.read().get("ca_bundle"))
        problem = _refusal(connection, error, *advice.NO_CERTIFICATES)
    rule = _environment.ca_rule(path)
    kind, count = _look_into(path)
    needed = not base_url.startswith("http://")
    text = "none found"
    if path is not None:
        words = _CA_WORDS.get(rule, f"from {connection.variable(rule)}")
        inside = "unusable" if problem else f"{kind} with {_counted(count)}"
        text = f"{path} ({inside}, {words})"
    return Finding(
        "ca_certificates",
        {"path": path, "kind": kind, "count": count, "from": rule},
        {"CA certificates": text},
        problem or (_problem_of_certificates(path, kind, count) if needed else None),
    )


def _look_into(path: str | None) -> tuple[str | None, int | None]:
    """Return whether CA certificates are in a directory or a file, and how many there are."""
    if path is None:
        return None, None
    kind = "directory" if os.path.isdir(path) else "file"
    try:
        if kind == "directory":
            names = os.listdir(path)
            return kind, sum(re.fullmatch(r"[0-9a-f]{8}\.\d+", name) is not None for name in names)
        with open(path, "rb") as file:
            return kind, len(re.findall(b"-BEGIN (?:X509 |TRUSTED )?CERTIFICATE-", file.read()))
    except OSError:
        return kind, None


def _counted(count: int | None) -> str:
    if count is None:
        return "an unknown number of certificates"
    return "1 certificate" if count == 1 else f"{count} certificates"


def _problem_of_certificates(
    path: str | None, kind: str | None, count: int | None
) -> Problem | None:
    if path is None:
        text = "No CA certificates are found: no server can be trusted."
    elif count == 0 and kind == "directory":
        text = f"{path} holds no certificate under a hashed name (openssl rehash makes them)."
    elif count == 0:
        text = f"{path} holds no certificate in PEM."
    else:
        return None
    return Problem(text, advice.NO_CERTIFICATES, ExitCode.CONFIGURATION)


# ---- proxy ----


def _check_proxy(connection: Connection, base_url: str) -> Finding:
    choice = _environment.proxy_choice(base_url)
    server, has_password = _shown_proxy(choice.url)
    facts = {
        "server": server,
        "has_password": has_password,
        "variable": choice.variable,
        "reason": choice.reason,
    }
    try:
        _client(proxy=None, base_url=base_url).close()
    except errors.ConfigurationError as error:
        what = f"Correct {choice.variable}: http://HOST:PORT, or unset it."
        problem = _refusal(connection, error, what, proxy=str(choice.variable))
        return Finding("proxy", facts, {"Proxy": f"unusable, from {choice.variable}"}, problem)
    if choice.url is None:
        return Finding("proxy", facts, {"Proxy": f"none: {choice.reason}"})
    variable = connection.variable(choice.variable or "")
    password = ", with a password" if has_password else ""
    return Finding("proxy", facts, {"Proxy": f"{server}{password} (from {variable})"})


def _shown_proxy(url: str | None) -> tuple[str | None, bool]:
    """Return a proxy's URL without user and password, and whether it has a password."""
    if url is None:
        return None, False
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError:
        return "unreadable", False
    user, _, address = parts.netloc.rpartition("@")
    # What stands after an unencoded "/" in a password looks like a path.
    if "@" in f"{parts.path}{parts.query}{parts.fragment}":
        return "unreadable", True
    return f"{parts.scheme}://{address}", ":" in user


# ---- the network ----


def _check_network(
    connection: Connection, options: dict[str, Any], key: _Key, found: list[Finding]
) -> Finding:
    """Make the cheapest read, once."""
    ill = _ill(found)
    has_key = key.source is not None and "api_key" not in ill
    try:
        answer = ask({**options, "api_key": key.value if has_key else _NO_KEY}, has_key=has_key)
    except errors.ConfigurationError as error:
        # It has been told already, unless it is about what no other check looks at.
        problem = None if ill else _refusal(connection, error)
        return _untried("no: see what to do", problem)
    problem = _problem_of(answer, f"The key from {key.source}" if has_key else None, found)
    return Finding("network", answer.facts, answer.lines, problem)


def _ill(found: list[Finding]) -> set[str]:
    return {finding.name for finding in found if finding.problem is not None}


def _untried(why: str, problem: Problem | None = None) -> Finding:
    return Finding("network", {**Answer().facts, "reached": None}, {"Tried": why}, problem)


def _problem_of(answer: Answer, key: str | None, found: list[Finding]) -> Problem | None:
    """Return what is wrong with an answer; ``key`` says what to call the key, if there is one."""
    if not answer.is_good and answer.error is not None:
        if isinstance(answer.error, errors.TLSError) and "ca_certificates" in _ill(found):
            return None  # what comes of that
        facts = {finding.name: finding.facts for finding in found}
        rule = facts["server"]["chosen_by"]
        around = advice.Surroundings(
            host=urlsplit(facts["server"]["base_url"]).hostname or "",
            server_rule=None if rule == "default" else rule,
            key=key,
            proxy=facts["proxy"]["server"],
            proxy_variable=facts["proxy"]["variable"],
        )
        what = advice.advice_on(answer.error, around)
        return Problem(str(answer.error), what, exit_code_of(answer.error))
    if abs(answer.clock_ahead or 0.0) > _MOST_CLOCK_SKEW:
        text = f"This machine's clock is {answer.clock_words}."
        return Problem(text, (advice.CLOCK,), ExitCode.CONFIGURATION)
    return None


def _without_idle_alarm(findings: list[Finding]) -> list[Finding]:
    """No certificates of ours are missing where libcurl has trusted the server by its own."""
    trusted = any("tls" in finding.facts.get("milliseconds", ()) for finding in findings)
    return [
        replace(finding, problem=None)
        if trusted and finding.name == "ca_certificates" and finding.facts["path"] is None
        else finding
        for finding in findings
    ]
