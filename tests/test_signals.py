"""Signals during a call: Ctrl-C ends it wherever it is, others only run their handlers."""

import signal
import time
from typing import Any

import pytest

from isolation import run_script

# How long a lookup takes that nobody should have to wait for.
SLOW = "60"


@pytest.mark.parametrize(
    "case",
    [
        "connecting",
        "tls_handshake",
        "sending",
        "reading",
        "waiting_for_a_connection",
        "held_back_by_the_error_budget",
        "warming_up",
        "in_a_module_function",
        "through_a_proxy",
        "while_another_thread_calls",
    ],
)
def test_ctrl_c_ends_the_call_within_a_second(tls: Any, case: str) -> None:
    assert run_script("interrupts.py", case, tls.server_file) == "done\n"


def test_ctrl_c_ends_a_slow_name_lookup(lookup_shim: dict[str, str]) -> None:
    settings = {"LOOKUP_SIGNAL": str(int(signal.SIGINT)), "LOOKUP_SECONDS": SLOW}
    began = time.monotonic()
    printed = run_script(
        "interrupts.py", "name_lookup", "", environment={**lookup_shim, **settings}
    )
    assert printed == "done\n"
    assert time.monotonic() - began < 20  # the lookup is not waited for at the end either


@pytest.mark.parametrize("limit", ["timeout", "connect_timeout"])
def test_a_slow_name_lookup_takes_no_longer_than_allowed(
    lookup_shim: dict[str, str], limit: str
) -> None:
    began = time.monotonic()
    settings = {**lookup_shim, "LOOKUP_SECONDS": SLOW}
    case = f"lookup_longer_than_the_{limit}"
    assert run_script("interrupts.py", case, "", environment=settings) == "done\n"
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    "case",
    ["alarm_that_raises", "alarm_every_ten_milliseconds", "handler_that_closes_the_client"],
)
def test_other_signals_run_their_handlers(tls: Any, case: str) -> None:
    assert run_script("interrupts.py", case, tls.server_file) == "done\n"


def test_the_interrupt_of_a_notebook_ends_the_call() -> None:
    assert run_script("notebook.py").splitlines() == ["error KeyboardInterrupt", "ok"]
