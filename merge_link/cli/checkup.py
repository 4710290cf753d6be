"""What the doctor looks at. Each check returns a finding, which never holds a secret.

Every question about an option is put to the client itself: one is made in which all the rest is
known to be good, and says what it chose or why it cannot.
"""

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from merge_link import Client, _core, _environment, errors
from merge_link.cli import advice
from merge_link.cli.connection import Connection
from merge_link.cli.failures import ExitCode, Failure, Problem, Typed, failure_of
from merge_link.cli.probe import Answer, ask

# Stands in for a key where there is none, or where it does not matter.
_NO_KEY = "none"
# Reads as a certificate, and is never used: a client that is made connects to nobody.
_NO_CERTIFICATE = b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
# Not on loopback, which has no proxy: what is wrong with the proxy is to be found too.
_ANY_SERVER = {"base_url": "https://api.merge.dev/api", "region": "us"}
_MOST_CLOCK_SKEW = 60.0  # seconds


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


def _problem_of(
    connection: Connection,
    error: errors.MergeLinkError,
    *what_to_do: str,
    base_url: str | None = None,
) -> Problem:
    """Return what is wrong and what to do: what the error says of that, then ``what_to_do``."""
    typed = Typed(flags={}, in_file=frozenset(), file="", options=connection.words(base_url))
    problem = failure_of(error, typed).problems[0]
    return replace(problem, advice=(*problem.advice, *what_to_do))


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
        what = () if str(error).startswith("region") else (advice.REGION_IS_ENOUGH,)
        problem = _problem_of(connection, error, *what)
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
    if key.failure is not None:
        line = f"unreadable, from {key.source}"
        return Finding("api_key", facts, {"API key": line}, key.failure.problems[0])
    try:
        _client(api_key=key.value, base_url=base_url).close()
    except errors.ConfigurationError as error:
        what = (advice.ENCRYPT,) if "production" in str(error) else ()
        problem = _problem_of(connection, error, *what)
        line = f"unusable, from {key.source}" if key.source else "none"
        return Finding("api_key", facts, {"API key": line}, problem)
    kind = _kind_of(key)
    facts["kind"] = kind
    return Finding("api_key", facts, {"API key": f"{_KINDS[kind]}, from {key.source}"})


# ---- CA certificates ----

_CA_WORDS = {"system": "this system's", "certifi": "certifi's"}
_NO_CERTIFICATES = Problem(
    "No CA certificates are found: no server can be trusted.",
    (advice.INSTALL, advice.NAME_CERTIFICATES),
    ExitCode.CONFIGURATION,
)


def _check_certificates(connection: Connection, base_url: str) -> Finding:
    path, problem = None, None
    try:
        with _client(ca_bundle=None, base_url=base_url) as client:
            path = cast("str | None", client.ca_bundle)  # variables hold no PEM text
    except errors.ConfigurationError as error:
        path = str(_environment.read().get("ca_bundle"))
        what = (
            f"Correct {connection.words()['ca_bundle']}, or unset it: then this system's count"
            " (package ca-certificates)."
        )
        problem = _problem_of(connection, error, what)
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
        _NO_CERTIFICATES if path is None and needed else problem,
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
        what = "Unset it if this network needs no proxy."
        problem = _problem_of(connection, error, what, base_url=base_url)
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
        refusal = _problem_of(connection, error)
        is_told = refusal.text in {finding.problem.text for finding in found if finding.problem}
        return _untried("no: see what to do", None if is_told else refusal)
    problem = _problem_with(answer, connection, key.source if has_key else None, found)
    return Finding("network", answer.facts, answer.lines, problem)


def _ill(found: list[Finding]) -> set[str]:
    return {finding.name for finding in found if finding.problem is not None}


def _untried(why: str, problem: Problem | None = None) -> Finding:
    return Finding("network", {**Answer().facts, "reached": None}, {"Tried": why}, problem)


def _problem_with(
    answer: Answer, connection: Connection, key: str | None, found: list[Finding]
) -> Problem | None:
    """Return what is wrong with an answer; ``key`` says where the key is from, if there is one."""
    if not answer.is_good and answer.error is not None:
        if isinstance(answer.error, errors.TLSError) and "ca_certificates" in _ill(found):
            return None  # what comes of that
        facts = {finding.name: finding.facts for finding in found}
        base_url = facts["server"]["base_url"]
        problem = _problem_of(connection, answer.error, base_url=base_url)
        around = _surroundings(connection, key, facts)
        return replace(problem, advice=advice.advice_on(answer.error, problem.advice, around))
    if abs(answer.clock_ahead or 0.0) > _MOST_CLOCK_SKEW:
        text = f"This machine's clock is {answer.clock_words}."
        return Problem(text, (advice.CLOCK,), ExitCode.CONFIGURATION)
    return None


def _surroundings(
    connection: Connection,
    key: str | None,
    facts: Mapping[str, Mapping[str, Any]],
) -> advice.Surroundings:
    has_base_url = facts["server"]["region"] is None and not connection.sandbox
    words = connection.words(facts["server"]["base_url"])
    return advice.Surroundings(
        host=urlsplit(facts["server"]["base_url"]).hostname or "",
        base_url=words["base_url"] if has_base_url else None,
        key=key,
        proxy=words["proxy"] if facts["proxy"]["variable"] else None,
        no_proxy=words["no_proxy"],
    )


def _without_idle_alarm(findings: list[Finding]) -> list[Finding]:
    """No certificates of ours are missing where libcurl has trusted the server by its own."""
    trusted = any("tls" in finding.facts.get("milliseconds", ()) for finding in findings)
    return [
        replace(finding, problem=None)
        if trusted and finding.name == "ca_certificates" and finding.facts["path"] is None
        else finding
        for finding in findings
    ]
