"""docs/performance.md, written from the figures and the text; as a command, without measuring."""

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from string import Template
from typing import Any

from .figures import Figures, above, middle, ratios, spread
from .goals import measured_goals
from .plan import BARE, FIRST_ON, PEERS, VENDOR

HERE = Path(__file__).parent
FIGURES = HERE / "figures.json"  # of the run that the page shows
INSTRUCTIONS = HERE / "instructions.json"
TEMPLATE = HERE / "performance.md.in"
PAGE = HERE.parent / "docs" / "performance.md"
PLOT = PAGE.with_suffix(".svg")

MIB = 1024 * 1024


def written() -> str:
    """The page that the files make."""
    results, counted = (json.loads(file.read_text()) for file in (FIGURES, INSTRUCTIONS))
    return render(TEMPLATE.read_text(), results, counted)


def render(template: str, results: dict[str, Any], counted: dict[str, Any]) -> str:
    figures: Figures = results["figures"]
    return Template(template).substitute(
        goals=_table(("what", "goal", "measured", "met"), goals_table(figures)),
        calls=_calls(figures),
        first=_first(figures),
        many=_many(figures),
        others=_others(figures),
        instructions=_instructions(counted),
        floor_requests=_share(figures, "C loop", "requests"),
        floor_vendor=_share(figures, "C loop", VENDOR),
        kernel=_share(figures, "bare socket", "C loop"),
        run=_run(results, counted),
    )


def goals_table(figures: Figures) -> list[tuple[str, str, str, str]]:
    rows = []
    for goal in measured_goals(figures):
        met = "yes" if goal.is_met(figures) else "**no**"
        rows.append((goal.what, goal.aim, goal.told(figures), met))
    return rows


def _calls(figures: Figures) -> str:
    plain, tls = figures.get("calls, plain", {}), figures.get("calls, TLS", {})
    rows = []
    for name in plain:
        cells = [name]
        for kind, there in (("calls, plain", plain), ("calls, TLS", tls)):
            if name in there:
                cells += [_micro(figures, kind, name, "cpu"), _micro(figures, kind, name, "wall")]
                cells += [_times(there[name]["cpu"], there["C loop"]["cpu"])]
            else:
                cells += ["", "", ""]
        rows.append(tuple(cells))
    return _table(("client", "plain: CPU", "wall", "× C", "TLS: CPU", "wall", "× C"), rows)


def _first(figures: Figures) -> str:
    rows = []
    for name in figures.get("first token, plain", {}):
        cells = [name]
        for kind in FIRST_ON:
            there, base = figures[kind][name], figures[kind][BARE.name]
            if name == BARE.name:
                cells += [f"({median(there['wall']) * 1e3:.1f})"]
                cells += [f"({median(there['resident']) / MIB:.1f})"]
            else:
                cells += [f"{median(above(there['wall'], base['wall'])) * 1e3:.1f}"]
                cells += [f"{median(above(there['resident'], base['resident'])) / MIB:.1f}"]
        rows.append(tuple(cells))
    return _table(("client", "plain: ms", "MiB", "TLS: ms", "MiB"), rows)


def _many(figures: Figures) -> str:
    plain, tls = figures.get("many, plain", {}), figures.get("many, TLS", {})
    rows = [
        (name, *_among_many(figures, "many, plain", name), *_among_many(figures, "many, TLS", name))
        for name in plain
        if name in tls
    ]
    if "httpx" in figures.get("many, httpx", {}):
        rows.append(("httpx", *_among_many(figures, "many, httpx", "httpx"), "", "", ""))
    return _table(("client", "plain: CPU", "× C", "tokens/s", "TLS: CPU", "× C", "tokens/s"), rows)


def _among_many(figures: Figures, measurement: str, name: str) -> tuple[str, str, str]:
    there = figures[measurement]
    return (
        _micro(figures, measurement, name, "cpu"),
        _times(there[name]["cpu"], there["C multi loop"]["cpu"]),
        f"{1 / middle(figures, measurement, name, 'wall'):,.0f}",
    )


def _others(figures: Figures) -> str:
    rows = []
    names = {
        "many, slow server": "{}, 64 at once, server takes 80 ms",
        "threads": "100 threads on {}",
        "rows": "bulk, {}",
    }
    for kind, text in names.items():
        for name in figures.get(kind, {}):
            wall = middle(figures, kind, name, "wall")
            rows.append((text.format(name), _micro(figures, kind, name, "cpu"), f"{1 / wall:,.0f}"))
    return _table(("what", "CPU", "tokens/s"), rows)


def _instructions(counted: dict[str, Any]) -> str:
    subjects = counted["instructions"]
    owners = dict.fromkeys(owner for parts in subjects.values() for owner in parts)
    rows = [
        (owner, *(f"{parts.get(owner, 0):,}" for parts in subjects.values())) for owner in owners
    ]
    rows.append(("all", *(f"{sum(parts.values()):,}" for parts in subjects.values())))
    return _table(("in", *subjects), rows)


def _run(results: dict[str, Any], counted: dict[str, Any]) -> str:
    machine = results["machine"]
    libraries = machine["libraries"]
    tls = libraries["tls"].replace("/", " ")
    peers = [f"{name} {machine['peers'][name]}" for name in PEERS if name in machine["peers"]]
    busy = ": **the machine was busy, so run it again**" if results["busy"] else ""
    return "\n".join(
        [
            f"- {machine['processor']}, {machine['cores']} cores, {machine['kernel']}",
            f"- Python {machine['Python']}, nginx {machine['nginx']}",
            f"- merge-link {libraries['merge_link']} with libcurl {libraries['libcurl']}, {tls} and"
            f" cJSON {libraries['cjson']}",
            f"- {', '.join(peers)}",
            f"- Rounds: {results['rounds']}. Load average before: {machine['load']:.1f}{busy}",
            f"- Instructions: {counted['compiler']}, Python {counted['python']}",
        ]
    )


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join([_row(heads), "|" + "---|" * len(heads), *map(_row, rows)])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _share(figures: Figures, name: str, other: str) -> str:
    rows = figures["calls, plain"]
    return f"1/{1 / spread(ratios(rows[name]['cpu'], rows[other]['cpu'])).middle:.1f}"


def _micro(figures: Figures, measurement: str, name: str, what: str) -> str:
    number = middle(figures, measurement, name, what) * 1e6
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}"


def _times(numbers: list[float], others: list[float]) -> str:
    number = spread(ratios(numbers, others)).middle
    return f"{number:.2f}" if number < 10 else f"{number:.1f}"


if __name__ == "__main__":
    PAGE.write_text(written())
