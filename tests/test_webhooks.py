"""Webhooks: which are Merge's, what they tell, and what is said of those that are not."""

import base64
import copy
import dataclasses
import gc
import hashlib
import hmac
import html
import json
import pickle
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import merge_link
from linked import link, post
from merge_link import ConfigurationError, ValidationError, WebhookSignatureError, webhooks
from merge_link.sandbox import Sandbox
from merge_link.sandbox.webhooks import _EVENTS, sign
from merge_link.webhooks import Event, Hook, InMemorySeenEvents, WebhookAccount, parse, verify
from scripted import Server, answer
from test_properties import thorough

# Module globals, for a traceback shows locals.
KEY = "Wk_9fK2mVb7Qx0LzRtYw3-signature-key"
OTHER = "Wk_the-one-before-it-was-changed"
ACCOUNT_TOKEN = "acct_31415926535897932384626433"
TOLD: dict[str, Any] = {
    "hook": {
        "id": "cb1fe0a7",
        "event": "LinkedAccount.linked",
        "target": "https://app.example/hooks?token=of-the-url",
    },
    "linked_account": {
        "id": "0a1b",
        "integration": "Greenhouse",
        "integration_slug": "greenhouse",
        "category": "ats",
        "end_user_origin_id": "acme-42",
        "end_user_organization_name": "Größe & Söhne",
        "end_user_email_address": "hr@acme.example",
        "status": "COMPLETE",
        "webhook_listener_url": "https://api.merge.dev/api/integrations/webhook-listener/x?k=of-the-listener",
        "is_duplicate": False,
        "account_type": "TEST",
        "completed_at": "2026-01-31T12:00:00Z",
    },
    "data": {"account_token": ACCOUNT_TOKEN, "is_relink": False},
}
BODY = json.dumps(TOLD, separators=(",", ":")).encode()


def body_of(told: object) -> bytes:
    return json.dumps(told).encode()


def signed(body: bytes, key: str = KEY) -> str:
    """As RFC 2104 and RFC 4648 define it, without what the package uses for it."""
    padded = key.encode().ljust(64, b"\0")
    assert len(padded) == 64
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + body).digest()
    digest = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).digest()
    return base64.b64encode(digest).decode().replace("+", "-").replace("/", "_")


def refused(body: Any, signature: Any, key: Any, reason: str) -> str:
    """The message of an error with that reason, of both functions."""
    for function in (verify, parse):
        with pytest.raises(WebhookSignatureError) as caught:
            function(body, signature, key)
        assert caught.value.reason == reason
    return str(caught.value)


# ---- what is Merge's ----


@pytest.mark.parametrize("body", [BODY, bytearray(BODY), memoryview(BODY), b"", b"\xff\0"])
def test_a_body_with_its_signature_is_merges(body: Any) -> None:
    signature = signed(bytes(body))
    for text in (signature, signature.rstrip("="), signature.encode(), f" \t{signature}\r\n"):
        assert verify(body, text, KEY) is None
        verify(body, text, KEY.encode())


def test_one_of_several_keys_is_enough() -> None:
    verify(BODY, signed(BODY, OTHER), [KEY, OTHER])
    verify(BODY, signed(BODY), (KEY, OTHER.encode()))
    verify(BODY, signed(BODY), {KEY})
    verify(BODY, signed(BODY), iter([OTHER, KEY]))
    message = refused(BODY, signed(BODY, "third"), [KEY, OTHER], "wrong_signature")
    assert "any of the 2 keys" in message


def test_a_key_is_its_utf_8() -> None:
    verify(BODY, signed(BODY, "ключ"), "ключ")
    # As os.environ has bytes that are no UTF-8.
    verify(BODY, webhooks.sign(BODY, b"k\xff"), "k\udcff")


@thorough
@given(body=st.binary(max_size=2000), key=st.text(min_size=1, max_size=40), padded=st.booleans())
def test_what_the_sandbox_signs_is_merges(body: bytes, key: str, padded: bool) -> None:
    assume(key.strip() and key.encode("utf-8", "ignore").decode() == key)
    signature = sign(key, body)
    verify(body, signature if padded else signature.rstrip("="), key)


@thorough
@given(body=st.binary(max_size=500), where=st.integers(0), flip=st.integers(1, 255))
def test_no_other_body_is(body: bytes, where: int, flip: int) -> None:
    signature = signed(body)
    changed = bytearray(body + b"x")
    changed[where % len(changed)] ^= flip
    for other in (bytes(changed), body + b"x", body[:-1] if body else b"x"):
        if other != body:
            with pytest.raises(WebhookSignatureError):
                verify(other, signature, KEY)


@thorough
@given(signature=st.text(max_size=60) | st.binary(max_size=60))
def test_no_other_signature_is(signature: str | bytes) -> None:
    with pytest.raises(WebhookSignatureError):
        verify(BODY, signature, KEY)


def test_a_signature_has_one_spelling() -> None:
    """The last of 43 characters has two bits that stand for nothing."""
    signature = signed(BODY).rstrip("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [signature[:-1] + last for last in alphabet if last != signature[-1]]
    same = [one for one in others if decoded(one) == decoded(signature)]
    assert len(same) == 3
    for one in (*same, f"{signature}==", f"={signature}", f"{signature}\n="):
        with pytest.raises(WebhookSignatureError):
            verify(BODY, one, KEY)


def decoded(signature: str) -> bytes:
    return base64.urlsafe_b64decode(signature + "=")


def test_all_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    watched = type("hmac", (), {"digest": hmac.digest, "compare_digest": compare})
    monkeypatch.setattr("merge_link._signatures.hmac", watched)
    verify(BODY, signed(BODY), [KEY, OTHER, "third"])
    assert len(compared) == 6


# ---- which mistake it looks like ----


@pytest.mark.parametrize("signature", [None, "", b"", "  "])
def test_a_missing_header_is_named(signature: Any) -> None:
    message = refused(BODY, signature, KEY, "missing")
    what = "is missing" if signature is None else "is empty"
    assert message.startswith(f"the header X-Merge-Webhook-Signature {what}: Merge signs every")
    assert webhooks.HEADER == "X-Merge-Webhook-Signature"


def test_an_api_key_is_no_webhook_key() -> None:
    for key in ("test_abc", b"production_abc", ["test_abc"]):
        message = refused(BODY, signed(BODY), key, "api_key")
        assert "the key looks like an API key" in message
    verify(BODY, signed(BODY, "test_abc"), "test_abc")  # who knows what keys there are


FORMS: dict[str, Callable[[Any], bytes]] = {
    "compact": lambda told: json.dumps(told, separators=(",", ":")).encode(),
    "spaced": lambda told: json.dumps(told).encode(),
    "compact, not ASCII": lambda told: json.dumps(
        told, separators=(",", ":"), ensure_ascii=False
    ).encode(),
    "spaced, not ASCII": lambda told: json.dumps(told, ensure_ascii=False).encode(),
    "indented": lambda told: json.dumps(told, indent=2).encode(),
    "with a line end": lambda told: json.dumps(told).encode() + b"\n",
    "with a byte order mark": lambda told: b"\xef\xbb\xbf" + json.dumps(told).encode(),
}


@pytest.mark.parametrize("sent", ["compact", "spaced", "compact, not ASCII", "spaced, not ASCII"])
@pytest.mark.parametrize("got", FORMS)
def test_a_body_that_was_written_again_is_told(sent: str, got: str) -> None:
    if sent != got:
        message = refused(FORMS[got](TOLD), signed(FORMS[sent](TOLD)), KEY, "body_changed")
        assert "the body was parsed and written again" in message


@pytest.mark.parametrize("got", [str(BODY).encode(), str(TOLD).encode()])
def test_a_body_of_pythons_repr_is_told(got: bytes) -> None:
    assert "Python's repr()" in refused(got, signed(BODY), KEY, "body_changed")


def test_a_body_that_was_read_before_is_told() -> None:
    assert "something has read it before" in refused(b"", signed(BODY), KEY, "body_empty")


def standard(body: bytes) -> str:
    return signed(body).replace("-", "+").replace("_", "/")


def test_standard_base64_is_told() -> None:
    body = next(b for n in range(99) if (b := b"%d" % n) and set(standard(b)) & set("+/"))
    assert refused(body, standard(body), KEY, "standard_base64").endswith("; it fits otherwise")
    message = refused(b"x", standard(body), KEY, "standard_base64")
    assert message.endswith("and it does not fit otherwise either")


def test_hexadecimal_is_told() -> None:
    for text in (decoded(signed(BODY)).hex(), decoded(signed(BODY)).hex().upper()):
        assert refused(BODY, text, KEY, "hex").endswith("; it fits otherwise")
    assert refused(BODY, "0" * 64, KEY, "hex").endswith("does not fit otherwise either")


@pytest.mark.parametrize(
    ("signature", "what"),
    [
        ("abc", "has 3 characters"),
        (signed(BODY)[:-2], "has 42 characters"),
        (f"{signed(BODY)}A", "has other characters"),
        (f"{signed(BODY)[:-1]}AAA", "has 46 characters"),
        (f'"{signed(BODY)}"', "has other characters"),
        (f"sha256={signed(BODY)}", "has other characters"),
        (f"{signed(BODY)}, {signed(BODY)}", "has other characters"),
        ("é" * 43, "has other characters"),
        ("\ud800" * 43, "has other characters"),
        (b"\xff" * 43, "has other characters"),
    ],
)
def test_what_is_no_signature_is_told(signature: str | bytes, what: str) -> None:
    assert f"the signature {what}, and Merge's 43" in refused(BODY, signature, KEY, "malformed")


@pytest.mark.parametrize(
    "form", ["{}\n", " {}", '"{}"', "'{}'", "\ufeff{}", "{}\r\n", '"{}"\n'], ids=repr
)
def test_what_is_round_the_key_is_told(form: str) -> None:
    message = refused(BODY, signed(BODY), form.format(KEY), "key_not_stripped")
    assert message.startswith("the signature fits the key without")
    message = refused(BODY, signed(BODY, "x"), form.format(KEY), "key_not_stripped")
    assert message.startswith("the signature does not fit, and the key has")


@pytest.mark.parametrize("key", [KEY, "k" * 43])
def test_swapped_arguments_are_told(key: str) -> None:
    message = refused(BODY, key, signed(BODY, key), "swapped")
    assert message.endswith("in each other's place: body, signature, key")


def test_what_fits_nothing_is_told_as_that() -> None:
    message = refused(BODY, signed(BODY, OTHER), KEY, "wrong_signature")
    assert message.startswith("the signature does not fit the body with the key: ")


def test_of_a_large_body_no_mistake_is_looked_for() -> None:
    large = body_of({**TOLD, "more": "x" * 300_000})
    refused(large + b"\n", signed(large), KEY, "wrong_signature")
    verify(large, signed(large), KEY)


@pytest.mark.parametrize("body", [b"[" * 5000, b"1" * 5000, b'"\\ud800"', b"nan", b"\xff"])
def test_looking_for_the_mistake_stumbles_over_nothing(body: bytes) -> None:
    refused(body, signed(BODY), KEY, "wrong_signature")


# ---- what is our own mistake ----


@pytest.mark.parametrize("body", ["{}", {}, None, 5, [b"x"]])
def test_a_body_that_is_no_bytes_is_a_type_error(body: Any) -> None:
    kind = type(body).__name__
    for function in (verify, parse):
        with pytest.raises(TypeError, match=rf"^body must be bytes, not {kind}: the raw bytes"):
            function(body, signed(BODY), KEY)


@pytest.mark.parametrize("signature", [5, ["x"], object()])
def test_a_signature_of_another_type_is_a_type_error(signature: Any) -> None:
    with pytest.raises(TypeError, match=r"^signature must be str, bytes or None, not "):
        verify(BODY, signature, KEY)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (None, "no webhook key: give"),
        ("", "the webhook key is empty"),
        (b" \n", "the webhook key is empty"),
        ([KEY, ""], "the webhook key is empty"),
        ([], "no webhook key: the list of keys is empty"),
        ([KEY, f"{KEY}\ud800"], "the webhook key is no text"),
    ],
)
def test_no_key_is_a_mistake_of_configuration(key: Any, words: str) -> None:
    for function in (verify, parse):
        with pytest.raises(ConfigurationError, match=f"^{words}") as caught:
            function(BODY, signed(BODY, ""), key)
        assert caught.value.option == "key"


def test_signing_is_as_merge_does_it() -> None:
    for body in (BODY, bytearray(BODY), memoryview(BODY), b""):
        for key in (KEY, KEY.encode()):
            assert webhooks.sign(body, key) == signed(bytes(body))
    for key, kind in ((None, ConfigurationError), ("", ConfigurationError), ([KEY], TypeError)):
        with pytest.raises(kind, match="key"):
            webhooks.sign(BODY, key)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^body must be bytes, not str"):
        webhooks.sign("text", KEY)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [5, {KEY: 1}, [5], [None]])
def test_a_key_of_another_type_is_a_type_error(key: Any) -> None:
    with pytest.raises(TypeError, match="key must be str"):
        verify(BODY, signed(BODY), key)


# ---- events ----


def event_of(told: Any) -> Event:
    body = told if isinstance(told, bytes) else body_of(told)
    return parse(body, signed(body), KEY)


def test_an_event_has_all_that_was_told() -> None:
    event = event_of(TOLD)
    assert event.event == "LinkedAccount.linked"
    assert event.hook == Hook(**TOLD["hook"])
    account = event.linked_account
    assert account is not None
    assert (account.id, account.end_user_origin_id) == ("0a1b", "acme-42")
    assert account.completed_at == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert event.data == TOLD["data"]
    assert event.account_token == ACCOUNT_TOKEN
    assert event.is_test is False
    assert event.dedupe_key == hashlib.sha256(body_of(TOLD)).hexdigest()
    assert event.extra == account.extra == {}


def test_to_dict_is_what_was_told() -> None:
    told = event_of(TOLD).to_dict()
    assert json.loads(json.dumps(told)) == TOLD


def test_to_dict_is_ones_own_to_change() -> None:
    event = event_of({"hook": {"event": "x"}, "data": {"a": {}}, "more": {}})
    told = event.to_dict()
    told["data"]["a"]["b"] = told["more"]["b"] = 1
    assert event.data == {"a": {}}
    assert event.extra == {"more": {}}


def test_names_and_members_that_are_new_survive() -> None:
    told = {
        "hook": {"event": "linked_account.reborn", "id": None, "version": 2},
        "linked_account": {"status": "DREAMING", "account_type": "X", "region": ["eu"]},
        "sent_at": "2026-01-31",
    }
    event = event_of(told)
    assert event.event == "linked_account.reborn"
    assert (event.hook and event.hook.extra) == {"version": 2}
    account = event.linked_account
    assert account is not None
    assert (account.status, account.extra) == ("DREAMING", {"region": ["eu"]})
    assert event.extra == {"sent_at": "2026-01-31"}
    assert event.data == {}
    assert event.account_token is None
    assert event.to_dict()["linked_account"]["region"] == ["eu"]
    assert event.to_dict()["sent_at"] == "2026-01-31"


def test_an_event_about_no_account_is_one() -> None:
    event = event_of({"hook": {"event": "x"}, "linked_account": None, "data": None})
    assert (event.linked_account, event.data) == (None, {})


@pytest.mark.parametrize("told", [{}, {"a": 1}, [], "test", 5, None, {"event": "x"}])
def test_what_the_dashboard_sends_to_try_is_a_test(told: Any) -> None:
    event = event_of(told)
    assert event.is_test is True
    assert (event.event, event.hook, event.linked_account) == ("", None, None)
    assert event.data == told
    assert event.account_token is None
    assert event.to_dict()["data"] == told
    assert repr(event)


def told_of(**account: Any) -> dict[str, Any]:
    return {"hook": {"event": "x"}, "linked_account": account}


@pytest.mark.parametrize(
    ("told", "problems"),
    [
        (b"", {"body": "is not JSON at line 1, column 1"}),
        (b'{"hook":', {"body": "is not JSON at line 1, column 9"}),
        (b"\xff", {"body": "is not UTF-8 at byte 0"}),
        ('{"a": 1}'.encode("utf-16"), {"body": "is not UTF-8 at byte 0"}),
        (b"\xef\xbb\xbf{}", {"body": "is not JSON at line 1, column 1"}),
        (b"[NaN]", {"body": "holds a number that JSON has not: NaN or Infinity"}),
        (b'{"a":1,"a":2}', {"body": "has an object with the same member twice"}),
        (b"1" * 5000, {"body": "holds a number that is too long"}),
        (b"[" * 100_000, {"body": "is nested too deeply"}),
        ({"hook": None}, {"hook": "must be an object, is null"}),
        ({"hook": "x"}, {"hook": "must be an object, is a string"}),
        ({"hook": {}}, {"hook.event": "is missing"}),
        ({"hook": {"event": ""}}, {"hook.event": "is empty"}),
        ({"hook": {"event": 5}}, {"hook.event": "must be a string, is a number"}),
        (told_of(id=1), {"linked_account.id": "must be a string, is a number"}),
        (
            told_of(is_duplicate="no"),
            {"linked_account.is_duplicate": "must be a boolean, is a string"},
        ),
        (
            told_of(completed_at="yesterday"),
            {"linked_account.completed_at": "must be a time (ISO 8601), is a string"},
        ),
        (
            {"hook": {"event": "x"}, "linked_account": "acme"},
            {"linked_account": "must be an object, is a string"},
        ),
        ({"hook": {"event": "x"}, "data": []}, {"data": "must be an object, is an array"}),
    ],
    ids=lambda told: repr(told)[:40],
)
def test_what_is_signed_and_no_event_is_told_member_by_member(
    told: Any, problems: dict[str, str]
) -> None:
    with pytest.raises(ValidationError, match=r"^a webhook is signed, but no event: \S") as caught:
        event_of(told)
    assert {one.field: one.message for one in caught.value.errors} == problems
    assert all(f"{field} {text}" in str(caught.value) for field, text in problems.items())


def test_the_signature_is_looked_at_before_the_body() -> None:
    refused(b"no JSON", signed(BODY), KEY, "wrong_signature")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@thorough
@given(
    told=JSON
    | st.fixed_dictionaries(
        {"hook": JSON | st.fixed_dictionaries({"event": st.text(min_size=1)})},
        optional={"linked_account": JSON, "data": JSON, "new": JSON},
    )
)
def test_any_json_is_an_event_a_test_or_refused(told: Any) -> None:
    try:
        event = event_of(told)
    except ValidationError:
        return
    assert event.is_test == (not isinstance(told, dict) or "hook" not in told)
    if not event.is_test:
        assert event.event == told["hook"]["event"]
        assert event.data == (told.get("data") or {})
    assert repr(event)
    assert event._repr_html_()
    assert hash(event) == hash(event_of(told))
    assert pickle.loads(pickle.dumps(event)) == event == event_of(told)


# ---- manners ----


def test_an_event_is_immutable_and_like_a_dataclass() -> None:
    event = event_of(TOLD)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.event = "x"  # type: ignore[misc]
    fields = [field.name for field in dataclasses.fields(event)]  # type: ignore[arg-type]
    assert fields == [
        *("event", "hook", "linked_account", "data", "is_test", "dedupe_key", "extra"),
    ]
    assert dataclasses.asdict(event)["hook"]["id"] == "cb1fe0a7"  # type: ignore[call-overload]
    assert copy.deepcopy(event) == event
    twin = pickle.loads(pickle.dumps(event))
    assert (twin, twin.extra, hash(twin)) == (event, event.extra, hash(event))
    match event:
        case Event(event="LinkedAccount.linked", linked_account=WebhookAccount(category=category)):
            assert category == "ats"
        case _:
            raise AssertionError


def test_an_event_for_a_test_is_made_by_hand() -> None:
    event = Event(event="candidate.changed", data={"id": "c1"})
    assert (event.hook, event.is_test, event.extra) == (None, False, {})
    assert event != Event(event="candidate.changed", data={"id": "c2"})
    with pytest.raises(TypeError, match=r"Event\(\) needs event="):
        Event()  # type: ignore[call-arg]


SECRETS = (KEY, OTHER, ACCOUNT_TOKEN, "of-the-url", "of-the-listener", "Jane Doe")


def assert_no_secret(text: str) -> None:
    for form in (text, html.unescape(text)):
        assert [one for one in SECRETS if one in form] == []


@pytest.mark.parametrize(
    "told",
    [TOLD, {**TOLD, "data": {"name": "Jane Doe", "all": [{"token": ACCOUNT_TOKEN}]}}, [KEY], KEY],
    ids=["linked", "changed", "list", "text"],
)
def test_no_secret_is_shown(told: Any) -> None:
    event = event_of(told)
    for shown in (event, event.hook, event.linked_account):
        assert_no_secret(repr(shown))
        assert_no_secret(shown._repr_html_() if shown is not None else "")
        assert_no_secret(f"{shown}")


def test_what_is_shown_of_an_event() -> None:
    shown = repr(event_of(TOLD))
    assert shown.startswith("Event(event='LinkedAccount.linked', hook=Hook(id='cb1fe0a7', ")
    assert "event='LinkedAccount.linked', target='********'), linked_account=" in shown
    assert "end_user_origin_id='acme-42'" in shown
    assert "data='********', is_test=False, dedupe_key=" in shown


def failing_keys() -> Iterator[str]:
    yield KEY
    raise RuntimeError("the vault is closed")


BROKEN = json.dumps(TOLD).encode()[:-1]
FAILURES: dict[str, Callable[[], object]] = {
    "a wrong signature": lambda: parse(BODY, signed(BODY, OTHER), KEY),
    "an API key": lambda: verify(BODY, signed(BODY), f"test_{KEY}"),
    "a line end": lambda: verify(BODY, signed(BODY), f"{KEY}\n"),
    "swapped": lambda: verify(BODY, KEY, signed(BODY)),
    "a key as signature": lambda: verify(BODY, KEY, KEY),
    "written again": lambda: verify(BODY + b" ", signed(BODY), KEY),
    "text": lambda: verify(BODY.decode(), signed(BODY), KEY),  # type: ignore[arg-type]
    "a dict": lambda: parse(TOLD, signed(BODY), KEY),  # type: ignore[arg-type]
    "no key": lambda: parse(BODY, signed(BODY), [KEY, ""]),
    "a key that is no text": lambda: verify(BODY, signed(BODY), f"{KEY}\ud800"),
    "signing with what is no text": lambda: webhooks.sign(BODY, f"{KEY}\ud800"),
    "a key of a wrong type": lambda: parse(BODY, signed(BODY), [KEY, 5]),  # type: ignore[list-item]
    "not JSON": lambda: parse(BROKEN, signed(BROKEN), KEY),
    "not strict": lambda: parse(b"[NaN]" + BODY, signed(b"[NaN]" + BODY), KEY),
    "no event": lambda: event_of({**TOLD, "hook": {"event": [KEY]}}),
    "signing text": lambda: webhooks.sign(BODY.decode(), KEY),  # type: ignore[arg-type]
    "signing with several": lambda: webhooks.sign(BODY, [KEY, KEY]),  # type: ignore[arg-type]
    "keys that fail": lambda: verify(BODY, signed(BODY), failing_keys()),
}


@pytest.mark.parametrize("what", FAILURES)
def test_no_error_holds_a_secret(what: str) -> None:
    try:
        FAILURES[what]()
    except Exception as caught:
        error: BaseException | None = caught
    else:
        raise AssertionError("nothing was raised")
    while error is not None:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        of_this_file = [frame for frame in told.stack if frame.filename == __file__]
        ours = [frame for frame in told.stack if "merge_link" in frame.filename]
        assert len(of_this_file) + len(ours) == len(told.stack)
        assert_no_secret("".join(f"{frame.locals}" for frame in ours))
        assert_no_secret(f"{error} {error!r} {error.args} {vars(error)}")
        assert_no_secret(f"{[getattr(error, name, None) for name in dir(error)]}")
        assert_no_secret(pickle.dumps(error, 0).decode("latin-1"))
        error = error.__cause__ or error.__context__


def test_a_forged_webhook_leaves_nothing_behind() -> None:
    with pytest.raises(WebhookSignatureError) as caught:
        verify(BODY, signed(BODY), OTHER)
    assert caught.value.__context__ is None
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, merge_link.MergeLinkError)
    twin = pickle.loads(pickle.dumps(caught.value))
    assert (twin.reason, str(twin)) == ("wrong_signature", str(caught.value))


# ---- the sandbox's ----


def test_what_the_sandbox_sends_is_understood(serve: Callable[..., Server]) -> None:
    target = serve(answer(204))
    url = target.base_url.removesuffix("/api") + "/hooks?token=of-the-url"
    with Sandbox(webhook_url=url, webhook_key=KEY) as sandbox:
        account = link(sandbox, integration="greenhouse")
        sandbox.emit("candidate.changed", account["id"], {"id": "c1"})
        sandbox.wait_for_deliveries(2)
    events = []
    for request in target.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        (signature,) = (
            line.partition(b": ")[2]
            for line in head.split(b"\r\n")
            if line.lower().startswith(webhooks.HEADER.lower().encode())
        )
        events.append(parse(body, signature, [OTHER, KEY]))
    linked, changed = events
    assert linked.event == "LinkedAccount.linked"
    assert linked.account_token == account["account_token"]
    assert changed.event == "candidate.changed"
    assert (changed.data, changed.account_token) == ({"id": "c1"}, None)
    for event in events:
        assert event.linked_account is not None
        assert event.linked_account.id == account["id"]
        assert event.linked_account.integration_slug == "greenhouse"
        assert event.linked_account.completed_at is not None
        assert account["account_token"] not in repr(event)
    assert linked.dedupe_key != changed.dedupe_key


def test_all_that_the_sandbox_tells_is_understood(serve: Callable[..., Server]) -> None:
    target = serve(answer(204))
    with Sandbox(webhook_url=target.base_url, webhook_key=KEY) as sandbox:
        account = link(sandbox)
        sandbox.resolve_issue(sandbox.raise_issue(account["id"]))
        sandbox.advance(hours=1)
        post(sandbox, "/api/ats/v1/delete-account", account["account_token"])
        deliveries = sandbox.wait_for_deliveries(5)
    events = [parse(one.body, webhooks.sign(one.body, KEY), KEY) for one in deliveries]
    assert {one.event for one in events} == set(_EVENTS.values())
    assert {one.linked_account and one.linked_account.id for one in events} == {account["id"]}
    for one, delivery in zip(events, deliveries, strict=True):
        assert one.to_dict() == delivery.json


def test_a_refusal_makes_no_cycle() -> None:
    gc.disable()
    try:
        for function in (verify, parse):
            with pytest.raises(WebhookSignatureError) as caught:
                function(BODY, None, KEY)
            error = weakref.ref(caught.value)
            del caught
            assert error() is None
    finally:
        gc.enable()


# ---- what was seen ----


def test_an_event_is_new_once() -> None:
    seen = InMemorySeenEvents()
    first, other = event_of(TOLD), event_of({**TOLD, "data": {}})
    assert [seen.add(one.dedupe_key) for one in (first, first, other)] == [True, False, True]
    seen.discard(first.dedupe_key)
    seen.discard("never seen")
    assert seen.add(first.dedupe_key)
    assert len(seen) == 2


def test_the_oldest_are_forgotten_first() -> None:
    seen = InMemorySeenEvents(max_events=2)
    assert [seen.add(key) for key in "abac"] == [True, True, False, True]
    assert len(seen) == 2
    assert not seen.add("b")
    assert seen.add("a")


def test_an_event_is_forgotten_after_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("merge_link.webhooks.time.monotonic", lambda: now[0])
    seen = InMemorySeenEvents(seconds=60)
    assert seen.add("a")
    now[0] += 59
    assert not seen.add("a")
    assert seen.add("b")
    now[0] += 1
    assert len(seen) == 1
    assert seen.add("a")
    assert not seen.add("b")


def test_of_many_threads_one_has_it_first() -> None:
    seen = InMemorySeenEvents()
    barrier = threading.Barrier(8)
    won: list[str] = []

    def race() -> None:
        barrier.wait()
        won.extend(key for key in map(str, range(500)) if seen.add(key))

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == sorted(map(str, range(500)))


@pytest.mark.parametrize(
    "options", [{"max_events": 0}, {"max_events": 1.5}, {"max_events": True}, {"seconds": 0}]
)
def test_nonsense_is_refused(options: Any) -> None:
    (name,) = options
    with pytest.raises(ConfigurationError, match=f"^{name} must be a positive") as caught:
        InMemorySeenEvents(**options)
    assert caught.value.option == name


def test_the_store_in_memory_is_one_of_the_protocol() -> None:
    store: webhooks.SeenEvents = InMemorySeenEvents()
    assert store.add("x")
