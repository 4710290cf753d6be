"""The environment variables that a client reads. Called from the C core, for each new client.

What is found may be secret, so nothing here keeps it in a local variable or raises.
"""

import os
import sys

from merge_link import _core
from merge_link._version import __version__

# Options that a variable of that name gives.
_OPTIONS = ("api_key", "base_url", "region")
_TRUE = {"1", "true", "yes", "on"}
# Loopback never goes through a proxy that only the environment names.
_LOOPBACK = "localhost,127.0.0.0/8,::1"
_PYTHON = f"Python/{'.'.join(map(str, sys.version_info[:3]))}"
_USER_AGENT = f"merge-link/{__version__} libcurl/{_core.versions()['libcurl']} {_PYTHON}"


def read(base_url: str | None) -> dict[str, object]:
    """Return the options that the environment gives, by their names. Empty values do not count."""
    environ = os.environ
    return {
        **_first("api_key", "MERGE_API_KEY"),
        **_first("base_url", "MERGE_BASE_URL"),
        **_first("region", "MERGE_REGION"),
        **_first("proxy", *_proxy_variables(base_url or environ.get("MERGE_BASE_URL") or "")),
        **(_first("ca_bundle", "SSL_CERT_FILE") or _ca_directory()),
        "allow_http": environ.get("MERGE_ALLOW_HTTP", "").lower() in _TRUE,
        "no_proxy": _no_proxy(environ.get("no_proxy") or environ.get("NO_PROXY") or ""),
        "user_agent": _USER_AGENT,
    }


def _first(option: str, *variables: str) -> dict[str, object]:
    """Return the option with the value of the first variable that has one; else nothing."""
    for variable in variables:
        if os.environ.get(variable):
            return {option: os.environ[variable]}
    return {}


def variable_of(option: str) -> str | None:
    """Return the variable that gives this option, if it is set."""
    variable = f"MERGE_{option.upper()}"
    return variable if option in _OPTIONS and os.environ.get(variable) else None


def _ca_directory() -> dict[str, object]:
    """Return the first directory of SSL_CERT_DIR that is there, or the first if none is."""
    listed = [path for path in os.environ.get("SSL_CERT_DIR", "").split(os.pathsep) if path]
    there = [path for path in listed if os.path.isdir(path)]
    return {"ca_bundle": (there or listed)[0]} if listed else {}


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
