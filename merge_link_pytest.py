"""What pytest loads of merge-link when it starts: the fixtures' names, and nothing of the package.

It is a module of its own because importing ``merge_link.pytest_plugin`` would load the C core in
every suite that runs where merge-link is installed. What happens is there; see ``docs/testing.md``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from merge_link import Client
    from merge_link.pytest_plugin import Pool
    from merge_link.sandbox import Sandbox

_MARKER = (
    "merge_link(tls=False, strict_keys=False, api_key=None, webhook_url=None, webhook_key=None):"
    " the test uses merge_link_sandbox,"
    " with these options."
)
_used: pytest.StashKey[Sandbox] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let the marker ask for the fixture, before any other."""
    names = getattr(item, "fixturenames", None)  # None: an item that is no Python function
    if names is None or "merge_link_sandbox" in names:
        return
    if item.get_closest_marker("merge_link"):
        # A new list: the parameters of a function share theirs, and may be marked one by one.
        vars(item)["fixturenames"] = ["merge_link_sandbox", *names]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what came to the sandbox beside a failure."""
    report = yield
    if report.failed and _used in item.stash:
        from merge_link.sandbox.report import describe

        section = "Requests to merge_link_sandbox"
        report.sections.append((section, describe(item.stash[_used].requests)))
    return report


@pytest.fixture(scope="session")
def _merge_link_pool() -> Iterator[Pool]:
    from merge_link.pytest_plugin import Pool

    with Pool() as pool:
        yield pool


@pytest.fixture
def merge_link_sandbox(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _merge_link_pool: Pool
) -> Iterator[Sandbox]:
    """An empty sandbox of Merge's linking API, to which all calls of the test go.

    ``MERGE_BASE_URL`` and ``MERGE_API_KEY`` name it, and calls that would leave this machine raise
    `merge_link.ConfigurationError`. ``@pytest.mark.merge_link(...)`` gives it options.
    """
    from merge_link.pytest_plugin import loopback_only, set_environment

    sandbox = _merge_link_pool.take(request.node)
    request.node.stash[_used] = sandbox
    # The test's own patch: what the test sets by it and what is set here are undone as one.
    set_environment(monkeypatch, sandbox)
    with loopback_only():
        yield sandbox


@pytest.fixture
def merge_link_client(merge_link_sandbox: Sandbox) -> Iterator[Client]:
    """A `merge_link.Client` for `merge_link_sandbox`, closed after the test."""
    with merge_link_sandbox.client() as client:
        yield client
