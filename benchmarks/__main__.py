"""The command: measures all of the plan, prints the goals, and writes the page.

    python -m benchmarks --programs build/benchmarks [--wheel PYTHON] [--rounds 10] [--quick]

The Python must be one that has merge-link and the peers.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from . import machine, page, rounds, servers
from .plan import PEERS
from .processes import Place, user_agent


def main() -> None:
    arguments = parse_arguments()
    cores = machine.cores()
    python = sys.executable
    place = Place(
        python, arguments.programs, cores.client, user_agent(python), wheel=arguments.wheel
    )
    try:
        described = machine.describe(python, list(PEERS), servers.version())
        with servers.serving(cores.server) as serving:
            if "slow" not in serving:
                raise servers.Missing(
                    "nginx's echo module is missing: make system-bench installs it"
                )
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
    parser.add_argument("--wheel", help="the Python that has merge-link's wheel")
    parser.add_argument("--rounds", type=int, default=10, help="how often all is measured")
    parser.add_argument("--quick", action="store_true", help="three short rounds, no page")
    arguments = parser.parse_args()
    arguments.write = not arguments.quick
    arguments.extent = rounds.Extent(arguments.rounds)
    if arguments.quick:
        arguments.extent = rounds.Extent(3, slices=1)
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
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    if results["busy"]:
        print(
            f"\nThe machine was busy (load average {results['machine']['load']:.1f}): run it again."
        )


def write(results: dict[str, Any]) -> None:
    from . import plot

    page.FIGURES.write_text(json.dumps(results, separators=(",", ":")) + "\n")
    plot.draw(results["figures"], page.PLOT)
    page.PAGE.write_text(page.written())


if __name__ == "__main__":
    main()
