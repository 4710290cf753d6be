"""`AsyncClient`: the calls of `Client`, to be awaited, on asyncio and on loops like it (uvloop).

A call goes to the client's engine, a thread of the C core that knows nothing of Python, and its
outcome comes back through a mailbox. There is one for each loop that runs: the loop watches its
descriptor, so nothing polls and no thread of Python's waits. Loaded when something asks for it,
because asyncio is what takes long to load.
"""

from __future__ import annotations

import atexit
import os
from asyncio import get_running_loop, sleep
from inspect import getdoc, isawaitable, signature
from operator import index
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakSet, ref

from merge_link import _core
from merge_link._patience import NOT_THERE_YET, Patience

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import AsyncIterable, Callable, Generator, Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Self, TypeVar, Unpack

    from merge_link.bulk import AsyncBulkRun, Progress
    from merge_link.models import LinkToken, PassthroughResponse
    from merge_link.types import (
        AsyncAccountReadOptions,
        AsyncLinkTokenDefaults,
        AsyncLinkTokenParams,
        AsyncWarmUpOptions,
    )

    Function = TypeVar("Function", bound=Callable[..., Any])

# News that one turn of the loop takes at most, so that others get their turns.
_BATCH = 256
_ALL = 2**31

# How often this process has come out of a fork(). What a parent's loop has is not touched in the
# child: both have the same epoll, and the parent's would go deaf.
_generation = 0


def _forked() -> None:
    global _generation  # noqa: PLW0603
    _generation += 1


os.register_at_fork(after_in_child=_forked)


# ---- one client in one loop ----


class _Room:
    """What a client has in one loop: its mailbox, which the loop watches."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.mailbox = _core.Mailbox()
        self.generation = _generation
        self.loop = ref(loop)
        _all_rooms.add(self)
        loop.add_reader(self.mailbox.fileno(), _deliver, self.mailbox)

    def is_for(self, loop: AbstractEventLoop) -> bool:
        return self.loop() is loop and self.generation == _generation

    def is_over(self) -> bool:
        loop = self.loop()
        return loop is None or loop.is_closed() or self.generation != _generation

    def leave(self) -> None:
        """Take the mailbox from its loop, from whatever thread. Again is harmless."""
        loop, mailbox = self.loop(), self.__dict__.pop("mailbox", None)
        if mailbox is None:
            return
        if loop is None or self.is_over():
            mailbox.close()
        elif loop is _running_loop():
            _leave(loop, mailbox)
        else:
            try:
                loop.call_soon_threadsafe(_leave, loop, mailbox)
            except RuntimeError:  # it was closed meanwhile
                mailbox.close()

    def end(self) -> None:
        """Take the mailbox from its loop when Python ends, or from under one that runs."""
        loop, mailbox = self.loop(), self.__dict__.pop("mailbox", None)
        if mailbox is None:
            return
        if loop is None or self.is_over() or loop.is_running():
            mailbox.close()
        else:
            _leave(loop, mailbox)
        self.generation = -1

    def __del__(self) -> None:
        self.leave()


_all_rooms: WeakSet[_Room] = WeakSet()


@atexit.register
def _end_all() -> None:
    """See to it that nothing wakes a loop any more: uvloop's in a daemon thread would crash."""
    for room in list(_all_rooms):
        room.end()


def _running_loop() -> AbstractEventLoop | None:
    try:
        return get_running_loop()
    except RuntimeError:
        return None


def _hand_over(taken: Sequence[tuple[Any, Any]]) -> None:
    """Hand outcomes to those who await them; some may have left, or have theirs already."""
    for future, outcome in taken:
        if not future.done():
            future.set_result(outcome)


def _deliver(mailbox: _core.Mailbox) -> None:
    """Take the outcomes that have come and hand them over."""
    taken: Sequence[tuple[Any, Any]] = ()
    try:
        taken = mailbox.take(_BATCH)
        _hand_over(taken)
    except BaseException:  # of a signal handler or on_attempt: nothing is lost by it
        loop = get_running_loop()
        loop.call_soon(_hand_over, taken)
        loop.call_soon(_deliver, mailbox)
        raise


def _leave(loop: AbstractEventLoop, mailbox: _core.Mailbox) -> None:
    """Deliver what has come, which is all when the client is closed, and let the mailbox go."""
    raised: BaseException | None = None
    is_empty = False
    while not is_empty:
        try:
            _hand_over(mailbox.take(_ALL))
            is_empty = True
        except BaseException as error:  # of a signal handler or on_attempt: nothing is lost by it
            raised = error
    loop.remove_reader(mailbox.fileno())
    mailbox.close()
    if raised is not None:
        raise raised


# ---- keys ----


async def give_key(tickets: Sequence[_core.Ticket]) -> None:
    """Ask for the API key, once, where a callable gives it. Only the core keeps it."""
    source = tickets[0].key_source
    if source is None:
        return
    key = source()
    try:
        if isawaitable(key):
            key = await key
        for ticket in tickets:
            ticket.set_key(key)
    finally:
        del key


# ---- the client ----


class _Done:
    """Of what is done already: may be awaited, and need not be."""

    def __await__(self) -> Generator[Any, None, None]:
        yield from ()


def _as_in_client(name: str) -> Callable[[Function], Function]:
    """Give a method the signature of Client's, and the rest of its docstring."""
    original = getattr(_core.Client, name)

    def decorate(function: Function) -> Function:
        _, _, rest = (getdoc(original) or "").partition("\n\n")
        function.__doc__ = f"{getdoc(function)}\n\n{rest}"
        function.__signature__ = signature(original)  # type: ignore[attr-defined]
        return function

    return decorate


class AsyncClient(_core.AsyncClient):
    """A client of Merge's linking API whose calls are awaited: on asyncio, and on uvloop.

    It takes the options of `Client`, keeps its connections, and may be used by the loops of any
    number of threads at once. Its requests are made by one thread of its own, over HTTP/2 where the
    server offers it. Cancelling a task cancels its request::

        async with AsyncClient() as client:
            token = await client.create_link_token(...)

    ``api_key`` may also be an async callable, awaited at each call. ``on_attempt`` is an ordinary
    one, called in the loop's thread.

    What lists, such as ``client.linked_accounts()``, may be awaited for a page, or be iterated over
    with ``async for``.

    ``await client.aclose()`` closes it, as in httpx, and so does ``await client.close()``, as in
    aiohttp; calls that are under way end with `ClientClosedError`.

    Raises:
        ConfigurationError: no or impossible API key, base URL or option.
    """

    @_as_in_client("create_link_token")
    async def create_link_token(self, **fields: Unpack[AsyncLinkTokenParams]) -> LinkToken:
        """Create a link token: what Merge Link needs to open for one end user."""
        token: LinkToken = await self._await(self.prepare("create_link_token", fields))
        return token

    def create_link_tokens(
        self,
        rows: Iterable[Mapping[str, object]] | AsyncIterable[Mapping[str, object]],
        *,
        concurrency: int = 64,
        rate: float | str | None = None,
        ordered: bool = False,
        progress: bool | Callable[[Progress], object] | None = None,
        **defaults: Unpack[AsyncLinkTokenDefaults],
    ) -> AsyncBulkRun:
        """Create many link tokens, one for each row: an async iterator of `Outcome`, as they come.

        The rows are an iterable or an async one. All else is as with ``Client.create_link_tokens``:
        ``async for``, ``await run.collect()``, ``await run.aclose()``, ``async with``. Cancelling
        the task that iterates cancels what is under way.
        """
        from merge_link.bulk import AsyncBulkRun

        options = {"concurrency": concurrency, "rate": rate, "ordered": ordered}
        try:
            return AsyncBulkRun(self, rows, defaults, **options, progress=progress)
        except Exception as error:
            del rows, defaults  # a traceback may show what they hold
            raise error.with_traceback(None) from None

    @_as_in_client("warm_up")
    async def warm_up(self, connections: int = 1, **options: Unpack[AsyncWarmUpOptions]) -> None:
        """Connect ahead, all at once, so that the first calls need not."""
        tickets = self._prepare_many("warm_up", connections, options)
        await give_key(tickets)
        try:
            futures = [self._begin(ticket) for ticket in tickets]
            while futures:
                _result_of(await futures.pop())
        finally:
            for ticket in tickets:  # after a failure, the others
                ticket.cancel()

    async def async_passthrough_result(
        self, id: str, *, wait: float | None = None, **options: Unpack[AsyncAccountReadOptions]
    ) -> PassthroughResponse:
        """Get what an asynchronous passthrough request was answered.

        All else is as with ``Client.async_passthrough_result``.
        """
        fields = cast("dict[str, Any]", options)
        fields["id"] = id
        query = self._query("async_passthrough_result", fields)
        patience = Patience(wait)
        while True:
            try:
                answer: PassthroughResponse = await self._await(query.ticket())
                return answer
            except NOT_THERE_YET as error:
                pause = patience.pause_after(error)
            await sleep(pause)

    async def aclose(self) -> None:
        """Close the connections. Calls that are under way end with `ClientClosedError`.

        Closing again is harmless. Leaving an ``async with`` block closes too.
        """
        self.close()

    def close(self) -> _Done:
        """Do the same at once, with ``await`` or without."""
        self._close()
        if self._root is self:  # a view has the rooms of its client
            for room in self.__dict__.pop("_rooms", {}).values():
                room.leave()
        return _Done()

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        self._enter()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the client."""
        self.close()

    def _repr_html_(self) -> str:
        from merge_link._cards import of_client

        return of_client(self)

    # ---- calling: no frame here may hold a key, so prepare() empties what it is given ----

    async def _await(self, ticket: _core.Ticket | Exception) -> Any:
        """Make a call; raise what is wrong with its arguments."""
        if not isinstance(ticket, _core.Ticket):
            outcome, ticket = ticket, None  # type: ignore[assignment]
            try:
                return _result_of(outcome)
            finally:
                del outcome
        if ticket.key_source is not None:
            await give_key((ticket,))
        try:
            return _result_of(await self._begin(ticket))
        except BaseException:  # cancelled, or thrown away while it waits
            ticket.cancel()
            raise

    def _prepare_many(self, operation: str, count: Any, options: Any) -> list[_core.Ticket]:
        try:
            _core.check(operation, connections=count, **options)
            most = min(1 if count is None else index(count), self.max_connections)
            return [self.prepare(operation, {**options, "connections": 1}) for _ in range(most)]
        finally:
            options.clear()

    def _begin(self, ticket: _core.Ticket) -> Future[Any]:
        loop = get_running_loop()
        future = loop.create_future()
        ticket.submit(self._room(loop).mailbox, future, None)
        return future

    def _room(self, loop: AbstractEventLoop) -> _Room:
        rooms: dict[int, _Room] = self._root.__dict__.setdefault("_rooms", {})
        room = rooms.get(id(loop))
        if room is None or not room.is_for(loop):
            for key in [key for key, other in rooms.items() if other.is_over()]:
                rooms.pop(key, None)
            room = rooms[id(loop)] = _Room(loop)
        return room


def _result_of(outcome: Any) -> Any:
    """Return the result, or raise the error.

    An error is a future's result, too: its exception would be logged where nobody takes it.
    """
    try:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome
    finally:
        del outcome  # it would hold this frame, and this frame it
