"""What the core can say without a client: are these fields fit to be sent, where are the CAs."""

import os
from typing import Any

import pytest

from merge_link import ValidationError, _core
from merge_link.sandbox import Sandbox
from samples import EVERY_FIELD, FIELDS

OPERATION = "create_link_token"


@pytest.mark.parametrize("fields", [FIELDS, EVERY_FIELD, {**FIELDS, "extra_body": {"newer": 1}}])
def test_good_fields_pass_without_client_or_key(fields: dict[str, Any]) -> None:
    assert _core.check(OPERATION, **fields) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {**FIELDS, "categories": ["atss"], "link_expiry_mins": 9, "language": "e"},
        {**FIELDS, "extra_body": {"categories": 1}, "extra_headers": {"Host": "x"}},
        {**FIELDS, "integration_specific_config": {"a": float("nan")}},
        {**FIELDS, "end_user_email_address": None, "category": "../x"},
    ],
)
def test_a_check_finds_what_a_call_would(sandbox: Sandbox, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as checked:
        _core.check(OPERATION, **wrong)
    with sandbox.client() as client, pytest.raises(ValidationError) as called:
        client.create_link_token(**wrong)
    assert checked.value.errors == called.value.errors
    assert str(checked.value) == str(called.value)


def test_another_operation_is_checked_by_its_own_rows() -> None:
    _core.check("warm_up", connections=3)
    with pytest.raises(ValidationError, match="connections"):
        _core.check("warm_up", connections=0)


def test_what_is_no_field_is_a_type_error_with_a_suggestion() -> None:
    with pytest.raises(TypeError, match="Did you mean 'language'"):
        _core.check(OPERATION, **FIELDS, languag="en")


@pytest.mark.parametrize("arguments", [(), (OPERATION, "x")])
def test_only_the_operation_is_positional(arguments: tuple[str, ...]) -> None:
    with pytest.raises(TypeError, match="an operation's name"):
        _core.check(*arguments)


@pytest.mark.parametrize(
    ("name", "error"), [("nothing", KeyError), (1, TypeError), ("\ud800", UnicodeEncodeError)]
)
def test_an_operation_that_is_not_there_is_an_error(name: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        _core.check(name)
    with pytest.raises(error):
        _core.fields(name)


def test_the_systems_ca_certificates_are_there_or_none() -> None:
    path = _core.system_ca()
    assert path is None or os.path.exists(path)
