"""The benchmarks run, each in its smallest size, and their page says what was measured."""

import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def benchmarks() -> Iterator[Any]:
    """The package beside the tests; the rest of the checkout stays out of reach."""
    spec = importlib.util.spec_from_file_location("benchmarks", ROOT / "benchmarks/__init__.py")
    assert spec is not None
    assert spec.loader is not None
    package = sys.modules["benchmarks"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    names = ["goals", "page", "plan", "processes", "rounds", "servers", "instructions", "figures"]
    yield SimpleNamespace(**{name: importlib.import_module(f"benchmarks.{name}") for name in names})
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def place(benchmarks: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if "MERGE_LINK_TEST_ASAN" in os.environ:
        pytest.skip("what is measured has an environment without the sanitizers")
    if shutil.which("make") is None:
        pytest.skip("needs make")
    programs = tmp_path_factory.mktemp("programs")
    subprocess.run(["make", "-s", "-C", ROOT, "limits", f"LIMITS={programs}"], check=True)
    python = sys.executable
    user_agent = benchmarks.processes.user_agent(python)
    return benchmarks.processes.Place(python, programs, None, user_agent, wheel=python)


@pytest.fixture(scope="module")
def serving(benchmarks: Any) -> Iterator[Any]:
    try:
        benchmarks.servers.program()
    except benchmarks.servers.Missing as missing:
        pytest.skip(str(missing))
    with benchmarks.servers.serving(None) as servers:
        yield servers


def test_each_measurement_runs_and_gives_the_table(
    benchmarks: Any, place: Any, serving: Any
) -> None:
    extent = benchmarks.rounds.Extent(rounds=1, share=0.0, slices=1)
    figures = benchmarks.rounds.run(place, serving, extent)
    plan = benchmarks.plan
    for measurement in (
        *(each for each in plan.MEASUREMENTS if each.server in serving),
        SimpleNamespace(name="first token, TLS", server="tls", subjects=plan.FIRST),
    ):
        here = benchmarks.rounds.present(place, measurement.subjects)
        assert list(figures[measurement.name]) == [subject.name for subject in here]
        for told in figures[measurement.name].values():
            assert all(
                len(numbers) == 1 and numbers[0] > 0 for numbers in (told["cpu"], told["wall"])
            )
    goals = benchmarks.goals
    assert goals.measured_goals(figures)
    assert len(benchmarks.page.goals_table(figures)) == len(goals.measured_goals(figures))


def test_a_client_that_gets_no_token_ends_the_run(
    benchmarks: Any, place: Any, serving: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    nowhere = benchmarks.servers.Server(serving["plain"].base_url + "/nowhere", None)
    for subject in benchmarks.rounds.present(place, benchmarks.plan.CALLS):
        with pytest.raises(SystemExit, match="did not get ready"):
            benchmarks.processes.Worker(place, subject, nowhere, warm_up=1)
    assert "test_kkk" not in capfd.readouterr().err


# ---- what is made of the figures ----


def figures_of(benchmarks: Any, ours: float, others: float) -> Any:
    """Each subject of the plan took so many seconds, and so many bytes."""
    plan = benchmarks.plan
    figures: dict[str, Any] = {}
    for name, subjects in [
        *((each.name, each.subjects) for each in plan.MEASUREMENTS),
        *((name, plan.FIRST) for name in plan.FIRST_ON),
    ]:
        for subject in subjects:
            is_ours = subject.script.startswith("merge_link")
            number = 0.0 if subject is plan.BARE else ours if is_ours else others
            told = {what: [number] * 2 for what in ("cpu", "wall", "resident", "growth")}
            figures.setdefault(name, {})[subject.name] = told
    return figures


def test_every_goal_has_a_row_and_can_be_met_and_missed(benchmarks: Any) -> None:
    table = benchmarks.page.goals_table
    cheap = table(figures_of(benchmarks, 1e-6, 1.0))
    dear = table(figures_of(benchmarks, 1e9, 1.0))
    assert len(cheap) == len(dear) == len(benchmarks.goals.GOALS)
    assert {row[3] for row in cheap} == {"yes"}
    alike = ("100 threads", "100,000 rows in bulk, CPU")  # ours against ours
    assert {row[3] for row in dear if not row[0].startswith(alike)} == {"**no**"}


def test_a_ratio_is_the_median_over_pairs(benchmarks: Any) -> None:
    """Of slices that ran side by side: that the machine slowed down for some is no matter."""
    figures = figures_of(benchmarks, 1.0, 1.0)
    calls = figures["calls, plain"]
    calls["merge-link"] = {"cpu": [1.1, 110.0, 12.0]}
    calls["C loop"] = {"cpu": [1.0, 100.0, 10.0]}
    goal = benchmarks.goals.GOALS[0]
    assert goal.aim == "≤ 1.15 × the C loop"
    assert goal.told(figures) == "1.10 × the C loop (1.10 to 1.15)"
    assert goal.is_met(figures)


def test_a_share_is_shown_as_one_part_and_time_counts_above_the_bare_interpreter(
    benchmarks: Any,
) -> None:
    figures = figures_of(benchmarks, 1.0, 1.0)
    first = figures["first token, plain"]
    first["bare interpreter"] = {"wall": [1.0]}
    first["merge-link"] = {"wall": [2.0]}
    first["MergePythonClient"] = {"wall": [21.0]}
    goal = next(each for each in benchmarks.goals.GOALS if "first token, plain" in each.what)
    assert goal.aim == "≤ 1/8 MergePythonClient"
    assert goal.told(figures) == "1/20 MergePythonClient (1/20.0 to 1/20.0)"


def test_instructions_are_summed_by_owner_without_what_was_called(benchmarks: Any) -> None:
    written = """\
events: Ir
ob=(1) /usr/lib/libc.so.6
fn=(1) memcpy
10 5
ob=(2) /x/merge_link/_core.abi3.so
fn=(2) call
+1 7
cob=(3) /usr/lib/libcurl.so.4.8.0
calls=1 20
* 1000
* 2
ob=(3)
20 40
ob=(1)
-3 6
"""
    counted = benchmarks.instructions.by_owner(written)
    assert counted == {"C library and others": 11, "its own code": 9, "libcurl": 40}


@pytest.mark.parametrize(("own", "is_too_many"), [(900, False), (1100, False), (1101, True)])
def test_more_than_a_tenth_more_instructions_of_our_own_is_too_many(
    benchmarks: Any, own: int, is_too_many: bool
) -> None:
    known = {"compiler": "cc 1.2.3", "instructions": {"merge-link": {"its own code": 1000}}}
    counted = {"merge-link": {"its own code": own, "libcurl": 10_000_000}}
    complaint = benchmarks.instructions.growth(counted, known)
    assert (complaint is not None) == is_too_many
    assert not is_too_many or "1,101 of our own" in complaint


# ---- the page ----


def test_the_page_is_what_its_figures_say(benchmarks: Any) -> None:
    page = benchmarks.page
    assert page.PAGE.read_text(encoding="utf-8") == page.written(), "make bench writes it"


def test_the_page_names_no_machine_but_what_matters(benchmarks: Any) -> None:
    results = json.loads(benchmarks.page.FIGURES.read_text(encoding="utf-8"))
    assert set(results["machine"]) == {
        *("processor", "cores", "kernel", "load", "nginx", "Python", "libraries", "peers")
    }
    assert f"]({benchmarks.page.PLOT.name})" in benchmarks.page.PAGE.read_text(encoding="utf-8")
    assert benchmarks.page.PLOT.is_file()


def test_every_peer_is_pinned() -> None:
    """A ratio to an unknown version says nothing."""
    listed = subprocess.run(
        [sys.executable, ROOT / "scripts/dependency-group", "bench"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert listed
    assert all("==" in requirement for requirement in listed)
