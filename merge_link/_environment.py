"""The environment variables that a client reads. Called from the C core, for each new client.

What is found may be secret, so nothing here keeps it in a local variable or raises. What says
which rule chose something (``merge-link doctor`` shows it) gives names, never values.
"""

from __future__ import annotations

import os
import sys

from merge_link import _core
from merge_link._version import __version__
from merge_link.records import Record, credential

# Options that a variable of that name gives.
_OPTIONS = ("api_key", "base_url", "region")
_TRUE = {"1", "true", "yes", "on"}
_PYTHON = f"Python/{'.'.join(map(str, sys.version_info[:3]))}"
_USER_AGENT = f"merge-link/{__version__} libcurl/{_core.versions()['libcurl']} {_PYTHON}"


def read() -> dict[str, object]:
    """Return the options that the environment gives, by their names. Empty values do not count."""
    environ = os.environ
    return {
        **_first("api_key", "MERGE_API_KEY"),
        **_first("base_url", "MERGE_BASE_URL"),
        **_first("region", "MERGE_REGION"),
        **(_first("ca_bundle", "SSL_CERT_FILE") or _ca_directory()),
        "allow_http": environ.get("MERGE_ALLOW_HTTP", "").lower() in _TRUE,
        "user_agent": _USER_AGENT,
    }


def _first_set(*variables: str) -> str | None:
    """Return the name of the first variable that has a value."""
    return next((variable for variable in variables if os.environ.get(variable)), None)


def _first(option: str, *variables: str) -> dict[str, object]:
    """Return the option with the value of the first variable that has one; else nothing."""
    variable = _first_set(*variables)
    return {} if variable is None else {option: os.environ[variable]}


def variable_of(option: str) -> str | None:
    """Return the variable that gives this option, if it is set."""
    variable = f"MERGE_{option.upper()}"
    return variable if option in _OPTIONS and os.environ.get(variable) else None


def server_rule(*, base_url: bool, region: bool) -> str:
    """Return which rule chooses the server, when those options are given or not.

    ``base_url`` and ``region`` name the options, ``MERGE_BASE_URL`` and ``MERGE_REGION`` the
    variables; else ``default``. The core fills the options in this order.
    """
    return (
        ("base_url" if base_url else variable_of("base_url"))
        or ("region" if region else variable_of("region"))
        or "default"
    )


def _ca_directory() -> dict[str, object]:
    """Return the first directory of SSL_CERT_DIR that is there, or the first if none is."""
    listed = [path for path in os.environ.get("SSL_CERT_DIR", "").split(os.pathsep) if path]
    there = [path for path in listed if os.path.isdir(path)]
    return {"ca_bundle": (there or listed)[0]} if listed else {}


def ca_rule(path: str | None) -> str:
    """Return where the CA certificates at ``path`` that a client uses come from.

    A variable's name, ``system``, ``certifi`` or, without a path, ``none``.
    """
    if path is None:
        return "none"
    if os.environ.get("SSL_CERT_FILE"):
        return "SSL_CERT_FILE"
    if _ca_directory():
        return "SSL_CERT_DIR"
    return "system" if path == _core.system_ca() else "certifi"


class ProxyChoice(Record):
    """The proxy that the environment gives for a base URL, and why.

    ``url`` may hold a password; None: no proxy. ``variable`` is the one that names it. ``reason``
    is a short text for people, without secrets.
    """

    url: str | None = credential(default=None)
    variable: str | None = None
    reason: str


_NO_PROXY = ProxyChoice(reason="no proxy variable is set")


def proxy_choice(base_url: str) -> ProxyChoice:
    """Return the proxy that the environment gives for a base URL, and why.

    A client has one base URL, so this is decided once, when it is made. A ``proxy=`` of its own
    counts more, and nothing here is asked then.
    """
    variable = _first_set(*_proxy_variables(base_url))
    if variable is None:
        return _no_proxy_at_all()
    origin = _core.origin(base_url)
    if origin is None:
        return ProxyChoice(reason="the base URL is no URL of http or https")
    _, host, port, is_loopback = origin
    if is_loopback:
        return ProxyChoice(reason=f"{host} is loopback: {variable} does not count")
    exception = _no_proxy_entry(host, port)
    if exception is not None:
        return ProxyChoice(reason=f"{exception}: {variable} does not count")
    return ProxyChoice(url=os.environ[variable], variable=variable, reason=f"{variable} is set")


def _no_proxy_at_all() -> ProxyChoice:
    """Return that there is no proxy; a variable that is set for other URLs is no riddle then."""
    other = _first_set("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY")
    if other is None:  # as on most machines; the module's functions ask at each call
        return _NO_PROXY
    if other == "HTTP_PROXY":
        return ProxyChoice(reason="HTTP_PROXY in capitals does not count, http_proxy does")
    scheme = other.lower().partition("_")[0]
    return ProxyChoice(reason=f"{other} is for {scheme}:// alone")


def _proxy_variables(base_url: str) -> tuple[str, ...]:
    """Return the variables that may name a proxy, the one that counts most first, as curl has it.

    ``HTTP_PROXY`` in capitals is left out: a web server may set it from a request's header.
    """
    if base_url.lower().startswith("http://"):
        return ("http_proxy", "all_proxy", "ALL_PROXY")
    return ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def _no_proxy_entry(host: str, port: int) -> str | None:
    """Return which entry of which variable keeps the host from the proxy, in words."""
    variable = _first_set("no_proxy", "NO_PROXY")
    if variable is None:
        return None

    from merge_link._no_proxy import entry_for

    entry = entry_for(os.environ[variable], host, port)
    return None if entry is None else f"{variable} has {entry}"


def certifi_bundle() -> str | None:
    """Return the CA file of certifi, if that is installed."""
    from importlib import import_module

    try:
        return str(import_module("certifi").where())
    except ImportError:
        return None
