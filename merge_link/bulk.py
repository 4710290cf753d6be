"""Many link tokens: `BulkRun` and `AsyncBulkRun`, which ``create_link_tokens`` returns.

What waits, sends, repeats and keeps the pace is the core's engine. Here rows go in, as many as may
be under way, and outcomes come out; the consumer's pace is the pace of it all.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import AsyncIterable, Iterable, Mapping
from contextlib import contextmanager
from functools import partial
from math import ceil

from merge_link import _core
from merge_link._tally import BulkSummary, Latency, Progress, Tally, teller_of
from merge_link.errors import ClientClosedError, ConfigurationError, ValidationError
from merge_link.outcomes import Outcome, Outcomes, outcome_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import Task
    from collections.abc import (
        AsyncGenerator,
        Awaitable,
        Callable,
        Coroutine,
        Generator,
        Iterator,
    )
    from types import TracebackType
    from typing import Any, Self

    from merge_link._tally import Teller

    Row = Mapping[str, object]

__all__ = [
    "AsyncBulkRun",
    "BulkRun",
    "BulkSummary",
    "Latency",
    "Outcome",
    "Outcomes",
    "Progress",
]

_OPERATION = "create_link_token"
_OPTIONS = ("rows", "concurrency", "rate", "ordered", "progress")
_MOST_AT_ONCE = 10_000
# Rows that may wait for an earlier one when the order is kept, as a multiple of the concurrency.
_AHEAD = 4
# With a rate, rows under way at most, in seconds of it: stop() waits for them.
_SECONDS_UNDER_WAY = 5.0
_SECONDS = {
    **dict.fromkeys(("s", "sec", "second"), 1.0),
    **dict.fromkeys(("min", "minute"), 60.0),
    **dict.fromkeys(("h", "hour"), 3600.0),
}
_END = object()
_A_WHILE = 3600.0  # seconds of a wait that has no end of its own
_AT_A_STRETCH = 64  # outcomes, until the loop's other tasks have their turn


class _Plan:
    """What a run was asked to do, all of it checked."""

    def __init__(
        self,
        client: _core.BaseClient,
        rows: Any,
        defaults: Mapping[str, object],
        *,
        concurrency: int,
        rate: float | str | None,
        ordered: bool,
        progress: bool | Callable[[Progress], object] | None,
        asynchronous: bool,
    ) -> None:
        _check_rows(rows, asynchronous)
        _check_defaults(defaults)
        self.client = client
        self.rows = rows
        self.defaults = defaults
        self.per_second: float = per_second(rate)
        self.concurrency: int = _check_concurrency(concurrency)
        if self.per_second:
            most = ceil(self.per_second * _SECONDS_UNDER_WAY)
            self.concurrency = min(self.concurrency, most)
        self.ordered = ordered
        self.make_teller: Callable[[Tally], Teller] = teller_of(progress)
        self.total: int | None = len(rows) if hasattr(rows, "__len__") else None
        self.is_stopped = False  # no further rows
        self.wake: Callable[[], object] | None = None  # who may be waiting for one
        if client.closed:
            raise ClientClosedError("the client is closed: make a new one")


def _check_rows(rows: object, asynchronous: bool) -> None:
    if hasattr(rows, "to_dict") and hasattr(rows, "columns"):
        raise TypeError('rows is a table: pass table.to_dict("records")')
    kinds = (Iterable, AsyncIterable) if asynchronous else (Iterable,)
    if not isinstance(rows, kinds) or isinstance(rows, (str, bytes, Mapping)):
        raise TypeError(f"rows must be an iterable of mappings, not {type(rows).__name__}")


def _check_defaults(defaults: Mapping[str, object]) -> None:
    """Refuse what no row could mend: misspelt names, values of the wrong kind for an option."""
    try:
        _core.check(_OPERATION, **defaults)
    except ValidationError:
        return  # rows may bring what is missing or does not fit
    except TypeError as error:
        refusal = error
    else:
        return
    from difflib import get_close_matches

    known = [field["name"] for field in _core.fields(_OPERATION)]
    for name in defaults:
        for meant in () if name in known else get_close_matches(name, _OPTIONS, 1):
            unexpected = f"create_link_tokens() got an unexpected keyword argument {name!r}"
            raise TypeError(f"{unexpected}; did you mean {meant!r}?")
    raise refusal


def _check_concurrency(concurrency: object) -> int:
    if isinstance(concurrency, bool) or not isinstance(concurrency, int):
        kind = type(concurrency).__name__
        text = f"concurrency must be an integer, not {kind}"
        raise ConfigurationError(text, option="concurrency")
    if not 1 <= concurrency <= _MOST_AT_ONCE:
        text = f"concurrency must be 1 to {_MOST_AT_ONCE}"
        raise ConfigurationError(text, option="concurrency")
    return concurrency


def per_second(rate: float | str | None) -> float:
    """Return a rate in requests per second; 0.0 for None, which is no limit.

    Raises `ConfigurationError` for what is no rate.
    """
    if rate is None:
        return 0.0
    if isinstance(rate, (int, float)) and not isinstance(rate, bool):
        found: float | None = float(rate)
    else:
        found = _read_rate(rate) if isinstance(rate, str) else None
    if found is None or not 0.0 < found < float("inf"):
        raise ConfigurationError(
            'rate must be a number of requests per second, or a text like "400/min" (per s, min or '
            "h), and more than 0",
            option="rate",
        )
    return found


def _read_rate(text: str) -> float | None:
    count, _, unit = text.partition("/")
    seconds = _SECONDS.get(unit.strip())
    try:
        return None if seconds is None else float(count) / seconds
    except ValueError:
        return None


# ---- what is under way ----


class _Work:
    """Rows in, outcomes out."""

    def __init__(self, plan: _Plan, tally: Tally) -> None:
        self._submit: Callable[..., object] = plan.client.submit
        self._defaults = plan.defaults
        self._flow = _core.Flow(plan.per_second)
        self._tally = tally
        self._limit = plan.concurrency
        self._most = _first_at_once(plan)
        self._ahead = plan.concurrency * (_AHEAD if plan.ordered else 1)
        self._in_flight = 0
        self._ready: deque[Outcome] = deque()
        self._early: dict[int, Outcome] | None = {} if plan.ordered else None
        self._next = 0  # of the outcomes, where the order is kept
        self.failure: Exception | None = None  # of the rows' iterator
        self.mailbox = _core.Mailbox()
        tally.start()
        self.teller = plan.make_teller(tally)

    def has_room(self) -> bool:
        """May another row be taken?"""
        tally = self._tally
        return self._in_flight < self._most and tally.taken - tally.done < self._ahead

    def begin(self, row: Row) -> None:
        """Send a row. What is wrong with it is its outcome."""
        index = self._tally.taken
        self._tally.taken = index + 1
        try:
            if type(row) is not dict and not isinstance(row, Mapping):
                raise TypeError(f"a row must be a mapping of fields, not {type(row).__name__}")
            fields = {**self._defaults, **row}
            self._submit(_OPERATION, self.mailbox, (index, row), self._flow, fields)
        except Exception as error:
            self._arrive(outcome_of(index, row, None, _without_our_frames(error)))
        except BaseException:
            row = fields = {}  # a traceback may show what they hold
            raise
        else:
            self._in_flight += 1

    def take(self) -> None:
        """Take in what has come."""
        for (index, row), result in self.mailbox.take(self._limit):
            self._in_flight -= 1
            if isinstance(result, Exception):
                self._arrive(outcome_of(index, row, None, result))
            else:
                if self._most < self._limit:
                    self._most += 1
                self._arrive(outcome_of(index, row, result, None))

    def _arrive(self, outcome: Outcome) -> None:
        early = self._early
        if early is None:
            self._ready.append(outcome)
            return
        early[outcome.index] = outcome
        while self._next in early:
            self._ready.append(early.pop(self._next))
            self._next += 1

    def is_ready(self) -> bool:
        """Is there an outcome to give out?"""
        return bool(self._ready)

    def is_waiting(self) -> bool:
        """Is something under way?"""
        return self._in_flight > 0

    def give(self) -> Outcome:
        """Give out an outcome."""
        outcome = self._ready.popleft()
        self._tally.add(outcome)
        self.teller.tell()
        return outcome

    @contextmanager
    def ending(self, *interruptions: type[BaseException]) -> Iterator[None]:
        """At the end, cancel what is under way; an interruption says how far it came."""
        try:
            yield
        except interruptions as error:
            cancelled = self._tally.taken - self._tally.done
            error.add_note(f"create_link_tokens(): {self._tally}, {cancelled} more were cancelled")
            raise
        finally:
            self.mailbox.close()
            self._tally.end()
            self.teller.close()


def _first_at_once(plan: _Plan) -> int:
    """Return how many rows are under way at first. Each token lets one more be.

    With a wrong key all would fail before the error budget could hold them back.
    """
    budget = plan.client.error_budget
    return plan.concurrency if budget is None else min(plan.concurrency, max(budget[0] // 2, 1))


class _Rows:
    """The rows that are left, of an iterable that waits for nothing."""

    def __init__(self, plan: _Plan, work: _Work) -> None:
        self._plan = plan
        self._work = work
        self._left: Iterator[Row] | None = iter(plan.rows)

    @property
    def is_over(self) -> bool:
        """Will no further row come?"""
        return self._left is None

    def feed(self) -> None:
        """Send as many as there is room for."""
        left, work = self._left, self._work
        row: Any = None
        try:
            while left is not None and work.has_room():
                row = _END if self._plan.is_stopped else next(left, _END)
                if row is _END:
                    left = self._left = None
                else:
                    work.begin(row)
        except Exception as error:
            self._left = None
            work.failure = _without_our_frames(error)
        finally:
            row = None  # a traceback may show what it holds


def _without_our_frames(error: Exception) -> Exception:
    """Return the error without the frames here that it came through: they hold rows."""
    traceback, here = error.__traceback__, _without_our_frames.__code__.co_filename
    while traceback is not None and traceback.tb_frame.f_code.co_filename == here:
        traceback = traceback.tb_next
    return error.with_traceback(traceback)


# ---- runs ----


class _Run:
    """What both kinds of runs have."""

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan
        self._tally = Tally(plan.total)
        self._collected = Outcomes()

    @property
    def summary(self) -> BulkSummary:
        """What was done so far: counts, errors by class, seconds, latency."""
        return self._tally.summary()

    def stop(self) -> None:
        """Take no further rows. What is under way still comes out; then the run is over.

        May be called from a signal handler.
        """
        self._plan.is_stopped = True
        if self._plan.wake is not None:
            self._plan.wake()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._tally}>"

    def _repr_html_(self) -> str:
        return self.summary._repr_html_()


class BulkRun(_Run):
    """Many link tokens in the making: an iterator of `Outcome`, and a context manager.

    Rows are taken and sent while it is iterated, by one thread at a time. Leaving its ``with``
    block, `close`, dropping it and a KeyboardInterrupt that comes out of it cancel what is under
    way.
    """

    def __init__(
        self, client: _core.BaseClient, rows: object, defaults: Mapping[str, object], **options: Any
    ) -> None:
        super().__init__(_Plan(client, rows, defaults, asynchronous=False, **options))
        self._outcomes = _outcomes(self._plan, self._tally)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Outcome:
        return next(self._outcomes)

    def collect(self) -> Outcomes:
        """Return the outcomes of all rows that are left, as a list.

        Interrupted by Ctrl-C and called again, it returns those that had come until then.
        """
        for outcome in self._outcomes:
            self._collected.append(outcome)
        return self._collected

    def close(self) -> None:
        """Cancel what is under way. The run is over then; closing again is harmless."""
        self._outcomes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.close()


# It knows nothing of its run, so that dropping the run ends it.
def _outcomes(plan: _Plan, tally: Tally) -> Generator[Outcome, None, None]:
    work = _Work(plan, tally)
    with work.ending(KeyboardInterrupt):
        rows = _Rows(plan, work)
        wait = _waiter(work)
        while True:
            rows.feed()
            if work.is_ready():
                yield work.give()
            elif work.is_waiting():
                wait()
                work.take()
            else:
                break
        if work.failure is not None:
            raise work.failure


def _waiter(work: _Work) -> Callable[[], None]:
    """Return what waits until something has come."""
    mailbox_wait, teller = work.mailbox.wait, work.teller
    if "gevent" in sys.modules:
        from merge_link._gevent import waiter_for

        mailbox_wait = waiter_for(work.mailbox)
    seconds = teller.beat or _A_WHILE

    def wait() -> None:
        while not mailbox_wait(seconds):
            teller.tick()

    return wait


# ---- asyncio ----


class AsyncBulkRun(_Run):
    """Many link tokens in the making: an asynchronous iterator of `Outcome`, and a context manager.

    Rows are taken and sent while it is iterated, by one task at a time. Leaving its ``async with``
    block, `aclose` and cancelling the task that iterates it cancel what is under way.
    """

    def __init__(
        self, client: _core.BaseClient, rows: object, defaults: Mapping[str, object], **options: Any
    ) -> None:
        super().__init__(_Plan(client, rows, defaults, asynchronous=True, **options))
        self._outcomes = _async_outcomes(self._plan, self._tally)

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[Outcome]:
        return self._outcomes.__anext__()

    async def collect(self) -> Outcomes:
        """Return the outcomes of all rows that are left, as a list.

        Cancelled and called again, it returns those that had come until then.
        """
        async for outcome in self._outcomes:
            self._collected.append(outcome)
        return self._collected

    async def aclose(self) -> None:
        """Cancel what is under way. The run is over then; closing again is harmless."""
        await self._outcomes.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        await self.aclose()


async def _async_outcomes(plan: _Plan, tally: Tally) -> AsyncGenerator[Outcome, None]:
    from asyncio import CancelledError, get_running_loop, sleep

    loop = get_running_loop()
    work = _AsyncWork(plan, tally)
    with work.ending(KeyboardInterrupt, CancelledError):
        rows = (_AsyncRows if isinstance(plan.rows, AsyncIterable) else _Rows)(plan, work)
        plan.wake = partial(loop.call_soon_threadsafe, work.tell)
        descriptor = work.mailbox.fileno()
        loop.add_reader(descriptor, work.take_and_tell)
        try:
            given = 0
            while True:
                rows.feed()
                if work.is_ready():
                    given += 1
                    if given % _AT_A_STRETCH == 0:
                        await sleep(0)
                    yield work.give()
                elif work.is_waiting() or not rows.is_over:
                    given = 0
                    await work.wait()
                else:
                    break
        finally:
            plan.wake = None
            loop.remove_reader(descriptor)
            await work.leave()
        if work.failure is not None:
            raise work.failure


class _AsyncWork(_Work):
    """Rows in, outcomes out, in a loop."""

    def __init__(self, plan: _Plan, tally: Tally) -> None:
        from asyncio import Event

        super().__init__(plan, tally)
        self._prepare = plan.client.prepare
        self._submit = self._submit_or_ask
        self._news = Event()
        self._tasks: set[Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> Task[None]:
        """Let it run until the end of all."""
        from asyncio import create_task

        task = create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def leave(self) -> None:
        """End what was started."""
        from asyncio import wait

        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await wait(self._tasks)

    def _submit_or_ask(
        self,
        operation: str,
        mailbox: _core.Mailbox,
        context: tuple[int, Row],
        flow: _core.Flow,
        fields: dict[str, Any],
    ) -> None:
        """Do as a client's submit() does, but leave the asking for a key to a task."""
        ticket = self._prepare(operation, fields)  # takes what is in the fields
        if ticket.key_source is None:
            ticket.submit(mailbox, context, flow)
        else:
            self.start(self._ask_and_submit(ticket, context))

    async def _ask_and_submit(self, ticket: _core.Ticket, context: tuple[int, Row]) -> None:
        from merge_link.aio import give_key

        try:
            await give_key((ticket,))
            ticket.submit(self.mailbox, context, self._flow)
        except Exception as error:
            self._in_flight -= 1
            self._arrive(outcome_of(*context, None, _without_our_frames(error)))
            self.tell()
        finally:
            del context  # a traceback may show what it holds

    def take_and_tell(self) -> None:
        """Take in what has come: the descriptor would else stay readable."""
        self.take()
        self.tell()

    def tell(self) -> None:
        """Wake who waits: there is an outcome, or the rows are over."""
        self._news.set()

    async def wait(self) -> None:
        """Wait until there is something new."""
        from asyncio import timeout

        self._news.clear()
        while not self._news.is_set():
            try:
                async with timeout(self.teller.beat):
                    await self._news.wait()
            except TimeoutError:
                self.teller.tick()


class _AsyncRows:
    """The rows that are left, of an asynchronous iterable: a task waits for them."""

    def __init__(self, plan: _Plan, work: _AsyncWork) -> None:
        from asyncio import Event

        self._plan = plan
        self._work = work
        self._room = Event()
        self.is_over = False
        self._task = work.start(self._pull())

    def feed(self) -> None:
        """Let as many come as there is room for."""
        if self._plan.is_stopped:
            self._task.cancel()
            self.is_over = True
        elif self._work.has_room():
            self._room.set()

    async def _pull(self) -> None:
        work = self._work
        row: Any = None
        try:
            rows = aiter(self._plan.rows)
            while True:
                row = await anext(rows, _END)
                if row is _END:
                    break
                work.begin(row)
                if work.is_ready():
                    work.tell()
                while not work.has_room():
                    self._room.clear()
                    await self._room.wait()
        except Exception as error:
            work.failure = _without_our_frames(error)
        finally:
            row = None  # a traceback may show what it holds
            self.is_over = True
            work.tell()
