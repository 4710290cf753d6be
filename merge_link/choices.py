"""Values that Merge documents for members of its answers, for annotations of one's own.

Each set is open: Merge adds some, and an answer's value is kept as it is. An editor still completes
the known ones, and a type checker takes any other string. Loaded only when something asks for it.
"""

from typing import Literal, TypeAlias

__all__ = ["AccountStatus", "AccountType", "IssueStatus", "ResponseType", "SyncState"]

AccountStatus: TypeAlias = Literal["COMPLETE", "INCOMPLETE", "RELINK_NEEDED", "IDLE"] | str
"""Of a linked account."""

AccountType: TypeAlias = Literal["PRODUCTION", "TEST"] | str
"""Of a linked account."""

SyncState: TypeAlias = (
    Literal["SYNCING", "DONE", "FAILED", "DISABLED", "PAUSED", "PARTIALLY_SYNCED"] | str
)
"""How the sync of one model stands, or how the last one ended."""

IssueStatus: TypeAlias = Literal["ONGOING", "RESOLVED"] | str
"""Of an issue."""

ResponseType: TypeAlias = Literal["JSON", "BASE64_GZIP"] | str
"""How the other side's answer to a passthrough request is given."""
