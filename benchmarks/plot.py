"""docs/performance.svg: the same figures as the page's tables, on logarithmic axes."""

from collections.abc import Callable
from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from .figures import Figures, above
from .plan import BARE

STYLE = {"svg.hashsalt": "merge-link", "font.size": 9, "font.family": "DejaVu Sans"}
OURS, OTHERS, LIMIT = "#0b7285", "#5c636a", "#212529"
Number = Callable[[Figures, str, str], float]


def _cpu(figures: Figures, measurement: str, subject: str) -> float:
    return median(figures[measurement][subject]["cpu"]) * 1e6


def _above(what: str, unit: float) -> Number:
    def number(figures: Figures, measurement: str, subject: str) -> float:
        rows = figures[measurement]
        return median(above(rows[subject][what], rows[BARE.name][what])) / unit

    return number


PANELS = (
    ("CPU time of a call, µs", "calls, plain", "calls, TLS", _cpu),
    ("CPU time of a token among many, µs", "many, plain", "many, TLS", _cpu),
    (
        "From start to first token, ms",
        "first token, plain",
        "first token, TLS",
        _above("wall", 1e-3),
    ),
    ("Resident memory, MiB", "first token, plain", "first token, TLS", _above("resident", 2**20)),
)


def draw(figures: Figures, into: Path) -> None:
    mpl.use("svg")
    mpl.rcParams.update(STYLE)
    # It is measured apart, because it takes so long.
    many = {**figures["many, plain"], "httpx": figures["many, httpx"]["httpx"]}
    figures = {**figures, "many, plain": many}
    shown, panels = plt.subplots(2, 2, figsize=(9.6, 6.0), layout="constrained")
    for axes, (title, plain, tls, number) in zip(panels.flat, PANELS, strict=True):
        _panel(axes, figures, plain, tls, number)
        axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
    handles = [
        plt.Line2D([], [], marker="o", color=OTHERS, linestyle="", label="plain"),
        plt.Line2D([], [], marker="o", color=OTHERS, linestyle="", label="TLS", fillstyle="none"),
    ]
    shown.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    shown.savefig(into, metadata={"Date": None}, facecolor="white")
    plt.close(shown)


def _panel(axes: Axes, figures: Figures, plain: str, tls: str, number: Number) -> None:
    names = [name for name in figures[plain] if name != BARE.name]
    for place, name in enumerate(names):
        colour = _colour(name)
        ends = [
            number(figures, kind, name) for kind in (plain, tls) if name in figures.get(kind, {})
        ]
        axes.plot(ends, [place] * len(ends), color=colour, linewidth=1.0, alpha=0.5)
        axes.plot(ends[:1], [place], "o", color=colour)
        axes.plot(ends[1:], [place] * len(ends[1:]), "o", color=colour, markerfacecolor="white")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:,g}"))
    axes.set_yticks(range(len(names)), names)
    for label, name in zip(axes.get_yticklabels(), names, strict=True):
        label.set_color(_colour(name))
        label.set_fontweight("bold" if _colour(name) == OURS else "normal")
    axes.invert_yaxis()
    axes.grid(axis="x", which="both", linewidth=0.4, alpha=0.5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _colour(name: str) -> str:
    if name.startswith("merge-link"):
        return OURS
    return LIMIT if name.startswith("C ") or name == "bare socket" else OTHERS
