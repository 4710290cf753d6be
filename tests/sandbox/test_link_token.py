"""What an order of a link token may say, and what is refused."""

import json
import re
from typing import Any

import pytest

from merge_link.sandbox import Sandbox
from plain_http import (
    GOOD,
    call,
)

BODY_CATEGORIES = [
    *("hris", "ats", "accounting", "ticketing"),
    *("crm", "mktg", "filestorage", "knowledgebase"),
]
PATH_CATEGORIES = [*BODY_CATEGORIES, "chat", "calendar", "email"]


REQUIRED = ["This field is required."]
NULL = ["This field may not be null."]
BLANK = ["This field may not be blank."]
NOT_STRING = ["Not a valid string."]
NOT_BOOLEAN = ["Must be a valid boolean."]
NOT_INTEGER = ["A valid integer is required."]
NOT_UUID = ["Must be a valid UUID."]
NOT_SLUG = ['Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.']
TOO_LONG = ["Ensure this field has no more than 100 characters."]
ANY_UUID = "7a0f5f0e-6b3c-4e5c-9f39-0c2d6a7c1b11"


# ---- what is accepted ----


def test_a_good_request_gets_a_token_and_nothing_else(sandbox: Sandbox) -> None:
    answer = call(sandbox)
    assert answer.status == 200
    assert set(answer.json) == {"link_token", "integration_name", "magic_link_url"}
    assert re.fullmatch(r"[A-Za-z0-9_-]{40}", answer.json["link_token"])
    assert answer.json["integration_name"] is None
    assert answer.json["magic_link_url"] is None


@pytest.mark.parametrize("category", PATH_CATEGORIES)
def test_every_category_has_the_path(sandbox: Sandbox, category: str) -> None:
    assert call(sandbox, path=f"/api/{category}/v1/link-token").status == 200


def scope(**members: object) -> dict[str, object]:
    return {"category_common_model_scopes": {"ats": [{"model_name": "Candidate", **members}]}}


GOOD_MODEL = {
    "model_id": "ats.Candidate",
    "enabled_actions": ["READ"],
    "disabled_fields": ["x"],
}


def model(**changes: object) -> dict[str, object]:
    return {"common_models": [{**GOOD_MODEL, **changes}]}


NULLABLE = [
    *("integration", "should_create_magic_link_url", "hide_admin_magic_link", "common_models"),
    *("category_common_model_scopes", "language", "are_syncs_disabled"),
    *("integration_specific_config", "completed_account_initial_screen"),
    *("linked_destination_id", "credential_id"),
]
STRINGS = ["end_user_email_address", "end_user_organization_name", "end_user_origin_id"]
BOOLEANS = [
    *("should_create_magic_link_url", "hide_admin_magic_link"),
    *("are_syncs_disabled", "ekm_enabled"),
]
UUIDS = ["linked_destination_id", "credential_id"]

ACCEPTED: dict[str, dict[str, object]] = {
    **{f"{name} of 1 character": {name: "x"} for name in STRINGS},
    **{f"{name} of 100 characters": {name: "x" * 100} for name in STRINGS},
    **{f"{name} of 100 wide characters": {name: "\U0001f600" * 100} for name in STRINGS},
    **{f"{name} of 100 within spaces": {name: f" {'x' * 100} "} for name in STRINGS},
    "an address that is no address": {"end_user_email_address": "not an address"},
    **{f"category {slug}": {"categories": [slug]} for slug in BODY_CATEGORIES},
    "all categories": {"categories": BODY_CATEGORIES},
    "a category twice": {"categories": ["ats", "ats"]},
    "another category than the path's": {"categories": ["crm"]},
    **{f"{name} null": {name: None} for name in NULLABLE},
    **{f"{name} {value}": {name: value} for name in BOOLEANS for value in (True, False)},
    **{f"{name} a UUID": {name: ANY_UUID} for name in UUIDS},
    **{f"{name} a UUID without hyphens": {name: ANY_UUID.replace("-", "")} for name in UUIDS},
    **{f"language {tag}": {"language": tag} for tag in ("en", "de", "fr")},
    "initial screen": {"completed_account_initial_screen": "SELECTIVE_SYNC"},
    "expiry 30": {"link_expiry_mins": 30},
    "expiry 720": {"link_expiry_mins": 720},
    "expiry 721 of a magic link": {"link_expiry_mins": 721, "should_create_magic_link_url": True},
    "expiry 10080 of a magic link": {
        "link_expiry_mins": 10080,
        "should_create_magic_link_url": True,
    },
    "expiry 720 with null for a magic link": {
        "link_expiry_mins": 720,
        "should_create_magic_link_url": None,
    },
    "integration": {"integration": "greenhouse"},
    "integration with every kind of character": {"integration": "Acme-hr_2"},
    "common model": model(),
    "common model, both actions": model(enabled_actions=["READ", "WRITE"]),
    "common model, nothing enabled nor disabled": model(enabled_actions=[], disabled_fields=[]),
    "no common models": {"common_models": []},
    "common model with a member unknown to us": model(colour="blue"),
    "no scopes": {"category_common_model_scopes": {}},
    "a category without scopes": {"category_common_model_scopes": {"hris": []}},
    "scope with a name only": scope(),
    "scope with permissions": scope(
        model_permissions={"READ": {"is_enabled": True}, "WRITE": {"is_enabled": False}},
        field_permissions={"enabled_fields": ["a"], "disabled_fields": ["b"]},
    ),
    "scope with empty permissions": scope(model_permissions={"READ": {}}, field_permissions={}),
    "integration's own configuration": {"integration_specific_config": {"a": [1, {"b": None}]}},
    "a member that is no field": {"favourite_colour": {"name": "blue"}},
}


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepts(sandbox: Sandbox, changes: dict[str, object]) -> None:
    answer = call(sandbox, {**GOOD, **changes})
    assert answer.status == 200, answer.body


# ---- what is refused ----


def invalid_choice(value: object) -> list[str]:
    return [f'"{value}" is not a valid choice.']


def not_a_list(kind: str) -> list[str]:
    return [f'Expected a list of items but got type "{kind}".']


def not_a_table(kind: str) -> list[str]:
    return [f'Expected a dictionary of items but got type "{kind}".']


def not_a_record(kind: str) -> dict[str, list[str]]:
    return {"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]}


def at_most(limit: int) -> list[str]:
    return [f"Ensure this value is less than or equal to {limit}."]


AT_LEAST_30 = ["Ensure this value is greater than or equal to 30."]
NOT_A_LIST_OF_MODELS = {"non_field_errors": not_a_list("dict")}


def scopes_problem(problem: object) -> dict[str, object]:
    return {"category_common_model_scopes": {"ats": [problem]}}


def values(field: str, problem: object, *refused: object) -> dict[str, Any]:
    return {f"{field} {value!r}": ({field: value}, {field: problem}) for value in refused}


Refused = dict[str, tuple[dict[str, object], dict[str, object]]]

REFUSED_SCALARS: Refused = {
    **{k: v for name in STRINGS for k, v in values(name, NULL, None).items()},
    **{k: v for name in STRINGS for k, v in values(name, BLANK, "", " ", "\t\n").items()},
    **{k: v for name in STRINGS for k, v in values(name, NOT_STRING, 7, 1.5, True, []).items()},
    **{f"{name} of 101": ({name: "x" * 101}, {name: TOO_LONG}) for name in STRINGS},
    **{
        f"{name} with NUL": ({name: "a\0b"}, {name: ["Null characters are not allowed."]})
        for name in STRINGS
    },
    **values("end_user_origin_id", ["Surrogate characters are not allowed: U+D800."], "a\ud800b"),
    **values("end_user_email_address", [*TOO_LONG, "Null characters are not allowed."], "\0x" * 99),
    **values("link_expiry_mins", NULL, None),
    **values("link_expiry_mins", NOT_INTEGER, "45", 45.0, 45.5, True, False, "", [45], {}),
    **values("link_expiry_mins", AT_LEAST_30, 29, 0, -5, -(10**30)),
    **values("link_expiry_mins", at_most(720), 721, 10080, 10**30),
    **{
        f"expiry {mins} with {magic} for a magic link": (
            {"link_expiry_mins": mins, "should_create_magic_link_url": magic},
            {"link_expiry_mins": problem},
        )
        for mins, magic, problem in [
            (10081, True, at_most(10080)),
            (29, True, AT_LEAST_30),
            (721, False, at_most(720)),
            (721, None, at_most(720)),
        ]
    },
    **{k: v for n in BOOLEANS for k, v in values(n, NOT_BOOLEAN, "true", 1, 0, "", []).items()},
    **values("ekm_enabled", NULL, None),
    **{k: v for n in UUIDS for k, v in values(n, NOT_UUID, "", "x", ANY_UUID + "0", 7).items()},
    **values("integration", NOT_STRING, 7, False, ["greenhouse"]),
    **values("integration", BLANK, "", "  "),
    **values("integration", NOT_SLUG, "green house", "green/house", "gr\u00fcn"),
    **{
        f"language {value!r}": ({"language": value}, {"language": invalid_choice(value)})
        for value in ("es", "EN", "", 7, ["en"])
    },
    **{
        f"initial screen {value!r}": (
            {"completed_account_initial_screen": value},
            {"completed_account_initial_screen": invalid_choice(value)},
        )
        for value in ("selective_sync", "", 7)
    },
}

REFUSED_NESTED: Refused = {
    **values("categories", NULL, None),
    **values("categories", ["This list may not be empty."], []),
    **values("categories", not_a_list("str"), "ats"),
    **values("categories", not_a_list("dict"), {"0": "ats"}),
    "one category misspelt": (
        {"categories": ["atss"]},
        {"categories": {"0": invalid_choice("atss")}},
    ),
    "some of many categories": (
        {"categories": ["ats", "ATS", "crm", None, 7, "payroll", ""]},
        {
            "categories": {
                "1": invalid_choice("ATS"),
                "3": NULL,
                "4": invalid_choice("7"),
                "5": invalid_choice("payroll"),
                "6": invalid_choice(""),
            }
        },
    ),
    **{
        f"{slug} as a body's category": (
            {"categories": [slug]},
            {"categories": {"0": invalid_choice(slug)}},
        )
        for slug in sorted(set(PATH_CATEGORIES) - set(BODY_CATEGORIES))
    },
    "common models no list": (
        {"common_models": {"model_id": "x"}},
        {"common_models": NOT_A_LIST_OF_MODELS},
    ),
    "second common model without an id": (
        {"common_models": [GOOD_MODEL, {**GOOD_MODEL, "model_id": ""}]},
        {"common_models": [{}, {"model_id": BLANK}]},
    ),
    "an empty common model": (
        {"common_models": [{}]},
        {
            "common_models": [
                {"model_id": REQUIRED, "enabled_actions": REQUIRED, "disabled_fields": REQUIRED}
            ]
        },
    ),
    "common models of other kinds": (
        {"common_models": ["x", None]},
        {"common_models": [not_a_record("str"), NULL]},
    ),
    "an unknown action": (
        model(enabled_actions=["READ", "read"]),
        {"common_models": [{"enabled_actions": {"1": invalid_choice("read")}}]},
    ),
    "nulls in a common model": (
        model(model_id=None, enabled_actions=None, disabled_fields=None),
        {"common_models": [{"model_id": NULL, "enabled_actions": NULL, "disabled_fields": NULL}]},
    ),
    "disabled fields of other kinds": (
        model(disabled_fields=["a", 7, ""]),
        {"common_models": [{"disabled_fields": {"1": NOT_STRING, "2": BLANK}}]},
    ),
    "scopes no object": (
        {"category_common_model_scopes": [{"model_name": "x"}]},
        {"category_common_model_scopes": not_a_table("list")},
    ),
    "scopes of an unknown category, and a bad one": (
        {"category_common_model_scopes": {"atss": [], "hris": [{}], "ats": []}},
        {
            "category_common_model_scopes": {
                "atss": invalid_choice("atss"),
                "hris": [{"model_name": REQUIRED}],
            }
        },
    ),
    "scopes of a category no list": (
        {"category_common_model_scopes": {"ats": {"model_name": "x"}}},
        {"category_common_model_scopes": {"ats": NOT_A_LIST_OF_MODELS}},
    ),
    "scopes of a category null": (
        {"category_common_model_scopes": {"ats": None}},
        {"category_common_model_scopes": {"ats": NULL}},
    ),
    "model name of another kind": (scope(model_name=7), scopes_problem({"model_name": NOT_STRING})),
    "permissions no objects": (
        scope(model_permissions=[], field_permissions="x"),
        scopes_problem(
            {"model_permissions": not_a_table("list"), "field_permissions": not_a_record("str")}
        ),
    ),
    "permissions null": (
        scope(model_permissions=None, field_permissions=None),
        scopes_problem({"model_permissions": NULL, "field_permissions": NULL}),
    ),
    "permission of another kind": (
        scope(model_permissions={"READ": {"is_enabled": "yes"}, "WRITE": True}),
        scopes_problem(
            {
                "model_permissions": {
                    "READ": {"is_enabled": NOT_BOOLEAN},
                    "WRITE": not_a_record("bool"),
                }
            }
        ),
    ),
    "field permissions of other kinds": (
        scope(field_permissions={"enabled_fields": "a", "disabled_fields": [7]}),
        scopes_problem(
            {
                "field_permissions": {
                    "enabled_fields": not_a_list("str"),
                    "disabled_fields": {"0": NOT_STRING},
                }
            }
        ),
    ),
    **values("integration_specific_config", not_a_table("list"), []),
    **values("integration_specific_config", not_a_table("str"), "{}"),
}

REFUSED = {**REFUSED_SCALARS, **REFUSED_NESTED}


@pytest.mark.parametrize(("changes", "problems"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses(sandbox: Sandbox, changes: dict[str, object], problems: dict[str, object]) -> None:
    answer = call(sandbox, {**GOOD, **changes})
    assert (answer.status, answer.json) == (400, problems)


@pytest.mark.parametrize("name", GOOD)
def test_refuses_a_body_that_misses_a_required_field(sandbox: Sandbox, name: str) -> None:
    answer = call(sandbox, {other: value for other, value in GOOD.items() if other != name})
    assert (answer.status, answer.json) == (400, {name: REQUIRED})


def test_only_true_lets_a_token_live_longer(sandbox: Sandbox) -> None:
    body = {**GOOD, "link_expiry_mins": 721, "should_create_magic_link_url": "true"}
    assert call(sandbox, body).json == {
        "link_expiry_mins": at_most(720),
        "should_create_magic_link_url": NOT_BOOLEAN,
    }


def test_all_problems_are_reported_at_once(sandbox: Sandbox) -> None:
    body = {
        "end_user_email_address": "",
        "end_user_organization_name": "x" * 101,
        "categories": ["atss"],
        "link_expiry_mins": 721,
        "ekm_enabled": "no",
    }
    assert call(sandbox, body).json == {
        "end_user_email_address": BLANK,
        "end_user_organization_name": TOO_LONG,
        "end_user_origin_id": REQUIRED,
        "categories": {"0": invalid_choice("atss")},
        "link_expiry_mins": at_most(720),
        "ekm_enabled": NOT_BOOLEAN,
    }


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"[]", not_a_record("list")),
        (b'"ats"', not_a_record("str")),
        (b"7", not_a_record("int")),
        (b"null", {"non_field_errors": ["No data provided"]}),
        (b"{}", dict.fromkeys(GOOD, REQUIRED)),
        (b"", dict.fromkeys(GOOD, REQUIRED)),
    ],
)
def test_refuses_a_body_that_is_no_object(sandbox: Sandbox, body: bytes, problem: object) -> None:
    answer = call(sandbox, body)
    assert (answer.status, answer.json) == (400, problem)


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"{'a': 1}", b'{"a": 01}', b'{"a": 1,}', b'{"a": "\x01"}', b'{"a": 1} x', b" "),
        *(b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": "\xff"}', b"\xef\xbb\xbf{}", b"\0"),
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 200_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_refuses_what_is_no_json(sandbox: Sandbox, body: bytes) -> None:
    answer = call(sandbox, body)
    assert answer.status == 400
    assert list(answer.json) == ["detail"]
    assert answer.json["detail"].startswith("JSON parse error - ")


def test_a_parse_error_says_where(sandbox: Sandbox) -> None:
    detail = "JSON parse error - Expecting property name enclosed in double quotes: "
    assert call(sandbox, b"{'a'}").json == {"detail": detail + "line 1 column 2 (char 1)"}


def test_of_a_member_that_comes_twice_the_last_counts(sandbox: Sandbox) -> None:
    body = json.dumps(GOOD)[:-1] + ', "link_expiry_mins": 1, "link_expiry_mins": 30}'
    assert call(sandbox, body.encode()).status == 200
