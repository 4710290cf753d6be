"""The sandbox against the rules of Merge's API, spoken to by plain sockets and `http.client`."""

import http.client
import json
import logging
import os
import re
import resource
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import FrozenInstanceError, dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

import merge_link
from merge_link.sandbox import Sandbox
from merge_link.sandbox.connection import Connection
from merge_link.sandbox.message import Incoming, Outgoing
from merge_link.sandbox.record import MOST_BYTES, MOST_REQUESTS, RequestLog
from merge_link.sandbox.server import Server

PATH = "/api/ats/v1/link-token"
MIB = 1 << 20
PATIENCE = 10.0  # seconds until a socket that should have something gives up

GOOD = {
    "end_user_email_address": "hr@acme.example",
    "end_user_organization_name": "Acme",
    "end_user_origin_id": "acme-42",
    "categories": ["ats"],
}
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

BODY_CATEGORIES = [
    *("hris", "ats", "accounting", "ticketing"),
    *("crm", "mktg", "filestorage", "knowledgebase"),
]
PATH_CATEGORIES = [*BODY_CATEGORIES, "chat", "calendar", "email"]


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def port_of(sandbox: Sandbox) -> int:
    return int(sandbox.url.rpartition(":")[2])


def connect(sandbox: Sandbox) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(sandbox)), timeout=PATIENCE)


def read_answer(sock: socket.socket, method: str = "POST") -> Answer:
    response = http.client.HTTPResponse(sock, method=method)
    with response:
        response.begin()
        return Answer(response.status, response.headers, response.read())


def call(
    sandbox: Sandbox,
    body: object = GOOD,
    *,
    method: str = "POST",
    path: str = PATH,
    headers: Mapping[str, str | None] | None = None,
) -> Answer:
    """One request on a connection of its own; a header of None is left out."""
    sent: dict[str, str | None] = {
        "Authorization": f"Bearer {sandbox.api_key}",
        "Content-Type": "application/json",
        **(headers or {}),
    }
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port_of(sandbox), timeout=PATIENCE)
    try:
        kept = {name: value for name, value in sent.items() if value is not None}
        connection.request(method, path, data, kept)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def raw_request(sandbox: Sandbox, body: bytes | None = None, *more: str) -> bytes:
    data = json.dumps(GOOD).encode() if body is None else body
    return raw_head(sandbox, f"Content-Length: {len(data)}", *more) + data


def raw_head(sandbox: Sandbox, *more: str) -> bytes:
    lines = [
        f"POST {PATH} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {sandbox.api_key}",
        "Content-Type: application/json",
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


# --- what is accepted ----------------------------------------------------------------------


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


# --- what is refused -----------------------------------------------------------------------


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


# --- authentication, paths, methods, media types -------------------------------------------


@pytest.mark.parametrize(
    ("authorization", "detail"),
    [
        (None, "Authentication credentials were not provided."),
        ("", "Authentication credentials were not provided."),
        ("{key}", "Authentication credentials were not provided."),
        ("Token {key}", "Authentication credentials were not provided."),
        ("Basic {key}", "Authentication credentials were not provided."),
        ("Bearer{key}", "Authentication credentials were not provided."),
        ("Bearer", "Invalid token header. No credentials provided."),
        ("Bearer {key} x", "Invalid token header. Token string should not contain spaces."),
        ("Bearer x{key}", "Invalid token."),
        ("Bearer {key}x", "Invalid token."),
        ("Bearer test_other", "Invalid token."),
        ("Bearer \u00e9", "Invalid token."),
    ],
)
def test_refuses_all_but_its_key(sandbox: Sandbox, authorization: str | None, detail: str) -> None:
    sent = authorization and authorization.format(key=sandbox.api_key)
    answer = call(sandbox, {}, headers={"Authorization": sent})
    assert (answer.status, answer.json) == (401, {"detail": detail})
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert sandbox.api_key.encode() not in answer.body


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_without_regard_to_case(sandbox: Sandbox, scheme: str) -> None:
    answer = call(sandbox, headers={"Authorization": f"{scheme} {sandbox.api_key}"})
    assert answer.status == 200


@pytest.mark.parametrize("key", [None, "test_mine", "production_made_up", "x"])
def test_the_key_can_be_chosen(key: str | None) -> None:
    with Sandbox(api_key=key) as sandbox:
        if key is not None:
            assert sandbox.api_key == key
        assert call(sandbox).status == 200


def test_a_key_that_is_made_up_is_a_test_key_and_new_each_time() -> None:
    first, second = Sandbox().api_key, Sandbox().api_key
    assert first != second
    assert re.fullmatch(r"test_[A-Za-z0-9_-]{24,}", first)


@pytest.mark.parametrize("key", ["", " ", "a b", "a\n", "a\r\nb", "k\u00e9y", "a\0b"])
def test_a_key_that_no_header_could_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="visible ASCII") as caught:
        Sandbox(api_key=key)
    assert repr(key) not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/api", "/api/payroll/v1/link-token", "/api/atss/v1/link-token"),
        *("/api/ATS/v1/link-token", "/api/ats/v2/link-token", "/api/ats/v1/link_token"),
        *("/api/ats/v1/link-token/", "//api/ats/v1/link-token", "/api//ats/v1/link-token"),
        *("/ats/v1/link-token", "/api/ats/v1/account-token/x", "/api/ats/v1/%ff"),
        "/api/ats/v1/x/../link-token",
    ],
)
@pytest.mark.parametrize("key", ["right", "wrong"])
def test_any_other_path_is_not_found_whatever_the_key(
    sandbox: Sandbox, path: str, key: str
) -> None:
    headers = {} if key == "right" else {"Authorization": None}
    answer = call(sandbox, path=path, headers=headers)
    assert (answer.status, answer.json) == (404, {"detail": "Not found."})


@pytest.mark.parametrize("path", [PATH + "?a=1", "/api/a%74s/v1/link-token", "http://x" + PATH])
def test_the_same_path_in_other_spellings_is_found(sandbox: Sandbox, path: str) -> None:
    assert call(sandbox, path=path).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_any_other_method_is_not_allowed(sandbox: Sandbox, method: str) -> None:
    answer = call(sandbox, b"", method=method)
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"
    if method != "HEAD":
        assert answer.json == {"detail": f'Method "{method}" not allowed.'}


def test_the_key_is_checked_before_the_method(sandbox: Sandbox) -> None:
    assert call(sandbox, b"", method="GET", headers={"Authorization": None}).status == 401


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "text/json; a=b"],
)
def test_any_other_media_type_is_not_supported(sandbox: Sandbox, media_type: str) -> None:
    answer = call(sandbox, headers={"Content-Type": media_type})
    detail = f'Unsupported media type "{media_type}" in request.'
    assert (answer.status, answer.json) == (415, {"detail": detail})


def test_a_body_without_a_media_type_is_not_supported(sandbox: Sandbox) -> None:
    answer = call(sandbox, headers={"Content-Type": None})
    detail = 'Unsupported media type "" in request.'
    assert (answer.status, answer.json) == (415, {"detail": detail})


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_is_known_by_other_spellings(sandbox: Sandbox, media_type: str) -> None:
    assert call(sandbox, headers={"Content-Type": media_type}).status == 200


# --- answers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "name"),
    [
        *[("greenhouse", "Greenhouse"), ("lever", "Lever"), ("bamboohr", "BambooHR")],
        *[("workday", "Workday"), ("acme-hr", "Acme Hr"), ("acme_hr", "Acme Hr")],
        *[(" lever ", "Lever"), (None, None)],
    ],
)
def test_a_preselected_integration_is_named(
    sandbox: Sandbox, slug: str | None, name: str | None
) -> None:
    assert call(sandbox, {**GOOD, "integration": slug}).json["integration_name"] == name


def test_a_magic_link_is_given_when_asked_for(sandbox: Sandbox) -> None:
    asked = {**GOOD, "should_create_magic_link_url": True}
    urls = {call(sandbox, asked).json["magic_link_url"] for _ in range(3)}
    assert len(urls) == 3
    for url in urls:
        assert re.fullmatch(re.escape(sandbox.url) + r"/link/[A-Za-z0-9_-]{20,}", url)


@pytest.mark.parametrize("value", [False, None])
def test_a_magic_link_is_not_given_unasked(sandbox: Sandbox, value: bool | None) -> None:
    answer = call(sandbox, {**GOOD, "should_create_magic_link_url": value})
    assert answer.json["magic_link_url"] is None


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [(PATH, None, 401), ("/nowhere", None, 404), (PATH, "right", 200)],
)
def test_every_answer_has_the_headers_of_an_api(
    sandbox: Sandbox, path: str, key: str | None, status: int
) -> None:
    begin = int(time.time())
    headers = {} if key else {"Authorization": None}
    answers = [call(sandbox, path=path, headers=headers) for _ in range(2)]
    end = time.time()
    for answer in answers:
        assert answer.status == status
        assert answer.headers["Content-Type"] == "application/json"
        assert int(answer.headers["Content-Length"]) == len(answer.body)
        assert answer.headers["Server"] == "merge-link-sandbox"
        date = answer.headers["Date"]
        assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", date)
        assert begin <= parsedate_to_datetime(date).timestamp() <= end
        assert all(len(answer.headers.get_all(name, [])) == 1 for name in set(answer.headers))
    ids = {str(uuid.UUID(answer.headers["X-Request-Id"])) for answer in answers}
    assert len(ids) == 2


def test_tokens_are_unique_over_2000_calls_from_20_threads(sandbox: Sandbox) -> None:
    barrier = threading.Barrier(20)
    tokens: list[list[str]] = [[] for _ in range(20)]

    def work(mine: list[str]) -> None:
        request = raw_request(sandbox)
        with connect(sandbox) as sock:
            barrier.wait(PATIENCE)
            for _ in range(100):
                sock.sendall(request)
                mine.append(read_answer(sock).json["link_token"])

    threads = [threading.Thread(target=work, args=(mine,)) for mine in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({token for mine in tokens for token in mine}) == 2000
    assert len(sandbox.requests) == 2000


# --- what came in --------------------------------------------------------------------------


def test_requests_are_recorded_in_order_with_their_status(sandbox: Sandbox) -> None:
    assert sandbox.requests == []
    call(sandbox)
    call(sandbox, {}, path="/api/hris/v1/link-token?x=%20")
    call(sandbox, b"nonsense", method="PUT", path="/no%2Fwhere")
    seen = [(request.method, request.path, request.status) for request in sandbox.requests]
    assert seen == [
        ("POST", PATH, 200),
        ("POST", "/api/hris/v1/link-token", 400),
        ("PUT", "/no%2Fwhere", 404),
    ]
    assert [request.json for request in sandbox.requests] == [GOOD, {}, None]
    assert sandbox.requests[2].body == b"nonsense"


def test_a_snapshot_of_the_requests_stays_as_it_was(sandbox: Sandbox) -> None:
    call(sandbox)
    before = sandbox.requests
    call(sandbox)
    assert (len(before), len(sandbox.requests)) == (1, 2)


def test_recorded_headers_are_looked_up_without_regard_to_case(sandbox: Sandbox) -> None:
    call(sandbox, headers={"X-Colour": "blue"})
    headers = sandbox.requests[0].headers
    assert headers["x-colour"] == headers["X-COLOUR"] == headers.get("X-Colour") == "blue"
    assert headers["authorization"] == f"Bearer {sandbox.api_key}"
    assert "X-Colour" in list(headers)
    assert "x-COLOUR" in headers
    assert "x-other" not in headers
    assert headers.get("x-other") is None
    with pytest.raises(KeyError):
        headers["x-other"]


def test_a_header_that_came_twice_is_joined(sandbox: Sandbox) -> None:
    with connect(sandbox) as sock:
        sock.sendall(raw_request(sandbox, None, "X-Colour: blue", "x-colour: red"))
        read_answer(sock)
    headers = sandbox.requests[0].headers
    assert headers["X-Colour"] == "blue, red"
    assert len(headers) == len(list(headers))


def test_a_recorded_request_cannot_be_changed(sandbox: Sandbox) -> None:
    call(sandbox)
    request = sandbox.requests[0]
    with pytest.raises(FrozenInstanceError):
        request.status = 500  # type: ignore[misc]
    with pytest.raises(TypeError):
        request.headers["Host"] = "x"  # type: ignore[index]
    request.json["categories"].append("crm")
    assert request.json == GOOD


def test_no_repr_shows_a_credential(sandbox: Sandbox) -> None:
    call(sandbox, headers={"X-Account-Token": "secret-account"})
    call(sandbox, headers={"Authorization": "Bearer secret-other"})
    shown = [sandbox, sandbox.requests, *(request.headers for request in sandbox.requests)]
    text = " ".join(f"{thing!r} {thing}" for thing in shown)
    assert sandbox.url in text
    assert "Content-Type" in text
    assert sandbox.api_key not in text
    assert "secret" not in text


def recorded(log: RequestLog, count: int, body: bytes) -> list[bytes]:
    for number in range(count):
        log.add(Incoming("POST", f"/{number}", [], body), Outgoing(200, [], b""))
    return [request.body for request in log.snapshot()]


def test_old_requests_give_way_to_new_ones() -> None:
    log = RequestLog()
    recorded(log, MOST_REQUESTS + 5, b"")
    kept = log.snapshot()
    assert len(kept) == MOST_REQUESTS
    assert (kept[0].path, kept[-1].path) == ("/5", f"/{MOST_REQUESTS + 4}")


def test_large_requests_give_way_sooner() -> None:
    assert len(recorded(RequestLog(), 70, bytes(MIB))) == MOST_BYTES // MIB == 64


# --- HTTP/1.1 ------------------------------------------------------------------------------


def test_a_connection_is_kept_for_good_and_bad_requests(sandbox: Sandbox) -> None:
    with connect(sandbox) as sock:
        for body, status in [(None, 200), (b"{}", 400), (b"{", 400), (None, 200)] * 25:
            sock.sendall(raw_request(sandbox, body))
            assert read_answer(sock).status == status
    assert len(sandbox.requests) == 100


def test_pipelined_requests_are_answered_in_order(sandbox: Sandbox) -> None:
    bodies = [None, b"{}", None, b"["] * 5
    with connect(sandbox) as sock, sock.makefile("rb") as stream:
        sock.sendall(b"".join(raw_request(sandbox, body) for body in bodies))
        statuses = [read_from(stream).status for _ in bodies]
    assert statuses == [200, 400, 200, 400] * 5


def read_from(stream: Any) -> Answer:
    """One answer, and not a byte of the next."""
    status = int(stream.readline().split()[1])
    headers = http.client.parse_headers(stream)
    return Answer(status, headers, stream.read(int(headers["Content-Length"])))


def test_a_request_may_come_byte_by_byte(sandbox: Sandbox) -> None:
    with connect(sandbox) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in raw_request(sandbox):
            sock.sendall(bytes([byte]))
        assert read_answer(sock).status == 200


@pytest.mark.parametrize(
    ("version", "header", "kept"),
    [
        ("1.1", "X: y", True),
        ("1.1", "Connection: close", False),
        ("1.0", "X: y", False),
    ],
)
def test_the_client_decides_whether_a_connection_is_kept(
    sandbox: Sandbox, version: str, header: str, kept: bool
) -> None:
    request = raw_request(sandbox, None, header).replace(b"HTTP/1.1", f"HTTP/{version}".encode(), 1)
    with connect(sandbox) as sock:
        sock.sendall(request)
        answer = read_answer(sock)
        assert answer.status == 200
        assert (answer.headers["Connection"] == "close") is not kept
        if not kept:
            assert sock.recv(1) == b""


def chunked(data: bytes, size: int) -> bytes:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_body_may_come_in_chunks(sandbox: Sandbox, size: int) -> None:
    with connect(sandbox) as sock:
        for _ in range(2):
            sock.sendall(raw_head(sandbox, "Transfer-Encoding: chunked"))
            sock.sendall(chunked(json.dumps(GOOD).encode(), size))
            assert read_answer(sock).status == 200
    assert [request.json for request in sandbox.requests] == [GOOD, GOOD]


def test_a_client_that_waits_for_100_continue_is_told_to_go_on(sandbox: Sandbox) -> None:
    head, _, body = raw_request(sandbox, None, "Expect: 100-continue").partition(b"\r\n\r\n")
    with connect(sandbox) as sock, sock.makefile("rb") as stream:
        sock.sendall(head + b"\r\n\r\n")
        assert stream.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert stream.readline() == b"\r\n"
        sock.sendall(body)
        assert read_from(stream).status == 200


def test_a_client_that_waits_with_too_large_a_body_is_refused_at_once(sandbox: Sandbox) -> None:
    with connect(sandbox) as sock, sock.makefile("rb") as stream:
        sock.sendall(raw_head(sandbox, f"Content-Length: {MIB + 1}", "Expect: 100-continue"))
        assert read_from(stream).status == 413


def test_head_gets_the_headers_only(sandbox: Sandbox) -> None:
    with connect(sandbox) as sock:
        for _ in range(2):
            sock.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = read_answer(sock, "HEAD")
            assert (answer.status, answer.body) == (404, b"")
            assert int(answer.headers["Content-Length"]) > 0


def test_a_body_of_one_mebibyte_is_taken(sandbox: Sandbox) -> None:
    assert call(sandbox, json.dumps(GOOD).encode().ljust(MIB)).status == 200


@pytest.mark.parametrize("size", [MIB + 1, 3 * MIB])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_larger_body_is_refused_and_the_connection_closed(
    sandbox: Sandbox, size: int, framing: str
) -> None:
    data = bytes(size)
    with connect(sandbox) as sock:
        if framing == "length":
            sock.sendall(raw_request(sandbox, data))
        else:
            sock.sendall(raw_head(sandbox, "Transfer-Encoding: chunked") + chunked(data, 65536))
        answer = read_answer(sock)
        assert (answer.status, answer.headers["Connection"]) == (413, "close")
        assert sock.recv(1) == b""
    assert [(request.status, request.body) for request in sandbox.requests] == [(413, b"")]
    assert call(sandbox).status == 200


def test_a_head_request_with_too_large_a_body_is_refused_without_one(sandbox: Sandbox) -> None:
    with connect(sandbox) as sock:
        sock.sendall(f"HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: {MIB + 1}\r\n\r\n".encode())
        answer = read_answer(sock, "HEAD")
        assert (answer.status, answer.body) == (413, b"")
        assert sock.recv(1) == b""


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"garbage\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    ],
    ids=lambda value: repr(value[:60]) if isinstance(value, bytes) else str(value),
)
def test_what_is_no_http_is_refused_and_the_connection_closed(
    sandbox: Sandbox, sent: bytes, status: int
) -> None:
    with connect(sandbox) as sock:
        sock.sendall(sent)
        answer = read_answer(sock)
        assert (answer.status, answer.headers["Connection"]) == (status, "close")
        assert int(answer.headers["Content-Length"]) == len(answer.body)
        assert "Date" in answer.headers
        assert sock.recv(1) == b""
    assert call(sandbox).status == 200


@pytest.mark.parametrize("part", [0, 1, 20, -len(json.dumps(GOOD)), -1])
@pytest.mark.parametrize("manner", ["close", "reset", "half-close"])
def test_a_client_that_leaves_early_harms_nobody(sandbox: Sandbox, part: int, manner: str) -> None:
    with connect(sandbox) as sock:
        sock.sendall(raw_request(sandbox)[:part])
        if manner == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if manner == "half-close":
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(1) == b""
    assert call(sandbox).status == 200
    assert len(sandbox.requests) == 1


def test_a_client_that_does_not_wait_for_the_answer_harms_nobody(sandbox: Sandbox) -> None:
    for _ in range(20):
        with connect(sandbox) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.sendall(raw_request(sandbox) * 5)
    assert call(sandbox).status == 200


def test_200_connections_are_served_at_once(sandbox: Sandbox) -> None:
    request = raw_request(sandbox)
    sockets = [connect(sandbox) for _ in range(200)]
    try:
        for _ in range(2):
            for sock in sockets:
                sock.sendall(request)
            tokens = {read_answer(sock).json["link_token"] for sock in sockets}
            assert len(tokens) == 200
    finally:
        for sock in sockets:
            sock.close()


def test_a_connection_waits_while_file_descriptors_are_short(sandbox: Sandbox) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as sock:
        lowest_free = os.dup(sock.fileno())
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, limits[1]))
        try:
            sock.connect(("127.0.0.1", port_of(sandbox)))
            sock.sendall(raw_request(sandbox))
            sock.settimeout(0.2)
            with pytest.raises(TimeoutError):
                sock.recv(1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        sock.settimeout(PATIENCE)
        assert read_answer(sock).status == 200


class ScriptedSocket:
    """What a `Connection` needs of a socket: gives one piece, then the end; keeps what is sent."""

    def __init__(self, piece: bytes) -> None:
        self._pieces = [piece, b""]
        self.sends: list[bytes] = []
        self.options: list[tuple[int, ...]] = []

    def settimeout(self, seconds: float) -> None:
        pass

    def setsockopt(self, *option: int) -> None:
        self.options.append(option)

    def recv(self, size: int) -> bytes:
        return self._pieces.pop(0)

    def sendall(self, data: bytes) -> None:
        self.sends.append(data)


def serve_scripted(piece: bytes, handler: Callable[[Incoming], Outgoing]) -> ScriptedSocket:
    sock = ScriptedSocket(piece)
    Connection(sock, handler, lambda _incoming, _outgoing: None, 1.0).serve()  # type: ignore[arg-type]
    return sock


def test_an_answer_leaves_in_one_send_without_delay() -> None:
    answer = Outgoing(200, [("Content-Length", "2")], b"ok")
    sock = serve_scripted(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", lambda _: answer)
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in sock.options
    assert len(sock.sends) == 1
    assert sock.sends[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert sock.sends[0].endswith(b"\r\n\r\nok")


def test_a_failing_handler_is_a_500_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail(incoming: Incoming) -> Outgoing:
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR, "merge_link.sandbox"):
        sock = serve_scripted(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n" * 2, fail)
    assert [send[:12] for send in sock.sends] == [b"HTTP/1.1 500"] * 2
    assert [record.getMessage() for record in caplog.records] == [
        "the sandbox failed to answer GET /a"
    ] * 2


def test_a_connection_that_is_silent_too_long_is_closed() -> None:
    server = Server(idle_seconds=0.05)
    server.start(lambda _: Outgoing(200, [], b""), lambda _incoming, _outgoing: None)
    try:
        for sent in (b"", b"GET / HT"):
            address = ("127.0.0.1", server.port)
            with socket.create_connection(address, timeout=PATIENCE) as sock:
                sock.sendall(sent)
                assert sock.recv(1) == b""
    finally:
        server.close()


# --- starting and closing ------------------------------------------------------------------


def open_descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")


@needs_proc
def test_close_leaves_no_thread_and_no_descriptor() -> None:
    threads, descriptors = threading.active_count(), open_descriptors()
    for _ in range(3):
        with Sandbox() as sandbox:
            call(sandbox)
            idle, half = connect(sandbox), connect(sandbox)
            idle.sendall(raw_request(sandbox))
            assert read_answer(idle).status == 200
            half.sendall(raw_request(sandbox)[:-1])
            begin = time.monotonic()
            sandbox.close()
            assert time.monotonic() - begin < 1.0
            assert threading.active_count() == threads
        for sock in (idle, half):
            assert ended(sock)
            sock.close()
        assert open_descriptors() == descriptors


def ended(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def send_for_ever(sock: socket.socket, data: bytes) -> None:
    while True:
        sock.sendall(data)


def test_close_ends_connections_whose_client_does_not_read() -> None:
    threads = threading.active_count()
    with Sandbox() as sandbox, connect(sandbox) as sock:
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):  # both directions are full, the sandbox is stuck
            send_for_ever(sock, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        begin = time.monotonic()
        sandbox.close()
        assert time.monotonic() - begin < 1.0
    assert threading.active_count() == threads


def test_close_while_requests_are_under_way_ends_them_all() -> None:
    threads = threading.active_count()
    sandbox = Sandbox().start()
    request = raw_request(sandbox)
    first = threading.Barrier(9)

    def work() -> None:
        with connect(sandbox) as sock:
            sock.sendall(request)
            read_answer(sock)
            first.wait(PATIENCE)
            try:
                while True:
                    sock.sendall(request)
                    read_answer(sock)
            except (OSError, http.client.HTTPException):
                pass

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    first.wait(PATIENCE)
    sandbox.close()
    for worker in workers:
        worker.join(PATIENCE)
    assert threading.active_count() == threads


def test_after_close_nobody_answers() -> None:
    with Sandbox() as sandbox:
        pass
    with pytest.raises(ConnectionRefusedError):
        connect(sandbox)


def test_the_port_is_free_for_the_next_sandbox_at_once() -> None:
    with Sandbox() as first:
        port = port_of(first)
        call(first)
        idle = connect(first)
    with idle, Sandbox(port=port) as second:
        assert port_of(second) == port
        assert call(second).status == 200


def test_a_port_in_use_is_an_error(sandbox: Sandbox) -> None:
    with pytest.raises(OSError, match=r"[Aa]ddress already in use"):
        Sandbox(port=port_of(sandbox)).start()


def test_start_and_close_may_be_called_again() -> None:
    sandbox = Sandbox()
    assert sandbox.start() is sandbox
    url = sandbox.url
    assert sandbox.start().url == url
    with sandbox:
        assert call(sandbox).status == 200
    sandbox.close()
    sandbox.close()
    assert sandbox.url == url


def test_a_closed_sandbox_is_not_started_again() -> None:
    sandbox = Sandbox()
    sandbox.close()
    with pytest.raises(RuntimeError, match="closed"):
        sandbox.start()


def test_there_is_no_url_before_the_start() -> None:
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="not started"):
        _ = sandbox.url
    with pytest.raises(RuntimeError, match="not started"):
        _ = sandbox.base_url
    assert repr(sandbox) == "<Sandbox not started>"


def test_url_and_base_url_name_the_loopback_port(sandbox: Sandbox) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", sandbox.url)
    assert sandbox.base_url == sandbox.url + "/api"


def test_two_sandboxes_know_nothing_of_each_other(sandbox: Sandbox) -> None:
    with Sandbox() as other:
        headers = {"Authorization": f"Bearer {other.api_key}"}
        assert call(sandbox, headers=headers).status == 401
        assert other.requests == []


def test_options_are_keyword_only() -> None:
    with pytest.raises(TypeError):
        Sandbox(0)  # type: ignore[call-arg]


def test_client_is_made_for_the_sandbox_and_its_options_win(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge_link, "Client", lambda **options: options, raising=False)
    made: Any = sandbox.client(timeout=3.0)
    assert made == {"base_url": sandbox.base_url, "api_key": sandbox.api_key, "timeout": 3.0}
    made = sandbox.client(api_key="test_other", base_url="http://127.0.0.1:1")
    assert made == {"base_url": "http://127.0.0.1:1", "api_key": "test_other"}


@pytest.mark.parametrize("missing", ["h11", "werkzeug"])
def test_a_missing_dependency_names_the_extra_to_install(missing: str) -> None:
    script = (
        "import sys\n"
        f"sys.modules[{missing!r}] = None\n"
        "try:\n"
        "    import merge_link.sandbox\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    assert missing in output
    assert 'pip install "merge-link[sandbox]"' in output
