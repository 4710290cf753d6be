"""Reading ``NO_PROXY``: does one of its entries keep a host away from the proxy?

Entries stand between commas or white space. Each is ``*`` for every host, a host name for it and
all hosts below it (``merge.dev``, ``.merge.dev`` and ``*.merge.dev`` mean the same), an IP address
or a network like ``10.0.0.0/8``. A ``:port`` behind it limits it to that port; an IPv6 address then
stands in brackets. Case does not count.
"""


def entry_for(listed: str, host: str, port: int) -> str | None:
    """Return the first entry that covers the host, as it is written; None if there is none."""
    for entry in listed.replace(",", " ").split():
        if _covers(entry.lower(), host.lower().rstrip("."), port):
            return entry
    return None


def _covers(entry: str, host: str, port: int) -> bool:
    pattern, wanted = _split_port(entry)
    if wanted not in ("", str(port)):
        return False
    if pattern == "*":
        return True
    found = _is_in_network(pattern, host)
    return _is_name_below(pattern, host) if found is None else found


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


def _is_in_network(pattern: str, host: str) -> bool | None:
    """None: the pattern is no address, or the host is none."""
    from ipaddress import ip_address, ip_network

    try:
        address = ip_address(host.strip("[]"))
        return address in ip_network(pattern, strict=False)
    except ValueError:
        return None


def _is_name_below(pattern: str, host: str) -> bool:
    name = pattern.removeprefix("*").strip(".")
    return name != "" and f".{host}".endswith(f".{name}")
