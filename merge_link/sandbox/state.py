"""What the sandbox remembers, and what may happen to it: Merge's linking, without HTTP."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from merge_link.sandbox import accounts, audit, issues, keys, scopes, sync, tokens
from merge_link.sandbox.audit import Deed
from merge_link.sandbox.clock import Clock
from merge_link.sandbox.issues import Issue
from merge_link.sandbox.linking import (
    PUBLIC_TOKEN_MINUTES,
    STATUSES,
    AccountGone,
    Event,
    LinkedAccount,
    LinkToken,
    PublicToken,
    Status,
    make_api_key,
    make_magic_link_code,
    make_token,
)
from merge_link.sandbox.listing import (
    Conditions,
    Filters,
    Page,
    is_one_of,
    read_page,
    select_rows,
)
from merge_link.sandbox.settings import Settings
from merge_link.sandbox.store import Store

_Happen = Callable[[Event], None]

# What belongs to a linked account goes with it.
_ALL_BUT_KEYS = (
    "public_tokens",
    "linked_accounts",
    "link_tokens",
    "generated_keys",
    "audit_events",
    "target_fields",
    "field_mappings",
)


class State:
    """The sandbox's keys, tokens and linked accounts. Thread-safe; each method is atomic.

    Each API key has its own data, but a generated one shares its `owner`'s: a method that takes a
    key takes an owner, and sees nothing of another's. One that takes ``ip_address`` adds to the
    audit trail that it was done from there.

    ``listeners`` are called with each `Event`, in the order of the changes, after the change is
    kept and before the method returns. They must be quick, and not raise; they may read the
    state.

    Arguments:
        api_key: the first key; None for the one that the file began with, or a made-up one.
        path: a file that keeps it all; None for memory.
        strict_keys: accept only its own keys; else every ``test_…`` and ``production_…`` too.

    Raises `ValueError` for a file that cannot be used.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        path: str | os.PathLike[str] | None = None,
        strict_keys: bool = True,
    ) -> None:
        self.listeners: list[Callable[[Event], None]] = []
        self._strict_keys = strict_keys
        self._store = Store(path)
        with self._store.transaction as db:
            known = [key for (key,) in db.execute("SELECT api_key FROM api_keys ORDER BY number")]
            (ahead,) = db.execute("SELECT seconds_ahead FROM clock").fetchone()
            self._generated = keys.read_owners(db)
        self.clock: Clock = Clock(ahead)
        self.settings: Settings = Settings(self._store, self.clock)
        self.api_key: str = api_key or next(iter(known), None) or make_api_key()
        self._api_keys = frozenset(known)
        self.add_api_key(self.api_key)

    def close(self) -> None:
        """Give up the file, if there is one. The state is of no use afterwards."""
        self._store.close()

    def reset(self) -> None:
        """Forget everything but the first key, and go back to the machine's time."""
        with self._store.transaction as db:
            for table in _ALL_BUT_KEYS:
                db.execute(f"DELETE FROM {table}")
            db.execute("DELETE FROM api_keys WHERE api_key <> ?", [self.api_key])
            db.execute("UPDATE clock SET seconds_ahead = 0")
            self._api_keys = frozenset({self.api_key})
            self._generated = {}
            self.clock.reset()

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass at once. What happened meanwhile is told."""
        with self._change() as (db, happen):
            db.execute("UPDATE clock SET seconds_ahead = ?", [self.clock.advance(seconds)])
            if self.listeners:
                for account in accounts.all_accounts(db):
                    self._tell_syncs(db, happen, account)

    # ---- API keys ----

    def add_api_key(self, api_key: str) -> None:
        """Accept this key too, from now on."""
        with self._store.transaction as db:
            db.execute("INSERT OR IGNORE INTO api_keys (api_key) VALUES (?)", [api_key])
            self._api_keys |= {api_key}

    def owner(self, api_key: str) -> str | None:
        """The key whose data callers see who show this one; None if it is not good."""
        if api_key in self._api_keys:
            return api_key
        generated = self._generated  # which another thread may replace
        if api_key in generated:
            return generated[api_key]
        if not self._strict_keys and api_key.startswith(("test_", "production_")):
            return api_key
        return None

    def accepts(self, api_key: str) -> bool:
        """Whether callers may show this API key."""
        return self.owner(api_key) is not None

    def generate_key(self, api_key: str, name: str, ip_address: str) -> str:
        """Make another API key of that name, for the same data."""
        with self._store.transaction as db:
            made = keys.generate(db, self._deed(api_key, ip_address), name)
            self._generated = {**self._generated, made: api_key}
        return made

    def regenerate_key(self, api_key: str, name: str, ip_address: str) -> str | None:
        """Replace the latest generated key of that name; None if there is no such."""
        with self._store.transaction as db:
            made = keys.regenerate(db, self._deed(api_key, ip_address), name)
            self._generated = keys.read_owners(db)
        return made

    def read_trail(
        self, api_key: str, conditions: Conditions = (), *, cursor: str = "", page_size: int = 100
    ) -> Page[dict[str, Any]]:
        """A page of the audit trail. Raises `InvalidCursor`."""
        with self._store.transaction as db:
            return audit.read_trail(db, api_key, conditions, cursor, page_size)

    def _deed(self, api_key: str, ip_address: str) -> Deed:
        return Deed(api_key, ip_address, self.clock.now())

    # ---- link tokens ----

    def create_link_token(
        self, api_key: str, order: Mapping[str, Any], ip_address: str = ""
    ) -> LinkToken:
        """Make a link token that no one was given before, for a checked order."""
        magic = order.get("should_create_magic_link_url")
        now = self.clock.now()
        with self._store.transaction as db:
            link = LinkToken(
                token=make_token(),
                magic_link_code=make_magic_link_code() if magic else None,
                api_key=api_key,
                order=order,
                integration=order.get("integration")
                or accounts.integration_to_relink(db, api_key, order),
                created_at=now,
                expires_at=now + 60 * order["link_expiry_mins"],
                state="ready",
            )
            tokens.insert_link_token(db, link)
            if magic:
                text = f"Generated a magic link for {link.end_user_origin_id}"
                audit.note(db, Deed(api_key, ip_address, now), "GENERATED_MAGIC_LINK", text)
        return link

    def find_link_token(self, token: str) -> LinkToken | None:
        """The link token, whatever its state; None if there is no such."""
        with self._store.transaction as db:
            return tokens.find_link_token(db, self.clock.now(), "token", token)

    def find_magic_link(self, code: str) -> LinkToken | None:
        """The link token of a magic link's code, whatever its state; None if there is no such."""
        with self._store.transaction as db:
            return tokens.find_link_token(db, self.clock.now(), "magic_link_code", code)

    def latest_link_tokens(self, limit: int = 100) -> list[LinkToken]:
        """The latest link tokens of all keys, newest first."""
        with self._store.transaction as db:
            return tokens.latest_link_tokens(db, self.clock.now(), limit)

    # ---- linking ----

    def complete_link(self, token: str, integration: str | None = None) -> PublicToken:
        """Let the end user link an integration (a slug), and return what the frontend gets.

        None means the integration that the link token opens with. The link token is used up.
        Raises `LinkRefused` for a link token or an integration that cannot be linked.
        """
        with self._change() as (db, happen):
            account = self._link(db, happen, "token", token, integration)
            expires_at = self.clock.now() + 60 * PUBLIC_TOKEN_MINUTES
            public = PublicToken(token=make_token(), expires_at=expires_at, account=account)
            tokens.insert_public_token(db, public)
        return public

    def complete_magic_link(self, code: str, integration: str | None = None) -> LinkedAccount:
        """Do the same by a magic link, whose code ends its URL: no frontend, no public token."""
        with self._change() as (db, happen):
            return self._link(db, happen, "magic_link_code", code, integration)

    def exchange(
        self, api_key: str, public_token: str, category: str | None = None
    ) -> LinkedAccount | None:
        """Use up a public token; the linked account, whose account token is then known.

        None for a token that is unknown, used, expired or another key's, or that lies in another
        category than the one given.
        """
        with self._store.transaction as db:
            now = self.clock.now()
            number = tokens.take_public_token(db, now, public_token, api_key, category)
            return accounts.find_account(db, number=number)

    def _link(
        self,
        db: sqlite3.Connection,
        happen: _Happen,
        column: tokens.Column,
        value: str,
        integration: str | None,
    ) -> LinkedAccount:
        now = self.clock.now()
        link = tokens.use_link_token(db, now, tokens.find_link_token(db, now, column, value))
        event = accounts.link_account(db, link, integration, now)
        account = event.account
        if event.name == "relinked":
            self._tell_syncs(db, happen, account)
        sync.begin_syncs(db, account, link.order, now)
        ordered = link.order.get("category_common_model_scopes") or {}
        if account.category in ordered:
            scopes.write_scopes(db, account, ordered[account.category])
        happen(event)
        return account

    # ---- linked accounts ----

    def find_account(self, api_key: str, account_token: str) -> LinkedAccount | None:
        """The linked account of an account token; None if this key has no such."""
        with self._store.transaction as db:
            return accounts.find_account(db, api_key=api_key, account_token=account_token)

    def find_any_account(self, account: str) -> LinkedAccount | None:
        """The linked account of any key, named by its id or its account token."""
        with self._store.transaction as db:
            return _find_any_account(db, account)

    def list_accounts(
        self,
        api_key: str | None,
        filters: Filters = (),
        *,
        cursor: str = "",
        page_size: int = 100,
    ) -> Page[LinkedAccount]:
        """A page of a key's linked accounts (None: of all keys), oldest first.

        ``filters`` are fields of `LinkedAccount`, each with the values that it may have; all
        must fit. ``cursor`` is of another page, or empty for the first. Raises `InvalidCursor`.
        """
        own = [] if api_key is None else [("api_key", [api_key])]
        conditions = [is_one_of(column, values) for column, values in [*own, *filters]]
        with self._store.transaction as db:
            select = select_rows(
                db,
                "linked_accounts",
                accounts.ACCOUNT_COLUMNS,
                accounts.read_account,
                conditions,
            )
            return read_page(select, cursor, page_size)

    def latest_accounts(self, limit: int = 100) -> list[LinkedAccount]:
        """The accounts of all keys that were linked or relinked last, newest first."""
        with self._store.transaction as db:
            return accounts.latest_accounts(db, limit)

    def delete_account(self, account: LinkedAccount, ip_address: str = "") -> None:
        """Delete a linked account. Without effect if it is gone already."""
        with self._change() as (db, happen):
            if now_there := accounts.find_account(db, number=account.number):
                accounts.delete_account(db, account.number)
                text = f"Deleted the linked account {account.id}"
                deed = self._deed(account.api_key, ip_address)
                audit.note(db, deed, "DELETED_LINKED_ACCOUNT", text)
                happen(Event("deleted", now_there))

    def regenerate_account_token(self, account: LinkedAccount) -> LinkedAccount | None:
        """Give a linked account another account token; the old one is of no use from now on."""
        with self._store.transaction as db:
            accounts.update_account(db, account.number, account_token=make_token())
            return accounts.find_account(db, number=account.number)

    def set_status(self, account: str, status: Status) -> LinkedAccount | None:
        """Change the status of a linked account, named by its id or its account token.

        Returns the account, None if there is no such. Raises `ValueError` for another status.
        """
        if status not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}")
        with self._change() as (db, happen):
            found = _find_any_account(db, account)
            if found is None:
                return None
            self._tell_syncs(db, happen, found)
            accounts.update_account(db, found.number, status=status)
            changed = accounts.find_account(db, number=found.number)
            assert changed is not None
            sync.follow_status(db, changed, self.clock.now())
            return changed

    # ---- syncs ----

    def read_syncs(self, account: LinkedAccount) -> list[dict[str, Any]]:
        """How far an account's syncs are. One that is found to be over is told.

        Raises `AccountGone`.
        """
        with self._change() as (db, happen):
            if accounts.find_account(db, number=account.number) is None:
                raise AccountGone
            self._tell_syncs(db, happen, account)
            return [one.show(self.clock.now()) for one in sync.read_syncs(db, account)]

    def resync(self, account: LinkedAccount, ip_address: str) -> list[dict[str, Any]]:
        """Begin to sync all that is not syncing; how far the syncs are then.

        Raises `AccountGone`.
        """
        with self._change() as (db, happen):
            if accounts.find_account(db, number=account.number) is None:
                raise AccountGone
            self._tell_syncs(db, happen, account)
            now = self.clock.now()
            made = sync.resync(db, account, now)
            text = f"Forced a resync of the linked account {account.id}"
            audit.note(
                db,
                self._deed(account.api_key, ip_address),
                "FORCED_LINKED_ACCOUNT_RESYNC",
                text,
            )
            return [one.show(now) for one in made]

    def _tell_syncs(self, db: sqlite3.Connection, happen: _Happen, account: LinkedAccount) -> None:
        for event in sync.news(db, account, self.clock.now()):
            happen(event)

    # ---- issues ----

    def raise_issue(
        self, account: str, description: str, details: Sequence[str] = (), *, is_muted: bool = False
    ) -> Issue | None:
        """Let an account, named by its id or account token, have an issue; None if it is none."""
        with self._change() as (db, happen):
            found = _find_any_account(db, account)
            if found is None:
                return None
            now = self.clock.now()
            issue, is_new = issues.raise_issue(
                db, found, description, details, is_muted=is_muted, now=now
            )
            if is_new:
                happen(Event("issue_created", found, issue.shown))
            return issue

    def resolve_issue(self, id: str) -> Issue | None:
        """Resolve an issue of any key; None if there is no such."""
        with self._change() as (db, happen):
            before = issues.find_issue(db, id)
            after = issues.resolve(db, id)
            if before is not None and before.is_ongoing and after is not None:
                account = accounts.find_account(db, number=after.account_number)
                assert account is not None
                happen(Event("issue_resolved", account, after.shown))
            return after

    def find_issue(self, api_key: str, id: str) -> Issue | None:
        """The issue of a key."""
        with self._store.transaction as db:
            return issues.find_issue(db, id, api_key)

    def read_issues(
        self, api_key: str, conditions: Conditions = (), *, cursor: str = "", page_size: int = 100
    ) -> Page[Issue]:
        """A page of a key's issues. Raises `InvalidCursor`."""
        with self._store.transaction as db:
            return issues.read_issues(db, api_key, conditions, cursor, page_size)

    @contextmanager
    def _change(self) -> Iterator[tuple[sqlite3.Connection, _Happen]]:
        """A transaction whose events are told once it is kept, before any other change."""
        events: list[Event] = []
        with self._store.lock:
            with self._store.transaction as db:
                yield db, events.append
            for event in events:
                for listener in self.listeners:
                    listener(event)


def _find_any_account(db: sqlite3.Connection, account: str) -> LinkedAccount | None:
    return accounts.find_account(db, id=account) or accounts.find_account(db, account_token=account)
