"""Answers as results: each type by its description, checked, exact, with credentials masked."""

import copy
import dataclasses
import json
import pickle
import traceback
import typing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import merge_link
from answers import FULL, INTEGRATION, REQUIRED, SECRET, TIME, facts_of, read
from merge_link import choices, models, records, results
from merge_link._decoding import plan_of
from merge_link.models import (
    AccountDetails,
    AccountToken,
    FieldMapping,
    FieldMappings,
    Integration,
    LinkedAccount,
    PassthroughResponse,
)
from merge_link.pages import Page
from merge_link.results import RawResponse, UnexpectedAnswer, from_core
from test_notebooks import Card

MOMENT = datetime(2026, 1, 31, 12, 0, 0, 250000, tzinfo=UTC)
CLASSES = [getattr(models, name) for name in models.__all__ if name != "LinkToken"]
RESULTS = [cls for cls in CLASSES if issubclass(cls, records.Result)]
each = pytest.mark.parametrize("name", FULL)


def own_fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name, spec in record._specs.items() if not spec.compute}


def secrets_of(cls: Any) -> list[str]:
    return [name for name, spec in cls._specs.items() if spec.secret]


# ---- each type ----


def test_every_type_has_an_example() -> None:
    assert {cls.__name__ for cls in RESULTS} == FULL.keys() == REQUIRED.keys()


@each
def test_a_full_answer_fills_every_field(name: str) -> None:
    result = read("object", name, FULL[name])
    assert type(result) is getattr(models, name)
    assert None not in own_fields(result).values()
    assert result.extra == {}
    assert result.to_dict() == FULL[name]
    assert json.loads(json.dumps(result.to_dict())) == FULL[name]


@each
def test_what_may_be_missing_is_none(name: str) -> None:
    result = read("object", name, REQUIRED[name])
    given_by_wire = set(REQUIRED[name])
    for field, spec in result._specs.items():
        if not spec.compute and not spec.is_rest and field not in given_by_wire:
            assert getattr(result, field) is None
    assert result.to_dict() == REQUIRED[name]


@each
def test_what_must_be_there_is_missed(name: str) -> None:
    for member in REQUIRED[name]:
        rest = {key: value for key, value in REQUIRED[name].items() if key != member}
        with pytest.raises(UnexpectedAnswer) as caught:
            read("object", name, rest)
        assert str(caught.value) == f"the answer has no member {member}"
        with pytest.raises(UnexpectedAnswer, match=rf"member {member} of .* must be .*, is null"):
            read("object", name, {**rest, member: None})


@each
def test_null_is_none_where_a_member_may_be_missing(name: str) -> None:
    sent = {key: None for key in FULL[name] if key not in REQUIRED[name]}
    if issubclass(getattr(models, name), (FieldMappings, models.RemoteFields, models.TargetFields)):
        return
    result = read("object", name, {**sent, **REQUIRED[name]})
    assert result.to_dict() == {**sent, **REQUIRED[name]}
    assert result == read("object", name, REQUIRED[name])


@each
def test_members_that_are_not_known_yet_survive(name: str) -> None:
    new = {"brand_new": {"a": [1, None]}, "extra": 1, "_sent": 2, "_facts": 3, "to_dict": "x"}
    result = read("object", name, {**FULL[name], **new})
    assert result.extra == new
    assert result.to_dict() == {**FULL[name], **new}
    assert result.response.request_id == "r-1"
    assert result == read("object", name, FULL[name])


def test_they_survive_in_the_objects_inside_too() -> None:
    operation = {"model_name": "Job", "new": 1}
    integration = {"name": "G", "new": [2], "available_model_operations": [operation]}
    sent = {"account_token": SECRET, "id": "1", "integration": integration}
    token = read("object", "AccountToken", sent)
    assert token.integration.extra == {"new": [2]}
    assert token.integration.available_model_operations[0].extra == {"new": 1}
    assert token.to_dict() == sent
    assert token.integration.to_dict() == integration


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("LinkedAccount", "status"),
        ("LinkedAccount", "account_type"),
        ("SyncStatus", "status"),
        ("SyncStatus", "last_sync_result"),
        ("Issue", "status"),
        ("PassthroughResponse", "response_type"),
    ],
)
def test_values_that_are_not_known_yet_survive(name: str, member: str) -> None:
    result = read("object", name, {**FULL[name], member: "BRAND_NEW"})
    assert getattr(result, member) == "BRAND_NEW"


def test_ids_stay_text() -> None:
    assert read("object", "LinkedAccount", {"id": "007"}).id == "007"
    with pytest.raises(UnexpectedAnswer, match="member id of the answer must be a string, is a n"):
        read("object", "LinkedAccount", {"id": 7})


def test_fields_by_model_are_those_of_any_name() -> None:
    result = read("object", "FieldMappings", {**FULL["FieldMappings"], "count": 5})
    assert list(result.by_model) == ["Employee", "Team"]
    (mapping,) = result.by_model["Employee"]
    assert type(mapping) is FieldMapping
    assert mapping.remote_field.remote_endpoint_info.field_traversal_path == ["custom", 0, "hobby"]
    assert result.extra == {"count": 5}


def test_the_other_sides_answer_is_data_and_not_the_http_answer() -> None:
    result = read("object", "PassthroughResponse", FULL["PassthroughResponse"])
    assert result.data == {"people": [{"token": SECRET}]}
    assert type(result.response) is merge_link.Response
    assert (result.response.status_code, result.status) == (200, 200)


# ---- times ----


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (TIME, MOMENT),
        ("2026-01-31T12:00:00.250000", MOMENT),
        ("2026-01-31T17:30:00.25+05:30", MOMENT),
        ("2026-01-31 12:00:00.250Z", MOMENT),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_times_are_aware_and_go_back_as_they_came(text: str, moment: datetime) -> None:
    details = read("object", "AccountDetails", {"id": "1", "completed_at": text})
    assert details.completed_at == moment
    assert details.completed_at.utcoffset() is not None
    assert details.to_dict()["completed_at"] == text


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+01:00"])
def test_a_time_that_has_no_equal_in_utc_is_shown_as_it_is(text: str) -> None:
    issue = read("object", "Issue", {"id": "1", "first_incident_time": text})
    assert text in Card(issue).text.replace(" ", "T")
    assert text in Page([issue])._repr_html_().replace(" ", "T")


@pytest.mark.parametrize(
    ("value", "kind"),
    [("yesterday", "string"), ("", "string"), ("2026-13-01T00:00:00Z", "string"), (5, "number")],
)
def test_what_is_no_time_is_refused_and_not_quoted(value: object, kind: str) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        read("object", "AccountDetails", {"id": "1", "completed_at": value})
    said = f"member completed_at of the answer must be a time (ISO 8601), is a {kind}"
    assert str(caught.value) == said
    assert caught.value.__context__ is caught.value.__cause__ is None


# ---- wrong kinds ----

WRONG: list[tuple[str, Any, str]] = [
    ("AccountToken", [], "the answer must be an object, is an array"),
    ("AccountToken", "x", "the answer must be an object, is a string"),
    (
        "AccountToken",
        {"account_token": "", "id": "1"},
        "member account_token of the answer is empty",
    ),
    (
        "AccountToken",
        {"account_token": {"a": 1}, "id": "1"},
        "member account_token of the answer must be a string, is an object",
    ),
    (
        "AccountToken",
        {**FULL["AccountToken"], "integration": {"slug": "g"}},
        "the answer has no member integration.name",
    ),
    (
        "AccountToken",
        {**FULL["AccountToken"], "integration": {"name": 5}},
        "member integration.name of the answer must be a string, is a number",
    ),
    (
        "AccountToken",
        {**FULL["AccountToken"], "integration": {"name": "G", "categories": ["ats", None]}},
        "member integration.categories[1] of the answer must be a string, is null",
    ),
    (
        "AvailableActions",
        {"available_model_operations": [{}, {"model_name": True}]},
        "member available_model_operations[1].model_name of the answer must be a string, is a "
        "boolean",
    ),
    (
        "Scopes",
        {"common_models": [{"model_name": "E", "model_permissions": {SECRET: {"is_enabled": 1}}}]},
        "member common_models[0].model_permissions.*.is_enabled of the answer must be a boolean, "
        "is a number",
    ),
    ("Scopes", {"common_models": {}}, "member common_models of the answer must be an array, is an"),
    (
        "FieldMappings",
        {SECRET: [{"id": "1"}, {}]},
        "the answer has no member *[1].id",
    ),
    (
        "PassthroughResponse",
        {"status": "200"},
        "member status of the answer must be a number, is a string",
    ),
    (
        "PassthroughResponse",
        {"status": True},
        "member status of the answer must be a number, is a boolean",
    ),
    (
        "PassthroughResponse",
        {"status": 200.5},
        "member status of the answer must be an integer, is a number",
    ),
    (
        "PassthroughResponse",
        {"status": 200, "headers": []},
        "member headers of the answer must be an object, is an array",
    ),
]


@pytest.mark.parametrize(("name", "sent", "said"), WRONG)
def test_what_is_of_the_wrong_kind_is_named_by_its_path(name: str, sent: Any, said: str) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        read("object", name, sent)
    assert str(caught.value).startswith(said)


def test_items_of_lists_and_pages_are_named_by_their_number() -> None:
    items = [{"model_name": "a", "model_id": "b"}, {"model_name": "a"}]
    with pytest.raises(UnexpectedAnswer, match=r"^the answer has no member \[1\]\.model_id$"):
        read("list", "SyncStatus", items)
    with pytest.raises(UnexpectedAnswer, match=r"^the answer has no member results\[1\]\.model_id"):
        read("page", "SyncStatus", {"next": None, "results": items})


def refusal_of(name: str, sent: Any) -> UnexpectedAnswer | None:
    try:
        read("object", name, sent)
    except UnexpectedAnswer as error:
        return error
    return None


@each
def test_no_error_quotes_the_answer(name: str) -> None:
    """Whatever member is of the wrong kind, at the top or inside."""
    wrong = (SECRET, {SECRET: SECRET}, [SECRET], [[SECRET]], [{SECRET: SECRET}])
    sent = [{**FULL[name], member: value} for member in FULL[name] for value in wrong]
    refusals = [error for error in (refusal_of(name, one) for one in sent) if error]
    assert refusals
    for error in refusals:
        assert SECRET not in f"{error} {error!r}"
        assert SECRET not in "".join(traceback.format_exception_only(error))
        assert error.__context__ is None


# ---- exactness ----

numbers = st.integers(-(2**200), 2**200) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def answers(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Return a type and an answer for it: some optional members, null or not, and new ones."""
    name = draw(st.sampled_from(sorted(FULL)))
    known = {
        key: draw(st.sampled_from([value, *([None] if key not in REQUIRED[name] else [])]))
        for key, value in FULL[name].items()
        if key in REQUIRED[name] or draw(st.booleans())
    }
    wires = {wire for _, wire, _, _ in plan_of(getattr(models, name)).members}
    new = draw(st.dictionaries(st.text(), values.filter(lambda v: type(v) is not list), max_size=3))
    return name, known | {key: value for key, value in new.items() if key not in wires}


@given(answers())
def test_to_dict_gives_back_what_was_sent(made: tuple[str, dict[str, Any]]) -> None:
    name, sent = made
    result = read("object", name, sent)
    assert result.to_dict() == sent
    assert json.dumps(result.to_dict(), sort_keys=True) == json.dumps(sent, sort_keys=True)
    assert pickle.loads(pickle.dumps(result)).to_dict() == sent
    assert hash(result) == hash(read("object", name, sent))


@given(values)
def test_values_are_exactly_those_of_the_answer(value: Any) -> None:
    """Integers of any size, floats to the last bit, every text."""
    raw = read("any", None, {"value": value})
    assert raw.data == {"value": value}
    assert json.dumps(raw.data) == json.dumps({"value": value})
    issue = read("object", "Issue", {"id": "1", "error_details": [value]})
    assert json.dumps(issue.error_details) == json.dumps([value])


def test_to_dict_is_the_callers_own() -> None:
    result = read("object", "LinkedAccount", FULL["LinkedAccount"])
    result.to_dict()["integration"]["categories"].append("x")
    assert result.to_dict() == FULL["LinkedAccount"]
    assert result.integration.categories == INTEGRATION["categories"]


def test_what_json_refuses_comes_out() -> None:
    with pytest.raises(ValueError, match="digits"):
        read("any", None, b"1" * 5000)


# ---- credentials ----


def test_every_type_with_a_credential_can_be_revealed() -> None:
    for cls in RESULTS:
        assert bool(secrets_of(cls)) == issubclass(cls, records.Secret), cls


@each
def test_credentials_are_masked_in_text_and_cards(name: str) -> None:
    result = read("object", name, FULL[name])
    shown = f"{result!r} {result} {result._repr_html_()} {[result]}"
    assert SECRET not in shown
    if secrets_of(type(result)):
        assert shown.count("********") >= len(secrets_of(type(result))) * 4
        assert SECRET in result.reveal()._repr_html_()
        assert SECRET not in repr(result.reveal())


def test_a_credential_that_is_missing_is_none_and_not_masked() -> None:
    receiver = read("object", "WebhookReceiver", REQUIRED["WebhookReceiver"])
    assert repr(receiver) == "WebhookReceiver(event='candidate.changed', is_active=True, key=None)"


def test_a_card_names_what_has_a_name_and_lists_what_is_a_list() -> None:
    card = Card(read("object", "AccountToken", FULL["AccountToken"]))
    assert card.text.startswith("AccountToken masked; reveal() shows it")
    assert card.values["integration"] == "Greenhouse"
    assert card.values["account_token"] == "********"
    status = Card(read("object", "SyncStatus", FULL["SyncStatus"]))
    assert status.values["last_sync_start"] == "2026-01-31 12:00 UTC"
    integration = Card(read("object", "AccountToken", FULL["AccountToken"]).integration)
    assert integration.values["categories"] == "ats, hris"
    fields = read("object", "RemoteFields", FULL["RemoteFields"])
    assert Card(fields.by_model["Employee"][0]).values["coverage"] == "0.75"


# ---- a dataclass in manners ----


def twin(result: Any) -> Any:
    return pickle.loads(pickle.dumps(result))


@pytest.mark.parametrize("way", [twin, copy.copy, copy.deepcopy])
@each
def test_a_copy_is_equal_in_everything(name: str, way: Callable[[Any], Any]) -> None:
    result = read("object", name, {**FULL[name], "new": 1})
    other = way(result)
    assert type(other) is type(result)
    assert other is not result
    assert other == result
    assert hash(other) == hash(result)
    assert other.extra == {"new": 1}
    assert other.response == result.response
    assert other.to_dict() == result.to_dict()


@each
def test_dataclasses_takes_it_for_one(name: str) -> None:
    result = read("object", name, FULL[name])
    fields = [field.name for field in dataclasses.fields(result)]
    assert fields == [*own_fields(result), "extra", "response"]
    assert list(dataclasses.asdict(result)) == fields
    assert dataclasses.replace(result) == result
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.extra = {}


def test_asdict_goes_all_the_way_down() -> None:
    found = dataclasses.asdict(read("object", "AccountToken", FULL["AccountToken"]))
    assert found["integration"]["name"] == "Greenhouse"
    assert found["integration"]["available_model_operations"][0]["model_name"] == "Candidate"


def test_replacing_a_field_changes_what_to_dict_gives() -> None:
    account = read("object", "LinkedAccount", FULL["LinkedAccount"])
    later = MOMENT.astimezone(timezone(timedelta(hours=2)))
    changed = dataclasses.replace(account, status="IDLE", completed_at=later)
    assert changed != account
    assert changed.to_dict() == {
        **FULL["LinkedAccount"],
        "status": "IDLE",
        "completed_at": "2026-01-31T14:00:00.250000+02:00",
    }


def test_pattern_matching() -> None:
    match read("object", "LinkedAccount", FULL["LinkedAccount"]):
        case LinkedAccount(status="RELINK_NEEDED", integration=Integration(slug=slug)):
            assert slug == "greenhouse"
        case _:
            pytest.fail("does not match")


def test_equality_is_that_of_the_apis_fields() -> None:
    one, other = (read("object", "Issue", {"id": "1"}, attempts=n) for n in (1, 2))
    assert one == other
    assert one != read("object", "Issue", {"id": "2"})
    assert one != read("object", "LinkedAccount", {"id": "1"})
    assert len({one, other}) == 1


# ---- made by hand ----


def test_one_is_easily_made_by_hand() -> None:
    token = AccountToken(account_token=SECRET, id="1", integration=Integration(name="Greenhouse"))
    assert token.integration.slug is None
    assert token.response.status_code == 0
    assert token.extra == {}
    assert token.to_dict()["integration"]["name"] == "Greenhouse"
    assert SECRET not in repr(token)
    assert twin(token) == token
    with pytest.raises(TypeError, match=r"AccountToken\(\) needs account_token="):
        AccountToken(id="1")  # type: ignore[call-arg]


def test_one_made_by_hand_is_equal_to_one_of_an_answer() -> None:
    made = AccountDetails(id="1", status="IDLE", completed_at=MOMENT)
    sent = {"id": "1", "status": "IDLE", "completed_at": TIME}
    assert made == read("object", "AccountDetails", sent)
    assert {key: value for key, value in made.to_dict().items() if value is not None} == sent


def test_one_made_by_hand_has_the_apis_names_in_to_dict() -> None:
    made = PassthroughResponse(status=200, data=[1], extra={"new": 1})
    assert (made.to_dict()["response"], made.to_dict()["new"]) == ([1], 1)
    assert "data" not in made.to_dict()
    mappings = FieldMappings(by_model={"Employee": [FieldMapping(id="m")]})
    assert mappings.to_dict()["Employee"][0]["id"] == "m"
    assert "by_model" not in mappings.to_dict()


# ---- descriptions ----


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_annotations_are_understood_as_type_checkers_do(cls: Any) -> None:
    """A name that is none of ours would be taken for a string."""
    names = {name: getattr(models, name) for name in models.__all__}
    names |= {name: getattr(choices, name) for name in choices.__all__}
    for field, spec in cls._specs.items():
        if not spec.compute:
            assert eval(cls._types[field], {**names, "Any": Any, "datetime": datetime})
    plan_of(cls)


def test_choices_are_open_sets_of_text() -> None:
    for name in choices.__all__:
        known, other = typing.get_args(getattr(choices, name))
        assert other is str
        assert all(type(value) is str for value in typing.get_args(known))


def test_an_annotation_that_is_not_understood_is_told() -> None:
    class Odd(records.Part):
        one: "int | str"

    with pytest.raises(TypeError, match="Odd has an annotation that is not understood"):
        plan_of(Odd)


def test_names_of_models_resolve_and_others_do_not() -> None:
    for name in models.__all__:
        assert getattr(models, name).__name__ == name
        assert name in dir(models)
        assert getattr(merge_link, name) is getattr(models, name)
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        models.Nonsense  # type: ignore[attr-defined]  # noqa: B018


# ---- lists, plain JSON, nothing ----


def test_a_list_is_one_of_results() -> None:
    found = read("list", "SyncStatus", [FULL["SyncStatus"], REQUIRED["SyncStatus"]])
    assert [one.status for one in found] == ["SYNCING", None]
    assert {one.response.request_id for one in found} == {"r-1"}
    assert read("list", "SyncStatus", []) == []
    with pytest.raises(UnexpectedAnswer, match=r"^the answer must be an array, is an object$"):
        read("list", "SyncStatus", {})


def test_what_has_no_type_is_plain() -> None:
    assert read("object", None, {"a": [1]}) == {"a": [1]}
    assert read("list", None, [1, {}]) == [1, {}]
    with pytest.raises(UnexpectedAnswer):
        read("object", None, [])


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff not json"])
def test_nothing_is_none_whatever_the_body(body: bytes) -> None:
    assert from_core("nothing", None, body, facts_of(status=204), None, False) is None


# ---- any endpoint ----


def test_a_raw_response_has_the_facts_and_the_data() -> None:
    raw = read("any", None, b'{"a": [1, 2.50]}', status=201, attempts=3)
    assert isinstance(raw, merge_link.Response)
    assert (raw.status_code, raw.attempts, raw.request_id) == (201, 3, "r-1")
    assert raw.headers["x-request-id"] == "r-1"
    assert raw.timing.total == 0.5
    assert raw.content == b'{"a": [1, 2.50]}'
    assert raw.data == raw.json() == {"a": [1, 2.5]}
    assert raw.response is raw
    assert twin(raw) == raw
    assert dataclasses.replace(raw, data=1).data == 1


def test_a_raw_response_shows_none_of_its_data() -> None:
    raw = read("any", None, {"key": SECRET})
    assert SECRET not in f"{raw!r} {raw} {raw._repr_html_()}"
    assert repr(raw).startswith("RawResponse(status_code=200, request_id='r-1', ")
    assert repr(raw).endswith(f"content=<{len(raw.content)} bytes>)")


@pytest.mark.parametrize("body", [b"", f"text {SECRET}".encode(), b"\xff\xfe", b"NaN"])
def test_what_is_no_json_has_no_data(body: bytes) -> None:
    raw = from_core("any", None, body, facts_of("X-Request-Id: r-9"), None, False)
    assert isinstance(raw, RawResponse)
    assert raw.data is None
    assert raw.content == body
    with pytest.raises(
        merge_link.ResponseError, match=r"^the answer is (not JSON|empty)"
    ) as caught:
        raw.json()
    assert (caught.value.status_code, caught.value.request_id) == (200, "r-9")
    assert caught.value.__context__ is None
    assert SECRET not in str(caught.value)


def test_null_is_json_too() -> None:
    assert read("any", None, b"null").json() is None
    assert read("any", None, b"false").json() is False


def test_a_raw_response_is_easily_made_by_hand() -> None:
    raw = RawResponse(data={"a": 1})
    assert (raw.json(), raw.status_code, dict(raw.headers)) == ({"a": 1}, 200, {})


def test_the_module_says_what_is_its_own() -> None:
    assert set(results.__all__) == {"RawResponse", "UnexpectedAnswer", "from_core"}
