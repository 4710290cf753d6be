"""Whose linked account a command is about: the account token, and a demo account in the sandbox."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from merge_link import Client
from merge_link.cli.connection import Connection, connection_options
from merge_link.cli.failures import ExitCode, Failure, Problem
from merge_link.cli.inputs import name_of, read_key
from merge_link.cli.options import refused_option

if TYPE_CHECKING:
    from merge_link.sandbox import Sandbox

VARIABLE = "MERGE_ACCOUNT_TOKEN"

_INSTEAD = f"set {VARIABLE} or use --account-token-file FILE"


@dataclass(frozen=True)
class AccountConnection(Connection):
    """The flags of `account_options`, as they were given."""

    account_token_file: str | None = None

    def _of_merge(self) -> dict[str, str | None]:
        return {**super()._of_merge(), "--account-token-file": self.account_token_file}

    def _files(self) -> dict[str, str | None]:
        return {**super()._files(), "account_token_file": self.account_token_file}

    def words(self, base_url: str | None = None) -> dict[str, str]:
        """What to call the client's options, by where they came from."""
        token = (
            f"the token of --account-token-file {name_of(self.account_token_file)}"
            if self.account_token_file is not None
            else self.variable(VARIABLE)
        )
        return {**super().words(base_url), "account_token": token}

    def account_token(self) -> str | None:
        """The token of the file, else of the environment; None if there is none."""
        if self.account_token_file is not None:
            return read_key("--account-token-file", self.account_token_file)
        return os.environ.get(VARIABLE) or None

    def credentials(self) -> dict[str, Any]:
        """The client's options that no variable of a frame should hold."""
        if self.sandbox:  # which has an account of its own
            return super().credentials()
        return {**super().credentials(), "account_token": self.account_token()}

    def account(
        self, category: str | None = None, *, needed: bool = True
    ) -> AbstractContextManager[Client]:
        """Return a client for the linked account, to be entered.

        With the sandbox an account is linked first, in the category of the request's path.
        ``needed``: raise `Failure` if there is no token.
        """
        if self.sandbox:
            return self.client(lambda sandbox: {"account_token": demo_account(sandbox, category)})
        if needed and self.account_token_file is None and not os.environ.get(VARIABLE):
            raise Failure(
                Problem(
                    f"no account token: {_INSTEAD}",
                    ("merge-link exchange gives one, for the public token of Merge Link.",),
                    ExitCode.CONFIGURATION,
                )
            )
        return self.client()


def demo_public_token(sandbox: "Sandbox", category: str | None = None) -> str:
    """Link an account as an end user would, and return its public token. Raises `Failure`."""
    from merge_link.sandbox.integrations import INTEGRATIONS

    category = category or "ats"
    known = sorted(one.slug for one in INTEGRATIONS if category in one.categories)
    if not known:
        raise Failure(f"--sandbox knows no integration of the category {category!r}")
    with sandbox.client() as client:
        link = client.create_link_token(
            end_user_email_address="hr@acme.example",
            end_user_organization_name="Acme",
            end_user_origin_id="acme-42",
            categories=[category],
        )
    return sandbox.complete_link(
        link.link_token, "greenhouse" if "greenhouse" in known else known[0]
    )


def demo_account(sandbox: "Sandbox", category: str | None = None) -> str:
    """Link an account as an end user would, and return its account token. Raises `Failure`."""
    public_token = demo_public_token(sandbox, category)
    with sandbox.client() as client:
        return client.retrieve_account_token(public_token, category=category).account_token


def account_options(
    what: str = "Read the account token from a file, - for stdin.", default: str = VARIABLE
) -> Sequence[click.Option]:
    """Return the flags that `AccountConnection` holds."""
    connection = list(connection_options())
    token = click.Option(
        ["--account-token-file"],
        type=click.Path(),
        metavar="FILE",
        help=f"{what}  [default: {default}]",
    )
    refused = refused_option(["--account-token", "--account_token"], "the account token", _INSTEAD)
    return [token, refused, *connection]
