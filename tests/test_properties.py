"""What holds for any value that goes out and for any bytes that come back.

The examples are the same in every run. ``EXAMPLES=5000 pytest tests/test_properties.py`` looks for
that many new ones.
"""

import json
import os
import unicodedata
from collections.abc import Iterator
from typing import Any, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import merge_link
from merge_link import MergeLinkError, ResponseError, ValidationError
from samples import BODY, FIELDS, TOKEN
from scripted import Connection, Server, answer

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))
thorough = settings(
    max_examples=EXAMPLES or 200, derandomize=not EXAMPLES, deadline=None, database=None
)
DEEPEST = 256


class Wire:
    """A client and a server for it, whose next answer can be set."""

    def __init__(self) -> None:
        self.body = b""
        self.raw: bytes | None = None
        self.server = Server(self._reply)
        self.client = self.server.client(max_retries=0, timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.server.close()

    def _reply(self, connection: Connection, request: bytes) -> None:
        if self.raw is None:
            connection.send(answer(200, self.body))
        else:
            connection.send(self.raw)
            connection.close()

    def create(self, **fields: Any) -> merge_link.LinkToken:
        self.server.requests.clear()
        return self.client.create_link_token(**{**FIELDS, **fields})

    def sent(self) -> bytes:
        (request,) = self.server.requests
        return request.partition(b"\r\n\r\n")[2]


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with Wire() as made:
        yield made


@pytest.fixture(scope="module")
def taking() -> Iterator[Wire]:
    """A wire whose server answers with a token."""
    with Wire() as made:
        made.body = json.dumps({"link_token": TOKEN}).encode()
        yield made


def same(left: object, right: object) -> bool:
    """Compare JSON values so that 1, 1.0 and True differ."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


# ---- what goes out ----

any_text = st.text(st.characters(exclude_categories=()))
scalars = st.none() | st.booleans() | st.integers() | st.floats() | any_text
sendable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)
odd = st.binary(max_size=5) | st.sets(st.integers(), max_size=3) | st.complex_numbers()
anything = st.recursive(
    scalars | odd,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(scalars | any_text, inner, max_size=4)
    ),
    max_leaves=12,
)
FIELD_NAMES = [row["name"] for row in merge_link._core.fields("create_link_token")]

member_names = st.sampled_from(
    [
        *("model_id", "enabled_actions", "disabled_fields", "model_name", "model_permissions"),
        *("field_permissions", "enabled_fields", "is_enabled", "READ", "ats", "hris"),
    ]
)
likely = st.recursive(
    scalars | st.sampled_from(["READ", "WRITE", "ats", "Job", True]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(member_names | any_text, inner, max_size=4)
        | st.fixed_dictionaries(
            {
                "model_id": st.just("hris.Employee"),
                "enabled_actions": st.lists(st.sampled_from(["READ", "WRITE"]), max_size=2),
                "disabled_fields": st.lists(st.text(max_size=3), max_size=2),
            },
            optional={"x": inner},
        )
        | st.fixed_dictionaries(
            {"model_name": st.just("Job")},
            optional={
                "model_permissions": st.dictionaries(
                    st.sampled_from(["READ", "x"]), st.just({"is_enabled": True}), max_size=2
                ),
                "field_permissions": inner,
            },
        )
    ),
    max_leaves=10,
)


def check_nothing_was_sent(wire: Wire, error: ValidationError) -> bool:
    assert wire.server.requests == []
    assert error.errors
    return False


def check_sent_or_refused(wire: Wire, fields: dict[str, Any]) -> bool:
    """Say whether it was sent; then it must be what json.dumps makes of the same values."""
    try:
        wire.create(**fields)
    except ValidationError as error:
        return check_nothing_was_sent(wire, error)
    seen = {**fields, "category": None}  # which stands in the path
    expected = {name: value for name, value in {**FIELDS, **seen}.items() if value is not None}
    expected.setdefault("link_expiry_mins", 30)
    assert same(json.loads(wire.sent()), json.loads(json.dumps(expected, allow_nan=False)))
    return True


@pytest.mark.parametrize("name", FIELD_NAMES)
@given(value=anything | likely)
@settings(thorough, max_examples=EXAMPLES or 60)
def test_any_value_of_any_field_is_sent_as_json_dumps_has_it_or_refused(
    taking: Wire, name: str, value: Any
) -> None:
    check_sent_or_refused(taking, {name: value})


@given(models=st.lists(likely, max_size=3), scopes=st.dictionaries(member_names, likely))
@thorough
def test_nested_fields_are_sent_as_json_dumps_has_them_or_refused(
    taking: Wire, models: Any, scopes: Any
) -> None:
    check_sent_or_refused(taking, {"common_models": models})
    check_sent_or_refused(taking, {"category_common_model_scopes": scopes})


def is_fit(text: str) -> bool:
    ordinary = not any(unicodedata.category(c) in ("Cc", "Cs") for c in text)
    return ordinary and 1 <= len(text) <= 100 and not text.isspace()


@given(text=any_text | st.text(min_size=95, max_size=105) | st.text(" \t\u3000\u2028ab"))
@thorough
def test_text_is_taken_exactly_when_the_rules_say_so(taking: Wire, text: str) -> None:
    assert check_sent_or_refused(taking, {"end_user_organization_name": text}) == is_fit(text)


@given(number=st.integers() | st.integers(20, 40) | st.integers(700, 740), magic=st.booleans())
@thorough
def test_minutes_are_taken_exactly_when_in_range(taking: Wire, number: int, magic: bool) -> None:
    fields = {"link_expiry_mins": number, "should_create_magic_link_url": magic}
    assert check_sent_or_refused(taking, fields) == (30 <= number <= (10080 if magic else 720))


@given(value=st.dictionaries(any_text, sendable, max_size=5))
@thorough
def test_a_free_form_value_is_the_text_of_json_dumps(taking: Wire, value: Any) -> None:
    taking.create(integration_specific_config=value)
    text = json.dumps(value, allow_nan=False).encode()
    assert taking.sent() == BODY[:-1] + b',"integration_specific_config":' + text + b"}"


@given(value=st.dictionaries(any_text, anything, max_size=4))
@thorough
def test_extra_body_is_sent_as_json_dumps_has_it_or_refused(taking: Wire, value: Any) -> None:
    try:
        taking.create(extra_body=value)
    except ValidationError as error:
        check_nothing_was_sent(taking, error)
        return
    expected = json.loads(json.dumps(value, allow_nan=False))
    assert same(json.loads(taking.sent()), {**json.loads(BODY), **expected})


# ---- what comes back ----


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member is given twice")
    return found


def refuse(constant: str) -> Any:
    raise ValueError(constant)


def check_inside(value: Any, depth: int) -> None:
    """Refuse what Python's json lets pass: lone surrogates, and nesting without end."""
    if isinstance(value, str):
        value.encode()
    if isinstance(value, dict | list):
        if depth == DEEPEST:
            raise ValueError("too deep")
        for inner in value:
            check_inside(inner, depth + 1)
            if isinstance(value, dict):
                check_inside(value[inner], depth + 1)


def strictly_read(body: bytes) -> dict[str, Any] | None:
    """Return the answer's object if it is what the API promises, by Python's json and rules."""
    try:
        value = json.loads(body.decode(), object_pairs_hook=unique, parse_constant=refuse)
        check_inside(value, 0)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    token = value.get("link_token")
    if not isinstance(token, str) or token == "" or "\0" in token:
        return None
    optional = (value.get(name) for name in ("integration_name", "magic_link_url"))
    return value if all(one is None or isinstance(one, str) for one in optional) else None


KNOWN = ("link_token", "integration_name", "magic_link_url")


def check_answer(wire: Wire, body: bytes) -> bool:
    """Say whether it was taken; then it must be what strict JSON means."""
    wire.body, wire.raw = body, None
    expected = strictly_read(body)
    if expected is None:
        with pytest.raises(ResponseError) as caught:
            wire.create()
        assert caught.value.status_code == 200
        return False
    token = wire.create()
    filled = {"integration_name": None, "magic_link_url": None, **expected}
    assert same(token.to_dict(), filled)
    assert list(token.extra) == [name for name in expected if name not in KNOWN]
    return True


promised = st.fixed_dictionaries(
    {"link_token": st.text(min_size=1) | anything.filter(lambda v: isinstance(v, str | int))},
    optional={
        "integration_name": st.none() | st.text(),
        "magic_link_url": st.none() | any_text,
        "extra": sendable,
        "x\0y": sendable,
    },
)


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """JSON as some server writes it: spaces, escapes, members of its own, then perhaps damage."""
    value = {**draw(st.dictionaries(any_text, sendable, max_size=3)), **draw(promised)}
    text = json.dumps(
        value,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 0, "\t"])),
        separators=draw(st.sampled_from([None, (",", ":"), (" ,\r\n", "\t: ")])),
    )
    data = text.encode(errors="surrogatepass")
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        pieces = [
            b"",
            b"\0",
            b"\xff",
            b"\xed\xa0\x80",
            b"\\",
            b'"',
            b",",
            b"0",
            b"1e5",
            b"-",
            b"[]",
        ]
        pieces += [
            b"\\ud800",
            b"\\u0000",
            b"\xef\xbb\xbf",
            b"NaN",
            b"true",
            b"}",
            b"{",
            b"\n",
            b".",
        ]
        data = data[:at] + draw(st.sampled_from(pieces)) + data[at + draw(st.integers(0, 2)) :]
    return data


@given(body=written())
@settings(thorough, max_examples=EXAMPLES or 600)
def test_exactly_strict_json_is_taken_and_means_the_same(wire: Wire, body: bytes) -> None:
    check_answer(wire, body)


@given(body=st.binary(max_size=200) | st.text('{}[]":,\\u0d8ctruefalsn123.-+e \n').map(str.encode))
@thorough
def test_any_bytes_are_no_crash(wire: Wire, body: bytes) -> None:
    check_answer(wire, body)


LINK = b'{"link_token":"a","x":%s}'


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        (LINK % (b"[" * 255 + b"]" * 255), True),
        (LINK % (b"[" * 256 + b"]" * 256), False),
        (LINK % (b'{"a":' * 255 + b"1" + b"}" * 255), True),
        (LINK % (b'{"a":' * 256 + b"1" + b"}" * 256), False),
        (LINK % (b"[" * 100_000), False),
        (LINK % (b"9" * 4300), True),
        (LINK % (b"9" * 4301), False),
        (LINK % (b"0." + b"9" * 5000), True),
        (LINK % b"[01]", False),
        (LINK % b"[1]x", False),
        (LINK % b"1e5", True),
        (LINK % b"1e", False),
        (LINK % b"+1", False),
        (LINK % b".5", False),
        (LINK % b"-", False),
        (LINK % b"-0", True),
        (LINK % b'"\\ud83d\\ude00"', True),
        (LINK % b'"\\ude00\\ud83d"', False),
        (LINK % b'"\\x41"', False),
        (LINK % b'"\x7f"', True),
        (LINK % b'"\x1f"', False),
        (LINK % b'"\xc0\x80"', False),
        (LINK % b'"\xf4\x90\x80\x80"', False),
        (LINK % b'"\xef\xbf\xbf"', True),
        (LINK % b'{"a":1,"\\u0061":2}', False),
        (LINK % b'{"a\\u0000":1,"a":2}', True),
        (LINK % b"[1,]", False),
        (LINK % b"[1]" + b" \n\t\r", True),
        (LINK % b"[1]" + b"\0", False),
        (b"\x0b" + LINK % b"1", False),
        (LINK % (b"{" + b",".join(b'"k%d":1' % i for i in range(5000)) + b"}"), True),
        (LINK % (b"{" + b",".join(b'"k%d":1' % (i % 4999) for i in range(5000)) + b"}"), False),
    ],
    ids=range(32),
)
def test_the_corners_of_strict_json(wire: Wire, body: bytes, taken: bool) -> None:
    assert check_answer(wire, body) == taken


raw_answers = st.builds(
    lambda status, lines, body: b"\r\n".join([status, *lines, b"", body]),
    st.sampled_from(
        [
            *(b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/1.1 100 C", b"HTTP/1.1 503 X"),
            *(b"HTTP/1.1 301 X", b"HTTP/1.1 999 X", b"HTTP/1.1 000 X", b"HTTP/2 200", b"HTTP/1.1"),
            *(b"HTTP/1.1 101 X", b"HTTP/1.1 304 X", b"HTTP/1.1 407 X", b"HTTP/1.1 429 X"),
        ]
    )
    | st.binary(max_size=30),
    st.lists(
        st.sampled_from(
            [
                *(b"Content-Length: 5", b"Content-Length: 99999999999999999999", b": x", b" fold"),
                *(b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", b"Content-Length: x"),
                *(b"Retry-After: 1", b"Date: x", b"Location: http://127.0.0.1:1", b"X: \0", b"\r"),
                *(b"Connection: upgrade", b"Upgrade: h2c", b"Content-Encoding: nonsense"),
                *(b"Set-Cookie: a=b", b"WWW-Authenticate: Basic realm=x", b"X-Request-Id: \xff"),
            ]
        )
        | st.binary(max_size=20),
        max_size=4,
    ),
    st.binary(max_size=50) | st.just(LINK % b"1") | st.just(b"5\r\n[]   \r\n0\r\n\r\n"),
)


@given(raw=st.binary(max_size=300) | raw_answers)
@settings(thorough, max_examples=EXAMPLES or 300)
def test_any_bytes_instead_of_http_are_an_answer_or_an_error_of_ours(
    wire: Wire, raw: bytes
) -> None:
    wire.raw = raw
    try:
        token = wire.create()
    except MergeLinkError as error:
        facts = str(error), repr(vars(error))
    else:
        facts = token.link_token, repr(token.response)
        assert token.expires_at is not None
    assert all(facts)
