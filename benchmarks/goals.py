"""What is to be reached, and whether it is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .figures import Figures, Spread, above, ratios, spread
from .plan import BARE, OURS, VENDOR

SLOW_RATE = 64 / 0.080  # tokens a second, 64 at once, from a server that takes 80 ms
MB = 1e6
# Times of the same work differ by as much between two runs: "no slower", "as at".
NOISE = 1.05

Measure = Callable[[Figures], list[float]]


@dataclass(frozen=True)
class Goal:
    """A row of the table: a number for each slice, and what their median must be."""

    what: str
    limit: float
    measure: Measure
    of: str  # what the number is: "" for a number of its own, else what it is a multiple of
    at_least: bool = False
    unit: str = ""  # " MB", "%"

    @property
    def aim(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {self._shown(self.limit)}"

    def measured(self, figures: Figures) -> Spread:
        return spread(self.measure(figures))

    def told(self, figures: Figures) -> str:
        """The median, and the quartiles on both sides."""
        found = self.measured(figures)
        ends = [self._number(found.low), self._number(found.high)]
        if self._is_part:
            ends.reverse()
        return f"{self._shown(found.middle)} ({' to '.join(ends)})"

    def is_met(self, figures: Figures) -> bool:
        middle = self.measured(figures).middle
        return middle >= self.limit if self.at_least else middle <= self.limit

    @property
    def _is_part(self) -> bool:
        """Shown as 1/20 of what it is compared with."""
        return bool(self.of) and self.limit < 1

    def _number(self, number: float) -> str:
        if self._is_part:
            return f"1/{1 / number:.1f}" if number > 0 else "0"
        return f"{number:.1f}{self.unit}" if self.unit else f"{number:.2f}"

    def _shown(self, number: float) -> str:
        if not self.of:
            return self._number(number)
        part = f"1/{1 / number:.3g}" if self._is_part and number > 0 else f"{number:.2f} ×"
        return f"{part} {self.of}"


def _compare(measurement: str, subject: str, other: str, what: str = "cpu") -> Measure:
    def measure(figures: Figures) -> list[float]:
        rows = figures[measurement]
        return ratios(rows[subject][what], rows[other][what])

    return measure


def _compare_first(measurement: str, other: str, what: str) -> Measure:
    """Both above the bare interpreter."""

    def measure(figures: Figures) -> list[float]:
        rows = figures[measurement]
        base = rows[BARE.name][what]
        return ratios(above(rows[OURS][what], base), above(rows[other][what], base))

    return measure


def _slow_rate(figures: Figures) -> list[float]:
    walls = figures["many, slow server"]["merge-link, bulk"]["wall"]
    return [100 / wall / SLOW_RATE for wall in walls]


def _growth(figures: Figures) -> list[float]:
    return [growth / MB for growth in figures["rows"]["100,000 rows"]["growth"]]


def _goals() -> Iterator[Goal]:
    for kind in ("plain", "TLS"):
        name, calls = f"warm call, {kind}, CPU", f"calls, {kind}"
        yield Goal(name, 1.15, _compare(calls, OURS, "C loop"), "the C loop")
        yield Goal(name, 1 / 15, _compare(calls, OURS, "requests"), "requests")
        yield Goal(name, 1 / 25, _compare(calls, OURS, VENDOR), VENDOR)
    for kind in ("plain", "TLS"):
        name, first = f"from interpreter start to first token, {kind}", f"first token, {kind}"
        yield Goal(name, 1 / 8, _compare_first(first, VENDOR, "wall"), VENDOR)
        yield Goal(name, 1 / 4, _compare_first(first, "requests", "wall"), "requests")
    for kind in ("plain", "TLS"):
        name, first = f"resident memory after the first token, {kind}", f"first token, {kind}"
        yield Goal(name, 1 / 3, _compare_first(first, VENDOR, "resident"), VENDOR)
    bulk, awaits, many = "merge-link, bulk", "merge-link, async", "many, plain"
    name = "bulk, 64 at once, CPU per token"
    yield Goal(name, 1.5, _compare(many, bulk, "C multi loop"), "the C multi loop")
    name = "async, 1,000 awaits at once, CPU per token"
    yield Goal(name, 2.5, _compare(many, awaits, "C multi loop"), "the C multi loop")
    yield Goal(name, 1 / 2, _compare(many, awaits, "aiohttp"), "aiohttp")
    yield Goal(name, 1 / 10, _compare("many, httpx", awaits, "httpx"), "httpx")
    name = "bulk, 64 at once, server takes 80 ms, of 800 tokens/s"
    yield Goal(name, 95.0, _slow_rate, "", at_least=True, unit="%")
    name = "100 threads on one client, wall time"
    yield Goal(name, NOISE, _compare("threads", "one client", "100 clients", "wall"), "100 clients")
    yield Goal("100,000 rows in bulk, growth of resident memory", 20.0, _growth, "", unit=" MB")
    name = "100,000 rows in bulk, CPU per token"
    yield Goal(name, NOISE, _compare("rows", "100,000 rows", "1,000 rows"), "1,000 rows'")


GOALS = tuple(_goals())


def measured_goals(figures: Figures) -> list[Goal]:
    """Those of which all figures are there."""

    def is_there(goal: Goal) -> bool:
        try:
            return bool(goal.measure(figures))
        except KeyError:
            return False

    return [goal for goal in GOALS if is_there(goal)]
