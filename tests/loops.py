"""The event loops that AsyncClient is tried on."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

try:
    import uvloop
except ImportError:  # it has no wheel for every Python
    uvloop = None  # type: ignore[assignment]

T = TypeVar("T")

FACTORIES: dict[str, Callable[[], asyncio.AbstractEventLoop] | None] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop and uvloop.new_event_loop,
}
ON_EACH_LOOP = pytest.mark.parametrize(
    "loop_name",
    [
        pytest.param(
            name, marks=pytest.mark.skipif(factory is None, reason=f"no {name} for this Python")
        )
        for name, factory in FACTORIES.items()
    ],
)


def run_in(name: str, main: Coroutine[Any, Any, T]) -> T:
    """Run it in a new loop of that name, which has nothing to complain about."""
    complaints: list[Any] = []

    def complain(loop: object, context: dict[str, Any]) -> None:
        complaints.append(context)

    with asyncio.Runner(loop_factory=FACTORIES[name]) as runner:
        runner.get_loop().set_exception_handler(complain)
        result = runner.run(main)
    assert complaints == []
    return result
