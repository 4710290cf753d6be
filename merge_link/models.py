"""What calls return. The C core fills these classes; the rest is worked out when looked at."""

from __future__ import annotations

from merge_link.records import Record, credential, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from merge_link._cards import Revealed
    from merge_link.response import Response


def _no_extra(facts: bytes) -> dict[str, Any]:
    return {}


def _response(facts: bytes) -> Response:
    from merge_link.response import response_of

    return response_of(facts)


def _no_response() -> Response:
    from merge_link.response import no_response

    return no_response()


def _is_response(value: object) -> bool:
    from merge_link.response import Response

    return isinstance(value, Response)


def _expiry(facts: bytes) -> datetime:
    from datetime import UTC, datetime, timedelta

    from merge_link._core import answer_time, read_facts

    _, _, began, minutes, headers, _ = read_facts(facts)
    return datetime.fromtimestamp(answer_time(headers, began), UTC) + timedelta(minutes=minutes)


def _is_aware(value: object) -> bool:
    from datetime import datetime

    return isinstance(value, datetime) and value.utcoffset() is not None


class Result(Record):
    """A result of a call.

    ``extra`` holds what Merge answered beyond the fields that this version knows, ``response`` the
    facts of the HTTP answer. A result that is made by hand, in tests for instance, has an empty
    response unless it gets one: status code 0, no attempts, no headers.
    """

    extra: dict[str, Any] = derived(compute=_no_extra, default_factory=dict)
    response: Response = derived(
        compute=_response,
        default_factory=_no_response,
        check=_is_response,
        wanted="a merge_link.Response",
    )

    def to_dict(self) -> dict[str, Any]:
        """Return all that the API answered, credentials included, ready for JSON."""
        return {**super().to_dict(), **self.extra}


class LinkToken(Result):
    """A link token: what Merge Link opens with, once. It is a credential; repr() masks it.

    ``integration_name`` is set when the end user relinks a linked account, or when one integration
    was pre-selected. ``magic_link_url`` is set when it was asked for. ``expires_at`` is the
    server's clock plus ``link_expiry_mins`` (without a ``Date`` header: this machine's clock when
    the attempt began), in UTC. A token that is made by hand needs ``link_token=`` and
    ``expires_at=``, an aware datetime.

    ``dataclasses.asdict``, ``to_dict`` and a pickle of it hold the credential.

    Merge's page: https://docs.merge.dev/ats/link-token/
    """

    link_token: str = credential()
    integration_name: str | None = None
    magic_link_url: str | None = credential(default=None)
    expires_at: datetime = derived(
        compute=_expiry,
        check=_is_aware,
        wanted="an aware datetime, such as datetime.now(UTC) + timedelta(minutes=30)",
    )

    def is_expired(self, now: datetime | None = None) -> bool:
        """Say whether the token has expired at ``now`` (aware; default: this machine's clock)."""
        from datetime import UTC, datetime

        return (now or datetime.now(UTC)) >= self.expires_at

    def reveal(self) -> Revealed:
        """Return what a notebook shows with the credentials, and a button that copies each.

        They are saved with the notebook. Everywhere but in a notebook it is masked.
        """
        from merge_link._cards import Revealed

        return Revealed(self)
