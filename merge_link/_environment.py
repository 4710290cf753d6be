"""The environment variables that a client reads. Called from the C core, for each new client.

What is found may be secret, so nothing here keeps it in a local variable or raises. What says
which rule chose something (``merge-link doctor`` shows it) gives names, never values.
"""

import os
import sys

from merge_link import _core
from merge_link._version import __version__

_VARIABLES = {
    "api_key": ("MERGE_API_KEY",),
    "base_url": ("MERGE_BASE_URL",),
    "region": ("MERGE_REGION",),
}
_TRUE = {"1", "true", "yes", "on"}
# Loopback never goes through a proxy that only the environment names.
_LOOPBACK = "localhost,127.0.0.0/8,::1"
_PYTHON = f"Python/{'.'.join(map(str, sys.version_info[:3]))}"
_USER_AGENT = f"merge-link/{__version__} libcurl/{_core.versions()['libcurl']} {_PYTHON}"


def read(base_url: str | None) -> dict[str, object]:
    """Return the options that the environment gives, by their names. Empty values do not count."""
    environ = os.environ
    return {
        **_first("api_key", *_VARIABLES["api_key"]),
        **_first("base_url", *_VARIABLES["base_url"]),
        **_first("region", *_VARIABLES["region"]),
        **_first("proxy", *_proxy_variables(base_url or environ.get("MERGE_BASE_URL") or "")),
        **(_first("ca_bundle", "SSL_CERT_FILE") or _ca_directory()),
        "allow_http": environ.get("MERGE_ALLOW_HTTP", "").lower() in _TRUE,
        "no_proxy": _no_proxy(environ.get("no_proxy") or environ.get("NO_PROXY") or ""),
        "user_agent": _USER_AGENT,
    }


def _first_set(*variables: str) -> str | None:
    """Return the name of the first variable that has a value."""
    return next((variable for variable in variables if os.environ.get(variable)), None)


def _first(option: str, *variables: str) -> dict[str, object]:
    """Return the option with the value of the first variable that has one; else nothing."""
    variable = _first_set(*variables)
    return {option: os.environ[variable]} if variable else {}


def variable_of(option: str) -> str | None:
    """Return the name of the variable that gives ``api_key``, ``base_url`` or ``region``."""
    return _first_set(*_VARIABLES[option])


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


class ProxyChoice:
    """Which proxy the environment names for a server, and why. The URL may hold a password."""

    __slots__ = ("reason", "url", "variable")

    def __init__(self, url: str | None, variable: str | None, reason: str) -> None:
        self.url = url
        self.variable = variable
        self.reason = reason


def proxy_choice(base_url: str) -> ProxyChoice:
    """Return the proxy that the environment names for that base URL, if any."""
    variables = _proxy_variables(base_url)
    variable = _first_set(*variables)
    if variable is None:
        return ProxyChoice(None, None, f"neither {variables[0]} nor {variables[-1]} is set")
    if base_url.partition("://")[2].startswith(("127.", "localhost", "[::1]")):
        return ProxyChoice(None, variable, "never for this machine itself")
    return ProxyChoice(os.environ[variable], variable, f"{variable} names it")


def _proxy_variables(base_url: str) -> tuple[str, ...]:
    """Return the variables that may name a proxy, the one that counts most first, as curl has it.

    ``HTTP_PROXY`` in capitals is left out: a web server may set it from a request's header.
    """
    if base_url.lower().startswith("http://"):
        return ("http_proxy", "all_proxy", "ALL_PROXY")
    return ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


def _no_proxy(listed: str) -> str:
    return listed if listed.strip() == "*" else ",".join(filter(None, (listed, _LOOPBACK)))


def certifi_bundle() -> str | None:
    """Return the CA file of certifi, if that is installed."""
    from importlib import import_module

    try:
        return str(import_module("certifi").where())
    except ImportError:
        return None
