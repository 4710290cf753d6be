"""How errors read: one line and its notes, whatever a server says, and where they are shown."""

import copy
import io
import logging
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import merge_link
from merge_link import _hints
from samples import FIELDS, KEY
from scripted import Server, answer, hang_up, stay_silent, token_answer

Serve = Callable[..., Server]

MOST = 620  # characters of str(error)
MOST_NOTE = 300


def error_of(server: Server, **options: Any) -> Any:
    with server.client(**{"max_retries": 0, **options}) as client:
        with pytest.raises(merge_link.MergeLinkError) as caught:
            client.create_link_token(**FIELDS)
        return caught.value


# ---- the end of the line ----

REFUSAL = {"detail": "No."}


@pytest.mark.parametrize(
    ("script", "retries", "end"),
    [
        (answer(400, REFUSAL), 0, "No."),
        (answer(400, REFUSAL, "X-Request-Id: r-1"), 0, "No. (request id r-1)"),
        (answer(503, REFUSAL, "Retry-After: 0"), 2, "No. (3 attempts)"),
        (
            answer(503, REFUSAL, "Retry-After: 0", "X-Request-Id: r-1"),
            1,
            "No. (request id r-1, 2 attempts)",
        ),
        (answer(429, REFUSAL, "Retry-After: 60"), 2, "No. (try again in 60 s)"),
        (answer(429, REFUSAL, "Retry-After: 60.25"), 2, "No. (try again in 60.2 s)"),
        (answer(429, REFUSAL, "Retry-After: 99999999999"), 0, "(try again in 99999999999 s)"),
        (answer(200, {}, "X-Request-Id: r-1"), 0, "no member link_token (request id r-1)"),
        (hang_up, 1, " (2 attempts)"),
    ],
)
def test_the_end_finds_the_request_again(serve: Serve, script: Any, retries: int, end: str) -> None:
    error = error_of(serve(script), max_retries=retries)
    assert str(error).endswith(end)
    assert error.args == (str(error),)


def test_the_attributes_are_without_it(serve: Serve) -> None:
    error = error_of(serve(answer(400, REFUSAL, "X-Request-Id: r-1")))
    assert (error.detail, error.request_id) == ("No.", "r-1")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("x" * 64, "x" * 64),
        ("x" * 65, "x" * 64 + "…"),
        ("x" * 5000, "x" * 64 + "…"),
        ("a\x85b\x9b31mc\xad\t\x01d", "ab31mcd"),
        ("é", "é"),
    ],
)
def test_an_odd_request_id_is_made_presentable(serve: Serve, sent: str, shown: str) -> None:
    error = error_of(serve(answer(400, REFUSAL, f"X-Request-Id: {sent}")))
    assert str(error) == f"Merge answered 400: No. (request id {shown})"
    assert error.request_id == sent


# ---- hostile words ----

NASTY = "a\nb\r\n\x1b[31mc\x00\x7f\x85\u2028\u2029\u202e\u2066d" + "🎉" * 3000


@pytest.mark.parametrize("status", [400, 401, 404, 429, 503])
@pytest.mark.parametrize(
    "body",
    [
        {"detail": NASTY},
        {NASTY: [NASTY] * 500},
        {"a": {NASTY: NASTY}},
        [NASTY, NASTY],
        f"<html><TITLE>{NASTY}</TITLE>".encode(),
        f"<title>{NASTY[:10]}</title>".encode(),
        b"<title>" * 20_000,
        b"\xff" * 1000,
    ],
    ids=["detail", "fields", "nested", "list", "title", "short title", "titles", "bytes"],
)
def test_the_line_is_one_and_bounded_whatever_a_server_says(
    serve: Serve, status: int, body: Any
) -> None:
    error = error_of(serve(answer(status, body, "X-Request-Id: " + "\x85x\x1c" * 500)))
    assert len(str(error)) <= MOST
    for text in (str(error), *error.__dict__.get("__notes__", ())):
        assert len(text.splitlines()) == 1
        assert text.isprintable()
    for note in error.__dict__.get("__notes__", ()):
        assert len(note) <= MOST_NOTE


def test_many_problems_are_counted_in_the_line_and_whole_in_the_list() -> None:
    with pytest.raises(merge_link.ValidationError) as caught:
        merge_link.create_link_token(**FIELDS | {"categories": [5] * 50}, api_key=KEY)
    assert str(caught.value).endswith("; and 40 more")
    assert len(caught.value.errors) == 50
    assert len(str(caught.value)) <= MOST


# ---- notes ----


def notes_of(error: BaseException) -> list[str]:
    notes: list[str] = error.__dict__.get("__notes__", [])
    return notes


NO_HOST_OF_MERGE = "(no host of Merge's: base_url= or MERGE_BASE_URL names it)"


@pytest.mark.parametrize(
    "script",
    [answer(401), answer(404), answer(405), answer(403, b"<p>"), answer(200, {}), answer(301)],
)
def test_a_note_says_that_the_host_is_not_merges(serve: Serve, script: bytes) -> None:
    server = serve(script)
    asked = f"The request was POST {server.base_url}/ats/v1/link-token {NO_HOST_OF_MERGE}"
    assert asked in notes_of(error_of(server))


@pytest.mark.parametrize("script", [answer(400, REFUSAL), answer(403, REFUSAL), hang_up])
def test_where_the_line_says_all_there_is_no_note(serve: Serve, script: Any) -> None:
    assert notes_of(error_of(serve(script))) == []


@pytest.mark.parametrize(
    ("url", "is_merges"),
    [
        ("POST https://api.merge.dev/api/x", True),
        ("GET https://api-eu.merge.dev:8443/api/x", True),
        ("POST https://api.merge.dev.example/api/x", False),
        ("POST https://merge.dev.example:443", False),
        ("POST https://notmerge.dev/api", False),
        ("POST http://[::1]:80/.merge.dev", False),
    ],
)
def test_hosts_of_merge_are_known(url: str, is_merges: bool) -> None:
    error = merge_link.ResponseError("x")
    (note,) = _hints.notes_on("response", error, url)
    assert (NO_HOST_OF_MERGE not in note) is is_merges
    assert url in note


@pytest.mark.parametrize(
    ("option", "value"),
    [("api_key", "a b"), ("base_url", "nonsense"), ("region", "mars")],
)
def test_a_note_names_the_variable_that_may_be_meant(
    monkeypatch: pytest.MonkeyPatch, option: str, value: str
) -> None:
    with pytest.raises(merge_link.ConfigurationError) as caught:
        merge_link.Client(**{"api_key": KEY, option: value})
    assert notes_of(caught.value) == []
    monkeypatch.setenv("MERGE_API_KEY", KEY)
    variable = f"MERGE_{option.upper()}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(merge_link.ConfigurationError) as caught:
        merge_link.Client()
    (note,) = notes_of(caught.value)
    assert note == f"{variable} is set in the environment: it counts where {option}= is not given."


def test_a_value_that_python_cannot_read_is_a_response_error_without_a_note(serve: Serve) -> None:
    error = error_of(serve(answer(200, b'{"link_token":"x","n":' + b"9" * 5000 + b"}")))
    assert isinstance(error, merge_link.ResponseError)
    assert notes_of(error) == []


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {protocol}": lambda error, protocol=protocol: pickle.loads(
            pickle.dumps(error, protocol)
        )
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_keeps_the_notes_and_has_them_for_itself(serve: Serve, how: str) -> None:
    error = error_of(serve(answer(401, REFUSAL)))
    twin = COPIES[how](error)
    assert notes_of(twin) == notes_of(error) != []
    assert (str(twin), type(twin)) == (str(error), type(error))
    twin.add_note("another")
    assert "another" not in notes_of(error)


def test_notes_are_made_by_a_module_that_only_errors_load(serve: Serve) -> None:
    def loads(script: Any) -> bool:
        url = serve(script).base_url
        code = (
            "import merge_link, sys\n"
            f"try: merge_link.create_link_token(**{FIELDS!r}, base_url={url!r}, api_key='test_k')\n"
            "except merge_link.MergeLinkError: pass\n"
            "print('merge_link._hints' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        return done.stdout == "True\n"

    assert not loads(token_answer())
    assert loads(answer(400, REFUSAL))


# ---- where they are shown ----


def shown_end(error: BaseException) -> str:
    """Return what any display of the error ends with."""
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    return "\n".join([f"{name}: {error}", *notes_of(error)]) + "\n"


def test_a_traceback_has_no_frame_of_ours_and_ends_with_the_notes(serve: Serve) -> None:
    error = error_of(serve(answer(401, REFUSAL)))
    shown = "".join(traceback.format_exception(error))
    assert shown.endswith(shown_end(error))
    assert len(notes_of(error)) == 2
    files = {frame.filename for frame in traceback.extract_tb(error.__traceback__)}
    assert files == {__file__}
    assert (error.__cause__, error.__context__) == (None, None)


def test_a_log_with_exc_info_has_the_notes(serve: Serve) -> None:
    error = error_of(serve(answer(401, REFUSAL)))
    stream = io.StringIO()
    logger = logging.Logger("of the application")
    logger.addHandler(logging.StreamHandler(stream))
    logger.error("no token: %s", error, exc_info=error)
    assert stream.getvalue().startswith(f"no token: {error}\n")
    assert stream.getvalue().endswith(shown_end(error))


@pytest.mark.parametrize("script", [answer(401, REFUSAL), stay_silent, answer(200, {})])
def test_what_debug_pages_show_of_locals_is_short(serve: Serve, script: Any) -> None:
    """They take repr() of every local variable, as Django's does."""
    server = serve(script)
    with server.client(timeout=0.2, max_retries=0) as client:
        try:
            client.create_link_token(**FIELDS)
        except merge_link.MergeLinkError as caught:
            error = caught
    assert repr(error) == f"{type(error).__name__}({str(error)!r})"
    assert repr(client) == f"<merge_link.Client base_url='{server.base_url}' closed>"
    for value in vars(error).values():
        assert len(repr(value)) < 500


def test_pytest_shows_line_and_notes(serve: Serve, tmp_path: Path) -> None:
    url = serve(answer(401, REFUSAL)).base_url
    test = (
        "import merge_link\n"
        "def test_it():\n"
        f"    merge_link.create_link_token(**{FIELDS!r}, base_url={url!r}, api_key='test_k')\n"
    )
    (tmp_path / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if line.startswith("E  ")]
    assert lines[0] == "E       merge_link.errors.AuthenticationError: Merge answered 401: No."
    assert [line.split()[1] for line in lines[1:]] == ["Is", "The"]
    assert "merge_link/" not in done.stdout.replace("merge_link.", "")


# ---- what programs can go by, so that a text may be reworded ----


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"base_url": "ftp://x"}, "base_url"),
        ({"api_key": 5}, "api_key"),
        ({"api_key": ""}, "api_key"),
        ({"ca_bundle": "/nowhere"}, "ca_bundle"),
        ({"error_budget": (0, 1.0)}, "error_budget"),
        ({"timeout": -1.0}, "timeout"),
        ({"max_connections": 0}, "max_connections"),
    ],
)
def test_an_error_of_an_option_names_it_to_programs(options: Any, option: str) -> None:
    with pytest.raises(merge_link.ConfigurationError) as caught:
        merge_link.Client(**{"api_key": KEY, **options})
    assert caught.value.option == option
    assert pickle.loads(pickle.dumps(caught.value)).option == option


def test_an_error_of_a_call_names_the_option_too() -> None:
    with merge_link.Client(api_key=KEY) as client:
        for option in ("timeout", "max_retries"):
            with pytest.raises(merge_link.ConfigurationError) as caught:
                client.create_link_token(**FIELDS, **{option: 90000})
            assert caught.value.option == option
