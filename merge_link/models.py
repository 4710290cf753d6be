"""What calls return. The C core fills these classes; the rest is worked out when looked at."""

from __future__ import annotations

from merge_link.records import Record, credential, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from merge_link._cards import Revealed
    from merge_link.response import Facts, Response


def _no_extra(facts: Facts | None) -> dict[str, Any]:
    return {}


def _response(facts: Facts | None) -> Response | None:
    if facts is None:
        return None
    from merge_link.response import response_of

    return response_of(facts)


def _expiry(facts: Facts | None) -> datetime | None:
    if facts is None:
        return None
    from datetime import UTC, datetime, timedelta

    from merge_link._core import answer_time

    _, _, began, minutes, headers, _ = facts
    return datetime.fromtimestamp(answer_time(headers, began), UTC) + timedelta(minutes=minutes)


class Result(Record):
    """A result of a call.

    ``extra`` holds what Merge answered beyond the fields that this version knows, ``response`` the
    facts of the HTTP answer (None when the result was made by hand).
    """

    extra: dict[str, Any] = derived(compute=_no_extra)
    response: Response | None = derived(compute=_response)

    def to_dict(self) -> dict[str, Any]:
        """Return all that the API answered, credentials included, ready for JSON."""
        return {**super().to_dict(), **self.extra}


class LinkToken(Result):
    """A link token: what Merge Link opens with, once. It is a credential; repr() masks it.

    ``integration_name`` is set when the end user relinks a linked account, or when one integration
    was pre-selected. ``magic_link_url`` is set when it was asked for. ``expires_at`` is the
    server's clock plus ``link_expiry_mins`` (without a ``Date`` header: this machine's clock when
    the attempt began), in UTC; None when the token was made by hand.

    ``dataclasses.asdict``, ``to_dict`` and a pickle of it hold the credential.

    Merge's page: https://docs.merge.dev/ats/link-token/
    """

    link_token: str = credential()
    integration_name: str | None = None
    magic_link_url: str | None = credential(default=None)
    expires_at: datetime | None = derived(compute=_expiry)

    def is_expired(self, now: datetime | None = None) -> bool:
        """Say whether the token has expired at ``now`` (aware; default: this machine's clock)."""
        from datetime import UTC, datetime

        if self.expires_at is None:
            return False
        return (now or datetime.now(UTC)) >= self.expires_at

    def reveal(self) -> Revealed:
        """Return what a notebook shows with the credentials, and a button that copies each.

        They are saved with the notebook. Everywhere but in a notebook it is masked.
        """
        from merge_link._cards import Revealed

        return Revealed(self)
