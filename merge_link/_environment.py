"""The environment variables that a client reads. Called from the C core, for each new client.

What is found may be secret, so nothing here keeps it in a local variable or raises.
"""

import os
import sys

from merge_link import _core
from merge_link._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLES = {
    "api_key": "MERGE_API_KEY",
    "base_url": "MERGE_BASE_URL",
    "region": "MERGE_REGION",
}
_TRUE = {"1", "true", "yes", "on"}
# Loopback never goes through a proxy that only the environment names.
_LOOPBACK = "localhost,127.0.0.0/8,::1"
_PYTHON = f"Python/{'.'.join(map(str, sys.version_info[:3]))}"
_USER_AGENT = f"merge-link/{__version__} libcurl/{_core.versions()['libcurl']} {_PYTHON}"


def read(base_url: str | None) -> dict[str, object]:
    """Return the options that the environment gives, by their names. Empty values do not count."""
    environ = os.environ
    proxies = _proxy_variables(base_url or environ.get("MERGE_BASE_URL") or "")
    return {
        **{name: environ[key] for name, key in _VARIABLES.items() if environ.get(key)},
        **{"proxy": environ[key] for key in proxies if environ.get(key)},
        **_ca_bundle(),
        "allow_http": environ.get("MERGE_ALLOW_HTTP", "").lower() in _TRUE,
        "no_proxy": _no_proxy(environ.get("no_proxy") or environ.get("NO_PROXY") or ""),
        "user_agent": _USER_AGENT,
    }


def _ca_bundle() -> dict[str, object]:
    """Return the file that is named, else the first directory of the list that is there."""
    if file := os.environ.get("SSL_CERT_FILE"):
        return {"ca_bundle": file}
    directories = [path for path in os.environ.get("SSL_CERT_DIR", "").split(os.pathsep) if path]
    there = [path for path in directories if os.path.isdir(path)]
    return {"ca_bundle": path for path in (there or directories)[:1]}


def _proxy_variables(base_url: str) -> "Iterator[str]":
    """Yield the variables that may name a proxy, the one that counts most last, as curl has it.

    ``HTTP_PROXY`` in capitals is left out: a web server may set it from a request's header.
    """
    yield "ALL_PROXY"
    yield "all_proxy"
    if base_url.lower().startswith("http://"):
        yield "http_proxy"
    else:
        yield "HTTPS_PROXY"
        yield "https_proxy"


def _no_proxy(listed: str) -> str:
    return listed if listed.strip() == "*" else ",".join(filter(None, (listed, _LOOPBACK)))


def certifi_bundle() -> str | None:
    """Return the CA file of certifi, if that is installed."""
    from importlib import import_module

    try:
        return str(import_module("certifi").where())
    except ImportError:
        return None
