"""Whether Merge has signed a body, and if not, which mistake it looks like.

Below `merge_link.webhooks`. Nothing here raises: a traceback shows what frames hold, and these hold
keys and bodies.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping

from merge_link.errors import ConfigurationError, WebhookSignatureError

HEADER = "X-Merge-Webhook-Signature"

# Looking for the mistake costs more than looking at the signature, and anybody can send a body.
_MOST_EXPLAINED = 64 * 1024


def refusal_of(
    body: object, signature: object, key: object
) -> TypeError | ConfigurationError | WebhookSignatureError | None:
    """Return what is wrong, or None."""
    signed = _bytes_of(body)
    if not isinstance(signed, bytes):
        return signed
    keys = _keys_of(key)
    if isinstance(keys, Exception):
        return keys
    if signature is not None and not isinstance(signature, str | bytes):
        return TypeError(
            f"signature must be str, bytes or None, not {type(signature).__name__}: give the value"
            f" of the header {HEADER}"
        )
    shown = _text_of(signature)
    if not shown:
        what = "is empty" if signature is not None else "is missing"
        return WebhookSignatureError(
            f"the header {HEADER} {what}: Merge signs every webhook, so this is none of Merge's, or"
            " something on the way has dropped the header",
            reason="missing",
        )
    # Every key, whichever fits: how long it takes tells nobody which one did.
    if any([_fits(shown, _digest(one, signed)) for one in keys]):
        return None
    reason, message = _mistake(signed, shown, keys)
    return WebhookSignatureError(message, reason=reason)


def signature_of(body: object, key: object) -> str | TypeError | ConfigurationError:
    """Return the signature of a body, or what is wrong."""
    signed = _bytes_of(body)
    if not isinstance(signed, bytes):
        return signed
    if key is not None and not isinstance(key, str | bytes):
        return TypeError(f"key must be str or bytes, not {type(key).__name__}")
    keys = _keys_of(key)
    if isinstance(keys, Exception):
        return keys
    return base64.urlsafe_b64encode(_digest(keys[0], signed)).decode()


def _bytes_of(body: object) -> bytes | TypeError:
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    return TypeError(
        f"body must be bytes, not {type(body).__name__}: the raw bytes of the request, such as"
        " request.get_data() in Flask, request.body in Django, await request.body() in FastAPI."
        " What was decoded or parsed is not what Merge has signed"
    )


def _keys_of(key: object) -> list[bytes] | TypeError | ConfigurationError:
    if key is None:
        return _wrong_key("no webhook key: give the signature key of Merge's dashboard")
    if isinstance(key, Mapping) or not isinstance(key, Iterable):
        return TypeError(f"key must be str, bytes or several of them, not {type(key).__name__}")
    keys = []
    for one in [key] if isinstance(key, str | bytes) else key:
        if not isinstance(one, str | bytes):
            return TypeError(f"a key must be str or bytes, not {type(one).__name__}")
        if not one.strip():
            return _wrong_key(
                "the webhook key is empty: look where it is read, such as a variable that is not"
                " set. With an empty key anybody could sign"
            )
        try:
            keys.append(one.encode("utf-8", "surrogateescape") if isinstance(one, str) else one)
        except UnicodeEncodeError:  # which holds the key
            return _wrong_key("the webhook key is no text: it has half a surrogate pair")
    return keys or _wrong_key("no webhook key: the list of keys is empty")


def _wrong_key(message: str) -> ConfigurationError:
    return ConfigurationError(message, option="key")


def _text_of(signature: str | bytes | None) -> str:
    """Return the header's value without blanks round it, which HTTP says are no part of it."""
    text = signature.decode("latin-1") if isinstance(signature, bytes) else signature or ""
    return text.strip(" \t\r\n")


def _digest(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")


def _fits(signature: str, digest: bytes) -> bool:
    """Compare texts, not what they decode to: each digest has then one spelling alone."""
    expected = base64.urlsafe_b64encode(digest)
    found = signature.encode("utf-8", "surrogatepass")
    padded = hmac.compare_digest(expected, found)
    return hmac.compare_digest(expected.rstrip(b"="), found) or padded


# ---- what it looks like when they do not fit ----


def _mistake(body: bytes, signature: str, keys: list[bytes]) -> tuple[str, str]:
    """Return a word for the mistake that it looks like, and a message."""
    if len(body) > _MOST_EXPLAINED:
        return _unknown(keys)
    return (
        _of_spelling(body, signature, keys)
        or _of_key(body, signature, keys)
        or _of_body(body, signature, keys)
        or _suspicion(body, keys)
        or _unknown(keys)
    )


def _any_fits(signature: str, bodies: Iterable[bytes], keys: Iterable[bytes]) -> bool:
    every = list(keys)
    return any(_fits(signature, _digest(key, body)) for body in bodies for key in every)


def _of_spelling(body: bytes, signature: str, keys: list[bytes]) -> tuple[str, str] | None:
    """What is no base64url of 32 bytes."""
    kind = None
    in_base64url = signature.translate({ord("+"): "-", ord("/"): "_"})
    if in_base64url != signature:
        kind = "standard_base64", "is in standard base64 (+ and /)"
    if len(signature) == 64 and all(c in "0123456789abcdefABCDEF" for c in signature):
        kind = "hex", "is hexadecimal"
        in_base64url = base64.urlsafe_b64encode(bytes.fromhex(signature)).decode()
    if kind:
        fits = _any_fits(in_base64url, [body], keys)
        rest = "it fits otherwise" if fits else "and it does not fit otherwise either"
        return kind[0], f"the signature {kind[1]}, and Merge's in base64url (- and _); {rest}"
    plain = all(c.isascii() and (c.isalnum() or c in "-_") for c in signature.removesuffix("="))
    if plain and len(signature.removesuffix("=")) == 43:
        return None
    if _is_swapped(body, signature, keys):
        return "swapped", "signature and key are in each other's place: body, signature, key"
    what = "has other characters" if not plain else f"has {len(signature)} characters"
    return (
        "malformed",
        f"the signature {what}, and Merge's 43 of base64url, or 44 with padding: give the value of"
        f" the header {HEADER} as it is",
    )


def _is_swapped(body: bytes, signature: str, keys: list[bytes]) -> bool:
    digest = _digest(signature.encode("utf-8", "surrogatepass"), body)
    return any(_fits(_text_of(key), digest) for key in keys)


def _of_key(body: bytes, signature: str, keys: list[bytes]) -> tuple[str, str] | None:
    """What is certain: it fits a key that is nearly this one."""
    stripped = [bare for key in keys if (bare := _bare(key)) != key]
    if stripped and _any_fits(signature, [body], stripped):
        return (
            "key_not_stripped",
            "the signature fits the key without the line end, blanks or quotes round it: look how"
            " the key is read",
        )
    if _is_swapped(body, signature, keys):
        return "swapped", "signature and key are in each other's place: body, signature, key"
    return None


def _bare(key: bytes) -> bytes:
    return key.removeprefix(b"\xef\xbb\xbf").strip().strip(b"\"'").strip()


def _of_body(body: bytes, signature: str, keys: list[bytes]) -> tuple[str, str] | None:
    """What is certain: it fits a body that says the same as this one."""
    if _any_fits(signature, _written_otherwise(body), keys):
        return (
            "body_changed",
            "the signature fits the same JSON, written otherwise: the body was parsed and written"
            " again, or decoded. Give the raw bytes of the request",
        )
    return None


def _written_otherwise(body: bytes) -> Iterator[bytes]:
    bare = body.removeprefix(b"\xef\xbb\xbf").strip()
    yield from (bare, bare + b"\n")
    try:
        value = json.loads(bare)
    except (ValueError, RecursionError):
        return
    for separators in ((",", ":"), (", ", ": ")):
        for ascii_only in (True, False):
            try:
                text = json.dumps(value, separators=separators, ensure_ascii=ascii_only)
                yield text.encode()
            except (ValueError, RecursionError):  # half a surrogate pair
                continue


def _suspicion(body: bytes, keys: list[bytes]) -> tuple[str, str] | None:
    """What is likely."""
    if any(_bare(key).startswith((b"test_", b"production_")) for key in keys):
        return (
            "api_key",
            "the signature does not fit, and the key looks like an API key: webhooks have a"
            " signature key of their own, which Merge's dashboard shows beside them",
        )
    if any(_bare(key) != key for key in keys):
        return (
            "key_not_stripped",
            "the signature does not fit, and the key has a line end, blanks or quotes round it:"
            " look how it is read",
        )
    if not body:
        return (
            "body_empty",
            "the signature does not fit, and the body is empty: something has read it before",
        )
    if body[:2] in (b"b'", b'b"', b"{'"):
        return (
            "body_changed",
            "the signature does not fit, and the body is Python's repr() of bytes or of a dict:"
            " give the raw bytes of the request",
        )
    return None


def _unknown(keys: list[bytes]) -> tuple[str, str]:
    which = "the key" if len(keys) == 1 else f"any of the {len(keys)} keys"
    return (
        "wrong_signature",
        f"the signature does not fit the body with {which}: the key is another one's, the body was"
        " changed on the way, or it is none of Merge's",
    )
