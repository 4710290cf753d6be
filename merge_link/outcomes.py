"""What comes of a row: `Outcome`; and a list of these that a notebook shows: `Outcomes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from merge_link._core import read_facts
from merge_link.records import MASK, Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from merge_link.models import LinkToken


class Outcome(Record):
    """What came of a row: a token or an error, never both.

    ``index`` is the number of the row, from 0. ``request`` is the row itself, as it was given.
    ``error`` is what a call with that row would have raised: a `MergeLinkError`, a `TypeError` for
    what is no row, or what a callable ``api_key`` raised.

    repr() masks the token, and what may be a credential in the row. A pickle holds both.
    """

    index: int
    request: Any
    token: LinkToken | None = None
    error: Exception | None = None

    @property
    def ok(self) -> bool:
        """Is there a token?"""
        return self.error is None

    def to_dict(self) -> dict[str, Any]:
        """Return what came of it, flat, for a table such as pandas.DataFrame.

        ``index``, ``link_token``, ``integration_name``, ``magic_link_url``, ``expires_at`` (a
        datetime), ``attempts``, ``seconds`` (of the last attempt), ``error`` (the name of its
        class) and ``message``; None for what there is not. The credentials are among them, the
        row's own fields are not.
        """
        token, error = self.token, self.error
        attempts, seconds = effort_of(self)
        return {
            "index": self.index,
            "link_token": token and token.link_token,
            "integration_name": token and token.integration_name,
            "magic_link_url": token and token.magic_link_url,
            "expires_at": token and token.expires_at,
            "attempts": attempts,
            "seconds": seconds,
            "error": error and type(error).__name__,
            "message": error and str(error),
        }

    def _shown(self) -> dict[str, str]:
        return {**super()._shown(), "request": shown_row(self.request)}

    def _repr_html_(self) -> str:
        from merge_link._cards import of_outcome

        return of_outcome(self)


def outcome_of(
    index: int, request: Any, token: LinkToken | None, error: Exception | None
) -> Outcome:
    """Return the outcome as ``Outcome(...)`` does, without its checks: made once for each row."""
    outcome = object.__new__(Outcome)
    values = {"index": index, "request": request, "token": token, "error": error}
    object.__setattr__(outcome, "__dict__", values)
    return outcome


def effort_of(outcome: Outcome) -> tuple[int, float | None]:
    """Return how many requests were sent for it, and the seconds that the one with the token took.

    Without `Result.response`, which takes longer to make than the token did.
    """
    token = outcome.token
    if token is None:
        return getattr(outcome.error, "attempts", 0), None
    facts = token.__dict__.get("_facts")
    if facts is None:  # made by hand
        return token.response.attempts, token.response.timing.total
    _, attempts, _, _, _, seconds = read_facts(facts)
    return attempts, seconds[-1]


# ---- rows, shown ----


def shown_row(row: object) -> str:
    """Return what may be seen of a row: the fields that are no credentials and hold none."""
    if not isinstance(row, Mapping):
        return f"<{type(row).__name__}>"
    plain = _plain_fields()
    return repr({name: row[name] if name in plain else MASK for name in row})


def _plain_fields() -> set[str]:
    from merge_link._core import fields

    rows = fields("create_link_token")
    return {row["name"] for row in rows if row["type"] != "object"} | {"timeout", "max_retries"}


# ---- lists ----


class Outcomes(list[Outcome]):
    """A list of outcomes. A notebook shows it as a masked table, repr() as its numbers."""

    @property
    def tokens(self) -> list[LinkToken]:
        """The tokens that were made."""
        return [outcome.token for outcome in self if outcome.token is not None]

    @property
    def errors(self) -> list[Exception]:
        """The errors, of the rows of `failed`."""
        return [outcome.error for outcome in self if outcome.error is not None]

    @property
    def failed(self) -> Outcomes:
        """The outcomes with an error. ``[outcome.request for outcome in it]`` are their rows."""
        return Outcomes(outcome for outcome in self if outcome.error is not None)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a dict for each, as `Outcome.to_dict` makes it: for pandas.DataFrame."""
        return [outcome.to_dict() for outcome in self]

    @overload
    def __getitem__(self, where: SupportsIndex, /) -> Outcome: ...
    @overload
    def __getitem__(self, where: slice, /) -> Outcomes: ...
    def __getitem__(self, where: SupportsIndex | slice, /) -> Outcome | Outcomes:
        """Return one, or for a slice again an `Outcomes`."""
        if isinstance(where, slice):
            return Outcomes(super().__getitem__(where))
        return super().__getitem__(where)

    def __repr__(self) -> str:
        """Show numbers only: the text of an output is saved and logged in many places."""
        return f"<Outcomes: {counted(self)}>"

    def _repr_html_(self) -> str:
        from merge_link._cards import of_outcomes

        return of_outcomes(self)


def kinds_of(errors: Iterable[Exception]) -> dict[str, int]:
    """Return how many errors there are of each class, by its name, most first."""
    kinds: dict[str, int] = {}
    for error in errors:
        name = type(error).__name__
        kinds[name] = kinds.get(name, 0) + 1
    return dict(sorted(kinds.items(), key=lambda kind: -kind[1]))


def counted(outcomes: Outcomes) -> str:
    """Return how many there are and of what kind, in words."""
    errors = outcomes.errors
    tokens = _several(len(outcomes) - len(errors), "token")
    kinds = ", ".join(f"{count} {name}" for name, count in kinds_of(errors).items())
    return f"{tokens}, {_several(len(errors), 'error')} ({kinds})" if errors else tokens


def _several(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
