"""Telling of attempts: the logger ``merge_link`` and the client option ``on_attempt``.

Called from the C core round each attempt, and only when somebody listens. No line holds a key, a
token or a path value other than the category.
"""

from __future__ import annotations

import sys

from merge_link.records import Record, derived
from merge_link.response import Timing, no_timing, timing_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _none(facts: object = None) -> None:
    return None


class Attempt(Record):
    """One request that was sent, as ``on_attempt`` gets it when it is over.

    ``url`` is what it was sent to; values in it other than the category are left out. ``path`` is
    its part after the base URL.
    ``number`` counts from 1. ``status_code`` is None when no whole answer came; then ``code`` is
    libcurl's name of the failure. ``seconds`` is what the attempt took; ``retry_in`` is the time in
    seconds until the next one, None when there is none.

    ``timing`` says when each step was done, as far as it came. ``server_time`` is the server's
    clock, by the Date of its answer, in seconds since the epoch; None when there is none.
    """

    method: str
    host: str
    path: str
    url: str
    number: int
    status_code: int | None
    code: str
    seconds: float
    retry_in: float | None
    timing: Timing = derived(compute=_none, default_factory=no_timing)
    server_time: float | None = derived(compute=_none, default_factory=_none)


def begins(*, method: str, url: str, number: int) -> None:
    """Log that an attempt begins."""
    from logging import getLogger

    getLogger("merge_link").debug("%s %s attempt %d", method, url, number)


def ends(
    hook: Callable[[Attempt], object] | None, /, *, timing: tuple[float, ...], **facts: Any
) -> None:
    """Log that an attempt is over, and tell the hook; what it raises is logged and forgotten."""
    attempt = Attempt(**facts, timing=timing_of(timing))
    # A retry is worth a warning even where nobody has set up logging.
    if attempt.retry_in is not None or "logging" in sys.modules:
        _log(attempt)
    if hook is None:
        return
    try:
        hook(attempt)
    except Exception:
        from logging import getLogger

        getLogger("merge_link").exception("on_attempt raised")


def _log(attempt: Attempt) -> None:
    from logging import getLogger

    logger = getLogger("merge_link")
    outcome = attempt.code if attempt.status_code is None else attempt.status_code
    said = (attempt.method, attempt.url, attempt.number, outcome)
    logger.debug("%s %s attempt %d: %s after %.1f ms", *said, attempt.seconds * 1000)
    if attempt.retry_in is not None:
        logger.warning("%s %s attempt %d: %s, again in %.2f s", *said, attempt.retry_in)
