"""The pytest plugin, in suites of its own that pytest runs inside pytest.

Each inner suite is strict: warnings are errors. What it must not share with this process runs in
another one.
"""

import json
import sys
import textwrap

import pytest

# Loaded before the inner suites, which forget what they load: classes would be there twice.
import merge_link._hints
import merge_link.errors
import merge_link.models
import merge_link.pytest_plugin
import merge_link.sandbox.report  # noqa: F401
from samples import FIELDS

pytest_plugins = "pytester"

STRICT = ("-W", "error", "--strict-markers", "--strict-config", "-p", "no:cacheprovider")

# Other plugins only take time to load.
ALONE = [f"-pno:{name}" for name in ("xdist", "timeout", "hypothesispytest", "anyio")]

HEAD = f"""
import json
import os
import threading
import unittest
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

import merge_link
from merge_link import create_link_token

USER = {FIELDS!r}

# Nobody listens there, and it is no loopback address: without the plugin, calls are refused.
ELSEWHERE = "http://0.0.0.0:1/api"


def elsewhere(**options):
    given = dict(base_url=ELSEWHERE, allow_http=True, api_key="test_k", max_retries=0, proxy="")
    return merge_link.Client(**{{**given, **options}})


def send(sandbox, path, body=None, **headers):
    headers = {{"Authorization": f"Bearer {{sandbox.api_key}}", **headers}}
    if body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(body).encode()
    try:
        with urlopen(Request(sandbox.base_url + path, body, headers), timeout=20) as answer:
            return json.load(answer)
    except HTTPError as error:
        error.close()
        raise


def exchange(sandbox, public_token):
    return send(sandbox, f"/ats/v1/account-token/{{public_token}}")["account_token"]


"""


@pytest.fixture
def suite(pytester: pytest.Pytester):
    """Run a suite of that source, and return what came of it."""

    def run(source: str, *arguments: str, **outcomes: int) -> pytest.RunResult:
        pytester.makepyfile(test_it=HEAD + textwrap.dedent(source))
        result = pytester.runpytest_inprocess(*STRICT, *ALONE, *arguments)
        result.assert_outcomes(**(outcomes or {"passed": source.count("def test_")}))
        return result

    return run


# ---- the sandbox and the client ----


def test_a_short_test_links_an_account_and_exchanges_the_token(suite) -> None:
    suite("""
        def test_linking(merge_link_sandbox, merge_link_client):
            link = merge_link_client.create_link_token(**USER)
            public_token = merge_link_sandbox.complete_link(link.link_token, "greenhouse")
            assert len(exchange(merge_link_sandbox, public_token)) == 40
    """)


def test_code_under_test_needs_no_change(suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERGE_BASE_URL", "https://api.merge.example/api")
    monkeypatch.setenv("MERGE_API_KEY", "production_of_a_developer")
    monkeypatch.setenv("MERGE_REGION", "eu")
    suite("""
        def test_module_function(merge_link_sandbox):
            assert len(create_link_token(**USER).link_token) == 40
            assert len(merge_link_sandbox.requests) == 1

        def test_client(merge_link_sandbox):
            with merge_link.Client(region="apac") as client:
                assert client.base_url == merge_link_sandbox.base_url
                client.create_link_token(**USER)
            assert "MERGE_REGION" not in os.environ

        def test_environment_afterwards():
            names = ("BASE_URL", "API_KEY", "REGION")
            assert [os.environ[f"MERGE_{name}"] for name in names] == [
                "https://api.merge.example/api", "production_of_a_developer", "eu"]
    """)


def test_proxies_of_the_environment_do_not_stand_between(
    suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "intranet.example")
    suite("""
        def test_ours(merge_link_client):
            merge_link_client.create_link_token(**USER)

        def test_others(merge_link_sandbox):
            assert send(merge_link_sandbox, "/ats/v1/linked-accounts")["results"] == []
            assert os.environ["no_proxy"] == "intranet.example,127.0.0.1,localhost"

        def test_afterwards():
            assert os.environ["no_proxy"] == "intranet.example"
            assert "NO_PROXY" not in os.environ
    """)


@pytest.mark.parametrize(
    "order", ["monkeypatch, merge_link_sandbox", "merge_link_sandbox, monkeypatch"]
)
def test_what_a_test_patches_is_undone_with_what_the_fixture_sets(suite, order: str) -> None:
    suite(f"""
        def test_patching({order}):
            for name in ("MERGE_BASE_URL", "MERGE_API_KEY"):
                monkeypatch.setenv(name, os.environ[name] + "_of_the_test")

        def test_nothing_is_left():
            assert not [name for name in os.environ if name.startswith("MERGE_")]
    """)


def test_each_test_begins_with_an_empty_sandbox_of_the_same_server(suite) -> None:
    suite("""
        urls = []

        def test_that_leaves_traces(merge_link_sandbox, merge_link_client):
            urls.append(merge_link_sandbox.url)
            link = merge_link_client.create_link_token(**USER)
            merge_link_sandbox.complete_link(link.link_token, "greenhouse")
            merge_link_sandbox.fail(503, times=None)
            merge_link_sandbox.throttle(1)
            merge_link_sandbox.advance(hours=20)

        def test_that_sees_none(merge_link_sandbox, merge_link_client):
            assert urls == [merge_link_sandbox.url]
            assert merge_link_sandbox.requests == []
            for _ in range(3):
                token = merge_link_client.create_link_token(**USER)
            assert token.integration_name is None  # no account to link again
            assert merge_link_sandbox.complete_link(token.link_token, "greenhouse")
            assert token.response.attempts == 1
    """)


def test_the_client_is_closed_after_the_test(suite) -> None:
    suite("""
        clients = []

        def test_first(merge_link_client):
            clients.append(merge_link_client)
            assert not merge_link_client.closed

        def test_second():
            assert clients[0].closed
    """)


def test_threads_of_a_test_share_sandbox_and_client(suite) -> None:
    suite("""
        def test_threads(merge_link_sandbox, merge_link_client):
            tokens = set()

            def work():
                for _ in range(5):
                    tokens.add(merge_link_client.create_link_token(**USER).link_token)
                    tokens.add(create_link_token(**USER).link_token)

            threads = [threading.Thread(target=work) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(tokens) == len(merge_link_sandbox.requests) == 80
    """)


# ---- no test reaches production ----


def test_no_client_can_leave_this_machine(suite) -> None:
    suite("""
        at_import = elsewhere()
        of_a_region = merge_link.Client(region="eu", api_key="production_key")
        proxied = merge_link.Client(
            base_url="http://127.0.0.1:1/api", api_key="test_k", allow_http=True,
            proxy="http://proxy.example:3128", max_retries=0)

        @pytest.mark.parametrize("client, place", [
            (at_import, "base_url leads to 0.0.0.0,"),
            (of_a_region, "base_url leads to api-eu.merge.dev,"),
            (proxied, "proxy leads to proxy.example:3128,"),
        ])
        def test_a(merge_link_sandbox, client, place):
            for call in (lambda: client.create_link_token(**USER), client.warm_up):
                with pytest.raises(merge_link.ConfigurationError, match="merge_link_sandbox") as it:
                    call()
                assert str(it.value).startswith(place)
                assert "A client that is made in the test" in it.value.__notes__[0]
            assert merge_link_sandbox.requests == []

        def test_a_client_of_the_test(merge_link_sandbox):
            with pytest.raises(merge_link.ConfigurationError, match="leave this machine"):
                elsewhere().create_link_token(**USER)

        def test_the_module_function(merge_link_sandbox):
            with pytest.raises(merge_link.ConfigurationError, match="leave this machine"):
                create_link_token(**USER, base_url="https://api.merge.dev/api", api_key="test_k")

        def test_a_thread(merge_link_sandbox):
            errors = []

            def work():
                try:
                    at_import.create_link_token(**USER)
                except merge_link.ConfigurationError as error:
                    errors.append(error)

            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            assert len(errors) == 1

        def test_without_the_fixture_it_can():
            with pytest.raises(merge_link.TransportError):
                at_import.create_link_token(**USER)
    """, passed=7)  # fmt: skip


def test_it_can_after_a_failure_too(suite) -> None:
    suite(
        """
        @pytest.fixture
        def broken(merge_link_sandbox):
            raise LookupError

        def test_setup(broken):
            pass

        def test_call(merge_link_sandbox):
            assert 0

        def test_afterwards():
            assert "MERGE_BASE_URL" not in os.environ
            with pytest.raises(merge_link.TransportError):
                elsewhere().create_link_token(**USER)
        """,
        passed=1,
        failed=1,
        errors=1,
    )


def test_any_key_of_merges_form_is_accepted_unless_keys_are_strict(suite) -> None:
    suite("""
        @pytest.mark.parametrize("key", ["test_any", "production_any"])
        def test_accepted(merge_link_sandbox, key):
            create_link_token(**USER, api_key=key)

        @pytest.mark.merge_link(strict_keys=True)
        @pytest.mark.parametrize("key", ["test_any", "production_any"])
        def test_strict(merge_link_sandbox, key):
            create_link_token(**USER)
            with pytest.raises(merge_link.AuthenticationError):
                create_link_token(**USER, api_key=key)

        def test_no_key_at_all(merge_link_sandbox):
            with pytest.raises(merge_link.AuthenticationError):
                create_link_token(**USER, api_key="secret")
    """, passed=5)  # fmt: skip


# ---- the marker ----


def test_the_marker_alone_asks_for_the_sandbox(suite) -> None:
    suite("""
        seen = []

        @pytest.fixture
        def app():
            return merge_link.Client()  # an application that is made before the test

        @pytest.mark.merge_link
        def test_function(app):
            app.create_link_token(**USER)

        @pytest.mark.merge_link
        class TestClass:
            def test_method(self, app):
                app.create_link_token(**USER)

        @pytest.mark.merge_link(api_key="test_mine")
        class TestCase(unittest.TestCase):
            def setUp(self):
                self.assertEqual(os.environ["MERGE_API_KEY"], "test_mine")

            @pytest.fixture(autouse=True)
            def take_fixtures(self, merge_link_sandbox):
                self.sandbox = merge_link_sandbox

            def test_unittest(self):
                create_link_token(**USER)
                self.assertEqual(len(self.sandbox.requests), 1)
    """)


def test_one_parameter_may_be_marked(suite) -> None:
    suite(
        """
        @pytest.mark.parametrize(
            "marked", [False, pytest.param(True, marks=pytest.mark.merge_link), False]
        )
        def test_it(marked):
            assert ("MERGE_BASE_URL" in os.environ) == marked
        """,
        passed=3,
    )


def test_items_that_are_no_functions_may_be_marked(suite, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import pytest

        class Item(pytest.Item):
            def runtest(self):
                raise LookupError

        class File(pytest.File):
            def collect(self):
                item = Item.from_parent(self, name="it")
                item.add_marker("merge_link")
                yield item

        def pytest_collect_file(parent, file_path):
            if file_path.suffix == ".txt":
                return File.from_parent(parent, path=file_path)
    """)
    pytester.maketxtfile(some="text")
    suite("def test_it(): pass", passed=1, failed=1)


def test_markers_add_up_and_the_closer_one_counts(suite) -> None:
    suite("""
        pytestmark = pytest.mark.merge_link(strict_keys=True, api_key="test_of_the_module")

        def test_of_the_module(merge_link_sandbox):
            assert merge_link_sandbox.api_key == "test_of_the_module"

        @pytest.mark.merge_link(api_key="test_of_the_test")
        def test_of_the_test(merge_link_sandbox):
            assert merge_link_sandbox.api_key == "test_of_the_test"
            with pytest.raises(merge_link.AuthenticationError):
                create_link_token(**USER, api_key="test_other")
    """)


def test_one_server_for_each_distinct_set_of_options(suite) -> None:
    suite("""
        urls = []

        def test_a(merge_link_sandbox):
            urls.append(merge_link_sandbox.url)

        @pytest.mark.merge_link(strict_keys=True)
        def test_b(merge_link_sandbox):
            urls.append(merge_link_sandbox.url)

        @pytest.mark.merge_link(strict_keys=False)
        def test_c(merge_link_sandbox):
            urls.append(merge_link_sandbox.url)

        def test_d(merge_link_sandbox):
            urls.append(merge_link_sandbox.url)
            assert urls[0] == urls[2] == urls[3] != urls[1]
    """)


def test_with_tls_clients_trust_the_sandbox(suite) -> None:
    suite("""
        @pytest.mark.merge_link(tls=True)
        def test_tls(merge_link_sandbox, merge_link_client):
            assert merge_link_sandbox.url.startswith("https://")
            merge_link_client.create_link_token(**USER)
            create_link_token(**USER)
            assert len(merge_link_sandbox.requests) == 2

        def test_without(merge_link_sandbox):
            assert merge_link_sandbox.url.startswith("http://")
            assert "SSL_CERT_FILE" not in os.environ
    """)


def test_webhooks_go_where_the_marker_says(suite) -> None:
    suite("""
        @pytest.mark.merge_link(webhook_url="http://127.0.0.1:9/hook", webhook_key="of the app")
        def test_hook(merge_link_sandbox, merge_link_client):
            assert merge_link_sandbox.webhook_key == "of the app"
            token = merge_link_client.create_link_token(**USER).link_token
            merge_link_sandbox.complete_link(token, "greenhouse")
            [delivery] = merge_link_sandbox.deliveries
            assert delivery.url == "http://127.0.0.1:9/hook"

        @pytest.mark.merge_link(webhook_url="http://127.0.0.1:9/hook", webhook_key="of the app")
        def test_next(merge_link_sandbox):
            assert merge_link_sandbox.deliveries == []

        def test_without(merge_link_sandbox):
            with pytest.raises(RuntimeError, match="sends no webhooks"):
                merge_link_sandbox.webhook_key
    """)


OPTIONS = "tls, strict_keys, api_key, webhook_url, webhook_key"


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("(True)", f"takes keywords only: {OPTIONS}"),
        ("(tsl=True)", f"has no option 'tsl': did you mean tls? It has {OPTIONS}"),
        ("(port=80)", f"has no option 'port': It has {OPTIONS}"),
        ("(webhook_url='x')", "webhook_url must be an http:// or https:// URL, such as *"),
        ("(webhook_url=5)", "webhook_url must be a string that is not empty"),
        ("(webhook_key='k')", "webhook_key needs webhook_url"),
        ("(tls='yes')", "tls must be True or False"),
        ("(strict_keys=1)", "strict_keys must be True or False"),
        ("(api_key='a b')", "api_key must be visible ASCII characters without spaces"),
        ("(api_key=b'key')", "api_key must be visible ASCII characters without spaces"),
        ("(api_key=['test_k'])", "api_key must be visible ASCII characters without spaces"),
    ],
)
def test_a_wrong_marker_fails_its_test_and_says_why(suite, marker: str, message: str) -> None:
    source = f"""
        @pytest.mark.merge_link{marker}
        def test_marked():
            pass

        def test_other(merge_link_client):
            merge_link_client.create_link_token(**USER)
    """
    result = suite(source, errors=1, passed=1)
    result.stdout.fnmatch_lines(["@pytest.mark.merge_link: " + message.replace("[", "[[]")])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*During handling*")


def test_tls_without_its_package_says_what_to_install(suite, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    result = suite("@pytest.mark.merge_link(tls=True)\ndef test_tls(): pass", errors=1)
    result.stdout.fnmatch_lines(["*merge_link: Sandbox(tls=True) needs trustme: pip install*"])


def test_the_marker_and_the_fixtures_are_described(pytester: pytest.Pytester) -> None:
    pytester.runpytest_inprocess("--markers", *ALONE).stdout.fnmatch_lines(
        ["@pytest.mark.merge_link(tls=False, strict_keys=False, api_key=None, webhook_url=None*"]
    )
    pytester.runpytest_inprocess("--fixtures", *ALONE).stdout.fnmatch_lines(
        ["merge_link_sandbox -- *", "*An empty sandbox of Merge's*", "merge_link_client -- *"]
    )


# ---- what a failure shows ----

SECTION = "*- Requests to merge_link_sandbox -*"


def test_a_failure_shows_the_requests(suite) -> None:
    result = suite(
        """
        def test_that_fails(merge_link_sandbox, merge_link_client):
            link = merge_link_client.create_link_token(**USER)
            public_token = merge_link_sandbox.complete_link(link.link_token, "greenhouse")
            account_token = exchange(merge_link_sandbox, public_token)
            with open("secrets.json", "w") as file:
                json.dump([link.link_token, public_token, account_token,
                           merge_link_sandbox.api_key], file)
            merge_link_sandbox.drop("before")
            for body in ({}, {**USER, "categories": ["nope"]}):
                with pytest.raises(OSError):
                    send(merge_link_sandbox, "/ats/v1/link-token", body)
            pytest.fail("on purpose")
        """,
        failed=1,
    )
    result.stdout.fnmatch_lines(
        [
            SECTION,
            "POST /api/ats/v1/link-token -> 200 OK",
            "GET /api/ats/v1/account-token/[*][*][*] -> 200 OK",
            "POST /api/ats/v1/link-token -> connection dropped",
            "POST /api/ats/v1/link-token -> 400 Bad Request",
            '    categories.0: "nope" is not a valid choice.',
        ],
        consecutive=True,
    )
    with open("secrets.json") as file:
        for secret in json.load(file):
            assert secret not in result.stdout.str()


def test_a_failure_shows_that_nothing_was_asked(suite) -> None:
    result = suite("def test_that_fails(merge_link_sandbox): assert 0", failed=1)
    result.stdout.fnmatch_lines([SECTION, "none"], consecutive=True)


@pytest.mark.parametrize("when", ["setup", "teardown"])
def test_a_failure_before_or_after_the_test_shows_them_too(suite, when: str) -> None:
    source = f"""
        @pytest.fixture
        def broken(merge_link_client):
            if {when == "teardown"}:
                yield
            merge_link_client.create_link_token(**USER)
            raise LookupError
            yield

        def test_it(broken):
            pass
    """
    result = suite(source, errors=1, passed=int(when == "teardown"))
    result.stdout.fnmatch_lines([SECTION, "POST /api/ats/v1/link-token -> 200 OK"])


def test_a_test_that_passes_or_does_not_use_it_shows_none(suite) -> None:
    source = """
        def test_that_passes(merge_link_client):
            merge_link_client.create_link_token(**USER)

        def test_of_something_else():
            assert 0
    """
    suite(source, "-rA", passed=1, failed=1).stdout.no_fnmatch_line(SECTION)


def test_captured_output_is_hidden_with_it(suite) -> None:
    source = "def test_that_fails(merge_link_sandbox): assert 0"
    suite(source, "--show-capture=no", failed=1).stdout.no_fnmatch_line(SECTION)


# ---- longer than a test ----


def test_a_fixture_of_the_session_protects_all_tests(suite) -> None:
    suite("""
        from merge_link.pytest_plugin import point_at
        from merge_link.sandbox import Sandbox

        @pytest.fixture(scope="session", autouse=True)
        def merge():
            with Sandbox(strict_keys=False) as sandbox, point_at(sandbox):
                yield sandbox

        def test_first(merge):
            create_link_token(**USER)

        def test_inside_with_a_sandbox_of_its_own(merge, merge_link_sandbox):
            create_link_token(**USER)
            assert (len(merge.requests), len(merge_link_sandbox.requests)) == (1, 1)

        def test_it_still_holds(merge):
            create_link_token(**USER)
            assert len(merge.requests) == 2
            with pytest.raises(merge_link.ConfigurationError, match="leave this machine"):
                elsewhere().create_link_token(**USER)
    """)


def test_a_sandbox_that_does_not_serve_cannot_be_pointed_at(suite) -> None:
    suite("""
        from merge_link.pytest_plugin import point_at
        from merge_link.sandbox import Sandbox

        def test_it():
            with pytest.raises(RuntimeError, match="not started"):
                with point_at(Sandbox()):
                    pass
            assert "MERGE_BASE_URL" not in os.environ
            with pytest.raises(merge_link.TransportError):
                elsewhere().create_link_token(**USER)
    """)


# ---- in other surroundings ----


def test_each_worker_of_xdist_has_a_sandbox_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        HEAD
        + textwrap.dedent("""
            @pytest.mark.parametrize("number", range(8))
            def test_it(merge_link_sandbox, worker_id, number):
                link = create_link_token(**USER)
                assert link.integration_name is None
                assert exchange(merge_link_sandbox, merge_link_sandbox.complete_link(
                    link.link_token, "greenhouse"))
                assert len(merge_link_sandbox.requests) == 2
                with open(f"{worker_id}.url", "a") as file:
                    print(merge_link_sandbox.url, file=file)

            def test_that_fails(merge_link_sandbox):
                assert 0
        """)
    )
    arguments = (*STRICT, *ALONE[1:], "-n", "2", "--dist", "load")
    result = pytester.runpytest_subprocess(*arguments)
    result.assert_outcomes(passed=8, failed=1)
    result.stdout.fnmatch_lines([SECTION, "none"], consecutive=True)
    urls = [set(path.read_text().split()) for path in pytester.path.glob("gw*.url")]
    assert [len(own) for own in urls] == [1] * len(urls)
    assert len(set.union(*urls)) == len(urls) == 2


def test_it_can_be_left_out(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(merge_link_sandbox): pass")
    result = pytester.runpytest_inprocess("-p", "no:merge_link", *ALONE)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'merge_link_sandbox' not found"])


def modules_of_a_suite(pytester: pytest.Pytester, *arguments: str) -> set[str]:
    pytester.makepyfile("""
        import sys

        def test_it():
            with open("modules", "w") as file:
                file.write(" ".join(sys.modules))
    """)
    result = pytester.runpytest_subprocess(*STRICT, *ALONE, *arguments)
    result.assert_outcomes(passed=1)
    return set((pytester.path / "modules").read_text().split())


def test_a_suite_that_does_not_use_it_loads_one_small_module(pytester: pytest.Pytester) -> None:
    without = modules_of_a_suite(pytester, "-p", "no:merge_link")
    loaded = modules_of_a_suite(pytester)
    assert loaded - without == {"merge_link_pytest"}
    assert not [name for name in loaded if name.partition(".")[0] == "merge_link"]


def test_a_package_that_is_imported_first_is_no_warning(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(merge_link_client): pass")
    code = "import sys, merge_link, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    done = pytester.run(sys.executable, "-W", "error", "-c", code, *STRICT, *ALONE)
    done.assert_outcomes(passed=1)
