"""Answers as results: what the C core's binding calls, once an answer is there and is JSON.

A class of ``models`` says what must be in an answer; see ``_decoding``. Loaded when a call returns
something else than a `LinkToken`.
"""

from __future__ import annotations

from merge_link import models
from merge_link._decoding import UnexpectedAnswer, decode, wrong_kind
from merge_link.records import member
from merge_link.response import Headers, Response, Timing, no_timing, response_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from merge_link.pages import AsyncPage, Page, Query

__all__ = ["RawResponse", "UnexpectedAnswer", "from_core"]

_PAGE = ("next", "previous", "results")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _loads(body: bytes, **options: Any) -> Any:
    from json import loads

    # Not of the bytes themselves, of which json would guess the encoding.
    return loads(str(body, "utf-8"), **options)


class RawResponse(Response):
    """An answer of any endpoint.

    ``data`` is what ``json.loads`` makes of it, exactly: integers of any size, floats to the last
    bit; None if it is no JSON or empty. ``content`` is the body as it came. repr() shows neither.
    Made by hand, in tests for instance, it needs no more than ``data=``.
    """

    data: Any = None
    content: bytes = b""
    status_code: int = 200
    request_id: str | None = None
    headers: Headers = member(default_factory=Headers)
    attempts: int = 0
    timing: Timing = member(default_factory=no_timing)

    def json(self) -> Any:
        """Return ``data``; raise `ResponseError` if the answer is no JSON."""
        if self.data is not None:
            return self.data
        try:
            return _loads(self.content, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            pass
        from merge_link.errors import ResponseError

        raise ResponseError(
            f"the answer is {'not JSON' if self.content else 'empty'}",
            status_code=self.status_code,
            request_id=self.request_id,
            attempts=self.attempts,
        )

    @property
    def response(self) -> Response:
        """The facts of the HTTP answer, as results have them: itself."""
        return self

    def _shown(self) -> dict[str, str]:
        shown = {name: repr(getattr(self, name)) for name in Response._types}
        return {**shown, "content": f"<{len(self.content)} bytes>"}


def from_core(  # noqa: PLR0917 (the binding's call)
    answer: str,
    result: str | None,
    body: bytes,
    facts: bytes,
    query: Query | None,
    is_json: bool,
) -> object:
    """Return the result of a call.

    Args:
        answer: what the operation answers: object, list, page, nothing or any.
        result: a class of ``models``, for what is answered or for each item; None for plain JSON.
        body: of the answer.
        facts: of the answer, for ``_core.read_facts``.
        query: the call, to be made again for further pages.
        is_json: whether the body is JSON.

    Raises:
        UnexpectedAnswer: not what the API promises. The text holds no value of the answer; the
            frames that it came through do.
        ValueError, RecursionError: of ``json.loads``.
    """
    if answer == "nothing":
        return None
    if answer == "any":
        return _raw(body, facts, is_json)
    cls = None if result is None else getattr(models, result)
    sent = _loads(body)
    if answer == "page":
        return _page(cls, sent, facts, query)
    if answer == "list":
        return _items(cls, sent, facts)
    if type(sent) is not dict:
        raise wrong_kind("an object", sent)
    return sent if cls is None else decode(cls, sent, facts)


def _raw(body: bytes, facts: bytes, is_json: bool) -> RawResponse:
    response = response_of(facts)
    data = _loads(body) if is_json and body else None
    return RawResponse(data=data, content=body, **response._values())


def _items(cls: Any, sent: Any, facts: bytes) -> list[Any]:
    if type(sent) is not list:
        raise wrong_kind("an array", sent)
    if cls is None:
        return sent
    items: list[Any] = []
    try:
        for one in sent:
            items.append(decode(cls, one, facts))
    except UnexpectedAnswer as problem:
        problem.inside(f"[{len(items)}]")
        raise
    return items


def _page(cls: Any, sent: Any, facts: bytes, query: Query | None) -> Page[Any] | AsyncPage[Any]:
    from merge_link.pages import AsyncPage, Page

    if type(sent) is not dict:
        raise wrong_kind("an object", sent)
    page = AsyncPage if query is not None and query.is_async else Page
    made: Page[Any] | AsyncPage[Any] = page(
        results=_member(sent, "results", lambda value: _items(cls, value, facts)),
        next_cursor=_member(sent, "next", _cursor),
        previous_cursor=_member(sent, "previous", _cursor),
        response=response_of(facts),
        extra={name: value for name, value in sent.items() if name not in _PAGE},
        query=query,
    )
    return made


def _member(sent: dict[str, Any], name: str, read: Callable[[Any], Any]) -> Any:
    try:
        return read(sent.get(name))
    except UnexpectedAnswer as problem:
        problem.inside(name)
        raise


def _cursor(value: Any) -> str | None:
    if value is not None and type(value) is not str:
        raise wrong_kind("a string", value)
    return value or None
