"""Lists that come page by page: iterating, read-ahead, what goes wrong midway."""

import asyncio
import gc
import pickle
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import pytest

import merge_link
from answers import FULL, SECRET, read
from loops import ON_EACH_LOOP, run_in
from merge_link import AsyncPage, AsyncPager, Page, ResponseError, ServerError, _core
from merge_link.results import UnexpectedAnswer
from scripted import PATIENCE
from test_notebooks import Card

Run = Callable[[Any], Any]


class Book:
    """Pages as Merge has them, by their cursors: the next of 0 is "1", and so on."""

    def __init__(self, *sizes: int, next_of_last: str | None = None) -> None:
        numbers = iter(range(sum(sizes)))
        self.pages = [[{"id": str(next(numbers))} for _ in range(size)] for size in sizes]
        self.next_of_last = next_of_last
        self.asked: list[str | None] = []
        self.broken: set[str] = set()  # cursors that fail once
        self.is_async = False

    def body_at(self, cursor: str | None) -> dict[str, Any]:
        at = int(cursor or 0)
        is_last = at + 1 == len(self.pages)
        return {
            "next": self.next_of_last if is_last else str(at + 1),
            "previous": str(at - 1) if at else None,
            "results": self.pages[at],
        }

    def turn_to(self, cursor: str | None) -> Any:
        self.asked.append(cursor)
        if cursor in self.broken:
            self.broken.remove(cursor)
            raise ServerError("Merge answered 500", status_code=500)
        return read("page", "LinkedAccount", self.body_at(cursor), Query(self))


class Query:
    """What _core.Query is to pages."""

    def __init__(self, book: Book) -> None:
        self.client = Client()
        self.is_async = book.is_async
        self._book = book

    def call(self, cursor: str | None = None) -> Any:
        return self._book.turn_to(cursor)

    def ticket(self, cursor: str | None = None) -> Any:
        return Ticket(self._book, cursor)


class Ticket:
    """A call whose outcome comes when somebody waits for it."""

    key: str | None = None

    def __init__(self, book: Book, cursor: str | None) -> None:
        self._book = book
        self._cursor = cursor
        self.key_source: Callable[[], str] | None = getattr(book, "key_source", None)

    def set_key(self, key: str) -> None:
        self.key = key

    def submit(self, mailbox: "Mailbox", context: object, flow: None) -> None:
        assert self.key_source is None or self.key == SECRET
        mailbox.under_way.append((context, self.outcome()))

    def outcome(self) -> Any:
        try:
            return self._book.turn_to(self._cursor)
        except ServerError as error:
            return error.with_traceback(None)


class Mailbox:
    """What _core.Mailbox is to pages."""

    opened: list["Mailbox"] = []  # noqa: RUF012

    def __init__(self) -> None:
        self.under_way: list[Any] = []
        self.arrived: list[Any] = []
        self.is_closed = False
        self.opened.append(self)

    def wait(self, seconds: float) -> bool:
        assert self.under_way, "it would wait forever"
        self.arrived.append(self.under_way.pop())
        return True

    def take(self, most: int) -> list[Any]:
        taken, self.arrived = self.arrived, []
        return taken

    def close(self) -> None:
        self.is_closed = True
        self.under_way.clear()


class Client:
    """What AsyncClient is to pages."""

    async def _await(self, ticket: Ticket) -> Any:
        await asyncio.sleep(0)
        outcome = ticket.outcome()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture(autouse=True)
def mailboxes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Mailbox]]:
    """The mailboxes that were opened: all are closed at the end."""
    monkeypatch.setattr(_core, "Mailbox", Mailbox)
    monkeypatch.setattr(Mailbox, "opened", [])
    yield Mailbox.opened
    assert all(one.is_closed for one in Mailbox.opened)


def first_of(book: Book) -> Any:
    page = book.turn_to(None)
    book.asked.clear()
    return page


def ids(results: Any) -> list[int]:
    return [int(one.id) for one in results]


def collect(into: list[Any], results: Iterable[Any]) -> None:
    """Keep what comes before an error, too."""
    for one in results:
        into.append(one)


async def collect_async(into: list[Any], results: AsyncIterator[Any]) -> None:
    async for one in results:
        into.append(one)


both = pytest.mark.parametrize("read_ahead", [False, True], ids=["in turn", "read ahead"])
SIZES = [(0,), (1,), (3,), (3, 3), (3, 1), (3, 0), (0, 3), (2, 0, 0, 2), (1,) * 30]


# ---- one after the other ----


@both
@pytest.mark.parametrize("sizes", SIZES)
def test_iterating_gives_the_results_of_all_pages(sizes: tuple[int, ...], read_ahead: bool) -> None:
    book = Book(*sizes)
    page = first_of(book)
    assert ids(page.iterate(read_ahead=read_ahead)) == list(range(sum(sizes)))
    assert book.asked == [str(number) for number in range(1, len(sizes))]
    assert [len(one.results) for one in page.pages(read_ahead=read_ahead)] == list(sizes)


def test_a_page_is_an_iterable_that_can_be_begun_anew() -> None:
    page = first_of(Book(2, 2))
    assert ids(page) == ids(page) == [0, 1, 2, 3]
    assert type(page) is Page


def test_a_page_says_where_it_stands() -> None:
    first, second = first_of(Book(2, 1)).pages()
    assert (first.previous_cursor, first.next_cursor) == (None, "1")
    assert (second.previous_cursor, second.next_cursor) == ("0", None)
    assert ids(second.results) == [2]
    assert second.response.request_id == "r-1"
    assert second.results[0].response.status_code == 200
    assert repr(first) == "<Page of 2 LinkedAccount, more follow>"
    assert repr(second) == "<Page of 1 LinkedAccount>"


def test_it_fetches_a_page_when_it_is_come_to() -> None:
    book = Book(2, 2, 2)
    results = iter(first_of(book))
    assert (ids(islice(results, 2)), book.asked) == ([0, 1], [])
    assert (ids(islice(results, 1)), book.asked) == ([2], ["1"])
    assert (ids(results), book.asked) == ([3, 4, 5], ["1", "2"])


def test_reading_ahead_fetches_one_page_before_and_no_more() -> None:
    book = Book(2, 2, 2, 2)
    results = first_of(book).iterate(read_ahead=True)
    assert book.asked == []
    assert (ids(islice(results, 1)), book.asked) == ([0], ["1"])
    assert (ids(islice(results, 2)), book.asked) == ([1, 2], ["1", "2"])
    assert (ids(results), book.asked) == ([3, 4, 5, 6, 7], ["1", "2", "3"])


def test_members_of_a_page_that_are_not_known_yet_survive() -> None:
    page = read("page", "LinkedAccount", {"results": [], "count": 2**70, "extra": 1})
    assert page.extra == {"count": 2**70, "extra": 1}
    assert pickle.loads(pickle.dumps(page)).extra == page.extra
    assert Page([]).extra == {}


def test_an_empty_cursor_is_none() -> None:
    page = first_of(Book(2, next_of_last=""))
    assert page.next_cursor is None
    assert ids(page) == [0, 1]


# ---- circles ----


@both
@pytest.mark.parametrize(
    ("sizes", "next_of_last", "asked"),
    [((2,), "0", ["0"]), ((2, 2), "1", ["1"]), ((2, 2, 2), "1", ["1", "2"])],
)
def test_a_cursor_that_comes_twice_is_an_error_and_no_hang(
    sizes: tuple[int, ...], next_of_last: str, asked: list[str], read_ahead: bool
) -> None:
    book = Book(*sizes, next_of_last=next_of_last)
    found: list[Any] = []
    with pytest.raises(ResponseError, match=r"the same cursor twice \(request id r-1\)$") as caught:
        found.extend(first_of(book).iterate(read_ahead=read_ahead))
    assert caught.value.status_code == 200
    assert (caught.value.request_id, caught.value.attempts) == ("r-1", 1)
    assert book.asked == asked


@both
def test_all_that_came_before_a_circle_is_given_out(read_ahead: bool) -> None:
    page = first_of(Book(2, 2, 2, next_of_last="1"))
    given: list[Any] = []
    with pytest.raises(ResponseError):
        collect(given, page.iterate(read_ahead=read_ahead))
    assert ids(given) == [0, 1, 2, 3, 4, 5]


# ---- what goes wrong midway ----


@both
def test_a_page_that_fails_loses_nothing(read_ahead: bool) -> None:
    """The error comes out after all that came before, and the page can be asked for again."""
    book = Book(2, 2, 2)
    book.broken = {"2"}
    pages: list[Any] = []
    with pytest.raises(ServerError):
        collect(pages, first_of(book).pages(read_ahead=read_ahead))
    assert [ids(page.results) for page in pages] == [[0, 1], [2, 3]]
    assert pages[-1].next_cursor == "2"
    assert ids(book.turn_to("2")) == [4, 5]
    assert ids(pages[-1].iterate(read_ahead=read_ahead)) == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ([], "the answer must be an object, is an array"),
        ({}, "member results of the answer must be an array, is null"),
        ({"results": {}}, "member results of the answer must be an array, is an object"),
        ({"results": [5]}, "member results[0] of the answer must be an object, is a number"),
        ({"results": [], "next": 5}, "member next of the answer must be a string, is a number"),
        ({"results": [], "previous": []}, "member previous of the answer must be a string, is an"),
    ],
)
def test_what_is_no_page_is_refused(sent: Any, said: str) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        read("page", "LinkedAccount", sent)
    assert str(caught.value).startswith(said)


def test_an_error_that_came_ahead_holds_no_page(mailboxes: list[Mailbox]) -> None:
    book = Book(2, 2)
    book.broken = {"1"}
    with pytest.raises(ServerError) as caught:
        list(first_of(book).pages(read_ahead=True))
    frames = [entry.frame.f_locals for entry in caught.traceback[1:]]
    assert "outcome" not in {name for frame in frames for name in frame}


def test_leaving_early_cancels_what_is_under_way(mailboxes: list[Mailbox]) -> None:
    book = Book(2, 2, 2)
    for _ in first_of(book).iterate(read_ahead=True):
        (mailbox,) = mailboxes
        assert mailbox.under_way
        break
    gc.collect()
    assert mailbox.is_closed
    assert not mailbox.under_way
    pages = first_of(book).pages(read_ahead=True)
    next(pages)
    pages.close()
    assert mailboxes[-1].is_closed


def test_a_key_is_asked_for_before_a_page_is_fetched_ahead() -> None:
    book = Book(1, 1, 1)
    asked: list[int] = []

    def key() -> str:
        asked.append(1)
        return SECRET

    book.key_source = key  # type: ignore[attr-defined]
    assert ids(first_of(book).iterate(read_ahead=True)) == [0, 1, 2]
    assert len(asked) == 2


def test_what_is_wrong_with_asking_comes_after_the_page(mailboxes: list[Mailbox]) -> None:
    book = Book(2, 2)
    book.key_source = lambda: 1 / 0  # type: ignore[attr-defined]
    given: list[Any] = []
    with pytest.raises(ZeroDivisionError):
        collect(given, first_of(book).iterate(read_ahead=True))
    assert ids(given) == [0, 1]


def test_an_interrupt_while_it_waits_comes_out(
    mailboxes: list[Mailbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(mailbox: Mailbox, seconds: float) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(Mailbox, "wait", interrupt)
    pages = first_of(Book(2, 2)).pages(read_ahead=True)
    page = next(pages)
    with pytest.raises(KeyboardInterrupt):
        next(pages)
    assert mailboxes[0].is_closed
    monkeypatch.undo()
    assert ids(page) == [0, 1, 2, 3]


# ---- made by hand, pickled, shown ----


def test_a_page_is_easily_made_by_hand() -> None:
    page = Page(["a", "b"])
    assert list(page) == ["a", "b"]
    assert (page.next_cursor, page.response.status_code) == (None, 0)
    assert Page[int] is not None


@pytest.mark.parametrize("read_ahead", [False, True])
def test_one_that_is_by_itself_says_so_when_others_are_asked_for(read_ahead: bool) -> None:
    page = pickle.loads(pickle.dumps(first_of(Book(2, 2))))
    given: list[Any] = []
    with pytest.raises(ValueError, match="comes out of a pickle: ask the client"):
        given.extend(page.iterate(read_ahead=read_ahead))
    assert ids(page.results) == [0, 1]
    assert page.next_cursor == "1"
    assert page.response.request_id == "r-1"


def test_to_dicts_is_what_a_table_takes() -> None:
    page = read("page", "LinkedAccount", {"next": None, "results": [FULL["LinkedAccount"]] * 2})
    assert page.to_dicts() == [FULL["LinkedAccount"]] * 2
    plain = read("page", None, {"next": None, "results": [{"a": 1}]})
    assert plain.to_dicts() == plain.results == [{"a": 1}]
    assert [one["id"] for one in first_of(Book(2, 1)).to_dicts()] == ["0", "1", "2"]


@pytest.mark.parametrize("name", ["LinkedAccount", "Issue", "SyncStatus", "AuditEvent"])
def test_a_notebook_shows_a_masked_table(name: str) -> None:
    page = read("page", name, {"next": "c", "results": [FULL[name], FULL[name]]})
    card = Card(page)
    assert card.text.startswith("Page 2 results; more pages follow")
    head, *rows = card.rows
    assert len(rows) == 2
    assert set(head) <= FULL[name].keys()
    assert "None" not in "".join(rows[0])
    assert SECRET not in card.html


def test_a_table_names_an_object_by_its_name() -> None:
    page = read("page", "LinkedAccount", {"next": None, "results": [FULL["LinkedAccount"]]})
    head, row = Card(page).rows
    shown = dict(zip(head, row, strict=True))
    assert shown["integration"] == "Greenhouse"
    assert shown["end_user_organization_name"] == "Acme"
    assert shown["status"] == "RELINK_NEEDED"
    assert shown["end_user_origin_id"] == FULL["LinkedAccount"]["end_user_origin_id"]


def test_a_table_of_plain_dicts_has_their_first_columns() -> None:
    rows = [
        {"id": "1", "first_name": "<b>", "emails": [SECRET], "api_key": SECRET, "a": 1, "b": 2.5},
        {"id": "2", "first_name": {"x": SECRET}, "extra": 5},
    ]
    card = Card(read("page", None, {"next": None, "results": rows}))
    head, first, second = card.rows
    assert head == ["id", "first_name", "api_key", "a", "b"]
    assert first == ["1", "<b>", "********", "1", "2.5"]
    assert second == ["2", "…", "None", "None", "None"]
    assert SECRET not in card.html


@pytest.mark.parametrize("results", [[], [5, "a", 0.5], [[1]]])
def test_a_table_of_anything(results: list[Any]) -> None:
    card = Card(read("page", None, {"next": None, "results": results}))
    assert len(card.rows) == (len(results) + 1 if results else 0)


def test_a_long_page_is_cut() -> None:
    card = Card(first_of(Book(80)))
    assert len(card.rows) == 51
    assert "… and 30 more of this page" in card.text


# ---- asyncio ----


class TestAsync:
    """The same, to be awaited."""

    pytestmark = ON_EACH_LOOP

    @pytest.fixture
    def run(self, loop_name: str) -> Run:
        """Run a coroutine in a new loop of each kind, which complains of nothing."""
        return lambda main: run_in(loop_name, main)

    @staticmethod
    def pager(book: Book) -> AsyncPager[Any]:
        book.is_async = True

        async def first() -> AsyncPage[Any]:
            page: AsyncPage[Any] = book.turn_to(None)
            book.asked.clear()
            return page

        return AsyncPager(first())

    @both
    @pytest.mark.parametrize("sizes", SIZES)
    def test_iterating_gives_the_results_of_all_pages(
        self, run: Run, sizes: tuple[int, ...], read_ahead: bool
    ) -> None:
        book = Book(*sizes)

        async def main() -> None:
            pager = self.pager(book)
            found = [one async for one in pager.iterate(read_ahead=read_ahead)]
            assert ids(found) == list(range(sum(sizes)))
            assert book.asked == [str(number) for number in range(1, len(sizes))]
            pages = [one async for one in pager.pages(read_ahead=read_ahead)]
            assert [len(one.results) for one in pages] == list(sizes)

        run(main())

    def test_a_pager_is_awaited_for_a_page_or_iterated(self, run: Run) -> None:
        async def main() -> None:
            page = await self.pager(Book(2, 2))
            assert type(page) is AsyncPage
            assert ids(page.results) == [0, 1]
            assert ids([one async for one in page]) == [0, 1, 2, 3]
            assert [one["id"] for one in await page.to_dicts()] == ["0", "1", "2", "3"]
            assert ids([one async for one in self.pager(Book(2, 2))]) == [0, 1, 2, 3]
            assert repr(page) == "<AsyncPage of 2 LinkedAccount, more follow>"
            assert Card(page).text.startswith("AsyncPage 2 results")

        run(main())

    def test_a_pager_asks_for_its_first_page_once(self, run: Run) -> None:
        async def main() -> None:
            pager = self.pager(Book(2, 2))
            assert await pager is await pager
            assert ids([one async for one in pager]) == [0, 1, 2, 3]
            assert await asyncio.wait_for(pager, 5) is await pager

        run(main())

    def test_a_pager_is_a_coroutine_to_tasks(self, run: Run) -> None:
        async def main() -> None:
            pager = self.pager(Book(2, 2))
            async with asyncio.TaskGroup() as group:
                task = group.create_task(pager)
            assert ids(task.result().results) == [0, 1]
            assert await asyncio.create_task(pager) is await pager is task.result()

        run(main())

    def test_a_task_of_a_pager_can_be_cancelled(self, run: Run) -> None:
        ended: list[BaseException] = []

        async def first() -> Any:
            try:
                await asyncio.sleep(PATIENCE)
            except asyncio.CancelledError as error:
                ended.append(error)
                raise

        async def main() -> None:
            task = asyncio.create_task(AsyncPager(first()))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert ended

        run(main())

    def test_a_pager_that_nobody_asks_for_can_be_closed(self, run: Run) -> None:
        async def main() -> None:
            self.pager(Book(1)).close()  # without a warning

        run(main())

    def test_what_is_wrong_with_the_call_comes_out_when_it_is_awaited(self, run: Run) -> None:
        async def refused() -> Any:
            raise merge_link.ConfigurationError("no account token")

        async def main() -> None:
            with pytest.raises(merge_link.ConfigurationError):
                await AsyncPager(refused())
            with pytest.raises(merge_link.ConfigurationError):
                [one async for one in AsyncPager(refused())]

        run(main())

    @both
    def test_a_cursor_that_comes_twice_is_an_error(self, run: Run, read_ahead: bool) -> None:
        given: list[Any] = []

        async def main() -> None:
            pager = self.pager(Book(2, 2, next_of_last="1"))
            await collect_async(given, pager.iterate(read_ahead=read_ahead))

        with pytest.raises(ResponseError, match="the same cursor twice"):
            run(main())
        assert ids(given) == [0, 1, 2, 3]

    @both
    def test_a_page_that_fails_loses_nothing(self, run: Run, read_ahead: bool) -> None:
        book = Book(2, 2, 2)
        book.broken = {"2"}

        async def main() -> None:
            pages: list[Any] = []
            with pytest.raises(ServerError):
                await collect_async(pages, self.pager(book).pages(read_ahead=read_ahead))
            assert [ids(page.results) for page in pages] == [[0, 1], [2, 3]]
            assert ids([one async for one in pages[-1]]) == [2, 3, 4, 5]

        run(main())

    def test_reading_ahead_fetches_one_page_before_and_no_more(self, run: Run) -> None:
        book = Book(1, 1, 1, 1)

        async def main() -> None:
            pages = self.pager(book).pages(read_ahead=True)
            for expected in (["1"], ["1", "2"], ["1", "2", "3"], ["1", "2", "3"]):
                await anext(pages)
                for _ in range(5):
                    await asyncio.sleep(0)
                assert book.asked == expected
            assert [one async for one in pages] == []

        run(main())

    @pytest.mark.parametrize("way", ["aclose", "break", "cancel"])
    def test_leaving_early_cancels_what_is_under_way(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, way: str
    ) -> None:
        ended: list[str] = []

        async def never(client: Client, ticket: Ticket) -> Any:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cancelled")

        async def leave(results: AsyncIterator[Any]) -> None:
            async for _ in results:
                await asyncio.sleep(0)
                if way == "break":
                    break
                if way == "aclose":
                    await results.aclose()  # type: ignore[attr-defined]

        async def main() -> None:
            monkeypatch.setattr(Client, "_await", never)
            task = asyncio.create_task(leave(self.pager(Book(1, 1)).iterate(read_ahead=True)))
            for _ in range(10):
                await asyncio.sleep(0)
            if way == "cancel":
                task.cancel()
            await asyncio.wait({task}, timeout=10)
            assert task.done()
            gc.collect()
            for _ in range(10):
                await asyncio.sleep(0)
            assert ended == ["cancelled"]
            assert asyncio.all_tasks() == {asyncio.current_task()}

        run(main())

    def test_a_failure_ahead_that_nobody_comes_to_is_not_complained_of(self, run: Run) -> None:
        book = Book(1, 1)
        book.broken = {"1"}

        async def main() -> None:
            pages = self.pager(book).pages(read_ahead=True)
            await anext(pages)
            for _ in range(5):
                await asyncio.sleep(0)
            assert book.asked == ["1"]
            await pages.aclose()
            gc.collect()

        run(main())

    def test_a_page_without_a_client_says_so(self, run: Run) -> None:
        async def main() -> None:
            page = pickle.loads(pickle.dumps(await self.pager(Book(1, 1))))
            assert type(page) is AsyncPage
            with pytest.raises(ValueError, match="ask the client"):
                [one async for one in page]

        run(main())
