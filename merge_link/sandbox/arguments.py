"""Checks of what a person asks of the sandbox; each names the argument and what it may be."""

import math
from collections.abc import Collection
from typing import Any

MOST_SECONDS = 10 * 365 * 24 * 3600.0


def check_count(name: str, value: Any) -> int:
    """A positive integer. Raises `ValueError`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a positive integer")
    return value


def check_seconds(name: str, value: Any, most: float = MOST_SECONDS) -> float:
    """A number that is not negative, of ten years at most. Raises `ValueError`."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{name} must be a number")
    if not math.isfinite(value) or not 0 <= value <= most:
        raise ValueError(f"{name} must be from 0 to {most:.0f}")
    return float(value)


def check_text(name: str, value: Any) -> str:
    """A string that is not empty. Raises `ValueError`, which does not quote it."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} must be a string that is not empty")
    return value


def check_choice(name: str, value: Any, choices: Collection[str]) -> str:
    """One of some strings. Raises `ValueError`."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}")
    return value


def check_api_key(value: Any) -> str:
    """A key that a header can carry. Raises `ValueError`, which does not quote it."""
    if not isinstance(value, str) or not value or not all("!" <= c <= "~" for c in value):
        raise ValueError("api_key must be visible ASCII characters without spaces")
    return value
