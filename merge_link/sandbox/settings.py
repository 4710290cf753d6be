"""What callers set and send for one linked account, and get back; each method is atomic."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from merge_link.sandbox import accounts, audit, mappings, passthrough, scopes
from merge_link.sandbox.audit import Deed
from merge_link.sandbox.clock import Clock
from merge_link.sandbox.linking import AccountGone, LinkedAccount
from merge_link.sandbox.store import Store


class Settings:
    """Scopes, webhook receivers, mappings, ignored objects, passthrough. Thread-safe.

    Every method takes a linked account, and raises `AccountGone` if it was deleted meanwhile. One
    that takes ``ip_address`` adds to the audit trail that it was done from there.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    # ---- passthrough ----

    def pass_through_later(self, account: LinkedAccount, request: Mapping[str, Any]) -> str:
        """Answer a passthrough request a little later; its receipt."""
        with self._of(account) as db:
            return passthrough.insert(db, account, request, self._clock.now())

    def find_passthrough(self, account: LinkedAccount, id: str) -> dict[str, Any] | str | None:
        """The answer behind a receipt; text while it is not there yet."""
        with self._of(account) as db:
            return passthrough.find(db, account, id, self._clock.now())

    # ---- scopes and receivers ----

    def read_scopes(self, account: LinkedAccount) -> list[dict[str, Any]]:
        """The scopes of an account."""
        with self._of(account) as db:
            return scopes.read_scopes(db, account)

    def write_scopes(
        self, account: LinkedAccount, common_models: Iterable[Mapping[str, Any]], ip_address: str
    ) -> list[dict[str, Any]]:
        """Set the scopes of an account, and return them all."""
        with self._of(account) as db:
            scopes.write_scopes(db, account, common_models)
            text = f"Changed the scopes of the linked account {account.id}"
            audit.note(db, self._deed(account, ip_address), "CHANGED_SCOPES", text)
            return scopes.read_scopes(db, account)

    def read_receivers(self, account: LinkedAccount) -> list[dict[str, Any]]:
        """The webhook receivers of an account."""
        with self._of(account) as db:
            return scopes.read_receivers(db, account)

    def add_receiver(self, account: LinkedAccount, receiver: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a webhook receiver."""
        with self._of(account) as db:
            return scopes.insert_receiver(db, account, receiver)

    # ---- mappings ----

    def read_target_fields(self, account: LinkedAccount) -> mappings.ByModel:
        """The target fields of an account's organization."""
        with self._of(account) as db:
            return mappings.read_target_fields(db, account)

    def add_target_field(
        self, account: LinkedAccount, model: str, name: str, description: str | None
    ) -> mappings.ByModel:
        """Make a target field, and return them all."""
        with self._of(account) as db:
            mappings.write_target_field(db, account, model, name, description)
            return mappings.read_target_fields(db, account)

    def read_mappings(self, account: LinkedAccount) -> mappings.ByModel:
        """The field mappings of an account."""
        with self._of(account) as db:
            return mappings.read_mappings(db, account)

    def add_mapping(
        self, account: LinkedAccount, body: Mapping[str, Any], ip_address: str
    ) -> dict[str, Any]:
        """Make a field mapping."""
        with self._of(account) as db:
            deed = self._deed(account, ip_address)
            return mappings.insert_mapping(db, deed, account, body)

    def change_mapping(
        self, account: LinkedAccount, id: str, body: Mapping[str, Any], ip_address: str
    ) -> dict[str, Any] | None:
        """Change a field mapping; None if the account has no such."""
        with self._of(account) as db:
            deed = self._deed(account, ip_address)
            return mappings.update_mapping(db, deed, account, id, body)

    def delete_mapping(self, account: LinkedAccount, id: str, ip_address: str) -> bool:
        """Delete a field mapping; whether the account had it."""
        with self._of(account) as db:
            deed = self._deed(account, ip_address)
            return mappings.delete_mapping(db, deed, account, id)

    # ---- ignored objects ----

    def ignore(self, account: LinkedAccount, id: str, reason: str, message: str | None) -> None:
        """Ignore an object of a common model from now on."""
        with self._of(account) as db:
            scopes.ignore(db, account, id, reason, message)

    def ignored_ids(self, account: LinkedAccount) -> frozenset[str]:
        """The ids of an account's objects that are ignored."""
        with self._of(account) as db:
            return scopes.ignored_ids(db, account)

    @contextmanager
    def _of(self, account: LinkedAccount) -> Iterator[sqlite3.Connection]:
        with self._store.transaction as db:
            if accounts.find_account(db, number=account.number) is None:
                raise AccountGone
            yield db

    def _deed(self, account: LinkedAccount, ip_address: str) -> Deed:
        return Deed(account.api_key, ip_address, self._clock.now())
