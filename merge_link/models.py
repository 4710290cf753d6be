"""What calls return.

The C core fills a `LinkToken` itself; what few look at is worked out when somebody does. The other
classes live in ``accounts`` and ``mappings``, which are loaded when one of theirs is asked for, and
are filled by ``results``.
"""

from __future__ import annotations

from merge_link.records import Secret, credential, derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from merge_link.accounts import (
        AccountDetails,
        AccountToken,
        ActionScope,
        AsyncPassthroughReceipt,
        AuditEvent,
        AvailableActions,
        CommonModelScope,
        FieldScope,
        Integration,
        Issue,
        LinkedAccount,
        ModelOperation,
        PassthroughResponse,
        RegeneratedAccountToken,
        RemoteKey,
        Scopes,
        SyncStatus,
        WebhookReceiver,
    )
    from merge_link.mappings import (
        FieldMapping,
        FieldMappingResult,
        FieldMappings,
        MappingProblem,
        RemoteEndpoint,
        RemoteField,
        RemoteFields,
        TargetField,
        TargetFields,
    )

_SOURCES = {
    "accounts": (
        *("AccountDetails", "AccountToken", "ActionScope", "AsyncPassthroughReceipt"),
        *("AuditEvent", "AvailableActions", "CommonModelScope", "FieldScope", "Integration"),
        *("Issue", "LinkedAccount", "ModelOperation", "PassthroughResponse"),
        *("RegeneratedAccountToken", "RemoteKey", "Scopes", "SyncStatus", "WebhookReceiver"),
    ),
    "mappings": (
        *("FieldMapping", "FieldMappingResult", "FieldMappings", "MappingProblem"),
        *("RemoteEndpoint", "RemoteField", "RemoteFields", "TargetField", "TargetFields"),
    ),
}

__all__ = [
    "AccountDetails",
    "AccountToken",
    "ActionScope",
    "AsyncPassthroughReceipt",
    "AuditEvent",
    "AvailableActions",
    "CommonModelScope",
    "FieldMapping",
    "FieldMappingResult",
    "FieldMappings",
    "FieldScope",
    "Integration",
    "Issue",
    "LinkToken",
    "LinkedAccount",
    "MappingProblem",
    "ModelOperation",
    "PassthroughResponse",
    "RegeneratedAccountToken",
    "RemoteEndpoint",
    "RemoteField",
    "RemoteFields",
    "RemoteKey",
    "Scopes",
    "SyncStatus",
    "TargetField",
    "TargetFields",
    "WebhookReceiver",
]

# Type checkers must not see it: to them it would make every misspelt name a good one.
if not TYPE_CHECKING:

    def __getattr__(name):
        for source, names in _SOURCES.items():
            if name in names:
                from importlib import import_module

                value = globals()[name] = getattr(import_module(f"merge_link.{source}"), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _expiry(facts: bytes) -> datetime:
    from datetime import UTC, datetime, timedelta

    from merge_link._core import answer_time, read_facts

    _, _, began, minutes, headers, _ = read_facts(facts)
    return datetime.fromtimestamp(answer_time(headers, began), UTC) + timedelta(minutes=minutes)


def _is_aware(value: object) -> bool:
    from datetime import datetime

    return isinstance(value, datetime) and value.utcoffset() is not None


class LinkToken(Secret):
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
