"""One harmless request, and how far it came."""

import time
from dataclasses import dataclass
from typing import Any

from merge_link import Attempt, Client, errors

TIMEOUT = 10.0
"""Seconds for the request, unless a flag says otherwise."""

_STEPS = {
    "name_lookup": "Name lookup",
    "connect": "Connect",
    "tls": "TLS handshake",
    "first_byte": "First byte",
}


@dataclass(frozen=True)
class Answer:
    """What came of the request: ``attempt`` is None when nothing was sent.

    ``clock_ahead`` says by how many seconds the server's clock is ahead of this machine's, None
    when it did not say. ``has_key`` says whether a key went with it.
    """

    attempt: Attempt | None = None
    clock_ahead: float | None = None
    error: errors.MergeLinkError | None = None
    has_key: bool = False

    @property
    def status_code(self) -> int | None:
        """The status; None when no whole answer came."""
        return self.attempt.status_code if self.attempt else None

    @property
    def is_good(self) -> bool:
        """Whether this is what is to be expected: without a key, that is a 401."""
        return self.error is None or (not self.has_key and self.status_code == 401)

    @property
    def milliseconds(self) -> dict[str, float]:
        """How long each step took that was needed and done."""
        timing = self.attempt.timing if self.attempt else None
        took: dict[str, float] = {}
        before = 0.0
        for step in _STEPS:
            if done := getattr(timing, step, 0.0):
                took[step] = round((done - before) * 1000, 1)
                before = done
        return took

    @property
    def accepts_key(self) -> bool | None:
        """Whether the server takes the key; None: there is none, or the answer does not say."""
        if not self.has_key or self.status_code is None:
            return None
        if self.error is None:
            return True
        return False if self.status_code == 401 else None

    @property
    def facts(self) -> dict[str, Any]:
        """All of it, for JSON."""
        error = None
        if not self.is_good:
            code = getattr(self.error, "code", "")
            error = {
                "type": type(self.error).__name__,
                "code": code,
                "message": str(self.error).partition("\n")[0],
            }
        return {
            "reached": self.status_code is not None,
            "status_code": self.status_code,
            "key_accepted": self.accepts_key,
            "milliseconds": self.milliseconds,
            "server_clock_ahead_seconds": self.clock_ahead,
            "error": error,
        }

    @property
    def lines(self) -> dict[str, str | None]:
        """All of it, for a person."""
        steps = {_STEPS[step]: f"{time:.0f} ms" for step, time in self.milliseconds.items()}
        if self.status_code is None:
            return {**steps, "Reached": "no"}
        words = {True: ", the key is good", False: ", the key is refused", None: ""}
        answer = f"{self.status_code}{words[self.accepts_key]}"
        if self.error is not None and self.is_good:
            answer += ", as it must be without a key"
        return {**steps, "Reached": "yes", "Answer": answer, "Clock": self.clock_words}

    @property
    def clock_words(self) -> str | None:
        """What this machine's clock is beside the server's."""
        if self.clock_ahead is None:
            return None
        if abs(self.clock_ahead) <= 2:
            return "agrees with the server's"
        words = "behind" if self.clock_ahead > 0 else "ahead of"
        return f"{abs(self.clock_ahead):.0f} s {words} the server's"


def ask(options: dict[str, Any], *, has_key: bool) -> Answer:
    """Make the cheapest read, once, with a client of these options.

    Raises `ConfigurationError` when there is no such client.
    """
    told: list[Attempt] = []
    ahead: list[float] = []

    def note(attempt: Attempt) -> None:
        told.append(attempt)
        if attempt.server_time is not None:
            ahead.append(round(attempt.server_time - time.time()))

    failed = None
    timeout = TIMEOUT if options["timeout"] is None else options["timeout"]
    with Client(**{**options, "timeout": timeout, "max_retries": 0, "on_attempt": note}) as client:
        try:
            client.warm_up()
        except errors.MergeLinkError as error:
            failed = error
    return Answer(told[-1] if told else None, ahead[-1] if ahead else None, failed, has_key)
