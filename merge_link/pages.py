"""Lists that come page by page: `Page`, and for `AsyncClient` `AsyncPage` and `AsyncPager`."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from functools import partial
from os import getpid

from merge_link.errors import ResponseError, traced
from merge_link.records import Record
from merge_link.response import no_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any, Generic, Protocol, TypeVar

    from merge_link._core import Mailbox, Ticket
    from merge_link.response import Response

    T = TypeVar("T")

    class Query(Protocol):
        """A call that can be made again: the core's."""

        @property
        def client(self) -> Any:
            """Whose call it is."""

        @property
        def is_async(self) -> bool:
            """Is that an AsyncClient?"""

        def call(self, cursor: str | None = None) -> Any:
            """Return the page that begins at the cursor; None: the same again."""

        def ticket(self, cursor: str | None = None) -> Ticket:
            """Return a ticket for that."""

    class _Of(Generic[T]):
        """What has results of one type."""

else:

    class _Of:
        """What has results of one type, without the weight of `typing`."""

        __class_getitem__ = classmethod(lambda cls, _: cls)


__all__ = ["AsyncPage", "AsyncPager", "Page"]

_A_WHILE = 3600.0  # seconds of a wait that has no end of its own
_BATCH = 100  # news that are looked at at once: attempts, too


class _Pages(_Of["T"]):
    """What pages have, however they are fetched.

    ``results`` are those of this page alone. ``next_cursor`` is where the next one begins, and
    ``previous_cursor`` the one before; None where there is none. ``response`` holds the facts of
    the HTTP answer, ``extra`` what Merge answered beyond these. A page that is made by hand, or
    comes out of a pickle, cannot fetch others.
    """

    def __init__(
        self,
        results: list[T],
        *,
        next_cursor: str | None = None,
        previous_cursor: str | None = None,
        response: Response | None = None,
        extra: dict[str, Any] | None = None,
        query: Query | None = None,
    ) -> None:
        self.results = results
        self.next_cursor = next_cursor
        self.previous_cursor = previous_cursor
        self.response: Response = no_response() if response is None else response
        self.extra: dict[str, Any] = {} if extra is None else extra
        self._query = query

    def __repr__(self) -> str:
        more = ", more follow" if self.next_cursor else ""
        return f"<{type(self).__name__} of {len(self.results)} {kind_of(self)}{more}>"

    def _repr_html_(self) -> str:
        from merge_link._cards import of_page

        return of_page(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), {**self.__dict__, "_query": None})


def _restore(cls: type[_Pages[Any]], values: dict[str, Any]) -> _Pages[Any]:
    page = cls.__new__(cls)
    page.__dict__.update(values)
    return page


def _dict_of(one: object) -> dict[str, Any]:
    return one.to_dict() if isinstance(one, Record) else one  # type: ignore[return-value]


def kind_of(page: _Pages[Any]) -> str:
    """Return what its results are, for people."""
    kinds = {type(one).__name__ for one in page.results}
    return kinds.pop() if len(kinds) == 1 else "results"


class _Way:
    """The way from page to page. It never comes to the same cursor twice."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def beyond(self, page: _Pages[Any]) -> Query:
        """Return what fetches the page after this one, which names it."""
        cursor, query = page.next_cursor, page._query
        if query is None:
            raise ValueError(
                "this page was made by hand or comes out of a pickle: ask the client for the next"
            )
        if cursor in self._seen:
            response = page.response
            raise ResponseError(
                traced(
                    "the pages go in a circle: the answer names the same cursor twice",
                    response.request_id,
                    response.attempts,
                ),
                status_code=response.status_code,
                request_id=response.request_id,
                attempts=response.attempts,
            )
        self._seen.add(str(cursor))
        return query


# ---- one after the other ----


class Page(_Pages["T"]):
    """One page of a list. Iterating over it goes over the results of all pages from here on.

    Further pages are fetched when they are come to. `pages` gives them one by one: when one cannot
    be fetched the error comes out, and the call can go on with ``cursor=`` the ``next_cursor`` of
    the page before.
    """

    def __iter__(self) -> Generator[T, None, None]:
        return self.iterate()

    def iterate(self, *, read_ahead: bool = False) -> Generator[T, None, None]:
        """Iterate over all results, as ``iter()`` does.

        ``read_ahead``: fetch one page ahead, while the results of the one before are looked at.
        """
        pages = self.pages(read_ahead=read_ahead)
        try:
            for page in pages:
                yield from page.results
        finally:
            pages.close()

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return all results as dicts, credentials included: for pandas.DataFrame.

        Those of all pages from here on, as iterating does.
        """
        return [_dict_of(one) for one in self]

    def pages(self, *, read_ahead: bool = False) -> Generator[Page[T], None, None]:
        """Iterate over the pages, from this one on.

        ``read_ahead``: fetch one page ahead. Leaving early cancels it.
        """
        return _ahead(self) if read_ahead else _in_turn(self)


def _in_turn(page: Page[T]) -> Generator[Page[T], None, None]:
    way = _Way()
    yield page
    while page.next_cursor:
        page = way.beyond(page).call(page.next_cursor)
        yield page


def _ahead(page: Page[T]) -> Generator[Page[T], None, None]:
    fetcher = _Fetcher()
    try:
        while page.next_cursor:
            fetcher.begin(page)
            yield page
            page = fetcher.take()
        yield page
    finally:
        fetcher.close()


class _Fetcher:
    """Fetches one page while others are looked at."""

    def __init__(self) -> None:
        from merge_link._core import Mailbox

        self._way = _Way()
        self._mailbox = Mailbox()
        self._wait = _waiter(self._mailbox)
        self._failure: Exception | None = None
        self._process = 0
        self._ask_again: Callable[[], Any] | None = None

    def begin(self, page: Page[Any]) -> None:
        """Ask for the page after this one. What is wrong comes out of take()."""
        try:
            query = self._way.beyond(page)
            self._process = getpid()
            self._ask_again = partial(query.call, page.next_cursor)
            ticket = query.ticket(page.next_cursor)
            if ticket.key_source is not None:
                # A client that is no AsyncClient takes no async callable.
                ticket.set_key(ticket.key_source())  # type: ignore[arg-type]
            ticket.submit(self._mailbox, None, None)
        except Exception as error:
            self._failure = error

    def take(self) -> Page[Any]:
        """Wait for it. In a forked child, which the answer will not reach, ask once more."""
        outcome: Any = self._failure
        self._failure = None
        if outcome is None and self._ask_again and getpid() != self._process:
            outcome = self._ask_again()
        try:
            while outcome is None:
                taken = self._mailbox.take(_BATCH)
                if taken:
                    outcome = taken.pop()[1]
                else:
                    self._wait(_A_WHILE)
            if isinstance(outcome, BaseException):
                raise outcome
            page: Page[Any] = outcome
            return page
        finally:
            del outcome  # it would hold this frame, and this frame it

    def close(self) -> None:
        """Cancel what is under way."""
        self._mailbox.close()


def _waiter(mailbox: Mailbox) -> Callable[[float], bool]:
    if "gevent" in sys.modules:
        from merge_link._gevent import waiter_for

        return waiter_for(mailbox)
    return mailbox.wait


# ---- asyncio ----


class AsyncPage(_Pages["T"]):
    """One page of a list. ``async for`` goes over the results of all pages from here on.

    All else is as with `Page`, whose iterators are asynchronous here.
    """

    def __aiter__(self) -> AsyncGenerator[T, None]:
        return self.iterate()

    async def iterate(self, *, read_ahead: bool = False) -> AsyncGenerator[T, None]:
        """Iterate over all results, as ``async for`` does.

        ``read_ahead``: fetch one page ahead, while the results of the one before are looked at.
        """
        pages = self.pages(read_ahead=read_ahead)
        try:
            async for page in pages:
                for one in page.results:
                    yield one
        finally:
            await pages.aclose()

    async def to_dicts(self) -> list[dict[str, Any]]:
        """Return all results as dicts, credentials included: for pandas.DataFrame.

        Those of all pages from here on, as iterating does.
        """
        return [_dict_of(one) async for one in self]

    def pages(self, *, read_ahead: bool = False) -> AsyncGenerator[AsyncPage[T], None]:
        """Iterate over the pages, from this one on.

        ``read_ahead``: fetch one page ahead. Closing the iterator cancels it.
        """
        return _async_ahead(self) if read_ahead else _async_in_turn(self)


def _fetch(page: AsyncPage[T], way: _Way) -> Coroutine[Any, Any, AsyncPage[T]]:
    query = way.beyond(page)
    fetching: Coroutine[Any, Any, AsyncPage[T]] = query.client._await(
        query.ticket(page.next_cursor)
    )
    return fetching


async def _async_in_turn(page: AsyncPage[T]) -> AsyncGenerator[AsyncPage[T], None]:
    way = _Way()
    yield page
    while page.next_cursor:
        page = await _fetch(page, way)
        yield page


async def _async_ahead(page: AsyncPage[T]) -> AsyncGenerator[AsyncPage[T], None]:
    from asyncio import create_task

    way = _Way()
    task: Task[AsyncPage[T]] | None = None
    try:
        while page.next_cursor:
            task = create_task(_fetch_late(page, way))
            yield page
            page = await task
        yield page
    finally:
        if task is not None:
            await _end(task)


async def _fetch_late(page: AsyncPage[T], way: _Way) -> AsyncPage[T]:
    """Fetch in a task, where what is wrong with the asking comes out, too."""
    return await _fetch(page, way)


async def _end(task: Task[Any]) -> None:
    """Cancel a task and wait for its end. What it raises was taken, or is not asked for."""
    from asyncio import wait

    task.cancel()
    await wait((task,))
    if not task.cancelled():
        task.exception()


class AsyncPager(_Of["T"], Coroutine["Any", "Any", "AsyncPage[T]"]):
    """What list methods of `AsyncClient` return: ``await`` it for a page, or iterate over it all.

    ::

        async for account in client.linked_accounts():
            ...
        page = await client.linked_accounts(page_size=10)

    It asks for its first page once. Like what the other methods return it is a coroutine: for
    ``asyncio.create_task`` and task groups.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, AsyncPage[T]]) -> None:
        self._coroutine = coroutine
        self._page: AsyncPage[T] | None = None
        self._driven: Coroutine[Any, Any, AsyncPage[T]] | None = None

    def __repr__(self) -> str:
        return "<AsyncPager: await it for a page, or go over all results by async for>"

    def send(self, value: Any) -> Any:
        """Go on, as a coroutine: a task calls it."""
        return self._drive("send", value)

    def throw(self, *error: Any) -> Any:
        """Raise an error where it waits: a task calls it."""
        try:
            return self._drive("throw", *error)
        finally:
            del error  # it would hold this frame, and this frame it

    def _drive(self, how: str, *given: Any) -> Any:
        driven = self._driven = self._driven or self._first()
        try:
            return getattr(driven, how)(*given)
        except BaseException:  # its end, too: the next task begins anew
            self._driven = None
            raise
        finally:
            del given  # likewise

    def close(self) -> None:
        """Give up asking for the first page."""
        if self._driven is not None:
            self._driven.close()
        self._coroutine.close()

    async def _first(self) -> AsyncPage[T]:
        if self._page is None:
            self._page = await self._coroutine
        return self._page

    def __await__(self) -> Generator[Any, Any, AsyncPage[T]]:
        return self._first().__await__()

    def __aiter__(self) -> AsyncGenerator[T, None]:
        return self.iterate()

    async def iterate(self, *, read_ahead: bool = False) -> AsyncGenerator[T, None]:
        """Iterate over all results, as ``async for`` does; see `AsyncPage.iterate`."""
        results = (await self._first()).iterate(read_ahead=read_ahead)
        try:
            async for one in results:
                yield one
        finally:
            await results.aclose()

    async def pages(self, *, read_ahead: bool = False) -> AsyncGenerator[AsyncPage[T], None]:
        """Iterate over the pages; see `AsyncPage.pages`."""
        pages = (await self._first()).pages(read_ahead=read_ahead)
        try:
            async for page in pages:
                yield page
        finally:
            await pages.aclose()
