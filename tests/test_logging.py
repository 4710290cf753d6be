"""The logger merge_link and the option on_attempt."""

import gc
import json
import logging
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

import merge_link
from merge_link import Attempt
from samples import FIELDS, KEY, TOKEN
from scripted import (
    Server,
    answer,
    hang_up_after,
    stay_silent,
    stay_silent_after,
    token_answer,
)

Serve = Callable[..., Server]

AT_ONCE = "Retry-After: 0"
# Not before the first byte: libcurl itself sends again then, on a kept connection.
BREAK_OFF = hang_up_after(token_answer()[:-3])
WHERE = r"POST http://127\.0\.0\.1:\d+/api/ats/v1/link-token"


def lines_of(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    assert {record.name for record in caplog.records} <= {"merge_link"}
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def assert_lines(caplog: pytest.LogCaptureFixture, *wanted: tuple[str, str]) -> None:
    lines = lines_of(caplog)
    assert len(lines) == len(wanted), lines
    for (level, line), (wanted_level, pattern) in zip(lines, wanted, strict=True):
        assert level == wanted_level
        assert re.fullmatch(pattern, line), line


# ---- the logger ----


def test_an_attempt_is_one_line_before_and_one_after(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "merge_link")
    with serve().client() as client:
        client.create_link_token(**FIELDS)
    assert_lines(
        caplog,
        ("DEBUG", f"{WHERE} attempt 1"),
        ("DEBUG", rf"{WHERE} attempt 1: 200 after \d+\.\d ms"),
    )


def test_a_retry_is_a_warning(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "merge_link")
    server = serve(answer(503, b"", AT_ONCE), BREAK_OFF, token_answer())
    with server.client() as client:
        client.create_link_token(**FIELDS)
    code = "CURLE_PARTIAL_FILE"
    assert_lines(
        caplog,
        ("DEBUG", f"{WHERE} attempt 1"),
        ("DEBUG", rf"{WHERE} attempt 1: 503 after \d+\.\d ms"),
        ("WARNING", rf"{WHERE} attempt 1: 503, again in 0\.00 s"),
        ("DEBUG", f"{WHERE} attempt 2"),
        ("DEBUG", rf"{WHERE} attempt 2: {code} after \d+\.\d ms"),
        ("WARNING", rf"{WHERE} attempt 2: {code}, again in \d\.\d\d s"),
        ("DEBUG", f"{WHERE} attempt 3"),
        ("DEBUG", rf"{WHERE} attempt 3: 200 after \d+\.\d ms"),
    )


@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING])
def test_above_debug_only_retries_are_told(
    serve: Serve, caplog: pytest.LogCaptureFixture, level: int
) -> None:
    caplog.set_level(level, "merge_link")
    server = serve(token_answer(), answer(400), answer(503, b"", AT_ONCE), token_answer())
    with server.client() as client:
        client.create_link_token(**FIELDS)
        with pytest.raises(merge_link.BadRequestError):
            client.create_link_token(**FIELDS)
        assert lines_of(caplog) == []
        client.create_link_token(**FIELDS)
    assert_lines(caplog, ("WARNING", rf"{WHERE} attempt 1: 503, again in 0\.00 s"))


def test_the_last_failure_is_no_warning(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    server = serve(answer(503, b"", AT_ONCE))
    with server.client(max_retries=0) as client, pytest.raises(merge_link.ServerError):
        client.create_link_token(**FIELDS)
    assert lines_of(caplog) == []


def test_what_is_not_sent_is_not_told(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "merge_link")
    told: list[Attempt] = []
    with serve().client(on_attempt=told.append) as client:
        with pytest.raises(merge_link.ValidationError):
            client.create_link_token()
        client.close()
        with pytest.raises(merge_link.ClientClosedError):
            client.create_link_token(**FIELDS)
    assert (lines_of(caplog), told) == ([], [])


def test_the_level_of_the_moment_counts(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("merge_link")
    with serve().client() as client:
        for level, lines in ((logging.DEBUG, 2), (logging.INFO, 0), (logging.DEBUG, 2)):
            caplog.clear()
            caplog.set_level(level, "merge_link")
            assert logger.level == level
            client.create_link_token(**FIELDS)
            assert len(caplog.records) == lines


def test_the_module_level_function_tells_too(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "merge_link")
    server = serve(answer(503, b"", AT_ONCE), token_answer())
    merge_link.create_link_token(**FIELDS, base_url=server.base_url, api_key=KEY)
    assert [level for level, _ in lines_of(caplog)] == ["DEBUG"] * 2 + ["WARNING"] + ["DEBUG"] * 2


def test_a_handler_that_raises_does_not_pass_for_an_answer(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """What logging lets out, such as Ctrl-C in a handler, comes out of the call."""

    def interrupt(record: logging.LogRecord) -> NoReturn:
        raise KeyboardInterrupt

    caplog.set_level(logging.DEBUG, "merge_link")
    logger = logging.getLogger("merge_link")
    with serve().client() as client:
        logger.addFilter(interrupt)
        try:
            with pytest.raises(KeyboardInterrupt):
                client.create_link_token(**FIELDS)
        finally:
            logger.removeFilter(interrupt)
        assert client.create_link_token(**FIELDS).link_token == TOKEN


def said_by(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("answers", "options", "imported"),
    [
        ([token_answer()], "", False),
        ([token_answer()], ", on_attempt=[].append", False),
        ([answer(400, b"x"), token_answer()], "", False),
        ([answer(503, b"", AT_ONCE), token_answer()], ", max_retries=0", False),
        ([answer(503, b"", AT_ONCE), token_answer()], "", True),
        ([token_answer()], ", on_attempt=len", True),
    ],
    ids=["token", "told token", "refusal", "failure", "retry", "hook that raises"],
)
def test_logging_is_imported_only_when_there_is_something_to_say(
    serve: Serve, answers: list[bytes], options: str, imported: bool
) -> None:
    url = serve(*answers).base_url
    said = said_by(
        "import sys, merge_link\n"
        f"with merge_link.Client(base_url={url!r}, api_key='test_k'{options}) as client:\n"
        f"    try: client.create_link_token(**{FIELDS!r})\n"
        "    except merge_link.APIError: pass\n"
        "print('logging' in sys.modules)\n"
    )
    assert said.splitlines()[0] == str(imported)


def test_a_retry_is_seen_without_any_setup(serve: Serve) -> None:
    """Logging's last resort prints warnings to stderr."""
    url = serve(answer(503, b"", AT_ONCE), token_answer()).base_url
    said = said_by(
        "import merge_link\n"
        f"merge_link.create_link_token(**{FIELDS!r}, base_url={url!r}, api_key='test_k')\n"
    )
    assert re.fullmatch(rf"{WHERE} attempt 1: 503, again in 0\.00 s\n", said)


# ---- on_attempt ----


def test_each_attempt_is_told_with_its_facts(serve: Serve) -> None:
    told: list[Attempt] = []
    server = serve(answer(503, b"", "Retry-After: 0.25"), BREAK_OFF, token_answer())
    with server.client(on_attempt=told.append) as client:
        client.create_link_token(**FIELDS)
    assert [type(attempt) for attempt in told] == [Attempt] * 3
    for number, attempt in enumerate(told, 1):
        assert attempt.number == number
        assert (attempt.method, attempt.host) == ("POST", "127.0.0.1")
        assert attempt.path == "/ats/v1/link-token"
        assert attempt.url == f"{server.base_url}/ats/v1/link-token"
        assert 0 < attempt.seconds < 10
    assert [attempt.status_code for attempt in told] == [503, None, 200]
    assert [attempt.code for attempt in told] == ["", "CURLE_PARTIAL_FILE", ""]
    assert told[0].retry_in == 0.25
    assert told[1].retry_in is not None
    assert 0 <= told[1].retry_in < 1.0
    assert told[2].retry_in is None


def test_an_attempt_has_its_timing_and_the_servers_clock(serve: Serve) -> None:
    told: list[Attempt] = []
    server = serve(
        answer(503, b"", "Date: Sun, 06 Nov 1994 08:49:37 GMT"), BREAK_OFF, token_answer()
    )
    with server.client(on_attempt=told.append) as client:
        client.create_link_token(**FIELDS)
    assert [attempt.server_time for attempt in told] == [784111777.0, None, None]
    for attempt in (told[0], told[2]):
        assert attempt.timing is not None
        assert 0 < attempt.timing.first_byte <= attempt.timing.total <= attempt.seconds + 0.1
    assert told[0].timing.connect > 0
    assert json.dumps(told[0].to_dict())
    assert pickle.loads(pickle.dumps(told[0])).timing == told[0].timing


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        (answer(401, {"detail": "no"}), 401, ""),
        (answer(204), 204, ""),
        (answer(307), 307, ""),
        (answer(200, {}), 200, ""),
        (stay_silent, None, "CURLE_OPERATION_TIMEDOUT"),
        (stay_silent_after(token_answer()[:-3]), None, "CURLE_OPERATION_TIMEDOUT"),
        (BREAK_OFF, None, "CURLE_PARTIAL_FILE"),
        (
            answer(200, b"no gzip at all", "Content-Encoding: gzip"),
            None,
            "CURLE_BAD_CONTENT_ENCODING",
        ),
    ],
)
def test_an_attempt_that_ends_the_call_has_no_retry_in(
    serve: Serve, script: Any, status: int | None, code: str
) -> None:
    told: list[Attempt] = []
    server = serve(script)
    with (
        server.client(on_attempt=told.append, max_retries=0, timeout=0.5) as client,
        pytest.raises(merge_link.MergeLinkError),
    ):
        client.create_link_token(**FIELDS)
    assert [(one.number, one.status_code, one.code, one.retry_in) for one in told] == [
        (1, status, code, None)
    ]


def test_a_retry_after_that_does_not_fit_is_no_retry_in(serve: Serve) -> None:
    told: list[Attempt] = []
    server = serve(answer(429, b"", "Retry-After: 600"))
    with (
        server.client(on_attempt=told.append) as client,
        pytest.raises(merge_link.RateLimitError),
    ):
        client.create_link_token(**FIELDS)
    assert [one.retry_in for one in told] == [None]


def test_a_record_is_a_value(serve: Serve) -> None:
    told: list[Attempt] = []
    with serve().client(on_attempt=told.append) as client:
        client.create_link_token(**FIELDS)
    (attempt,) = told
    assert repr(attempt).startswith("Attempt(method='POST', host='127.0.0.1', path='/ats/v1/link-t")
    assert pickle.loads(pickle.dumps(attempt)) == attempt
    assert set(attempt.to_dict()) == {
        *("method", "host", "path", "url", "number", "status_code", "code", "seconds", "retry_in")
    }
    with pytest.raises(AttributeError):
        attempt.number = 2  # type: ignore[misc]


def test_the_module_level_function_takes_the_hook_of_each_call(serve: Serve) -> None:
    server = serve()
    first: list[Attempt] = []
    second: list[Attempt] = []
    call = {**FIELDS, "base_url": server.base_url, "api_key": KEY}
    merge_link.create_link_token(**call, on_attempt=first.append)
    merge_link.create_link_token(**call, on_attempt=second.append)
    merge_link.create_link_token(**call)
    merge_link.create_link_token(**call, on_attempt=None)
    assert (len(first), len(second)) == (1, 1)
    assert server.connections == 1


def test_the_hook_runs_in_the_calling_thread_between_attempts(serve: Serve) -> None:
    requests: list[tuple[int, int]] = []
    server = serve(answer(503, b"", AT_ONCE), token_answer())

    def hook(attempt: Attempt) -> None:
        requests.append((threading.get_ident(), len(server.requests)))

    with server.client(on_attempt=hook) as client:
        client.create_link_token(**FIELDS)
    assert requests == [(threading.get_ident(), 1), (threading.get_ident(), 2)]


def test_an_exception_in_the_hook_is_logged_and_forgotten(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def hook(attempt: Attempt) -> NoReturn:
        raise ValueError(f"number {attempt.number}")

    server = serve(answer(503, b"", AT_ONCE), token_answer(), answer(404, {"detail": "no"}))
    caplog.set_level(logging.ERROR, "merge_link")
    with server.client(on_attempt=hook) as client:
        assert client.create_link_token(**FIELDS).link_token == TOKEN
        with pytest.raises(merge_link.NotFoundError) as caught:
            client.create_link_token(**FIELDS)
    assert caught.value.__context__ is None
    assert_lines(caplog, *[("ERROR", "on_attempt raised")] * 3)
    raised = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert [str(error) for error in raised] == ["number 1", "number 2", "number 1"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize(
    "first", [token_answer(), answer(400), answer(503, b"", AT_ONCE), BREAK_OFF]
)
def test_what_is_no_exception_comes_out_of_the_call(
    serve: Serve, kind: type[BaseException], first: Any
) -> None:
    raised = kind("from the hook")

    def hook(attempt: Attempt) -> None:
        if len(server.requests) == 1:
            raise raised

    server = serve(first, token_answer())
    with server.client(on_attempt=hook) as client:
        with pytest.raises(kind) as caught:
            client.create_link_token(**FIELDS)
        assert caught.value is raised
        assert len(server.requests) == 1
        assert client.create_link_token(**FIELDS).link_token == TOKEN


def test_a_signal_in_the_hook_comes_out_of_the_call(serve: Serve) -> None:
    def hook(attempt: Attempt) -> None:
        signal.raise_signal(signal.SIGINT)

    with serve().client(on_attempt=hook) as client, pytest.raises(KeyboardInterrupt):
        client.create_link_token(**FIELDS)


def test_the_hook_may_call_the_client_itself(serve: Serve) -> None:
    tokens: list[str] = []

    def hook(attempt: Attempt) -> None:
        if len(server.requests) == 1:
            tokens.append(client.create_link_token(**FIELDS).link_token)

    server = serve()
    with server.client(on_attempt=hook) as client:
        assert client.create_link_token(**FIELDS).link_token == TOKEN
    assert tokens == [TOKEN]


def test_the_hook_may_close_the_client(serve: Serve) -> None:
    server = serve(answer(503, b"", AT_ONCE), token_answer())
    with (
        server.client(on_attempt=lambda _: client.close()) as client,
        pytest.raises(merge_link.ClientClosedError),
    ):
        client.create_link_token(**FIELDS)
    assert len(server.requests) == 1


@pytest.mark.parametrize("how", ["client", "module", "a hook that raises"])
def test_the_record_and_the_hook_are_not_kept(serve: Serve, how: str) -> None:
    class Hook:
        record: weakref.ref[Attempt]

        def __call__(self, attempt: Attempt) -> None:
            self.record = weakref.ref(attempt)
            if how == "a hook that raises":
                raise ValueError

    server = serve(answer(503, b"", AT_ONCE), token_answer())
    hook = Hook()
    logger = logging.getLogger("merge_link")
    logger.disabled = True  # pytest keeps log records, and they the exception with its frames
    try:
        if how == "module":
            merge_link.create_link_token(
                **FIELDS, base_url=server.base_url, api_key=KEY, on_attempt=hook
            )
        else:
            with server.client(on_attempt=hook) as client:
                client.create_link_token(**FIELDS)
            del client
    finally:
        logger.disabled = False
    gc.collect()
    assert hook.record() is None
    kept = weakref.ref(hook)
    del hook
    gc.collect()
    assert kept() is None


def test_a_client_in_a_circle_with_its_hook_is_collected(serve: Serve) -> None:
    class Hook:
        client: merge_link.Client

        def __call__(self, attempt: Attempt) -> None: ...

    hook = Hook()
    hook.client = serve().client(on_attempt=hook)
    hook.client.create_link_token(**FIELDS)
    kept = weakref.ref(hook)
    del hook
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("hook", ["print", 5, True, [print]])
def test_a_hook_that_cannot_be_called_is_refused(hook: Any) -> None:
    with pytest.raises(merge_link.ConfigurationError, match="on_attempt must be callable"):
        merge_link.Client(api_key=KEY, on_attempt=hook)
