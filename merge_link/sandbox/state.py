"""What the sandbox remembers, and the credentials it makes up."""

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LinkToken:
    """A link token (40 URL-safe characters) and the code that ends its magic link's URL."""

    token: str = field(repr=False)
    magic_link_code: str = field(repr=False)


class State:
    """The sandbox's keys and tokens. Thread-safe."""

    def __init__(self, api_key: str) -> None:
        self._api_keys = frozenset({api_key})

    def accepts(self, api_key: str) -> bool:
        """Whether this is one of the sandbox's API keys."""
        return api_key in self._api_keys

    def create_link_token(self) -> LinkToken:
        """Make a link token that no one was given before."""
        # 30 random bytes are 40 characters of base64url, and never come twice.
        return LinkToken(secrets.token_urlsafe(30), secrets.token_urlsafe(18))


def make_api_key() -> str:
    """Make up an API key with the prefix of Merge's test keys."""
    return "test_" + secrets.token_urlsafe(24)
