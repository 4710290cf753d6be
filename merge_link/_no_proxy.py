"""Reading ``NO_PROXY``: does one of its entries keep a host away from the proxy?

Entries stand between commas or white space. Each is ``*`` for every host, a host name for it and
all hosts below it (``merge.dev``, ``.merge.dev`` and ``*.merge.dev`` mean the same), an IP address
or a network like ``10.0.0.0/8``. A ``:port`` behind it limits it to that port; an IPv6 address then
stands in brackets. Case does not count.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address


def entry_for(listed: str, host: str, port: int) -> str | None:
    """Return the first entry that covers the host, as it is written; None if there is none."""
    name = host.lower().rstrip(".")
    address = _address_of(name)
    for entry in listed.replace(",", " ").split():
        if _covers(entry.lower(), name, address, port):
            return entry
    return None


def _address_of(host: str) -> IPv4Address | IPv6Address | None:
    if not host.endswith("]") and not host[-1:].isdigit():
        return None  # without loading a module for it

    from ipaddress import ip_address

    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _covers(entry: str, name: str, address: IPv4Address | IPv6Address | None, port: int) -> bool:
    pattern, wanted = _split_port(entry)
    if wanted not in ("", str(port)):
        return False
    if pattern == "*":
        return True
    return _is_name_below(pattern, name) if address is None else _is_in_network(pattern, address)


def _split_port(entry: str) -> tuple[str, str]:
    """Split off the port. Of colons without brackets, only a single one stands before a port."""
    if entry.startswith("["):
        pattern, _, port = entry[1:].partition("]")
        if port.startswith("/"):
            return pattern + port, ""
        return pattern, port.removeprefix(":")
    if entry.count(":") == 1:
        pattern, _, port = entry.partition(":")
        return pattern, port
    return entry, ""


def _is_in_network(pattern: str, address: IPv4Address | IPv6Address) -> bool:
    from ipaddress import ip_network

    try:
        return address in ip_network(pattern, strict=False)
    except ValueError:
        return False


def _is_name_below(pattern: str, name: str) -> bool:
    bare = pattern.removeprefix("*").strip(".")
    return bare != "" and f".{name}".endswith(f".{bare}")
