"""What was measured, and what can be said of it.

``figures[measurement][subject][what]`` is a list with one number for each slice. The slices of a
measurement are interleaved: the subjects' numbers at one place of their lists were measured one
right after the other, so ratios are taken place by place, and then their median.
"""

from dataclasses import dataclass
from statistics import median, quantiles
from typing import TypeAlias

Figures: TypeAlias = dict[str, dict[str, dict[str, list[float]]]]


@dataclass(frozen=True)
class Spread:
    """The median of some numbers, and the quartiles on both sides."""

    middle: float
    low: float
    high: float


def spread(numbers: list[float]) -> Spread:
    if len(numbers) < 2:
        return Spread(numbers[0], numbers[0], numbers[0])
    low, middle, high = quantiles(numbers, n=4, method="inclusive")
    return Spread(middle, low, high)


def middle(figures: Figures, measurement: str, subject: str, what: str) -> float:
    return median(figures[measurement][subject][what])


def above(numbers: list[float], base: list[float]) -> list[float]:
    return [number - least for number, least in zip(numbers, base, strict=True)]


def ratios(numbers: list[float], others: list[float]) -> list[float]:
    return [number / other for number, other in zip(numbers, others, strict=True)]
