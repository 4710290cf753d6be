"""What linking is made of, in Merge's words: values without behaviour, and the tokens' making.

No repr shows a credential.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from merge_link.sandbox.integrations import Integration, find_integration

Status: TypeAlias = Literal["COMPLETE", "INCOMPLETE", "RELINK_NEEDED", "IDLE"]
STATUSES: tuple[Status, ...] = ("COMPLETE", "INCOMPLETE", "RELINK_NEEDED", "IDLE")

ISSUE_STATUSES = ("ONGOING", "RESOLVED")

EventName: TypeAlias = Literal[
    "linked",
    "relinked",
    "deleted",
    "synced",
    "fully_synced_initial",
    "issue_created",
    "issue_resolved",
]

PUBLIC_TOKEN_MINUTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkToken:
    """A link token, with all of the order that it was made for.

    ``order`` is the body of the request, checked and cleaned (UUIDs as text). ``integration``
    is the slug that Merge Link opens with: the one that the order names, else the one that the
    same end user has linked already. ``magic_link_code`` ends the URL of its magic link.
    """

    token: str = field(repr=False)
    magic_link_code: str | None = field(repr=False)
    api_key: str = field(repr=False)
    order: Mapping[str, Any]
    integration: str | None
    created_at: float
    expires_at: float
    state: Literal["ready", "used", "expired"]

    @property
    def integration_name(self) -> str | None:
        """The display name of the integration that Merge Link opens with."""
        return find_integration(self.integration).name if self.integration else None

    @property
    def categories(self) -> list[str]:
        """The categories that Merge Link shows."""
        categories: list[str] = self.order["categories"]
        return categories

    @property
    def end_user_origin_id(self) -> str:
        """The caller's own id of the end user."""
        origin_id: str = self.order["end_user_origin_id"]
        return origin_id


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedAccount:
    """A linked account. ``number`` counts them in the order of their first linking."""

    number: int
    id: str
    api_key: str = field(repr=False)
    account_token: str = field(repr=False)
    account_type: Literal["PRODUCTION", "TEST"]
    category: str
    integration_slug: str
    integration_name: str
    end_user_origin_id: str
    end_user_organization_name: str
    end_user_email_address: str
    status: Status
    completed_at: float

    @property
    def integration(self) -> Integration:
        """What is known of its integration."""
        return find_integration(self.integration_slug)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicToken:
    """A public token, and the linked account that it can be exchanged for."""

    token: str = field(repr=False)
    expires_at: float
    account: LinkedAccount


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a linked account, which is given as it was right after.

    ``data`` is what Merge says of it beside, ready for JSON.
    """

    name: EventName
    account: LinkedAccount
    data: Mapping[str, Any] = field(default_factory=dict)


class AccountGone(LookupError):
    """A linked account was deleted since it was found."""


class LinkRefused(ValueError):
    """This link token cannot be used, or not for that; ``reason`` is for programs."""

    def __init__(
        self, reason: Literal["unknown", "used", "expired", "integration"], message: str
    ) -> None:
        super().__init__(message)
        self.reason = reason


def make_token() -> str:
    """Make up a link token, public token or account token: 40 URL-safe characters."""
    # 30 random bytes are 40 characters of base64url, and never come twice.
    return secrets.token_urlsafe(30)


def make_magic_link_code() -> str:
    """Make up what ends the URL of a magic link: 24 URL-safe characters."""
    return secrets.token_urlsafe(18)


def make_api_key() -> str:
    """Make up an API key with the prefix of Merge's test keys."""
    return "test_" + secrets.token_urlsafe(24)


def account_type(api_key: str) -> Literal["PRODUCTION", "TEST"]:
    """What accounts are linked under a key: only ``production_…`` keys link real ones."""
    return "PRODUCTION" if api_key.startswith("production_") else "TEST"
