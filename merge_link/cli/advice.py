"""What to do about what the doctor found. Each piece of advice is one line."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from merge_link import errors

NO_KEY = (
    "Take a key from Merge's dashboard (one that begins with test_ to try things out) and put it"
    " into MERGE_API_KEY, a file for --api-key-file or a .env file for --env-file.",
    "Without a key, merge-link create --sandbox shows what an answer looks like.",
)
WRONG_KEY = "Copy the key again from Merge's dashboard, whole and without quotes."
ENCRYPT = "Use an https:// address, or a test_ key."
NO_CERTIFICATES = (
    "Install the package ca-certificates (apt-get, dnf, apk or zypper install it), or"
    " pip install certifi.",
    "Or name a PEM file with CA certificates in SSL_CERT_FILE.",
)
BASE_URL = (
    "A base URL is what stands before /{category}, such as https://api.merge.dev/api; for Merge's"
    " own servers a region is enough: us, eu or apac."
)
CLOCK = "Set this machine's clock (timedatectl set-ntp true): TLS and a token's expiry go by it."


@dataclass(frozen=True)
class Surroundings:
    """Between whom a request failed.

    ``server_rule`` and ``key`` say what gave the server and the key, None for the default and for
    no key. ``proxy`` is what to call the proxy, without its password, and ``proxy_variable`` what
    names it; both None when there is none.
    """

    host: str
    server_rule: str | None
    key: str | None
    proxy: str | None
    proxy_variable: str | None


def advice_on(error: errors.MergeLinkError, around: Surroundings) -> tuple[str, ...]:
    """Return what to try when the server was not reached, or answered no."""
    match error:
        case errors.APIError(status_code=407):
            return _on_proxy("407", around)
        case errors.APIError() | errors.ResponseError():
            return _on_answer(error, around)
        case errors.TLSError():
            return _on_tls(str(error).lower(), around)
        case errors.RequestTimeoutError():
            return _on_timeout(str(error).lower(), around)
        case errors.TransportError():
            return _on_transport(error, around)
    return ()


# ---- no answer ----


def _on_transport(error: errors.TransportError, around: Surroundings) -> tuple[str, ...]:
    text = str(error)
    if around.proxy is not None and (_names_proxy(text) or error.code in _OF_THE_WAY):
        return _on_proxy(text, around)
    if error.code == "CURLE_COULDNT_RESOLVE_HOST":
        return (
            f"The name {around.host} cannot be looked up. Is this machine online? Does"
            f" getent hosts {around.host} find it? If not, look at /etc/resolv.conf.",
            *_maybe_server(around),
            *_maybe_proxy(around),
        )
    if error.code == "CURLE_COULDNT_CONNECT":
        return (
            f"{around.host} takes no connections from here: nothing listens at that port, or a"
            " firewall is in between.",
            *_maybe_server(around),
            *_maybe_proxy(around),
        )
    return (
        "The connection broke before an answer came: try again; if it stays so, something in"
        " between (firewall, proxy, VPN) cuts it.",
        *_maybe_server(around),
    )


_OF_THE_WAY = {"CURLE_COULDNT_CONNECT", "CURLE_COULDNT_RESOLVE_PROXY", "CURLE_PROXY"}


def _names_proxy(text: str) -> bool:
    return re.search("proxy|connect tunnel", text, re.IGNORECASE) is not None


def _on_proxy(text: str, around: Surroundings) -> tuple[str, ...]:
    variable = around.proxy_variable or "HTTPS_PROXY"
    if re.search(r"\b407\b", text):
        return (
            f"The proxy wants a user name and a password, or others: set {variable} to"
            " http://USER:PASSWORD@HOST:PORT (special characters percent-encoded).",
        )
    if answered := re.search(r"\b[45]\d\d\b", text):
        return (
            f"The proxy {around.proxy} answered {answered[0]}: ask who runs it to let"
            f" {around.host} through.",
            f"If it is not a proxy at all, correct {variable}.",
        )
    return (
        f"The proxy {around.proxy} is not reached: correct {variable}, or unset it if this network"
        " needs no proxy.",
        f"To go past the proxy for this host alone: NO_PROXY={around.host}",
    )


def _on_timeout(text: str, around: Surroundings) -> tuple[str, ...]:
    if "resolv" in text:
        return (f"Looking up {around.host} takes too long: look at /etc/resolv.conf.",)
    if "ssl" in text:
        return (
            f"{around.host} takes the connection and then says nothing of TLS. Does that port"
            " speak TLS? If so, something in between swallows large packets.",
            *_maybe_server(around),
        )
    if "connect" in text:
        where = f"the proxy {around.proxy}" if around.proxy is not None else around.host
        return (
            f"Packets to {where} seem to be dropped: a firewall, or a network that is only"
            " reached through a proxy or a VPN.",
            *_maybe_server(around),
            *_maybe_proxy(around),
        )
    return ("The answer takes too long: try again, with --timeout 60 for instance.",)


def _maybe_server(around: Surroundings) -> tuple[str, ...]:
    if around.server_rule is None:
        return ()
    return (f"Is the host of {around.server_rule} right?",)


def _maybe_proxy(around: Surroundings) -> tuple[str, ...]:
    if re.match(r"localhost$|127\.|\[?::1", around.host):
        return ()
    if around.proxy is not None:
        return (f"Is the proxy {around.proxy} (from {around.proxy_variable}) the right one?",)
    return ("In a network with a proxy, name it: HTTPS_PROXY=http://HOST:PORT",)


# ---- no trust ----


def _on_tls(text: str, around: Surroundings) -> tuple[str, ...]:
    if "expired" in text or "not yet valid" in text:
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        return (
            f"This machine's clock says {now}: if that is wrong, set it.",
            f"Else the certificate of {around.host} itself has run out: whoever runs it must"
            " renew it.",
        )
    if re.search("issuer|self.signed|unable to get|verify|ca cert|cafile|certificate file", text):
        return (
            f"The certificate of {around.host} is signed by a CA that this machine does not know."
            " A company's proxy that looks into TLS does that: put its CA certificate, with the"
            " others, into a PEM file and name that in SSL_CERT_FILE.",
            "If that is not it, the CA certificates may be too old: update ca-certificates.",
        )
    if re.search("subject|host ?name|does not match|alternative", text):
        return (
            f"Another server than {around.host} has answered: is the base URL right, or does"
            " something (a captive portal, /etc/hosts) lead elsewhere?",
        )
    return (
        "The server speaks no TLS 1.2, or none at all: is it an https:// address, with the right"
        " port?",
        *_maybe_server(around),
    )


# ---- an answer, but no ----


def _on_answer(
    error: errors.APIError | errors.ResponseError, around: Surroundings
) -> tuple[str, ...]:
    match error.status_code:
        case 401:
            return (
                f"{around.key} is not a key of {around.host}: each region has keys of its own."
                f" {WRONG_KEY}",
            )
        case 403:
            return (
                "The key may not do this, or something before Merge (a proxy, a firewall) forbids"
                " it: its words are above.",
            )
        case 429:
            return ("Too many requests came from this address or for this key: wait a minute.",)
        case status if status >= 500:
            return ("Merge, or a proxy before it, has failed: try again in a few minutes.",)
    return (
        "This does not look like Merge: is the base URL right, or does the network ask for a"
        " sign-in first?",
        BASE_URL,
    )
