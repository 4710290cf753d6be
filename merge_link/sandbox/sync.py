"""How far the syncs of linked accounts are: what Merge fetches, as it would by the clock.

Nothing is fetched, so a sync is arithmetic: it begins when an account is linked, its models finish
one after the other within `MINUTES`, and it begins again a day after it began. The functions work
on a connection inside a transaction of the caller. Where Merge's documents leave something open,
this is the sandbox's choice:

- Relinking begins a sync at once. So does a resync, of the models that are not syncing.
- While an account's status is not ``COMPLETE``, its models are ``PAUSED``; then a sync begins.
- With ``are_syncs_disabled`` in the link token's order they are ``DISABLED``, for a resync too,
  until it is relinked by another order.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from merge_link.sandbox.clock import to_iso
from merge_link.sandbox.common_models import Model, models_of
from merge_link.sandbox.linking import Event, LinkedAccount

MINUTES = 5
_EVERY = 24 * 3600.0
_INSTANT = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """The syncs of one model: the first began at ``started_at``, and one follows each day.

    ``finished_before`` is when the last of those before them finished. A pause stops the clock at
    ``paused_at``. ``takes`` says how many seconds each lasts. None happens while it is
    ``disabled``.
    """

    model: Model
    takes: float
    started_at: float
    finished_before: float | None = None
    paused_at: float | None = None
    disabled: bool = False

    def look(self, now: float) -> "Look":
        """What is to be seen at a time."""
        now = now if self.paused_at is None else min(now, self.paused_at)
        days = max(0, int((now - self.started_at) // _EVERY))
        began = self.started_at + days * _EVERY
        if self.disabled:
            return Look(began=began, finished=self.finished_before, is_over=False)
        if now >= began + self.takes:
            finished: float | None = began + self.takes
        else:
            finished = began - _EVERY + self.takes if days else self.finished_before
        return Look(began=began, finished=finished, is_over=now >= began + self.takes)

    def begin_again(self, now: float) -> "Sync":
        """The same, with a sync that begins now."""
        return replace(
            self, started_at=now, finished_before=self.look(now).finished, paused_at=None
        )

    def show(self, now: float) -> dict[str, Any]:
        """As ``sync-status`` has it."""
        seen = self.look(now)
        started = None if self.disabled else to_iso(seen.began)
        finished = None if seen.finished is None else to_iso(seen.finished)
        stopped = self.disabled or self.paused_at is not None
        status = "DONE" if seen.is_over else "SYNCING"
        if stopped:
            status = "DISABLED" if self.disabled else "PAUSED"
        return {
            "model_name": self.model.name,
            "model_id": self.model.id,
            "last_sync_start": started,
            "next_sync_start": None if stopped else to_iso(seen.began + _EVERY),
            "last_sync_result": finished and "DONE",
            "last_sync_finished": finished,
            "status": status,
            "is_initial_sync": finished is None,
            "selective_sync_configurations_usage": None,
        }


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be seen of a model's syncs: when the latest began, and when one finished last."""

    began: float
    finished: float | None
    is_over: bool


def begin_syncs(
    db: sqlite3.Connection, account: LinkedAccount, order: Mapping[str, Any], now: float
) -> None:
    """An account was linked or relinked by an order: its syncs begin."""
    disabled = bool(order.get("are_syncs_disabled"))
    for sync in _read(db, account) or _first_syncs(account, now):
        _write(db, account, replace(sync.begin_again(now), disabled=disabled))


def read_syncs(db: sqlite3.Connection, account: LinkedAccount) -> list[Sync]:
    """The syncs of an account, a model each."""
    # What an older version kept has none yet.
    return _read(db, account) or _first_syncs(account, account.completed_at)


def resync(db: sqlite3.Connection, account: LinkedAccount, now: float) -> list[Sync]:
    """Begin a sync of all models that have none under way; the syncs as they are then."""
    made = []
    for sync in read_syncs(db, account):
        idle = sync.look(now).is_over and sync.paused_at is None and not sync.disabled
        made.append(sync.begin_again(now) if idle else sync)
        _write(db, account, made[-1])
    return made


def follow_status(db: sqlite3.Connection, account: LinkedAccount, now: float) -> None:
    """An account's status was changed: its syncs pause, or go on."""
    for sync in read_syncs(db, account):
        if account.status != "COMPLETE" and sync.paused_at is None:
            _write(db, account, replace(sync, paused_at=now))
        elif account.status == "COMPLETE" and sync.paused_at is not None:
            _write(db, account, sync.begin_again(now))


def news(db: sqlite3.Connection, account: LinkedAccount, now: float) -> list[Event]:
    """What happened to an account since this was asked for: that a sync of all models is over.

    Of several syncs, only the latest is told.
    """
    syncs = [sync for sync in read_syncs(db, account) if not sync.disabled]
    running = [look.began for look in _looks(syncs, now) if not look.is_over]
    if running:
        # The next may have begun since: right before it, all may have been over.
        now = min(running) - _INSTANT
    looks = _looks(syncs, now)
    finished = [look.finished for look in looks if look.finished is not None]
    if not finished or not all(look.is_over for look in looks):
        return []
    (told_at,) = db.execute(
        "SELECT max(told_at) FROM syncs_told WHERE account_number = ?", [account.number]
    ).fetchone()
    if told_at is not None and max(finished) <= told_at:
        return []
    db.execute("REPLACE INTO syncs_told VALUES (?, ?)", [account.number, max(finished)])
    data = {
        "is_initial_sync": told_at is None,
        "sync_status": [sync.show(now) for sync in syncs],
    }
    events = [Event("synced", account, data)]
    if told_at is None:
        events.append(Event("fully_synced_initial", account, {}))
    return events


def _looks(syncs: Sequence[Sync], now: float) -> list[Look]:
    return [sync.look(now) for sync in syncs]


def _first_syncs(account: LinkedAccount, began: float) -> list[Sync]:
    models = models_of(account.category)
    share = MINUTES * 60.0 / max(1, len(models))
    return [
        Sync(model=model, takes=share * (index + 1), started_at=began)
        for index, model in enumerate(models)
    ]


def _read(db: sqlite3.Connection, account: LinkedAccount) -> list[Sync]:
    query = (
        "SELECT model, started_at, finished_before, paused_at, disabled FROM syncs"
        " WHERE account_number = ?"
    )
    rows = {row[0]: row[1:] for row in db.execute(query, [account.number])}
    return [
        _fill(sync, rows[sync.model.path])
        for sync in _first_syncs(account, account.completed_at)
        if sync.model.path in rows
    ]


def _fill(sync: Sync, row: Sequence[Any]) -> Sync:
    started_at, finished_before, paused_at, disabled = row
    return replace(
        sync,
        started_at=started_at,
        finished_before=finished_before,
        paused_at=paused_at,
        disabled=bool(disabled),
    )


def _write(db: sqlite3.Connection, account: LinkedAccount, sync: Sync) -> None:
    db.execute(
        "REPLACE INTO syncs (account_number, model, started_at, finished_before, paused_at,"
        " disabled) VALUES (?, ?, ?, ?, ?, ?)",
        [
            account.number,
            sync.model.path,
            sync.started_at,
            sync.finished_before,
            sync.paused_at,
            sync.disabled,
        ],
    )
