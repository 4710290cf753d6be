"""What the pytest fixtures do. Loaded by ``merge_link_pytest`` when a test uses one of them.

`point_at` is for fixtures of your own that live longer than a test::

    @pytest.fixture(scope="session", autouse=True)
    def no_test_reaches_merge():
        with Sandbox(strict_keys=False) as sandbox, point_at(sandbox):
            yield sandbox
"""

import difflib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, Self

import pytest

from merge_link import _core
from merge_link.sandbox import Sandbox
from merge_link.sandbox.arguments import check_api_key, check_text

__all__ = ["point_at"]

_LOOPBACK = "127.0.0.1,localhost"


@contextmanager
def point_at(sandbox: Sandbox) -> Iterator[None]:
    """Let all calls of this process go to a sandbox that serves, and to no other machine.

    Meanwhile ``MERGE_BASE_URL`` and ``MERGE_API_KEY`` name the sandbox, ``MERGE_REGION`` is not
    set, with TLS ``SSL_CERT_FILE`` is its authority, and proxies of the environment do not count
    for loopback, whatever HTTP client reads them. A call of a `merge_link.Client` that would leave
    this machine raises `merge_link.ConfigurationError`, whenever the client was made.

    May be nested, as fixtures are; not for several threads at once, as the environment is the
    process's.
    """
    with pytest.MonkeyPatch.context() as patch, loopback_only():
        set_environment(patch, sandbox)
        yield


def set_environment(patch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """Let new clients call the sandbox, until the patch is undone."""
    patch.setenv("MERGE_BASE_URL", sandbox.base_url)
    patch.setenv("MERGE_API_KEY", sandbox.api_key)
    patch.delenv("MERGE_REGION", raising=False)
    for name in ("no_proxy", "NO_PROXY"):
        patch.setenv(name, ",".join(filter(None, (os.environ.get(name), _LOOPBACK))))
    if sandbox.url.startswith("https://"):
        patch.setenv("SSL_CERT_FILE", sandbox.ca_file)


@contextmanager
def loopback_only() -> Iterator[None]:
    """Forbid calls that would leave this machine, to all clients."""
    _core.set_loopback_only(True)
    try:
        yield
    finally:
        _core.set_loopback_only(False)


class Options(NamedTuple):
    """What ``@pytest.mark.merge_link(...)`` may say: keywords of `Sandbox`."""

    tls: bool = False
    strict_keys: bool = False
    api_key: str | None = None
    webhook_url: str | None = None
    webhook_key: str | None = None


class Pool:
    """The sandboxes of a session: one for each set of options that a test has asked for."""

    def __init__(self) -> None:
        self._running = ExitStack()
        self._sandboxes: dict[Options, Sandbox] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running.close()

    def take(self, node: Any) -> Sandbox:
        """The sandbox that the test's markers ask for, as empty as a new one.

        Fails the test for markers that make no sense.
        """
        options = _options_of(node)
        if options not in self._sandboxes:
            try:
                sandbox = Sandbox(**options._asdict())
            except (ImportError, ValueError) as error:
                raise _refusal(str(error)) from None
            self._sandboxes[options] = self._running.enter_context(sandbox)
        sandbox = self._sandboxes[options]
        sandbox.reset()
        return sandbox


def _options_of(node: Any) -> Options:
    """What the test's markers say; of two that say the same, the closer one counts."""
    options = Options()
    for marker in reversed(list(node.iter_markers("merge_link"))):
        if marker.args:
            raise _refusal(f"takes keywords only: {', '.join(Options._fields)}")
        for name, value in marker.kwargs.items():
            _check_option(name, value)
        options = options._replace(**marker.kwargs)
    return options


def _check_option(name: str, value: object) -> None:
    if name not in Options._fields:
        near = difflib.get_close_matches(name, Options._fields, 1)
        question = f"did you mean {near[0]}? " if near else ""
        raise _refusal(f"has no option {name!r}: {question}It has {', '.join(Options._fields)}")
    if name in ("tls", "strict_keys"):
        if not isinstance(value, bool):
            raise _refusal(f"{name} must be True or False")
    elif value is not None:
        check = check_api_key if name == "api_key" else partial(check_text, name)
        try:
            check(value)
        except ValueError as error:
            raise _refusal(str(error)) from None


def _refusal(why: str) -> BaseException:
    """What fails the test with these words, and no traceback of ours."""
    return pytest.fail.Exception(f"@pytest.mark.merge_link: {why}", pytrace=False)
