"""docs/performance.md, written from the figures."""

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from .figures import Figures, above, middle, ratios, spread
from .goals import measured_goals
from .plan import BARE, FIRST_ON, PEERS

HERE = Path(__file__).parent
FIGURES = HERE / "figures.json"  # of the run that the page shows
INSTRUCTIONS = HERE / "instructions.json"
REMARKS = HERE / "remarks.md"  # what people add to it
PAGE = HERE.parent / "docs" / "performance.md"
PLOT = PAGE.with_suffix(".svg")

MIB = 1024 * 1024

INTRODUCTION = """\
# Performance

What `create_link_token` costs, against what people use now and against what libcurl and cJSON cost without anything
else. `make bench` measures it and writes this page, `performance.svg` and `benchmarks/figures.json`, in ten to fifteen
minutes; `make bench QUICK=1` takes two, prints the same table and leaves the page alone.

![CPU time of a call, time to the first token, memory and CPU time among many, for each client](performance.svg)
"""

METHOD = """\
## How it is measured

- The server is nginx with a fixed answer, one worker on one core; the client has another core to itself. Over TLS it has a
  made-up certificate, and every client trusts its one root alone. The slow server is the same nginx, which waits 80 ms.
- Each client is a process of its own that is connected and warm before anything counts. In each round there is a new
  process of each; they take turns, slice by slice, a quarter of a second each.
- CPU time is that of the whole client process, user and system, of all its threads. Times without "CPU" are wall time.
- Ratios are taken between slices of the same turn. Shown is the median; in brackets the quartiles.
- All do the same: a body made anew for each call, the answer checked and parsed, the token taken from it. The peers are
  used as their documentation says, with a session or client that is kept.
- The limits are C: `c_loop.c` keeps one easy handle of libcurl, `c_multi.c` 64 of them in one multi handle driven by epoll.
  Both send what merge-link sends, make each body and read each answer with cJSON, and do nothing else. `socket_loop.c`
  sends the same bytes, made once, over a bare socket.
- merge-link and the limits use the system's libcurl; pycurl and curl_cffi bring their own.
"""


def written() -> str:
    """The page that the files make."""
    results, counted = (json.loads(file.read_text()) for file in (FIGURES, INSTRUCTIONS))
    return render(results, counted, REMARKS.read_text())


def render(results: dict[str, Any], instructions: dict[str, Any], remarks: str) -> str:
    figures: Figures = results["figures"]
    parts = [
        INTRODUCTION,
        _goals(figures),
        _calls(figures),
        _first(figures),
        _many(figures),
        _others(figures),
        _instructions(instructions),
        remarks,
        METHOD,
        _machine(results),
    ]
    return "\n".join(part for part in parts if part)


def goals_table(figures: Figures) -> list[tuple[str, str, str, str]]:
    rows = []
    for goal in measured_goals(figures):
        met = "yes" if goal.is_met(figures) else "**no**"
        rows.append((goal.what, goal.aim, goal.told(figures), met))
    return rows


def _goals(figures: Figures) -> str:
    return _section(
        "Goals",
        "The share of a peer is shown as one part of it: 1/20 is a twentieth.",
        ("what", "goal", "measured", "met"),
        goals_table(figures),
    )


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
    return _section(
        "One call after the other",
        "Microseconds for a call over a kept connection, and CPU time as a multiple of the C loop's.",
        ("client", "plain: CPU", "wall", "× C", "TLS: CPU", "wall", "× C"),
        rows,
    )


def _first(figures: Figures) -> str:
    rows = []
    for name in figures.get("first token, plain", {}):
        cells = [name]
        for kind in FIRST_ON:
            there, base = figures[kind][name], figures[kind][BARE.name]
            if name == BARE.name:
                cells += [f"({median(there['wall']) * 1e3:.1f})", f"({median(there['resident']) / MIB:.1f})"]
            else:
                cells += [f"{median(above(there['wall'], base['wall'])) * 1e3:.1f}"]
                cells += [f"{median(above(there['resident'], base['resident'])) / MIB:.1f}"]
        rows.append(tuple(cells))
    return _section(
        "The first token",
        "From the start of the interpreter to the first token, and the resident memory of the process then: each above"
        "\nthe bare interpreter, whose own figures are in brackets.",
        ("client", "plain: ms", "MiB", "TLS: ms", "MiB"),
        rows,
    )


def _many(figures: Figures) -> str:
    plain, tls = figures.get("many, plain", {}), figures.get("many, TLS", {})
    rows = []
    for name in plain:
        cells = [name]
        for kind, there in (("many, plain", plain), ("many, TLS", tls)):
            cells += [_micro(figures, kind, name, "cpu")]
            cells += [_times(there[name]["cpu"], there["C multi loop"]["cpu"])]
            cells += [f"{1 / middle(figures, kind, name, 'wall'):,.0f}"]
        rows.append(tuple(cells))
    if len(rows) < 2:
        return ""
    return _section(
        "Many at once",
        "Microseconds of CPU time for a token, and tokens a second: 64 at once in bulk and in the C loop, 1,000 awaits at"
        "\nonce, over at most 100 connections.",
        ("client", "plain: CPU", "× C", "tokens/s", "TLS: CPU", "× C", "tokens/s"),
        rows,
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
    return _section(
        "A slow server, threads, many rows",
        "",
        ("what", "CPU, µs for a token", "tokens/s"),
        rows,
    )


def _instructions(counted: dict[str, Any]) -> str:
    subjects = counted["instructions"]
    owners = dict.fromkeys(owner for parts in subjects.values() for owner in parts)
    rows = [(owner, *(f"{parts.get(owner, 0):,}" for parts in subjects.values())) for owner in owners]
    rows.append(("all", *(f"{sum(parts.values()):,}" for parts in subjects.values())))
    return _section(
        "Instructions of one warm call",
        f"Outside the kernel, plain, as callgrind counts them ({counted['compiler']}, Python {counted['python']}): the same"
        "\nat each run, but for a hundredth. `make instructions` counts, and `make thorough` fails when our own code has"
        "\ngrown by more than a tenth.",
        ("in", *subjects),
        rows,
    )


def _machine(results: dict[str, Any]) -> str:
    machine = results["machine"]
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    peers = ", ".join(f"{name} {machine['peers'][name]}" for name in PEERS if name in machine["peers"])
    lines = [
        "## The run",
        "",
        f"- {machine['processor']}, {machine['cores']} cores, {machine['kernel']}",
        f"- Python {machine['Python']}, nginx {machine['nginx']}",
        f"- merge-link {machine['merge-link']} with {libraries}",
        f"- {peers}",
        f"- {results['rounds']} rounds; the load average before was {machine['load']:.1f}"
        + (": **the machine was busy**, so run it again" if results["busy"] else ""),
    ]
    return "\n".join(lines) + "\n"


def _section(
    title: str, text: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]
) -> str:
    rows = list(rows)
    if not rows:
        return ""
    lines = [f"## {title}", ""]
    if text:
        lines += [text, ""]
    lines += [_row(heads), "|" + "---|" * len(heads), *map(_row, rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _micro(figures: Figures, measurement: str, name: str, what: str) -> str:
    number = middle(figures, measurement, name, what) * 1e6
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}"


def _times(numbers: list[float], others: list[float]) -> str:
    number = spread(ratios(numbers, others)).middle
    return f"{number:.2f}" if number < 10 else f"{number:.1f}"
