"""What the endpoints of Merge's API share: the call, its query and body, refusals, pages."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from werkzeug.wrappers import Response

from merge_link.sandbox.fields import Invalid, Record
from merge_link.sandbox.linking import LinkedAccount
from merge_link.sandbox.listing import InvalidCursor, Page
from merge_link.sandbox.web import Refusal, Request, json_response, parse_json

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """A request whose path, key and account token are known to be good. No repr of its secrets.

    ``api_key`` is the key whose data it sees; ``named`` is what the path says beside.
    """

    request: Request
    api_key: str
    named: Mapping[str, str]
    found: LinkedAccount | None  # of the account token, where one is needed

    @property
    def account(self) -> LinkedAccount:
        """The linked account of the account token, at an endpoint that needs one."""
        assert self.found is not None, "the endpoint must be marked as one that needs an account"
        return self.found

    @property
    def category(self) -> str | None:
        """The path's category; None where Merge has a path without one."""
        return self.named.get("category")

    @property
    def query(self) -> dict[str, str]:
        """The query; of a parameter that is there more than once, its last value."""
        return {name: values[-1] for name, values in self.request.args.lists()}

    def body(self, record: Record) -> dict[str, Any]:
        """The JSON body, checked. Raises `Refusal`."""
        with refusing():
            return record.check(parse_json(self.request))


View: TypeAlias = Callable[[Call], Response]


@contextmanager
def refusing() -> Iterator[None]:
    """Make `Refusal` of what is wrong with a body, a query or a cursor."""
    try:
        yield
    except Invalid as invalid:
        raise Refusal(400, invalid.problems) from None
    except InvalidCursor:
        raise Refusal(404, {"detail": "Invalid cursor"}) from None


def _as_it_is(result: object) -> object:
    return result


def page_response(page: Page[_T], show: Callable[[_T], object] = _as_it_is) -> Response:
    """A page as Merge answers it, with each result as it is shown."""
    return json_response(
        {
            "next": page.next,
            "previous": page.previous,
            "results": [show(result) for result in page.results],
        }
    )
