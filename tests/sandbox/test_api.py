"""What all of Merge's API has in common: keys, paths, methods, media types, headers."""

import re
import threading
import time
import uuid
from email.utils import parsedate_to_datetime

import pytest

from merge_link.sandbox import Sandbox
from plain_http import (
    GOOD,
    PATH,
    PATIENCE,
    call,
    connect,
    raw_request,
    read_answer,
)


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
        *("/home", "/api", "/api/payroll/v1/link-token", "/api/atss/v1/link-token"),
        *("/api/ATS/v1/link-token", "/api/ats/v2/link-token", "/api/ats/v1/link_token"),
        *("/api/ats/v1/link-token/", "//api/ats/v1/link-token", "/api//ats/v1/link-token"),
        *("/ats/v1/link-token", "/api/ats/v1/account-tokens/x", "/api/ats/v1/%ff"),
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


# ---- answers ----


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
