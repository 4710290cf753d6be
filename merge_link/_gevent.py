"""Under gevent a call runs in the hub's thread pool, so that other greenlets go on meanwhile.

Asked by the C core, and only when gevent's monkey-patching module is loaded.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def pool() -> Callable[[Callable[[], Any]], Any] | None:
    """Return what runs a function in the pool and waits for it; None when nothing is patched."""
    if not import_module("gevent.monkey").is_module_patched("socket"):
        return None
    return _run


def _run(function: Callable[[], Any]) -> Any:
    result, error = import_module("gevent").get_hub().threadpool.apply(_outcome, (function,))
    if error is None:
        return result
    try:
        raise error
    finally:
        del error  # it holds this frame


def _outcome(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """Return what the function returns or raises: gevent prints what comes out of its pool."""
    try:
        return function(), None
    except BaseException as error:
        return None, error
