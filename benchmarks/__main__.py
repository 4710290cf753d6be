"""The command: measures all of the plan, prints the goals, and writes the page.

python -m benchmarks --python PEERS/bin/python --programs build/benchmarks [--rounds 10]
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from . import goals, machine, page, rounds, servers
from .plan import PEERS
from .processes import Place

ROOT = Path(__file__).parent.parent
FIGURES = Path(__file__).parent / "figures.json"
INSTRUCTIONS = Path(__file__).parent / "instructions.json"
REMARKS = Path(__file__).parent / "remarks.md"
SAY_USER_AGENT = "import merge_link; print(merge_link.Client(api_key='test_k').user_agent)"


def main() -> None:
    arguments = parse_arguments()
    cores = machine.cores()
    place = Place(
        sys.executable,
        arguments.programs,
        cores.client,
        user_agent=subprocess.run(
            [sys.executable, "-P", "-c", SAY_USER_AGENT], capture_output=True, text=True, check=True
        ).stdout.strip(),
    )
    try:
        described = machine.describe(sys.executable, ["merge-link", *PEERS], servers.version())
        with servers.serving(cores.server) as serving:
            found = rounds.run(place, serving, arguments.extent, rounds.report_to_stderr)
    except servers.Missing as missing:
        sys.exit(f"benchmarks: {missing}")
    results = {
        "machine": described,
        "busy": described["load"] > machine.BUSY,
        "rounds": arguments.extent.rounds,
        "figures": rounded(found),
    }
    show(results)
    if arguments.write:
        write(results)
        print("\nWritten: docs/performance.md, docs/performance.svg, benchmarks/figures.json")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure merge-link.")
    parser.add_argument("--programs", type=Path, required=True, help="where the C programs are")
    parser.add_argument("--rounds", type=int, default=10, help="how often all is measured")
    parser.add_argument("--quick", action="store_true", help="three short rounds, no page")
    arguments = parser.parse_args()
    arguments.write = not arguments.quick
    arguments.extent = rounds.Extent(arguments.rounds)
    if arguments.quick:
        arguments.extent = rounds.Extent(3, share=0.2, slices=1)
    return arguments


def rounded(figures: Any) -> Any:
    """Five digits: no clock says more."""
    if isinstance(figures, dict):
        return {name: rounded(each) for name, each in figures.items()}
    if isinstance(figures, list):
        return [rounded(each) for each in figures]
    return float(f"{figures:.5g}")


def show(results: dict[str, Any]) -> None:
    rows = [("what", "goal", "measured", "met"), *page.goals_table(results["figures"])]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if results["busy"]:
        print(f"\nThe machine was busy (load average {results['machine']['load']:.1f}): run it again.")


def write(results: dict[str, Any]) -> None:
    from . import plot

    FIGURES.write_text(json.dumps(results, indent=None, separators=(",", ":")) + "\n")
    plot.draw(results["figures"], ROOT / "docs" / "performance.svg")
    write_page()


def write_page() -> None:
    """From the files alone, so that a test can do the same."""
    (ROOT / "docs" / "performance.md").write_text(page_text())


def page_text() -> str:
    counted = json.loads(INSTRUCTIONS.read_text()) if INSTRUCTIONS.exists() else None
    remarks = REMARKS.read_text() if REMARKS.exists() else ""
    return page.render(json.loads(FIGURES.read_text()), counted, remarks)


assert goals.GOALS

if __name__ == "__main__":
    main()
