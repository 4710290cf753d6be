"""What is refused before anything is sent, and how it is said."""

import enum
import inspect
import math
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest

import merge_link
from merge_link import FieldProblem, ValidationError
from merge_link.sandbox import Sandbox
from samples import EVERY_FIELD, FIELDS

REQUIRED = tuple(FIELDS)
# What a call takes of the client's options.
CALL_OPTIONS = {"api_key", "category", "timeout", "max_retries"}
SECRET = "zq9"  # stands in every wrong value, and must stand in no message


class Index:
    """An integer of another library, such as numpy's."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "not what is sent"


class Category(str, enum.Enum):  # noqa: UP042 (its str() is another text)
    ATS = "ats"


class Category2(enum.StrEnum):
    HRIS = "hris"


class Minutes(enum.IntEnum):
    HOUR = 60


class Thing:
    def __repr__(self) -> str:
        return SECRET


def refused(client: merge_link.Client, **fields: Any) -> tuple[FieldProblem, ...]:
    """Return the problems of a call that must be refused."""
    with pytest.raises(ValidationError) as caught:
        client.create_link_token(**{**FIELDS, **fields})
    assert SECRET not in f"{caught.value} {caught.value!r} {caught.value.errors}"
    return caught.value.errors


def sent(sandbox: Sandbox, client: merge_link.Client, **fields: Any) -> Any:
    """Return the body of a call that must be taken."""
    client.create_link_token(**{**FIELDS, **fields})
    return sandbox.requests[-1].json


@pytest.fixture(autouse=True)
def count_requests(sandbox: Sandbox, request: pytest.FixtureRequest) -> Any:
    """Tests with "refused" in their names send nothing."""
    before = len(sandbox.requests)
    yield
    if "refused" in request.node.name:
        assert len(sandbox.requests) == before


# ---- all at once ----


def test_four_wrong_fields_are_refused_in_one_error(sandbox: Sandbox) -> None:
    """The issue's own example, through the module's function."""
    with pytest.raises(ValidationError) as caught:
        merge_link.create_link_token(
            end_user_email_address="",
            end_user_organization_name="x" * 101,
            end_user_origin_id="1",
            categories=["atss"],
            link_expiry_mins=721,
            api_key="k",
            base_url=sandbox.base_url,
        )
    error = caught.value
    assert [(one.field, one.message) for one in error.errors] == [
        ("end_user_email_address", "must have 1 to 100 characters, has 0"),
        ("end_user_organization_name", "must have 1 to 100 characters, has 101"),
        ("categories[0]", 'is not a known value; did you mean "ats"?'),
        (
            "link_expiry_mins",
            "must be 30 to 720 (to 10080 with should_create_magic_link_url)",
        ),
    ]
    for one in error.errors:
        assert f"{one.field} {one.message}" in str(error)
    assert isinstance(error, ValueError)


def test_every_problem_of_nested_fields_is_refused_by_its_path(client: merge_link.Client) -> None:
    problems = refused(
        client,
        categories=["ats", "ats", 5, "HRIS", "no way"],
        common_models=[
            {"model_id": "", "enabled_actions": ["READ", "X", "read"], "disabled_fields": [1]},
            {"enabled_actions": None, "disabled_fields": "x", "model_idd": "x"},
            "x",
        ],
        category_common_model_scopes={
            "ats": [
                {},
                {
                    "model_name": "Job",
                    "model_permissions": {"READ": {"is_enabled": 1}},
                    "field_permissions": {"enabled_fields": [""]},
                },
            ],
            "hriss": [],
        },
    )
    assert [one.field for one in problems] == [
        "categories[1]",
        "categories[2]",
        "categories[3]",
        "categories[4]",
        "common_models[0].model_id",
        "common_models[0].enabled_actions[1]",
        "common_models[0].enabled_actions[2]",
        "common_models[0].disabled_fields[0]",
        "common_models[1].model_id",
        "common_models[1].enabled_actions",
        "common_models[1].disabled_fields",
        "common_models[1].model_idd",
        "common_models[2]",
        "category_common_model_scopes.ats[0].model_name",
        "category_common_model_scopes.ats[1].model_permissions.READ.is_enabled",
        "category_common_model_scopes.ats[1].field_permissions.enabled_fields[0]",
        "category_common_model_scopes.hriss",
    ]


def test_fields_headers_and_extra_body_are_refused_together(client: merge_link.Client) -> None:
    problems = refused(
        client,
        language="!",
        extra_body={"language": "de"},
        extra_headers={"Host": "evil.example"},
    )
    assert [one.field for one in problems] == [
        "language",
        "extra_body.language",
        "extra_headers.Host",
    ]


def test_hundreds_of_problems_are_all_refused_in_a_short_message(client: merge_link.Client) -> None:
    with pytest.raises(ValidationError) as caught:
        client.create_link_token(**{**FIELDS, "categories": [f"X{i}" for i in range(300)]})
    assert [one.field for one in caught.value.errors] == [f"categories[{i}]" for i in range(300)]
    assert len(str(caught.value)) < 600


# ---- one value at a time: field, value, what the message says ----

STRINGS = [*REQUIRED[:3], "integration", "language", "credential_id", "category"]
BOOLEANS = [
    *("should_create_magic_link_url", "hide_admin_magic_link"),
    *("are_syncs_disabled", "ekm_enabled"),
]
ITSELF: list[Any] = []
ITSELF.append(ITSELF)
SELF_SCOPES: dict[str, Any] = {}
SELF_SCOPES["ats"] = SELF_SCOPES
SELF_CONFIG: dict[str, Any] = {}
SELF_CONFIG["me"] = SELF_CONFIG

WRONG_TYPES = [
    *((name, value, "a string") for name in STRINGS for value in (5, True, b"zq9", ["zq9"])),
    *((name, value, "True or False") for name in BOOLEANS for value in (0, 1, "zq9", 1.0)),
    *(
        ("link_expiry_mins", value, "an integer")
        for value in (True, False, 30.0, "30", math.inf, [30], Thing())
    ),
    *(
        ("categories", value, "a list")
        for value in ("ats", {"ats"}, {"ats": 1}, (c for c in ["ats"]), frozenset(), range(2))
    ),
    *(("categories", ["ats", value], "a string") for value in (None, 1, True, ["zq9"], Thing())),
    ("common_models", {"model_id": "zq9"}, "a list"),
    ("common_models", "zq9", "a list"),
    ("common_models", [["zq9"]], "a dict"),
    ("category_common_model_scopes", [], "a dict"),
    ("category_common_model_scopes", {"ats": {}}, "a list"),
    ("category_common_model_scopes", {"ats": None}, "a list"),
    ("category_common_model_scopes", {"ats": ["zq9"]}, "a dict"),
    ("category_common_model_scopes", SELF_SCOPES, "a list"),
    ("integration_specific_config", ["zq9"], "a dict"),
    ("integration_specific_config", "{}", "a dict"),
    ("integration_specific_config", 5, "a dict"),
    ("common_models", ITSELF, "a dict"),
    ("categories", ITSELF, "a string"),
]


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    WRONG_TYPES,
    ids=[f"{name}={type(value).__name__}" for name, value, _ in WRONG_TYPES],
)
def test_a_wrong_type_is_refused(
    client: merge_link.Client, name: str, value: Any, wanted: str
) -> None:
    problems = refused(client, **{name: value})
    assert len(problems) == 1
    assert problems[0].field.startswith(name)
    assert problems[0].message.startswith(f"must be {wanted}, not ")


UUID_HINT = 'must be a UUID, such as "3fa85f64-5717-4562-b3fc-2c963f66afa6"'
SLUG_HINT = 'must be a slug: lower-case letters, digits, "-" and "_", such as '
CATEGORY_HINT = SLUG_HINT + '"hris" or "ats"'
INTEGRATION_HINT = SLUG_HINT + '"greenhouse" or "bamboohr"'
TAG_HINT = 'must be a language tag, such as "en", "de" or "pt-BR"'
SURROGATE = "must not hold a lone surrogate: that is half a character"
CONTROL = "must not hold control characters (tab, line break, NUL and the like)"
BLANK = "must not be only white space"
LENGTH = "must have 1 to 100 characters, has "
EXPIRY = "must be 30 to 720 (to 10080 with should_create_magic_link_url)"

WRONG_VALUES = [
    *((name, "", LENGTH + "0") for name in REQUIRED[:3]),
    *((name, "é" * 101, LENGTH + "101") for name in REQUIRED[:3]),
    *((name, "zq9" * 40, LENGTH + "120") for name in REQUIRED[:3]),
    *((name, "zq9\ud800", SURROGATE) for name in STRINGS),
    *((name, "\udfffzq9", SURROGATE) for name in STRINGS),
    *((name, "zq9\0", CONTROL) for name in STRINGS),
    *(
        ("end_user_email_address", f"zq9{c}", CONTROL)
        for c in ("\t", "\r\n", "\x1b", "\x7f", "\x85", "\x9f")
    ),
    *(("end_user_organization_name", space, BLANK) for space in (" ", "\u3000\u00a0", "\u2003")),
    *(
        ("integration", value, INTEGRATION_HINT)
        for value in ("Zq9", "zq9 x", "-zq9", "zq9/../x", "zq9.")
    ),
    *(("language", value, TAG_HINT) for value in ("z", "zq9", "de_DE", "de-", "deutschland-x")),
    *(("credential_id", value, UUID_HINT) for value in ("zq9", "{" + "0" * 36 + "}", "0" * 36)),
    ("linked_destination_id", "3fa85f6457174562b3fc2c963f66afa6", UUID_HINT),
    ("completed_account_initial_screen", "ZQ9", 'must be one of "SELECTIVE_SYNC"'),
    (
        "completed_account_initial_screen",
        "selective-sync",
        'is not a known value; did you mean "SELECTIVE_SYNC"?',
    ),
    *(("category", value, CATEGORY_HINT) for value in ("..", ".", "zq9/x", "ats?x=zq9", "%2e%2e")),
    ("category", "", CATEGORY_HINT),
    ("category", "chatt", 'is not a known value; did you mean "chat"?'),
    ("categories", [], "must have at least 1 item, has 0"),
    ("categories", ["ats", "ats"], "is already in the list: remove the duplicate"),
    ("categories", ["accountng"], 'is not a known value; did you mean "accounting"?'),
    ("categories", ["file-storage"], 'is not a known value; did you mean "filestorage"?'),
    ("categories", ["ATS"], 'is not a known value; did you mean "ats"?'),
    ("categories", ["zq9 x"], CATEGORY_HINT),
    *(("link_expiry_mins", value, EXPIRY) for value in (29, 721, 0, -5, 2**63, -(2**200))),
    (
        "integration_specific_config",
        {"a": math.nan},
        "cannot be written as JSON: Out of range float values are not JSON compliant",
    ),
    (
        "integration_specific_config",
        {"a": Thing()},
        "cannot be written as JSON: Object of type Thing is not JSON serializable",
    ),
    (
        "integration_specific_config",
        {("a",): 1},
        "cannot be written as JSON: keys must be str, int, float, bool or None, not tuple",
    ),
    (
        "integration_specific_config",
        SELF_CONFIG,
        "cannot be written as JSON: Circular reference detected",
    ),
    (
        "integration_specific_config",
        {"a": 10**5000},
        "cannot be written as JSON: Exceeds the limit (4300 digits) for integer string conversion",
    ),
    (
        "category_common_model_scopes",
        {1: []},
        "has a key that is not a string",
    ),
    (
        "category_common_model_scopes",
        {"zq9\0": []},
        "has a key with NUL or a lone surrogate",
    ),
    (
        "common_models",
        [
            {
                "model_id": "x",
                "enabled_actions": [],
                "disabled_fields": [],
                "\ud800zq9": 1,
            }
        ],
        "has a key with NUL or a lone surrogate",
    ),
]


@pytest.mark.parametrize(("name", "value", "message"), WRONG_VALUES, ids=range(len(WRONG_VALUES)))
def test_a_wrong_value_is_refused_with_limit_and_fix_but_without_the_value(
    client: merge_link.Client, name: str, value: Any, message: str
) -> None:
    problems = refused(client, **{name: value})
    assert len(problems) == 1
    assert problems[0].field.startswith(name)
    assert problems[0].message.startswith(message)


def test_json_too_deep_for_python_is_refused(client: merge_link.Client) -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"a": deep}
    try:
        (problem,) = refused(client, integration_specific_config=deep)
        assert re.match(
            "cannot be written as JSON: (maximum recursion|Stack overflow)", problem.message
        )
    finally:
        while deep:  # or its destructor recurses
            deep = deep.pop("a")


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("absent", ["left out", "None"])
def test_a_missing_required_field_is_refused(
    sandbox: Sandbox, client: merge_link.Client, name: str, absent: str
) -> None:
    fields = {**FIELDS, name: None}
    if absent == "left out":
        del fields[name]
    with pytest.raises(ValidationError) as caught:
        client.create_link_token(**fields)
    kind = "a list" if name == "categories" else "a string"
    assert caught.value.errors == (FieldProblem(field=name, message=f"is required: give {kind}"),)


def test_nothing_at_all_is_refused_for_each_required_field(client: merge_link.Client) -> None:
    with pytest.raises(ValidationError) as caught:
        client.create_link_token()
    assert tuple(one.field for one in caught.value.errors) == REQUIRED


def test_none_inside_a_nested_object_is_a_value_and_refused(client: merge_link.Client) -> None:
    model = EVERY_FIELD["common_models"][0]
    problems = refused(client, common_models=[{**model, "model_id": None}])
    assert problems == (
        FieldProblem(field="common_models[0].model_id", message="must be a string, not None"),
    )


def test_an_exception_of_the_callers_own_object_comes_out(client: merge_link.Client) -> None:
    class Broken:
        def __index__(self) -> int:
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        client.create_link_token(**FIELDS, link_expiry_mins=Broken())


def test_a_list_that_grows_while_it_is_read_is_harmless(client: merge_link.Client) -> None:
    models: list[Any] = []

    class Grow:
        def __index__(self) -> int:
            models.clear()
            return 5

    models.extend([Grow(), Grow()])
    problems = refused(client, common_models=models)
    assert [one.field for one in problems] == ["common_models[0]", "common_models[1]"]


# ---- what is taken ----

TAKEN = [
    ("end_user_origin_id", "x", "x"),
    ("end_user_origin_id", "\U0001f389" * 100, "\U0001f389" * 100),
    ("end_user_organization_name", " Acme ", " Acme "),
    ("end_user_organization_name", Text("plain"), "plain"),
    ("categories", ("ats", "hris"), ["ats", "hris"]),
    ("categories", [Category.ATS, Category2.HRIS], ["ats", "hris"]),
    ("integration", "bamboo-hr_2", "bamboo-hr_2"),
    ("link_expiry_mins", 30, 30),
    ("link_expiry_mins", 720, 720),
    ("link_expiry_mins", Index(45), 45),
    ("link_expiry_mins", Minutes.HOUR, 60),
    ("language", "en", "en"),
    ("common_models", [], []),
    ("common_models", (), []),
    ("category_common_model_scopes", {}, {}),
    ("category_common_model_scopes", OrderedDict(ats=()), {"ats": []}),
    ("integration_specific_config", {}, {}),
    ("integration_specific_config", {1: 2, None: [True]}, {"1": 2, "null": [True]}),
    ("integration_specific_config", {"\0": "\ud800"}, {"\0": "\ud800"}),
]


@pytest.mark.parametrize(("name", "value", "seen"), TAKEN, ids=range(len(TAKEN)))
def test_a_fitting_value_is_sent(
    sandbox: Sandbox, client: merge_link.Client, name: str, value: Any, seen: Any
) -> None:
    assert sent(sandbox, client, **{name: value})[name] == seen


def test_a_new_slug_is_sent(serve: Callable[..., Any]) -> None:
    server = serve()
    with server.client() as client:
        client.create_link_token(**{**FIELDS, "categories": ["payments2030"]})
    assert server.bodies[0]["categories"] == ["payments2030"]


@pytest.mark.parametrize(("wanted", "taken"), [(True, True), (False, False), (None, False)])
def test_a_magic_link_raises_the_limit_of_the_expiry(
    sandbox: Sandbox, client: merge_link.Client, wanted: bool | None, taken: bool
) -> None:
    fields = {"should_create_magic_link_url": wanted, "link_expiry_mins": 10080}
    if taken:
        assert sent(sandbox, client, **fields)["link_expiry_mins"] == 10080
        (problem,) = refused(client, **{**fields, "link_expiry_mins": 10081})
        assert problem.message == "must be 30 to 10080"
    else:
        (problem,) = refused(client, **fields)
        assert problem.message == EXPIRY


def test_members_that_merge_may_have_added_to_nested_objects_are_sent(serve: Any) -> None:
    server = serve()
    model = {**EVERY_FIELD["common_models"][0], "brand_new": {"a": 1.5}}
    with server.client() as client:
        client.create_link_token(**FIELDS, common_models=[model])
    assert server.bodies[0]["common_models"] == [model]


# ---- keywords ----


@pytest.mark.parametrize(
    ("keyword", "hint"),
    [
        ("catagories", "Did you mean 'categories'?"),
        ("email", "Did you mean 'end_user_email_address'?"),
        ("end_user_email", "Did you mean 'end_user_email_address'?"),
        ("organization", "Did you mean 'end_user_organization_name'?"),
        ("origin_id", "Did you mean 'end_user_origin_id'?"),
        ("magic_link", "'should_create_magic_link_url' or 'hide_admin_magic_link'?"),
        ("expiry", "Did you mean 'link_expiry_mins'?"),
        ("expires_in", "Did you mean 'link_expiry_mins'?"),
        ("retries", "Did you mean 'max_retries'?"),
        ("token", "Did you mean 'api_key'"),
        ("key", "Did you mean 'api_key'?"),
        ("linkExpiryMins", "Did you mean 'link_expiry_mins'?"),
        ("time_out", "Did you mean 'timeout'?"),
        ("apikey", "Did you mean 'api_key'?"),
        ("brand_new", "extra_body"),
        ("x" * 500, "x" * 80),
        ("ünïcode", "ünïcode"),
    ],
)
def test_an_unknown_keyword_is_refused_as_a_type_error(
    client: merge_link.Client, keyword: str, hint: str
) -> None:
    for function in (client.create_link_token, merge_link.create_link_token):
        with pytest.raises(TypeError, match="create_link_token\\(\\) got an unexpected") as caught:
            function(**FIELDS, **{keyword: SECRET})
        assert hint in str(caught.value)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "option", sorted(set(inspect.signature(merge_link.Client).parameters) - CALL_OPTIONS)
)
def test_client_options_are_refused_by_a_clients_method(
    client: merge_link.Client, option: str
) -> None:
    for call in (client.create_link_token, client.warm_up):
        why = r"it is an option of Client\(\), not of a call$"
        if option == "account_token":
            why = "this endpoint takes no account token$"
        with pytest.raises(TypeError, match=why):
            call(**{option: SECRET})


@pytest.mark.parametrize(
    ("keyword", "hint"),
    [
        ("retries", ". Did you mean 'max_retries'?"),
        ("token", ". Did you mean 'api_key' or 'account_token'?"),
        ("key", ". Did you mean 'api_key'?"),
        ("url", ". Did you mean 'base_url'?"),
        ("proxies", ". Did you mean 'proxy'?"),
        ("verify", ". Did you mean 'ca_bundle'?"),
        ("host", ". Did you mean 'base_url'?"),
        ("read_timeout", ". Did you mean 'timeout'?"),
        ("environment", ". Did you mean 'region' or 'base_url'?"),
        ("headers", ""),
        ("brand_new", ""),
    ],
)
def test_an_unknown_option_of_a_client_is_a_type_error(keyword: str, hint: str) -> None:
    with pytest.raises(TypeError) as caught:
        merge_link.Client(**{keyword: SECRET})
    assert str(caught.value) == f"Client() got an unexpected keyword argument '{keyword}'{hint}"


@pytest.mark.parametrize("theirs", ["data", "body", "payload", "query", "filters"])
def test_what_others_call_the_parts_of_a_request_is_known(
    client: merge_link.Client, theirs: str
) -> None:
    ours = "params" if theirs in ("query", "filters") else "json"
    with pytest.raises(TypeError, match=rf"\. Did you mean '{ours}'\?$"):
        client.request("GET", "/ats/v1/candidates", **{theirs: SECRET})  # type: ignore[call-overload, unused-ignore]


def test_a_call_without_a_body_does_not_speak_of_one(client: merge_link.Client) -> None:
    with pytest.raises(TypeError, match=r"warm_up\(\) got an .* argument 'brand_new'$"):
        client.warm_up(brand_new=1)


def test_positional_arguments_are_refused(client: merge_link.Client) -> None:
    for function in (client.create_link_token, merge_link.create_link_token):
        with pytest.raises(TypeError, match="keyword arguments only \\(2 positional given\\)"):
            function("hr@acme.example", "Acme")
    with pytest.raises(TypeError, match="keyword arguments only"):
        merge_link.Client("test_key")


# ---- extra_headers and extra_body ----

SET_BY_US = "is set by this library: remove it"
HEADER_VALUE = "must be printable ASCII, not empty, without line breaks or NUL"
RESERVED = [
    *("Authorization", "authorization", "X-Account-Token", "HOST", "Content-Type"),
    *("Content-Length", "content-anything", "Transfer-Encoding", "Connection", "Expect"),
    *("Proxy-Authorization", "Accept-Encoding", "Upgrade", "TE", "Trailer", "Keep-Alive"),
]


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        *(({name: SECRET}, SET_BY_US) for name in RESERVED),
        *(
            ({"X-A": value}, HEADER_VALUE)
            for value in ("", "zq9\r\nX-B: 1", "zq9\n", "zq9\0", "zq9é", "zq9\ud800", "\x7fzq9")
        ),
        *(
            ({name: "1"}, 'must be named by letters, digits and "-"')
            for name in (
                "",
                "X A",
                "X:zq9",
                "X-A\r\nzq9",
                "zq9\0",
                "Ünï-zq9",
                "zq9\ud800",
                "@",
                "X(",
            )
        ),
    ],
)
def test_a_header_that_is_ours_or_unsafe_is_refused(
    client: merge_link.Client, headers: dict[str, str], message: str
) -> None:
    (problem,) = refused(client, extra_headers=headers)
    assert problem.field.startswith("extra_headers")
    assert problem.message == message


@pytest.mark.parametrize(
    "headers", [["X-A: 1"], "X-A: 1", {"X-A": 1}, {"X-A": None}, {1: "x"}, {b"X": b"y"}, 5]
)
def test_extra_headers_of_other_types_are_refused(client: merge_link.Client, headers: Any) -> None:
    (problem,) = refused(client, extra_headers=headers)
    assert (problem.field, problem.message) == ("extra_headers", "must be a dict of strings")


@pytest.mark.parametrize("name", [*EVERY_FIELD, "category"])
def test_extra_body_naming_a_known_field_is_refused(client: merge_link.Client, name: str) -> None:
    (problem,) = refused(client, extra_body={name: SECRET})
    assert problem.field == f"extra_body.{name}"
    assert problem.message == "is a known field: pass it as an argument of its own"


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"a": math.inf}, "cannot be written as JSON"),
        ({"a": Thing()}, "cannot be written as JSON"),
        ({1: 1}, "has a key that is not a string"),
        ({"zq9\0": 1}, "has a key with NUL or a lone surrogate"),
        ({"zq9\ud800": 1}, "has a key with NUL or a lone surrogate"),
        ({"": 1}, "must have at least 1 character, has 0"),
        ({"zq9\n": 1}, CONTROL),
    ],
)
def test_extra_body_that_cannot_be_sent_is_refused(
    client: merge_link.Client, extra: dict[Any, Any], message: str
) -> None:
    (problem,) = refused(client, extra_body=extra)
    assert problem.field.startswith("extra_body")
    assert problem.message.startswith(message)


@pytest.mark.parametrize("extra", [[], "{}", [("a", 1)], 5])
def test_extra_body_of_other_types_is_refused(client: merge_link.Client, extra: Any) -> None:
    (problem,) = refused(client, extra_body=extra)
    assert (problem.field, problem.message) == ("extra_body", "must be a dict")


# ---- the problems themselves ----


def test_a_problem_is_a_record(client: merge_link.Client) -> None:
    (problem,) = refused(client, link_expiry_mins=1)
    assert repr(problem) == f"FieldProblem(field='link_expiry_mins', message={EXPIRY!r})"
    assert problem.to_dict() == {"field": "link_expiry_mins", "message": EXPIRY}
    match problem:
        case FieldProblem(field="link_expiry_mins", message=text):
            assert text == EXPIRY
        case _:
            pytest.fail("does not match")
