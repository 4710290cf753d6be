"""Which hosts the sandbox may listen at, and by which names its commands may be called."""

import ipaddress
from urllib.parse import urlsplit

DEFAULT = "127.0.0.1"


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach what listens there."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def origin(scheme: str, host: str, port: int) -> str:
    """What URLs of a server that listens there begin with.

    Where it listens at all addresses, they name ``localhost``: in a container, that is where its
    port is published to.
    """
    address = _address(host)
    if address is not None and address.is_unspecified:
        host = "localhost"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def is_ours(header: str, *, remote: bool) -> bool:
    """Whether the header ``Host`` names the sandbox, as no page of the internet could have it.

    Such a page may point a name of its own at this machine, and its browser then sends that name.
    So only loopback is ours, and for ``remote`` callers what no one else can own a page of: IP
    addresses, names without a dot (of a container) and names that end in ``.internal``.
    """
    try:
        host = urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return False
    if is_loopback(host):
        return True
    is_local_name = host != "" and ("." not in host or host.endswith(".internal"))
    return remote and (_address(host) is not None or is_local_name)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
