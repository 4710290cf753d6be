"""What to do about what the doctor found, beside what the errors say themselves.

Errors name the cause and mostly the remedy. Here is what only the command line knows: which
variable or flag to correct, and what to look at on this machine. Each piece of advice is one line.
"""

from dataclasses import dataclass

from merge_link import errors

ENCRYPT = "Use an https:// address, or a test_ key."
INSTALL = (
    "Install the package ca-certificates (apt-get, dnf, apk or zypper install it), or"
    " pip install certifi."
)
NAME_CERTIFICATES = "Or name a PEM file with CA certificates in SSL_CERT_FILE."
REGION_IS_ENOUGH = "For Merge's own servers a region is enough: us, eu or apac."
CLOCK = "Set this machine's clock (timedatectl set-ntp true): TLS and a token's expiry go by it."

# Of the errors' notes: the doctor chooses the category itself, and asks once.
_NOT_OF_A_READ = ("Is the category right", "A call waits")


@dataclass(frozen=True)
class Surroundings:
    """Between whom a request failed.

    ``base_url`` and ``key`` say what gave the base URL and the key, None when nothing did.
    ``proxy`` is the variable that names the proxy, None when there is none; ``no_proxy`` leads past
    it.
    """

    host: str
    base_url: str | None
    key: str | None
    proxy: str | None
    no_proxy: str


def advice_on(
    error: errors.MergeLinkError, remedies: tuple[str, ...], around: Surroundings
) -> tuple[str, ...]:
    """Return what to try when the server was not reached, or answered no.

    ``remedies`` is what the error says of that.
    """
    known = tuple(line for line in remedies if not line.startswith(_NOT_OF_A_READ))
    own = _own_advice(error, around)
    return (*known, *(line for line in own if not any(line in remedy for remedy in known)))


def _own_advice(error: errors.MergeLinkError, around: Surroundings) -> tuple[str, ...]:
    match error:
        case errors.APIError() | errors.ResponseError():
            return _on_answer(error, around)
        case errors.TransportError() if error._cause.startswith("proxy"):
            return _on_proxy(error, around)
        case errors.TLSError():
            return ()
        case errors.RequestTimeoutError():
            return _on_timeout(error, around)
        case errors.TransportError():
            return _on_transport(error, around)
    return ()


# ---- no answer ----


def _on_proxy(error: errors.TransportError, around: Surroundings) -> tuple[str, ...]:
    named = f"The proxy is that of {around.proxy}."
    if isinstance(error, errors.TLSError) or error._cause == "proxy_login":
        return (named,)
    if error._cause == "proxy_is_none":
        return (named, "Correct it, or unset it if this network needs no proxy.")
    if error._cause == "proxy_refusal":
        return (
            f"Ask who runs the proxy to let {around.host} through; or correct {around.proxy}, if it"
            " is no proxy at all.",
        )
    return (
        named,
        "Correct it, or unset it if this network needs no proxy.",
        f"{around.no_proxy} leads past it for this host alone.",
    )


def _on_transport(error: errors.TransportError, around: Surroundings) -> tuple[str, ...]:
    if error.code == "CURLE_COULDNT_RESOLVE_HOST":
        return (_on_lookup(around), *_maybe_server(around))
    if error.code == "CURLE_COULDNT_CONNECT":
        return _maybe_server(around)
    return (
        "Try again; if it stays so, something in between (firewall, proxy, VPN) cuts the"
        " connection.",
        *_maybe_server(around),
    )


def _on_lookup(around: Surroundings) -> str:
    return (
        f"Does getent hosts {around.host} find it? If not, look at /etc/resolv.conf, which says"
        " who is asked."
    )


def _on_timeout(error: errors.RequestTimeoutError, around: Surroundings) -> tuple[str, ...]:
    """Add to what the error says of the step at which the time was up."""
    lookup = (_on_lookup(around),) if error._cause == "lookup" else ()
    return (*lookup, *_maybe_server(around))


def _maybe_server(around: Surroundings) -> tuple[str, ...]:
    if around.base_url is None:
        return ()
    return (f"Is the host of {around.base_url} right?",)


# ---- an answer, but no ----


def _on_answer(
    error: errors.APIError | errors.ResponseError, around: Surroundings
) -> tuple[str, ...]:
    match error.status_code:
        case 401:
            return (f"The key that is refused is that of {around.key}.",)
        case 403:
            return (
                "The key may not do this, or something before Merge (a proxy, a firewall) forbids"
                " it.",
            )
        case 407:
            return (
                "A proxy on the way wants a login: name it by"
                " HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT",
            )
        case 429:
            return ("Wait a minute.",)
        case status if status >= 500:
            return ("Try again in a few minutes.",)
    return (
        "A base URL is what stands before /{category}, such as https://api.merge.dev/api.",
        REGION_IS_ENOUGH,
        "If that is right: does the network ask for a sign-in first?",
    )
