"""Under gevent a call runs in the hub's thread pool, so that other greenlets go on meanwhile.

Asked by the C core, and only when gevent's monkey-patching module is loaded. A bulk run needs no
thread: the hub watches its mailbox.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from merge_link._core import Mailbox


def pool() -> Callable[[Callable[[], Any]], Any] | None:
    """Return what runs a function in the pool and waits for it; None when nothing is patched."""
    return _run if _is_at_work() else None


def waiter_for(mailbox: Mailbox) -> Callable[[float], bool]:
    """Return what does as the mailbox's ``wait`` does, and lets other greenlets go on meanwhile."""
    if not _is_at_work():
        return mailbox.wait
    wait_read = import_module("gevent.socket").wait_read

    def wait(seconds: float) -> bool:
        try:
            wait_read(mailbox.fileno(), seconds)
        except TimeoutError:
            return False
        return True

    return wait


def _is_at_work() -> bool:
    return bool(import_module("gevent.monkey").is_module_patched("socket"))


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
