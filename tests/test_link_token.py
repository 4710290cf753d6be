"""The result of a call: a dataclass in manners, a credential in what it shows."""

import copy
import dataclasses
import inspect
import json
import math
import pickle
import pprint
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

import merge_link
from merge_link import Headers, LinkToken, Response, Timing
from samples import FIELDS, TOKEN
from scripted import Server, answer, token_answer

Serve = Callable[..., Server]

MAGIC = "https://link.merge.dev/asdfjkl12345jsndfgi2i83n"
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = (
    *("link_token", "integration_name", "magic_link_url", "expires_at"),
    *("extra", "response"),
)


def by_hand(**fields: Any) -> LinkToken:
    return LinkToken(**{"link_token": "a", "expires_at": MOMENT, **fields})


def token_of(serve: Serve, script: Any, **fields: Any) -> LinkToken:
    with serve(script).client() as client:
        return client.create_link_token(**{**FIELDS, **fields})


@pytest.fixture
def token(serve: Serve) -> LinkToken:
    """A token with everything."""
    members = {"integration_name": "Lever", "magic_link_url": MAGIC, "new": {"a": [1, 2.5]}}
    return token_of(serve, token_answer(f"Date: {DATE}", "X-Request-Id: r-1", **members))


@pytest.fixture(params=["answered", "made by hand"])
def any_token(request: pytest.FixtureRequest, serve: Serve) -> LinkToken:
    if request.param == "answered":
        return token_of(serve, token_answer(integration_name="Lever", magic_link_url=MAGIC, x=1))
    return by_hand(link_token=TOKEN, integration_name="Lever", magic_link_url=MAGIC, extra={"x": 1})


# ---- values ----


def test_the_members_of_the_answer_are_attributes(token: LinkToken) -> None:
    assert type(token) is LinkToken
    assert token.link_token == TOKEN
    assert token.integration_name == "Lever"
    assert token.magic_link_url == MAGIC
    assert token.extra == {"new": {"a": [1, 2.5]}}


@pytest.mark.parametrize("members", ["", ',"integration_name":null,"magic_link_url":null'])
def test_members_that_are_absent_or_null_are_none(serve: Serve, members: str) -> None:
    token = token_of(serve, answer(200, f'{{"link_token":"{TOKEN}"{members}}}'.encode()))
    assert (token.integration_name, token.magic_link_url, token.extra) == (None, None, {})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-0", 0),
        (str(2**64 + 1), 2**64 + 1),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("0.1", 0.1),
        ("5e-324", 5e-324),
        ("1E400", math.inf),
        ("1.0", 1.0),
        ("true", True),
        ("null", None),
        ('"\\u0000\\ud83c\\udf89\\/é"', "\0🎉/é"),
        ('"a\\u0000b"', "a\0b"),
        ('""', ""),
        ('[{"a":[]},{}]', [{"a": []}, {}]),
    ],
)
def test_unknown_members_are_exact_in_extra(serve: Serve, text: str, value: object) -> None:
    body = f'{{"x":{text},"link_token":"{TOKEN}","y":[{text}]}}'.encode()
    token = token_of(serve, answer(200, body))
    assert token.extra == {"x": value, "y": [value]}
    assert type(token.extra) is dict
    assert type(token.extra["x"]) is type(value)
    assert json.dumps(token.extra["x"]) == json.dumps(value)


@pytest.mark.parametrize(
    "name",
    [
        *("\0", "link_token\0", "LINK_TOKEN", "extra", "response", "_facts", "expires_at"),
        *("__dict__", "__class__", "to_dict", "", "é\n🎉"),
    ],
)
def test_a_member_of_any_name_stays_in_extra(serve: Serve, name: str) -> None:
    body = {name: "evil", "link_token": TOKEN}
    token = token_of(serve, answer(200, body))
    assert token.extra == {name: "evil"}
    assert token.link_token == TOKEN
    assert isinstance(token.response, Response)
    assert isinstance(token.expires_at, datetime)


def test_members_in_escapes_are_the_same_members(serve: Serve) -> None:
    body = b'{"l\\u0069nk_token":"\\u0061\\"b","integration\\u005fname":"\\ud83c\\udf89"}'
    token = token_of(serve, answer(200, body))
    assert (token.link_token, token.integration_name, token.extra) == ('a"b', "🎉", {})


def test_extra_is_a_plain_dict_of_the_tokens_own(serve: Serve) -> None:
    server = serve(token_answer(x=1))
    with server.client() as client:
        one, two = (client.create_link_token(**FIELDS) for _ in range(2))
    one.extra["y"] = 2
    assert two.extra == {"x": 1}
    by_hand().extra["z"] = 3
    assert by_hand().extra == {}


# ---- the facts of the answer ----


def test_the_response_tells_the_facts(token: LinkToken) -> None:
    response = token.response
    assert response.status_code == 200
    assert response.request_id == "r-1"
    assert response.attempts == 1
    timing = response.timing
    assert type(timing) is Timing
    assert 0 <= timing.name_lookup <= timing.connect <= timing.first_byte <= timing.total < 30
    assert timing.first_byte > 0
    assert timing.tls == 0.0
    assert token.response is response


def test_headers_are_a_mapping_whatever_the_case(token: LinkToken) -> None:
    headers = token.response.headers
    assert isinstance(headers, Mapping)
    assert headers["date"] == headers["DATE"] == headers.get("Date") == DATE
    assert "x-REQUEST-id" in headers
    assert "X-None" not in headers
    assert list(headers) == ["Content-Length", "Date", "X-Request-Id", "Content-Type"]
    assert len(headers) == 4
    with pytest.raises(KeyError):
        headers["X-None"]


def test_repeated_headers_are_joined_and_odd_ones_harmless(serve: Serve) -> None:
    lines = ["X-A: 1", "x-a:  2 ", "X-Empty:", "X-Colon: a:b", "X-Latin: caf\xe9"]
    headers = token_of(serve, token_answer(*lines)).response.headers
    assert headers["X-A"] == "1, 2"
    assert headers["X-Empty"] == ""
    assert headers["X-Colon"] == "a:b"
    assert headers["X-Latin"] == "caf\xe9"


@pytest.mark.parametrize("byte", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85"])
def test_a_header_ends_at_its_line_break_and_nowhere_else(serve: Serve, byte: str) -> None:
    """Text that splits there would let a value make headers of its own."""
    line = f"X-Name: a{byte}X-Request-Id: forged"
    response = token_of(serve, token_answer(line)).response
    assert response.headers["X-Name"] == f"a{byte}X-Request-Id: forged"
    assert response.request_id is None


def test_what_headers_show_leaves_out_their_values(token: LinkToken) -> None:
    assert repr(token.response.headers) == (
        "Headers(Content-Length, Date, X-Request-Id, Content-Type)"
    )


def test_a_response_is_a_record_too(token: LinkToken) -> None:
    response = token.response
    assert dataclasses.is_dataclass(response)
    assert [field.name for field in dataclasses.fields(response)] == [
        *("status_code", "request_id", "headers", "attempts", "timing")
    ]
    assert pickle.loads(pickle.dumps(response)) == response
    assert repr(response).startswith("Response(status_code=200, request_id='r-1', ")
    with pytest.raises(dataclasses.FrozenInstanceError):
        response.attempts = 5


# ---- expiry ----


@pytest.mark.parametrize(
    ("fields", "minutes"),
    [
        ({}, 30),
        ({"link_expiry_mins": None}, 30),
        ({"link_expiry_mins": 720}, 720),
        ({"link_expiry_mins": 10080, "should_create_magic_link_url": True}, 10080),
    ],
)
def test_it_expires_by_the_servers_clock_and_the_minutes(
    serve: Serve, fields: dict[str, Any], minutes: int
) -> None:
    token = token_of(serve, token_answer(f"Date: {DATE}"), **fields)
    assert token.expires_at == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC) + timedelta(
        minutes=minutes
    )
    assert token.expires_at.utcoffset() == timedelta(0)
    assert token.is_expired()


@pytest.mark.parametrize(
    "date",
    [
        None,
        *("", "yesterday", "Sun, 99 Foo 1994 99:99:99 GMT", "x" * 500, "0"),
        *("Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"),
        *("Sun, 06 Nov 99999 08:49:37 GMT", "-1", "\xff\xfe"),
    ],
)
def test_without_a_sensible_date_it_expires_by_this_clock(serve: Serve, date: str | None) -> None:
    before = datetime.now(UTC)
    token = token_of(serve, token_answer(*([] if date is None else [f"Date: {date}"])))
    after = datetime.now(UTC)
    second = timedelta(seconds=1)  # clocks may be stepped
    assert before - second <= token.expires_at - timedelta(minutes=30) <= after + second
    assert not token.is_expired()


def test_is_expired_from_the_very_moment_on_in_any_time_zone(serve: Serve) -> None:
    token = token_of(serve, token_answer(f"Date: {DATE}"))
    moment, second = token.expires_at, timedelta(seconds=1)
    assert token.is_expired(moment)
    assert not token.is_expired(moment - second)
    india = timezone(timedelta(hours=5, minutes=30))
    assert token.is_expired((moment + second).astimezone(india))
    assert not token.is_expired((moment - second).astimezone(india))
    with pytest.raises(TypeError):
        token.is_expired(datetime(2026, 1, 1))


# ---- made by hand ----


def test_one_made_by_hand_expires_when_it_is_told() -> None:
    token = by_hand()
    assert token.expires_at == MOMENT
    assert token.is_expired(MOMENT)
    assert not token.is_expired(MOMENT - timedelta(seconds=1))


def test_one_made_by_hand_has_an_empty_response() -> None:
    response = by_hand().response
    assert type(response) is Response
    assert (response.status_code, response.attempts, response.request_id) == (0, 0, None)
    assert type(response.headers) is Headers
    assert dict(response.headers) == {}
    assert set(dataclasses.asdict(response.timing).values()) == {0.0}


def test_one_made_by_hand_keeps_the_response_that_it_gets(token: LinkToken) -> None:
    assert by_hand(response=token.response).response is token.response


def test_facts_of_an_answer_are_never_none(any_token: LinkToken) -> None:
    for twin in (any_token, copy.deepcopy(any_token), pickle.loads(pickle.dumps(any_token))):
        assert twin.expires_at.tzinfo is not None
        assert type(twin.response) is Response
        assert twin.response == any_token.response
        assert twin.expires_at == any_token.expires_at


MADE_WRONG: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    (("a",), {}, r"takes keyword arguments only \(1 positional given\): link_token="),
    ((), {}, r"LinkToken\(\) needs link_token="),
    ((), {"link_token": "a"}, r"needs expires_at= as an aware datetime, such as .*now\(UTC\)"),
    ((), {"link_token": "a", "expires_at": datetime(2026, 1, 1)}, "needs expires_at= as an aware"),
    ((), {"link_token": "a", "expires_at": None}, "needs expires_at= as an aware"),
    (
        (),
        {"link_token": "a", "expires_at": "2026-01-01T00:00:00Z"},
        "needs expires_at= as an aware",
    ),
    (
        (),
        {"link_token": "a", "expires_at": MOMENT, "response": None},
        "needs response= as a merge_link.Response",
    ),
    ((), {"link_tokn": "a"}, "has no field 'link_tokn'"),
]


@pytest.mark.parametrize(("positional", "fields", "said"), MADE_WRONG)
def test_making_one_wrongly_is_told_by_its_own_name(
    positional: tuple[Any, ...], fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(TypeError, match=said) as caught:
        LinkToken(*positional, **fields)
    assert "Record" not in str(caught.value)


@pytest.mark.parametrize(
    ("positional", "fields"),
    [((TOKEN,), {}), ((), {"magic_link_url": TOKEN}), ((), {"link_tokn": TOKEN})],
)
def test_no_frame_of_ours_keeps_what_a_refused_one_was_made_of(
    positional: tuple[Any, ...], fields: dict[str, Any]
) -> None:
    with pytest.raises(TypeError) as caught:
        LinkToken(*positional, **fields)
    ours = [entry.frame.f_locals for entry in caught.traceback[1:]]
    assert ours
    assert TOKEN not in repr(ours)


def test_replacing_a_fact_by_none_is_refused(any_token: LinkToken) -> None:
    for name in ("expires_at", "response"):
        with pytest.raises(TypeError, match=f"needs {name}="):
            dataclasses.replace(any_token, **{name: None})


def test_help_shows_how_one_is_made() -> None:
    assert list(inspect.signature(LinkToken).parameters) == list(NAMES)
    required = [
        name
        for name, one in inspect.signature(LinkToken).parameters.items()
        if one.default is inspect.Parameter.empty
    ]
    assert required == ["link_token", "expires_at"]
    assert "name_lookup" in inspect.signature(Timing).parameters


# ---- a dataclass in manners ----


def test_dataclasses_takes_it_for_one(any_token: LinkToken) -> None:
    assert dataclasses.is_dataclass(LinkToken)
    assert dataclasses.is_dataclass(any_token)
    assert tuple(field.name for field in dataclasses.fields(any_token)) == NAMES
    assert all(field.kw_only for field in dataclasses.fields(LinkToken))
    assert dataclasses.asdict(any_token) == {
        "link_token": TOKEN,
        "integration_name": "Lever",
        "magic_link_url": MAGIC,
        "expires_at": any_token.expires_at,
        "extra": {"x": 1},
        "response": dataclasses.asdict(any_token.response),
    }


REPLACERS = [dataclasses.replace]
if sys.version_info >= (3, 13):
    REPLACERS.append(copy.replace)


@pytest.mark.parametrize("replace", REPLACERS)
def test_replace_changes_a_copy(replace: Callable[..., LinkToken], any_token: LinkToken) -> None:
    changed = replace(any_token, integration_name="Workday")
    assert changed.integration_name == "Workday"
    assert any_token.integration_name == "Lever"
    assert dataclasses.asdict(changed) == {
        **dataclasses.asdict(any_token),
        "integration_name": "Workday",
    }
    with pytest.raises(TypeError, match="nonsense"):
        replace(any_token, nonsense=1)


def test_pattern_matching(any_token: LinkToken) -> None:
    match any_token:
        case LinkToken(link_token=value, integration_name="Lever", extra={"x": 1}):
            assert value == TOKEN
        case _:
            pytest.fail("does not match")
    match any_token:
        case LinkToken(first, second):
            assert (first, second) == (TOKEN, "Lever")
        case _:
            pytest.fail("does not match by position")


SPREADERS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {protocol}": lambda value, protocol=protocol: pickle.loads(
            pickle.dumps(value, protocol)
        )
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("way", SPREADERS)
def test_a_copy_is_equal_in_everything(token: LinkToken, way: str) -> None:
    twin = SPREADERS[way](token)
    assert type(twin) is LinkToken
    assert twin is not token
    assert twin == token
    for name in NAMES:
        assert getattr(twin, name) == getattr(token, name)
    assert twin.response.headers["date"] == DATE
    assert repr(twin) == repr(token)


def test_a_deep_copy_has_an_extra_of_its_own(token: LinkToken) -> None:
    twin = copy.deepcopy(token)
    twin.extra["new"]["a"].append(3)
    assert token.extra == {"new": {"a": [1, 2.5]}}


def test_equality_and_hash_count_the_apis_fields_only(serve: Serve) -> None:
    one = token_of(serve, token_answer(f"Date: {DATE}", integration_name="Lever", x=1))
    two = by_hand(link_token=TOKEN, integration_name="Lever")
    assert one == two
    assert hash(one) == hash(two)
    assert len({one, two}) == 1
    for change in ({"link_token": "b"}, {"integration_name": None}, {"magic_link_url": "x"}):
        assert dataclasses.replace(two, **change) != two
    other = by_hand()
    facts = ({"extra": {"y": 1}}, {"expires_at": MOMENT}, {"response": other.response})
    for change in facts:
        assert dataclasses.replace(one, **change) == one
    assert one != TOKEN
    assert one != (TOKEN, "Lever", None)


def test_its_fields_are_made_once() -> None:
    first, second = (dataclasses.fields(by_hand(link_token=text)) for text in "ab")
    assert all(one is two for one, two in zip(first, second, strict=True))


def test_a_subclass_is_another_type() -> None:
    assert len(dataclasses.fields(LinkToken)) == len(NAMES)

    class Sub(LinkToken):
        note: str = ""

    assert Sub(link_token="a", expires_at=MOMENT, note="n").note == "n"
    assert Sub(link_token="a", expires_at=MOMENT) != by_hand()
    assert [field.name for field in dataclasses.fields(Sub)] == ["note", *NAMES]


@pytest.mark.parametrize("name", [*NAMES, "brand_new"])
def test_it_cannot_be_changed(any_token: LinkToken, name: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match=name):
        setattr(any_token, name, "x")
    with pytest.raises(dataclasses.FrozenInstanceError, match=name):
        delattr(any_token, name)
    assert any_token.link_token == TOKEN


def test_a_name_that_it_has_not_is_an_attribute_error(any_token: LinkToken) -> None:
    with pytest.raises(AttributeError, match="'LinkToken' object has no attribute 'nonsense'"):
        any_token.nonsense  # noqa: B018


def test_to_dict_is_what_the_api_answered_ready_for_json(serve: Serve) -> None:
    members = {
        "link_token": TOKEN,
        "integration_name": "Lever",
        "magic_link_url": None,
        "new": {"a": [1, None, 10**30]},
    }
    token = token_of(serve, answer(200, members))
    assert token.to_dict() == members
    assert json.loads(json.dumps(token.to_dict())) == members


# ---- what is shown ----


def shown(token: LinkToken) -> dict[str, str]:
    return {
        "repr": repr(token),
        "str": str(token),
        "format": f"{token}",
        "percent": "%s %r" % (token, token),  # noqa: UP031
        "html": token._repr_html_(),
        "pprint": pprint.pformat(token),
        "wide pprint": pprint.pformat([token] * 3, width=20),
        "in a list": repr([token]),
    }


def test_no_way_to_show_it_shows_a_credential(any_token: LinkToken) -> None:
    for way, text in shown(any_token).items():
        assert TOKEN not in text, way
        assert MAGIC not in text, way
        assert "Lever" in text, way
        assert "link_token" in text, way


def test_repr_shows_a_mask_where_there_is_something_to_hide() -> None:
    assert repr(by_hand(integration_name="x<y")) == (
        "LinkToken(link_token='********', integration_name='x<y', magic_link_url=None, "
        f"expires_at={MOMENT!r})"
    )
    html = by_hand(integration_name="x<script>")._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html


def test_everything_else_of_a_token_can_be_named() -> None:
    assert merge_link.Headers is Headers
    assert dir(by_hand()).count("to_dict") == 1
